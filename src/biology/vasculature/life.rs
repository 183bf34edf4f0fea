//! What becomes of vessels: they are pressed together, widen and shrink, are covered by pericytes, leak, and are taken back.
//!
//! - What presses on a segment ([`measure_stress`]) is what cells press on each other around it, by their volume, and what rules on
//!   `vessel.compression` make of it, such as dense matrix. Its radius is that at rest times `1/(1 + (stress/half)^n)`.
//! - Its radius at rest follows shear, pressure and the flow of red cells: [`VesselParameters::stimulus`]. Vessels that a scene places are at rest by then
//!   ([`settle`]), and every vessel holds to the width that it had at first: `dr/dt = k r (S - k_s - k_w lg(r/r_0))`. Between two held pressures shear grows
//!   with the radius, and without that it would widen or narrow without end.
//! - Pericytes cover it at the rate `vessel.maturation`, and leave it at `vessel.pericyte_loss`: `dm/dt = a (1 - m) - b m`.
//! - Its wall leaks as rules on `vessel.permeability` say, VEGF-A in the first place, and leukocytes hold on to it as rules on
//!   `vessel.adhesion` say.
//! - One that has sprouted dies back with the hazard `vessel.regression (1 - c m)` even where blood flows in it: [`regress`].
//! - Where shear is too low 80 um of it are taken back with the hazard `vessel.pruning (1 - m)`: [`prune`].
//!
//! [`measure_stress`] runs in `Perceive`, [`live`] in `Transport` before the fields are solved; both every `vessels.every_min`.

use bevy::prelude::*;

use super::VesselParameters;
use super::flow::{FlowWork, residual};
use super::network::{Network, Segment, SegmentId, Sprouts, VesselKind, blocks};
use super::{ADHESION, COMPRESSION, MATURATION, PERICYTE_LOSS, PERMEABILITY, PRUNING, REGRESSION};
use crate::cell::contact::CONFLUENT_SHARE;
use crate::cell::death::is_alive;
use crate::cell::{Body, Position, Resident, Surroundings, Vital};
use crate::core::input::{Inputs, Regulated};
use crate::core::invariant::Breach;
use crate::core::parallel::{IN_TABLES, for_each_row};
use crate::core::random::{Purpose, RandomKey, probability};
use crate::core::{CellId, Clock, SimSystems};
use crate::tissue::exchange::VolumeBook;
use crate::tissue::{SiteId, Sites, TissueBlock};

/// Which segments are taken back.
pub const PRUNED: Purpose = Purpose::of("vasculature.pruning");

/// Which new segments die back.
pub const REGRESSED: Purpose = Purpose::of("vasculature.regression");

/// Length of vessel of which it is said how often it dies back, um: about that between two forks.
pub const FORK_UM: f32 = 200.0;

/// Length of vessel of which it is said how often it is taken back, um: that of the segments of the mesh to which the hazard is calibrated. Longer segments
/// count as one.
pub const SLACK_UM: f32 = 80.0;

/// Most segments that are taken back one after the other at one time.
const MOST_PRUNED: usize = 64;

/// Rounds of flow and red cells in a network that is new.
const SETTLING: usize = 12;

/// What cells press on the segments of a site; measured where it is used.
#[derive(Component, Debug)]
pub struct SolidStress {
    /// Pressure times volume of the cells in each voxel, over that of the voxel.
    booked: VolumeBook,
    /// Of each segment, mmHg.
    pub of_segments: Vec<f32>,
}

impl SolidStress {
    /// None yet.
    pub fn new(block: &TissueBlock) -> Self {
        Self {
            booked: VolumeBook::new(block.voxels(), block.voxel_volume_um3()),
            of_segments: Vec::new(),
        }
    }

    /// The mean along each segment, over the voxels that it crosses and those as far around them as cells press.
    fn follow(&mut self, network: &Network, parameters: &VesselParameters) {
        let block = network.block();
        let dims = block.dims.as_ivec3();
        let reach = (parameters.press_reach_um / block.voxel_um)
            .round()
            .as_ivec3()
            .min(dims);
        let booked = &self.booked;
        let around = |voxel: u32| {
            let (nx, ny) = (block.dims.x, block.dims.y);
            let at = UVec3::new(voxel % nx, voxel / nx % ny, voxel / (nx * ny)).as_ivec3();
            let (low, high) = (
                (at - reach).max(IVec3::ZERO),
                (at + reach).min(dims - IVec3::ONE),
            );
            let (mut sum, mut count) = (0.0, 0.0);
            for z in low.z..=high.z {
                for y in low.y..=high.y {
                    for x in low.x..=high.x {
                        sum += booked.share((x + dims.x * (y + dims.y * z)) as usize);
                        count += 1.0;
                    }
                }
            }
            sum / count
        };
        self.of_segments.clear();
        for segment in 0..network.segments().len() {
            let mean = network.mean_along(segment, around).unwrap_or(0.0);
            self.of_segments.push(mean * parameters.solid_stress_mmhg);
        }
    }
}

