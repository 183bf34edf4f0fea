//! The shipped scenes are part of the program, as the shipped cell types are: `scenes/NAME.ron` can be run, filmed
//! and explored from any folder. A file of that name, where there is one, comes first.

use std::path::{Component, Path, PathBuf};

use include_dir::{Dir, include_dir};

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/scenes");

/// Where scenes lie, from the root of the project.
const FOLDER: &str = "scenes";

/// The text of the shipped scene that is named like this file, `scenes/NAME.ron`.
pub fn shipped_scene(path: &Path) -> Option<&'static str> {
    let plain: PathBuf = path
        .components()
        .filter(|part| *part != Component::CurDir)
        .collect();
    let file = plain.strip_prefix(FOLDER).ok()?;
    SHIPPED.get_file(file)?.contents_utf8()
}

/// The shipped scenes with their texts, each by the name under which it can be opened, `scenes/NAME.ron`.
pub fn shipped_scenes() -> impl Iterator<Item = (PathBuf, &'static str)> {
    let files = SHIPPED.files();
    let scenes = files.filter(|file| file.path().extension().is_some_and(|end| end == "ron"));
    scenes.filter_map(|file| Some((Path::new(FOLDER).join(file.path()), file.contents_utf8()?)))
}
