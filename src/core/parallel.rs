//! Deterministic parallel loops.
//!
//! Work is cut into chunks of a fixed size, never "one piece per thread", and results are handed back in
//! chunk order. What a loop computes therefore does not depend on how many threads ran it, nor on which
//! thread took which chunk. All loops run on Bevy's [`ComputeTaskPool`], the pool that also runs the
//! systems of the step; [`set_threads`] fixes its size once per process. A thread that steps a simulation
//! beside a window calls [`keep_to_own_pool`] instead: whoever waits for a task in a pool lends a hand with
//! the others in it, so a window that shared one with the simulation would stand still for its loops.

use std::cell::Cell;
use std::ops::Range;
use std::sync::{Mutex, OnceLock};

use bevy::tasks::{ComputeTaskPool, TaskPool, TaskPoolBuilder};

/// Fixes the number of worker threads for this process and returns the number in force.
///
/// The pool is created once: the first call (or the first loop) wins, later calls only report.
pub fn set_threads(threads: Option<usize>) -> usize {
    ComputeTaskPool::get_or_init(|| {
        let mut builder = TaskPoolBuilder::new().thread_name("tumorscape".into());
        if let Some(threads) = threads {
            builder = builder.num_threads(threads.max(1));
        }
        builder.build()
    })
    .thread_num()
}

/// Number of worker threads in force.
pub fn threads() -> usize {
    pool().thread_num()
}

/// As [`set_threads`], for a program with a window beside the simulation.
///
/// The common pool gets one thread, which makes the small loops of Bevy's own systems run where they are
/// called; `threads` (all cores but one if left out) are for whoever calls [`keep_to_own_pool`].
pub fn set_threads_beside_window(threads: Option<usize>) -> usize {
    set_threads(Some(1));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    *OWN_THREADS.get_or_init(|| threads.unwrap_or(cores.saturating_sub(1)).max(1))
}

/// Lets the loops of the calling thread run in a pool that nothing else uses, of the size that
/// [`set_threads_beside_window`] was given.
pub fn keep_to_own_pool() {
    static POOL: OnceLock<TaskPool> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        TaskPoolBuilder::new()
            .thread_name("tumorscape".into())
            .num_threads(*OWN_THREADS.get_or_init(threads))
            .build()
    });
    OWN_POOL.set(Some(pool));
}

/// Threads of a pool of one's own.
static OWN_THREADS: OnceLock<usize> = OnceLock::new();

thread_local! {
    /// The pool for the loops of this thread, if it is not the common one.
    static OWN_POOL: Cell<Option<&'static TaskPool>> = const { Cell::new(None) };
}

fn pool() -> &'static TaskPool {
    match OWN_POOL.get() {
        Some(pool) => pool,
        None => ComputeTaskPool::get_or_init(TaskPool::default),
    }
}

/// Calls `work` for each of `count` pieces of work, on as many threads as there are.
///
/// The caller works too: with the tasks of the others, one fewer than there are threads, it takes the next
/// piece when it is done with one. So a call costs one task for each other thread, takes no memory for each
/// piece, and never has more at work than there are threads.
fn share<P: Send>(pieces: impl Iterator<Item = P> + Send, count: usize, work: impl Fn(P) + Sync) {
    let pool = pool();
    let threads = pool.thread_num().min(count);
    if threads <= 1 {
        pieces.for_each(work);
        return;
    }
    let pieces = Mutex::new(pieces);
    let next = || pieces.lock().ok().and_then(|mut pieces| pieces.next());
    let take = || {
        while let Some(piece) = next() {
            work(piece);
        }
    };
    let take = &take;
    pool.scope(|scope| {
        for _ in 1..threads {
            scope.spawn(async move { take() });
        }
        take();
    });
}

/// The fixed-size chunks of `0..len`, with their indices.
fn chunks(len: usize, chunk: usize) -> impl Iterator<Item = (usize, Range<usize>)> {
    assert!(chunk > 0, "a chunk holds at least one element");
    (0..len)
        .step_by(chunk)
        .map(move |start| start..(start + chunk).min(len))
        .enumerate()
}

/// Calls `work(chunk_index, range)` for each fixed-size chunk of `0..len`.
///
/// With one thread, or one chunk, everything runs on the caller.
pub fn for_each_chunk(len: usize, chunk: usize, work: impl Fn(usize, Range<usize>) + Sync) {
    share(chunks(len, chunk), len.div_ceil(chunk), |(index, range)| {
        work(index, range);
    });
}

