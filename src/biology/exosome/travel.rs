//! Packets walk, are taken up by cells, and come into vessels.
//!
//! In a step `dt` a packet moves by `sqrt(2 D s dt) z + v dt`: `D` its diffusivity, `s` the share of it that the medium leaves
//! where the step *ends*, found by a first try (so that packets spread as `div(D s grad c)` has it and gather nowhere), `z` numbers of mean
//! 0 and variance 1, each between -sqrt(3) and sqrt(3), `v` the velocity of the fluid. The faces of a site throw it back: beyond them it goes on
//! as within. A voxel of the volume `V` takes it up at the rate `sum c / V`, `c` what each of its cells clears (`uptake.rate`); the more one
//! clears, the more often it is that one. Into the blood it comes at `escape_per_min` where no vessels are drawn, else near a perfused wall; what came with
//! the blood stays. Into the lymph it goes with the fluid that lymphatics drain where it is, at the rate at which they drain it (where the fluid of the
//! tissue is followed). Long steps are made of short ones, in which a packet does not get farther than about a voxel.
//!
//! [`travel`] runs in `Transport`, after [`MediumSystems`].

use bevy::prelude::*;

use super::organs::{educating_share, half_education_per_day, number_of_organ, organs};
use super::packets::{Flash, NO_CELL, Packet, Packets, Released};
use super::parameters::{ExosomesParameters, UptakeParameters};
use super::uptake::{FIRST_UPTAKE, UPTAKE, UPTAKE_RATE, Uptake};
use crate::cell::doors::{SiteWays, Ways};
use crate::cell::event::EventBook;
use crate::cell::plane::Plane;
use crate::cell::{CellType, Living, Position, Resident, Vital};
use crate::core::input::Regulated;
use crate::core::parallel::{IN_TABLES, for_each_chunk_mut2, for_each_row_mut};
use crate::core::parameters::PerType;
use crate::core::random::probability;
use crate::core::units::{MINUTES_PER_DAY, UM3_PER_MM3};
use crate::core::{CellId, Clock, Purpose, RandomKey};
use crate::tissue::interstitium::{Interstitium, velocity};
use crate::tissue::medium::{Diffusing, SiteMedium, WalksThroughMedium};
use crate::tissue::{InterstitialFlow, Organ, SiteId, Sites, TissueBlock};

/// Where packets go, and what becomes of them.
pub(super) const WALK: Purpose = Purpose::of("exosome.walk");
/// Whether vesicles that are set free bind in the organ in which they are.
pub(super) const BINDS: Purpose = Purpose::of("exosome.binds");

/// Packets in one piece of work.
const CHUNK: usize = 2048;

/// A cell that takes vesicles up.
#[derive(Clone, Copy, Debug)]
struct Receiver {
    id: CellId,
    entity: Entity,
    voxel: u32,
    um3_per_min: f32,
    binds: bool,
}

/// The cells of a site that take vesicles up, voxel by voxel.
#[derive(Default)]
struct Receivers {
    found: Vec<Receiver>,
    list: Vec<Receiver>,
    /// For each voxel where its cells begin in `list`; one more.
    first: Vec<u32>,
    /// Those that vesicles bind to.
    residents: u32,
}

impl Receivers {
    /// Puts those that were found in order: by voxel, and in each by identity.
    fn arrange(&mut self, voxels: usize) {
        self.first.clear();
        self.first.resize(voxels + 1, 0);
        for of in &self.found {
            self.first[of.voxel as usize + 1] += 1;
        }
        for voxel in 0..voxels {
            self.first[voxel + 1] += self.first[voxel];
        }
        self.list.clear();
        self.list.extend_from_slice(&self.found);
        for of in &self.found {
            let place = &mut self.first[of.voxel as usize];
            self.list[*place as usize] = *of;
            *place += 1;
        }
        // Each now says where its voxel ends.
        for voxel in (1..=voxels).rev() {
            self.first[voxel] = self.first[voxel - 1];
        }
        self.first[0] = 0;
        for voxel in 0..voxels {
            self.list[self.first[voxel] as usize..self.first[voxel + 1] as usize]
                .sort_unstable_by_key(|of| of.id);
        }
        self.residents = self.list.iter().map(|of| u32::from(of.binds)).sum();
    }

