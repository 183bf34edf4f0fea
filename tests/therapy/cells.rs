//! What treatments do to cells, counted on cells.

use tumorscape::biology::checkpoint::Checkpoint;
use tumorscape::biology::therapy::{Irradiated, RadiosensitivityParameters};
use tumorscape::cell::{Position, Resident, State, Vital};
use tumorscape::core::CellId;
use tumorscape::tissue::SiteId;

use super::*;

/// How many cells live.
fn living(simulation: &Simulation) -> usize {
    let world = simulation.world();
    let mut query = world.try_query::<&Vital>().expect("cells are there");
    query.iter(world).filter(|vital| vital.is_alive()).count()
}

/// Cells far from each other that cycle in 18 h, or rest, in a drug that keeps its level.
fn dish(rests: bool, nm: f64) -> String {
    let entry = if rests { "1e6" } else { "4.98" };
    let dose = mg(&shipped("chemotherapy"), nm);
    // Its level in the dish is that in blood.
    let drug = kept("chemotherapy", |drug| {
        drug.tissue.diffusivity_um2_per_min = 1e7;
        drug.tissue.loss_per_min = 0.0;
        drug.tissue.every_minutes = 6.0;
    });
    format!(
        r#"(title: "dish", about: "cells in a drug", pace: Calibrated, duration: Days(3), step: Minutes(6),
        sites: [(name: "dish", organ: Medium, size_um: (600, 600, 600), voxel_um: (60, 60, 60), fields: [
            (molecule: "oxygen", level: 100), (molecule: "chemotherapy", level: 0, faces: Held)])],
        drugs: [{drug}],
        cell_types: [(name: "cancer", about: "cycles", colour: (1, 1, 1), tumour: true, body: (volume_um3: 500, nucleus_um3: 100),
            cycle: (g0g1_hours: {entry}, s_hours: 8, g2_hours: 4, m_hours: 1, g0g1_stages: 0, max_pressure: 1e6),
            death: (apoptosis_per_hour: 0), chemosensitivity: ())],
        populations: [(cell: "cancer", place: Scatter(per_mm3: 7000))],
        timeline: [At(Hours(0), Give(drug: "chemotherapy", mg: {dose}))])"#
    )
}

#[test]
fn chemotherapy_kills_in_g2_and_mitosis_and_spares_cells_that_rest() {
    let count = |rests: bool, nm: f64| {
        let mut simulation = begin(&dish(rests, nm), 3);
        let start = living(&simulation);
        run(&mut simulation, 36.0 * 60.0);
        (start, living(&simulation))
    };
    // Cells that rest in G0/G1; some begin in other phases and get there, dying on the way or not.
    let (start, with) = count(true, 2000.0);
    let (_, without) = count(true, 1e-6);
    assert!(start > 1000, "{start}");
    // Two cycles: each line of descent is in G2 and M for twice 5 h.
    let (_, treated) = count(false, 2000.0);
    let (_, control) = count(false, 1e-6);
    let hill = 2000.0 / 2092.0;
    let expected = (-0.06 * hill * 10.0_f64).exp();
    let found = treated as f64 / control as f64;
    // A branching process of 1500 lines: the share of lines that are lost has a standard deviation of 1 to 2 %.
    assert!((found / expected - 1.0).abs() < 0.08, "{found}, {expected}");
    // Of those that rest only what began in G2, M or S has ever been at risk.
    let lost = 1.0 - with as f64 / without as f64;
    assert!(lost < 0.01, "{lost}");
}

