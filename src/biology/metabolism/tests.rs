//! Metabolism against what Casciari et al. 1992 measured, stoichiometry and hand-computed bookings.

use super::*;
use crate::cell::testing::*;
use crate::cell::{BodyParameters, State};
use crate::tissue::{SiteEntry, TissueBlock};

fn around(oxygen_mmhg: f32, glucose_mm: f32, lactate_mm: f32) -> Surroundings {
    Surroundings {
        oxygen_mmhg,
        glucose_mm,
        lactate_mm,
        ..Surroundings::default()
    }
}

#[test]
fn scarce_glucose_raises_respiration_as_casciari_found() {
    let parameters = MetabolismParameters::default();
    let factor = |glucose, ph| parameters.respiration_factor(glucose, ph);
    assert!((factor(0.4, 7.25) - 1.95).abs() < 0.01);
    assert!((factor(5.5, 7.25) - 1.04).abs() < 0.01);
    // Oxygen consumption about doubles from 5.5 to 0.4 mM; it does not change at pH 6.6.
    assert!((factor(0.4, 7.25) / factor(5.5, 7.25) - 2.0).abs() < 0.2);
    assert_eq!(factor(0.4, 6.6), 1.0);
}

#[test]
fn acid_slows_glycolysis_as_casciari_found() {
    let parameters = MetabolismParameters::default();
    let uptake = |ph| parameters.glucose_capacity_amol_per_s(38.0, 0.0, ph);
    assert!((uptake(6.95) / uptake(7.25) - 0.4).abs() < 1e-3);
    assert!((uptake(5.5) / uptake(7.25) - 0.1).abs() < 1e-3);
    assert_eq!(uptake(7.4), uptake(7.25));
}

#[test]
fn lack_of_oxygen_raises_glycolysis_around_what_casciari_found() {
    let (parameters, hypoxia) = (
        MetabolismParameters::default(),
        crate::biology::HypoxiaParameters::default(),
    );
    let uptake = |oxygen, hif| parameters.glucose_capacity_amol_per_s(oxygen, hif, 7.25);
    // Without HIF the Pasteur effect saturates at +40 %.
    assert!((uptake(0.0, 0.0) / uptake(1000.0, 0.0) - 1.4).abs() < 1e-3);
    // 0.21 and 0.023 mM: what was measured, +40 %, lies between cells whose HIF has not yet risen and
    // cells whose HIF has.
    let (high, low) = (210.0 / 1.3, 23.0 / 1.3);
    let acute = uptake(low, 0.0) / uptake(high, 0.0);
    let adapted =
        uptake(low, hypoxia.steady_hif_1a(low)) / uptake(high, hypoxia.steady_hif_1a(high));
    assert!(acute < 1.4 && adapted > 1.4, "{acute}, {adapted}");
    // Measured range of glucose uptake, 50-200 amol/s.
    assert!(uptake(160.0, hypoxia.steady_hif_1a(160.0)) >= 50.0);
    assert!(uptake(0.0, 1.0) <= 200.0);
}

#[test]
fn stoichiometry_holds() {
    let parameters = MetabolismParameters::default();
    let chemistry = MetabolismChemistry::default();
    let per_glucose = 6.0 * parameters.atp_per_oxygen + parameters.atp_per_glucose;
    assert!((29.0..=31.0).contains(&per_glucose));
    let normoxic = parameters.rates(
        &chemistry,
        &TransportParameters::default(),
        &around(160.0, 5.5, 1.5),
        0.0,
        2494.0,
    );
    let anoxic = parameters.rates(
        &chemistry,
        &TransportParameters::default(),
        &around(0.0, 5.5, 1.5),
        1.0,
        2494.0,
    );
    assert!((normoxic.lactate_amol_per_s / normoxic.glucose_amol_per_s - 1.6).abs() < 1e-5);
    assert!((anoxic.lactate_amol_per_s / anoxic.glucose_amol_per_s - 2.0).abs() < 1e-5);
    assert_eq!(anoxic.oxygen_amol_per_s, 0.0);
    assert!((anoxic.atp_amol_per_s - 2.0 * anoxic.glucose_amol_per_s).abs() < 1e-3);
    // 8.7 mmHg/s x 1.3 uM/mmHg x 2494 um3 = 28 amol/s, of the order of the 57 measured in one line.
    assert!(
        (normoxic.oxygen_amol_per_s / 28.9 - 1.0).abs() < 0.03,
        "{normoxic:?}"
    );
}

#[test]
fn growth_needs_oxygen_glucose_and_tolerable_acidity() {
    let parameters = MetabolismParameters::default();
    let chemistry = MetabolismChemistry::default();
    let growth =
        |oxygen, glucose, lactate| parameters.growth_factor(oxygen, glucose, chemistry.ph(lactate));
    assert!(growth(38.0, 5.5, 1.5) > 0.99);
    assert!((growth(21.5, 5.5, 1.5) / growth(38.0, 5.5, 1.5) - 0.5).abs() < 1e-5);
    assert_eq!(growth(5.0, 5.5, 1.5), 0.0);
    assert!((growth(38.0, 0.2, 1.5) - 0.5).abs() < 1e-5);
    assert_eq!(growth(38.0, 0.0, 1.5), 0.0);
    assert!((growth(38.0, 5.5, 21.0) / growth(38.0, 5.5, 0.0) - 0.5).abs() < 1e-3);
    assert_eq!(growth(38.0, 5.5, 31.0), 0.0);
}

