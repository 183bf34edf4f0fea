//! Levels of what a ball of cells secretes: `c(0) = (S/k) [1 - (1 + R/L) exp(-R/L)]`, `L = sqrt(D/k)`.

use tumorscape::tissue::SiteId;

use super::{assert_near, simulation};

/// Cells in a mL of tumour.
const CELLS_PER_ML: f64 = 1.67e8;
const RADIUS_UM: f64 = 500.0;

/// Levels in the middle and at the edge of a ball of cells that each secrete so many molecules per second, nM.
fn levels(molecule: &str, per_cell: f64, (size_um, voxel_um): (u32, u32), hours: u32) -> [f64; 2] {
    let volume_ml = 4.0 / 3.0 * std::f64::consts::PI * RADIUS_UM.powi(3) * 1e-12;
    let rate = per_cell * CELLS_PER_ML * volume_ml;
    let mut simulation = simulation(&format!(
        "duration: Days(9), step: Minutes(60), output: (metrics_every: Hours(1)), sites: [(name: \"block\", organ: Breast, \
         size_um: ({size_um}, {size_um}, {size_um}), voxel_um: ({voxel_um}, {voxel_um}, {voxel_um}), \
         fields: [(molecule: \"{molecule}\", level: 0, sources: [\
             (place: Ball(radius_um: {RADIUS_UM}), rate: MoleculesPerSecond({rate}))])])]"
    ));
    for _ in 0..hours {
        simulation.step();
    }
    let (values, _) = simulation
        .field(SiteId(0), molecule)
        .expect("it is simulated");
    let n = (size_um / voxel_um) as usize;
    let at = |x: usize| f64::from(values[x + n * (n / 2 + n * (n / 2))]);
    // Between the centres of two voxels.
    let place = RADIUS_UM / f64::from(voxel_um) - 0.5;
    let (below, part) = (place.floor() as usize, place.fract());
    let edge = (1.0 - part) * at(n / 2 + below) + part * at(n / 2 + below + 1);
    [at(n / 2), edge]
}

#[test]
fn a_ball_that_gives_off_a_molecule_per_cell_and_second_has_the_levels_of_theory() {
    // D 702 um2/min, k 0.03 /min: it spreads 153 um.
    let [centre, edge] = levels("mmp", 1.0, (1900, 25), 8);
    assert_near("centre", centre, 0.463, 0.03);
    assert_near("edge", edge, 0.193, 0.03);
}

#[test]
fn vegf_of_a_ball_calls_vessels_only_where_it_is_hypoxic() {
    // 0.1 (1 + 6 H) molecules per second: what the rules of the cancer cell say is tested where HIF-1a is.
    for (hif, expected) in [(0.0, 0.055), (1.0, 0.38)] {
        let [centre, _] = levels("vegf_a", 0.1 * (1.0 + 6.0 * hif), (4000, 50), 20);
        assert_near(&format!("HIF-1a {hif}"), centre, expected, 0.03);
    }
}
