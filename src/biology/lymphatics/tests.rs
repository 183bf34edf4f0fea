//! How lymph gathers, and which way walls and valves let it go.

use bevy::prelude::*;

use super::description::place;
use super::drain::{WayOut, drain, intake, outflow_um3_per_min};
use super::*;
use crate::core::Clock;
use crate::tissue::interstitium::{FluidTerms, Interstitium};
use crate::tissue::network::{NetworkError, NewSegment, Sprouts, VesselKind};

fn block() -> TissueBlock {
    TissueBlock {
        name: "block".into(),
        min_um: Vec3::splat(-100.0),
        dims: UVec3::splat(10),
        voxel_um: Vec3::splat(20.0),
        walls: true,
        perfusion_length_um: None,
    }
}

/// A lymphatic along x that leaves at the upper face, with a blind branch, and one that is cut off.
fn network() -> Network {
    let mut network = Network::empty(&block());
    let list = [LymphaticDescription {
        from_um: (-50.0, 5.0, 5.0),
        to_um: (100.0, 5.0, 5.0),
        radius_um: 10.0,
        piece_um: 50.0,
    }];
    place(&mut network, &list);
    let fork = network.nodes()[1].id;
    network
        .change(|growth| {
            let piece = |from, to| NewSegment {
                from,
                to,
                kind: VesselKind::Vein,
                radius_um: 10.0,
                length_um: None,
                maturity: 1.0,
                sprout: Sprouts::NONE,
            };
            let blind = growth.add_node(Vec3::new(0.0, 65.0, 5.0), None)?;
            growth.add_segment(piece(blind, fork))?;
            let a = growth.add_node(Vec3::new(-70.0, -70.0, 5.0), None)?;
            let b = growth.add_node(Vec3::new(-30.0, -70.0, 5.0), None)?;
            growth.add_segment(piece(a, b))?;
            Ok::<_, NetworkError>(())
        })
        .expect("branches can be");
    network
}

/// What they drain of a fluid that has this pressure below the plane x = 0 and that one above it, and the lymph that comes out, um3/min.
fn drained(below_mmhg: f32, above_mmhg: f32) -> (DrawnLymph, Network, f64) {
    let block = block();
    let mut app = App::empty();
    let voxels = block.voxels();
    let at = |voxel: usize| {
        if voxel % 10 < 5 {
            below_mmhg
        } else {
            above_mmhg
        }
    };
    let mut fluid = Interstitium {
        pressure_mmhg: (0..voxels).map(at).collect(),
        terms: FluidTerms::default(),
        ..Interstitium::default()
    };
    let site = |app: &mut App, fluid: &Interstitium, drawn: DrawnLymph| {
        let lymphatics = Lymphatics {
            network: network(),
            entered: 0,
        };
        app.world_mut()
            .spawn((lymphatics, drawn, fluid.clone()))
            .id()
    };
    app.insert_resource(Clock::new(1.0))
        .insert_resource(LymphaticParameters::default())
        .init_resource::<Schedules>()
        .add_systems(SimSchedule, drain);
    let entity = site(&mut app, &fluid, DrawnLymph::default());
    app.world_mut().run_schedule(SimSchedule);
    let drawn = app.world().get::<DrawnLymph>(entity).cloned();
    let drawn = drawn.expect("it was put there");
    // The fluid is solved with that, and lymph flows.
    fluid.terms.lymph_rate.clone_from(&drawn.rate_per_mmhg_min);
    fluid.terms.lymph_mmhg = vec![drawn.pressure_mmhg; voxels];
    let drained: f64 = (0..voxels)
        .map(|voxel| f64::from(fluid.drained_per_min(voxel)))
        .sum();
    let entity = site(&mut app, &fluid, DrawnLymph::default());
    app.world_mut().run_schedule(SimSchedule);
    let lymphatics = app.world().get::<Lymphatics>(entity).expect("put there");
    let volume = f64::from(block.voxel_volume_um3());
    (drawn, lymphatics.network.clone(), drained * volume)
}

#[test]
fn lymph_that_comes_out_is_what_walls_let_in() {
    let (drawn, network, drained) = drained(2.0, 2.0);
    let out = outflow_um3_per_min(&network);
    // 150 and 60 um of 10 um radius, `L_p S p`; what is cut off drains nothing.
    let surface = std::f64::consts::TAU * 10.0 * (150.0 + 60.0);
    let expected = 0.42 * surface * 2.0;
    assert!(
        (drained / expected - 1.0).abs() < 1e-4,
        "{drained} {expected}"
    );
    assert!((out / expected - 1.0).abs() < 1e-4, "{out} {expected}");
    let of_one = intake(&LymphaticParameters::default(), 10.0, 20.0, 8000.0);
    let in_voxels = drawn.rate_per_mmhg_min.iter();
    assert!(in_voxels.clone().all(|rate| *rate <= 3.0 * of_one));
    assert!(in_voxels.filter(|rate| **rate > 0.0).count() >= 10);
}

#[test]
fn lymph_flows_towards_the_outlet_and_adds_up_at_forks() {
    let (_, network, _) = drained(2.0, 2.0);
    let flow = |at: usize| network.segments()[at].flow_um3_per_min;
    // Pieces of 50 um take in the same, the branch 60/50 of it.
    let one = flow(0);
    assert!(one > 0.0);
    assert!(
        (flow(3) / one - 1.2).abs() < 1e-3,
        "the branch, towards the fork"
    );
    assert!((flow(1) / one - 3.2).abs() < 1e-3);
    assert!((flow(2) / one - 4.2).abs() < 1e-3);
    assert!(flow(4).abs() < f64::EPSILON, "what is cut off");
    let way = WayOut::of(&network);
    assert_eq!(way.by.iter().filter(|by| by.is_some()).count(), 4);
}

#[test]
fn walls_let_nothing_out() {
    let (drawn, network, drained) = drained(-3.0, 2.0);
    assert!(drained > 0.0 && outflow_um3_per_min(&network) > 0.0);
    for (voxel, rate) in drawn.rate_per_mmhg_min.iter().enumerate() {
        assert!(*rate == 0.0 || voxel % 10 >= 5, "{voxel} {rate}");
    }
    let (drawn, network, _) = self::drained(-3.0, -1.0);
    assert!(drawn.rate_per_mmhg_min.iter().all(|rate| *rate == 0.0));
    assert!(outflow_um3_per_min(&network).abs() < f64::EPSILON);
}
