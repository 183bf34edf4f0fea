//! A simulation that looks over its own shoulder: `run --verify`.
//!
//! [`Simulation::verify`](super::Simulation::verify) puts a check behind every stage of the step. It asks all
//! promises that the modules registered for that stage ([`crate::core::invariant`]) and, around `Turnover`,
//! keeps the balance of cells itself: identities are unique, every cell that appears, vanishes or changes its site does
//! so with the events that say so ([`Passage`]), one after the other from where it was to where it is, and the volume of a
//! mother is that of her two daughters. No entity carries what a checkpoint would lose. Checks only read, so a verified run goes through the same states as any other. The first
//! [`Violation`] stops the step where it is: later stages do not run and the clock does not advance.

use crate::cell::event::{EventKinds, Passage};
use crate::cell::{Body, EventRecord, Resident, StepEvents};
pub use crate::core::invariant::Violation;
use crate::core::invariant::{Breach, Invariants};
use crate::core::state::{StateRegistry, forgotten};
use crate::core::{CellId, Clock, MemberId, SimSchedule, SimSystems};
use crate::tissue::SiteId;
use crate::tissue::population::{MemberTurnover, members_by_identity};
use bevy::prelude::*;

/// Largest share of the cells' volume that a step of `Turnover` may lose or gain, by rounding.
const VOLUME_TOLERANCE: f64 = 1e-9;

/// What verification has found, and remembers within a step.
#[derive(Resource, Default)]
pub(super) struct Verification {
    pub violation: Option<Violation>,
    before: Roll,
    after: Roll,
    /// Members of all populations before `Turnover`, by identity.
    members: Vec<MemberId>,
}

/// A cell on the roll.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Entry {
    cell: CellId,
    site: SiteId,
    volume_um3: f64,
}

/// All cells, where they are and how large, by identity.
#[derive(Default)]
struct Roll(Vec<Entry>);

impl Roll {
    fn take(&mut self, world: &World) {
        self.0.clear();
        if let Some(mut query) = world.try_query::<(&CellId, &Resident, Option<&Body>)>() {
            self.0
                .extend(query.iter(world).map(|(cell, resident, body)| {
                    let volume_um3 = body.map_or(0.0, |body| {
                        f64::from(body.fluid_um3)
                            + f64::from(body.nuclear_solid_um3)
                            + f64::from(body.cytoplasmic_solid_um3)
                    });
                    Entry {
                        cell: *cell,
                        site: resident.0,
                        volume_um3,
                    }
                }));
        }
        self.0.sort_unstable_by_key(|entry| entry.cell);
    }

    /// The site of a cell, if it is there.
    fn site_of(&self, cell: CellId) -> Option<SiteId> {
        let found = self.0.binary_search_by_key(&cell, |entry| entry.cell);
        found.ok().map(|place| self.0[place].site)
    }

    fn volume_of(&self, cell: CellId) -> f64 {
        let found = self.0.binary_search_by_key(&cell, |entry| entry.cell);
        found.map_or(0.0, |place| self.0[place].volume_um3)
    }

    fn volume(&self) -> f64 {
        self.0.iter().map(|entry| entry.volume_um3).sum()
    }

    /// The first cell, of those that are on either roll and not among `aside`, which is not in the same site on both.
    fn first_difference(&self, other: &Self, aside: &[CellId]) -> Option<CellId> {
        let (mut own, mut others) = (self.0.iter().peekable(), other.0.iter().peekable());
        loop {
            let (cell, same) = match (own.peek(), others.peek()) {
                (None, None) => return None,
                (Some(a), Some(b)) if a.cell == b.cell => (a.cell, a.site == b.site),
                (Some(a), Some(b)) => (a.cell.min(b.cell), false),
                (Some(one), None) | (None, Some(one)) => (one.cell, false),
            };
            if !same && aside.binary_search(&cell).is_err() {
                return Some(cell);
            }
            own.next_if(|entry| entry.cell == cell);
            others.next_if(|entry| entry.cell == cell);
        }
    }
}

