//! Events: what happens to a cell at a moment. A module declares its kinds as constants and registers them; its
//! systems book them in the [`EventBook`], and `Turnover` puts those of a step in order, as [`StepEvents`].

use bevy::prelude::*;

use crate::core::CellId;
use crate::core::inbox::Inbox;
use crate::core::state::RegisterState;
use crate::tissue::SiteId;

/// Kind of an event, by its name in `events.csv`. A name is never changed: files of earlier runs tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventKind(&'static str);

impl EventKind {
    /// The kind of that name, such as `division`; those of others than the shipped modules begin with their module's,
    /// as in `sparkle.flash`.
    pub const fn of(name: &'static str) -> Self {
        Self(name)
    }

    /// Name in `events.csv`.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// How a cell comes or goes with an event: what `--verify` keeps the balance of cells by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Passage {
    /// It is one of the two that a division leaves.
    Birth,
    /// It is new in the tissue, of no mother there.
    Recruitment,
    /// It leaves its site for transit.
    Departure,
    /// It comes from transit into a site.
    Arrival,
    /// It is removed.
    Removal,
}

#[derive(Clone, Copy, Debug)]
struct KnownKind {
    kind: EventKind,
    about: &'static str,
    passage: Option<Passage>,
}

/// All registered kinds, each with a sentence about it, in the order of registration.
#[derive(Resource, Clone, Debug, Default)]
pub struct EventKinds(Vec<KnownKind>);

impl EventKinds {
    /// Each kind and what it says.
    pub fn iter(&self) -> impl Iterator<Item = (EventKind, &'static str)> + '_ {
        self.0.iter().map(|known| (known.kind, known.about))
    }

    /// How a cell comes or goes with an event of a kind; not at all for most.
    pub fn passage(&self, kind: EventKind) -> Option<Passage> {
        let mut known = self.0.iter();
        known.find(|known| known.kind == kind)?.passage
    }

    /// The registered kind of that name.
    pub fn named(&self, name: &str) -> Option<EventKind> {
        let mut known = self.iter();
        known.find_map(|(kind, _)| (kind.name() == name).then_some(kind))
    }

    /// Where a kind stands among events of one cell and step: those by which it comes or goes last, in the order in
    /// which that can happen.
    fn rank(&self, kind: EventKind) -> (Option<Passage>, usize) {
        let known = self.0.iter().position(|known| known.kind == kind);
        let passage = known.and_then(|place| self.0[place].passage);
        (passage, known.unwrap_or(self.0.len()))
    }
}

/// Registration, from a module's plugin.
pub trait RegisterEvent {
    /// Registers a kind of event. Of several events of one cell in one step, those of the kind registered first are
    /// told first.
    ///
    /// # Panics
    /// When another module has registered that name.
    fn register_event(&mut self, kind: EventKind, about: &'static str) -> &mut Self;
    /// Registers a kind of event with which a cell comes or goes, as a reason that can be given to
    /// [`super::turnover::Passages`].
    ///
    /// # Panics
    /// When another module has registered that name.
    fn register_passage(
        &mut self,
        kind: EventKind,
        passage: Passage,
        about: &'static str,
    ) -> &mut Self;
}

fn register(app: &mut App, known: KnownKind) {
    app.init_resource::<EventKinds>()
        .init_resource::<EventBook>()
        .declare_remade::<EventKinds>("a list of what the program knows")
        .declare_remade::<EventBook>("handed on in every `Turnover`");
    let mut kinds = app.world_mut().resource_mut::<EventKinds>();
    assert!(
        kinds.named(known.kind.name()).is_none(),
        "there are two kinds of event called `{}`",
        known.kind.name()
    );
    kinds.0.push(known);
}

impl RegisterEvent for App {
    fn register_event(&mut self, kind: EventKind, about: &'static str) -> &mut Self {
        let passage = None;
        register(
            self,
            KnownKind {
                kind,
                about,
                passage,
            },
        );
        self
    }

