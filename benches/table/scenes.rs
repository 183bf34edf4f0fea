//! Whole steps of the shipped scenes: speed, memory of the whole process, and where both go.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bevy::prelude::*;
use tumorscape::cell::movement::SiteMechanics;
use tumorscape::core::CellId;
use tumorscape::core::parameters::CellTypeNames;
use tumorscape::core::regulate::{RuleChange, Rules};
use tumorscape::core::rule::{Law, Rule};
use tumorscape::simulation::{Action, Simulation, open_scene};

use crate::repeat::repeat;
use crate::{Case, Figure, Goal, RATIO, SPEED_UP};

const SPEED: &str = "steps/s";
const PER_HOUR: &str = "s a tissue hour";
const PER_CELL: &str = "bytes a cell, at most";
const TOTAL: &str = "MB, at most";

/// A shipped scene, its first ball of cells resized.
#[derive(Clone, Copy)]
struct Work {
    file: &'static str,
    /// Cells of its first population, a ball; as many as it has if left out.
    cells: Option<f64>,
    /// Steps before the clock starts.
    settle: u32,
    /// Pieces of [`PIECE`] steps that are timed.
    pieces: usize,
    /// So many rules of the tumour's cell type in place of its own, if that is asked for.
    rules: Option<usize>,
}

/// Inputs and quantities that rules join where their cost is measured.
const RULED: [(&str, &str); 10] = [
    ("cycle.entry", "oxygen"),
    ("cycle.entry", "mechanics.pressure"),
    ("death.apoptosis", "glucose"),
    ("death.apoptosis", "hif.level"),
    ("metabolism.glycolysis", "hif.level"),
    ("metabolism.glycolysis", "lactate"),
    ("metabolism.respiration", "oxygen"),
    ("motility.speed", "mechanics.contacts"),
    ("motility.speed", "body.volume"),
    ("mechanics.adhesion", "hif.activation"),
];

/// Steps timed together: every molecule of the library is solved in them equally often.
const PIECE: u32 = 10;

pub fn cases() -> Vec<Case> {
    let scenes = [
        (
            "hypoxic_core",
            Work {
                file: "scenes/hypoxic_core.ron",
                cells: None,
                settle: 10,
                pieces: 12,
                rules: None,
            },
            vec![],
        ),
        (
            "spheroid, 10^4 cells",
            Work {
                file: "scenes/spheroid.ron",
                cells: Some(1e4),
                settle: 10,
                pieces: 12,
                rules: None,
            },
            vec![(PER_HOUR, Goal::AtMost(1.0))],
        ),
        (
            "spheroid, 10^5 cells",
            Work {
                file: "scenes/spheroid.ron",
                cells: Some(1e5),
                settle: 10,
                pieces: 6,
                rules: None,
            },
            vec![
                (PER_HOUR, Goal::AtMost(5.0)),
                (PER_CELL, Goal::AtMost(700.0)),
            ],
        ),
        (
            "spheroid, 10^5 cells, 0 rules",
            Work {
                file: "scenes/spheroid.ron",
                cells: Some(1e5),
                settle: 10,
                pieces: 6,
                rules: Some(0),
            },
            vec![],
        ),
        (
            "spheroid, 10^5 cells, 10 rules",
            Work {
                file: "scenes/spheroid.ron",
                cells: Some(1e5),
                settle: 10,
                pieces: 6,
                rules: Some(10),
            },
            vec![],
        ),
        (
            "million",
            Work {
                file: "scenes/million.ron",
                cells: None,
                settle: 3,
                pieces: 3,
                rules: None,
            },
            vec![
                (SPEED, Goal::AtLeast(2.0)),
                (PER_CELL, Goal::AtMost(500.0)),
                (TOTAL, Goal::AtMost(1500.0)),
            ],
        ),
    ];
    scenes
        .into_iter()
        .filter(|(_, work, _)| Path::new(work.file).exists())
        .map(|(name, work, mut goals)| {
            goals.push((RATIO, SPEED_UP));
            Case {
                work: format!("scene {name}"),
                measure: Box::new(move |quick| measure(work, quick)),
                goals,
                speed: SPEED,
            }
        })
        .collect()
}

/// Puts so many rules in the place of those of the scene.
fn put_rules(simulation: &mut Simulation, count: usize) {
    let world = simulation.world();
    let types = world.resource::<CellTypeNames>().clone();
    let deleted = world.resource::<Rules>().paths(&types);
    let deleted = deleted.into_iter().map(RuleChange::Delete);
    // Half of the laws take a power; none changes much.
    let added = RULED
        .iter()
        .take(count)
        .enumerate()
        .map(|(n, (input, by))| {
            let law = if n % 2 == 0 {
                Law::Fold(1e-9)
            } else {
                Law::Inhibit {
                    half: 1e9,
                    exponent: 2.0,
                }
            };
            let rule = Rule {
                input: (*input).to_owned(),
                by: (*by).to_owned(),
                law,
                scale: 1.0,
                floor: None,
                about: String::new(),
                source: String::new(),
            };
            RuleChange::Add {
                of: types.0[0].clone(),
                name: format!("rule {n}"),
                rule,
            }
        });
    for change in deleted.chain(added).collect::<Vec<_>>() {
        simulation
            .apply(Action::Rule(change))
            .expect("the first type of the scene is that of a tumour");
    }
}

