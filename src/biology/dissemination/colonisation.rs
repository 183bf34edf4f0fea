//! Cells that have lodged in an organ: they cross the wall or die, then die, sleep or grow (capability `colonisation`).
//!
//! ```text
//!             extravasation            a day later, `growth`
//!  arrested ------------------> crossed ----------------------> growing ---> switched, few
//!      |                           |                               ^    \--> most die out
//!      v arrested_death            v otherwise                     | awakening
//!     dead <------------------- solitary -------- later ------> dormant ---> dead
//! ```
//!
//! Extravasation is as much faster as the wall at which the cell is held is leakier than a normal one of its organ. Every arrow is a rate, and each is an input: rules say how permeability, soil, niche, EMT and immune cells change them. Default rates reproduce the
//! cascade that was counted in the liver of mice (Luzzi et al. 1998, PMID 9736035) and the pace of extravasation (Koop et al. 1995; AMENDMENTS 3.17 of the
//! reference data): 0.80 of those that lodge cross; 1 in 40 of these begins to grow; 1 in 100 of the micrometastases goes on; a third of all are
//! solitary and asleep after 13 days. Most micrometastases die out, at more deaths than divisions; a *switched* minority (vessels, escape from
//! immunity) does not.
//!
//! In a site, cells divide by their cycle and die by rules on `death.apoptosis`, from the quantities `colonisation.asleep` and
//! `colonisation.death`. In an organ without a site an entity stands for a colony, whose cells divide and die by the rates given here; rules find the molecules of its
//! residents there ([`super::soil`]).

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::ancestry::{JourneyChange, Notes};
use super::circuit::{Circulation, EntryRoute};
use super::circulation::Voyage;
use crate::cell::body::CellType;
use crate::cell::death::is_alive;
use crate::cell::doors::{InVessel, SiteWays, VesselCalls, Ways};
use crate::cell::event::{EventBook, EventKind};
use crate::cell::turnover::{Passages, Recruit};
use crate::cell::{Position, Resident, Vital};
use crate::core::input::Regulated;
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType};
use crate::core::random::{Random, probability};
use crate::core::{CellId, Clock, Purpose, RandomKey};
use crate::tissue::SiteId;

/// How cells of a type fare in the organ where they lodge (capability `colonisation`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct ColonisationParameters {
    /// Rate at which an arrested cell crosses the wall, 1/h; 0.0536: four in five cross, and four in five are decided within a day (Koop et al. 1995).
    pub extravasation_per_hour: f32,
    /// Rate at which an arrested cell dies, 1/h; 0.0134.
    pub arrested_death_per_hour: f32,
    /// Time after crossing in which it is decided what becomes of it, h; 24.
    pub settling_hours: f32,
    /// Probability that it begins to grow then; 0.025 (Luzzi et al. 1998).
    pub growth_chance: f32,
    /// Probability that what grows is of the switched minority; 0.004. Calibrated to the 1 in 100 that goes on.
    pub switch_chance: f32,
    /// Rate at which a solitary cell dies, 1/d; 0.068: 36 % of all are left at day 13 (Luzzi et al. 1998).
    pub solitary_death_per_day: f32,
    /// Time after which a solitary cell counts as dormant, d; 13.
    pub solitary_days: f32,
    /// Rate at which a dormant cell dies, 1/d; 0.01. Assumed.
    pub dormant_death_per_day: f32,
    /// Rate at which a dormant cell wakes, 1/d; 3e-3, of 1e-3 to 1e-2 from memory.
    pub awakening_per_day: f32,
    /// Rate at which cells of a colony in an organ without a site divide, 1/d; 0.8.
    pub division_per_day: f32,
    /// Rate at which cells of a colony die that is not switched, 1/d; 1.4. Calibrated to the 1 in 100 that goes on.
    pub colony_death_per_day: f32,
    /// The same of a switched colony, 1/d; 0.3. Calibrated with it.
    pub switched_death_per_day: f32,
    /// Time from its first division to a micrometastasis, in which its cells do not yet die, h; 34: it is seen on day 3 (Luzzi et al. 1998).
    pub forming_hours: f32,
    /// Cells of a micrometastasis of an organ without a site, then; 6.
    pub colony_cells: f32,
    /// Cells that a colony of an organ without a site sheds into the blood, 1/d for each of its cells; 6e-5: 1e4 a day from a gram.
    pub shedding_per_day: f32,
}

