//! Checks of the cells that are put into a scene: where they are to lie, and that they fit.

use std::path::Path;

use bevy::prelude::Vec3;

use super::super::library::CellLibrary;
use super::super::population::{close_packed_per_um3, estimate_cells};
use super::super::report::Problem;
use super::super::schema::{Action, Event, Place, Population, Scene, Site};
use super::super::spans::FieldPath;
use super::super::table::{Row, read_table};
use super::super::{LONGEST_TEXT, Tables, read_text_below};
use super::room::{self, Put};
use super::sizes::CellSizes;
use super::{Bounds, Checker};
use crate::core::units::UM3_PER_MM3;
use crate::tissue::TransportParameters;

/// So many cells of a list or file are said to be outside their site.
const MAX_WRONG: usize = 20;
/// Most cells of a scene, at the start or added.
const MAX_CELLS: f64 = 2.0e7;

pub(super) fn check_populations(
    checker: &mut Checker,
    scene: &Scene,
    (library, sizes): (&CellLibrary, &CellSizes),
    bounds: &Bounds,
    tables: &mut Tables,
) {
    let root = FieldPath::root();
    let mut total = 0.0;
    let at = |when: (f64, f64), number: u32| Look {
        scene,
        library,
        sizes,
        when,
        number,
    };
    let mut number = 0;
    for (index, population) in scene.populations.iter().enumerate() {
        let path = root.field("populations").item(index);
        total += check_population(checker, &path, population, at((0.0, 0.0), number), tables);
        number += 1;
    }
    let before = checker.report.problems.len();
    for (index, event) in scene.timeline.iter().enumerate() {
        let path = root.field("timeline").item(index);
        match event {
            Event::At(time, Action::Add(population)) => {
                let path = path.nth(1);
                let look = at((time.minutes(), time.minutes()), number);
                total += check_population(checker, &path, population, look, tables);
                number += 1;
            }
            Event::Every {
                every,
                from,
                until,
                action: Action::Add(population),
            } => {
                let path = path.field("action");
                let until = until.map_or(bounds.duration_minutes, |until| until.minutes());
                let look = at((from.unwrap_or(*every).minutes(), until), number);
                let cells = check_population(checker, &path, population, look, tables);
                number += 1;
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
    } else if checker.report.problems.len() == before {
        note_crowds(checker, scene, (library, sizes), tables);
    }
}

/// Says which of the populations at the start lie in others.
fn note_crowds(
    checker: &mut Checker,
    scene: &Scene,
    (library, sizes): (&CellLibrary, &CellSizes),
    tables: &Tables,
) {
    if !checker.report.is_empty() || !checker.repaired.is_empty() {
        // What is wrong is mended first.
        return;
    }
    let list = FieldPath::root().field("populations");
    let put = scene.populations.iter().zip(0_u32..);
    let put = put.filter_map(|(population, number)| {
        let look = Look {
            scene,
            library,
            sizes,
            when: (0.0, 0.0),
            number,
        };
        let put = look.put(population, look.site(population)?, tables)?;
        Some((list.item(number as usize), put))
    });
    let put: Vec<_> = put.collect();
    room::note_crowds(checker, scene, &put);
}

/// What is needed to look at a population.
#[derive(Clone, Copy)]
struct Look<'s> {
    scene: &'s Scene,
    library: &'s CellLibrary,
    sizes: &'s CellSizes,
    /// When its cells are put into the scene, minutes: first and last.
    when: (f64, f64),
    /// Its number in the scene.
    number: u32,
}

impl<'s> Look<'s> {
    /// The site of a population, if there is one.
    fn site(&self, population: &Population) -> Option<&'s Site> {
        match &population.site {
            None => self.scene.sites.first(),
            Some(name) => self.scene.sites.iter().find(|site| site.name == *name),
        }
    }

    /// The population as the simulation will put it.
    fn put(
        &self,
        population: &'s Population,
        site: &'s Site,
        tables: &'s Tables,
    ) -> Option<Put<'s>> {
        let size = self.sizes.of(&population.cell, self.when)?;
        Some(Put {
            population,
            site,
            rows: rows_of(population, tables),
            number: self.number,
            radius_um: size.mean_um.1,
        })
    }
}

/// The rows of the file of a population, if it has one.
fn rows_of<'t>(population: &Population, tables: &'t Tables) -> &'t [Row] {
    match &population.place {
        Place::Csv(file) => tables.0.get(file).map_or(&[][..], Vec::as_slice),
        _ => &[],
    }
}

