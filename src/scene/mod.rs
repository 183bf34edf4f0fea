//! Floor 3: scenes, the files in which people say what to simulate, show and measure.
//!
//! [`load_scene`] and [`parse_scene`] turn a file into a [`ParsedScene`] or into a [`SceneReport`] of
//! everything that is wrong with it. They serve command line, sandbox and tests alike.

mod advice;
pub mod alone;
pub mod arms;
mod assets;
pub mod body_parts;
mod capabilities;
pub mod causes;
mod changes;
mod check;
mod checker;
mod course;
mod draft;
mod drugs;
mod effects;
pub mod expect;
mod forms;
mod keys;
pub mod library;
pub mod look;
pub mod molecules;
mod named_parts;
mod names;
mod parse;
pub mod population;
pub mod prefab;
mod read;
pub mod reference;
pub mod report;
mod rules;
pub mod schema;
mod shape;
mod shipped;
pub mod spans;
pub mod stage;
pub mod table;
mod text_file;
pub mod timeline;
pub mod tissue_parts;
pub mod treatment;
pub mod variants;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bevy::prelude::*;

pub use alone::{Accepted, load_library, load_prefab};
pub use arms::{Arm, Endpoints, Measured};
pub use drugs::{load_drug, parse_drug, shipped_drugs};
pub use expect::{Judge, Measurement, Verdict};
pub use library::{CellLibrary, parse_prefab, shipped_capabilities};
pub use look::{
    Axis, CameraKey, CameraPose, ColourBy, Cut, Label, LayersShown, Look, PlotShown, Slice, Style,
    Target,
};
pub use molecules::{load_molecule, parse_molecule};
pub use parse::{load_scene, parse_scene};
pub use population::{Ground, PlacedCell, place_cells};
pub use prefab::CellPrefab;
pub use report::{Problem, SceneReport};
pub use schema::{Pace, Scene};
pub use shipped::{shipped_scene, shipped_scenes};
pub use stage::{Stage, StageLayout};
pub use timeline::{Change, Timeline};

use self::check::CellSizes;
pub(crate) use self::check::MAX_STEPS;
use self::checker::Checker;
use self::schema::{Action, CellAt, Event, Place, Population};
use self::spans::FieldPath;
use self::table::Row;
use self::text_file::{LONGEST_TEXT, read_text, read_text_below};
use crate::core::RandomKey;
use crate::core::capability::CapabilityRegistry;
use crate::core::dialect::{dialect, read_ron, write_ron};
use crate::core::extension::Extensions;
use crate::core::metric::Metric;
use crate::tissue::{Molecules, SiteId};

/// Says what the columns of `metrics.csv` are for a scene with these cell types and molecules, whatever its sites carry.
pub type Columns<'a> = &'a (dyn Fn(&CellLibrary) -> Vec<Metric> + Sync);

/// What is known about the program when a scene is read.
#[derive(Clone, Copy, Default)]
pub struct SceneContext<'a> {
    /// The folder in which files named by the scene are looked for; that of the scene's own name if left
    /// out.
    pub folder: Option<&'a Path>,
    /// The columns of `metrics.csv`; without them the names in `expect` are not checked.
    pub metrics: Option<Columns<'a>>,
    /// Makes a world with all parameters registered and the tables of all cell types filled; without it
    /// parameters are not checked.
    pub prototype: Option<&'a (dyn Fn(&CellLibrary) -> World + Sync)>,
    /// The capabilities that cell types can have; those of the shipped modules if left out.
    pub capabilities: Option<&'a CapabilityRegistry>,
    /// The plugins beside the shipped ones that a simulation of the scene has.
    pub extensions: Option<&'a Extensions>,
    /// Whether everything that the scene refers to stands in it, as a simulation writes it: no file is looked for.
    pub is_whole: bool,
}

impl SceneContext<'_> {
    /// The capabilities that cell types can have.
    fn known(&self) -> &CapabilityRegistry {
        match self.capabilities {
            Some(known) => known,
            None => shipped_capabilities(),
        }
    }
}

