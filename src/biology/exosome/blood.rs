//! Vesicles in the blood of the animal.
//!
//! What comes into the blood is destined at once: of vesicles with the affinity `A_o` to an organ of the share `w_o` the share
//! `w_o (1 + A_o) / sum w (1 + A)` ends in it. All are cleared alike, so that of each destiny `dB/dt = in - k B`, `k = ln 2 / t_half`, exactly integrated over a
//! step: what comes evenly in it is there at its end by the share `(1 - exp(-k dt)) / (k dt)`, a dose by what is left of it since it was given, and the rest is taken up
//! already. What an organ takes up does not depend on the half-life. Of what ends in an organ `(eps + A_o) / (1 + A_o)` binds and educates;
//! the rest is cleared. A site of an organ gets of both as much as its volume is of the organ's, as packets that come through the walls of its
//! vessels, or anywhere where none are drawn, and stay in it.
//!
//! What goes with the lymph comes to a lymph node first: the share `exosomes.node_takes` stays there, in the site that is one, where cells take it up as any
//! other, if the scene has one; the rest comes into the blood.
//!
//! [`circulate`] runs in `Transport` after [`travel`](super::travel).

use bevy::math::ops;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::organs::{educating_share, number_of, number_of_organ, organs, shares};
use super::packets::{Load, NO_CELL, Packets};
use super::parameters::{CARGO, ExosomesParameters, INTEGRINS, MET, SourceParameters};
use crate::cell::doors::{Extravasation, LymphWays, Ways};
use crate::core::invariant::Breach;
use crate::core::random::probability;
use crate::core::state::WhollyKept;
use crate::core::units::{MINUTES_PER_DAY, UM3_PER_MM3};
use crate::core::{CellId, Clock, Purpose, Random, RandomKey};
use crate::tissue::{Organ, SiteId, Sites};

/// Where and as what vesicles come out of the blood.
pub(super) const ARRIVALS: Purpose = Purpose::of("exosome.arrivals");
/// Whether a node takes up what comes with the lymph, and where it lies there.
pub(super) const LYMPH: Purpose = Purpose::of("exosome.lymph");

/// Cells remembered of those that sent vesicles of one integrin into the blood.
const REMEMBERED: usize = 64;

/// Most packets that come into a site in one step.
const MOST_AT_ONCE: f64 = 1.0e5;

/// Doublings after which any tumour is as large as one may be, and none still none: 0 times infinity would not be.
const MOST_DOUBLINGS: f32 = 100.0;

/// Time after which what marrow took up counts half as much, min; a day. Assumed.
const LATELY_MIN: f32 = 1440.0;
/// The organ whose progenitors MET primes.
const MARROW: &str = "Bone";

/// What is lost in a step by a decay that halves in a time, and of what comes evenly in the step the share that is there at its end.
fn decay(minutes: f32, half_life_min: f32) -> (f64, f64) {
    let passed = std::f32::consts::LN_2 * minutes / half_life_min;
    let lost = probability(1.0, passed);
    let stays = if passed > 0.0 { lost / passed } else { 1.0 };
    (f64::from(lost), f64::from(stays))
}

/// Vesicles in the blood that will end in one organ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Destined {
    /// All of them.
    pub vesicles: f64,
    /// Those that will bind.
    pub binding: f64,
    /// What they carry of each cargo, in vesicles with the load of one.
    pub cargo: [f64; CARGO.len()],
    /// The same of each integrin.
    pub integrins: [f64; INTEGRINS.len()],
}

impl Destined {
    /// Takes a share out.
    fn take(&mut self, share: f64) -> Self {
        let part = |of: &mut f64| {
            let taken = *of * share;
            *of -= taken;
            taken
        };
        Self {
            vesicles: part(&mut self.vesicles),
            binding: part(&mut self.binding),
            cargo: self.cargo.each_mut().map(part),
            integrins: self.integrins.each_mut().map(part),
        }
    }

    fn add(&mut self, other: &Self) {
        self.vesicles += other.vesicles;
        self.binding += other.binding;
        for (of, more) in self.cargo.iter_mut().zip(other.cargo) {
            *of += more;
        }
        for (of, more) in self.integrins.iter_mut().zip(other.integrins) {
            *of += more;
        }
    }
}

