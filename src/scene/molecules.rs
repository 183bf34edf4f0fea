//! The library of molecules. A molecule is data: a RON file in `assets/molecules`, or an entry of a scene's own
//! `molecules`.
//!
//! The shipped ones are part of the binary. Files in the nearest `assets/molecules` folder beside or above the scene,
//! or else under the current folder, replace molecules of the same name and add new ones, and so do those that a scene
//! brings along.

use std::path::Path;

use bevy::reflect::Typed;
use include_dir::{Dir, include_dir};
use serde::de::DeserializeOwned;

use super::assets::{self, Found};
use super::check::line;
use super::checker::Checker;
use super::read::read;
use super::report::SceneReport;
use super::spans::FieldPath;
use crate::core::parameters::Parameters;
use crate::tissue::{Molecule, Molecules};

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/assets/molecules");

/// Where molecules lie, from the root of the project and from any folder above a scene.
const FOLDER: &str = "assets/molecules";

/// Most contour lines of a molecule: so many are drawn at once.
const MAX_CONTOURS: usize = 4;
/// Coarsest grid of a molecule, voxels of the site along each axis.
const MAX_COARSEN: u16 = 64;

/// Reads a molecule from RON text. `name` is that of the file, for reports.
///
/// # Errors
/// When anything is wrong with it: everything that is.
pub fn parse_molecule(source: &str, name: &str) -> Result<Molecule, SceneReport> {
    read_definition(source, name, |checker, root, molecule: &Molecule| {
        check_molecule(checker, root, molecule);
        checker.named_as_file(&root.field("name"), &molecule.name);
    })
}

/// Reads a definition that has a file of its own from its text and the name of the file, and checks it.
///
/// # Errors
/// When anything is wrong with it: everything that is.
pub(super) fn read_definition<T: DeserializeOwned + Typed>(
    source: &str,
    name: &str,
    check: impl FnOnce(&mut Checker, &FieldPath, &T),
) -> Result<T, SceneReport> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let reading = read::<T>(source, name);
    let mut report = SceneReport {
        problems: reading.problems,
        sources: vec![(name.to_owned(), source.to_owned())],
    };
    if let Some(definition) = &reading.value {
        let mut checker = Checker {
            file: name,
            text: source,
            tree: &reading.tree,
            repaired: &reading.repaired,
            molecules: &Molecules::default(),
            unread: &[],
            moved: &[],
            report: SceneReport::default(),
        };
        check(&mut checker, &FieldPath::root(), definition);
        report.absorb(checker.report);
    }
    report.put_in_order();
    match reading.value {
        Some(definition) if report.is_empty() => Ok(definition),
        _ => Err(report),
    }
}

/// Reads a molecule from a file.
///
/// # Errors
/// When anything is wrong with it: everything that is.
pub fn load_molecule(path: &Path) -> Result<Molecule, SceneReport> {
    assets::read_file(path, parse_molecule)
}

/// Checks the molecule that stands at a place of a file.
pub(super) fn check_molecule(checker: &mut Checker, root: &FieldPath, molecule: &Molecule) {
    checker.plain_name(&root.field("name"), &molecule.name);
    for (field, text) in [
        ("label", &molecule.label),
        ("unit", &molecule.unit),
        ("source", &molecule.source),
    ] {
        if text.trim().is_empty() {
            checker.problem(&root.field(field), "must not be empty");
        }
        line(checker, &root.field(field), text);
    }
    checker.limits(root, Molecule::limits, molecule);
    check_coarsen(checker, &root.field("coarsen"), molecule.coarsen);
    check_scale_max(checker, &root.field("scale_max"), molecule.scale_max);
    check_contours(checker, &root.field("contours"), &molecule.contours);
}

/// Checks how many voxels of a site are one of a molecule.
pub(super) fn check_coarsen(checker: &mut Checker, at: &FieldPath, coarsen: u16) {
    if !(1..=MAX_COARSEN).contains(&coarsen) {
        let message = format!("must be a whole number from 1 to {MAX_COARSEN}, found {coarsen}");
        checker.problem(at, message);
    }
}

/// Checks the upper end of the colours of a molecule.
pub(super) fn check_scale_max(checker: &mut Checker, at: &FieldPath, scale_max: Option<f32>) {
    if let Some(top) = scale_max
        && checker.positive(at, top)
    {
        checker.level(at, top);
    }
}

/// Checks the contour lines of a molecule.
pub(super) fn check_contours(checker: &mut Checker, at: &FieldPath, contours: &[f32]) {
    let found = contours.len();
    if found > MAX_CONTOURS {
        let message = format!("at most {MAX_CONTOURS} lines can be drawn, found {found}");
        checker.problem(at, message);
    }
    for (index, level) in contours.iter().enumerate() {
        checker.level(&at.item(index), *level);
    }
}

/// The shipped molecules only.
///
/// # Errors
/// When a shipped file is wrong, which a test excludes.
pub fn shipped_molecules() -> Result<Molecules, SceneReport> {
    assets::shipped(&SHIPPED, FOLDER, parse_molecule).map(Molecules::new)
}

/// The names of the shipped molecules.
pub(super) fn shipped_names() -> Vec<String> {
    let stems = SHIPPED.files().filter_map(|file| file.path().file_stem());
    stems
        .map(|stem| stem.to_string_lossy().into_owned())
        .collect()
}

/// The shipped molecules with those of the nearest `assets/molecules` folder beside or above `folder`, or else under
/// the current folder, and with these, which a scene brings along.
///
/// # Errors
/// When a file in that folder cannot be read or is wrong: everything that is.
pub fn molecules_for_folder(folder: &Path, own: &[Molecule]) -> Result<Molecules, SceneReport> {
    let found = molecules_at_hand(folder, own)?;
    if found.report.is_empty() {
        Ok(Molecules::new(found.list))
    } else {
        Err(found.report)
    }
}

/// What [`molecules_for_folder`] finds, and what is wrong with files in the folder, for which shipped molecules of the
/// same name stand in.
///
/// # Errors
/// When a shipped file is wrong, which a test excludes.
pub(super) fn molecules_at_hand(
    folder: &Path,
    own: &[Molecule],
) -> Result<Found<Molecule>, SceneReport> {
    let mut list = shipped_molecules()?.list().to_vec();
    let folder = assets::nearest_folder(folder, FOLDER);
    let found = folder.map(|folder| assets::in_folder(&folder, parse_molecule));
    let mut found = found.unwrap_or_default();
    list.append(&mut found.list);
    list.extend_from_slice(own);
    found.list = list;
    Ok(found)
}
