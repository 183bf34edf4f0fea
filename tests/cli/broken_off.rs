//! Runs that lose what they write to, or are told to stop.

use super::*;

#[test]
fn a_table_that_is_taken_away_while_it_is_written_ends_the_run() {
    let whole = |out: &Path| std::fs::metadata(out.join("checkpoint.tumorscape")).is_ok();
    let take: [(&str, &str, fn(&Path)); 3] = [
        ("metrics.csv", "was removed", |file| {
            std::fs::remove_file(file).expect("it is there");
        }),
        ("events.csv", "was replaced by another file", |file| {
            let text = std::fs::read(file).expect("readable");
            let other = file.with_extension("new");
            std::fs::write(&other, text).expect("writable");
            std::fs::rename(&other, file).expect("writable");
        }),
        ("events.csv", "was changed from 42 to 0 bytes", |file| {
            std::fs::write(file, "").expect("writable");
        }),
    ];
    for (name, says, take) in take {
        let folder = folder_with("one.ron", scene(""));
        let out = folder.path().join("out");
        // It would go on for minutes, but for the next checkpoint.
        let child = Command::new(env!("CARGO_BIN_EXE_tumorscape"))
            .args(["run", "one.ron", "--quiet", "--out", "out"])
            .args(["--until", "1000d", "--checkpoint-every", "10min"])
            .current_dir(folder.path())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("the program starts");
        while !whole(&out) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        take(&out.join(name));
        let output = child.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(&format!("out/{name}` {says}")), "{text}");
        assert!(text.contains("are kept"), "{text}");
    }
}

#[test]
fn a_hang_up_or_ctrl_c_that_was_ignored_at_the_start_ends_no_run() {
    // The one that goes on takes a second or two, the other would take hours.
    for (is_ignored, until, code) in [(true, "8d", 0), (false, "1000d", 1)] {
        let folder = folder_with("one.ron", scene(""));
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumorscape"));
        let child = signals::ignoring(&mut command, is_ignored)
            .args(["run", "one.ron", "--quiet", "--out", "out"])
            .args(["--until", until, "--checkpoint-every", "1000d"])
            .current_dir(folder.path())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("the program starts");
        while std::fs::metadata(folder.path().join("out/checkpoint.tumorscape")).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        signals::send("-HUP", child.id());
        if is_ignored {
            signals::send("-INT", child.id());
            signals::send("-HUP", child.id());
        }
        let output = child.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert_eq!(text.contains("stopped at"), !is_ignored, "{text}");
    }
}

#[test]
fn a_table_with_a_hole_is_found_at_the_end() {
    use tumorscape::journal::Journal;
    use tumorscape::journal::run_folder::RunFolder;
    use tumorscape::simulation::{Simulation, open_scene};
    let folder = folder_with("one.ron", scene(""));
    let scene = open_scene(&folder.path().join("one.ron")).expect("a good scene");
    let mut simulation = Simulation::new(std::sync::Arc::new(scene), 1).expect("a good scene");
    let out = folder.path().join("out");
    let written = RunFolder::create(&out, &simulation).expect("writable");
    let mut journal = Journal::new(&simulation, Some(written));
    journal.note(&simulation).expect("writable");
    // What follows is written behind the hole, so that the length is right again.
    std::fs::write(out.join("metrics.csv"), "").expect("writable");
    while simulation.steps() < simulation.total_steps() {
        simulation.step();
        journal.note(&simulation).expect("writable");
    }
    let error = journal.finish(&simulation).expect_err("rows are missing");
    assert!(
        error.to_string().contains("metrics.csv` was changed"),
        "{error}"
    );
}
