//! What the author of a scene or a cell type is told.

mod arms;
mod cell_files;
mod changes;
mod choices;
mod mutations;

use std::path::Path;

use bevy::prelude::*;
use tumorscape::core::RandomKey;
use tumorscape::core::metric::Metric;
use tumorscape::core::parameters::{list_parameters, set_parameter};
use tumorscape::scene::{
    CellLibrary, ParsedScene, SceneContext, SceneReport, load_scene, parse_prefab, parse_scene,
};
use tumorscape::simulation::prototype_world;

/// The columns that the shipped scene asks for, and a few others.
fn columns(library: &CellLibrary) -> Vec<Metric> {
    let mut names: Vec<String> = [
        "cells",
        "cells_necrotic",
        "tumour_radius_um",
        "necrotic_radius_um",
        "viable_rim_um",
        "oxygen_min_mmhg",
        "hypoxic_fraction",
        "hif_1a_max",
        "vegf_a_max_nm",
    ]
    .map(str::to_owned)
    .into();
    names.extend(library.names().iter().map(|name| format!("cells_{name}")));
    let metrics = names.into_iter().map(|name| Metric::new(name, "", ""));
    metrics.collect()
}

fn context() -> SceneContext<'static> {
    SceneContext {
        metrics: Some(&columns),
        prototype: Some(&prototype_world),
        ..SceneContext::default()
    }
}

fn load(file: &str) -> Result<ParsedScene, SceneReport> {
    load_scene(&Path::new("tests/bad_scenes").join(file), &context())
}

/// Asserts that a scene is refused with exactly these lines; `@` stands for the name of its file.
fn refused(file: &str, lines: &[&str]) {
    let report = load(file).expect_err("a bad scene");
    let headlines: Vec<String> = report
        .headlines()
        .iter()
        .map(|line| line.replace("tests/bad_scenes/", "").replace(file, "@"))
        .collect();
    assert_eq!(headlines, lines, "\n{report}");
    // The drawn report holds the same lines, and says how many there are.
    let drawn = report.render(false);
    for line in report.headlines() {
        assert!(drawn.contains(&line));
    }
    assert!(drawn.contains(&format!("{} problem", lines.len())));
    assert!(!drawn.contains('\u{1b}'));
}

#[test]
fn unknown_fields_are_reported_with_the_nearest_known_one() {
    refused(
        "unknown_field.ron",
        &[
            "@:8:67: sites[0].weather: there is no field `weather` here",
            "@:11:38: populations[0].place.radius: there is no field `radius` here; did you mean `radius_um`?",
        ],
    );
}

#[test]
fn wrong_units_are_reported_with_those_that_work() {
    refused(
        "wrong_unit.ron",
        &[
            "@:5:15: duration: `Hour` does not exist; did you mean `Hours`?",
            "@:6:11: step: `Seconds` does not exist; use `Minutes`, `Hours` or `Days`",
        ],
    );
}

#[test]
fn negative_zero_and_nan_sizes_are_refused() {
    refused(
        "negative_size.ron",
        &[
            "@:10:28: sites[0].size_um.1: must be greater than 0, found -400",
            "@:10:34: sites[0].size_um.2: must be greater than 0, found 0",
            "@:11:32: sites[0].voxel_um.2: must be a finite number greater than 0, found NaN",
        ],
    );
}

#[test]
fn unknown_cell_types_and_sites_are_reported_with_the_nearest_known_one() {
    refused(
        "missing_prefab.ron",
        &[
            "@:8:16: populations[0].cell: there is no cell type `cancr`; did you mean `cancer`?",
            "@:9:16: populations[1].cell: there is no cell type `unicorn`",
            "@:9:33: populations[1].site: there is no site `brest`; did you mean `breast`?",
        ],
    );
    let report = load("missing_prefab.ron").unwrap_err();
    let help = report.problems[1].help.clone().unwrap();
    // All that ship, by name.
    let shipped = CellLibrary::shipped().unwrap();
    let names: Vec<String> = shipped
        .names()
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let (last, first) = names.split_last().unwrap();
    assert_eq!(
        help,
        format!(
            "possible: {} or {last}; a new one is a file `assets/cells/NAME.ron`",
            first.join(", ")
        )
    );
}

