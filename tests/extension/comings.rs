//! Cells and other entities come and go by a mechanism from outside, and the books balance.

use std::collections::BTreeMap;
use std::sync::Arc;

use bevy::prelude::*;
use tumorscape::cell::bonds::BondsInTransit;
use tumorscape::cell::event::{EventKind, EventKinds, Passage};
use tumorscape::cell::mechanics::Bond;
use tumorscape::cell::turnover::{Passages, Recruit, Transit};
use tumorscape::cell::{EventRecord, Resident};
use tumorscape::core::{CellId, MemberId, SimSchedule, SimSystems};
use tumorscape::journal::checkpoint;
use tumorscape::simulation::{Program, Simulation};
use tumorscape::tissue::SiteId;
use tumorscape::tissue::population::LivesIn;

use super::saving::save;
use super::sparkle::sparkle;
use super::swarm::{CAME, EATEN, LEFT, LURED, Mote, Path, TORN, swarm};
use super::{threads, workplace};

/// The scene of the fireflies with a second site.
fn two_sites() -> String {
    let jar = r#"(name: "jar", organ: Medium, size_um: (300, 300, 300), walls: true, fields: [])"#;
    super::SCENE
        .replace("faces: Closed)])]", &format!("faces: Closed)]), {jar}]"))
        .replace("(cell: \"firefly\",", "(cell: \"firefly\", site: \"dish\",")
        .replace(
            "(cell: \"fibroblast\",",
            "(cell: \"fibroblast\", site: \"dish\",",
        )
}

fn program() -> Program {
    Program::default().with(sparkle).with(swarm)
}

fn begin(program: &Program, folder: &std::path::Path) -> Simulation {
    let scene = program.parse_scene(&two_sites(), "dusk.ron", Some(folder));
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(scene), 7).expect("its parameters are valid")
}

/// Where each cell is.
fn places(simulation: &Simulation) -> BTreeMap<CellId, SiteId> {
    let world = simulation.world();
    let mut cells = world
        .try_query::<(&CellId, &Resident)>()
        .expect("there are cells");
    cells
        .iter(world)
        .map(|(id, resident)| (*id, resident.0))
        .collect()
}

/// Every mote.
fn motes(simulation: &Simulation) -> BTreeMap<MemberId, (SiteId, Path)> {
    let world = simulation.world();
    let mut motes = world
        .try_query_filtered::<(&MemberId, &LivesIn, &Path), With<Mote>>()
        .expect("there are motes");
    motes
        .iter(world)
        .map(|(id, lives_in, path)| (*id, (lives_in.0, path.clone())))
        .collect()
}

/// Keeps the books of another: every cell and its site, from what is told alone.
fn follow(book: &mut BTreeMap<CellId, SiteId>, events: &[EventRecord], kinds: &EventKinds) {
    for event in events {
        let was = match kinds.passage(event.kind) {
            None => continue,
            Some(Passage::Birth | Passage::Recruitment) => book.insert(event.cell, event.site),
            Some(Passage::Departure) => {
                let was = book.insert(event.cell, SiteId::TRANSIT);
                assert_eq!(was, Some(event.site));
                continue;
            }
            Some(Passage::Arrival) => {
                let was = book.insert(event.cell, event.site);
                assert_eq!(was, Some(SiteId::TRANSIT));
                continue;
            }
            Some(Passage::Removal) => {
                assert_eq!(book.remove(&event.cell), Some(event.site));
                continue;
            }
        };
        assert_eq!(was, None, "cell {} is new", event.cell.0);
    }
}

