//! How far around a tumour fibroblasts wake, against a calculation along the radius alone that shares no code with the program.

use std::f64::consts::PI;

use tumorscape::simulation::{Program, Simulation};

use super::{census, run_to, simulation};

const TUMOUR_UM: f64 = 300.0;
/// Half the edge of the block, um.
const BLOCK_HALF_UM: f64 = 900.0;
/// Of a molecule a second from a cell in a um3, nM in a minute: 1e15 um3 in a litre, 1e9 nmol in a mol.
const NM_PER_MIN: f64 = 60.0 * 1.0e15 / 6.022_140_76e23 * 1.0e9;
/// Molecules/s from a um3 of tumour: 0.12 from a cell, 1.67e8 of them in a mL.
const TUMOUR_PER_UM3: f64 = 0.12 * 1.67e-4;
/// Molecules/s from a um3 of woken stroma: 0.03 from a cell, 16 000 in a mm3.
const STROMA_PER_UM3: f64 = 0.03 * 1.6e-5;
/// Of TGF-beta, um2/min and 1/min, and nM in a ng/mL.
const DIFFUSIVITY: f64 = 1600.0;
const LOSS: f64 = 0.0099;
const NM_PER_NG: f64 = 0.04;

/// Shells of the calculation, um.
const SHELL_UM: f64 = 10.0;

/// What is calculated along the radius.
struct AlongRadius {
    /// Distance beyond the rim within which fibroblasts are awake after each of the days, um.
    halos: Vec<f64>,
    /// TGF-beta in each shell at the end, nM.
    level: Vec<f64>,
}

/// Shells of TGF-beta and of memory, implicit in time, in a closed ball of that radius, where woken stroma gives off so many molecules/s from
/// a um3.
fn along_the_radius(days: &[f64], outer: f64, stroma_per_um3: f64) -> AlongRadius {
    const MINUTES: f64 = 10.0;
    let shells = (outer / SHELL_UM).round() as usize;
    let face = |shell: usize| (shell as f64 * SHELL_UM).powi(2);
    let volume = |shell: usize| {
        let at = |shell: usize| (shell as f64 * SHELL_UM).powi(3) / 3.0;
        at(shell + 1) - at(shell)
    };
    let middle = |shell: usize| (shell as f64 + 0.5) * SHELL_UM;
    let way = |shell: usize| {
        if shell == 0 || shell == shells {
            0.0
        } else {
            DIFFUSIVITY * face(shell) / SHELL_UM
        }
    };
    let (mut level, mut memory) = (vec![0.0; shells], vec![0.0_f64; shells]);
    let mut halos = Vec::new();
    let mut minutes = 0.0;
    for day in days {
        while minutes < day * 1440.0 {
            // Thomas's algorithm.
            let (mut factors, mut values) = (vec![0.0; shells], vec![0.0; shells]);
            for shell in 0..shells {
                let secreted = if middle(shell) < TUMOUR_UM {
                    TUMOUR_PER_UM3
                } else if memory[shell] > 0.0 {
                    stroma_per_um3
                } else {
                    0.0
                };
                let (below, above) = (way(shell) / volume(shell), way(shell + 1) / volume(shell));
                let (before, known) = match shell.checked_sub(1) {
                    Some(last) => (factors[last], values[last]),
                    None => (0.0, 0.0),
                };
                let pivot = 1.0 / MINUTES + LOSS + below + above - below * before;
                factors[shell] = above / pivot;
                values[shell] =
                    (level[shell] / MINUTES + secreted * NM_PER_MIN + below * known) / pivot;
            }
            for shell in (0..shells).rev() {
                let next = level.get(shell + 1).copied().unwrap_or(0.0);
                level[shell] = values[shell] + factors[shell] * next;
            }
            for (memory, level) in memory.iter_mut().zip(&level) {
                let signal: f64 = level / NM_PER_NG;
                let gained = 336.0 * signal.powi(4) / (1.0 + signal.powi(4)) - 1.0;
                *memory = (*memory + MINUTES / 60.0 * gained).clamp(0.0, 504.0);
            }
            minutes += MINUTES;
        }
        let outside = (0..shells).filter(|shell| middle(*shell) > TUMOUR_UM);
        let awake = outside.take_while(|shell| memory[*shell] > 0.0).count();
        halos.push(awake as f64 * SHELL_UM);
    }
    AlongRadius { halos, level }
}

