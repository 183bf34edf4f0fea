//! Sources and sinks that a scene places: nothing else gives or takes, so what is there is known.

use tumorscape::tissue::SiteId;

use super::{assert_near, simulation};

/// A closed box with a molecule that neither decays nor is taken up by cells, stepped `minutes` long.
fn sum_after(step: f64, minutes: f64, level: f64, sources: &str) -> f64 {
    let mut simulation = simulation(&format!(
        "duration: Hours(4), step: Minutes({step}), molecules: [(name: \"tracer\", label: \"tracer\", about: \"a test\", \
         unit: \"nM\", nm_per_unit: 1, diffusivity_um2_per_min: 2000, half_saturation: 1, quasi_steady: false, \
         every_minutes: {step}, crosses_vessel_walls: false, source: \"a test\")], \
         sites: [(name: \"box\", organ: Medium, size_um: (240, 240, 240), \
         fields: [(molecule: \"tracer\", level: {level}, faces: Closed, sources: [{sources}])])]"
    ));
    simulation.verify();
    for _ in 0..(minutes / step).round() as usize {
        simulation.step();
        assert!(
            simulation.violation().is_none(),
            "{:?}",
            simulation.violation()
        );
    }
    let (values, _) = simulation
        .field(SiteId(0), "tracer")
        .expect("it is simulated");
    values.iter().map(|value| f64::from(*value)).sum()
}

#[test]
fn a_sink_takes_what_it_says_whatever_the_step() {
    let full = 38.0 * 1728.0;
    for step in [0.01, 0.1, 1.0] {
        // 300 nM a minute in one voxel, and in a thousand.
        for sink in [
            "(place: Point(at_um: (10, 10, 10)), rate: PerMinute(-300))",
            "(place: Box(min_um: (-100, -100, -100), max_um: (100, 100, 100)), rate: PerMinute(-0.3))",
        ] {
            let minutes = if step < 0.1 { 4.0 } else { 10.0 };
            let found = full - sum_after(step, minutes, 38.0, sink);
            assert_near(
                &format!("{sink}, steps of {step} min"),
                found,
                300.0 * minutes,
                0.01,
            );
        }
    }
}

#[test]
fn a_sink_finds_nothing_where_nothing_is_left() {
    let sink = "(place: Ball(radius_um: 60), rate: PerMinute(-10))";
    let left = sum_after(1.0, 120.0, 1.0, sink);
    assert!((0.0..5.0).contains(&left), "{left} of 1728");
}

#[test]
fn a_source_gives_while_it_is_there() {
    // 1e5 molecules a second in 8000 um3 voxels, from minute 20 to 50.
    let source = "(place: Ball(radius_um: 40), rate: MoleculesPerSecond(1e5), from: Minutes(20), until: Minutes(50))";
    let given = 1e5 * 60.0 * 30.0 / 6.022_140_76e23 / 8e-12 * 1e9;
    assert_eq!(sum_after(5.0, 20.0, 0.0, source), 0.0);
    assert_near(
        "in the middle",
        sum_after(5.0, 35.0, 0.0, source),
        given / 2.0,
        1e-4,
    );
    assert_near("later", sum_after(5.0, 100.0, 0.0, source), given, 1e-4);
}

#[test]
fn mistakes_in_sources_are_told_with_their_place() {
    let text = |source: &str| {
        format!(
            "(title: \"t\", about: \"t\", pace: Calibrated, duration: Hours(1), sites: [(name: \"box\", organ: Medium, \
             size_um: (240, 240, 240), fields: [(molecule: \"oxygen\", level: 38, sources: [{source}])])])"
        )
    };
    for (source, place, words) in [
        (
            "(place: Point(at_um: (130, 0, 0)), rate: PerMinute(1))",
            "place",
            "is not inside the site",
        ),
        (
            "(place: Ball(radius_um: -1), rate: PerMinute(1))",
            "radius_um",
            "must be greater than 0",
        ),
        (
            "(place: Box(min_um: (10, 0, 0), max_um: (0, 10, 10)), rate: PerMinute(1))",
            "place",
            "must not be above",
        ),
        (
            "(place: Point(at_um: (0, 0, 0)), rate: PerMinute(1), from: Minutes(30), until: Minutes(20))",
            "until",
            "later than `from`",
        ),
        (
            "(place: Point(at_um: (0, 0, 0)), rate: PerMinute(1e20))",
            "rate",
            "must be from",
        ),
    ] {
        let report =
            tumorscape::simulation::Program::default().parse_scene(&text(source), "t.ron", None);
        let report = report.expect_err(source).to_string();
        assert!(
            report.contains(place) && report.contains(words),
            "{source}: {report}"
        );
    }
}