/// Whether it is time, and the step is one in which what is slow is worked out.
pub(super) fn is_due(clock: Res<Clock>, parameters: Res<VesselParameters>) -> bool {
    clock.is_turn(f64::from(parameters.every_min))
}

/// Cells press on the vessels around them.
pub fn measure_stress(
    parameters: Res<VesselParameters>,
    sites: Res<Sites>,
    mut networks: Query<(&Network, &mut SolidStress)>,
    cells: Query<(
        &CellId,
        &Resident,
        &Position,
        &Body,
        &Surroundings,
        Option<&Vital>,
    )>,
) {
    for (_, mut stress) in &mut networks {
        stress.booked.clear();
    }
    let books: Vec<Option<(&VolumeBook, &TissueBlock)>> = sites
        .list
        .iter()
        .map(|site| {
            let (_, stress) = networks.get(site.entity).ok()?;
            Some((&stress.booked, &site.block))
        })
        .collect();
    if books.iter().all(Option::is_none) {
        return;
    }
    for (ids, residents, positions, bodies, surroundings, vitals) in
        cells.contiguous_iter().expect(IN_TABLES)
    {
        for_each_row(ids.len(), |row| {
            let book = books.get(usize::from(residents[row].0.0));
            let Some(Some((book, block))) = book else {
                return;
            };
            let around = &surroundings[row];
            if around.pressure > 0.0 && is_alive(vitals.map(|vitals| &vitals[row])) {
                // Of the tissue that it makes up, so that cells side by side fill all of a voxel.
                let volume = around.pressed_um3(bodies[row].volume_um3() / CONFLUENT_SHARE);
                book.add(block.voxel_at(positions[row].0), around.pressure * volume);
            }
        });
    }
    drop(books);
    for (network, mut stress) in &mut networks {
        stress.follow(network, &parameters);
    }
}

/// Vessels are pressed, fed and taken back, and blood flows in what is left.
pub fn live(
    clock: Res<Clock>,
    parameters: Res<VesselParameters>,
    key: Res<RandomKey>,
    inputs: Res<Inputs>,
    regulated: Regulated,
    mut networks: Query<(Entity, &SiteId, &mut Network, &mut FlowWork)>,
) {
    for (entity, site, mut network, mut work) in &mut networks {
        let input = |name: &str| regulated.of_elements(&inputs, name, entity);
        let network = &mut *network;
        let is_new = network.lived_until().is_none();
        let steps = clock.step - network.lived_until().unwrap_or(clock.step);
        let minutes = (steps as f64 * clock.step_minutes) as f32;
        network.live_until(clock.step);
        let of = |values: Option<&[f32]>, at: usize| values?.get(at).copied();
        let (permeability, adhesion) = (input(PERMEABILITY), input(ADHESION));
        let compression = input(COMPRESSION);
        let (maturation, loss) = (input(MATURATION), input(PERICYTE_LOSS));
        let (regression, pruning) = (input(REGRESSION), input(PRUNING));
        let days = minutes / (24.0 * 60.0);
        for (at, segment) in network.segments_mut().iter_mut().enumerate() {
            if let Some(permeability) = of(permeability, at) {
                segment.permeability = permeability;
            }
            if let Some(adhesion) = of(adhesion, at) {
                segment.adhesion = adhesion;
            }
            if let Some(compression) = of(compression, at) {
                segment.compression_mmhg = compression;
            }
            if let (Some(gain), Some(loss)) = (of(maturation, at), of(loss, at)) {
                // The smooth muscle of arteries and veins does not leave them as pericytes do.
                let leaves = segment.kind == VesselKind::Capillary;
                let loss = if leaves { loss } else { 0.0 };
                segment.maturity = covered(segment.maturity, gain, loss, days);
            }
        }
        adapt(network, &parameters, days);
        press(network, &parameters);
        for _ in 0..if is_new { SETTLING } else { 1 } {
            work.circulate(network, &parameters);
        }
        if minutes > 0.0 {
            // What rules say of the segments that there were when they were asked.
            let going: Vec<(SegmentId, f32)> = network
                .segments()
                .iter()
                .enumerate()
                .filter(|(_, segment)| segment.sprout != Sprouts::NONE)
                .map(|(at, segment)| {
                    let per_day = of(regression, at).unwrap_or(0.0);
                    let share = segment.length_um / FORK_UM;
                    let spared = parameters.cover_spares * segment.maturity;
                    (segment.id, per_day * share * (1.0 - spared))
                })
                .collect();
            let hazards: Vec<(SegmentId, f32)> = network
                .segments()
                .iter()
                .enumerate()
                .map(|(at, segment)| {
                    let per_hour = of(pruning, at).unwrap_or(0.0);
                    (segment.id, per_hour * (1.0 - segment.maturity))
                })
                .collect();
            let draw = Draw {
                key: *key,
                site: *site,
                step: clock.step,
                hours: minutes / 60.0,
            };
            regress(network, &mut work, &parameters, &going, draw);
            prune(network, &mut work, &parameters, &hazards, draw);
        }
    }
}