#[test]
fn populations_must_lie_inside_their_site() {
    refused(
        "outside_site.ron",
        &[
            "@:8:33: populations[0].place: is not inside the site `breast`: it reaches x = 250 um, the site ends at 200 um",
            "@:9:47: populations[1].place.at_um: is not inside the site `breast`: it reaches y = -201 um, the site ends at -200 um",
            "@:10:49: populations[2].place.inner_um: must be less than `outer_um` (60), found 90",
            "@:11:49: populations[3].place.radius_um: a ball of 3 um holds no cell: their radius is 8.4 um",
        ],
    );
}

#[test]
fn mistakes_in_csv_files_are_reported_at_their_own_place() {
    refused(
        "bad_csv.ron",
        &[
            "@:10:33: populations[2].place: `nowhere.csv`: there is no such file",
            "@:11:33: populations[3].place: `latin1.csv`: not a UTF-8 text: byte 18 is 0xb5",
            "nan.csv:3:4: y: expected a finite number of um, found `NaN`",
            "nan.csv:4:6: z: expected a number of um, found `zero`",
            "nan.csv:4:11: type: there is no cell type `cancr`; did you mean `cancer`?",
            "far.csv:3:1: is not inside the site `breast`: it reaches y = -250 um, the site ends at -200 um",
        ],
    );
}

#[test]
fn a_file_that_is_no_text_is_refused_with_the_first_wrong_byte() {
    refused("not_utf8.ron", &["@: not a UTF-8 text: byte 15 is 0xfc"]);
}

#[test]
fn a_missing_file_is_named() {
    let report = load_scene(Path::new("scenes/nowhere.ron"), &context()).unwrap_err();
    assert_eq!(
        report.headlines(),
        ["scenes/nowhere.ron: there is no such file"]
    );
    let report = load_scene(Path::new("scenes"), &context()).unwrap_err();
    assert_eq!(
        report.headlines(),
        ["scenes: this is a folder, not a plain file"]
    );
}

#[test]
fn values_of_the_wrong_kind_are_all_reported_with_what_is_expected() {
    refused(
        "wrong_types.ron",
        &[
            "@:2:12: title: expected a text in quotes, found `Quoteless`",
            "@:5:11: seed: expected a whole number of at least 0, found `-1`",
            r#"@:6:21: duration: expected a number, found `"twelve"`"#,
            "@:8:50: sites[0].size_um: expected 3 numbers in parentheses, as in `(1, 1, 1)`, found `(400, 400)`",
            r#"@:8:69: sites[0].walls: expected `true` or `false`, found `"yes"`"#,
            "@:9:31: sites[1].organ: `Lungs` does not exist; did you mean `Lung`?",
            r#"@:9:72: sites[1].fields: expected a list in `[` and `]`, found `(molecule: "oxygen")`"#,
            "@:12:29: timeline[0].1: write `Camera(...)` with one pair of parentheses",
            "@:13:22: timeline[1].1: `Caption` needs a value in parentheses: a text in quotes",
            "@:15:22: recording.fps: expected a whole number of at least 0, found `29.97`",
            "@:15:35: recording.size: expected 2 whole numbers in parentheses, as in `(1, 1)`, found `(1280, 720, 24)`",
        ],
    );
}

#[test]
fn all_missing_fields_are_reported_at_once() {
    refused(
        "missing_fields.ron",
        &[
            "@:1:1: the field `title` is missing",
            "@:1:1: the field `duration` is missing",
            "@:5:9: sites[0]: the field `organ` is missing",
            "@:5:9: sites[0]: the field `size_um` is missing",
            "@:9:19: populations[0]: the field `cell` is missing",
            "@:9:27: populations[0].place: the field `radius_um` is missing",
            "@:10:29: timeline[0].1: the camera needs `distance_um`, how far it is away, um",
        ],
    );
}

#[test]
fn missing_commas_do_not_hide_what_comes_after_them() {
    refused(
        "grammar.ron",
        &[
            "@:2:20: a comma is missing here",
            "@:6:43: a comma is missing here",
            "@:6:70: sites[0].size_um: the field `size_um` stands twice, first in line 6",
        ],
    );
}

#[test]
fn a_bracket_that_is_never_closed_is_found_where_it_opens() {
    refused("unclosed.ron", &["@:6:12: this `[` is never closed"]);
}

