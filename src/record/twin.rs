//! An arm of a scene that is filmed beside it: left the scene, right the arm, which goes on from the same bits.

use std::sync::Arc;

use super::error::FilmError;
use super::plan::{Part, Plan, Seen};
use super::studio::Studio;
use crate::journal::moment::Moment;
use crate::simulation::{Simulation, Snapshot};

/// Two times closer than this are one, minutes.
const TOLERANCE: f64 = 1e-6;
/// Width of the line between the halves, pixels.
const LINE: usize = 2;

/// Whether the arm begins before the next step.
fn is_due(simulation: &Simulation) -> bool {
    let beside = simulation.scene().scene.recording.beside.as_ref();
    beside.is_some_and(|beside| simulation.clock().minutes() >= beside.from.minutes() - TOLERANCE)
}

/// The arm in the state of the scene, if it begins before the next step of that.
///
/// # Errors
/// When the state is not one of the arm.
pub(super) fn fork_if_due(simulation: &Simulation) -> Result<Option<Simulation>, FilmError> {
    let beside = simulation.scene().scene.recording.beside.as_ref();
    let Some(beside) = beside.filter(|_| is_due(simulation)) else {
        return Ok(None);
    };
    let arm = simulation
        .scene()
        .arm(&beside.arm)
        .map_err(FilmError::Twin)?;
    let again = fork(simulation, Arc::new(arm)).map_err(FilmError::Twin)?;
    Ok(Some(again))
}

/// The picture in two halves.
pub(super) struct Halves {
    /// What was seen of the arm: until it began, that of the scene.
    seen: Seen,
    /// It draws both, one after the other.
    studio: Studio,
    size: (u32, u32),
}

impl Halves {
    /// Of a scene, of which this was seen, and an arm that begins.
    ///
    /// # Errors
    /// When there is nothing to draw with.
    pub(super) fn of(seen: &Seen, (width, height): (u32, u32)) -> Result<Self, FilmError> {
        Ok(Self {
            seen: seen.for_fork(),
            studio: Studio::new(width / 2, height)?,
            size: (width, height),
        })
    }

    /// What was seen of the arm.
    pub(super) const fn seen(&mut self) -> &mut Seen {
        &mut self.seen
    }

    /// Draws the scene and the arm side by side, from a snapshot of each and from what was seen of that.
    pub(super) fn draw(
        &mut self,
        plan: &Plan,
        (seen, left): (&Seen, &Arc<Snapshot>),
        right: &Arc<Snapshot>,
        hours: f64,
    ) -> Result<Vec<u8>, FilmError> {
        // Both plots go as far up, so that they can be compared.
        let reach = plan.reach_of_plots(&left.catalogue, [seen, &self.seen], hours);
        let [left, right] = [(seen, left, Part::Left), (&self.seen, right, Part::Right)].map(
            |(seen, snapshot, part)| {
                let seen = (seen, reach);
                let half = plan.draw(&mut self.studio, seen, snapshot, (hours, part));
                half.map(|half| half.to_vec())
            },
        );
        Ok(joined(&left?, &right?, self.size))
    }
}

/// A simulation of an arm in the state that another is in.
///
/// # Errors
/// In words, when the state is not one of that arm.
pub(super) fn fork(
    simulation: &Simulation,
    arm: Arc<crate::scene::ParsedScene>,
) -> Result<Simulation, String> {
    let moment = Moment::of(simulation).map_err(|error| error.to_string())?;
    let mut of = Simulation::new(arm, simulation.seed()).map_err(|error| error.to_string())?;
    of.set_end(simulation.end_minutes());
    moment.restore(&of)
}

/// Two halves as one picture, with a line between them.
fn joined(left: &[u8], right: &[u8], (width, height): (u32, u32)) -> Vec<u8> {
    let (row, half) = (width as usize * 4, (width / 2) as usize * 4);
    let mut picture = vec![255; row * height as usize];
    for (number, to) in picture.chunks_exact_mut(row).enumerate() {
        let from = number * half..(number + 1) * half;
        to[..half].copy_from_slice(&left[from.clone()]);
        to[half..2 * half].copy_from_slice(&right[from]);
        to[half - 4 * LINE / 2..half + 4 * LINE / 2].fill(255);
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Program;

    const SCENE: &str = r#"(
        title: "T", about: "A", pace: Illustrative, duration: Hours(3), step: Minutes(2), seed: 4,
        sites: [(name: "dish", organ: Breast, size_um: (200, 200, 200), perfusion_length_um: 100, fields: [
            (molecule: "oxygen", level: 38), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1.5),
        ])],
        populations: [(cell: "cancer", place: Ball(radius_um: 40))],
        on_call: ["chemotherapy"],
        timeline: [At(Hours(1), Set("cancer.motility.speed_um_per_min", 0.3))],
        arms: [(name: "treated", timeline: [At(Hours(2), Give(drug: "chemotherapy", mg_per_kg: 10))])],
        recording: (beside: (arm: "treated", from: Hours(2), names: ("left alone", "treated"))),
    )"#;

    #[test]
    fn an_arm_that_forks_off_is_the_arm_that_is_run_alone_to_the_bit() {
        let scene = Program::default().parse_scene(SCENE, "t.ron", None);
        let scene = scene.unwrap_or_else(|report| panic!("{report}"));
        let arm = Arc::new(scene.arm("treated").expect("there is one"));
        let new = |scene| Simulation::new(scene, 4).expect("it is valid");
        let (mut plain, mut treated) = (new(Arc::new(scene)), new(Arc::clone(&arm)));
        let go = |simulation: &mut Simulation, steps: usize| {
            for _ in 0..steps {
                simulation.step();
            }
            simulation.state_hash()
        };
        assert!(!is_due(&plain));
        assert_eq!(
            go(&mut plain, 60),
            go(&mut treated, 60),
            "nothing differs yet"
        );
        assert!(is_due(&plain));
        let mut forked = fork(&plain, arm).expect("it can go on from there");
        assert_eq!(go(&mut forked, 30), go(&mut treated, 30));
        assert_ne!(go(&mut plain, 30), forked.state_hash(), "it was treated");
    }

    #[test]
    fn halves_stand_beside_each_other() {
        let half = |value: u8| vec![value; 4 * 4 * 2];
        let picture = joined(&half(10), &half(20), (8, 2));
        let row: Vec<u8> = picture[..32].chunks(4).map(|pixel| pixel[0]).collect();
        assert_eq!(row, [10, 10, 10, 255, 255, 20, 20, 20]);
    }
}
