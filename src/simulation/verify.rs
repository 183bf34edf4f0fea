//! A simulation that looks over its own shoulder: `run --verify`.
//!
//! [`Simulation::verify`](super::Simulation::verify) puts a check behind every stage of the step. It asks all
//! promises that the modules registered for that stage ([`crate::core::invariant`]) and, around `Turnover`,
//! keeps the balance of cells itself: identities are unique, the cells that appear are the daughters of the
//! divisions booked, those that vanish were cleared or left, and the volume of a mother is that of her two
//! daughters. Checks only read, so a verified run goes through the same states as any other. The first
//! [`Violation`] stops the step where it is: later stages do not run and the clock does not advance.

use bevy::prelude::*;
use thiserror::Error;

use super::turnover::{DIVISION, ENTRY, EXIT};
use crate::cell::death::IS_CLEARED;
use crate::cell::{Body, EventKind, EventRecord, StepEvents};
use crate::core::invariant::{Breach, Invariants};
use crate::core::{CellId, Clock, SimSchedule, SimSystems};

/// Largest share of the cells' volume that a step of `Turnover` may lose or gain, by rounding.
const VOLUME_TOLERANCE: f64 = 1e-9;

/// A broken promise, and where it was broken.
#[derive(Clone, Debug, PartialEq, Error)]
#[error(
    "step {step} ({hours:.2} h) breaks an invariant: after `{system}` in {stage:?}{}: {}",
    breach.cell.map_or_else(String::new, |cell| format!(", cell {}", cell.0)),
    breach.found
)]
pub struct Violation {
    /// The step, counted from 1.
    pub step: u64,
    /// Tissue time at its start, hours.
    pub hours: f64,
    /// The stage after which it was found.
    pub stage: SimSystems,
    /// The system that should have seen to it.
    pub system: &'static str,
    /// What was found.
    pub breach: Breach,
}

/// What verification has found, and remembers within a step.
#[derive(Resource, Default)]
pub(super) struct Verification {
    pub violation: Option<Violation>,
    before: Roll,
    after: Roll,
}

/// Identities and volumes of all cells, by identity.
#[derive(Default)]
struct Roll(Vec<(CellId, f64)>);

impl Roll {
    fn take(&mut self, world: &World) {
        self.0.clear();
        if let Some(mut query) = world.try_query::<(&CellId, Option<&Body>)>() {
            self.0.extend(query.iter(world).map(|(id, body)| {
                let volume = body.map_or(0.0, |body| {
                    f64::from(body.fluid_um3)
                        + f64::from(body.nuclear_solid_um3)
                        + f64::from(body.cytoplasmic_solid_um3)
                });
                (*id, volume)
            }));
        }
        self.0.sort_unstable_by_key(|(id, _)| *id);
    }

    /// The cells that `other` has not, and their volume.
    fn without(&self, other: &Self) -> (Vec<CellId>, f64) {
        let mut others = other.0.iter().map(|(id, _)| *id).peekable();
        let mut missing = Vec::new();
        let mut volume = 0.0;
        for (id, its_volume) in &self.0 {
            while others.next_if(|other| other < id).is_some() {}
            if others.peek() != Some(id) {
                missing.push(*id);
                volume += its_volume;
            }
        }
        (missing, volume)
    }

    fn volume(&self) -> f64 {
        self.0.iter().map(|(_, volume)| volume).sum()
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
            SimSystems::Transport => verification.before.take(world),
            SimSystems::Turnover => {
                let Verification { before, after, .. } = &mut *verification;
                after.take(world);
                let unbalanced = imbalance(before, after, &world.resource::<StepEvents>().0);
                broken = broken.or_else(|| Some(("turn_over", unbalanced?)));
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

/// What `Turnover` did that its events do not account for.
fn imbalance(before: &Roll, after: &Roll, events: &[EventRecord]) -> Option<Breach> {
    if let Some(pair) = after.0.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Some(Breach {
            cell: Some(pair[0].0),
            found: "two cells have this identity".into(),
        });
    }
    let booked = |kinds: &[EventKind]| {
        let mut cells: Vec<CellId> = events
            .iter()
            .filter(|event| kinds.contains(&event.kind))
            .map(|event| event.cell)
            .collect();
        cells.sort_unstable();
        cells
    };
    let (gone, volume_gone) = before.without(after);
    let (come, _) = after.without(before);
    // A cell that leaves a site and enters another is not gone.
    let moved = booked(&[ENTRY]);
    let mut left = booked(&[IS_CLEARED, EXIT]);
    left.retain(|cell| moved.binary_search(cell).is_err());
    let accounts = [(come, booked(&[DIVISION]), "born"), (gone, left, "removed")];
    for (found, booked, what) in accounts {
        if found != booked {
            let odd = |a: &[CellId], b: &[CellId]| {
                a.iter()
                    .find(|cell| b.binary_search(cell).is_err())
                    .copied()
            };
            return Some(Breach {
                cell: odd(&found, &booked).or_else(|| odd(&booked, &found)),
                found: format!(
                    "{} cells were {what}, the events account for {}",
                    found.len(),
                    booked.len()
                ),
            });
        }
    }
    let (expected, found) = (before.volume() - volume_gone, after.volume());
    ((found - expected).abs() > VOLUME_TOLERANCE * expected.abs()).then(|| {
        Breach::new(format!(
            "the cells have a volume of {found} um3, with what was removed it should be {expected}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cell::Position;
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
        use crate::cell::movement::SiteMechanics;
        let violation = violation_after(|world| {
            let mut sites = world.query::<&mut SiteMechanics>();
            let mut mechanics = sites.single_mut(world).unwrap();
            mechanics.bonds.add(CellId(1), CellId(1 << 40), 10.0, 0.01);
        });
        assert_eq!(violation.breach.cell, Some(CellId(1)));
    }

    #[test]
    fn cells_that_come_or_go_without_an_event_are_noticed() {
        let roll = |cells: &[(u64, f64)]| {
            Roll(
                cells
                    .iter()
                    .map(|(id, volume)| (CellId(*id), *volume))
                    .collect(),
            )
        };
        let before = roll(&[(1, 2.0), (2, 4.0), (3, 1.0)]);
        assert_eq!(imbalance(&before, &before, &[]), None);
        let found = |after: &[(u64, f64)]| imbalance(&before, &roll(after), &[]).unwrap();
        let gone = found(&[(1, 2.0), (3, 1.0)]);
        assert_eq!(gone.cell, Some(CellId(2)));
        let come = found(&[(1, 2.0), (2, 4.0), (3, 1.0), (4, 1.0)]);
        assert_eq!(come.cell, Some(CellId(4)));
        let grown = found(&[(1, 2.0), (2, 4.0), (3, 1.1)]);
        assert!(grown.found.contains("7.1"), "{}", grown.found);
        let division = EventRecord {
            step: 1,
            site: crate::tissue::SiteId(0),
            kind: DIVISION,
            cell: CellId(4),
            position_um: Vec3::ZERO,
        };
        let divided = roll(&[(1, 2.0), (2, 2.0), (3, 1.0), (4, 2.0)]);
        assert_eq!(imbalance(&before, &divided, &[division]), None);
    }
}
