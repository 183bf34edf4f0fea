//! What a film tells of causes: words in a plane, and arrows between them that it shows one after the other.
//!
//! An arrow can name the rules that stand for it, and each must be there: a picture of what the model does not do is refused. In the film of
//! the scene the arrows of a chapter stand below its title, and `Causes("...", "...")` in the timeline lays all of them over the picture.

use std::collections::BTreeMap;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::checker::Checker;
use super::schema::{Action, Scene};
use super::spans::FieldPath;
use super::timeline::Timeline;
use crate::core::regulate::RuleChange;
use crate::core::rule_check::check_change;

/// Most words and most arrows: more than a picture can hold.
const MOST: (usize, usize) = (100, 500);
/// Largest number of a column or a row.
const MOST_PLACES: f32 = 20.0;
/// Words that are nearer to each other than this, in columns and in rows, lie on one place.
const APART: (f32, f32) = (0.25, 0.25);

/// What causes what in a scene, in words: `(words: {"low oxygen": (0, 0), "HIF-1α": (1, 0)}, arrows: [(from: "low oxygen", to: "HIF-1α")])`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct Causes {
    /// The words, and the column and the row in which each stands; parts of a column or a row are possible.
    pub words: BTreeMap<String, (f32, f32)>,
    /// The arrows between them.
    pub arrows: Vec<CauseArrow>,
}

/// An arrow between two words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct CauseArrow {
    /// The cause.
    pub from: String,
    /// What it drives.
    pub to: String,
    /// Whether it holds that back instead.
    #[serde(default)]
    pub holds_back: bool,
    /// Paths of the rules that stand for it, `["carcinoma.hypoxia_calls_vessels"]`; each must be among those of the files or of the scene.
    /// Where the scene deletes one the arrow is drawn as cut.
    #[serde(default)]
    pub rules: Vec<String>,
    /// What weakens it in the arm that is filmed beside the scene: from when that begins it is grey, with this beside it.
    #[serde(default)]
    pub weakened_by: Option<String>,
}

impl Causes {
    /// The arrow between two words.
    pub fn arrow(&self, from: &str, to: &str) -> Option<&CauseArrow> {
        let mut arrows = self.arrows.iter();
        arrows.find(|arrow| arrow.from == from && arrow.to == to)
    }

    /// These arrows in one line, as "low oxygen → HIF-1α → VEGF-A": what goes on where the last one ended is joined to it, and what
    /// has one end in common is written once.
    pub fn in_a_line(&self, arrows: &[(&str, &str)]) -> String {
        let mut chains: Vec<Chain> = Vec::new();
        for (from, to) in arrows {
            let holds_back = self.arrow(from, to).is_some_and(|arrow| arrow.holds_back);
            let sign = if holds_back { "⊣" } else { "→" };
            let step = format!(" {sign} {to}");
            match chains.last_mut() {
                // Another cause of the same.
                Some(chain) if chain.steps == step => chain.causes.push(from),
                // On from where the last one ended.
                Some(chain) if chain.end == *from => {
                    chain.steps.push_str(&step);
                    chain.end = to;
                }
                _ => chains.push(Chain {
                    causes: vec![from],
                    steps: step,
                    end: to,
                }),
            }
        }
        let lines: Vec<String> = chains
            .iter()
            .map(|chain| format!("{}{}", chain.causes.join(", "), chain.steps))
            .collect();
        lines.join("; ")
    }
}

/// Arrows that go on from each other.
struct Chain<'a> {
    /// Where they begin.
    causes: Vec<&'a str>,
    /// What comes of it, as it is written.
    steps: String,
    /// The last word.
    end: &'a str,
}

impl Scene {
    /// Whether a rule that stands for an arrow is deleted in the scene by this time, hours.
    pub fn is_cut(&self, arrow: &CauseArrow, timeline: &Timeline, hours: f64) -> bool {
        let of_timeline = timeline.rules_deleted_until(hours);
        let of_scene = self.rules.iter().filter_map(|change| match change {
            RuleChange::Delete(path) => Some(path.as_str()),
            _ => None,
        });
        let mut deleted = of_scene.chain(of_timeline);
        deleted.any(|path| arrow.rules.iter().any(|rule| rule == path))
    }

