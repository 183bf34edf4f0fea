//! Metabolism: what a cell breathes, ferments, gives off, and how much it can grow on that.
//!
//! Oxygen: `q_max M(G, pH) p / (p + K)` per volume of *tissue*, which is what is measured, with the Crabtree factor
//! `M = 1 + m / (1 + (G/G_m)^2) clamp((pH - 6.6)/0.65, 0, 1)` of Casciari et al. 1992 (EMT6/Ro: uptake doubles when
//! glucose falls from 5.5 to 0.4 mM at pH 7.25, and does not at pH 6.6). A cell breathes for the tissue it makes up:
//! its own volume over the share of relaxed confluent tissue that is cells ([`CONFLUENT_SHARE`](crate::cell::contact::CONFLUENT_SHARE)). Confluent tissue
//! thus takes up `q_max` times the share of its cells that live, pressed or not: where growth presses cells closer
//! together than they lie at rest, each makes up less ([`Surroundings::pressed_um3`]). PhysiCell's first-order law, which is per volume of
//! cells, can be chosen instead.
//!
//! Glucose: `J_G = q_G h(G; K_G, 1) [g + a (1 - h(p; p_P, 2))] clamp(1 - 2 (7.25 - pH), 0.1, 1)`, with the Pasteur
//! effect (`a`), the brake by acid, and the input `metabolism.glycolysis`, `g`, which is 1 unless rules change it: HIF-1a
//! does in the shipped cancer cell. Lactate: `2 J_G (1 - f_ox)`, where the share `f_ox = min(f, J_O / (6 J_G))` of the
//! pyruvate is oxidised, `f` being the input `metabolism.oxidised_share`: not more than the oxygen that the cell
//! takes up suffices for, six molecules for a glucose. Glucose, lactate and VEGF-A are exchanged at rates per cell,
//! whatever its size: that is how they are published, as means over the cells of a culture, which are of all ages
//! and sizes.
//!
//! Acidity: `pH = 7.4 - lactate / 18 mM` (carbonate buffer).
//! Growth: `g = clamp((p - 5)/(38 - 5)) h(G; 0.2 mM, 2) clamp((pH - 6.4)/0.6)`, the quantity `metabolism.growth`. What it
//! makes a cell do is said by the rules of its type, and so is what comes of the lack of glucose (`metabolism.starvation`), of acid
//! (`metabolism.acid_harm`) and of a lack of ATP (`metabolism.atp_lack`): how much less ATP than with plentiful glucose and oxygen
//! the cell makes of what it takes up, `4.7 J_O + 2 J_G`.
//!
//! The laws are in [`law`]. [`update_metabolism`] runs in `Signal` and writes only [`Metabolism`]; [`exchange_metabolites`] books in `Act`. What a cell takes up of a molecule is booked as a capacity, so that
//! the field solver applies `c / (K + c)` to the concentration it is solving for.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::death::is_alive;
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::{ActSystems, Body, CellType, Resident, Surroundings, Vital, order_act};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parallel::{IN_TABLES, for_each_row, for_each_row_mut};
use crate::core::parameters::{Limits, PerType, RegisterParameters};
use crate::core::state::RegisterState;
use crate::core::{SimSchedule, SimSystems};
use crate::tissue::{Bookings, Fields, RegisterMoleculeUse};

mod known;
pub mod law;

pub use law::{
    MetabolicRates, MetabolicSetting, MetabolismChemistry, MetabolismParameters, Metabolites,
    OxygenLaw, UptakeConstants,
};

/// The molecules it is about, by name.
const OXYGEN: &str = "oxygen";
const GLUCOSE: &str = "glucose";
const LACTATE: &str = "lactate";

