//! The scenes that can be opened in the window, and opening one while another is shown.
//!
//! A list of files takes a moment to read, and a scene takes seconds to set up: both happen on threads of their own, and the
//! scene that is shown goes on until the other one is there. One that cannot be set up is told, and changes nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use serde::Deserialize;

use crate::core::dialect::read_ron;
use crate::core::files::read_plain;
use crate::core::parallel::keep_to_own_pool;
use crate::scene::shipped_scenes;

use super::arrival::{Arrival, Load, Wake};

/// Files of a folder that are looked at.
const MOST_FILES: usize = 1000;
/// Bytes of the longest file that is taken for a scene here.
const LONGEST_SCENE: u64 = 16 << 20;

/// A scene that can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SceneEntry {
    /// Its file.
    pub path: PathBuf,
    /// Its title.
    pub title: String,
    /// The first sentence of what it says about itself.
    pub about: String,
}

impl SceneEntry {
    /// What the text of a file says, if it is that of a scene.
    fn read(path: PathBuf, text: &str) -> Option<Self> {
        /// The part of a scene that is told here.
        #[derive(Deserialize)]
        struct Head {
            title: String,
            about: String,
            /// Other files that people write have a title too, but no sites.
            #[expect(dead_code, reason = "only whether it is there is asked")]
            sites: serde::de::IgnoredAny,
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let head: Head = read_ron(text).ok()?;
        Some(Self {
            path,
            title: head.title,
            about: first_sentence(&head.about).to_owned(),
        })
    }

    /// Whether title, sentence or file name contain what is looked for, in small letters.
    pub fn matches(&self, wanted: &str) -> bool {
        let file = self.path.to_string_lossy();
        [self.title.as_str(), &self.about, &file]
            .iter()
            .any(|text| text.to_lowercase().contains(wanted))
    }
}

/// Up to the first full stop that ends a sentence.
fn first_sentence(text: &str) -> &str {
    let text = text.trim();
    let end = text
        .match_indices(". ")
        .chain(text.match_indices(".\n"))
        .map(|(at, _)| at + 1)
        .min();
    &text[..end.unwrap_or(text.len())]
}

/// The scenes of a folder and those that are part of the program, by title. A file comes before the shipped scene of its
/// name, as it does everywhere.
fn scenes_at_hand(folder: &Path) -> Vec<SceneEntry> {
    let mut found: BTreeMap<PathBuf, SceneEntry> = shipped_scenes()
        .filter_map(|(path, text)| SceneEntry::read(path, text))
        .map(|entry| (entry.path.clone(), entry))
        .collect();
    let shown = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let files = std::fs::read_dir(shown).into_iter().flatten().flatten();
    for file in files.take(MOST_FILES) {
        let path = folder.join(file.file_name());
        if path.extension().is_none_or(|end| end != "ron") {
            continue;
        }
        let text = read_plain(&path, LONGEST_SCENE).ok();
        let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(entry) = text.and_then(|text| SceneEntry::read(path, &text)) {
            let plain: PathBuf = entry.path.components().collect();
            let plain = plain.strip_prefix(".").unwrap_or(&plain).to_owned();
            found.insert(plain, entry);
        }
    }
    let mut list: Vec<SceneEntry> = found.into_values().collect();
    list.sort_by(|a, b| (&a.title, &a.path).cmp(&(&b.title, &b.path)));
    list
}

/// A scene that is being set up.
struct Loading {
    path: PathBuf,
    thread: JoinHandle<Result<Arrival, String>>,
}

/// What can be opened, and what is being opened.
#[derive(Default)]
pub(super) struct Browser {
    load: Option<Load>,
    /// The file of the scene that is shown.
    pub file: PathBuf,
    /// Whether the list is shown.
    pub is_open: bool,
    /// Whether the keyboard is for the search text from now on.
    pub wants_focus: bool,
    /// Search text over the list.
    pub search: String,
    /// Why the latest scene could not be opened.
    pub problem: Option<String>,
    list: Option<Arc<OnceLock<Vec<SceneEntry>>>>,
    loading: Option<Loading>,
}

impl Browser {
    /// One that opens scenes in this way, while that of a file is shown.
    pub fn new(load: Load, file: PathBuf) -> Self {
        Self {
            load: Some(load),
            file,
            ..Self::default()
        }
    }

    /// Whether another scene can be opened at all.
    pub const fn can_open(&self) -> bool {
        self.load.is_some()
    }

    /// Shows the list, if there is one, or puts it away.
    pub fn toggle(&mut self) {
        self.is_open = !self.is_open && self.can_open();
        self.wants_focus = self.is_open;
        self.search.clear();
    }

