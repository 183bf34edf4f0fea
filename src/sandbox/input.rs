//! Keyboard and mouse over the picture. What happens over a panel is egui's.

use bevy::input::mouse::{AccumulatedMouseMotion, AccumulatedMouseScroll, MouseScrollUnit};
use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use bevy_egui::input::EguiWantsInput;

use crate::scene::Style;
use crate::simulation::SiteSnapshot;
use crate::view::camera::{FIELD_OF_VIEW_DEG, um_per_pixel};
use crate::view::cells::reach_on_cut_um;
use crate::view::crowding::Crowding;
use crate::view::glyphs::pick::{Look, first_glyph};
use crate::view::{PickedGlyph, Shown, ViewCamera, ViewSettings, axis_vector, cut_plane};

use super::layout::PanelPage;
use super::panels::{FIRST_CUT, first_slice};
use super::state::{Sandbox, TEXT_FACTOR, place_of, whole_view};
use super::{choices, pick, rig};

/// A press that moves less than this is a click, points.
const CLICK_POINTS: f32 = 4.0;
/// Pixels of a touch pad that count as a notch of a wheel.
const PIXELS_PER_NOTCH: f32 = 40.0;
/// What one press of + or - does to the pace.
const PACE_FACTOR: f64 = 1.5;
/// Longest time flown in one frame, seconds: after a pause of the window the eye does not leap.
const LONGEST_FLIGHT_S: f32 = 0.1;

/// How far the arrow keys go in time, hours.
const LEAP_HOURS: f64 = 1.0;

/// Two clicks on a cell within this time are one, seconds.
const DOUBLE_CLICK_S: f64 = 0.45;

/// A mouse button held down over the picture.
#[derive(Resource, Default)]
pub(super) struct Grip {
    button: Option<MouseButton>,
    moved: f32,
    /// When a cell was clicked last, seconds, and which.
    clicked: Option<(f64, u64)>,
}

impl Grip {
    /// Whether something is being dragged.
    pub const fn is_held(&self) -> bool {
        self.button.is_some()
    }
}

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Grip>().add_systems(
        Update,
        (press_keys, fly.after(press_keys), use_mouse.after(fly)),
    );
}

/// Keys that are pressed once.
fn press_keys(
    keys: Res<ButtonInput<KeyCode>>,
    wants: Res<EguiWantsInput>,
    shown: Res<Shown>,
    mut sandbox: ResMut<Sandbox>,
    mut settings: ResMut<ViewSettings>,
    mut camera: ResMut<ViewCamera>,
) {
    if wants.wants_any_keyboard_input() {
        return;
    }
    if keys.any_pressed([KeyCode::ControlLeft, KeyCode::ControlRight]) {
        for key in keys.get_just_pressed() {
            match key {
                KeyCode::Equal | KeyCode::NumpadAdd => sandbox.scale_text(TEXT_FACTOR),
                KeyCode::Minus | KeyCode::NumpadSubtract => sandbox.scale_text(1.0 / TEXT_FACTOR),
                KeyCode::Digit0 | KeyCode::Numpad0 => sandbox.layout.text_scale = 1.0,
                _ => {}
            }
        }
        return;
    }
    for key in keys.get_just_pressed() {
        match key {
            KeyCode::KeyK => sandbox.wants_picture = true,
            KeyCode::KeyM => {
                let films = sandbox.film.is_none();
                sandbox.set_filming(films);
            }
            KeyCode::KeyO => sandbox.browser.toggle(),
            KeyCode::KeyB => sandbox.add_bookmark(shown.0.hours, &settings, &camera),
            KeyCode::Space => {
                let is_running = sandbox.is_running;
                sandbox.set_running(!is_running);
            }
            KeyCode::Period | KeyCode::NumpadDecimal => sandbox.take_steps(1),
            KeyCode::Equal | KeyCode::NumpadAdd => {
                let pace = sandbox.hours_per_second * PACE_FACTOR;
                sandbox.set_pace(pace, false);
            }
            KeyCode::Minus | KeyCode::NumpadSubtract => {
                let pace = sandbox.hours_per_second / PACE_FACTOR;
                sandbox.set_pace(pace, false);
            }
            KeyCode::KeyX => {
                settings.look.slice = match settings.look.slice {
                    Some(_) => None,
                    None => Some(first_slice(&shown, &settings)),
                };
            }
            KeyCode::KeyC => {
                settings.look.cut = match settings.look.cut {
                    Some(_) => None,
                    None => Some(FIRST_CUT),
                };
            }
            KeyCode::KeyV => {
                settings.look.style = match settings.look.style {
                    Style::Rich => Style::Plain,
                    Style::Plain => Style::Rich,
                };
            }
            KeyCode::Home => sandbox.go_to(0.0),
            KeyCode::PageUp => {
                let begins = sandbox.visit.previous_chapter(shown.0.hours);
                sandbox.go_to_chapter(begins);
            }
            KeyCode::PageDown => {
                if let Some(begins) = sandbox.visit.next_chapter(shown.0.hours) {
                    sandbox.go_to_chapter(begins);
                }
            }
            KeyCode::ArrowLeft => sandbox.go_to((shown.0.hours - LEAP_HOURS).max(0.0)),
            KeyCode::ArrowRight => sandbox.go_to(shown.0.hours + LEAP_HOURS),
            KeyCode::KeyG => {
                let follows = !sandbox.follows;
                sandbox.set_following(follows);
                sandbox.follow_film(shown.0.hours, &mut settings, &mut camera);
            }
            KeyCode::KeyF => sandbox.is_flying = !sandbox.is_flying,
            KeyCode::KeyR => camera.pose = whole_view(&shown, &settings),
            KeyCode::KeyH => sandbox.is_help_open = !sandbox.is_help_open,
            KeyCode::KeyP => sandbox.layout.are_panels_open = !sandbox.layout.are_panels_open,
            KeyCode::Escape => {
                if sandbox.is_help_open {
                    sandbox.is_help_open = false;
                } else if sandbox.browser.is_open {
                    sandbox.browser.is_open = false;
                } else if sandbox.is_flying {
                    sandbox.is_flying = false;
                } else {
                    settings.selected = None;
                    settings.selected_glyph = None;
                }
            }
            other => {
                if let Some(colour_by) = choices::of_key(&shown.0.catalogue, *other) {
                    settings.look.colour_by = colour_by;
                }
            }
        }
    }
}

