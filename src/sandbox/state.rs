//! What the window knows: the worker, the latest report, what is chosen.

mod curves;
mod dials;
mod lead;
#[cfg(test)]
mod tests;
mod treatment;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bevy::prelude::*;

use crate::scene::look::Axis;
use crate::scene::{CameraPose, Look};
use crate::simulation::{SiteSnapshot, SnapshotRequest, WHOLE_STAGE};
use crate::view::history::History;
use crate::view::{Shown, ViewCamera, ViewSettings, automatic_pose};

use super::arrival::{Arrival, Wake};
use super::bookmarks::Bookmark;
use super::browser::Browser;
use super::filming::Film;
use super::layout::Layout;
use super::parting::SharedLifeline;
use super::past::CLOSE_MINUTES;
use super::session::{SaveError, Session};
use super::visit::{Visit, first_settings};
use super::worker::{Order, Pace, PastSeen, Worker};

pub(super) use dials::Dial;
pub(super) use lead::labels_of;
pub(super) use treatment::Plan;
use treatment::Syringe;

/// Slowest and fastest pace offered, hours of tissue time per second.
pub(super) const PACES: (f64, f64) = (0.05, 48.0);
/// How much larger text is with each press.
pub(super) const TEXT_FACTOR: f32 = 1.1;
/// Pace at the start: a day in 24 seconds.
const FIRST_PACE: f64 = 1.0;

/// Everything the panels and the input systems share.
#[derive(Resource)]
pub(super) struct Sandbox {
    /// What is explored.
    pub visit: Visit,
    pub(super) worker: Option<Worker>,
    /// Wakes the window.
    pub wake: Wake,
    /// What is remembered from one time to the next.
    pub layout: Layout,
    /// What else can be opened.
    pub browser: Browser,
    /// Scenes that were left: their workers come to an end, and what was changed in them is saved.
    pub(super) leaving: Vec<JoinHandle<Result<Vec<PathBuf>, SaveError>>>,
    /// Files in which changes of scenes that were left are kept.
    pub(super) kept: Vec<PathBuf>,
    /// How the simulation is saved if the window breaks down.
    pub(super) lifeline: SharedLifeline,
    /// Times and places to come back to.
    pub bookmarks: Vec<Bookmark>,
    /// The film that is being made.
    pub film: Option<Film>,
    /// Films that are complete.
    pub films: Vec<PathBuf>,
    /// Whether time runs.
    pub is_running: bool,
    /// Pace while it runs, hours of tissue time per second.
    pub hours_per_second: f64,
    /// Whether it runs as fast as the machine can.
    pub is_unbounded: bool,
    /// Whether the simulation broke down.
    pub is_broken: bool,
    /// Computing time of the last step.
    pub last_step: Duration,
    /// Tissue hours per second as measured.
    pub measured_pace: f64,
    pace_mark: Option<(Instant, f64)>,
    /// The curves of each branch at each site.
    histories: BTreeMap<(usize, usize), History>,
    /// The site whose curves are shown.
    history_site: usize,
    /// The types of cells that the scene puts in and those that have come since, by number.
    pub types: BTreeSet<u16>,
    /// What can be gone back to.
    pub past: Arc<PastSeen>,
    /// Whether camera and look are those of the film.
    pub follows: bool,
    /// The pose and the look that the film has chosen last; who changes them takes over.
    led: Option<(CameraPose, Look)>,
    /// The moment that the line was dragged to last, minutes.
    dragged_to: Option<f64>,
    /// What reports hold, or will hold soon.
    asked_for: SnapshotRequest,
    /// Parameters, in the order of the simulation.
    pub dials: Vec<Dial>,
    /// Values wished for that no report has confirmed.
    wishes: BTreeMap<String, f64>,
    /// What parameters were before they were set to 0.
    scales: BTreeMap<String, f64>,
    /// What was changed.
    pub session: Arc<Session>,
    /// Why the latest change was refused.
    pub refusal: Option<String>,
    /// The refusal that a person has put away.
    pub refusal_read: Option<String>,
    /// How each drug is to be given, by name.
    pub plans: BTreeMap<String, Plan>,
    /// What the next click injects.
    pub syringe: Syringe,
    /// Dose of radiation, Gy.
    pub gray: f32,
    /// Search text over the parameters.
    pub search: String,
    /// Whether the help is shown.
    pub is_help_open: bool,
    /// Folder into which pictures and curves are saved.
    pub save_to: PathBuf,
    /// Whether a picture of the window is to be taken.
    pub wants_picture: bool,
    /// What was saved last, and where, or why not.
    pub notice: Option<String>,
    /// Whether the camera stays with the selected cell.
    pub stays_with_cell: bool,
    /// Whether the camera is flown instead of turned.
    pub is_flying: bool,
    /// The part of the window that the panels leave free, points.
    pub free: Rect,
    /// The pose chosen for the person, who has not touched it as long as the camera still has it.
    automatic: Option<CameraPose>,
    /// Whether a pose is chosen for the person at all: where no film has led the camera.
    frames_itself: bool,
}

