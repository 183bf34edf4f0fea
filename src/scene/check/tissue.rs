//! Checks of sites, their molecules, and the cells put into them.

use std::collections::BTreeMap;

use bevy::prelude::Vec3;

use super::super::capabilities::{check_molecules_of, check_prefab};
use super::super::library::CellLibrary;
use super::super::molecules::{check_molecule, shipped_molecules};
use super::super::schema::{Scene, Site};
use super::super::spans::FieldPath;
use super::super::tissue_parts::check_parts;
use super::media::{check_medium, check_sources};
use super::{Bounds, Checker};
use crate::core::capability::CapabilityRegistry;
use crate::tissue::{Molecule, MoleculeName, SiteId};

/// Most voxels of all molecules of a site together.
const MAX_VALUES: f64 = 2.0e8;
/// Memory of one molecule in one voxel, bytes: values, ledger, and the coarser grids of the solver.
const BYTES_PER_VALUE: f64 = 64.0;
/// Most by which the longest edge of a voxel may exceed the shortest. Exchange between the flat sides of voxels 20 um wide
/// and 1 um thick is 3000 /min for VEGF-A, whose last place in single precision is a hundredth of its decay.
const MAX_ASPECT: f32 = 20.0;
/// Longest edge of a site, um: half a metre. Single-precision coordinates are good to 0.03 um there.
const MAX_EDGE_UM: f32 = 5.0e5;

pub(super) fn check_sites(
    checker: &mut Checker,
    scene: &Scene,
    library: &CellLibrary,
    bounds: &Bounds,
) {
    let list = FieldPath::root().field("sites");
    if scene.sites.is_empty() {
        checker.problem(&list, "a scene needs at least one site");
    }
    check_together(checker, &list, scene);
    for (index, site) in scene.sites.iter().enumerate() {
        let path = list.item(index);
        let name = path.field("name");
        if site.name.trim().is_empty() {
            checker.problem(&name, "a site needs a name");
        } else if site.name.contains([',', '"', '\n', '\r']) {
            checker.problem(
                &name,
                "a name must not hold commas, quotes or line breaks: it is written to CSV files",
            );
        }
        if let Some(first) = scene.sites[..index]
            .iter()
            .position(|s| s.name == site.name)
        {
            let message = format!("`{}` is already the name of sites[{first}]", site.name);
            checker.problem(&name, message);
        }
        if library.get(&site.name).is_some() {
            let message = format!(
                "`{0}` is the name of a cell type, and `{0}.NAME` would be a rule of either",
                site.name
            );
            checker.problem_with_help(&name, message, "give the site another name");
        }
        if site.name == SiteId::TRANSIT_NAME {
            let message = format!(
                "`{}` stands in tables for cells that are on their way from one site to another",
                site.name
            );
            checker.problem_with_help(&name, message, "give the site another name");
        }
        let tissue = (&site.tissue, Vec3::from(site.size_um));
        check_parts(checker, &path.field("tissue"), tissue, &library.known);
        check_medium(checker, &path, site);
        check_block(checker, &path, site);
        if let Some(length) = site.perfusion_length_um {
            checker.positive(&path.field("perfusion_length_um"), length);
        }
        if let Some(length) = site.stirring_length_um {
            let path = path.field("stirring_length_um");
            checker.positive(&path, length);
            if site.perfusion_length_um.is_some() {
                checker.problem(&path, "a site is either stirred or perfused");
            }
        }
        for (number, field) in site.fields.iter().enumerate() {
            let path = path.field("fields").item(number);
            let at = path.field("molecule");
            let name = &field.molecule;
            if site.fields[..number].iter().any(|f| f.molecule == *name) {
                checker.problem(&at, format!("`{}` is already in this site", name.as_str()));
            } else if checker.molecule(&at, name) {
                check_grid(checker, &at, site, name);
                check_interval(checker, &at, scene, name, bounds);
            }
            checker.level(&path.field("level"), field.level);
            if let Some(start) = field.start {
                checker.level(&path.field("start"), start);
            }
            check_sources(
                checker,
                &path.field("sources"),
                site,
                &field.sources,
                bounds,
            );
        }
    }
}

