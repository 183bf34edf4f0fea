//! Ways into lymph, for whoever leaves a tissue with it: dendritic cells, cells that touch a lymphatic, cancer cells that spread.
//!
//! A module asks with the system parameter [`LymphWays`], as it asks for ways into blood with [`Ways`]:
//!
//! - **where**: at open lymphatics where a site has some drawn, which their module puts into [`SiteLymph`] before `Act`, and at no other place there; where it
//!   has none drawn they are taken to go where the blood vessels do, so that its [`Ways`] stand for them;
//! - **to which site**: to the lymph node of the scene, the first site that is part of that organ. Out of a lymph node no way into lymph is told;
//! - **how long** that takes: `lymph.journey_hours`.
//!
//! [`LymphWays::take`] lets a cell set out by a [`LymphRoute`], and [`leave_lymph`] lets it come out in the node when its time has come. Cells of those types
//! that the circulation of a body carries ([`CarriedByBlood`]) are left to it. Who would come to no node is gone.
//!
//! [`leave_lymph`] runs among the decisions of `Act`.

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::{SiteWays, Ways};
use crate::cell::death::is_alive;
use crate::cell::event::EventKind;
use crate::cell::turnover::{Arrival, Departure, Passages, Transit, Traveller};
use crate::cell::{ActSystems, Body, CellType, Vital, order_act};
use crate::core::clones::Clones;
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::parameters::{Limits, Parameters, RegisterParameters};
use crate::core::random::Random;
use crate::core::state::RegisterState;
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule};
use crate::tissue::{Organ, SiteId, Sites, TissueBlock};

/// How cells travel with lymph, the same in all tissues (group `lymph`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct LymphParameters {
    /// Time from its tissue to the lymph node, h; 12. Assumed: dendritic cells that migrate appear in nodes after half a day to a day.
    pub journey_hours: f32,
}

impl Default for LymphParameters {
    fn default() -> Self {
        Self {
            journey_hours: 12.0,
        }
    }
}

impl Parameters for LymphParameters {
    fn limits(_: &str) -> Limits {
        Limits {
            min: 0.0,
            max: 1.0e3,
        }
    }
}

/// A piece of an open lymphatic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenLymphatic {
    /// Both ends of its axis, um.
    pub ends_um: [Vec3; 2],
    /// Radius of its lumen, um.
    pub radius_um: f32,
}

impl OpenLymphatic {
    /// How far a point is from its wall, um; negative inside of it.
    fn away_um(&self, point: Vec3) -> f32 {
        let [from, to] = self.ends_um;
        let axis = to - from;
        let along = (point - from).dot(axis) / axis.length_squared().max(1.0e-12);
        point.distance(from + axis * along.clamp(0.0, 1.0)) - self.radius_um
    }
}

/// The open lymphatics of a site that has lymphatics drawn; a component of it.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct SiteLymph(pub Vec<OpenLymphatic>);

/// How some cells travel with lymph: what is told of them, and where in the node they then are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LymphRoute {
    /// That one entered: a departure.
    pub enters: EventKind,
    /// That it came out in the lymph node: an arrival.
    pub arrives: EventKind,
    /// That it is gone with the lymph, which leads to no site: a removal.
    pub leaves: EventKind,
    /// How deep under the capsule they come to lie, as a share of the width of the node: [`Self::SINUS`] or [`Self::ANYWHERE`].
    pub depth: f32,
}

impl LymphRoute {
    /// Under the capsule, where afferent lymph comes in. Assumed.
    pub const SINUS: f32 = 0.15;
    /// All over the node.
    pub const ANYWHERE: f32 = 0.5;

    /// A place in the node for a body of that radius: within the depth of the faces across x and y.
    fn place_um(&self, node: &TissueBlock, radius_um: f32, random: &mut Random) -> Vec3 {
        let inset = Vec3::splat(2.0 * radius_um);
        let low = node.min_um + inset;
        let size = (node.max_um() - inset - low).max(Vec3::ZERO);
        let [a, b, c, d] = [(); 4].map(|()| random.uniform());
        let rim = self.depth * c;
        let across = if b < 0.5 { rim } else { 1.0 - rim };
        let place = if a < 0.5 {
            Vec3::new(2.0 * a, across, d)
        } else {
            Vec3::new(across, 2.0 * a - 1.0, d)
        };
        low + size * place
    }
}

/// All routes that modules have registered.
#[derive(Resource, Clone, Debug, Default)]
pub struct LymphRoutes(Vec<LymphRoute>);

impl LymphRoutes {
    /// The route by which one travels that left so.
    pub fn of(&self, enters: EventKind) -> Option<&LymphRoute> {
        self.0.iter().find(|route| route.enters == enters)
    }

    /// Whether an event tells that a cell entered lymph.
    pub fn is_entry(&self, kind: EventKind) -> bool {
        let mut routes = self.0.iter();
        routes.any(|route| [route.enters, route.leaves].contains(&kind))
    }
}

/// Cell types that the circulation of a body carries, by index, as its module says: it lets them come out of lymph as well.
#[derive(Resource, Clone, Debug, Default)]
pub struct CarriedByBlood(pub Vec<bool>);

/// Asks for ways into lymph.
#[derive(SystemParam)]
pub struct LymphWays<'w, 's> {
    ways: Ways<'w, 's>,
    of_sites: Query<'w, 's, (Option<&'static SiteLymph>, Option<&'static Organ>)>,
    parameters: Res<'w, LymphParameters>,
    carried: Res<'w, CarriedByBlood>,
    clones: Option<Res<'w, Clones>>,
}