#[test]
fn problems_of_all_kinds_are_reported_together() {
    refused(
        "several.ron",
        &[
            "@:4:11: pace: `Illustrativ` does not exist; did you mean `Illustrative`?",
            "@:5:15: duration: `Hour` does not exist; did you mean `Hours`?",
            "@:7:56: sites[0].size_um.1: must be greater than 0, found -400",
            "@:10:33: populations[0].place: the field `inner_um` is missing",
            "@:14:12: timeline[1].0: must be at least 0, found -1",
            "@:16:22: recording.fps: must be from 1 to 120 frames a second, found 500",
            "@:16:33: recording.site: there is no site `liver`",
        ],
    );
}

#[test]
fn what_cannot_be_told_filmed_or_measured_is_refused() {
    refused(
        "story.ron",
        &[
            "@:6:11: step: a step must last from 0.01 to 60 minutes, found 90 min",
            "@:11:23: sites[0].size_um.0: must be a whole number of voxels of 20 um, found 410",
            "@:12:50: sites[0].fields[0].level: must be at least 0, found -38",
            "@:12:67: sites[0].fields[1].molecule: `oxygen` is already in this site",
            "@:14:16: sites[1].name: `breast` is already the name of sites[0]",
            "@:14:48: sites[1].size_um: 8000000000000 voxels with 1 molecule need about 512000 GB; at most 200000000 are possible",
            r#"@:19:9: parameters["cancer.cycle.s_hour"]: the parameter `cancer.cycle.s_hour` stands twice"#,
            r#"@:19:9: parameters["cancer.cycle.s_hour"]: there is no parameter `cancer.cycle.s_hour`; did you mean `cancer.cycle.s_hours`?"#,
            "@:22:12: timeline[0].0: 2 d is after the end of the scene (0.5 d)",
            "@:23:22: timeline[1].every: must be greater than 0, found 0",
            "@:23:74: timeline[1].action.1: must be a number from 0 to 0.99, found 1.5",
            "@:24:55: timeline[2].until: 4 h is before the first time (6 h)",
            "@:25:42: timeline[3].1.distance_um: must be greater than 0, found 0",
            "@:25:60: timeline[3].1.elevation_deg: must be from -89 to 89 degrees, found 90",
            "@:26:45: timeline[4].1.slice.molecule: `vegf_a` is not among the fields of the site `breast`",
            "@:26:62: timeline[4].1.slice.at_um: must be inside the site `breast`, from -200 to 200 um, found 300",
            "@:28:29: output.metrics_every: must be greater than 0, found 0",
            "@:28:52: output.cells_at[0]: 13 h is after the end of the scene (12 h)",
            "@:29:26: recording.seconds: must be greater than 0, found 0",
            "@:29:34: recording.fps: must be from 1 to 120 frames a second, found 0",
            "@:29:44: recording.size.0: must be an even number of pixels from 16 to 8192, found 1281",
            "@:29:50: recording.size.1: must be an even number of pixels from 16 to 8192, found 8",
            "@:31:23: expect[0].metric: there is no column `cell`; did you mean `cells`?",
            "@:32:39: expect[1].site: there is no site `bone`",
            "@:32:51: expect[1].is: nothing is between 5 and 1",
        ],
    );
}

#[test]
fn scenes_that_no_machine_can_run_are_refused() {
    refused(
        "too_much.ron",
        &[
            "@:2:12: title: a scene needs a title",
            "@:5:15: duration: 30000 d in steps of 0.01 min are more than 1e8 steps",
            "@:10:18: populations: the populations have about 30.6 million cells; at most 20 million are possible",
            "@:12:50: populations[1].place.per_mm3: close-packed cells of this type are 205770 in a mm3, found 1000000000",
            "@:12:67: populations[1].place.outside_um: a free ball of 9000 um leaves no room in the site",
        ],
    );
}

