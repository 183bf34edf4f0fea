//! Times work while the machine is quiet.
//!
//! The cores of a virtual machine are often halves of cores that others use too: all of a sudden everything takes
//! up to twice as long, on one core or on all. So plain arithmetic, and a walk through the second-level cache, are
//! timed on all threads at once before and after each repetition, and only those repetitions count between two times
//! at which both ran as fast as they can. Which count is decided by these times alone, not by how long the work took.
//! Where fewer than five repetitions were quiet, all of them count; the table says how many were.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use tumorscape::core::parallel::{self, for_each_chunk};

use crate::{Case, Figure};

/// Speed over that of a quiet machine from which on it counts as quiet.
const QUIET: f64 = 0.98;
/// Which of a hundred speeds, the slowest first, counts as that of a quiet machine. Not the last: clocks err.
const PERCENTILE: usize = 85;
/// How long a thread waits for the others to begin.
const PATIENCE: Duration = Duration::from_millis(5);

/// Quiet repetitions, if so many were asked for, below which all of them count.
const ENOUGH: usize = 5;

/// What the row of the machine itself is called.
pub const WORK: &str = "arithmetic in registers";

/// What the threads of this machine can do at most.
pub fn case() -> Case {
    const SPEED: &str = "million operations/s";
    Case {
        work: WORK.into(),
        measure: Box::new(|_| {
            let Speed([arithmetic, _]) = best_speed(Duration::from_secs(1));
            vec![Figure::new(
                SPEED,
                1e3 * arithmetic * parallel::threads() as f64,
            )]
        }),
        goals: Vec::new(),
        speed: SPEED,
    }
}

/// How fast a thread is: operations of arithmetic, and steps in the second-level cache, a nanosecond.
#[derive(Clone, Copy)]
pub struct Speed(pub [f64; 2]);

impl Speed {
    /// The slower of each.
    fn min(self, other: Self) -> Self {
        Self([0, 1].map(|of| self.0[of].min(other.0[of])))
    }

    /// That of a quiet machine among some.
    fn best(of: &[Self]) -> Self {
        Self([0, 1].map(|kind| {
            let mut speeds: Vec<f64> = of.iter().map(|speed| speed.0[kind]).collect();
            speeds.sort_unstable_by(f64::total_cmp);
            let at = speeds.len() * PERCENTILE / 100;
            speeds.get(at).copied().unwrap_or(0.0)
        }))
    }

    /// Whether a machine so fast is quiet, if one that is quiet is as fast as one of these.
    fn is_quiet(self, best: [Self; 2]) -> bool {
        let [one, other] = best;
        (0..2).all(|of| self.0[of] >= QUIET * one.0[of].max(other.0[of]))
    }
}

/// Takes the time.
#[derive(Clone, Copy)]
pub struct Meter {
    /// Whether to repeat less.
    pub quick: bool,
    /// Speed of a quiet machine at this number of threads, as far as known.
    pub best: Speed,
}

/// Looks how fast the machine is in the middle of a repetition.
pub struct Probe(Speed);

impl Probe {
    /// Looks; takes a third of a millisecond.
    pub fn look(&mut self) {
        self.0 = self.0.min(speed());
    }
}

/// How long a piece of work takes.
pub struct Timed {
    /// Median duration, s; of the repetitions on a quiet machine if these were [`ENOUGH`].
    pub seconds: f64,
    repetitions: usize,
    quiet: usize,
}

