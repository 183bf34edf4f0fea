//! Deterministic parallel loops.
//!
//! Work is cut into chunks of a fixed size, never "one piece per thread", and results are handed back in
//! chunk order. What a loop computes therefore does not depend on how many threads ran it, nor on which
//! thread took which chunk. All loops run on Bevy's [`ComputeTaskPool`], the pool that also runs the
//! systems of the step; [`set_threads`] fixes its size once per process. A thread that steps a simulation
//! beside a window calls [`keep_to_own_pool`] instead: whoever waits for a task in a pool lends a hand with
//! the others in it, so a window that shared one with the simulation would stand still for its loops.
//!
//! The caller of a loop takes its chunks from the front and its helpers from the back. Loops over the same rows
//! then find most of what they read in the cache of the core that wrote it, which where cores are far apart
//! (of two sockets, say) is worth more than a third of the speed.
//!
//! Systems go over the rows of a table of cells with [`for_each_row`], [`for_each_row_mut`] and
//! [`for_each_row_mut2`]; the loops over chunks are for work that keeps something for each chunk.
//!
//! Who runs several loops one after the other puts them into a region, [`together`]: threads are then called
//! once and not for each loop. Loops may be started inside the pieces of others; they share nothing with
//! the outer loop but the pool. A panic in a piece ends the loop early and comes out of it, whichever thread
//! it happened on.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, OnceLock};

use bevy::tasks::{ComputeTaskPool, TaskPool, TaskPoolBuilder};

use super::team::{Taker, Team, lock};

/// Fixes the number of worker threads for this process and returns the number in force.
///
/// The pool is created once: the first call (or the first loop) wins, later calls only report.
pub fn set_threads(threads: Option<usize>) -> usize {
    ComputeTaskPool::get_or_init(|| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = threads.unwrap_or(cores).max(1);
        TaskPoolBuilder::new()
            .thread_name("tumorscape".into())
            .num_threads(startable(wanted))
            .build()
    })
    .thread_num()
}

/// How many of so many threads the system lets this process start at once. With none everything runs on the caller.
fn startable(wanted: usize) -> usize {
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let started: Vec<_> = (0..wanted)
        .map_while(|_| {
            let held = Arc::clone(&held);
            let wait = move || {
                let _end = lock(&held).recv();
            };
            std::thread::Builder::new().spawn(wait).ok()
        })
        .collect();
    // Those that wait see that there is nothing to wait for any more.
    drop(hold);
    let count = started.len();
    for thread in started {
        drop(thread.join());
    }
    count
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
/// [`set_threads_beside_window`] was given. Loops that start inside their pieces run there too, whichever
/// thread took the piece.
pub fn keep_to_own_pool() {
    own_pool();
    KEEPS_TO_OWN_POOL.set(true);
}

/// Threads of a pool of one's own.
static OWN_THREADS: OnceLock<usize> = OnceLock::new();

thread_local! {
    /// Whether the loops of this thread run in the pool of one's own.
    static KEEPS_TO_OWN_POOL: Cell<bool> = const { Cell::new(false) };
    /// The team that stands by for the next loop of this thread.
    static TEAM: RefCell<Option<Arc<Team>>> = const { RefCell::new(None) };
}

fn own_pool() -> &'static TaskPool {
    static POOL: OnceLock<TaskPool> = OnceLock::new();
    POOL.get_or_init(|| {
        TaskPoolBuilder::new()
            .thread_name("tumorscape".into())
            .num_threads(*OWN_THREADS.get_or_init(threads))
            .on_thread_spawn(|| KEEPS_TO_OWN_POOL.set(true))
            .build()
    })
}

fn pool() -> &'static TaskPool {
    if KEEPS_TO_OWN_POOL.get() {
        own_pool()
    } else {
        ComputeTaskPool::get_or_init(TaskPool::default)
    }
}

