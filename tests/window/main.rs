//! The window, driven as a person would drive it, on a display of its own.
#![cfg(all(feature = "view", target_os = "linux"))]

mod display;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use display::{DOWN, Display, ESCAPE, HOME, LEFT, RETURN, RIGHT, Refused, UP};
use tempfile::TempDir;
use tumorscape::simulation::snapshot::SnapshotRequest;
use tumorscape::simulation::{Program, Simulation};

/// Software drivers share the machine's cores: one window at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A window of the program, in a folder of its own.
struct Driven {
    display: Display,
    window: u32,
    program: Child,
    folder: TempDir,
}

impl Drop for Driven {
    fn drop(&mut self) {
        let _gone = self.program.kill();
        let _gone = self.program.wait();
    }
}

const SCENE: &str = r#"(
    title: "A dish", about: "A few cells.", pace: Illustrative, duration: Hours(8), step: Minutes(2), seed: 4,
    sites: [(name: "dish", organ: Breast, size_um: (200, 200, 200), perfusion_length_um: 100, fields: [
        (molecule: "oxygen", level: 38), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1.5),
        (molecule: "vegf_a", level: 0), (molecule: "tgf_beta", level: 0),
    ])],
    populations: [(cell: "cancer", place: Ball(radius_um: 50))],
    on_call: ["chemotherapy"],
    timeline: [At(Hours(0), Chapter("1", "It grows")), At(Hours(2), Caption("It goes on."))],
)"#;