/// Puts the checks into the schedule of a world.
pub(super) fn install(world: &mut World) {
    if world.contains_resource::<Verification>() {
        return;
    }
    world.init_resource::<Verification>();
    let mut schedules = world.resource_mut::<Schedules>();
    let Some(schedule) = schedules.get_mut(SimSchedule) else {
        return;
    };
    for pair in SimSystems::ORDER.windows(2) {
        let (stage, next) = (pair[0], pair[1]);
        let check = move |world: &mut World| check_stage(world, stage);
        schedule.add_systems(check.after(stage).before(next));
        schedule.configure_sets(next.run_if(is_sound));
    }
}

fn is_sound(verification: Res<Verification>) -> bool {
    verification.violation.is_none()
}

fn check_stage(world: &mut World, stage: SimSystems) {
    world.resource_scope(|world, mut verification: Mut<Verification>| {
        if verification.violation.is_some() {
            return;
        }
        let registered = world.get_resource::<Invariants>();
        let mut broken = registered
            .into_iter()
            .flat_map(|invariants| &invariants.0)
            .filter(|invariant| invariant.stage == stage)
            .find_map(|invariant| Some((invariant.system, (invariant.check)(world)?)));
        match stage {
            SimSystems::Transport => {
                verification.before.take(world);
                verification.members = all_members(world);
            }
            SimSystems::Turnover => {
                let Verification {
                    before,
                    after,
                    members,
                    ..
                } = &mut *verification;
                after.take(world);
                let events = &world.resource::<StepEvents>().0;
                let unbalanced = imbalance(before, after, events, world.resource());
                broken = broken.or_else(|| Some(("turn_over", unbalanced?)));
                let of_members = || unbalanced_members(world, members);
                broken = broken.or_else(|| Some(("turn_members_over", of_members()?)));
                broken = broken.or_else(|| Some(("turn_over", first_forgotten(world)?)));
            }
            _ => {}
        }
        if let Some((system, breach)) = broken {
            let clock = world.resource::<Clock>();
            verification.violation = Some(Violation {
                step: clock.step + 1,
                hours: clock.hours(),
                stage,
                system,
                breach,
            });
        }
    });
}

/// The members of all populations, in the order of identity.
fn all_members(world: &World) -> Vec<MemberId> {
    let registry = world.get_resource::<StateRegistry>();
    let mut members: Vec<MemberId> = registry
        .into_iter()
        .flat_map(|registry| &registry.populations)
        .flat_map(|population| members_by_identity(world, population.mark))
        .map(|(id, _)| id)
        .collect();
    members.sort_unstable();
    members
}

/// What happened to members of populations that nobody asked for.
fn unbalanced_members(world: &World, before: &[MemberId]) -> Option<Breach> {
    let turnover = world.get_resource::<MemberTurnover>()?;
    let is_gone = |member: &MemberId| turnover.gone.binary_search(member).is_ok();
    let mut expected: Vec<MemberId> = before
        .iter()
        .filter(|member| !is_gone(member))
        .chain(&turnover.come)
        .copied()
        .collect();
    expected.sort_unstable();
    let found = all_members(world);
    (found != expected).then(|| {
        Breach::new(format!(
            "there are {} members of populations; of {} before, {} went and {} came",
            found.len(),
            before.len(),
            turnover.gone.len(),
            turnover.come.len()
        ))
    })
}

/// A component that would be lost in a checkpoint.
fn first_forgotten(world: &World) -> Option<Breach> {
    let found = forgotten(world).into_iter().next()?;
    Some(Breach::new(format!(
        "{found} is neither registered as state nor declared as remade"
    )))
}

/// A cell that comes or goes with an event.
#[derive(Clone, Copy, Debug)]
struct Passing {
    cell: CellId,
    passage: Passage,
    site: SiteId,
}

