//! Suppression by cells that are near: what regulatory T cells, myeloid-derived suppressor cells and macrophages do to killers besides what
//! they secrete (capabilities `suppressor` and `suppressible`).
//!
//! A suppressor acts in three ways, each an input of its own that rules drive:
//!
//! | input | reaches | stands for |
//! | --- | --- | --- |
//! | `suppressor.contact` | cells that it touches | receptors of regulatory T cells: CTLA-4, and TGF-beta that their membrane holds |
//! | `suppressor.nearby` | cells within `reach_um` of who feels it, 60 um | arginase and nitric oxide of myeloid cells, which act on what is next to their makers |
//! | `suppressor.crowd` | all around, as a density | macrophages that make tissue one in which killers do not thrive |
//!
//! A cell that can be suppressed feels the strongest contact (`suppression.contact`), the sum of those nearby (`suppression.nearby`), and
//! how many crowd around it, in a mm3 of what lies in the block of a ball of `crowd_um` (`suppression.crowd`), so that tissue is as crowded at the faces of
//! a block as in its middle, and in a small block as in a large one. Those nearby are counted one by one: beyond a face there is none. What these
//! do is said by rules of its type, on
//! `killer.function`, `cycle.entry` and so on; what they do to a whole site, as to how many killers come, by rules of sites by
//! `suppression.crowd_of_site`. The dead neither suppress nor feel.
//!
//! Nitric oxide itself would need some thousand molecules a second from each cell to fill a tissue with what halves killing, as it spreads
//! over a millimetre: so what myeloid cells do is told by distance and not by a field.
//!
//! [`suppress`] and then [`feel`] run in `Signal`; sums go by identity.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::neighbourhood::{FeelingCells, UseNeighbourhood};
use crate::cell::{CellType, Living, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::state::RegisterState;
use crate::core::{SimSchedule, SimSystems};

mod known;
mod picture;

/// How cells of a type suppress, without any rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct SuppressorParameters {
    /// On cells that it touches, 0-1.
    pub contact: f32,
    /// On cells that have it nearby, as so many suppressors.
    pub nearby: f32,
    /// On cells that it crowds around, as so many suppressors.
    pub crowd: f32,
}

impl Parameters for SuppressorParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "contact" => Limits::FRACTION,
            _ => Limits {
                min: 0.0,
                max: 100.0,
            },
        }
    }
}

/// How far cells of a type feel suppressors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct SuppressibleParameters {
    /// How far what is nearby reaches, between centres, um; 60. Calibrated: what arginase depletes and nitric oxide reaches at the
    /// amounts that cells make.
    pub reach_um: f32,
    /// Radius of the ball in which a crowd is counted, um; 100. Assumed.
    pub crowd_um: f32,
}

impl Default for SuppressibleParameters {
    fn default() -> Self {
        Self {
            reach_um: 60.0,
            crowd_um: 100.0,
        }
    }
}

impl Parameters for SuppressibleParameters {
    fn limits(_: &str) -> Limits {
        // Neighbours are found fast up to 100 um.
        Limits {
            min: 1.0,
            max: 100.0,
        }
    }
}

/// How strongly a cell suppresses in this step.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Suppressor {
    /// Cells that it touches, 0-1.
    pub contact: f32,
    /// Cells that have it nearby, as so many suppressors.
    pub nearby: f32,
    /// Cells that it crowds around, as so many suppressors.
    pub crowd: f32,
}

/// What a cell feels of suppressors in this step.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Suppressible {
    /// The strongest of those that touch it, 0-1.
    pub contact: f32,
    /// Sum of those nearby.
    pub nearby: f32,
    /// Those that crowd around, 1/mm3.
    pub crowd_per_mm3: f32,
}

/// The inputs.
const CONTACT: &str = "suppressor.contact";
const NEARBY: &str = "suppressor.nearby";
const CROWD: &str = "suppressor.crowd";

