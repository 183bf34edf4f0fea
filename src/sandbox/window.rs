//! The window: an app with a view, panels and input, drawn only when something changed.
//!
//! All schedules of the app run on the main thread, and the simulation keeps to a thread and a pool of its
//! own: in a common pool a picture waits for whatever part of a step lies before it in the queue.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bevy::app::PluginsState;
use bevy::camera::Viewport;
use bevy::camera::visibility::RenderLayers;
use bevy::ecs::schedule::SingleThreadedExecutor;
use bevy::log::LogPlugin;
use bevy::prelude::*;
use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy::render::settings::WgpuSettings;
use bevy::render::{Render, RenderApp, RenderPlugin, RenderSystems};
use bevy::window::{ExitSystems, PresentMode, PrimaryWindow, RequestRedraw, WindowResolution};
use bevy::winit::{EventLoopProxyWrapper, UpdateMode, WinitSettings, WinitUserEvent};
use bevy_egui::{EguiGlobalSettings, PrimaryEguiContext};

use crate::record::studio::{backends, find_driver, quietly};
use crate::view::{Shown, ViewCamera, ViewEye, ViewPlugin, ViewSettings};

use super::arrival::{Arrival, load_simulations};
use super::browser::Browser;
use super::filming::film_window;
use super::input::{Grip, course};
use super::keepsakes::{prepare_pictures, take_picture};
use super::layout::Layout;
use super::parting::{SharedLifeline, rescue};
use super::session::SaveError;
use super::state::Sandbox;
use super::visit::first_settings;
use super::{ExploreOptions, SandboxError, input, panels};

/// Time between two pictures while nothing happens.
const IDLE: Duration = Duration::from_millis(500);

/// Adds to an app with [`ViewPlugin`] what film and sandbox do not share.
pub(super) fn add_sandbox(app: &mut App, sandbox: Sandbox, target: Option<Handle<Image>>) {
    app.world_mut()
        .resource_mut::<EguiGlobalSettings>()
        .auto_create_primary_context = false;
    app.insert_resource(first_settings(&sandbox.visit))
        .insert_resource(sandbox)
        .add_plugins((panels::plugin, input::plugin))
        .add_systems(First, receive_report)
        .add_systems(PreUpdate, fit_picture)
        .add_systems(
            Last,
            (ask_for_what_is_shown, take_picture, film_window).chain(),
        );
    // Panels have a camera of their own: the eye only draws the part of the window that they leave free.
    let mut glass = app.world_mut().spawn((
        Name::new("panels"),
        PrimaryEguiContext,
        Camera2d,
        Camera {
            order: 1,
            clear_color: ClearColorConfig::None,
            ..default()
        },
        Msaa::Off,
        RenderLayers::none(),
    ));
    if let Some(image) = target {
        glass.insert(bevy::camera::RenderTarget::Image(image.into()));
    }
}

/// Lets every schedule of an app run on the thread that updates it.
pub(super) fn run_on_one_thread(app: &mut App) {
    single_threaded(app.world_mut());
    if let Some(render) = app.get_sub_app_mut(RenderApp) {
        single_threaded(render.world_mut());
    }
}

fn single_threaded(world: &mut World) {
    for (_, schedule) in world.resource_mut::<Schedules>().iter_mut() {
        schedule.set_executor(SingleThreadedExecutor::new());
    }
}

/// Shows what the simulation has put out since the last picture.
fn receive_report(
    mut sandbox: ResMut<Sandbox>,
    mut shown: ResMut<Shown>,
    mut settings: ResMut<ViewSettings>,
    mut camera: ResMut<ViewCamera>,
) {
    // Working copies: change detection must only see real changes.
    let (mut new_settings, mut new_camera) = (settings.clone(), *camera);
    sandbox.welcome(&mut shown, &mut new_settings, &mut new_camera);
    sandbox.receive(&mut shown, &mut new_settings, &mut new_camera);
    settings.set_if_neq(new_settings);
    camera.set_if_neq(new_camera);
}

/// Lets the simulation put out what keys, mouse and panels have chosen.
fn ask_for_what_is_shown(mut sandbox: ResMut<Sandbox>, settings: Res<ViewSettings>) {
    if settings.is_changed() {
        sandbox.ask_for(&settings);
    }
}

