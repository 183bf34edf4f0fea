//! Scenes that are legal letter by letter and mean nothing, or something else than what would run.

use super::{ONE, checked, folder_with, refused, said, scene, warned};

const BALL: &str = r#"(cell: "cancer", place: Ball(center_um: (0, 0, 0), radius_um: 60))"#;

#[test]
fn growth_of_any_rate_ends_in_a_volume() {
    // exp of a large number times exp of its negative was no number.
    for parameter in ["nucleus", "cytoplasm", "fluid"] {
        let path = format!("cancer.body.growth.{parameter}_per_hour");
        for rate in ["1000", "0", "1e-30"] {
            let folder = folder_with(&scene(
                BALL,
                &format!(r#"parameters: {{"{path}": {rate}}}"#),
            ));
            let arguments = ["run", "s.ron", "--quiet", "--verify", "--out", "o"];
            let (code, told) = said(folder.path(), &arguments);
            assert!(code == 0 && !told.contains("NaN"), "{path} {rate}: {told}");
            let has_cells = told.contains("dish: cells ") && !told.contains("dish: cells 0");
            assert!(has_cells, "{path} {rate}: {told}");
        }
    }
}

#[test]
fn cells_are_measured_by_the_parameters_in_force() {
    let volume = |um3: &str| {
        format!(r#"parameters: {{"cancer.body.volume_um3": {um3}, "cancer.body.nucleus_um3": 1}}"#)
    };
    refused(&scene(BALL, &volume("1e6")), "holds no cell");
    // Smaller cells are more than can be.
    let large = |rest: &str| {
        scene(BALL, rest)
            .replace("200, 200, 200", "2000, 2000, 2000")
            .replace(": 60", ": 900")
    };
    assert_eq!(checked(folder_with(&large("")).path()).0, 0);
    refused(&large(&volume("1")), "million cells; at most");
    // And so are those that a timeline shrinks before it adds them.
    let later = r#"timeline: [
        At(Minutes(5), Set("cancer.body.nucleus_um3", 1)), At(Minutes(5), Set("cancer.body.volume_um3", 1)),
        At(Minutes(10), Add(cell: "cancer", place: Ball(center_um: (0, 0, 0), radius_um: 900)))]"#;
    let small = r#"(cell: "cancer", place: Single(at_um: (0, 0, 0)))"#;
    let text = scene(small, later).replace("200, 200, 200", "2000, 2000, 2000");
    refused(&text, "million cells; at most");
}

#[test]
fn a_population_has_cells() {
    let scatter = r#"(cell: "cancer", place: Scatter(per_mm3: 1))"#;
    refused(&scene(scatter, ""), "so there is none");
    refused(
        &scene(r#"(cell: "cancer", place: Cells([]))"#, ""),
        "this lists no cell",
    );
    let later = format!("timeline: [At(Minutes(5), Add{scatter})]");
    refused(&scene(ONE, &later), "so there is none");
}

#[test]
fn cells_that_lie_in_each_other_are_told() {
    let twice = format!("{BALL}, {BALL}");
    warned(&scene(&twice, ""), "begin inside cells of `populations[0]`");
    let pile = r#"(cell: "cancer", place: Cells([(at_um: (0, 0, 0)), (at_um: (0, 0, 0)), (at_um: (0, 0, 0)),
        (at_um: (0, 0, 0)), (at_um: (0, 0, 0)), (at_um: (0, 0, 0)), (at_um: (0, 0, 0)), (at_um: (0, 0, 0)),
        (at_um: (0, 0, 0)), (at_um: (0, 0, 0))]))"#;
    warned(&scene(pile, ""), "lie in one place");
    let scatter = r#"(cell: "fibroblast", place: Scatter(per_mm3: 20000))"#;
    let ball = BALL.replace("60", "95");
    warned(
        &scene(&format!("{ball}, {scatter}"), ""),
        "begin inside cells of",
    );
    let aside = r#"(cell: "cancer", place: Ball(center_um: (0, 0, -50), radius_um: 40)),
        (cell: "cancer", place: Ball(center_um: (0, 0, 50), radius_um: 40))"#;
    let (code, told) = checked(folder_with(&scene(aside, "")).path());
    assert!(code == 0 && !told.contains("warning"), "{told}");
}

#[test]
fn cells_that_divide_in_no_time_are_told() {
    let cycle = r#"parameters: {"cancer.cycle.g0g1_hours": 0, "cancer.cycle.s_hours": 0, "cancer.cycle.g2_hours": 0,
        "cancer.cycle.m_hours": 0}"#;
    warned(&scene(ONE, cycle), "more of them than can be simulated");
}

