//! Counterattack: cells with death receptors feel the death ligands of those that touch them (capability `death_receptor`).
//!
//! Tumour cells with FasL let T cells with Fas enter apoptosis (O'Connell et al. 1996, J Exp Med 184:1075). A cell with death receptors
//! feels the death ligands of the cell that has most of them among those that it touches: receptors gather there. What that does is
//! said by a rule, on `death.apoptosis` say. [`feel_death_ligands`] runs in `Signal` and writes only [`DeathReceptor`].

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::Visibility;
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::neighbourhood::{FeelingCells, UseNeighbourhood};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parameters::{Parameters, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::state::RegisterState;
use crate::core::{SimSchedule, SimSystems};

/// That cells of a type have death receptors (capability `death_receptor`). What these do is said by the rules of the type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct DeathReceptorParameters {}

impl Parameters for DeathReceptorParameters {}

/// The death receptors of a cell.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct DeathReceptor {
    /// Most death ligands on a cell that touches it, 0-1.
    pub ligands_met: f32,
}

/// Living cells with death receptors feel the cells that touch them.
pub fn feel_death_ligands(
    shown: Query<&Visibility>,
    mut cells: FeelingCells<DeathReceptorParameters, DeathReceptor>,
) {
    // Mostly nobody has any: then nobody is asked.
    let is_some = shown.iter().any(|of| of.death_ligands > 0.0);
    let ligands = |other| shown.get(other).map_or(0.0, |of| of.death_ligands);
    cells.feel(|_, cell| DeathReceptor {
        ligands_met: if is_some {
            cell.strongest_touching(ligands)
        } else {
            0.0
        },
    });
}

/// Registers the capability.
pub(super) fn register(app: &mut App) {
    app.register_capability::<DeathReceptorParameters>("death_receptor")
        .register_cell_state::<DeathReceptor>("death_receptor")
        .register_quantity::<DeathReceptor>(
            Quantity::new(
                "death_receptor.ligands_met",
                "",
                "Most death ligands (FasL, TRAIL) on a cell that touches this one, of what there can be.",
            )
            .label("death ligands met")
            .range(0.0, 1.0)
            .of_the_living()
            .no_column(),
            |receptor| receptor.ligands_met,
        )
        .use_neighbourhood_of::<DeathReceptor>()
        .begin_cells(|place| {
            place.parameters::<DeathReceptorParameters>()?;
            Some(Beginning::settled(DeathReceptor::default()))
        })
        .register_cell_invariant::<DeathReceptor>(
            SimSystems::Signal,
            "feel_death_ligands",
            |receptor| outside("the death ligands that it meets", receptor.ligands_met, 0.0, 1.0),
        )
        .while_in_transit(
            feel_death_ligands,
            InTransit::Pauses,
            "who is in no site touches nobody",
        )
        .add_systems(
            SimSchedule,
            feel_death_ligands
                .before(super::show_surface)
                .run_if(any_with_component::<DeathReceptor>)
                .in_set(SimSystems::Signal),
        );
}
