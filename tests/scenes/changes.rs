//! What is said of the rules and parameters that a scene changes, at the start and in its timeline.

use std::fmt::Write;

use tumorscape::scene::parse_scene;
use tumorscape::simulation::Simulation;

use super::context;

/// What is said, without the place in the text, about a small scene with these fields besides.
pub fn said_about(fields: &str) -> Vec<String> {
    let text = format!(
        "(title: \"t\", about: \"a\", pace: Illustrative, duration: Hours(9), step: Minutes(6), \
         sites: [(name: \"s\", organ: Medium, size_um: (100, 100, 100))], {fields})"
    );
    match parse_scene(&text, "tests/changes.ron", &context()) {
        Ok(parsed) => {
            // What is accepted can be set up.
            let simulation = Simulation::new(std::sync::Arc::new(parsed), 1);
            simulation.unwrap_or_else(|error| panic!("{error}"));
            Vec::new()
        }
        Err(report) => report
            .headlines()
            .iter()
            .map(|line| {
                line.splitn(4, ':')
                    .last()
                    .expect("a message")
                    .trim()
                    .to_owned()
            })
            .collect(),
    }
}

const NEW_RULE: &str =
    r#"Add(of: "cancer", name: "zz", rule: (input: "cycle.entry", by: "hif.level", law: Fold(1)))"#;
const NO_ZZ: &str = "there is no parameter `cancer.rules.zz.law.gain`";

#[test]
fn parameters_of_a_scene_are_those_of_its_own_rules() {
    let added = format!(r#"rules: [{NEW_RULE}], parameters: {{"cancer.rules.zz.law.gain": 2}}"#);
    assert_eq!(said_about(&added), [""; 0]);
    let said = said_about(
        r#"rules: [Delete("cancer.hypoxia_calls_vessels")],
           parameters: {"cancer.rules.hypoxia_calls_vessels.scale": 2}"#,
    );
    let path = "cancer.rules.hypoxia_calls_vessels.scale";
    let start = format!("parameters[\"{path}\"]: there is no parameter `{path}`");
    assert!(said.len() == 1 && said[0].starts_with(&start), "{said:?}");
    let wrong = said_about(&added.replace("hif.level", "hif.levle"));
    let expected = "rules[0].rule.by: there is no quantity `hif.levle`; did you mean `hif.level`?";
    assert_eq!(
        wrong,
        [expected],
        "what builds on a wrong rule is not called wrong"
    );
}

#[test]
fn a_timeline_is_checked_in_the_order_of_its_times() {
    let at = |hours: f64, action: &str| format!("At(Hours({hours}), {action})");
    let every = |from: f64, action: &str| {
        format!("Every(every: Hours(1), from: Hours({from}), action: {action})")
    };
    let set = r#"Set("cancer.rules.zz.law.gain", 2)"#;
    let add = &format!("Rule({NEW_RULE})");
    let delete = r#"Rule(Delete("cancer.zz"))"#;
    let timeline = |events: &[String]| said_about(&format!("timeline: [{}]", events.join(", ")));
    for fine in [
        vec![at(1.0, add), at(2.0, set), at(3.0, delete)],
        vec![at(3.0, delete), at(2.0, set), at(1.0, add)],
        // Within a step the order of the file holds.
        vec![at(1.0, add), at(1.0, set), at(1.0, delete)],
        vec![at(2.0, set), every(1.0, add)],
        vec![every(2.0, set), at(1.0, add)],
        // Each time it is there again.
        vec![every(1.0, add), every(1.0, set), every(1.0, delete)],
        vec![every(1.0, add), at(1.5, delete), at(2.5, set)],
    ] {
        assert_eq!(timeline(&fine), [""; 0], "{fine:?}");
    }
    for (wrong, events) in [
        (0, vec![at(1.0, set), at(2.0, add)]),
        (0, vec![at(3.0, set), at(2.0, delete), at(1.0, add)]),
        (1, vec![at(1.0, delete), at(1.0, set), at(0.5, add)]),
        (2, vec![at(1.0, add), at(4.0, delete), every(2.0, set)]),
        (0, vec![every(1.0, set), at(2.0, add)]),
    ] {
        let said = timeline(&events);
        let place = format!("timeline[{wrong}].");
        let told = said.len() == 1 && said[0].starts_with(&place) && said[0].contains(NO_ZZ);
        assert!(told, "{events:?}: {said:?}");
    }
    let said = timeline(&[at(2.0, add), at(1.0, delete)]);
    let expected = "timeline[1].1: there is no rule `cancer.zz`";
    assert!(said.len() == 1 && said[0].starts_with(expected), "{said:?}");
}

#[test]
fn a_scene_adds_only_laws_that_combine_with_the_others() {
    let cell = r#"cell_types: [(name: "cancer", about: "a", colour: (0, 0, 1), cycle: (), metabolism: (),
        hif: (), combine: { "cycle.entry": MultiHill })]"#;
    let message = "the rules on `cycle.entry` of `cancer` are combined by `MultiHill`, which takes only those of the form `Hill`";
    let at_start = said_about(&format!("{cell}, rules: [{NEW_RULE}]"));
    assert_eq!(at_start, [format!("rules[0].rule.law: {message}")]);
    let later = said_about(&format!(
        "{cell}, timeline: [At(Hours(1), Rule({NEW_RULE}))]"
    ));
    assert_eq!(later, [format!("timeline[0].1.rule.law: {message}")]);
    let hill = NEW_RULE.replace("Fold(1)", "Hill(half: 1, to: 2)");
    assert_eq!(said_about(&format!("{cell}, rules: [{hill}]")), [""; 0]);
}