#[test]
fn radiation_leaves_the_share_that_the_linear_quadratic_law_says_and_hypoxia_protects() {
    let scene = |mmhg: f32| {
        format!(
            r#"(title: "beam", about: "cells in a dish", pace: Calibrated, duration: Days(1),
            sites: [(name: "dish", organ: Medium, size_um: (600, 600, 600), voxel_um: (60, 60, 60), fields: [(molecule: "oxygen", level: {mmhg})])],
            cell_types: [(name: "cancer", about: "rests", colour: (1, 1, 1), tumour: true, body: (volume_um3: 500, nucleus_um3: 100),
                death: (apoptosis_per_hour: 0, necrosis_delay_hours: 1e9), radiosensitivity: ())],
            populations: [(cell: "cancer", place: Scatter(per_mm3: 14000))],
            timeline: [At(Minutes(2), Irradiate(gray: 3, place: Box(min_um: (-300, -300, -300), max_um: (0, 300, 300))))])"#
        )
    };
    let of = RadiosensitivityParameters::default();
    for mmhg in [0.5_f32, 3.0, 100.0] {
        let mut simulation = begin(&scene(mmhg), 5);
        run(&mut simulation, 3.0);
        let world = simulation.world();
        let mut query = world
            .try_query::<(&Position, &Irradiated)>()
            .expect("cells are there");
        let (mut inside, mut struck) = (0.0, 0.0);
        for (position, irradiated) in query.iter(world) {
            if position.0.x <= 0.0 {
                inside += 1.0;
                struck += f64::from(u8::from(irradiated.is_struck));
                assert_eq!(irradiated.gray, 3.0);
            } else {
                assert_eq!((irradiated.gray, irradiated.is_struck), (0.0, false));
            }
        }
        // By hand: the dose counts as (3 p + 3) / (3 (p + 3)) of it.
        let p = f64::from(mmhg);
        let dose = 3.0 * (3.0 * p + 3.0) / (3.0 * (p + 3.0));
        let survive = (-0.3 * dose - 0.03 * dose * dose).exp();
        let deviation = (survive * (1.0 - survive) / inside).sqrt();
        let found = 1.0 - struck / inside;
        assert!(
            (found - survive).abs() < 4.0 * deviation,
            "{mmhg}: {found}, {survive}"
        );
        assert!((f64::from(of.survival(3.0, mmhg)) - survive).abs() < 1e-5);
    }
}

#[test]
fn struck_cells_die_within_days_and_all_others_live() {
    let scene = r#"(title: "beam", about: "cells in a dish", pace: Calibrated, duration: Days(20), step: Minutes(30),
        sites: [(name: "dish", organ: Medium, size_um: (300, 300, 300), voxel_um: (60, 60, 60), fields: [(molecule: "oxygen", level: 100)])],
        cell_types: [(name: "cancer", about: "rests", colour: (1, 1, 1), tumour: true, body: (volume_um3: 500, nucleus_um3: 100),
            death: (apoptosis_per_hour: 0), radiosensitivity: ())],
        populations: [(cell: "cancer", place: Scatter(per_mm3: 14000))],
        timeline: [At(Minutes(30), Irradiate(gray: 2))])"#;
    let mut simulation = begin(scene, 5);
    run(&mut simulation, 60.0);
    let world = simulation.world();
    let mut query = world.try_query::<&Irradiated>().expect("cells are there");
    let all = query.iter(world).count();
    let struck = query.iter(world).filter(|of| of.is_struck).count();
    assert!(struck > 50, "{struck}");
    run(&mut simulation, 20.0 * 1440.0);
    assert_eq!(living(&simulation), all - struck);
}

#[test]
fn an_antibody_holds_the_share_of_pd_1_that_its_level_says() {
    let drug = shipped("anti_pd_1");
    let effect = &drug.effects["holds_pd_1"];
    assert_eq!(effect.input, "checkpoint.blocked");
    for nm in [0.4, 4.0, 40.0] {
        let scene = format!(
            r#"(title: "held", about: "T cells in an antibody", pace: Calibrated, duration: Hours(2),
            sites: [(name: "dish", organ: Medium, size_um: (200, 200, 200), fields: [
                (molecule: "oxygen", level: 100), (molecule: "glucose", level: 5.5), (molecule: "anti_pd_1", level: 0, faces: Held)])],
            drugs: [(name: "anti_pd_1", label: "anti-PD-1", about: "keeps its level", molar_mass_g_per_mol: 149000, mouse: {STAYS},
                tissue: (diffusivity_um2_per_min: 1e7, every_minutes: 1),
                effects: {{"holds_pd_1": (input: "checkpoint.blocked", law: HillAdd(half: 4, gain: 1), about: "holds", source: "a test")}},
                source: "a test")],
            populations: [(cell: "cd8_t_cell", place: Scatter(per_mm3: 1000))],
            timeline: [At(Hours(0), Give(drug: "anti_pd_1", mg: {}))])"#,
            mg(&drug, nm)
        );
        let mut simulation = begin(&scene, 1);
        run(&mut simulation, 10.0);
        let world = simulation.world();
        let mut query = world.try_query::<&Checkpoint>().expect("cells are there");
        let expected = nm / (nm + 4.0);
        assert!(query.iter(world).count() > 3);
        for checkpoint in query.iter(world) {
            assert!((f64::from(checkpoint.blocked) / expected - 1.0).abs() < 0.01);
        }
    }
}

