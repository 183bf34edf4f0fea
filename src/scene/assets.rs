//! Definitions that are data (cell types, molecules): RON files that are part of the binary, and those of the nearest
//! folder of that kind beside or above the scene, which replace and add by name.

use std::path::{Path, PathBuf};

use include_dir::Dir;

use super::read_text;
use super::report::{Problem, SceneReport};

/// Reads one definition from its text; the second text is the name of its file, for reports.
pub(super) trait Parse<T>: Fn(&str, &str) -> Result<T, SceneReport> {}

impl<T, F: Fn(&str, &str) -> Result<T, SceneReport>> Parse<T> for F {}

/// The definitions in a folder that is part of the binary, by name of their files.
///
/// # Errors
/// When a shipped file is wrong, which tests exclude.
pub(super) fn shipped<T>(
    files: &Dir<'static>,
    folder: &str,
    parse: impl Parse<T>,
) -> Result<Vec<T>, SceneReport> {
    let mut texts: Vec<(String, &str)> = files
        .files()
        .filter_map(|file| {
            let name = file.path().file_name()?.to_string_lossy().into_owned();
            Some((name, file.contents_utf8()?))
        })
        .filter(|(name, _)| name.ends_with(".ron"))
        .collect();
    texts.sort();
    collect(
        texts
            .into_iter()
            .map(|(name, text)| parse(text, &format!("{folder}/{name}"))),
    )
}

/// The definitions in a folder, by name of their files.
///
/// # Errors
/// When the folder or a file in it cannot be read or is wrong: everything that is.
pub(super) fn in_folder<T>(folder: &Path, parse: impl Parse<T>) -> Result<Vec<T>, SceneReport> {
    let mut files = match std::fs::read_dir(folder) {
        Ok(entries) => entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "ron"))
            .collect::<Vec<_>>(),
        Err(error) => {
            let shown = folder.display().to_string();
            return Err(SceneReport {
                problems: vec![Problem::whole_file(&shown, error.to_string())],
                sources: Vec::new(),
            });
        }
    };
    files.sort();
    collect(files.iter().map(|path| read_file(path, &parse)))
}

/// Reads one definition from a file.
///
/// # Errors
/// When it cannot be read or is wrong: everything that is.
pub(super) fn read_file<T>(path: &Path, parse: impl Parse<T>) -> Result<T, SceneReport> {
    let name = path.display().to_string();
    let text = read_text(path, &name).map_err(|problem| SceneReport {
        problems: vec![*problem],
        sources: Vec::new(),
    })?;
    parse(&text, &name)
}

fn collect<T>(parsed: impl Iterator<Item = Result<T, SceneReport>>) -> Result<Vec<T>, SceneReport> {
    let mut report = SceneReport::default();
    let mut found = Vec::new();
    for definition in parsed {
        match definition {
            Ok(definition) => found.push(definition),
            Err(wrong) => report.absorb(wrong),
        }
    }
    if report.is_empty() {
        Ok(found)
    } else {
        Err(report)
    }
}

/// The nearest folder of that name, as `assets/cells`, beside or above a folder, or else under the current one.
pub(super) fn nearest_folder(folder: &Path, wanted: &str) -> Option<PathBuf> {
    // The folder of a bare file name is the current one.
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let absolute = std::path::absolute(folder).ok();
    let above = absolute.as_deref().into_iter().flat_map(Path::ancestors);
    let found = above
        .map(|ancestor| ancestor.join(wanted))
        .chain([PathBuf::from(wanted)])
        .find(|candidate| candidate.is_dir())?;
    // Shown the way it is reached from the current folder, if it lies in it.
    let here = std::env::current_dir().ok();
    let inside = here.and_then(|here| Some(found.strip_prefix(here).ok()?.to_owned()));
    Some(inside.unwrap_or(found))
}