/// Right, up, forward: what the keys held down ask for.
pub(super) fn course(keys: &ButtonInput<KeyCode>) -> Vec3 {
    let axis = |plus, minus| f32::from(keys.pressed(plus)) - f32::from(keys.pressed(minus));
    Vec3::new(
        axis(KeyCode::KeyD, KeyCode::KeyA),
        axis(KeyCode::KeyE, KeyCode::KeyQ),
        axis(KeyCode::KeyW, KeyCode::KeyS),
    )
}

/// Flies while keys are held down.
fn fly(
    keys: Res<ButtonInput<KeyCode>>,
    wants: Res<EguiWantsInput>,
    time: Res<Time<Real>>,
    sandbox: Res<Sandbox>,
    mut camera: ResMut<ViewCamera>,
) {
    let course = course(&keys);
    if !sandbox.is_flying || wants.wants_any_keyboard_input() || course == Vec3::ZERO {
        return;
    }
    let fast = keys.any_pressed([KeyCode::ShiftLeft, KeyCode::ShiftRight]);
    let seconds = time.delta_secs().min(LONGEST_FLIGHT_S);
    rig::fly(&mut camera.pose, course, seconds, fast);
}

/// Turning, moving, zooming, clicking.
#[expect(
    clippy::too_many_arguments,
    reason = "the mouse reaches everything that is shown"
)]
fn use_mouse(
    buttons: Res<ButtonInput<MouseButton>>,
    motion: Res<AccumulatedMouseMotion>,
    scroll: Res<AccumulatedMouseScroll>,
    wants: Res<EguiWantsInput>,
    window: Option<Single<&Window, With<PrimaryWindow>>>,
    time: Res<Time<Real>>,
    mut sandbox: ResMut<Sandbox>,
    shown: Res<Shown>,
    crowding: Res<Crowding>,
    mut grip: ResMut<Grip>,
    mut settings: ResMut<ViewSettings>,
    mut camera: ResMut<ViewCamera>,
) {
    let Some(window) = window else { return };
    let cursor = window.cursor_position();
    let is_over_picture = cursor.is_some_and(|at| sandbox.free.contains(at))
        && !wants.is_pointer_over_area()
        && !wants.is_using_pointer()
        && !wants.is_popup_open();
    let held = [MouseButton::Left, MouseButton::Right, MouseButton::Middle];
    if grip.button.is_none()
        && is_over_picture
        && let Some(button) = held
            .into_iter()
            .find(|button| buttons.just_pressed(*button))
    {
        *grip = Grip {
            button: Some(button),
            moved: 0.0,
            clicked: grip.clicked,
        };
    }
    let height = sandbox.free.height();
    if let Some(button) = grip.button {
        let drag = motion.delta / window.scale_factor();
        grip.moved += drag.length();
        let is_drag = grip.moved > CLICK_POINTS;
        if buttons.pressed(button) && drag != Vec2::ZERO && is_drag {
            let pose = &mut camera.pose;
            match button {
                MouseButton::Left if sandbox.is_flying => rig::look_around(pose, drag),
                MouseButton::Left => rig::orbit(pose, drag),
                _ => {
                    let scale = um_per_pixel(pose, height);
                    rig::pan(pose, drag, scale);
                }
            }
        }
        if !buttons.pressed(button) {
            grip.button = None;
            if !sandbox.layout.knows_mouse {
                sandbox.layout.knows_mouse = true;
            }
            if button == MouseButton::Left
                && !is_drag
                && let Some(at) = cursor
                && sandbox.syringe.drug.is_some()
            {
                let at_um = place_at(&sandbox, &shown, &settings, &camera, &crowding, at);
                sandbox.inject(&shown, settings.site, at_um);
            } else if button == MouseButton::Left
                && !is_drag
                && let Some(at) = cursor
            {
                (settings.selected, settings.selected_glyph) =
                    picked_at(&sandbox, &shown, &settings, &camera, &crowding, at);
                let now = time.elapsed_secs_f64();
                if let Some(id) = settings.selected {
                    // Where there is one panel, it tells of the cell.
                    sandbox.layout.page = PanelPage::Measures;
                    if grip
                        .clicked
                        .is_some_and(|(then, cell)| cell == id && now - then < DOUBLE_CLICK_S)
                        && let Some(at_um) = place_of(&shown, settings.site, id)
                    {
                        rig::go_near(&mut camera.pose, at_um);
                    }
                    grip.clicked = Some((now, id));
                }
            }
        }
    }
    if is_over_picture && scroll.delta.y != 0.0 {
        let notches = match scroll.unit {
            MouseScrollUnit::Line => scroll.delta.y,
            MouseScrollUnit::Pixel => scroll.delta.y / PIXELS_PER_NOTCH,
        };
        rig::zoom(&mut camera.pose, notches);
    }
}

