//! No text, however broken, makes the reader panic.

use proptest::prelude::*;
use tumorscape::scene::{SceneReport, parse_prefab, parse_scene};

use super::{SMALL, context};

/// Words a careless or malicious author may put anywhere.
fn debris() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        "[()\\[\\]{},:\"]{1,6}",
        prop::sample::select(vec![
            "-1",
            "NaN",
            "inf",
            "1e999",
            "None",
            "Some(",
            "r#\"",
            "/*",
            "*/",
            "//",
            "'",
            "\\",
            "\u{fc}",
            "\u{1F9EC}",
            "Hours(-1)",
            "18446744073709551616",
            "0x",
            "b\"",
            "#![enable(implicit_some)]",
            "..",
            "((((((((",
        ])
        .prop_map(str::to_owned),
    ]
}

/// A place, a length, what is done there (left out, doubled, put in) and what is put in.
type Edit = (f64, f64, i32, String);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec((0.0..1.0_f64, 0.0..0.2_f64, 0..3, debris()), 1..6)
}

/// A text after careless or malicious edits.
fn edited(text: &str, edits: Vec<Edit>) -> String {
    let mut text = text.to_owned();
    for (place, length, kind, junk) in edits {
        let boundary = |at: f64, text: &str| {
            let mut at = (at * text.len() as f64) as usize;
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = boundary(place, &text);
        let end = boundary((place + length * length).min(1.0), &text).max(start);
        match kind {
            0 => text.replace_range(start..end, ""),
            1 => {
                let chunk = text[start..end].to_owned();
                text.insert_str(end, &chunk);
            }
            _ => text.insert_str(start, &junk),
        }
    }
    text
}

fn assert_drawable(report: &SceneReport) {
    assert!(!report.is_empty());
    for problem in &report.problems {
        let span = problem.span.as_ref();
        assert!(span.is_none_or(|span| span.start <= span.end));
    }
    let _ = report.render(false);
}

/// A cell type with a bit of everything.
const CELL: &str = r#"(
    name: "small",
    about: "a bit of everything",
    colour: (0.8, 0.5, 0.5),
    tumour: true,
    heritable: { "cycle.s_hours": (spread: 0.1, mutation: 0.01) },
    body: (volume_um3: 2000, growth: (fluid_per_hour: 3, nucleus_per_hour: 0.3, cytoplasm_per_hour: 0.3)),
    cycle: (s_hours: 8, g0g1_stages: 2), // and a comment
    death: (necrosis_onset_mmhg: 5),
    metabolism: (oxygen_law: MichaelisMenten),
    motility: (),
    follows: [(molecule: "oxygen", chemotactic_index: 0.2), (molecule: "glucose", chemotactic_index: -0.1)],
)"#;

#[test]
fn a_cell_type_with_a_bit_of_everything_is_accepted() {
    let prefab = parse_prefab(CELL, "small.ron").unwrap_or_else(|report| panic!("{report}"));
    let text = ron::to_string(&prefab).unwrap();
    let again = parse_prefab(&text, "small.ron").unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(again, prefab);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_of_a_scene_makes_the_reader_panic(edits in edits()) {
        let text = edited(SMALL, edits);
        if let Err(report) = parse_scene(&text, "tests/small.ron", &context()) {
            assert_drawable(&report);
        }
    }

    #[test]
    fn no_mutation_of_a_cell_type_makes_the_reader_panic(edits in edits()) {
        let text = edited(CELL, edits);
        if let Err(report) = parse_prefab(&text, "tests/small.ron") {
            assert_drawable(&report);
        }
        let scene = SMALL.replace("populations: [", &format!("cell_types: [{text}], populations: ["));
        if let Err(report) = parse_scene(&scene, "tests/small.ron", &context()) {
            assert_drawable(&report);
        }
    }
}
