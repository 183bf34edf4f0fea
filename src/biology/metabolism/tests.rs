//! Metabolism against the figures of Casciari et al. 1992 that it is calibrated to (which shows that the coded laws still
//! meet them, not that they predict anything else), stoichiometry and hand-computed bookings.

use super::*;
use crate::biology::testing::shipped_input;
use crate::cell::contact::CONFLUENT_SHARE;
use crate::cell::testing::*;
use crate::cell::{BodyParameters, Position, State};
use crate::core::columns::tables_with;
use crate::core::parameters::Parameters;
use crate::core::quantity::Quantities;
use crate::tissue::molecule::testing::molecule;
use crate::tissue::{FieldValues, Ledger, Molecules, TissueBlock};

/// Half-saturations of 2 mmHg and 0.5 mM; 1.3 uM of oxygen per mmHg.
const UPTAKE: UptakeConstants = UptakeConstants {
    oxygen_half_mmhg: 2.0,
    glucose_half_mm: 0.5,
    oxygen_nm_per_mmhg: 1300.0,
};

/// How the rules of the shipped cancer cell set the metabolism of a cell with that level of HIF-1a.
fn setting(hif_1a: f32) -> MetabolicSetting {
    let input = |name: &str| shipped_input(name, &[("hif.level", hif_1a)]);
    MetabolicSetting {
        respiration: input(RESPIRATION),
        glycolysis: input(GLYCOLYSIS),
        oxidised_share: input(OXIDISED_SHARE),
    }
}

fn around(oxygen_mmhg: f32, glucose_mm: f32, lactate_mm: f32) -> Metabolites {
    Metabolites {
        oxygen_mmhg,
        glucose_mm,
        lactate_mm,
    }
}

#[test]
fn respiration_meets_the_rise_at_scarce_glucose_it_is_calibrated_to() {
    let parameters = MetabolismParameters::default();
    let factor = |glucose, ph| parameters.respiration_factor(glucose, ph);
    assert!((factor(0.4, 7.25) - 1.95).abs() < 0.01);
    assert!((factor(5.5, 7.25) - 1.04).abs() < 0.01);
    // Oxygen consumption about doubles from 5.5 to 0.4 mM; it does not change at pH 6.6.
    assert!((factor(0.4, 7.25) / factor(5.5, 7.25) - 2.0).abs() < 0.2);
    assert_eq!(factor(0.4, 6.6), 1.0);
}

#[test]
fn glycolysis_meets_the_brake_by_acid_it_is_calibrated_to() {
    let parameters = MetabolismParameters::default();
    let uptake = |ph| parameters.glucose_capacity_amol_per_s(38.0, 1.0, ph);
    assert!((uptake(6.95) / uptake(7.25) - 0.4).abs() < 1e-3);
    assert!((uptake(5.5) / uptake(7.25) - 0.1).abs() < 1e-3);
    assert_eq!(uptake(7.4), uptake(7.25));
}

#[test]
fn glycolysis_of_adapted_cells_meets_the_rise_without_oxygen_it_is_calibrated_to() {
    let (parameters, hypoxia) = (
        MetabolismParameters::default(),
        crate::biology::HypoxiaParameters::default(),
    );
    let uptake =
        |oxygen, hif| parameters.glucose_capacity_amol_per_s(oxygen, setting(hif).glycolysis, 7.25);
    // 0.21 and 0.023 mM in medium, 1.25 uM/mmHg; cells in culture have adapted to their oxygen: +40 %.
    let (high, low) = (210.0 / 1.25, 23.0 / 1.25);
    let adapted =
        uptake(low, hypoxia.steady_hif_1a(low)) / uptake(high, hypoxia.steady_hif_1a(high));
    assert!((adapted / 1.41 - 1.0).abs() < 0.05, "{adapted}");
    // Without the arrow from HIF-1a only the Pasteur effect of the moment is left.
    let without = parameters.glucose_capacity_amol_per_s(low, 1.0, 7.25)
        / parameters.glucose_capacity_amol_per_s(high, 1.0, 7.25);
    assert!((without / 1.09 - 1.0).abs() < 0.01, "{without}");
}

/// What a resting cell burns there.
fn rates(parameters: &MetabolismParameters, oxygen: f32, glucose: f32, hif: f32) -> MetabolicRates {
    parameters.rates(
        &MetabolismChemistry::default(),
        &UPTAKE,
        around(oxygen, glucose, 1.5),
        setting(hif),
        BodyParameters::default().volume_um3,
    )
}

