//! What modules ask of `Turnover`: that cells come and go.
//!
//! A system takes [`Passages`] as `Res<Passages>` and asks, from any thread and in any order, in any stage before
//! `Turnover`: that a cell divide, that one be removed, that new ones be recruited, that one leave its site for transit,
//! that one in transit arrive somewhere. Each request names its reason, a kind of event that was registered for it with
//! [`RegisterEvent::register_passage`](crate::cell::event::RegisterEvent::register_passage); when it is carried out, an
//! event of that kind is told. Requests are put in an order that depends on nothing but what they say.
//!
//! What cannot be carried out because the tissue went another way in the same step is dropped: a cell that is removed
//! goes nowhere, and of several departures of one cell the first by name of its kind counts. What never made sense, such
//! as a recruit of no known type or outside its site, stops the run with a message, see [`Refused`](crate::core::invariant::Refused).

use std::cmp::Ordering;

use bevy::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cell::EventKind;
use crate::core::CellId;
use crate::core::carried::Carried;
use crate::core::inbox::Inbox;
use crate::tissue::SiteId;

/// A new cell that comes from elsewhere: marrow, blood, a syringe.
#[derive(Clone, Debug)]
pub struct Recruit {
    pub(super) kind: EventKind,
    pub(super) cell_type: u16,
    pub(super) site: SiteId,
    pub(super) at_um: Vec3,
    pub(super) by: Option<CellId>,
    pub(super) carried: Carried,
}

impl Recruit {
    /// A cell of the type of that index in [`CellTypeNames`](crate::core::parameters::CellTypeNames), at a place in um
    /// inside a site; `kind` says why and was registered with [`Passage::Recruitment`](crate::cell::event::Passage). It
    /// begins as cells do that are put into a scene, in a random state of its life. It may come
    /// straight into the blood: [`SiteId::TRANSIT`], where the place does not count.
    pub fn new(cell_type: u16, site: SiteId, at_um: Vec3, kind: EventKind) -> Self {
        Self {
            kind,
            cell_type,
            site,
            at_um,
            by: None,
            carried: Carried::default(),
        }
    }

    /// Called by a cell, which the event names.
    #[must_use]
    pub const fn by(mut self, cell: CellId) -> Self {
        self.by = Some(cell);
        self
    }

    /// With a component in this state instead of the one it would begin with.
    #[must_use]
    pub fn carrying<C>(mut self, component: C) -> Self
    where
        C: Component + Serialize + DeserializeOwned,
    {
        self.carried.add(&component);
        self
    }

    fn order(&self, other: &Self) -> Ordering {
        let key = |of: &Self| {
            let bits = of.at_um.to_array().map(f32::to_bits);
            (of.kind.name(), of.site, of.cell_type, bits, of.by)
        };
        key(self)
            .cmp(&key(other))
            .then_with(|| self.carried.order(&other.carried))
    }
}

/// A cell that leaves its site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Departure {
    pub(super) kind: EventKind,
    pub(super) cell: CellId,
    pub(super) entity: Entity,
    pub(super) by: Option<CellId>,
    pub(super) with_bonded: bool,
}

impl Departure {
    /// A cell, given with its entity, leaves for transit; `kind` says how and was registered with
    /// [`Passage::Departure`](crate::cell::event::Passage).
    /// Its bonds to cells that do not leave in the same step are cut.
    pub const fn of(cell: CellId, entity: Entity, kind: EventKind) -> Self {
        Self {
            kind,
            cell,
            entity,
            by: None,
            with_bonded: false,
        }
    }

    /// All cells that are bound to it, to these and so on leave with it, and keep their bonds.
    #[must_use]
    pub const fn with_bonded(mut self) -> Self {
        self.with_bonded = true;
        self
    }

    /// Let through by a cell, which the event names.
    #[must_use]
    pub const fn by(mut self, cell: CellId) -> Self {
        self.by = Some(cell);
        self
    }

    fn key(&self) -> impl Ord + use<> {
        (self.cell, self.kind.name(), !self.with_bonded, self.by)
    }
}

/// A cell in transit that comes into a site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    pub(super) kind: EventKind,
    pub(super) cell: CellId,
    pub(super) to: SiteId,
    pub(super) at_um: Vec3,
    pub(super) by: Option<CellId>,
    pub(super) with_bonded: bool,
}

impl Arrival {
    /// A cell comes from transit into a site, its centre at a place in um inside it; `kind` says how and was registered
    /// with [`Passage::Arrival`](crate::cell::event::Passage). A cell that leaves a site in the same step may arrive at
    /// once. Its bonds to cells that stay in transit are cut.
    pub const fn of(cell: CellId, to: SiteId, at_um: Vec3, kind: EventKind) -> Self {
        Self {
            kind,
            cell,
            to,
            at_um,
            by: None,
            with_bonded: false,
        }
    }

