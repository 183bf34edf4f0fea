//! Checks of what is shown: camera, labels, looks, and the names of layers, events and plots in them.

use bevy::prelude::Vec3;

use super::super::SceneContext;
use super::super::library::CellLibrary;
use super::super::look::{Axis, CameraKey, ColourBy, Label, LayersShown, Look, Slice, Target};
use super::super::schema::{Action, Scene, Site};
use super::super::spans::FieldPath;
use super::expectations::{carries, no_site_carries};
use super::story::check_site_name;
use super::{Checker, amount};
use crate::cell::event::EventKinds;
use crate::core::layer::Layers;
use crate::core::metric::Metrics;
use crate::core::quantity::Quantities;
use crate::core::voxels::VoxelQuantities;

/// Steepest view: straight from above or below the camera has no up.
const MAX_ELEVATION_DEG: f32 = 89.0;

pub(super) fn check_camera(
    checker: &mut Checker,
    path: &FieldPath,
    key: &CameraKey,
    scene: &Scene,
) {
    checker.finite_point(&path.field("target_um"), key.target_um);
    if matches!(key.at, Some(Target::ForebearOf { .. })) {
        checker.problem_with_help(
            &path.field("at"),
            "a camera cannot look at a forebear",
            "a `Label` can point at it",
        );
        return;
    }
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

pub(super) fn check_label(checker: &mut Checker, path: &FieldPath, label: &Label, scene: &Scene) {
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
    if let Some(Target::Site(name)) = target {
        check_site_name(checker, &at.nth(0), name, scene);
    }
    if let Some(event) = target.and_then(Target::event) {
        if let Some(name) = event.site {
            check_site_name(checker, &at.field("site"), name, scene);
        }
        if event.nth == 0 {
            checker.problem(
                &at.field("nth"),
                "must be at least 1: 1 is the first, found 0",
            );
        }
    }
}

/// The titles of the plots that are shown.
fn shown_plots(scene: &Scene) -> Vec<(FieldPath, &str)> {
    let shown = scene.actions().filter_map(|(path, action)| match action {
        Action::Plot(plot) if !plot.title.is_empty() => {
            Some((path.field("title"), plot.title.as_str()))
        }
        _ => None,
    });
    shown.collect()
}

/// The kinds of events that the camera looks at and labels point at.
fn followed_events(scene: &Scene) -> Vec<(FieldPath, &str)> {
    let mut events = Vec::new();
    for (path, action) in scene.actions() {
        if let Action::Camera(CameraKey { at: Some(at), .. })
        | Action::Label(Label { at: Some(at), .. }) = action
            && let Some(event) = at.event()
        {
            events.push((path.field("at").field("kind"), event.kind));
        }
    }
    events
}

/// Checks that what cells are coloured by, and the layers, events and plots that the picture names, are known.
pub(super) fn check_colours(
    checker: &mut Checker,
    scene: &Scene,
    library: &CellLibrary,
    context: &SceneContext,
) {
    let film = FieldPath::root().field("recording").field("look");
    let mut looks = vec![(film, &scene.recording.look)];
    looks.extend(scene.actions().filter_map(|(path, action)| match action {
        Action::Look(look) => Some((path, look)),
        _ => None,
    }));
    looks.retain(|(_, look)| {
        look.colour_by != ColourBy::Type
            || matches!(look.layers, LayersShown::Only(_))
            || !look.hidden_types.is_empty()
            || look.slice.as_ref().is_some_and(is_of_voxels)
    });
    let events = followed_events(scene);
    let plots = shown_plots(scene);
    let types = library.names();
    for (path, look) in &looks {
        let list = path.field("hidden_types");
        for (index, name) in look.hidden_types.iter().enumerate() {
            checker.known(&list.item(index), "cell type", name, &types);
        }
    }
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

pub(super) fn check_look(checker: &mut Checker, path: &FieldPath, look: &Look, scene: &Scene) {
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
