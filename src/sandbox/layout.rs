//! What the window remembers from one time to the next: its size, what is folded away, how it looks.
//!
//! It is a small file in the folder in which the system keeps settings of programs. One that is missing or that cannot be
//! read is as good as none: the window opens as it does the first time, and says so.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::core::dialect::{dialect, read_ron};
use crate::core::files::read_plain;

/// Smallest and largest text, beside the usual one.
const TEXT_SCALES: (f32, f32) = (0.6, 2.5);
/// Smallest and largest side of a window, points.
const SIDES: (f32, f32) = (200.0, 16_384.0);
/// Bytes of the longest file that is read.
const LONGEST: u64 = 64 << 10;

/// How bright the panels are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Theme {
    /// Light letters on dark.
    #[default]
    Dark,
    /// Dark letters on light.
    Light,
}

/// What a panel shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum PanelPage {
    /// The scene, its time, and what is shown of it; left where there is room for both.
    #[default]
    Scene,
    /// What is measured and can be changed.
    Measures,
}

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Layout {
    /// How bright the panels are.
    pub theme: Theme,
    /// Size of all text, 1 at first.
    pub text_scale: f32,
    /// Whether the panels are shown.
    pub are_panels_open: bool,
    /// What is shown where there is room for one panel only.
    pub page: PanelPage,
    /// Whether a plot has a curve for each site, rather than a site plots of its own.
    pub are_sites_beside: bool,
    /// Size of the window, points.
    pub window: Option<(f32, f32)>,
    /// Titles of the plots that are not shown.
    pub hidden_plots: BTreeSet<String>,
    /// Whether the mouse was used to turn the picture or to pick something, so that nobody need say how.
    pub knows_mouse: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            theme: Theme::Dark,
            text_scale: 1.0,
            are_panels_open: true,
            page: PanelPage::Scene,
            are_sites_beside: false,
            window: None,
            hidden_plots: BTreeSet::new(),
            knows_mouse: false,
        }
    }
}

impl Layout {
    /// What the file remembers; where it cannot be read, the first layout, and what is to be said of that. Of a file that is
    /// not there nothing is said: so it is the first time.
    pub fn load(file: &Path) -> (Self, Option<String>) {
        if !file.exists() {
            return (Self::default(), None);
        }
        let read = || -> Result<Self, String> {
            let bytes = read_plain(file, LONGEST).map_err(|error| error.to_string())?;
            let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
            read_ron(&text).map_err(|mistake| mistake.1.to_string())
        };
        match read() {
            Ok(layout) => (layout.sound(), None),
            Err(reason) => {
                let file = file.display();
                let notice = format!("the window begins anew: `{file}` cannot be read: {reason}");
                (Self::default(), Some(notice))
            }
        }
    }

    /// The same with numbers that a window can have.
    fn sound(mut self) -> Self {
        self.set_text_scale(self.text_scale);
        let fits = |side: f32| (SIDES.0..=SIDES.1).contains(&side);
        self.window = self
            .window
            .filter(|(width, height)| fits(*width) && fits(*height));
        self
    }

    /// Makes all text as large as this, as far as it can be read.
    pub fn set_text_scale(&mut self, scale: f32) {
        self.text_scale = if scale.is_finite() {
            scale.clamp(TEXT_SCALES.0, TEXT_SCALES.1)
        } else {
            1.0
        };
    }

    /// Writes the file, and the folder it lies in.
    ///
    /// # Errors
    /// When it cannot be written, in words.
    pub fn save(&self, file: &Path) -> Result<(), String> {
        let write = || -> std::io::Result<()> {
            let folder = file.parent().unwrap_or(Path::new("."));
            std::fs::create_dir_all(folder)?;
            let config = ron::ser::PrettyConfig::new();
            let text = dialect()
                .to_string_pretty(self, config)
                .map_err(std::io::Error::other)?;
            let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
            writeln!(fresh, "{text}")?;
            fresh.persist(file)?;
            Ok(())
        };
        write().map_err(|error| format!("cannot write `{}`: {error}", file.display()))
    }
}

/// The file in which size and look of the window are remembered, if the system has a place for such files.
pub fn layout_file() -> Option<PathBuf> {
    dirs::config_dir().map(|folder| folder.join("tumorscape").join("window.ron"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_comes_back() {
        let folder = tempfile::tempdir().expect("there is room");
        let file = folder.path().join("new").join("window.ron");
        assert_eq!(Layout::load(&file), (Layout::default(), None));
        let layout = Layout {
            theme: Theme::Light,
            text_scale: 1.3,
            are_panels_open: false,
            page: PanelPage::Measures,
            are_sites_beside: true,
            window: Some((900.0, 700.0)),
            hidden_plots: BTreeSet::from(["Cells \"at\" rest".to_owned()]),
            knows_mouse: true,
        };
        for _ in 0..2 {
            layout.save(&file).expect("there is room");
            assert_eq!(Layout::load(&file), (layout.clone(), None));
        }
        let nowhere = Path::new("/proc/nowhere/window.ron");
        let refused = layout.save(nowhere).expect_err("there is no such place");
        assert!(refused.contains("/proc/nowhere"), "{refused}");
    }

    #[test]
    fn a_file_that_makes_no_sense_is_as_good_as_none_and_told() {
        let folder = tempfile::tempdir().expect("there is room");
        let file = folder.path().join("window.ron");
        for text in [
            "(theme: Purple)",
            "",
            "(text_scale: \"big\")",
            "\u{0}",
            "(colour: 1)",
        ] {
            std::fs::write(&file, text).expect("there is room");
            let (layout, notice) = Layout::load(&file);
            assert_eq!(layout, Layout::default(), "{text}");
            assert!(
                notice.is_some_and(|notice| notice.contains("window.ron")),
                "{text}"
            );
        }
        std::fs::write(&file, [0xff, 0xfe]).expect("there is room");
        assert!(Layout::load(&file).1.is_some());
        std::fs::remove_file(&file).expect("it is there");
        std::fs::create_dir(&file).expect("there is room");
        assert!(Layout::load(&file).1.is_some(), "a folder");
    }

    #[test]
    fn numbers_that_no_window_can_have_are_mended() {
        let folder = tempfile::tempdir().expect("there is room");
        let file = folder.path().join("window.ron");
        for (text, scale) in [("1e9", 2.5), ("NaN", 1.0), ("-3", 0.6), ("1.5", 1.5)] {
            let text = format!("(text_scale: {text}, window: (0, 1e30))");
            std::fs::write(&file, text).expect("there is room");
            let (layout, notice) = Layout::load(&file);
            assert_eq!(
                (layout.text_scale, layout.window, notice),
                (scale, None, None)
            );
        }
    }
}