    /// All cells that are bound to it, to these and so on arrive with it and keep their bonds. They lie about each other
    /// as they did when they left, if they left together, with the middle of all at the place.
    #[must_use]
    pub const fn with_bonded(mut self) -> Self {
        self.with_bonded = true;
        self
    }

    /// Held by a cell, which the event names.
    #[must_use]
    pub const fn by(mut self, cell: CellId) -> Self {
        self.by = Some(cell);
        self
    }

    fn key(&self) -> impl Ord + use<> {
        let bits = self.at_um.to_array().map(f32::to_bits);
        let kind = self.kind.name();
        (self.cell, kind, self.to, bits, !self.with_bonded, self.by)
    }
}

/// A cell that is removed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Removal {
    pub kind: EventKind,
    pub cell: CellId,
    pub entity: Entity,
    pub by: Option<CellId>,
}

/// All that is asked for in a step, in order once [`Asked::put_in_order`] was called.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub divisions: Vec<(CellId, Entity)>,
    pub removals: Vec<Removal>,
    pub recruits: Vec<Recruit>,
    pub departures: Vec<Departure>,
    pub arrivals: Vec<Arrival>,
}

impl Asked {
    /// Puts the requests in order and keeps one of a kind for each cell.
    pub fn put_in_order(&mut self) {
        self.divisions.sort_unstable();
        self.divisions.dedup_by_key(|(cell, _)| *cell);
        self.removals
            .sort_unstable_by_key(|removal| (removal.cell, removal.kind.name(), removal.by));
        self.removals.dedup_by_key(|removal| removal.cell);
        // Those that are equal in all respects are the same.
        self.recruits.sort_unstable_by(Recruit::order);
        self.departures.sort_unstable_by_key(Departure::key);
        self.departures.dedup_by_key(|departure| departure.cell);
        self.arrivals.sort_unstable_by_key(Arrival::key);
        self.arrivals.dedup_by_key(|arrival| arrival.cell);
    }

    /// Whether nothing is asked for.
    pub const fn is_empty(&self) -> bool {
        self.divisions.is_empty()
            && self.removals.is_empty()
            && self.recruits.is_empty()
            && self.departures.is_empty()
            && self.arrivals.is_empty()
    }

    /// Forgets all, and keeps the memory.
    pub fn clear(&mut self) {
        self.divisions.clear();
        self.removals.clear();
        self.recruits.clear();
        self.departures.clear();
        self.arrivals.clear();
    }
}

/// Where systems ask for cells to come and go.
#[derive(Resource, Debug, Default)]
pub struct Passages(Inbox<Asked>);

impl Passages {
    /// Asks that a cell, given with its entity, divide. A cell with a cycle does so of itself.
    pub fn divide(&self, cell: CellId, entity: Entity) {
        self.0.add(|asked| asked.divisions.push((cell, entity)));
    }

    /// Asks that a cell, given with its entity, be removed; `kind` says why and was registered with
    /// [`Passage::Removal`](crate::cell::event::Passage). The event names who did it, if anybody.
    pub fn remove(&self, cell: CellId, entity: Entity, kind: EventKind, by: Option<CellId>) {
        let removal = Removal {
            kind,
            cell,
            entity,
            by,
        };
        self.0.add(|asked| asked.removals.push(removal));
    }

    /// Asks for a new cell.
    pub fn recruit(&self, recruit: Recruit) {
        self.0.add(|asked| asked.recruits.push(recruit));
    }

    /// Asks for new cells, taking the lock once.
    pub fn recruit_all(&self, recruits: impl IntoIterator<Item = Recruit>) {
        self.0.add(|asked| asked.recruits.extend(recruits));
    }

    /// Asks that a cell leave its site for transit.
    pub fn depart(&self, departure: Departure) {
        self.0.add(|asked| asked.departures.push(departure));
    }

    /// Asks that a cell in transit come into a site.
    pub fn arrive(&self, arrival: Arrival) {
        self.0.add(|asked| asked.arrivals.push(arrival));
    }

    /// Whether nothing is asked for that was not carried out.
    pub(super) fn is_empty(&self) -> bool {
        self.0.look(Asked::is_empty)
    }

    /// Exchanges what was asked for with an empty list, so that memory is used again.
    pub(super) fn hand_over(&mut self, empty: &mut Asked) {
        std::mem::swap(self.0.taken(), empty);
    }
}
