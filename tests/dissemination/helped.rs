//! What helps cells into vessels: macrophages into the blood, CCL21 and CCR7 into the lymph; and that what has grown elsewhere sheds again.

use tumorscape::biology::dissemination::Journeys;

use super::*;

/// Cells in pairs that enter where they lie, half of them with an escort beside them.
fn pairs(escort: &str) -> String {
    let block = r#"(name: "breast", organ: Breast, size_um: (400, 400, 400), fields: [])"#;
    let rules =
        r#""helped": (input: "intravasation.rate", by: "intravasation.escort", law: Fold(4)),"#;
    let cells = native("intravasation: (per_day: 4, first_joins: 0),", rules);
    let escorts = format!(
        r#"(name: "escort", about: "it helps", colour: (0.7, 0.4, 0.6), body: (volume_um3: 2000, nucleus_um3: 500),
            mechanics: (adhesion_um_per_min: 0, repulsion_um_per_min: 0, friction: 1000),
            death: (apoptosis_per_hour: 0, necrosis_onset_mmhg: 0, necrosis_full_mmhg: 0), {escort})"#
    );
    let mut list = String::new();
    for number in 0..9_i32.pow(3) {
        let at = [number % 9, number / 9 % 9, number / 81].map(|place| 44 * (place - 4));
        list.push_str(&format!(
            r#"(cell: "native", place: Single(at_um: ({}, {}, {}))),"#,
            at[0], at[1], at[2]
        ));
        if number % 2 == 0 {
            list.push_str(&format!(
                r#"(cell: "escort", place: Single(at_um: ({}, {}, {}))),"#,
                at[0] + 12,
                at[1],
                at[2]
            ));
        }
    }
    scene(
        block,
        &format!("{cells}, {escorts}"),
        "",
        &list,
        "Minutes(10)",
    )
}

/// Who has entered, with and without an escort at its place, in so many steps.
fn entered(text: &str, steps: u64) -> [f64; 2] {
    let mut simulation = simulation(text, 6);
    simulation.verify();
    run(&mut simulation, steps);
    let journeys = &simulation.world().resource::<Journeys>().0;
    let mut found = [0.0; 2];
    // The first cell is 0; escorts have numbers of their own, so a place is told by who comes next.
    for journey in journeys {
        let (mut id, mut place) = (0, 0);
        while id < journey.cell.0 {
            id += 1 + u64::from(place % 2 == 0);
            place += 1;
        }
        assert_eq!(id, journey.cell.0);
        found[usize::from(place % 2 != 0)] += 1.0;
    }
    found
}

#[test]
fn a_cell_that_an_escort_touches_enters_five_times_as_often() {
    // 4 a day times 0.063 times 0.75 of a cell by itself: in 0.8 days one in seven goes, the escorted at five times that rate.
    let days = 0.8;
    let [escorted, alone] = entered(&pairs("escort: ()"), (days * 144.0) as u64);
    let of = |count: f64, among: f64| -(1.0 - count / among).ln();
    let fold = of(escorted, 365.0) / of(alone, 364.0);
    println!("{escorted} of 365 with, {alone} of 364 without: {fold:.2} times");
    assert!((3.5..7.0).contains(&fold), "{fold}");
    let [with, without] = entered(&pairs(""), (days * 144.0) as u64);
    assert!(
        (with - without).abs() < 4.0 * (with + without).sqrt(),
        "{with} {without}"
    );
    let [weak, _] = entered(&pairs("escort: (help: 0.25)"), (days * 144.0) as u64);
    assert!(weak < escorted && weak > with, "{with} {weak} {escorted}");
}

#[test]
fn cells_enter_the_lymph_by_ccl21_and_by_the_ccr7_that_they_carry() {
    let entered = |level: &str, ccr7: f32| {
        let block = format!(
            r#"(name: "breast", organ: Breast, size_um: (300, 300, 300), fields: [(molecule: "ccl21", level: {level}, faces: Held)])"#
        );
        let rules = r#""led": (input: "intravasation.lymph", by: "ccl21", law: HillAdd(half: 0.2, gain: 0.8)),"#;
        let cells = native(
            &format!("intravasation: (per_day: 0, ccr7: {ccr7}),"),
            rules,
        );
        let population = r#"(cell: "native", place: Scatter(per_mm3: 60000))"#;
        let text = scene(&block, &cells, "", population, "Minutes(20)");
        let mut simulation = simulation(&text, 3);
        run(&mut simulation, 72);
        metric(&simulation, "entered_lymph")
    };
    assert_eq!(entered("0", 1.0), 0.0);
    // Of 1620 cells; the rate goes with both.
    let rate = |count: f64| -(1.0 - count / 1620.0).ln();
    let (all, some) = (entered("0.4", 1.0), entered("0.4", 0.3));
    println!("{all} with all CCR7, {some} with three tenths");
    let fold = rate(all) / rate(some);
    assert!((2.4..4.6).contains(&fold), "{all} {some}");
    let more = entered("4", 1.0);
    assert!(more > all + 2.0 * all.sqrt(), "{more} {all}");
}

#[test]
fn what_grows_elsewhere_sheds_again_and_some_of_it_comes_to_other_organs() {
    // Cells stuck in a liver without a site all grow and shed at once; the lung, where what they shed comes to, is a site.
    let sites = r#"(name: "lung", organ: Lung, size_um: (200, 200, 200), fields: [])"#;
    let more = "intravasation: (per_day: 40, first_joins: 0),";
    let rules = r#""sticky": (input: "circulation.arrest", by: "body.volume", law: Hill(half: 1e-6, to: 200)),
        "hasty": (input: "colonisation.extravasation", by: "body.volume", law: Hill(half: 1e-6, to: 2)),
        "fertile": (input: "colonisation.growth", by: "body.volume", law: Hill(half: 1e-6, to: 1)),
        "lasting": (input: "colonisation.switch", by: "body.volume", law: Hill(half: 1e-6, to: 1)),"#;
    let cells = native(more, rules).replace(
        "colonisation: ()",
        "colonisation: (settling_hours: 0.5, forming_hours: 1, shedding_per_day: 0.5)",
    );
    let injection = r#"injections: [(cell: "native", cells: 60, into: PortalVein)]"#;
    let population = r#"(cell: "native", site: "lung", place: Ball(radius_um: 30))"#;
    let text = scene(sites, &cells, injection, population, "Minutes(10)");
    let mut simulation = simulation(&text, 5);
    run(&mut simulation, 6 * 48);
    let journeys = &simulation.world().resource::<Journeys>().0;
    // Of a cell that had made a journey before: shed by a metastasis.
    let again: Vec<_> = journeys.iter().filter(|of| of.before.is_some()).collect();
    assert!(!again.is_empty());
    let lodged = again.iter().filter(|of| of.lodged.is_some());
    assert!(lodged.count() > 0, "{} set out again", again.len());
    assert!(
        again.iter().any(|of| of.grew),
        "a metastasis of a metastasis"
    );
    for journey in &again {
        let before = &journeys[journey.before.expect("it has one") as usize];
        assert!(before.grew && before.left < journey.left);
        assert_eq!(
            before.founder, journey.founder,
            "it is of the line of the colony"
        );
    }
    let farther = again.iter().filter(|of| {
        let first = &journeys[of.before.expect("it has one") as usize];
        of.organ.is_some() && first.organ != of.organ
    });
    assert!(
        farther.count() > 0,
        "none came to another organ than its mother's"
    );
}
