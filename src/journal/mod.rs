//! Floor 3: what is written down of a simulation. Its books, the run folder they are kept in, and the checkpoints from
//! which a run goes on.

mod books;
mod cell_table;
pub mod checkpoint;
mod clone_table;
mod field_files;
pub mod moment;
mod record;
mod resume;
pub mod run_folder;
mod standing;
mod summed;

pub use books::{Journal, JournalState};
pub use standing::keep_as_run;
