//! Molecules as data: files and lists of scenes, what cells book in them, and grids of their own.

use std::path::Path;
use std::sync::Arc;

use tumorscape::core::units::MOLECULES_PER_UM3_PER_NM;
use tumorscape::observe::checkpoint::{newest, write};
use tumorscape::scene::{ParsedScene, SceneReport, parse_molecule, parse_scene};
use tumorscape::simulation::{Simulation, open_scene};
use tumorscape::tissue::SiteId;
