//! Nothing is lost and nothing dies twice, whatever killers and targets are up to.

use std::collections::{BTreeMap, BTreeSet};

use tumorscape::biology::immunity::{HIT, KILL, LYSIS_KILL};
use tumorscape::cell::Resident;
use tumorscape::core::CellId;
use tumorscape::journal::checkpoint;
use tumorscape::measure::{Census, Wanted};
use tumorscape::simulation::{Program, Simulation};

use super::saving::save;
use super::{simulation, threads};

/// A tumour that grows, with both kinds of killers inside and more that come, at a pace that makes everything happen within hours.
fn turmoil(immigrants: u32, hits: f32) -> String {
    format!(
        r#"(
    title: "turmoil", about: "everything at once", pace: Illustrative, duration: Days(2),
    sites: [
        (name: "breast", organ: Breast, size_um: (240, 240, 240), fields: [], tissue: (immigration: (scale: 1))),
        (name: "lung", organ: Lung, size_um: (160, 160, 160), walls: false, fields: []),
    ],
    variants: [(name: "hidden", like: "cancer", about: "hides from T cells", without: [])],
    populations: [
        (cell: "cancer", site: "breast", place: Ball(radius_um: 60)),
        (cell: "hidden", site: "lung", place: Ball(radius_um: 40)),
        (cell: "cd8_t_cell", site: "breast", place: Scatter(per_mm3: 8000)),
        (cell: "nk_cell", site: "breast", place: Scatter(per_mm3: 4000)),
        (cell: "cd8_t_cell", site: "lung", place: Scatter(per_mm3: 8000)),
        (cell: "nk_cell", site: "lung", place: Scatter(per_mm3: 8000)),
    ],
    parameters: {{
        "cd8_t_cell.immigrant.per_mm3_per_day": {immigrants},
        "cd8_t_cell.immigrant.leaving_per_hour": 0.3,
        "nk_cell.immigrant.per_mm3_per_day": {immigrants},
        "cd8_t_cell.cytotoxic.minutes_per_hit": {hits:?},
        "cd8_t_cell.cytotoxic.stimulation_hours": 1,
        "cd8_t_cell.cycle.g0g1_hours": 1,
        "cd8_t_cell.cycle.s_hours": 2,
        "cancer.cycle.g0g1_hours": 1,
        "cancer.target.recognition": 0.8,
        "cancer.target.stress": 0.4,
        "hidden.target.mhc_1": 0.1,
        "nk_cell.natural_killer.recovery_min": 30,
    }},
)"#
    )
}

/// Where each cell is.
fn places(simulation: &Simulation) -> BTreeMap<CellId, u16> {
    let world = simulation.world();
    let mut cells = world
        .try_query::<(&CellId, &Resident)>()
        .expect("there are cells");
    cells
        .iter(world)
        .map(|(id, resident)| (*id, resident.0.0))
        .collect()
}

#[test]
fn nobody_is_killed_twice_and_the_books_balance_in_every_step() {
    for (seed, immigrants, hits) in [(1, 4000, 10.0), (2, 60000, 2.0), (3, 0, 30.0)] {
        let mut simulation = simulation(&turmoil(immigrants, hits), seed);
        simulation.verify();
        let mut dead: BTreeSet<CellId> = BTreeSet::new();
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut known = places(&simulation);
        for _ in 0..600 {
            simulation.step();
            assert_eq!(simulation.violation(), None);
            let now = places(&simulation);
            let (mut came, mut went) = (0, 0);
            for event in simulation.events() {
                *seen.entry(event.kind.name()).or_default() += 1;
                if event.kind == KILL || event.kind == LYSIS_KILL {
                    assert!(dead.insert(event.cell), "{} dies twice", event.cell.0);
                    let killer = event.other.expect("it is named");
                    assert!(known.contains_key(&killer), "it was there");
                }
                if event.kind == HIT {
                    assert!(event.other.is_some());
                }
                match event.kind.name() {
                    "division" | "immunity.comes" => came += 1,
                    "exit" | "clearance" | "immunity.leaves" => went += 1,
                    _ => {}
                }
            }
            assert_eq!(known.len() + came - went, now.len());
            known = now;
        }
        let mut expected = vec![
            "immunity.hit",
            "immunity.kill",
            "immunity.nk_kill",
            "apoptosis",
        ];
        if immigrants > 0 {
            expected.extend(["immunity.comes", "immunity.leaves"]);
        }
        for kind in expected {
            assert!(seen.contains_key(kind), "{kind}: {seen:?}");
        }
        assert_eq!(seen["immunity.kill"] + seen["immunity.nk_kill"], dead.len());
    }
}

#[test]
fn a_killer_knows_its_history() {
    let mut simulation = simulation(&turmoil(0, 10.0), 4);
    let mut kills: BTreeMap<CellId, f32> = BTreeMap::new();
    for _ in 0..400 {
        simulation.step();
        for event in simulation.events() {
            if event.kind == KILL || event.kind == LYSIS_KILL {
                *kills.entry(event.other.expect("named")).or_default() += 1.0;
            }
        }
    }
    let Census {
        ids, quantities, ..
    } = simulation.census(&Wanted {
        quantities: ["killer.kills", "killer.hits", "killer.contacts"]
            .map(str::to_owned)
            .to_vec(),
        categories: Vec::new(),
    });
    let of = |name: &str| {
        let found = quantities.iter().find(|(known, _)| known == name);
        &found.expect("it was asked for").1
    };
    let (told, contacts) = (of("killer.kills"), of("killer.contacts"));
    let mut checked = 0;
    for (row, id) in ids.iter().enumerate() {
        if told[row].is_nan() {
            continue;
        }
        assert_eq!(told[row], kills.get(id).copied().unwrap_or(0.0));
        assert!(contacts[row] >= told[row]);
        checked += usize::from(told[row] > 0.0);
    }
    assert!(checked > 5, "{checked} killers have killed");
}

#[test]
fn killers_are_saved_in_the_midst_of_their_work_and_go_on() {
    let mut whole = simulation(&turmoil(4000, 10.0), 6);
    for _ in 0..150 {
        whole.step();
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let saved = folder.path().join("saved");
    save(&whole, &saved);
    let (opened, _) = checkpoint::open(&saved, |_| {}).expect("it is whole");
    let (mut resumed, _) = Program::default()
        .resume(opened)
        .unwrap_or_else(|error| panic!("{error}"));
    resumed.verify();
    assert_eq!(resumed.state_hash(), whole.state_hash());
    for _ in 0..150 {
        whole.step();
        resumed.step();
        assert_eq!(resumed.violation(), None);
        assert_eq!(resumed.events(), whole.events());
    }
    assert_eq!(resumed.state_hash(), whole.state_hash());
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn on_some_threads() {
    if !threads::taken() {
        return;
    }
    let mut simulation = simulation(&turmoil(4000, 10.0), 9);
    for _ in 0..200 {
        simulation.step();
        for event in simulation.events() {
            println!("immunity: {event:?}");
        }
    }
    println!("immunity: {:016x}", simulation.state_hash());
}

#[test]
fn killers_do_the_same_at_any_number_of_threads() {
    let [one, three] = threads::told("books::on_some_threads", "immunity: ");
    assert!(one.len() > 100, "{}", one.len());
    assert_eq!(one, three);
}
