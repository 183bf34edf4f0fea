//! Networks that a scene reads from files.

use std::path::Path;
use std::sync::Arc;

use tumorscape::simulation::{Program, Simulation};

use super::{network, scene};

const NODES: &str = "id,x,y,z,port,mmhg\n1,-200,0,0,artery,30\n2,0,20,0,,\n3,200,0,0,vein,10\n";
const SEGMENTS: &str = "from,to,radius_um,kind\n1,2,6,artery\n2,3,5,capillary\n";

fn workplace(nodes: &str, segments: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("writable");
    };
    write("nodes.csv", nodes);
    write("segments.csv", segments);
    let vessels = r#"(place: Csv(nodes: "nodes.csv", segments: "segments.csv"))"#;
    write("drawn.ron", &scene("", vessels, ""));
    folder
}

fn told(folder: &Path) -> String {
    let scene = Program::default().open_scene(&folder.join("drawn.ron"));
    let report = scene.expect_err("it is wrong").to_string();
    report.replace(&format!("{}/", folder.display()), "@")
}

#[test]
fn a_network_is_read_from_files_and_stands_in_the_scene_that_a_run_keeps() {
    let folder = workplace(NODES, SEGMENTS);
    let scene = Program::default().open_scene(&folder.path().join("drawn.ron"));
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    let text = scene.to_ron(1).expect("it can be written");
    assert!(text.contains("Drawn("), "{text}");
    let mut simulation = Simulation::new(Arc::new(scene), 1).expect("it is fine");
    simulation.step();
    let network = network(&simulation);
    assert_eq!((network.nodes().len(), network.segments().len()), (3, 2));
    assert!(network.segments().iter().all(|segment| segment.perfused));
    // Without the files, from what was written.
    let again = Program::default().parse_scene(&text, "again.ron", None);
    let again = again.unwrap_or_else(|report| panic!("{report}"));
    let mut again = Simulation::new(Arc::new(again), 1).expect("it is fine");
    again.step();
    assert_eq!(again.state_hash(), simulation.state_hash());
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_line_and_column() {
    for (nodes, segments, expected) in [
        (
            NODES.replace("0,20,0", "0,up,0"),
            SEGMENTS.to_owned(),
            "@nodes.csv:3:5: y: expected a number of um, found `up`",
        ),
        (
            NODES.to_owned(),
            SEGMENTS.replace("2,3,5", "2,7,5"),
            "@segments.csv:3:3: to: there is no node `7`",
        ),
        (
            NODES.to_owned(),
            SEGMENTS.replace("2,3,5", "2,2,5"),
            "@segments.csv:3:3: to: a segment leads from node `2` to itself",
        ),
        (
            NODES.to_owned(),
            SEGMENTS.replace("2,3,5", "2,3,0"),
            "@segments.csv:3:5: radius_um: a radius is above 0, found 0",
        ),
        (
            format!("{NODES}9,0,0,50,,\n"),
            SEGMENTS.to_owned(),
            "@nodes.csv:5:1: id: node `9` has no segment",
        ),
        (
            NODES.to_owned(),
            format!("{SEGMENTS}3,2,4,vein\n"),
            "@segments.csv:4:3: to: nodes `2` and `3` are joined already",
        ),
        (
            NODES.replace("200,0,0,vein", "900,0,0,vein"),
            SEGMENTS.to_owned(),
            "node `3` at (900.0, 0.0, 0.0) um is outside of the site",
        ),
    ] {
        let folder = workplace(&nodes, &segments);
        let told = told(folder.path());
        assert!(told.contains(expected), "{told}");
    }
    let folder = workplace(NODES, SEGMENTS);
    std::fs::remove_file(folder.path().join("nodes.csv")).expect("it is there");
    let told = told(folder.path());
    assert!(told.contains("@nodes.csv: there is no such file"), "{told}");
}

#[test]
fn a_scene_that_asks_for_impossible_vessels_is_refused() {
    for (vessels, expected) in [
        (
            "(place: Grid(spacing_um: 1))",
            "must be a number from 5 to 100000, found 1",
        ),
        (
            "(place: Grid(spacing_um: 50), artery_mmhg: 10, vein_mmhg: 20)",
            "blood flows from 10 mmHg to less, not to 20 mmHg",
        ),
        (
            "(place: Parent(from_um: (0, 0, 0), to_um: (0, 0, 0), radius_um: 4))",
            "its ends are the same",
        ),
        (
            "(place: Parent(from_um: (-200, 0, 0), to_um: (300, 0, 0), radius_um: 4))",
            "is outside of the site",
        ),
        ("(place: Grid(spacing_um: 6))", "more than 200000 segments"),
        ("(place: Gird(spacing_um: 60))", "did you mean `Grid`?"),
    ] {
        let text = scene("", vessels, "");
        let report = Program::default()
            .parse_scene(&text, "vessels.ron", None)
            .expect_err("it cannot be");
        assert!(report.to_string().contains(expected), "{report}");
    }
}