/// A glyph that stands for a cell between two sites is that cell.
fn cell_or_glyph(site: &SiteSnapshot, picked: PickedGlyph) -> (Option<u64>, Option<PickedGlyph>) {
    let mut layers = site.layers.iter().map(|filled| &filled.layer);
    let stands_for_cell = layers.any(|layer| layer.name == picked.layer && layer.stands_for_cells);
    if stands_for_cell {
        (Some(picked.id), None)
    } else {
        (None, Some(picked))
    }
}

/// The place in the tissue at a point of the window, um: on the first cell there, or else where the line of sight meets the
/// field plane, or that through what the camera looks at.
fn place_at(
    sandbox: &Sandbox,
    shown: &Shown,
    settings: &ViewSettings,
    camera: &ViewCamera,
    crowding: &Crowding,
    at: Vec2,
) -> Vec3 {
    let (pose, size) = (&camera.pose, sandbox.free.size());
    let ray = pick::ray_through(pose, at - sandbox.free.min, size, FIELD_OF_VIEW_DEG);
    let kept = cut_plane(settings.look.cut);
    let reach = |centre, radius| reach_on_cut_um(crowding, kept, centre, radius);
    let hit = shown
        .site(settings.site)
        .and_then(|site| pick::first_hit(&site.cells, ray, kept, reach));
    let (normal, through) = settings.look.slice.as_ref().map_or_else(
        || {
            let target = Vec3::from(pose.target_um);
            ((target - ray.origin_um).normalize_or_zero(), target)
        },
        |slice| {
            let axis = axis_vector(slice.axis);
            (axis, axis * slice.at_um)
        },
    );
    let distance_um = hit.map_or_else(
        || (through - ray.origin_um).dot(normal) / ray.direction.dot(normal),
        |(_, distance_um)| distance_um,
    );
    let distance_um = if distance_um.is_finite() && distance_um > 0.0 {
        distance_um
    } else {
        pose.distance_um
    };
    ray.origin_um + ray.direction * distance_um
}

/// The cell, or the glyph with an identity, that is first met at a point of the window.
fn picked_at(
    sandbox: &Sandbox,
    shown: &Shown,
    settings: &ViewSettings,
    camera: &ViewCamera,
    crowding: &Crowding,
    at: Vec2,
) -> (Option<u64>, Option<PickedGlyph>) {
    let Some(site) = shown.site(settings.site) else {
        return (None, None);
    };
    let size = sandbox.free.size();
    let ray = pick::ray_through(&camera.pose, at - sandbox.free.min, size, FIELD_OF_VIEW_DEG);
    let kept = cut_plane(settings.look.cut);
    let look = Look {
        origin_um: ray.origin_um,
        direction: ray.direction,
        kept,
        pixel: um_per_pixel(&camera.pose, size.y) / camera.pose.distance_um,
    };
    let reach = |centre, radius| reach_on_cut_um(crowding, kept, centre, radius);
    let cell = pick::first_hit(&site.cells, ray, kept, reach);
    let glyph = first_glyph(site, &settings.look.layers, &look);
    match (cell, glyph) {
        (Some((_, to_cell)), Some((to_glyph, picked))) if to_glyph < to_cell => {
            cell_or_glyph(site, picked)
        }
        (Some((index, _)), _) => (site.cells.id.get(index).copied(), None),
        (None, Some((_, picked))) => cell_or_glyph(site, picked),
        (None, None) => (None, None),
    }
}
