//! What the window knows: the worker, the latest report, what is chosen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bevy::prelude::*;

use crate::scene::look::Axis;
use crate::scene::schema::Action;
use crate::scene::timeline::Timeline;
use crate::scene::treatment::Injection;
use crate::scene::{CameraPose, Look};
use crate::simulation::{SiteSnapshot, Snapshot, SnapshotRequest, WHOLE_STAGE};
use crate::tissue::placed::Region;
use crate::view::history::History;
use crate::view::overlay::Pointer;
use crate::view::{Shown, ViewCamera, ViewSettings, automatic_pose};

use super::arrival::{Arrival, Wake};
use super::bookmarks::Bookmark;
use super::browser::Browser;
use super::engine::Knob;
use super::filming::Film;
use super::keepsakes::save_curves;
use super::layout::Layout;
use super::parting::SharedLifeline;
use super::past::CLOSE_MINUTES;
use super::session::{SaveError, Session};
use super::visit::{Visit, first_settings};
use super::worker::{Order, Pace, PastSeen, Worker};

/// Slowest and fastest pace offered, hours of tissue time per second.
pub(super) const PACES: (f64, f64) = (0.05, 48.0);
/// How much larger text is with each press.
pub(super) const TEXT_FACTOR: f32 = 1.1;
/// Pace at the start: a day in 24 seconds.
const FIRST_PACE: f64 = 1.0;

/// The curves where nothing was measured.
static NO_CURVES: History = History::new();

/// A parameter as the panel shows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Dial {
    /// Its path, limits and present value (wished for, if the simulation has not taken it up yet).
    pub knob: Knob,
    /// Its value at the start.
    pub initial: f64,
}

impl Dial {
    /// Whether it was changed since the start.
    pub fn is_changed(&self) -> bool {
        self.knob.value != self.initial
    }
}

/// How a drug is to be given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    /// A dose, mg for a kg of body.
    pub mg_per_kg: f64,
    /// How many doses.
    pub times: u32,
    /// Time between two, d.
    pub every_days: f64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            mg_per_kg: 10.0,
            times: 1,
            every_days: 3.0,
        }
    }
}

/// What the next click injects.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Syringe {
    /// Name of the drug; nothing is injected where there is none.
    pub drug: Option<String>,
    /// How much, fmol.
    pub fmol: f64,
    /// Radius of the ball that it goes into, um.
    pub radius_um: f32,
}

