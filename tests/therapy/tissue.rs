//! Drugs in tissue: free VEGF-A against the closed form, books that balance, drugs where blood flows.

use super::*;

/// A cube of tissue in which VEGF-A is made evenly, 0.3 nM of it without drug, and the antibody keeps its level in blood and at the faces.
fn bound(dose_mg: f64) -> String {
    format!(
        r#"(title: "bound", about: "VEGF-A and an antibody", pace: Calibrated, duration: Days(6),
        sites: [(name: "breast", organ: Breast, size_um: (40, 40, 40), fields: [
            (molecule: "vegf_a", level: 0.3, faces: Closed,
                sources: [(place: Box(min_um: (-20, -20, -20), max_um: (20, 20, 20)), rate: PerMinute(0.00345))]),
            (molecule: "antibody", level: 0, faces: Held),
        ])],
        drugs: [(name: "antibody", label: "antibody", about: "as bevacizumab", molar_mass_g_per_mol: 149000,
            mouse: {STAYS},
            // Fast enough that its level is the same everywhere.
            tissue: (diffusivity_um2_per_min: 1e6, every_minutes: 1),
            binds: (molecule: "vegf_a", on_per_nm_min: 5.5e-3, off_per_min: 0.012, loss_per_min: 0.003),
            source: "a test")],
        cell_types: [(name: "cancer", about: "none is there", colour: (1, 1, 1), tumour: true)],
        timeline: [At(Hours(0), Give(drug: "antibody", mg: {dose_mg}))])"#
    )
}

#[test]
fn free_vegf_under_a_drug_is_as_the_closed_form_says_at_five_doses() {
    let drug = shipped("anti_vegf");
    for (nm, expected) in [
        (2.2, 0.83),
        (10.0, 0.51),
        (30.0, 0.26),
        (100.0, 0.094),
        (250.0, 0.040),
    ] {
        let mut simulation = begin(&bound(mg(&drug, nm)), 1);
        run(&mut simulation, 4.0 * 1440.0);
        let level = mean(values(&simulation, 0, "antibody"));
        assert!((level / nm - 1.0).abs() < 0.01, "{level}");
        let free = mean(values(&simulation, 0, "vegf_a")) / 0.3;
        let (kf, kc, koff) = (0.0115, 0.003, 0.012);
        let closed = kf / (kf + 5.5e-3 * nm * kc / (koff + kc));
        assert!((closed / expected - 1.0_f64).abs() < 0.02);
        assert!(
            (free / closed - 1.0).abs() < 0.02,
            "{nm} nM: {free}, {closed}"
        );
        // Secretion goes on, and what is bound leaves more slowly: there is more of it in all.
        let all = free + mean(values(&simulation, 0, "antibody_bound")) / 0.3;
        let closed = free + (1.0 - free) * kf / kc;
        assert!(
            (all / closed - 1.0).abs() < 0.02,
            "{nm} nM: {all}, {closed}"
        );
    }
}

#[test]
fn what_was_injected_is_free_or_bound_or_active_to_the_last_of_it() {
    let scene = r#"(title: "books", about: "a closed cube", pace: Calibrated, duration: Days(2),
        sites: [(name: "breast", organ: Breast, size_um: (160, 160, 160), perfusion_length_um: 100, fields: [
            (molecule: "oxygen", level: 2),
            (molecule: "vegf_a", level: 0, faces: Closed, start: 2,
                sources: [(place: Ball(radius_um: 40), rate: PerMinute(0.02))]),
            (molecule: "drug", level: 0, faces: Closed),
        ])],
        drugs: [(name: "drug", label: "drug", about: "binds and turns into something else", molar_mass_g_per_mol: 1000,
            mouse: (weight_kg: 1, central_ml: 1, clearance_ml_per_day: 0, intravenous: ()),
            tissue: (diffusivity_um2_per_min: 600, every_minutes: 5),
            binds: (molecule: "vegf_a", on_per_nm_min: 5.5e-3, off_per_min: 0.012, loss_per_min: 0),
            becomes: (per_min: 0.001, half_mmhg: 2, diffusivity_um2_per_min: 300, loss_per_min: 0),
            source: "a test")],
        cell_types: [(name: "cancer", about: "none is there", colour: (1, 1, 1), tumour: true)],
        timeline: [At(Hours(0), Inject(drug: "drug", place: Ball(center_um: (40, 0, 0), radius_um: 50), fmol: 0.05))])"#;
    let mut simulation = begin(scene, 1);
    let litres = 160.0_f64.powi(3) * 1e-15;
    let given_nm = 0.05e-15 / litres * 1e9;
    for _ in 0..6 {
        run(&mut simulation, 3.0 * 60.0);
        let of = |name: &str| mean(values(&simulation, 0, name));
        let (free, held, active) = (of("drug"), of("drug_bound"), of("drug_active"));
        let all = free + held + active;
        // What is settled in a step is booked for the next solve: up to five minutes of it are on the way.
        let on_the_way = 0.03 * (held + active);
        assert!(
            (all - given_nm).abs() < 1e-3 * given_nm + on_the_way,
            "{free} free, {held} bound, {active} active of {given_nm} nM"
        );
        assert!(held > 0.0 && active > 0.0);
    }
    // The rate at 2 mmHg is half: after 18 h a share 1 - exp(-0.0005 x 1080) of what was free all the time.
    let active = mean(values(&simulation, 0, "drug_active")) / given_nm;
    assert!(active > 0.1 && active < 0.417, "{active}");
}