impl Default for ColonisationParameters {
    fn default() -> Self {
        Self {
            extravasation_per_hour: 0.0536,
            arrested_death_per_hour: 0.0134,
            settling_hours: 24.0,
            growth_chance: 0.025,
            switch_chance: 0.004,
            solitary_death_per_day: 0.068,
            solitary_days: 13.0,
            dormant_death_per_day: 0.01,
            awakening_per_day: 3.0e-3,
            division_per_day: 0.8,
            colony_death_per_day: 1.4,
            switched_death_per_day: 0.3,
            forming_hours: 34.0,
            colony_cells: 6.0,
            shedding_per_day: 6.0e-5,
        }
    }
}

impl Parameters for ColonisationParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "growth_chance" | "switch_chance" => Limits::FRACTION,
            "settling_hours" | "forming_hours" | "solitary_days" => Limits {
                min: 0.0,
                max: 1.0e5,
            },
            "colony_cells" => Limits {
                min: 1.0,
                max: 1.0e3,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e3,
            },
        }
    }
}

/// How far a cell has come.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Reflect,
)]
#[repr(u8)]
pub enum ColonyStage {
    /// It has not lodged anywhere: it is where it arose, or in the blood.
    #[default]
    None,
    /// It is held in a capillary.
    Arrested,
    /// It has crossed the wall, and nothing is decided yet.
    Crossed,
    /// It lives alone and does not divide.
    Solitary,
    /// It has slept for long.
    Dormant,
    /// It divides, or descends from one that did.
    Growing,
    /// It has died.
    Dead,
}

impl ColonyStage {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Arrested,
        Self::Crossed,
        Self::Solitary,
        Self::Dormant,
        Self::Growing,
        Self::Dead,
    ];

    /// As written in tables.
    pub const fn key(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Arrested => "arrested",
            Self::Crossed => "crossed",
            Self::Solitary => "solitary",
            Self::Dormant => "dormant",
            Self::Growing => "growing",
            Self::Dead => "dead",
        }
    }

    /// Whether such a cell does not divide.
    pub const fn is_asleep(self) -> bool {
        matches!(
            self,
            Self::Arrested | Self::Crossed | Self::Solitary | Self::Dormant
        )
    }
}

/// How far a cell has come where it lodged. Daughters inherit it.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Colonist {
    /// How far.
    pub stage: ColonyStage,
    /// Whether it is of the switched minority.
    pub is_switched: bool,
    /// Time since it came to that, h.
    pub hours: f32,
    /// Cells for which it stands: more than 1 for a colony in an organ without a site.
    pub cells: u32,
    /// Rate at which it dies of where it is, 1/h, in a site.
    pub death_per_hour: f32,
    /// How fast cells cross the wall at which it is held, over a normal wall of a liver.
    pub wall: f32,
}

impl Colonist {
    /// One that has just come so far.
    pub const fn at(stage: ColonyStage) -> Self {
        Self {
            stage,
            is_switched: false,
            hours: 0.0,
            cells: 1,
            death_per_hour: 0.0,
            wall: 1.0,
        }
    }
}