#[test]
fn mistakes_in_cell_types_are_reported_like_those_in_scenes() {
    let file = "tests/bad_cells/titan.ron";
    let text = std::fs::read_to_string(file).unwrap();
    let report = parse_prefab(&text, file).unwrap_err();
    let headlines: Vec<String> = report
        .headlines()
        .iter()
        .map(|line| line.replace(file, "@"))
        .collect();
    assert_eq!(
        headlines,
        [
            "@:2:11: name: must be that of its file, `titan`, found `giant`",
            "@:4:14: colour.0: must be from 0 to 1, found 1.2",
            "@:5:24: body.volume_um3: must be a number from 1 to 1000000, found -5",
            "@:5:62: body.fluid_fraction: must be a number from 0 to 0.99, found 1.5",
            "@:6:13: cycle.s_hour: there is no field `s_hour` here; did you mean `s_hours`?",
            r#"@:6:34: cycle.g2_hours: expected a number, found `"four"`"#,
            "@:7:12: death: leave out `Some(` and its `)`: what is written is there",
            "@:7:62: death.necrosis_full_mmhg: must not be above `necrosis_onset_mmhg` (5), found 8",
            "@:8:30: metabolism.oxygen_law: `FirstOrders` does not exist; did you mean `FirstOrder`?",
            r#"@:9:26: follows[0].molecule: expected the name of a molecule in quotes, found `Oxygene`; did you mean `"oxygen"`?"#,
        ]
    );
}

#[test]
fn a_report_shows_the_line_and_marks_the_mistake() {
    let report = load("wrong_unit.ron").unwrap_err();
    let expected = "\
tests/bad_scenes/wrong_unit.ron:5:15: duration: `Hour` does not exist; did you mean `Hours`?
  --> tests/bad_scenes/wrong_unit.ron:5:15
  |
5 |     duration: Hour(12),
  |               ^^^^
  help: possible: `Minutes`, `Hours` or `Days`
";
    assert!(report.to_string().starts_with(expected), "{report}");
    assert!(report.render(true).contains("\u{1b}["));
}

#[test]
fn byte_order_marks_and_windows_line_ends_are_accepted() {
    let text = format!("\u{feff}{}", SMALL.replace('\n', "\r\n"));
    let parsed = parse_scene(&text, "tests/small.ron", &context()).unwrap();
    assert_eq!(parsed.scene.title, "Small");
}

#[test]
fn shipped_cell_types_are_valid_and_known_by_name_in_a_stable_order() {
    let library = CellLibrary::shipped().unwrap();
    let names = library.names();
    assert!(names.is_sorted() && names.contains(&"fibroblast".into()));
    let library = library.with_used_first(&["fibroblast"]);
    assert_eq!(library.names()[0], "fibroblast");
    assert_eq!(library.index_of("fibroblast"), Some(0));
    assert!(library.names()[1..].is_sorted());
}

#[test]
fn a_file_in_assets_cells_beside_the_scene_adds_or_replaces_a_type() {
    let folder = tempfile::tempdir().unwrap();
    let cells = folder.path().join("assets/cells");
    std::fs::create_dir_all(&cells).unwrap();
    let prefab = |name: &str, about: &str| {
        let text = format!("(name: \"{name}\", about: \"{about}\", colour: (0, 0, 1))");
        std::fs::write(cells.join(format!("{name}.ron")), text).unwrap();
    };
    prefab("lymphocyte", "new");
    prefab("cancer", "replaced");
    let scenes = folder.path().join("scenes");
    std::fs::create_dir_all(&scenes).unwrap();
    let library = CellLibrary::for_folder(&scenes).unwrap();
    let mut names = CellLibrary::shipped().unwrap().names();
    names.push("lymphocyte".into());
    names.sort();
    assert_eq!(library.names(), names);
    assert_eq!(library.get("cancer").unwrap().about, "replaced");
    prefab("broken", "\", oops: (");
    let report = CellLibrary::for_folder(&scenes).unwrap_err();
    assert!(report.headlines()[0].contains("broken.ron:1:"), "{report}");
}

#[test]
fn cells_of_a_table_are_placed_with_their_types() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("two.csv"),
        "type,x,y,z\nfibroblast,1,2,3\n,-1,0,0\n",
    )
    .unwrap();
    let text = SMALL.replace("Ball(radius_um: 60)", "Csv(\"two.csv\")");
    let context = SceneContext {
        folder: Some(folder.path()),
        ..context()
    };
    let parsed = parse_scene(&text, "small.ron", &context).unwrap();
    let (site, cells) = parsed.place(&parsed.scene.populations[0], 0, 0, RandomKey(1), 8.41);
    assert_eq!(site.0, 0);
    let [cancer, fibroblast] =
        ["cancer", "fibroblast"].map(|name| parsed.library.index_of(name).unwrap());
    assert_eq!(
        cells,
        [
            (Vec3::new(1.0, 2.0, 3.0), fibroblast),
            (Vec3::new(-1.0, 0.0, 0.0), cancer)
        ]
    );
}

