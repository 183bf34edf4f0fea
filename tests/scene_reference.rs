//! The documentation is what the program says of itself, and its examples work.

use std::path::Path;
use std::sync::Arc;

use tumorscape::core::parameters::{CellTypeNames, list_parameters};
use tumorscape::scene::CellLibrary;
use tumorscape::simulation::describe::Description;
use tumorscape::simulation::describe::pages::{PAGES, make_page};
use tumorscape::simulation::{Program, Simulation, prototype_world};

fn description() -> Description {
    Description::of(&Program::default()).unwrap_or_else(|report| panic!("{report}"))
}

/// The name and text of every page that a person reads.
fn pages() -> Vec<(String, String)> {
    let docs = std::fs::read_dir("docs").expect("the folder of pages");
    let mut paths: Vec<_> = docs.map(|entry| entry.expect("readable").path()).collect();
    paths.push("README.md".into());
    paths.sort();
    paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("readable");
            (path.display().to_string(), text)
        })
        .collect()
}

#[test]
fn reference_pages_are_those_that_the_program_makes() {
    let description = description();
    for page in PAGES {
        let made = make_page(page.name, &description).unwrap();
        let path = format!("docs/{}.md", page.name);
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let differ = made.lines().zip(kept.lines()).find(|(new, old)| new != old);
        assert!(
            made == kept,
            "{path} is out of date: run `cargo run --release -- describe --docs docs`\n{differ:#?}"
        );
    }
}

#[test]
fn everything_that_is_registered_says_what_it_is() {
    let description = description();
    let items = description.items();
    assert!(items.len() > 200);
    for item in &items {
        // A table of parameters, or the only thing that a value can be, may speak for itself.
        assert!(
            !item.about.is_empty(),
            "{} {} says nothing",
            item.kind,
            item.name
        );
        assert!(!item.about.contains("[`"), "{}: {}", item.name, item.about);
    }
    let kinds = [
        "capability",
        "group",
        "parameter",
        "molecule",
        "input of a cell",
    ];
    for kind in kinds
        .into_iter()
        .chain(["quantity of a cell", "metric", "event", "field"])
    {
        assert!(items.iter().any(|item| item.kind == kind), "no {kind}");
    }
}

#[test]
fn every_parameter_of_a_simulation_is_described() {
    let library = CellLibrary::shipped().unwrap_or_else(|report| panic!("{report}"));
    let world = prototype_world(&library);
    let description = description();
    let types = &world.resource::<CellTypeNames>().0;
    let parameters = list_parameters(&world);
    assert!(parameters.len() > 50);
    for parameter in parameters {
        let found = description.find(&parameter.path).unwrap_or_default();
        let of = parameter.path.split('.').next().unwrap();
        let is_here = found.iter().any(|item| item.name == parameter.path);
        assert!(is_here, "`{}` is not described", parameter.path);
        if types.iter().any(|name| name == of) {
            assert!(found[0].facts[0].starts_with("here "), "{:?}", found[0]);
        }
    }
}

