//! Floor 3: trials. One scene many times over: its arms, or values of its parameters, or its arrows one by one, each with as
//! many seeds.
//!
//! A [`plan`] says which runs there are: *conditions* times seeds. It lies in a folder of its own with the scenes of all
//! conditions, in each everything it refers to, so the folder can be moved to another place or machine ([`folder`]). Each run
//! is a process of this program with a run folder and checkpoints ([`runner`]), so that whatever ends a trial, it goes on, and
//! nothing that is done is done again; parts of it can be computed on several machines, by hand or by a scheduler
//! ([`slurm`]). What was computed is read back ([`results`]), made into tables ([`tables`]) by the [`statistics`], and drawn on one
//! page ([`report`]). What is too rare for runs as they are is found by forking them ([`splitting`]).

pub mod analysis;
pub mod design;
pub mod folder;
pub mod parquet;
pub mod plan;
pub mod report;
pub mod results;
pub mod runner;
pub mod slurm;
pub mod splitting;
pub mod statistics;
pub mod svg;
pub mod tables;

use std::path::PathBuf;

use thiserror::Error;

/// Why a trial cannot be set up, continued or read.
#[derive(Debug, Error)]
pub enum TrialError {
    /// What is asked for makes no sense, in words.
    #[error("{0}")]
    Asked(String),
    /// There is no trial in this folder.
    #[error("`{}` holds no trial: it has no `{}`", .0.display(), folder::PLAN)]
    None(PathBuf),
    /// There is another trial in this folder.
    #[error(
        "`{folder}` holds another trial: {what}; choose another folder with --out, or go on with that one: tumorscape trial {}",
        crate::core::printable::shell_word(.folder_path),
        folder = .folder_path.display()
    )]
    Other {
        /// The folder.
        folder_path: PathBuf,
        /// In what it is another, in words.
        what: String,
    },
    /// A file of the trial is not what the program wrote.
    #[error("`{}` is not as it was written: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, in words.
        what: String,
    },
    /// The operating system refused.
    #[error("cannot {verb} `{}`: {source}", path.display())]
    Io {
        /// What it was asked to do.
        verb: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl TrialError {
    fn io(verb: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { verb, path, source }
    }
}