#[test]
fn a_drug_that_is_short_binds_no_more_than_there_is_of_it() {
    // A tenth of what it could bind, which takes it within a minute: in a step of five all of it is used up.
    let scene = r#"(title: "short", about: "a closed cube", pace: Calibrated, duration: Days(1),
        sites: [(name: "breast", organ: Breast, size_um: (80, 80, 80), perfusion_length_um: 100, fields: [
            (molecule: "vegf_a", level: 0, faces: Closed, start: 100), (molecule: "drug", level: 0, faces: Closed),
        ])],
        molecules: [(name: "vegf_a", label: "VEGF-A", about: "It stays.", unit: "nM", nm_per_unit: 1, diffusivity_um2_per_min: 1630,
            decay_per_min: 0, half_saturation: 1, quasi_steady: false, every_minutes: 5, crosses_vessel_walls: false, source: "a test")],
        drugs: [(name: "drug", label: "drug", about: "binds", molar_mass_g_per_mol: 1000,
            mouse: (weight_kg: 1, central_ml: 1, clearance_ml_per_day: 0, intravenous: ()),
            tissue: (diffusivity_um2_per_min: 600, every_minutes: 5),
            binds: (molecule: "vegf_a", on_per_nm_min: 0.05, off_per_min: 0, loss_per_min: 0),
            source: "a test")],
        cell_types: [(name: "cancer", about: "none is there", colour: (1, 1, 1), tumour: true)],
        timeline: [At(Hours(0), Inject(drug: "drug", place: Box(min_um: (-40, -40, -40), max_um: (40, 40, 40)), fmol: 0.00512))])"#;
    let mut simulation = begin(scene, 1);
    let given_nm = 0.00512e-15 / (80.0_f64.powi(3) * 1e-15) * 1e9;
    assert!((given_nm - 10.0).abs() < 1e-6);
    run(&mut simulation, 4.0 * 60.0);
    let of = |name: &str| mean(values(&simulation, 0, name));
    let (free, held, partner) = (of("drug"), of("drug_bound"), of("vegf_a"));
    assert!(free < 0.01 * given_nm, "{free} is free");
    assert!(
        (free + held - given_nm).abs() < 1e-3 * given_nm,
        "{held} is bound"
    );
    assert!((partner + held - 100.0).abs() < 0.01, "{partner} is left");
}

#[test]
fn a_drug_comes_out_of_vessels_that_are_perfused_and_of_no_others() {
    let scene = |flow: f32| {
        format!(
            r#"(title: "vessel", about: "one vessel", pace: Calibrated, duration: Days(1),
            sites: [(name: "breast", organ: Breast, size_um: (200, 200, 200), fields: [(molecule: "oxygen", level: 60, faces: Closed)],
                tissue: (vessels: [(place: Parent(from_um: (-100, 0, 0), to_um: (100, 0, 0), radius_um: 4), artery_um3_per_min: {flow}, vein_mmhg: 18, haematocrit: 0.45)]))],
            cell_types: [(name: "cancer", about: "none is there", colour: (1, 1, 1), tumour: true)],
            timeline: [At(Hours(1), Give(drug: "anti_pd_1", mg_per_kg: 10)), At(Hours(1), Give(drug: "chemotherapy", mg_per_kg: 10))])"#
        )
    };
    let mut simulation = begin(&scene(1.5e6), 1);
    run(&mut simulation, 12.0 * 60.0);
    // An antibody spreads half a millimetre before it is lost, what cells bind a tenth of that.
    for (drug, steeper) in [("anti_pd_1", 1.05), ("chemotherapy", 1.5)] {
        let levels = values(&simulation, 0, drug);
        let (middle, corner) = (levels[5 + 10 * (5 + 10 * 5)], levels[0]);
        assert!(
            middle > 0.0 && middle > steeper * corner,
            "{drug}: {middle}, {corner}"
        );
    }
    // The same vessel without blood that moves.
    let mut simulation = begin(&scene(1.0), 1);
    run(&mut simulation, 12.0 * 60.0);
    for drug in ["anti_pd_1", "chemotherapy"] {
        assert!(
            values(&simulation, 0, drug)
                .iter()
                .all(|level| *level == 0.0)
        );
    }
}

