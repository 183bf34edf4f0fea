//! No vesicle is lost, in any step, and the same bits come out at any number of threads and after a resume.

use std::collections::BTreeSet;

use tumorscape::biology::exosome::{FIRST_UPTAKE, UPTAKE};
use tumorscape::biology::niche::{MARROW_CELL_COMES, MARROW_CELL_LEAVES};
use tumorscape::journal::checkpoint;
use tumorscape::simulation::{Program, Simulation};

use super::saving::save;
use super::{packets, simulation, threads};

/// A tumour that grows and dies, its vesicles in tissue and blood, and a lung that they ready within hours.
const TURMOIL: &str = r#"(
    title: "turmoil", about: "everything at once", pace: Illustrative, duration: Days(2), step: Minutes(2),
    sites: [
        (
            name: "breast", organ: Breast, size_um: (240, 240, 240), voxel_um: (20, 20, 20), fields: [],
            tissue: (matrix: (density: 0.4, outside_um: 60), exosomes: (stands_for: 4e5)),
        ),
        (
            name: "lung", organ: Lung, size_um: (200, 200, 200), voxel_um: (20, 20, 20), fields: [(molecule: "s100", level: 0, faces: Closed)],
            tissue: (exosomes: (), niche: (patch_um: 50), vessels: [(place: Grid(spacing_um: 60), like: Lung)]),
        ),
    ],
    populations: [
        (cell: "cancer", site: "breast", place: Ball(radius_um: 60)),
        (cell: "fibroblast", site: "breast", place: Scatter(per_mm3: 20000, outside_um: 65)),
        (cell: "fibroblast", site: "lung", place: Scatter(per_mm3: 10000)),
        (cell: "lung_epithelial_cell", site: "lung", place: Scatter(per_mm3: 20000)),
    ],
    parameters: {
        "exosomes.per_packet": 20,
        "exosomes.tells_every_uptake": 1,
        "cancer.exosome.integrins.a6b4": 1,
        "cancer.cycle.g0g1_hours": 2,
        "cancer.cycle.s_hours": 2,
        "cancer.cycle.g2_hours": 1,
        "cancer.death.apoptosis_per_hour": 0.05,
        "niche.pace": 100,
        "marrow_derived_cell.marrow_derived.most_per_mm3": 20000,
    },
)"#;

#[test]
fn the_books_of_vesicles_balance_in_every_step() {
    let mut simulation = simulation(TURMOIL, 4);
    simulation.verify();
    let mut told = BTreeSet::new();
    let mut of_cells = 0;
    for _ in 0..240 {
        simulation.step();
        assert_eq!(simulation.violation(), None);
        for event in simulation.events() {
            told.insert(event.kind.name());
            if event.kind == UPTAKE || event.kind == FIRST_UPTAKE {
                // Nothing comes into the breast with the blood, and in the lung nobody sets vesicles free.
                if event.site.0 == 0 {
                    assert_ne!(event.other, None);
                } else {
                    assert_ne!(event.other, Some(event.cell));
                }
                of_cells += u32::from(event.other.is_some());
            }
        }
    }
    for kind in [FIRST_UPTAKE, UPTAKE, MARROW_CELL_COMES, MARROW_CELL_LEAVES] {
        assert!(told.contains(kind.name()), "{}: {told:?}", kind.name());
    }
    assert!(
        of_cells > 1000,
        "{of_cells} vesicles came from a known cell"
    );
    let [breast, lung] = [0, 1].map(|site| packets(&simulation, site).books);
    assert!(
        breast.secreted > 0 && breast.escaped > 0 && breast.taken_up > 0,
        "{breast:?}"
    );
    assert!(lung.arrived > 0 && lung.bound > 0, "{lung:?}");
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn on_some_threads() {
    if !threads::taken() {
        return;
    }
    let mut simulation = super::begin(&Program::default(), TURMOIL, 4);
    for _ in 0..90 {
        simulation.step();
        println!("exosomes: {:016x}", simulation.state_hash());
    }
}

#[test]
fn vesicles_are_the_same_at_any_number_of_threads() {
    let [one, three] = threads::told("books::on_some_threads", "exosomes: ");
    assert_eq!(one, three);
}

#[test]
fn a_run_with_vesicles_is_resumed_to_the_bit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut whole = simulation(TURMOIL, 4);
    for _ in 0..100 {
        whole.step();
    }
    let saved = folder.path().join("saved");
    save(&whole, &saved);
    let (saved, _) = checkpoint::open(&saved, |_| {}).expect("it is whole");
    let resumed = Program::default().resume(saved);
    let (mut resumed, _): (Simulation, _) = resumed.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(resumed.state_hash(), whole.state_hash());
    assert_eq!(packets(&resumed, 0), packets(&whole, 0));
    for _ in 0..60 {
        resumed.step();
        whole.step();
        assert_eq!(resumed.events(), whole.events());
    }
    assert_eq!(resumed.state_hash(), whole.state_hash());
}
