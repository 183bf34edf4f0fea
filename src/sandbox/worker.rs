//! The thread that owns the simulation.
//!
//! Orders go in through a channel, reports come back through a slot in which the latest one wins. Between
//! two steps the thread looks at its orders, so a change takes effect at a step boundary and the window
//! never waits for a step. What was changed when is written into a [`Session`], from which the same run can
//! be had again.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::core::parallel::keep_to_own_pool;
use crate::scene::schema::Action;
use crate::simulation::{Snapshot, SnapshotRequest};

use super::engine::{Engine, Knob};
use super::past::{Branch, CLOSE_MINUTES, Past};
use super::session::{Session, log_change};

/// Tissue time between two moments that are kept at first, minutes.
const KEEP_EVERY_MINUTES: f64 = 30.0;
/// Steps are computed so many times as long as it took to keep a moment before the next one is kept.
const KEEPING_SHARE: u32 = 20;

/// How fast tissue time runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pace {
    /// It stands still.
    Paused,
    /// Hours of tissue time per second, or as near to it as the machine comes.
    Hours(f64),
    /// One step after the other.
    AsFastAsPossible,
}

/// What the window asks of the thread.
#[derive(Debug)]
pub(super) enum Order {
    /// Run at this pace from now on.
    Pace(Pace),
    /// Take this many steps, whatever the pace.
    Steps(u64),
    /// Change something, at the next step boundary.
    Change(Action),
    /// Go to this time of the present branch, minutes: back to a kept moment, and from there on.
    Go(f64),
    /// Go to the latest moment of another branch.
    Branch(usize),
    /// Put this into reports from now on, the next one at once.
    Show(SnapshotRequest),
    /// Save the state as a run in this folder, or one with a number, and tell where, and what was changed on each branch.
    Rescue {
        /// The folder.
        folder: PathBuf,
        /// Where the answer goes.
        answer: Sender<Rescued>,
    },
}

/// Where the state was saved, or why not, and what was changed on each branch, the present one first.
pub(super) type Rescued = (Result<PathBuf, String>, Vec<Session>);

/// What can be gone back to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PastSeen {
    /// All branches, in the order in which they began.
    pub branches: Vec<Branch>,
    /// Which of them is lived.
    pub active: usize,
    /// Times of the moments that are kept of it, minutes.
    pub moments: Vec<f64>,
    /// Where time is going without pause, minutes, if it is.
    pub goal: Option<f64>,
}

/// What the thread tells the window.
#[derive(Clone, Debug)]
pub(super) struct Report {
    /// The tissue.
    pub snapshot: Arc<Snapshot>,
    /// All parameters and their values.
    pub knobs: Arc<Vec<Knob>>,
    /// What was changed so far.
    pub session: Arc<Session>,
    /// What can be gone back to.
    pub past: Arc<PastSeen>,
    /// Computing time of the last step.
    pub last_step: Duration,
    /// Why the latest change was refused; empty if it was not.
    pub refusal: Option<String>,
}

/// The newest report that nobody has taken yet.
#[derive(Default)]
struct Slot(Mutex<Option<Report>>);

impl Slot {
    fn take(&self) -> Option<Report> {
        self.lock().take()
    }

    fn put(&self, report: Report) {
        *self.lock() = Some(report);
    }

