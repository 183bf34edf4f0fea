//! Bodies live through the step: they grow, shrink or swell as was decided.
//!
//! Which of the volume equations of [`super::body`] holds for a cell follows from its phase ([`super::cycle`]) and from
//! whether it lives ([`super::death`]): a living cell makes matter for one or, once it copies its DNA, for two; a dying one
//! loses or takes up water. [`grow_bodies`] runs last in `Act`.

use bevy::prelude::*;

use super::body::{Body, BodyParameters, CellType, VolumeStep, VolumeTargets};
use super::cycle::{Cycle, Phase};
use super::death::{DeathParameters, State, Vital};
use super::{ActSystems, order_act};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::PerType;
use crate::core::{Clock, SimSchedule};

/// Growth of bodies.
pub struct GrowthPlugin;

impl Plugin for GrowthPlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        app.while_in_transit(grow_bodies, InTransit::Runs, "bodies need no place")
            .add_systems(SimSchedule, grow_bodies.in_set(ActSystems::Grow));
    }
}

/// Where [`grow_bodies`] finds the solution for a cell: one column for each way of living.
const WAYS: usize = 5;

const fn way_of(cycle: Option<&Cycle>, vital: Option<&Vital>) -> usize {
    match vital {
        Some(vital) => match vital.state {
            State::Alive => living_way(cycle),
            State::Apoptotic => 2,
            State::NecroticSwelling => 3,
            State::NecroticLysed => 4,
        },
        None => living_way(cycle),
    }
}

const fn living_way(cycle: Option<&Cycle>) -> usize {
    match cycle {
        Some(cycle) => !matches!(cycle.phase, Phase::G0G1) as usize,
        None => 0,
    }
}

fn solve_ways(
    body: &BodyParameters,
    death: Option<&DeathParameters>,
    hours: f32,
) -> [VolumeStep; WAYS] {
    let resting = VolumeStep::new(body.growth, body.living(false), hours);
    let doubling = VolumeStep::new(body.growth, body.living(true), hours);
    let Some(death) = death else {
        return [resting, doubling, resting, resting, resting];
    };
    let dead = |rates, fluid_fraction| {
        let targets = VolumeTargets {
            fluid_fraction,
            nuclear_solid_um3: 0.0,
            cytoplasmic_solid_um3: 0.0,
        };
        VolumeStep::new(rates, targets, hours)
    };
    [
        resting,
        doubling,
        dead(death.apoptotic, 0.0),
        dead(death.swelling, 1.0),
        dead(death.lysed, 0.0),
    ]
}

/// Lets every body live through the step: growth, shrinking, swelling.
pub fn grow_bodies(
    clock: Res<Clock>,
    bodies: Res<PerType<BodyParameters>>,
    deaths: Option<Res<PerType<DeathParameters>>>,
    mut solved: Local<(f32, Vec<Option<[VolumeStep; WAYS]>>)>,
    mut cells: Query<(&CellType, &mut Body, Option<&Cycle>, Option<&Vital>)>,
) {
    let hours = clock.dt_hours();
    let (solved_hours, solved) = &mut *solved;
    let is_new = bodies.is_changed() || deaths.as_ref().is_some_and(|deaths| deaths.is_changed());
    if is_new || *solved_hours != hours || solved.len() != bodies.0.len() {
        *solved_hours = hours;
        solved.clear();
        solved.extend(bodies.0.iter().enumerate().map(|(index, body)| {
            let death = deaths.as_ref().and_then(|deaths| deaths.get(index as u16));
            body.as_ref().map(|body| solve_ways(body, death, hours))
        }));
    }
    let solved = &*solved;
    for (types, mut bodies, cycles, vitals) in cells.contiguous_iter_mut().expect(IN_TABLES) {
        for_each_row_mut(bodies.bypass_change_detection(), |row, body| {
            if let Some(Some(ways)) = solved.get(usize::from(types[row].0)) {
                let cycle = cycles.map(|cycles| &cycles[row]);
                let vital = vitals.map(|vitals| &vitals[row]);
                ways[way_of(cycle, vital)].apply(body);
            }
        });
    }
}
