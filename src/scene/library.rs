//! The library of cell types. A cell type is data: a RON file in `assets/cells`.
//!
//! The shipped types are part of the binary. Files in the nearest `assets/cells` folder beside or above the
//! scene, or else under the current folder, replace types of the same name and add new ones, so a new cell
//! type needs no code.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bevy::prelude::*;
use include_dir::{Dir, include_dir};

use super::assets;
use super::capabilities::{check_molecules_of, check_prefab, read_parts};
use super::checker::Checker;
use super::molecules::{molecules_at_hand, molecules_for_folder, shipped_molecules};
use super::prefab::{CellPrefab, Origin};
use super::read::read;
use super::report::SceneReport;
use super::spans::FieldPath;
use crate::biology::BiologyPlugins;
use crate::biology::therapy::{Drug, Drugs, Patient};
use crate::cell::CellPlugins;
use crate::core::capability::{CapabilityRegistry, CapabilityValue};
use crate::core::clones::{Clones, HeritableTraits};
use crate::core::parameters::CellTypeNames;
use crate::tissue::{Molecule, Molecules};

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

/// Reads a cell type with shipped capabilities from RON text. `name` is that of the file, for reports; the molecules
/// are those at hand in its folder.
///
/// # Errors
/// When anything is wrong with it: everything that is.
pub fn parse_prefab(source: &str, name: &str) -> Result<CellPrefab, SceneReport> {
    let folder = Path::new(name).parent().unwrap_or(Path::new(""));
    let molecules = molecules_for_folder(folder, &[])?;
    parse_prefab_with(source, name, shipped_capabilities(), &molecules)
}

/// Reads a cell type from RON text, which may refer to these molecules. `name` is that of the file, for reports.
///
/// # Errors
/// When anything is wrong with it: everything that is.
pub fn parse_prefab_with(
    source: &str,
    name: &str,
    known: &CapabilityRegistry,
    molecules: &Molecules,
) -> Result<CellPrefab, SceneReport> {
    read_prefab((source, name), known, Some(molecules))
}

/// Reads a cell type from the text and the name of its file. Without molecules those that it names are not asked for:
/// a scene may bring them.
fn read_prefab(
    (source, name): (&str, &str),
    known: &CapabilityRegistry,
    molecules: Option<&Molecules>,
) -> Result<CellPrefab, SceneReport> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut reading = read::<CellPrefab>(source, name);
    if let Some(mut prefab) = reading.value.take() {
        let root = FieldPath::root();
        read_parts((name, source), &root, &mut prefab, known, &mut reading);
        prefab.origin = Origin::new(name, source);
        reading.value = Some(prefab);
    }
    let mut report = SceneReport {
        problems: reading.problems,
        sources: vec![(name.to_owned(), source.to_owned())],
    };
    if let Some(prefab) = &reading.value {
        let none = Molecules::default();
        let mut checker = Checker {
            file: name,
            text: source,
            tree: &reading.tree,
            repaired: &reading.repaired,
            molecules: molecules.unwrap_or(&none),
            unread: &[],
            moved: &[],
            report: SceneReport::default(),
        };
        let root = FieldPath::root();
        check_prefab(&mut checker, &root, prefab, known);
        if molecules.is_some() {
            check_molecules_of(&mut checker, &root, prefab, known);
        }
        checker.named_as_file(&root.field("name"), &prefab.name);
        report.absorb(checker.report);
    }
    report.put_in_order();
    match reading.value {
        Some(prefab) if report.is_empty() => Ok(prefab),
        _ => Err(report),
    }
}

/// Reads a cell type from a file of its own, whatever molecules it names.
///
/// # Errors
/// When it cannot be read or anything else is wrong with it: everything that is.
pub(super) fn load_alone(
    path: &Path,
    known: &CapabilityRegistry,
) -> Result<CellPrefab, SceneReport> {
    assets::read_file(path, |text: &str, name: &str| {
        read_prefab((text, name), known, None)
    })
}

/// The cell types and molecules for a scene, and what is wrong with others in the folders.
pub(super) struct AtHand {
    /// Those without a mistake.
    pub library: CellLibrary,
    /// Everything that is wrong with files in the folders.
    pub report: SceneReport,
    /// What the wrong files would have brought.
    pub unread: Vec<String>,
}

/// The cell types a scene can use, and the molecules.
#[derive(Clone, Debug)]
pub struct CellLibrary {
    /// The types; their position is the index that [`crate::cell::CellType`] holds.
    pub types: Vec<CellPrefab>,
    /// The molecules.
    pub molecules: Molecules,
    /// The capabilities they can have.
    pub known: CapabilityRegistry,
    /// The drugs that a scene has.
    pub drugs: Drugs,
    /// Where the types come from.
    source: Source,
}