/// Rows of the CSV files a scene names, by that name, and the folder in which they are looked for.
struct Tables(BTreeMap<String, Vec<Row>>, PathBuf);

/// A scene that makes sense, with everything it refers to.
#[derive(Clone, Debug)]
pub struct ParsedScene {
    /// The file, as its user named it.
    pub name: String,
    /// The scene.
    pub scene: Scene,
    /// The cell types: those the scene uses first, then all others, both by name.
    pub library: CellLibrary,
    /// When what happens.
    pub timeline: Timeline,
    /// The plugins beside the shipped ones of the program that has read it.
    pub extensions: Extensions,
    /// What in it has no effect, which a person would want to know.
    pub warnings: SceneReport,
    tables: BTreeMap<String, Vec<Row>>,
}

impl ParsedScene {
    /// The scene as a file that needs no other: its cell types, molecules and the rows of its CSV files stand in it, and
    /// this seed. Running that file gives the same bits, and [`ParsedScene::from_ron`] makes an equal one of it.
    ///
    /// # Errors
    /// In words, when it cannot be written.
    pub fn to_ron(&self, seed: u64) -> Result<String, String> {
        let mut scene = self.scene.clone();
        // What was run is this scene alone.
        scene.arms.clear();
        scene.recording.side_by_side = false;
        scene.recording.beside = None;
        scene.trial = Endpoints::default();
        self.written(scene, seed)
    }

    /// The same, with its arms and what a trial of them measures.
    ///
    /// # Errors
    /// In words, when it cannot be written.
    pub fn to_ron_with_arms(&self, seed: u64) -> Result<String, String> {
        self.written(self.scene.clone(), seed)
    }

    fn written(&self, mut scene: Scene, seed: u64) -> Result<String, String> {
        scene.seed = seed;
        scene.cell_types.clone_from(&self.library.types);
        scene.variants.clear();
        drugs::keep_on_call(&mut scene);
        scene.molecules = self.library.molecules.list().to_vec();
        for population in populations_of(&mut scene) {
            if let Place::Csv(file) = &population.place
                && let Some(rows) = self.tables.get(file)
            {
                let cell = |row: &Row| CellAt {
                    at_um: row.at_um.into(),
                    cell: row.cell.clone(),
                };
                population.place = Place::Cells(rows.iter().map(cell).collect());
            }
        }
        // A cell of a list, or a parameter of a cell type, has a line of its own.
        let config = ron::ser::PrettyConfig::new().depth_limit(4);
        dialect()
            .to_string_pretty(&scene, config)
            .map_err(|error| error.to_string())
    }

    /// The scene that [`ParsedScene::to_ron`] wrote, without checking it again; its capabilities are those of the
    /// shipped modules.
    ///
    /// # Errors
    /// In words, when the text is not such a scene.
    pub fn from_ron(name: &str, text: &str) -> Result<Self, String> {
        Self::from_ron_with(name, text, &SceneContext::default())
    }

    /// The scene that [`ParsedScene::to_ron`] wrote in a program that knows this, without checking it again.
    ///
    /// # Errors
    /// In words, when the text is not such a scene.
    pub fn from_ron_with(name: &str, text: &str, context: &SceneContext) -> Result<Self, String> {
        let known = context.known();
        let mut scene: Scene = read_ron(text).map_err(|mistake| mistake.1.to_string())?;
        for prefab in &mut scene.cell_types {
            prefab.read_capabilities(known)?;
        }
        for site in &mut scene.sites {
            site.tissue.read_parts(known)?;
        }
        scene.body.read_parts(known)?;
        Ok(Self {
            name: name.to_owned(),
            timeline: Timeline::new(&scene),
            library: CellLibrary::of_scene(
                scene.cell_types.clone(),
                Molecules::new(scene.molecules.iter().cloned()),
                known.clone(),
            )
            .with_drugs(scene.drugs.clone(), scene.patient),
            extensions: context.extensions.cloned().unwrap_or_default(),
            warnings: SceneReport::default(),
            scene,
            tables: BTreeMap::new(),
        })
    }

