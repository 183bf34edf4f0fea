//! What a film shows when: the frames of a scene, described and drawn from what was seen of its simulation.

use std::sync::Arc;

use super::error::FilmError;
use super::filmed::Filmed;
use super::studio::{Studio, StudioError};
use super::way::CameraWay;
use crate::scene::{Look, ParsedScene, Stage, Style};
use crate::simulation::{Catalogue, Snapshot, SnapshotRequest, drawn_site};
use crate::view::camera::pose_for_shape;
use crate::view::history::History;
use crate::view::overlay::{Pointer, pace_text};
use crate::view::plot::Plot;
use crate::view::{OverlayContent, ViewCamera, ViewSettings};

/// Seconds of film a caption takes to appear and to vanish.
const CAPTION_FADE_S: f64 = 0.4;
/// Seconds of film in which one look goes over into the next.
const LOOK_FADE_S: f64 = 0.8;

/// What a film shows when.
pub(super) struct Plan {
    /// The scene that is filmed.
    pub(super) scene: Arc<ParsedScene>,
    /// Where its sites stand.
    pub(super) stage: Stage,
    /// The way of the camera.
    pub(super) way: CameraWay,
    /// The same for halves of the picture, as far as it is known before the run.
    pub(super) way_of_halves: CameraWay,
    /// Hours of tissue time in a second of film.
    pub(super) hours_per_second: f64,
    /// Width of the picture in heights.
    pub(super) shape: f32,
    /// How everything is drawn, whatever the scene says.
    pub(super) style: Option<Style>,
    /// Whether each frame is looked at by itself.
    pub(super) is_of_stills: bool,
}

impl Plan {
    /// The look that is going over into that of `hours`, and how far the new one has come, 0-1.
    fn look_going_out(&self, hours: f64, at_start: Look) -> Option<(f32, Look)> {
        if self.is_of_stills {
            return None;
        }
        let (since, before) = self.scene.timeline.look_before(hours, at_start)?;
        let share = ((hours - since) / (self.hours_per_second * LOOK_FADE_S)) as f32;
        (share < 1.0).then_some((share * share * (3.0 - 2.0 * share), before))
    }

    /// Looks at the tissue as the frame at `hours` shows it.
    pub(super) fn see(&self, seen: &mut Seen, filmed: &impl Filmed, hours: f64) -> Arc<Snapshot> {
        let at_start = || self.scene.scene.recording.look.clone();
        let look = self.scene.timeline.look_at(hours, at_start());
        let mut request = SnapshotRequest::of_look(&look);
        if let Some((_, before)) = self.look_going_out(hours, at_start()) {
            request = request.and(SnapshotRequest::of_look(&before));
        }
        seen.snapshot(filmed, request)
    }

    /// The largest value of the plots of all that was seen.
    pub(super) fn reach_of_plots(
        &self,
        catalogue: &Catalogue,
        seen: [&Seen; 2],
        hours: f64,
    ) -> f64 {
        let plots = seen.map(|seen| self.plot_at(catalogue, seen, hours));
        let tops = plots.iter().flatten().map(|plot| plot.extent().2);
        tops.fold(0.0, f64::max)
    }

