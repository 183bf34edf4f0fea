//! The library of cell types. A cell type is data: a RON file in `assets/cells`.
//!
//! The shipped types are part of the binary. Files in the nearest `assets/cells` folder beside or above the
//! scene, or else under the current folder, replace types of the same name and add new ones, so a new cell
//! type needs no code.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bevy::prelude::*;
use include_dir::{Dir, include_dir};

use super::capabilities::{check_prefab, read_capabilities};
use super::checker::Checker;
use super::prefab::CellPrefab;
use super::read::read;
use super::read_text;
use super::report::{Problem, SceneReport};
use super::spans::FieldPath;
use crate::biology::BiologyPlugins;
use crate::cell::CellPlugins;
use crate::core::capability::{CapabilityRegistry, CapabilityValue};
use crate::core::clones::{Clones, HeritableTraits};
use crate::core::parameters::CellTypeNames;

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/assets/cells");

/// Where prefabs lie, from the root of the project and from any folder above a scene.
const FOLDER: &str = "assets/cells";

/// The capabilities of the shipped modules.
pub fn shipped_capabilities() -> &'static CapabilityRegistry {
    static KNOWN: OnceLock<CapabilityRegistry> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let mut app = App::empty();
        app.init_resource::<Schedules>()
            .add_plugins((CellPlugins, BiologyPlugins));
        let known = app.world().get_resource::<CapabilityRegistry>();
        known.cloned().unwrap_or_default()
    })
}

/// Reads a cell type with shipped capabilities from RON text. `name` is that of the file, for reports.
///
/// # Errors
/// When anything is wrong with it: everything that is.
pub fn parse_prefab(source: &str, name: &str) -> Result<CellPrefab, SceneReport> {
    parse_prefab_with(source, name, shipped_capabilities())
}

/// Reads a cell type from RON text. `name` is that of the file, for reports.
///
/// # Errors
/// When anything is wrong with it: everything that is.
pub fn parse_prefab_with(
    source: &str,
    name: &str,
    known: &CapabilityRegistry,
) -> Result<CellPrefab, SceneReport> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut reading = read::<CellPrefab>(source, name);
    if let Some(mut prefab) = reading.value.take() {
        let root = FieldPath::root();
        read_capabilities((name, source), &root, &mut prefab, known, &mut reading);
        reading.value = Some(prefab);
    }
    let mut report = SceneReport {
        problems: reading.problems,
        sources: vec![(name.to_owned(), source.to_owned())],
    };
    if let Some(prefab) = &reading.value {
        let mut checker = Checker {
            file: name,
            text: source,
            tree: &reading.tree,
            repaired: &reading.repaired,
            report: SceneReport::default(),
        };
        let root = FieldPath::root();
        check_prefab(&mut checker, &root, prefab, known);
        let stem = Path::new(name)
            .file_stem()
            .map(|stem| stem.to_string_lossy());
        if let Some(stem) = stem.filter(|stem| *stem != prefab.name) {
            let message = format!(
                "must be that of its file, `{stem}`, found `{}`",
                prefab.name
            );
            checker.problem(&root.field("name"), message);
        }
        report.absorb(checker.report);
    }
    report.put_in_order();
    match reading.value {
        Some(prefab) if report.is_empty() => Ok(prefab),
        _ => Err(report),
    }
}

/// The cell types a scene can use.
#[derive(Clone, Debug)]
pub struct CellLibrary {
    /// The types; their position is the index that [`crate::cell::CellType`] holds.
    pub types: Vec<CellPrefab>,
    /// The capabilities they can have.
    pub known: CapabilityRegistry,
    /// Where the types come from.
    source: Source,
}

impl PartialEq for CellLibrary {
    fn eq(&self, other: &Self) -> bool {
        self.types == other.types && self.source == other.source
    }
}

/// Where cell types come from.
#[derive(Clone, Debug, PartialEq)]
enum Source {
    /// The program.
    Shipped,
    /// The program and this folder.
    Folder(PathBuf),
    /// The scene itself.
    Scene,
}

impl CellLibrary {
    /// The types that a scene brings along, in this order.
    pub(super) const fn of_scene(types: Vec<CellPrefab>, known: CapabilityRegistry) -> Self {
        Self {
            types,
            known,
            source: Source::Scene,
        }
    }

    /// No types, but capabilities they could have.
    pub const fn empty(known: CapabilityRegistry) -> Self {
        Self {
            types: Vec::new(),
            known,
            source: Source::Shipped,
        }
    }

    /// The shipped types only, with shipped capabilities; by name.
    ///
    /// # Errors
    /// When a shipped file is wrong, which a test excludes.
    pub fn shipped() -> Result<Self, SceneReport> {
        Self::shipped_with(shipped_capabilities())
    }

    /// The shipped types only, by name, in a program that knows these capabilities.
    ///
    /// # Errors
    /// When a shipped file is wrong, which a test excludes.
    pub fn shipped_with(known: &CapabilityRegistry) -> Result<Self, SceneReport> {
        let files = SHIPPED.files().filter_map(|file| {
            let name = file.path().file_name()?.to_string_lossy().into_owned();
            Some((name, file.contents_utf8()?.to_owned()))
        });
        let mut report = SceneReport::default();
        let mut types = Vec::new();
        for (name, text) in files.filter(|(name, _)| name.ends_with(".ron")) {
            match parse_prefab_with(&text, &format!("{FOLDER}/{name}"), known) {
                Ok(prefab) => types.push(prefab),
                Err(wrong) => report.absorb(wrong),
            }
        }
        types.sort_by(|a, b| a.name.cmp(&b.name));
        if report.is_empty() {
            Ok(Self {
                types,
                known: known.clone(),
                source: Source::Shipped,
            })
        } else {
            Err(report)
        }
    }