/// Fits the picture into the part of the window that the panels leave free.
///
/// The panels were laid out for the window of the last picture. It may have become smaller since, and nobody else
/// keeps a viewport inside: Bevy looks at it only when the window or the viewport has changed in size, and a
/// viewport that juts out ends the program. So the picture is cut at the window of now, and another one follows
/// once the panels are laid out anew.
fn fit_picture(
    sandbox: Res<Sandbox>,
    windows: Query<&Window, With<PrimaryWindow>>,
    mut eyes: Query<&mut Camera, With<ViewEye>>,
    mut redraw: MessageWriter<RequestRedraw>,
) {
    let window = windows.single().ok();
    let scale = window.map_or(1.0, Window::scale_factor);
    for mut eye in &mut eyes {
        let last = eye.physical_target_size();
        // A still is drawn on an image, which keeps its size.
        let Some(target) = window.map(Window::physical_size).or(last) else {
            continue;
        };
        if last.is_some_and(|last| last != target) {
            redraw.write(RequestRedraw);
        }
        let Some(viewport) = viewport_in(target, sandbox.free, scale) else {
            continue;
        };
        let current = eye.viewport.as_ref();
        let is_current = current.is_some_and(|current| {
            (current.physical_position, current.physical_size)
                == (viewport.physical_position, viewport.physical_size)
        });
        if !is_current {
            eye.viewport = Some(viewport);
        }
    }
}

/// The free part of a window, points, as a part of a target, pixels: always inside it, and at least one pixel. None
/// before the panels were laid out and where there is nothing to draw on.
fn viewport_in(target: UVec2, free: Rect, scale: f32) -> Option<Viewport> {
    if free == Rect::default() || target.min_element() == 0 {
        return None;
    }
    let [min, max] = [free.min, free.max].map(|corner| (corner * scale).round().as_uvec2());
    let position = min.min(target - UVec2::ONE);
    let end = max.min(target).max(position + UVec2::ONE);
    Some(Viewport {
        physical_position: position,
        physical_size: end - position,
        ..default()
    })
}

/// Draws without pause while something is moved by hand; otherwise a picture follows each report, each touch
/// of mouse and keyboard, and egui's own wishes.
fn set_tempo(
    keys: Res<ButtonInput<KeyCode>>,
    sandbox: Res<Sandbox>,
    grip: Res<Grip>,
    mut winit: ResMut<WinitSettings>,
) {
    let is_moving = grip.is_held() || (sandbox.is_flying && course(&keys) != Vec3::ZERO);
    let mode = if is_moving {
        UpdateMode::Continuous
    } else {
        UpdateMode::reactive(IDLE)
    };
    if winit.focused_mode != mode {
        winit.focused_mode = mode;
        winit.unfocused_mode = mode;
    }
}

/// How long the latest picture took, shared with the renderer and the thread of the simulation.
#[derive(Resource, Clone)]
struct Effort(Arc<Mutex<PictureTimes>>);

struct PictureTimes {
    begun: Instant,
    took: Duration,
}

impl Effort {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(PictureTimes {
            begun: Instant::now(),
            took: Duration::ZERO,
        })))
    }

    fn times(&self) -> MutexGuard<'_, PictureTimes> {
        // Two numbers are sound even if somebody panicked between them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begin_picture(effort: Res<Effort>) {
    effort.times().begun = Instant::now();
}

fn end_picture(effort: Res<Effort>) {
    let mut times = effort.times();
    times.took = times.begun.elapsed();
}

/// Decides which reports are worth a picture.
///
/// A software driver draws on the cores that the simulation computes on. Pictures of reports then leave at
/// least as much time between them as they take; with a real graphics card that is no limit.
struct Alarm {
    effort: Effort,
    rang: Option<Instant>,
}

impl Alarm {
    fn rings(&mut self, now: Instant, is_last: bool) -> bool {
        let rest = self.effort.times().took * 2;
        let is_due = self.rang.is_none_or(|rang| now >= rang + rest);
        if is_due || is_last {
            self.rang = Some(now);
        }
        is_due || is_last
    }
}

/// What is left when the window has closed: the files in which something is kept.
#[derive(Resource, Clone, Default)]
struct Farewell(Arc<Mutex<Option<Result<Vec<PathBuf>, SaveError>>>>);

/// Where the layout is remembered.
#[derive(Resource)]
struct LayoutFile(Option<PathBuf>);

/// Ends the worker when the app ends.
fn say_farewell(
    mut exits: MessageReader<AppExit>,
    mut sandbox: ResMut<Sandbox>,
    farewell: Res<Farewell>,
    file: Res<LayoutFile>,
) {
    let Some(exit) = exits.read().last() else {
        return;
    };
    if let Some(file) = &file.0
        && let Err(reason) = sandbox.layout.save(file)
    {
        warn!("{reason}");
    }
    if exit.is_error() {
        // The lifeline is held on to: the simulation is saved once the window is gone.
        sandbox.set_filming(false);
        return;
    }
    let kept = sandbox.finish();
    *farewell.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
}