    /// The arrows of the chapter at this time, hours, in a line, but for those that are cut.
    pub fn arrows_of_chapter(&self, timeline: &Timeline, hours: f64) -> String {
        let mut arrows = timeline.arrows_of_chapter(hours);
        arrows.retain(|(from, to)| {
            let arrow = self.causes.arrow(from, to);
            !arrow.is_some_and(|arrow| self.is_cut(arrow, timeline, hours))
        });
        self.causes.in_a_line(&arrows)
    }
}

/// Checks the words and arrows, and those that the timeline shows.
pub(super) fn check_causes(checker: &mut Checker, scene: &Scene) {
    let at = FieldPath::root().field("causes");
    let words: Vec<&str> = scene.causes.words.keys().map(String::as_str).collect();
    for (field, found, most) in [
        ("words", words.len(), MOST.0),
        ("arrows", scene.causes.arrows.len(), MOST.1),
    ] {
        if found > most {
            let message = format!("at most {most} are possible, found {found}");
            checker.problem(&at.field(field), message);
            return;
        }
    }
    for (word, (column, row)) in &scene.causes.words {
        let at = at.field("words").key(word);
        super::check::line(checker, &at, word);
        if word.trim().is_empty() {
            checker.problem(&at, "a place needs a word");
        }
        for (place, number) in [column, row].into_iter().enumerate() {
            let at = at.nth(place);
            if checker.finite(&at, *number) && !(0.0..=MOST_PLACES).contains(number) {
                let message = format!("must be from 0 to {MOST_PLACES}, found {number}");
                checker.problem(&at, message);
            }
        }
        let mut others = scene.causes.words.iter();
        let near =
            |of: &(f32, f32)| (of.0 - column).abs() < APART.0 && (of.1 - row).abs() < APART.1;
        let before = others.find(|(other, place)| *other < word && near(place));
        if let Some((other, _)) = before {
            let message = format!("`{word}` and `{other}` stand on one place");
            checker.problem_with_help(&at, message, "give one of them another column or row");
        }
    }
    if words.is_empty() && !scene.causes.arrows.is_empty() {
        let at = at.field("arrows");
        let help =
            "list the words that they join: `words: {\"low oxygen\": (0, 0), \"HIF-1α\": (1, 0)}`";
        checker.problem_with_help(&at, "arrows need `words` to lead from and to", help);
        return;
    }
    for (index, arrow) in scene.causes.arrows.iter().enumerate() {
        let at = at.field("arrows").item(index);
        for (end, word) in [("from", &arrow.from), ("to", &arrow.to)] {
            checker.known(&at.field(end), "cause", word, &words);
        }
        if arrow.from == arrow.to {
            checker.problem(&at.field("to"), "an arrow leads from one word to another");
        }
        let same = |other: &CauseArrow| other.from == arrow.from && other.to == arrow.to;
        if scene.causes.arrows[..index].iter().any(same) {
            let message = format!(
                "there are two arrows from `{}` to `{}`",
                arrow.from, arrow.to
            );
            checker.problem(&at, message);
        }
        if let Some(what) = &arrow.weakened_by {
            let at = at.field("weakened_by");
            super::check::line(checker, &at, what);
        }
    }
    if words.is_empty() {
        let mut shown = scene.actions().filter(|(_, action)| match action {
            Action::Arrow(..) => true,
            Action::Causes(heading, _) => !heading.is_empty(),
            _ => false,
        });
        if let Some((path, _)) = shown.next() {
            checker.problem_with_help(
                &path,
                "the scene has no `causes` that could be shown",
                "add them: `causes: (words: {\"low oxygen\": (0, 0), \"HIF-1α\": (1, 0)}, arrows: [(from: \"low oxygen\", to: \"HIF-1α\")])`",
            );
        }
        return;
    }
    for (path, action) in scene.actions() {
        match action {
            Action::Arrow(from, to) => {
                let of_both = [(path.nth(0), from), (path.nth(1), to)];
                let known = of_both.map(|(at, word)| checker.known(&at, "cause", word, &words));
                if known == [true; 2] && scene.causes.arrow(from, to).is_none() {
                    checker.problem_with_help(
                        &path,
                        format!("`causes` has no arrow from `{from}` to `{to}`"),
                        "list it among `arrows` of `causes`",
                    );
                }
            }
            Action::Causes(heading, note) => {
                super::check::line(checker, &path.nth(0), heading);
                super::check::line(checker, &path.nth(1), note);
            }
            _ => {}
        }
    }
}

