//! The arms of a trial: one scene several times, in each arm with something else about it.
//!
//! An arm shares everything with the scene that it stands in but what it says itself: parameters, choices, rules that are
//! gone, events of the timeline. Seeds are paired: an arm that says nothing gives the bits of the scene, seed by seed. An
//! arm that combines others has what they have, and then its own.
//!
//! [`Scene::in_arm`] makes the scene that an arm is. All checks are made of that scene, and what is wrong is told where it
//! stands in the arm.

use std::collections::{BTreeMap, BTreeSet};

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::check::line;
use super::checker::Checker;
use super::library::CellLibrary;
use super::schema::{Condition, Event, Expectation, Scene, Test};
use super::spans::FieldPath;
use super::timeline::Timeline;
use super::{
    ParsedScene, Problem, SceneContext, SceneReport, Tables, changes, check, drugs, effects,
};
use crate::core::metric::Metric;
use crate::core::parameters::nearest;
use crate::core::regulate::RuleChange;

/// Most arms of a scene.
pub(super) const MAX_ARMS: usize = 100;

/// One arm of a trial: what is different in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// Its name, as it stands in tables and pictures; unique.
    pub name: String,
    /// What it is, in a sentence.
    #[serde(default)]
    pub about: String,
    /// Names of arms above that it puts together: it has all that they have, and then its own.
    #[serde(default)]
    pub combines: Vec<String>,
    /// How much of what is given, by name: `{"anti-PD-1": 10}`. It changes nothing, but says on which axis of a dose-response
    /// curve the arm lies. Of an arm that combines others these are theirs.
    #[serde(default)]
    pub doses: BTreeMap<String, f64>,
    /// Parameters that are others in it, by path.
    #[serde(default)]
    pub parameters: BTreeMap<String, f64>,
    /// Choices that are others in it, by path.
    #[serde(default)]
    pub choices: BTreeMap<String, String>,
    /// Paths of rules of cell types and sites that it lacks: `["cancer.tgf_beta_drives_emt"]`.
    #[serde(default)]
    pub without: Vec<String>,
    /// What happens in it besides the timeline of the scene.
    #[serde(default)]
    pub timeline: Vec<Event>,
    /// What must come true in it, in place of what the scene expects.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// What a trial of the arms of a scene measures, and how often it repeats them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct Endpoints {
    /// Runs of each arm, with as many seeds; `--replicates` overrides it.
    pub replicates: u32,
    /// Name of the arm with which the others are compared; the first if left out.
    pub control: Option<String>,
    /// What is compared at the end; the figures that are written over a picture if left out.
    pub measures: Vec<Measured>,
    /// The time of this is compared as a time of survival is: the first measurement at which it holds.
    pub time_to: Option<Condition>,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            replicates: 10,
            control: None,
            measures: Vec::new(),
            time_to: None,
        }
    }
}

/// A column of `metrics.csv` that a trial compares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Name of the column.
    pub metric: String,
    /// Name of the site; the first one if left out.
    #[serde(default)]
    pub site: Option<String>,
}

/// Where what an arm's scene has stands in the file: path in that scene, path in the file.
type Moved = Vec<(FieldPath, FieldPath)>;

impl Scene {
    /// The scene that an arm is, by its place in the list; it has no arms itself.
    pub fn in_arm(&self, arm: usize) -> Self {
        self.in_arm_with_places(arm).0
    }

    fn in_arm_with_places(&self, arm: usize) -> (Self, Moved) {
        let mut scene = Self {
            arms: Vec::new(),
            ..self.clone()
        };
        let mut moved = Moved::new();
        scene.recording.side_by_side = false;
        scene.recording.beside = None;
        scene.expect.clear();
        for part in self.parts_of(arm) {
            self.add_arm(part, &mut scene, &mut moved);
        }
        let root = FieldPath::root();
        let own = root.field("arms").item(arm);
        for (index, expectation) in self.arms[arm].expect.iter().enumerate() {
            let there = root.field("expect").item(index);
            moved.push((there, own.field("expect").item(index)));
            scene.expect.push(expectation.clone());
        }
        (scene, moved)
    }

    /// The arms that an arm is made of, itself last, each once.
    fn parts_of(&self, arm: usize) -> Vec<usize> {
        let mut parts = Vec::new();
        self.note_parts(arm, &mut parts);
        parts
    }

    fn note_parts(&self, arm: usize, parts: &mut Vec<usize>) {
        // Once: arms that each combine all above would have no end in practice.
        if parts.contains(&arm) {
            return;
        }
        for above in self.combined_in(arm) {
            self.note_parts(above, parts);
        }
        parts.push(arm);
    }

