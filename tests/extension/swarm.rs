//! A mechanism with comings and goings: it calls cells, sends them from one site to the other, alone and bound to each
//! other, kills some on the way, and keeps a second population of entities that are no cells.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};
use tumorscape::cell::bonds::{
    BondBook, BondKind, BondKinds, BondLaw, BondParameters, DaughterRule, RegisterBonds,
};
use tumorscape::cell::event::{EventKind, Passage, RegisterEvent};
use tumorscape::cell::turnover::{Arrival, Departure, Passages, Recruit, Transit};
use tumorscape::cell::{ActSystems, CellType, Resident};
use tumorscape::core::in_transit::{InTransit, RegisterInTransit};
use tumorscape::core::input::InputInfo;
use tumorscape::core::parallel::for_each_row;
use tumorscape::core::parameters::{CellTypeNames, Limits, Parameters};
use tumorscape::core::quantity::Quantity;
use tumorscape::core::state::RegisterState;
use tumorscape::core::{CellId, Clock, MemberId, Purpose, RandomKey, RegisterPurpose, SimSchedule};
use tumorscape::tissue::member_rules::{MemberInputs, RegisterMemberRules};
use tumorscape::tissue::population::{
    LivesIn, Members, NewMember, RegisterPopulation, spawn_member,
};
use tumorscape::tissue::{SiteId, Sites};

use super::sparkle::Sparkle;

/// A cell was lured into a site or the blood.
pub const LURED: EventKind = EventKind::of("swarm.lured");
/// A cell swarmed out of its site.
pub const LEFT: EventKind = EventKind::of("swarm.left");
/// A cell settled in a site.
pub const CAME: EventKind = EventKind::of("swarm.came");
/// A cell was torn on the way.
pub const TORN: EventKind = EventKind::of("swarm.torn");
/// A cell was eaten by another.
pub const EATEN: EventKind = EventKind::of("swarm.eaten");

/// Steps that a cell is on the way.
const ON_THE_WAY: u64 = 15;
/// Where lured cells come to.
const PLACES: Purpose = Purpose::of("swarm.places");

/// By what a mote is known.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct Mote;

/// What a mote carries: no plain data, as that of a network would not be.
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Path {
    /// Steps since it came or was split.
    pub age: u32,
    /// How often each of its forebears was split.
    pub splits: Vec<u32>,
}

/// How threads act: they tear sooner under load.
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
pub struct ThreadParameters {
    /// Rate at which one without load tears, 1/h.
    pub off_per_hour: f32,
}

impl Default for ThreadParameters {
    fn default() -> Self {
        Self { off_per_hour: 0.05 }
    }
}

impl Parameters for ThreadParameters {}

impl BondParameters for ThreadParameters {
    fn law(&self) -> BondLaw {
        BondLaw {
            stiffness_per_min: 0.01,
            rest_um: Some(14.0),
            strength_um_per_min: 1.0,
            off_per_hour: self.off_per_hour,
            load_scale_um_per_min: 0.05,
        }
    }
}

/// How knots act: they hold.
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
pub struct KnotParameters {
    /// Stiffness, 1/min.
    pub stiffness_per_min: f32,
}

impl Default for KnotParameters {
    fn default() -> Self {
        Self {
            stiffness_per_min: 0.02,
        }
    }
}

impl Parameters for KnotParameters {}

impl BondParameters for KnotParameters {
    fn law(&self) -> BondLaw {
        BondLaw {
            stiffness_per_min: self.stiffness_per_min,
            rest_um: None,
            strength_um_per_min: f32::INFINITY,
            off_per_hour: 0.0,
            load_scale_um_per_min: 1.0,
        }
    }
}

/// Goes to the nearer daughter, and ends with a death.
const THREAD: BondKind = BondKind {
    name: "swarm.thread",
    about: "Holds two cells loosely.",
    daughters: DaughterRule::Nearer,
    outlives_death: false,
};
/// Both daughters have it, and it outlives death.
const KNOT: BondKind = BondKind {
    name: "swarm.knot",
    about: "Holds two cells for good.",
    daughters: DaughterRule::Both,
    outlives_death: true,
};

/// Binds the first cells of the first site into a chain of threads, and every other pair by a knot as well.
fn bind(
    clock: Res<Clock>,
    kinds: Res<BondKinds>,
    book: Res<BondBook>,
    cells: Query<(Entity, &CellId)>,
) {
    if clock.step != 3 {
        return;
    }
    let of = |id: u64| cells.iter().find(|(_, cell)| cell.0 == id);
    for (number, pair) in (0..6)
        .filter_map(of)
        .collect::<Vec<_>>()
        .windows(2)
        .enumerate()
    {
        let entities = [pair[0].0, pair[1].0];
        book.form(kinds.id(THREAD.name), entities);
        if number % 2 == 0 {
            book.form(kinds.id(KNOT.name), entities);
        }
    }
}

