//! The paradox over many seeds, and the loss of macrophages in a tumour (target 32): long runs, behind `cargo test --release -- --ignored`.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use tumorscape::scene::schema::{Action, Place};
use tumorscape::simulation::{Program, Simulation, open_scene};

use super::{metric, run_to};

/// Counts of what lives: cancer cells, macrophages, killers.
type Living = [f64; 3];

fn living(simulation: &Simulation) -> Living {
    ["living_cancer", "living_macrophage", "living_cd8_t_cell"]
        .map(|name| metric(simulation, 0, name))
}

/// Killers in a mm3 at the start, as in the scene: one to five cancer cells.
const AS_IN_SCENE: f64 = 1500.0;
/// One to ten: twice as many are done with some sheltered tumours, too.
const HALF_AS_MANY: f64 = 750.0;
/// A tumour of so many cells has got away: its run ends.
const ESCAPED: f64 = 2000.0;
/// Times a day at which the living are counted.
const A_DAY: usize = 2;
/// How many times they are counted.
const COUNTS: usize = 10 * A_DAY;

/// What became of a tumour in ten days, or until it was gone or had got away: counts at each half of a day.
struct Fate(Vec<Living>);

impl Fate {
    /// Counts at that time (0 is half a day), or when the run ended before: then the tumour was gone, or had got away, and is larger
    /// than any that had not by then.
    fn at(&self, count: usize) -> Living {
        let [cancer, others @ ..] = *self.0.get(count).unwrap_or(&self.0[self.last()]);
        let [macrophages, killers] = others;
        if count > self.last() && self.has_escaped() {
            return [f64::INFINITY, macrophages, killers];
        }
        [cancer, macrophages, killers]
    }

    /// Whether the tumour got away.
    fn has_escaped(&self) -> bool {
        self.0[self.last()][0] > ESCAPED
    }

    /// When its run ended.
    fn last(&self) -> usize {
        self.0.len() - 1
    }

    /// Cancer cells times days, until the end.
    fn cell_days(&self) -> f64 {
        let cells: f64 = self.0.iter().map(|[cancer, ..]| cancer).sum();
        cells / A_DAY as f64
    }
}

/// The fate of the tumour of one site of the scene, among so many killers in a mm3; `change` is made at its start.
fn fate(seed: u64, site: &str, killers: f64, change: impl Fn(&mut Simulation)) -> Fate {
    let scene = open_scene(Path::new("scenes/immune_paradox.ron"));
    let mut whole = scene.unwrap_or_else(|report| panic!("{report}"));
    let scene = &mut whole.scene;
    scene.sites.retain(|kept| kept.name == site);
    scene
        .populations
        .retain(|population| population.site.as_deref() == Some(site));
    for population in &mut scene.populations {
        if let ("cd8_t_cell", Place::Scatter { per_mm3, .. }) =
            (population.cell.as_str(), &mut population.place)
        {
            *per_mm3 = killers;
        }
    }
    // What is shown and expected of all three.
    scene.timeline.clear();
    scene.expect.clear();
    scene.recording = Default::default();
    let text = whole.to_ron(seed).expect("it can be written");
    let scene = Program::default().parse_scene(&text, "paradox.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    let mut simulation = Simulation::new(Arc::new(scene), seed).expect("its parameters are valid");
    change(&mut simulation);
    let mut counts: Vec<Living> = Vec::new();
    for count in 1..=COUNTS {
        run_to(&mut simulation, 24.0 * count as f64 / A_DAY as f64);
        let now = living(&simulation);
        counts.push(now);
        if now[0] == 0.0 || now[0] > ESCAPED {
            break;
        }
    }
    Fate(counts)
}

/// The fate of the sheltered tumour of a seed (1 to 3), which two tests compare with and one computes.
fn sheltered(seed: u64) -> &'static Fate {
    static FOUND: [OnceLock<Fate>; 3] = [const { OnceLock::new() }; 3];
    FOUND[seed as usize - 1].get_or_init(|| fate(seed, SHELTERED, AS_IN_SCENE, |_| {}))
}

/// The day of a count.
fn day(count: usize) -> f64 {
    (count + 1) as f64 / A_DAY as f64
}

const ALONE: &str = "killers";
const SHELTERED: &str = "killers and shelter";

