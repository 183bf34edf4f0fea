//! Media that change on the way: no field keeps anything of an earlier one.

use tumorscape::core::parallel::{keep_to_own_pool, set_threads_beside_window};
use tumorscape::journal::checkpoint;

use super::*;

const SIZE: (f32, f32, f32) = (800.0, 640.0, 500.0);
const DIMS: (usize, usize, usize) = (40, 32, 25);
const VOXELS: usize = DIMS.0 * DIMS.1 * DIMS.2;
const MOLECULES: [(&str, &str); 4] = [
    (
        "quick",
        "diffusivity_um2_per_min: 1e5, quasi_steady: true, every_minutes: 1",
    ),
    (
        "plain",
        "diffusivity_um2_per_min: 6e3, quasi_steady: true, every_minutes: 1",
    ),
    (
        "slow",
        "diffusivity_um2_per_min: 1.6e3, decay_per_min: 0.01, quasi_steady: false, radius_nm: 3.2, every_minutes: 2",
    ),
    (
        "wide",
        "diffusivity_um2_per_min: 1.6e3, quasi_steady: false, radius_nm: 3.2, every_minutes: 1",
    ),
];
const LEVELS: [(f32, &str); 4] = [
    (38.0, "Held"),
    (5.0, "Held"),
    (1.0, "Closed"),
    (2.0, "Held"),
];

/// A number in 0..1 that looks random.
fn noise(seed: usize, voxel: usize) -> f32 {
    let mixed = (voxel as u64 + 1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add((seed as u64).wrapping_mul(0xD1B5_4A32_D192_ED03));
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((mixed ^ (mixed >> 32)) & 0xFFFF) as f32 / 65_536.0
}

fn vessels(seed: usize, level: f32) -> VesselExchange {
    exchange(VOXELS, |voxel| {
        (noise(seed, voxel) > 0.9).then(|| (0.5, level * noise(seed + 1, voxel)))
    })
}

fn write_fibres(world: &mut World, seed: usize) {
    put_on_site(
        world,
        Fibres((0..VOXELS).map(|voxel| 0.1 * noise(seed, voxel)).collect()),
    );
}

fn write_blood(world: &mut World, seed: usize) {
    for (name, level) in [("quick", 60.0), ("slow", 3.0)] {
        let field = field_of(world, name);
        world.entity_mut(field).insert(Blood(vessels(seed, level)));
    }
}

/// Step by step something else begins, changes or ends.
fn write(step: u64, world: &mut World) {
    match step {
        2 => write_fibres(world, 1),
        4 => write_blood(world, 11),
        6 => {
            let flow = wind(world, 5.0);
            put_on_site(world, flow);
        }
        9 => {
            write_fibres(world, 2);
            write_blood(world, 12);
        }
        11 => put_on_site(world, Membrane(vec![0.5; VOXELS])),
        14 => {
            put_on_site(world, InterstitialFlow::default());
            let field = field_of(world, "quick");
            world.entity_mut(field).remove::<Blood>();
            let field = field_of(world, "plain");
            world.entity_mut(field).insert(Lymph(vessels(13, 0.0)));
        }
        _ => {}
    }
}

fn start() -> Simulation {
    simulation(write, SIZE, &MOLECULES, &LEVELS)
}

#[test]
fn at_each_step_a_resumed_simulation_whose_solvers_are_new_goes_on_with_the_same_bits() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut whole = start();
    whole.verify();
    let (mut hashes, mut saved) = (Vec::new(), Vec::new());
    for step in 0..18 {
        if [3, 7, 10, 12, 15].contains(&step) {
            let place = folder.path().join(step.to_string());
            saving::save(&whole, &place);
            saved.push((step, place));
        }
        whole.step();
        assert!(whole.violation().is_none(), "step {step}");
        hashes.push(whole.state_hash());
    }
    assert!(hashes.windows(2).all(|pair| pair[0] != pair[1]));
    for (step, place) in saved {
        let (saved, _) = checkpoint::open(&place, |_| {}).expect("it is whole");
        let resumed = program(write).resume(saved);
        let (mut resumed, _) = resumed.unwrap_or_else(|error| panic!("{step}: {error}"));
        for expected in &hashes[step..] {
            resumed.step();
            assert_eq!(resumed.state_hash(), *expected, "resumed at {step}");
        }
    }
}

#[test]
fn threads_change_no_bit() {
    // The common pool has one thread, or as many as another test of this process gave it.
    let threads = set_threads_beside_window(Some(3));
    assert_eq!(threads, 3);
    let run = |in_own_pool: bool| {
        let work = move || {
            if in_own_pool {
                keep_to_own_pool();
            }
            let mut simulation = start();
            simulation.keep_to_calling_thread();
            let hash = |_| {
                simulation.step();
                simulation.state_hash()
            };
            (0..18).map(hash).collect::<Vec<u64>>()
        };
        std::thread::spawn(work).join().expect("it does not panic")
    };
    assert!(run(false) == run(true));
}

#[test]
fn a_field_in_a_changed_medium_is_the_one_of_a_simulation_that_had_it_from_the_start() {
    // Fields in balance know nothing of their past but the first guess.
    let mut changed = start();
    for _ in 0..13 {
        changed.step();
    }
    let at_once = |step: u64, world: &mut World| {
        if step == 0 {
            write_fibres(world, 2);
            write_blood(world, 12);
            let flow = wind(world, 5.0);
            put_on_site(world, (flow, Membrane(vec![0.5; VOXELS])));
        }
    };
    let mut anew = simulation(at_once, SIZE, &MOLECULES, &LEVELS);
    anew.step();
    for (name, level) in [("quick", 38.0), ("plain", 5.0)] {
        let (changed, anew) = (values(&changed, name), values(&anew, name));
        for (a, b) in changed.iter().zip(&anew) {
            assert!((a - b).abs() < 1e-4 * level, "{name}: {a}, {b}");
        }
    }
    let spread = values(&changed, "quick");
    assert!(spread.iter().any(|value| (value - 38.0).abs() > 0.1));
}

#[test]
fn a_run_ends_in_which_a_molecule_has_no_finite_diffusivity() {
    let senseless = |step: u64, world: &mut World| {
        if step == 2 {
            put_on_site(world, Membrane(vec![f32::NAN; VOXELS]));
        }
    };
    let mut simulation = simulation(senseless, SIZE, &MOLECULES, &LEVELS);
    for step in 0..6 {
        assert_eq!(simulation.violation().is_some(), step > 2, "step {step}");
        if step > 2 {
            break;
        }
        simulation.step();
    }
    let says = simulation.violation().expect("it ended").to_string();
    assert!(says.contains("no finite diffusivity"), "{says}");
}
