//! Checks of what happens in a scene and how it is told: timeline, parameters, output, film, expectations.

use std::ops::Range;

use bevy::prelude::{Vec3, World};

use super::super::SceneContext;
use super::super::library::CellLibrary;
use super::super::look::{Axis, CameraPose, ColourBy, Look};
use super::super::schema::{Action, Condition, Event, Expectation, Scene, Site, Test};
use super::super::spans::{Body, FieldPath, unquoted};
use super::{Bounds, Checker, amount, span_text};
use crate::core::parameters::{ParameterError, check_exact, set_parameter};
use crate::core::quantity::Quantities;

/// Steepest view: straight from above or below the camera has no up.
const MAX_ELEVATION_DEG: f32 = 89.0;

pub(super) fn check_timeline(checker: &mut Checker, scene: &Scene, bounds: &Bounds) {
    let list = FieldPath::root().field("timeline");
    for (index, event) in scene.timeline.iter().enumerate() {
        let path = list.item(index);
        match event {
            Event::At(time, action) => {
                checker.time(&path.nth(0), *time, bounds);
                check_action(checker, &path.nth(1), action, scene);
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
                check_action(checker, &path.field("action"), action, scene);
            }
        }
    }
}

fn check_action(checker: &mut Checker, path: &FieldPath, action: &Action, scene: &Scene) {
    match action {
        Action::Camera(pose) => check_pose(checker, path, *pose),
        Action::Look(look) => check_look(checker, path, look, scene),
        Action::Set(_, value) => {
            checker.finite(&path.nth(1), *value);
        }
        // Populations are checked with those present at the start, rules with those of the cell types.
        Action::Add(_) | Action::Rule(_) | Action::Caption(_) => {}
    }
}

fn check_pose(checker: &mut Checker, path: &FieldPath, pose: CameraPose) {
    checker.finite_point(&path.field("target_um"), pose.target_um);
    checker.positive(&path.field("distance_um"), pose.distance_um);
    checker.finite(&path.field("azimuth_deg"), pose.azimuth_deg);
    let elevation = pose.elevation_deg;
    if !(-MAX_ELEVATION_DEG..=MAX_ELEVATION_DEG).contains(&elevation) {
        let message = format!(
            "must be from -{MAX_ELEVATION_DEG} to {MAX_ELEVATION_DEG} degrees, found {elevation}"
        );
        checker.problem(&path.field("elevation_deg"), message);
    }
}

/// Checks that what cells are coloured by is known.
pub(super) fn check_colours(
    checker: &mut Checker,
    scene: &Scene,
    library: &CellLibrary,
    context: &SceneContext,
) {
    let root = FieldPath::root();
    let film = root.field("recording").field("look");
    let mut looks = vec![(film, &scene.recording.look)];
    for (index, event) in scene.timeline.iter().enumerate() {
        let path = root.field("timeline").item(index);
        match event {
            Event::At(_, Action::Look(look)) => looks.push((path.nth(1), look)),
            Event::Every {
                action: Action::Look(look),
                ..
            } => looks.push((path.field("action"), look)),
            _ => {}
        }
    }
    looks.retain(|(_, look)| look.colour_by != ColourBy::Type);
    let Some(prototype) = context.prototype.filter(|_| !looks.is_empty()) else {
        return;
    };
    let world = prototype(library);
    let Some(known) = world.get_resource::<Quantities>() else {
        return;
    };
    let categories: Vec<&str> = known
        .categories
        .iter()
        .map(|category| category.info.name.as_str())
        .collect();
    for (path, look) in looks {
        let path = path.field("colour_by").nth(0);
        match &look.colour_by {
            ColourBy::Type => {}
            ColourBy::Category(name) => {
                checker.known(&path, "category", name, &categories);
            }
            ColourBy::Quantity(name) => {
                checker.known(&path, "quantity", name, &known.cell_names());
            }
        }
    }
}

/// The site that is filmed, if there is one of that name.
fn filmed(scene: &Scene) -> Option<&Site> {
    match &scene.recording.site {
        None => scene.sites.first(),
        Some(name) => scene.sites.iter().find(|site| site.name == *name),
    }
}

