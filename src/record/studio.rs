//! The studio: pictures of snapshots without a window.
//!
//! A Bevy app that draws on an image. One call of [`Studio::render`] is one frame: resources are set, the app
//! is updated once, and the image is copied back before the call returns, so the picture always shows exactly
//! the snapshot it was asked for. Nothing of it runs beside the caller: pipelines are compiled in place and the renderer is
//! not pipelined, which keeps frames in order and software drivers from crashing at exit. A film steps its simulation on
//! another thread meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::app::{PanicHandlerPlugin, PluginsState, TerminalCtrlCHandlerPlugin};
use bevy::log::LogPlugin;
use bevy::prelude::*;
use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy::render::render_asset::RenderAssets;
use bevy::render::render_resource::{
    Buffer, BufferDescriptor, BufferUsages, CachedPipelineState, CommandEncoderDescriptor,
    Extent3d, MapMode, PipelineCache, PollType, TexelCopyBufferInfo, TexelCopyBufferLayout,
    TextureFormat, TextureUsages,
};
use bevy::render::renderer::{RenderAdapterInfo, RenderDevice, RenderQueue, initialize_renderer};
use bevy::render::settings::{Backends, RenderCreation, RenderResources, WgpuSettings};
use bevy::render::texture::GpuImage;
use bevy::render::{RenderApp, RenderPlugin};
use bevy::shader::ShaderCacheError;
use bevy::tasks::block_on;
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;

use crate::core::parallel;
use crate::simulation::Snapshot;
use crate::view::{OverlayContent, Shown, ViewCamera, ViewPlugin, ViewSettings};

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum StudioError {
    /// No driver to draw with.
    #[error(
        "no graphics driver found ({reason}); drawing needs Vulkan, and a software driver will do: \
         install mesa-vulkan-drivers (Debian, Ubuntu, Fedora) or vulkan-swrast (Arch)"
    )]
    NoDriver {
        /// What the search for a driver said.
        reason: String,
    },
    /// The picture has no pixels, or more than the driver can hold.
    #[error("a picture of {width} x {height} pixels cannot be drawn (1 to {max} a side)")]
    Size {
        /// Width asked for, pixels.
        width: u32,
        /// Height asked for, pixels.
        height: u32,
        /// Largest side, pixels.
        max: u32,
    },
    /// A shader was rejected by the driver.
    #[error("the driver rejected a shader: {0}")]
    Shader(String),
    /// The driver stopped working.
    #[error("the graphics driver stopped working: {0}")]
    Driver(String),
}

/// Frames in a row in which nothing was missing, before pictures are taken.
const WARM_UP_FRAMES: usize = 3;
/// Longest time shaders may take to load and compile.
const WARM_UP_LIMIT: Duration = Duration::from_secs(60);

/// Draws pictures of snapshots, one per call, without a window.
pub struct Studio {
    app: App,
    target: Handle<Image>,
    width: u32,
    height: u32,
    staging: Buffer,
    pixels: Vec<u8>,
}

/// Bytes of a row of pixels.
const fn row_bytes(width: u32) -> usize {
    width as usize * 4
}

/// Bytes of a row as the driver copies it.
fn padded_row_bytes(width: u32) -> usize {
    RenderDevice::align_copy_bytes_per_row(row_bytes(width))
}

/// Runs something that may panic without letting it print; the message becomes the error.
pub(crate) fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let result = catch_unwind(AssertUnwindSafe(work));
    set_hook(hook);
    result.map_err(|payload| {
        payload
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_else(|| "unknown reason".to_owned())
    })
}

/// The graphics interfaces that can draw the view: the older ones lack what the shaders need.
pub(crate) fn backends() -> Backends {
    Backends::from_env().unwrap_or(Backends::PRIMARY)
}

/// Finds something to draw with.
///
/// # Errors
///
/// If there is no driver.
pub(crate) fn find_driver() -> Result<RenderResources, StudioError> {
    quietly(|| {
        block_on(initialize_renderer(
            backends(),
            None,
            &WgpuSettings::default(),
        ))
    })
    .map_err(|reason| StudioError::NoDriver {
        reason: reason.lines().next().unwrap_or_default().to_owned(),
    })
}

