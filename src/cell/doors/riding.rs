//! Cells that are in a vessel of their site: arrested in it, or on patrol along its wall.
//!
//! What flows freely with the blood is through a site in seconds and is in transit. What stays is a cell of the site whose place is on the
//! centre line of a vessel: it crawls along it, by default with the flow, and leaves the site where the vessel does. A cell that comes to be
//! where there is no vessel any more is in the tissue again.

use std::cmp::Ordering;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Followed, Ways};
use crate::cell::event::{EventKind, Passage, RegisterEvent};
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::movement::move_cells;
use crate::cell::turnover::{Departure, Passages};
use crate::cell::{Body, CellType, Position, Resident};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::inbox::Inbox;
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parallel::IN_TABLES;
use crate::core::parameters::{Limits, Parameters, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::random::RegisterPurpose;
use crate::core::state::RegisterState;
use crate::core::{CellId, Clock, Purpose, RandomKey, SimSchedule, SimSystems};
use crate::tissue::Sites;

/// A cell that was in a vessel leaves its site with the blood.
pub const CARRIED_OFF: EventKind = EventKind::of("carried_off");

/// Which way a cell goes at a fork.
const FORK: Purpose = Purpose::of("cell.doors.fork");

/// The input that is the speed.
const CRAWL: &str = "in_vessels.crawl";

/// How a cell behaves in a vessel of its site (capability `in_vessels`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct InVesselParameters {
    /// Speed along the vessel, um/min; with the flow, against it where negative, 0 for a cell that is stuck. 12: monocytes on patrol
    /// (Auffray 2007) [M].
    pub crawl_um_per_min: f32,
}

impl Default for InVesselParameters {
    fn default() -> Self {
        Self {
            crawl_um_per_min: 12.0,
        }
    }
}

impl Parameters for InVesselParameters {
    fn limits(_: &str) -> Limits {
        Limits {
            min: -1.0e5,
            max: 1.0e5,
        }
    }
}

/// Where in a vessel of its site a cell is, on the centre line, um; `None` while it is in the tissue.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct InVessel(pub Option<Vec3>);

impl InVessel {
    /// Whether it is in a vessel.
    pub const fn is_inside(self) -> bool {
        self.0.is_some()
    }
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Call {
    cell: CellId,
    /// Where it goes in, um; none for one that goes out.
    into: Option<Vec3>,
}

impl Call {
    fn order(&self, other: &Self) -> Ordering {
        let key = |of: &Self| {
            let place = of.into.map(|at| at.to_array().map(f32::to_bits));
            (of.cell, place)
        };
        key(self).cmp(&key(other))
    }
}

/// Where systems ask, from any thread and in any order, in any stage before `Move`, that cells go into vessels and out of them. Of several
/// requests of one cell one counts: to go out, if that is among them.
#[derive(Resource, Debug, Default)]
pub struct VesselCalls {
    inbox: Inbox<Vec<Call>>,
    taken: Vec<Call>,
}

impl VesselCalls {
    /// Asks that a cell with the capability `in_vessels` go into the vessel at a place, um: the [`lumen`](super::Door::lumen_um) of a door.
    pub fn enter(&self, cell: CellId, at_um: Vec3) {
        let into = Some(at_um);
        self.inbox.add(|calls| calls.push(Call { cell, into }));
    }

    /// Asks that a cell in a vessel go into the tissue beside it.
    pub fn leave(&self, cell: CellId) {
        let into = None;
        self.inbox.add(|calls| calls.push(Call { cell, into }));
    }

    /// Puts what was asked for in order.
    fn take(&mut self) {
        self.taken.clear();
        std::mem::swap(self.inbox.taken(), &mut self.taken);
        self.taken.sort_unstable_by(Call::order);
        self.taken.dedup_by_key(|call| call.cell);
    }