fn check_look(checker: &mut Checker, path: &FieldPath, look: &Look, scene: &Scene) {
    let molecule = path.field("slice").field("molecule");
    if let Some(slice) = &look.slice
        && !checker.molecule(&molecule, &slice.molecule)
    {
        return;
    }
    let Some(site) = filmed(scene) else { return };
    let size = Vec3::from(site.size_um);
    if !size.is_finite() || size.min_element() <= 0.0 || !checker.repaired.is_empty() {
        // What is wrong with the site itself has been said.
        return;
    }
    let half = |axis| match axis {
        Axis::X => 0.5 * size.x,
        Axis::Y => 0.5 * size.y,
        Axis::Z => 0.5 * size.z,
    };
    let planes = [
        (
            "slice",
            look.slice.as_ref().map(|slice| (slice.axis, slice.at_um)),
        ),
        ("cut", look.cut.map(|cut| (cut.axis, cut.at_um))),
    ];
    for (name, plane) in planes {
        let Some((axis, at_um)) = plane else { continue };
        let (path, half) = (path.field(name).field("at_um"), half(axis));
        if checker.finite(&path, at_um) && at_um.abs() > half {
            let message = format!(
                "must be inside the site `{}`, from -{half} to {half} um, found {at_um}",
                site.name
            );
            checker.problem(&path, message);
        }
    }
    if let Some(slice) = &look.slice
        && site
            .fields
            .iter()
            .all(|field| field.molecule != slice.molecule)
    {
        let message = format!(
            "`{}` is not among the fields of the site `{}`",
            slice.molecule.as_str(),
            site.name
        );
        let names: Vec<String> = site
            .fields
            .iter()
            .map(|f| format!("`{}`", f.molecule.as_str()))
            .collect();
        let help = if names.is_empty() {
            "the site has no fields".to_owned()
        } else {
            format!("it has {}", names.join(", "))
        };
        checker.problem_with_help(&molecule, message, help);
    }
}

/// Sets every parameter in a world made for trying.
pub(super) fn check_parameters(
    checker: &mut Checker,
    scene: &Scene,
    library: &CellLibrary,
    context: &SceneContext,
) {
    let map = FieldPath::root().field("parameters");
    check_repeated_keys(checker, &map);
    let mut changes: Vec<(FieldPath, FieldPath, &str, f64)> = scene
        .parameters
        .iter()
        .map(|(path, value)| (map.key(path), map.key(path), path.as_str(), *value))
        .collect();
    for (index, event) in scene.timeline.iter().enumerate() {
        let at = FieldPath::root().field("timeline").item(index);
        let (at, action) = match event {
            Event::At(_, action) => (at.nth(1), action),
            Event::Every { action, .. } => (at.field("action"), action),
        };
        if let Action::Set(path, value) = action {
            changes.push((at.nth(0), at.nth(1), path, *value));
        }
    }
    let Some(prototype) = context.prototype else {
        return;
    };
    if changes.is_empty() {
        return;
    }
    let mut world = prototype(library);
    let all_at_start = changes.len() == scene.parameters.len();
    for (number, (name_at, value_at, path, value)) in changes.into_iter().enumerate() {
        if number == scene.parameters.len() {
            check_together(checker, &map, scene, library, &world);
        }
        let fits = check_exact(&world, path, value);
        match fits.and_then(|()| set_parameter(&mut world, path, value)) {
            Ok(()) => {}
            Err(error @ ParameterError::Unknown { .. }) => {
                let span = key_span(checker, &map, path);
                match span.filter(|_| name_at == value_at) {
                    Some(span) => checker.problem_in(span, &name_at, error.to_string()),
                    None => checker.problem(&name_at, error.to_string()),
                };
            }
            Err(ParameterError::OutOfRange { value, allowed, .. }) => {
                if value.is_finite() || value_at == name_at {
                    checker.problem(&value_at, format!("must be {allowed}, found {value}"));
                }
            }
        }
    }
    if all_at_start {
        check_together(checker, &map, scene, library, &world);
    }
}