/// Fireflies are lured, one in three into the blood.
fn lure(
    clock: Res<Clock>,
    key: Res<RandomKey>,
    types: Res<CellTypeNames>,
    sites: Res<Sites>,
    passages: Res<Passages>,
) {
    let Some(firefly) = types.0.iter().position(|name| name == "firefly") else {
        return;
    };
    if clock.step % 7 != 2 {
        return;
    }
    // From many threads.
    for_each_row(3, |number| {
        let mut random = key.stream(CellId(number as u64), clock.step, PLACES);
        let at = [(); 3].map(|()| random.uniform());
        let site = [SiteId(0), SiteId(1), SiteId::TRANSIT][number];
        let at_um = sites.find(site).map_or(Vec3::ZERO, |site| {
            let span = site.block.max_um() - site.block.min_um;
            site.block.min_um + Vec3::from_array(at) * span
        });
        let sparkle = Sparkle {
            glow: 1.0,
            fatigue: 0.5,
        };
        let recruit = Recruit::new(firefly as u16, site, at_um, LURED);
        passages.recruit(recruit.by(CellId(number as u64)).carrying(sparkle));
    });
}

/// Some cells leave with those they are bound to, some are eaten.
fn swarm_out(
    clock: Res<Clock>,
    passages: Res<Passages>,
    cells: Query<(Entity, &CellId, &Resident, &CellType)>,
) {
    for (entities, ids, residents, _) in cells.contiguous_iter().expect("they are in tables") {
        for_each_row(ids.len(), |row| {
            let (cell, entity) = (ids[row], entities[row]);
            if residents[row].0.is_transit() {
                return;
            }
            let turn = (cell.0 * 7 + clock.step) % 97;
            if turn == 5 {
                passages.depart(Departure::of(cell, entity, LEFT).with_bonded());
            }
            if turn == 11 && cell.0 % 5 == 4 {
                passages.remove(cell, entity, EATEN, Some(CellId(cell.0 + 1)));
            }
        });
    }
}

/// Cells on the way are torn, or settle in the other site after a while.
fn settle(clock: Res<Clock>, transit: Res<Transit>, passages: Res<Passages>) {
    for of in transit.iter() {
        if (of.cell.0 + clock.step) % 61 == 1 {
            passages.remove(of.cell, of.entity, TORN, None);
        }
        if clock.step >= of.since_step + ON_THE_WAY {
            let to = SiteId(u16::from(of.from == SiteId(0)));
            let x = (of.cell.0 % 9) as f32 * 10.0;
            let arrival = Arrival::of(of.cell, to, Vec3::new(x, 40.0, -40.0), CAME);
            passages.arrive(arrival.with_bonded());
        }
    }
}

/// How many ages a mote lives through before it fades, which rules of a site can change.
pub const LIFE: &str = "mote.life";

/// Motes age, are split in two and fade.
fn drift(
    members: Res<Members>,
    inputs: MemberInputs,
    mut motes: Query<(Entity, &MemberId, &LivesIn, &mut Path), With<Mote>>,
) {
    let life = inputs.input::<Mote>(LIFE);
    for (entity, id, lives_in, mut path) in &mut motes {
        path.age += 1;
        if path.age == 20 {
            let mut splits = path.splits.clone();
            splits.push(path.age);
            let young = Path { age: 0, splits };
            let site = SiteId(1 - lives_in.0.0);
            members.add(
                NewMember::of::<Mote>(site)
                    .like(*id, entity)
                    .carrying(young),
            );
        }
        if life
            .of(lives_in.0, *id)
            .is_some_and(|life| path.age as f32 >= life)
        {
            members.remove(*id, entity);
        }
    }
}

/// The plugin.
pub fn swarm(app: &mut App) {
    app.register_passage(LURED, Passage::Recruitment, "A cell was lured.")
        .register_passage(LEFT, Passage::Departure, "A cell swarmed out of its site.")
        .register_passage(CAME, Passage::Arrival, "A cell settled in a site.")
        .register_passage(TORN, Passage::Removal, "A cell was torn on the way.")
        .register_passage(EATEN, Passage::Removal, "A cell was eaten by another.")
        .register_bond::<ThreadParameters>(THREAD)
        .register_bond::<KnotParameters>(KNOT)
        .register_purpose(PLACES)
        .register_population::<Mote>("motes")
        .register_member_state::<Mote, Path>("path")
        .register_member_input::<Mote, Path>(
            InputInfo::new(LIFE, "", "Steps until a mote fades.").limits(Limits {
                min: 0.0,
                max: 1000.0,
            }),
            |_| 45.0,
        )
        .register_member_quantity::<Mote, Path>(
            Quantity::new("mote.splits", "", "How often its forebears were split."),
            |path| path.splits.len() as f32,
        )
        .place_members::<Mote, Path>(|path| Vec3::splat(path.age as f32))
        .begin_sites(|world, site| {
            for age in [0, 7, 13] {
                let splits = Vec::new();
                spawn_member::<Mote>(world, site, Path { age, splits });
            }
        })
        .while_in_transit(swarm_out, InTransit::Pauses, "they have swarmed out")
        .add_systems(
            SimSchedule,
            (bind, lure, swarm_out, settle, drift).in_set(ActSystems::Walk),
        );
}
