//! Heritable parameters: what a daughter has is her mother's, or a step away from it.

mod saving;

use std::collections::BTreeMap;
use std::sync::Arc;

use saving::save;
use tumorscape::cell::EventKind;
use tumorscape::cell::exchange::ExchangeParameters;
use tumorscape::cell::{CellType, CycleParameters, Motility, MotilityParameters, Vital};
use tumorscape::core::CellId;
use tumorscape::core::clones::Clones;
use tumorscape::core::parameters::PerType;
use tumorscape::core::quantity::Quantities;
use tumorscape::journal::run_folder::RunFolder;
use tumorscape::journal::{Journal, checkpoint};
use tumorscape::measure::census::Wanted;
use tumorscape::scene::ParsedScene;
use tumorscape::simulation::{Action, Lineage, Program, Simulation};

const MUTATION: f64 = 0.25;
const SPREAD: f64 = 0.2;

fn scene(heritable: &str) -> Result<ParsedScene, String> {
    let text = format!(
        r#"(
    title: "inheritance", about: "cells drift", pace: Illustrative, duration: Days(2), step: Minutes(10),
    sites: [(name: "dish", organ: Medium, size_um: (1000, 1000, 1000))],
    cell_types: [(
        name: "drifter", about: "divides quickly", colour: (1, 1, 1), tumour: true,
        heritable: {heritable},
        cycle: (g0g1_hours: 2, s_hours: 1, g2_hours: 0.5, m_hours: 0.5, max_pressure: 1e6),
        death: (apoptosis_per_hour: 0.02, apoptosis_hours: 1),
    )],
    populations: [(cell: "drifter", place: Ball(radius_um: 60))],
)"#
    );
    let scene = Program::default().parse_scene(&text, "drift.ron", None);
    scene.map_err(|report| report.headlines().join("\n"))
}

fn drifting() -> Simulation {
    let heritable = format!(
        r#"{{ "cycle.g0g1_hours": (spread: {SPREAD}, mutation: {MUTATION}), "cycle.s_hours": (spread: 0.1, mutation: 0) }}"#
    );
    let scene = scene(&heritable).unwrap_or_else(|wrong| panic!("{wrong}"));
    Simulation::new(Arc::new(scene), 5).expect("its parameters are valid")
}

/// Factors of all living clones for the time in G0/G1, with the numbers of their mothers, by their own.
fn clones(simulation: &Simulation) -> BTreeMap<u32, (u32, f32)> {
    let clones = simulation.world().resource::<Clones>();
    let living = clones.living();
    living
        .map(|(_, of)| (of.number, (of.mother, of.factors[0])))
        .collect()
}

/// How many cells each row of the tables has.
fn cells_by_row(simulation: &Simulation) -> BTreeMap<u16, u32> {
    let world = simulation.world();
    let mut query = world
        .try_query::<(&CellId, &CellType)>()
        .expect("there are cells");
    let mut rows = BTreeMap::new();
    for (_, row) in query.iter(world) {
        *rows.entry(row.0).or_default() += 1;
    }
    rows
}

/// Asserts that each clone has the cells it says, and the parameters that follow from its factors.
fn assert_consistent(simulation: &Simulation, g0g1_hours: f32) {
    let world = simulation.world();
    let clones = world.resource::<Clones>();
    let table = world.resource::<PerType<CycleParameters>>();
    let rows = cells_by_row(simulation);
    for (row, of) in clones.living() {
        assert_eq!(rows.get(&row), Some(&of.cells));
        let found = table.get(row).expect("the type has a cycle");
        let expected = f64::from(g0g1_hours) * f64::from(of.factors[0]);
        assert_eq!(found.g0g1_hours, expected as f32);
        assert_eq!((found.s_hours, found.m_hours), (1.0, 0.5));
        assert_eq!(clones.type_of(row), 0);
    }
    assert!(
        rows.keys()
            .all(|row| *row == 0 || clones.get(*row).is_some())
    );
}

