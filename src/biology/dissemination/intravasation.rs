//! Cells that enter the blood or the lymph (capability `intravasation`).
//!
//! A living cell whose centre lies within `reach_um` of the wall of a perfused vessel enters it at the rate
//!
//! `k_i = k_0 w`,
//!
//! the input `intravasation.rate`, `k_0`, being what rules make of it: EMT state, macrophages, proteases; and `w` how leaky that wall is, over the wall of a
//! tumour's vessel without pericytes (`leaky_wall`): it stands for `1 - m` of a vessel of the maturity `m`. Ten thousand viable cells a day leave a gram of tumour in a mouse (3e3-6e4, by what is found in blood; AMENDMENTS 3.15 of the
//! reference data). Where no vessels are drawn, the share `perivascular_share` of the cells is taken to lie at one, of which `unseen_wall` is `w`.
//!
//! Most leave alone. Each of the first `neighbours` cells that it is bound to joins it with `first_joins`, and once one has, each of the next with
//! `next_joins` times the input `intravasation.cohesion`, at most `most_joins`, up to `most_cells` in all: few clusters, of four cells on
//! average, and none of cells without E-cadherin, by which rules say what the cohesion is. They keep the bonds among them.
//!
//! Into lymph a cell goes alone, at the input `intravasation.lymph`, which is none unless rules raise it (CCL21 of lymphatics), times the input
//! `intravasation.ccr7`: how much of the receptor of CCL21 it carries. Where lymphatics are drawn it must lie within `reach_um` of an open one
//! ([`crate::cell::doors::lymph`]).

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::circuit::Circulation;
use super::circulation::{LODGES, Voyage};
use super::colonisation::{Colonist, ColonyStage};
use crate::cell::body::CellType;
use crate::cell::death::is_alive;
use crate::cell::doors::lymph::{LymphRoute, SiteLymphWays};
use crate::cell::doors::{InVessel, LymphWays, Ways};
use crate::cell::event::EventKind;
use crate::cell::mechanics::Bonds;
use crate::cell::movement::SiteMechanics;
use crate::cell::turnover::{Departure, Passages};
use crate::cell::{Position, Resident, Vital};
use crate::core::inbox::Inbox;
use crate::core::input::Regulated;
use crate::core::parallel::{IN_TABLES, for_each_row};
use crate::core::parameters::{Limits, Parameters, PerType};
use crate::core::random::{Random, probability};
use crate::core::units::MINUTES_PER_DAY;
use crate::core::{CellId, Clock, Purpose, RandomKey};
use crate::tissue::{SiteId, Sites};

/// How cells of a type enter vessels (capability `intravasation`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct IntravasationParameters {
    /// Rate at which a cell at a leaky wall enters the blood, `k_0`, 1/d; 1.9e-3. Calibrated to 1e4 cells a day and gram.
    pub per_day: f32,
    /// How near the wall that is, of a vessel or of a lymphatic, um; 10.
    pub reach_um: f32,
    /// Permeability of a wall without pericytes, over a normal capillary; 10, as vessels of tumours.
    pub leaky_wall: f32,
    /// Share of the cells that lie at a wall where no vessels are drawn; 0.063: those within 10 um of capillaries of 100 /mm2.
    pub perivascular_share: f32,
    /// How leaky such a wall is, over one without pericytes; 0.75.
    pub unseen_wall: f32,
    /// Bound neighbours that may join a cell; those that join ask one less. 3.
    pub neighbours: u32,
    /// Probability that a bound neighbour joins a cell that leaves; 0.013. Calibrated to 2-5 % of clusters (Aceto et al. 2014).
    pub first_joins: f32,
    /// The same once one has joined, at a cohesion of 1; 0.35. Calibrated to four cells a cluster.
    pub next_joins: f32,
    /// Most of that, however strongly cells hold on to each other; 0.35: with two asked each, clusters of four cells on average. From 0.5 on, a chain would go on for ever.
    pub most_joins: f32,
    /// Cohesion without any rule; 1: hybrid cells.
    pub cohesion: f32,
    /// Most cells of a cluster; 10.
    pub most_cells: u32,
    /// Rate at which a cell with the CCR7 of a mesenchymal one enters lymph near a lymphatic, or anywhere where none is drawn, 1/d; 0 without a rule.
    pub lymph_per_day: f32,
    /// CCR7 on a cell without any rule, over that of a mesenchymal one; 1.
    pub ccr7: f32,
}

impl Default for IntravasationParameters {
    fn default() -> Self {
        Self {
            per_day: 1.9e-3,
            reach_um: 10.0,
            leaky_wall: 10.0,
            perivascular_share: 0.063,
            unseen_wall: 0.75,
            neighbours: 3,
            first_joins: 0.013,
            next_joins: 0.35,
            most_joins: 0.35,
            cohesion: 1.0,
            most_cells: 10,
            lymph_per_day: 0.0,
            ccr7: 1.0,
        }
    }
}

