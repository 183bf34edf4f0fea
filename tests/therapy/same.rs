//! The same bits at any number of threads, and when a run goes on from a file in the middle of a course.

use tumorscape::scene::schema::Action;
use tumorscape::scene::treatment::Dosing;

use super::going_on::goes_on;
use super::*;

/// Drugs of all kinds, radiation and cells that are given, in tissue with vessels.
const SCENE: &str = r#"(title: "same", about: "all of it", pace: Illustrative, duration: Hours(6),
    sites: [(name: "breast", organ: Breast, size_um: (240, 240, 240),
        fields: [(molecule: "oxygen", level: 70, start: 38, faces: Closed), (molecule: "glucose", level: 5.5, faces: Closed),
            (molecule: "lactate", level: 1, faces: Closed), (molecule: "vegf_a", level: 0.2, faces: Closed), (molecule: "tgf_beta", level: 0.05)],
        tissue: (interstitium: (), matrix: (), vessels: [(place: Grid(spacing_um: 80))], immigration: ()))],
    populations: [(cell: "cancer", place: Ball(radius_um: 60)), (cell: "fibroblast", place: Scatter(per_mm3: 2000, outside_um: 70))],
    on_call: ["anti_vegfr2"],
    timeline: [
        At(Minutes(4), Give(drug: "anti_vegf", mg_per_kg: 10)),
        At(Minutes(5), Give(drug: "chemotherapy", mg_per_kg: 10, every: Minutes(7), times: 30)),
        At(Minutes(6), Give(drug: "hypoxia_activated_prodrug", mg_per_kg: 50, route: Intraperitoneal)),
        At(Minutes(8), Give(drug: "tgf_beta_inhibitor", mg_per_kg: 50)),
        At(Minutes(10), Irradiate(gray: 2)),
        At(Minutes(12), Transfer(cell: "cd8_t_cell", cells: 40, over: Minutes(50))),
        At(Minutes(30), Resect(place: Ball(center_um: (60, 0, 0), radius_um: 20))),
    ])"#;

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn on_some_threads() {
    if !threads::taken() {
        return;
    }
    let mut simulation = begin(SCENE, 5);
    for _ in 0..60 {
        simulation.step();
    }
    println!("therapy: {:016x}", simulation.state_hash());
}

#[test]
fn treatments_are_the_same_at_any_number_of_threads() {
    let [one, three] = threads::told("same::on_some_threads", "therapy: ");
    assert_eq!(one, three);
}

#[test]
fn a_course_goes_on_from_a_file_as_if_nothing_had_been() {
    let mut whole = begin(SCENE, 5);
    for step in 0..27 {
        if step == 20 {
            let dosing = Dosing {
                drug: "anti_vegfr2".into(),
                mg_per_kg: Some(20.0),
                mg: None,
                route: None,
                every: None,
                times: 1,
            };
            whole.apply(Action::Give(dosing)).expect("it is on call");
        }
        whole.step();
    }
    goes_on(&mut whole, 30);
    assert_eq!(whole.log().len(), 1);
}