/// Names the window after the scene, and remembers its size.
fn keep_up_window(
    mut sandbox: ResMut<Sandbox>,
    mut windows: Query<&mut Window, With<PrimaryWindow>>,
) {
    let Ok(mut window) = windows.single_mut() else {
        return;
    };
    let title = title_of(&sandbox.visit.scene().title);
    if window.title != title {
        window.title = title;
    }
    let size = Some((window.width(), window.height()));
    if sandbox.layout.window != size {
        sandbox.layout.window = size;
    }
}

fn title_of(scene: &str) -> String {
    format!("{scene} - tumorscape")
}

/// Saves the simulation, if that was not done yet, and says where, or why not.
fn rescued(lifeline: &SharedLifeline) -> Vec<String> {
    let kept = rescue(lifeline).into_iter().map(|kept| match kept {
        Ok(path) => path.display().to_string(),
        Err(reason) => reason,
    });
    kept.collect()
}

/// Whatever panics on this thread from now on, the simulation is saved before anything is taken apart. Returns what was
/// saved.
fn save_before_panics(lifeline: &SharedLifeline) -> Arc<Mutex<Vec<String>>> {
    let kept: Arc<Mutex<Vec<String>>> = Arc::default();
    let (hook, window) = (take_hook(), std::thread::current().id());
    let (lifeline, saved) = (Arc::clone(lifeline), Arc::clone(&kept));
    set_hook(Box::new(move |info| {
        hook(info);
        if std::thread::current().id() != window {
            return;
        }
        let mut saved = saved.lock().unwrap_or_else(PoisonError::into_inner);
        saved.extend(rescued(&lifeline));
    }));
    kept
}

/// Opens the window and returns the files in which something is kept once it is closed.
pub(super) fn open(
    arrival: Arrival,
    options: &ExploreOptions,
) -> Result<Vec<PathBuf>, SandboxError> {
    display_is_there()?;
    // The renderer has no way to report a missing driver but to panic.
    drop(find_driver()?);
    let title = title_of(&arrival.visit.scene().title);
    let (layout, notice) = match &options.layout_file {
        Some(file) => Layout::load(file),
        None => (Layout::default(), None),
    };
    let size = match layout.window {
        Some((width, height)) => UVec2::new(width as u32, height as u32),
        None => UVec2::from(options.size),
    };
    let mut app = App::new();
    let plugins = DefaultPlugins
        .build()
        .disable::<PipelinedRenderingPlugin>()
        .set(LogPlugin {
            filter: "error,tumorscape=warn".into(),
            ..default()
        })
        .set(RenderPlugin {
            render_creation: WgpuSettings {
                backends: Some(backends()),
                ..default()
            }
            .into(),
            ..default()
        })
        .set(WindowPlugin {
            primary_window: Some(Window {
                title,
                resolution: WindowResolution::new(size.x, size.y),
                present_mode: PresentMode::AutoVsync,
                ..default()
            }),
            ..default()
        });
    // Winit has no way to report a missing display but to panic.
    let added = quietly(|| {
        app.add_plugins(plugins);
        app
    });
    let mut app = added.map_err(|reason| SandboxError::NoDisplay {
        reason: reason.lines().next().unwrap_or_default().to_owned(),
    })?;
    app.add_plugins(ViewPlugin { target: None });
    let proxy = (**app.world().resource::<EventLoopProxyWrapper>()).clone();
    let effort = Effort::new();
    let alarm = Mutex::new(Alarm {
        effort: effort.clone(),
        rang: None,
    });
    let wake = move |is_last| {
        let mut alarm = alarm.lock().unwrap_or_else(PoisonError::into_inner);
        if alarm.rings(Instant::now(), is_last) {
            // The event loop is gone when the window is; then nobody wants to be woken.
            let _ = proxy.send_event(WinitUserEvent::WakeUp);
        }
    };
    let mut sandbox = Sandbox::begin(arrival, Arc::new(wake))
        .map_err(|error| SandboxError::Thread(error.to_string()))?;
    sandbox.save_to.clone_from(&options.save_to);
    sandbox.layout = layout;
    sandbox.notice = notice;
    if let Some(loader) = options.loader.clone() {
        sandbox.browser = Browser::new(load_simulations(loader), options.scene_file.clone());
    }
    let lifeline = SharedLifeline::default();
    sandbox.hold_on_to(Arc::clone(&lifeline));
    add_sandbox(&mut app, sandbox, None);
    let farewell = Farewell::default();
    app.insert_resource(farewell.clone())
        .insert_resource(LayoutFile(options.layout_file.clone()))
        .insert_resource(effort.clone())
        .add_systems(First, begin_picture)
        .insert_resource(WinitSettings {
            focused_mode: UpdateMode::reactive(IDLE),
            unfocused_mode: UpdateMode::reactive(IDLE),
        })
        .add_systems(
            Last,
            (
                set_tempo,
                prepare_pictures,
                // What is remembered is written when it is known that the window closes.
                (keep_up_window, say_farewell).chain().after(ExitSystems),
            ),
        );
    if let Some(render) = app.get_sub_app_mut(RenderApp) {
        render
            .insert_resource(effort)
            .add_systems(Render, end_picture.in_set(RenderSystems::PostCleanup));
    }
    while app.plugins_state() == PluginsState::Adding {
        bevy::tasks::tick_global_task_pools_on_main_thread();
    }
    app.finish();
    app.cleanup();
    run_on_one_thread(&mut app);
    let saved = save_before_panics(&lifeline);
    let exit = catch_unwind(AssertUnwindSafe(|| app.run()));
    if exit.is_err() || exit.is_ok_and(|exit| exit.is_error()) {
        let mut kept = saved.lock().unwrap_or_else(PoisonError::into_inner);
        // A renderer that gives up does not panic.
        kept.extend(rescued(&lifeline));
        return Err(SandboxError::Window(kept.clone()));
    }
    let mut kept = farewell.0.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(kept.take().transpose()?.unwrap_or_default())
}