impl Studio {
    /// A studio for pictures of `width` x `height` pixels.
    ///
    /// # Errors
    ///
    /// If there is no driver to draw with, or the size is impossible.
    pub fn new(width: u32, height: u32) -> Result<Self, StudioError> {
        Self::furnished(width, height, |_, _| {})
    }

    /// A studio whose app `furnish` may add to; it is handed the image that is drawn on.
    ///
    /// # Errors
    ///
    /// As [`Studio::new`].
    pub fn furnished(
        width: u32,
        height: u32,
        furnish: impl FnOnce(&mut App, &Handle<Image>),
    ) -> Result<Self, StudioError> {
        let resources = find_driver()?;
        let max = resources.0.limits().max_texture_dimension_2d;
        if !(1..=max).contains(&width) || !(1..=max).contains(&height) {
            return Err(StudioError::Size { width, height, max });
        }

        // Bevy would give its compute pool only part of the cores; ours, once made, stays.
        parallel::threads();
        let mut app = App::new();
        app.add_plugins(
            DefaultPlugins
                .build()
                .disable::<WinitPlugin>()
                .disable::<LogPlugin>()
                .disable::<PanicHandlerPlugin>()
                .disable::<TerminalCtrlCHandlerPlugin>()
                .disable::<PipelinedRenderingPlugin>()
                .set(WindowPlugin {
                    primary_window: None,
                    exit_condition: ExitCondition::DontExit,
                    ..default()
                })
                .set(RenderPlugin {
                    render_creation: RenderCreation::Manual(resources),
                    synchronous_pipeline_compilation: true,
                    ..default()
                }),
        );
        let mut image =
            Image::new_target_texture(width, height, TextureFormat::Rgba8UnormSrgb, None);
        image.texture_descriptor.usage |= TextureUsages::COPY_SRC;
        let target = app.world_mut().resource_mut::<Assets<Image>>().add(image);
        app.add_plugins(ViewPlugin {
            target: Some(target.clone()),
        });
        furnish(&mut app, &target);
        while app.plugins_state() == PluginsState::Adding {
            bevy::tasks::tick_global_task_pools_on_main_thread();
        }
        app.finish();
        app.cleanup();

        let staging = app
            .world()
            .resource::<RenderDevice>()
            .create_buffer(&BufferDescriptor {
                label: Some("finished picture"),
                size: (padded_row_bytes(width) * height as usize) as u64,
                usage: BufferUsages::COPY_DST | BufferUsages::MAP_READ,
                mapped_at_creation: false,
            });
        let mut studio = Self {
            app,
            target,
            width,
            height,
            staging,
            pixels: vec![0; row_bytes(width) * height as usize],
        };
        studio.warm_up()?;
        Ok(studio)
    }

    /// Width and height of the pictures, pixels.
    pub const fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Name of the device and driver that draw.
    pub fn driver(&self) -> String {
        let info = self.app.world().resource::<RenderAdapterInfo>();
        format!("{} ({})", info.name, info.driver_info)
    }

    /// Draws a snapshot and returns its pixels: RGBA, 8 bits each, sRGB, row by row from the top, no padding.
    ///
    /// # Errors
    ///
    /// If the driver rejects a shader or stops working.
    pub fn render(
        &mut self,
        snapshot: Arc<Snapshot>,
        settings: &ViewSettings,
        camera: impl Into<ViewCamera>,
        overlay: &OverlayContent,
    ) -> Result<&mut [u8], StudioError> {
        let world = self.app.world_mut();
        world.insert_resource(Shown(snapshot));
        world.insert_resource(settings.clone());
        world.insert_resource(camera.into());
        world.insert_resource(overlay.clone());
        self.draw()
    }

