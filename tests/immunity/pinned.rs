//! Killers that stand at their targets, each of which is replaced when it dies: kills a day by the rule of three hits.

use tumorscape::biology::immunity::{ImmunityTally, KILL};
use tumorscape::scene::schema::{Action, Place, Population};
use tumorscape::tissue::Sites;

use super::simulation;

/// Kills a day of one of `together` T cells that hold a target together, at so much function, over so many days.
///
/// Expected: the mean first passage of the chain of hits borne, from none to three, each hit at the rate `n phi / 30 min` and each repaired
/// after 50 min.
fn expected(together: f64, function: f64) -> f64 {
    let (gain, repair) = (together * function / 30.0, 1.0 / 50.0);
    let first = 1.0 / gain;
    let second = first + repair / gain * first;
    let third = first + 2.0 * repair / gain * second;
    1440.0 / (first + second + third) / together
}

fn kills_a_day(together: usize, function: f32, days: f64, pairs: usize) -> f64 {
    // In a grid, far from each other; killers at equal angles around their target, where they touch it and not each other.
    let (mut cells, mut places) = (String::new(), Vec::new());
    for pair in 0..pairs {
        let at = |k: usize| (k as f32) * 60.0 - 285.0;
        let place = (at(pair % 10), at(pair / 10 % 10), at(pair / 100));
        places.push(place);
        cells += &format!("(at_um: {place:?}, cell: \"fresh\"), ");
        for killer in 0..together {
            let turn = std::f32::consts::TAU * killer as f32 / together as f32;
            let (x, y) = (
                place.0 + 13.0 * bevy::math::ops::cos(turn),
                place.1 + 13.0 * bevy::math::ops::sin(turn),
            );
            cells += &format!("(at_um: ({x:?}, {y:?}, {:?}), cell: \"pinned\"), ", place.2);
        }
    }
    let text = format!(
        r#"(
    title: "pinned", about: "pinned killers", pace: Calibrated, duration: Days(60), step: Minutes(2),
    sites: [(name: "dish", organ: Medium, size_um: (640, 640, 640), voxel_um: (40, 40, 40), fields: [])],
    cell_types: [
        (
            name: "fresh", about: "a target", colour: (1, 0, 0), tumour: true,
            body: (volume_um3: 2494, nucleus_um3: 540, fluid_fraction: 0.75),
            mechanics: (adhesion_um_per_min: 0),
            death: (apoptosis_per_hour: 0, apoptosis_hours: 0.02, necrosis_onset_mmhg: 0, necrosis_full_mmhg: 0),
            target: (),
        ),
        (
            name: "pinned", about: "a T cell that stands still and does not tire", colour: (0, 0, 1),
            body: (volume_um3: 268, nucleus_um3: 134),
            mechanics: (adhesion_um_per_min: 0, repulsion_um_per_min: 0),
            death: (apoptosis_per_hour: 0, necrosis_onset_mmhg: 0, necrosis_full_mmhg: 0),
            cytotoxic: (exhaustion_per_day: 0, binding_per_min: 100),
            rules: {{ "held": (input: "killer.function", by: "body.volume", law: Hill(half: 0.001, to: {function:?})) }},
        ),
    ],
    parameters: {{ "immunity.synapse.stiffness_per_min": 0 }},
    populations: [(cell: "fresh", place: Cells([{cells}]))],
)"#
    );
    let mut simulation = simulation(&text, 5);
    // A fresh target comes when the dead one is gone, so that neither pushes the other away.
    let (mut dying, mut gone): (Vec<(f32, f32, f32)>, Vec<_>) = (Vec::new(), Vec::new());
    while simulation.hours() < 24.0 * days {
        simulation.step();
        for at_um in std::mem::take(&mut gone) {
            let fresh = Population {
                cell: "fresh".into(),
                site: None,
                place: Place::Single { at_um },
            };
            simulation
                .apply(Action::Add(fresh))
                .expect("there is room again");
        }
        gone.append(&mut dying);
        let events = simulation.events().iter();
        let killed = events.filter(|event| event.kind == KILL);
        dying.extend(killed.map(|event| <(f32, f32, f32)>::from(event.position_um)));
    }
    let world = simulation.world();
    let site = world.resource::<Sites>().list[0].entity;
    let tally = world
        .get::<ImmunityTally>(site)
        .expect("every site has one");
    let kills = simulation.metrics()[0].get("t_cell_kills");
    let kills = kills.expect("it is measured");
    println!(
        "{together} at {function}: {} kills in {:.0} killer days",
        kills, tally.killer_days
    );
    // From a kill to the fresh target go two steps and on average half of the one in which it died: five minutes in which those who stood
    // at it have none.
    kills / (tally.killer_days - kills * together as f64 * 5.0 / 1440.0)
}

#[test]
fn pinned_killers_kill_as_often_as_the_rule_of_three_hits_says() {
    for (together, function, days, pairs, published) in [
        (1, 1.0, 3.0, 300, 8.7),
        (1, 0.5, 6.0, 300, 2.5),
        (1, 0.23, 12.0, 500, 0.45),
        (3, 1.0, 1.0, 150, 13.0),
    ] {
        let found = kills_a_day(together, function, days, pairs);
        let exact = expected(together as f64, f64::from(function));
        println!("{found:.3} a day, {exact:.3} by the chain, {published} published");
        assert!(
            (exact / published - 1.0).abs() < 0.02,
            "the chain is that of the table: {exact}, {published}"
        );
        assert!(
            (found / published - 1.0).abs() < 0.10,
            "{together} killers at {function}: {found} kills a day, {published} expected"
        );
    }
}