/// Vesicles of one integrin in the blood.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stock {
    /// By organ, in the order of the list.
    pub destined: Vec<Destined>,
    /// Some of the cells that sent them.
    pub origins: Vec<u64>,
    /// How many were remembered in all.
    pub remembered: u64,
}

/// The vesicles in the blood, and its books.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BloodVesicles {
    /// By the integrin of which they carry most, and at last those without any.
    pub stocks: Vec<Stock>,
    /// Come out of the tissue of sites, each as often as it stands for others.
    pub from_tissue: f64,
    /// Come from the source that is not drawn.
    pub from_source: f64,
    /// Come with the lymph into nodes, and taken up there, each as often as it stands for others; no part of what came into the blood.
    pub into_nodes: f64,
    /// What each organ took up in the last step: of each of the stocks one run of all organs.
    pub now: Vec<Destined>,
    /// What each organ has taken up since the beginning.
    pub taken_up: Vec<Destined>,
    /// MET that marrow took up lately, in vesicles with the load of one, each counting half as much after a day.
    pub marrow_met: f64,
}

impl WhollyKept for BloodVesicles {}

impl BloodVesicles {
    /// In the blood just now.
    pub fn in_blood(&self) -> f64 {
        let stocks = self.stocks.iter().flat_map(|stock| &stock.destined);
        stocks.map(|of| of.vesicles).sum()
    }

    /// Taken up by all organs since the beginning.
    pub fn taken_up(&self) -> f64 {
        self.taken_up.iter().map(|of| of.vesicles).sum()
    }

    /// MET that the marrow took up a day, lately, over what it takes up of the vesicles of a breast cancer of which `half_per_day` come into the blood a day.
    pub fn marrow_met(&self, half_per_day: f32) -> f64 {
        let marrow = number_of(MARROW).map_or(0.0, |marrow| organs()[marrow].share);
        let per_day =
            self.marrow_met * std::f64::consts::LN_2 * MINUTES_PER_DAY / f64::from(LATELY_MIN);
        per_day / (f64::from(half_per_day) * marrow)
    }

    fn grow(&mut self) {
        let organs = organs().len();
        self.stocks.resize_with(INTEGRINS.len() + 1, Stock::default);
        for stock in &mut self.stocks {
            stock.destined.resize(organs, Destined::default());
        }
        self.now
            .resize(organs * self.stocks.len(), Destined::default());
        self.taken_up.resize(organs, Destined::default());
    }

    /// So many vesicles come into the blood in a step, of which the share `stays` is in it at the end.
    fn enter(&mut self, load: &Load, vesicles: f64, stays: f64, clearance_educates: f64) {
        if vesicles <= 0.0 {
            return;
        }
        let profile = load.profile();
        let stock = &mut self.stocks[profile];
        let now = &mut self.now[profile * organs().len()..];
        let destined = stock.destined.iter_mut().zip(now);
        for ((organ, share), (destined, now)) in
            organs().iter().zip(shares(&load.integrins)).zip(destined)
        {
            let part = vesicles * share;
            let educating = educating_share(organ.binding(&load.integrins), clearance_educates);
            let mut all = Destined {
                vesicles: part,
                binding: part * educating,
                cargo: load.cargo.map(|load| part * f64::from(load)),
                integrins: load.integrins.map(|level| part * f64::from(level)),
            };
            destined.add(&all.take(stays));
            now.add(&all);
        }
        if load.origin != NO_CELL {
            let place = (stock.remembered % REMEMBERED as u64) as usize;
            stock.remembered += 1;
            if place < stock.origins.len() {
                stock.origins[place] = load.origin.0;
            } else {
                stock.origins.push(load.origin.0);
            }
        }
    }

    /// What is wrong with the books.
    fn wrong(&self) -> Option<Breach> {
        let (came, gone) = (self.from_tissue + self.from_source, self.taken_up());
        let here = self.in_blood();
        let wrong = (came - gone - here).abs() > 1.0e-6 * came.max(1.0);
        wrong.then(|| {
            Breach::new(format!(
                "{came} vesicles came into the blood, but {here} are in it and {gone} were taken up"
            ))
        })
    }
}

