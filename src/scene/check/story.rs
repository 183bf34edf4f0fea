//! Checks of what happens in a scene and how it is told: timeline, output, film, expectations. The changes that it makes are
//! checked in [`super::super::changes`].

use std::collections::BTreeMap;

use bevy::prelude::Vec3;

use super::super::SceneContext;
use super::super::library::CellLibrary;
use super::super::look::{Axis, CameraKey, ColourBy, Label, LayersShown, Look, Slice, Target};
use super::super::schema::{Action, Condition, Event, Expectation, Scene, Site, Test};
use super::super::spans::FieldPath;
use super::super::stage::StageLayout;
use super::{Bounds, Checker, amount, span_text};
use crate::cell::event::EventKinds;
use crate::core::layer::Layers;
use crate::core::metric::{Metric, Metrics};
use crate::core::quantity::Quantities;
use crate::core::voxels::VoxelQuantities;

/// Steepest view: straight from above or below the camera has no up.
const MAX_ELEVATION_DEG: f32 = 89.0;

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
        // Treatments are checked where drugs are known.
        Action::Add(_)
        | Action::Rule(_)
        | Action::Caption(_)
        | Action::Chapter(..)
        | Action::Give(_)
        | Action::Inject(_)
        | Action::Irradiate(_)
        | Action::Resect(_)
        | Action::Transfer(_) => {}
    }
}

fn check_camera(checker: &mut Checker, path: &FieldPath, key: &CameraKey, scene: &Scene) {
    checker.finite_point(&path.field("target_um"), key.target_um);
    check_target(checker, path, key.at.as_ref(), scene);
    match key.distance_um {
        Some(distance) => {
            checker.positive(&path.field("distance_um"), distance);
        }
        None if matches!(key.at, Some(Target::Site(_) | Target::Stage)) => {}
        None => {
            checker.problem_with_help(
                path,
                "the camera needs `distance_um`, how far it is away, um",
                "it can be left out with `at: Stage` or `at: Site(\"...\")`, which are framed as a whole",
            );
        }
    }
    checker.finite(&path.field("azimuth_deg"), key.azimuth_deg);
    let elevation = key.elevation_deg;
    if !(-MAX_ELEVATION_DEG..=MAX_ELEVATION_DEG).contains(&elevation) {
        let message = format!(
            "must be from -{MAX_ELEVATION_DEG} to {MAX_ELEVATION_DEG} degrees, found {elevation}"
        );
        checker.problem(&path.field("elevation_deg"), message);
    }
}

fn check_label(checker: &mut Checker, path: &FieldPath, label: &Label, scene: &Scene) {
    checker.finite_point(&path.field("off_um"), label.off_um);
    checker.positive(&path.field("lasts"), amount(label.lasts));
    if label.text.trim().is_empty() {
        checker.problem(&path.field("text"), "a label needs a word");
    }
    check_target(checker, path, label.at.as_ref(), scene);
}

/// Checks what a camera looks at or a label points at.
fn check_target(checker: &mut Checker, path: &FieldPath, target: Option<&Target>, scene: &Scene) {
    let at = path.field("at");
    match target {
        Some(Target::Site(name)) => check_site_name(checker, &at.nth(0), name, scene),
        Some(Target::Event { site, nth, .. }) => {
            if let Some(name) = site {
                check_site_name(checker, &at.field("site"), name, scene);
            }
            if *nth == 0 {
                checker.problem(
                    &at.field("nth"),
                    "must be at least 1: 1 is the first, found 0",
                );
            }
        }
        Some(Target::Stage | Target::Cell(_)) | None => {}
    }
}

/// The titles of the plots that are shown.
fn shown_plots(scene: &Scene) -> Vec<(FieldPath, &str)> {
    let list = FieldPath::root().field("timeline");
    let actions = scene.timeline.iter().enumerate();
    actions
        .filter_map(|(index, event)| {
            let (path, action) = match event {
                Event::At(_, action) => (list.item(index).nth(1), action),
                Event::Every { action, .. } => (list.item(index).field("action"), action),
            };
            match action {
                Action::Plot(plot) if !plot.title.is_empty() => {
                    Some((path.field("title"), plot.title.as_str()))
                }
                _ => None,
            }
        })
        .collect()
}