/// Asks for as many voxels of a site as fill the voxels of a molecule's own grid.
fn check_grid(checker: &mut Checker, path: &FieldPath, site: &Site, name: &MoleculeName) {
    let Some(molecule) = checker.molecules.named(name.as_str()) else {
        return;
    };
    let coarsen = f32::from(molecule.coarsen);
    let counts = (Vec3::from(site.size_um) / Vec3::from(site.voxel_um)).round();
    let uneven = |count: f32| coarsen > 1.0 && count % coarsen != 0.0;
    if let Some(count) = counts.to_array().into_iter().find(|count| uneven(*count)) {
        let message = format!(
            "each of its voxels holds {coarsen} voxels of the site along each axis, of which there are {count}"
        );
        let works = (count / coarsen).ceil() * coarsen;
        checker.problem_with_help(path, message, format!("{works} voxels would work"));
    }
}

/// Asks for an interval of a molecule that is no shorter than a step. A shipped molecule is solved in each step where its
/// own interval is shorter: scenes with longer steps may use it.
fn check_interval(
    checker: &mut Checker,
    at: &FieldPath,
    scene: &Scene,
    name: &MoleculeName,
    bounds: &Bounds,
) {
    let name = name.as_str();
    let Some(molecule) = checker.molecules.named(name) else {
        return;
    };
    let path = format!("molecules.{name}.every_minutes");
    let set = scene.parameters.get(&path).copied();
    let every = set.unwrap_or(f64::from(molecule.every_minutes));
    if every >= bounds.step_minutes * (1.0 - 1e-6) || (set.is_none() && is_as_shipped(molecule)) {
        return;
    }
    let root = FieldPath::root();
    let own = scene.molecules.iter().rposition(|own| own.name == name);
    let at = match (set, own) {
        (Some(_), _) => root.field("parameters").key(&path),
        (None, Some(index)) => root.field("molecules").item(index).field("every_minutes"),
        (None, None) => at.clone(),
    };
    let step = bounds.step_minutes;
    let message = format!(
        "`{name}` is to be solved every {every} min, which is shorter than a step of the scene ({step} min)"
    );
    checker.problem_with_help(&at, message, format!("{step} or more would work"));
}

/// Whether a shipped molecule of that name has the same interval.
fn is_as_shipped(molecule: &Molecule) -> bool {
    let shipped = shipped_molecules().ok();
    let shipped = shipped
        .as_ref()
        .and_then(|known| known.named(&molecule.name));
    shipped.is_some_and(|shipped| shipped.every_minutes == molecule.every_minutes)
}

/// Checks the molecules that a scene brings along.
pub(super) fn check_molecules(checker: &mut Checker, scene: &Scene) {
    let list = FieldPath::root().field("molecules");
    let mut first_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, molecule) in scene.molecules.iter().enumerate() {
        let path = list.item(index);
        check_molecule(checker, &path, molecule);
        let first = *first_of.entry(molecule.name.as_str()).or_insert(index);
        if first < index {
            let message = format!(
                "`{}` is already the name of molecules[{first}]",
                molecule.name
            );
            checker.problem(&path.field("name"), message);
        }
    }
}

/// Refuses voxels so flat or long that rounding takes away what moves in a field.
fn check_aspect(checker: &mut Checker, path: &FieldPath, size: [f32; 3], voxel: [f32; 3]) {
    // Nothing moves along an axis of one voxel.
    let edges = (0..3).filter(|axis| size[*axis] > 1.5 * voxel[*axis]);
    let (shortest, longest) = edges.fold((f32::INFINITY, 0.0_f32), |(shortest, longest), axis| {
        (shortest.min(voxel[axis]), longest.max(voxel[axis]))
    });
    if longest > MAX_ASPECT * shortest && shortest > 0.0 {
        let message = format!(
            "a voxel is {:.0} times as long as it is thin; beyond {MAX_ASPECT} times rounding takes away more of a \
             molecule than decays",
            longest / shortest
        );
        let help = format!(
            "a shortest edge of {} um or more would work",
            longest / MAX_ASPECT
        );
        checker.problem_with_help(path, message, help);
    }
}

