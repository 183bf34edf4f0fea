//! From the words of a scene to entities: sites with their fields, cell types with their parameters, cells.

use bevy::prelude::*;

use crate::biology::therapy;
use crate::cell::clones::tell_clones;
use crate::cell::contact::CONFLUENT_SPACING;
use crate::cell::cycle::mean_radius_um;
use crate::cell::exchange::register_secretions;
use crate::cell::molecules::{keep_carried, register_molecules};
use crate::cell::motility::register_biases;
use crate::cell::movement::SiteMechanics;
use crate::cell::plane::Plane;
use crate::cell::turnover::nursery::spawn_cells;
use crate::cell::{BodyParameters, CycleParameters};
use crate::core::RandomKey;
use crate::core::capability::CapabilityRegistry;
use crate::core::parameters::PerType;
use crate::core::regulate::{Rules, SitesInOrder};
use crate::measure::metrics::{TumourTypes, register_clones, register_types};
use crate::measure::shares::register_explained;
use crate::scene::population::PlacedCell;
use crate::scene::schema::{Faces, Place, Population, Scene, Source, Span};
use crate::scene::stage::Stage;
use crate::scene::tissue_parts::site_rule_books;
use crate::scene::{CellLibrary, CellPrefab, ParsedScene};
use crate::tissue::exchange::VolumeBook;
use crate::tissue::host_vessels::CellShare;
use crate::tissue::member_rules::register_molecules_at_members;
use crate::tissue::placed::PlacedRates;
use crate::tissue::stage_place::StagePlace;
use crate::tissue::transport::{
    CellVolume, FieldOf, FieldSupply, FieldWork, HeldFaces, HostVessels,
};
use crate::tissue::{
    FieldGrid, FieldValues, Ledger, Molecule, Molecules, SiteEntry, SiteField, SiteId, Sites,
    TissueBlock,
};

/// Puts the cell types of a library into force.
pub fn install_cell_types(world: &mut World, library: &CellLibrary) {
    library.fill_tables(world);
    world.insert_resource(TumourTypes(
        library.types.iter().map(|prefab| prefab.tumour).collect(),
    ));
    let styles = library.types.iter();
    let styles = styles.map(|prefab| (prefab.name.as_str(), prefab.colour.into()));
    register_types(world, styles);
    let mut types = library.types.iter();
    if types.any(|prefab| !prefab.heritable.is_empty()) {
        tell_clones(world);
        register_clones(world);
    }
    register_molecules(world, &library.molecules);
    register_secretions(world, &library.molecules);
    register_biases(world, &library.molecules);
    register_molecules_at_members(world, &library.molecules);
    let books = library.types.iter().map(CellPrefab::rule_book);
    world.get_resource_or_init::<Rules>().of_types = books.collect();
    therapy::install(world, library.drugs.clone(), library.types.len() as u16);
    register_explained(world);
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
    let molecules = world.resource::<Molecules>().clone();
    let stage = Stage::of(scene);
    let mut sites = Sites::default();
    for (index, site) in scene.sites.iter().enumerate() {
        let id = SiteId(index as u16);
        let block = block_of(site);
        let voxels = block.voxels();
        let entity = world
            .spawn((
                id,
                site.organ,
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
                StagePlace(stage.is_shared.then(|| stage.place_um(index))),
            ))
            .id();
        if block.perfusion_length_um.is_some() {
            let is_stirred = site.stirring_length_um.is_some();
            world.entity_mut(entity).insert(CellShare::new(is_stirred));
        }
        let mut fields: Vec<SiteField> = Vec::new();
        for field in &site.fields {
            let Some(molecule) = molecules.id(field.molecule.as_str()) else {
                // A checked scene names no other.
                continue;
            };
            let level = field.level as f32;
            let start = field.start.map_or(level, |start| start as f32);
            let grid = FieldGrid::new(&block, molecules.get(molecule).coarsen);
            let voxels = grid.block.voxels();
            let entity = world
                .spawn((
                    ChildOf(entity),
                    molecule,
                    FieldOf(id),
                    FieldSupply {
                        level,
                        held: match field.faces {
                            Faces::Held => HeldFaces::All,
                            Faces::Top => HeldFaces::Top,
                            Faces::Closed => HeldFaces::None,
                        },
                    },
                    FieldValues(vec![start; voxels]),
                    FieldWork::new(&grid.block),
                    Ledger::new(voxels),
                ))
                .id();
            if !field.sources.is_empty() {
                let placed = placed_rates(&field.sources, &grid.block, molecules.get(molecule));
                world.entity_mut(entity).insert(placed);
            }
            fields.push(SiteField {
                molecule,
                entity,
                grid,
            });
        }
        fields.sort_by_key(|field| field.molecule);
        sites.list.push(SiteEntry {
            entity,
            fields,
            block,
        });
    }
    let names: Vec<String> = scene.sites.iter().map(|site| site.name.clone()).collect();
    let mut rules = world.get_resource_or_init::<Rules>();
    rules.sites = names;
    world.insert_resource(SitesInOrder(
        sites.list.iter().map(|site| site.entity).collect(),
    ));
    world.insert_resource(sites);
    keep_carried(world);
    install_parts(world, scene);
    therapy::install_in_sites(world);
}

