//! Checks of what happens in a scene and how it is filmed: timeline, stage, output, recording. The changes that it makes are
//! checked in [`super::super::changes`].

use std::collections::BTreeMap;

use bevy::prelude::Vec3;

use super::super::schema::{Action, Beside, Event, Recording, Scene, Site};
use super::super::spans::FieldPath;
use super::super::stage::StageLayout;
use super::picture::{check_camera, check_label, check_look};
use super::texts::line;
use super::{Bounds, Checker, amount, span_text};

pub(super) fn check_timeline(checker: &mut Checker, scene: &Scene, bounds: &Bounds) {
    let list = FieldPath::root().field("timeline");
    for (index, event) in scene.timeline.iter().enumerate() {
        let path = list.item(index);
        match event {
            Event::At(time, action) => {
                checker.time(&path.nth(0), *time, bounds);
                check_action(checker, &path.nth(1), action, scene, bounds);
            }
            Event::Every {
                every,
                from,
                until,
                action,
            } => {
                let at = path.field("every");
                if checker.positive(&at, amount(*every)) && every.minutes() < bounds.step_minutes {
                    let message = format!(
                        "{} is shorter than a step of the scene ({})",
                        span_text(*every),
                        span_text(scene.step)
                    );
                    checker.problem(&at, message);
                }
                let start = from.map_or(every.minutes(), |from| from.minutes());
                let first = if from.is_some() { "from" } else { "every" };
                checker.time(&path.field(first), from.unwrap_or(*every), bounds);
                if let Some(until) = until {
                    let at = path.field("until");
                    if checker.time(&at, *until, bounds) && until.minutes() < start {
                        let message = format!(
                            "{} is before the first time ({})",
                            span_text(*until),
                            span_text(from.unwrap_or(*every))
                        );
                        checker.problem(&at, message);
                    }
                }
                check_action(checker, &path.field("action"), action, scene, bounds);
            }
        }
    }
}

fn check_action(
    checker: &mut Checker,
    path: &FieldPath,
    action: &Action,
    scene: &Scene,
    bounds: &Bounds,
) {
    match action {
        Action::Camera(key) => check_camera(checker, path, key, scene),
        Action::Look(look) => check_look(checker, path, look, scene),
        Action::Set(of, value) => {
            let is_interval = of.starts_with("molecules.") && of.ends_with(".every_minutes");
            let step = bounds.step_minutes;
            if checker.finite(&path.nth(1), *value) && is_interval && *value < step {
                let message =
                    format!("{value} min is shorter than a step of the scene ({step} min)");
                checker.problem(&path.nth(1), message);
            }
        }
        // Populations are checked with those present at the start, rules and paths with all changes of the scene.
        Action::Label(label) => check_label(checker, path, label, scene),
        Action::Plot(plot) => {
            if let Some(name) = &plot.site {
                check_site_name(checker, &path.field("site"), name, scene);
            }
        }
        // Populations, rules and treatments are checked where what they name is known.
        _ => {}
    }
}

/// Checks the places of the sites in the picture.
pub(super) fn check_stage(checker: &mut Checker, scene: &Scene) {
    let path = FieldPath::root().field("stage");
    match &scene.stage {
        StageLayout::Beside { gap_um } | StageLayout::Around { gap_um } => {
            checker.not_negative(&path.field("gap_um"), *gap_um);
        }
        StageLayout::Alone => {}
        StageLayout::At(places) => {
            let list = path.nth(0);
            for (name, place) in places {
                let at = list.key(name);
                check_site_name(checker, &at, name, scene);
                checker.finite_point(&at, *place);
            }
            for site in &scene.sites {
                if !places.contains_key(&site.name) {
                    let message = format!("the site `{}` has no place", site.name);
                    checker.problem(&path, message);
                }
            }
            check_apart(checker, &list, scene, places);
        }
    }
}

/// Checks that no two blocks overlap.
fn check_apart(
    checker: &mut Checker,
    path: &FieldPath,
    scene: &Scene,
    places: &BTreeMap<String, (f32, f32, f32)>,
) {
    let block = |site: &Site| {
        let place = places.get(&site.name)?;
        Some((Vec3::from(*place), Vec3::from(site.size_um) * 0.5))
    };
    for (index, site) in scene.sites.iter().enumerate() {
        let Some((place, half)) = block(site) else {
            continue;
        };
        for other in &scene.sites[..index] {
            let Some((of_other, half_of_other)) = block(other) else {
                continue;
            };
            let free = (place - of_other).abs() - half - half_of_other;
            if free.max_element() < 0.0 {
                let message = format!("`{}` overlaps `{}`", site.name, other.name);
                checker.problem(&path.key(&site.name), message);
            }
        }
    }
}

