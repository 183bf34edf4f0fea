//! Cell files that are checked without a scene: one by itself, or all at hand in a folder.

use std::path::Path;

use super::assets::Found;
use super::library::{AtHand, CellLibrary, load_alone};
use super::molecules::molecules_at_hand;
use super::prefab::CellPrefab;
use super::report::SceneReport;
use super::rules::{self, Use};
use super::{SceneContext, names};
use crate::tissue::Molecules;

/// Something without a mistake, and what is to be said of it all the same.
#[derive(Clone, Debug)]
pub struct Accepted<T> {
    /// It.
    pub value: T,
    /// What has no effect, or depends on what a scene brings.
    pub warnings: SceneReport,
}

/// Reads a cell type from a file. A molecule that it names and that is not at hand is worth a warning: a scene may
/// bring it.
///
/// # Errors
/// When anything is wrong with it, or with the molecules at hand: everything that is.
pub fn load_prefab(
    path: &Path,
    context: &SceneContext,
) -> Result<Accepted<CellPrefab>, SceneReport> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let known = context.known();
    let Found {
        list,
        mut report,
        unread,
    } = molecules_at_hand(folder, &[])?;
    let prefab = match load_alone(path, known) {
        Ok(prefab) => prefab,
        Err(wrong) => {
            report.absorb(wrong);
            return Err(report);
        }
    };
    let types = vec![prefab.clone()];
    let found = AtHand {
        library: CellLibrary::of_scene(types, Molecules::new(list), known.clone()),
        report,
        unread,
    };
    let shown = path.display().to_string();
    let warnings = check_alone(found, &shown, context)?.warnings;
    Ok(Accepted {
        value: prefab,
        warnings,
    })
}

/// The cell types and molecules that a scene in a folder could use, each checked as [`load_prefab`] does.
///
/// # Errors
/// When a file is wrong: everything that is.
pub fn load_library(
    folder: &Path,
    context: &SceneContext,
) -> Result<Accepted<CellLibrary>, SceneReport> {
    let found = CellLibrary::at_hand(folder, &[], context.known())?;
    check_alone(found, &folder.display().to_string(), context)
}

fn check_alone(
    found: AtHand,
    shown: &str,
    context: &SceneContext,
) -> Result<Accepted<CellLibrary>, SceneReport> {
    let AtHand {
        library,
        mut report,
        unread,
    } = found;
    if let Some(prototype) = context.prototype {
        let mut world = prototype(&library);
        rules::note_lacked_quantities(&mut world, library.types.len());
        let mut of_rules = SceneReport::default();
        rules::check_library(&mut of_rules, &library, &unread, &world, Use::Alone);
        report.absorb(of_rules);
        names::check_names(&mut report, shown, &world);
    }
    report.put_in_order();
    let (problems, warnings) = report.apart();
    if problems.is_empty() {
        Ok(Accepted {
            value: library,
            warnings,
        })
    } else {
        Err(problems)
    }
}