#[test]
fn names_are_found_with_what_lies_in_them_and_wrong_ones_get_the_nearest() {
    let description = description();
    let found = description.find("cycle").unwrap();
    let names: Vec<&str> = found.iter().map(|item| item.name.as_str()).collect();
    for name in ["cycle", "cycle.s_hours", "cycle.entry"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    let near = description.find("hif.levle").unwrap_err();
    assert_eq!(near.first().map(String::as_str), Some("hif.level"));
    let near = description.find("s_hour").unwrap_err();
    assert!(
        near.iter().any(|name| name.ends_with("s_hours")),
        "{near:?}"
    );
    assert_eq!(description.find("zzzzzz").unwrap_err(), [""; 0]);
}

/// A scene around a piece of one.
fn scene_with(kind: &str, piece: &str) -> String {
    let mut parts = [
        ("sites", "[(name: \"breast\", organ: Breast, size_um: (800, 800, 800), fields: [(molecule: \"oxygen\", level: 38)])]"),
        ("populations", "[(cell: \"cancer\", place: Single(at_um: (0, 0, 0)))]"),
        ("variants", "[]"),
        ("parameters", "{}"),
        ("rules", "[]"),
        ("arms", "[]"),
        ("timeline", "[]"),
        ("recording", "()"),
        ("causes", "()"),
        ("expect", "[]"),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    let (field, list) = match kind {
        "Site" => ("sites", true),
        "Population" => ("populations", true),
        "Variant" => ("variants", true),
        "Event" => ("timeline", true),
        "Expectation" => ("expect", true),
        "arms" | "causes" | "parameters" | "recording" | "rules" => (kind, false),
        _ => panic!("an example of an unknown kind: {kind}"),
    };
    let slot = parts
        .iter_mut()
        .find(|(name, _)| *name == field)
        .expect("a known field");
    slot.1 = if list {
        format!("[{piece}]")
    } else {
        piece.to_owned()
    };
    let fields: Vec<String> = parts
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    format!(
        "(title: \"t\", about: \"\", pace: Calibrated, duration: Days(2), {})",
        fields.join(", ")
    )
}

/// A cell type around a rule.
fn cell_with(rule: &str) -> String {
    format!(
        r#"(
            name: "ruled", about: "", colour: (1, 1, 1), cycle: (), death: (), metabolism: (), hif: (),
            exchange: [(molecule: "vegf_a", secretes_molecules_per_s: 0.09)],
            rules: {{ {rule} }},
        )"#
    )
}

/// The examples on a page: what each is a piece of, and its text.
fn examples(page: &str) -> Vec<(&str, &str)> {
    let blocks = page.split("```ron").skip(1);
    blocks
        .map(|block| {
            let (kind, rest) = block.split_once('\n').expect("a fence ends its line");
            let example = rest.split("```").next().expect("a fence that closes");
            (kind.trim(), example)
        })
        .collect()
}

#[test]
fn every_example_is_valid_and_runs() {
    let program = Program::default();
    let folder = tempfile::tempdir().unwrap();
    let cells = folder.path().join("cells");
    std::fs::create_dir(&cells).unwrap();
    let mut count = 0;
    for (page, text) in pages() {
        for (kind, example) in examples(&text) {
            count += 1;
            if kind == "cell" || kind == "rule" {
                let whole = if kind == "cell" {
                    example.to_owned()
                } else {
                    cell_with(example)
                };
                let name = whole.split('"').nth(1).expect("a name");
                let file = cells.join(format!("{name}.ron"));
                std::fs::write(&file, &whole).unwrap();
                if let Err(report) = program.check_file(&file) {
                    panic!("{page}: {example}\n{report}");
                }
                continue;
            }
            let whole = if kind == "scene" {
                example.to_owned()
            } else {
                scene_with(kind, example)
            };
            let scene = program.parse_scene(&whole, "example.ron", None);
            let scene = scene.unwrap_or_else(|report| panic!("{page}: {example}\n{report}"));
            let mut simulation = Simulation::new(Arc::new(scene), 1).unwrap();
            for _ in 0..3 {
                simulation.step();
            }
            assert_eq!(simulation.clock().step, 3);
        }
    }
    assert!(count > 10);
}

#[test]
fn the_first_page_is_short_and_its_links_lead_somewhere() {
    for (page, text) in pages() {
        if page == "README.md" {
            assert!(text.lines().count() < 200);
        }
        let folder = Path::new(&page).parent().unwrap();
        for link in text.split("](").skip(1) {
            let target = link.split(')').next().unwrap();
            if target.starts_with("http") {
                continue;
            }
            let (file, place) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() {
                Path::new(&page).to_owned()
            } else {
                folder.join(file)
            };
            assert!(path.exists(), "{page}: {target}");
            if !place.is_empty() {
                let linked = std::fs::read_to_string(&path).unwrap();
                let headings = linked.lines().filter(|line| line.starts_with('#'));
                let mut anchors = headings.map(|line| {
                    let words = line.trim_start_matches('#').trim().to_lowercase();
                    words.replace(' ', "-")
                });
                assert!(anchors.any(|anchor| anchor == place), "{page}: {target}");
            }
        }
    }
}