impl PartialEq for CellLibrary {
    fn eq(&self, other: &Self) -> bool {
        self.types == other.types
            && self.molecules == other.molecules
            && self.drugs == other.drugs
            && self.source == other.source
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
    /// The types that a scene brings along, in this order, and these molecules.
    pub(super) const fn of_scene(
        types: Vec<CellPrefab>,
        molecules: Molecules,
        known: CapabilityRegistry,
    ) -> Self {
        Self {
            types,
            molecules,
            known,
            drugs: Drugs {
                list: Vec::new(),
                body: Patient::Mouse,
            },
            source: Source::Scene,
        }
    }

    /// The same with these drugs, in the body of such a one.
    pub(super) fn with_drugs(mut self, list: Vec<Drug>, body: Patient) -> Self {
        self.drugs = Drugs { list, body };
        self
    }

    /// No types and no molecules, but capabilities they could have.
    pub fn empty(known: CapabilityRegistry) -> Self {
        Self {
            types: Vec::new(),
            molecules: Molecules::default(),
            known,
            drugs: Drugs::default(),
            source: Source::Shipped,
        }
    }

    /// The shipped types and molecules only, with shipped capabilities; by name.
    ///
    /// # Errors
    /// When a shipped file is wrong, which a test excludes.
    pub fn shipped() -> Result<Self, SceneReport> {
        Self::shipped_with(shipped_capabilities())
    }

    /// The shipped types and molecules only, by name, in a program that knows these capabilities.
    ///
    /// # Errors
    /// When a shipped file is wrong, which a test excludes.
    pub fn shipped_with(known: &CapabilityRegistry) -> Result<Self, SceneReport> {
        Self::shipped_among(shipped_molecules()?, known)
    }

    /// The shipped types, by name, and these molecules.
    fn shipped_among(
        molecules: Molecules,
        known: &CapabilityRegistry,
    ) -> Result<Self, SceneReport> {
        let parse = |text: &str, name: &str| parse_prefab_with(text, name, known, &molecules);
        let mut types = assets::shipped(&SHIPPED, FOLDER, parse)?;
        types.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            types,
            molecules,
            known: known.clone(),
            drugs: Drugs::default(),
            source: Source::Shipped,
        })
    }

    /// The shipped types with those of the nearest `assets/cells` folder beside or above `folder`, or else
    /// under the current folder, with shipped capabilities, by name; and the molecules found in the same way.
    ///
    /// # Errors
    /// When a file in these folders cannot be read or is wrong: everything that is.
    pub fn for_folder(folder: &Path) -> Result<Self, SceneReport> {
        Self::for_scene(folder, &[], shipped_capabilities())
    }

    /// What [`CellLibrary::for_folder`] finds, in a program that knows these capabilities, with the molecules that a
    /// scene brings along. Whether there are the molecules that a cell type names is not asked: another scene may bring
    /// them.
    ///
    /// # Errors
    /// When a file in these folders cannot be read or is wrong: everything that is.
    pub fn for_scene(
        folder: &Path,
        own: &[Molecule],
        known: &CapabilityRegistry,
    ) -> Result<Self, SceneReport> {
        let found = Self::at_hand(folder, own, known)?;
        if found.report.is_empty() {
            Ok(found.library)
        } else {
            Err(found.report)
        }
    }

    /// What [`CellLibrary::for_scene`] finds, without the files that are wrong. A shipped cell type in place of which a
    /// wrong file stands is left out, too: it is not the one that is meant.
    ///
    /// # Errors
    /// When a shipped file is wrong, which a test excludes.
    pub(super) fn at_hand(
        folder: &Path,
        own: &[Molecule],
        known: &CapabilityRegistry,
    ) -> Result<AtHand, SceneReport> {
        let molecules = molecules_at_hand(folder, own)?;
        let (mut report, mut unread) = (molecules.report, molecules.unread);
        let mut library = Self::shipped_among(Molecules::new(molecules.list), known)?;
        if let Some(folder) = assets::nearest_folder(folder, FOLDER) {
            let parse = |text: &str, name: &str| read_prefab((text, name), known, None);
            let found = assets::in_folder(&folder, parse);
            for name in found.list.iter().map(|prefab| &prefab.name) {
                library.types.retain(|known| known.name != *name);
            }
            library.types.extend(found.list);
            let is_read = |prefab: &CellPrefab| !found.unread.contains(&prefab.name);
            library.types.retain(is_read);
            library.source = Source::Folder(folder);
            report.absorb(found.report);
            unread.extend(found.unread);
        }
        library.types.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(AtHand {
            library,
            report,
            unread,
        })
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

    /// Puts the names of the types, the parameters of each capability and the molecules into a world.
    pub fn fill_tables(&self, world: &mut World) {
        world.insert_resource(self.molecules.clone());
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