    fn is_empty(&self) -> bool {
        self.lock().is_none()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Report>> {
        // A report is replaced as a whole, so it is sound even if the other side panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The window's end of the thread.
pub(super) struct Worker {
    orders: Option<Sender<Order>>,
    slot: Arc<Slot>,
    thread: Option<JoinHandle<Vec<Session>>>,
}

impl Worker {
    /// Starts the thread, paused; reports hold what `request` asks for until another order comes. `wake` is called whenever a report has been put out, and told whether it
    /// is the last one before an order comes.
    pub fn spawn(
        engine: impl Engine,
        request: SnapshotRequest,
        wake: impl FnMut(bool) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (orders, inbox) = channel();
        let slot = Arc::new(Slot::default());
        let loop_ = Loop {
            past: Past::new(KEEP_EVERY_MINUTES.max(engine.step_hours() * 60.0)),
            engine,
            request,
            inbox,
            slot: Arc::clone(&slot),
            wake: Box::new(wake),
            pace: Pace::Paused,
            steps_left: 0,
            goal: None,
            last_step: Duration::ZERO,
            computed: Duration::ZERO,
            keeping: Duration::ZERO,
            refusal: None,
            unseen: true,
            knobs: Arc::default(),
            knobs_are_old: true,
        };
        let thread = std::thread::Builder::new()
            .name("simulation".into())
            .spawn(move || loop_.run())?;
        Ok(Self {
            orders: Some(orders),
            slot,
            thread: Some(thread),
        })
    }

    /// Sends an order. It is lost if the simulation has broken down, which [`Worker::is_alive`] tells.
    pub fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            drop(orders.send(order));
        }
    }

    /// Another way to send it orders. The thread does not end as long as there is one.
    pub fn orders(&self) -> Option<Sender<Order>> {
        self.orders.clone()
    }

    /// The newest report, if there is one that was not taken yet.
    pub fn report(&self) -> Option<Report> {
        self.slot.take()
    }

    /// Whether the simulation can still go on.
    pub fn is_alive(&self) -> bool {
        self.thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
    }

    /// Ends the thread after the step it is in, and returns what was changed on each branch, the present one first; `None` if it
    /// had broken down.
    pub fn finish(mut self) -> Option<Vec<Session>> {
        self.orders = None;
        self.thread.take()?.join().ok()
    }
}

/// The thread's own state.
struct Loop<E: Engine> {
    engine: E,
    past: Past<E::Moment>,
    request: SnapshotRequest,
    inbox: Receiver<Order>,
    slot: Arc<Slot>,
    wake: Box<dyn FnMut(bool) + Send>,
    pace: Pace,
    steps_left: u64,
    /// Tissue time to come to without pause, minutes.
    goal: Option<f64>,
    last_step: Duration,
    /// Computing time since a moment was kept, and what keeping it took.
    computed: Duration,
    keeping: Duration,
    refusal: Option<String>,
    /// Whether the state has changed since the last report.
    unseen: bool,
    knobs: Arc<Vec<Knob>>,
    knobs_are_old: bool,
}

impl<E: Engine> Loop<E> {
    fn run(mut self) -> Vec<Session> {
        keep_to_own_pool();
        self.engine.settle_in();
        self.keep();
        // When the next step is due, at a pace in tissue time.
        let mut due = Instant::now();
        loop {
            // Nothing to do, or too early: report and wait for an order.
            let wait = if self.steps_left > 0 || self.goal.is_some() {
                Some(Duration::ZERO)
            } else {
                match self.pace {
                    Pace::Paused => None,
                    Pace::AsFastAsPossible => Some(Duration::ZERO),
                    Pace::Hours(_) => Some(due.saturating_duration_since(Instant::now())),
                }
            };
            if self.slot.is_empty() || wait != Some(Duration::ZERO) {
                self.put_report(wait.is_none());
            }
            let order = match wait {
                None => self
                    .inbox
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => self.inbox.recv_timeout(wait),
            };
            match order {
                Ok(order) => {
                    if matches!(order, Order::Pace(_)) {
                        due = Instant::now();
                    }
                    self.take(order);
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return self.sessions();
                }
            }
            self.step();
            if let Pace::Hours(hours_per_second) = self.pace {
                let interval = self.engine.step_hours() / hours_per_second.max(1e-9);
                // A machine that cannot keep up does not try to catch up later.
                due = (due + Duration::from_secs_f64(interval.min(3600.0))).max(Instant::now());
            }
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Pace(pace) => self.pace = pace,
            Order::Steps(steps) => self.steps_left += steps,
            Order::Change(action) => {
                match self.engine.apply(&action) {
                    Ok(()) => {
                        let minutes = self.engine.minutes();
                        self.past
                            .change(minutes, |changes| log_change(changes, minutes, action));
                        self.refusal = None;
                        // Where it was going lies on another branch, if it was going anywhere.
                        self.goal = None;
                    }
                    Err(reason) => self.refusal = Some(reason),
                }
                self.knobs_are_old = true;
                self.unseen = true;
            }
            Order::Go(minutes) => self.go(minutes),
            Order::Branch(branch) => {
                let reached = self.past.branches().get(branch).map(|of| of.reached);
                if let Some(reached) = reached
                    && branch != self.past.active()
                    && self.go_back(branch, reached)
                {
                    self.steps_left = 0;
                    self.goal = Some(reached);
                }
            }
            Order::Show(request) => {
                self.request = request;
                self.unseen = true;
            }
            Order::Rescue { folder, answer } => {
                let run = self.engine.save_as_run(&folder);
                // Nobody waits for it any more if it took too long.
                let _answered = answer.send((run, self.sessions()));
            }
        }
    }