impl Default for Syringe {
    fn default() -> Self {
        Self {
            drug: None,
            fmol: 1.0,
            radius_um: 30.0,
        }
    }
}

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
    knobs: Arc<Vec<Knob>>,
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
            knobs: Arc::default(),
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

    /// The scale of a rule when it is switched on: what it was when it was switched off here, or else at the start; 1 if
    /// it was off then.
    pub fn scale_when_on(&self, path: &str) -> f64 {
        let dial = self.dials.iter().find(|dial| dial.knob.path == path);
        let initial = dial.map_or(0.0, |dial| dial.initial);
        let known = self.scales.get(path).copied().unwrap_or(initial);
        if known == 0.0 { 1.0 } else { known }
    }

    /// Changes a parameter at the next step boundary.
    pub fn set_dial(&mut self, path: &str, value: f64) {
        if value == 0.0
            && let Some(dial) = self.dials.iter().find(|dial| dial.knob.path == path)
            && dial.knob.value != 0.0
        {
            self.scales.insert(path.to_owned(), dial.knob.value);
        }
        self.wishes.insert(path.to_owned(), value);
        if let Some(dial) = self.dials.iter_mut().find(|dial| dial.knob.path == path) {
            dial.knob.value = value;
        }
        self.order(Order::Change(Action::Set(path.to_owned(), value)));
    }

    /// Treats the tissue at the next step boundary.
    pub fn treat(&self, action: Action) {
        self.order(Order::Change(action));
    }

    /// The name in the scene of the site at a place of a picture.
    pub fn scene_site(&self, shown: &Shown, place: usize) -> Option<String> {
        if shown.0.arms.is_empty() {
            return Some(shown.0.sites.get(place)?.name.clone());
        }
        let site = shown.0.arms.site_at(place)?;
        Some(self.visit.scene().sites.get(site)?.name.clone())
    }

    /// Injects what is in the syringe at a place of the picture, um, and puts the syringe away. Beside the blocks nothing is
    /// injected.
    pub fn inject(&mut self, shown: &Shown, drawn: usize, at_um: Vec3) {
        let Some(drug) = self.syringe.drug.take() else {
            return;
        };
        let mut sites = shown.0.sites_in(drawn);
        let hit = sites.find_map(|index| {
            let site = shown.0.sites.get(index)?;
            let own = at_um - shown.0.place_um(index, drawn);
            let is_inside = own.cmpge(site.min_um).all() && own.cmple(site.max_um).all();
            is_inside.then_some((index, own))
        });
        let Some((index, own)) = hit else {
            self.notice = Some("nothing was injected: there is no tissue there".into());
            return;
        };
        let site = self.scene_site(shown, index);
        self.treat(Action::Inject(Injection {
            drug,
            site,
            place: Region::Ball {
                center_um: own.into(),
                radius_um: self.syringe.radius_um,
            },
            fmol: self.syringe.fmol,
        }));
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
        self.turn_dials(report.knobs);
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

    /// Adds what was measured to the curves of the branch that is lived.
    fn note_curves(&mut self, past: &PastSeen, snapshot: &Snapshot) {
        for (number, branch) in past.branches.iter().enumerate() {
            let Some((from, minutes)) = branch.from else {
                continue;
            };
            // What a branch shares with the one that it left.
            for site in 0..snapshot.sites.len() {
                if !self.histories.contains_key(&(number, site))
                    && let Some(shared) = self.histories.get(&(from, site))
                {
                    let mut shared = shared.clone();
                    shared.cut_off(minutes / 60.0);
                    self.histories.insert((number, site), shared);
                }
            }
        }
        for (number, site) in snapshot.sites.iter().enumerate() {
            let history = self.histories.entry((past.active, number)).or_default();
            history.push(snapshot.hours, &site.metrics);
        }
    }

    /// Saves the curves that are shown as a table.
    pub fn save_curves(&mut self) {
        let saved = save_curves(self.history(), &self.save_to, &self.visit.name);
        self.notice = Some(match saved {
            Ok(path) => format!("curves: {}", path.display()),
            Err(reason) => reason,
        });
    }

    /// Makes all text larger or smaller by this factor.
    pub fn scale_text(&mut self, by: f32) {
        self.layout.set_text_scale(self.layout.text_scale * by);
    }

    /// The curves of the branch that is lived, at the site that is shown.
    pub fn history(&self) -> &History {
        self.history_at(self.history_site)
    }

    /// The curves of the branch that is lived, at a site.
    pub fn history_at(&self, site: usize) -> &History {
        let key = (self.past.active, site);
        self.histories.get(&key).unwrap_or(&NO_CURVES)
    }

    /// The curves of all other branches at that site.
    pub fn other_futures(&self) -> impl Iterator<Item = &History> {
        let of = self.histories.iter();
        of.filter(|((branch, site), _)| *site == self.history_site && *branch != self.past.active)
            .map(|(_, history)| history)
    }

    /// The site whose curves are shown, by its place in the scene.
    pub const fn plotted_site(&self) -> usize {
        self.history_site
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

    /// Lets the film lead the camera and what is shown, or stops that.
    pub fn set_following(&mut self, follows: bool) {
        self.follows = follows;
        self.frames_itself = false;
        self.led = None;
    }

    /// Shows what the film shows at this time, hours, unless somebody has taken over since.
    pub fn follow_film(
        &mut self,
        hours: f64,
        settings: &mut ViewSettings,
        camera: &mut ViewCamera,
    ) {
        let taken_over = self
            .led
            .as_ref()
            .is_some_and(|(pose, look)| *pose != camera.pose || *look != settings.look);
        if taken_over {
            self.set_following(false);
        }
        if !self.follows {
            return;
        }
        let scene = self.visit.scene();
        let look = self
            .visit
            .timeline()
            .look_at(hours, scene.recording.look.clone());
        let look = self.visit.stage.look(look);
        if settings.look != look {
            settings.look = look.clone();
        }
        if let Some(pose) = self.visit.way.pose_at(hours) {
            camera.pose = pose;
        }
        self.led = Some((camera.pose, look));
    }

    /// Keeps the whole tissue in the picture until somebody moves the camera.
    fn follow_growth(&mut self, shown: &Shown, settings: &ViewSettings, camera: &mut ViewCamera) {
        let whole = whole_view(shown, settings);
        let pose = match self.automatic {
            None => whole,
            Some(before) if before != camera.pose => return,
            Some(before) => CameraPose {
                target_um: whole.target_um,
                distance_um: whole.distance_um.max(before.distance_um),
                ..before
            },
        };
        self.automatic = Some(pose);
        camera.pose = pose;
    }

    fn turn_dials(&mut self, knobs: Arc<Vec<Knob>>) {
        self.wishes.retain(|path, wish| {
            !knobs
                .iter()
                .any(|knob| knob.path == *path && knob.value == *wish)
        });
        if self.dials.len() != knobs.len() {
            self.dials = knobs
                .iter()
                .map(|knob| Dial {
                    initial: knob.value,
                    knob: knob.clone(),
                })
                .collect();
        }
        for (dial, knob) in self.dials.iter_mut().zip(knobs.iter()) {
            dial.knob = knob.clone();
            if let Some(wish) = self.wishes.get(&knob.path) {
                dial.knob.value = *wish;
            }
        }
        self.knobs = knobs;
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

/// The words that a timeline shows now, where it is known what they point at.
pub(super) fn labels_of(timeline: &Timeline, snapshot: &Snapshot, site: usize) -> Vec<Pointer> {
    let labels = timeline.labels_at(snapshot.hours).into_iter();
    labels
        .filter_map(|(_, label)| Pointer::of(label, snapshot, site, None))
        .collect()
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

#[cfg(test)]
mod tests;
