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
use crate::core::regulate::RuleChange;
use crate::core::rule_check::check_change;

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
    /// Paths of the rules that stand for it, each of which must be there: `["carcinoma.hypoxia_calls_vessels"]`.
    #[serde(default)]
    pub rules: Vec<String>,
    /// What weakens it in an arm of the scene that is filmed beside it: it is grey then, with this beside it.
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
        let mut chains: Vec<(Vec<&str>, String)> = Vec::new();
        for (from, to) in arrows {
            let holds_back = self.arrow(from, to).is_some_and(|arrow| arrow.holds_back);
            let sign = if holds_back { "⊣" } else { "→" };
            let step = format!(" {sign} {to}");
            match chains.last_mut() {
                // Another cause of the same.
                Some((causes, rest)) if *rest == step => causes.push(from),
                // On from where the last one ended.
                Some((_, rest)) if rest.ends_with(&format!(" {from}")) => rest.push_str(&step),
                _ => chains.push((vec![from], step)),
            }
        }
        let lines: Vec<String> = chains
            .iter()
            .map(|(causes, rest)| format!("{}{rest}", causes.join(", ")))
            .collect();
        lines.join("; ")
    }
}

/// Checks the words and arrows, and those that the timeline shows.
pub(super) fn check_causes(checker: &mut Checker, scene: &Scene) {
    let at = FieldPath::root().field("causes");
    let words: Vec<&str> = scene.causes.words.keys().map(String::as_str).collect();
    for (word, (column, row)) in &scene.causes.words {
        let at = at.field("words").key(word);
        super::check::line(checker, &at, word);
        if word.trim().is_empty() {
            checker.problem(&at, "a place needs a word");
        }
        checker.finite(&at.nth(0), *column);
        checker.finite(&at.nth(1), *row);
    }
    for (index, arrow) in scene.causes.arrows.iter().enumerate() {
        let at = at.field("arrows").item(index);
        for (end, word) in [("from", &arrow.from), ("to", &arrow.to)] {
            checker.known(&at.field(end), "word of `causes`", word, &words);
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
            super::check::line(checker, &at.field("weakened_by"), what);
        }
    }
    for (path, action) in scene.actions() {
        match action {
            Action::Arrow(from, to) => {
                let of_both = [(path.nth(0), from), (path.nth(1), to)];
                let known =
                    of_both.map(|(at, word)| checker.known(&at, "word of `causes`", word, &words));
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
                if words.is_empty() && !heading.is_empty() {
                    checker.problem(&path, "the scene has no `causes` that could be shown");
                }
            }
            _ => {}
        }
    }
}

/// Checks that the rules that stand for arrows are there, in a world that has those of all cell types and sites.
pub(super) fn check_rules_of_causes(checker: &mut Checker, scene: &Scene, world: &World) {
    let at = FieldPath::root().field("causes").field("arrows");
    for (index, arrow) in scene.causes.arrows.iter().enumerate() {
        for (place, path) in arrow.rules.iter().enumerate() {
            let found = check_change(world, &RuleChange::Delete(path.clone()));
            if let Err(fault) = found
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
            (r#"(from: "low oxygen", to: "HIV")"#, "", "HIV"),
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
        let report = scene("()", r#"At(Hours(1), Causes("All", ""))"#).expect_err("there are none");
        assert!(report.contains("no `causes`"), "{report}");
    }
}
