//! Where sprouts may begin, how their stalks grow, meet, open and are taken back.

use bevy::prelude::*;

use super::TipParameters;
use super::choose::{Candidate, may_begin, other_vessels};
use super::stalk::{chance_of_tip, cord, join, meets, open_loops, open_lumens, take_back};
use crate::core::random::{Purpose, RandomKey};
use crate::core::{CellId, Random};
use crate::tissue::TissueBlock;
use crate::tissue::network::{
    Held, Network, NetworkError, NewSegment, NodeId, Port, SOLID_SHARE, Sprout, Sprouts, VesselKind,
};

fn block() -> TissueBlock {
    TissueBlock {
        name: "block".into(),
        min_um: Vec3::splat(-300.0),
        dims: UVec3::splat(30),
        voxel_um: Vec3::splat(20.0),
        walls: true,
        perfusion_length_um: None,
    }
}

fn port(side: VesselKind, mmhg: f64) -> Option<Port> {
    Some(Port {
        side,
        held: Held::Pressure(mmhg),
        haematocrit: 0.4,
    })
}

/// Straight capillaries along x through these places, in pieces of 20 um.
fn parallel(places: &[(f32, f32)]) -> Network {
    let mut network = Network::empty(&block());
    network
        .change(|growth| {
            for (y, z) in places {
                let at = |x: f32| Vec3::new(x, *y, *z);
                let mut last = growth.add_node(at(-300.0), port(VesselKind::Artery, 30.0))?;
                for piece in 1..=30 {
                    let end = (piece == 30)
                        .then(|| port(VesselKind::Vein, 20.0))
                        .flatten();
                    let next = growth.add_node(at(-300.0 + 20.0 * piece as f32), end)?;
                    growth.add_segment(NewSegment {
                        from: last,
                        to: next,
                        kind: VesselKind::Capillary,
                        radius_um: 4.0,
                        length_um: None,
                        maturity: 1.0,
                        sprout: Sprouts::NONE,
                    })?;
                    last = next;
                }
            }
            Ok::<_, NetworkError>(())
        })
        .expect("straight vessels can be");
    network
}

/// Adds a sprout from the node at a place along these places, and says the numbers of its nodes.
fn sprout(network: &mut Network, from: Vec3, way: &[Vec3]) -> (u32, Vec<NodeId>) {
    let node = network.nodes().iter().find(|node| node.at_um == from);
    let node = node.expect("it begins at a node").id;
    let number = network.sprouts_mut().begin(Sprout {
        at_um: from,
        parent: Sprouts::NONE,
    });
    let mut nodes = vec![node];
    network
        .change(|growth| {
            for place in way {
                let next = growth.add_node(*place, None)?;
                let last = nodes[nodes.len() - 1];
                growth.add_segment(cord(last, next, number, &TipParameters::default()))?;
                nodes.push(next);
            }
            Ok::<_, NetworkError>(())
        })
        .expect("a stalk can be");
    (number, nodes)
}

/// The segment whose middle is nearest to a place.
fn segment_at(network: &Network, at_um: Vec3) -> usize {
    let away = |segment: usize| {
        let [from, to] = network.places_um(segment);
        from.lerp(to, 0.5).distance(at_um)
    };
    let all = 0..network.segments().len();
    all.min_by(|a, b| away(*a).total_cmp(&away(*b)))
        .expect("there are some")
}

fn candidate(network: &Network, at_um: Vec3) -> Candidate {
    Candidate {
        segment: segment_at(network, at_um),
        share: 0.5,
        turn: 0.5,
    }
}

#[test]
fn segments_near_a_place_are_those_that_looking_at_all_of_them_finds() {
    let network = parallel(&[(0.0, 0.0), (90.0, 10.0), (-120.0, 60.0)]);
    let mut random = RandomKey(5).stream(CellId(1), 0, Purpose::of("test.near"));
    let mut found = Vec::new();
    for _ in 0..200 {
        let at = |random: &mut Random| 640.0 * random.uniform() - 320.0;
        let at_um = Vec3::new(at(&mut random), at(&mut random), at(&mut random));
        let within = 10.0 + 150.0 * random.uniform();
        network.segments_near(at_um, within, &mut found);
        let all = 0..network.segments().len();
        let expected: Vec<u32> = all
            .filter(|segment| {
                // By small steps along it.
                let [from, to] = network.places_um(*segment);
                (0..=2000).any(|step| from.lerp(to, step as f32 / 2000.0).distance(at_um) < within)
            })
            .map(|segment| segment as u32)
            .collect();
        assert_eq!(found, expected, "{at_um} {within}");
    }
}