    /// Draws what the resources of the app hold.
    ///
    /// # Errors
    ///
    /// As [`Studio::render`].
    pub fn draw(&mut self) -> Result<&mut [u8], StudioError> {
        self.app.update();
        self.copy_back()?;
        Ok(&mut self.pixels)
    }

    /// Draws nothing until every shader is loaded and compiled, so that the first picture is complete.
    fn warm_up(&mut self) -> Result<(), StudioError> {
        let started = Instant::now();
        let mut complete_frames = 0;
        while complete_frames < WARM_UP_FRAMES {
            self.app.update();
            self.poll()?;
            if self.all_pipelines_are_ready()? {
                complete_frames += 1;
                continue;
            }
            complete_frames = 0;
            if started.elapsed() > WARM_UP_LIMIT {
                return Err(StudioError::Driver(format!(
                    "shaders were not ready after {} s",
                    WARM_UP_LIMIT.as_secs()
                )));
            }
            // Shaders come from the program itself, but by way of Bevy's loading threads.
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    fn all_pipelines_are_ready(&self) -> Result<bool, StudioError> {
        let cache = self
            .app
            .sub_app(RenderApp)
            .world()
            .resource::<PipelineCache>();
        let mut is_ready = cache.waiting_pipelines().next().is_none();
        for pipeline in cache.pipelines() {
            match &pipeline.state {
                CachedPipelineState::Ok(_) => {}
                CachedPipelineState::Queued
                | CachedPipelineState::Creating(_)
                | CachedPipelineState::Err(
                    ShaderCacheError::ShaderNotLoaded(_)
                    | ShaderCacheError::ShaderImportNotYetAvailable,
                ) => is_ready = false,
                CachedPipelineState::Err(error) => {
                    return Err(StudioError::Shader(error.to_string()));
                }
            }
        }
        Ok(is_ready)
    }

    fn poll(&self) -> Result<(), StudioError> {
        self.app
            .world()
            .resource::<RenderDevice>()
            .poll(PollType::wait_indefinitely())
            .map(|_| ())
            .map_err(|error| StudioError::Driver(error.to_string()))
    }

    /// Copies the picture that was just drawn into `pixels`.
    fn copy_back(&mut self) -> Result<(), StudioError> {
        let world = self.app.sub_app(RenderApp).world();
        let device = world.resource::<RenderDevice>();
        let queue = world.resource::<RenderQueue>();
        let image = world
            .resource::<RenderAssets<GpuImage>>()
            .get(&self.target)
            .ok_or_else(|| StudioError::Driver("the picture was not prepared".to_owned()))?;
        let padded = padded_row_bytes(self.width);
        let mut encoder = device.create_command_encoder(&CommandEncoderDescriptor {
            label: Some("copy of the finished picture"),
        });
        encoder.copy_texture_to_buffer(
            image.texture.as_image_copy(),
            TexelCopyBufferInfo {
                buffer: &self.staging,
                layout: TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(padded as u32),
                    rows_per_image: None,
                },
            },
            Extent3d {
                width: self.width,
                height: self.height,
                depth_or_array_layers: 1,
            },
        );
        queue.submit([encoder.finish()]);
        let (sender, receiver) = std::sync::mpsc::channel();
        let slice = self.staging.slice(..);
        slice.map_async(MapMode::Read, move |result| {
            // The receiver lives until the poll below has returned.
            let _ = sender.send(result);
        });
        device
            .poll(PollType::wait_indefinitely())
            .map_err(|error| StudioError::Driver(error.to_string()))?;
        receiver
            .recv()
            .map_err(|error| StudioError::Driver(error.to_string()))?
            .map_err(|error| StudioError::Driver(error.to_string()))?;
        {
            let mapped = slice.get_mapped_range();
            let row = row_bytes(self.width);
            for (to, from) in self
                .pixels
                .chunks_exact_mut(row)
                .zip(mapped.chunks_exact(padded))
            {
                to.copy_from_slice(&from[..row]);
            }
        }
        self.staging.unmap();
        Ok(())
    }
}
