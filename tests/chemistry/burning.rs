//! What HIF-1a does to metabolism (Casciari et al. 1992).

use super::{assert_near, quantity, simulation};

/// Glucose uptake at saturation of a lone cell that has adapted to that oxygen, amol/s.
fn uptake(oxygen_mmhg: f64, rules: &str) -> f64 {
    let mut simulation = simulation(&format!(
        "duration: Hours(1), sites: [(name: \"dish\", organ: Medium, size_um: (100, 100, 100))], \
         populations: [(cell: \"cancer\", place: Single(at_um: (0, 0, 0)))], \
         parameters: {{\"molecules.oxygen.background\": {oxygen_mmhg}}}, rules: [{rules}]"
    ));
    for _ in 0..3 {
        simulation.step();
    }
    f64::from(quantity(&simulation, "metabolism.glucose_uptake")[0])
}

#[test]
fn the_pasteur_ratio_is_1_41_and_without_the_arrow_from_hif_1_09() {
    // 0.21 and 0.023 mM of oxygen in medium, 1.25 uM/mmHg, at pH 7.34.
    let ratio = |rules: &str| uptake(18.4, rules) / uptake(168.0, rules);
    assert_near("with HIF-1a", ratio(""), 1.41, 0.05);
    let deleted = ratio("Delete(\"cancer.hypoxia_raises_glycolysis\")");
    assert_near("without", deleted, 1.09, 0.01);
}
