//! The library of cell types. A cell type is data: a RON file in `assets/cells`. With them go the molecules that they
//! can refer to, see [`super::molecules`].
//!
//! The shipped types are part of the binary. Files in the nearest `assets/cells` folder beside or above the
//! scene, or else under the current folder, replace types of the same name and add new ones, so a new cell
//! type needs no code.

use std::path::{Path, PathBuf};

use bevy::prelude::*;
use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};

use super::assets;
use super::check::Checker;
use super::molecules::{molecules_for_folder, shipped_molecules};
use super::read::read;
use super::report::SceneReport;
use super::spans::FieldPath;
use crate::biology::{HifParameters, MetabolismParameters};
use crate::cell::contact::ContactParameters;
use crate::cell::cycle::mean_radius_um;
use crate::cell::{
    BodyParameters, CycleParameters, DeathParameters, ExchangeParameters, MoleculeExchange,
    MotilityParameters,
};
use crate::core::parameters::{CellTypeNames, Parameters, PerType};
use crate::tissue::{Molecule, Molecules};

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/assets/cells");

/// Where prefabs lie, from the root of the project and from any folder above a scene.
const FOLDER: &str = "assets/cells";

/// A cell type: what its cells look like and what they can do.
///
/// A capability that is left out is one that the cells do not have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct CellPrefab {
    /// Name by which scenes refer to it; that of its file without `.ron`.
    pub name: String,
    /// What it is, one or a few sentences.
    pub about: String,
    /// Colour, sRGB, each channel 0-1.
    pub colour: (f32, f32, f32),
    /// Whether its cells are part of the tumour, for measurements of the tumour's size.
    #[serde(default)]
    pub tumour: bool,
    /// Size and composition; that of a breast cancer cell if left out.
    #[serde(default)]
    pub body: BodyParameters,
    /// How strongly it holds to and pushes off other cells; like a tumour cell if left out.
    #[serde(default)]
    pub mechanics: ContactParameters,
    /// How it cycles and divides.
    #[serde(default)]
    pub cycle: Option<CycleParameters>,
    /// When it dies, and how its remains vanish.
    #[serde(default)]
    pub death: Option<DeathParameters>,
    /// What it takes up, gives off and lives on.
    #[serde(default)]
    pub metabolism: Option<MetabolismParameters>,
    /// How it senses and answers a lack of oxygen.
    #[serde(default)]
    pub hif: Option<HifParameters>,
    /// How it walks.
    #[serde(default)]
    pub motility: Option<MotilityParameters>,
    /// What else it gives off and takes up.
    #[serde(default)]
    pub exchange: Vec<MoleculeExchange>,
}

impl CellPrefab {
    /// Radius of a resting cell, um.
    pub fn radius_um(&self) -> f32 {
        self.body.resting_radius_um()
    }

    /// Radius of the ball that a cell of this type fills on average, um.
    pub fn mean_radius_um(&self) -> f32 {
        mean_radius_um(&self.body, self.cycle.as_ref())
    }
}

/// Reads a cell type from RON text. `name` is that of the file, for reports; the molecules are those at hand in its
/// folder.
///
/// # Errors
/// When anything is wrong with it: everything that is.
pub fn parse_prefab(source: &str, name: &str) -> Result<CellPrefab, SceneReport> {
    let folder = Path::new(name).parent().unwrap_or(Path::new(""));
    parse_prefab_among(&molecules_for_folder(folder, &[])?, source, name)
}

/// Reads a cell type from RON text, which may refer to these molecules.
fn parse_prefab_among(
    molecules: &Molecules,
    source: &str,
    name: &str,
) -> Result<CellPrefab, SceneReport> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let reading = read::<CellPrefab>(source, name);
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
            molecules,
            report: SceneReport::default(),
        };
        let root = FieldPath::root();
        check_prefab(&mut checker, &root, prefab);
        checker.named_as_file(&root.field("name"), &prefab.name);
        report.absorb(checker.report);
    }
    report.put_in_order();
    match reading.value {
        Some(prefab) if report.is_empty() => Ok(prefab),
        _ => Err(report),
    }
}

/// Checks the cell type that stands at a place of a file.
pub(super) fn check_prefab(checker: &mut Checker, root: &FieldPath, prefab: &CellPrefab) {
    checker.plain_name(&root.field("name"), &prefab.name);
    let channels = [prefab.colour.0, prefab.colour.1, prefab.colour.2];
    for (channel, value) in channels.into_iter().enumerate() {
        if !(0.0..=1.0).contains(&value) {
            let message = format!("must be from 0 to 1, found {value}");
            checker.problem(&root.field("colour").nth(channel), message);
        }
    }
    checker.limits(&root.field("body"), &prefab.body);
    checker.limits(&root.field("mechanics"), &prefab.mechanics);
    optional_limits(checker, &root.field("cycle"), prefab.cycle.as_ref());
    optional_limits(checker, &root.field("death"), prefab.death.as_ref());
    optional_limits(
        checker,
        &root.field("metabolism"),
        prefab.metabolism.as_ref(),
    );
    optional_limits(checker, &root.field("hif"), prefab.hif.as_ref());
    optional_limits(checker, &root.field("motility"), prefab.motility.as_ref());
    let list = root.field("exchange");
    for (index, exchange) in prefab.exchange.iter().enumerate() {
        let path = list.item(index);
        checker.limits(&path, exchange);
        let name = &exchange.molecule;
        let earlier = &prefab.exchange[..index];
        if let Some(first) = earlier.iter().position(|of| of.molecule == *name) {
            let message = format!("`{}` is already in exchange[{first}]", name.as_str());
            checker.problem(&path.field("molecule"), message);
        }
    }
    for (group, [field, _], message) in contradictions(&prefab.body, prefab.death.as_ref()) {
        checker.problem(&root.field(group).field(field), message);
    }
}