    /// The shipped types with those of the nearest `assets/cells` folder beside or above `folder`, or else
    /// under the current folder, with shipped capabilities; by name.
    ///
    /// # Errors
    /// When a file in that folder cannot be read or is wrong: everything that is.
    pub fn for_folder(folder: &Path) -> Result<Self, SceneReport> {
        Self::for_folder_with(folder, shipped_capabilities())
    }

    /// As [`CellLibrary::for_folder`], in a program that knows these capabilities.
    ///
    /// # Errors
    /// When a file in that folder cannot be read or is wrong: everything that is.
    pub fn for_folder_with(folder: &Path, known: &CapabilityRegistry) -> Result<Self, SceneReport> {
        let mut library = Self::shipped_with(known)?;
        let Some(folder) = nearest_folder(folder) else {
            return Ok(library);
        };
        let mut report = SceneReport::default();
        let mut files = match std::fs::read_dir(&folder) {
            Ok(entries) => entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| path.extension().is_some_and(|extension| extension == "ron"))
                .collect::<Vec<_>>(),
            Err(error) => {
                let shown = folder.display().to_string();
                report
                    .problems
                    .push(Problem::whole_file(&shown, error.to_string()));
                return Err(report);
            }
        };
        files.sort();
        for path in files {
            let shown = path.display().to_string();
            let parsed = read_text(&path, &shown)
                .map_err(|problem| SceneReport {
                    problems: vec![*problem],
                    sources: Vec::new(),
                })
                .and_then(|text| parse_prefab_with(&text, &shown, known));
            match parsed {
                Ok(prefab) => {
                    library.types.retain(|known| known.name != prefab.name);
                    library.types.push(prefab);
                }
                Err(wrong) => report.absorb(wrong),
            }
        }
        library.types.sort_by(|a, b| a.name.cmp(&b.name));
        library.source = Source::Folder(folder);
        if report.is_empty() {
            Ok(library)
        } else {
            Err(report)
        }
    }

    /// The same types, those that are used first; both parts by name. So an unused type that is added to
    /// the library changes no index, and no result, of a scene.
    #[must_use]
    pub fn with_used_first(mut self, used: &[&str]) -> Self {
        self.types.sort_by(|a, b| a.name.cmp(&b.name));
        self.types
            .sort_by_key(|prefab| !used.contains(&prefab.name.as_str()));
        self
    }

    /// The type of that name.
    pub fn get(&self, name: &str) -> Option<&CellPrefab> {
        self.types.iter().find(|prefab| prefab.name == name)
    }

    /// The index of the type of that name.
    pub fn index_of(&self, name: &str) -> Option<u16> {
        let position = self.types.iter().position(|prefab| prefab.name == name)?;
        u16::try_from(position).ok()
    }

    /// The names, by index.
    pub fn names(&self) -> Vec<String> {
        self.types
            .iter()
            .map(|prefab| prefab.name.clone())
            .collect()
    }

    /// Puts the names of the types and the parameters of each capability into a world.
    pub fn fill_tables(&self, world: &mut World) {
        world.insert_resource(CellTypeNames(self.names()));
        world.insert_resource(Clones::of_types(self.types.len() as u16));
        let traits = self.types.iter().map(|prefab| {
            let traits = prefab.heritable.iter();
            traits.map(|(path, how)| (path.clone(), *how)).collect()
        });
        world.insert_resource(HeritableTraits(traits.collect()));
        for capability in self.known.iter() {
            let of = |prefab: &CellPrefab| prefab.capability(capability.name).cloned();
            let values: Vec<Option<CapabilityValue>> = self.types.iter().map(of).collect();
            let values: Vec<Option<&CapabilityValue>> = values.iter().map(Option::as_ref).collect();
            (capability.put_into_force)(world, &values);
        }
    }

    /// Where types were looked for, in words.
    pub fn searched(&self) -> String {
        match &self.source {
            Source::Folder(folder) => {
                format!("a new one is a file `{}/NAME.ron`", folder.display())
            }
            Source::Shipped => {
                format!("a new one is a file `{FOLDER}/NAME.ron` beside or above the scene")
            }
            Source::Scene => "the scene lists its own `cell_types`, so there are no others".into(),
        }
    }
}

/// The nearest `assets/cells` beside or above a folder, or else under the current one.
fn nearest_folder(folder: &Path) -> Option<PathBuf> {
    // The folder of a bare file name is the current one.
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let absolute = std::path::absolute(folder).ok();
    let above = absolute.as_deref().into_iter().flat_map(Path::ancestors);
    let found = above
        .map(|ancestor| ancestor.join(FOLDER))
        .chain([PathBuf::from(FOLDER)])
        .find(|candidate| candidate.is_dir())?;
    // Shown the way it is reached from the current folder, if it lies in it.
    let here = std::env::current_dir().ok();
    let inside = here.and_then(|here| Some(found.strip_prefix(here).ok()?.to_owned()));
    Some(inside.unwrap_or(found))
}
