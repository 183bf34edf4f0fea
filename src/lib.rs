//! tumorscape: walk through a tumour.
//!
//! A tumour and its microenvironment, simulated in three dimensions as entities and systems on Bevy's
//! parallel executor: explored in a window, filmed from a script, run headless for numbers. The same seed
//! gives the same bits at any thread count, with or without a picture.
//!
//! # The house
//!
//! The crate is a house of floors. A module uses its own floor and those below, never one above.
//!
//! | floor | module | holds |
//! | --- | --- | --- |
//! | 6 | [`cli`] | the verbs of the program: `run`, `check`, `record`, `explore`, `trial` and more |
//! | 5 | `sandbox`, `record` | the window; frames without a window, encoders |
//! | 4 | `view` | the picture of a [`simulation::Snapshot`]: cells, fields, camera, legend |
//! | 3 | [`scene`], [`simulation`], [`journal`], [`trial`] | scene files; the simulation as a value; books, run folder, checkpoints |
//! | 2 | [`biology`] | one module for each system of the subject, from hypoxia to therapy |
//! | 1 | [`cell`], [`tissue`], [`measure`] | body, cycle, death, motility, contact; sites, molecules, the field solver; census, metrics, hash |
//! | 0 | [`core`](crate::core) | clock and order of a step, random numbers, identities, parameters, parallel loops |
//!
//! Floors 4 and 5 are behind the cargo feature `view` (on by default). Without it the same package builds a
//! headless simulator that names no rendering crate.
//!
//! # One step through the house
//!
//! `tumorscape run scenes/hypoxic_core.ron` goes like this. [`cli`] hands the file to [`scene`], which
//! reports every mistake at once or returns a [`scene::ParsedScene`]: the scene, the cell types it uses
//! (files in `assets/cells`), its timeline. [`simulation::Simulation::new`] builds an ECS world from it. A
//! *site* is an entity with a voxel grid, each *molecule* in it a child entity with its values, each *cell*
//! an entity whose capabilities are components. Then [`simulation::Simulation::step`] runs
//! [`core::SimSchedule`](crate::core::SimSchedule) once a minute of tissue time, stage by stage:
//!
//! | stage | what happens | where |
//! | --- | --- | --- |
//! | `Timeline` | scripted and live commands | [`simulation::command`] |
//! | `Perceive` | each cell finds its voxel and reads the fields there | [`cell::perception`] |
//! | `Regulate` | rules set the inputs of cells and sites from what was known after the last step | [`core::regulate`] |
//! | `Signal` | each system follows what it perceives: HIF-1a oxygen, metabolism oxygen, glucose and pH | [`biology`] |
//! | `Act` | uptake and secretion are booked; bodies grow; cycle, death and walking are decided | [`cell::cycle`], [`cell::death`], [`cell::motility`], [`biology`] |
//! | `Move` | cells push, hold and walk, in stable substeps | [`cell::movement`], [`cell::mechanics`] |
//! | `Transport` | each molecule is solved for the end of the step | [`tissue::transport`], [`tissue::solver`] |
//! | `Turnover` | the one place where cells are born and removed | [`cell::turnover`] |
//! | `Observe` | the clock advances | [`simulation`] |
//!
//! After a step the [`journal::Journal`] writes rows to the run folder, and for a window or a film a
//! [`simulation::Snapshot`] is copied out; nothing that draws can reach into a simulation.
//!
//! # Where things go
//!
//! A new mechanism of the subject is a module of [`biology`] with one plugin: its components, its parameters
//! (registered once in [`core::parameters`](crate::core::parameters), from then on reachable from cell files, scenes,
//! timelines and sliders), how cells begin with it and what daughters inherit ([`cell::life`]), its state (registered in [`core::state`](crate::core::state), from then on part of
//! hash and checkpoint), its systems in the stages above. A new cell type is a file in `assets/cells`, not
//! code.

pub mod biology;
pub mod cell;
pub mod cli;
pub mod core;
pub mod journal;
pub mod measure;
#[cfg(feature = "view")]
pub mod record;
#[cfg(feature = "view")]
pub mod sandbox;
pub mod scene;
pub mod simulation;
pub mod tissue;
pub mod trial;
#[cfg(feature = "view")]
pub mod view;
