//! Whether a scene makes sense: everything that the grammar cannot say.
//!
//! All checks run, and all that fail are reported together, each at the field it is about. What was already
//! reported while reading the text is left alone.

mod expectations;
mod media;
mod picture;
mod populations;
mod room;
mod sizes;
mod story;
mod texts;
mod tissue;

pub(super) use expectations::check_condition;
pub(super) use populations::check_added;
pub(super) use sizes::CellSizes;
pub(super) use texts::line;

use super::arms::MAX_ARMS;
use super::body_parts::check_body_parts;
use super::causes::check_causes;
use super::checker::Checker;
use super::library::CellLibrary;
use super::schema::{Pace, Scene, Span};
use super::spans::FieldPath;
use super::{SceneContext, Tables};
use crate::core::units::{MINUTES_PER_DAY, MINUTES_PER_HOUR};

/// Shortest and longest step, minutes: below, nothing biological happens; above, phases are skipped.
const STEP_MINUTES: (f64, f64) = (0.01, 60.0);
/// Most steps of a scene.
pub(crate) const MAX_STEPS: f64 = 1.0e8;

/// Most molecules, cell types, and rules of a cell type: far more than anybody has written, few enough to be looked
/// through in no time.
pub(super) const MAX_NAMED: usize = 1_000;
/// Most entries of the other lists of a scene.
const MAX_LISTED: usize = 10_000;

/// The first list of a scene that is longer than any may be: its place, what to mark, and what to say. `place` finds a
/// field.
pub(super) fn too_many<P>(
    scene: &Scene,
    place: impl Fn(&str) -> (FieldPath, P),
) -> Option<(FieldPath, P, String)> {
    let lists = [
        ("sites", scene.sites.len(), MAX_NAMED),
        ("molecules", scene.molecules.len(), MAX_NAMED),
        ("cell_types", scene.cell_types.len(), MAX_NAMED),
        ("variants", scene.variants.len(), MAX_NAMED),
        ("rules", scene.rules.len(), MAX_LISTED),
        ("parameters", scene.parameters.len(), MAX_LISTED),
        ("choices", scene.choices.len(), MAX_LISTED),
        ("timeline", scene.timeline.len(), MAX_LISTED),
        ("populations", scene.populations.len(), MAX_LISTED),
        ("arms", scene.arms.len(), MAX_ARMS),
        ("expect", scene.expect.len(), MAX_LISTED),
    ];
    let (field, found, most) = lists.into_iter().find(|(_, found, most)| found > most)?;
    let (at, mark) = place(field);
    Some((
        at,
        mark,
        format!("at most {most} are possible, found {found}"),
    ))
}

/// What all parts of the check need to know of the scene.
struct Bounds {
    /// Length of the scene, minutes; infinite when that itself is wrong.
    duration_minutes: f64,
    /// Length of a step, minutes; 0 when that itself is wrong.
    step_minutes: f64,
}

/// Checks everything about a scene that its grammar does not say; reads the CSV files it names.
pub(super) fn check_scene(
    checker: &mut Checker,
    scene: &Scene,
    library: &CellLibrary,
    context: &SceneContext,
    tables: &mut Tables,
) {
    let root = FieldPath::root();
    if scene.title.trim().is_empty() {
        checker.problem(&root.field("title"), "a scene needs a title");
    }
    texts::check_texts(checker, scene);
    let bounds = check_time(checker, scene);
    check_pace(checker, scene);
    tissue::check_molecules(checker, scene);
    tissue::check_sites(checker, scene, library, &bounds);
    let body = FieldPath::root().field("body");
    check_body_parts(checker, &body, scene, library);
    tissue::check_cell_types(checker, scene, &library.known);
    let sizes = CellSizes::of_scene(scene, library, context.prototype);
    populations::check_populations(checker, scene, (library, &sizes), &bounds, tables);
    story::check_stage(checker, scene);
    story::check_timeline(checker, scene, &bounds);
    story::check_output(checker, scene, &bounds);
    story::check_recording(checker, scene);
    check_causes(checker, scene);
    picture::check_colours(checker, scene, library, context);
    let columns = context.metrics.map(|columns| columns(library));
    expectations::check_expectations(checker, scene, columns.as_deref(), &bounds);
}