    /// A scene that [`ParsedScene::to_ron`] wrote in the same program, without checking it again.
    ///
    /// # Errors
    /// In words, when the text is not such a scene.
    pub fn another_from_ron(&self, name: &str, text: &str) -> Result<Self, String> {
        let context = SceneContext {
            capabilities: Some(&self.library.known),
            extensions: Some(&self.extensions),
            ..SceneContext::default()
        };
        Self::from_ron_with(name, text, &context)
    }

    /// Checks a population that is to be added to this world while the scene runs. Files are those that the scene names.
    ///
    /// # Errors
    /// When anything is wrong with it: everything that is.
    pub fn check_population(
        &self,
        population: &Population,
        world: &World,
    ) -> Result<(), SceneReport> {
        const NAME: &str = "the added population";
        let text = ron::to_string(population).unwrap_or_default();
        let reading = read::read::<Population>(&text, NAME);
        let mut checker = Checker {
            file: NAME,
            text: &text,
            tree: &reading.tree,
            repaired: &reading.repaired,
            molecules: &self.library.molecules,
            unread: &[],
            moved: &[],
            report: SceneReport::default(),
        };
        let folder = Path::new(&self.name).parent().unwrap_or(Path::new(""));
        let mut tables = Tables(self.tables.clone(), folder.to_owned());
        check::check_added(
            &mut checker,
            population,
            &self.scene,
            (&self.library, &CellSizes::in_force(&self.library, world)),
            &mut tables,
        );
        if let Place::Csv(file) = &population.place
            && !self.tables.contains_key(file)
        {
            let message = format!("`{file}` is not a file that the scene names");
            checker.problem(&FieldPath::root().field("place"), message);
        }
        let report = checker.report;
        if report.is_empty() {
            Ok(())
        } else {
            Err(report)
        }
    }

    /// Checks a treatment that is to be made while the scene runs.
    ///
    /// # Errors
    /// When anything is wrong with it: everything that is.
    pub fn check_treatment(&self, action: &Action) -> Result<(), SceneReport> {
        const NAME: &str = "the treatment";
        let text = write_ron(action).unwrap_or_default();
        let reading = read::read::<Action>(&text, NAME);
        let mut checker = Checker {
            file: NAME,
            text: &text,
            tree: &reading.tree,
            repaired: &reading.repaired,
            molecules: &self.library.molecules,
            unread: &[],
            moved: &[],
            report: SceneReport::default(),
        };
        let drugs = self.library.drugs.list.iter();
        let drugs: Vec<String> = drugs.map(|drug| drug.name.clone()).collect();
        let of_scene = (&self.library, drugs.as_slice());
        drugs::check_treatment(
            &mut checker,
            &FieldPath::root(),
            action,
            &self.scene,
            of_scene,
        );
        if checker.report.is_empty() {
            Ok(())
        } else {
            Err(checker.report)
        }
    }

    /// The number of the site of that name; the first one if there is no name.
    pub fn site(&self, name: Option<&str>) -> Option<SiteId> {
        let sites = &self.scene.sites;
        let position = match name {
            None => 0,
            Some(name) => sites.iter().position(|site| site.name == name)?,
        };
        u16::try_from(position)
            .ok()
            .filter(|_| !sites.is_empty())
            .map(SiteId)
    }

    /// The cell types that it puts into its sites or the blood of its body, at the start or later.
    pub fn used_cell_types(&self) -> Vec<String> {
        let rows = self.tables.values().flatten();
        let named = rows.filter_map(|row| row.cell.as_deref());
        let used = used_types(&self.scene).into_iter().chain(named);
        let mut used: Vec<String> = used.map(str::to_owned).collect();
        used.sort();
        used.dedup();
        used
    }

    /// Resizes the ball of a population so that it starts with about `cells` cells; nothing happens where it is not
    /// a ball. For tests and benchmarks that run one scene at several sizes. The caller sees to it that the ball
    /// fits its site.
    pub fn resize_ball(&mut self, population: usize, cells: f64) {
        let library = &self.library;
        if let Some(Population {
            cell,
            place: Place::Ball { radius_um, .. },
            ..
        }) = self.scene.populations.get_mut(population)
            && let Some(prefab) = library.get(cell)
        {
            *radius_um = population::ball_radius_um(cells, prefab.mean_radius_um());
        }
    }