    /// Draws the frame at `hours`, or half of it, from a snapshot and from what was seen before; plots reach up to a value at least.
    pub(super) fn draw<'a>(
        &self,
        studio: &'a mut Studio,
        (seen, reach): (&Seen, f64),
        snapshot: &Arc<Snapshot>,
        (hours, part): (f64, Part),
    ) -> Result<&'a mut [u8], FilmError> {
        let at_start = || self.scene.scene.recording.look.clone();
        let look = self.scene.timeline.look_at(hours, at_start());
        let before = self.look_going_out(hours, at_start());
        let faded = match before {
            Some((share, before)) => {
                let shot = self.compose(snapshot, (seen, reach), before, (hours, part));
                Some((share, studio.shoot(snapshot, &shot)?.to_vec()))
            }
            None => None,
        };
        let shot = self.compose(snapshot, (seen, reach), look, (hours, part));
        let pixels = studio.shoot(snapshot, &shot)?;
        if let Some((share, before)) = faded {
            fade(pixels, &before, 1.0 - share);
        }
        Ok(pixels)
    }

    /// What the timeline plots, of what was seen.
    fn plot_at(&self, catalogue: &Catalogue, seen: &Seen, hours: f64) -> Option<Plot> {
        let scene = &self.scene;
        let plot = scene.timeline.plot_at(hours)?;
        let of = match &plot.site {
            None => self.stage.focus,
            Some(name) => usize::from(scene.site(Some(name))?.0),
        };
        Plot::of(&catalogue.metrics, seen.histories.get(of)?, &plot.title)
    }

    /// What the timeline plots, or else what a trial measures first, of each arm.
    fn plot_of_arms(&self, snapshot: &Snapshot, histories: &[History], hours: f64) -> Option<Plot> {
        let scene = &self.scene;
        let wanted = scene.timeline.plot_at(hours);
        let measured = scene.scene.trial.measures.first();
        let site = match wanted {
            Some(plot) => plot.site.as_deref(),
            None => measured?.site.as_deref(),
        };
        let site = match site {
            None => snapshot.arms.site_at(self.stage.focus)?,
            Some(name) => usize::from(scene.site(Some(name))?.0),
        };
        let mut metrics = snapshot.catalogue.metrics.iter().filter(|metric| {
            wanted.map_or_else(
                || measured.is_some_and(|measured| measured.metric == metric.name),
                |plot| metric.plot.as_deref() == Some(plot.title.as_str()),
            )
        });
        metrics.find_map(|metric| {
            let places = snapshot.arms.at_site(site);
            Plot::beside(
                metric,
                places.filter_map(|(name, at)| Some((name, histories.get(at)?))),
            )
        })
    }

    /// What is written over a part of the picture: what holds for both halves stands once.
    fn in_part(
        &self,
        whole: OverlayContent,
        part: Part,
        names: Option<&(String, String)>,
    ) -> OverlayContent {
        let (left, right) = names.cloned().unwrap_or_default();
        match part {
            Part::Whole => whole,
            Part::Left => OverlayContent {
                title: left,
                legend: false,
                ..whole
            },
            Part::Right => OverlayContent {
                title: right,
                chapter: String::new(),
                arrows: String::new(),
                pace: String::new(),
                caption: String::new(),
                scale_bar: false,
                body_map: false,
                ..whole
            },
        }
    }

    /// What the frame at `hours`, or a half of it, shows with this look.
    fn compose(
        &self,
        snapshot: &Snapshot,
        (seen, reach): (&Seen, f64),
        look: Look,
        (hours, part): (f64, Part),
    ) -> Shot {
        let scene = &self.scene;
        let way = match part {
            Part::Whole => &self.way,
            Part::Left | Part::Right => &self.way_of_halves,
        };
        let shape = match part {
            Part::Whole => self.shape,
            Part::Left | Part::Right => 0.5 * self.shape,
        };
        let names = scene.scene.recording.beside.as_ref();
        let names = names.map(|beside| &beside.names);
        let site = drawn_site(&self.stage);
        let plot = if snapshot.arms.is_empty() {
            let plot = self.plot_at(&snapshot.catalogue, seen, hours);
            plot.map(|plot| Plot {
                reaches: reach,
                ..plot
            })
        } else {
            self.plot_of_arms(snapshot, &seen.histories, hours)
        };
        let labels = scene.timeline.labels_at(hours).into_iter();
        let labels = labels.filter_map(|(number, label)| {
            let foreseen = way.foreseen_of_label(number);
            Pointer::of(label, snapshot, site, foreseen)
        });
        let labels = labels.collect();
        let mut look = self.stage.look(look);
        if let Some(style) = self.style {
            look.style = style;
        }
        let pose = way.pose_at(hours);
        let pose = pose.unwrap_or_else(|| pose_for_shape(snapshot, site, &look, shape));
        let fade_hours = CAPTION_FADE_S * self.hours_per_second;
        let overlay = OverlayContent {
            title: snapshot.title.clone(),
            caption_opacity: if self.is_of_stills {
                1.0
            } else {
                caption_opacity(scene, hours, fade_hours)
            },
            pace: pace_text(&scene.scene, Some(self.hours_per_second)),
            plot,
            labels,
            // Of several arms they would be those of one.
            figures: snapshot.arms.is_empty(),
            ..OverlayContent::of_story(&scene.scene, &scene.timeline, hours)
        };
        Shot {
            settings: ViewSettings {
                site,
                ..ViewSettings::of_look(look)
            },
            camera: pose.into(),
            overlay: self.in_part(overlay, part, names),
        }
    }
}

