//! Junctions of E-cadherin, by which cells that have begun to let go of a tissue still hold on to each other.
//!
//! In a tissue at rest the adhesion of contact stands for junctions. A cell whose *grip*, the input `junctions.grip`, has fallen below
//! `loosened_below` no longer keeps its place by it; as long as it has `least_grip` left it forms bonds of the kind
//! `junctions.adherens` with touching cells of its sort, so that hybrid cells leave in strands and mesenchymal ones alone (Jolly et
//! al. 2015, Front Oncol 5:155). A bond is held from both ends. Each end lets go at the rate
//!
//! `k g^-2 exp(F / (F_0 g))`, with its own grip `g` and the tension `F`,
//!
//! a slip bond (Bell 1978, Science 200:618) whose strength is that of the cadherins left, and at once without grip.
//!
//! A living cell that was held, by contact or bond, and is so no more has *detached*, which is an event.
//!
//! [`hold_on`] runs among the decisions of `Act`; bonds are booked there and settled in `Move`. Grips are followed in every step, bonds
//! made and left every six minutes.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::bonds::{
    BondKind, BondLaw, BondParameters, BondsInTransit, DaughterRule, RegisterBonds,
};
use crate::cell::death::is_alive;
use crate::cell::event::{EventBook, EventKind, EventKinds, Passage, RegisterEvent, StepEvents};
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::movement::SiteMechanics;
use crate::cell::turnover::TurnoverSystems;
use crate::cell::{ActSystems, CellType, Position, Resident, Surroundings, Vital, order_act};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Contradiction, Limits, Parameters, PerType, RegisterParameters};
use crate::core::state::RegisterState;
use crate::core::{CellId, Clock, Purpose, RegisterPurpose, SimSchedule, SimSystems};
use crate::tissue::{SiteId, Sites};

mod known;
mod picture;
mod strands;

pub use strands::make_and_leave;

/// How cells of a type hold on to each other (capability `junctions`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct JunctionParameters {
    /// E-cadherin for junctions, over that of an epithelial cell, without any rule; 1.
    pub grip: f32,
    /// Grip below which a cell no longer keeps its place in a tissue, but bonds to others of its sort; 0.9. Assumed.
    pub loosened_below: f32,
    /// Grip below which it holds no bond; 0.1: that of a mesenchymal cell. Assumed.
    pub least_grip: f32,
    /// Bonds that a cell has at most, 1-12; 4. Assumed: a strand is two to three cells wide.
    pub most: u32,
    /// Rate at which touching cells form a bond, 1/h; 6: in ten minutes. Assumed.
    pub forming_per_hour: f32,
    /// Rate at which an end of full grip and without load lets go, `k`, 1/h; 0.002: two hybrid cells (grip 0.4) hold on to each other for
    /// a day and a half if nothing pulls. Assumed.
    pub leaving_per_hour: f32,
    /// Tension by which the rate rises e-fold at full grip, `F_0`, um/min; 1: some times the pull of a walking cell. Assumed.
    pub load_scale_um_per_min: f32,
}

impl Default for JunctionParameters {
    fn default() -> Self {
        Self {
            grip: 1.0,
            loosened_below: 0.9,
            least_grip: 0.1,
            most: 4,
            forming_per_hour: 6.0,
            leaving_per_hour: 0.002,
            load_scale_um_per_min: 1.0,
        }
    }
}

impl Parameters for JunctionParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "grip" | "loosened_below" | "least_grip" => Limits {
                min: 0.0,
                max: 10.0,
            },
            "most" => Limits {
                min: 1.0,
                max: 12.0,
            },
            "load_scale_um_per_min" => Limits {
                min: 1.0e-3,
                max: 1.0e3,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e3,
            },
        }
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        let (least, below) = (self.least_grip, self.loosened_below);
        if least <= below {
            return Vec::new();
        }
        vec![Contradiction {
            field: "least_grip",
            other: "loosened_below",
            message: format!("must not be above `loosened_below` ({below}), found {least}"),
        }]
    }
}

