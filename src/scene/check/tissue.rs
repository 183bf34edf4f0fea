//! Checks of sites, their molecules, and the cells put into them.

use std::collections::BTreeMap;
use std::path::Path;

use bevy::prelude::Vec3;

use super::super::capabilities::{check_molecules_of, check_prefab};
use super::super::library::CellLibrary;
use super::super::molecules::{check_molecule, shipped_molecules};
use super::super::population::{close_packed_per_um3, estimate_cells};
use super::super::report::Problem;
use super::super::schema::{Action, Event, Place, Population, Scene, Site};
use super::super::spans::FieldPath;
use super::super::table::{Row, read_table};
use super::super::tissue_parts::check_parts;
use super::super::{Tables, read_text};
use super::media::{check_medium, check_sources};
use super::{Bounds, Checker};
use crate::core::capability::CapabilityRegistry;
use crate::core::units::UM3_PER_MM3;
use crate::tissue::{Molecule, MoleculeName, SiteId, TransportParameters};

/// Most voxels of all molecules of a site together.
const MAX_VALUES: f64 = 2.0e8;
/// Memory of one molecule in one voxel, bytes: values, ledger, and the coarser grids of the solver.
const BYTES_PER_VALUE: f64 = 64.0;
/// Most cells of a scene, at the start or added.
const MAX_CELLS: f64 = 2.0e7;
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
        check_parts(checker, &path.field("tissue"), &site.tissue, &library.known);
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

pub(super) fn check_populations(
    checker: &mut Checker,
    scene: &Scene,
    library: &CellLibrary,
    bounds: &Bounds,
    tables: &mut Tables,
) {
    let root = FieldPath::root();
    let mut total = 0.0;
    for (index, population) in scene.populations.iter().enumerate() {
        let path = root.field("populations").item(index);
        total += check_population(checker, &path, population, scene, library, tables);
    }
    for (index, event) in scene.timeline.iter().enumerate() {
        let path = root.field("timeline").item(index);
        match event {
            Event::At(_, Action::Add(population)) => {
                let path = path.nth(1);
                total += check_population(checker, &path, population, scene, library, tables);
            }
            Event::Every {
                every,
                action: Action::Add(population),
                ..
            } => {
                let path = path.field("action");
                let cells = check_population(checker, &path, population, scene, library, tables);
                let times = bounds.duration_minutes / every.minutes();
                if times.is_finite() && times > 0.0 {
                    total += cells * times;
                }
            }
            _ => {}
        }
    }
    if total > MAX_CELLS {
        let message = format!(
            "the populations have about {:.1} million cells; at most {:.0} million are possible",
            total / 1e6,
            MAX_CELLS / 1e6
        );
        checker.problem(&root.field("populations"), message);
    }
}

/// Checks a population that is added while a scene runs; the text of the checker is that population alone.
pub(in crate::scene) fn check_added(
    checker: &mut Checker,
    population: &Population,
    scene: &Scene,
    library: &CellLibrary,
    tables: &mut Tables,
) {
    let root = FieldPath::root();
    let cells = check_population(checker, &root, population, scene, library, tables);
    if cells > MAX_CELLS {
        let message = format!(
            "it has about {:.1} million cells; at most {:.0} million are possible",
            cells / 1e6,
            MAX_CELLS / 1e6
        );
        checker.problem(&root, message);
    }
}

/// Checks a population and says about how many cells it has.
fn check_population(
    checker: &mut Checker,
    path: &FieldPath,
    population: &Population,
    scene: &Scene,
    library: &CellLibrary,
    tables: &mut Tables,
) -> f64 {
    known_type(checker, &path.field("cell"), &population.cell, library);
    let prefab = library.get(&population.cell);
    let site = match &population.site {
        None => scene.sites.first(),
        Some(name) => {
            let names: Vec<&str> = scene.sites.iter().map(|site| site.name.as_str()).collect();
            checker.known(&path.field("site"), "site", name, &names);
            scene.sites.iter().find(|site| site.name == *name)
        }
    };
    let place = path.field("place");
    match &population.place {
        Place::Csv(file) => read_rows(checker, &place, file, library, tables),
        Place::Cells(cells) => {
            for (index, cell) in cells.iter().enumerate() {
                if let Some(name) = &cell.cell {
                    let path = place.nth(0).item(index).field("cell");
                    known_type(checker, &path, name, library);
                }
            }
        }
        _ => {}
    }
    let (Some(site), Some(prefab)) = (site, prefab) else {
        return 0.0;
    };
    let size = Vec3::from(site.size_um);
    let radius = prefab.radius_um();
    let number = scene.sites.iter().position(|known| known.name == site.name);
    let size_path = FieldPath::root()
        .field("sites")
        .item(number.unwrap_or(0))
        .field("size_um");
    if !checker.sound(&size_path) || !size.is_finite() || size.min_element() <= 0.0 {
        return 0.0;
    }
    let rows = match &population.place {
        Place::Csv(file) => tables.0.get(file).map_or(&[][..], Vec::as_slice),
        _ => &[],
    };
    if !check_place(checker, &place, &population.place, site, radius, rows) {
        return 0.0;
    }
    check_stirred_cells(checker, path, population, rows, (scene, site), library);
    estimate_cells(&population.place, prefab.mean_radius_um(), size, rows.len())
}

