//! Networks as a whole: growth and loss of segments, flow and red cells at forks, and what is taken back.

use proptest::prelude::*;

use super::flow::{inflow_um3_per_min, net_outflow, residual};
use super::life::{Draw, prune};
use super::network::{Sprouts, blocks};
use super::*;
use crate::core::CellId;
use crate::core::random::Purpose;
use crate::core::state::Kept;

mod remodelling;

fn block(half_um: f32) -> TissueBlock {
    let dims = (2.0 * half_um / 20.0) as u32;
    TissueBlock {
        name: "block".into(),
        min_um: Vec3::splat(-half_um),
        dims: UVec3::splat(dims),
        voxel_um: Vec3::splat(20.0),
        walls: true,
        perfusion_length_um: None,
    }
}

fn held(side: VesselKind, mmhg: f64) -> Port {
    Port {
        side,
        held: Held::Pressure(mmhg),
        haematocrit: 0.4,
    }
}

fn segment(from: NodeId, to: NodeId, radius_um: f32, length_um: f32) -> NewSegment {
    NewSegment {
        from,
        to,
        kind: VesselKind::Capillary,
        radius_um,
        length_um: Some(length_um),
        maturity: 0.0,
        sprout: Sprouts::NONE,
    }
}

/// The mesh of 12 x 12 nodes, 80 um apart, between two sides held 5 mmHg apart, with windings and radii at random.
fn mesh(seed: u64) -> Network {
    mesh_of(12, seed)
}

/// The same of another width.
fn mesh_of(width: usize, seed: u64) -> Network {
    let middle = (width - 1) as f32 * 40.0;
    let mut random = RandomKey(seed).stream(CellId(0), 0, Purpose::of("test.mesh"));
    let mut network = Network::empty(&block(middle + 60.0));
    network.change(|growth| {
        let mut nodes = Vec::new();
        for i in 0..width {
            for j in 0..width {
                let at = Vec3::new(i as f32 * 80.0 - middle, j as f32 * 80.0 - middle, 0.0);
                let port = match i {
                    0 => Some(held(VesselKind::Artery, 25.0)),
                    last if last == width - 1 => Some(held(VesselKind::Vein, 20.0)),
                    _ => None,
                };
                nodes.push(growth.add_node(at, port).expect("a place"));
            }
        }
        for i in 0..width {
            for j in 0..width {
                let here = nodes[i * width + j];
                for (other, is_there) in [
                    ((i + 1) * width + j, i < width - 1),
                    (i * width + j + 1, j < width - 1),
                ] {
                    if is_there {
                        let length = 80.0 * (1.0 + 0.6 * random.uniform());
                        let radius = 3.0 + 3.0 * random.uniform();
                        let new = segment(here, nodes[other], radius, length);
                        growth.add_segment(new).expect("two nodes");
                    }
                }
            }
        }
    });
    for segment in network.segments_mut() {
        segment.haematocrit = 0.4;
    }
    network
}

/// In glass tubes and with the haematocrit everywhere the same, as the mesh was worked out by itself.
fn in_glass() -> VesselParameters {
    VesselParameters {
        in_vivo_viscosity: false,
        ..VesselParameters::default()
    }
}