/// What a cell exchanges with its surroundings just now. Dead cells exchange nothing.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Metabolism {
    /// Oxygen uptake at saturation, mmHg per minute of the tissue that the cell makes up; with the first-order law
    /// the rate of uptake, 1/min.
    pub oxygen_per_min: f32,
    /// Glucose uptake at saturation, amol/s.
    pub glucose_capacity_amol_per_s: f32,
    /// Lactate given off, amol/s.
    pub lactate_amol_per_s: f32,
    /// ATP made, relative to what the cell makes with plentiful glucose and oxygen.
    pub atp: f32,
}

impl Metabolism {
    /// A cell that exchanges nothing: a dead one.
    pub const NONE: Self = Self {
        oxygen_per_min: 0.0,
        glucose_capacity_amol_per_s: 0.0,
        lactate_amol_per_s: 0.0,
        atp: 0.0,
    };

    /// ATP that is missing to what the cell makes with plentiful glucose and oxygen, 0-1.
    pub const fn atp_lack(&self) -> f32 {
        (1.0 - self.atp).clamp(0.0, 1.0)
    }
}

/// A cell that has not looked around yet exchanges nothing and lacks nothing.
impl Default for Metabolism {
    fn default() -> Self {
        Self {
            atp: 1.0,
            ..Self::NONE
        }
    }
}

/// The inputs.
const RESPIRATION: &str = "metabolism.respiration";
const GLYCOLYSIS: &str = "metabolism.glycolysis";
const OXIDISED_SHARE: &str = "metabolism.oxidised_share";

/// What inputs relative to the usual may be: a hundredfold is more than any cell does.
const RELATIVE: Limits = Limits {
    min: 0.0,
    max: 100.0,
};

/// Living cells adapt what they burn to what they find.
pub fn update_metabolism(
    parameters: Res<PerType<MetabolismParameters>>,
    chemistry: Res<MetabolismChemistry>,
    fields: Fields,
    inputs: Regulated,
    mut cells: Query<(
        Entity,
        &CellType,
        &Resident,
        &Surroundings,
        &Body,
        Option<&Vital>,
        &mut Metabolism,
    )>,
) {
    let (parameters, chemistry) = (&*parameters, &*chemistry);
    let uptake = UptakeConstants::of(&fields);
    let [oxygen, glucose, lactate] = [OXYGEN, GLUCOSE, LACTATE].map(|name| fields.of(name));
    let [respiration, glycolysis, oxidised_share] =
        [RESPIRATION, GLYCOLYSIS, OXIDISED_SHARE].map(|name| inputs.input(name));
    for (entities, types, residents, around, bodies, vitals, mut metabolism) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let respiration = respiration.in_table(entities);
        let glycolysis = glycolysis.in_table(entities);
        let oxidised_share = oxidised_share.in_table(entities);
        for_each_row_mut(metabolism.bypass_change_detection(), |row, metabolism| {
            let Some(parameters) = parameters.get(types[row].0) else {
                return;
            };
            if !is_alive(vitals.map(|vitals| &vitals[row])) {
                *metabolism = Metabolism::NONE;
                return;
            }
            let (site, voxel) = (residents[row].0, around[row].voxel);
            let volume_um3 = around[row].pressed_um3(bodies[row].volume_um3());
            let found = Metabolites {
                oxygen_mmhg: oxygen.at(site, voxel),
                glucose_mm: glucose.at(site, voxel),
                lactate_mm: lactate.at(site, voxel),
            };
            let cell_type = types[row].0;
            let set = MetabolicSetting {
                respiration: respiration.at(row, cell_type),
                glycolysis: glycolysis.at(row, cell_type),
                oxidised_share: oxidised_share.at(row, cell_type),
            };
            let rates = parameters.rates(chemistry, &uptake, found, set, volume_um3);
            *metabolism = rates.exchange;
        });
    }
}

