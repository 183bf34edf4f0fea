//! Where the cells of a population are put.
//!
//! Balls and shells are filled with a hexagonal close-packed lattice with a cell in the very centre, in
//! lattice order (z, then y, then x), so that neighbours in space are neighbours in memory. The distance of
//! lattice neighbours is [`CONFLUENT_SPACING`] diameters of a cell of mean volume, so that cells are as dense as in relaxed
//! tissue.
//!
//! Runs when a simulation is set up and when the timeline adds cells; equal input gives equal bits.

use bevy::prelude::*;

use super::schema::Place;
use crate::cell::contact::CONFLUENT_SPACING;
use crate::core::CellId;
use crate::core::random::{Purpose, RandomKey};
use crate::core::units::{self, UM3_PER_MM3, ball_volume_um3};

/// Where scattered cells of a population are put.
pub const PLACEMENT: Purpose = Purpose::numbered(0, "scene.population.placement");

/// A row of a list of cells: centre, um, and index of the cell type.
pub type PlacedCell = (Vec3, u16);

/// What a population needs to be put into its site.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// Lower corner of the site, um.
    pub min_um: Vec3,
    /// Upper corner of the site, um.
    pub max_um: Vec3,
    /// Index of the cell type.
    pub cell_type: u16,
    /// Radius of a cell of that type and of mean volume, um.
    pub radius_um: f32,
    /// The rows of the population's CSV file or list, if it has one.
    pub rows: &'a [PlacedCell],
    /// Seed of the run.
    pub key: RandomKey,
    /// Number of the population in the scene: no two share random numbers.
    pub number: u32,
    /// Step in which the cells are added; 0 for those present at the start.
    pub step: u64,
}

/// Centre and type of each cell of a population, in the order in which they are to be born.
pub fn place_cells(place: &Place, ground: &Ground) -> Vec<PlacedCell> {
    match place {
        Place::Single { at_um } => vec![(Vec3::from(*at_um), ground.cell_type)],
        Place::Ball {
            center_um,
            radius_um,
        } => fill((*center_um).into(), 0.0, *radius_um, ground),
        Place::Shell {
            center_um,
            inner_um,
            outer_um,
        } => fill((*center_um).into(), *inner_um, *outer_um, ground),
        Place::Cylinder {
            from_um,
            to_um,
            radius_um,
        } => cylinder((*from_um).into(), (*to_um).into(), *radius_um, ground),
        Place::Scatter {
            per_mm3,
            outside_um,
        } => scatter(*per_mm3, *outside_um, ground),
        Place::Csv(_) | Place::Cells(_) => ground.rows.to_vec(),
    }
}

/// Close-packed cells of that radius in a cubic micrometre: a lattice has one point in `spacing^3 / sqrt 2`.
pub fn close_packed_per_um3(radius_um: f32) -> f64 {
    let spacing = f64::from(2.0 * CONFLUENT_SPACING * radius_um);
    2.0_f64.sqrt() / (spacing * spacing * spacing)
}

/// Radius of a ball that holds about so many cells, um: the inverse of [`estimate_cells`].
pub fn ball_radius_um(cells: f64, radius_um: f32) -> f32 {
    let room = cells / close_packed_per_um3(radius_um);
    radius_um + units::ball_radius_um(room as f32)
}

/// About how many cells a population has; exact for `Single`, otherwise within a layer of cells.
pub fn estimate_cells(place: &Place, radius_um: f32, site_um: Vec3, rows: usize) -> f64 {
    let per_um3 = close_packed_per_um3(radius_um);
    let room = |radius: f32| f64::from(ball_volume_um3((radius - radius_um).max(0.0)));
    match place {
        Place::Single { .. } => 1.0,
        Place::Ball { radius_um, .. } => room(*radius_um) * per_um3,
        Place::Shell {
            inner_um, outer_um, ..
        } => {
            (room(*outer_um) - f64::from(ball_volume_um3(inner_um + radius_um))).max(0.0) * per_um3
        }
        Place::Cylinder {
            from_um,
            to_um,
            radius_um: wide,
        } => {
            let length = Vec3::from(*from_um).distance((*to_um).into()) - 2.0 * radius_um;
            let wide = f64::from((wide - radius_um).max(0.0));
            std::f64::consts::PI * wide * wide * f64::from(length.max(0.0)) * per_um3
        }
        Place::Scatter { per_mm3, .. } => {
            per_mm3 * f64::from(site_um.x) * f64::from(site_um.y) * f64::from(site_um.z)
                / UM3_PER_MM3
        }
        Place::Csv(_) => rows as f64,
        Place::Cells(cells) => cells.len() as f64,
    }
}