    fn of(&self, voxel: u32) -> impl Iterator<Item = (usize, &Receiver)> {
        let [from, to] = [voxel, voxel + 1].map(|at| self.first[at as usize] as usize);
        (from..).zip(&self.list[from..to])
    }
}

/// What becomes of a packet in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Fate {
    #[default]
    Stays,
    /// It comes into the blood.
    Escapes,
    /// It goes with the lymph.
    Drains,
    /// A cell takes it up, by its place among the receivers.
    Taken(u32),
}

/// Buffers that live from step to step.
#[derive(Default)]
pub struct Buffers {
    receivers: Vec<Receivers>,
    /// The cells of a table that take vesicles up, by row.
    takers: Vec<Option<Receiver>>,
    fates: Vec<Fate>,
    /// Whether there are packets in each site.
    is_asked: Vec<bool>,
}

/// What a site is to a packet.
struct Ground<'a> {
    block: &'a TissueBlock,
    shares: Option<&'a [f32]>,
    flow: Option<&'a InterstitialFlow>,
    fluid: Option<&'a Interstitium>,
    plane: Option<Plane>,
    ways: Option<SiteWays<'a>>,
    receivers: &'a Receivers,
    exosomes: &'a ExosomesParameters,
    minutes: f32,
}

impl Ground<'_> {
    /// Thrown back by the faces.
    fn inside(&self, at_um: Vec3) -> Vec3 {
        let (min, size) = (self.block.min_um, self.block.max_um() - self.block.min_um);
        let mut way = at_um - min;
        for axis in 0..3 {
            // Mostly it is within.
            if way[axis] >= 0.0 && way[axis] <= size[axis] {
                continue;
            }
            let period = 2.0 * size[axis];
            let along = way[axis].rem_euclid(period);
            way[axis] = along.min(period - along).clamp(0.0, size[axis]);
        }
        min + way
    }

    fn share(&self, at_um: Vec3) -> f32 {
        self.shares
            .map_or(1.0, |shares| shares[self.block.voxel_at(at_um) as usize])
    }

    /// Where a packet comes to, by three numbers of mean 0 and variance 1.
    fn walk(&self, from_um: Vec3, z: Vec3) -> Vec3 {
        let spread = |share: f32| {
            (2.0 * self.exosomes.diffusivity_um2_per_min * share * self.minutes).sqrt()
        };
        let mut drift = Vec3::ZERO;
        if let Some(flow) = self.flow {
            let voxel = self.block.voxel_at(from_um) as usize;
            drift = velocity(self.block, flow, voxel) * self.minutes;
        }
        let first = self.inside(from_um + z * spread(self.share(from_um)) + drift);
        let at_um = match self.shares {
            None => first,
            Some(_) => self.inside(from_um + z * spread(self.share(first)) + drift),
        };
        self.plane.map_or(at_um, |plane| plane.flatten(at_um))
    }

    /// Rate at which a packet there comes into the blood, 1/min.
    fn escape_per_min(&self, at_um: Vec3) -> f32 {
        let exosomes = self.exosomes;
        match &self.ways {
            Some(ways) if ways.has_vessels() => ways
                .nearest(at_um, exosomes.near_wall_um)
                .map_or(0.0, |door| exosomes.wall_per_min * door.permeability),
            _ => exosomes.escape_per_min,
        }
    }

    /// Rate at which the lymph drains the fluid there, and a packet with it, 1/min.
    fn drained_per_min(&self, voxel: u32) -> f32 {
        self.fluid.map_or(0.0, |fluid| {
            let drained = fluid.drained_per_min(voxel as usize);
            self.exosomes.lymph_share * drained.max(0.0)
        })
    }

    /// What becomes of a packet that has come to a place, by a number between 0 and 1.
    fn fate(&self, packet: &Packet, dice: f32) -> Fate {
        let voxel = self.block.voxel_at(packet.at_um);
        let binds = packet.binds && self.receivers.residents > 0;
        let takes = |of: &Receiver| !binds || of.binds;
        let clears = self.receivers.of(voxel).filter(|(_, of)| takes(of));
        let cleared: f32 = clears.map(|(_, of)| of.um3_per_min).sum();
        let taken = cleared / self.block.voxel_volume_um3();
        let escapes = if packet.is_left_by_blood {
            0.0
        } else {
            self.escape_per_min(packet.at_um)
        };
        let drains = if packet.is_left_by_blood {
            0.0
        } else {
            self.drained_per_min(voxel)
        };
        let rate = taken + escapes + drains;
        let gone = probability(rate, self.minutes);
        if dice >= gone || rate <= 0.0 {
            return Fate::Stays;
        }
        let mut left = dice / gone * rate;
        if left >= taken + escapes && drains > 0.0 {
            return Fate::Drains;
        }
        if left >= taken {
            return Fate::Escapes;
        }
        left *= self.block.voxel_volume_um3();
        let mut chosen = None;
        for (place, of) in self.receivers.of(voxel).filter(|(_, of)| takes(of)) {
            chosen = Some(place as u32);
            left -= of.um3_per_min;
            if left < 0.0 {
                break;
            }
        }
        chosen.map_or(Fate::Stays, Fate::Taken)
    }
}