impl JunctionParameters {
    /// Rate at which an end of that grip lets go under that tension (um/min), 1/h.
    pub fn leaving_per_hour(&self, grip: f32, load_um_per_min: f32) -> f32 {
        if grip < self.least_grip || grip <= 0.0 {
            return f32::INFINITY;
        }
        let pull = load_um_per_min.max(0.0) / (self.load_scale_um_per_min * grip);
        self.leaving_per_hour / (grip * grip) * bevy::math::ops::exp(pull.min(60.0))
    }
}

/// How bonds of the kind act (group `junctions.adherens`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct AdherensParameters {
    /// Stiffness, 1/min; 0.1. Assumed: stretched by a cell's radius it pulls with 0.8 um/min, harder than a cell walks.
    pub stiffness_per_min: f32,
    /// Tension at which a bond tears at once, um/min; 3. Assumed.
    pub strength_um_per_min: f32,
}

impl Default for AdherensParameters {
    fn default() -> Self {
        Self {
            stiffness_per_min: 0.1,
            strength_um_per_min: 3.0,
        }
    }
}

impl Parameters for AdherensParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "stiffness_per_min" => Limits { min: 0.0, max: 1.0 },
            _ => Limits {
                min: 1.0e-3,
                max: 1.0e3,
            },
        }
    }
}

impl BondParameters for AdherensParameters {
    fn law(&self) -> BondLaw {
        BondLaw {
            stiffness_per_min: self.stiffness_per_min,
            rest_um: None,
            strength_um_per_min: self.strength_um_per_min,
            // The ends let go by themselves, see `strands`.
            off_per_hour: 0.0,
            load_scale_um_per_min: 0.0,
        }
    }
}

/// The kind of bond.
pub const ADHERENS: BondKind = BondKind {
    name: "junctions.adherens",
    about: "Junctions of E-cadherin between cells that have loosened.",
    daughters: DaughterRule::Nearer,
    outlives_death: false,
};

/// How a cell holds on.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Junctions {
    /// Its grip in this step.
    pub grip: f32,
    /// Whether it holds on to other cells.
    pub hold: Hold,
}

/// Whether a cell holds on to other cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Reflect)]
#[repr(u8)]
pub enum Hold {
    /// It never did.
    #[default]
    Single,
    /// It touches others.
    Touching,
    /// It is bonded to others.
    Bonded,
    /// It did, and does no more.
    Detached,
}

impl Hold {
    const fn is_held(self) -> bool {
        matches!(self, Self::Touching | Self::Bonded)
    }
}

/// A cell lost hold of all others.
pub const DETACHES: EventKind = EventKind::of("junctions.detaches");

/// The input that is the grip.
const GRIP: &str = "junctions.grip";

/// Whether bonds form and are left.
const CHANCES: Purpose = Purpose::of("junctions.chances");

/// Distance of two centres, over that of contact, up to which cells form a bond: their membranes touch, or nearly. A cell counts as held
/// by contact farther, as far as adhesion reaches.
const TOUCH: f32 = 1.1;

/// How often bonds are made and left, min.
const EVERY_MINUTES: f64 = 6.0;

fn is_due(clock: Res<Clock>) -> bool {
    clock.is_turn(EVERY_MINUTES)
}

/// Living cells follow their grip, and it is told which have lost hold of all others.
pub fn hold_on(
    sites: Res<Sites>,
    parameters: Res<PerType<JunctionParameters>>,
    inputs: Regulated,
    events: Res<EventBook>,
    mechanics: Query<&SiteMechanics>,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        &Surroundings,
        Option<&Vital>,
        &mut Junctions,
    )>,
) {
    let parameters = &*parameters;
    let bound: Vec<Option<&SiteMechanics>> = sites
        .list
        .iter()
        .map(|site| {
            let mechanics = mechanics.get(site.entity).ok()?;
            (!mechanics.bonds.is_empty()).then_some(mechanics)
        })
        .collect();
    let grip = inputs.input(GRIP);
    for (entities, ids, types, residents, positions, around, vitals, mut junctions) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let grip = grip.in_table(entities);
        for_each_row_mut(junctions.bypass_change_detection(), |row, junction| {
            let cell_type = types[row].0;
            let site = residents[row].0;
            let alive = is_alive(vitals.map(|vitals| &vitals[row]));
            if !alive || site.is_transit() || parameters.get(cell_type).is_none() {
                return;
            }
            junction.grip = grip.at(row, cell_type);
            let bonds = bound.get(usize::from(site.0)).copied().flatten();
            let now = if bonds.is_some_and(|mechanics| mechanics.bonds.binds(ids[row])) {
                Hold::Bonded
            } else if around[row].contacts > 0 {
                Hold::Touching
            } else if junction.hold == Hold::Single {
                Hold::Single
            } else {
                Hold::Detached
            };
            if now == Hold::Detached && junction.hold.is_held() {
                events.book(DETACHES, ids[row], site, positions[row].0);
            }
            junction.hold = now;
        });
    }
}