/// Cover by pericytes after a time, exactly: `dm/dt = gain (1 - m) - loss m`.
pub fn covered(maturity: f32, gain_per_day: f32, loss_per_day: f32, days: f32) -> f32 {
    let sum = gain_per_day + loss_per_day;
    if sum <= 0.0 {
        return maturity;
    }
    let settles_at = gain_per_day / sum;
    maturity + (settles_at - maturity) * probability(sum, days)
}

/// What a segment is told to widen by.
fn stimulus_of(segment: &Segment, [from, to]: [f64; 2], parameters: &VesselParameters) -> f32 {
    let cells = segment.flow_um3_per_min.abs() * f64::from(segment.haematocrit);
    let pressure = (0.5 * (from + to)) as f32;
    parameters.stimulus(segment.shear_pa, pressure, cells as f32)
}

/// Vessels that a scene places are taken to be at rest as they are.
pub fn settle(network: &mut Network, parameters: &VesselParameters) {
    let (nodes, segments, ends) = network.parts_mut();
    for (segment, ends) in segments.iter_mut().zip(ends) {
        let pressures = ends.map(|node| nodes[node as usize].pressure_mmhg);
        segment.own_tendency = segment
            .perfused
            .then(|| stimulus_of(segment, pressures, parameters));
    }
}

/// Radii at rest follow what flows.
pub fn adapt(network: &mut Network, parameters: &VesselParameters, days: f32) {
    if days <= 0.0 || parameters.remodelling_per_day <= 0.0 {
        return;
    }
    let (nodes, segments, ends) = network.parts_mut();
    for (segment, ends) in segments.iter_mut().zip(ends) {
        // One through which nothing flows is taken back, not remodelled.
        if !segment.perfused {
            continue;
        }
        let pressures = ends.map(|node| nodes[node as usize].pressure_mmhg);
        let tendency = segment
            .own_tendency
            .unwrap_or(parameters.shrinking_tendency);
        let wider = segment.rest_radius_um / segment.first_radius_um;
        let stimulus = stimulus_of(segment, pressures, parameters)
            - tendency
            - parameters.holds_width * bevy::math::ops::log10(wider);
        let rate = parameters.remodelling_per_day * stimulus.clamp(-1.0, 1.0);
        let (least, most) = (parameters.least_radius_um, parameters.most_radius_um);
        // What was placed outside of these stays where it is, rather than jump.
        let (least, most) = (
            least.min(segment.rest_radius_um),
            most.max(segment.rest_radius_um),
        );
        let grown = segment.rest_radius_um * bevy::math::ops::exp(rate * days);
        segment.rest_radius_um = grown.clamp(least, most);
    }
}

/// Lumens are as wide as what presses on them lets them.
pub fn press(network: &mut Network, parameters: &VesselParameters) {
    for segment in network.segments_mut() {
        let open = parameters.openness(segment.compression_mmhg, segment.maturity);
        segment.radius_um = segment.open_radius_um(open);
    }
}

/// What random numbers of one time are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// Seed of the run.
    pub key: RandomKey,
    /// The site.
    pub site: SiteId,
    /// The step.
    pub step: u64,
    /// The time that has gone by, h.
    pub hours: f32,
}

/// Lets vessels die back with a hazard for each, 1/d, whatever flows in them. Returns how many did.
pub fn regress(
    network: &mut Network,
    work: &mut FlowWork,
    parameters: &VesselParameters,
    hazards: &[(SegmentId, f32)],
    draw: Draw,
) -> usize {
    let mut going: Vec<SegmentId> = Vec::new();
    for (id, per_day) in hazards {
        if *per_day <= 0.0 {
            continue;
        }
        let who = CellId(u64::from(draw.site.0) << 32 | u64::from(id.0));
        let mut random = draw.key.stream(who, draw.step, REGRESSED);
        if random.chance(probability(*per_day, draw.hours / 24.0)) {
            going.push(*id);
        }
    }
    if !going.is_empty() {
        network.change(|growth| {
            for id in &going {
                // It is there: hazards are of segments that are.
                let _ = growth.remove_segment(*id);
            }
        });
        network.count_pruned(going.len() as u64);
        work.circulate(network, parameters);
    }
    going.len()
}