/// Vesicles that the tumour of the source sends into the blood in the running step, evenly.
fn from_tumour(source: &SourceParameters, clock: &Clock) -> f64 {
    let minutes = clock.step_minutes;
    let middle = (clock.minutes() + 0.5 * minutes) / MINUTES_PER_DAY;
    let doublings = ((middle / f64::from(source.doubling_days)) as f32).min(MOST_DOUBLINGS);
    let cells = f64::from((source.cells * ops::exp2(doublings)).min(source.most_cells));
    let per_min = cells * f64::from(source.vesicles_per_cell_per_hour) / 60.0;
    per_min * f64::from(source.escape_share) * f64::from(source.rab27a) * minutes
}

/// How long before the end of the running step each dose of the source is given in it, min.
fn doses(source: &SourceParameters, clock: &Clock) -> impl Iterator<Item = f64> + use<> {
    let every = f64::from(source.dose_every_days) * MINUTES_PER_DAY;
    let until = f64::from(source.dose_until_days) * MINUTES_PER_DAY;
    let most = (until / every).ceil();
    let begins = |step: u64| Clock { step, ..*clock }.minutes();
    // Doses are given at the multiples of `every` within the step, the first at 0. Where one step ends for them the next begins, however
    // times are rounded: none is given twice.
    let before = |step: u64| (begins(step) / every).ceil().min(most) as u64;
    let (ends, step_minutes) = (begins(clock.step + 1), clock.step_minutes);
    let numbers = before(clock.step)..before(clock.step + 1);
    numbers.map(move |number| (ends - number as f64 * every).clamp(0.0, step_minutes))
}