/// The timeline of a scene, of events `(hours, action)`; from hours on every so many where there are two numbers.
fn timeline_of(events: &[(f64, Option<f64>, &str)]) -> String {
    let mut text = String::from("timeline: [");
    for (from, every, action) in events {
        let written = match every {
            None => write!(text, "At(Hours({from}), {action}), "),
            Some(every) => write!(
                text,
                "Every(every: Hours({every}), from: Hours({from}), action: {action}), "
            ),
        };
        written.expect("memory to write to");
    }
    text + "]"
}

#[test]
fn repeated_events_are_followed_through_all_their_occurrences() {
    let add = &format!("Rule({NEW_RULE})");
    let (delete, set) = (
        r#"Rule(Delete("cancer.zz"))"#,
        r#"Set("cancer.rules.zz.law.gain", 2)"#,
    );
    // It is added at 1 and 4 h, deleted at 3 and 6 h, set from 4.5 h on: at 6.5 h it is not there.
    let events = [
        (1.0, None, add.as_str()),
        (3.0, Some(3.0), delete),
        (4.0, None, add),
        (4.5, Some(1.0), set),
    ];
    let said = said_about(&timeline_of(&events));
    let told =
        said.len() == 1 && said[0].starts_with("timeline[3].action.0: ") && said[0].contains(NO_ZZ);
    assert!(told, "{said:?}");
    // If it is added again after each time, all is well, however often.
    let events = [
        (1.0, Some(0.1), add.as_str()),
        (1.0, Some(0.3), set),
        (1.0, Some(0.2), delete),
    ];
    assert_eq!(said_about(&timeline_of(&events)), [""; 0]);
}