/// Shells in which cells are counted, um.
const COUNTED_UM: f64 = 20.0;

/// The distance beyond the rim within which half of a shell of fibroblasts is awake, um.
fn among_cells(simulation: &Simulation) -> f64 {
    let cells = census(simulation, &["fibroblast.myofibroblastic"], &[]);
    let awake = cells
        .quantity("fibroblast.myofibroblastic")
        .expect("it is registered");
    let mut shells = vec![[0_u32; 2]; 30];
    for (at, awake) in cells.positions_um.iter().zip(awake) {
        let out = ((f64::from(at.length()) - TUMOUR_UM) / COUNTED_UM).max(0.0) as usize;
        if let (false, Some(shell)) = (awake.is_nan(), shells.get_mut(out)) {
            shell[0] += 1;
            shell[1] += u32::from(*awake > 0.0);
        }
    }
    let asleep = |[all, awake]: &[u32; 2]| *all > 0 && 2 * awake < *all;
    let first = shells.iter().position(asleep).unwrap_or(shells.len());
    first as f64 * COUNTED_UM
}

/// Awake and asleep part where TGF-beta is 0.23 ng/mL, some 20 um wide, and cells are counted in shells of 20 um.
const AGREES_UM: f64 = 25.0;

/// A tumour that neither grows nor dies, of cells that give off so much TGF-beta each, among fewer and as much more secreting fibroblasts
/// than in the calculation, which stay where they are: 4000 in a mm3.
fn tissue(tumour_per_cell: f64, stroma_per_um3: f64) -> Simulation {
    simulation(
        &format!(
            r#"(
    title: "halo", about: "-", pace: Calibrated, duration: Days(60), step: Minutes(60),
    sites: [(
        name: "breast", organ: Breast, size_um: (1800, 1800, 1800), voxel_um: (30, 30, 30),
        fields: [(molecule: "tgf_beta", level: 0, faces: Closed)],
    )],
    variants: [
        (name: "tumour", like: "cancer", heritable: {{}}, without: ["tgf_beta_drives_emt", "hypoxia_drives_emt"]),
    ],
    populations: [
        (cell: "tumour", place: Ball(radius_um: 300)),
        (cell: "fibroblast", place: Scatter(per_mm3: 4000, outside_um: 300)),
    ],
    parameters: {{
        "tumour.cycle.g0g1_hours": 1000000, "tumour.death.apoptosis_per_hour": 0, "tumour.motility.speed_um_per_min": 0,
        "fibroblast.motility.speed_um_per_min": 0,
        "tumour.exchange.tgf_beta.secretes_molecules_per_s": {tumour_per_cell},
        "fibroblast.exchange.tgf_beta.secretes_molecules_per_s": {},
    }},
    output: (metrics_every: Hours(12)),
)"#,
            stroma_per_um3 / 4.0e-6
        ),
        1,
    )
}

/// The same, of a tumour that gives off as a whole what it does in the calculation: of its cells there are as many as fit in.
fn as_calculated(stroma_per_um3: f64) -> Simulation {
    let count = |simulation: &Simulation| {
        let cells = census(simulation, &["emt.e_cadherin"], &[]);
        let those = cells.quantity("emt.e_cadherin").expect("it is registered");
        those.iter().filter(|of| !of.is_nan()).count()
    };
    let cells = count(&tissue(0.12, stroma_per_um3)) as f64;
    let volume = 4.0 / 3.0 * PI * TUMOUR_UM.powi(3);
    tissue(TUMOUR_PER_UM3 * volume / cells, stroma_per_um3)
}