#[test]
fn a_mesh_that_is_pruned_for_five_days_keeps_its_inflow() {
    let parameters = in_glass();
    let (mut kept, mut left) = (Vec::new(), Vec::new());
    for seed in 0..4 {
        let mut network = mesh(seed);
        let mut work = FlowWork::default();
        for _ in 0..8 {
            work.circulate(&mut network, &parameters);
        }
        let before = (inflow_um3_per_min(&network), network.segments().len());
        let shear: Vec<f32> = network.segments().iter().map(|of| of.shear_pa).collect();
        let low = shear.iter().filter(|shear| **shear < 0.5).count() as f32;
        if seed == 0 {
            // 45 % lie below 0.5 Pa in the prototype.
            let share = low / shear.len() as f32;
            assert!((0.35..0.55).contains(&share), "{share}");
        }
        for hour in 0..120_u64 {
            let maturity = (0.1 + 0.9 * hour as f32 / 240.0).min(0.9);
            for segment in network.segments_mut() {
                segment.maturity = maturity;
            }
            let hazards: Vec<(SegmentId, f32)> = network
                .segments()
                .iter()
                .map(|of| (of.id, 0.1 * (1.0 - of.maturity)))
                .collect();
            let draw = Draw {
                key: RandomKey(seed),
                site: SiteId(0),
                step: hour,
                hours: 1.0,
            };
            prune(&mut network, &mut work, &parameters, &hazards, draw);
            work.circulate(&mut network, &parameters);
            assert_eq!(network.wrong_shape(), None);
        }
        kept.push(inflow_um3_per_min(&network) / before.0);
        left.push(network.segments().len() as f64 / before.1 as f64);
        assert_eq!(
            network.pruned() as usize,
            before.1 - network.segments().len()
        );
    }
    println!("inflow kept {kept:.3?}, segments left {left:.3?}");
    for (kept, left) in kept.iter().zip(&left) {
        assert!(*kept > 0.98, "{kept}");
        // One of a loop at a time, as here, spares more than the prototype did, in which 73 % were left.
        assert!((0.7..0.95).contains(left), "{left}");
    }
    let mean = kept.iter().sum::<f64>() / kept.len() as f64;
    assert!(mean > 0.985, "{mean}");
}

#[test]
fn of_two_equal_ways_in_which_hardly_anything_flows_one_stays() {
    // Two ways round a ring between an artery and a vein, both slack.
    let mut network = Network::empty(&block(200.0));
    network.change(|growth| {
        let mut add = |x: f32, y: f32, port| {
            growth
                .add_node(Vec3::new(x, y, 0.0), port)
                .expect("a place")
        };
        let a = add(-150.0, 0.0, Some(held(VesselKind::Artery, 20.1)));
        let b = add(-100.0, 0.0, None);
        let (up, down) = (add(0.0, 60.0, None), add(0.0, -60.0, None));
        let c = add(100.0, 0.0, None);
        let d = add(150.0, 0.0, Some(held(VesselKind::Vein, 20.0)));
        for (from, to, radius) in [
            (a, b, 20.0),
            (b, up, 3.0),
            (up, c, 3.0),
            (b, down, 3.0),
            (down, c, 3.0),
            (c, d, 20.0),
        ] {
            let new = segment(from, to, radius, 120.0);
            growth.add_segment(new).expect("two nodes");
        }
    });
    let parameters = VesselParameters::default();
    let mut work = FlowWork::default();
    work.circulate(&mut network, &parameters);
    // All lie on loops: with the body that joins artery and vein they are one block.
    let found = blocks(&network);
    assert!(found.iter().all(|block| *block == found[0]), "{found:?}");
    let parameters = VesselParameters {
        pruned_below_pa: 0.02,
        ..parameters
    };
    // What flows through one way alone is no longer slack.
    let slack = |network: &Network| {
        let segments = network.segments().iter();
        segments.filter(|of| of.shear_pa < 0.02).count()
    };
    assert!(slack(&network) >= 2, "{:?}", network.segments());
    let hazards: Vec<(SegmentId, f32)> = network
        .segments()
        .iter()
        .filter(|of| of.radius_um < 10.0)
        .map(|of| (of.id, 1.0e6))
        .collect();
    let draw = Draw {
        key: RandomKey(1),
        site: SiteId(0),
        step: 0,
        hours: 1.0,
    };
    let before = inflow_um3_per_min(&network);
    prune(&mut network, &mut work, &parameters, &hazards, draw);
    let after = inflow_um3_per_min(&network);
    println!("{before} {after} {}", network.segments().len());
    assert!(network.segments().len() >= 4, "one way is left");
    assert!(after > 0.2 * before);
}