/// Says how large vesicles are to whoever knows how matrix hinders them.
pub fn tell_radius(exosomes: Res<ExosomesParameters>, mut sites: Query<&mut WalksThroughMedium>) {
    for mut of in &mut sites {
        if of.0 != exosomes.radius_nm {
            of.0 = exosomes.radius_nm;
        }
    }
}

/// What is known of a site as a component of it.
type OfSite = (
    &'static mut Packets,
    &'static SiteMedium,
    Option<&'static InterstitialFlow>,
    Option<&'static Interstitium>,
    Option<&'static Plane>,
    Option<&'static Organ>,
);

/// Most parts of a step.
const MOST_PARTS: f32 = 64.0;

/// In how many parts packets make a step, so that in each `sqrt(2 D dt)` is no more than three quarters of a voxel.
fn parts_of(minutes: f32, diffusivity_um2_per_min: f32, block: &TissueBlock) -> u32 {
    let most_um = 0.75 * block.voxel_um.min_element();
    let parts = 2.0 * diffusivity_um2_per_min * minutes / (most_um * most_um);
    parts.ceil().clamp(1.0, MOST_PARTS) as u32
}

/// Numbers of a site in a random stream: those of packets of other sites are others.
const fn stream_of(site: SiteId, id: u64) -> CellId {
    CellId((site.0 as u64) << 40 | (id & 0xFF_FFFF_FFFF))
}

