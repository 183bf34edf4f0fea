//! The way of the camera through a film: the keyframes of a scene with their targets turned into places.
//!
//! A keyframe may look at a site, at the whole stage, at a cell, or at an event of the run. Where a cell will be and
//! where an event will happen is known only afterwards; a scene that asks for it is simulated once before it is filmed.
//! Same scene, same seed, same bits: what the rehearsal found is what the film will show. Nothing is staged.
//!
//! In the same way labels find the place of an event, and the cell from which the cell of an event will descend.

use std::ops::ControlFlow;

use bevy::prelude::*;

use super::error::FilmError;
use super::rehearsal::{Footstep, Found, rehearse, waits};
use crate::scene::{CameraKey, CameraPose, ParsedScene, Stage, Target};
use crate::simulation::{Simulation, Snapshot};
use crate::view::camera::{corners_of, fitted, framed};
use crate::view::overlay::Foreseen;
use crate::view::pose_between;

/// A stretch on which the camera stays with a cell.
#[derive(Clone, Debug, PartialEq)]
struct Follow {
    from_hours: f64,
    to_hours: f64,
    footsteps: Vec<Footstep>,
    /// How far from the cell the camera looks, at both ends, um.
    off_um: [Vec3; 2],
}

/// Where the camera is when, and where what labels point at happens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CameraWay {
    keys: Vec<(f64, CameraPose)>,
    follows: Vec<Follow>,
    labels: Vec<Foreseen>,
}

impl CameraWay {
    /// The way through a scene that `simulation` is about to run, in the coordinates of the site with the index `drawn`, for
    /// pictures of this shape (width in heights).
    ///
    /// # Errors
    /// When an event that the camera looks at or a label points at does not happen, or a cell that it follows is not there.
    pub fn of(simulation: &Simulation, drawn: usize, shape: f32) -> Result<Self, FilmError> {
        let goes_on = &mut |_: &Simulation| ControlFlow::Continue(());
        Self::of_unless_stopped(simulation, drawn, (shape, None), goes_on)
    }

    /// The same, for a film or for a still of a time, hours; `progress` sees each step of a run before it, and says whether to go on.
    ///
    /// Labels that a still does not show are left alone.
    ///
    /// # Errors
    /// As [`CameraWay::of`], and when it is not to go on.
    pub fn of_unless_stopped(
        simulation: &Simulation,
        drawn: usize,
        (shape, still_hours): (f32, Option<f64>),
        progress: &mut dyn FnMut(&Simulation) -> ControlFlow<()>,
    ) -> Result<Self, FilmError> {
        let scene = simulation.scene();
        let keys = scene.timeline.camera_keys();
        // Events that labels point at are found on the same occasion.
        let of_still = still_hours.map(|hours| scene.timeline.labels_at(hours));
        let is_shown = |label: usize| {
            let mut shown = of_still.iter().flatten();
            of_still.is_none() || shown.any(|(number, _)| *number == label)
        };
        let of_labels = scene.timeline.labels().enumerate();
        let of_labels = of_labels.map(|(number, label)| {
            let at = label.at.clone();
            let at = at.filter(|at| at.event().is_some() && is_shown(number));
            let key = CameraKey {
                at,
                ..CameraKey::default()
            };
            (f64::INFINITY, key)
        });
        let asked: Vec<(f64, CameraKey)> = keys.iter().cloned().chain(of_labels).collect();
        let found = rehearse(simulation, &asked, progress)?;
        let snapshot = simulation.snapshot(&default());
        let stage = Stage::of(&scene.scene);
        let mut poses = Vec::with_capacity(keys.len());
        for (number, (hours, key)) in keys.iter().enumerate() {
            let pose = pose_of(
                key,
                number,
                scene,
                (&snapshot, drawn, shape),
                (&stage, &found),
            );
            poses.push((*hours, pose));
        }
        let mut follows = Vec::new();
        for (number, pair) in keys.windows(2).enumerate() {
            let [(from_hours, from), (to_hours, to)] = pair else {
                continue;
            };
            if let (Some(Target::Cell(a)), Some(Target::Cell(b))) = (&from.at, &to.at)
                && a == b
            {
                follows.push(Follow {
                    from_hours: *from_hours,
                    to_hours: *to_hours,
                    footsteps: smoothed(&found.footsteps[number]),
                    off_um: [from.target_um.into(), to.target_um.into()],
                });
            }
        }
        Ok(Self {
            keys: poses,
            follows,
            labels: found.events[keys.len()..].to_vec(),
        })
    }