#[test]
fn a_timeline_does_not_set_parameters_that_contradict_each_other() {
    let full = r#"Set("cancer.death.necrosis_full_mmhg", 8)"#;
    let onset = r#"Set("cancer.death.necrosis_onset_mmhg", 9)"#;
    let low = r#"Set("cancer.death.necrosis_onset_mmhg", 5)"#;
    for fine in [
        vec![(1.0, None, onset), (2.0, None, full)],
        // Within a step the order does not matter.
        vec![(1.0, None, full), (1.0, None, onset)],
    ] {
        assert_eq!(said_about(&timeline_of(&fine)), [""; 0], "{fine:?}");
    }
    for (wrong, events) in [
        ("0.1.1", vec![(1.0, None, full)]),
        (
            "2.1.1",
            vec![(1.0, None, onset), (2.0, None, full), (3.0, None, low)],
        ),
        // The third time.
        (
            "2.1.1",
            vec![(1.0, Some(3.0), onset), (1.5, None, full), (2.5, None, low)],
        ),
        (
            "0.1.1",
            vec![(1.0, None, r#"Set("cancer.body.nucleus_um3", 100000)"#)],
        ),
    ] {
        let said = said_about(&timeline_of(&events));
        let (event, value) = wrong.split_once('.').expect("a dot");
        let place = format!("timeline[{event}].{value}: `cancer.");
        assert!(
            said.len() == 1 && said[0].starts_with(&place),
            "{events:?}: {said:?}"
        );
    }
}

#[test]
fn a_timeline_does_not_make_clones_contradict_themselves() {
    let cell = |heritable: &str| {
        format!(
            r#"cell_types: [(name: "cancer", about: "a", colour: (0, 0, 1), cycle: (),
                death: (necrosis_onset_mmhg: 5, necrosis_full_mmhg: 2.5), heritable: {{{heritable}}})], "#
        )
    };
    let set = timeline_of(&[(1.0, None, r#"Set("cancer.death.necrosis_full_mmhg", 4)"#)]);
    let said = |heritable: &str| said_about(&(cell(heritable) + &set));
    assert_eq!(
        said(r#""cycle.s_hours": (spread: 0.1, mutation: 0.1)"#),
        [""; 0]
    );
    // With a spread of 1 % it is still above 4 mmHg.
    assert_eq!(
        said(r#""death.necrosis_onset_mmhg": (spread: 0.01, mutation: 0.1)"#),
        [""; 0]
    );
    let wrong = said(r#""death.necrosis_onset_mmhg": (spread: 0.1, mutation: 0.1)"#);
    let expected = "timeline[0].1.1: clones that have inherited other parameters of `cancer.death` could come to contradict";
    assert!(
        wrong.len() == 1 && wrong[0].starts_with(expected),
        "{wrong:?}"
    );
}

#[test]
fn names_in_rules_are_told_for_what_they_are() {
    let rule = |input: &str, by: &str| {
        said_about(&format!(
            r#"rules: [Add(of: "cancer", name: "zz", rule: (input: "{input}", by: "{by}", law: Fold(1)))]"#
        ))
    };
    for (input, by, says) in [
        (
            "cycle.entry",
            "phase",
            "rules[0].rule.by: `phase` is a category; a rule goes by a quantity",
        ),
        ("cycle.entry", "hif_1a", "the quantity in it is `hif.level`"),
        (
            "cycle.g0g1_hours",
            "hif.level",
            "`cycle.g0g1_hours` is a parameter, not an input; the inputs of `cycle` are `cycle.entry`",
        ),
    ] {
        let said = rule(input, by);
        assert!(said.len() == 1 && said[0].contains(says), "{said:?}");
    }
    let deaf = r#"cell_types: [(name: "deaf", about: "a", colour: (0, 0, 1)), (name: "left", about: "a", colour: (0, 0, 1),
        hif: (), death: (), rules: {"signal_moves": (input: "death.apoptosis", by: "hif.level", law: Fold(1))})], "#;
    for (change, says) in [
        (
            r#"Delete("deaf.signal_moves")"#,
            "rules[0]: there is no rule `deaf.signal_moves`: `deaf` has none",
        ),
        (
            r#"Delete("left.signal_movs")"#,
            "did you mean `left.signal_moves`?",
        ),
        (
            r#"Delete("left", "signal_moves")"#,
            r#"rules[0]: write `Delete("left.signal_moves")`"#,
        ),
    ] {
        let said = said_about(&format!("{deaf} rules: [{change}]"));
        assert!(said.len() == 1 && said[0].contains(says), "{said:?}");
    }
}

#[test]
fn laws_in_another_form_are_told_how_they_are_written() {
    for (law, says) in [
        ("Fold(gain: 9)", "rules[0].rule.law: write `Fold(9)`"),
        (
            "Hill(0.2, 2, 0.6)",
            "rules[0].rule.law: write `Hill(half: ..., exponent: ..., to: ...)`",
        ),
    ] {
        let said = said_about(&format!("rules: [{}]", NEW_RULE.replace("Fold(1)", law)));
        assert_eq!(said, [says]);
    }
}

#[test]
fn a_rule_that_can_never_act_is_refused() {
    let fibroblast = NEW_RULE
        .replace("\"cancer\"", "\"fibroblast\"")
        .replace("hif.level", "emt.n_cadherin")
        .replace("cycle.entry", "death.apoptosis");
    let said = said_about(&format!("rules: [{fibroblast}]"));
    let expected = "rules[0].rule.by: cells of this type have no `emt.n_cadherin`, so the rule would never act";
    assert_eq!(said, [expected]);
    let added = NEW_RULE.replace("Fold(1)", "Add(1), floor: 0.5");
    let said = said_about(&format!("rules: [{added}]"));
    assert!(
        said.len() == 1 && said[0].starts_with("rules[0].rule.floor: `Add` has no factor"),
        "{said:?}"
    );
}

#[test]
fn lists_have_a_longest_length_and_long_ones_are_checked_at_once() {
    let deletions = r#"Delete("cancer.gone"), "#.repeat(4_000);
    assert_eq!(said_about(&format!("rules: [{deletions}]")).len(), 4_000);
    let molecule = |number: usize| {
        format!(
            "(name: \"m{number}\", label: \"m\", about: \"\", unit: \"nM\", nm_per_unit: 1, \
             diffusivity_um2_per_min: 1e3, half_saturation: 1, quasi_steady: true, every_minutes: 6, \
             crosses_vessel_walls: false, source: \"none\")"
        )
    };
    let list: Vec<String> = (0..16_000).map(molecule).collect();
    let said = said_about(&format!("molecules: [{}]", list.join(", ")));
    assert_eq!(said, ["molecules: at most 1000 are possible, found 16000"]);
}