#[test]
fn carbon_and_oxygen_balance_at_any_supply() {
    let parameters = MetabolismParameters::default();
    for oxygen in [0.0, 0.1, 1.0, 5.0, 38.0, 160.0] {
        for glucose in [0.0, 0.05, 1.0, 5.5, 25.0] {
            for hif in [0.0, 0.3, 1.0] {
                let found = rates(&parameters, oxygen, glucose, hif);
                // Three carbons in a lactate, six in a glucose: what is not lactate is burnt, with six O2 a glucose.
                let burnt = found.glucose_amol_per_s - 0.5 * found.exchange.lactate_amol_per_s;
                let slack = 1e-5 * found.glucose_amol_per_s;
                assert!(
                    burnt >= -slack,
                    "more lactate than glucose can give: {found:?}"
                );
                assert!(
                    6.0 * burnt <= found.oxygen_amol_per_s + 6.0 * slack,
                    "more pyruvate burnt than oxygen suffices for: {found:?}"
                );
            }
        }
    }
    // Without oxygen all glucose becomes lactate, two of each, whatever HIF says.
    for hif in [0.0, 0.5, 1.0] {
        let anoxic = rates(&parameters, 0.0, 5.5, hif);
        assert_eq!(
            anoxic.exchange.lactate_amol_per_s,
            2.0 * anoxic.glucose_amol_per_s
        );
        assert_eq!(anoxic.atp_amol_per_s, 2.0 * anoxic.glucose_amol_per_s);
    }
}

#[test]
fn a_glucose_wholly_burnt_gives_about_thirty_atp() {
    // 29.85 (Rich 2003, doi:10.1042/bst0311095).
    let parameters = MetabolismParameters::default();
    let per_glucose = 6.0 * parameters.atp_per_oxygen + parameters.atp_per_glucose;
    assert!((per_glucose - 29.85).abs() < 0.5, "{per_glucose}");
}

#[test]
fn confluent_tissue_takes_up_its_published_uptake_whatever_the_sizes_of_its_cells() {
    let parameters = MetabolismParameters::default();
    let resting = BodyParameters::default().volume_um3;
    let chemistry = MetabolismChemistry::default();
    for volume in [resting, 1.4 * resting, 2.0 * resting] {
        let found = parameters.rates(
            &chemistry,
            &UPTAKE,
            around(1e6, 1e6, 0.0),
            setting(0.0),
            volume,
        );
        // Cells of one size as dense as in relaxed tissue, close-packed at 1.13 diameters, have d^3 / sqrt 2 each.
        let radius = (f64::from(volume) * 3.0 / (4.0 * std::f64::consts::PI)).cbrt();
        let room_um3 = (2.0 * radius * 1.13).powi(3) / 2.0_f64.sqrt();
        // 8.7 mmHg/s of tissue at 1.3 uM/mmHg.
        let expected = 8.7 * 1.3e-3 * room_um3;
        let found = f64::from(found.oxygen_amol_per_s);
        assert!(
            (found / expected - 1.0).abs() < 1e-4,
            "{found}, not {expected}"
        );
    }
}

#[test]
fn atp_is_full_with_plenty_and_glycolysis_of_adapted_cells_makes_up_for_oxygen() {
    let parameters = MetabolismParameters::default();
    let atp = |oxygen, glucose, hif| rates(&parameters, oxygen, glucose, hif).exchange.atp;
    // By hand, for a cell of 2494 um3 that breathes for 4860: 8.7 mmHg/s of 1.3e-3 mM/mmHg are 55.0 amol/s (57 in MIA PaCa-2), of
    // which 38 mmHg leave 0.95, and make 245 amol/s of ATP; 50 amol/s of glucose make 100.
    let ample = 4.7 * 8.7 * 1.3e-3 * 2494.0 / CONFLUENT_SHARE * 0.95 + 100.0;
    let found = parameters.ample_atp_amol_per_s(&UPTAKE, BodyParameters::default().volume_um3);
    assert!((found / ample - 1.0).abs() < 1e-3, "{found}, not {ample}");
    // In anoxia, at pH 7.32: 2 x 50 (1 + 0.4 + 1.5 H) 5.5/6.
    for hif in [0.0, 1.0] {
        let expected = 100.0 * (1.4 + 1.5 * hif) * 5.5 / 6.0 / ample;
        let found = atp(0.0, 5.5, hif);
        assert!(
            (found / expected - 1.0).abs() < 1e-3,
            "{found}, not {expected}"
        );
    }
    assert!(atp(38.0, 5.5, 0.08) > 0.95 && atp(0.0, 5.5, 1.0) > 0.7);
    assert!(atp(0.0, 5.5, 0.0) < 0.6);
    assert_eq!(atp(0.0, 0.0, 1.0), 0.0);
    let lack = rates(&parameters, 0.0, 0.0, 1.0).exchange.atp_lack();
    assert_eq!(lack, 1.0);
}