/// Checks a population that is added while a scene runs; the text of the checker is that population alone.
pub(in crate::scene) fn check_added(
    checker: &mut Checker,
    population: &Population,
    scene: &Scene,
    (library, sizes): (&CellLibrary, &CellSizes),
    tables: &mut Tables,
) {
    let root = FieldPath::root();
    let look = Look {
        scene,
        library,
        sizes,
        when: (0.0, 0.0),
        number: 0,
    };
    let cells = check_population(checker, &root, population, look, tables);
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
    look: Look,
    tables: &mut Tables,
) -> f64 {
    let Look { scene, library, .. } = look;
    checker.cell_type(&path.field("cell"), &population.cell, library);
    let cell = look.sizes.of(&population.cell, look.when);
    let site = match &population.site {
        None => scene.sites.first(),
        Some(name) => {
            let names: Vec<&str> = scene.sites.iter().map(|site| site.name.as_str()).collect();
            checker.known(&path.field("site"), "site", name, &names);
            scene.sites.iter().find(|site| site.name == *name)
        }
    };
    let place = path.field("place");
    let mut is_read = true;
    match &population.place {
        Place::Csv(file) => {
            read_rows(checker, &place, file, library, tables);
            is_read = tables.0.contains_key(file);
        }
        Place::Cells(cells) => {
            for (index, cell) in cells.iter().enumerate() {
                if let Some(name) = &cell.cell {
                    let path = place.nth(0).item(index).field("cell");
                    checker.cell_type(&path, name, library);
                }
            }
        }
        _ => {}
    }
    let (Some(site), Some(cell)) = (site, cell) else {
        return 0.0;
    };
    let size = Vec3::from(site.size_um);
    let radius = cell.resting_um;
    let number = scene.sites.iter().position(|known| known.name == site.name);
    let size_path = FieldPath::root()
        .field("sites")
        .item(number.unwrap_or(0))
        .field("size_um");
    if !checker.sound(&size_path) || !size.is_finite() || size.min_element() <= 0.0 {
        return 0.0;
    }
    let rows = rows_of(population, tables);
    if matches!(population.place, Place::Csv(_)) && !is_read {
        return 0.0;
    }
    if !check_place(checker, &place, &population.place, site, radius, rows) {
        return 0.0;
    }
    check_stirred_cells(checker, path, population, rows, (look, site));
    let estimate = |radius| estimate_cells(&population.place, radius, size, rows.len());
    let about = estimate(cell.mean_um.1);
    if let Some(put) = look.put(population, site, tables) {
        put.check_any(checker, &place, scene.seed, about);
    }
    estimate(cell.mean_um.0)
}

/// Asks where the medium is stirred for a look at least as wide as the cells: the volume of a cell counts in the voxel of its centre,
/// so that narrower gaps between centres would pass for medium and be stirred in the midst of a tumour.
fn check_stirred_cells(
    checker: &mut Checker,
    path: &FieldPath,
    population: &Population,
    rows: &[Row],
    (look, site): (Look, &Site),
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
        .filter_map(|name| look.sizes.of(name, look.when))
        .map(|size| 2.0 * size.mean_um.1)
        .fold(0.0, f32::max);
    let usual = TransportParameters::default().stirring_reach_um;
    let reach = look.scene.parameters.get(REACH);
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
    match read_text_below(&tables.1, Path::new(file), LONGEST_TEXT, &shown) {
        Ok(text) => match read_table(&text, &shown, &names) {
            Ok(rows) => {
                checker.report.add_source(&shown, &text);
                tables.0.insert(file.to_owned(), rows);
            }
            Err(report) => checker.report.absorb(report),
        },
        Err(problem) => {
            let message = format!("`{file}`: {}", problem.message);
            checker.problem(path, message);
        }
    }
}

/// The farthest a place reaches beyond the faces of a site along any axis, in words.
fn overhang(low: Vec3, high: Vec3, half: Vec3) -> Option<String> {
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
            let mut fine = checker.positive(&at, *radius_um);
            for (name, end) in [("from_um", *from_um), ("to_um", *to_um)] {
                fine &= checker.finite_point(&path.field(name), end);
            }
            let (from, to) = (Vec3::from(*from_um), Vec3::from(*to_um));
            let length = from.distance(to);
            // How far the discs at its ends reach along each axis.
            let along = (to - from).normalize_or(Vec3::Z);
            let disc = Vec3::AXES.map(|axis| along.cross(axis).length() * radius_um);
            let disc = Vec3::from(disc);
            let beyond = overhang(from.min(to) - disc, from.max(to) + disc, half);
            if let (true, Some(words)) = (fine, beyond) {
                let message = format!("is not inside the site `{}`: it {words}", site.name);
                checker.problem(path, message);
            }
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
                if checker.report.problems.len() >= before + MAX_WRONG {
                    let message = format!(
                        "after {MAX_WRONG} cells that are not inside the site `{}` the rest of the list was not looked at",
                        site.name
                    );
                    checker.problem(path, message);
                    break;
                }
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
            let mut wrong = Vec::new();
            for row in rows {
                let Some(words) = overhang(row.at_um, row.at_um, half) else {
                    continue;
                };
                let message = if wrong.len() < MAX_WRONG {
                    format!("is not inside the site `{}`: it {words}", site.name)
                } else {
                    format!(
                        "after {MAX_WRONG} cells that are not inside the site the rest was not looked at"
                    )
                };
                wrong.push((row.span.clone(), message));
                if wrong.len() > MAX_WRONG {
                    break;
                }
            }
            let sources = &checker.report.sources;
            let Some((_, text)) = sources.iter().find(|(name, _)| *name == shown) else {
                return wrong.is_empty();
            };
            let problems = wrong
                .into_iter()
                .map(|(span, message)| Problem::at(&shown, text, span, "", message));
            let problems: Vec<Problem> = problems.collect();
            checker.report.problems.extend(problems);
        }
    }
    checker.report.problems.len() == before
}

#[cfg(test)]
mod tests {
    use crate::scene::{SceneContext, parse_scene};

    #[test]
    fn a_cylinder_lies_inside_the_site_with_its_whole_width() {
        let told = |radius_um: f32| {
            let text = format!(
                r#"(title: "t", about: "", pace: Calibrated, duration: Hours(1),
                sites: [(name: "a", organ: Breast, size_um: (200, 100, 100))],
                populations: [(cell: "cancer", place: Cylinder(
                    from_um: (-100, 0, 0), to_um: (100, 0, 0), radius_um: {radius_um}))])"#
            );
            let read = parse_scene(&text, "t.ron", &SceneContext::default());
            read.err().map(|report| report.to_string())
        };
        assert_eq!(told(49.0), None);
        let told = told(60.0).expect("it does not fit");
        assert!(
            told.contains("is not inside the site `a`: it reaches y"),
            "{told}"
        );
    }
}
