//! Definitions that are data (cell types, molecules): RON files that are part of the binary, and those of the nearest
//! folder of that kind beside or above the scene, which replace and add by name.

use std::path::{Path, PathBuf};

use include_dir::Dir;

use super::report::{Problem, SceneReport};
use super::spans::{FieldPath, Tree, unquoted};
use super::{read_text, read_text_below};

/// Bytes of the longest definition that is read: a hundred times what the longest shipped one has.
const LONGEST_DEFINITION: u64 = 4 << 20;

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
    texts
        .into_iter()
        .map(|(name, text)| parse(text, &format!("{folder}/{name}")))
        .collect()
}

/// The definitions in a folder, and what is wrong with others.
pub(super) struct Found<T> {
    /// Those without a mistake, by name of their files.
    pub list: Vec<T>,
    /// Everything that is wrong with the folder and the files in it.
    pub report: SceneReport,
    /// What the wrong files would have brought: names of files without their ending, and names that stand in them.
    pub unread: Vec<String>,
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            report: SceneReport::default(),
            unread: Vec::new(),
        }
    }
}

/// The definitions in a folder.
pub(super) fn in_folder<T>(folder: &Path, parse: impl Parse<T>) -> Found<T> {
    let mut found = Found::default();
    let mut files = match std::fs::read_dir(folder) {
        Ok(entries) => entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "ron"))
            .collect::<Vec<_>>(),
        Err(error) => {
            let shown = folder.display().to_string();
            let problem = Problem::whole_file(&shown, error.to_string());
            found.report.problems.push(problem);
            return found;
        }
    };
    files.sort();
    for path in files {
        let shown = path.display().to_string();
        let name = Path::new(path.file_name().unwrap_or_default());
        let text = read_text_below(folder, name, LONGEST_DEFINITION, &shown);
        match parse_read(text, &shown, &parse) {
            Ok(definition) => found.list.push(definition),
            Err(wrong) => {
                let stem = path.file_stem();
                let stem = stem.map(|stem| stem.to_string_lossy().into_owned());
                let inside = wrong.sources.iter().find_map(|(_, text)| name_in(text));
                found.unread.extend(stem.into_iter().chain(inside));
                found.report.absorb(wrong);
            }
        }
    }
    found.unread.sort();
    found.unread.dedup();
    found
}

/// The name that a definition gives itself, whatever else is wrong with it.
fn name_in(text: &str) -> Option<String> {
    let tree = Tree::read(text);
    let (node, exact) = tree.find(&FieldPath::root().field("name"), text);
    let name = unquoted(text.get(node.span.clone())?);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (exact && !name.is_empty() && name.chars().all(plain)).then(|| name.to_owned())
}

/// Reads one definition from a file.
///
/// # Errors
/// When it cannot be read or is wrong: everything that is.
pub(super) fn read_file<T>(path: &Path, parse: impl Parse<T>) -> Result<T, SceneReport> {
    let shown = path.display().to_string();
    parse_read(read_text(path, &shown), &shown, parse)
}

fn parse_read<T>(
    text: Result<String, Box<Problem>>,
    shown: &str,
    parse: impl Parse<T>,
) -> Result<T, SceneReport> {
    let text = text.map_err(|problem| SceneReport {
        problems: vec![*problem],
        sources: Vec::new(),
    })?;
    parse(&text, shown)
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
