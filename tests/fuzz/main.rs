//! Mutations of shipped files, whatever they become: the program answers in bounded time and memory, with a reading or with
//! a report, and never with a panic.
//!
//! A few thousand in each run of the tests; as many as `FUZZ_ROUNDS` says, in all, behind `cargo test --release -- --ignored`. A failure prints its seed, with which the same text comes again; seeds that once failed
//! are kept in `SEEDS` of their target. Memory is bounded by an allocator that hands out nothing above its limit, which ends the
//! test.

mod checkpoints;
mod mutation;
mod texts;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The system's allocator with a bound on what is held at once.
struct Bounded;

/// Bytes that all tests of this binary may hold at once.
const MOST_BYTES: usize = 3 << 30;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to the system's allocator as it came, or answered with null, which is allowed.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size() > MOST_BYTES {
            HELD.fetch_sub(layout.size(), Ordering::Relaxed);
            return std::ptr::null_mut();
        }
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Bounded = Bounded;

/// How long one answer may take on a machine that does other things as well.
const LONGEST: Duration = Duration::from_secs(20);

/// Tries a target with so many seeds, those that once failed first.
fn try_all(target: &str, seeds: &[u64], rounds: u64, attempt: impl Fn(u64)) {
    let start = Instant::now();
    let fresh = 1_000_000..1_000_000 + rounds;
    for seed in seeds.iter().copied().chain(fresh) {
        let began = Instant::now();
        let attempted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| attempt(seed)));
        assert!(attempted.is_ok(), "{target} panics at seed {seed}");
        assert!(
            began.elapsed() < LONGEST,
            "{target} takes {:?} at seed {seed}",
            began.elapsed()
        );
    }
    println!("{target}: {rounds} rounds in {:?}", start.elapsed());
}

/// Rounds of the long test for a target that gets this share of all.
///
/// Targets differ a thousandfold in what a round costs: a row of a table is read in microseconds, a scene needs every
/// module's word on it.
fn rounds(share: f64) -> u64 {
    /// A million of them take about ten minutes.
    const USUAL: u32 = 100_000;
    let wanted = std::env::var("FUZZ_ROUNDS").ok();
    let all = wanted.and_then(|text| text.parse().ok()).unwrap_or(USUAL);
    (f64::from(all) * share).ceil() as u64
}