/// A cell crossed the wall of the capillary that held it.
pub const CROSSES: EventKind = EventKind::of("colonisation.crosses");
/// A cell that crossed does not divide.
pub const SLEEPS: EventKind = EventKind::of("colonisation.sleeps");
/// A cell that crossed begins to divide.
pub const GROWS: EventKind = EventKind::of("colonisation.grows");
/// A dormant cell begins to divide.
pub const WAKES: EventKind = EventKind::of("colonisation.wakes");
/// A cell that lodged in an organ without a site died, or the last cell of a colony there.
pub const DIES_THERE: EventKind = EventKind::of("colonisation.dies");
/// A colony in an organ without a site sheds a cell.
pub const SHED: EventKind = EventKind::of("colonisation.shed");

/// The inputs.
pub(super) const EXTRAVASATION: &str = "colonisation.extravasation";
pub(super) const ARRESTED_DEATH: &str = "colonisation.arrested_death";
pub(super) const GROWTH: &str = "colonisation.growth";
pub(super) const SWITCH: &str = "colonisation.switch";
pub(super) const SOLITARY_DEATH: &str = "colonisation.solitary_death";
pub(super) const DORMANT_DEATH: &str = "colonisation.dormant_death";
pub(super) const AWAKENING: &str = "colonisation.awakening";
pub(super) const COLONY_DEATH: &str = "colonisation.colony_death";

/// What becomes of a lodged cell.
pub(super) const FATE: Purpose = Purpose::of("colonisation.fate");

/// How near the wall of its vessel a cell is that is held in it, um.
const WALL_UM: f32 = 20.0;
const HOURS_PER_DAY: f32 = 24.0;
/// Longest time that is counted, h.
pub(super) const COUNTED_HOURS: f32 = 1.0e6;
/// Most cells of a colony that are told apart.
pub(super) const MOST_CELLS: u32 = 100_000_000;
/// Most cells that a colony sheds in a step.
const MOST_SHED: u32 = 10_000;

/// The inputs of a cell.
struct LodgedRates {
    extravasation: f32,
    arrested_death: f32,
    growth: f32,
    switch: f32,
    solitary_death: f32,
    dormant_death: f32,
    awakening: f32,
    colony_death: f32,
}

/// What happens to a lodged cell in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stays,
    Crosses,
    Sleeps,
    Grows,
    Wakes,
    Dies,
}

impl Colonist {
    /// Lets so many hours pass. In an organ without a site (`is_apart`) it dies here; in a site it is told at which rate it should.
    fn pass(
        &mut self,
        hours: f32,
        is_apart: bool,
        of: &ColonisationParameters,
        rates: &LodgedRates,
        random: &mut Random,
    ) -> Fate {
        self.hours = (self.hours + hours).min(COUNTED_HOURS);
        let per_day = |rate: f32| rate / HOURS_PER_DAY;
        let (on, death) = match self.stage {
            ColonyStage::Arrested => (rates.extravasation * self.wall, rates.arrested_death),
            ColonyStage::Solitary => (0.0, per_day(rates.solitary_death)),
            ColonyStage::Dormant => (per_day(rates.awakening), per_day(rates.dormant_death)),
            ColonyStage::Growing if self.hours > of.forming_hours => {
                let death = if self.is_switched {
                    of.switched_death_per_day
                } else {
                    rates.colony_death
                };
                (0.0, per_day(death))
            }
            _ => (0.0, 0.0),
        };
        self.death_per_hour = if is_apart { 0.0 } else { death };
        if self.stage == ColonyStage::Growing {
            let before = self.cells;
            if is_apart {
                self.grow_apart(hours, of, death, random);
            }
            return if before > 0 && self.cells == 0 {
                Fate::Dies
            } else {
                Fate::Stays
            };
        }
        let death = if is_apart { death } else { 0.0 };
        let (dice, which) = (random.uniform(), random.uniform());
        if dice < probability(on + death, hours) {
            if which * (on + death) >= on {
                return Fate::Dies;
            }
            if self.stage == ColonyStage::Arrested {
                *self = Self::at(ColonyStage::Crossed);
                return Fate::Crosses;
            }
            self.begin_to_grow(rates.switch, random);
            return Fate::Wakes;
        }
        match self.stage {
            ColonyStage::Crossed if self.hours >= of.settling_hours => {
                if random.chance(rates.growth) {
                    self.begin_to_grow(rates.switch, random);
                    return Fate::Grows;
                }
                *self = Self::at(ColonyStage::Solitary);
                Fate::Sleeps
            }
            ColonyStage::Solitary if self.hours >= of.solitary_days * HOURS_PER_DAY => {
                *self = Self::at(ColonyStage::Dormant);
                Fate::Stays
            }
            _ => Fate::Stays,
        }
    }

