//! Cells of unlike cohesion sort: those that hold together firmly come to lie inside (Steinberg 1963; Foty and Steinberg 2005, Dev Biol
//! 278:255).

use tumorscape::cell::CellType;
use tumorscape::cell::contact::ContactParameters;
use tumorscape::cell::mechanics::ContactLaw;
use tumorscape::core::parameters::CellTypeNames;

use super::*;

/// Radius of the ball, um: 4000 cells.
const BALL_UM: f32 = 176.0;

/// A mixed ball of two kinds, of so much E-cadherin each, that walk as shipped, and neither divide nor die.
fn mixed(firm: f32, loose: f32) -> Simulation {
    let scene = |populations: &str| {
        let mut arrested = String::new();
        for (kind, e_cadherin) in [("firm", firm), ("loose", loose)] {
            arrested += &format!(
                "\"{kind}.cycle.g0g1_hours\": 1e6, \"{kind}.death.apoptosis_per_hour\": 0, \
                 \"{kind}.anoikis.attachment\": 1, \"{kind}.mechanics.e_cadherin\": {e_cadherin}, "
            );
        }
        simulation(&format!(
            "duration: Hours(100), step: Minutes(2), \
             sites: [(name: \"dish\", organ: Medium, size_um: (800, 800, 800), voxel_um: (80, 80, 80))], \
             variants: [(name: \"firm\", like: \"cancer\", heritable: {{}}), (name: \"loose\", like: \"cancer\", heritable: {{}})], \
             populations: [{populations}], parameters: {{{arrested}}}"
        ))
    };
    let lattice = scene(&format!(
        "(cell: \"firm\", place: Ball(radius_um: {BALL_UM}))"
    ));
    let mut dice = 1_u64;
    let mut places = String::new();
    for (cell, _) in kinds(&lattice) {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let kind = if dice >> 63 == 0 { "firm" } else { "loose" };
        let [x, y, z] = cell.from_middle.to_array();
        places += &format!("(at_um: ({x:.3}, {y:.3}, {z:.3}), cell: \"{kind}\"), ");
    }
    scene(&format!("(cell: \"firm\", place: Cells([{places}]))"))
}

/// All cells, each with whether it is one of those that hold firmly.
fn kinds(simulation: &Simulation) -> Vec<(Cell, bool)> {
    let world = simulation.world();
    let firm = world
        .resource::<CellTypeNames>()
        .0
        .iter()
        .position(|name| name == "firm");
    let mut query = world.try_query::<&CellType>().expect("there are cells");
    let types = query.iter(world).map(|of| Some(usize::from(of.0)) == firm);
    cells(simulation).into_iter().zip(types).collect()
}

/// Share of contacts that are between the kinds, and the mean distance of each from the middle, um.
fn mixing(simulation: &Simulation) -> (f64, [f64; 2]) {
    let cells = kinds(simulation);
    let law = ContactLaw::Cohesive;
    let reach = f64::from(law.reach() * law.contact_per_body());
    let radius = |cell: &Cell| (0.75 * cell.volume_um3 / std::f64::consts::PI).cbrt();
    let (mut unlike, mut all) = (0.0, 0.0);
    for (row, (own, kind)) in cells.iter().enumerate() {
        for (other, of) in &cells[row + 1..] {
            let far = own.from_middle.distance(other.from_middle);
            if far < reach * (radius(own) + radius(other)) {
                all += 1.0;
                unlike += f64::from(u8::from(kind != of));
            }
        }
    }
    let far = |kind: bool| {
        let of = cells.iter().filter(|(_, of)| *of == kind);
        let far: Vec<f64> = of.map(|(cell, _)| cell.from_middle.length()).collect();
        far.iter().sum::<f64>() / far.len() as f64
    };
    (unlike / all, [far(true), far(false)])
}

#[test]
#[ignore = "three days of 4000 cells, twice: a minute; run with `cargo test --release -- --ignored`"]
fn firm_and_loose_cells_sort_within_three_days_of_whole_steps_and_equal_ones_stay_mixed() {
    // An epithelial cell has 1; a pair of each kind pulls with 0.4 and 0.02 um/min.
    assert_eq!(ContactParameters::default().e_cadherin, 1.0);
    let [sorted, same] = [(2.0, 0.1), (1.0, 1.0)].map(|(firm, loose)| {
        let mut simulation = mixed(firm, loose);
        let (before, _) = mixing(&simulation);
        live(&mut simulation, 72.0);
        let (after, [inside, outside]) = mixing(&simulation);
        println!(
            "{} cells, E-cadherin {firm} and {loose}: contacts between the kinds {before:.3}, after 72 h {after:.3}; \
             {inside:.0} and {outside:.0} um from the middle",
            simulation.cell_count()
        );
        (after / before, outside - inside)
    });
    assert!(sorted.0 < 0.5 && sorted.1 > 10.0, "{sorted:?}");
    assert!(same.0 > 0.9 && same.1.abs() < 5.0, "{same:?}");
}