/// What leaves tissue comes into the blood; organs take up from it, and their sites as much of that as they are of them.
pub fn circulate(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    (exosomes, source): (Res<ExosomesParameters>, Res<SourceParameters>),
    (sites, ways, lymph): (Res<Sites>, Ways, LymphWays),
    mut blood: ResMut<BloodVesicles>,
    mut of_sites: Query<(&mut Packets, Option<&Organ>)>,
) {
    if of_sites.is_empty() {
        return;
    }
    let minutes = clock.dt_minutes();
    let clearance = f64::from(exosomes.clearance_educates);
    let blood = &mut *blood;
    blood.grow();
    let (lost, stays) = decay(minutes, exosomes.half_life_min);
    let stocks = blood.stocks.iter_mut();
    let destined = stocks.flat_map(|stock| &mut stock.destined);
    for (now, destined) in blood.now.iter_mut().zip(destined) {
        *now = destined.take(lost);
    }
    let lymph = (&*sites, lymph.node());
    bring_lymph(&key, &clock, &exosomes, stays, lymph, blood, &mut of_sites);
    for site in &sites.list {
        let Ok((packets, _)) = of_sites.get(site.entity) else {
            continue;
        };
        for (load, vesicles) in &packets.leaving {
            let vesicles = f64::from(*vesicles) * f64::from(packets.stands_for);
            blood.from_tissue += vesicles;
            blood.enter(load, vesicles, stays, clearance);
        }
    }
    let of_source = Load {
        origin: NO_CELL,
        cargo: source.cargo.loads(),
        integrins: source
            .integrins
            .levels()
            .map(|level| level * source.integrin_share),
    };
    let vesicles = from_tumour(&source, &clock);
    blood.from_source += vesicles;
    blood.enter(&of_source, vesicles, stays, clearance);
    let dose = f64::from(source.dose_vesicles);
    for since in doses(&source, &clock).filter(|_| dose > 0.0) {
        let (gone, _) = decay(since as f32, exosomes.half_life_min);
        blood.from_source += dose;
        blood.enter(&of_source, dose, 1.0 - gone, clearance);
    }
    let count = organs().len();
    for of_stock in blood.now.chunks(count) {
        for (all, now) in blood.taken_up.iter_mut().zip(of_stock) {
            all.add(now);
        }
    }
    let (forgotten, counts) = decay(minutes, LATELY_MIN);
    blood.marrow_met *= 1.0 - forgotten;
    if let Some(marrow) = number_of(MARROW) {
        for of_stock in blood.now.chunks(count) {
            blood.marrow_met += counts * of_stock[marrow].cargo[MET];
        }
    }
    for (number, site) in sites.list.iter().enumerate() {
        let Ok((mut packets, organ)) = of_sites.get_mut(site.entity) else {
            continue;
        };
        let id = SiteId(number as u16);
        let Some(organ) = organ.and_then(|organ| number_of_organ(*organ)) else {
            continue;
        };
        let of_stocks = || blood.now.iter().skip(organ).step_by(count);
        let all: f64 = of_stocks().map(|of| of.vesicles).sum();
        let block = &site.block;
        let mm3 = f64::from(block.voxel_volume_um3()) * block.voxels() as f64 / UM3_PER_MM3;
        let part = mm3 / organs()[organ].mm3 * f64::from(packets.reach);
        let expected = (all * part / f64::from(exosomes.per_packet)).min(MOST_AT_ONCE);
        if expected <= 0.0 {
            continue;
        }
        let mut random = key.stream(CellId(number as u64), clock.step, ARRIVALS);
        let whole = expected.floor();
        let packets_now = whole as u32 + u32::from(random.chance((expected - whole) as f32));
        if packets_now == 0 {
            continue;
        }
        let ways = ways.of(id).filter(|ways| ways.has_vessels());
        for _ in 0..packets_now {
            // Of which integrin it is, in proportion to what comes.
            let mut left = f64::from(random.uniform()) * all;
            let mut chosen = None;
            for (stock, now) in of_stocks().enumerate().filter(|(_, of)| of.vesicles > 0.0) {
                chosen = Some((stock, now));
                left -= now.vesicles;
                if left < 0.0 {
                    break;
                }
            }
            let Some((stock, now)) = chosen else {
                continue;
            };
            let each = |of: f64| (of / now.vesicles) as f32;
            let dice = [(); 3].map(|()| random.uniform());
            let at_um = match &ways {
                // Where vessels are drawn and none is perfused nothing comes.
                Some(ways) => match ways.pick(Extravasation::Leak, dice) {
                    Some(door) => block.nearest_inside(door.outside_um(1.0)),
                    None => continue,
                },
                None => block.min_um + Vec3::from_array(dice) * (block.max_um() - block.min_um),
            };
            let load = Load {
                origin: sender(&blood.stocks[stock], &mut random),
                cargo: now.cargo.map(each),
                integrins: now.integrins.map(each),
            };
            let binds = random.chance(each(now.binding));
            packets.books.arrived += u64::from(exosomes.per_packet);
            packets.add_from_blood(load, at_um, exosomes.per_packet, binds);
        }
    }
}

/// What went with the lymph comes to a node, and of what the node does not take up into the blood.
fn bring_lymph(
    key: &RandomKey,
    clock: &Clock,
    exosomes: &ExosomesParameters,
    stays: f64,
    (sites, node): (&Sites, Option<SiteId>),
    blood: &mut BloodVesicles,
    of_sites: &mut Query<(&mut Packets, Option<&Organ>)>,
) {
    let node = node.map(|node| usize::from(node.0));
    for (number, site) in sites.list.iter().enumerate() {
        let Ok((mut packets, _)) = of_sites.get_mut(site.entity) else {
            continue;
        };
        if packets.draining.is_empty() {
            continue;
        }
        let (mut draining, stands_for) = (
            std::mem::take(&mut packets.draining),
            f64::from(packets.stands_for),
        );
        for packet in &draining {
            let own = CellId((number as u64) << 40 | (packet.id & 0xFF_FFFF_FFFF));
            let mut random = key.stream(own, clock.step, LYMPH);
            let vesicles = f64::from(packet.vesicles) * stands_for;
            if !random.chance(exosomes.node_takes) {
                blood.from_tissue += vesicles;
                let clearance = f64::from(exosomes.clearance_educates);
                blood.enter(&packet.load, vesicles, stays, clearance);
                continue;
            }
            blood.into_nodes += vesicles;
            let Some(node) = node.filter(|node| *node != number) else {
                continue;
            };
            let entry = &sites.list[node];
            let (min, max) = (entry.block.min_um, entry.block.max_um());
            let dice = Vec3::from_array([(); 3].map(|()| random.uniform()));
            if let Ok((mut there, _)) = of_sites.get_mut(entry.entity) {
                there.books.arrived += u64::from(packet.vesicles);
                there.add_from_blood(
                    packet.load,
                    min + dice * (max - min),
                    packet.vesicles,
                    false,
                );
            }
        }
        // The room for them is kept.
        draining.clear();
        if let Ok((mut packets, _)) = of_sites.get_mut(site.entity) {
            packets.draining = draining;
        }
    }
}