    fn register_passage(
        &mut self,
        kind: EventKind,
        passage: Passage,
        about: &'static str,
    ) -> &mut Self {
        let passage = Some(passage);
        register(
            self,
            KnownKind {
                kind,
                about,
                passage,
            },
        );
        self
    }
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventRecord {
    /// Steps completed when it is in force.
    pub step: u64,
    /// Where.
    pub site: SiteId,
    /// What.
    pub kind: EventKind,
    /// To which cell.
    pub cell: CellId,
    /// The other cell that has part in it: the mother of a daughter, who killed or called it, the partner of a bond.
    pub other: Option<CellId>,
    /// Centre of the cell, um.
    pub position_um: Vec3,
}

/// The events of the last step, by cell and then kind.
#[derive(Resource, Clone, Debug, Default)]
pub struct StepEvents(pub Vec<EventRecord>);

/// Where systems book what happens to cells, from any thread and in any order.
///
/// A system takes it as `Res<EventBook>`, so that several can book in the same stage. What is booked before `Turnover`
/// counts among the events of the step.
#[derive(Resource, Debug, Default)]
pub struct EventBook(Inbox<Vec<Booked>>);

#[derive(Clone, Copy, Debug)]
struct Booked {
    kind: EventKind,
    cell: CellId,
    other: Option<CellId>,
    site: SiteId,
    position_um: Vec3,
}

impl EventBook {
    /// Books that something happened to a cell, at its centre in um.
    pub fn book(&self, kind: EventKind, cell: CellId, site: SiteId, position_um: Vec3) {
        self.put(Booked {
            kind,
            cell,
            other: None,
            site,
            position_um,
        });
    }

    /// Books that something happened to a cell in which another one has part: a kill, a bond. The row of `events.csv`
    /// names both.
    pub fn book_with(
        &self,
        kind: EventKind,
        cell: CellId,
        other: CellId,
        site: SiteId,
        position_um: Vec3,
    ) {
        self.put(Booked {
            kind,
            cell,
            other: Some(other),
            site,
            position_um,
        });
    }

    fn put(&self, event: Booked) {
        self.0.add(|booked| booked.push(event));
    }

    /// Whether nothing is booked that was not told.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.look(Vec::is_empty)
    }

    /// Moves all that was booked to the events of a step.
    pub(crate) fn hand_on(&mut self, step: u64, events: &mut Vec<EventRecord>) {
        events.extend(self.0.taken().drain(..).map(|booked| EventRecord {
            step,
            site: booked.site,
            kind: booked.kind,
            cell: booked.cell,
            other: booked.other,
            position_um: booked.position_um,
        }));
    }
}

/// Puts events in an order that does not depend on who booked them when.
pub(crate) fn put_in_order(events: &mut [EventRecord], kinds: &EventKinds) {
    events.sort_unstable_by_key(|event| {
        let bits = event.position_um.to_array().map(f32::to_bits);
        (
            event.cell,
            kinds.rank(event.kind),
            event.site,
            bits,
            event.other,
        )
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const RINGS: EventKind = EventKind::of("bell.rings");
    const STOPS: EventKind = EventKind::of("bell.stops");

    fn app() -> App {
        let mut app = App::empty();
        app.register_event(STOPS, "A bell stops.")
            .register_event(RINGS, "A bell rings.");
        app
    }

    #[test]
    fn events_come_by_cell_and_then_kind_however_they_were_booked() {
        let mut bookings = [(RINGS, 2), (STOPS, 2), (RINGS, 1), (STOPS, 1)];
        let mut seen = Vec::new();
        for _ in 0..2 {
            let mut app = app();
            let mut book = app.world_mut().resource_mut::<EventBook>();
            for (kind, cell) in bookings {
                book.book(kind, CellId(cell), SiteId(0), Vec3::ZERO);
            }
            let mut events = Vec::new();
            book.hand_on(7, &mut events);
            put_in_order(&mut events, app.world().resource());
            let told: Vec<_> = events
                .iter()
                .map(|event| (event.cell.0, event.kind))
                .collect();
            assert_eq!(told, [(1, STOPS), (1, RINGS), (2, STOPS), (2, RINGS)]);
            assert!(events.iter().all(|event| event.step == 7));
            seen.push(events);
            bookings.reverse();
        }
        assert_eq!(seen[0], seen[1]);
    }

    #[test]
    #[should_panic(expected = "two kinds of event called `bell.rings`")]
    fn a_name_stands_for_one_kind() {
        app().register_event(RINGS, "Another bell rings.");
    }
}
