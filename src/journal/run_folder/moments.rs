//! What a run folder holds of single moments: the cells in a table, the fields in a folder, of each time that the scene asks for.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Number, RunFolder, RunFolderError, create};
use crate::core::Clock;
use crate::core::files::remove_own;
use crate::journal::cell_table::write_cell_table;
use crate::journal::field_files::{remove_fields, write_fields};
use crate::scene::schema::Span;
use crate::simulation::Simulation;

impl RunFolder {
    /// Removes the cells of a time that, after going back to a checkpoint, is still to come.
    ///
    /// # Errors
    /// When the file is there and cannot be removed.
    pub fn forget_cells(&self, hours: f64) -> Result<(), RunFolderError> {
        let path = cells_path(&self.path, hours);
        remove_own(&path).map_err(|source| RunFolderError::Io { path, source })
    }

    /// Removes the fields of a time that, after going back to a checkpoint, is still to come.
    ///
    /// # Errors
    /// When they are there and cannot be removed.
    pub fn forget_fields(&self, hours: f64, simulation: &Simulation) -> Result<(), RunFolderError> {
        let path = fields_path(&self.path, hours);
        remove_fields(&path, simulation)
            .map_err(|(path, source)| RunFolderError::Io { path, source })
    }

    /// Writes the fields of all molecules to a folder of their own.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_fields(&self, simulation: &Simulation) -> Result<PathBuf, RunFolderError> {
        let path = fields_path(&self.path, simulation.hours());
        match write_fields(&path, simulation) {
            Ok(()) => Ok(path),
            Err((path, source)) => Err(RunFolderError::Io { path, source }),
        }
    }

    /// Writes all cells to a file of their own: every category and every quantity that has a column in tables.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_cells(&self, simulation: &Simulation) -> Result<PathBuf, RunFolderError> {
        let path = cells_path(&self.path, simulation.hours());
        let mut file = BufWriter::new(create(&path)?);
        let mut write = || {
            write_cell_table(&mut file, simulation)?;
            file.flush()?;
            // A checkpoint written later will take it for granted.
            file.get_ref().sync_all()
        };
        match write() {
            Ok(()) => Ok(path),
            Err(source) => Err(RunFolderError::Io { path, source }),
        }
    }
}

/// Where the cells of that time are written.
fn cells_path(folder: &Path, hours: f64) -> PathBuf {
    folder.join(format!("cells_{}h.csv", Number(hours)))
}

/// Where the fields of that time are written.
fn fields_path(folder: &Path, hours: f64) -> PathBuf {
    folder.join(format!("fields_{}h", Number(hours)))
}

/// All files of cells and folders of fields that a run will write, as far as its scene goes: it can be resumed to a later end.
pub(super) fn files_to_come(folder: &Path, simulation: &Simulation) -> Vec<PathBuf> {
    let clock = simulation.clock();
    let output = &simulation.scene().scene.output;
    let at = |span: &Span| Clock {
        step: clock.step_at(span.minutes()),
        ..clock
    };
    let cells = output.cells_at.iter();
    let cells = cells.map(|span| cells_path(folder, at(span).hours()));
    let fields = output.fields_at.iter();
    let fields = fields.map(|span| fields_path(folder, at(span).hours()));
    cells.chain(fields).collect()
}