#[test]
fn limits_hold_for_all_sites_together() {
    let site = |name: u32| {
        format!(
            r#"(name: "s{name}", organ: Medium, size_um: (10000, 10000, 10000), fields: [(molecule: "oxygen", level: 38)])"#
        )
    };
    let sites: Vec<String> = (0..20).map(site).collect();
    let text = scene(ONE, "").replace(
        r#"(name: "dish", organ: Medium, size_um: (200, 200, 200))"#,
        &sites.join(", "),
    );
    refused(&text, "all sites together have");
    let sites: String = (0..66_000)
        .map(|n| format!(r#"(name: "s{n}", organ: Medium, size_um: (20, 20, 20)), "#))
        .collect();
    let text = scene(ONE, "").replace(
        r#"(name: "dish", organ: Medium, size_um: (200, 200, 200))"#,
        &sites,
    );
    refused(&text, "at most 1000 are possible");
}

#[test]
fn levels_and_sources_have_bounds() {
    let field = |level: &str| {
        scene(ONE, "").replace(
            "size_um: (200, 200, 200)",
            &format!(r#"size_um: (200, 200, 200), fields: [(molecule: "oxygen", level: {level})]"#),
        )
    };
    for level in ["1e39", "1e30", "inf", "NaN", "-1"] {
        refused(&field(level), "sites[0].fields[0].level: must be");
    }
}

#[test]
fn an_expectation_needs_a_value_where_it_is_asked_for() {
    let two = |site: &str| {
        format!(
            r#"(title: "t", about: "", pace: Illustrative, duration: Minutes(30),
            sites: [(name: "dish", organ: Medium, size_um: (200, 200, 200)),
                (name: "lung", organ: Lung, size_um: (200, 200, 200), fields: [(molecule: "oxygen", level: 38)])],
            populations: [{ONE}],
            expect: [AtEnd(metric: "oxygen_min_mmhg", site: "{site}", is: Above(1))])"#
        )
    };
    refused(&two("dish"), "has no value in the site `dish`");
    assert_eq!(checked(folder_with(&two("lung")).path()).0, 0);
}

#[test]
fn a_letter_is_not_taken_for_a_long_name() {
    let text = scene(
        ONE,
        r#"cell_types: [(name: "cancer", about: "", colour: (1, 1, 1), cycle: (S: 8))]"#,
    );
    let (code, told) = checked(folder_with(&text).path());
    assert_eq!(code, 2, "{told}");
    assert!(!told.contains("m_hours`?"), "{told}");
}

#[test]
fn missing_commas_are_told_where_they_are_missing() {
    // With an open bracket behind them, and letters of several bytes.
    for text in [
        "(title: \"a\" sites: [1, 2",
        "(title: \"\u{e4}\u{e4}\u{e4}\" about: \"\u{e4}\" pace: [\u{e4}",
    ] {
        let (code, told) = checked(folder_with(text).path());
        assert_eq!(code, 2, "{told}");
        assert!(told.contains("a comma is missing here"), "{told}");
        assert!(told.contains("this `[` is never closed"), "{told}");
    }
}

#[test]
fn no_text_of_a_scene_commands_a_terminal() {
    let escape = "\\u{1b}[2J";
    for (field, text) in [
        (
            "title",
            scene(ONE, "").replace("\"t\"", &format!("\"{escape}\"")),
        ),
        (
            "title",
            scene(ONE, "").replace("\"t\"", "\"t\\nstate 0123456789abcdef\""),
        ),
        (
            "sites[0].name",
            scene(ONE, "").replace("\"dish\"", &format!("\"{escape}\"")),
        ),
        (
            "timeline[0].1",
            scene(
                ONE,
                &format!("timeline: [At(Minutes(1), Caption(\"{escape}\"))]"),
            ),
        ),
    ] {
        let folder = folder_with(&text);
        let (code, told) = checked(folder.path());
        assert_eq!(code, 2, "{told}");
        assert!(told.contains(&format!("{field}: must not hold")), "{told}");
    }
    // What stands raw in a file is quoted in a report.
    let raw = scene(ONE, "").replace("\"t\"", "\"\u{1b}[2J\u{202e}\"");
    let (code, told) = checked(folder_with(&raw).path());
    assert_eq!(code, 2);
    assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told:?}");
}

#[test]
fn rows_come_at_the_multiples_of_their_interval() {
    let text = scene(
        ONE,
        "step: Minutes(25), output: (metrics_every: Minutes(30))",
    );
    let text = text.replace("duration: Minutes(30)", "duration: Minutes(150)");
    let folder = folder_with(&text);
    let (code, told) = said(folder.path(), &["run", "s.ron", "--quiet", "--out", "o"]);
    assert_eq!(code, 0, "{told}");
    let rows = std::fs::read_to_string(folder.path().join("o/metrics.csv")).expect("written");
    let minutes: Vec<f64> = rows
        .lines()
        .skip(1)
        .map(|row| {
            row.split(',')
                .next()
                .expect("a column")
                .parse::<f64>()
                .expect("a number")
        })
        .map(|hours| (hours * 60.0).round())
        .collect();
    assert_eq!(minutes, [0.0, 50.0, 75.0, 100.0, 125.0, 150.0]);
}

#[test]
fn what_the_first_step_finds_out_is_not_said_before() {
    let folder = folder_with(&scene(
        BALL,
        r#"output: (cells_at: [Minutes(0), Minutes(1)]), expect: [Always(metric: "pressure_mean", is: Above(0))]"#,
    ));
    let (code, told) = said(folder.path(), &["run", "s.ron", "--quiet", "--out", "o"]);
    assert_eq!(code, 0, "{told}");
    let values = |file: &str, column: &str| -> Vec<String> {
        let text = std::fs::read_to_string(folder.path().join("o").join(file)).expect("written");
        let mut rows = text.lines().map(|row| row.split(','));
        let mut head = rows.next().expect("it names its columns");
        let place = head
            .position(|name| name == column)
            .expect("the column is there");
        let of = |mut row: std::str::Split<char>| row.nth(place).expect("a value").to_owned();
        rows.map(of).collect()
    };
    for column in ["pressure", "contacts"] {
        assert!(values("cells_0h.csv", column).iter().all(String::is_empty));
        assert!(
            values("cells_0.016667h.csv", column)
                .iter()
                .all(|value| !value.is_empty())
        );
    }
    let mean = values("metrics.csv", "pressure_mean");
    assert!(mean[0].is_empty() && !mean[1].is_empty(), "{mean:?}");
}
