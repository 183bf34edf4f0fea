//! A vessel that forks: what its blood gives, how it is mixed and followed.

use super::super::network::{Held, NewSegment, Port, Sprouts, VesselKind};
use super::super::{FlowWork, VesselParameters};
use super::carriage::{Arrived, Carried, conductance_um2_per_min};
use super::*;
use crate::cell::doors::{Doors, Extravasation, Followed};
use crate::tissue::molecule::testing::molecule;
use crate::tissue::{Molecule, TissueBlock};

fn block() -> TissueBlock {
    TissueBlock {
        name: "block".into(),
        min_um: Vec3::splat(-110.0),
        dims: UVec3::splat(11),
        voxel_um: Vec3::splat(20.0),
        walls: true,
        perfusion_length_um: None,
    }
}

/// An artery that forks into two capillaries, which meet again and leave by a vein. The first of them is wider.
fn forked() -> (Network, FlowOrder) {
    let mut network = Network::empty(&block());
    let port = |side, mmhg| {
        Some(Port {
            side,
            held: Held::Pressure(mmhg),
            haematocrit: 0.45,
        })
    };
    network.change(|growth| {
        let places = [
            (Vec3::new(-105.0, 0.0, 0.0), port(VesselKind::Artery, 30.0)),
            (Vec3::new(-45.0, 0.0, 0.0), None),
            (Vec3::new(0.0, 45.0, 0.0), None),
            (Vec3::new(0.0, -45.0, 0.0), None),
            (Vec3::new(45.0, 0.0, 0.0), None),
            (Vec3::new(105.0, 0.0, 0.0), port(VesselKind::Vein, 24.0)),
        ];
        let nodes = places.map(|(at, port)| growth.add_node(at, port).expect("it is a place"));
        for (from, to, radius_um) in [
            (0, 1, 6.0),
            (1, 2, 5.0),
            (1, 3, 4.0),
            (2, 4, 5.0),
            (3, 4, 4.0),
            (4, 5, 6.0),
        ] {
            let new = NewSegment {
                from: nodes[from],
                to: nodes[to],
                kind: VesselKind::Capillary,
                radius_um,
                length_um: None,
                maturity: 1.0,
                sprout: Sprouts::NONE,
            };
            growth.add_segment(new).expect("it joins two nodes");
        }
    });
    let (mut work, parameters) = (FlowWork::default(), VesselParameters::default());
    for _ in 0..12 {
        work.circulate(&mut network, &parameters);
    }
    let mut order = FlowOrder::default();
    order.follow(&network);
    (network, order)
}

fn oxygen() -> Molecule {
    Molecule {
        diffusivity_um2_per_min: 1.05e5,
        crosses_vessel_walls: true,
        ..molecule("oxygen", 1300.0, 38.0)
    }
}

#[test]
fn a_capillary_exchanges_oxygen_with_its_voxel_a_thousand_times_a_minute() {
    let (network, _) = forked();
    let mut segment = network.segments()[2];
    let parameters = VesselExchangeParameters::default();
    let per_um =
        |segment: &_, voxel_um| conductance_um2_per_min(&oxygen(), segment, &parameters, voxel_um);
    let rate = per_um(&segment, 20.0) * 20.0 / 8000.0;
    assert!((rate - 990.0).abs() < 5.0, "{rate}");
    // In a wider voxel the tissue up to where it has its mean: 1/(1.2 pi) + ln 2/(2 pi), over D.
    let wide = 1.05e5 / per_um(&segment, 40.0);
    assert!((wide - (0.265_26 + 0.110_32)).abs() < 1e-3, "{wide}");
    // Glucose is held up by the wall: 2 pi 4 60 um2/min, and as much more as it leaks.
    let glucose = Molecule {
        diffusivity_um2_per_min: 6.6e3,
        wall_permeability_um_per_min: 60.0,
        ..oxygen()
    };
    for leak in [1.0, 3.0] {
        segment.permeability = leak;
        let found = conductance_um2_per_min(&glucose, &segment, &parameters, 20.0);
        let wall = 1.0 / (std::f32::consts::TAU * 4.0 * 60.0 * leak);
        let exact = 1.0 / (wall + 1.0 / (1.2 * std::f32::consts::PI * 6.6e3));
        assert!((found / exact - 1.0).abs() < 1e-4, "{found} {exact}");
    }
}

#[test]
fn what_blood_gives_at_forks_and_where_vessels_meet_is_what_tissue_takes() {
    let (network, order) = forked();
    assert_eq!(order.segments.len(), 6);
    assert_eq!([order.segments[0], order.segments[5]], [0, 5]);
    let (parameters, oxygen) = (VesselExchangeParameters::default(), oxygen());
    let mut curve = Curve::default();
    for (carrier, level) in [
        (parameters.haemoglobin(&mut curve, 1300.0), 2.0),
        (Carrier::default(), 60.0),
    ] {
        let carried = Carried {
            network: &network,
            order: &order,
            molecule: &oxygen,
            carrier,
            entering: 80.0,
            parameters: &parameters,
            fluid: None,
        };
        let mut exchange = BloodExchange::default();
        let mut arrived: Vec<Arrived> = Vec::new();
        for _ in 0..100 {
            carried.follow(&mut exchange, &mut arrived, |_| level);
        }
        let taken = exchange.taken(8000.0, |_| level);
        assert!(
            (exchange.given / taken - 1.0).abs() < 1e-4,
            "{} {taken}",
            exchange.given
        );
        // What leaves by the vein is what entered less that, but for half of what the last piece gives.
        let inlet = &network.segments()[0];
        let enters = inlet.flow_um3_per_min * f64::from(carrier.content(80.0, inlet.haematocrit).0);
        let outlet = &network.segments()[5];
        let last = *exchange.level.last().expect("it crosses voxels");
        let leaves =
            outlet.flow_um3_per_min * f64::from(carrier.content(last, outlet.haematocrit).0);
        assert!(
            ((enters - leaves) / taken - 1.0).abs() < 0.05,
            "{enters} {leaves} {taken}"
        );
        let possible = level - 1e-3..=80.001;
        assert!(exchange.level.iter().all(|of| possible.contains(of)));
    }
}