/// What is in tissue without cells and drawn vessels of an antibody that stays at 100 nM in blood, nM, after three days; with that said of the site as well.
fn brought_by_the_host(of_site: &str) -> f64 {
    let scene = format!(
        r#"(title: "host", about: "no cells", pace: Calibrated, duration: Days(3), step: Minutes(5),
        sites: [(name: "breast", organ: Breast, size_um: (80, 80, 80), perfusion_length_um: 100{of_site})],
        drugs: [(name: "antibody", label: "antibody", about: "an IgG", molar_mass_g_per_mol: 149000, mouse: {STAYS},
            tissue: (diffusivity_um2_per_min: 612, loss_per_min: 0.003, wall_permeability_um_per_min: 0.018, wall_reflection: 0.9),
            source: "a test")],
        cell_types: [(name: "cancer", about: "none is there", colour: (1, 1, 1), tumour: true)],
        timeline: [At(Hours(0), Give(drug: "antibody", mg: {}))])"#,
        mg(&shipped("anti_pd_1"), 100.0)
    );
    let mut simulation = begin(&scene, 1);
    run(&mut simulation, 3.0 * 1440.0);
    mean(values(&simulation, 0, "antibody"))
}

#[test]
fn the_capillaries_of_the_host_bring_an_antibody_as_their_walls_let_it() {
    // P S (c_b - c) = k c: 3e-8 cm/s (Yuan 1995), 70 cm2 in a cm3 of normal tissue (Baxter and Jain 1989), 5e-5 /s (Eigenmann 2017).
    let supply = 3e-8 * 70.0;
    let expected = 100.0 * supply / (supply + 5e-5);
    let found = brought_by_the_host("");
    assert!((found / expected - 1.0).abs() < 0.01, "{found}, {expected}");
}

#[test]
fn a_fluid_that_does_not_move_brings_as_much_of_an_antibody_and_walls_of_a_tumour_bring_more() {
    let level = brought_by_the_host;
    let without = level("");
    let still = level(", tissue: (interstitium: (host: (wall_conductivity_um_per_mmhg_min: 0)))");
    assert!((without / still - 1.0).abs() < 0.01, "{without}, {still}");
    // 3e-7 cm/s (Yuan 1995) and 200 cm2 in a cm3 (Baxter and Jain 1989).
    let found = level(
        ", tissue: (interstitium: (host: (wall_conductivity_um_per_mmhg_min: 0, vessel_surface_per_um: 2e-2, leakiness: 10)))",
    );
    let supply = 3e-7 * 200.0;
    let expected = 100.0 * supply / (supply + 5e-5);
    assert!((found / expected - 1.0).abs() < 0.01, "{found}, {expected}");
}

#[test]
fn what_is_injected_leaves_through_the_walls_of_the_hosts_capillaries() {
    let scene = format!(
        r#"(title: "injected", about: "no cells", pace: Calibrated, duration: Days(2), step: Minutes(5),
        sites: [(name: "breast", organ: Breast, size_um: (80, 80, 80), perfusion_length_um: 100)],
        drugs: [(name: "antibody", label: "antibody", about: "an IgG", molar_mass_g_per_mol: 149000, mouse: {STAYS},
            tissue: (diffusivity_um2_per_min: 612, wall_permeability_um_per_min: 0.18, wall_reflection: 0.9),
            source: "a test")],
        cell_types: [(name: "cancer", about: "none is there", colour: (1, 1, 1), tumour: true)],
        timeline: [At(Hours(0), Inject(drug: "antibody", place: Box(min_um: (-40, -40, -40), max_um: (40, 40, 40)), fmol: 1))])"#
    );
    let mut simulation = begin(&scene, 1);
    run(&mut simulation, 1440.0);
    // A fmol in 80 um to the third, of which 3e-7 cm/s times 70 cm2 in a cm3 are lost in a second to blood that holds none.
    let lost = 3e-7 * 70.0 * 86_400.0_f64;
    let expected = 1e-15 / (80.0_f64.powi(3) * 1e-15) * 1e9 * (-lost).exp();
    let found = mean(values(&simulation, 0, "antibody"));
    assert!((found / expected - 1.0).abs() < 0.01, "{found}, {expected}");
}