#[test]
fn tips_begin_where_vessels_are_far_apart_and_not_where_they_are_near() {
    let mut near = Vec::new();
    let at = Vec3::new(10.0, 0.0, 0.0);
    for (apart, counted) in [(120.0_f32, 0), (60.0, 3)] {
        // A square of 3 x 3 vessels around one.
        let places: Vec<(f32, f32)> = (0..9)
            .map(|n| {
                (
                    (n / 3) as f32 * apart - apart,
                    (n % 3) as f32 * apart - apart,
                )
            })
            .collect();
        let network = parallel(&places);
        let segment = segment_at(&network, at);
        let found = other_vessels(&network, segment, at, 80.0, &mut near);
        // 60 um apart four lie at 60 um, with chords of 105.8 um, where one that crosses the ball is 106.7 um long on average.
        assert_eq!(found, counted, "{apart}");
        let may = may_begin(
            &network,
            &candidate(&network, at),
            &[],
            &TipParameters::default(),
            &mut near,
        );
        assert_eq!(may, apart > 80.0);
    }
}

#[test]
fn a_tip_holds_back_others_and_sprouts_keep_their_distance_on_a_vessel() {
    let mut network = parallel(&[(0.0, 0.0)]);
    let parameters = TipParameters::default();
    let mut near = Vec::new();
    let mut may = |network: &Network, x: f32, tips: &[Vec3]| {
        let at = Vec3::new(x, 0.0, 0.0);
        may_begin(
            network,
            &candidate(network, at),
            tips,
            &parameters,
            &mut near,
        )
    };
    let tip = [Vec3::new(10.0, 50.0, 0.0)];
    assert!(!may(&network, 70.0, &tip));
    assert!(may(&network, 90.0, &tip));
    network.sprouts_mut().begin(Sprout {
        at_um: Vec3::new(10.0, 0.0, 0.0),
        parent: Sprouts::NONE,
    });
    // 45 um on either side, for ever: nine pieces in all.
    assert!(!may(&network, 50.0, &[]));
    assert!(may(&network, 70.0, &[]));
    // Two sprouts within 80 um crowd a place out, one does not.
    for (x, held) in [(120.0, false), (260.0, true)] {
        let from = Vec3::new(x, 0.0, 0.0);
        sprout(&mut network, from, &[from + 20.0 * Vec3::Y]);
        assert_eq!(!may(&network, 190.0, &[]), held, "{x}");
    }
}

#[test]
fn the_chance_of_a_tip_is_that_of_its_length_and_time() {
    let one = chance_of_tip(0.002, 10.0, 1.0);
    assert!((one - (1.0 - bevy::math::ops::exp(-0.002))).abs() < 1e-7);
    // Two pieces in half the time are as one in all of it.
    assert!((chance_of_tip(0.002, 20.0, 0.5) - one).abs() < 1e-7);
}

#[test]
fn a_tip_joins_the_nearest_vessel_that_counts_and_splits_it_there() {
    let mut network = parallel(&[(0.0, 0.0), (100.0, 0.0)]);
    let before = network.density_mm_per_mm3(|_| true);
    let from = Vec3::new(0.0, 0.0, 0.0);
    let (number, nodes) = sprout(&mut network, from, &[40.0 * Vec3::Y, 88.0 * Vec3::Y]);
    let mut near = Vec::new();
    let tip = Vec3::new(6.0, 90.0, 0.0);
    let others = |of: u32| of != number;
    assert_eq!(meets(&network, tip, 9.0, others, &mut near), None);
    let met = meets(&network, tip, 15.0, others, &mut near).expect("10 um away");
    let segments = network.segments().len();
    assert!(join(
        &mut network,
        nodes[2],
        met,
        number,
        &TipParameters::default()
    ));
    // One more by the split, one more that joins.
    assert_eq!(network.segments().len(), segments + 2);
    let [_, end] = network.places_um(network.segments().len() - 1);
    assert!(end.distance(Vec3::new(6.0, 100.0, 0.0)) < 1e-3, "{end}");
    let sprouted = network.density_mm_per_mm3(|of| of.sprout == number);
    let all = network.density_mm_per_mm3(|_| true);
    assert!(
        (all - sprouted - before).abs() < 1e-6 * all,
        "{all} {sprouted} {before}"
    );
    assert_eq!(network.wrong_shape(), None);
}