/// Calls `work`, whose loops on this thread then share helpers that are called once.
///
/// For several short loops in a row: each costs about a microsecond where one by itself costs a wake-up of
/// every thread. Results are the same. A region inside a region is part of the outer one. Between loops the
/// helpers look out for the next one for some microseconds and then do other work of the pool.
pub fn together<R>(work: impl FnOnce() -> R) -> R {
    /// Ends the region, also when `work` panics.
    struct Region(Arc<Team>);
    impl Drop for Region {
        fn drop(&mut self) {
            TEAM.take();
            self.0.close();
        }
    }
    let pool = pool();
    let helpers = pool.thread_num().saturating_sub(1);
    if helpers == 0 || TEAM.with_borrow(Option::is_some) {
        return work();
    }
    let team = Team::recruit(pool, helpers, false);
    TEAM.set(Some(team.clone()));
    let _region = Region(team);
    work()
}

/// Calls `work` for each of `count` pieces of work, on as many threads as there are.
///
/// The caller works too, and like every helper takes the next piece when it is done with one: the caller the first
/// of those that are left, a helper the last. So a call takes no memory for each piece, and never has more at work
/// than there are threads.
fn share<P: Send>(
    pieces: impl DoubleEndedIterator<Item = P> + Send,
    count: usize,
    work: impl Fn(P) + Sync,
) {
    let pool = pool();
    let threads = pool.thread_num().min(count);
    if threads <= 1 {
        pieces.for_each(work);
        return;
    }
    let pieces = Mutex::new(Some(pieces));
    let panic = Mutex::new(None);
    let next = |taker| {
        let mut pieces = lock(&pieces);
        let pieces = pieces.as_mut()?;
        match taker {
            Taker::Caller => pieces.next(),
            Taker::Helper => pieces.next_back(),
        }
    };
    let job = |taker| {
        let done = catch_unwind(AssertUnwindSafe(|| {
            while let Some(piece) = next(taker) {
                work(piece);
            }
        }));
        if let Err(payload) = done {
            // Nothing here may unwind: a second panic, of a piece that is dropped or of the payload itself, is
            // left alone.
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(lock(&pieces).take())));
            let mut first = lock(&panic);
            if first.is_none() {
                *first = Some(payload);
            } else {
                std::mem::forget(payload);
            }
            std::mem::forget(dropped);
        }
    };
    // Taken for the time of the loop: loops inside its pieces have teams of their own.
    match TEAM.take() {
        Some(team) => {
            team.run(threads - 1, &job);
            TEAM.set(Some(team));
        }
        None => {
            let team = Team::recruit(pool, threads - 1, true);
            team.run(threads - 1, &job);
            team.close();
        }
    }
    let panic = lock(&panic).take();
    if let Some(payload) = panic {
        resume_unwind(payload);
    }
}

/// The fixed-size chunks of `0..len`, with their indices.
fn chunks(
    len: usize,
    chunk: usize,
) -> impl DoubleEndedIterator<Item = (usize, Range<usize>)> + ExactSizeIterator {
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

/// Calls `work` for each piece that an iterator cuts, as of several slices at once (see [`cut`] for pieces of varying
/// length). Pieces are taken from both ends, and how they are cut must not depend on that nor on the number of
/// threads.
pub fn for_each_piece<P: Send>(
    pieces: impl DoubleEndedIterator<Item = P> + ExactSizeIterator + Send,
    work: impl Fn(P) + Sync,
) {
    let count = pieces.len();
    share(pieces, count, work);
}

/// Cuts a slice into pieces of the given lengths, from either end.
///
/// # Panics
/// While the pieces are taken, if the lengths do not add up to that of the slice.
pub fn cut<'a, T, L>(
    slice: &'a mut [T],
    lengths: L,
) -> impl DoubleEndedIterator<Item = &'a mut [T]> + ExactSizeIterator + use<'a, T, L>
where
    L: DoubleEndedIterator<Item = usize> + ExactSizeIterator,
{
    Cut {
        left: slice,
        lengths,
    }
}

/// What [`cut`] has not cut off yet.
struct Cut<'a, T, L> {
    left: &'a mut [T],
    lengths: L,
}

/// Why there is enough left to cut off.
const ADDS_UP: &str = "the lengths add up to that of the slice";

