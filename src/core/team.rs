//! Threads that stand by for the loops of one caller.
//!
//! The loops of [`super::parallel`] run on a [`Team`]: the caller, and threads of the pool that were asked to
//! help. A single loop recruits for itself; a region ([`super::parallel::together`]) recruits once for all
//! its loops, which then cost about a microsecond each instead of a wake-up through the executor.
//!
//! Nobody waits for a helper that has not come: the caller takes pieces too, and is done when none is left
//! and no helper is at one. A helper without work looks out for some for [`PATIENCE`], then hands its thread
//! back to the executor until it is called. So threads that are busy with other things cost speed, never
//! the result, and cannot block each other.

use std::future::poll_fn;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use bevy::tasks::TaskPool;

/// How long to look out before going to sleep: a few wake-ups' worth.
const PATIENCE: Duration = Duration::from_micros(20);
/// Helpers that were asked for and have not come yet, beyond which no more are asked.
const MOST_AWAITED: usize = 64;

/// Helpers asked for in the process that have not come yet.
static AWAITED: AtomicUsize = AtomicUsize::new(0);

/// Who takes pieces of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taker {
    /// The thread that called the loop.
    Caller,
    /// A thread that helps it.
    Helper,
}

/// Takes pieces of a loop until none is left; never unwinds.
type Job<'a> = &'a (dyn Fn(Taker) + Sync);

/// A caller and its helpers.
pub(super) struct Team {
    /// Whether helpers go home after their first loop.
    once: bool,
    /// Number of loops begun; helpers come back for each.
    begun: AtomicU64,
    /// Where the [`Job`] of the loop in progress is, on the caller's stack; null between loops.
    job: AtomicPtr<()>,
    /// Helpers that may be using it.
    inside: AtomicUsize,
    /// Whether there will be no more loops.
    closed: AtomicBool,
    asleep: Mutex<Vec<Waker>>,
    /// Number of those.
    sleepers: AtomicUsize,
    caller: Thread,
    /// Whether the caller may be asleep until the last helper is out.
    caller_sleeps: AtomicBool,
}

/// Locks what cannot be left in a state worth fearing.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Team {
    /// Asks threads of `pool` to help the calling one; `once` if with one loop only.
    pub fn recruit(pool: &TaskPool, helpers: usize, once: bool) -> Arc<Self> {
        let team = Arc::new(Self {
            once,
            begun: AtomicU64::new(0),
            job: AtomicPtr::new(null_mut()),
            inside: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            asleep: Mutex::default(),
            sleepers: AtomicUsize::new(0),
            caller: std::thread::current(),
            caller_sleeps: AtomicBool::new(false),
        });
        for _ in 0..helpers {
            if AWAITED.fetch_add(1, Ordering::Relaxed) >= MOST_AWAITED.max(2 * helpers) {
                AWAITED.fetch_sub(1, Ordering::Relaxed);
                break;
            }
            pool.spawn(Self::serve(team.clone())).detach();
        }
        team
    }

    /// What a helper does, from the time it comes until the team is closed.
    fn serve(team: Arc<Self>) -> impl Future<Output = ()> + Send {
        let mut served = 0;
        let mut came = false;
        poll_fn(move |context| {
            if !std::mem::replace(&mut came, true) {
                AWAITED.fetch_sub(1, Ordering::Relaxed);
            }
            team.help(&mut served, context)
        })
    }

    fn help(&self, served: &mut u64, context: &Context) -> Poll<()> {
        let mut idle_since = Instant::now();
        loop {
            if self.closed.load(Ordering::SeqCst) {
                return Poll::Ready(());
            }
            let begun = self.begun.load(Ordering::SeqCst);
            if begun != *served {
                *served = begun;
                self.lend_a_hand();
                if self.once {
                    return Poll::Ready(());
                }
                idle_since = Instant::now();
            } else if idle_since.elapsed() > PATIENCE {
                let mut asleep = lock(&self.asleep);
                asleep.push(context.waker().clone());
                self.sleepers.store(asleep.len(), Ordering::SeqCst);
                // The caller looks for sleepers after it has begun or closed; so either it sees this one, or
                // this one sees what it missed.
                if !self.closed.load(Ordering::SeqCst)
                    && self.begun.load(Ordering::SeqCst) == *served
                {
                    return Poll::Pending;
                }
                asleep.pop();
                self.sleepers.store(asleep.len(), Ordering::SeqCst);
            } else {
                for _ in 0..4 {
                    std::hint::spin_loop();
                }
            }
        }
    }

    fn lend_a_hand(&self) {
        self.inside.fetch_add(1, Ordering::SeqCst);
        let job = self.job.load(Ordering::SeqCst);
        if !job.is_null() {
            // SAFETY: `run` keeps the job in place until it has withdrawn it and then found nobody inside. This
            // helper was inside before it read the job, and the job was not withdrawn yet, so `run` waits for it
            // to come out.
            let job = unsafe { *job.cast::<Job>() };
            job(Taker::Helper);
        }
        if self.inside.fetch_sub(1, Ordering::SeqCst) == 1
            && self.caller_sleeps.load(Ordering::SeqCst)
        {
            self.caller.unpark();
        }
    }

    /// Runs `job` on the calling thread, which must be the one that recruited, and on up to `helpers` others;
    /// returns when all are out of it. `job` must not unwind.
    pub fn run(&self, helpers: usize, job: Job) {
        self.job
            .store((&raw const job).cast_mut().cast(), Ordering::SeqCst);
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.wake(helpers);
        job(Taker::Caller);
        self.job.store(null_mut(), Ordering::SeqCst);
        let done_since = Instant::now();
        while self.inside.load(Ordering::SeqCst) > 0 {
            if done_since.elapsed() < PATIENCE {
                std::hint::spin_loop();
                continue;
            }
            self.caller_sleeps.store(true, Ordering::SeqCst);
            if self.inside.load(Ordering::SeqCst) > 0 {
                std::thread::park();
            }
            self.caller_sleeps.store(false, Ordering::SeqCst);
        }
    }

    fn wake(&self, most: usize) {
        if self.sleepers.load(Ordering::SeqCst) == 0 {
            return;
        }
        let woken: Vec<Waker> = {
            let mut asleep = lock(&self.asleep);
            let kept = asleep.len().saturating_sub(most);
            let woken = asleep.drain(kept..).collect();
            self.sleepers.store(kept, Ordering::SeqCst);
            woken
        };
        woken.into_iter().for_each(Waker::wake);
    }

    /// Lets the helpers go.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.wake(usize::MAX);
    }
}
