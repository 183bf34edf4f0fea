//! Notes what makes no sense in a file, each at the field it is about.
//!
//! What was already reported while the text was read is left alone.

use std::any::Any;
use std::fmt::Display;
use std::ops::Range;
use std::path::Path;

use bevy::reflect::{PartialReflect, ReflectRef};

use super::library::CellLibrary;
use super::report::{Problem, SceneReport};
use super::shape::join_with_or;
use super::spans::{FieldPath, Tree};
use crate::core::parameters::{Limits, nearest};
use crate::tissue::{Molecule, MoleculeName, Molecules};

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
    /// The molecules that there are.
    pub molecules: &'a Molecules,
    /// What files that are wrong would have brought: whoever names it is not called wrong as well.
    pub unread: &'a [String],
    /// Where what these lead to stands in the file, if not there: what an arm of the scene says.
    pub moved: &'a [(FieldPath, FieldPath)],
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
        let (node, _) = self.tree.find(&self.place(path), self.text);
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
        let path = &self.place(path);
        let problem = Problem::at(self.file, self.text, span, path, message);
        self.report.problems.push(problem);
        self.report.problems.last_mut()
    }

    /// Where a field stands in the file.
    pub fn place(&self, path: &FieldPath) -> FieldPath {
        let moved = self.moved.iter().rfind(|(there, _)| there.holds(path));
        match moved {
            Some((there, here)) => here.join(&FieldPath(path.0[there.0.len()..].to_vec())),
            None => path.clone(),
        }
    }

    /// Whether the value of a field is its author's, with no stand-in in it.
    pub fn sound(&self, path: &FieldPath) -> bool {
        let path = &self.place(path);
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

    /// Asks for a concentration, in whatever unit, within the limits of what can be computed.
    pub fn level<N: Into<f64> + Display + Copy>(&mut self, path: &FieldPath, value: N) -> bool {
        let most = Molecule::LEVEL_LIMITS.max;
        let fine = self.not_negative(path, value);
        if fine && value.into() > most {
            self.problem(path, format!("must be at most {most:e}, found {value}"));
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
        if self.is_unread(name) {
            return false;
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
        self.problem_with_help(path, message, format!("possible: {}", possible(&names)));
        false
    }

    /// Whether a name is that of something in a file that is wrong, or made of such a name: `cells_titan`,
    /// `titan.cycle.s_hours`.
    pub fn is_unread(&self, name: &str) -> bool {
        let is_part = |c: char| c.is_ascii_alphanumeric();
        self.unread.iter().any(|unread| {
            name.match_indices(unread.as_str()).any(|(start, found)| {
                !name[..start].ends_with(is_part)
                    && !name[start + found.len()..].starts_with(is_part)
            })
        })
    }

    /// Asks for the name of a molecule.
    pub fn molecule(&mut self, path: &FieldPath, name: &MoleculeName) -> bool {
        let known: Vec<&str> = self
            .molecules
            .list()
            .iter()
            .map(|known| known.name.as_str())
            .collect();
        self.known(path, "molecule", name.as_str(), &known)
    }

    /// Asks for the name of a cell type.
    pub fn cell_type(&mut self, path: &FieldPath, name: &str, library: &CellLibrary) {
        if library.get(name).is_some() {
            return;
        }
        let before = self.report.problems.len();
        self.known(path, "cell type", name, &library.names());
        if let Some(problem) = self.report.problems.get_mut(before) {
            let found = problem.help.take().unwrap_or_default();
            problem.help = Some(format!("{found}; {}", library.searched()));
        }
    }

    /// Asks for a name that can be part of the path of a parameter, whose parts are separated by dots.
    pub fn plain_name(&mut self, path: &FieldPath, name: &str) {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            let message = format!("may have letters, digits and `_` only, found `{name}`");
            self.problem(path, message);
        }
    }

    /// Asks for the name of the file, without its ending.
    pub fn named_as_file(&mut self, path: &FieldPath, name: &str) {
        let stem = Path::new(self.file)
            .file_stem()
            .map(|stem| stem.to_string_lossy());
        if let Some(stem) = stem.filter(|stem| *stem != *name) {
            let message = format!("must be that of its file, `{stem}`, found `{name}`");
            self.problem(path, message);
        }
    }

    /// Asks every number of a struct of parameters to be inside its limits.
    pub fn limits(
        &mut self,
        path: &FieldPath,
        limits: fn(&str) -> Limits,
        value: &dyn PartialReflect,
    ) {
        self.limits_inside(path, limits, "", value);
    }

    fn limits_inside(
        &mut self,
        path: &FieldPath,
        limits: fn(&str) -> Limits,
        prefix: &str,
        value: &dyn PartialReflect,
    ) {
        // Values without a name of their own have the limits of what holds them.
        let unnamed = prefix.trim_end_matches('.');
        match value.reflect_ref() {
            ReflectRef::Struct(of) => {
                for index in 0..of.field_len() {
                    if let (Some(name), Some(field)) = (of.name_at(index), of.field_at(index)) {
                        let inside = format!("{prefix}{name}");
                        self.limits_of(&path.field(name), limits, &inside, field);
                    }
                }
            }
            ReflectRef::List(list) => {
                for (index, item) in list.iter().enumerate() {
                    self.limits_inside(&path.item(index), limits, prefix, item);
                }
            }
            ReflectRef::Tuple(of) => {
                for (index, field) in of.iter_fields().enumerate() {
                    self.limits_of(&path.nth(index), limits, unnamed, field);
                }
            }
            ReflectRef::Enum(of) => {
                for index in 0..of.field_len() {
                    let Some(field) = of.field_at(index) else {
                        continue;
                    };
                    match of.name_at(index) {
                        Some(name) => {
                            let inside = format!("{prefix}{name}");
                            self.limits_of(&path.field(name), limits, &inside, field);
                        }
                        // What is optional stands where it would stand if it were not.
                        None if of.reflect_type_path().starts_with("core::option::Option<") => {
                            self.limits_of(path, limits, unnamed, field);
                        }
                        None => self.limits_of(&path.nth(index), limits, unnamed, field),
                    }
                }
            }
            _ => {}
        }
    }

    /// Checks a number by its limits, and anything else by those of the numbers in it.
    fn limits_of(
        &mut self,
        path: &FieldPath,
        limits: fn(&str) -> Limits,
        name: &str,
        field: &dyn PartialReflect,
    ) {
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
                let limits = limits(name);
                if !limits.contain(number) {
                    let message = format!("must be {}, found {shown}", limits.describe());
                    self.problem(path, message);
                }
            }
            None => self.limits_inside(path, limits, &format!("{name}."), field),
        }
    }
}