impl<'a, T, L: Iterator<Item = usize>> Iterator for Cut<'a, T, L> {
    type Item = &'a mut [T];

    fn next(&mut self) -> Option<Self::Item> {
        let length = self.lengths.next()?;
        Some(self.left.split_off_mut(..length).expect(ADDS_UP))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.lengths.size_hint()
    }
}

impl<T, L: DoubleEndedIterator<Item = usize>> DoubleEndedIterator for Cut<'_, T, L> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let length = self.lengths.next_back()?;
        let start = self.left.len().checked_sub(length).expect(ADDS_UP);
        Some(self.left.split_off_mut(start..).expect(ADDS_UP))
    }
}

impl<T, L: ExactSizeIterator<Item = usize>> ExactSizeIterator for Cut<'_, T, L> {}

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

// The loops over rows own `work`: through a reference to it, each row would look up anew where what it captures lies.

/// Calls `work(row)` for each row below `len`, in pieces of [`ROWS`].
#[inline]
pub fn for_each_row(len: usize, work: impl Fn(usize) + Sync) {
    for_each_chunk(len, ROWS, move |_, rows| rows.for_each(&work));
}

/// Calls `work(row, value)` for each row of a table, in pieces of [`ROWS`].
#[inline]
pub fn for_each_row_mut<T: Send>(values: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
    for_each_chunk_mut(values, ROWS, move |start, piece| {
        for (row, value) in (start..).zip(piece) {
            work(row, value);
        }
    });
}