pub(super) fn check_output(checker: &mut Checker, scene: &Scene, bounds: &Bounds) {
    let path = FieldPath::root().field("output");
    let every = path.field("metrics_every");
    if checker.positive(&every, amount(scene.output.metrics_every))
        && scene.output.metrics_every.minutes() < bounds.step_minutes
    {
        let message = format!(
            "{} is shorter than a step of the scene ({})",
            span_text(scene.output.metrics_every),
            span_text(scene.step)
        );
        checker.problem(&every, message);
    }
    for (index, time) in scene.output.cells_at.iter().enumerate() {
        checker.time(&path.field("cells_at").item(index), *time, bounds);
    }
    for (index, time) in scene.output.fields_at.iter().enumerate() {
        checker.time(&path.field("fields_at").item(index), *time, bounds);
    }
}

pub(super) fn check_recording(checker: &mut Checker, scene: &Scene) {
    let recording = &scene.recording;
    let path = FieldPath::root().field("recording");
    checker.positive(&path.field("seconds"), recording.seconds);
    if !(1..=120).contains(&recording.fps) {
        let message = format!(
            "must be from 1 to 120 frames a second, found {}",
            recording.fps
        );
        checker.problem(&path.field("fps"), message);
    }
    let size = [recording.size.0, recording.size.1];
    for (side, pixels) in size.into_iter().enumerate() {
        if !(16..=8192).contains(&pixels) || pixels % 2 != 0 {
            let message =
                format!("must be an even number of pixels from 16 to 8192, found {pixels}");
            checker.problem(&path.field("size").nth(side), message);
        }
    }
    if let Some(still) = recording.still {
        let within = still.minutes() <= scene.duration.minutes();
        if !(still.minutes() >= 0.0 && within) {
            let message = format!(
                "must be a time of the scene, from 0 to {}, found {still}",
                scene.duration
            );
            checker.problem(&path.field("still"), message);
        }
    }
    if let Some(name) = &recording.site {
        check_site_name(checker, &path.field("site"), name, scene);
    }
    if let Some(beside) = &recording.beside {
        check_beside(checker, &path.field("beside"), beside, scene);
    }
    check_look(checker, &path.field("look"), &recording.look, scene);
}

/// Checks that an arm can go on from where the scene is: what is different about it happens from then on.
fn check_beside(checker: &mut Checker, path: &FieldPath, beside: &Beside, scene: &Scene) {
    let names: Vec<&str> = scene.arms.iter().map(|arm| arm.name.as_str()).collect();
    checker.known(&path.field("arm"), "arm", &beside.arm, &names);
    let from = beside.from.minutes();
    if !(from >= 0.0 && from < scene.duration.minutes()) {
        let message = format!(
            "must be a time before the end of the scene, {}, found {}",
            scene.duration, beside.from
        );
        checker.problem(&path.field("from"), message);
    }
    line(checker, &path.field("names").nth(0), &beside.names.0);
    line(checker, &path.field("names").nth(1), &beside.names.1);
    let Some(arm) = scene.arms.iter().position(|arm| arm.name == beside.arm) else {
        return;
    };
    // But for its timeline it is the scene, with no other arm.
    let there = Scene {
        arms: Vec::new(),
        expect: Vec::new(),
        timeline: Vec::new(),
        recording: Recording {
            side_by_side: false,
            beside: None,
            ..scene.recording.clone()
        },
        ..scene.clone()
    };
    let mut other = scene.in_arm(arm);
    other.expect.clear();
    let own = other.timeline.split_off(scene.timeline.len());
    other.timeline.clear();
    let first = |event: &Event| match event {
        Event::At(at, _) => at.minutes(),
        Event::Every { every, from, .. } => from.unwrap_or(*every).minutes(),
    };
    if other != there || own.iter().any(|event| first(event) < from) {
        let message = format!(
            "the arm `{}` cannot go on from there: it may have a timeline alone, and nothing of that before {}",
            beside.arm, beside.from
        );
        checker.problem(&path.field("arm"), message);
    }
}

pub(super) fn check_site_name(checker: &mut Checker, path: &FieldPath, name: &str, scene: &Scene) {
    let names: Vec<&str> = scene.sites.iter().map(|site| site.name.as_str()).collect();
    checker.known(path, "site", name, &names);
}
