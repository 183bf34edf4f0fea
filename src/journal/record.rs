//! `run.ron`: the scene of a run with everything it refers to, as a scene file that gives the same run again.

use std::io::Write;
use std::path::Path;

use super::run_folder::RunFolderError;
use crate::simulation::Simulation;

/// Name of the file that says what was simulated.
pub const RECORD: &str = "run.ron";

/// Writes `run.ron` in one piece; over an old one only if it is to `replace` it.
pub(super) fn write_record(
    folder: &Path,
    simulation: &Simulation,
    replace: bool,
) -> Result<(), RunFolderError> {
    let path = folder.join(RECORD);
    let write = || {
        let mut again = format!("tumorscape run {RECORD}");
        let (end, scene) = (simulation.end_minutes(), &simulation.scene().scene);
        if end != scene.duration.minutes() {
            again += &format!(" --until {end}min");
        }
        let text = simulation
            .scene()
            .to_ron(simulation.seed())
            .map_err(std::io::Error::other)?;
        let mut builder = tempfile::Builder::new();
        // Temporary files are private by default; this one is as readable as the others.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder
            .prefix(".run.")
            .suffix(".part")
            .tempfile_in(folder)?;
        // Not through the temporary file itself, which would tell its own name when it fails.
        writeln!(
            file.as_file_mut(),
            "// What tumorscape {} simulated in this folder, with everything it refers to. The same again:\n\
             //   {again}\n{text}",
            env!("CARGO_PKG_VERSION")
        )?;
        file.as_file().sync_all()?;
        let kept = if replace {
            file.persist(&path)
        } else {
            file.persist_noclobber(&path)
        };
        kept.map(drop).map_err(|error| error.error)
    };
    write().map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => RunFolderError::Occupied(folder.to_owned()),
        _ => RunFolderError::Io { path, source },
    })
}
