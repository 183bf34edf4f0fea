//! Whether a scene makes sense: everything that the grammar cannot say.
//!
//! All checks run, and all that fail are reported together, each at the field it is about. What was already
//! reported while reading the text is left alone.

mod story;
mod tissue;

pub(super) use tissue::check_added;

use std::fmt::Display;
use std::ops::Range;

use bevy::reflect::{PartialReflect, ReflectRef};

use super::library::CellLibrary;
use super::report::{Problem, SceneReport};
use super::schema::{Scene, Span};
use super::shape::join_with_or;
use super::spans::{FieldPath, Tree};
use super::{SceneContext, Tables};
use crate::core::parameters::Parameters;
use crate::core::parameters::nearest;

/// Shortest and longest step, minutes: below, nothing biological happens; above, phases are skipped.
const STEP_MINUTES: (f64, f64) = (0.01, 60.0);
/// Most steps of a scene.
pub(crate) const MAX_STEPS: f64 = 1.0e8;

/// Notes problems at the fields of one file.
pub(super) struct Checker<'a> {
    /// The file, as its user named it.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Where its fields stand.
    pub tree: &'a Tree,
    /// Fields whose value is a stand-in.
    pub repaired: &'a [FieldPath],
    /// What was found.
    pub report: SceneReport,
}

impl Checker<'_> {
    /// Notes a problem with a field, unless its value is only a stand-in.
    pub fn problem(
        &mut self,
        path: &FieldPath,
        message: impl Into<String>,
    ) -> Option<&mut Problem> {
        let (node, _) = self.tree.find(path, self.text);
        // Of a whole struct only the name and the opening bracket are marked, not all its lines.
        let span = match node.inside {
            Some(inside) if self.text[node.span.clone()].contains('\n') => node.span.start..inside,
            _ => node.span.clone(),
        };
        self.problem_in(span, path, message)
    }

    /// Notes a problem with these bytes of the file.
    pub fn problem_in(
        &mut self,
        span: Range<usize>,
        path: &FieldPath,
        message: impl Into<String>,
    ) -> Option<&mut Problem> {
        if !self.sound(path) {
            return None;
        }
        let problem = Problem::at(self.file, self.text, span, path, message);
        self.report.problems.push(problem);
        self.report.problems.last_mut()
    }

    /// Whether the value of a field is its author's, with no stand-in in it.
    pub fn sound(&self, path: &FieldPath) -> bool {
        let stand_in = |repaired: &FieldPath| {
            repaired.holds(path) || (!path.0.is_empty() && path.holds(repaired))
        };
        !self.repaired.iter().any(stand_in)
    }

    /// Notes a problem and says what would work.
    pub fn problem_with_help(
        &mut self,
        path: &FieldPath,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if let Some(problem) = self.problem(path, message) {
            problem.help = Some(help.into());
        }
    }

    /// Asks for a finite number greater than 0.
    pub fn positive<N: Into<f64> + Display + Copy>(&mut self, path: &FieldPath, value: N) -> bool {
        let number: f64 = value.into();
        let fine = number.is_finite() && number > 0.0;
        if !fine {
            let finite = if number.is_finite() {
                ""
            } else {
                "a finite number "
            };
            self.problem(
                path,
                format!("must be {finite}greater than 0, found {value}"),
            );
        }
        fine
    }

    /// Asks for a finite number of at least 0.
    pub fn not_negative<N: Into<f64> + Display + Copy>(
        &mut self,
        path: &FieldPath,
        value: N,
    ) -> bool {
        let number: f64 = value.into();
        let fine = number.is_finite() && number >= 0.0;
        if !fine {
            let finite = if number.is_finite() {
                ""
            } else {
                "a finite number of "
            };
            self.problem(path, format!("must be {finite}at least 0, found {value}"));
        }
        fine
    }

    /// Asks for a finite number.
    pub fn finite<N: Into<f64> + Display + Copy>(&mut self, path: &FieldPath, value: N) -> bool {
        let fine = value.into().is_finite();
        if !fine {
            self.problem(path, format!("must be a finite number, found {value}"));
        }
        fine
    }

    /// Asks for three finite numbers.
    pub fn finite_point(&mut self, path: &FieldPath, point: (f32, f32, f32)) -> bool {
        let parts = [point.0, point.1, point.2];
        let mut fine = true;
        for (axis, value) in parts.into_iter().enumerate() {
            fine &= self.finite(&path.nth(axis), value);
        }
        fine
    }

    /// Asks for one of the known names.
    pub fn known<S: AsRef<str>>(
        &mut self,
        path: &FieldPath,
        what: &str,
        name: &str,
        known: &[S],
    ) -> bool {
        if known.iter().any(|known| known.as_ref() == name) {
            return true;
        }
        let mut message = format!("there is no {what} `{name}`");
        if let Some(guess) = nearest(name, known) {
            message.push_str(&format!("; did you mean `{guess}`?"));
        }
        let mut names: Vec<String> = known
            .iter()
            .map(|known| format!("`{}`", known.as_ref()))
            .collect();
        names.sort();
        names.dedup();
        self.problem_with_help(path, message, format!("possible: {}", join_with_or(&names)));
        false
    }

    /// Asks every number of a parameter struct to be inside its limits.
    pub fn limits<P: Parameters>(&mut self, path: &FieldPath, value: &P) {
        self.limits_inside::<P>(path, "", value.as_partial_reflect());
    }

    fn limits_inside<P: Parameters>(
        &mut self,
        path: &FieldPath,
        prefix: &str,
        value: &dyn PartialReflect,
    ) {
        let ReflectRef::Struct(of) = value.reflect_ref() else {
            return;
        };
        for index in 0..of.field_len() {
            let (Some(name), Some(field)) = (of.name_at(index), of.field_at(index)) else {
                continue;
            };
            let name_inside = format!("{prefix}{name}");
            let path = path.field(name);
            let number = field
                .try_downcast_ref::<f32>()
                .map(|number| (f64::from(*number), number.to_string()))
                .or_else(|| {
                    let number = field.try_downcast_ref::<f64>()?;
                    Some((*number, number.to_string()))
                })
                .or_else(|| {
                    let number = field.try_downcast_ref::<u32>()?;
                    Some((f64::from(*number), number.to_string()))
                });
            match number {
                Some((number, shown)) => {
                    let limits = P::limits(&name_inside);
                    if !limits.contain(number) {
                        let message = format!("must be {}, found {shown}", limits.describe());
                        self.problem(&path, message);
                    }
                }
                None => self.limits_inside::<P>(&path, &format!("{name_inside}."), field),
            }
        }
    }
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
    let bounds = check_time(checker, scene);
    tissue::check_sites(checker, scene);
    tissue::check_cell_types(checker, scene);
    tissue::check_populations(checker, scene, library, &bounds, tables);
    story::check_timeline(checker, scene, &bounds);
    story::check_parameters(checker, scene, library, context);
    story::check_output(checker, scene, &bounds);
    story::check_recording(checker, scene);
    story::check_colours(checker, scene, library, context);
    let columns = context.metrics.map(|columns| columns(library));
    story::check_expectations(checker, scene, columns.as_deref(), &bounds);
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
        Span::Hours(_) => Span::Hours(minutes / 60.0),
        Span::Days(_) => Span::Days(minutes / 1440.0),
    })
}
