//! Leaving a scene: for another one, at closing, or because the window breaks down. What was done to the tissue is saved each
//! time, and the window never waits for a step but at closing.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::view::{Shown, ViewCamera, ViewSettings};

use super::arrival::Arrival;
use super::session::{SaveError, Session};
use super::state::Sandbox;
use super::visit::{Visit, first_settings};
use super::worker::{Order, Worker};

/// Longest time that a window that breaks down waits for the step in which its simulation is.
const LAST_WAIT: Duration = Duration::from_secs(120);

/// What leads to the simulation when nothing else does any more.
pub(super) struct Lifeline {
    orders: Sender<Order>,
    visit: Visit,
    folder: PathBuf,
}

/// The lifeline of the scene that is shown; none while there is nothing to save.
pub(super) type SharedLifeline = Arc<Mutex<Option<Lifeline>>>;

impl Lifeline {
    /// Saves the state as a run that can be resumed, and what was changed as scenes that repeat it; says where, or why not.
    fn rescue(self) -> Vec<Result<PathBuf, String>> {
        let (answer, answers) = channel();
        let folder = self.folder.join(format!("explore_{}_run", self.visit.name));
        let order = Order::Rescue { folder, answer };
        if self.orders.send(order).is_err() {
            return vec![Err("the simulation is gone".into())];
        }
        let Ok((run, sessions)) = answers.recv_timeout(LAST_WAIT) else {
            return vec![Err("the simulation does not answer".into())];
        };
        let mut found = vec![run];
        match save_all(&self.visit, &sessions, &self.folder) {
            Ok(files) => found.extend(files.into_iter().map(Ok)),
            Err(error) => found.push(Err(error.to_string())),
        }
        found
    }
}

/// Saves the simulation that a lifeline leads to, once, and says so on the terminal. Called by a hook of panics, before
/// anything is taken apart.
pub(super) fn rescue(lifeline: &SharedLifeline) -> Vec<Result<PathBuf, String>> {
    // Whoever panicked may hold it; then there is no way.
    let taken = match lifeline.try_lock() {
        Ok(mut lifeline) => lifeline.take(),
        Err(_) => None,
    };
    taken.map_or_else(Vec::new, Lifeline::rescue)
}

/// Saves what was changed on each branch of a visit.
fn save_all(visit: &Visit, sessions: &[Session], folder: &Path) -> Result<Vec<PathBuf>, SaveError> {
    let mut files = Vec::new();
    for session in sessions {
        files.extend(session.save(&visit.parsed, &visit.name, visit.seed, folder)?);
    }
    Ok(files)
}

/// Ends a worker after the step it is in, and saves what was changed. `known` is what its last report said, for a worker
/// that has broken down.
fn see_off(
    worker: Worker,
    (visit, known): (&Visit, &Session),
    folder: &Path,
) -> Result<Vec<PathBuf>, SaveError> {
    let sessions = worker.finish().unwrap_or_else(|| vec![known.clone()]);
    save_all(visit, &sessions, folder)
}

impl Sandbox {
    /// Lets the simulation be saved through this, whatever becomes of the window.
    pub fn hold_on_to(&mut self, lifeline: SharedLifeline) {
        self.lifeline = lifeline;
        let held = self.worker.as_ref().and_then(Worker::orders);
        let held = held.map(|orders| Lifeline {
            orders,
            visit: self.visit.clone(),
            folder: self.save_to.clone(),
        });
        *self.lifeline.lock().unwrap_or_else(PoisonError::into_inner) = held;
    }

    fn let_go_of_lifeline(&self) {
        // The worker ends when nobody can send it orders any more.
        *self.lifeline.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Begins to set up the scene of a file, to be shown when it is there.
    pub fn open_scene(&mut self, path: &Path) {
        let wake = Arc::clone(&self.wake);
        self.browser.open(path, &wake);
    }

    /// Begins to set up the scene that is shown once more.
    pub fn restart(&mut self) {
        let path = self.browser.file.clone();
        self.open_scene(&path);
    }

    /// Shows a scene that was asked for, if it is there; says what was saved of one that was left.
    pub fn welcome(
        &mut self,
        shown: &mut Shown,
        settings: &mut ViewSettings,
        camera: &mut ViewCamera,
    ) {
        self.note_departures();
        let Some(arrival) = self.browser.arrived() else {
            return;
        };
        if let Err(error) = self.change_to(arrival) {
            self.browser.problem = Some(format!("cannot start a thread: {error}"));
            return;
        }
        *shown = Shown::default();
        *settings = first_settings(&self.visit);
        *camera = ViewCamera::default();
    }

    /// Puts a scene in place of the one that is shown, which ends on a thread of its own.
    fn change_to(&mut self, arrival: Arrival) -> std::io::Result<()> {
        let mut next = Self::begin(arrival, Arc::clone(&self.wake))?;
        next.layout = std::mem::take(&mut self.layout);
        next.browser = std::mem::take(&mut self.browser);
        next.leaving = std::mem::take(&mut self.leaving);
        next.kept = std::mem::take(&mut self.kept);
        next.film = self.film.take();
        next.films = std::mem::take(&mut self.films);
        next.save_to.clone_from(&self.save_to);
        next.free = self.free;
        next.is_help_open = self.is_help_open;
        let lifeline = Arc::clone(&self.lifeline);
        self.let_go_of_lifeline();
        let mut old = std::mem::replace(self, next);
        self.hold_on_to(lifeline);
        if let Some(worker) = old.worker.take() {
            let folder = self.save_to.clone();
            let leave = move || see_off(worker, (&old.visit, &*old.session), &folder);
            let started = std::thread::Builder::new()
                .name("parting".into())
                .spawn(leave);
            match started {
                Ok(thread) => self.leaving.push(thread),
                // With the thread what it was to do is gone; the reports of the scene are all that was known of it.
                Err(error) => self.notice = Some(format!("changes are lost: {error}")),
            }
        }
        Ok(())
    }

    /// Says what was saved of scenes that were left.
    fn note_departures(&mut self) {
        let gone = self.leaving.extract_if(.., |thread| thread.is_finished());
        for thread in gone.collect::<Vec<_>>() {
            match thread.join() {
                Ok(Ok(files)) => {
                    if let Some(file) = files.first() {
                        self.notice = Some(format!("what you changed: {}", file.display()));
                    }
                    self.kept.extend(files);
                }
                Ok(Err(error)) => self.notice = Some(error.to_string()),
                Err(_) => self.notice = Some("saving what you changed broke down".into()),
            }
        }
    }

    /// Ends everything: the film, the scene that is shown and those that were left. Returns the files in which something is
    /// kept, changes first.
    ///
    /// # Errors
    /// When something could not be saved; everything else is.
    pub fn finish(&mut self) -> Result<Vec<PathBuf>, SaveError> {
        self.set_filming(false);
        self.let_go_of_lifeline();
        let mut files = std::mem::take(&mut self.kept);
        let mut trouble = None;
        let mut note = |saved: Result<Vec<PathBuf>, SaveError>| match saved {
            Ok(saved) => files.extend(saved),
            Err(error) => trouble = Some(error),
        };
        for thread in self.leaving.drain(..) {
            if let Ok(saved) = thread.join() {
                note(saved);
            }
        }
        if let Some(worker) = self.worker.take() {
            note(see_off(
                worker,
                (&self.visit, &*self.session),
                &self.save_to,
            ));
        }
        files.append(&mut self.films);
        match trouble {
            None => Ok(files),
            Some(error) => Err(error),
        }
    }
}