    /// How much of what an arm gives, with that of the arms that it combines.
    pub fn doses_in(&self, arm: usize) -> BTreeMap<String, f64> {
        let mut doses = BTreeMap::new();
        for part in self.parts_of(arm) {
            for (name, dose) in &self.arms[part].doses {
                *doses.entry(name.clone()).or_insert(0.0) += dose;
            }
        }
        doses
    }

    /// The arms that an arm combines, by their places; none where it combines nothing.
    pub fn combined_in(&self, arm: usize) -> Vec<usize> {
        let above = &self.arms[..arm];
        let names = self.arms[arm].combines.iter();
        names
            .filter_map(|name| above.iter().position(|above| above.name == *name))
            .collect()
    }

    fn add_arm(&self, arm: usize, scene: &mut Self, moved: &mut Moved) {
        let root = FieldPath::root();
        let at = root.field("arms").item(arm);
        let of = &self.arms[arm];
        for (path, value) in &of.parameters {
            scene.parameters.insert(path.clone(), *value);
            let there = root.field("parameters").key(path);
            moved.push((there, at.field("parameters").key(path)));
        }
        for (path, name) in &of.choices {
            scene.choices.insert(path.clone(), name.clone());
            let there = root.field("choices").key(path);
            moved.push((there, at.field("choices").key(path)));
        }
        for (index, rule) in of.without.iter().enumerate() {
            // What the scene itself deletes, or an arm that is combined, is gone.
            if scene.rules.contains(&RuleChange::Delete(rule.clone())) {
                continue;
            }
            let there = root.field("rules").item(scene.rules.len());
            moved.push((there, at.field("without").item(index)));
            scene.rules.push(RuleChange::Delete(rule.clone()));
        }
        for (index, event) in of.timeline.iter().enumerate() {
            let there = root.field("timeline").item(scene.timeline.len());
            moved.push((there, at.field("timeline").item(index)));
            scene.timeline.push(event.clone());
        }
    }
}

impl ParsedScene {
    /// The scene as it is in the arm of that name.
    ///
    /// # Errors
    /// In words, when it has no such arm.
    pub fn arm(&self, name: &str) -> Result<Self, String> {
        let names: Vec<&str> = self
            .scene
            .arms
            .iter()
            .map(|arm| arm.name.as_str())
            .collect();
        let Some(arm) = names.iter().position(|known| *known == name) else {
            let mut message = format!("`{}` has no arm `{name}`", self.name);
            if names.is_empty() {
                message.push_str(": it lists no `arms`");
            } else if let Some(guess) = nearest(name, &names) {
                message.push_str(&format!("; did you mean `{guess}`?"));
            } else {
                message.push_str(&format!("; it has `{}`", names.join("`, `")));
            }
            return Err(message);
        };
        Ok(self.with_scene(self.scene.in_arm(arm)))
    }

    /// Another scene of the same cell types, molecules and tables.
    fn with_scene(&self, scene: Scene) -> Self {
        Self {
            timeline: Timeline::new(&scene),
            scene,
            ..self.clone()
        }
    }

    /// The same with another arm, which nobody has checked yet; `program` checks what comes of it when it is read.
    #[must_use]
    pub fn in_unchecked_arm(&self, arm: Arm) -> Self {
        let mut scene = self.scene.clone();
        scene.arms = vec![arm];
        self.with_scene(scene.in_arm(0))
    }
}

/// What is wrong with the scenes that arms are: with the name of the arm.
pub(super) struct InArms {
    problems: Vec<(String, Problem)>,
    sources: Vec<(String, String)>,
}

/// Makes all checks of the scenes that the arms are; [`check_arms`] tells of what they found.
pub(super) fn check_scenes_of_arms(
    checker: &Checker,
    scene: &Scene,
    at_hand: (&CellLibrary, &drugs::AtHand),
    context: &SceneContext,
    tables: &mut Tables,
) -> InArms {
    let mut found = InArms {
        problems: Vec::new(),
        sources: Vec::new(),
    };
    for (index, arm) in scene.arms.iter().enumerate() {
        let report = check_scene_of(checker, (scene, index), at_hand, context, tables);
        let problems = report.problems.into_iter();
        found
            .problems
            .extend(problems.map(|problem| (arm.name.clone(), problem)));
        found.sources.extend(report.sources);
    }
    found
}