#[test]
fn daughters_have_what_their_mother_has_or_a_step_from_it() {
    let mut simulation = drifting();
    let mut known = BTreeMap::from([(0, (0, 1.0_f32))]);
    let (mut divisions, mut steps) = (0_u32, Vec::new());
    for _ in 0..110 {
        simulation.step();
        let events = simulation.events().iter();
        divisions += events
            .filter(|event| event.kind == EventKind::of("division"))
            .count() as u32;
        for (number, (mother, factor)) in clones(&simulation) {
            let new = known.insert(number, (mother, factor)).is_none();
            if new {
                let (_, before) = known[&mother];
                steps.push(f64::from(factor / before).ln());
            }
        }
        assert_consistent(&simulation, 2.0);
    }
    let n = steps.len() as f64;
    assert!(n > 1000.0, "{n} steps");
    let cells = 2.0 * f64::from(divisions);
    let deviation = (MUTATION * (1.0 - MUTATION) * cells).sqrt();
    // A clone whose only cell dies in the step of its birth is not seen.
    assert!(
        (n - MUTATION * cells).abs() < 4.0 * deviation + 5.0,
        "{n} of {cells}"
    );
    let mean = steps.iter().sum::<f64>() / n;
    assert!(mean.abs() < 4.0 * SPREAD / n.sqrt(), "{mean}");
    let variance = steps.iter().map(|step| (step - mean).powi(2)).sum::<f64>() / n;
    let error = SPREAD * SPREAD * (2.0 / n).sqrt();
    assert!(
        (variance - SPREAD * SPREAD).abs() < 4.0 * error,
        "{variance}"
    );
    // All of them are cells of their type to whoever counts.
    let metrics = simulation.metrics();
    let counted = metrics[0]
        .columns
        .iter()
        .find(|(name, _)| name == "cells_drifter");
    assert_eq!(
        counted.map(|(_, value)| *value as usize),
        Some(simulation.cell_count())
    );
    let census = simulation.census(&Wanted::default());
    assert!(census.types.iter().all(|cell_type| *cell_type == 0));
}

#[test]
fn clones_follow_the_parameters_of_their_type_within_the_limits() {
    let mut simulation = drifting();
    for _ in 0..50 {
        simulation.step();
    }
    assert!(clones(&simulation).len() > 20);
    for value in [3.0, 0.0, 2.5] {
        let path = "drifter.cycle.g0g1_hours".to_owned();
        simulation
            .apply(Action::Set(path, value))
            .expect("it is there");
        simulation.step();
        assert_consistent(&simulation, value as f32);
    }
    // A million hours are the limit: no clone goes beyond.
    let path = "drifter.cycle.g0g1_hours".to_owned();
    simulation
        .apply(Action::Set(path, 1.0e6))
        .expect("it is there");
    simulation.step();
    let table = simulation.world().resource::<PerType<CycleParameters>>();
    let hours = table.0.iter().flatten().map(|cycle| cycle.g0g1_hours);
    assert!(hours.clone().all(|hours| hours <= 1.0e6));
    assert!(hours.filter(|hours| *hours < 1.0e6).count() > 5);
}

#[test]
fn clones_are_saved_and_resumed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("run");
    let mut whole = drifting();
    for _ in 0..60 {
        whole.step();
    }
    save(&whole, &path);
    let (checkpoint, _) = checkpoint::open(&path, |_| {}).expect("it is whole");
    let (mut resumed, _) = Simulation::resume(checkpoint).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(resumed.state_hash(), whole.state_hash());
    assert_eq!(clones(&resumed), clones(&whole));
    assert_consistent(&resumed, 2.0);
    for _ in 0..40 {
        resumed.step();
        whole.step();
    }
    assert_eq!(clones(&resumed), clones(&whole));
    assert_eq!(resumed.state_hash(), whole.state_hash());
}

