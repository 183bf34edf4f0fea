//! What modules say of the crowds and cell types of a scene, as warnings at its populations.

use bevy::prelude::*;

use super::checker::Checker;
use super::library::CellLibrary;
use super::schema::{Place, Scene};
use super::spans::FieldPath;
use crate::core::advice::{Advisers, Crowd};

/// Cubic millimetres in a millilitre.
const MM3_PER_ML: f64 = 1000.0;

/// Notes it; the world has the parameters and rules of the scene and a clock of its step.
pub(super) fn note_advice(
    checker: &mut Checker,
    scene: &Scene,
    library: &CellLibrary,
    world: &World,
) {
    let list = FieldPath::root().field("populations");
    let mut seen = Vec::new();
    for (index, population) in scene.populations.iter().enumerate() {
        let Some(cell_type) = library.index_of(&population.cell) else {
            continue;
        };
        if seen.contains(&cell_type) {
            continue;
        }
        seen.push(cell_type);
        for message in Advisers::on_type(world, cell_type) {
            if let Some(problem) = checker.problem(&list.item(index).field("cell"), message) {
                problem.is_warning = true;
            }
        }
    }
    for (index, population) in scene.populations.iter().enumerate() {
        let Place::Scatter { per_mm3, .. } = population.place else {
            continue;
        };
        let Some(cell_type) = library.index_of(&population.cell) else {
            continue;
        };
        let crowd = Crowd {
            cell_type,
            per_ml: per_mm3 * MM3_PER_ML,
        };
        for message in Advisers::of(world, &crowd) {
            if let Some(problem) = checker.problem(&list.item(index).field("place"), message) {
                problem.is_warning = true;
            }
        }
    }
}
