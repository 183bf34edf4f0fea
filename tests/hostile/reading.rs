//! What is read lies below the folder of the scene, is a plain file, and is never quoted if it is not.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::{ONE, checked, folder_with, refused, said, scene};

fn csv(file: &str) -> String {
    scene(&format!(r#"(cell: "cancer", place: Csv("{file}"))"#), "")
}

#[test]
fn a_table_lies_below_the_scene() {
    for file in ["/etc/passwd", "../../etc/passwd", "/dev/zero", "..", "/"] {
        let folder = folder_with(&csv(file));
        let (code, told) = checked(folder.path());
        assert_eq!(code, 2, "{told}");
        assert!(told.contains("outside the folder"), "{told}");
        assert!(!told.contains("root:"), "nothing of it is quoted: {told}");
    }
}

#[test]
fn no_link_leads_to_a_table_elsewhere_and_no_pipe_is_waited_for() {
    let folder = folder_with(&csv("t.csv"));
    let table = folder.path().join("t.csv");
    symlink("/etc/passwd", &table).expect("writable");
    let (code, told) = checked(folder.path());
    assert!(code == 2 && told.contains("outside the folder"), "{told}");
    assert!(!told.contains("root:"), "{told}");
    fs::remove_file(&table).expect("it is there");
    let made = Command::new("mkfifo").arg(&table).status();
    assert!(made.expect("mkfifo is there").success());
    let (code, told) = checked(folder.path());
    assert!(
        code == 2 && told.contains("a pipe, not a plain file"),
        "{told}"
    );
    fs::remove_file(&table).expect("it is there");
    // A link that stays inside is fine.
    fs::write(folder.path().join("own.csv"), "x,y,z\n0,0,0\n").expect("writable");
    symlink("own.csv", &table).expect("writable");
    assert_eq!(checked(folder.path()).0, 0);
}

#[test]
fn definitions_are_read_from_their_folder_alone() {
    for kind in ["cells", "molecules"] {
        let folder = folder_with(&scene(ONE, ""));
        let assets = folder.path().join("assets").join(kind);
        fs::create_dir_all(&assets).expect("writable");
        symlink("/etc/passwd", assets.join("odd.ron")).expect("writable");
        let (code, told) = checked(folder.path());
        assert!(code == 2 && told.contains("outside the folder"), "{told}");
        assert!(!told.contains("root:"), "{told}");
        fs::remove_file(assets.join("odd.ron")).expect("it is there");
        fs::write(assets.join("odd.ron"), vec![b' '; 5 << 20]).expect("writable");
        let (code, told) = checked(folder.path());
        assert!(code == 2 && told.contains("more than 4 MiB"), "{told}");
    }
}

#[test]
fn a_scene_is_a_plain_file() {
    let folder = folder_with("");
    let (code, told) = said(folder.path(), &["check", "/dev/zero"]);
    assert!(
        code == 2 && told.contains("a device, not a plain file"),
        "{told}"
    );
    let made = Command::new("mkfifo")
        .arg(folder.path().join("p.ron"))
        .status();
    assert!(made.expect("mkfifo is there").success());
    let (code, told) = said(folder.path(), &["check", "p.ron"]);
    assert!(
        code == 2 && told.contains("a pipe, not a plain file"),
        "{told}"
    );
}

#[test]
fn what_is_wrong_with_a_table_is_said_once() {
    for (table, says) in [
        ("1,2,3\n4,5,6\n", "begins with numbers"),
        ("x;y;z\n1;2;3\n", "separated by semicolons"),
        (
            "x,y,z,ID,volume\n1,2,3,4,5\n",
            "there are no columns `ID`, `volume`",
        ),
        ("x,y,z\n", "there is no cell in this file"),
    ] {
        let folder = folder_with(&csv("t.csv"));
        fs::write(folder.path().join("t.csv"), table).expect("writable");
        let (code, told) = checked(folder.path());
        assert!(code == 2 && told.contains(says), "{told}");
        assert!(told.contains("1 problem\n"), "{told}");
    }
}

#[test]
fn cells_that_a_run_has_written_can_be_placed() {
    let text = scene(ONE, "output: (cells_at: [Minutes(10)])");
    let folder = folder_with(&text);
    let (code, told) = said(folder.path(), &["run", "s.ron", "--quiet", "--out", "o"]);
    assert_eq!(code, 0, "{told}");
    let table = folder.path().join("o/cells_0.166667h.csv");
    fs::copy(table, folder.path().join("t.csv")).expect("it was written");
    fs::write(folder.path().join("s.ron"), csv("t.csv")).expect("writable");
    let (code, told) = checked(folder.path());
    assert_eq!(code, 0, "{told}");
}

#[test]
fn many_cells_outside_are_told_in_no_time() {
    let rows = "900,0,0\n".repeat(200_000);
    let folder = folder_with(&csv("t.csv"));
    fs::write(folder.path().join("t.csv"), format!("x,y,z\n{rows}")).expect("writable");
    let start = std::time::Instant::now();
    let (code, told) = checked(folder.path());
    assert!(
        code == 2 && told.contains("the rest was not looked at"),
        "{told}"
    );
    let cells = "(at_um: (900, 0, 0)), ".repeat(20_000);
    refused(
        &scene(&format!(r#"(cell: "cancer", place: Cells([{cells}]))"#), ""),
        "the rest of the list was not looked at",
    );
    let cells = "(at_um: (0, 0, 0)) ".repeat(20_000);
    refused(
        &scene(&format!(r#"(cell: "cancer", place: Cells([{cells}]))"#), ""),
        "a comma is missing here",
    );
    // A second each on the machine of the author; it was minutes.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