    /// The way as far as it is known before the run: keyframes that look at a cell or at an event are left out.
    pub fn known_beforehand(simulation: &Simulation, drawn: usize, shape: f32) -> Self {
        let scene = simulation.scene();
        let snapshot = simulation.snapshot(&default());
        let (stage, found) = (Stage::of(&scene.scene), Found::default());
        let keys = scene.timeline.camera_keys().into_iter();
        let known = keys.filter(|(_, key)| !waits(key));
        let keys = known.map(|(hours, key)| {
            let seen = (&snapshot, drawn, shape);
            (hours, pose_of(&key, 0, scene, seen, (&stage, &found)))
        });
        Self {
            keys: keys.collect(),
            ..Self::default()
        }
    }

    /// The same turns, each far enough away that all these places are in the picture.
    #[must_use]
    pub fn around(mut self, places: &[Vec3], shape: f32) -> Self {
        for (_, pose) in &mut self.keys {
            *pose = framed(places, *pose, shape);
        }
        Self {
            keys: self.keys,
            ..Self::default()
        }
    }

    /// What the run before the film has found of what the label of that number points at.
    pub fn foreseen_of_label(&self, number: usize) -> &Foreseen {
        self.labels.get(number).unwrap_or(&Foreseen::Nothing)
    }

    /// Where the camera is at this time, hours; nothing if the scene does not say.
    pub fn pose_at(&self, hours: f64) -> Option<CameraPose> {
        if self.keys.is_empty() {
            return None;
        }
        let mut pose = pose_between(&self.keys, hours);
        let mut follows = self.follows.iter();
        if let Some(follow) =
            follows.find(|follow| (follow.from_hours..follow.to_hours).contains(&hours))
        {
            let share = (hours - follow.from_hours) / (follow.to_hours - follow.from_hours);
            let off = follow.off_um[0].lerp(follow.off_um[1], share as f32);
            pose.target_um = (place_at(&follow.footsteps, hours) + off).into();
        }
        Some(pose)
    }
}

/// The pose of a keyframe.
fn pose_of(
    key: &CameraKey,
    number: usize,
    scene: &ParsedScene,
    (snapshot, drawn, shape): (&Snapshot, usize, f32),
    (stage, found): (&Stage, &Found),
) -> CameraPose {
    let index = |name: &str| scene.site(Some(name)).map_or(0, |site| usize::from(site.0));
    let (centre, blocks) = match &key.at {
        None => (stage.place_um(stage.focus), None),
        Some(Target::Site(name)) => (stage.place_um(index(name)), Some(Some(index(name)))),
        Some(Target::Stage) => (Vec3::ZERO, Some(None)),
        Some(Target::Event { .. } | Target::ForebearOf { .. }) => match found.events.get(number) {
            Some(Foreseen::Place(place)) => (*place, None),
            _ => (Vec3::ZERO, None),
        },
        Some(Target::Cell(_)) => {
            let first = found.footsteps[number].first();
            (first.map_or(Vec3::ZERO, |(_, place)| *place), None)
        }
    };
    let mut pose = CameraPose {
        target_um: centre.into(),
        distance_um: key.distance_um.unwrap_or(1.0),
        azimuth_deg: key.azimuth_deg,
        elevation_deg: key.elevation_deg,
    };
    if key.distance_um.is_some() {
        pose = fitted(pose, shape);
    }
    if let Some(only) = blocks {
        let whole = framed(&corners_of(snapshot, drawn, only), pose, shape);
        pose.target_um = whole.target_um;
        if key.distance_um.is_none() {
            pose.distance_um = whole.distance_um;
        }
    }
    pose.target_um = (Vec3::from(pose.target_um) + Vec3::from(key.target_um)).into();
    pose
}