/// What `Turnover` did that its events do not account for.
fn imbalance(
    before: &Roll,
    after: &Roll,
    events: &[EventRecord],
    kinds: &EventKinds,
) -> Option<Breach> {
    if let Some(pair) = after.0.windows(2).find(|pair| pair[0].cell == pair[1].cell) {
        return Some(Breach {
            cell: Some(pair[0].cell),
            found: "two cells have this identity".into(),
        });
    }
    let passing: Vec<Passing> = events
        .iter()
        .filter_map(|event| {
            Some(Passing {
                cell: event.cell,
                passage: kinds.passage(event.kind)?,
                site: event.site,
            })
        })
        .collect();
    let mut passed: Vec<CellId> = passing.iter().map(|of| of.cell).collect();
    passed.sort_unstable();
    passed.dedup();
    if let Some(cell) = before.first_difference(after, &passed) {
        let place = |site: Option<SiteId>| match site {
            None => "not there".to_owned(),
            Some(SiteId::TRANSIT) => "in transit".to_owned(),
            Some(site) => format!("in site {}", site.0),
        };
        return Some(Breach {
            cell: Some(cell),
            found: format!(
                "it was {} and is {} without an event",
                place(before.site_of(cell)),
                place(after.site_of(cell))
            ),
        });
    }
    // The events of a cell come in the order in which they happen.
    for of_cell in passing.chunk_by(|a, b| a.cell == b.cell) {
        let cell = of_cell[0].cell;
        let mut site = before.site_of(cell);
        for of in of_cell {
            let (was_right, then) = match of.passage {
                Passage::Birth | Passage::Recruitment => (site.is_none(), Some(of.site)),
                Passage::Departure => (site == Some(of.site), Some(SiteId::TRANSIT)),
                Passage::Arrival => (site == Some(SiteId::TRANSIT), Some(of.site)),
                Passage::Removal => (site == Some(of.site), None),
            };
            if !was_right {
                let found = format!("its {:?} is told, but not of where it was", of.passage);
                let cell = Some(cell);
                return Some(Breach { cell, found });
            }
            site = then;
        }
        if site != after.site_of(cell) {
            return Some(Breach {
                cell: Some(cell),
                found: "its events lead to another place than it has".into(),
            });
        }
    }
    let of = |passage: Passage, roll: &Roll| -> f64 {
        let passing = passing.iter().filter(|of| of.passage == passage);
        passing.map(|of| roll.volume_of(of.cell)).sum()
    };
    let expected = before.volume() - of(Passage::Removal, before) + of(Passage::Recruitment, after);
    let found = after.volume();
    ((found - expected).abs() > VOLUME_TOLERANCE * expected.abs()).then(|| {
        Breach::new(format!(
            "the cells have a volume of {found} um3, with what was removed and recruited it should be {expected}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cell::Position;
    use crate::cell::turnover::{DIVISION, EXIT};
    use crate::simulation::Simulation;

    fn simulation() -> Simulation {
        let text = r#"(title: "ball", about: "", pace: Illustrative, duration: Hours(2),
            sites: [(name: "dish", organ: Medium, size_um: (300, 300, 300), walls: true,
                     fields: [(molecule: "oxygen", level: 60, faces: Held)])],
            populations: [(cell: "cancer", place: Ball(center_um: (0, 0, 0), radius_um: 60))])"#;
        let scene = crate::simulation::Program::default().parse_scene(text, "ball.ron", None);
        let scene = scene.unwrap_or_else(|report| panic!("{report}"));
        Simulation::new(Arc::new(scene), 3).unwrap()
    }

    #[test]
    fn a_verified_run_goes_through_the_same_states() {
        let (mut plain, mut verified) = (simulation(), simulation());
        verified.verify();
        verified.verify();
        for _ in 0..60 {
            plain.step();
            verified.step();
            assert_eq!(verified.violation(), None);
        }
        assert_eq!(plain.state_hash(), verified.state_hash());
    }

    /// Runs a few steps, spoils the world, and returns what verification says of the next step.
    fn violation_after(spoil: impl FnOnce(&mut World)) -> Violation {
        let mut simulation = simulation();
        simulation.verify();
        for _ in 0..3 {
            simulation.step();
        }
        spoil(&mut simulation.world);
        simulation.step();
        assert_eq!(simulation.steps(), 3, "the step stops where it is");
        simulation.violation().cloned().unwrap()
    }

    fn cell(world: &mut World, id: u64) -> Entity {
        let mut cells = world.query::<(Entity, &CellId)>();
        let found = cells.iter(world).find(|(_, known)| known.0 == id);
        found.map(|(entity, _)| entity).unwrap()
    }

    #[test]
    fn a_lost_cell_is_named_with_step_and_system() {
        let violation = violation_after(|world| {
            let entity = cell(world, 5);
            world.get_mut::<Position>(entity).unwrap().0.x = f32::NAN;
        });
        assert_eq!(violation.step, 4);
        assert_eq!(violation.system, "move_cells");
        assert_eq!(violation.breach.cell, Some(CellId(5)));
        let text = violation.to_string();
        assert!(
            text.contains("after `move_cells` in Move, cell 5"),
            "{text}"
        );
    }

    #[test]
    fn a_second_cell_of_the_same_identity_is_noticed() {
        let violation = violation_after(|world| {
            let entity = cell(world, 5);
            world.entity_mut(entity).insert(CellId(6));
        });
        assert_eq!(violation.breach.cell, Some(CellId(6)));
    }

    #[test]
    fn a_body_that_is_no_volume_is_noticed() {
        let violation = violation_after(|world| {
            let entity = cell(world, 7);
            world.get_mut::<Body>(entity).unwrap().nuclear_solid_um3 = -50.0;
        });
        assert_eq!(violation.system, "grow_bodies");
        assert_eq!(violation.breach.cell, Some(CellId(7)));
    }

    #[test]
    fn a_bond_to_a_cell_that_is_not_there_is_noticed() {
        use crate::cell::mechanics::{Bond, BondKindId};
        use crate::cell::movement::SiteMechanics;
        let violation = violation_after(|world| {
            let mut sites = world.query::<&mut SiteMechanics>();
            let mut mechanics = sites.single_mut(world).unwrap();
            let cells = [CellId(1), CellId(1 << 40)];
            let bond = Bond::new(BondKindId::default(), cells, 10.0, 0.01);
            mechanics.bonds.add(bond);
        });
        assert_eq!(violation.breach.cell, Some(CellId(1)));
    }

    #[test]
    fn cells_that_come_or_go_without_an_event_are_noticed() {
        let simulation = simulation();
        let kinds = simulation.world().resource::<EventKinds>();
        let roll = |cells: &[(u64, u16, f64)]| {
            let entry = |(cell, site, volume_um3): &(u64, u16, f64)| Entry {
                cell: CellId(*cell),
                site: SiteId(*site),
                volume_um3: *volume_um3,
            };
            Roll(cells.iter().map(entry).collect())
        };
        let before = roll(&[(1, 0, 2.0), (2, 0, 4.0), (3, 0, 1.0)]);
        let balance = |after: &[(u64, u16, f64)], events: &[EventRecord]| {
            imbalance(&before, &roll(after), events, kinds)
        };
        assert_eq!(imbalance(&before, &before, &[], kinds), None);
        let gone = balance(&[(1, 0, 2.0), (3, 0, 1.0)], &[]).expect("one is gone");
        assert_eq!(gone.cell, Some(CellId(2)));
        let come = [(1, 0, 2.0), (2, 0, 4.0), (3, 0, 1.0), (4, 0, 1.0)];
        assert_eq!(
            balance(&come, &[]).expect("one has come").cell,
            Some(CellId(4))
        );
        let moved = [(1, 0, 2.0), (2, u16::MAX, 4.0), (3, 0, 1.0)];
        let moved = balance(&moved, &[]).expect("one is in transit");
        assert!(moved.found.contains("in transit"), "{}", moved.found);
        let grown = balance(&[(1, 0, 2.0), (2, 0, 4.0), (3, 0, 1.1)], &[]).expect("it has grown");
        assert!(grown.found.contains("7.1"), "{}", grown.found);
        let event = |kind, cell| EventRecord {
            step: 1,
            site: SiteId(0),
            kind,
            cell: CellId(cell),
            other: None,
            position_um: Vec3::ZERO,
        };
        let divided = [(1, 0, 2.0), (2, 0, 2.0), (3, 0, 1.0), (4, 0, 2.0)];
        assert_eq!(balance(&divided, &[event(DIVISION, 4)]), None);
        // A removal of a cell that is still there.
        let stays = [(1, 0, 2.0), (2, 0, 4.0), (3, 0, 1.0)];
        assert_eq!(
            balance(&stays, &[event(EXIT, 3)])
                .expect("it is there")
                .cell,
            Some(CellId(3))
        );
    }
}
