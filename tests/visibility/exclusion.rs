//! What keeps T cells out of a tumour.

use super::{census, run_to, simulation};

/// A small tumour in a matrix of that density, with T cells outside, and what else the site has.
fn site(name: &str, density: f64, fields: &str) -> String {
    format!(
        r#"(name: "{name}", organ: Breast, size_um: (280, 280, 280),
        fields: [{fields}], tissue: (matrix: (density: {density}, crosslinking: 0, outside_um: 70)))"#
    )
}

#[test]
fn t_cells_stay_outside_a_dense_stroma_and_come_in_once_it_is_loosened() {
    let collagenase = r#"(molecule: "mmp", level: 0, faces: Closed, sources: [(
        place: Box(min_um: (-140, -140, -140), max_um: (140, 140, 140)), rate: PerMinute(3), until: Hours(6),
    )])"#;
    let names = ["loose", "dense", "loosened"];
    let sites = [
        site(names[0], 0.3, ""),
        site(names[1], 0.86, ""),
        site(names[2], 0.86, collagenase),
    ];
    let populations = names.map(|name| {
        format!(
            r#"(cell: "cancer", site: "{name}", place: Ball(radius_um: 60)),
            (cell: "cd8_t_cell", site: "{name}", place: Scatter(per_mm3: 4000, outside_um: 95))"#
        )
    });
    let text = format!(
        r#"(
    title: "excluded", about: "-", pace: Calibrated, duration: Days(2), step: Minutes(2),
    sites: [{}],
    populations: [{}],
    parameters: {{
        "cancer.cycle.g0g1_hours": 1e6, "cd8_t_cell.cycle.g0g1_hours": 1e6, "cd8_t_cell.death.apoptosis_per_hour": 0,
    }},
)"#,
        sites.join(", "),
        populations.join(", ")
    );
    let mut simulation = simulation(&text, 1);
    // T cells whose body reaches the tumour, and all, by site.
    let inside = |simulation: &_| {
        let census = census(simulation, &["killer.kills"]);
        let mut found = [[0_u32; 2]; 3];
        for (row, kills) in census.quantities[0].1.iter().enumerate() {
            if !kills.is_nan() {
                let found = &mut found[usize::from(census.sites[row].0)];
                found[1] += 1;
                found[0] += u32::from(census.positions_um[row].length() < 75.0);
            }
        }
        found
    };
    assert!(
        inside(&simulation)
            .iter()
            .all(|[near, all]| *near == 0 && *all > 40)
    );
    run_to(&mut simulation, 8.0);
    let [loose, dense, loosened] = inside(&simulation);
    assert!(loose[0] > 10, "{loose:?}");
    assert_eq!(dense[0], 0, "{dense:?}");
    assert!(loosened[0] > 10, "{loosened:?}");
}

#[test]
fn tgf_beta_and_cxcl12_turn_t_cells_away_by_their_rules() {
    let text = |fields: &str| {
        format!(
            r#"(
    title: "led", about: "-", pace: Calibrated, duration: Days(2), step: Minutes(2),
    sites: [(name: "block", organ: Breast, size_um: (160, 160, 160), fields: [{fields}])],
    populations: [(cell: "cd8_t_cell", place: Scatter(per_mm3: 8000))],
    parameters: {{"cd8_t_cell.motility.speed_um_per_min": 0}},
)"#
        )
    };
    let held = |molecule: &str, level: f64| {
        format!(r#"(molecule: "{molecule}", level: {level}, faces: Closed)"#)
    };
    let index = |molecule: &str, fields: &str| {
        let mut simulation = simulation(&text(fields), 1);
        simulation.step();
        let input = simulation.inputs(&format!("motility.bias.{molecule}"));
        let values: Vec<f32> = input.iter().map(|(_, value)| *value).collect();
        assert!(!values.is_empty());
        values
    };
    let near = |values: &[f32], expected: f32| {
        for value in values {
            assert!((value - expected).abs() < 2e-3, "{value}, not {expected}");
        }
    };
    // 0.15 without TGF-beta, half of it at 0.14 nM; away from much CXCL12, from half way at 1 nM.
    near(&index("cxcl9", ""), 0.15);
    near(&index("cxcl9", &held("tgf_beta", 0.14)), 0.075);
    near(&index("cxcl12", ""), 0.0);
    near(&index("cxcl12", &held("cxcl12", 1.0)), -0.15);
    near(&index("cxcl12", &held("cxcl12", 3.0)), -0.27);
}