    fn begin_to_grow(&mut self, switch: f32, random: &mut Random) {
        *self = Self::at(ColonyStage::Growing);
        self.is_switched = random.chance(switch);
    }

    /// Lets the cells of a colony in an organ without a site divide and die.
    fn grow_apart(
        &mut self,
        hours: f32,
        of: &ColonisationParameters,
        death_per_hour: f32,
        random: &mut Random,
    ) {
        if self.hours <= of.forming_hours {
            return;
        }
        if self.hours - hours <= of.forming_hours {
            self.cells = of.colony_cells.round() as u32;
        }
        let division = of.division_per_day / HOURS_PER_DAY;
        let total = division + death_per_hour;
        if total <= 0.0 || self.cells == 0 {
            return;
        }
        // Since it has formed, if that was in this step.
        let mut left = hours.min(self.hours - of.forming_hours);
        if self.cells <= TOLD_APART {
            // Every division and every death at its own moment (Gillespie 1977, J Phys Chem 81:2340).
            while self.cells <= 2 * TOLD_APART {
                left -= random.exponential() / (total * self.cells as f32);
                if left <= 0.0 {
                    return;
                }
                if random.uniform() * total < division {
                    self.cells += 1;
                } else {
                    self.cells -= 1;
                }
                if self.cells == 0 {
                    return;
                }
            }
        }
        // Mean and spread of the same process for what is left of the step.
        let n = self.cells as f32;
        let grown = n * bevy::math::ops::exp((division - death_per_hour) * left);
        let spread = (n * total * left).sqrt() * random.normal();
        self.cells = ((grown + spread).round().max(0.0) as u32).min(MOST_CELLS);
    }
}

/// Colonies up to this size grow cell by cell.
const TOLD_APART: u32 = 200;