/// Asks that all sites together have room in a computer; those that are too large by themselves are told where they stand.
fn check_together(checker: &mut Checker, list: &FieldPath, scene: &Scene) {
    let values = |site: &Site| {
        let counts = (Vec3::from(site.size_um) / Vec3::from(site.voxel_um)).round();
        let voxels = f64::from(counts.x) * f64::from(counts.y) * f64::from(counts.z);
        voxels * site.fields.len().max(1) as f64
    };
    let each: Vec<f64> = scene.sites.iter().map(values).collect();
    let total: f64 = each.iter().sum();
    if total > MAX_VALUES && each.iter().all(|values| *values <= MAX_VALUES) {
        let message = format!(
            "all sites together have {total:.2e} voxels of molecules, which need about {:.0} GB; at most {MAX_VALUES:.0e} are possible",
            total * BYTES_PER_VALUE / 1e9
        );
        checker.problem_with_help(list, message, "make sites smaller or `voxel_um` larger");
    }
}

fn check_block(checker: &mut Checker, path: &FieldPath, site: &Site) {
    let (size_path, voxel_path) = (path.field("size_um"), path.field("voxel_um"));
    let size = <[f32; 3]>::from(site.size_um);
    let voxel = <[f32; 3]>::from(site.voxel_um);
    if !checker.sound(&size_path) || !checker.sound(&voxel_path) {
        return;
    }
    let mut voxels = 1.0;
    for axis in 0..3 {
        let at = size_path.nth(axis);
        let fine = checker.positive(&at, size[axis])
            & checker.positive(&voxel_path.nth(axis), voxel[axis]);
        if !fine {
            voxels = f64::NAN;
            continue;
        }
        if size[axis] > MAX_EDGE_UM {
            let message = format!("must be at most {MAX_EDGE_UM} um, found {}", size[axis]);
            checker.problem(&at, message);
        }
        if voxel[axis] > size[axis] {
            let message = format!(
                "a voxel of {} um is larger than the site ({} um)",
                voxel[axis], size[axis]
            );
            checker.problem(&voxel_path.nth(axis), message);
            continue;
        }
        let count = size[axis] / voxel[axis];
        if (count - count.round()).abs() > 1e-3 {
            let (below, above) = (count.floor() * voxel[axis], count.ceil() * voxel[axis]);
            let message = format!(
                "must be a whole number of voxels of {} um, found {}",
                voxel[axis], size[axis]
            );
            checker.problem_with_help(&at, message, format!("{below} or {above} would work"));
        }
        voxels *= f64::from(count.round());
    }
    check_aspect(checker, &voxel_path, size, voxel);
    let values = voxels * site.fields.len().max(1) as f64;
    if values > MAX_VALUES {
        let molecules = site.fields.len().max(1);
        let message = format!(
            "{voxels:.0} voxels with {molecules} molecule{} need about {:.0} GB; at most {:.0} are possible",
            if molecules == 1 { "" } else { "s" },
            values * BYTES_PER_VALUE / 1e9,
            MAX_VALUES / molecules as f64
        );
        checker.problem_with_help(
            &size_path,
            message,
            "make the site smaller or `voxel_um` larger",
        );
    }
}

/// Checks the cell types that a scene brings along.
pub(super) fn check_cell_types(checker: &mut Checker, scene: &Scene, known: &CapabilityRegistry) {
    let list = FieldPath::root().field("cell_types");
    for (index, prefab) in scene.cell_types.iter().enumerate() {
        let path = list.item(index);
        check_prefab(checker, &path, prefab, known);
        check_molecules_of(checker, &path, prefab, known);
        let earlier = &scene.cell_types[..index];
        if let Some(first) = earlier.iter().position(|t| t.name == prefab.name) {
            let message = format!(
                "`{}` is already the name of cell_types[{first}]",
                prefab.name
            );
            checker.problem(&path.field("name"), message);
        }
    }
}