impl Sandbox {
    /// A sandbox around a scene that has been set up, on a thread of its own; `wake` as in [`Worker::spawn`].
    pub fn begin(arrival: Arrival, wake: Wake) -> std::io::Result<Self> {
        let request = request_of(&first_settings(&arrival.visit));
        let (visit, worker) = arrival.start(request.clone(), Arc::clone(&wake))?;
        let frames_itself = !visit.has_film();
        Ok(Self {
            wake,
            layout: Layout::default(),
            browser: Browser::default(),
            leaving: Vec::new(),
            kept: Vec::new(),
            lifeline: SharedLifeline::default(),
            bookmarks: Vec::new(),
            film: None,
            films: Vec::new(),
            follows: visit.has_film(),
            types: types_of(&visit),
            visit,
            worker: Some(worker),
            is_running: false,
            hours_per_second: FIRST_PACE,
            is_unbounded: false,
            is_broken: false,
            last_step: Duration::ZERO,
            measured_pace: 0.0,
            pace_mark: None,
            histories: BTreeMap::new(),
            history_site: 0,
            past: Arc::default(),
            led: None,
            dragged_to: None,
            asked_for: request,
            dials: Vec::new(),
            wishes: BTreeMap::new(),
            scales: BTreeMap::new(),
            session: Arc::default(),
            refusal: None,
            refusal_read: None,
            plans: BTreeMap::new(),
            syringe: Syringe::default(),
            gray: 2.0,
            search: String::new(),
            is_help_open: false,
            save_to: PathBuf::from("."),
            wants_picture: false,
            notice: None,
            stays_with_cell: false,
            is_flying: false,
            free: Rect::default(),
            automatic: None,
            frames_itself,
        })
    }

    fn order(&self, order: Order) {
        if let Some(worker) = &self.worker {
            worker.order(order);
        }
    }

    /// Lets time run or stand still.
    pub fn set_running(&mut self, is_running: bool) {
        self.is_running = is_running && !self.is_broken;
        self.pace_mark = None;
        self.measured_pace = 0.0;
        let pace = match (self.is_running, self.is_unbounded) {
            (false, _) => Pace::Paused,
            (true, true) => Pace::AsFastAsPossible,
            (true, false) => Pace::Hours(self.hours_per_second),
        };
        self.order(Order::Pace(pace));
    }

    /// Chooses the pace; takes effect at once if time runs.
    pub fn set_pace(&mut self, hours_per_second: f64, is_unbounded: bool) {
        self.hours_per_second = hours_per_second.clamp(PACES.0, PACES.1);
        self.is_unbounded = is_unbounded;
        self.set_running(self.is_running);
    }

    /// Stops and takes `steps` steps.
    pub fn take_steps(&mut self, steps: u64) {
        if self.is_running {
            self.set_running(false);
        }
        self.order(Order::Steps(steps));
    }

    /// Asks for what the settings show, if reports do not hold it yet.
    pub fn ask_for(&mut self, settings: &ViewSettings) {
        let request = request_of(settings);
        if self.asked_for != request {
            self.asked_for = request.clone();
            self.order(Order::Show(request));
        }
    }

    /// Takes in the newest report, if there is one.
    pub fn receive(
        &mut self,
        shown: &mut Shown,
        settings: &mut ViewSettings,
        camera: &mut ViewCamera,
    ) {
        let Some(worker) = &self.worker else { return };
        let report = worker.report();
        if report.is_none() && !self.is_broken && !worker.is_alive() {
            self.is_broken = true;
            self.is_running = false;
        }
        let Some(report) = report else { return };
        self.last_step = report.last_step;
        self.session = report.session;
        if report.refusal.is_some() {
            self.wishes.clear();
        }
        if report.refusal.is_none() {
            self.refusal_read = None;
        }
        self.refusal = report.refusal;
        self.turn_dials(&report.knobs);
        self.measure_pace(report.snapshot.hours);
        self.note_curves(&report.past, &report.snapshot);
        self.past = report.past;
        self.history_site = match settings.site {
            WHOLE_STAGE => report.snapshot.stage.focus,
            site => site,
        };
        for site in &report.snapshot.sites {
            self.types.extend(&site.cells.cell_type);
        }
        let end = self.visit.end_hours();
        let was_before = shown.0.hours < end;
        shown.0 = report.snapshot;
        if was_before && shown.0.hours >= end && self.is_running {
            self.set_running(false);
        }
        self.follow_film(shown.0.hours, settings, camera);
        if self.frames_itself {
            self.follow_growth(shown, settings, camera);
        }
        if self.stays_with_cell
            && let Some(id) = settings.selected
            && let Some(at_um) = place_of(shown, settings.site, id)
        {
            camera.pose.target_um = at_um.into();
        }
    }

