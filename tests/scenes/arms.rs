//! Arms of a scene: what they share, and what is said of wrong ones.

use std::sync::Arc;

use tumorscape::scene::ParsedScene;
use tumorscape::simulation::{Program, Simulation};

/// A scene of one cell with these fields beside the others.
fn scene(fields: &str) -> String {
    format!(
        r#"(
title: "one cell", about: "lives", pace: Illustrative, duration: Hours(2),
sites: [(name: "dish", organ: Medium, size_um: (200, 200, 200))],
populations: [(cell: "cancer", place: Single(at_um: (0, 0, 0)))],
parameters: {{"cancer.cycle.s_hours": 8}},
timeline: [At(Hours(1), Set("cancer.cycle.s_hours", 9))],
expect: [AtEnd(metric: "cells", is: Below(100))],
{fields}
)"#
    )
}

fn read(fields: &str) -> Result<ParsedScene, String> {
    let parsed = Program::default().parse_scene(&scene(fields), "t.ron", None);
    parsed.map_err(|report| report.headlines().join("\n"))
}

#[test]
fn wrong_arms_are_refused_at_their_line() {
    let told = read(
        r#"arms: [
(name: "a", parameters: {"cancer.cycle.s_hour": 3}),
(name: "b", parameters: {"cancer.cycle.s_hours": -3}),
(name: "a", without: ["cancer.no_such_rule"]),
(name: "c", timeline: [At(Hours(3), Set("cancer.cycle.g2_hours", 4)), At(Hours(1), Set("cancer.cycle.g9_hours", 4))]),
(name: "d", combines: ["e", "b"], expect: [AtEnd(metric: "cels", is: Above(0))]),
(name: "", doses: {"x": -1}, choices: {"movement.law": "None"}),
],
trial: (replicates: 0, control: "aa", measures: [(metric: "cells"), (metric: "cells"), (metric: "cel")],
time_to: (metric: "cells", site: "dash", is: Above(3))),"#,
    )
    .expect_err("it is wrong");
    for line in [
        "t.ron:9:26: arms[0].parameters[\"cancer.cycle.s_hour\"]: there is no parameter `cancer.cycle.s_hour`; did you mean `cancer.cycle.s_hours`?",
        "t.ron:10:50: arms[1].parameters[\"cancer.cycle.s_hours\"]: must be ",
        "t.ron:11:8: arms[2].name: `a` is already the name of arms[0]",
        "t.ron:11:23: arms[2].without[0]: ",
        "t.ron:12:27: arms[3].timeline[0].0: 3 h is after the end of the scene",
        "t.ron:12:88: arms[3].timeline[1].1.0: there is no parameter `cancer.cycle.g9_hours`",
        "t.ron:13:24: arms[4].combines[0]: there is no arm above this one named `e`",
        "t.ron:13:58: arms[4].expect[0].metric: there is no column `cels`",
        "t.ron:14:8: arms[5].name: an arm needs a name",
        "t.ron:14:25: arms[5].doses[\"x\"]: must be at least 0",
        "arms[5].choices[\"movement.law\"]: ",
        "t.ron:16:21: trial.replicates: must be at least 1",
        "trial.control: there is no arm `aa`",
        "trial.measures[1]: this is measured already",
        "trial.measures[2].metric: there is no column `cel`",
        "trial.time_to.site: there is no site `dash`",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    // What is wrong with an arm is told once, though another combines it.
    assert_eq!(told.matches("arms[1].parameters").count(), 1, "{told}");
}

#[test]
fn what_only_an_arm_makes_wrong_is_told_with_its_name() {
    let fields = r#"rules: [],
arms: [(name: "cut", without: ["cancer.hypoxia_calls_vessels"])],"#;
    let text = scene(fields).replace(
        "timeline: [",
        "timeline: [At(Hours(1), Rule(Scale(\"cancer.hypoxia_calls_vessels\", 2))), ",
    );
    let parsed = Program::default().parse_scene(&text, "t.ron", None);
    let told = parsed.expect_err("it is wrong").headlines().join("\n");
    assert!(
        told.starts_with("t.ron:6:") && told.contains("in the arm `cut`: "),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn an_arm_shares_all_but_what_it_says() {
    let parsed = read(
        r#"arms: [
(name: "none"),
(name: "slow", doses: {"x": 2}, parameters: {"cancer.cycle.s_hours": 12, "cancer.cycle.g2_hours": 5}),
(name: "cut", without: ["cancer.hypoxia_calls_vessels"], timeline: [At(Hours(1), Caption("cut"))]),
(name: "both", combines: ["slow", "cut"], doses: {"y": 1}, parameters: {"cancer.cycle.g2_hours": 6}, expect: [AtEnd(metric: "cells", is: Above(0))]),
],"#,
    )
    .expect("it is right");
    let arm = |name: &str| parsed.arm(name).expect("there is such an arm");
    let base = &parsed.scene;
    let none = arm("none").scene;
    assert_eq!(none.timeline, base.timeline);
    assert_eq!(none.parameters, base.parameters);
    assert!(none.arms.is_empty() && none.expect.is_empty());
    let both = arm("both").scene;
    assert_eq!(both.parameters["cancer.cycle.s_hours"], 12.0);
    assert_eq!(both.parameters["cancer.cycle.g2_hours"], 6.0);
    assert_eq!((both.rules.len(), both.timeline.len()), (1, 2));
    assert_eq!(both.expect.len(), 1);
    let doses = base.doses_in(3);
    assert_eq!((doses["x"], doses["y"]), (2.0, 1.0));
    assert_eq!(base.combined_in(3), [1, 2]);
    assert!(
        parsed
            .arm("bath")
            .expect_err("none")
            .contains("did you mean `both`?")
    );

    // Seeds are paired: an arm that says nothing is the scene to the bit.
    let state = |scene: ParsedScene, seed: u64| {
        let mut simulation = Simulation::new(Arc::new(scene), seed).expect("it was checked");
        for _ in 0..90 {
            simulation.step();
        }
        simulation.state_hash()
    };
    assert_eq!(state(parsed.clone(), 3), state(arm("none"), 3));
    assert_ne!(state(parsed.clone(), 3), state(arm("slow"), 3));
    // What is written of an arm is a scene that gives the same bits.
    let written = arm("both").to_ron(3).expect("it can be written");
    let again = Program::default().parse_scene(&written, "both.ron", None);
    let again = again.unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(state(again, 3), state(arm("both"), 3));
}