/// Cells that lie wholly between two balls around `center`; the inner one may be empty (0).
fn fill(center: Vec3, inner: f32, outer: f32, ground: &Ground) -> Vec<PlacedCell> {
    let radius = ground.radius_um;
    let spacing = 2.0 * CONFLUENT_SPACING * radius;
    let farthest = outer - radius;
    // The central cell belongs to a full ball, whatever the ball's size.
    let nearest = if inner > 0.0 { inner + radius } else { 0.0 };
    let usable = spacing.is_finite() && spacing > 0.0 && farthest.is_finite();
    if !usable || farthest < nearest {
        return Vec::new();
    }
    let row = spacing * 0.75_f32.sqrt();
    let layer = spacing * (2.0_f32 / 3.0).sqrt();
    let (nearest2, farthest2) = (nearest * nearest, farthest * farthest);
    let mut cells = Vec::new();
    let layers = (farthest / layer) as i32;
    for k in -layers..=layers {
        let z = k as f32 * layer;
        let odd_layer = k.rem_euclid(2);
        let rows = (farthest / row) as i32 + 1;
        for j in -rows..=rows {
            let y = (j as f32 + odd_layer as f32 / 3.0) * row;
            let rest2 = farthest2 - z * z - y * y;
            if rest2 < 0.0 {
                continue;
            }
            let shift = 0.5 * (j + odd_layer).rem_euclid(2) as f32;
            let columns = (rest2.sqrt() / spacing) as i32 + 1;
            for i in -columns..=columns {
                let at = Vec3::new((i as f32 + shift) * spacing, y, z);
                let distance2 = at.length_squared();
                if distance2 >= nearest2 && distance2 <= farthest2 {
                    cells.push((center + at, ground.cell_type));
                }
            }
        }
    }
    cells
}

/// Cells that lie wholly in a cylinder: of the lattice that fills the ball around it, those that do.
fn cylinder(from: Vec3, to: Vec3, radius: f32, ground: &Ground) -> Vec<PlacedCell> {
    let (own, length) = (ground.radius_um, from.distance(to));
    let (middle, axis) = (0.5 * (from + to), (to - from).normalize_or(Vec3::Z));
    let ball = bevy::math::ops::hypot(0.5 * length, radius);
    let mut cells = fill(middle, 0.0, ball, ground);
    cells.retain(|(at, _)| {
        let off = *at - middle;
        let along = off.dot(axis);
        let aside = (off - axis * along).length();
        along.abs() + own <= 0.5 * length && aside + own <= radius
    });
    cells
}