#[test]
fn blocks_are_the_loops_of_a_network() {
    // Two triangles that share a node, a bridge, and a triangle behind it; no ports.
    let mut network = Network::empty(&block(200.0));
    let pairs = [
        (0, 1),
        (1, 2),
        (2, 0),
        (2, 3),
        (3, 4),
        (4, 2),
        (4, 5),
        (5, 6),
        (6, 7),
        (7, 5),
    ];
    network.change(|growth| {
        let nodes: Vec<NodeId> = (0..8)
            .map(|k| {
                let at = Vec3::new(k as f32 * 10.0, (k * k % 5) as f32, 0.0);
                growth.add_node(at, None).expect("a place")
            })
            .collect();
        for (from, to) in pairs {
            let new = segment(nodes[from], nodes[to], 4.0, 20.0);
            growth.add_segment(new).expect("two nodes");
        }
    });
    let found = blocks(&network);
    let same = |a: usize, b: usize| found[a] == found[b];
    assert!(same(0, 1) && same(1, 2) && same(3, 4) && same(4, 5));
    assert!(same(7, 8) && same(8, 9));
    assert!(!same(0, 3) && !same(3, 6) && !same(6, 7) && !same(0, 7));
}

#[test]
fn a_vessel_carries_what_poiseuilles_law_says() {
    let block = block(300.0);
    let description = VesselDescription {
        place: VesselPlace::Parent {
            from_um: (-300.0, 0.0, 0.0),
            to_um: (300.0, 0.0, 0.0),
            radius_um: 5.0,
            kind: VesselKind::Capillary,
            piece_um: 40.0,
        },
        like: VesselsLike::Breast,
        artery_mmhg: Some(30.0),
        vein_mmhg: Some(20.0),
        artery_um3_per_min: None,
        haematocrit: Some(0.45),
        maturity: None,
    };
    let network = |description: &VesselDescription| {
        let mut network = Network::empty(&block);
        let ground = placing::Ground {
            block: &block,
            number: 0,
            key: RandomKey(1),
        };
        placing::place(&mut network, description, &ground).expect("it can be");
        network
    };
    let mut vessel = network(&description);
    let parameters = VesselParameters::default();
    FlowWork::default().circulate(&mut vessel, &parameters);
    // pi r^4 dP / (8 mu L), in metres, pascals and seconds.
    let mu = 1.2e-3 * f64::from(rheology::relative_viscosity(10.0, 0.45, true));
    let q = std::f64::consts::PI * (5.0e-6_f64).powi(4) * 10.0 * 133.322 / (8.0 * mu * 600.0e-6);
    let um3_per_min = q * 1.0e18 * 60.0;
    let shear = 5.0e-6 * 10.0 * 133.322 / (2.0 * 600.0e-6);
    assert_eq!(vessel.segments().len(), 15);
    for segment in vessel.segments() {
        assert!((segment.flow_um3_per_min / um3_per_min - 1.0).abs() < 1e-6);
        assert!((f64::from(segment.shear_pa) / shear - 1.0).abs() < 1e-5);
        assert!((segment.haematocrit - 0.45).abs() < 1e-6);
        assert!(segment.perfused);
    }
    // Held inflow in place of pressure.
    let mut vessel = network(&VesselDescription {
        artery_um3_per_min: Some(1.0e6),
        ..description
    });
    FlowWork::default().circulate(&mut vessel, &parameters);
    for segment in vessel.segments() {
        assert!((segment.flow_um3_per_min / 1.0e6 - 1.0).abs() < 1e-9);
    }
    assert!((vessel.pressures_mmhg(14)[1] - 20.0).abs() < 1e-12);
}

/// A tree between an artery and a vein.
fn tree(density: f32, half_um: f32, outside_um: f32) -> Network {
    let block = block(half_um);
    let mut network = Network::empty(&block);
    let description = VesselDescription {
        place: VesselPlace::Tree {
            density_mm_per_mm3: Some(density),
            along: Along::X,
            radius_um: None,
            outside_um,
        },
        like: VesselsLike::Breast,
        artery_mmhg: None,
        vein_mmhg: None,
        artery_um3_per_min: None,
        haematocrit: None,
        maturity: None,
    };
    let ground = placing::Ground {
        block: &block,
        number: 0,
        key: RandomKey(7),
    };
    placing::place(&mut network, &description, &ground).expect("it can be");
    network
}

