//! The matrix is part of the state like anything else, and what a scene says of it is checked.

use super::program::{state, succeeds};
use super::*;
use tumorscape::journal::checkpoint;

/// Cells that digest, lay, pull and follow, with factors that bind and come off, in two pieces of work.
const BUSY: &str = r#"(
    title: "busy matrix", about: "everything happens to it", pace: Illustrative, duration: Hours(2),
    sites: [(
        name: "breast", organ: Breast, size_um: (400, 400, 400),
        tissue: (matrix: (density: 0.6, fibres: Around, outside_um: 60, bound: (tgf_beta_nm: 5, vegf_a_nm: 1, fgf_2_nm: 1))),
        fields: [
            (molecule: "oxygen", level: 10), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1.5),
            (molecule: "mmp", level: 2), (molecule: "lox", level: 1), (molecule: "tgf_beta", level: 0),
            (molecule: "vegf_a", level: 0.1), (molecule: "fgf_2", level: 0.1),
        ],
    )],
    cell_types: [(
        name: "busy", about: "works on the matrix", colour: (1, 1, 1), tumour: true,
        hif: (), motility: (speed_um_per_min: 1, persistence_min: 20), guidance: (haptotactic_index: 0.2),
        protease: (mmp_molecules_per_s: 5, mt1_mmp: 0.5, lox_molecules_per_s: 2),
        remodelling: (deposition_pg_per_day: 20, contact_digestion_per_min: 2.0e-3, pull_per_min: 0.02),
        rules: {
            "opens": (input: "matrix.contact_digestion", by: "protease.mt1_mmp", law: Share),
            "hypoxia": (input: "protease.mmp", by: "hif.level", law: Fold(2)),
            "stiffness_slows": (input: "motility.speed", by: "matrix.stiffness", law: Inhibit(half: 8)),
        },
    )],
    populations: [(cell: "busy", place: Ball(radius_um: 55)), (cell: "busy", place: Scatter(per_mm3: 4000, outside_um: 65))],
)"#;

#[test]
fn thread_count_changes_no_bit_of_a_busy_matrix() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("busy.ron"), BUSY).expect("writable");
    let mut states = Vec::new();
    for threads in ["1", "2", "8"] {
        let out = format!("out{threads}");
        let arguments = [
            "run",
            "busy.ron",
            "--threads",
            threads,
            "--out",
            &out,
            "--quiet",
        ];
        states.push(state(&succeeds(folder.path(), &arguments)).to_owned());
    }
    assert!(
        states.windows(2).all(|pair| pair[0] == pair[1]),
        "{states:?}"
    );
}

#[test]
fn a_resumed_matrix_goes_on_with_the_same_bits() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut whole = simulation(BUSY, 7);
    whole.verify();
    let (mut hashes, mut saved) = (Vec::new(), Vec::new());
    for step in 0..40 {
        if [3, 22, 37].contains(&step) {
            let place = folder.path().join(step.to_string());
            super::saving::save(&whole, &place);
            saved.push((step, place));
        }
        whole.step();
        assert!(
            whole.violation().is_none(),
            "step {step}: {:?}",
            whole.violation()
        );
        hashes.push(whole.state_hash());
    }
    assert!(hashes.windows(2).all(|pair| pair[0] != pair[1]));
    for (step, place) in saved {
        let (saved, _) = checkpoint::open(&place, |_| {}).expect("it is whole");
        let resumed = Program::default().resume(saved);
        let (mut resumed, _) = resumed.unwrap_or_else(|error| panic!("{step}: {error}"));
        for expected in &hashes[step..] {
            resumed.step();
            assert_eq!(resumed.state_hash(), *expected, "resumed at {step}");
        }
    }
}

#[test]
fn bad_matrix_and_bad_proteases_are_refused_by_name_and_place() {
    let refused = |old: &str, new: &str, says: [&str; 3]| {
        let scene = BUSY.replace(old, new);
        assert_ne!(scene, BUSY);
        let report = Program::default().parse_scene(&scene, "busy.ron", None);
        let report = report.err().unwrap_or_else(|| panic!("{new} is taken"));
        let report = format!("{report:#}");
        for word in says.into_iter().chain(["busy.ron:"]) {
            assert!(report.contains(word), "`{word}` is not in: {report}");
        }
    };
    for (field, value, wrong, allowed) in [
        ("density", "0.6", "1.6", "from 0 to 1"),
        ("density", "0.6", "-0.1", "from 0 to 1"),
        ("tgf_beta_nm", "5", "-5", "from 0"),
        ("mt1_mmp", "0.5", "1.5", "from 0 to 1"),
        ("haptotactic_index", "0.2", "2", "from -1 to 1"),
        ("pull_per_min", "0.02", "-1", "from 0"),
    ] {
        let (old, new) = (format!("{field}: {value}"), format!("{field}: {wrong}"));
        refused(&old, &new, [field, allowed, wrong]);
    }
    // Thinner than a molecule of collagen.
    let (old, new) = (
        "duration: Hours(2),",
        "duration: Hours(2), parameters: {\"matrix.fibril_radius_nm\": 0.001},",
    );
    refused(old, new, ["fibril_radius_nm", "from 0.75", "0.001"]);
    for (old, new, wrong, known) in [
        ("density", "densty", "densty", "density"),
        ("Around", "Arround", "Arround", "Around"),
        ("fibres: Around", "like: \"Skin\"", "Skin", "Breast"),
    ] {
        refused(old, new, [wrong, known, "busy.ron:5"]);
    }
}

#[test]
fn a_plane_shows_a_number_of_voxels_and_a_wrong_name_is_refused() {
    let with = |name: &str| {
        BUSY.replace(
            "duration: Hours(2),",
            &format!("duration: Hours(2), recording: (look: (slice: (molecule: \"{name}\"))),"),
        )
    };
    let simulation = simulation(&with("matrix.pore_area"), 1);
    let look = &simulation.scene().scene.recording.look;
    let request = tumorscape::simulation::SnapshotRequest::of_look(look);
    let snapshot = simulation.snapshot(&request);
    let site = &snapshot.sites[0];
    let shown = site.field(&"matrix.pore_area".into()).expect("it is shown");
    assert_eq!(shown.values.len(), 8000);
    // Without matrix in the middle; 100 (1 - 0.6)^2 elsewhere.
    assert_eq!(shown.values[10 + 20 * (10 + 20 * 10)], 100.0);
    assert!((shown.values[0] - 16.0).abs() < 1e-3);
    let others = site
        .fields
        .iter()
        .filter(|field| field.molecule.name.contains('.'));
    assert!(others.filter(|field| !field.values.is_empty()).count() == 1);
    let report = Program::default().parse_scene(&with("matrix.pore"), "busy.ron", None);
    let report = format!("{:#}", report.expect_err("there is no such number"));
    assert!(report.contains("matrix.pore_area"), "{report}");
}