/// Packets that were set free set out, all walk, and cells take them up.
pub fn travel(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    exosomes: Res<ExosomesParameters>,
    parameters: Res<PerType<UptakeParameters>>,
    (sites, ways): (Res<Sites>, Ways),
    inputs: Regulated,
    events: Res<EventBook>,
    mut released: ResMut<Released>,
    mut of_sites: Query<OfSite>,
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        Option<&Vital>,
        &mut Uptake,
    )>,
    mut buffers: Local<Buffers>,
) {
    if of_sites.is_empty() {
        return;
    }
    set_out(
        &key,
        &clock,
        &exosomes,
        &sites,
        &mut released,
        &mut of_sites,
    );
    let (exosomes, parameters) = (&*exosomes, &*parameters);
    let Buffers {
        receivers,
        takers,
        fates,
        is_asked,
    } = &mut *buffers;
    receivers.resize_with(sites.list.len(), Receivers::default);
    receivers.iter_mut().for_each(|of| of.found.clear());
    is_asked.clear();
    is_asked.extend(sites.list.iter().map(|site| {
        let packets = of_sites.get(site.entity);
        packets.is_ok_and(|(packets, ..)| !packets.list.is_empty())
    }));
    let minutes = clock.dt_minutes();
    let rate = inputs.input(UPTAKE_RATE);
    for (entities, ids, types, residents, positions, vitals, mut uptakes) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let rate = rate.in_table(entities);
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(uptakes.bypass_change_detection(), |row, uptake| {
            let hours = parameters
                .get(types[row].0)
                .map_or(f32::INFINITY, |of| of.acts_hours);
            uptake.fade(minutes / 60.0, hours);
        });
        takers.clear();
        takers.resize(ids.len(), None);
        let is_asked = &*is_asked;
        for_each_row_mut(takers, |row, taker| {
            let Some((cell_type, of)) = living.at(row) else {
                return;
            };
            let um3_per_min = rate.at(row, cell_type);
            let site = usize::from(residents[row].0.0);
            if let Some(entry) = sites.list.get(site)
                && um3_per_min > 0.0
                && is_asked[site]
            {
                *taker = Some(Receiver {
                    id: ids[row],
                    entity: entities[row],
                    voxel: entry.block.voxel_at(positions[row].0),
                    um3_per_min,
                    binds: of.binds,
                });
            }
        });
        for (taker, resident) in takers.iter().zip(residents) {
            if let Some(taker) = taker {
                receivers[usize::from(resident.0.0)].found.push(*taker);
            }
        }
    }
    for (number, site) in sites.list.iter().enumerate() {
        let Ok((mut packets, medium, flow, fluid, plane, organ)) = of_sites.get_mut(site.entity)
        else {
            continue;
        };
        let id = SiteId(number as u16);
        let packets = &mut *packets;
        packets.flashes.retain_mut(|flash| {
            flash.left_min -= minutes;
            flash.left_min > 0.0
        });
        packets.leaving.clear();
        packets.draining.clear();
        if packets.list.is_empty() {
            continue;
        }
        let receivers = &mut receivers[number];
        receivers.arrange(site.block.voxels());
        let parts = parts_of(minutes, exosomes.diffusivity_um2_per_min, &site.block);
        let ground = Ground {
            block: &site.block,
            shares: medium.shares(Diffusing::of_radius(exosomes.radius_nm)),
            flow: flow.filter(|flow| !flow.is_empty()),
            fluid: fluid.filter(|fluid| fluid.is_known()),
            plane: plane.copied(),
            ways: ways.of(id),
            receivers,
            exosomes,
            minutes: minutes / parts as f32,
        };
        fates.clear();
        fates.resize(packets.list.len(), Fate::Stays);
        let (key, step) = (*key, clock.step);
        for_each_chunk_mut2(&mut packets.list, fates, CHUNK, |_, packets, fates| {
            let reach = 2.0 * 3.0_f32.sqrt();
            for (packet, fate) in packets.iter_mut().zip(fates) {
                let mut random = key.stream(stream_of(id, packet.id), step, WALK);
                for _ in 0..parts {
                    let mut z = || (random.uniform() - 0.5) * reach;
                    let z = Vec3::new(z(), z(), z());
                    packet.at_um = ground.walk(packet.at_um, z);
                    *fate = ground.fate(packet, random.uniform());
                    if *fate != Fate::Stays {
                        break;
                    }
                }
            }
        });
        let education = Education::of(organ.copied(), &site.block, receivers.residents, exosomes);
        let mut taken = |place: u32, packet: &Packet| {
            let receiver = &receivers.list[place as usize];
            let Ok((_, _, _, _, at, _, mut uptake)) = cells.get_mut(receiver.entity) else {
                return;
            };
            let bound = packet.binds && receiver.binds;
            let dose = if bound {
                education.dose(packet.vesicles, minutes)
            } else {
                0.0
            };
            let is_first = uptake.total == 0.0;
            uptake.take(packet, dose);
            let kind = if is_first { FIRST_UPTAKE } else { UPTAKE };
            if is_first || exosomes.tells_every_uptake {
                if packet.load.origin == NO_CELL {
                    events.book(kind, receiver.id, id, at.0);
                } else {
                    events.book_with(kind, receiver.id, packet.load.origin, id, at.0);
                }
            }
        };
        let Packets {
            list,
            books,
            flashes,
            leaving,
            draining,
            ..
        } = packets;
        let mut at = 0;
        list.retain(|packet| {
            let fate = fates[at];
            at += 1;
            let vesicles = u64::from(packet.vesicles);
            match fate {
                Fate::Stays => return true,
                Fate::Escapes => {
                    books.escaped += vesicles;
                    leaving.push((packet.load, packet.vesicles));
                }
                Fate::Drains => {
                    books.drained += vesicles;
                    draining.push(*packet);
                }
                Fate::Taken(place) => {
                    books.taken_up += vesicles;
                    if packet.binds && receivers.list[place as usize].binds {
                        books.bound += vesicles;
                    }
                    taken(place, packet);
                    flashes.push(Flash {
                        at_um: packet.at_um,
                        left_min: exosomes.flash_min,
                        profile: packet.load.profile() as u8,
                    });
                }
            }
            false
        });
    }
}