/// The sources and sinks of a field, as the solver takes them.
fn placed_rates(sources: &[Source], block: &TissueBlock, molecule: &Molecule) -> PlacedRates {
    let mut placed = PlacedRates::default();
    for source in sources {
        let from = source.from.map_or(0.0, Span::minutes);
        let until = source.until.map_or(f64::INFINITY, Span::minutes);
        placed.add(&source.place, source.rate, (from, until), block, molecule);
    }
    placed
}

/// Puts into each site what its tissue is made of, and then what the body is made of around them, in the order in which the modules registered it.
fn install_parts(world: &mut World, scene: &Scene) {
    let known = world
        .get_resource::<CapabilityRegistry>()
        .cloned()
        .unwrap_or_default();
    for part in known.site_parts() {
        for (index, site) in scene.sites.iter().enumerate() {
            let entity = world.resource::<Sites>().list[index].entity;
            if let Some(value) = site.tissue.get(part.file.name) {
                part.install(world, entity, value);
            }
        }
    }
    let books = site_rule_books(scene, &known, world);
    world.get_resource_or_init::<Rules>().of_sites = books;
    for part in known.body_parts() {
        if let Some(value) = scene.body.get(part.file.name) {
            part.install(world, value);
        }
    }
}

/// Puts cells into a plane: of what is packed in layers the layer that is nearest, of the rest all.
pub(crate) fn keep_to_plane(
    cells: &mut Vec<PlacedCell>,
    plane: Plane,
    place: &Place,
    radius_um: f32,
) {
    if let Place::Ball { .. } | Place::Shell { .. } | Place::Cylinder { .. } = place {
        let half_layer = CONFLUENT_SPACING * radius_um * (2.0_f32 / 3.0).sqrt();
        cells.retain(|(at, _)| {
            let above = at.z - plane.z_um;
            -half_layer <= above && above < half_layer
        });
    }
    for (at, _) in cells {
        *at = plane.flatten(*at);
    }
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
    let (site, mut cells) = scene.place(population, number, step, key, radius_um);
    let entity = world.resource::<Sites>().get(site).entity;
    if let Some(plane) = world.get::<Plane>(entity).copied() {
        keep_to_plane(&mut cells, plane, &population.place, radius_um);
    }
    spawn_cells(world, site, &cells);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Ground, place_cells};

    #[test]
    fn of_what_is_packed_in_layers_one_layer_comes_into_a_plane() {
        const RADIUS: f32 = 8.4;
        let (center_um, radius_um) = ((0.0, 0.0, 0.0), 80.0);
        let ball = Place::Ball {
            center_um,
            radius_um,
        };
        let shell = Place::Shell {
            center_um,
            inner_um: 30.0,
            outer_um: 80.0,
        };
        let cylinder = Place::Cylinder {
            from_um: (-90.0, 0.0, 0.0),
            to_um: (90.0, 0.0, 0.0),
            radius_um,
        };
        let ground = Ground {
            min_um: Vec3::splat(-200.0),
            max_um: Vec3::splat(200.0),
            cell_type: 0,
            radius_um: RADIUS,
            rows: &[],
            key: RandomKey(1),
            number: 0,
            step: 0,
        };
        for place in [ball, shell, cylinder] {
            let mut cells = place_cells(&place, &ground);
            keep_to_plane(&mut cells, Plane { z_um: 0.0 }, &place, RADIUS);
            assert!(cells.len() > 10, "{place:?}");
            let apart = 0.99 * 2.0 * CONFLUENT_SPACING * RADIUS;
            for (number, (at, _)) in cells.iter().enumerate() {
                let mut others = cells[..number].iter();
                assert!(others.all(|(other, _)| other.distance(*at) > apart));
            }
        }
    }
}