fn measure(work: Work, quick: bool) -> Vec<Figure> {
    let mut scene = open_scene(Path::new(work.file)).expect("shipped scenes are valid");
    if let Some(cells) = work.cells {
        scene.resize_ball(0, cells);
    }
    let seed = scene.scene.seed;
    let mut simulation = Simulation::new(Arc::new(scene), seed).expect("shipped scenes are valid");
    if let Some(count) = work.rules {
        put_rules(&mut simulation, count);
    }
    simulation
        .measure_systems()
        .expect("no step was made before");
    for _ in 0..work.settle {
        simulation.step();
    }
    simulation.measure_stages();
    let pieces = if quick { 3 } else { work.pieces };
    let timed = repeat(pieces, || {
        let start = Instant::now();
        for _ in 0..PIECE {
            simulation.step();
        }
        start.elapsed().as_secs_f64() / f64::from(PIECE)
    });
    let cells = simulation.cell_count() as f64;
    let steps_an_hour = 60.0 / simulation.clock().step_minutes;
    let (peak, now) = (status_bytes("VmHWM:"), status_bytes("VmRSS:"));
    let mut figures = vec![
        timed.figure(SPEED, |seconds| 1.0 / seconds),
        Figure::new("cells", cells),
        timed.figure("million cells/s", |seconds| cells / seconds / 1e6),
        timed.figure(PER_HOUR, |seconds| seconds * steps_an_hour),
        Figure::new(TOTAL, peak / 1e6),
        Figure::new(PER_CELL, peak / cells),
        Figure::new("bytes a cell, at the end", now / cells),
    ];
    figures.extend(
        memory(&simulation, now)
            .map(|(part, bytes)| Figure::new(format!("- of it {part}"), bytes / cells)),
    );
    figures.push(timed.repetitions());
    let stages = simulation.stage_seconds();
    let stages = stages
        .iter()
        .map(|(stage, seconds)| (format!("{stage:?}"), *seconds));
    figures.extend(shares(stages.collect()));
    // One system after the other, so that what they take adds up to a step; the loops inside stay parallel.
    simulation.keep_to_calling_thread();
    simulation.measure_stages();
    for _ in 0..pieces * PIECE as usize / 2 {
        simulation.step();
    }
    let modules = simulation.module_seconds();
    let modules = modules
        .iter()
        .map(|(module, seconds)| ((*module).to_owned(), *seconds));
    figures.extend(shares(modules.collect()));
    figures
}

/// The share of the time that each part takes.
fn shares(parts: Vec<(String, f64)>) -> impl Iterator<Item = Figure> {
    let total: f64 = parts.iter().map(|(_, seconds)| seconds).sum();
    parts.into_iter().map(move |(part, seconds)| {
        Figure::new(format!("% of time in {part}"), 100.0 * seconds / total)
    })
}

/// The resident set of this process, bytes: now (`VmRSS:`) or at most so far (`VmHWM:`); NaN where the system
/// does not tell.
fn status_bytes(line: &str) -> f64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|found| found.starts_with(line))?;
            let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
            Some(kilobytes * 1024.0)
        })
        .unwrap_or(f64::NAN)
}

/// What the memory is used for, bytes.
fn memory(simulation: &Simulation, total: f64) -> [(&'static str, f64); 4] {
    let world = simulation.world();
    let (mut components, mut bookkeeping) = (0, 0);
    let identity = world.component_id::<CellId>().expect("there are cells");
    for archetype in world.archetypes().iter() {
        if !archetype.contains(identity) {
            continue;
        }
        let rows = archetype.len() as usize;
        for id in archetype.components() {
            let size = world
                .components()
                .get_info(*id)
                .map_or(0, |info| info.layout().size());
            components += rows * size;
            // When it was added, and when it was changed.
            bookkeeping += rows * 2 * size_of::<u32>();
        }
        // The entity in the table, and in the archetype with its row.
        bookkeeping += rows * (2 * size_of::<Entity>() + size_of::<u32>());
    }
    let mechanics: usize = world.try_query::<&SiteMechanics>().map_or(0, |mut sites| {
        sites.iter(world).map(|site| site.kernel.memory()).sum()
    });
    let rest = total - (components + bookkeeping + mechanics) as f64;
    [
        ("components", components as f64),
        ("ticks and entities", bookkeeping as f64),
        ("mechanics", mechanics as f64),
        ("fields and the rest", rest),
    ]
}