/// Checks that the rules that stand for arrows are there, in a world that has those of all cell types and sites.
pub(super) fn check_rules_of_causes(checker: &mut Checker, scene: &Scene, world: &World) {
    let at = FieldPath::root().field("causes").field("arrows");
    let added: Vec<String> = scene
        .rules
        .iter()
        .filter_map(|change| match change {
            RuleChange::Add { of, name, .. } => Some(format!("{of}.{name}")),
            _ => None,
        })
        .collect();
    for (index, arrow) in scene.causes.arrows.iter().enumerate() {
        for (place, path) in arrow.rules.iter().enumerate() {
            let found = check_change(world, &RuleChange::Delete(path.clone()));
            if let Err(fault) = found
                && !added.contains(path)
                && !checker.is_unread(path)
            {
                let at = at.item(index).field("rules").item(place);
                checker.problem(&at, fault.message.as_str());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Program;

    fn scene(causes: &str, timeline: &str) -> Result<Scene, String> {
        let text = format!(
            r#"(title: "t", about: "a", pace: Illustrative, duration: Hours(10),
                sites: [(name: "left", organ: Medium, size_um: (200, 200, 200), fields: [(molecule: "oxygen", level: 38)])],
                populations: [(cell: "cancer", place: Ball(radius_um: 45))],
                causes: {causes}, timeline: [{timeline}])"#
        );
        let parsed = Program::default().parse_scene(&text, "t.ron", None);
        parsed
            .map(|of| of.scene)
            .map_err(|report| report.to_string())
    }

    #[test]
    fn words_are_compared_whole() {
        let words = r#"words: {"PD-L1": (0, 0), "T and NK cells": (1, 0), "cells": (2, 0), "colonies": (3, 0)}"#;
        let arrows = r#"[(from: "PD-L1", to: "T and NK cells"), (from: "cells", to: "colonies")]"#;
        let scene = scene(&format!("({words}, arrows: {arrows})"), "").expect("it is fine");
        let arrows = [("PD-L1", "T and NK cells"), ("cells", "colonies")];
        assert_eq!(
            scene.causes.in_a_line(&arrows),
            "PD-L1 → T and NK cells; cells → colonies"
        );
    }

    #[test]
    fn an_arrow_whose_rule_the_scene_deletes_is_cut() {
        let arrows = r#"[(from: "HIF", to: "VEGF-A", rules: ["cancer.hypoxia_calls_vessels"]), (from: "low oxygen", to: "HIF")]"#;
        let shown = r#"At(Hours(0), Chapter("1", "Less oxygen")), At(Hours(0), Arrow("HIF", "VEGF-A")),
            At(Hours(0), Arrow("low oxygen", "HIF")), At(Hours(2), Rule(Delete("cancer.hypoxia_calls_vessels")))"#;
        let scene = scene(&format!("({WORDS}, arrows: {arrows})"), shown).expect("it is fine");
        let timeline = Timeline::new(&scene);
        let cut = |arrow: usize, hours| scene.is_cut(&scene.causes.arrows[arrow], &timeline, hours);
        assert!(!cut(0, 1.0) && cut(0, 2.0) && !cut(1, 2.0));
        assert_eq!(scene.arrows_of_chapter(&timeline, 3.0), "low oxygen → HIF");
        let deleted = Scene {
            rules: vec![RuleChange::Delete("cancer.hypoxia_calls_vessels".into())],
            ..scene
        };
        assert!(deleted.is_cut(&deleted.causes.arrows[0], &timeline, 0.0));
    }

    const WORDS: &str =
        r#"words: {"low oxygen": (0, 0), "HIF": (1, 0), "VEGF-A": (2, 0), "killers": (1, 1)}"#;

    #[test]
    fn arrows_in_a_line_are_joined_where_they_meet() {
        let arrows = r#"[(from: "low oxygen", to: "HIF"), (from: "HIF", to: "VEGF-A", rules: ["cancer.hypoxia_calls_vessels"]),
            (from: "low oxygen", to: "killers", holds_back: true), (from: "HIF", to: "killers", holds_back: true)]"#;
        let scene = scene(&format!("({WORDS}, arrows: {arrows})"), "").expect("it is fine");
        let line = |arrows: &[(&str, &str)]| scene.causes.in_a_line(arrows);
        assert_eq!(
            line(&[("low oxygen", "HIF"), ("HIF", "VEGF-A")]),
            "low oxygen → HIF → VEGF-A"
        );
        assert_eq!(
            line(&[
                ("low oxygen", "killers"),
                ("HIF", "killers"),
                ("HIF", "VEGF-A")
            ]),
            "low oxygen, HIF ⊣ killers; HIF → VEGF-A"
        );
        assert_eq!(line(&[]), "");
    }

    #[test]
    fn what_is_not_there_is_told() {
        for (arrows, timeline, told) in [
            (
                r#"(from: "low oxygen", to: "HIV")"#,
                "",
                "there is no cause `HIV`",
            ),
            (
                r#"(from: "HIF", to: "HIF")"#,
                "",
                "from one word to another",
            ),
            (
                r#"(from: "HIF", to: "VEGF-A"), (from: "HIF", to: "VEGF-A")"#,
                "",
                "two arrows from `HIF` to `VEGF-A`",
            ),
            (
                r#"(from: "HIF", to: "VEGF-A", rules: ["cancer.hypoxia_calls_vesels"])"#,
                "",
                "hypoxia_calls_vessels",
            ),
            (
                r#"(from: "HIF", to: "VEGF-A")"#,
                r#"At(Hours(1), Arrow("VEGF-A", "HIF"))"#,
                "no arrow from `VEGF-A` to `HIF`",
            ),
        ] {
            let found = scene(&format!("({WORDS}, arrows: [{arrows}])"), timeline);
            let report = found.expect_err("it is wrong");
            assert!(report.contains(told), "{told}: {report}");
        }
        for (words, told) in [
            (
                r#"words: {"a": (0, 0), "b": (0.1, 0)}"#,
                "`b` and `a` stand on one place",
            ),
            (
                r#"words: {"a": (0, 500)}"#,
                "must be from 0 to 20, found 500",
            ),
        ] {
            let report = scene(&format!("({words})"), "").expect_err("it is wrong");
            assert!(report.contains(told), "{told}: {report}");
        }
        let many: Vec<String> = (0..101).map(|n| format!("\"{n}\": ({n}, 0)")).collect();
        for (causes, told) in [
            (
                format!("(words: {{{}}})", many.join(", ")),
                "at most 100 are possible",
            ),
            (
                r#"(arrows: [(from: "a", to: "b")])"#.into(),
                "arrows need `words`",
            ),
        ] {
            let report = scene(&causes, "").expect_err("it is wrong");
            assert!(report.contains(told), "{told}: {report}");
        }
        let report = scene("()", r#"At(Hours(1), Causes("All", ""))"#).expect_err("there are none");
        assert!(report.contains("no `causes`"), "{report}");
    }
}
