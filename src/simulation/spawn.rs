//! From the words of a scene to entities: sites with their fields, cell types with their parameters, cells.

use bevy::prelude::*;

use super::turnover::Lineage;
use super::twin::Twins;
use crate::biology::hypoxia::{HifAxis, HifParameters, HypoxiaParameters};
use crate::biology::metabolism::{Metabolism, MetabolismParameters};
use crate::cell::cycle::{AgeStructure, mean_radius_um};
use crate::cell::movement::SiteMechanics;
use crate::cell::perception::BackgroundParameters;
use crate::cell::{
    BodyParameters, CellType, Cycle, CycleParameters, Motility, MotilityParameters, Position,
    Resident, Surroundings, Vital,
};
use crate::core::parameters::{CellTypeNames, Parameters, PerType};
use crate::core::random::Random;
use crate::core::{CellId, CellIdCounter, Purpose, RandomKey};
use crate::observe::metrics::{TumourTypes, register_types};
use crate::scene::schema::{Faces, Population, Scene};
use crate::scene::{CellPrefab, ParsedScene, PlacedCell};
use crate::tissue::exchange::VolumeBook;
use crate::tissue::transport::{CellVolume, FieldOf, FieldSupply, FieldWork, HostVessels};
use crate::tissue::{FieldValues, Ledger, Molecule, SiteEntry, SiteId, Sites, TissueBlock};

/// The parameters in force that decide what a new cell is made of, copied so that the world is free.
struct CapabilityTables {
    body: PerType<BodyParameters>,
    cycle: PerType<CycleParameters>,
    metabolism: PerType<MetabolismParameters>,
    hif: PerType<HifParameters>,
    motility: PerType<MotilityParameters>,
}

impl CapabilityTables {
    fn of(world: &World) -> Self {
        Self {
            body: world.resource::<PerType<BodyParameters>>().clone(),
            cycle: world.resource::<PerType<CycleParameters>>().clone(),
            metabolism: world.resource::<PerType<MetabolismParameters>>().clone(),
            hif: world.resource::<PerType<HifParameters>>().clone(),
            motility: world.resource::<PerType<MotilityParameters>>().clone(),
        }
    }
}

/// Fills the parameter tables of all capabilities from prefabs.
pub fn install_cell_types(world: &mut World, types: &[CellPrefab]) {
    fn table<P: Parameters>(
        world: &mut World,
        types: &[CellPrefab],
        get: impl Fn(&CellPrefab) -> Option<P>,
    ) {
        world.insert_resource(PerType::<P>(types.iter().map(get).collect()));
    }
    world.insert_resource(CellTypeNames(
        types.iter().map(|prefab| prefab.name.clone()).collect(),
    ));
    world.insert_resource(TumourTypes(
        types.iter().map(|prefab| prefab.tumour).collect(),
    ));
    let styles = types.iter();
    let styles = styles.map(|prefab| (prefab.name.as_str(), prefab.colour.into()));
    register_types(world, styles);
    table(world, types, |prefab| Some(prefab.body.clone()));
    table(world, types, |prefab| Some(prefab.mechanics.clone()));
    table(world, types, |prefab| prefab.cycle.clone());
    table(world, types, |prefab| prefab.death.clone());
    table(world, types, |prefab| prefab.motility.clone());
    table(world, types, |prefab| prefab.metabolism.clone());
    table(world, types, |prefab| prefab.hif.clone());
}

/// The block of tissue that a site of a scene describes.
pub fn block_of(site: &crate::scene::schema::Site) -> TissueBlock {
    let voxel_um = Vec3::from(site.voxel_um);
    let dims = (Vec3::from(site.size_um) / voxel_um)
        .round()
        .max(Vec3::ONE)
        .as_uvec3();
    TissueBlock {
        name: site.name.clone(),
        min_um: -0.5 * dims.as_vec3() * voxel_um,
        dims,
        voxel_um,
        walls: site.walls,
        perfusion_length_um: site.perfusion_length_um.or(site.stirring_length_um),
    }
}

/// Spawns the sites of a scene, and their fields as children.
pub fn spawn_sites(world: &mut World, scene: &Scene) {
    let mut sites = Sites::default();
    for (index, site) in scene.sites.iter().enumerate() {
        let id = SiteId(index as u16);
        let block = block_of(site);
        let voxels = block.voxels();
        let entity = world
            .spawn((
                id,
                block.clone(),
                CellVolume(VolumeBook::new(voxels, block.voxel_volume_um3())),
                HostVessels(vec![
                    1.0;
                    if block.perfusion_length_um.is_some() {
                        voxels
                    } else {
                        0
                    }
                ]),
                SiteMechanics::default(),
            ))
            .id();
        let mut fields = [None; Molecule::ALL.len()];
        for field in &site.fields {
            let level = field.level as f32;
            fields[field.molecule as usize] = Some(
                world
                    .spawn((
                        ChildOf(entity),
                        field.molecule,
                        FieldOf(id),
                        FieldSupply {
                            level,
                            held_faces: field.faces == Faces::Held,
                        },
                        FieldValues(vec![level; voxels]),
                        FieldWork::new(&block),
                        Ledger::new(voxels),
                    ))
                    .id(),
            );
        }
        sites.list.push(SiteEntry {
            entity,
            fields,
            block,
        });
    }
    world.insert_resource(sites);
}