/// The same way with its trembling taken out: each inner place is the mean of itself and up to three on each side.
fn smoothed(footsteps: &[Footstep]) -> Vec<Footstep> {
    let last = footsteps.len().saturating_sub(1);
    footsteps
        .iter()
        .enumerate()
        .map(|(number, (hours, _))| {
            let reach = number.min(last - number).min(3);
            let near = &footsteps[number - reach..=number + reach];
            let sum: Vec3 = near.iter().map(|(_, place)| *place).sum();
            (*hours, sum / near.len() as f32)
        })
        .collect()
}

/// Where the cell is between two footsteps.
fn place_at(footsteps: &[Footstep], hours: f64) -> Vec3 {
    let after = footsteps.partition_point(|(at, _)| *at <= hours);
    match (
        after.checked_sub(1).and_then(|i| footsteps.get(i)),
        footsteps.get(after),
    ) {
        (Some((t0, a)), Some((t1, b))) => a.lerp(*b, ((hours - t0) / (t1 - t0)) as f32),
        (Some((_, place)), None) | (None, Some((_, place))) => *place,
        (None, None) => Vec3::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cell::turnover::DIVISION;
    use crate::measure::Wanted;
    use crate::simulation::Program;
    use crate::simulation::WHOLE_STAGE;
    use crate::tissue::SiteId;

    fn simulation(camera: &str) -> Simulation {
        let text = format!(
            r#"(title: "t", about: "a", pace: Illustrative, duration: Hours(10), step: Minutes(10),
                sites: [
                    (name: "left", organ: Medium, size_um: (200, 200, 200), fields: [(molecule: "oxygen", level: 38)]),
                    (name: "right", organ: Medium, size_um: (400, 200, 200), fields: [(molecule: "oxygen", level: 38)]),
                ],
                stage: Beside(gap_um: 100),
                populations: [
                    (cell: "cancer", site: "right", place: Ball(radius_um: 45)),
                    (cell: "fibroblast", site: "left", place: Single(at_um: (0, 0, 0))),
                ],
                timeline: [{camera}])"#
        );
        let scene = Program::default().parse_scene(&text, "t.ron", None);
        let scene = scene.unwrap_or_else(|report| panic!("{report}"));
        Simulation::new(Arc::new(scene), 3).expect("its parameters are valid")
    }

    fn way(camera: &str) -> CameraWay {
        CameraWay::of(&simulation(camera), WHOLE_STAGE, 16.0 / 9.0).expect("it can be filmed")
    }

    #[test]
    fn sites_and_the_stage_are_looked_at_where_they_stand() {
        let way = way(
            r#"At(Hours(0), Camera(at: Stage)), At(Hours(2), Camera(at: Site("left"))),
               At(Hours(4), Camera(distance_um: 300, target_um: (5, 0, 0)))"#,
        );
        let target = |hours| way.pose_at(hours).expect("there are keyframes").target_um;
        assert_eq!(target(0.0), (0.0, 0.0, 0.0));
        assert_eq!(target(2.0), (-250.0, 0.0, 0.0));
        // The first site is the filmed one.
        assert_eq!(target(4.0), (-245.0, 0.0, 0.0));
        let far = |hours| way.pose_at(hours).expect("there are keyframes").distance_um;
        assert!(far(0.0) > far(2.0), "the stage is larger than a site");
    }

    #[test]
    fn an_event_is_looked_at_where_the_run_says_it_happens() {
        let event =
            r#"At(Hours(5), Camera(at: Event(kind: "division", nth: 2), distance_um: 200))"#;
        let way = way(event);
        let mut run = simulation(event);
        let mut divisions = Vec::new();
        while divisions.len() < 2 {
            run.step();
            let events = run.events().iter();
            divisions.extend(
                events
                    .filter(|event| event.kind.name() == "division")
                    .map(|event| event.position_um),
            );
        }
        // The middle of the right site.
        let place = Vec3::X * 150.0;
        let target = Vec3::from(way.pose_at(5.0).expect("there is a keyframe").target_um);
        assert!(target.distance(divisions[1] + place) < 1e-3);
    }

    #[test]
    fn a_label_points_at_the_event_that_it_names() {
        let story = r#"At(Hours(5), Label(text: "a", lasts: Hours(1))),
            At(Hours(5), Label(text: "b", at: Event(kind: "division"), lasts: Hours(1)))"#;
        let way = way(story);
        let mut run = simulation(story);
        let division = loop {
            run.step();
            let mut events = run.events().iter();
            if let Some(event) = events.find(|event| event.kind.name() == "division") {
                break event.position_um;
            }
        };
        assert_eq!(way.foreseen_of_label(0), &Foreseen::Nothing);
        let Foreseen::Place(place) = *way.foreseen_of_label(1) else {
            panic!("a cell divides");
        };
        assert!(place.distance(division + Vec3::X * 150.0) < 1e-3);
        assert_eq!(way.pose_at(1.0), None);
    }

    #[test]
    fn a_label_points_at_the_cell_from_which_another_will_descend() {
        let story = r#"At(Hours(0), Label(text: "a", at: ForebearOf(kind: "division", nth: 9), lasts: Hours(9)))"#;
        let Foreseen::Line(line) = way(story).foreseen_of_label(0).clone() else {
            panic!("cells divide");
        };
        let mut run = simulation(story);
        let known = |run: &Simulation| {
            let census = run.census(&Wanted::default());
            line.iter()
                .filter(|id| census.ids.iter().any(|cell| cell.0 == **id))
                .count()
        };
        // The run before the film ends with what it was to find.
        let asked = simulation(story);
        let (mut steps, mut found) = (0, 0);
        let mut count = |rehearsal: &Simulation| {
            steps = rehearsal.steps();
            let events = rehearsal.events().iter();
            found += events.filter(|event| event.kind == DIVISION).count();
            ControlFlow::Continue(())
        };
        CameraWay::of_unless_stopped(&asked, WHOLE_STAGE, (1.0, None), &mut count)
            .expect("cells divide");
        assert!(found >= 9 && steps < asked.total_steps(), "{found} {steps}");
        // A still of a time at which the label is not shown needs none, and what does not come has no forebear.
        let still = (1.0, Some(9.5));
        let mut refuse = |_: &Simulation| ControlFlow::Break(());
        CameraWay::of_unless_stopped(&asked, WHOLE_STAGE, still, &mut refuse)
            .expect("nothing is simulated");
        let never = r#"At(Hours(0), Label(text: "a", at: ForebearOf(kind: "division", site: "left"), lasts: Hours(9)))"#;
        assert_eq!(way(never).foreseen_of_label(0), &Foreseen::Nothing);
        // At first the eldest alone is there; each comes by a division of the one before.
        assert_eq!(known(&run), 1);
        let mut divisions = Vec::new();
        while divisions.len() < 9 {
            run.step();
            let events = run.events().iter();
            let events = events.filter(|event| event.kind.name() == "division");
            divisions.extend(events.map(|event| (event.cell.0, event.other)));
        }
        assert_eq!(known(&run), line.len());
        assert_eq!(line.last(), Some(&divisions[8].0));
        for pair in line.windows(2) {
            let born = divisions.iter().find(|(cell, _)| *cell == pair[1]);
            let mother = born.and_then(|(_, mother)| *mother);
            assert_eq!(mother.map(|mother| mother.0), Some(pair[0]));
        }
    }

    #[test]
    fn a_film_of_what_does_not_happen_is_refused_by_its_name() {
        let asked = simulation(
            r#"At(Hours(5), Camera(at: Event(kind: "division", site: "left"), distance_um: 200))"#,
        );
        let error = CameraWay::of(&asked, WHOLE_STAGE, 1.0).expect_err("fibroblasts do not divide");
        assert!(error.to_string().contains("`division`"), "{error}");
        let asked = simulation(r#"At(Hours(0), Camera(at: Cell(99999), distance_um: 200))"#);
        let error = CameraWay::of(&asked, WHOLE_STAGE, 1.0).expect_err("there is no such cell");
        assert!(error.to_string().contains("99999"), "{error}");
    }

    #[test]
    fn a_followed_cell_stays_in_the_middle_of_the_picture() {
        // The fibroblast walks; it comes after the cancer cells.
        let probe = simulation("");
        let census = probe.census(&Wanted::default());
        let row = census.of_site(SiteId(0)).next().expect("the fibroblast");
        let id = census.ids[row].0;
        let camera = format!(
            "At(Hours(0), Camera(at: Cell({id}), distance_um: 200)), \
             At(Hours(10), Camera(at: Cell({id}), distance_um: 100))"
        );
        let way = way(&camera);
        let mut run = simulation(&camera);
        let mut farthest: f32 = 0.0;
        let mut walked: f32 = 0.0;
        for _ in 0..50 {
            run.step();
            let census = run.census(&Wanted::default());
            let row = census.ids.iter().position(|cell| cell.0 == id);
            let at = census.positions_um[row.expect("it lives")] - Vec3::X * 250.0;
            let target = Vec3::from(way.pose_at(run.hours()).expect("keyframes").target_um);
            farthest = farthest.max(at.distance(target));
            walked = walked.max(at.distance(Vec3::new(-250.0, 0.0, 0.0)));
        }
        assert!(
            walked > 15.0 && farthest < 12.0,
            "walked {walked}, off by {farthest}"
        );
    }

    #[test]
    fn the_camera_rides_with_a_cell_that_the_blood_carries() {
        let scene = |camera: &str| {
            let text = format!(
                r#"(title: "t", about: "a", pace: Illustrative, duration: Hours(1),
                    sites: [
                        (name: "lung", organ: Lung, size_um: (200, 200, 200), fields: []),
                        (name: "liver", organ: Liver, size_um: (200, 200, 200), fields: []),
                    ],
                    stage: Beside(gap_um: 300),
                    body: (circulation: (injections: [(cell: "cancer", cells: 60)])),
                    timeline: [{camera}])"#
            );
            let scene = Program::default().parse_scene(&text, "t.ron", None);
            let scene = scene.unwrap_or_else(|report| panic!("{report}"));
            Simulation::new(Arc::new(scene), 3).expect("its parameters are valid")
        };
        let mut run = scene("");
        let mut at_step = |step: u64| {
            while run.steps() < step {
                run.step();
            }
            let layers = Some(crate::scene::LayersShown::All);
            let request = crate::simulation::SnapshotRequest {
                layers,
                ..default()
            };
            run.snapshot(&request)
        };
        let (first, last) = (at_step(10), at_step(14));
        let whole = last.site(WHOLE_STAGE).expect("they share a stage");
        let filled = whole
            .layers
            .iter()
            .find(|filled| filled.layer.stands_for_cells);
        let filled = filled.expect("cells are in the blood");
        let id = filled.glyphs[0].id;
        let camera = format!(
            "At(Minutes(10), Camera(at: Cell({id}), distance_um: 200)), \
             At(Minutes(14), Camera(at: Cell({id}), distance_um: 200))"
        );
        let way = CameraWay::of(&scene(&camera), WHOLE_STAGE, 1.0).expect("it is in the blood");
        for (hours, snapshot) in [(10.0 / 60.0, &first), (14.0 / 60.0 - 1e-6, &last)] {
            let drawn = snapshot.site(WHOLE_STAGE).expect("they share a stage");
            let at_um = drawn.place_of_cell(id).expect("it travels");
            let pose = way.pose_at(hours).expect("there are keyframes");
            let off = Vec3::from(pose.target_um).distance(at_um);
            assert!(off < 40.0, "{off} um off");
        }
    }
}