/// Takes vessels back in which blood hardly moves, with a hazard for [`SLACK_UM`] of each, 1/h: one of a loop at a time, with the flow worked out
/// anew in between, for what flows in the rest changes. Segments between two ports stay. Returns how many went.
pub fn prune(
    network: &mut Network,
    work: &mut FlowWork,
    parameters: &VesselParameters,
    hazards: &[(SegmentId, f32)],
    draw: Draw,
) -> usize {
    let mut drawn: Vec<SegmentId> = Vec::new();
    for (id, per_hour) in hazards {
        let Some(at) = network.segment_index(*id) else {
            continue;
        };
        if *per_hour <= 0.0 || !is_slack(network, at, parameters) {
            continue;
        }
        let who = CellId(u64::from(draw.site.0) << 32 | u64::from(id.0));
        let mut random = draw.key.stream(who, draw.step, PRUNED);
        // A vessel in many short pieces lasts as long as in one.
        let share = (network.segments()[at].length_um / SLACK_UM).min(1.0);
        if random.chance(probability(*per_hour * share, draw.hours)) {
            drawn.push(*id);
        }
    }
    let mut gone = 0;
    while gone < MOST_PRUNED && !drawn.is_empty() {
        // One of each part of the network that hangs together by loops; the others are looked at again when it is gone.
        let loops = blocks(network);
        let mut taken: Vec<u32> = Vec::new();
        let mut going: Vec<SegmentId> = Vec::new();
        drawn.retain(|id| {
            let Some(at) = network.segment_index(*id) else {
                return false;
            };
            if !is_slack(network, at, parameters) {
                return false;
            }
            if taken.contains(&loops[at]) || gone + going.len() >= MOST_PRUNED {
                return true;
            }
            taken.push(loops[at]);
            going.push(*id);
            false
        });
        if going.is_empty() {
            break;
        }
        gone += going.len();
        network.change(|growth| {
            for id in &going {
                // It is there: it was found above.
                let _ = growth.remove_segment(*id);
            }
        });
        network.count_pruned(going.len() as u64);
        work.circulate(network, parameters);
    }
    gone
}

/// Whether blood moves too little in a segment for it to stay.
fn is_slack(network: &Network, segment: usize, parameters: &VesselParameters) -> bool {
    let of = &network.segments()[segment];
    let is_port = |node: u32| network.nodes()[node as usize].port.is_some();
    of.shear_pa < parameters.pruned_below_pa && !network.ends()[segment].into_iter().all(is_port)
}

/// Lets blood flow in the vessels of a site that is set up, so that it does before the first step.
pub(super) fn begin(world: &mut World, site: SiteId) {
    let sites = world.get_resource::<Sites>();
    let entity = sites.and_then(|sites| Some(sites.find(site)?.entity));
    let parameters = world.get_resource::<VesselParameters>().cloned();
    let (Some(entity), Some(parameters)) = (entity, parameters) else {
        return;
    };
    let mut query = world.query::<(&mut Network, &mut FlowWork)>();
    if let Ok((mut network, mut work)) = query.get_mut(world, entity) {
        for _ in 0..SETTLING {
            work.circulate(&mut network, &parameters);
        }
        settle(&mut network, &parameters);
    }
}

/// What is wrong with the vessels of a site.
pub(super) fn wrong_network(world: &World) -> Option<Breach> {
    let sites = world.get_resource::<Sites>()?;
    for (number, site) in sites.list.iter().enumerate() {
        let Some(network) = world.get::<Network>(site.entity) else {
            continue;
        };
        let wrong = |found: String| Some(Breach::new(format!("site {number}: {found}")));
        if let Some(found) = network.wrong_shape() {
            return wrong(found);
        }
        for segment in network.segments() {
            let shares = [segment.maturity, segment.haematocrit];
            let sound = shares.iter().all(|share| (0.0..=1.0).contains(share))
                && segment.radius_um > 0.0
                && segment.radius_um.is_finite()
                && segment.flow_um3_per_min.is_finite();
            if !sound {
                return wrong(format!("vessel segment {} is {segment:?}", segment.id.0));
            }
        }
        let found = residual(network);
        if (found.is_nan() || found >= 1.0e-6) && network.lived_until().is_some() {
            return wrong(format!(
                "more or less blood flows into a node than out of it, by {found:e} of the largest flow"
            ));
        }
    }
    None
}

/// The stage after which networks are checked.
pub(super) const CHECKED_AFTER: SimSystems = SimSystems::Transport;