impl Driven {
    /// Opens the window on a small scene; `None`, and a line that says so, where that cannot be.
    fn open() -> Result<Option<Self>, Refused> {
        let Some(display) = Display::start()? else {
            println!("skipped: there is no Xvfb to open a window on");
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
        write("dish.ron", SCENE)?;
        write("other.ron", &SCENE.replace("A dish", "Another dish"))?;
        write(
            "wrong.ron",
            &SCENE
                .replace("A dish", "A wrong one")
                .replace("cancer", "zebra"),
        )?;
        let layout = folder.path().join("config/tumorscape");
        std::fs::create_dir_all(&layout)?;
        std::fs::write(layout.join("window.ron"), without_plots()?)?;
        let program = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
            .args(["explore", "dish.ron"])
            .current_dir(folder.path())
            .env("DISPLAY", &display.name)
            .env_remove("WAYLAND_DISPLAY")
            .env("XDG_CONFIG_HOME", folder.path().join("config"))
            .env("XDG_RUNTIME_DIR", folder.path())
            .stdin(Stdio::null())
            .stdout(File::create(folder.path().join("said"))?)
            .stderr(File::create(folder.path().join("log"))?)
            .spawn()?;
        let mut driven = Self {
            display,
            window: 0,
            program,
            folder,
        };
        let program = &mut driven.program;
        let gone = || !matches!(program.try_wait(), Ok(None));
        match driven.display.window(gone)? {
            Some(window) => driven.window = window,
            None if driven.log().contains("no graphics driver") => {
                println!("skipped: {}", driven.log());
                return Ok(None);
            }
            None => return Err(format!("it ended: {}", driven.log()).into()),
        }
        sleep(Duration::from_secs(1));
        Ok(Some(driven))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Memory of the program, MB.
    fn memory_mb(&self) -> Result<f64, Refused> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.program.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        let line = line.ok_or("the program is there")?;
        let kb: f64 = line.split_whitespace().nth(1).unwrap_or_default().parse()?;
        Ok(kb / 1024.0)
    }

    /// Waits until the window's title begins like this.
    fn wait_for_title(&self, title: &str, longest: Duration) -> Result<(), Refused> {
        let start = Instant::now();
        loop {
            let found = self.display.title(self.window)?;
            if found.starts_with(title) {
                // Its first picture follows.
                sleep(Duration::from_millis(1500));
                return Ok(());
            }
            if start.elapsed() > longest {
                return Err(format!("the title is {found:?}, not {title:?}").into());
            }
            sleep(Duration::from_millis(100));
        }
    }

    /// Opens the first scene that the list has for some letters.
    fn open_scene(&self, wanted: &str) -> Result<(), Refused> {
        // Of several keys in one picture each is a command of its own: each step is waited for.
        self.changes_picture(|display| display.press('o'.into()))?;
        self.changes_picture(|display| display.write(wanted))?;
        self.display.press(RETURN)
    }

    /// Does something that changes the middle of the picture, and waits until it has.
    fn changes_picture(
        &self,
        act: impl Fn(&Display) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let middle = || self.display.picture(self.window, (480, 330), (300, 200));
        let before = middle()?;
        act(&self.display)?;
        let start = Instant::now();
        while middle()? == before {
            if start.elapsed() > Duration::from_secs(20) {
                return Err(format!("the window does not answer: {}", self.log()).into());
            }
            sleep(Duration::from_millis(50));
        }
        // And until all of it is there.
        sleep(Duration::from_millis(400));
        Ok(())
    }

    /// Files of its folder that end like this.
    fn files(&self, end: &str) -> Result<Vec<PathBuf>, Refused> {
        let mut files = Vec::new();
        for file in std::fs::read_dir(self.folder.path())? {
            let path = file?.path();
            if path.to_string_lossy().ends_with(end) {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    /// Closes the window; all must have gone well.
    fn close(&mut self) -> Result<(), Refused> {
        self.display.close(self.window)?;
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.program.try_wait()? {
                break status;
            }
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "it does not close"
            );
            sleep(Duration::from_millis(50));
        };
        let log = self.log();
        assert!(status.success(), "{status}: {log}");
        for word in ["ERROR", "panicked", "error:"] {
            assert!(!log.contains(word), "{log}");
        }
        Ok(())
    }
}

/// What a window remembers whose plots are all put away: what can be changed is then in sight.
fn without_plots() -> Result<String, Refused> {
    let scene = Program::default().parse_scene(SCENE, "dish.ron", None);
    let scene = Arc::new(scene.map_err(|report| report.to_string())?);
    let simulation = Simulation::new(scene, 1)?;
    let shown = simulation.snapshot(&SnapshotRequest::default());
    let metrics = shown.catalogue.metrics.iter();
    let titles: BTreeSet<&str> = metrics.filter_map(|of| of.plot.as_deref()).collect();
    let titles: Vec<&str> = titles.into_iter().collect();
    Ok(format!("(hidden_plots: {titles:?})"))
}

/// Clicks down the right panel, page by page, as somebody does who tries everything, until time has another branch.
fn try_everything(driven: &Driven) -> Result<(), Refused> {
    // Below the time line the branches are listed, as soon as there are two.
    let branches = || driven.display.picture(driven.window, (285, 785), (300, 25));
    let before = branches()?;
    for _round in 0..3 {
        for _page in 0..4 {
            for y in (20..810).step_by(19) {
                for x in [1188, 1214] {
                    driven.display.drag((x, y), (x, y))?;
                    // Of several clicks in one picture only the last one counts.
                    sleep(Duration::from_millis(40));
                }
            }
            // Of a click on a field and an Escape in one picture, the click comes last, and the field keeps the keyboard.
            sleep(Duration::from_millis(400));
            driven.display.press(ESCAPE)?;
            driven.display.wheel((1200, 400), 14, DOWN)?;
            sleep(Duration::from_millis(400));
        }
        if branches()? != before {
            return Ok(());
        }
        driven.display.wheel((1200, 400), 400, UP)?;
        sleep(Duration::from_millis(800));
    }
    Err("nothing that was tried began another branch of time".into())
}

#[test]
fn a_driven_window_survives_what_a_person_does_and_keeps_what_was_done() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    drive().unwrap_or_else(|refused| panic!("{refused}"));
}

fn drive() -> Result<(), Refused> {
    let Some(mut driven) = Driven::open()? else {
        return Ok(());
    };
    let display = &driven.display;
    // A hundred sizes, some of them hardly any, while time runs; the last one is that of the first.
    display.press(' '.into())?;
    let mut state = 12_345_u32;
    let mut random = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let mut memory = Vec::new();
    for round in 0..100 {
        let (width, height) = match round % 10 {
            9 => (1 + random(60), 1 + random(40)),
            _ => (200 + random(1200), 150 + random(800)),
        };
        display.resize(driven.window, width, height)?;
        sleep(Duration::from_millis(if round % 5 == 0 { 250 } else { 25 }));
        if round % 50 == 49 {
            display.resize(driven.window, 1360, 820)?;
            sleep(Duration::from_millis(1500));
            memory.push(driven.memory_mb()?);
        }
    }
    // Back and on in time, a film beside it, bookmarks, both looks, cut and plane.
    for key in ['m', 'b', 'c', 'x', 'v', '2', '3', 'g'] {
        display.press(key.into())?;
        sleep(Duration::from_millis(60));
    }
    for key in [LEFT, LEFT, HOME, RIGHT, RIGHT] {
        display.press(key)?;
        sleep(Duration::from_millis(300));
    }
    display.drag((400, 780), (800, 780))?;
    display.drag((600, 300), (700, 340))?;
    // A cell is looked at, and let go.
    for at in [(680, 400), (330, 700)] {
        display.drag(at, at)?;
        sleep(Duration::from_millis(400));
    }
    // What is treated and turned in the past begins another future.
    try_everything(&driven)?;
    sleep(Duration::from_millis(500));
    driven.display.press('m'.into())?;
    sleep(Duration::from_millis(800));

    // Another scene, one that is wrong, and the first one again.
    driven.open_scene("other.ron")?;
    driven.wait_for_title("Another dish", Duration::from_secs(30))?;
    driven.open_scene("wrong.ron")?;
    sleep(Duration::from_secs(3));
    driven.wait_for_title("Another dish", Duration::ZERO)?;
    driven.changes_picture(|display| display.press(ESCAPE))?;
    driven.open_scene("dish.ron")?;
    driven.wait_for_title("A dish", Duration::from_secs(60))?;
    driven.display.press(' '.into())?;
    sleep(Duration::from_millis(500));
    driven.close()?;

    let grown = memory[1] - memory[0];
    assert!(grown < 64.0, "memory grows by fifty sizes: {memory:?} MB");
    let films = driven.files(".mp4")?;
    assert!(!films.is_empty(), "it was filmed");
    for film in &films {
        assert!(film.metadata()?.len() > 1000, "{}", film.display());
    }
    assert!(driven.files(".part")?.is_empty(), "nothing is half done");
    let changes = driven.files("explore_dish.ron")?;
    assert!(!changes.is_empty(), "what was changed is saved");
    let layout = driven.folder.path().join("config/tumorscape/window.ron");
    assert!(
        layout.is_file(),
        "what the window looked like is remembered"
    );
    repeats(&driven, &changes[0])
}

/// What was saved can be run.
fn repeats(driven: &Driven, changes: &Path) -> Result<(), Refused> {
    let run = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
        .args(["run", "--quiet", "--out", "again"])
        .arg(changes)
        .current_dir(driven.folder.path())
        .output()?;
    let text = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{text}");
    Ok(())
}

#[test]
#[ignore = "sets up every shipped scene: some minutes"]
fn every_shipped_scene_opens_in_the_window_of_another() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    open_all().unwrap_or_else(|refused| panic!("{refused}"));
}

fn open_all() -> Result<(), Refused> {
    let Some(mut driven) = Driven::open()? else {
        return Ok(());
    };
    for (path, text) in tumorscape::scene::shipped_scenes() {
        let title = text.split_once("title: \"").map(|(_, rest)| rest);
        let title = title.and_then(|rest| rest.split_once('"'));
        let (title, _) = title.ok_or("a scene has a title")?;
        let name = path.to_string_lossy().into_owned();
        driven.open_scene(&name)?;
        driven
            .wait_for_title(title, Duration::from_secs(240))
            .map_err(|refused| format!("{name}: {refused}"))?;
        driven.display.press('.'.into())?;
        sleep(Duration::from_millis(500));
        println!("{name}: {:.0} MB", driven.memory_mb()?);
    }
    driven.close()
}