/// Asks where the medium is stirred for a look at least as wide as the cells: the volume of a cell counts in the voxel of its centre,
/// so that narrower gaps between centres would pass for medium and be stirred in the midst of a tumour.
fn check_stirred_cells(
    checker: &mut Checker,
    path: &FieldPath,
    population: &Population,
    rows: &[Row],
    (scene, site): (&Scene, &Site),
    library: &CellLibrary,
) {
    const REACH: &str = "transport.stirring_reach_um";
    if site.stirring_length_um.is_none() {
        return;
    }
    let cells: &[_] = match &population.place {
        Place::Cells(cells) => cells,
        _ => &[],
    };
    let named = cells.iter().filter_map(|cell| cell.cell.as_deref());
    let tabled = rows.iter().filter_map(|row| row.cell.as_deref());
    let width = named
        .chain(tabled)
        .chain([population.cell.as_str()])
        .filter_map(|name| library.get(name))
        .map(|prefab| 2.0 * prefab.mean_radius_um())
        .fold(0.0, f32::max);
    let usual = TransportParameters::default().stirring_reach_um;
    let reach = scene.parameters.get(REACH);
    let reach = reach.map_or(usual, |reach| *reach as f32);
    let edge = Vec3::from(site.voxel_um).min_element().max(reach);
    if edge < width {
        let message = format!(
            "its cells are {width:.1} um wide, but in the stirred site `{}` cells are looked for within {edge} um: gaps between \
             them would be stirred as well",
            site.name
        );
        let works = (width / 5.0).ceil() * 5.0;
        let help = format!("`{REACH}` or `voxel_um` of {works} or more would work");
        checker.problem_with_help(&path.field("cell"), message, help);
    }
}

/// Asks for the name of a cell type.
fn known_type(checker: &mut Checker, path: &FieldPath, name: &str, library: &CellLibrary) {
    if library.get(name).is_some() {
        return;
    }
    let before = checker.report.problems.len();
    checker.known(path, "cell type", name, &library.names());
    if let Some(problem) = checker.report.problems.get_mut(before) {
        let found = problem.help.take().unwrap_or_default();
        problem.help = Some(format!("{found}; {}", library.searched()));
    }
}

fn read_rows(
    checker: &mut Checker,
    path: &FieldPath,
    file: &str,
    library: &CellLibrary,
    tables: &mut Tables,
) {
    if tables.0.contains_key(file) {
        return;
    }
    // The file is named relative to the scene, and reported the way the scene itself was named.
    let beside = Path::new(checker.file).parent().unwrap_or(Path::new(""));
    let shown = beside.join(file).display().to_string();
    let names: Vec<String> = library
        .names()
        .into_iter()
        .chain(checker.unread.to_vec())
        .collect();
    match read_text(&tables.1.join(file), &shown) {
        Ok(text) => match read_table(&text, &shown, &names) {
            Ok(rows) => {
                checker.report.add_source(&shown, &text);
                tables.0.insert(file.to_owned(), rows);
            }
            Err(report) => checker.report.absorb(report),
        },
        Err(problem) => {
            let message = format!("`{file}` cannot be read: {}", problem.message);
            checker.problem(path, message);
        }
    }
}

/// The farthest a place reaches beyond the faces of a site along any axis, in words.
pub(super) fn overhang(low: Vec3, high: Vec3, half: Vec3) -> Option<String> {
    let slack = 1e-3;
    for (axis, name) in ["x", "y", "z"].into_iter().enumerate() {
        let end = half[axis];
        if high[axis] > end + slack {
            return Some(format!(
                "reaches {name} = {} um, the site ends at {end} um",
                high[axis]
            ));
        }
        if low[axis] < -end - slack {
            return Some(format!(
                "reaches {name} = {} um, the site ends at {} um",
                low[axis], -end
            ));
        }
    }
    None
}