    /// Goes to a time of the present branch, minutes.
    fn go(&mut self, minutes: f64) {
        let now = self.engine.minutes();
        let goal = minutes.max(0.0);
        let is_back = goal < now - CLOSE_MINUTES;
        let kept = self.past.latest(goal).map(|(at, _)| at);
        self.steps_left = 0;
        self.unseen = true;
        if is_back || kept.is_some_and(|at| at > now + CLOSE_MINUTES) {
            let is_there = self.go_back(self.past.active(), goal);
            if is_back && !is_there {
                // It stays where it is; the reason is told.
                self.goal = None;
                return;
            }
        }
        self.goal = Some(goal);
    }

    /// Takes up the latest kept moment of a branch that is not later than this, minutes, and lives that branch. Whether it
    /// could: state and books stay as they are otherwise.
    fn go_back(&mut self, branch: usize, minutes: f64) -> bool {
        let restored = match self.past.latest_of(branch, minutes) {
            Some((at, moment)) => self.engine.go_back(moment).map(|()| at),
            None => Err("there is no kept moment to go back to".to_owned()),
        };
        self.knobs_are_old = true;
        self.unseen = true;
        match restored {
            Ok(at) => {
                self.past.went_back(branch, at);
                self.refusal = None;
                true
            }
            Err(reason) => {
                self.refusal = Some(reason);
                false
            }
        }
    }

    /// Keeps the moment that it is, if one is due and it costs little beside the steps since the last one.
    fn keep(&mut self) {
        let minutes = self.engine.minutes();
        if !self.past.is_due(minutes) || self.computed < self.keeping * KEEPING_SHARE {
            return;
        }
        let start = Instant::now();
        if let Ok((moment, bytes)) = self.engine.keep() {
            self.past.keep(minutes, moment, bytes);
        }
        self.keeping = start.elapsed();
        self.computed = Duration::ZERO;
    }

    /// What was changed on each branch, the present one first.
    fn sessions(&self) -> Vec<Session> {
        let present = std::iter::once(self.past.branch());
        let others = self.past.branches().iter().enumerate();
        let others = others.filter(|(number, _)| *number != self.past.active());
        present
            .chain(others.map(|(_, branch)| branch))
            .map(session_of)
            .collect()
    }

    fn step(&mut self) {
        if self
            .goal
            .is_some_and(|goal| self.engine.minutes() >= goal - CLOSE_MINUTES)
        {
            self.goal = None;
            self.unseen = true;
            return;
        }
        for change in self.past.due_again(self.engine.minutes()) {
            // It was taken then, so it is taken now.
            if let Err(reason) = self.engine.apply(&change.action) {
                self.refusal = Some(reason);
            }
            self.knobs_are_old = true;
        }
        let start = Instant::now();
        self.engine.step();
        self.last_step = start.elapsed();
        self.computed += self.last_step;
        self.past.came_to(self.engine.minutes());
        self.keep();
        self.steps_left = self.steps_left.saturating_sub(1);
        self.unseen = true;
    }

    fn put_report(&mut self, is_last: bool) {
        if !self.unseen {
            return;
        }
        self.unseen = false;
        // Scripted events change parameters too, so the list is compared rather than trusted.
        let knobs = self.engine.knobs();
        if self.knobs_are_old || *self.knobs != knobs {
            self.knobs = Arc::new(knobs);
            self.knobs_are_old = false;
        }
        self.slot.put(Report {
            snapshot: Arc::new(self.engine.snapshot(&self.request)),
            knobs: Arc::clone(&self.knobs),
            session: Arc::new(session_of(self.past.branch())),
            past: Arc::new(PastSeen {
                branches: self.past.branches().to_vec(),
                active: self.past.active(),
                moments: self.past.moments(),
                goal: self.goal,
            }),
            last_step: self.last_step,
            refusal: self.refusal.clone(),
        });
        (self.wake)(is_last);
    }
}

/// What was changed on a branch.
fn session_of(branch: &Branch) -> Session {
    Session {
        changes: Arc::clone(&branch.changes),
        minutes_seen: branch.reached,
    }
}

#[cfg(test)]
mod tests;
