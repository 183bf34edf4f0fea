//! All cells of a simulation as rows, in the order of their identity.
//!
//! The order of rows in the ECS depends on the history of births and deaths; the order here does not, so
//! sums over it are the same bits after a resume.

use bevy::prelude::*;

use crate::biology::hypoxia::HifAxis;
use crate::cell::{Body, CellType, Cycle, Phase, Position, Resident, State, Surroundings, Vital};
use crate::core::CellId;
use crate::core::clones::Clones;
use crate::tissue::SiteId;

/// What is reported of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellRow {
    /// Identity.
    pub id: CellId,
    /// Index of its type.
    pub cell_type: u16,
    /// Its site.
    pub site: SiteId,
    /// Centre, um.
    pub position_um: Vec3,
    /// Radius, um.
    pub radius_um: f32,
    /// Radius of the nucleus, um.
    pub nucleus_radius_um: f32,
    /// Phase of the cycle; `G0G1` for cells that do not cycle.
    pub phase: Phase,
    /// Alive, dying or dead.
    pub state: State,
    /// What it noticed in the last step.
    pub around: Surroundings,
    /// HIF-1a, 0-1; 0 for cells without the axis.
    pub hif_1a: f32,
}

/// The cells of a simulation, sorted by identity.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// One row for each cell.
    pub cells: Vec<CellRow>,
}

impl Census {
    /// Counts the cells of a world.
    pub fn take(world: &World) -> Self {
        let mut census = Self::default();
        let Some(mut query) = world.try_query::<(
            (
                &CellId,
                &CellType,
                &Resident,
                &Position,
                &Body,
                &Surroundings,
            ),
            (Option<&Cycle>, Option<&Vital>, Option<&HifAxis>),
        )>() else {
            return census;
        };
        let none = Clones::default();
        let clones = world.get_resource::<Clones>().unwrap_or(&none);
        census.cells.reserve_exact(query.iter(world).count());
        census.cells.extend(query.iter(world).map(
            |((id, cell_type, resident, position, body, around), (cycle, vital, hif))| CellRow {
                id: *id,
                cell_type: clones.type_of(cell_type.0),
                site: resident.0,
                position_um: position.0,
                radius_um: body.radius_um,
                nucleus_radius_um: body.nucleus_radius_um(),
                phase: cycle.map_or(Phase::G0G1, |cycle| cycle.phase),
                state: vital.map_or(State::Alive, |vital| vital.state),
                around: *around,
                hif_1a: hif.map_or(0.0, |hif| hif.hif_1a),
            },
        ));
        census.cells.sort_unstable_by_key(|cell| cell.id);
        census
    }
}