/// Somebody who sent vesicles of a stock.
fn sender(stock: &Stock, random: &mut Random) -> CellId {
    let place = (random.uniform() * stock.origins.len() as f32) as usize;
    let origin = stock.origins.get(place);
    origin.map_or(NO_CELL, |origin| CellId(*origin))
}

/// What is wrong with the books of vesicles anywhere.
pub(super) fn wrong_books(world: &World) -> Option<Breach> {
    let sites = world.get_resource::<Sites>()?;
    let mut escaped = 0.0;
    for site in &sites.list {
        let Some(packets) = world.get::<Packets>(site.entity) else {
            continue;
        };
        if let Some(found) = packets.wrong() {
            return Some(Breach::new(format!("in `{}`: {found}", site.block.name)));
        }
        let gone = packets.books.escaped + packets.books.drained;
        escaped += gone as f64 * f64::from(packets.stands_for);
    }
    let blood = world.get_resource::<BloodVesicles>()?;
    let came = blood.from_tissue + blood.into_nodes;
    if (escaped - came).abs() > 1.0e-6 * escaped.max(1.0) {
        let found =
            format!("{escaped} vesicles left tissue for blood and lymph, where {came} came");
        return Some(Breach::new(found));
    }
    blood.wrong()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the tumour of the source sends in a step of so many minutes.
    fn sent(source: &SourceParameters, step: u64, step_minutes: f64) -> f64 {
        from_tumour(source, &Clock { step, step_minutes })
    }

    /// When doses are given in so many steps, min.
    fn times(source: &SourceParameters, steps: u64, step_minutes: f64) -> Vec<f64> {
        let of_step = |step| {
            let ends = (step + 1) as f64 * step_minutes;
            doses(source, &Clock { step, step_minutes }).map(move |since| ends - since)
        };
        (0..steps).flat_map(of_step).collect()
    }

    #[test]
    fn the_source_gives_doses_at_their_times_and_vesicles_as_its_tumour_grows() {
        let every_other_day = SourceParameters::default();
        // Days 0, 2 .. 20; as many in steps whose length is no sum of powers of two, and within steps that are longer than the time between two.
        for (steps, step_minutes) in [(22 * 144, 10.0), (22 * 7200, 0.2), (8, 4320.0)] {
            let given = times(&every_other_day, steps, step_minutes);
            assert_eq!(given.len(), 11, "{given:?}");
            for (number, time) in given.into_iter().enumerate() {
                let expected = 2880.0 * number as f64;
                assert!((time - expected).abs() < 1e-6, "{time} {expected}");
            }
        }
        // 2e6 cells that double in 2.5 d set free 62 x 24 x 0.1 x the integral of their number.
        let tumour = SourceParameters {
            cells: 2.0e6,
            ..SourceParameters::default()
        };
        let sum: f64 = (0..1440).map(|step| sent(&tumour, step, 10.0)).sum();
        let cell_days = 2.0e6 * (2.0_f64.powi(4) - 1.0) * 2.5 / std::f64::consts::LN_2;
        assert!((sum / (cell_days * 62.0 * 24.0 * 0.1) - 1.0).abs() < 1e-4);
    }

    #[test]
    fn no_tumour_stays_none_and_one_stops_to_grow_however_long_it_takes() {
        let none = SourceParameters::default();
        // After ten years, 1461 doublings.
        assert_eq!(sent(&none, 3653, 1440.0), 0.0);
        let one = SourceParameters { cells: 1.0, ..none };
        let expected = 1.0e9 * 62.0 * 24.0 * 0.1;
        assert!((sent(&one, 3653, 1440.0) / expected - 1.0).abs() < 1e-6);
    }
}
