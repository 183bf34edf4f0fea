//! How many cells enter vessels, and with whom.

use tumorscape::biology::IntravasationParameters;
use tumorscape::biology::dissemination::intravasation::cluster_of;
use tumorscape::cell::mechanics::{Bond, BondKindId, Bonds};
use tumorscape::core::{CellId, Purpose, RandomKey};

use super::*;

const DICE: Purpose = Purpose::of("test.cluster");

/// Cells in a row of columns, each bound to its neighbours, and how many leave together in so many draws.
pub fn clusters(cohesion: f32, draws: u64) -> Vec<usize> {
    let side = 30_u64;
    let mut bonds = Bonds::default();
    let at = |x: u64, y: u64| CellId(x + side * y);
    for y in 0..side {
        for x in 0..side {
            for (nx, ny) in [(x + 1, y), (x, y + 1), (x + 1, y + 1)] {
                if nx < side && ny < side {
                    bonds.add(Bond::new(BondKindId(0), [at(x, y), at(nx, ny)], 17.0, 1.0));
                }
            }
        }
    }
    let of = IntravasationParameters::default();
    let middle = at(side / 2, side / 2);
    (0..draws)
        .map(|draw| {
            let mut random = RandomKey(5).stream(CellId(draw), 0, DICE);
            cluster_of(middle, cohesion, &bonds, &of, &mut random, |_| true).len()
        })
        .collect()
}

#[test]
fn few_events_are_clusters_of_four_cells_on_average() {
    // 2-5 % of events, 4 cells on average, at most 10: of hybrid cells, and of epithelial ones, whose cohesion is 3.2.
    for cohesion in [1.0, 3.2] {
        let sizes = clusters(cohesion, 100_000);
        let several: Vec<f64> = sizes
            .iter()
            .filter(|n| **n > 1)
            .map(|n| *n as f64)
            .collect();
        let share = several.len() as f64 / sizes.len() as f64;
        assert!((0.02..0.05).contains(&share), "{cohesion}: {share}");
        let mean = several.iter().sum::<f64>() / several.len() as f64;
        assert!((3.2..4.8).contains(&mean), "{cohesion}: {mean}");
        assert!(sizes.iter().all(|n| *n <= 10));
    }
}

#[test]
fn without_e_cadherin_nobody_leaves_with_another() {
    assert!(clusters(0.0, 100_000).iter().all(|n| *n == 1));
}

/// Cells that enter the blood from a block of tissue with leaky capillaries, and what is expected by the cells that lie within 10 um of one.
fn entered(rules: &str, more: &str, days: u64, k0: f32) -> (f64, f64) {
    let block = r#"(
        name: "breast", organ: Breast, size_um: (400, 400, 400), fields: [],
        tissue: (vessels: [(place: Tree(density_mm_per_mm3: 100), like: Tumour)]),
    )"#;
    let more = format!("intravasation: (per_day: {k0}), {more}");
    let cells = native(&more, rules);
    let population = r#"(cell: "native", place: Scatter(per_mm3: 60000))"#;
    let text = scene(block, &cells, "weight: 8000", population, "Minutes(60)");
    let mut simulation = simulation(&text, 4);
    let mut expected = 0.0;
    for _ in 0..24 * days {
        expected += near_walls(&simulation) * f64::from(k0) / 24.0;
        run(&mut simulation, 1);
    }
    let entered = metric(&simulation, "entered_singles") + metric(&simulation, "entered_clusters");
    (entered, expected)
}

/// Cells of the first site within 10 um of the wall of a perfused vessel, each times how leaky that wall is.
fn near_walls(simulation: &Simulation) -> f64 {
    use tumorscape::biology::vasculature::Network;
    use tumorscape::cell::{Position, Resident};
    use tumorscape::tissue::Sites;
    let world = simulation.world();
    let network = world
        .get::<Network>(world.resource::<Sites>().list[0].entity)
        .expect("it has vessels");
    let mut cells = world
        .try_query::<(&Position, &Resident)>()
        .expect("there are cells");
    let mut sum = 0.0;
    for (position, resident) in cells.iter(world) {
        if resident.0.is_transit() {
            continue;
        }
        let mut nearest = (f32::INFINITY, 0.0);
        for (number, segment) in network.segments().iter().enumerate() {
            if !segment.perfused {
                continue;
            }
            let [a, b] = network.places_um(number);
            let along = ((position.0 - a).dot(b - a) / (b - a).length_squared()).clamp(0.0, 1.0);
            let away = (a + (b - a) * along).distance(position.0) - segment.radius_um;
            if away < nearest.0 {
                nearest = (away, segment.permeability);
            }
        }
        if nearest.0 <= 10.0 {
            sum += f64::from((nearest.1 / 10.0).min(2.0));
        }
    }
    sum
}

#[test]
fn cells_at_walls_enter_at_the_rate_and_rules_change_it() {
    let (found, expected) = entered("", "", 2, 0.4);
    assert!(expected > 100.0, "{expected}");
    assert!(
        (found - expected).abs() < 4.0 * expected.sqrt(),
        "{found} of {expected}"
    );
    let half = r#""block": (input: "intravasation.rate", by: "body.volume", law: Hill(half: 1e-6, to: 0.1)),"#;
    let (fewer, _) = entered(half, "", 2, 0.4);
    assert!(fewer < 0.5 * found, "{fewer} of {found}");
}

#[test]
fn a_block_sheds_ten_cells_a_day_from_a_milligram() {
    // Mean density of vessels 100 mm/mm3 and confluent tissue of 1.67e5 cells/mm3, 6.3 % of which lie within 10 um: at 9.5e-4 /d each 10 a day.
    // Scattered points stand for cells: where none overlap nothing is pushed into the walls.
    let block = r#"(name: "breast", organ: Breast, size_um: (400, 400, 400), fields: [])"#;
    let cells = native("intravasation: (per_day: 9.5e-4, unseen_wall: 1),", "");
    let population = r#"(cell: "native", place: Scatter(per_mm3: 167000))"#;
    let text = scene(block, &cells, "weight: 15625", population, "Minutes(60)");
    // 0.064 mg: 0.64 a day. As many as 400 events are wanted of some blocks, so the days go by a thousand times as fast.
    let text = text.replace("per_day: 9.5e-4", "per_day: 0.095");
    let mut simulation = simulation(&text, 9);
    let mut days = 0.0;
    let mut cell_days = 0.0;
    while metric(&simulation, "entered_singles") < 400.0 {
        cell_days += simulation.cell_count() as f64 / 24.0;
        run(&mut simulation, 1);
        days += 1.0 / 24.0;
    }
    // Cells that left leave fewer behind: by the cells that were there, of 1.67e5 in a milligram, a hundredth of the rate.
    let per_mg_and_day = metric(&simulation, "entered_singles") / cell_days * 1.67e5 / 100.0;
    assert!(
        (per_mg_and_day - 10.0).abs() < 1.0,
        "{per_mg_and_day} after {days} d"
    );
    assert_eq!(metric(&simulation, "body_weight"), 15_625.0);
}
