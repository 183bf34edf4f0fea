//! How long work takes: the median of some repetitions, with the shortest and the longest.
//!
//! The cores of a virtual machine are often halves of cores that others use too, and all of a sudden everything takes
//! twice as long. The median leaves that out as long as it lasts for less than half of the time; the longest says
//! whether it was there.

use std::time::Instant;

use crate::Figure;

/// Durations of repeated work, s.
#[derive(Clone, Copy)]
pub struct Timed {
    /// Median, the shortest, the longest.
    pub median: f64,
    min: f64,
    max: f64,
    repetitions: usize,
}

impl Timed {
    /// A figure made of the duration: its value at the median, and its range.
    pub fn figure(&self, name: impl Into<String>, value: impl Fn(f64) -> f64) -> Figure {
        let ends = [value(self.min), value(self.max)];
        Figure {
            range: Some([ends[0].min(ends[1]), ends[0].max(ends[1])]),
            ..Figure::new(name, value(self.median))
        }
    }

    /// How many repetitions there were.
    pub fn repetitions(&self) -> Figure {
        Figure::new("repetitions", self.repetitions as f64)
    }
}

/// Repeats work that says how many seconds it took.
pub fn repeat(repetitions: usize, work: impl FnMut() -> f64) -> Timed {
    let mut seconds: Vec<f64> = std::iter::repeat_with(work).take(repetitions).collect();
    seconds.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| seconds[((seconds.len() - 1) as f64 * share) as usize];
    Timed {
        median: at(0.5),
        min: at(0.0),
        max: at(1.0),
        repetitions,
    }
}

/// As [`repeat`], of work whose time is taken, and which is done once more before to warm up.
pub fn time(repetitions: usize, mut work: impl FnMut()) -> Timed {
    work();
    repeat(repetitions, || {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    })
}