#[test]
fn starvation_and_acid_are_ramps_between_their_bounds() {
    let parameters = MetabolismParameters::default();
    let starvation = [0.0, 0.05, 0.125, 0.2, 5.5].map(|glucose| parameters.starvation(glucose));
    for (found, expected) in starvation.into_iter().zip([1.0, 1.0, 0.5, 0.0, 0.0]) {
        assert!((found - expected).abs() < 1e-5, "{starvation:?}");
    }
    let harm = [5.5, 6.0, 6.2, 6.4, 7.4].map(|ph| parameters.acid_harm(ph));
    for (found, expected) in harm.into_iter().zip([1.0, 1.0, 0.5, 0.0, 0.0]) {
        assert!((found - expected).abs() < 1e-5, "{harm:?}");
    }
    let wrong = MetabolismParameters {
        starvation_full_mm: 0.3,
        acid_full_ph: 6.5,
        growth_min_mmhg: 40.0,
        growth_ph_min: 7.1,
        respiration_ph_max: 6.5,
        ..parameters.clone()
    };
    assert_eq!(wrong.contradictions().len(), 5);
    assert!(parameters.contradictions().is_empty());
}

#[test]
fn growth_needs_oxygen_as_published_and_glucose_and_tolerable_acidity() {
    let parameters = MetabolismParameters::default();
    let chemistry = MetabolismChemistry::default();
    let growth =
        |oxygen, glucose, lactate| parameters.growth_factor(oxygen, glucose, chemistry.ph(lactate));
    // None below 5 mmHg, in full from 38, linear in between (Ghaffarizadeh et al. 2018).
    assert_eq!(growth(5.0, 5.5, 1.5), 0.0);
    assert!((growth(21.5, 5.5, 1.5) / growth(38.0, 5.5, 1.5) - 0.5).abs() < 1e-5);
    assert_eq!(growth(38.0, 5.5, 1.5), growth(160.0, 5.5, 1.5));
    // Well fed is nearly unhindered; the rest only ever slows.
    assert!(growth(38.0, 5.5, 1.5) > 0.99);
    assert_eq!(growth(38.0, 0.0, 1.5), 0.0);
    let by_glucose = [0.05, 0.2, 1.0, 5.5].map(|glucose| growth(38.0, glucose, 1.5));
    assert!(by_glucose.is_sorted());
    let by_acid = [24.0, 15.0, 11.0, 3.0].map(|lactate| growth(38.0, 5.5, lactate));
    assert!(by_acid.is_sorted() && by_acid[0] == 0.0);
}

/// A site of eight voxels of 20 um with ledgers for the given molecules, and cells in voxel 3.
fn tissue(
    molecules: &[&str],
    parameters: MetabolismParameters,
    vitals: &[Vital],
) -> (App, Vec<Entity>) {
    let mut app = bench(1.0);
    app.add_plugins(MetabolismPlugin);
    let mut oxygen = molecule("oxygen", UPTAKE.oxygen_nm_per_mmhg, 38.0);
    oxygen.half_saturation = UPTAKE.oxygen_half_mmhg;
    let mut glucose = molecule("glucose", 1e6, 5.5);
    glucose.half_saturation = UPTAKE.glucose_half_mm;
    let lactate = molecule("lactate", 1e6, 1.5);
    app.insert_resource(Molecules::new([oxygen, glucose, lactate]));
    set(&mut app, parameters);
    let levels = Molecules::clone(app.world().resource());
    let ledgers: Vec<Entity> = molecules
        .iter()
        .map(|name| {
            let level = levels.named(name).unwrap().background;
            let field = (Ledger::new(8), FieldValues(vec![level; 8]));
            app.world_mut().spawn(field).id()
        })
        .collect();
    let block = TissueBlock {
        name: "block".into(),
        min_um: Vec3::ZERO,
        dims: UVec3::splat(2),
        voxel_um: Vec3::splat(20.0),
        walls: true,
        perfusion_length_um: None,
    };
    let fields: Vec<_> = molecules
        .iter()
        .copied()
        .zip(ledgers.iter().copied())
        .collect();
    add_site(&mut app, block, &fields);
    for (id, vital) in vitals.iter().enumerate() {
        let around = Surroundings {
            voxel: 3,
            ..Surroundings::default()
        };
        let body = BodyParameters::default().resting_body();
        let life = (*vital, Metabolism::default(), Position::default());
        app.world_mut().spawn((cell(id as u64, around), body, life));
    }
    (app, ledgers)
}