#[test]
fn surgery_takes_the_cells_of_its_region_and_type_and_a_transfer_brings_as_many_as_are_given() {
    let scene = r#"(title: "surgery", about: "cells of two types", pace: Illustrative, duration: Hours(4),
        sites: [(name: "breast", organ: Breast, size_um: (240, 240, 240), perfusion_length_um: 100,
            fields: [(molecule: "oxygen", level: 60), (molecule: "glucose", level: 5.5)])],
        populations: [(cell: "cancer", place: Ball(radius_um: 60)), (cell: "fibroblast", place: Ball(center_um: (0, 0, 90), radius_um: 25))],
        timeline: [
            At(Minutes(3), Resect(place: Ball(radius_um: 120), cells: ["cancer"])),
            At(Minutes(10), Transfer(cell: "cd8_t_cell", cells: 37, over: Hours(1))),
        ])"#;
    let mut simulation = begin(scene, 2);
    let counts = |simulation: &Simulation| {
        ["cells_cancer", "cells_fibroblast", "cells_cd8_t_cell"]
            .map(|name| simulation.metrics()[0].get(name).unwrap_or(0.0))
    };
    // Up to the step of surgery, in which nobody that is taken away divides.
    run(&mut simulation, 3.0);
    let [cancer, fibroblasts, _] = counts(&simulation);
    assert!(cancer > 30.0 && fibroblasts > 3.0);
    run(&mut simulation, 2.0);
    assert_eq!(counts(&simulation), [0.0, fibroblasts, 0.0]);
    assert_eq!(simulation.metrics()[0].get("resected_cells"), Some(cancer));
    run(&mut simulation, 30.0);
    let half = simulation.metrics()[0]
        .get("transferred_cells")
        .expect("it is counted");
    assert!((10.0..=20.0).contains(&half), "{half}");
    run(&mut simulation, 60.0);
    assert_eq!(simulation.metrics()[0].get("transferred_cells"), Some(37.0));
}

/// A tumour in tissue that blood supplies, with these drugs on call and this timeline.
fn tumour(on_call: &str, timeline: &str) -> Simulation {
    begin(
        &format!(
            r#"(title: "tumour", about: "without what the drugs are made for", pace: Illustrative, duration: Hours(20), step: Minutes(2),
            sites: [(name: "breast", organ: Breast, size_um: (240, 240, 240), perfusion_length_um: 100,
                fields: [(molecule: "oxygen", level: 40), (molecule: "glucose", level: 5.5), (molecule: "lactate", level: 1)])],
            populations: [(cell: "cancer", place: Ball(radius_um: 70)), (cell: "fibroblast", place: Scatter(per_mm3: 3000, outside_um: 75))],
            on_call: [{on_call}], timeline: [{timeline}])"#
        ),
        7,
    )
}

/// Where each cell is and how it is, to the bit.
fn cells(simulation: &Simulation) -> Vec<(CellId, SiteId, [u32; 3], State)> {
    let world = simulation.world();
    let mut query = world
        .try_query::<(&CellId, &Resident, &Position, &Vital)>()
        .expect("cells are there");
    let mut found: Vec<_> = query
        .iter(world)
        .map(|(id, site, at, vital)| (*id, site.0, at.0.to_array().map(f32::to_bits), vital.state))
        .collect();
    found.sort_unstable_by_key(|(id, ..)| *id);
    found
}