#[test]
#[ignore = "ten seeds in two sites take half an hour of a core"]
fn shelter_makes_the_tumour_larger_in_nine_of_ten_seeds() {
    let mut larger = 0;
    for seed in 1..=10 {
        let [alone, sheltered] =
            [ALONE, SHELTERED].map(|site| fate(seed, site, HALF_AS_MANY, |_| {}));
        // On day ten, or when the sheltered one got away; what is gone does not come back.
        let at = sheltered.last();
        let [without, with] = [&alone, &sheltered].map(|fate| fate.at(at)[0]);
        println!(
            "seed {seed}, day {}: {without} with killers (until day {}), {with} with shelter",
            day(at),
            day(alone.last()),
        );
        larger += u32::from(with > without);
    }
    assert!(larger >= 9, "{larger} of 10");
}

#[test]
#[ignore = "three seeds with and without either take a quarter of an hour"]
fn without_macrophages_or_regulatory_t_cells_part_of_it_is_recovered() {
    // They die at once, and nobody calls others.
    let without = |cell: &'static str, calls: &'static [&'static str]| {
        move |simulation: &mut Simulation| {
            let death = (format!("{cell}.death.apoptosis_per_hour"), 10.0);
            let calls = calls
                .iter()
                .map(|rule| (format!("{cell}.rules.{rule}.scale"), 0.0));
            for (path, value) in calls.chain([death]) {
                let set = Action::Set(path, value);
                simulation.apply(set).expect("it is there");
            }
        }
    };
    let no_macrophages = without("macrophage", &["ccl2_calls_monocytes"]);
    let no_regulatory = without(
        "regulatory_t_cell",
        &[
            "ccl22_calls_regulatory_t_cells",
            "tgf_beta_induces_regulatory_t_cells",
        ],
    );
    let mut sums = [0.0; 3];
    for seed in 1..=3 {
        let at = sheltered(seed).last();
        let found = [
            sheltered(seed).at(at)[0],
            fate(seed, SHELTERED, AS_IN_SCENE, no_macrophages).at(at)[0],
            fate(seed, SHELTERED, AS_IN_SCENE, no_regulatory).at(at)[0],
        ];
        println!(
            "seed {seed}, day {}: {found:?} sheltered by all, without macrophages, without regulatory T cells",
            day(at)
        );
        for (sum, found) in sums.iter_mut().zip(found) {
            *sum += found;
        }
    }
    let [whole, no_macrophages, no_regulatory] = sums;
    assert!(no_macrophages < whole && no_regulatory < whole, "{sums:?}");
}

#[test]
#[ignore = "three seeds with and without a drug take a quarter of an hour"]
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
            "cd8_t_cell.tgf_beta_takes_cxcr3",
            // Nor do they bring others that hold killers back.
            "regulatory_t_cell.ccl22_calls_regulatory_t_cells",
            "regulatory_t_cell.tgf_beta_induces_regulatory_t_cells",
        ] {
            let cut = Action::Rule(Delete(path.into()));
            simulation.apply(cut).expect("it is there");
        }
    };
    let mut sums = [[0.0; 3]; 2];
    let mut deaf_cell_days = [0.0; 2];
    for seed in 1..=3 {
        let control = sheltered(seed);
        let at = control.last();
        let treated = fate(seed, SHELTERED, AS_IN_SCENE, drug).at(at);
        println!(
            "seed {seed}, day {}: {:?} cancer cells, macrophages, killers; {treated:?} under the drug",
            day(at),
            control.at(at)
        );
        for (sums, found) in sums.iter_mut().zip([control.at(at), treated]) {
            for (sum, found) in sums.iter_mut().zip(found) {
                *sum += found;
            }
        }
        // Where killers hear nothing of macrophages they are done with the tumour in days: how much of it there was, and for how long.
        let found = [
            fate(seed, SHELTERED, AS_IN_SCENE, deaf),
            fate(seed, SHELTERED, AS_IN_SCENE, |simulation| {
                deaf(simulation);
                drug(simulation);
            }),
        ];
        assert!(
            !found.iter().any(Fate::has_escaped),
            "killers are done with both"
        );
        let found = found.map(|fate| fate.cell_days());
        println!(
            "seed {seed}, rules cut: {found:?} cancer cells times days, without and under the drug"
        );
        for (sum, found) in deaf_cell_days.iter_mut().zip(found) {
            *sum += found;
        }
    }
    let [control, treated] = sums;
    assert!(treated[1] < 0.4 * control[1], "fewer macrophages");
    assert!(treated[2] > control[2], "more killers");
    assert!(treated[0] < control[0], "a smaller tumour");
    let [deaf_control, deaf_treated] = deaf_cell_days;
    assert!(deaf_treated > 0.95 * deaf_control);
}