/// Checks for a display before anything is built.
fn display_is_there() -> Result<(), SandboxError> {
    if !cfg!(all(unix, not(target_os = "macos"))) {
        return Ok(());
    }
    match std::env::var("DISPLAY") {
        Ok(display) if !display.is_empty() => Ok(()),
        _ => Err(SandboxError::NoDisplay {
            reason: "DISPLAY is not set".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_lies_inside_whatever_the_window_has_become_since_the_panels_were_laid_out() {
        let laid_out = Rect::new(278.0, 0.0, 1030.0, 820.0);
        let place = |target, free, scale| {
            viewport_in(target, free, scale).map(|viewport| {
                let end = viewport.physical_position + viewport.physical_size;
                (viewport.physical_position.to_array(), end.to_array())
            })
        };
        let whole = UVec2::new(1360, 820);
        assert_eq!(place(whole, laid_out, 1.0), Some(([278, 0], [1030, 820])));
        let shorter = whole - UVec2::Y;
        assert_eq!(place(shorter, laid_out, 1.0), Some(([278, 0], [1030, 819])));
        assert_eq!(
            place(2 * whole, laid_out, 2.0),
            Some(([556, 0], [2060, 1640]))
        );
        let below_zero = Rect::new(-3.5, -1.0, 40.0, 20.0);
        assert_eq!(place(whole, below_zero, 1.0), Some(([0, 0], [40, 20])));
        let nothing = Rect::from_center_size(Vec2::splat(50.0), Vec2::ZERO);
        for free in [laid_out, nothing, Rect::new(900.0, 0.0, 1030.0, 820.0)] {
            for scale in [0.5, 1.0, 1.3, 2.0] {
                for (width, height) in [(1, 1), (277, 3), (278, 819), (279, 1), (1031, 821)] {
                    let target = UVec2::new(width, height);
                    let found = viewport_in(target, free, scale).unwrap();
                    let end = found.physical_position + found.physical_size;
                    assert!(found.physical_size.min_element() > 0);
                    assert!(end.cmple(target).all(), "{found:?} juts out of {target}");
                }
            }
        }
        assert_eq!(place(UVec2::ZERO, laid_out, 1.0), None, "minimised");
        assert_eq!(place(whole, Rect::default(), 1.0), None, "not laid out yet");
    }

    #[test]
    fn pictures_of_reports_leave_as_much_time_as_they_take_but_the_last_one_is_always_drawn() {
        let effort = Effort::new();
        let mut alarm = Alarm {
            effort: effort.clone(),
            rang: None,
        };
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        assert!(alarm.rings(at(0), false));
        effort.times().took = Duration::from_millis(50);
        assert!(!alarm.rings(at(60), false));
        assert!(alarm.rings(at(100), false));
        assert!(alarm.rings(at(110), true));
        assert!(!alarm.rings(at(190), false));
    }
}