impl Parameters for IntravasationParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "per_day" | "lymph_per_day" => Limits {
                min: 0.0,
                max: 1.0e6,
            },
            "reach_um" => Limits {
                min: 0.0,
                max: 200.0,
            },
            "neighbours" => Limits {
                min: 0.0,
                max: 30.0,
            },
            "most_cells" => Limits {
                min: 1.0,
                max: 100.0,
            },
            "leaky_wall" => Limits {
                min: 0.01,
                max: 1.0e3,
            },
            "cohesion" | "ccr7" => Limits {
                min: 0.0,
                max: 100.0,
            },
            _ => Limits::FRACTION,
        }
    }
}

/// A cell entered the blood; the other is the one that led its cluster.
pub const ENTERS: EventKind = EventKind::of("intravasation.enters");
/// A cell entered the lymph.
pub const ENTERS_LYMPH: EventKind = EventKind::of("intravasation.enters_lymph");
/// A cell entered the lymph, and left the tissues of the scene with it.
pub const LEAVES_BY_LYMPH: EventKind = EventKind::of("intravasation.leaves_by_lymph");

/// How cells travel with lymph: the blood of the body carries them on.
pub(super) const BY_LYMPH: LymphRoute = LymphRoute {
    enters: ENTERS_LYMPH,
    arrives: LODGES,
    leaves: LEAVES_BY_LYMPH,
    depth: LymphRoute::ANYWHERE,
};

/// The inputs.
pub(super) const RATE: &str = "intravasation.rate";
pub(super) const COHESION: &str = "intravasation.cohesion";
pub(super) const LYMPH: &str = "intravasation.lymph";
pub(super) const CCR7: &str = "intravasation.ccr7";

/// Whether a cell enters.
pub(super) const ENTRY: Purpose = Purpose::of("intravasation.entry");
/// Who joins it.
pub(super) const JOINING: Purpose = Purpose::of("intravasation.joining");

/// Leakiest wall that is told apart, over one without pericytes.
const MOST_OPEN: f32 = 2.0;
/// A cell that enters the blood.
#[derive(Clone, Copy, Debug)]
pub struct Leader {
    cell: CellId,
    entity: Entity,
    site: SiteId,
    cell_type: u16,
    cohesion: f32,
}

/// Those of a step.
#[derive(Resource, Debug, Default)]
pub struct Leaders(Inbox<Vec<Leader>>);

/// The components of cells that may enter.
type Candidate = (
    Entity,
    &'static CellId,
    &'static CellType,
    &'static Resident,
    &'static Position,
    &'static Voyage,
    Option<&'static Vital>,
    Option<&'static Colonist>,
    Option<&'static InVessel>,
);

/// Finds the cells that enter the blood in this step, and asks that those leave that enter the lymph.
pub fn enter_vessels(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    parameters: Res<PerType<IntravasationParameters>>,
    circulation: Res<Circulation>,
    (ways, by_lymph): (Ways, LymphWays),
    inputs: Regulated,
    (passages, leaders): (Res<Passages>, Res<Leaders>),
    cells: Query<Candidate>,
) {
    if circulation.get().is_none() {
        return;
    }
    let (key, step, days) = (
        *key,
        clock.step,
        clock.dt_minutes() / MINUTES_PER_DAY as f32,
    );
    let parameters = &*parameters;
    let [rate, cohesion, lymph, ccr7] =
        [RATE, COHESION, LYMPH, CCR7].map(|name| inputs.input(name));
    for (entities, ids, types, residents, positions, _, vitals, colonists, vessels) in
        cells.contiguous_iter().expect(IN_TABLES)
    {
        let [rate, cohesion, lymph, ccr7] =
            [rate, cohesion, lymph, ccr7].map(|input| input.in_table(entities));
        for_each_row(ids.len(), |row| {
            let (cell, of, site) = (ids[row], types[row].0, residents[row].0);
            let Some(parameters) = parameters.get(of).filter(|_| !site.is_transit()) else {
                return;
            };
            let mut random = key.stream(cell, step, ENTRY);
            let per_day = rate.at(row, of);
            let enters = random.chance(probability(per_day * MOST_OPEN, days));
            let lymph = lymph.at(row, of) * ccr7.at(row, of);
            let enters_lymph = lymph > 0.0 && random.chance(probability(lymph, days));
            if !enters && !enters_lymph {
                return;
            }
            let is_free = colonists.is_none_or(|colonists| {
                matches!(
                    colonists[row].stage,
                    ColonyStage::None | ColonyStage::Growing
                )
            }) && vessels.is_none_or(|vessels| !vessels[row].is_inside());
            if !is_free || !is_alive(vitals.map(|vitals| &vitals[row])) {
                return;
            }
            let at_um = positions[row].0;
            let is_near =
                |of: SiteLymphWays| !of.are_drawn() || of.is_near(at_um, parameters.reach_um);
            if enters_lymph && by_lymph.of(site).is_some_and(is_near) {
                by_lymph.take(&passages, &BY_LYMPH, (cell, entities[row], of));
                return;
            }
            let Some(ways) = ways.of(site).filter(|_| enters) else {
                return;
            };
            let open = if ways.has_vessels() {
                let door = ways.nearest(at_um, parameters.reach_um);
                door.map_or(0.0, |door| door.permeability / parameters.leaky_wall)
            } else {
                parameters.perivascular_share * parameters.unseen_wall
            };
            // The draw above was for the easiest wall there can be.
            let at_most = probability(per_day * MOST_OPEN, days);
            let at_this = probability(per_day * open.min(MOST_OPEN), days);
            if random.chance(at_this / at_most) {
                leaders.0.add(|leaders| {
                    leaders.push(Leader {
                        cell,
                        entity: entities[row],
                        site,
                        cell_type: of,
                        cohesion: cohesion.at(row, of),
                    });
                });
            }
        });
    }
}

