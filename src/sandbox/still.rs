//! One picture of the window with all its panels, drawn without a display.

use std::sync::Arc;
use std::time::Duration;

use bevy::prelude::*;

use crate::record::Studio;
use crate::record::sink::write_png;
use crate::view::{Shown, ViewCamera};

use super::arrival::Arrival;
use super::state::Sandbox;
use super::visit::first_settings;
use super::window::add_sandbox;
use super::{SandboxError, Screenshot};

/// Time between two looks at the simulation: often enough for smooth curves.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// Frames drawn before the picture counts: panels take their places in the first two, the picture between
/// them follows in the third.
const SETTLING_FRAMES: usize = 4;

/// Steps the simulation, draws the window once and writes it as PNG.
pub(super) fn take(
    arrival: Arrival,
    size: (u32, u32),
    screenshot: &Screenshot,
) -> Result<(), SandboxError> {
    let mut shown = Shown::default();
    let mut camera = ViewCamera::default();
    let mut settings = first_settings(&arrival.visit);
    let mut sandbox = Sandbox::begin(arrival, Arc::new(|_: bool| {}))
        .map_err(|error| SandboxError::Thread(error.to_string()))?;
    sandbox.take_steps(screenshot.after_steps);
    loop {
        sandbox.receive(&mut shown, &mut settings, &mut camera);
        if !sandbox.history().is_empty() && shown.0.step >= screenshot.after_steps {
            break;
        }
        if sandbox.is_broken {
            let steps = shown.0.step;
            return Err(SandboxError::Simulation { steps });
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let mut studio = Studio::furnished(size.0, size.1, |app, target| {
        add_sandbox(app, sandbox, Some(target.clone()));
        app.insert_resource(shown)
            .insert_resource(settings)
            .insert_resource(camera);
    })?;
    for _ in 0..SETTLING_FRAMES {
        studio.draw()?;
    }
    let pixels = studio.draw()?;
    write_png(&screenshot.file, pixels, size.0, size.1)?;
    Ok(())
}