/// Calls `work` for each of `count` pieces that an iterator cuts, as of several slices at once or of varying
/// length. How the pieces are cut must not depend on the number of threads.
pub fn for_each_piece<P: Send>(
    pieces: impl Iterator<Item = P> + Send,
    count: usize,
    work: impl Fn(P) + Sync,
) {
    share(pieces, count, work);
}

/// Calls `work(start, piece)` for each fixed-size piece of `data`; `start` is the index of its first element.
pub fn for_each_chunk_mut<T: Send>(
    data: &mut [T],
    chunk: usize,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    let count = data.len().div_ceil(chunk);
    let pieces = data.chunks_mut(chunk).enumerate();
    share(pieces, count, |(index, piece)| work(index * chunk, piece));
}

/// Calls `work(start, a_piece, b_piece)` on matching fixed-size pieces of two slices of one length.
pub fn for_each_chunk_mut2<A: Send, B: Send>(
    a: &mut [A],
    b: &mut [B],
    chunk: usize,
    work: impl Fn(usize, &mut [A], &mut [B]) + Sync,
) {
    assert_eq!(a.len(), b.len(), "both slices describe the same elements");
    let count = a.len().div_ceil(chunk);
    let pieces = a.chunks_mut(chunk).zip(b.chunks_mut(chunk)).enumerate();
    share(pieces, count, |(index, (a, b))| work(index * chunk, a, b));
}

/// Maps each fixed-size chunk of `0..len` to a value; the values come back in chunk order.
///
/// Summing them in that order gives the same bits at any thread count.
pub fn map_chunks<R: Send>(
    len: usize,
    chunk: usize,
    work: impl Fn(usize, Range<usize>) -> R + Sync,
) -> Vec<R> {
    let count = len.div_ceil(chunk);
    let mut results: Vec<Option<R>> = std::iter::repeat_with(|| None).take(count).collect();
    let pieces = results.iter_mut().zip(chunks(len, chunk));
    share(pieces, count, |(result, (index, range))| {
        *result = Some(work(index, range));
    });
    results.into_iter().flatten().collect()
}

/// Rows of cells in one piece of a loop over a table.
pub const ROWS: usize = 4096;

/// Why the tables of cells can be taken as slices.
pub const IN_TABLES: &str = "components of cells are stored in tables";

/// Makes room for a length with a sixteenth to spare, where `Vec` by itself would double.
///
/// For buffers that follow the number of cells or voxels, of which there are many and which grow slowly.
pub fn reserve_sparingly<T>(values: &mut Vec<T>, len: usize) {
    if values.capacity() < len {
        values.reserve_exact(len + len / 16 - values.len());
    }
}

/// Sum over `0..len` in `f64`, in chunk order.
pub fn sum_chunks(len: usize, chunk: usize, work: impl Fn(Range<usize>) -> f64 + Sync) -> f64 {
    map_chunks(len, chunk, |_, range| work(range))
        .into_iter()
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_visited_once_whatever_the_chunk() {
        for len in [0_usize, 1, 7, 64, 1000] {
            for chunk in [1, 3, 64, 5000] {
                let mut data = vec![0_u32; len];
                for_each_chunk_mut(&mut data, chunk, |start, piece| {
                    for (i, value) in piece.iter_mut().enumerate() {
                        *value += (start + i) as u32 + 1;
                    }
                });
                assert!(data.iter().enumerate().all(|(i, v)| *v == i as u32 + 1));
            }
        }
    }

    #[test]
    fn a_pool_of_ones_own_gives_the_same_results() {
        let sums = || map_chunks(1000, 7, |index, range| (index, range.sum::<usize>()));
        let common = sums();
        let own = std::thread::spawn(move || {
            keep_to_own_pool();
            sums()
        });
        assert_eq!(own.join().unwrap(), common);
    }

    #[test]
    fn chunk_results_come_back_in_chunk_order() {
        let starts = map_chunks(1000, 7, |index, range| (index, range.start));
        assert!(
            starts
                .iter()
                .enumerate()
                .all(|(i, (index, start))| *index == i && *start == i * 7)
        );
    }
}