#[test]
fn a_drug_whose_target_is_absent_changes_nothing_to_the_bit() {
    // No T cell, no VEGF-A, no TGF-beta, no matrix: nothing that these could change. The last two are not given.
    let mut plain = tumour("", "");
    let mut treated = tumour(
        r#""chemotherapy", "vitamin_d_analogue""#,
        r#"At(Hours(1), Give(drug: "anti_pd_1", mg_per_kg: 10)), At(Hours(1), Give(drug: "anti_pd_l1", mg_per_kg: 10)),
            At(Hours(2), Give(drug: "anti_vegf", mg_per_kg: 10)), At(Hours(2), Give(drug: "anti_vegfr2", mg_per_kg: 10)),
            At(Hours(2), Give(drug: "losartan", mg_per_kg: 10, route: Oral)), At(Hours(2), Give(drug: "tgf_beta_inhibitor", mg_per_kg: 10)),
            At(Hours(3), Give(drug: "collagenase", mg_per_kg: 1, every: Hours(4), times: 3))"#,
    );
    for simulation in [&mut plain, &mut treated] {
        run(simulation, 16.0 * 60.0);
    }
    assert!(mean(values(&treated, 0, "anti_pd_1")) > 0.0);
    assert_eq!(cells(&plain), cells(&treated));
    for molecule in ["oxygen", "glucose", "lactate"] {
        assert_eq!(values(&plain, 0, molecule), values(&treated, 0, molecule));
    }
}

#[test]
fn a_receptor_antagonist_hides_its_molecule_from_those_who_perceive_it() {
    // TGF-beta wakes fibroblasts; under the inhibitor they perceive next to nothing of it.
    let woken = |timeline: &str| {
        let scene = format!(
            r#"(title: "hidden", about: "fibroblasts in TGF-beta", pace: Calibrated, duration: Days(2), step: Minutes(5),
            sites: [(name: "breast", organ: Breast, size_um: (200, 200, 200), perfusion_length_um: 100, fields: [
                (molecule: "oxygen", level: 60), (molecule: "tgf_beta", level: 0.08)])],
            populations: [(cell: "fibroblast", place: Scatter(per_mm3: 10000))],
            timeline: [{timeline}])"#
        );
        let mut simulation = begin(&scene, 4);
        run(&mut simulation, 30.0 * 60.0);
        let all = simulation.inputs("fibroblast.signal");
        all.iter().map(|(_, value)| f64::from(*value)).sum::<f64>() / all.len() as f64
    };
    let plain = woken("");
    let treated =
        woken(r#"At(Hours(24), Give(drug: "tgf_beta_inhibitor", mg_per_kg: 75, route: Oral))"#);
    assert!((plain / 2.0 - 1.0).abs() < 0.05, "2 ng/mL, found {plain}");
    assert!(treated < 0.15 * plain, "{treated}");
}

#[test]
fn an_inhibitor_of_csf1r_keeps_seven_tenths_of_the_monocytes_out_however_many_are_called() {
    let given = r#"At(Minutes(5), Give(drug: "csf1r_inhibitor", mg: 10, route: Intraperitoneal, every: Hours(4), times: 20))"#;
    // The levels of CCL2 at which 270, 450 and 730 are called in a mm3 and day, without the drug and where there is plenty of it.
    for (ccl2, timeline, share) in [0.1, 0.23, 1.0]
        .into_iter()
        .flat_map(|ccl2| [(ccl2, "", 1.0), (ccl2, given, 0.3)])
    {
        let scene = format!(
            r#"(title: "called", about: "monocytes", pace: Calibrated, duration: Days(4), step: Minutes(5),
            sites: [(name: "breast", organ: Breast, size_um: (320, 320, 320), voxel_um: (40, 40, 40), perfusion_length_um: 100,
                fields: [(molecule: "ccl2", level: {ccl2:?}, faces: Held)], tissue: (recruitment: (scale: 30)))],
            parameters: {{"molecules.ccl2.decay_per_min": 0}},
            rules: [Delete("mdsc.ccl2_calls_myeloid_cells")],
            timeline: [{timeline}])"#
        );
        let mut simulation = begin(&scene, 5);
        let came = |simulation: &Simulation| {
            let came = simulation.metrics()[0].get("cells_called_in");
            came.expect("it is counted")
        };
        // Until there is plenty of it.
        run(&mut simulation, 120.0);
        let start = came(&simulation);
        run(&mut simulation, 1440.0);
        let found = came(&simulation) - start;
        let called: f64 = 900.0 * ccl2 / (0.23 + ccl2);
        let expected = 30.0 * 0.32_f64.powi(3) * called * share;
        assert!(
            (found - expected).abs() < 4.0 * expected.sqrt(),
            "{ccl2} nM: {found}, {expected}"
        );
    }
}