/// A site of eight voxels of 20 um with ledgers for the given molecules, and cells in voxel 3.
fn tissue(
    molecules: &[Molecule],
    parameters: MetabolismParameters,
    vitals: &[Vital],
) -> (App, Vec<Entity>) {
    let mut app = bench(1.0);
    app.init_resource::<TransportParameters>()
        .add_plugins(MetabolismPlugin);
    set(&mut app, parameters);
    let mut fields = [None; Molecule::ALL.len()];
    let mut ledgers = Vec::new();
    for molecule in molecules {
        let ledger = app.world_mut().spawn(Ledger::new(8)).id();
        fields[*molecule as usize] = Some(ledger);
        ledgers.push(ledger);
    }
    let block = TissueBlock {
        name: "block".into(),
        min_um: Vec3::ZERO,
        dims: UVec3::splat(2),
        voxel_um: Vec3::splat(20.0),
        walls: true,
        perfusion_length_um: None,
    };
    let list = vec![SiteEntry {
        entity: Entity::PLACEHOLDER,
        fields,
        block,
    }];
    app.insert_resource(Sites { list });
    for (id, vital) in vitals.iter().enumerate() {
        let around = Surroundings {
            voxel: 3,
            ..around(38.0, 5.5, 1.5)
        };
        let body = BodyParameters::default().resting_body();
        app.world_mut()
            .spawn((cell(id as u64, around), body, *vital, Metabolism::default()));
    }
    (app, ledgers)
}

#[test]
fn what_cells_burn_is_booked_in_their_voxel() {
    let molecules = [Molecule::Oxygen, Molecule::Glucose, Molecule::Lactate];
    let dead = Vital {
        state: State::NecroticLysed,
        ..Vital::default()
    };
    let vitals = [Vital::default(), dead, Vital::default()];
    let (mut app, ledgers) = tissue(&molecules, MetabolismParameters::default(), &vitals);
    step(&mut app);
    let ledger = |index: usize| app.world().get::<Ledger>(ledgers[index]).unwrap();
    let filled = 2.0 * 2494.0 / 8000.0;
    let respiration = 1.0 + 1.1 / (1.0 + 5.5 * 5.5);
    let oxygen = ledger(0).capacity().sum(3);
    assert!(
        (oxygen / (8.7 * 60.0 * filled * respiration) - 1.0).abs() < 1e-4,
        "{oxygen}"
    );
    // Two cells, 50 amol/s and 2.6 % more by the Pasteur effect at 38 mmHg, in 8000 um3 (1 mM = 1 amol/um3).
    let uptake = 50.0 * (1.0 + 0.4 * (1.0 - 38.0_f32 * 38.0 / (100.0 + 38.0 * 38.0)));
    let glucose = ledger(1).capacity().sum(3);
    assert!(
        (glucose / (2.0 * uptake * 60.0 / 8000.0) - 1.0).abs() < 1e-4,
        "{glucose}"
    );
    let lactate = ledger(2).source().sum(3);
    assert!(
        (lactate / (glucose * 5.5 / 6.0 * 1.6) - 1.0).abs() < 1e-4,
        "{lactate}"
    );
    assert_eq!(ledger(0).capacity().sum(0), 0.0);
}

#[test]
fn cells_live_without_fields_and_the_dead_have_no_growth() {
    let dead = Vital {
        state: State::Apoptotic,
        ..Vital::default()
    };
    let (mut app, _) = tissue(
        &[],
        MetabolismParameters::default(),
        &[Vital::default(), dead],
    );
    step(&mut app);
    let world = app.world_mut();
    let mut growth: Vec<_> = world
        .query::<(&crate::core::CellId, &Growth, &Metabolism)>()
        .iter(world)
        .map(|(id, growth, metabolism)| (id.0, growth.factor, metabolism.atp_amol_per_s))
        .collect();
    growth.sort_by_key(|(id, ..)| *id);
    assert!(growth[0].1 > 0.99 && growth[0].2 > 0.0);
    assert_eq!((growth[1].1, growth[1].2), (0.0, 0.0));
}

#[test]
fn the_first_order_law_books_a_rate_constant() {
    let parameters = MetabolismParameters {
        oxygen_law: OxygenLaw::FirstOrder,
        ..MetabolismParameters::default()
    };
    let (mut app, ledgers) = tissue(&[Molecule::Oxygen], parameters, &[Vital::default()]);
    step(&mut app);
    let ledger = app.world().get::<Ledger>(ledgers[0]).unwrap();
    assert!((ledger.rate().sum(3) - 10.0 * 2494.0 / 8000.0).abs() < 1e-3);
    assert_eq!(ledger.capacity().sum(3), 0.0);
}
