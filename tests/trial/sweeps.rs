//! Sweeps, screenings and ablations.

use super::*;

fn lines(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("readable");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_sweep_computes_each_point_of_its_grid() {
    let folder = folder();
    let at = folder.path();
    succeeds(
        at,
        &[
            "sweep",
            "few.ron",
            "--over",
            "cancer.cycle.s_hours=3..9",
            "--over",
            "cancer.death.apoptosis_per_hour=0.001..0.1:log",
            "--grid",
            "2",
            "--until",
            "3h",
            "--out",
            "sweep",
            "--metric",
            "cells",
            "--quiet",
        ],
    );
    let table = lines(&at.join("sweep/runs.csv"));
    assert_eq!(table.len(), 5);
    assert!(
        table[0].starts_with(
            "condition,seed,cancer.cycle.s_hours,cancer.death.apoptosis_per_hour,state"
        )
    );
    for (line, values) in table[1..]
        .iter()
        .zip(["3,0.001", "9,0.001", "3,0.1", "9,0.1"])
    {
        assert!(line.contains(&format!(",11,{values},")), "{line}");
    }
    assert!(at.join("sweep/report.svg").exists());
}

#[test]
fn a_screening_finds_the_parameter_that_matters() {
    let folder = folder();
    let at = folder.path();
    succeeds(
        at,
        &[
            "sweep",
            "few.ron",
            "--over",
            "cancer.cycle.g0g1_hours=2..20",
            "--over",
            "cancer.rules.hypoxia_calls_vessels.scale=0.5..1.5",
            "--morris",
            "2",
            "--until",
            "14h",
            "--out",
            "morris",
            "--metric",
            "cells",
            "--quiet",
        ],
    );
    // Nothing calls vessels in a dish without molecules, and how long cells rest decides on how many there are.
    let table = lines(&at.join("morris/influences.csv"));
    assert_eq!(table.len(), 3, "{table:?}");
    assert!(
        table[1].starts_with("cancer.cycle.g0g1_hours,cells,dish,-"),
        "{table:?}"
    );
    assert!(
        table[2].starts_with("cancer.rules.hypoxia_calls_vessels.scale,cells,dish,0,0,0"),
        "{table:?}"
    );
}

#[test]
fn an_ablation_runs_the_scene_without_each_arrow() {
    let folder = folder();
    let at = folder.path();
    succeeds(
        at,
        &[
            "sweep",
            "few.ron",
            "--ablate",
            "--only",
            "cancer.hypoxia_",
            "--until",
            "2h",
            "--out",
            "cut",
            "--metric",
            "cells",
            "--replicates",
            "3",
            "--quiet",
        ],
    );
    let table = lines(&at.join("cut/influences.csv"));
    assert!(table.len() > 2);
    // Without oxygen nothing is short of it: each arrow is as if it were not there, and where nothing scatters there is no interval.
    for line in &table[1..] {
        assert!(
            line.starts_with("cancer.hypoxia_") && line.contains(",cells,dish,3,0,0,,,1,"),
            "{line}"
        );
    }
}

#[test]
fn what_makes_no_sweep_is_refused() {
    let folder = folder();
    let at = folder.path();
    let range = "cancer.cycle.s_hours=3..9";
    for (arguments, says) in [
        (vec!["--over", range], "required"),
        (vec!["--grid", "3"], "no parameter to vary"),
        (
            vec!["--over", range, "--over", range, "--grid", "2"],
            "has two ranges",
        ),
        (
            vec!["--over", "cancer.cycle.s_hour=3..9", "--grid", "2"],
            "did you mean",
        ),
        (
            vec!["--over", "cancer.cycle.s_hours=-3..9", "--grid", "2"],
            "must be",
        ),
        (vec!["--over", range, "--grid", "1"], "no grid"),
        (
            vec!["--over", range, "--latin", "4000000000"],
            "from 1 to 100000",
        ),
        (vec!["--over", range, "--morris", "0"], "from 1 to 100000"),
        (
            vec!["--over", range, "--grid", "2", "--morris", "2"],
            "cannot be used with",
        ),
        (vec!["--ablate", "--only", "cancer.zzz"], "no such arrow"),
    ] {
        let output = tumorscape(at, &[&["sweep", "few.ron"], &arguments[..]].concat());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(says), "{arguments:?} says: {text}");
    }
    assert!(!at.join("trials").exists(), "nothing is left behind");
}