/// A cell that leaves its site without those it held on to loses hold of them there, before it comes anywhere else.
pub fn let_go_of_the_left(
    happened: Res<StepEvents>,
    kinds: Res<EventKinds>,
    on_the_way: Res<BondsInTransit>,
    events: Res<EventBook>,
    mechanics: Query<&SiteMechanics>,
    mut cells: Query<(&CellId, &mut Junctions, Option<&Vital>)>,
    mut left: Local<Vec<(CellId, SiteId, Vec3)>>,
) {
    left.clear();
    left.extend(happened.0.iter().filter_map(|event| {
        let leaves = kinds.passage(event.kind) == Some(Passage::Departure);
        leaves.then_some((event.cell, event.site, event.position_um))
    }));
    if left.is_empty() {
        return;
    }
    left.sort_unstable_by_key(|(cell, ..)| *cell);
    for (id, mut junction, vital) in &mut cells {
        let Ok(at) = left.binary_search_by_key(id, |(cell, ..)| *cell) else {
            continue;
        };
        let is_bound = on_the_way.0.binds(*id) || mechanics.iter().any(|of| of.bonds.binds(*id));
        if is_bound || !junction.hold.is_held() {
            continue;
        }
        junction.hold = Hold::Detached;
        if is_alive(vital) {
            let (_, site, at_um) = left[at];
            events.book(DETACHES, *id, site, at_um);
        }
    }
}

/// Junctions.
pub struct JunctionsPlugin;

impl Plugin for JunctionsPlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        app.register_bond::<AdherensParameters>(ADHERENS)
            .register_capability::<JunctionParameters>("junctions")
            .register_cell_state::<Junctions>("junctions")
            .register_purpose(CHANCES)
            .register_event(DETACHES, "A living cell lost hold of all others.")
            .register_input::<JunctionParameters>(
                InputInfo::new(
                    GRIP,
                    "",
                    "E-cadherin for junctions, over that of an epithelial cell.",
                ),
                "grip",
            )
            .begin_cells(|place| {
                let grip = place.parameters::<JunctionParameters>()?.grip;
                Some(Beginning::settled(Junctions {
                    grip,
                    hold: Hold::Single,
                }))
            })
            .register_cell_invariant::<Junctions>(SimSystems::Act, "hold_on", |junctions| {
                outside("its grip", junctions.grip, 0.0, 10.0)
            })
            .while_in_transit(
                hold_on,
                InTransit::Pauses,
                "there is nobody to hold on to but those that travel along, whose bonds are kept",
            )
            .while_in_transit(
                make_and_leave,
                InTransit::Pauses,
                "cells in transit are in no site, and keep the bonds they have",
            )
            .while_in_transit(
                let_go_of_the_left,
                InTransit::Runs,
                "it is about cells that have just left their site",
            )
            .add_systems(
                SimSchedule,
                (
                    (hold_on, make_and_leave.run_if(is_due))
                        .chain()
                        .in_set(ActSystems::Walk),
                    let_go_of_the_left
                        .in_set(TurnoverSystems::Tell)
                        .in_set(SimSystems::Turnover),
                ),
            );
        known::register(app);
        picture::register(app);
    }
}

#[cfg(test)]
mod tests;
