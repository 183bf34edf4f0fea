//! Rare events: what forked runs tell is what runs as they are do.

use tumorscape::trial::splitting::{Branch, Estimate, Splitting, split};

use super::*;

/// Cells injected into the portal vein that all lodge in the liver at once, of which few cross, and few of these grow.
fn few(cells: u32, step: &str) -> String {
    let wide = r#""wide": (input: "circulation.diameter", by: "body.volume", law: Hill(half: 1e-6, to: 40)),
        "all": (input: "circulation.arrest", by: "body.volume", law: Hill(half: 1e-6, to: 2)),"#;
    let injection = format!(r#"injections: [(cell: "native", cells: {cells}, into: PortalVein)]"#);
    scene(NO_ORGAN, &native("", wide), &injection, "", step)
}

/// Where that is forked: when a colony begins to grow.
fn at_growth(copies: u32) -> Splitting {
    Splitting {
        metric: "colonies_liver".into(),
        site: 0,
        levels: vec![1.0],
        copies,
        every_steps: 1,
    }
}

/// The estimate of a measurement at a time, and the sum of all weights.
fn estimated(
    text: &str,
    how: &Splitting,
    roots: u64,
    days: f64,
    metric_of: &str,
) -> (Estimate, Vec<f64>) {
    let (mut estimate, mut weights) = (Estimate::default(), Vec::new());
    for seed in 0..roots {
        let mut root = simulation(text, 100 + seed);
        root.set_end(days * 1440.0);
        let mut weight = 0.0;
        estimate.begin_root();
        let branches = split(
            root,
            how,
            || false,
            |branch: &Branch, simulation| {
                weight += branch.weight;
                estimate.add(branch.weight, metric(simulation, metric_of));
                assert_eq!(simulation.violation(), None);
            },
        );
        let branches = branches.unwrap_or_else(|error| panic!("{error}"));
        assert!(branches >= 1);
        weights.push(weight);
    }
    (estimate, weights)
}

#[test]
fn weights_of_all_branches_add_up_to_one_and_the_mean_is_that_of_whole_runs() {
    // Of 40 cells 0.8 cross within some two days and 1 in 40 of these grows a day later. The first of them is no colony before 58 h, and does not die out before.
    let text = few(40, "Hours(1)");
    let (estimate, weights) = estimated(&text, &at_growth(4), 24, 58.0 / 24.0, "colonies_liver");
    assert!(weights.iter().all(|sum| *sum == 1.0), "{weights:?}");
    let (mean, error) = (estimate.mean(), estimate.standard_error());
    // By the rates, all that crossed a day before: 0.8 (1 - exp(-0.067 h^-1 t)) of them, for t = 32 h from when they lodge.
    let expected = 40.0 * 0.8 * 0.025 * (1.0 - (-0.067_f64 * 32.0).exp());
    assert!(
        (mean - expected).abs() < 4.0 * error,
        "{mean} +/- {error}, expected {expected}"
    );
    assert!(error < 0.3, "{error}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let simulation = simulation(&few(4, "Hours(1)"), 1);
    let refused = |change: fn(&mut Splitting)| {
        let mut how = at_growth(4);
        change(&mut how);
        how.check(&simulation)
            .expect_err("it makes no sense")
            .to_string()
    };
    assert!(refused(|how| how.metric = "colonies_livre".into()).contains("colonies_livre"));
    assert!(refused(|how| how.levels = vec![2.0, 1.0]).contains("above the one before"));
    assert!(refused(|how| how.levels.clear()).contains("no level"));
    assert!(refused(|how| how.copies = 1).contains("copies"));
}

#[test]
fn the_same_root_gives_the_same_branches() {
    let text = few(400, "Hours(1)");
    let told = || {
        let mut root = simulation(&text, 7);
        root.set_end(4.0 * 1440.0);
        let mut told = Vec::new();
        let end = split(
            root,
            &at_growth(3),
            || false,
            |branch, simulation| {
                told.push((branch.number, branch.from, simulation.state_hash()));
            },
        );
        end.unwrap_or_else(|error| panic!("{error}"));
        told
    };
    let first = told();
    assert!(first.len() >= 3, "{first:?}");
    let mut hashes: Vec<u64> = first.iter().map(|(.., hash)| *hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), first.len(), "copies go ways of their own");
    assert_eq!(told(), first);
}

#[test]
#[ignore = "60 roots with 40 copies for 13 days, and 300 000 cells at once: minutes on one core"]
fn splitting_agrees_with_brute_force_on_the_one_in_a_hundred_that_goes_on() {
    let (days, step) = (13.0, "Hours(1)");
    let mut whole = simulation(&few(300_000, step), 7);
    run(&mut whole, 13 * 24);
    let brute = metric(&whole, "colonies_liver") / 300_000.0;
    let brute_error = (brute / 300_000.0).sqrt();
    let cells = 50.0;
    let (estimate, weights) = estimated(&few(50, step), &at_growth(40), 60, days, "colonies_liver");
    assert!(weights.iter().all(|sum| (sum - 1.0).abs() < 1e-9));
    let (split, error) = (estimate.mean() / cells, estimate.standard_error() / cells);
    println!(
        "one in {:.0}: brute force {brute:.2e} +/- {brute_error:.1e}, split {split:.2e} +/- {error:.1e}",
        1.0 / brute
    );
    let both = (error * error + brute_error * brute_error).sqrt();
    assert!(
        (split - brute).abs() < 3.0 * both,
        "{split} {brute} +/- {both}"
    );
    assert!(error < 0.4 * split, "{error} of {split}");
}