#[test]
fn one_that_follows_a_vessel_takes_the_branch_in_which_more_flows_more_often() {
    let (network, order) = forked();
    let mut ways = VesselWays::of(&network, VesselsLike::Breast.vessels());
    ways.follow_flow(&network, &order);
    let n = 1000;
    let (mut wide, mut narrow) = (0, 0);
    for i in 0..n {
        let dice = (i as f32 + 0.5) / n as f32;
        match ways.follow(Vec3::new(-65.0, 0.0, 0.0), 40.0, dice) {
            Followed::To(at) if at.y > 5.0 => wide += 1,
            Followed::To(at) if at.y < -5.0 => narrow += 1,
            other => panic!("{other:?}"),
        }
    }
    let flow = |segment: usize| network.segments()[segment].flow_um3_per_min;
    let share = flow(1) / flow(0);
    assert_eq!(wide + narrow, n);
    assert!(
        (f64::from(wide) / f64::from(n) - share).abs() < 0.01,
        "{wide} {share}"
    );
    // Against the flow, back to where it came from; on and out with it.
    let place = Vec3::new(-25.0, 20.0, 0.0);
    let back = ways.follow(place, -60.0, 0.5);
    assert!(
        matches!(back, Followed::To(at) if at.y.abs() < 1e-3 && at.x < -70.0),
        "{back:?}"
    );
    let out = ways.follow(place, 400.0, 0.5);
    assert!(matches!(out, Followed::Out(at) if at.x > 100.0), "{out:?}");
    assert_eq!(
        VesselWays::of(&network, VesselsLike::Breast.vessels()).follow(place, 1.0, 0.5),
        Followed::Nowhere
    );
    assert_eq!(
        VesselWays::of(&network, VesselsLike::Breast.vessels()).pick(Extravasation::Leak, [0.5; 3]),
        None
    );
}

#[test]
fn one_that_crawls_slowly_gets_past_a_fork_and_one_beside_a_vessel_is_in_none() {
    let (network, order) = forked();
    let mut ways = VesselWays::of(&network, VesselsLike::Breast.vessels());
    ways.follow_flow(&network, &order);
    // Half a micrometre at a time: less than by how much the vessel narrows at the fork.
    for (dice, is_wide) in [(0.01, true), (0.99, false)] {
        let mut at_um = Vec3::new(-46.0, 0.0, 0.0);
        for _ in 0..60 {
            match ways.follow(at_um, 0.5, dice) {
                Followed::To(next) => at_um = next,
                other => panic!("{other:?} at {at_um}"),
            }
        }
        let gone = (at_um - Vec3::new(-45.0, 0.0, 0.0)).length();
        assert!((gone - 29.0).abs() < 0.01, "{at_um}");
        assert_eq!(at_um.y > 0.0, is_wide);
    }
    // Ten micrometres from the axis of a vessel of six.
    let beside = Vec3::new(-75.0, 10.0, 0.0);
    assert_eq!(ways.follow(beside, 1.0, 0.5), Followed::Nowhere);
}

#[test]
fn leukocytes_come_by_what_they_can_hold_on_to_and_leaks_draw_what_leaks() {
    let (mut network, order) = forked();
    // The walls of one branch leak ten times as much and bear half of what leukocytes hold on to.
    for at in [1, 3] {
        let segment = &mut network.segments_mut()[at];
        (segment.permeability, segment.adhesion) = (10.0, 0.5);
    }
    let mut ways = VesselWays::of(&network, VesselsLike::Breast.vessels());
    ways.follow_flow(&network, &order);
    // By hand: length times radius of both branches, and of what leads to them and away.
    let branch = 2.0 * 45.0 * std::f32::consts::SQRT_2;
    let (upper, lower, rest) = (5.0 * branch, 4.0 * branch, 6.0 * 120.0);
    let n = 4000;
    for (by, fold) in [(Extravasation::Leak, 10.0), (Extravasation::Adhesion, 0.5)] {
        let all = fold * upper + lower + rest;
        let found = ways.open_um2(by);
        assert!((found / (std::f32::consts::TAU * all) - 1.0).abs() < 1e-4);
        let mut counts = [0.0_f32; 2];
        for i in 0..n {
            let dice = [(i as f32 + 0.5) / n as f32, 0.5, 0.3];
            let door = ways.pick(by, dice).expect("there are walls");
            counts[0] += f32::from(u8::from(door.at_um.y > 10.0));
            counts[1] += f32::from(u8::from(door.at_um.y < -10.0));
        }
        for (count, part) in counts.into_iter().zip([fold * upper, lower]) {
            let share = count / n as f32;
            assert!((share - part / all).abs() < 2e-3, "{by:?}: {share}");
        }
    }
    // A breast has 110 mm of capillaries of 4 um in a mm3, which a block of 220 um is.
    let native = 4.0 * 110.0 * 0.22 * 0.22 * 0.22 * 1e3;
    assert!((ways.native_um2() / (std::f32::consts::TAU * native) - 1.0).abs() < 1e-4);
}
