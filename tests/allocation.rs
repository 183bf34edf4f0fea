//! A step takes no memory for its cells: what it allocates does not grow with their number.
//!
//! Everything that is as long as there are cells (tables, mechanics, lists of what is due) lives from step to
//! step. Bevy's executor and the tasks of parallel loops allocate a little in every step, some for each
//! system and each thread, none for each cell. This test binary counts all allocations of its process, so it
//! holds one test.

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tumorscape::cell::EventKind;
use tumorscape::core::parallel;
use tumorscape::scene::ParsedScene;
use tumorscape::simulation::{Simulation, open_scene};

/// The system's allocator, with a count of calls that take memory and of the bytes they take.
struct Counting;

static CALLS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

fn count(bytes: usize) {
    CALLS.fetch_add(1, Ordering::Relaxed);
    BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
}

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Balls of cells in medium, one in each site; entry into S and death as given.
fn scene(folder: &Path, sites: usize, radius_um: f32, divide: bool) -> Arc<ParsedScene> {
    let (max_pressure, g0g1_hours, apoptosis) = if divide {
        (1000.0, 0.01, 0.2)
    } else {
        (0.001, 1.0e6, 0.0)
    };
    let [mut dishes, mut balls] = [String::new(), String::new()];
    for site in 0..sites {
        dishes += &format!(
            r#"Site(
        name: "dish {site}", organ: Medium, size_um: (900, 900, 900),
        fields: [Field(molecule: "oxygen", level: 160), Field(molecule: "glucose", level: 5.5)],
        perfusion_length_um: 20,
    ),"#
        );
        balls += &format!(
            r#"Population(cell: "cancer", site: "dish {site}", place: Ball(radius_um: {radius_um})),"#
        );
    }
    let text = format!(
        r#"
Scene(
    title: "a ball",
    about: "cells in a dish, to count what a step allocates",
    pace: Illustrative,
    duration: Hours(100),
    sites: [{dishes}],
    populations: [{balls}],
    parameters: {{
        "molecules.glucose.every_minutes": 1,
        "cancer.cycle.max_pressure": {max_pressure},
        "cancer.cycle.g0g1_hours": {g0g1_hours},
        "cancer.death.apoptosis_per_hour": {apoptosis},
        "cancer.death.necrosis_onset_mmhg": 0,
        "cancer.death.necrosis_full_mmhg": 0,
        "cancer.metabolism.growth_min_mmhg": 0,
        "cancer.metabolism.growth_full_mmhg": 0,
    }},
)
"#
    );
    let path = folder.join("ball.ron");
    std::fs::write(&path, text).expect("the folder is writable");
    Arc::new(open_scene(&path).unwrap_or_else(|report| panic!("{report}")))
}

/// What steps took after a simulation has settled.
struct Taken {
    cells: usize,
    /// Calls and bytes of the median step.
    calls: u64,
    bytes: u64,
    births: usize,
}

fn measure(scene: Arc<ParsedScene>, settle: u32, steps: usize) -> Taken {
    let mut simulation = Simulation::new(scene, 1).expect("its parameters are valid");
    for _ in 0..settle {
        simulation.step();
    }
    let (mut calls, mut bytes) = (Vec::new(), Vec::new());
    let mut births = 0;
    for _ in 0..steps {
        let before = [&CALLS, &BYTES].map(|counter| counter.load(Ordering::Relaxed));
        simulation.step();
        let after = [&CALLS, &BYTES].map(|counter| counter.load(Ordering::Relaxed));
        calls.push(after[0] - before[0]);
        bytes.push(after[1] - before[1]);
        for event in simulation.events() {
            births += usize::from(event.kind == EventKind::of("division"));
        }
    }
    calls.sort_unstable();
    bytes.sort_unstable();
    Taken {
        cells: simulation.cell_count(),
        calls: calls[steps / 2],
        bytes: bytes[steps / 2],
        births,
    }
}

/// Most allocations of a step on two threads, whatever the number of cells. A step has about twenty systems and
/// some fifty parallel loops; each costs a few for its tasks and their queue.
const MOST_CALLS: u64 = 1000;
/// Most bytes they take together; a queue of tasks alone is 1 to 2 KB.
const MOST_BYTES: u64 = 512 * 1024;

#[test]
fn what_a_step_allocates_does_not_grow_with_the_number_of_cells() {
    let threads = parallel::set_threads(Some(2));
    assert_eq!(threads, 2);
    let folder = tempfile::tempdir().expect("a temporary folder");

    for (sites, radii_um) in [(1, [280.0, 430.0]), (2, [230.0, 350.0])] {
        // Both are so many that every loop over cells has work for both threads.
        let [few, many] = radii_um.map(|radius_um| {
            let taken = measure(scene(folder.path(), sites, radius_um, false), 15, 11);
            assert_eq!(taken.births, 0, "nothing divides");
            println!(
                "{} cells in {sites} sites: {} calls, {} bytes",
                taken.cells, taken.calls, taken.bytes
            );
            taken
        });
        assert!(few.cells > 15_000 && many.cells > 3 * few.cells);
        for taken in [&few, &many] {
            assert!(
                taken.calls < sites as u64 * MOST_CALLS,
                "{} calls",
                taken.calls
            );
            assert!(
                taken.bytes < sites as u64 * MOST_BYTES,
                "{} bytes",
                taken.bytes
            );
        }
        assert!((many.calls as f64) < 1.25 * few.calls as f64);
        assert!((many.bytes as f64) < 1.25 * few.bytes as f64);
    }

    // Cells are born all the time, more than ten a step. Lists grow now and then to a
    // length never seen before; the median step is free of that.
    let living = measure(scene(folder.path(), 1, 330.0, true), 60, 41);
    println!(
        "{} cells, {} births: {} calls, {} bytes",
        living.cells, living.births, living.calls, living.bytes
    );
    assert!(living.births > 500, "{} births", living.births);
    assert!(living.calls < MOST_CALLS, "{} calls", living.calls);
    assert!(living.bytes < MOST_BYTES, "{} bytes", living.bytes);
}