/// Checks that the cell types make sense with the scene's parameters.
fn check_together(
    checker: &mut Checker,
    map: &FieldPath,
    scene: &Scene,
    library: &CellLibrary,
    world: &World,
) {
    for (name, index) in library.names().iter().zip(0..) {
        for capability in library.known.iter() {
            for contradiction in (capability.contradictions_in_force)(world, index) {
                let paths = [contradiction.field, contradiction.other]
                    .map(|field| format!("{name}.{}.{field}", capability.name));
                // Neither is the scene's doing if a cell file is wrong, which is told there.
                if let Some(set) = paths
                    .iter()
                    .find(|path| scene.parameters.contains_key(*path))
                {
                    let message = format!("`{}`: {}", paths[0], contradiction.message);
                    checker.problem(&map.key(set), message);
                }
            }
        }
    }
}

/// Where a key of a map stands.
fn key_span(checker: &Checker, map: &FieldPath, key: &str) -> Option<Range<usize>> {
    let (node, _) = checker.tree.find(map, checker.text);
    let Body::Map(pairs) = &node.unwrapped().body else {
        return None;
    };
    pairs
        .iter()
        .map(|(name, _)| name.span.clone())
        .rfind(|span| unquoted(&checker.text[span.clone()]) == key)
}

/// A path that stands twice in `parameters`: only the last would count.
fn check_repeated_keys(checker: &mut Checker, map: &FieldPath) {
    let (node, exact) = checker.tree.find(map, checker.text);
    let Body::Map(pairs) = &node.unwrapped().body else {
        return;
    };
    if !exact {
        return;
    }
    let keys: Vec<&str> = pairs
        .iter()
        .map(|(key, _)| unquoted(&checker.text[key.span.clone()]))
        .collect();
    for (index, key) in keys.iter().enumerate() {
        if keys[..index].contains(key) {
            let span = pairs[index].0.span.clone();
            let message = format!("the parameter `{key}` stands twice");
            checker.problem_in(span, &map.key(key), message);
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
    if let Some(name) = &recording.site {
        check_site_name(checker, &path.field("site"), name, scene);
    }
    check_look(checker, &path.field("look"), &recording.look, scene);
}

fn check_site_name(checker: &mut Checker, path: &FieldPath, name: &str, scene: &Scene) {
    let names: Vec<&str> = scene.sites.iter().map(|site| site.name.as_str()).collect();
    checker.known(path, "site", name, &names);
}

pub(super) fn check_expectations(
    checker: &mut Checker,
    scene: &Scene,
    columns: Option<&[String]>,
    bounds: &Bounds,
) {
    for (index, expectation) in scene.expect.iter().enumerate() {
        let path = FieldPath::root().field("expect").item(index);
        match expectation {
            Expectation::At(time, condition) => {
                checker.time(&path.nth(0), *time, bounds);
                check_condition(checker, &path.nth(1), condition, scene, columns);
            }
            Expectation::AtEnd(condition)
            | Expectation::Always(condition)
            | Expectation::Eventually(condition) => {
                check_condition(checker, &path, condition, scene, columns);
            }
            Expectation::Before(first, second) => {
                check_condition(checker, &path.nth(0), first, scene, columns);
                check_condition(checker, &path.nth(1), second, scene, columns);
            }
        }
    }
}

fn check_condition(
    checker: &mut Checker,
    path: &FieldPath,
    condition: &Condition,
    scene: &Scene,
    columns: Option<&[String]>,
) {
    if let Some(columns) = columns {
        checker.known(&path.field("metric"), "column", &condition.metric, columns);
    }
    if let Some(site) = &condition.site {
        check_site_name(checker, &path.field("site"), site, scene);
    }
    let is = path.field("is");
    match condition.is {
        Test::Above(bound) | Test::Below(bound) => {
            checker.finite(&is, bound);
        }
        Test::Between(least, most) => {
            let fine = checker.finite(&is.nth(0), least) & checker.finite(&is.nth(1), most);
            if fine && least > most {
                checker.problem(&is, format!("nothing is between {least} and {most}"));
            }
        }
    }
}