/// Who leaves with a leader, herself first: by the two-step rule, among living cells that are bound to each other and not `taken`.
pub fn cluster_of(
    leader: CellId,
    cohesion: f32,
    bonds: &Bonds,
    of: &IntravasationParameters,
    random: &mut Random,
    mut may_join: impl FnMut(CellId) -> bool,
) -> Vec<CellId> {
    let mut cluster = vec![leader];
    let first = of.first_joins * cohesion.clamp(0.0, 1.0);
    let next = (of.next_joins * cohesion.max(0.0)).min(of.most_joins);
    let most = of.most_cells as usize;
    let mut asking = 0;
    while asking < cluster.len() && cluster.len() < most {
        let cell = cluster[asking];
        let (chance, asked) = if asking == 0 {
            (first, of.neighbours)
        } else {
            (next, of.neighbours.saturating_sub(1))
        };
        asking += 1;
        let mut left = asked;
        let mut last = None;
        for partner in bonds.of(cell).map(|bond| bond.partner_of(cell)) {
            if left == 0 || cluster.len() >= most {
                break;
            }
            // Two cells may be bound in several ways.
            if last.replace(partner) == Some(partner) || cluster.contains(&partner) {
                continue;
            }
            left -= 1;
            if random.chance(chance) && may_join(partner) {
                cluster.push(partner);
            }
        }
    }
    cluster
}

/// Asks that the cells found leave, with those that join them.
pub fn leave_with_others(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    parameters: Res<PerType<IntravasationParameters>>,
    sites: Res<Sites>,
    mechanics: Query<&SiteMechanics>,
    passages: Res<Passages>,
    mut leaders: ResMut<Leaders>,
    cells: Query<Candidate>,
    mut known: Local<Vec<(CellId, Entity)>>,
) {
    let leaders = leaders.0.taken();
    if leaders.is_empty() {
        return;
    }
    leaders.sort_unstable_by_key(|leader| leader.cell);
    known.clear();
    let mut taken: Vec<CellId> = leaders.iter().map(|leader| leader.cell).collect();
    for leader in leaders.drain(..) {
        let alone = Departure::of(leader.cell, leader.entity, ENTERS);
        let bonds = sites.find(leader.site).and_then(|site| {
            let mechanics = mechanics.get(site.entity).ok()?;
            Some(&mechanics.bonds)
        });
        let (Some(bonds), Some(of)) = (bonds, parameters.get(leader.cell_type)) else {
            passages.depart(alone);
            continue;
        };
        if !bonds.binds(leader.cell) {
            passages.depart(alone);
            continue;
        }
        let mut random = key.stream(leader.cell, clock.step, JOINING);
        let cluster = cluster_of(
            leader.cell,
            leader.cohesion,
            bonds,
            of,
            &mut random,
            |cell| {
                if known.is_empty() {
                    // Somebody joins hardly ever: only then everybody is looked up.
                    let able = cells.iter().filter(|(.., vital, colonist, vessel)| {
                        is_alive(*vital)
                            && colonist.is_none_or(|of| !of.stage.is_asleep())
                            && vessel.is_none_or(|of| !of.is_inside())
                    });
                    known.extend(able.map(|(entity, id, ..)| (*id, entity)));
                    known.sort_unstable();
                }
                let is_able = known.binary_search_by_key(&cell, |(id, _)| *id).is_ok();
                match taken.binary_search(&cell) {
                    Err(at) if is_able => {
                        taken.insert(at, cell);
                        true
                    }
                    _ => false,
                }
            },
        );
        if cluster.len() < 2 {
            passages.depart(alone);
            continue;
        }
        passages.depart(alone.by(leader.cell));
        for cell in &cluster[1..] {
            if let Ok(at) = known.binary_search_by_key(cell, |(id, _)| *id) {
                let departure = Departure::of(*cell, known[at].1, ENTERS);
                passages.depart(departure.by(leader.cell));
            }
        }
    }
}
