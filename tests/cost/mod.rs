//! What work costs, in a way that other work on the machine does not disturb much.

use std::time::Instant;

/// Processor time of this process so far, s; none where the system does not say.
fn processor_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // After the name in brackets, which may hold blanks, the times in user and system mode are numbers 11 and 12, in hundredths.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

/// Processor time that something takes, s, or the time of a clock where there is no such.
pub fn seconds(mut work: impl FnMut()) -> f64 {
    let (start, used) = (Instant::now(), processor_seconds());
    work();
    match (used, processor_seconds()) {
        (Some(before), Some(after)) => after - before,
        _ => start.elapsed().as_secs_f64(),
    }
}

/// The least of some numbers.
pub fn least(numbers: &[f64]) -> f64 {
    numbers.iter().copied().fold(f64::INFINITY, f64::min)
}