impl LymphWays<'_, '_> {
    /// Those of a site; none of a lymph node, and of a number that no site has.
    pub fn of(&self, site: SiteId) -> Option<SiteLymphWays<'_>> {
        let ways = self.ways.of(site)?;
        let entity = self.ways.sites.find(site)?.entity;
        let (drawn, organ) = self.of_sites.get(entity).unwrap_or((None, None));
        (!is_node(organ)).then_some(SiteLymphWays { drawn, ways })
    }

    /// The site to which lymph leads, if there is one.
    pub fn node(&self) -> Option<SiteId> {
        let mut sites = self.ways.sites.list.iter();
        let node = sites.position(|site| {
            let of = self.of_sites.get(site.entity);
            of.is_ok_and(|(_, organ)| is_node(organ))
        });
        node.map(|number| SiteId(number as u16))
    }

    /// Whether a traveller has been on the way for as long as it takes to the node.
    pub fn has_come(&self, traveller: &Traveller, clock: &Clock) -> bool {
        let steps = clock.step.saturating_sub(traveller.since_step);
        steps as f32 * clock.dt_hours() >= self.parameters.journey_hours
    }

    fn is_carried(&self, cell_type: u16) -> bool {
        let clones = self.clones.as_deref();
        let cell_type = clones.map_or(cell_type, |clones| clones.type_of(cell_type));
        let carried = self.carried.0.get(usize::from(cell_type));
        carried.is_some_and(|is| *is)
    }

    /// Asks that a cell of that type enter lymph: that it set out, or be gone where lymph leads to no site and nobody carries it.
    pub fn take(
        &self,
        passages: &Passages,
        route: &LymphRoute,
        (cell, entity, cell_type): (CellId, Entity, u16),
    ) {
        if self.is_carried(cell_type) || self.node().is_some() {
            passages.depart(Departure::of(cell, entity, route.enters));
        } else {
            passages.remove(cell, entity, route.leaves, None);
        }
    }
}

/// What makes a site a lymph node.
fn is_node(organ: Option<&Organ>) -> bool {
    organ == Some(&Organ::LymphNode)
}

/// The ways into lymph of one site.
#[derive(Debug)]
pub struct SiteLymphWays<'a> {
    drawn: Option<&'a SiteLymph>,
    ways: SiteWays<'a>,
}

impl SiteLymphWays<'_> {
    /// Whether lymphatics are drawn in the site, so that there is no way but by them.
    pub const fn are_drawn(&self) -> bool {
        self.drawn.is_some()
    }

    /// Whether a way is no further from a point than so many um.
    pub fn is_near(&self, from_um: Vec3, within_um: f32) -> bool {
        self.drawn.map_or_else(
            || self.ways.nearest(from_um, within_um).is_some(),
            |drawn| {
                let mut open = drawn.0.iter();
                open.any(|of| of.away_um(from_um) <= within_um)
            },
        )
    }
}

/// Those whose time has come arrive in the lymph node.
pub fn leave_lymph(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    (lymph, routes): (LymphWays, Res<LymphRoutes>),
    (passages, transit, sites): (Res<Passages>, Res<Transit>, Res<Sites>),
    cells: Query<(&CellType, &Body, Option<&Vital>)>,
) {
    if transit.is_empty() {
        return;
    }
    let Some(to) = lymph.node() else { return };
    let Some(node) = sites.find(to) else { return };
    for traveller in transit.iter() {
        let route = routes.of(traveller.kind);
        let Some(route) = route.filter(|_| lymph.has_come(traveller, &clock)) else {
            continue;
        };
        let Ok((cell_type, body, vital)) = cells.get(traveller.entity) else {
            continue;
        };
        if is_alive(vital) && !lymph.is_carried(cell_type.0) {
            let mut random = key.stream(traveller.cell, clock.step, PLACE);
            let at_um = route.place_um(&node.block, body.radius_um, &mut random);
            passages.arrive(Arrival::of(traveller.cell, to, at_um, route.arrives));
        }
    }
}

/// Where in the node one comes out.
const PLACE: Purpose = Purpose::of("cell.doors.lymph");

/// Registration, from a module's plugin.
pub trait RegisterLymphRoute {
    /// Registers how cells travel with lymph; the events that tell of it are registered as others are.
    ///
    /// # Panics
    /// When another route is entered by the same event.
    fn register_lymph_route(&mut self, route: LymphRoute) -> &mut Self;
}

impl RegisterLymphRoute for App {
    fn register_lymph_route(&mut self, route: LymphRoute) -> &mut Self {
        let mut routes = self.world_mut().get_resource_or_init::<LymphRoutes>();
        match routes.of(route.enters) {
            None => routes.0.push(route),
            Some(known) => assert!(
                *known == route,
                "there are two routes that are entered by `{}`",
                route.enters.name()
            ),
        }
        self
    }
}

/// Registers ways into lymph, and those who come out of it.
pub(super) fn register(app: &mut App) {
    order_act(app);
    app.register_group::<LymphParameters>("lymph")
        .init_resource::<LymphRoutes>()
        .init_resource::<CarriedByBlood>()
        .init_resource::<Transit>()
        .declare_remade::<LymphRoutes>("a list of what the program knows")
        .declare_remade::<CarriedByBlood>("made from the scene")
        .declare_remade::<SiteLymph>("filled from what its module keeps")
        .register_purpose(PLACE)
        .while_in_transit(leave_lymph, InTransit::Runs, "it is about those on the way")
        .add_systems(SimSchedule, leave_lymph.in_set(ActSystems::Walk));
}
