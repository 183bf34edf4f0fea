//! Files that appear under their final name only when they are complete.
//!
//! A [`StagedFile`] is written under a hidden temporary name in the folder of the final one, so that the
//! last act is a rename within one file system. Dropped before that, it removes itself.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::SinkError;

/// A file on its way to `target`.
pub(super) struct StagedFile {
    target: PathBuf,
    writer: BufWriter<NamedTempFile>,
}

impl StagedFile {
    /// Starts a file that will become `target`.
    pub fn create(target: &Path) -> Result<Self, SinkError> {
        if target.is_dir() {
            return Err(io("write", target)(std::io::Error::from(
                std::io::ErrorKind::IsADirectory,
            )));
        }
        let folder = folder_of(target);
        let name = target
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let mut builder = tempfile::Builder::new();
        let prefix = format!(".{name}.");
        builder.prefix(&prefix).suffix(".part");
        // Temporary files are private by default; a film is as readable as any other file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder).map_err(io("write", target))?;
        Ok(Self {
            target: target.to_path_buf(),
            writer: BufWriter::with_capacity(1 << 18, file),
        })
    }

    /// Turns an I/O error into one that names the film.
    pub fn error(&self, source: std::io::Error) -> SinkError {
        io("write", &self.target)(source)
    }

    /// Completes the file, gives it its final name and returns its size in bytes.
    pub fn commit(self) -> Result<u64, SinkError> {
        let Self { target, writer } = self;
        let file = writer
            .into_inner()
            .map_err(|error| io("write", &target)(error.into_error()))?;
        let bytes = file
            .as_file()
            .metadata()
            .map_err(io("write", &target))?
            .len();
        file.persist(&target)
            .map_err(|error| io("write", &target)(error.error))?;
        Ok(bytes)
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.writer.flush()
    }
}

/// A nameless file in the folder of `target`; it vanishes with its handle.
pub(super) fn scratch_beside(target: &Path) -> Result<File, SinkError> {
    tempfile::tempfile_in(folder_of(target)).map_err(io("write", target))
}

/// The folder in which `target` lies.
pub(super) fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Names the action and the path of an I/O error.
pub(super) fn io(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> SinkError + use<> {
    let path = path.to_path_buf();
    move |source| SinkError::Io {
        action,
        path,
        source,
    }
}