impl Meter {
    /// Repeats work that says how many seconds it took, until it has run `repetitions` times on a quiet machine, or
    /// for a while, or `at_most` so many times.
    pub fn timed(
        &self,
        repetitions: usize,
        at_most: usize,
        mut work: impl FnMut(&mut Probe) -> f64,
    ) -> Timed {
        let patience = Duration::from_secs(if self.quick { 8 } else { 40 });
        let begun = Instant::now();
        let mut speeds = vec![speed()];
        let mut all: Vec<(f64, Speed)> = Vec::new();
        loop {
            let mut probe = Probe(speeds[speeds.len() - 1]);
            let seconds = work(&mut probe);
            speeds.push(speed());
            all.push((seconds, probe.0.min(speeds[speeds.len() - 1])));
            let last = all.len() >= at_most;
            if !all.len().is_multiple_of(repetitions) && !last {
                continue;
            }
            let best = [self.best, Speed::best(&speeds)];
            let in_quiet = all.iter().filter(|(_, speed)| speed.is_quiet(best));
            let mut counted: Vec<f64> = in_quiet.map(|(seconds, _)| *seconds).collect();
            let quiet = counted.len();
            if quiet < repetitions && !last && begun.elapsed() < patience {
                continue;
            }
            if quiet < ENOUGH.min(repetitions) {
                counted = all.iter().map(|(seconds, _)| *seconds).collect();
            }
            counted.sort_unstable_by(f64::total_cmp);
            return Timed {
                seconds: counted[counted.len() / 2],
                repetitions: all.len(),
                quiet,
            };
        }
    }

    /// As [`Self::timed`], of work whose time is taken, and which is done once more before to warm up.
    pub fn median(&self, repetitions: usize, mut work: impl FnMut()) -> Timed {
        work();
        self.timed(repetitions, usize::MAX, |_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
    }
}

impl Timed {
    /// How many repetitions there were, and how many in quiet.
    pub fn figures(&self) -> [Figure; 2] {
        [
            Figure::new("repetitions", self.repetitions as f64),
            Figure::new("- of them in quiet", self.quiet as f64),
        ]
    }
}

/// The speed of a quiet machine with all threads at work, as far as can be told within a while.
pub fn best_speed(within: Duration) -> Speed {
    let begun = Instant::now();
    let mut speeds = Vec::new();
    while begun.elapsed() < within {
        speeds.push(speed());
    }
    Speed::best(&speeds)
}

/// Speed of the slowest of all threads, while all are at it.
fn speed() -> Speed {
    let threads = parallel::threads();
    let begun = AtomicUsize::new(0);
    let slowest = Mutex::new(Speed([f64::INFINITY; 2]));
    for_each_chunk(threads, 1, |_, _| {
        begun.fetch_add(1, Ordering::SeqCst);
        let waiting = Instant::now();
        while begun.load(Ordering::SeqCst) < threads && waiting.elapsed() < PATIENCE {
            std::hint::spin_loop();
        }
        // One thread alone says nothing about all.
        let speed = if begun.load(Ordering::SeqCst) < threads {
            Speed([0.0; 2])
        } else {
            speed_here()
        };
        if let Ok(mut slowest) = slowest.lock() {
            *slowest = slowest.min(speed);
        }
    });
    slowest.into_inner().unwrap_or(Speed([0.0; 2]))
}

/// Speed of this thread.
fn speed_here() -> Speed {
    Speed([arithmetic(), walk()])
}

#[inline(never)]
fn arithmetic() -> f64 {
    const CHAINS: usize = 12;
    const ROUNDS: usize = 20_000;
    let mut values = black_box([[1.0_f32; 4]; CHAINS]);
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        for value in values.as_flattened_mut() {
            *value = *value * 0.999 + 0.001;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    black_box(values);
    (8 * ROUNDS * CHAINS) as f64 * 1e-9 / seconds
}

#[inline(never)]
fn walk() -> f64 {
    /// Twice a first-level cache of 32 KB.
    const PLACES: usize = 16_384;
    const STEPS: usize = 40_000;
    /// Each place names another, at random and in one circle.
    static CIRCLE: LazyLock<Vec<u32>> = LazyLock::new(|| {
        let mut circle: Vec<u32> = (0..PLACES as u32).collect();
        let mut state = 1_u64;
        for last in (1..PLACES).rev() {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            circle.swap(last, (state >> 33) as usize % last);
        }
        circle
    });
    let circle: &[u32] = &CIRCLE;
    // Into the cache first.
    let mut at = black_box(circle).iter().sum::<u32>() % PLACES as u32;
    let begun = Instant::now();
    for _ in 0..STEPS {
        at = circle[at as usize];
    }
    let seconds = begun.elapsed().as_secs_f64();
    black_box(at);
    STEPS as f64 * 1e-9 / seconds
}