    /// Makes all text larger or smaller by this factor.
    pub fn scale_text(&mut self, by: f32) {
        self.layout.set_text_scale(self.layout.text_scale * by);
    }

    /// How far the branch that is lived has come, hours.
    pub fn reached_hours(&self) -> f64 {
        let branch = self.past.branches.get(self.past.active);
        branch.map_or(0.0, |branch| branch.reached / 60.0)
    }

    /// The time that the time line shows, hours.
    pub fn span_hours(&self) -> f64 {
        self.visit.end_hours().max(self.reached_hours())
    }

    /// Goes to a time, hours: back, or on.
    pub fn go_to(&mut self, hours: f64) {
        self.go_to_minutes(hours * 60.0);
    }

    /// Goes to a time, minutes: back, or on.
    pub fn go_to_minutes(&mut self, minutes: f64) {
        self.dragged_to = None;
        if self.is_running {
            self.set_running(false);
        }
        self.order(Order::Go(minutes));
    }

    /// Goes to where a chapter begins, hours, with the film's camera and look.
    pub fn go_to_chapter(&mut self, hours: f64) {
        self.set_following(true);
        self.go_to(hours);
    }

    /// Goes to the latest kept moment before a time, hours, if that is another one than last time.
    pub fn go_near(&mut self, hours: f64) {
        let moments = self.past.moments.iter();
        let near = moments
            .copied()
            .rfind(|at| *at <= hours * 60.0 + CLOSE_MINUTES);
        if let Some(near) = near
            && self.dragged_to != Some(near)
        {
            self.go_to_minutes(near);
            self.dragged_to = Some(near);
        }
    }

    /// Lives another branch.
    pub fn turn_to(&mut self, branch: usize) {
        if self.is_running {
            self.set_running(false);
        }
        self.order(Order::Branch(branch));
    }

    fn measure_pace(&mut self, hours: f64) {
        let now = Instant::now();
        match self.pace_mark {
            Some((since, from)) if now - since > Duration::from_millis(800) => {
                self.measured_pace = (hours - from) / (now - since).as_secs_f64();
                self.pace_mark = Some((now, hours));
            }
            Some(_) => {}
            None => self.pace_mark = Some((now, hours)),
        }
    }
}

/// The types of cells that a scene puts in, by number.
fn types_of(visit: &Visit) -> BTreeSet<u16> {
    let used = visit.parsed.used_cell_types();
    let types = (0..).zip(&visit.parsed.library.types);
    types
        .filter(|(_, prefab)| used.contains(&prefab.name))
        .map(|(number, _)| number)
        .collect()
}

/// Where a cell is in a picture of a site, um.
pub(super) fn place_of(shown: &Shown, site: usize, id: u64) -> Option<Vec3> {
    shown.site(site)?.place_of_cell(id)
}

/// What of the tissue the settings show.
pub(super) fn request_of(settings: &ViewSettings) -> SnapshotRequest {
    SnapshotRequest {
        portrait: settings.selected,
        diagrams: true,
        ..SnapshotRequest::of_look(&settings.look)
    }
}

/// The pose that shows the whole tissue.
pub(super) fn whole_view(shown: &Shown, settings: &ViewSettings) -> CameraPose {
    automatic_pose(&shown.0, settings.site, &settings.look)
}

/// Lower and upper end of a site along an axis, um.
pub(super) fn extent(site: Option<&SiteSnapshot>, axis: Axis) -> (f32, f32) {
    let Some(site) = site else {
        return (-100.0, 100.0);
    };
    let along = |v: Vec3| match axis {
        Axis::X => v.x,
        Axis::Y => v.y,
        Axis::Z => v.z,
    };
    let (low, high) = (along(site.min_um), along(site.max_um));
    if high > low {
        (low, high)
    } else {
        (-100.0, 100.0)
    }
}