#[test]
fn the_books_of_comings_and_goings_balance_in_every_step() {
    let folder = workplace();
    let mut simulation = begin(&program(), folder.path());
    simulation.verify();
    let mut book = places(&simulation);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut largest_group = 0;
    let mut most_motes = 0;
    for _ in 0..200 {
        simulation.step();
        assert_eq!(simulation.violation(), None);
        let world = simulation.world();
        follow(&mut book, simulation.events(), world.resource());
        assert_eq!(book, places(&simulation));
        for event in simulation.events() {
            *seen.entry(event.kind.name()).or_default() += 1;
            if event.kind == EATEN {
                assert_eq!(event.other, Some(CellId(event.cell.0 + 1)));
            }
        }
        let (transit, BondsInTransit(bound)) = (
            world.resource::<Transit>(),
            world.resource::<BondsInTransit>(),
        );
        let on_the_way = book.values().filter(|site| site.is_transit()).count();
        assert_eq!(transit.len(), on_the_way);
        for of in transit.iter() {
            largest_group = largest_group.max(bound.group_of(of.cell).len());
        }
        most_motes = most_motes.max(motes(&simulation).len());
    }
    for kind in [LURED, LEFT, CAME, TORN, EATEN, EventKind::of("division")] {
        assert!(seen.contains_key(kind.name()), "{}: {seen:?}", kind.name());
    }
    assert!(largest_group >= 3, "{largest_group}");
    assert!(most_motes > 10, "{most_motes}");
    let splits = motes(&simulation);
    assert!(splits.values().any(|(_, path)| path.splits.len() > 3));
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn on_some_threads() {
    if !threads::taken() {
        return;
    }
    let folder = workplace();
    let mut simulation = begin(&program(), folder.path());
    for _ in 0..90 {
        simulation.step();
        for event in simulation.events() {
            println!("swarm: {event:?}");
        }
    }
    println!("swarm: {:016x}", simulation.state_hash());
}

#[test]
fn comings_and_goings_are_the_same_at_any_number_of_threads() {
    let [one, three] = threads::told("comings::on_some_threads", "swarm: ");
    assert!(one.len() > 100, "{}", one.len());
    assert_eq!(one, three);
}

#[test]
fn cells_on_the_way_and_members_of_populations_are_saved_and_resumed() {
    let folder = workplace();
    let mut whole = begin(&program(), folder.path());
    let group_on_the_way = |simulation: &Simulation| {
        let BondsInTransit(bonds) = simulation.world().resource();
        bonds.iter().collect::<Vec<_>>()
    };
    let kinds_of = |bonds: &[Bond]| {
        let mut kinds: Vec<u16> = bonds.iter().map(|bond| bond.kind.0).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.len()
    };
    while kinds_of(&group_on_the_way(&whole)) < 2 {
        whole.step();
        assert!(
            whole.steps() < 150,
            "a group leaves that is bound in both ways"
        );
    }
    let loaded = group_on_the_way(&whole);
    assert!(
        loaded
            .iter()
            .any(|bond| bond.load != 0.0 && bond.formed == 3),
        "{loaded:?}"
    );
    let saved = folder.path().join("saved");
    save(&whole, &saved);
    let open = || {
        let (checkpoint, _) = checkpoint::open(&saved, |_| {}).expect("it is whole");
        checkpoint
    };
    let refused = Program::default().with(sparkle).resume(open()).map(|_| ());
    let refused = refused.expect_err("it has no motes").to_string();
    assert!(refused.contains("motes.path"), "{refused}");
    let (mut resumed, _) = program()
        .resume(open())
        .unwrap_or_else(|error| panic!("{error}"));
    resumed.verify();
    assert_eq!(resumed.state_hash(), whole.state_hash());
    assert_eq!(motes(&resumed), motes(&whole));
    assert_eq!(group_on_the_way(&resumed), group_on_the_way(&whole));
    let mut came = 0;
    for _ in 0..60 {
        resumed.step();
        whole.step();
        assert_eq!(resumed.violation(), None);
        assert_eq!(resumed.events(), whole.events());
        came += whole.events().iter().filter(|of| of.kind == CAME).count();
    }
    assert!(came > 1);
    assert_eq!(resumed.state_hash(), whole.state_hash());
}

#[test]
fn the_state_sees_what_a_member_carries() {
    let folder = workplace();
    let other = program().with(|app| {
        let age = |mut motes: Query<&mut Path>| {
            for mut path in &mut motes {
                path.age += 1;
            }
        };
        app.add_systems(SimSchedule, age.in_set(SimSystems::Observe));
    });
    let mut simulation = begin(&program(), folder.path());
    let mut other = begin(&other, folder.path());
    assert_eq!(simulation.state_hash(), other.state_hash());
    simulation.step();
    other.step();
    assert_ne!(simulation.state_hash(), other.state_hash());
}

#[test]
fn what_makes_no_sense_stops_a_run_and_what_would_be_lost_stops_a_verified_one() {
    #[derive(Component)]
    struct Stray;
    let folder = workplace();
    let outside = program().with(|app| {
        let ask = |passages: Res<Passages>| {
            passages.recruit(Recruit::new(0, SiteId(0), Vec3::splat(1e4), LURED));
        };
        app.add_systems(SimSchedule, ask.in_set(SimSystems::Signal));
    });
    let mut simulation = begin(&outside, folder.path());
    simulation.step();
    let refused = simulation.violation().expect("it is outside").to_string();
    assert!(refused.contains("`dish`, which reaches from"), "{refused}");
    let stray = program().with(|app| {
        let add = |motes: Query<Entity, With<Mote>>, mut commands: Commands| {
            for mote in &motes {
                commands.entity(mote).insert(Stray);
            }
        };
        app.add_systems(SimSchedule, add.in_set(SimSystems::Signal));
    });
    let mut simulation = begin(&stray, folder.path());
    simulation.verify();
    simulation.step();
    let found = simulation
        .violation()
        .expect("it would be lost")
        .to_string();
    assert!(found.contains("Stray` on motes is neither"), "{found}");
    let vanishing = program().with(|app| {
        let cut = |motes: Query<Entity, With<Mote>>, mut commands: Commands| {
            if let Some(mote) = motes.iter().next() {
                commands.entity(mote).despawn();
            }
        };
        app.add_systems(SimSchedule, cut.in_set(SimSystems::Turnover));
    });
    let mut simulation = begin(&vanishing, folder.path());
    simulation.verify();
    simulation.step();
    let found = simulation.violation().expect("one is missing").to_string();
    assert!(found.contains("members of populations"), "{found}");
}

#[test]
fn rules_of_a_site_drive_an_input_of_each_member_of_a_population() {
    let folder = workplace();
    let with_rules = |rules: &str| {
        let text = two_sites().replace("parameters:", &format!("rules: [{rules}], parameters:"));
        program().parse_scene(&text, "dusk.ron", Some(folder.path()))
    };
    let add = |name: &str, by: &str, law: &str| {
        format!(
            r#"Add(of: "dish", name: "{name}", rule: (input: "mote.life", by: "{by}", law: {law}))"#
        )
    };
    // Motes of the dish live 10 steps longer for each split, or hardly at all where there is luciferin.
    let rules = [
        add("splits", "mote.splits", "Add(10)"),
        add("light", "luciferin", "Inhibit(half: 1e-6, exponent: 2)"),
    ];
    let oldest = |rules: &str, splits: usize| {
        let scene = with_rules(rules).unwrap_or_else(|report| panic!("{report}"));
        let mut simulation = Simulation::new(Arc::new(scene), 7).expect("its parameters are valid");
        simulation.verify();
        let mut oldest = [0; 2];
        for _ in 0..150 {
            simulation.step();
            assert_eq!(simulation.violation(), None);
            for (site, path) in motes(&simulation).into_values() {
                if path.splits.len() == splits {
                    let oldest = &mut oldest[usize::from(site.0)];
                    *oldest = path.age.max(*oldest);
                }
            }
        }
        oldest
    };
    // One is removed in the step in which it comes to its age.
    assert_eq!(oldest("", 1), [44, 44]);
    assert_eq!(oldest(&rules[0], 1), [54, 44]);
    assert_eq!(oldest(&rules[0], 2), [64, 44]);
    // Where there is light none grows old.
    assert!(oldest(&rules[1], 0)[0] < 44);
    assert_eq!(oldest(&rules[1], 0)[1], 44);
    let wrong = with_rules(&add("splits", "mote.split", "Add(10)")).map(|_| ());
    let wrong = wrong.expect_err("there is no such quantity").to_string();
    assert!(wrong.contains("mote.splits"), "{wrong}");
}