/// Radius of a ball as large as the block, um.
fn outer_um() -> f64 {
    2.0 * BLOCK_HALF_UM * (3.0 / (4.0 * PI)).cbrt()
}

#[test]
#[ignore = "sixty days of tissue: two minutes; run with `cargo test --release -- --ignored`"]
fn the_halo_of_woken_fibroblasts_is_that_of_the_radius_and_stays_where_it_is() {
    let days = [20.0, 60.0];
    let computed = along_the_radius(&days, outer_um(), STROMA_PER_UM3).halos;
    let mut simulation = as_calculated(STROMA_PER_UM3);
    let mut found = Vec::new();
    for day in days {
        run_to(&mut simulation, 24.0 * day);
        found.push(among_cells(&simulation));
    }
    println!("along the radius {computed:?} um, among cells {found:?} um");
    for (halo, computed) in found.iter().zip(&computed) {
        assert!((computed - 130.0).abs() <= 40.0, "{computed:?}");
        assert!((halo - 130.0).abs() <= 40.0, "{found:?}");
        assert!(
            (halo - computed).abs() <= AGREES_UM,
            "{found:?}, {computed:?}"
        );
    }
    assert!((found[0] - found[1]).abs() <= 20.0, "{found:?}");
}

#[test]
#[ignore = "ten days of tissue: half a minute; run with `cargo test --release -- --ignored`"]
fn fibroblasts_that_wake_each_other_wake_all_of_the_block() {
    // Eight times what is shipped: four times what wakes them, were all awake.
    let much = 8.0 * STROMA_PER_UM3;
    let computed = along_the_radius(&[10.0], outer_um(), much).halos;
    let mut simulation = as_calculated(much);
    run_to(&mut simulation, 240.0);
    let found = among_cells(&simulation);
    println!("along the radius {computed:?} um, among cells {found} um");
    // To the faces of the block, and in the calculation to the end.
    assert!(computed[0] >= outer_um() - TUMOUR_UM - 2.0 * SHELL_UM);
    assert!(found >= BLOCK_HALF_UM - TUMOUR_UM - COUNTED_UM, "{found}");
}

#[test]
fn check_warns_where_woken_fibroblasts_would_keep_each_other_awake() {
    let warnings = |per_mm3: u32| {
        let text = format!(
            r#"(
    title: "crowd", about: "-", pace: Illustrative, duration: Hours(1),
    sites: [(name: "breast", organ: Breast, size_um: (400, 400, 400), fields: [(molecule: "tgf_beta", level: 0)])],
    populations: [(cell: "fibroblast", place: Scatter(per_mm3: {per_mm3}))],
)"#
        );
        let parsed = Program::default().parse_scene(&text, "crowd.ron", None);
        let parsed = parsed.unwrap_or_else(|report| panic!("{report}"));
        parsed.warnings.to_string()
    };
    // Half of what wakes them at the density for which they were calibrated, thrice that where they are short of oxygen; four times that.
    let said = |per_mm3| warnings(per_mm3).contains("times what wakes them, were all awake");
    assert!(!said(16_000) && said(64_000));
}

#[test]
fn the_calculation_along_the_radius_has_the_level_of_a_ball_that_secretes() {
    let found = along_the_radius(&[10.0], 3000.0, 0.0).level;
    // Closed form in an endless tissue, `S/k (1 - (1 + R/L) exp(-R/L) sinh(x)/x)` with `x = r/L` within the ball.
    let length = (DIFFUSIVITY / LOSS).sqrt();
    let ratio = TUMOUR_UM / length;
    for shell in [0, 10, 29] {
        let x = (shell as f64 + 0.5) * SHELL_UM / length;
        let share = 1.0 - (1.0 + ratio) * (-ratio).exp() * x.sinh() / x;
        let expected = TUMOUR_PER_UM3 * NM_PER_MIN / LOSS * share;
        assert!(
            (found[shell] / expected - 1.0).abs() < 0.01,
            "shell {shell}"
        );
    }
}