/// Lets lodged cells cross, die, sleep, grow and wake.
pub fn colonise(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    parameters: Res<PerType<ColonisationParameters>>,
    circulation: Res<Circulation>,
    ways: Ways,
    inputs: Regulated,
    (passages, notes, events, calls): (Res<Passages>, Res<Notes>, Res<EventBook>, Res<VesselCalls>),
    mut cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        &Voyage,
        Option<&Vital>,
        Option<&InVessel>,
        &mut Colonist,
    )>,
) {
    if circulation.get().is_none() {
        // Nobody lodges.
        return;
    }
    let (key, step, hours) = (*key, clock.step, clock.dt_hours());
    let parameters = &*parameters;
    let names = [
        EXTRAVASATION,
        ARRESTED_DEATH,
        GROWTH,
        SWITCH,
        SOLITARY_DEATH,
        DORMANT_DEATH,
        AWAKENING,
        COLONY_DEATH,
    ];
    let columns = names.map(|name| inputs.input(name));
    for (entities, ids, types, residents, positions, voyages, vitals, vessels, mut colonists) in
        cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let columns = columns.map(|column| column.in_table(entities));
        for_each_row_mut(colonists.bypass_change_detection(), |row, colonist| {
            if matches!(colonist.stage, ColonyStage::None | ColonyStage::Dead) {
                return;
            }
            let (cell, of, site, voyage) = (ids[row], types[row].0, residents[row].0, voyages[row]);
            let is_apart = site.is_transit();
            if is_apart && voyage.organ.is_none() {
                return;
            }
            let Some(parameters) = parameters.get(of) else {
                return;
            };
            if !is_alive(vitals.map(|vitals| &vitals[row])) {
                // A cell of a colony is one of many; of the others the journey ends here.
                if colonist.stage != ColonyStage::Growing {
                    notes.add(voyage.journey, cell, JourneyChange::Died);
                }
                *colonist = Colonist::at(ColonyStage::Dead);
                return;
            }
            let [
                extravasation,
                arrested_death,
                growth,
                switch,
                solitary_death,
                dormant_death,
                awakening,
                colony_death,
            ] = columns.each_ref().map(|column| column.at(row, of));
            let rates = LodgedRates {
                extravasation,
                arrested_death,
                growth,
                switch,
                solitary_death,
                dormant_death,
                awakening,
                colony_death,
            };
            let is_new = colonist.hours == 0.0 && colonist.stage == ColonyStage::Arrested;
            let is_inside = vessels.is_some_and(|vessels| vessels[row].is_inside());
            if colonist.stage == ColonyStage::Arrested {
                let organ = circulation.get().and_then(|circuit| {
                    let place = voyage.organ.map(usize::from);
                    circuit
                        .organs
                        .get(place.or_else(|| circuit.organ_of(site))?)
                });
                let (normal, crossing) = organ.map_or((1.0, 1.0), |of| (of.wall, of.crossing));
                let mut open = normal;
                if let Some(ways) = ways.of(site).filter(SiteWays::has_vessels) {
                    if is_new && vessels.is_some() && !is_inside {
                        calls.enter(cell, positions[row].0);
                    }
                    let door = ways.nearest(positions[row].0, WALL_UM);
                    open = door.map_or(normal, |door| door.permeability);
                }
                colonist.wall = crossing * open / normal;
            }
            let mut random = key.stream(cell, step, FATE);
            let fate = colonist.pass(hours, is_apart, parameters, &rates, &mut random);
            let tell = |kind: EventKind, change: JourneyChange| {
                notes.add(voyage.journey, cell, change);
                events.book(kind, cell, site, positions[row].0);
            };
            match fate {
                Fate::Stays => {}
                Fate::Crosses => {
                    tell(CROSSES, JourneyChange::Crossed);
                    if is_inside {
                        calls.leave(cell);
                    }
                }
                Fate::Sleeps => tell(SLEEPS, JourneyChange::Slept),
                Fate::Grows => tell(GROWS, JourneyChange::Grew),
                Fate::Wakes => tell(WAKES, JourneyChange::Woke),
                Fate::Dies => {
                    passages.remove(cell, entities[row], DIES_THERE, None);
                    notes.add(voyage.journey, cell, JourneyChange::Died);
                    *colonist = Colonist::at(ColonyStage::Dead);
                }
            }
            if is_apart && colonist.stage == ColonyStage::Growing && colonist.cells > 1 {
                let per_hour = parameters.shedding_per_day / HOURS_PER_DAY * colonist.cells as f32;
                let (mut left, mut shed) = (hours, 0);
                while per_hour > 0.0 && shed < MOST_SHED {
                    left -= random.exponential() / per_hour;
                    if left <= 0.0 {
                        break;
                    }
                    shed += 1;
                }
                if shed > 0 {
                    let organ = voyage.organ.and_then(|organ| {
                        circulation.get()?.organs.get(usize::from(organ))?.tissue
                    });
                    let voyage = Voyage {
                        entry: EntryRoute::from_organ(organ),
                        is_fresh: true,
                        companions: 1,
                        journey: voyage.journey,
                        ..Voyage::default()
                    };
                    let recruit = Recruit::new(of, SiteId::TRANSIT, Vec3::ZERO, SHED);
                    let recruit = recruit.by(cell).carrying(voyage);
                    passages.recruit_all((0..shed).map(|_| recruit.clone()));
                }
            }
        });
    }
}
