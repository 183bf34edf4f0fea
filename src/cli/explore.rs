//! `tumorscape explore`: the 3D window. With no display, plain `tumorscape` records instead.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::record::{RecordArguments, record};
use super::run::SimulationArguments;
use super::{DEFAULT_SCENE, Failure};
use crate::sandbox::{self, ExploreOptions, SandboxError, Screenshot};

/// Options of `explore`.
#[derive(Debug, Args)]
pub(crate) struct ExploreArguments {
    #[command(flatten)]
    simulation: SimulationArguments,
    /// Render the whole window once to this PNG file and exit; needs no display.
    #[arg(long, value_name = "FILE")]
    screenshot: Option<PathBuf>,
    /// Steps to compute before the screenshot.
    #[arg(
        long,
        value_name = "STEPS",
        default_value_t = 0,
        requires = "screenshot"
    )]
    after: u64,
}
