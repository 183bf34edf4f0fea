//! How large cells are when they are put into a scene: by the parameters that are in force then, which may be others than
//! those of their cell files.

use bevy::prelude::World;

use super::super::library::CellLibrary;
use super::super::schema::Scene;
use super::super::timeline::{Change, Timeline};
use crate::cell::cycle::mean_radius_um;
use crate::cell::{BodyParameters, CycleParameters};
use crate::core::parameters::{PerType, set_parameter};

/// So many changes of the sizes of cells are followed.
const MAX_CHANGES: usize = 1_000;

/// How large cells of a type are, um.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::scene) struct CellSize {
    /// Radius of a resting cell.
    pub resting_um: f32,
    /// Radius of a cell of mean volume, smallest and largest over the times that are asked for.
    pub mean_um: (f32, f32),
}

/// The sizes of all cell types, from a time on.
#[derive(Clone, Debug)]
struct Since {
    minutes: f64,
    sizes: Vec<CellSize>,
}

/// The sizes of all cell types over the course of a scene.
#[derive(Clone, Debug)]
pub(in crate::scene) struct CellSizes {
    names: Vec<String>,
    /// The first holds from the start.
    course: Vec<Since>,
}

impl CellSizes {
    /// Those that the parameters in force in a world make, for all times.
    pub fn in_force(library: &CellLibrary, world: &World) -> Self {
        Self {
            names: library.names(),
            course: vec![Since {
                minutes: 0.0,
                sizes: sizes_in(world, library),
            }],
        }
    }

    /// Those of a scene; `prototype` makes a world with the parameters of its cell types, without which these alone count.
    pub fn of_scene(
        scene: &Scene,
        library: &CellLibrary,
        prototype: Option<&(dyn Fn(&CellLibrary) -> World + Sync)>,
    ) -> Self {
        let of_files = library.types.iter().map(|prefab| {
            let mean = prefab.mean_radius_um();
            CellSize {
                resting_um: prefab.radius_um(),
                mean_um: (mean, mean),
            }
        });
        let mut course = vec![Since {
            minutes: 0.0,
            sizes: of_files.collect(),
        }];
        let timeline = Timeline::new(scene);
        let step = scene.step.minutes();
        let changes = || {
            timeline
                .changes_in_order(step)
                .take(MAX_CHANGES * MAX_CHANGES)
                .filter_map(|of| match of.change {
                    Change::Set(path, value) if concerns_size(path) => Some((of.step, path, value)),
                    _ => None,
                })
                .take(MAX_CHANGES)
        };
        let is_changed = scene.parameters.keys().any(|path| concerns_size(path));
        if let Some(prototype) = prototype
            && (is_changed || changes().next().is_some())
        {
            let mut world = prototype(library);
            // What cannot be set is told where it stands.
            for (path, value) in &scene.parameters {
                let _told = set_parameter(&mut world, path, *value);
            }
            course[0].sizes = sizes_in(&world, library);
            for (number, path, value) in changes() {
                let _told = set_parameter(&mut world, path, value);
                course.push(Since {
                    minutes: number as f64 * step,
                    sizes: sizes_in(&world, library),
                });
            }
        }
        Self {
            names: library.names(),
            course,
        }
    }

    /// The size of cells of a type that are put into the scene at these times, minutes; nothing if there is no such type.
    pub fn of(&self, name: &str, (from, until): (f64, f64)) -> Option<CellSize> {
        let index = self.names.iter().position(|known| known == name)?;
        let before = self.course.iter().rposition(|since| since.minutes < from);
        let holds = self.course[before.unwrap_or(0)..]
            .iter()
            .take_while(|since| since.minutes <= until.max(0.0));
        holds
            .filter_map(|since| since.sizes.get(index).copied())
            .reduce(|a, b| CellSize {
                resting_um: a.resting_um.max(b.resting_um),
                mean_um: (a.mean_um.0.min(b.mean_um.0), a.mean_um.1.max(b.mean_um.1)),
            })
    }
}

/// Whether a parameter may decide on the size of cells.
fn concerns_size(path: &str) -> bool {
    path.contains(".body.") || path.contains(".cycle.")
}

fn sizes_in(world: &World, library: &CellLibrary) -> Vec<CellSize> {
    let bodies = world.get_resource::<PerType<BodyParameters>>();
    let cycles = world.get_resource::<PerType<CycleParameters>>();
    let types = library.types.iter().zip(0_u16..);
    types
        .map(|(prefab, index)| {
            let body = bodies.and_then(|bodies| bodies.get(index));
            let (resting_um, mean) = match body {
                Some(body) => {
                    let cycle = cycles.and_then(|cycles| cycles.get(index));
                    (body.resting_radius_um(), mean_radius_um(body, cycle))
                }
                None => (prefab.radius_um(), prefab.mean_radius_um()),
            };
            CellSize {
                resting_um,
                mean_um: (mean, mean),
            }
        })
        .collect()
}