#[test]
fn what_cells_burn_is_booked_in_their_voxel() {
    let molecules = ["oxygen", "glucose", "lactate"];
    let dead = Vital {
        state: State::NecroticLysed,
        ..Vital::default()
    };
    let vitals = [Vital::default(), dead, Vital::default()];
    let (mut app, ledgers) = tissue(&molecules, MetabolismParameters::default(), &vitals);
    step(&mut app);
    let ledger = |index: usize| app.world().get::<Ledger>(ledgers[index]).unwrap();
    // Two cells, and the tissue they make up.
    let filled = 2.0 * 2494.0 / CONFLUENT_SHARE / 8000.0;
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
    // Two for each glucose, less two for each that is burnt with six oxygen: at 38 mmHg that is what limits.
    let oxygen_mm_per_min = 1.3e-3 * oxygen * 38.0 / 40.0;
    let expected = 2.0 * (glucose * 5.5 / 6.0 - oxygen_mm_per_min / 6.0);
    assert!((lactate / expected - 1.0).abs() < 1e-4, "{lactate}");
    assert_eq!(ledger(0).capacity().sum(0), 0.0);
}

#[test]
fn cells_live_without_fields_and_the_dead_exchange_nothing() {
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
    let mut lactate: Vec<_> = world
        .query::<(&crate::core::CellId, &Metabolism)>()
        .iter(world)
        .map(|(id, metabolism)| (id.0, metabolism.lactate_amol_per_s))
        .collect();
    lactate.sort_by_key(|(id, _)| *id);
    assert!(lactate[0].1 > 0.0);
    assert_eq!(lactate[1].1, 0.0);
}

#[test]
fn growth_is_told_from_what_is_at_the_cell() {
    let molecules = ["oxygen", "glucose", "lactate"];
    let cells = [Vital::default()];
    let (mut app, fields) = tissue(&molecules, MetabolismParameters::default(), &cells);
    let world = app.world_mut();
    // Where the cell is, and elsewhere.
    for (field, [here, elsewhere]) in fields.iter().zip([[21.5, 160.0], [0.2, 25.0], [12.6, 0.0]]) {
        let mut values = vec![elsewhere; 8];
        values[0] = here;
        world.entity_mut(*field).insert(FieldValues(values));
    }
    let idle = world.spawn((cell(9, Surroundings::default()), Position::default()));
    let idle = idle.id();
    let known = world.resource::<Quantities>();
    let growth = known.of_cells("metabolism.growth").expect("registered");
    let reader = growth.reader(world);
    let table = tables_with::<Metabolism>(world).next().expect("one cell");
    let mut found = [7.0];
    reader(&table, 0..1, &mut found);
    // Half by oxygen, half by glucose, and pH 7.4 - 0.7 half the way from 6.4 to 7.
    assert!((found[0] - 0.125).abs() < 1e-5, "{found:?}");
    // A cell that burns nothing is not told a share.
    let table = tables_with::<CellType>(world)
        .find(|table| table.entities().contains(&idle))
        .expect("it is there");
    reader(&table, 0..1, &mut found);
    assert!(found[0].is_nan());
}

#[test]
fn the_first_order_law_books_a_rate_constant() {
    let parameters = MetabolismParameters {
        oxygen_law: OxygenLaw::FirstOrder,
        ..MetabolismParameters::default()
    };
    let (mut app, ledgers) = tissue(&["oxygen"], parameters, &[Vital::default()]);
    step(&mut app);
    let ledger = app.world().get::<Ledger>(ledgers[0]).unwrap();
    assert!((ledger.rate().sum(3) - 10.0 * 2494.0 / 8000.0).abs() < 1e-3);
    assert_eq!(ledger.capacity().sum(3), 0.0);
}
