//! What a cluster is worth, over a single cell (target: 15-60 times as many metastases per event, Aceto et al. 2014: 23-50; none without E-cadherin).

use tumorscape::biology::IntravasationParameters;
use tumorscape::biology::dissemination::Journeys;
use tumorscape::core::rule::{BLOCK, RuleBook, RuleProgram};
use tumorscape::scene::CellLibrary;

use super::entry::clusters;
use super::*;

/// Of shipped cancer cells that were injected so many together: how many groups there were, and how many metastases they founded in five days.
fn founded(cells: u32, together: u32) -> (f64, f64) {
    let injection =
        format!(r#"injections: [(cell: "cancer", cells: {cells}, together: {together})]"#);
    let text = scene(NO_ORGAN, "", &injection, "", "Minutes(30)");
    let mut simulation = simulation(&text, 11);
    run(&mut simulation, 2 * 24 * 5);
    let journeys = &simulation.world().resource::<Journeys>().0;
    let grew = journeys
        .iter()
        .filter(|of| of.entry != EntryRoute::Lymph && of.before.is_none());
    let grew = grew.filter(|of| of.grew).count();
    (f64::from(cells / together), grew as f64)
}

/// What the shipped rules of cancer cells make of an input, from its base and what they go by.
fn made_of(input: &str, base: f32, quantities: &[(&str, f32)]) -> f32 {
    let shipped = CellLibrary::shipped().unwrap_or_else(|report| panic!("{report}"));
    let cancer = shipped.get("cancer").expect("it is shipped");
    let rules = cancer.rules.iter();
    let rules = rules.filter(|(_, rule)| rule.input == input);
    let book = RuleBook {
        rules: rules
            .map(|(name, rule)| (name.clone(), rule.clone()))
            .collect(),
        ..RuleBook::default()
    };
    let program = RuleProgram::new(&book, input, (f32::MIN, f32::MAX), |by| {
        let place = quantities.iter().position(|(name, _)| *name == by);
        place.unwrap_or_else(|| panic!("`{by}` is given"))
    });
    let program = program.expect("a rule acts on it");
    let columns: Vec<[f32; 1]> = quantities.iter().map(|(_, value)| [*value]).collect();
    let mut value = [base];
    program.apply(
        &mut value,
        |column| &columns[column][..],
        &mut [[0.0; BLOCK]; 2],
    );
    value[0]
}

/// The cohesion that the shipped rules make of a level of E-cadherin.
fn cohesion(e_cadherin: f32) -> f32 {
    made_of(
        "intravasation.cohesion",
        3.2,
        &[("emt.e_cadherin", e_cadherin)],
    )
}

#[test]
fn shipped_cells_enter_as_often_as_the_calibration_has_them_with_the_mmp_that_they_make() {
    let shipped = CellLibrary::shipped().unwrap_or_else(|report| panic!("{report}"));
    let cancer = shipped.get("cancer").expect("it is shipped");
    let own = cancer.get::<IntravasationParameters>();
    let own = own.expect("it enters vessels");
    // Of the rate 1.9e-3 /d: 0.1, 1 and 1.5 for epithelial, hybrid and mesenchymal cells (AMENDMENTS 3.15 of the reference data). MMP of epithelial ones in a
    // duct is 0.27 nM, five times that of mesenchymal ones.
    for (n_cadherin, expected) in [(0.0, 0.1), (0.6875, 1.0), (0.95, 1.5)] {
        let quantities = [
            ("emt.n_cadherin", n_cadherin),
            ("mmp", 0.27 * (1.0 + 4.0 * n_cadherin)),
            ("intravasation.escort", 0.0),
        ];
        let found = made_of("intravasation.rate", own.per_day, &quantities) / 1.9e-3;
        assert!(
            (found / expected - 1.0).abs() < 0.1,
            "{n_cadherin}: {found} of {expected}"
        );
    }
}

#[test]
fn a_cluster_founds_15_to_60_times_as_many_metastases_as_a_single_cell() {
    let (singles, of_singles) = founded(20_000, 1);
    let (groups, of_groups) = founded(2_400, 4);
    // 35 expected: four cells, 4.4 times as many of which lodge alive, twice as many of which grow. Some 90 of each are seen.
    assert!(
        of_singles > 40.0 && of_groups > 40.0,
        "{of_singles} {of_groups}"
    );
    let fold = (of_groups / groups) / (of_singles / singles);
    println!(
        "of {singles} single cells {of_singles}, of {groups} clusters {of_groups}: {fold:.1} times"
    );
    assert!((15.0..60.0).contains(&fold), "{fold}");
}

#[test]
fn without_e_cadherin_the_shipped_cell_leaves_alone_in_a_hundred_thousand_events() {
    assert!(
        (cohesion(0.3125) - 1.0).abs() < 1e-5,
        "hybrid cells: {}",
        cohesion(0.3125)
    );
    let none = cohesion(0.0);
    assert_eq!(none, 0.0);
    assert!(clusters(none, 100_000).iter().all(|n| *n == 1));
    let hybrid = clusters(cohesion(0.3125), 100_000);
    assert!(hybrid.iter().filter(|n| **n > 1).count() > 2_000);
}
