//! Whether the cells of a scene find room: that there are any, and that they do not lie in each other.

use std::collections::HashMap;

use bevy::prelude::*;

use super::super::population::{Ground, PlacedCell, place_cells};
use super::super::schema::{Place, Population, Scene, Site};
use super::super::spans::FieldPath;
use super::super::table::Row;
use super::Checker;
use crate::cell::plane::Plane;
use crate::core::RandomKey;
use crate::simulation::spawn::keep_to_plane;

/// Cells that are put to see whether there are any: of populations about which an estimate can be wrong.
const FEW: f64 = 20_000.0;
/// Cells that are put to see whether they lie in each other: a fraction of a second.
const MANY: usize = 200_000;
/// Share of the cells of a population that may begin inside cells of others without a word.
const SHARE: f64 = 0.1;
/// Cells whose centres lie in one cell before a word is said.
const PILE: usize = 8;

/// A population that is put where the simulation will put it.
#[derive(Clone, Copy)]
pub(super) struct Put<'s> {
    pub population: &'s Population,
    pub site: &'s Site,
    pub rows: &'s [Row],
    /// Number of the population in the scene.
    pub number: u32,
    /// Radius of a cell of mean volume, um.
    pub radius_um: f32,
}

impl Put<'_> {
    /// The cells, all taken for one type.
    fn cells(&self, seed: u64) -> Vec<PlacedCell> {
        let half = Vec3::from(self.site.size_um) * 0.5;
        let listed: Vec<PlacedCell> = match &self.population.place {
            Place::Cells(cells) => cells.iter().map(|of| (of.at_um.into(), 0)).collect(),
            _ => self.rows.iter().map(|row| (row.at_um, 0)).collect(),
        };
        let ground = Ground {
            min_um: -half,
            max_um: half,
            cell_type: 0,
            radius_um: self.radius_um,
            rows: &listed,
            key: RandomKey(seed),
            number: self.number,
            step: 0,
        };
        let mut cells = place_cells(&self.population.place, &ground);
        let plane = self.site.tissue.get("plane");
        if let Some(plane) = plane.and_then(|part| part.get::<Plane>()) {
            keep_to_plane(&mut cells, *plane, &self.population.place, self.radius_um);
        }
        cells
    }

    /// Asks for at least one cell, where about so many are expected.
    pub fn check_any(&self, checker: &mut Checker, place: &FieldPath, seed: u64, about: f64) {
        if about > FEW || !self.cells(seed).is_empty() {
            return;
        }
        let message = match &self.population.place {
            Place::Csv(_) | Place::Cells(_) => "this lists no cell".to_owned(),
            Place::Scatter { .. } => format!("this is {about:.2} cells in all, so there is none"),
            _ => format!(
                "no cell finds room here: a cell of this type has a radius of {:.1} um on average",
                self.radius_um
            ),
        };
        checker.problem(place, message);
    }
}

/// Says which populations lie in others, and where many cells lie at one place.
pub(super) fn note_crowds(checker: &mut Checker, scene: &Scene, put: &[(FieldPath, Put)]) {
    for site in &scene.sites {
        let here: Vec<&(FieldPath, Put)> = put
            .iter()
            .filter(|(_, put)| put.site.name == site.name)
            .collect();
        note_crowds_in(checker, scene.seed, &here);
    }
}

/// A cell, as its place, radius and the number of its population.
type Lying = (Vec3, f32, usize);

fn note_crowds_in(checker: &mut Checker, seed: u64, here: &[&(FieldPath, Put)]) {
    let mut cells: Vec<Lying> = Vec::new();
    let mut counts = Vec::new();
    for (number, (_, put)) in here.iter().enumerate() {
        let of = put.cells(seed);
        counts.push(of.len());
        cells.extend(of.into_iter().map(|(at, _)| (at, put.radius_um, number)));
        if cells.len() > MANY {
            return;
        }
    }
    let widest = cells
        .iter()
        .map(|(_, radius, _)| *radius)
        .fold(1.0, f32::max);
    let bin_of = |at: Vec3| (at / widest).floor().as_ivec3().to_array();
    let mut bins: HashMap<[i32; 3], Vec<u32>> = HashMap::new();
    for (index, (at, ..)) in cells.iter().enumerate() {
        bins.entry(bin_of(*at)).or_default().push(index as u32);
    }
    // Of each pair of populations the cells of the first that lie in one of the second.
    let mut inside = vec![vec![0_usize; here.len()]; here.len()];
    let mut piled = vec![0_usize; here.len()];
    let mut met = vec![false; here.len()];
    for (own, (at, radius, number)) in cells.iter().enumerate() {
        met.fill(false);
        let mut in_this = 0_usize;
        let [x, y, z] = bin_of(*at);
        for offset in 0..27 {
            let bin = [
                x + offset % 3 - 1,
                y + offset / 3 % 3 - 1,
                z + offset / 9 - 1,
            ];
            for other in bins.get(&bin).into_iter().flatten() {
                let (of_other, radius_of_other, of) = cells[*other as usize];
                let apart2 = of_other.distance_squared(*at);
                if of == *number {
                    in_this +=
                        usize::from(own != *other as usize && apart2 < 0.25 * radius * radius);
                } else {
                    met[of] |= apart2 < radius_of_other * radius_of_other;
                }
                if in_this > PILE {
                    break;
                }
            }
        }
        piled[*number] = piled[*number].max(in_this);
        for (of, met) in met.iter().enumerate() {
            inside[*number][of] += usize::from(*met);
        }
    }
    for (number, (path, _)) in here.iter().enumerate() {
        let place = path.field("place");
        if piled[number] >= PILE {
            let message = format!(
                "more than {PILE} of its cells lie in one place; the first steps drive them apart"
            );
            warn(checker, &place, message);
        }
        for (of, (other, _)) in here.iter().enumerate() {
            let found = inside[number][of];
            let smaller =
                counts[number] < counts[of] || (counts[number] == counts[of] && of < number);
            if smaller && found as f64 > SHARE * counts[number] as f64 {
                let message = format!(
                    "{found} of its {} cells begin inside cells of `{other}`; the first steps drive them apart",
                    counts[number]
                );
                warn(checker, &place, message);
            }
        }
    }
}

fn warn(checker: &mut Checker, path: &FieldPath, message: String) {
    if let Some(problem) = checker.problem(path, message) {
        problem.is_warning = true;
    }
}
