//! A moment of a simulation that is kept in memory, and from which it goes on as it did.

use std::fmt;
use std::io;

use super::checkpoint::COMPRESSION;
use super::resume::room_for;
use crate::measure::world_state::{Unpacked, restore_world, write_world};
use crate::simulation::Simulation;

/// The whole state of a simulation between two steps, packed.
#[derive(Clone)]
pub struct Moment {
    packed: Box<[u8]>,
    step: u64,
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}, {} bytes", self.step, self.packed.len())
    }
}

impl Moment {
    /// Keeps the state that a simulation is in.
    ///
    /// # Errors
    /// When its state cannot be written or packed.
    pub fn of(simulation: &Simulation) -> io::Result<Self> {
        let mut stream = zstd::Encoder::new(Vec::new(), COMPRESSION)?;
        write_world(&mut stream, simulation.world())?;
        Ok(Self {
            packed: stream.finish()?.into_boxed_slice(),
            step: simulation.steps(),
        })
    }

    /// Memory that it takes, bytes.
    pub const fn bytes(&self) -> usize {
        self.packed.len()
    }

    /// The simulation as it was then; `of` is the one it was kept of, however far that has gone since.
    ///
    /// # Errors
    /// In words, when the state is not one of that simulation.
    pub fn restore(&self, of: &Simulation) -> Result<Simulation, String> {
        let mut again = of.without_its_cells().map_err(|error| error.to_string())?;
        let mut rest = Unpacked::new(io::Cursor::new(self.packed.clone()))?;
        rest.allow(room_for(&of.scene().scene));
        again.take_state(|world| restore_world(&mut rest, world))?;
        match again.first_fault() {
            Some(what) => Err(what),
            None => Ok(again),
        }
    }

    /// The simulation as it was then, which goes on from there by random numbers of its own, those of another seed.
    ///
    /// # Errors
    /// As [`Moment::restore`].
    pub fn fork(&self, of: &Simulation, seed: u64) -> Result<Simulation, String> {
        let mut other = self.restore(of)?;
        other.reseed(seed);
        Ok(other)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::scene::schema::Action;
    use crate::simulation::Program;

    const SCENE: &str = r#"(
        title: "T", about: "A", pace: Illustrative, duration: Hours(4), step: Minutes(2), seed: 4,
        sites: [(name: "dish", organ: Breast, size_um: (200, 200, 200), perfusion_length_um: 100, fields: [
            (molecule: "oxygen", level: 38), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1.5),
            (molecule: "vegf_a", level: 0), (molecule: "tgf_beta", level: 0),
        ])],
        populations: [(cell: "cancer", place: Ball(radius_um: 40))],
        timeline: [At(Hours(1), Set("cancer.motility.speed_um_per_min", 0.3))],
    )"#;

    #[test]
    fn it_goes_on_from_a_kept_moment_as_it_did_and_what_was_set_since_is_forgotten() {
        let scene = Program::default().parse_scene(SCENE, "t.ron", None);
        let scene = scene.unwrap_or_else(|report| panic!("{report}"));
        let mut simulation = Simulation::new(Arc::new(scene), 4).expect("it is valid");
        let go = |simulation: &mut Simulation, steps: usize| {
            for _ in 0..steps {
                simulation.step();
            }
            simulation.state_hash()
        };
        go(&mut simulation, 10);
        let moment = Moment::of(&simulation).expect("it can be kept");
        let before = simulation.state_hash();
        let after = go(&mut simulation, 35);
        let set = Action::Set("cancer.motility.speed_um_per_min".into(), 0.0);
        simulation.apply(set).expect("it is a parameter");
        go(&mut simulation, 5);

        let mut again = moment.restore(&simulation).expect("it is one of its own");
        assert_eq!(again.steps(), 10);
        assert_eq!(again.state_hash(), before);
        assert_eq!(go(&mut again, 35), after);
        assert!(again.log().is_empty());
    }
}