#[test]
fn every_parameter_of_the_library_can_be_named_in_a_scene() {
    let library = CellLibrary::shipped().unwrap();
    let mut world = prototype_world(&library);
    let all = list_parameters(&world);
    assert!(all.len() > 50);
    for parameter in all {
        set_parameter(&mut world, &parameter.path, parameter.value).unwrap();
    }
}

#[test]
fn all_shipped_scenes_are_valid() {
    let mut count = 0;
    for entry in std::fs::read_dir("scenes").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "ron") {
            if let Err(report) = tumorscape::simulation::open_scene(&path) {
                panic!("{report}");
            }
            count += 1;
        }
    }
    assert!(count > 0);
}

#[test]
fn what_goes_faster_than_in_life_does_so_and_only_where_times_are_not_those_of_life() {
    let problems = |pace: &str, faster: &str| {
        let text = format!(
            r#"(title: "T", about: "A", pace: {pace}, faster: {faster}, duration: Hours(1), sites: [
                (name: "s", organ: Breast, size_um: (100, 100, 100), fields: [(molecule: "oxygen", level: 38)])])"#
        );
        match parse_scene(&text, "t.ron", &context()) {
            Ok(scene) => format!("{:?}", scene.scene.faster),
            Err(report) => report.to_string(),
        }
    };
    assert_eq!(
        problems("Illustrative", r#"{"growth": 44}"#),
        r#"{"growth": 44.0}"#
    );
    assert!(problems("Calibrated", r#"{"growth": 44}"#).contains("leave it out"));
    assert!(problems("Illustrative", r#"{"growth": 0.5}"#).contains("more than 1 times"));
}

const SMALL: &str = r#"// A scene with a bit of everything.
(
    title: "Small",
    about: "A \"little\" of /* everything */",
    pace: Calibrated,
    seed: 3,
    duration: Days(1.5),
    step: Minutes(2),
    sites: [
        (
            name: "breast",
            organ: Breast,
            size_um: (400, 400, 400),
            fields: [(molecule: "oxygen", level: 38, faces: Closed), (molecule: "vegf_a", level: 0)],
            perfusion_length_um: Some(100),
            walls: false,
        ),
    ],
    populations: [
        (cell: "cancer", place: Ball(radius_um: 60)),
        (cell: "fibroblast", site: "breast", place: Scatter(per_mm3: 2e4, outside_um: 80)),
    ],
    parameters: { "hypoxia.degradation_per_hour": 0.4 },
    timeline: [
        At(Hours(1), Caption("One")),
        At(Hours(2), Camera(target_um: (0, 0, 10), distance_um: 900, azimuth_deg: 30)),
        At(Hours(3), Look(colour_by: Quantity("hif.level"), slice: (molecule: "oxygen"), cut: (axis: X, at_um: 10, flip: true))),
        At(Hours(4), Set("cancer.cycle.s_hours", 9)),
        Every(every: Hours(6), until: Days(1), action: Add(cell: "cancer", place: Single(at_um: (150, 0, 0)))),
    ],
    output: (metrics_every: Hours(1), cells_at: [Hours(2), Hours(4)]),
    recording: (seconds: 4, fps: 24, size: (640, 360), look: (colour_by: Category("phase")), site: "breast"),
    expect: [
        At(Hours(12), (metric: "cells", is: Above(10))),
        AtEnd(metric: "cells", is: Between(1, 1e6)),
        Before((metric: "cells", is: Above(1)), (metric: "cells", is: Above(100))),
    ],
)
"#;

#[test]
fn a_scene_with_a_bit_of_everything_is_accepted() {
    let parsed = parse_scene(SMALL, "tests/small.ron", &context());
    let parsed = parsed.unwrap_or_else(|report| panic!("{report}"));
    // What is written down again is read as the same.
    let text = ron::Options::default()
        .with_default_extension(ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES)
        .to_string(&parsed.scene)
        .unwrap();
    let again = parse_scene(&text, "tests/small.ron", &context())
        .unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(again.scene, parsed.scene);
}

#[test]
fn colours_that_nobody_knows_are_refused_with_the_nearest_name() {
    for (known, written, expected) in [
        (
            r#"Category("phase")"#,
            r#"Category("phases")"#,
            "recording.look.colour_by.0: there is no category `phases`; did you mean `phase`?",
        ),
        (
            r#"Quantity("hif.level")"#,
            r#"Quantity("hif.levl")"#,
            "timeline[2].1.colour_by.0: there is no quantity `hif.levl`; did you mean `hif.level`?",
        ),
    ] {
        let text = SMALL.replace(known, written);
        let report = parse_scene(&text, "tests/small.ron", &context()).expect_err("a bad scene");
        let lines = report.headlines();
        assert!(lines.len() == 1 && lines[0].contains(expected), "{report}");
    }
}

#[test]
fn a_site_is_stirred_or_perfused_but_not_both() {
    let read = |lengths: &str| {
        let text = SMALL.replace("perfusion_length_um: Some(100)", lengths);
        parse_scene(&text, "tests/small.ron", &context())
    };
    assert!(read("stirring_length_um: 5").is_ok());
    for lengths in [
        "stirring_length_um: 5, perfusion_length_um: 100",
        "stirring_length_um: 0",
    ] {
        let report = read(lengths).expect_err("it is refused").to_string();
        assert!(report.contains("stirring_length_um"), "{report}");
    }
}

#[test]
fn in_a_stirred_site_cells_are_looked_for_as_far_as_they_are_wide() {
    let read = |supply: &str, (voxel, reach): (u32, u32), cell: &str| {
        let text = format!(
            "(title: \"t\", about: \"a\", pace: Illustrative, duration: Hours(1), \
             sites: [(name: \"s\", organ: Medium, size_um: (600, 600, 600), voxel_um: (20, {voxel}, 20), {supply}: 5)], \
             parameters: {{\"transport.stirring_reach_um\": {reach}}}, \
             populations: [(cell: \"cancer\", place: {cell})])"
        );
        parse_scene(&text, "tests/stirred.ron", &context())
    };
    let ball = "Ball(radius_um: 100)";
    assert!(read("stirring_length_um", (10, 20), ball).is_ok());
    assert!(read("stirring_length_um", (20, 5), ball).is_ok());
    assert!(read("perfusion_length_um", (10, 5), ball).is_ok());
    for place in [ball, "Cells([(at_um: (0, 0, 0))])"] {
        for voxel in [10, 15] {
            let report = read("stirring_length_um", (voxel, 5), place).expect_err("it is refused");
            let report = report.to_string();
            assert!(report.contains("populations[0].cell"), "{report}");
            assert!(report.contains(&format!("within {voxel} um")), "{report}");
            assert!(
                report.contains("`voxel_um` of 20 or more would work"),
                "{report}"
            );
        }
    }
}

#[test]
fn a_site_does_not_share_its_name_with_a_cell_type() {
    let text = SMALL.replace("\"breast\"", "\"cancer\"");
    let report = parse_scene(&text, "tests/small.ron", &context()).expect_err("a bad scene");
    let lines = report.headlines();
    let expected = "sites[0].name: `cancer` is the name of a cell type, and `cancer.NAME` would be a rule of either";
    assert!(lines.len() == 1 && lines[0].ends_with(expected), "{report}");
}

#[test]
fn names_that_would_stand_for_two_measurements_are_refused() {
    let own_type = |name: &str| {
        format!(
            "(title: \"t\", about: \"a\", pace: Illustrative, duration: Hours(1), \
             sites: [(name: \"s\", organ: Medium, size_um: (200, 200, 200))], \
             cell_types: [(name: \"{name}\", about: \"a\", colour: (1, 1, 1))], \
             populations: [(cell: \"{name}\", place: Single(at_um: (0, 0, 0)))])"
        )
    };
    let read = |name: &str| parse_scene(&own_type(name), "tests/names.ron", &context());
    assert!(read("quick").is_ok());
    for name in ["alive", "apoptotic"] {
        let report = read(name).expect_err("it is refused").to_string();
        let expected = format!("`cells_{name}` would be the name of two measurements");
        assert!(report.contains(&expected), "{report}");
    }
}