/// What parameters of a cell type contradict others: group, field and the other field, and why.
pub(super) fn contradictions(
    body: &BodyParameters,
    death: Option<&DeathParameters>,
) -> Vec<(&'static str, [&'static str; 2], String)> {
    let mut found = Vec::new();
    if body.volume_um3 > 0.0 && body.nucleus_um3 > body.volume_um3 {
        let (nucleus, cell) = (body.nucleus_um3, body.volume_um3);
        let message = format!("a nucleus of {nucleus} um3 is larger than its cell ({cell} um3)");
        found.push(("body", ["nucleus_um3", "volume_um3"], message));
    }
    if let Some(death) = death
        && death.necrosis_full_mmhg > death.necrosis_onset_mmhg
    {
        let (full, onset) = (death.necrosis_full_mmhg, death.necrosis_onset_mmhg);
        let message = format!("must not be above `necrosis_onset_mmhg` ({onset}), found {full}");
        let fields = ["necrosis_full_mmhg", "necrosis_onset_mmhg"];
        found.push(("death", fields, message));
    }
    found
}

fn optional_limits<P: Parameters>(checker: &mut Checker, path: &FieldPath, value: Option<&P>) {
    if let Some(value) = value {
        checker.limits(path, value);
    }
}

/// The cell types a scene can use, and the molecules.
#[derive(Clone, Debug, PartialEq)]
pub struct CellLibrary {
    /// The types; their position is the index that [`crate::cell::CellType`] holds.
    pub types: Vec<CellPrefab>,
    /// The molecules.
    pub molecules: Molecules,
    /// Where the types come from.
    source: Source,
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
    pub(super) const fn of_scene(types: Vec<CellPrefab>, molecules: Molecules) -> Self {
        Self {
            types,
            molecules,
            source: Source::Scene,
        }
    }

    /// The shipped types and molecules only, by name.
    ///
    /// # Errors
    /// When a shipped file is wrong, which a test excludes.
    pub fn shipped() -> Result<Self, SceneReport> {
        Self::shipped_among(shipped_molecules()?)
    }

    /// The shipped types, by name, and these molecules.
    fn shipped_among(molecules: Molecules) -> Result<Self, SceneReport> {
        let parse = |text: &str, name: &str| parse_prefab_among(&molecules, text, name);
        let mut types = assets::shipped(&SHIPPED, FOLDER, parse)?;
        types.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            types,
            molecules,
            source: Source::Shipped,
        })
    }

    /// The shipped types with those of the nearest `assets/cells` folder beside or above `folder`, or else
    /// under the current folder, by name; and the molecules found in the same way.
    ///
    /// # Errors
    /// When a file in these folders cannot be read or is wrong: everything that is.
    pub fn for_folder(folder: &Path) -> Result<Self, SceneReport> {
        Self::for_scene(folder, &[])
    }

    /// What [`CellLibrary::for_folder`] finds, with the molecules that a scene brings along.
    pub(super) fn for_scene(folder: &Path, own: &[Molecule]) -> Result<Self, SceneReport> {
        let mut library = Self::shipped_among(molecules_for_folder(folder, own)?)?;
        let Some(folder) = assets::nearest_folder(folder, FOLDER) else {
            return Ok(library);
        };
        let molecules = &library.molecules;
        let parse = |text: &str, name: &str| parse_prefab_among(molecules, text, name);
        for prefab in assets::in_folder(&folder, parse)? {
            library.types.retain(|known| known.name != prefab.name);
            library.types.push(prefab);
        }
        library.types.sort_by(|a, b| a.name.cmp(&b.name));
        library.source = Source::Folder(folder);
        Ok(library)
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
        self.fill(world, |prefab| Some(prefab.body.clone()));
        self.fill(world, |prefab| Some(prefab.mechanics.clone()));
        self.fill(world, |prefab| prefab.cycle.clone());
        self.fill(world, |prefab| prefab.death.clone());
        self.fill(world, |prefab| prefab.metabolism.clone());
        self.fill(world, |prefab| prefab.hif.clone());
        self.fill(world, |prefab| prefab.motility.clone());
        self.fill(world, |prefab| {
            Some(ExchangeParameters(prefab.exchange.clone()))
        });
    }

    fn fill<P: Send + Sync + 'static>(
        &self,
        world: &mut World,
        of: impl Fn(&CellPrefab) -> Option<P>,
    ) {
        world.insert_resource(PerType(self.types.iter().map(of).collect()));
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