/// Calls `work(row, a, b)` for each row of two columns of a table, in pieces of [`ROWS`].
#[inline]
pub fn for_each_row_mut2<A: Send, B: Send>(
    a: &mut [A],
    b: &mut [B],
    work: impl Fn(usize, &mut A, &mut B) + Sync,
) {
    for_each_chunk_mut2(a, b, ROWS, move |start, a, b| {
        for (row, (a, b)) in (start..).zip(a.iter_mut().zip(b)) {
            work(row, a, b);
        }
    });
}

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
    use std::sync::atomic::{AtomicUsize, Ordering};

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
    fn every_row_is_visited_once_under_its_number() {
        set_threads(Some(4));
        for len in [0, 1, ROWS, 5 * ROWS + 3] {
            let (mut a, mut b) = (vec![0; len], vec![0_u64; len]);
            for_each_row_mut(&mut a, |row, a| *a += row);
            for_each_row_mut2(&mut a, &mut b, |row, a, b| {
                *a += row;
                *b += 3 * row as u64;
            });
            let sum = AtomicUsize::new(0);
            for_each_row(len, |row| {
                assert_eq!((a[row], b[row]), (2 * row, 3 * row as u64));
                sum.fetch_add(row + 1, Ordering::Relaxed);
            });
            assert_eq!(sum.into_inner(), len * (len + 1) / 2);
        }
    }

    #[test]
    fn pieces_of_varying_length_are_the_same_from_either_end_and_each_is_visited_once() {
        set_threads(Some(4));
        let length = |piece: usize| piece * 7 % 5;
        let lengths = || (0..100).map(length);
        let mut data: Vec<usize> = (0..lengths().sum()).collect();
        let expected: Vec<Vec<usize>> = cut(&mut data.clone(), lengths())
            .map(|piece| piece.to_vec())
            .collect();
        let mut from_back: Vec<Vec<usize>> = cut(&mut data.clone(), lengths())
            .rev()
            .map(|piece| piece.to_vec())
            .collect();
        from_back.reverse();
        assert_eq!(from_back, expected);
        assert_eq!(expected.concat(), data);
        let pieces = (0..100).zip(cut(&mut data, lengths()));
        for_each_piece(pieces, |(index, piece)| {
            assert_eq!(piece.len(), length(index));
            for value in piece {
                *value = index;
            }
        });
        let indices: Vec<usize> = (0..100)
            .flat_map(|piece| vec![piece; length(piece)])
            .collect();
        assert_eq!(data, indices);
    }

    #[test]
    fn the_caller_takes_pieces_from_the_front_and_helpers_from_the_back() {
        set_threads(Some(4));
        let caller = std::thread::current().id();
        let takers = map_chunks(64, 1, |_, _| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            std::thread::current().id() == caller
        });
        let own = takers.iter().filter(|is_caller| **is_caller).count();
        assert!(own > 0);
        assert!(takers[..own].iter().all(|is_caller| *is_caller));
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
    fn loops_inside_pieces_keep_to_the_pool_of_ones_own() {
        let own = std::thread::spawn(|| {
            keep_to_own_pool();
            map_chunks(64, 1, |_, _| {
                let kept = KEEPS_TO_OWN_POOL.get();
                kept && map_chunks(64, 1, |_, _| KEEPS_TO_OWN_POOL.get()) == [true; 64]
            })
        });
        assert_eq!(own.join().unwrap(), [true; 64]);
    }

    /// A loop of loops of loops.
    fn nested_sum() -> usize {
        let inner = |from: usize| map_chunks(100, 9, |_, range| range.sum::<usize>() + from);
        let middle = |from: usize| -> usize {
            let sums = map_chunks(20, 3, |index, _| inner(from + index).iter().sum::<usize>());
            sums.iter().sum()
        };
        map_chunks(30, 1, |index, _| middle(index)).iter().sum()
    }

    #[test]
    fn loops_inside_pieces_of_loops_in_a_region_give_the_same_results() {
        set_threads(Some(4));
        let plain = nested_sum();
        for _ in 0..50 {
            assert_eq!(together(|| together(nested_sum)), plain);
        }
    }

    #[test]
    fn many_short_loops_in_a_region_visit_every_element_once() {
        set_threads(Some(4));
        let mut data = vec![0_u32; 16];
        together(|| {
            for round in 0..20_000 {
                for_each_chunk_mut(&mut data, 1, |_, piece| piece[0] += 1);
                if round % 4_000 == 0 {
                    // Long enough for helpers to go to sleep.
                    std::thread::sleep(std::time::Duration::from_millis(2));
                }
            }
        });
        assert_eq!(data, [20_000; 16]);
    }

    #[test]
    fn a_panic_in_a_piece_comes_out_of_the_loop_and_harms_none_after() {
        set_threads(Some(4));
        let message = |payload: Box<dyn std::any::Any + Send>| {
            payload
                .downcast::<String>()
                .map_or(String::new(), |text| *text)
        };
        for bad in [0, 50, 99] {
            let loop_with_panic = || {
                for_each_chunk(100, 1, |index, _| {
                    assert!(index != bad, "piece {index} failed");
                    std::thread::sleep(std::time::Duration::from_micros(50));
                });
            };
            let expected = format!("piece {bad} failed");
            let alone = catch_unwind(loop_with_panic);
            assert_eq!(alone.map_err(message), Err(expected.clone()));
            let count = together(|| {
                let inside = catch_unwind(loop_with_panic);
                assert_eq!(inside.map_err(message), Err(expected.clone()));
                map_chunks(100, 1, |_, range| range.len()).len()
            });
            assert_eq!(count, 100);
            let outside = catch_unwind(|| together(loop_with_panic));
            assert_eq!(outside.map_err(message), Err(expected));
            assert!(TEAM.with_borrow(Option::is_none));
        }
    }

    #[test]
    fn a_loop_ends_though_all_other_threads_are_busy() {
        set_threads(Some(4));
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let others: Vec<_> = (0..threads())
            .map(|_| {
                let gate = gate.clone();
                pool().spawn(async move { lock(&gate).recv().is_ok() })
            })
            .collect();
        let sum = || {
            map_chunks(1000, 7, |_, range| range.sum::<usize>())
                .iter()
                .sum::<usize>()
        };
        let sums: Vec<usize> = (0..500).map(|_| sum()).collect();
        let more: Vec<usize> = together(|| (0..500).map(|_| sum()).collect());
        for _ in &others {
            release.send(()).unwrap();
        }
        assert_eq!(sums, [499_500; 500]);
        assert_eq!(more, sums);
        let done = others.into_iter().map(bevy::tasks::block_on);
        assert!(done.into_iter().all(|done| done));
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
