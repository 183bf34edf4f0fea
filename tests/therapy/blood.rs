//! Levels in blood against published ones.

use tumorscape::biology::therapy::{Course, Dose, Drugs, Patient, Pharmacy, prescribe};

use super::*;

/// Levels in blood, ug/mL, every hour, of so many doses.
fn levels(name: &str, dose: Dose, every_days: f64, times: u32, days: f64) -> Vec<f64> {
    let drugs = Drugs {
        list: vec![shipped(name)],
        body: Patient::Human,
    };
    let (drug, dose_ug, route) = prescribe(&drugs, name, dose, None).expect("it can be given");
    let mut pharmacy = Pharmacy::default();
    pharmacy.begin(Course {
        drug: drug as u32,
        dose_ug,
        route,
        start_minutes: 0.0,
        every_minutes: every_days * 1440.0,
        times,
        given: 0,
    });
    let hours = (days * 24.0).round() as u64;
    let found = (0..hours).map(|hour| {
        let from = hour as f64 * 60.0;
        pharmacy.advance(&drugs, from, from + 60.0);
        pharmacy.plasma_ug_per_ml(&drugs, 0)
    });
    found.collect()
}

#[test]
fn bevacizumab_has_its_published_trough_and_half_life() {
    // 5 mg/kg every two weeks: before the dose of day 84 the median is 80.3 ug/mL.
    let found = levels("anti_vegf", Dose::MgPerKg(5.0), 14.0, 6, 84.0);
    let trough = found.last().expect("84 days");
    assert!((trough / 80.3 - 1.0).abs() < 0.15, "{trough}");
    // It is gone by half in 19.6 to 20 days, once it is spread.
    let found = levels("anti_vegf", Dose::MgPerKg(5.0), 1.0, 1, 80.0);
    let (early, late) = (found[40 * 24], found[79 * 24]);
    let half_life = 39.0 * std::f64::consts::LN_2 / (early / late).ln();
    assert!((half_life / 19.8 - 1.0).abs() < 0.10, "{half_life}");
    let drug = shipped("anti_vegf");
    let exact = drug.human.expect("it is known").half_life_days();
    assert!(
        (half_life / exact - 1.0).abs() < 1e-4,
        "{half_life}, {exact}"
    );
}

#[test]
fn pembrolizumab_has_the_levels_of_its_published_model() {
    // 200 mg every three weeks: a peak of about 75 ug/mL, a trough of about 17 after the first dose and of 39 in the end.
    let found = levels("anti_pd_1", Dose::Mg(200.0), 21.0, 12, 12.0 * 21.0);
    let peak = found[..21 * 24].iter().copied().fold(0.0, f64::max);
    let (first, last) = (found[21 * 24 - 1], found[12 * 21 * 24 - 1]);
    assert!((peak / 75.0 - 1.0).abs() < 0.15, "{peak}");
    assert!((first / 17.0 - 1.0).abs() < 0.15, "{first}");
    assert!((last / 39.0 - 1.0).abs() < 0.15, "{last}");
}

#[test]
fn a_dose_of_chemotherapy_is_enough_for_five_sixths_of_the_cells_that_cycle() {
    // 2 uM that are gone by half in a day: the hours for which cells are killed at most, times the share of the cycle in G2 and M.
    let drug = shipped("chemotherapy");
    let drugs = Drugs {
        list: vec![drug.clone()],
        body: Patient::Mouse,
    };
    let dose = Dose::MgPerKg(10.0);
    let (_, dose_ug, route) = prescribe(&drugs, "chemotherapy", dose, None).expect("it can");
    let kinetics = drug.mouse.expect("it is known");
    let mut amounts = tumorscape::biology::therapy::Amounts::default();
    amounts.give(&kinetics, route, dose_ug);
    let mut exposure = 0.0;
    for _ in 0..30 * 24 * 60 {
        let nm = drug.nm(amounts.level_ug_per_ml(&kinetics));
        exposure += nm / (nm + 92.0) / 60.0;
        amounts.advance(&kinetics, 1.0);
    }
    let killed = 1.0 - (-0.06 * exposure * 5.0 / 18.0_f64).exp();
    assert!((killed - 0.835).abs() < 0.01, "{killed}");
}