#[test]
fn trees_are_as_dense_as_asked_for_and_follow_murrays_law() {
    for (density, half_um) in [(110.0, 300.0), (250.0, 300.0), (110.0, 500.0)] {
        let network = tree(density, half_um, 0.0);
        let found = network.density_mm_per_mm3(|_| true);
        let begin = format!("{density} in {half_um}: {found}");
        assert!((found / f64::from(density) - 1.0).abs() < 0.06, "{begin}");
        assert_eq!(network.wrong_shape(), None);
        let segments = network.segments();
        for node in 0..network.nodes().len() {
            let of_tree = |at: &&u32| segments[**at as usize].kind == VesselKind::Artery;
            let arteries: Vec<&u32> = network.around(node).iter().filter(of_tree).collect();
            let is_inner = network.around(node).len() == arteries.len()
                && network.nodes()[node].port.is_none();
            if arteries.len() < 3 || !is_inner {
                continue;
            }
            let (mut fed, mut feeding) = (0.0, 0.0);
            for at in arteries {
                let cube = bevy::math::ops::powf(segments[*at as usize].rest_radius_um, 3.0);
                if network.ends()[*at as usize][0] as usize == node {
                    fed += cube;
                } else {
                    feeding += cube;
                }
            }
            assert!((fed / feeding - 1.0_f32).abs() < 1e-3, "{fed} {feeding}");
        }
    }
    let around = tree(150.0, 400.0, 200.0);
    for segment in 0..around.segments().len() {
        for share in [0.0, 0.5, 1.0] {
            let [from, to] = around.places_um(segment);
            assert!(from.lerp(to, share).length() > 199.0);
        }
    }
}

#[test]
fn blood_and_red_cells_are_conserved_at_every_fork_of_a_tree() {
    let mut network = tree(200.0, 400.0, 0.0);
    let parameters = VesselParameters::default();
    let mut work = FlowWork::default();
    for _ in 0..30 {
        work.circulate(&mut network, &parameters);
    }
    assert!(residual(&network) < 1e-6);
    let most = network
        .segments()
        .iter()
        .fold(0.0_f64, |most, of| most.max(of.flow_um3_per_min.abs()));
    let (mut least, mut largest) = (1.0_f32, 0.0_f32);
    for node in 0..network.nodes().len() {
        if network.nodes()[node].port.is_some() {
            continue;
        }
        let mut cells = 0.0;
        for at in network.around(node) {
            let of = &network.segments()[*at as usize];
            let begins = network.ends()[*at as usize][0] as usize == node;
            let sign = if begins { 1.0 } else { -1.0 };
            cells += sign * of.flow_um3_per_min * f64::from(of.haematocrit);
        }
        assert!(net_outflow(&network, node).abs() < 1e-6 * most);
        assert!(cells.abs() < 1e-6 * most, "{cells}");
    }
    for of in network.segments().iter().filter(|of| of.perfused) {
        least = least.min(of.haematocrit);
        largest = largest.max(of.haematocrit);
    }
    // Forks share red cells out unevenly.
    assert!(least < 0.3 && largest > 0.42, "{least} {largest}");
    let perfused = network.density_mm_per_mm3(|of| of.perfused);
    let all = network.density_mm_per_mm3(|_| true);
    println!(
        "perfused {:.3}, velocity, shear: {:?}",
        perfused / all,
        network
            .segments()
            .iter()
            .filter(|of| of.kind == VesselKind::Capillary)
            .take(12)
            .map(|of| (of.velocity_um_per_s() as i32, of.shear_pa))
            .collect::<Vec<_>>()
    );
    assert!(perfused > 0.9 * all, "{perfused} of {all}");
}

/// One thing that may happen to a network.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Sprout(u16, i8, i8, i8),
    Join(u16, u16),
    Split(u16, u8),
    Lose(u16),
    Prune,
    Resume,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        3 => (any::<u16>(), any::<i8>(), any::<i8>(), any::<i8>())
            .prop_map(|(at, x, y, z)| Happens::Sprout(at, x, y, z)),
        2 => (any::<u16>(), any::<u16>()).prop_map(|(a, b)| Happens::Join(a, b)),
        2 => (any::<u16>(), any::<u8>()).prop_map(|(at, share)| Happens::Split(at, share)),
        3 => any::<u16>().prop_map(Happens::Lose),
        1 => Just(Happens::Prune),
        1 => Just(Happens::Resume),
    ]
}