    /// The cells of a population: its site, and centre (um) and type of each, in the order of birth.
    ///
    /// `number` is the population's place in the scene, or what the timeline gave it; `step` that in which
    /// it is added, 0 at the start.
    pub fn place(
        &self,
        population: &Population,
        number: u32,
        step: u64,
        key: RandomKey,
        radius_um: f32,
    ) -> (SiteId, Vec<PlacedCell>) {
        let site = self.site(population.site.as_deref()).unwrap_or_default();
        let cell_type = self.library.index_of(&population.cell).unwrap_or_default();
        let half = self
            .scene
            .sites
            .get(usize::from(site.0))
            .map_or(Vec3::ZERO, |site| Vec3::from(site.size_um) * 0.5);
        let type_of = |name: &Option<String>| {
            let named = name.as_ref().and_then(|name| self.library.index_of(name));
            named.unwrap_or(cell_type)
        };
        let rows: Vec<PlacedCell> = match &population.place {
            Place::Csv(file) => {
                let rows = self.tables.get(file).into_iter().flatten();
                rows.map(|row| (row.at_um, type_of(&row.cell))).collect()
            }
            Place::Cells(cells) => cells
                .iter()
                .map(|cell| (cell.at_um.into(), type_of(&cell.cell)))
                .collect(),
            _ => Vec::new(),
        };
        let ground = Ground {
            min_um: -half,
            max_um: half,
            cell_type,
            radius_um,
            rows: &rows,
            key,
            number,
            step,
        };
        (site, place_cells(&population.place, &ground))
    }
}

/// What events add.
fn added<'s>(timeline: impl Iterator<Item = &'s Event>) -> impl Iterator<Item = &'s Population> {
    timeline.filter_map(|event| match event.action() {
        Action::Add(population) => Some(population),
        _ => None,
    })
}

/// The populations of a scene: those present at the start and those that the timeline adds.
fn populations_of(scene: &mut Scene) -> impl Iterator<Item = &mut Population> {
    let added = scene.timeline.iter_mut().filter_map(|event| {
        let (Event::At(_, action) | Event::Every { action, .. }) = event;
        match action {
            Action::Add(population) => Some(population),
            _ => None,
        }
    });
    scene.populations.iter_mut().chain(added)
}

/// The same, to look at, with those that arms add.
fn populations_in(scene: &Scene) -> impl Iterator<Item = &Population> {
    let of_arms = scene.arms.iter().flat_map(|arm| &arm.timeline);
    let added = added(scene.timeline.iter().chain(of_arms));
    scene.populations.iter().chain(added)
}

/// Whether a population is to be read from a file.
fn scene_names_files(scene: &Scene) -> bool {
    populations_in(scene).any(|population| matches!(population.place, Place::Csv(_)))
}

/// The cell types that populations, timeline and body name.
fn used_types(scene: &Scene) -> Vec<&str> {
    let of_arms = scene.arms.iter().flat_map(|arm| &arm.timeline);
    let events = scene.timeline.iter().chain(of_arms);
    let transferred = events.filter_map(|event| match event.action() {
        Action::Transfer(transfer) => Some(transfer.cell.as_str()),
        _ => None,
    });
    let mut used: Vec<&str> = transferred.chain(scene.body.cell_types()).collect();
    for population in populations_in(scene) {
        used.push(population.cell.as_str());
        if let Place::Cells(cells) = &population.place {
            used.extend(cells.iter().filter_map(|cell| cell.cell.as_deref()));
        }
    }
    used.sort_unstable();
    used.dedup();
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scene from its text, which must be valid RON.
    pub(super) fn scene(text: &str) -> Scene {
        let reading = read::read::<Scene>(text, "test.ron");
        assert_eq!(reading.problems, []);
        reading.value.unwrap()
    }
}