    /// What a cell asked for.
    fn of(&self, cell: CellId) -> Option<Call> {
        let place = self.taken.binary_search_by_key(&cell, |call| call.cell);
        place.ok().map(|place| self.taken[place])
    }
}

/// Moves the cells that are in vessels, and those that go in or out.
pub fn ride(
    clock: Res<Clock>,
    key: Res<RandomKey>,
    inputs: Regulated,
    ways: Ways,
    sites: Res<Sites>,
    passages: Res<Passages>,
    mut calls: ResMut<VesselCalls>,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Body,
        &mut Position,
        &mut InVessel,
    )>,
) {
    calls.take();
    let crawl = inputs.input(CRAWL);
    for (entities, ids, types, residents, bodies, mut positions, mut vessels) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let crawl = crawl.in_table(entities);
        let positions = positions.bypass_change_detection();
        let vessels = vessels.bypass_change_detection();
        for row in 0..ids.len() {
            let (cell, vessel) = (ids[row], &mut vessels[row]);
            let call = calls.of(cell);
            if call.is_none() && !vessel.is_inside() {
                continue;
            }
            let (Some(ways), Some(site)) =
                (ways.of(residents[row].0), sites.find(residents[row].0))
            else {
                *vessel = InVessel(None);
                continue;
            };
            if let Some(into @ Some(_)) = call.map(|call| call.into) {
                *vessel = InVessel(into);
            }
            let Some(from_um) = vessel.0 else { continue };
            let block = &site.block;
            let inside = |at_um: Vec3| block.nearest_inside(at_um);
            if call.is_some_and(|call| call.into.is_none()) {
                let door = ways.nearest(from_um, f32::INFINITY);
                let beside = door.map_or(from_um, |door| door.outside_um(bodies[row].radius_um));
                positions[row].0 = inside(beside);
                *vessel = InVessel(None);
                continue;
            }
            let by_um = crawl.at(row, types[row].0) * clock.dt_minutes();
            let dice = key.stream(cell, clock.step, FORK).uniform();
            match ways.follow(from_um, by_um, dice) {
                Followed::To(at_um) => {
                    positions[row].0 = inside(at_um);
                    *vessel = InVessel(Some(at_um));
                }
                Followed::Out(at_um) => {
                    positions[row].0 = inside(at_um);
                    *vessel = InVessel(None);
                    passages.depart(Departure::of(cell, entities[row], CARRIED_OFF));
                }
                Followed::Nowhere => *vessel = InVessel(None),
            }
        }
    }
}

/// Registers what cells in vessels are.
pub(super) fn register(app: &mut App) {
    app.init_resource::<VesselCalls>()
        .init_resource::<Passages>()
        .declare_remade::<VesselCalls>("emptied in every `Move`")
        .register_capability::<InVesselParameters>("in_vessels")
        .register_cell_state::<InVessel>("in_vessel")
        .register_purpose(FORK)
        .register_passage(
            CARRIED_OFF,
            Passage::Departure,
            "A cell that was in a vessel leaves the site with the blood.",
        )
        .register_input::<InVesselParameters>(
            InputInfo::new(
                CRAWL,
                "um/min",
                "Speed along a vessel in which the cell is; with the flow, against it where negative.",
            ),
            "crawl_um_per_min",
        )
        .register_quantity::<InVessel>(
            Quantity::new("in_vessels.inside", "", "1 for a cell that is in a vessel, 0 for one in the tissue.")
                .label("in a vessel")
                .no_column(),
            |vessel| f32::from(u8::from(vessel.is_inside())),
        )
        .register_metric(
            Metric::new(
                "share_in_vessels",
                "",
                "Share that is in vessels of the site, of living cells that can be.",
            ),
            Measure::Mean("in_vessels.inside".into()),
        )
        .begin_cells(|place| {
            place.parameters::<InVesselParameters>()?;
            Some(Beginning::settled(InVessel::default()))
        })
        .divide_cells(|cell, division| {
            // Of two cells one stays in the vessel; the other one is in the tissue beside it.
            if division.side > 0.0
                && let Some(mut vessel) = cell.get_mut::<InVessel>()
            {
                *vessel = InVessel(None);
            }
        })
        .while_in_transit(
            ride,
            InTransit::Pauses,
            "no vessel of a site holds it, and the time in the blood is not told here",
        )
        .add_systems(
            SimSchedule,
            ride.in_set(SimSystems::Move).after(move_cells),
        );
}
