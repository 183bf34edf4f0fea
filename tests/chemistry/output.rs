//! Fields as files, and tumours measured apart.

use std::sync::Arc;

use tumorscape::journal::Journal;
use tumorscape::journal::run_folder::RunFolder;
use tumorscape::simulation::Simulation;
use tumorscape::tissue::SiteId;

use super::{metric, scene, simulation};

const SCENE: &str = "duration: Hours(1), step: Minutes(10), sites: [(name: \"lymph node\", organ: LymphNode, \
    size_um: (120, 80, 40), fields: [(molecule: \"oxygen\", level: 38), (molecule: \"vegf_a\", level: 0)])], \
    populations: [(cell: \"cancer\", place: Single(at_um: (0, 0, 0)))], \
    output: (metrics_every: Hours(1), fields_at: [Minutes(0), Minutes(30)])";

#[test]
fn a_run_writes_the_fields_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("run");
    let mut simulation = Simulation::new(Arc::new(scene(SCENE)), 1).expect("valid");
    let run = RunFolder::create(&path, &simulation).expect("writable");
    let mut journal = Journal::new(&simulation, Some(run));
    journal.note(&simulation).expect("writable");
    for _ in 0..6 {
        simulation.step();
        journal.note(&simulation).expect("writable");
        if simulation.steps() == 3 {
            let (values, _) = simulation
                .field(SiteId(0), "oxygen")
                .expect("it is simulated");
            let file =
                std::fs::read(path.join("fields_0.5h/lymph_node_oxygen.npy")).expect("it is there");
            let text = String::from_utf8_lossy(&file[10..128]).into_owned();
            assert!(text.contains("'shape': (2, 4, 6)"), "{text}");
            let bytes = &file[file.len() - 4 * values.len()..];
            let numbers = bytes
                .chunks_exact(4)
                .map(|four| f32::from_le_bytes(four.try_into().expect("four")));
            assert!(numbers.eq(values.iter().copied()));
        }
    }
    journal.finish(&simulation).expect("writable");
    for name in [
        "fields_0h/lymph_node_vegf_a.npy",
        "fields_0.5h/lymph_node_vegf_a.vti",
    ] {
        assert!(path.join(name).exists(), "{name}");
    }
    // A run does not write over what is there.
    std::fs::remove_file(path.join("run.ron")).expect("it is there");
    for name in ["metrics.csv", "events.csv", "clones.csv"] {
        std::fs::remove_file(path.join(name)).expect("it is there");
    }
    let again = Simulation::new(Arc::new(scene(SCENE)), 1).expect("valid");
    let error = RunFolder::create(&path, &again)
        .err()
        .expect("the fields are in the way");
    assert!(error.to_string().contains("fields_0h"), "{error}");
}

#[test]
fn two_tumours_in_a_site_are_measured_apart_and_none_is_no_number() {
    let two = simulation(
        "duration: Hours(1), sites: [(name: \"flank\", organ: Breast, size_um: (600, 300, 300))], populations: [\
         (cell: \"cancer\", place: Ball(center_um: (-180, 0, 0), radius_um: 60)), \
         (cell: \"cancer\", place: Ball(center_um: (120, 0, 0), radius_um: 110)), \
         (cell: \"fibroblast\", place: Single(at_um: (280, 0, 0)))]",
    );
    let of = |name: &str| metric(&two, name);
    assert_eq!(of("tumour_masses"), 2.0);
    assert_eq!(
        of("largest_mass_cells") + of("second_mass_cells"),
        of("cells_cancer")
    );
    let (first, second) = (of("tumour_radius_um"), of("second_mass_radius_um"));
    assert!(
        (100.0..115.0).contains(&first) && (52.0..66.0).contains(&second),
        "{first}, {second}"
    );
    let none = simulation(
        "duration: Hours(1), sites: [(name: \"flank\", organ: Breast, size_um: (300, 300, 300))], \
         populations: [(cell: \"fibroblast\", place: Single(at_um: (0, 0, 0)))]",
    );
    assert!(metric(&none, "tumour_radius_um").is_nan());
    assert_eq!(metric(&none, "tumour_masses"), 0.0);
}

#[test]
fn states_are_counted_within_a_type() {
    let mut simulation = simulation(
        "duration: Hours(1), step: Minutes(10), sites: [(name: \"flank\", organ: Breast, size_um: (300, 300, 300))], \
         populations: [(cell: \"cancer\", place: Ball(radius_um: 60)), (cell: \"fibroblast\", place: Scatter(per_mm3: 2000))], \
         parameters: {\"cancer.death.apoptosis_per_hour\": 2, \"fibroblast.death.apoptosis_per_hour\": 0.5}",
    );
    for _ in 0..6 {
        simulation.step();
    }
    let of = |name: &str| metric(&simulation, name);
    for name in ["cancer", "fibroblast"] {
        let dying = of(&format!("apoptotic_{name}")) + of(&format!("necrotic_{name}"));
        assert!(dying > 0.0, "{name}");
        assert_eq!(
            of(&format!("living_{name}")) + dying,
            of(&format!("cells_{name}"))
        );
    }
    assert_eq!(
        of("apoptotic_cancer") + of("apoptotic_fibroblast"),
        of("cells_apoptotic")
    );
}