/// Living cells take up oxygen and glucose and give off lactate.
pub fn exchange_metabolites(
    parameters: Res<PerType<MetabolismParameters>>,
    bookings: Bookings,
    cells: Query<(
        &CellType,
        &Resident,
        &Surroundings,
        &Body,
        Option<&Vital>,
        &Metabolism,
    )>,
) {
    let parameters = &*parameters;
    let [oxygen, glucose, lactate] = [OXYGEN, GLUCOSE, LACTATE].map(|name| bookings.of(name));
    for (types, residents, around, bodies, vitals, metabolism) in
        cells.contiguous_iter().expect(IN_TABLES)
    {
        for_each_row(types.len(), |row| {
            let alive = is_alive(vitals.map(|vitals| &vitals[row]));
            let (true, Some(parameters)) = (alive, parameters.get(types[row].0)) else {
                return;
            };
            let (site, voxel, rates) = (residents[row].0, around[row].voxel, &metabolism[row]);
            let law = parameters.oxygen_law;
            let pressed_um3 = around[row].pressed_um3(bodies[row].volume_um3());
            let volume_um3 = law.breathing_um3(pressed_um3);
            match law {
                OxygenLaw::MichaelisMenten => {
                    let per_min = rates.oxygen_per_min;
                    oxygen.take_up_in(site, voxel, per_min, volume_um3);
                }
                OxygenLaw::FirstOrder => {
                    let per_min = rates.oxygen_per_min;
                    oxygen.absorb(site, voxel, per_min * volume_um3);
                }
            }
            glucose.take_up_amol(site, voxel, rates.glucose_capacity_amol_per_s);
            lactate.secrete_amol(site, voxel, rates.lactate_amol_per_s);
        });
    }
}

/// Metabolism.
pub struct MetabolismPlugin;

impl Plugin for MetabolismPlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        known::register(app);
        for molecule in [OXYGEN, GLUCOSE, LACTATE] {
            app.register_molecule_use("metabolism", molecule);
        }
        app.register_group::<MetabolismChemistry>("chemistry")
            .register_capability::<MetabolismParameters>("metabolism")
            .register_cell_state::<Metabolism>("metabolism")
            .register_relative_input::<MetabolismParameters>(
                InputInfo::new(
                    RESPIRATION,
                    "",
                    "Oxygen uptake, relative to what glucose and acidity make it.",
                )
                .limits(RELATIVE),
            )
            .register_relative_input::<MetabolismParameters>(
                InputInfo::new(
                    GLYCOLYSIS,
                    "",
                    "Glucose uptake with plentiful oxygen, relative to `glucose_uptake_amol_per_s`.",
                )
                .limits(RELATIVE),
            )
            .register_input::<MetabolismParameters>(
                InputInfo::new(
                    OXIDISED_SHARE,
                    "",
                    "Share of the pyruvate that is oxidised where oxygen suffices for it.",
                ),
                "oxidised_share",
            )
            .begin_cells(|place| {
                place.parameters::<MetabolismParameters>()?;
                Some(Beginning::settled(Metabolism::default()))
            })
            .register_cell_invariant::<Metabolism>(
                SimSystems::Signal,
                "update_metabolism",
                |rates| {
                    let is = |what, value| outside(what, value, 0.0, f32::MAX);
                    is(
                        "its oxygen uptake at saturation, mmHg/min,",
                        rates.oxygen_per_min,
                    )
                    .or_else(|| {
                        is(
                            "its glucose uptake at saturation, amol/s,",
                            rates.glucose_capacity_amol_per_s,
                        )
                    })
                    .or_else(|| is("its lactate release, amol/s,", rates.lactate_amol_per_s))
                    .or_else(|| is("its relative ATP", rates.atp))
                },
            )
            .while_in_transit(update_metabolism, InTransit::Runs, "it follows molecules, which are at their background")
            .while_in_transit(exchange_metabolites, InTransit::Pauses, "there is no voxel to book in")
            .add_systems(
                SimSchedule,
                (
                    update_metabolism.in_set(SimSystems::Signal),
                    exchange_metabolites.in_set(ActSystems::Exchange),
                ),
            );
    }
}

#[cfg(test)]
mod tests;