#[test]
fn cords_open_where_a_loop_is_closed_and_there_alone() {
    let mut network = parallel(&[(0.0, 0.0), (100.0, 0.0)]);
    let (a, nodes) = sprout(&mut network, Vec3::ZERO, &[50.0 * Vec3::Y, 90.0 * Vec3::Y]);
    let from = Vec3::new(100.0, 0.0, 0.0);
    let (b, _) = sprout(&mut network, from, &[from + 30.0 * Vec3::Y]);
    open_loops(&mut network);
    assert!(
        network
            .segments()
            .iter()
            .all(|of| of.sprout == Sprouts::NONE || of.lumen == 0.0)
    );
    let mut near = Vec::new();
    let met = meets(&network, 90.0 * Vec3::Y, 15.0, |of| of != a, &mut near);
    let met = met.expect("the other vessel is 10 um away");
    assert!(join(
        &mut network,
        nodes[2],
        met,
        a,
        &TipParameters::default()
    ));
    open_loops(&mut network);
    for of in network.segments() {
        assert_eq!(of.lumen > 0.0, of.sprout != b, "{of:?}");
    }
    let radius = |network: &Network| {
        let mut segments = network.segments().iter();
        segments
            .find(|of| of.sprout == a)
            .expect("it is there")
            .radius_um
    };
    assert!(radius(&network) < 1.35, "no red cell passes a cord");
    for hour in 1..=12 {
        open_lumens(&mut network, 1.0, 12.0, false);
        let expected = 4.0 * (1e-3 + hour as f32 / 12.0).clamp(SOLID_SHARE, 1.0);
        assert!((radius(&network) - expected).abs() < 1e-3);
    }
    assert!((radius(&network) - 4.0).abs() < 1e-3);
    let cord = network.segments().iter().find(|of| of.sprout == b);
    assert_eq!(cord.map(|of| of.lumen), Some(0.0));
}

#[test]
fn cords_that_each_lead_to_a_port_of_their_own_lie_on_no_loop() {
    let mut network = Network::empty(&block());
    network
        .change(|growth| {
            for y in [-100.0, -50.0, 0.0, 50.0] {
                let blind = growth.add_node(Vec3::new(0.0, y, 0.0), None)?;
                let outlet =
                    growth.add_node(Vec3::new(50.0, y, 0.0), port(VesselKind::Vein, 0.0))?;
                growth.add_segment(cord(blind, outlet, 1, &TipParameters::default()))?;
            }
            Ok::<_, NetworkError>(())
        })
        .expect("cords can be");
    open_loops(&mut network);
    assert!(network.segments().iter().all(|of| of.lumen == 0.0));
}

#[test]
fn cords_without_a_tip_are_taken_back_to_the_next_fork() {
    let mut network = parallel(&[(0.0, 0.0)]);
    let way: Vec<Vec3> = (1..=5).map(|n| 10.0 * n as f32 * Vec3::Y).collect();
    let (_, nodes) = sprout(&mut network, Vec3::ZERO, &way);
    let branch: Vec<Vec3> = (1..=3)
        .map(|n| Vec3::new(10.0 * n as f32, 20.0, 0.0))
        .collect();
    let (_, twig) = sprout(&mut network, 20.0 * Vec3::Y, &branch);
    // As long as both have tips nothing goes.
    assert_eq!(take_back(&mut network, &[nodes[5], twig[3]]), 0);
    // The three pieces beyond the fork.
    assert_eq!(take_back(&mut network, &[twig[3]]), 3);
    assert_eq!(network.pruned(), 3);
    // All that is left of both.
    assert_eq!(take_back(&mut network, &[]), 5);
    assert!(
        network
            .segments()
            .iter()
            .all(|of| of.sprout == Sprouts::NONE)
    );
    assert_eq!(network.segments().len(), 30);
    assert_eq!(network.wrong_shape(), None);
}

#[test]
fn a_loop_within_a_sprout_stays_solid_and_goes_when_its_tip_has_gone() {
    let mut network = parallel(&[(0.0, 0.0)]);
    let way: Vec<Vec3> = (1..=4).map(|n| 10.0 * n as f32 * Vec3::Y).collect();
    let (_, stalk) = sprout(&mut network, Vec3::ZERO, &way);
    // From its second node a twig runs round to its last.
    let (twig, round) = sprout(
        &mut network,
        20.0 * Vec3::Y,
        &[Vec3::new(20.0, 20.0, 0.0), Vec3::new(20.0, 40.0, 0.0)],
    );
    network
        .change(|growth| {
            growth.add_segment(cord(round[2], stalk[4], twig, &TipParameters::default()))
        })
        .expect("two nodes");
    open_loops(&mut network);
    let cords = |network: &Network| {
        let segments = network.segments().iter();
        segments.filter(|of| of.lumen <= 0.0).count()
    };
    assert_eq!(cords(&network), 7);
    // As long as it holds a tip it stays.
    assert_eq!(take_back(&mut network, &[stalk[4]]), 0);
    assert_eq!(take_back(&mut network, &[]), 7);
    assert_eq!(cords(&network), 0);
    assert_eq!(network.wrong_shape(), None);
}
