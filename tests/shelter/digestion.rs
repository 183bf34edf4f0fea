//! Digesting a matrix that holds TGF-beta sets it free: killers are held back, and cancer cells leave the epithelial state.

use tumorscape::measure::Wanted;

use super::{metric, run_to, simulation};

#[test]
fn digesting_a_matrix_loaded_with_tgf_beta_lowers_kills_and_raises_emt() {
    // The same tumour with T cells that stand among its cells, in a matrix that holds latent TGF-beta and is whole, in one that proteases
    // digest, and in one that is digested as fast and holds none.
    const SITES: [(&str, bool, f64); 3] = [
        ("whole", false, 5.0),
        ("digested", true, 5.0),
        ("empty", true, 0.0),
    ];
    const PROTEASES: &str =
        "(place: Box(min_um: (-100, -100, -100), max_um: (100, 100, 100)), rate: PerMinute(0.3))";
    let sites = SITES.map(|(name, is_digested, bound)| {
        let sources = if is_digested { PROTEASES } else { "" };
        format!(
            r#"(name: "{name}", organ: Breast, size_um: (200, 200, 200), fields: [
                (molecule: "tgf_beta", level: 0, faces: Closed),
                (molecule: "mmp", level: 0, faces: Closed, sources: [{sources}])],
            tissue: (matrix: (density: 0.5, bound: (tgf_beta_nm: {bound}))))"#
        )
    });
    let mut killers = Vec::new();
    for x in [-40, 0, 40] {
        for y in [-40, 0, 40] {
            for z in [-40_i32, 0, 40] {
                if x * x + y * y + z * z <= 60 * 60 {
                    killers.push(format!("(at_um: ({x}, {y}, {z}))"));
                }
            }
        }
    }
    let killers = killers.join(", ");
    let populations = SITES.map(|(name, ..)| {
        format!(
            r#"(cell: "cancer", site: "{name}", place: Ball(radius_um: 85)),
            (cell: "cd8_t_cell", site: "{name}", place: Cells([{killers}]))"#
        )
    });
    let text = format!(
        r#"(
    title: "digested", about: "-", pace: Calibrated, duration: Days(1), step: Minutes(2),
    sites: [{}],
    populations: [{}],
    parameters: {{
        "cancer.cycle.g0g1_hours": 1e6, "cancer.death.apoptosis_per_hour": 0, "cancer.motility.speed_um_per_min": 0,
        "cancer.exchange.tgf_beta.secretes_molecules_per_s": 0, "cancer.protease.mmp_molecules_per_s": 0,
        "cd8_t_cell.cycle.g0g1_hours": 1e6, "cd8_t_cell.death.apoptosis_per_hour": 0,
        "cd8_t_cell.motility.speed_um_per_min": 0, "cd8_t_cell.cytotoxic.exhaustion_per_day": 0,
        "cd8_t_cell.checkpoint.blocked": 1,
    }},
)"#,
        sites.join(", "),
        populations.join(", ")
    );
    let mut simulation = simulation(&text, 1);
    run_to(&mut simulation, 16.0);
    let of = |name: &str| [0, 1, 2].map(|site| metric(&simulation, site, name));
    let kills = of("t_cell_kills");
    let function = of("killer_function_mean");
    let free = of("tgf_beta_mean_nm");
    println!("kills {kills:?}, function {function:?}, TGF-beta {free:?} nM");
    // What is set free: digestion by k P of the store, at the share that is active, against its decay, 0.0099 /min.
    assert!(free[0] < 1e-3 && free[2] < 1e-6 && (0.03..0.3).contains(&free[1]));
    assert!(function[0] > 0.95 && function[2] > 0.95 && function[1] < 0.75);
    assert!(kills[1] < 0.65 * kills[0], "{kills:?}");
    assert!((kills[2] / kills[0] - 1.0).abs() < 0.25, "{kills:?}");
    // N-cadherin of the cancer cells: it is there where TGF-beta is.
    let census = simulation.census(&Wanted {
        quantities: vec!["emt.n_cadherin".to_owned()],
        categories: Vec::new(),
    });
    let mean = |site: u16| {
        let here = census.quantities[0].1.iter().zip(&census.sites);
        let here = here.filter(|(value, of)| of.0 == site && !value.is_nan());
        let (sum, count) = here.fold((0.0, 0.0), |(sum, count), (value, _)| {
            (sum + f64::from(*value), count + 1.0)
        });
        sum / count
    };
    let emt = [0, 1, 2].map(mean);
    println!("N-cadherin {emt:?}");
    assert!(emt[1] > 0.05 && emt[0] < 0.01 && emt[2] < 0.01, "{emt:?}");
}