fn check_place(
    checker: &mut Checker,
    path: &FieldPath,
    place: &Place,
    site: &Site,
    radius: f32,
    rows: &[Row],
) -> bool {
    let half = Vec3::from(site.size_um) * 0.5;
    let before = checker.report.problems.len();
    let inside = |checker: &mut Checker, path: &FieldPath, center: Vec3| {
        if let Some(words) = overhang(center, center, half) {
            let message = format!("is not inside the site `{}`: it {words}", site.name);
            checker.problem(path, message);
        }
    };
    let ball = |checker: &mut Checker, center: (f32, f32, f32), outer: f32| {
        if !checker.finite_point(&path.field("center_um"), center) {
            return;
        }
        let center = Vec3::from(center);
        if let Some(words) = overhang(center - outer, center + outer, half) {
            let message = format!("is not inside the site `{}`: it {words}", site.name);
            checker.problem(path, message);
        }
    };
    match place {
        Place::Single { at_um } => {
            let at = path.field("at_um");
            if checker.finite_point(&at, *at_um) {
                inside(checker, &at, (*at_um).into());
            }
        }
        Place::Ball {
            center_um,
            radius_um,
        } => {
            let at = path.field("radius_um");
            if checker.positive(&at, *radius_um) {
                if *radius_um < radius {
                    let message = format!(
                        "a ball of {radius_um} um holds no cell: their radius is {radius:.1} um"
                    );
                    checker.problem_with_help(
                        &at,
                        message,
                        "for one cell use `Single(at_um: ...)`",
                    );
                }
                ball(checker, *center_um, *radius_um);
            }
        }
        Place::Shell {
            center_um,
            inner_um,
            outer_um,
        } => {
            let (inner, outer) = (path.field("inner_um"), path.field("outer_um"));
            let fine =
                checker.not_negative(&inner, *inner_um) & checker.positive(&outer, *outer_um);
            if fine && inner_um >= outer_um {
                let message =
                    format!("must be less than `outer_um` ({outer_um}), found {inner_um}");
                checker.problem(&inner, message);
            } else if fine {
                if outer_um - inner_um < 2.0 * radius {
                    let message = format!(
                        "a shell {} um thick holds no cell: their diameter is {:.1} um",
                        outer_um - inner_um,
                        2.0 * radius
                    );
                    checker.problem(&outer, message);
                }
                ball(checker, *center_um, *outer_um);
            }
        }
        Place::Cylinder {
            from_um,
            to_um,
            radius_um,
        } => {
            let at = path.field("radius_um");
            let ends = [("from_um", *from_um), ("to_um", *to_um)];
            let mut fine = checker.positive(&at, *radius_um);
            for (name, end) in ends {
                let at = path.field(name);
                let is_point = checker.finite_point(&at, end);
                if is_point {
                    inside(checker, &at, end.into());
                }
                fine &= is_point;
            }
            let length = Vec3::from(*from_um).distance((*to_um).into());
            let narrow = (2.0 * *radius_um).min(length);
            if fine && narrow < 2.0 * radius {
                let message = format!(
                    "a cylinder {length} um long and {} um wide holds no cell: their diameter is {:.1} um",
                    2.0 * radius_um,
                    2.0 * radius
                );
                checker.problem(&at, message);
            }
        }
        Place::Scatter {
            per_mm3,
            outside_um,
        } => {
            let density = path.field("per_mm3");
            let outside = path.field("outside_um");
            if checker.positive(&density, *per_mm3) {
                // Above this, cells placed at random overlap beyond what mechanics can sort out.
                let most = UM3_PER_MM3 * close_packed_per_um3(radius);
                if *per_mm3 > most {
                    let message = format!(
                        "close-packed cells of this type are {most:.0} in a mm3, found {per_mm3}"
                    );
                    checker.problem(&density, message);
                }
            }
            if checker.not_negative(&outside, *outside_um) && *outside_um >= half.length() {
                let message = format!("a free ball of {outside_um} um leaves no room in the site");
                checker.problem(&outside, message);
            }
        }
        Place::Cells(cells) => {
            for (index, cell) in cells.iter().enumerate() {
                let at = path.nth(0).item(index).field("at_um");
                if checker.finite_point(&at, cell.at_um) {
                    inside(checker, &at, cell.at_um.into());
                }
            }
        }
        Place::Csv(file) => {
            let shown = Path::new(checker.file)
                .parent()
                .unwrap_or(Path::new(""))
                .join(file)
                .display()
                .to_string();
            let source = checker
                .report
                .sources
                .iter()
                .find(|(name, _)| *name == shown);
            let Some((_, text)) = source.cloned() else {
                return checker.report.problems.len() == before;
            };
            for row in rows {
                if let Some(words) = overhang(row.at_um, row.at_um, half) {
                    let message = format!("is not inside the site `{}`: it {words}", site.name);
                    let problem = Problem::at(&shown, &text, row.span.clone(), "", message);
                    checker.report.problems.push(problem);
                }
            }
        }
    }
    checker.report.problems.len() == before
}