/// Spawns a population of the scene.
pub fn spawn_population(
    world: &mut World,
    scene: &ParsedScene,
    population: &Population,
    number: u32,
) {
    let step = world.resource::<crate::core::Clock>().step;
    let key = *world.resource::<RandomKey>();
    let cell_type = scene.library.index_of(&population.cell).unwrap_or_default();
    let cycle = world.resource::<PerType<CycleParameters>>().get(cell_type);
    let radius_um = world
        .resource::<PerType<BodyParameters>>()
        .get(cell_type)
        .map_or(0.0, |body| mean_radius_um(body, cycle));
    let (site, cells) = scene.place(population, number, step, key, radius_um);
    spawn_cells(world, site, &cells);
}

/// Spawns cells in a site, in the order given, each in a random state of its life.
///
/// One template for each type carries all components; cells are clones of it, so that a cell is written
/// into its table once.
pub fn spawn_cells(world: &mut World, site: SiteId, cells: &[PlacedCell]) {
    let types = CapabilityTables::of(world);
    let key = *world.resource::<RandomKey>();
    let step = world.resource::<crate::core::Clock>().step;
    let supply = Supply::of(world, site);
    let mut twins = Twins::default();
    let mut templates: Vec<Option<(Entity, Option<AgeStructure>)>> = vec![None; types.body.0.len()];
    for (position_um, cell_type) in cells {
        let (template, ages) = templates[usize::from(*cell_type)].get_or_insert_with(|| {
            let template = spawn_template(world, &types, *cell_type, site, &supply);
            (
                template,
                types.cycle.get(*cell_type).map(AgeStructure::growing),
            )
        });
        let id = world.resource_mut::<CellIdCounter>().take();
        let entity = twins.spawn(world, *template);
        let mut entity = world.entity_mut(entity);
        entity.insert((
            id,
            Position(*position_um),
            Lineage {
                parent: id,
                founder: id,
                generation: 0,
            },
        ));
        let mut random = key.stream(id, step, Purpose::InitialState);
        start_life(&mut entity, &types, *cell_type, ages.as_ref(), &mut random);
    }
    for (template, _) in templates.into_iter().flatten() {
        world.despawn(template);
    }
}

/// What a newly placed cell finds around it before it has looked.
struct Supply {
    around: Surroundings,
    hypoxia: HypoxiaParameters,
}

impl Supply {
    fn of(world: &World, site: SiteId) -> Self {
        let background = *world.resource::<BackgroundParameters>();
        let fields = world.resource::<Sites>().get(site).fields;
        let level = |molecule: Molecule, otherwise: f32| {
            fields[molecule as usize]
                .and_then(|field| world.get::<FieldSupply>(field))
                .map_or(otherwise, |supply| supply.level)
        };
        Self {
            around: Surroundings {
                oxygen_mmhg: level(Molecule::Oxygen, background.oxygen_mmhg),
                glucose_mm: level(Molecule::Glucose, background.glucose_mm),
                lactate_mm: level(Molecule::Lactate, background.lactate_mm),
                ..Surroundings::default()
            },
            hypoxia: world.resource::<HypoxiaParameters>().clone(),
        }
    }
}

fn spawn_template(
    world: &mut World,
    types: &CapabilityTables,
    cell_type: u16,
    site: SiteId,
    supply: &Supply,
) -> Entity {
    let unnamed = CellId(u64::MAX);
    let mut cell = world.spawn((
        unnamed,
        CellType(cell_type),
        Resident(site),
        Position::default(),
        types
            .body
            .get(cell_type)
            .cloned()
            .unwrap_or_default()
            .resting_body(),
        supply.around,
        Lineage {
            parent: unnamed,
            founder: unnamed,
            generation: 0,
        },
        Vital::default(),
    ));
    if types.cycle.get(cell_type).is_some() {
        cell.insert(Cycle::default());
    }
    if types.metabolism.get(cell_type).is_some() {
        cell.insert(Metabolism::default());
    }
    if types.hif.get(cell_type).is_some() {
        cell.insert(HifAxis::settled(&supply.hypoxia, supply.around.oxygen_mmhg));
    }
    if types.motility.get(cell_type).is_some() {
        cell.insert(Motility {
            direction: Vec3::ZERO,
            speed_um_per_min: 0.0,
        });
    }
    cell.id()
}

/// Draws the state in which a cell is found when a scene begins.
fn start_life(
    cell: &mut EntityWorldMut,
    types: &CapabilityTables,
    cell_type: u16,
    ages: Option<&AgeStructure>,
    random: &mut Random,
) {
    if let Some(ages) = ages {
        let aged = ages.draw(random);
        if let (Some(hours), Some(body)) = (aged.hours_since_s_entry, types.body.get(cell_type)) {
            cell.insert(body.growing_body(hours));
        }
        cell.insert(aged.cycle);
    }
    if let Some(parameters) = types.motility.get(cell_type) {
        cell.insert(Motility::new(random, parameters));
    }
}