fn check_time(checker: &mut Checker, scene: &Scene) -> Bounds {
    let root = FieldPath::root();
    let (step_path, duration_path) = (root.field("step"), root.field("duration"));
    let step = scene.step.minutes();
    let mut step_minutes = step;
    if !(STEP_MINUTES.0..=STEP_MINUTES.1).contains(&step) {
        step_minutes = 0.0;
        let (least, most) = STEP_MINUTES;
        let message = format!(
            "a step must last from {least} to {most} minutes, found {}",
            span_text(scene.step)
        );
        checker.problem(&step_path, message);
    }
    if !checker.sound(&step_path) {
        step_minutes = 0.0;
    }
    let mut duration_minutes = f64::INFINITY;
    if checker.sound(&duration_path) && checker.positive(&duration_path, amount(scene.duration)) {
        duration_minutes = scene.duration.minutes();
        if step_minutes > duration_minutes {
            let message = format!(
                "a step of {} is longer than the scene ({})",
                span_text(scene.step),
                span_text(scene.duration)
            );
            checker.problem(&step_path, message);
        } else if step_minutes > 0.0 && duration_minutes / step_minutes > MAX_STEPS {
            let message = format!(
                "{} in steps of {} are more than {MAX_STEPS:e} steps",
                span_text(scene.duration),
                span_text(scene.step)
            );
            checker.problem(&duration_path, message);
        }
    }
    Bounds {
        duration_minutes,
        step_minutes,
    }
}

/// What is said to go faster than in life must do so, in a scene that does not claim the times of life.
fn check_pace(checker: &mut Checker, scene: &Scene) {
    let root = FieldPath::root().field("faster");
    if scene.pace == Pace::Calibrated && !scene.faster.is_empty() {
        checker.problem(
            &root,
            "in a `Calibrated` scene nothing goes faster than in life: leave it out, or write `pace: Illustrative`",
        );
    }
    for (what, factor) in &scene.faster {
        if !(factor.is_finite() && *factor > 1.0) {
            let message = format!("`{what}` must go more than 1 times as fast, found {factor}");
            checker.problem(&root.key(what), message);
        }
    }
}

impl Checker<'_> {
    /// Asks for a time from the start to the end of the scene.
    fn time(&mut self, path: &FieldPath, time: Span, bounds: &Bounds) -> bool {
        if !self.not_negative(path, amount(time)) {
            return false;
        }
        // A last step that ends a rounding error late still belongs to the scene.
        let fine = time.minutes() <= bounds.duration_minutes * (1.0 + 1e-9);
        if !fine {
            let message = format!(
                "{} is after the end of the scene ({})",
                span_text(time),
                minutes_text(bounds.duration_minutes, time)
            );
            self.problem(path, message);
        }
        fine
    }
}

/// The number of a span, as it is written.
const fn amount(span: Span) -> f64 {
    match span {
        Span::Minutes(number) | Span::Hours(number) | Span::Days(number) => number,
    }
}

/// A span in words.
fn span_text(span: Span) -> String {
    match span {
        Span::Minutes(number) => format!("{number} min"),
        Span::Hours(number) => format!("{number} h"),
        Span::Days(number) => format!("{number} d"),
    }
}

/// Minutes, in the unit of another span.
fn minutes_text(minutes: f64, like: Span) -> String {
    span_text(match like {
        Span::Minutes(_) => Span::Minutes(minutes),
        Span::Hours(_) => Span::Hours(minutes / MINUTES_PER_HOUR),
        Span::Days(_) => Span::Days(minutes / MINUTES_PER_DAY),
    })
}