/// Suppressors act as rules say.
pub fn suppress(
    parameters: Res<PerType<SuppressorParameters>>,
    inputs: Regulated,
    mut cells: Query<(Entity, &CellType, Option<&Vital>, &mut Suppressor)>,
) {
    let parameters = &*parameters;
    let inputs = [CONTACT, NEARBY, CROWD].map(|name| inputs.input(name));
    for (entities, types, vitals, mut suppressors) in cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let inputs = inputs.map(|input| input.in_table(entities));
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(suppressors.bypass_change_detection(), |row, suppressor| {
            *suppressor = living
                .at(row)
                .map_or_else(Suppressor::default, |(cell_type, _)| {
                    let [contact, nearby, crowd] = inputs.map(|input| input.at(row, cell_type));
                    Suppressor {
                        contact,
                        nearby,
                        crowd,
                    }
                });
        });
    }
}

/// Living cells feel the suppressors around them; the dead among these do nothing, as [`suppress`] left them.
pub fn feel(
    suppressors: Query<&Suppressor>,
    mut cells: FeelingCells<SuppressibleParameters, Suppressible>,
) {
    // Mostly there are none, or none that act in one of the ways: then nobody is asked.
    let acts = |of: fn(&Suppressor) -> f32| suppressors.iter().any(|one| of(one) > 0.0);
    let in_contact = acts(|of| of.contact);
    let from_nearby = acts(|of| of.nearby);
    let as_crowd = acts(|of| of.crowd);
    let contact = |other| suppressors.get(other).map_or(0.0, |of| of.contact);
    let nearby = |other| suppressors.get(other).map_or(0.0, |of| of.nearby);
    let crowd = |other| suppressors.get(other).map_or(0.0, |of| of.crowd);
    cells.feel(|of, cell| {
        let mut felt = Suppressible::default();
        if in_contact {
            felt.contact = cell.strongest_touching(contact);
        }
        if from_nearby {
            felt.nearby = cell.sum_within(of.reach_um, nearby);
        }
        if as_crowd {
            felt.crowd_per_mm3 = cell.density_within(of.crowd_um, crowd);
        }
        felt
    });
}

/// Suppression by cells that are near.
pub struct SuppressionPlugin;

impl Plugin for SuppressionPlugin {
    fn build(&self, app: &mut App) {
        app.register_capability::<SuppressorParameters>("suppressor")
            .register_capability::<SuppressibleParameters>("suppressible")
            .register_cell_state::<Suppressor>("suppressor")
            .register_cell_state::<Suppressible>("suppressible");
        for (name, about, field) in [
            (
                CONTACT,
                "How strongly a cell suppresses those that it touches, 0-1.",
                "contact",
            ),
            (
                NEARBY,
                "How strongly a cell suppresses those that have it nearby, as so many suppressors.",
                "nearby",
            ),
            (
                CROWD,
                "How strongly a cell suppresses those that it crowds around, as so many suppressors.",
                "crowd",
            ),
        ] {
            app.register_input::<SuppressorParameters>(InputInfo::new(name, "", about), field);
        }
        app.use_neighbourhood_of::<Suppressor>()
            .begin_cells(|place| {
                let of = place.parameters::<SuppressorParameters>()?;
                Some(Beginning::settled(Suppressor {
                    contact: of.contact,
                    nearby: of.nearby,
                    crowd: of.crowd,
                }))
            })
            .begin_cells(|place| {
                place.parameters::<SuppressibleParameters>()?;
                Some(Beginning::settled(Suppressible::default()))
            })
            .register_cell_invariant::<Suppressible>(SimSystems::Signal, "feel", |state| {
                outside("the contact that suppresses it", state.contact, 0.0, 1.0)
                    .or_else(|| outside("those nearby", state.nearby, 0.0, 1.0e6))
                    .or_else(|| outside("its crowd, 1/mm3,", state.crowd_per_mm3, 0.0, 1.0e12))
            })
            .while_in_transit(
                suppress,
                InTransit::Runs,
                "how strongly it would suppress needs no place",
            )
            .while_in_transit(feel, InTransit::Pauses, "who is in no site has nobody near")
            .add_systems(
                SimSchedule,
                (suppress, feel.run_if(any_with_component::<Suppressible>))
                    .chain()
                    .in_set(SimSystems::Signal),
            );
        known::register(app);
        picture::register(app);
    }
}

#[cfg(test)]
mod tests;