    /// The scenes that can be opened, once their files were read, which begins with the first call.
    pub fn scenes(&mut self, wake: &Wake) -> Option<&[SceneEntry]> {
        if self.list.is_none() {
            let list = Arc::new(OnceLock::new());
            let (filled, wake) = (Arc::clone(&list), Arc::clone(wake));
            let folder = self.file.parent().unwrap_or(Path::new("")).to_owned();
            let read = move || {
                // Nobody else fills it.
                let _filled = filled.set(scenes_at_hand(&folder));
                wake(true);
            };
            let started = std::thread::Builder::new()
                .name("list of scenes".into())
                .spawn(read);
            if let Err(error) = started {
                self.problem = Some(format!("cannot start a thread: {error}"));
            }
            self.list = Some(list);
        }
        self.list.as_ref()?.get().map(Vec::as_slice)
    }

    /// The file of the scene that is being set up.
    pub fn loading(&self) -> Option<&Path> {
        self.loading.as_ref().map(|loading| loading.path.as_path())
    }

    /// Begins to set up the scene of a file; one that was being set up is given up.
    pub fn open(&mut self, path: &Path, wake: &Wake) {
        let Some(load) = self.load.clone() else {
            return;
        };
        self.problem = None;
        let (file, wake) = (path.to_owned(), Arc::clone(wake));
        let work = move || {
            keep_to_own_pool();
            let arrival = load(&file);
            wake(true);
            arrival
        };
        let started = std::thread::Builder::new().name("scene".into()).spawn(work);
        match started {
            Ok(thread) => {
                self.loading = Some(Loading {
                    path: path.to_owned(),
                    thread,
                });
            }
            Err(error) => self.problem = Some(format!("cannot start a thread: {error}")),
        }
    }

    /// The scene that was asked for, once it is there.
    pub fn arrived(&mut self) -> Option<Arrival> {
        let loading = self
            .loading
            .take_if(|loading| loading.thread.is_finished())?;
        match loading.thread.join() {
            Ok(Ok(arrival)) => {
                self.file = loading.path;
                self.is_open = false;
                Some(arrival)
            }
            Ok(Err(reason)) => {
                self.problem = Some(reason);
                None
            }
            Err(_) => {
                self.problem = Some(format!(
                    "setting up `{}` broke down",
                    loading.path.display()
                ));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shipped_scene_is_listed_with_its_title_and_a_sentence() {
        let list = scenes_at_hand(Path::new("there is no such folder"));
        let shipped: Vec<PathBuf> = shipped_scenes().map(|(path, _)| path).collect();
        assert!(shipped.len() > 20);
        for path in &shipped {
            let entry = list.iter().find(|entry| entry.path == *path);
            let entry = entry.unwrap_or_else(|| panic!("{} is listed", path.display()));
            assert!(!entry.title.is_empty(), "{}", path.display());
            assert!(entry.about.ends_with(['.', '?', '!']), "{}", entry.about);
        }
        assert_eq!(list.len(), shipped.len());
        let titles: Vec<&String> = list.iter().map(|entry| &entry.title).collect();
        assert!(titles.is_sorted());
    }

    #[test]
    fn scenes_of_a_folder_are_listed_and_what_is_none_is_not() {
        let folder = tempfile::tempdir().expect("there is room");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("there is room");
        };
        write(
            "mine.ron",
            r#"(title: "Mine", about: "Of 2.5 mm. And more.", sites: [(organ: Breast, size_um: (1, 2, 3))],
                populations: [(place: Ball(radius_um: 40))], body: (a: Some(B(c: 1)), d: {"e": [F, G(1)]}))"#,
        );
        write("cell.ron", r#"(name: "cell", about: "A cell.")"#);
        write("broken.ron", "(title:");
        write("mine.txt", r#"(title: "T", about: "A", sites: [])"#);
        let list = scenes_at_hand(folder.path());
        let own = |entry: &&SceneEntry| entry.path.starts_with(folder.path());
        let own: Vec<&SceneEntry> = list.iter().filter(own).collect();
        let expected = SceneEntry {
            path: folder.path().join("mine.ron"),
            title: "Mine".into(),
            about: "Of 2.5 mm.".into(),
        };
        assert_eq!(own, [&expected]);
        assert!(expected.matches("2.5") && expected.matches("mine") && !expected.matches("yours"));
    }

    #[test]
    fn what_cannot_be_set_up_is_told() {
        let load: Load = Arc::new(|path| match path.to_str() {
            Some("panics") => std::panic::resume_unwind(Box::new("broken on purpose")),
            _ => Err(format!("{}: line 3", path.display())),
        });
        let mut browser = Browser::new(load, PathBuf::from("scenes/here.ron"));
        let wake: Wake = Arc::new(|_| {});
        for (path, told) in [("wrong", "wrong: line 3"), ("panics", "broke down")] {
            browser.open(Path::new(path), &wake);
            assert_eq!(browser.loading(), Some(Path::new(path)));
            while browser.loading().is_some() {
                assert!(browser.arrived().is_none());
                std::thread::yield_now();
            }
            let problem = browser.problem.take().expect("it is told");
            assert!(problem.contains(told), "{problem}");
            assert_eq!(browser.file, Path::new("scenes/here.ron"));
        }
    }
}