/// Cells spread evenly at random over the block, without those in the ball around the origin.
fn scatter(per_mm3: f64, outside_um: f32, ground: &Ground) -> Vec<PlacedCell> {
    let size = ground.max_um - ground.min_um;
    let volume_mm3 = f64::from(size.x) * f64::from(size.y) * f64::from(size.z) / UM3_PER_MM3;
    let count = (per_mm3 * volume_mm3).round().max(0.0) as u64;
    // Cells lie inside with their whole body, as far as the block is wide enough for one.
    let inset = Vec3::splat(ground.radius_um).min(size * 0.5);
    let (low, span) = (ground.min_um + inset, size - 2.0 * inset);
    let free2 = outside_um * outside_um;
    (0..count)
        .map(|index| {
            // Not a cell yet: the population's number and the place in it take the identity's bits.
            let draw = CellId(u64::from(ground.number) << 32 | index);
            let mut random = ground.key.stream(draw, ground.step, PLACEMENT);
            low + span * Vec3::new(random.uniform(), random.uniform(), random.uniform())
        })
        .filter(|at| outside_um <= 0.0 || at.length_squared() >= free2)
        .map(|at| (at, ground.cell_type))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RADIUS: f32 = 8.4;

    fn ground() -> Ground<'static> {
        Ground {
            min_um: Vec3::splat(-500.0),
            max_um: Vec3::splat(500.0),
            cell_type: 3,
            radius_um: RADIUS,
            rows: &[],
            key: RandomKey(5),
            number: 0,
            step: 0,
        }
    }

    fn ball(radius_um: f32) -> Place {
        Place::Ball {
            center_um: (10.0, 0.0, -20.0),
            radius_um,
        }
    }

    #[test]
    fn a_ball_is_close_packed_around_a_central_cell() {
        let cells = place_cells(&ball(150.0), &ground());
        let center = Vec3::new(10.0, 0.0, -20.0);
        assert!(cells.iter().any(|(at, _)| *at == center));
        assert!(cells.iter().all(|(_, cell_type)| *cell_type == 3));
        let spacing = 2.0 * CONFLUENT_SPACING * RADIUS;
        let mut inner = 0;
        for (at, _) in &cells {
            assert!(at.distance(center) <= 150.0 - RADIUS + 1e-3);
            let others = cells.iter().filter(|(other, _)| other != at);
            let near = others
                .filter(|(other, _)| at.distance(*other) < 1.01 * spacing)
                .count();
            // The kissing number: every cell away from the rim touches twelve others.
            if at.distance(center) < 150.0 - RADIUS - 1.01 * spacing {
                assert_eq!(near, 12);
                inner += 1;
            }
        }
        assert!(inner > 1000);
        let estimate = estimate_cells(&ball(150.0), RADIUS, Vec3::splat(1000.0), 0);
        assert!(
            (cells.len() as f64 / estimate - 1.0).abs() < 0.05,
            "{estimate}"
        );
    }

    #[test]
    fn a_ball_of_a_number_of_cells_holds_about_that_number() {
        for wanted in [1_000.0, 10_000.0, 100_000.0] {
            let radius = ball_radius_um(wanted, RADIUS);
            let found = place_cells(&ball(radius), &ground()).len() as f64;
            assert!((found / wanted - 1.0).abs() < 0.05, "{found}");
        }
    }

    #[test]
    fn a_shell_takes_the_place_between_two_balls() {
        let shell = Place::Shell {
            center_um: (0.0, 0.0, 0.0),
            inner_um: 60.0,
            outer_um: 120.0,
        };
        let cells = place_cells(&shell, &ground());
        let distance = |(at, _): &PlacedCell| at.length();
        assert!(
            cells
                .iter()
                .all(|c| distance(c) >= 60.0 + RADIUS && distance(c) <= 120.0 - RADIUS)
        );
        let estimate = estimate_cells(&shell, RADIUS, Vec3::splat(1000.0), 0);
        let found = cells.len() as f64;
        assert!((found / estimate - 1.0).abs() < 0.1, "{found} {estimate}");
    }

    #[test]
    fn a_cylinder_holds_whole_cells_as_close_packed_as_a_ball() {
        let ends = [Vec3::new(-90.0, 40.0, 10.0), Vec3::new(150.0, -20.0, 60.0)];
        let place = Place::Cylinder {
            from_um: ends[0].into(),
            to_um: ends[1].into(),
            radius_um: 60.0,
        };
        let cells = place_cells(&place, &ground());
        let axis = (ends[1] - ends[0]).normalize();
        for (at, _) in &cells {
            let along = (*at - ends[0]).dot(axis);
            let aside = (*at - ends[0] - axis * along).length();
            assert!(aside + RADIUS <= 60.001);
            assert!(along >= RADIUS - 1e-3 && along + RADIUS <= ends[0].distance(ends[1]) + 1e-3);
        }
        let estimate = estimate_cells(&place, RADIUS, Vec3::splat(1000.0), 0);
        let found = cells.len() as f64;
        assert!((found / estimate - 1.0).abs() < 0.08, "{found} {estimate}");
    }

    #[test]
    fn scattered_cells_have_the_density_asked_for_and_keep_the_ball_free() {
        let place = Place::Scatter {
            per_mm3: 20_000.0,
            outside_um: 300.0,
        };
        let cells = place_cells(&place, &ground());
        assert!(cells.iter().all(|(at, _)| at.length() >= 300.0));
        assert!(
            cells
                .iter()
                .all(|(at, _)| at.abs().max_element() <= 500.0 - RADIUS)
        );
        // The ball takes its share of the volume in which centres can lie; five standard errors.
        let edge = 1000.0 - 2.0 * f64::from(RADIUS);
        let share = f64::from(ball_volume_um3(300.0)) / (edge * edge * edge);
        let expected = 20_000.0 * (1.0 - share);
        let error = (20_000.0 * share * (1.0 - share)).sqrt();
        assert!((cells.len() as f64 - expected).abs() < 5.0 * error);
        assert_eq!(cells, place_cells(&place, &ground()));
        let other = Ground {
            number: 1,
            ..ground()
        };
        assert_ne!(cells, place_cells(&place, &other));
    }

    #[test]
    fn a_million_cells_are_placed_in_well_under_a_second() {
        let start = std::time::Instant::now();
        let cells = place_cells(&ball(1100.0), &ground());
        assert!(cells.len() > 1_000_000);
        assert!(start.elapsed().as_secs_f32() < 1.0);
    }
}