/// How far the caption at `hours` has appeared, or has still to vanish, 0-1: the share of nearby moments,
/// before or after, at which it is the same.
fn caption_opacity(scene: &ParsedScene, hours: f64, fade_hours: f64) -> f32 {
    const MOMENTS: u8 = 12;
    let caption = scene.timeline.caption_at(hours);
    let share = |direction: f64| {
        let same = (1..=MOMENTS)
            .filter(|moment| {
                let then = hours + direction * fade_hours * f64::from(*moment) / f64::from(MOMENTS);
                then >= 0.0 && scene.timeline.caption_at(then) == caption
            })
            .count();
        same as f32 / f32::from(MOMENTS)
    };
    share(-1.0).min(share(1.0))
}

impl Studio {
    /// Draws a frame.
    fn shoot(&mut self, snapshot: &Arc<Snapshot>, shot: &Shot) -> Result<&mut [u8], StudioError> {
        self.render(
            Arc::clone(snapshot),
            &shot.settings,
            shot.camera,
            &shot.overlay,
        )
    }
}

/// What of the picture is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// The left half: the scene.
    Left,
    /// The right half: its arm.
    Right,
}

/// What has been seen of a simulation.
#[derive(Clone)]
pub(super) struct Seen {
    /// The tissue as it was seen last: after how many steps, what was asked for, and what was seen.
    shown: Option<(u64, SnapshotRequest, Arc<Snapshot>)>,
    /// The curves of each site.
    histories: Vec<History>,
}

impl Seen {
    /// Nothing yet, of so many sites.
    pub(super) fn of(sites: usize) -> Self {
        Self {
            shown: None,
            histories: vec![History::default(); sites],
        }
    }

    /// What was seen until another simulation goes on from there.
    pub(super) fn for_fork(&self) -> Self {
        Self {
            shown: None,
            histories: self.histories.clone(),
        }
    }

    /// The tissue as it is now.
    fn snapshot(&mut self, filmed: &impl Filmed, request: SnapshotRequest) -> Arc<Snapshot> {
        let steps = filmed.first().steps();
        let snapshot = match self.shown.take() {
            Some((at, of, snapshot)) if at == steps && of == request => snapshot,
            _ => Arc::new(filmed.snapshot(&request)),
        };
        self.shown = Some((steps, request, Arc::clone(&snapshot)));
        for (history, site) in self.histories.iter_mut().zip(&snapshot.sites) {
            history.push(snapshot.hours, &site.metrics);
        }
        snapshot
    }
}

/// One frame, described.
struct Shot {
    settings: ViewSettings,
    camera: ViewCamera,
    overlay: OverlayContent,
}

/// Mixes one picture into another: `share` of 0-1 of the second.
fn fade(picture: &mut [u8], with: &[u8], share: f32) {
    let share = (share.clamp(0.0, 1.0) * 256.0) as u32;
    for (to, from) in picture.iter_mut().zip(with) {
        let mixed = u32::from(*to) * (256 - share) + u32::from(*from) * share;
        *to = ((mixed + 128) >> 8) as u8;
    }
}