/// The kinds of events that the camera looks at and labels point at.
fn followed_events(scene: &Scene) -> Vec<(FieldPath, &str)> {
    let list = FieldPath::root().field("timeline");
    let mut events = Vec::new();
    for (index, event) in scene.timeline.iter().enumerate() {
        let (path, action) = match event {
            Event::At(_, action) => (list.item(index).nth(1), action),
            Event::Every { action, .. } => (list.item(index).field("action"), action),
        };
        if let Action::Camera(CameraKey {
            at: Some(Target::Event { kind, .. }),
            ..
        })
        | Action::Label(Label {
            at: Some(Target::Event { kind, .. }),
            ..
        }) = action
        {
            events.push((path.field("at").field("kind"), kind.as_str()));
        }
    }
    events
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

/// Checks that what cells are coloured by, and the layers, events and plots that the picture names, are known.
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
    looks.retain(|(_, look)| {
        look.colour_by != ColourBy::Type
            || matches!(look.layers, LayersShown::Only(_))
            || look.slice.as_ref().is_some_and(is_of_voxels)
    });
    let events = followed_events(scene);
    let plots = shown_plots(scene);
    let is_needed = !looks.is_empty() || !events.is_empty() || !plots.is_empty();
    let Some(prototype) = context.prototype.filter(|_| is_needed) else {
        return;
    };
    let world = prototype(library);
    if let Some(kinds) = world.get_resource::<EventKinds>() {
        let kinds: Vec<&str> = kinds.iter().map(|(kind, _)| kind.name()).collect();
        for (path, kind) in events {
            checker.known(&path, "kind of event", kind, &kinds);
        }
    }
    if let Some(metrics) = world.get_resource::<Metrics>() {
        let mut titles: Vec<&str> = metrics.iter().filter_map(|of| of.plot.as_deref()).collect();
        titles.dedup();
        for (path, title) in plots {
            checker.known(&path, "plot", title, &titles);
        }
    }
    let layers = world.get_resource::<Layers>();
    let layers = layers.map_or_else(Vec::new, |layers| {
        layers.iter().map(|layer| layer.name.clone()).collect()
    });
    for (path, look) in &looks {
        if let LayersShown::Only(names) = &look.layers {
            let list = path.field("layers").nth(0);
            for (index, name) in names.iter().enumerate() {
                checker.known(&list.item(index), "layer", name, &layers);
            }
        }
    }
    let of_voxels = VoxelQuantities::of(&world).iter();
    let of_voxels: Vec<&str> = of_voxels.map(|known| known.info.name.as_str()).collect();
    for (path, look) in &looks {
        if let Some(slice) = look.slice.as_ref().filter(|slice| is_of_voxels(slice)) {
            let path = path.field("slice").field("molecule");
            checker.known(
                &path,
                "number of voxels",
                slice.molecule.as_str(),
                &of_voxels,
            );
        }
    }
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
                let found = known.of_cells(name).map(|known| &known.info);
                let molecule = found.and_then(|quantity| quantity.molecule.as_deref());
                match molecule.filter(|molecule| !carries(scene, molecule)) {
                    Some(molecule) => no_site_carries(checker, &path, "quantity", (name, molecule)),
                    None => {
                        checker.known(&path, "quantity", name, &known.cell_names());
                    }
                }
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

/// Whether a plane shows a number of voxels: names of molecules have no dots.
fn is_of_voxels(slice: &Slice) -> bool {
    slice.molecule.as_str().contains('.')
}

fn check_look(checker: &mut Checker, path: &FieldPath, look: &Look, scene: &Scene) {
    let molecule = path.field("slice").field("molecule");
    let of_voxels = look.slice.as_ref().is_some_and(is_of_voxels);
    if let Some(slice) = look.slice.as_ref().filter(|_| !of_voxels)
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
    if let Some(slice) = look.slice.as_ref().filter(|_| !of_voxels)
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
    columns: Option<&[Metric]>,
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

/// Whether some site of a scene carries a molecule.
fn carries(scene: &Scene, molecule: &str) -> bool {
    let mut fields = scene.sites.iter().flat_map(|site| &site.fields);
    fields.any(|field| field.molecule.as_str() == molecule)
}

/// Says of a column or quantity that nothing stands behind it, for its molecule is nowhere.
fn no_site_carries(
    checker: &mut Checker,
    path: &FieldPath,
    what: &str,
    (name, molecule): (&str, &str),
) {
    let message =
        format!("there is no {what} `{name}`, for no site of the scene carries `{molecule}`");
    let help = format!("add `(molecule: \"{molecule}\", level: ...)` to the `fields` of a site");
    checker.problem_with_help(path, message, help);
}

/// A column must be there, and if it is of a molecule the site that is meant must carry that.
fn check_column(
    checker: &mut Checker,
    path: &FieldPath,
    condition: &Condition,
    scene: &Scene,
    columns: &[Metric],
) {
    let name = condition.metric.as_str();
    let lacks = |metric: &Metric| {
        let molecule = metric.molecule.as_deref();
        molecule
            .filter(|molecule| !carries(scene, molecule))
            .map(str::to_owned)
    };
    let named = columns.iter().find(|metric| metric.name == name);
    if let Some(molecule) = named.and_then(lacks) {
        no_site_carries(checker, path, "column", (name, &molecule));
        return;
    }
    let site = match &condition.site {
        None => scene.sites.first(),
        Some(name) => scene.sites.iter().find(|site| site.name == *name),
    };
    let molecule = named.and_then(|metric| metric.molecule.as_deref());
    if let (Some(site), Some(molecule)) = (site, molecule)
        && !carries_itself(site, molecule)
    {
        let carriers = scene
            .sites
            .iter()
            .filter(|site| carries_itself(site, molecule));
        let names: Vec<String> = carriers.map(|site| format!("`{}`", site.name)).collect();
        let message = format!(
            "`{name}` has no value in the site `{}`, which does not carry `{molecule}`",
            site.name
        );
        checker.problem_with_help(path, message, format!("carried by {}", names.join(", ")));
        return;
    }
    let there = columns.iter().filter(|metric| lacks(metric).is_none());
    let there: Vec<&str> = there.map(|metric| metric.name.as_str()).collect();
    checker.known(path, "column", name, &there);
}

/// Whether a site carries a molecule.
fn carries_itself(site: &Site, molecule: &str) -> bool {
    let mut fields = site.fields.iter();
    fields.any(|field| field.molecule.as_str() == molecule)
}

pub(in crate::scene) fn check_condition(
    checker: &mut Checker,
    path: &FieldPath,
    condition: &Condition,
    scene: &Scene,
    columns: Option<&[Metric]>,
) {
    if let Some(columns) = columns {
        check_column(checker, &path.field("metric"), condition, scene, columns);
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
