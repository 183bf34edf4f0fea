//! The paradox over many seeds, and the loss of macrophages in a tumour (target 32): long runs, behind `cargo test --release -- --ignored`.

use std::path::Path;
use std::sync::Arc;

use tumorscape::scene::schema::Action;
use tumorscape::simulation::{Program, Simulation, open_scene};

use super::{metric, run_to};

/// Some of the sites of the scene, after so many days; `change` is made at their start.
fn after(seed: u64, days: f64, sites: &[&str], change: impl Fn(&mut Simulation)) -> Simulation {
    let scene = open_scene(Path::new("scenes/immune_paradox.ron"));
    let mut whole = scene.unwrap_or_else(|report| panic!("{report}"));
    let scene = &mut whole.scene;
    scene.sites.retain(|site| sites.contains(&&*site.name));
    let kept = |name: &Option<String>| name.as_deref().is_some_and(|name| sites.contains(&name));
    scene
        .populations
        .retain(|population| kept(&population.site));
    // What is shown and expected of all three.
    scene.timeline.clear();
    scene.expect.clear();
    scene.recording = Default::default();
    let text = whole.to_ron(seed).expect("it can be written");
    let scene = Program::default().parse_scene(&text, "paradox.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    let mut simulation = Simulation::new(Arc::new(scene), seed).expect("its parameters are valid");
    change(&mut simulation);
    run_to(&mut simulation, 24.0 * days);
    simulation
}

const ALONE: &str = "killers";
const SHELTERED: &str = "killers and shelter";

#[test]
#[ignore = "ten seeds of ten days in two sites take hours of a core"]
fn shelter_makes_the_tumour_larger_in_nine_of_ten_seeds() {
    let mut larger = 0;
    for seed in 1..=10 {
        let simulation = after(seed, 10.0, &[ALONE, SHELTERED], |_| {});
        let [alone, sheltered] = [0, 1].map(|site| metric(&simulation, site, "living_cancer"));
        println!("seed {seed}: {alone} with killers, {sheltered} with shelter");
        larger += u32::from(sheltered > alone);
    }
    assert!(larger >= 9, "{larger} of 10");
}

#[test]
#[ignore = "three seeds of ten days with and without either take a quarter of an hour"]
fn without_macrophages_or_regulatory_t_cells_part_of_it_is_recovered() {
    let without = |cells: &'static [&'static str]| {
        move |simulation: &mut Simulation| {
            for (cell, rule) in cells.iter().flat_map(|cell| {
                let calls = match *cell {
                    "macrophage" => &["ccl2_calls_monocytes"][..],
                    _ => &[
                        "ccl22_calls_regulatory_t_cells",
                        "tgf_beta_induces_regulatory_t_cells",
                    ],
                };
                calls.iter().map(move |rule| (*cell, *rule))
            }) {
                for (path, value) in [
                    (format!("{cell}.rules.{rule}.scale"), 0.0),
                    (format!("{cell}.death.apoptosis_per_hour"), 10.0),
                ] {
                    let set = Action::Set(path, value);
                    simulation.apply(set).expect("it is there");
                }
            }
        }
    };
    const ARMS: [&[&str]; 3] = [&[], &["macrophage"], &["regulatory_t_cell"]];
    let mut sums = [0.0; 3];
    for seed in 1..=3 {
        let found = ARMS.map(|cells| {
            let simulation = after(seed, 10.0, &[SHELTERED], without(cells));
            metric(&simulation, 0, "living_cancer")
        });
        println!(
            "seed {seed}: {found:?} sheltered by all, without macrophages, without regulatory T cells"
        );
        for (sum, found) in sums.iter_mut().zip(found) {
            *sum += found;
        }
    }
    let [sheltered, no_macrophages, no_regulatory] = sums;
    assert!(
        no_macrophages < sheltered && no_regulatory < sheltered,
        "{sums:?}"
    );
}

#[test]
#[ignore = "three seeds of ten days with and without a drug take a quarter of an hour"]
fn fewer_macrophages_slow_a_tumour_only_where_m2_holds_killers_back() {
    let drug = |simulation: &mut Simulation| {
        for (path, value) in [
            ("macrophage.death.apoptosis_per_hour", 0.0104),
            ("macrophage.rules.ccl2_calls_monocytes.scale", 0.3),
        ] {
            let set = Action::Set(path.into(), value);
            simulation.apply(set).expect("it is there");
        }
    };
    let deaf = |simulation: &mut Simulation| {
        use tumorscape::core::regulate::RuleChange::Delete;
        for path in [
            "cd8_t_cell.m2_macrophages_slow_division",
            "cd8_t_cell.il_10_holds_back",
            "cd8_t_cell.tgf_beta_holds_back",
        ] {
            let cut = Action::Rule(Delete(path.into()));
            simulation.apply(cut).expect("it is there");
        }
    };
    let at_end = |seed, with_drug: bool, is_deaf: bool| {
        let simulation = after(seed, 10.0, &[SHELTERED], |simulation| {
            if is_deaf {
                deaf(simulation);
            }
            if with_drug {
                drug(simulation);
            }
        });
        ["living_cancer", "living_macrophage", "living_cd8_t_cell"]
            .map(|name| metric(&simulation, 0, name))
    };
    let mut sums = [[0.0; 3]; 4];
    for seed in 1..=3 {
        for (sum, (with_drug, is_deaf)) in
            sums.iter_mut()
                .zip([(false, false), (true, false), (false, true), (true, true)])
        {
            let found = at_end(seed, with_drug, is_deaf);
            println!("seed {seed}, drug {with_drug}, rules cut {is_deaf}: {found:?}");
            for (sum, found) in sum.iter_mut().zip(found) {
                *sum += found;
            }
        }
    }
    let [control, treated, deaf_control, deaf_treated] = sums;
    assert!(treated[1] < 0.4 * control[1], "fewer macrophages");
    assert!(treated[2] > control[2], "more killers");
    assert!(treated[0] < control[0], "a smaller tumour");
    assert!(deaf_treated[0] > 0.95 * deaf_control[0]);
}