/// Every name of a kind, that of molecules or of cell types, that a struct of parameters holds, with its place.
pub(super) fn names_in<'v, N: Any>(
    path: &FieldPath,
    value: &'v dyn PartialReflect,
) -> Vec<(FieldPath, &'v N)> {
    if let Some(name) = name_in::<N>(value) {
        return vec![(path.clone(), name)];
    }
    match value.reflect_ref() {
        ReflectRef::Struct(of) => {
            let fields = (0..of.field_len())
                .filter_map(|index| Some((of.name_at(index)?, of.field_at(index)?)));
            fields
                .flat_map(|(name, field)| names_in::<N>(&path.field(name), field))
                .collect()
        }
        ReflectRef::List(list) => {
            let items = list.iter().enumerate();
            items
                .flat_map(|(index, item)| names_in::<N>(&path.item(index), item))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The name of a kind that a field holds, if it does.
fn name_in<N: Any>(field: &dyn PartialReflect) -> Option<&N> {
    let optional = field.try_downcast_ref::<Option<N>>();
    field.try_downcast_ref::<N>().or_else(|| optional?.as_ref())
}

/// Names that could stand somewhere, the first ones of very many.
fn possible(names: &[String]) -> String {
    /// With more of them nobody reads the list.
    const MOST: usize = 50;
    match names.split_at_checked(MOST) {
        Some((first, rest)) if !rest.is_empty() => {
            let more = rest.len();
            format!(
                "{} or one of {more} more, see `tumorscape describe`",
                first.join(", ")
            )
        }
        _ => join_with_or(names),
    }
}