/// Checks the arms of a scene and what a trial of them measures. The scene itself has been checked, and what is wrong with
/// it is in `checker`; what is wrong with the scenes that the arms are is told where it is wrong in these alone.
pub(super) fn check_arms(
    checker: &mut Checker,
    scene: &Scene,
    library: &CellLibrary,
    context: &SceneContext,
    found: InArms,
) {
    let root = FieldPath::root();
    if scene.recording.side_by_side && scene.arms.len() < 2 {
        let at = root.field("recording").field("side_by_side");
        checker.problem(&at, "the scene needs at least two `arms` for that");
    }
    let list = root.field("arms");
    let mut above: Vec<&str> = Vec::new();
    for (index, arm) in scene.arms.iter().enumerate() {
        let at = list.item(index);
        check_names(checker, &at, arm, &above);
        above.push(&arm.name);
        for (name, dose) in &arm.doses {
            checker.not_negative(&at.field("doses").key(name), *dose);
            line(checker, &at.field("doses").key(name), name);
        }
    }
    let own = FieldPath::root().field("arms").to_string();
    for (arm, mut problem) in found.problems {
        let is_known = checker.report.problems.iter().any(|known| {
            let what = |problem: &Problem| (problem.file.clone(), problem.span.clone());
            what(known) == what(&problem) && known.message.ends_with(&problem.message)
        });
        if is_known {
            continue;
        }
        // What only the arm makes wrong elsewhere in the scene.
        if !problem.path.starts_with(&own) {
            problem.message = format!("in the arm `{arm}`: {}", problem.message);
        }
        checker.report.problems.push(problem);
    }
    for (name, text) in &found.sources {
        checker.report.add_source(name, text);
    }
    check_endpoints(checker, scene, library, context);
}

fn check_names(checker: &mut Checker, at: &FieldPath, arm: &Arm, above: &[&str]) {
    let name = at.field("name");
    line(checker, &name, &arm.name);
    line(checker, &at.field("about"), &arm.about);
    if arm.name.trim().is_empty() {
        checker.problem(&name, "an arm needs a name");
    } else if let Some(first) = above.iter().position(|known| *known == arm.name) {
        let message = format!("`{}` is already the name of arms[{first}]", arm.name);
        checker.problem_with_help(&name, message, "give the arm another name");
    }
    for (index, other) in arm.combines.iter().enumerate() {
        let at = at.field("combines").item(index);
        checker.known(&at, "arm above this one named", other, above);
        if arm.combines[..index].contains(other) {
            checker.problem(&at, "this arm is combined already");
        }
    }
}

/// Makes all checks of the scene that an arm is.
fn check_scene_of(
    checker: &Checker,
    (scene, arm): (&Scene, usize),
    (library, drugs): (&CellLibrary, &drugs::AtHand),
    context: &SceneContext,
    tables: &mut Tables,
) -> SceneReport {
    let (of_arm, moved) = scene.in_arm_with_places(arm);
    let mut inner = Checker {
        report: SceneReport::default(),
        moved: &moved,
        ..*checker
    };
    check::check_scene(&mut inner, &of_arm, library, context, tables);
    drugs::check_treatments(&mut inner, &of_arm, library, drugs);
    if let Some(prototype) = context.prototype {
        let mut world = prototype(library);
        let timeline = Timeline::new(&of_arm);
        changes::check_changes(&mut inner, (&of_arm, &timeline), library, &mut world);
    }
    effects::note_without_effect(&mut inner, &of_arm, library, tables);
    inner.report
}

/// Checks what a trial of the arms measures.
fn check_endpoints(
    checker: &mut Checker,
    scene: &Scene,
    library: &CellLibrary,
    context: &SceneContext,
) {
    let trial = &scene.trial;
    let at = FieldPath::root().field("trial");
    if trial.replicates == 0 {
        checker.problem(&at.field("replicates"), "must be at least 1, found 0");
    }
    if let Some(control) = &trial.control {
        let names: Vec<&str> = scene.arms.iter().map(|arm| arm.name.as_str()).collect();
        checker.known(&at.field("control"), "arm", control, &names);
    }
    let columns: Option<Vec<Metric>> = context.metrics.map(|columns| columns(library));
    let columns = columns.as_deref();
    let mut seen = BTreeSet::new();
    for (index, measured) in trial.measures.iter().enumerate() {
        let at = at.field("measures").item(index);
        let condition = Condition {
            metric: measured.metric.clone(),
            site: measured.site.clone(),
            is: Test::Above(0.0),
        };
        check::check_condition(checker, &at, &condition, scene, columns);
        if !seen.insert((&measured.metric, &measured.site)) {
            checker.problem(&at, "this is measured already");
        }
    }
    if let Some(condition) = &trial.time_to {
        check::check_condition(checker, &at.field("time_to"), condition, scene, columns);
    }
}