/// What a bound vesicle is to a resident of an organ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Education {
    /// Vesicles that educate a resident by half, 1/min; none where nothing is known to.
    half_per_min: Option<f32>,
}

impl Education {
    fn of(
        organ: Option<Organ>,
        block: &TissueBlock,
        residents: u32,
        exosomes: &ExosomesParameters,
    ) -> Self {
        let half = || {
            let of = &organs()[number_of_organ(organ?)?];
            let clearance = f64::from(exosomes.clearance_educates);
            let per_day = half_education_per_day(of, f64::from(exosomes.half_per_day), clearance)?;
            let mm3 = f64::from(block.voxel_volume_um3()) * block.voxels() as f64 / UM3_PER_MM3;
            (residents > 0).then(|| {
                let per_resident = per_day * mm3 / of.mm3 / f64::from(residents);
                (per_resident / MINUTES_PER_DAY) as f32
            })
        };
        Self {
            half_per_min: half(),
        }
    }

    /// What so many vesicles in a step are, over the rate that educates by half.
    fn dose(&self, vesicles: u32, minutes: f32) -> f32 {
        self.half_per_min
            .map_or(0.0, |half| vesicles as f32 / (minutes * half))
    }
}

/// What cells set free in this step becomes packets.
fn set_out(
    key: &RandomKey,
    clock: &Clock,
    exosomes: &ExosomesParameters,
    sites: &Sites,
    released: &mut Released,
    of_sites: &mut Query<OfSite>,
) {
    for of in released.in_order().drain(..) {
        let Some(entry) = sites.find(of.site) else {
            continue;
        };
        let Ok((mut packets, _, _, _, _, organ)) = of_sites.get_mut(entry.entity) else {
            continue;
        };
        let organ = organ.and_then(|organ| number_of_organ(*organ));
        let binding = organ
            .map(|organ| &organs()[organ])
            .filter(|of| of.reference > 0.0);
        let share = binding.map_or(0.0, |organ| {
            let strength = organ.binding(&of.load.integrins);
            educating_share(strength, f64::from(exosomes.clearance_educates))
        });
        for _ in 0..of.packets {
            let mut random = key.stream(stream_of(of.site, packets.next), clock.step, BINDS);
            let binds = random.chance(share as f32);
            packets.add(of.load, of.at_um, of.vesicles, binds);
            packets.books.secreted += u64::from(of.vesicles);
        }
    }
}