/// Does it, as far as it can be done.
fn happen(network: &mut Network, work: &mut FlowWork, what: Happens, step: u64) {
    let segments = network.segments().len();
    let nodes = network.nodes().len();
    if segments == 0 {
        return;
    }
    let node = |at: u16| network.nodes()[usize::from(at) % nodes];
    let of = |at: u16| network.segments()[usize::from(at) % segments].id;
    match what {
        Happens::Sprout(at, x, y, z) => {
            let from = node(at);
            let to = Vec3::new(f32::from(x), f32::from(y), f32::from(z));
            network.change(|growth| {
                let to = growth.add_node(to, None).expect("a place");
                // Where it is already, nothing comes.
                let _ = growth.add_segment(segment(from.id, to, 4.0, 10.0));
            });
        }
        Happens::Join(a, b) => {
            let (a, b) = (node(a).id, node(b).id);
            if !network.are_joined(a, b) {
                network.change(|growth| {
                    let _ = growth.add_segment(segment(a, b, 5.0, 10.0));
                });
            }
        }
        Happens::Split(at, share) => {
            let id = of(at);
            network.change(|growth| {
                let _ = growth.split_segment(id, f32::from(share) / 255.0);
            });
        }
        Happens::Lose(at) => {
            let id = of(at);
            network.change(|growth| growth.remove_segment(id).expect("it is there"));
            assert_eq!(
                network.segment_index(id),
                None,
                "numbers are not given twice"
            );
        }
        Happens::Prune => {
            let hazards: Vec<(SegmentId, f32)> =
                network.segments().iter().map(|of| (of.id, 1.0)).collect();
            let draw = Draw {
                key: RandomKey(3),
                site: SiteId(0),
                step,
                hours: 1.0,
            };
            let parameters = VesselParameters::default();
            prune(network, work, &parameters, &hazards, draw);
        }
        Happens::Resume => {
            let mut again = Network::empty(network.block());
            again.restore(network.keep()).expect("it is sound");
            let same = (again.ends() == network.ends())
                && (again.crossings() == network.crossings())
                && (again.segments() == network.segments());
            assert!(same);
            *network = again;
            *work = FlowWork::default();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn networks_stay_whole_whatever_grows_and_is_lost(all in proptest::collection::vec(happens(), 1..60)) {
        let mut network = tree(200.0, 150.0, 0.0);
        let mut work = FlowWork::default();
        let parameters = VesselParameters::default();
        for (step, what) in all.into_iter().enumerate() {
            happen(&mut network, &mut work, what, step as u64);
            work.circulate(&mut network, &parameters);
            prop_assert_eq!(network.wrong_shape(), None);
            prop_assert_eq!(network.ends().len(), network.segments().len());
            for (at, ends) in network.ends().iter().enumerate() {
                let [from, to] = ends.map(|node| network.nodes()[node as usize].id);
                let of = &network.segments()[at];
                prop_assert_eq!((from, to), (of.from, of.to));
                prop_assert!(of.flow_um3_per_min.is_finite() && of.haematocrit.is_finite());
                let sum: f32 = network.crossings().of_segment(at).iter().map(|of| of.length_um).sum();
                prop_assert!((sum / of.length_um - 1.0).abs() < 1e-3);
            }
            let found = residual(&network);
            prop_assert!(found < 1e-6, "{}", found);
        }
    }
}

#[test]
#[ignore = "a timing: run alone, with `cargo test --release --lib ten_thousand_segments -- --ignored --nocapture`"]
fn a_flow_solve_of_ten_thousand_segments_takes_twenty_milliseconds() {
    let parameters = VesselParameters::default();
    let mut network = mesh_of(72, 1);
    let mut work = FlowWork::default();
    for _ in 0..8 {
        work.circulate(&mut network, &parameters);
    }
    let mut times = Vec::new();
    for round in 0..20_u16 {
        // As remodelling of an hour changes them.
        for (at, segment) in network.segments_mut().iter_mut().enumerate() {
            segment.radius_um *= 1.0 + 0.002 * bevy::math::ops::sin(f32::from(round) + at as f32);
        }
        let start = std::time::Instant::now();
        work.circulate(&mut network, &parameters);
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    let segments = network.segments().len();
    println!(
        "{segments} segments: {median:.1} ms, at most {worst:.1}; {} rounds",
        work.rounds()
    );
    assert!(residual(&network) < 1e-6);
    assert!(median < 20.0, "{median} ms");
}