#[test]
fn what_is_heritable_is_checked() {
    let wrong = |heritable: &str| scene(heritable).expect_err("it is wrong");
    let told = wrong(r#"{ "cycle.g0g1_hour": (spread: 0.1, mutation: 0.1) }"#);
    assert!(told.contains("did you mean `cycle.g0g1_hours`?"), "{told}");
    assert!(told.starts_with("drift.ron:6:"), "{told}");
    let told = wrong(r#"{ "motility.persistence_min": (spread: 0.1, mutation: 0.1) }"#);
    assert!(
        told.contains("there is no parameter of this cell type"),
        "{told}"
    );
    let told = wrong(r#"{ "cycle.s_hours": (spread: -1, mutation: 2) }"#);
    assert!(
        told.contains("spread: must be at least 0, found -1"),
        "{told}"
    );
    assert!(
        told.contains("mutation: must be from 0 to 1, found 2"),
        "{told}"
    );
    let told = wrong(r#"{ "cycle.s_hours": (spread: 1.5, mutation: 0.1) }"#);
    assert!(
        told.contains("spread: must be at most 1, found 1.5"),
        "{told}"
    );
    let told = wrong(r#"{ "cycle.s_stages": (spread: 0.1, mutation: 0.1) }"#);
    assert!(told.contains("it is a whole number"), "{told}");
}

/// A cell type that divides and can do what is said besides, with what is heritable of it, after some steps.
fn grown(heritable: &str, capabilities: &str, steps: u32) -> Result<Simulation, String> {
    let text = format!(
        r#"(
    title: "inheritance", about: "cells drift", pace: Illustrative, duration: Days(2), step: Minutes(10),
    sites: [(name: "dish", organ: Medium, size_um: (1000, 1000, 1000))],
    cell_types: [(
        name: "drifter", about: "divides quickly", colour: (1, 1, 1),
        heritable: {heritable},
        cycle: (g0g1_hours: 2, s_hours: 1, g2_hours: 0.5, m_hours: 0.5, max_pressure: 1e6),
        {capabilities}
    )],
    populations: [(cell: "drifter", place: Ball(radius_um: 60))],
)"#
    );
    let scene = Program::default().parse_scene(&text, "drift.ron", None);
    let scene = scene.map_err(|report| report.headlines().join("\n"))?;
    let mut simulation = Simulation::new(Arc::new(scene), 5).expect("its parameters are valid");
    for _ in 0..steps {
        simulation.step();
    }
    Ok(simulation)
}

#[test]
fn a_parameter_of_a_list_is_heritable_and_a_zero_is_not() {
    let exchange = r#"exchange: [(molecule: "vegf_a", secretes_molecules_per_s: 0.09)],"#;
    let of =
        |field: &str| format!(r#"{{ "exchange.vegf_a.{field}": (spread: 0.3, mutation: 0.3) }}"#);
    let simulation = grown(&of("secretes_molecules_per_s"), exchange, 60);
    let simulation = simulation.unwrap_or_else(|wrong| panic!("{wrong}"));
    let world = simulation.world();
    let table = world.resource::<PerType<ExchangeParameters>>();
    let clones = world.resource::<Clones>();
    assert!(clones.living().count() > 20);
    for (row, of) in clones.living() {
        let found = table.get(row).expect("it exchanges").0[0].secretes_molecules_per_s;
        let expected = f64::from(0.09_f32) * f64::from(of.factors[0]);
        assert_eq!(found, expected as f32);
    }
    let told = grown(&of("takes_up_molecules_per_s"), exchange, 0).err();
    assert!(
        told.is_some_and(|told| told.contains("cannot be heritable: ") && told.contains("it is 0"))
    );
}

#[test]
fn factors_stop_at_the_limits_and_parameters_do_not_come_to_contradict() {
    let heritable = r#"{
        "body.fluid_fraction": (spread: 1, mutation: 0.3),
        "death.necrosis_full_mmhg": (spread: 0.5, mutation: 0.3),
    }"#;
    let capabilities =
        "body: (fluid_fraction: 0.9), death: (necrosis_onset_mmhg: 5, necrosis_full_mmhg: 4),";
    let simulation = grown(heritable, capabilities, 70).unwrap_or_else(|wrong| panic!("{wrong}"));
    let clones = simulation.world().resource::<Clones>();
    let factors = |index: usize| clones.living().map(move |(_, of)| of.factors[index]);
    let at_most = |limit: f32, index: usize| {
        assert!(factors(index).all(|factor| factor > 0.0 && factor <= limit * 1.000_001));
    };
    at_most(0.99 / 0.9, 0);
    at_most(5.0 / 4.0, 1);
    let at_limit = factors(0).filter(|factor| *factor > 0.99 / 0.9 * 0.999_999);
    assert!(at_limit.count() > 5);
    assert!(factors(1).filter(|factor| *factor != 1.0).count() > 20);
}

#[test]
fn every_mother_of_a_clone_is_still_there() {
    let mut simulation = drifting();
    for _ in 0..110 {
        simulation.step();
        let clones = simulation.world().resource::<Clones>();
        let numbers = clones.numbers();
        for (_, of) in clones.living() {
            assert!(numbers.contains(&of.mother) && of.mother < of.number);
        }
    }
}

#[test]
fn clones_are_seen_where_something_is_heritable_only() {
    let heritable = r#"{ "cycle.g0g1_hours": (spread: 0.2, mutation: 0.2) }"#;
    for (heritable, is_seen) in [(heritable, true), ("{}", false)] {
        let simulation = grown(heritable, "", 40).unwrap_or_else(|wrong| panic!("{wrong}"));
        let world = simulation.world();
        let clones = world.resource::<Clones>();
        let counted = simulation.metrics()[0].get("clones");
        assert_eq!(counted, is_seen.then(|| clones.living().count() as f64));
        let known = world.resource::<Quantities>();
        let quantity = known.of_cells("clone.number").expect("it is registered");
        assert_eq!(quantity.info.column.is_some(), is_seen);
        let census = simulation.census(&Wanted {
            quantities: vec!["clone.number".into()],
            ..Wanted::default()
        });
        let mut cells: BTreeMap<u32, u32> = BTreeMap::new();
        for number in &census.quantities[0].1 {
            *cells.entry(*number as u32).or_default() += 1;
        }
        cells.remove(&0);
        let expected = clones.living().map(|(_, of)| (of.number, of.cells));
        assert_eq!(cells, expected.collect());
        assert_eq!(cells.len() > 5, is_seen);
    }
}

#[test]
fn a_type_that_inherits_unchanged_has_no_clones_and_the_same_cells() {
    let run = |heritable: &str| {
        let scene = scene(heritable).unwrap_or_else(|wrong| panic!("{wrong}"));
        let mut simulation = Simulation::new(Arc::new(scene), 5).expect("valid");
        for _ in 0..40 {
            simulation.step();
        }
        assert!(simulation.world().resource::<Clones>().is_empty());
        simulation.state_hash()
    };
    let never = r#"{ "cycle.s_hours": (spread: 0.5, mutation: 0) }"#;
    assert_eq!(run("{}"), run(never));
}

#[test]
fn rules_of_the_type_act_on_what_each_clone_has() {
    let cell = |rules: &str| {
        format!(
            r#"(
    title: "walkers", about: "clones walk", pace: Illustrative, duration: Days(2), step: Minutes(10),
    sites: [(name: "dish", organ: Medium, size_um: (1000, 1000, 1000))],
    cell_types: [(
        name: "walker", about: "divides and walks", colour: (1, 1, 1),
        heritable: {{ "motility.speed_um_per_min": (spread: 0.3, mutation: 0.3) }},
        {rules}
        cycle: (g0g1_hours: 2, s_hours: 1, g2_hours: 0.5, m_hours: 0.5, max_pressure: 1e6),
        motility: (speed_um_per_min: 0.1),
    )],
    populations: [(cell: "walker", place: Ball(radius_um: 50))],
)"#
        )
    };
    // Cells that have the quantity 0 keep their base, the others have it doubled and more.
    let rule = r#"rules: { "crowds_drive": (input: "motility.speed", by: "mechanics.contacts", law: Fold(1)) },"#;
    for (rules, ruled) in [("", false), (rule, true)] {
        let scene = Program::default().parse_scene(&cell(rules), "walk.ron", None);
        let scene = scene.unwrap_or_else(|report| panic!("{report}"));
        let mut simulation = Simulation::new(Arc::new(scene), 5).expect("valid");
        for _ in 0..60 {
            simulation.step();
        }
        let world = simulation.world();
        let clones = world.resource::<Clones>();
        let table = world.resource::<PerType<MotilityParameters>>();
        let mut query = world
            .try_query::<(&CellType, &Motility)>()
            .expect("there are cells");
        let (mut faster, mut count) = (0, 0);
        for (row, motility) in query.iter(world) {
            // A daughter walks on with her mother's speed until the next step.
            let is_new = clones
                .get(row.0)
                .is_none_or(|of| of.since_step + 1 >= simulation.steps());
            let base = table.get(row.0).expect("it walks").speed_um_per_min;
            let factor = motility.speed_um_per_min / base;
            if is_new {
                continue;
            }
            count += 1;
            if ruled {
                assert!(
                    (factor - factor.round()).abs() < 1e-4 && factor > 0.99,
                    "{factor}"
                );
                faster += u32::from(factor > 1.5);
            } else {
                assert_eq!(factor, 1.0);
            }
        }
        assert!(count > 50, "{count}");
        assert_eq!(faster > 20, ruled, "{faster} of {count}");
    }
}

#[test]
fn what_is_heritable_can_be_read_of_each_cell_and_as_a_mean() {
    let mut simulation = drifting();
    for _ in 0..60 {
        simulation.step();
    }
    let names = ["clone.cycle.g0g1_hours", "clone.cycle.s_hours"];
    let census = simulation.census(&Wanted {
        quantities: names.map(str::to_owned).to_vec(),
        ..Wanted::default()
    });
    let world = simulation.world();
    let table = world.resource::<PerType<CycleParameters>>();
    let mut query = world
        .try_query::<(&CellId, &CellType, &Vital)>()
        .expect("there are cells");
    let (mut sum, mut alive, mut differ) = (0.0, 0.0, 0);
    for (id, row, vital) in query.iter(world) {
        let cycle = table.get(row.0).expect("all have a cycle");
        let place = census.ids.iter().position(|known| known == id);
        let place = place.expect("it was counted");
        let of = |name| census.quantity(name).expect("it was asked for")[place];
        let found = names.map(of);
        assert_eq!(found, [cycle.g0g1_hours, cycle.s_hours]);
        if vital.is_alive() {
            sum += f64::from(found[0]);
            alive += 1.0;
        }
        differ += u32::from(found[0] != 2.0);
    }
    assert!(differ > 20, "{differ}");
    let metrics = simulation.metrics();
    let mean = metrics[0].get("clone_cycle_g0g1_hours_mean");
    let mean = mean.expect("it is measured");
    assert!((mean / (sum / alive) - 1.0).abs() < 1e-6, "{mean}");
    // Where nothing is heritable there is no such thing.
    let plain = scene("{}").unwrap_or_else(|wrong| panic!("{wrong}"));
    let plain = Simulation::new(Arc::new(plain), 5).expect("its parameters are valid");
    let known = plain.world().resource::<Quantities>();
    assert!(known.of_cells(names[0]).is_none());
}

/// The rows of a table without its first, each cut at the commas.
fn rows(folder: &std::path::Path, name: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(folder.join(name)).expect("the run wrote it");
    let rows = text.lines().skip(1);
    rows.map(|row| row.split(',').map(str::to_owned).collect())
        .collect()
}

#[test]
fn ancestry_and_clones_can_be_drawn_from_the_tables_of_a_run_alone() {
    let mut simulation = drifting();
    let workplace = tempfile::tempdir().expect("a temporary folder");
    let folder = workplace.path().join("run");
    let kept = RunFolder::create(&folder, &simulation).expect("it can be made");
    let mut journal = Journal::new(&simulation, Some(kept));
    journal.note(&simulation).expect("it can be written");
    for _ in 0..96 {
        simulation.step();
        journal.note(&simulation).expect("it can be written");
    }
    journal.finish(&simulation).expect("it can be written");
    // Ancestry: mothers and generations from `events.csv`.
    let mut mothers: BTreeMap<u64, u64> = BTreeMap::new();
    let mut generations: BTreeMap<u64, u32> = BTreeMap::new();
    for row in rows(&folder, "events.csv") {
        if row[2] != "division" {
            continue;
        }
        let id = |text: &str| text.parse::<u64>().expect("it is a number");
        let (daughter, mother) = (id(&row[3]), id(&row[4]));
        mothers.insert(daughter, mother);
        let generation = generations.get(&mother).copied().unwrap_or(0) + 1;
        generations.insert(mother, generation);
        generations.insert(daughter, generation);
    }
    let world = simulation.world();
    let mut cells = world
        .try_query::<(&CellId, &Lineage)>()
        .expect("there are cells");
    let mut deepest = 0;
    for (id, lineage) in cells.iter(world) {
        let mut founder = id.0;
        while let Some(mother) = mothers.get(&founder) {
            founder = *mother;
        }
        let generation = generations.get(&id.0).copied().unwrap_or(0);
        assert_eq!(
            (lineage.founder.0, lineage.generation),
            (founder, generation)
        );
        deepest = deepest.max(generation);
    }
    assert!(deepest > 2, "{deepest}");
    // Clones: those of the last time are those that live, with their parents, founders, births and cells.
    let table = rows(&folder, "clones.csv");
    let last = &table.last().expect("there are some")[0];
    let mut expected: BTreeMap<u32, (u32, u64, u64)> = BTreeMap::new();
    let alive = cells_by_row(&simulation);
    for (row, of) in world.resource::<Clones>().living() {
        assert!(alive.contains_key(&row));
        let birth = mothers.contains_key(&of.founder.0) || generations.contains_key(&of.founder.0);
        assert!(birth, "clone {} begins with a division", of.number);
        expected.insert(of.number, (of.mother, of.founder.0, of.since_step));
    }
    let now: Vec<_> = table.iter().filter(|row| row[0] == *last).collect();
    let mut living = 0.0;
    for row in &now {
        let number = |column: usize| row[column].parse::<f64>().expect("it is a number");
        living += number(7);
        if row[3] == "0" {
            assert_eq!([&row[4], &row[5], &row[6]], ["", "", ""]);
            continue;
        }
        let (mother, founder, since) = expected[&(number(3) as u32)];
        assert_eq!((number(4), number(5)), (f64::from(mother), founder as f64));
        assert!((number(6) - since as f64 / 6.0).abs() < 1e-6);
        // What it has inherited, beside the unchanged time in S.
        let factor = clones(&simulation)[&(number(3) as u32)].1;
        assert!((number(8) / (2.0 * f64::from(factor)) - 1.0).abs() < 1e-5);
        assert_eq!(number(9), 1.0);
    }
    let metrics = simulation.metrics();
    assert_eq!(metrics[0].get("living_drifter"), Some(living));
    assert!(now.len() > 20);
    // Nothing inherits: there is no such table.
    let plain = scene("{}").unwrap_or_else(|wrong| panic!("{wrong}"));
    let plain = Simulation::new(Arc::new(plain), 5).expect("its parameters are valid");
    let folder = workplace.path().join("plain");
    RunFolder::create(&folder, &plain).expect("it can be made");
    assert!(!folder.join("clones.csv").exists());
}
