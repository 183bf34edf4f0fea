//! Membranes together with all else that holds bodies: other membranes, walls, a plane, divisions, a stop at any step.

use std::collections::BTreeMap;

use super::*;

/// A scene with one site and what holds bodies in it, cells of one type, and where they are.
fn scene(
    (size_um, tissue): ((u32, u32, u32), &str),
    (step_minutes, capabilities): (u32, &str),
    places: &[(f32, f32, f32)],
) -> String {
    let places: String = places
        .iter()
        .map(|place| format!("(at_um: {place:?}),"))
        .collect();
    format!(
        r#"(
    title: "barriers", about: "what holds bodies", pace: Illustrative, duration: Days(10), step: Minutes({step_minutes}),
    sites: [(name: "a", organ: Breast, size_um: {size_um:?}, tissue: ({tissue}))],
    cell_types: [{}],
    populations: [(cell: "cell", place: Cells([{places}]))],
)"#,
        cell(
            "cell",
            &format!("mechanics: (), membrane: (), {capabilities}")
        )
    )
}

/// Runs for so many steps and looks at everything; the events by cell, each with whether it went out.
fn watch(
    simulation: &mut Simulation,
    steps: u64,
    mut each: impl FnMut(&Simulation),
) -> BTreeMap<CellId, Vec<bool>> {
    simulation.verify();
    let mut went: BTreeMap<CellId, Vec<bool>> = BTreeMap::new();
    for _ in 0..steps {
        simulation.step();
        if let Some(violation) = simulation.violation() {
            panic!("{violation}");
        }
        for event in simulation.events() {
            match event.kind.name() {
                "membrane.crossing" => went.entry(event.cell).or_default().push(true),
                "membrane.return" => went.entry(event.cell).or_default().push(false),
                _ => {}
            }
        }
        each(simulation);
    }
    went
}

/// Where all cells are, by identity.
fn all_places(simulation: &Simulation) -> BTreeMap<CellId, Vec3> {
    let world = simulation.world();
    let mut cells = world
        .try_query::<(&CellId, &Position)>()
        .expect("there are cells");
    cells.iter(world).map(|(id, at)| (*id, at.0)).collect()
}

#[test]
fn a_run_that_is_stopped_after_any_step_goes_on_with_the_same_bits_though_daughters_went_through() {
    let text = scene(
        (
            (160, 160, 160),
            "membranes: [(around: Plane(normal: (0, 0, 1)), density: 0.2)]",
        ),
        (
            6,
            "cycle: (g0g1_hours: 1, s_hours: 1, g2_hours: 1, m_hours: 0.5)",
        ),
        &[
            (0.0, 0.0, 1.0),
            (30.0, 0.0, -1.0),
            (0.0, 30.0, 0.5),
            (-30.0, 0.0, -2.0),
            (0.0, -30.0, 3.0),
        ],
    );
    let mut whole = open(&program(), &text, 1);
    whole.verify();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut born_through = 0;
    for step in 0..60 {
        let place = folder.path().join(step.to_string());
        save(&whole, &place);
        let (checkpoint, _) = checkpoint::open(&place, |_| {}).expect("it is whole");
        let (mut resumed, _) = program()
            .resume(checkpoint)
            .unwrap_or_else(|error| panic!("{error}"));
        whole.step();
        resumed.step();
        assert_eq!(resumed.state_hash(), whole.state_hash(), "step {step}");
        assert_eq!(resumed.events(), whole.events(), "step {step}");
        assert!(whole.violation().is_none());
        let happened = |cell: CellId, kinds: &[&str]| {
            let events = whole.events().iter();
            let mut own = events.filter(|event| event.cell == cell);
            own.any(|event| kinds.contains(&event.kind.name()))
        };
        let through = whole.events().iter().filter(|event| {
            event.kind.name() == "division"
                && happened(event.cell, &["membrane.crossing", "membrane.return"])
        });
        born_through += through.count();
    }
    assert!(born_through > 0, "no daughter went through");
}

/// Cells on one side of a half-open membrane, beside a closed one across.
const BESIDE: [(f32, f32, f32); 60] = [
    (3.5, 62.7, -66.6),
    (-27.0, 47.0, -25.8),
    (-6.6, -26.9, -33.6),
    (-8.8, 11.4, -60.5),
    (-14.9, -14.9, -26.6),
    (4.8, 62.9, -37.3),
    (-14.4, -32.4, -67.8),
    (-29.0, -4.9, -50.9),
    (-16.7, 54.9, -38.5),
    (-10.4, -36.9, -68.6),
    (-18.6, -50.9, -39.4),
    (5.0, 24.4, -59.1),
    (1.3, 41.5, -25.9),
    (1.7, 36.8, -22.6),
    (-17.6, 67.3, -12.3),
    (-24.4, 35.6, -27.1),
    (-13.9, 4.2, -40.6),
    (2.4, 0.1, -20.1),
    (-17.6, 53.6, -16.0),
    (-13.9, 9.5, -14.8),
    (-4.7, -1.9, -56.7),
    (-18.6, 27.9, -60.0),
    (1.8, -32.5, -15.3),
    (-19.2, 64.0, -27.6),
    (-12.4, 2.5, -30.9),
    (-9.4, -26.3, -57.5),
    (-12.1, 60.8, -32.6),
    (-27.4, 44.9, -26.4),
    (1.8, -43.2, -25.3),
    (-27.9, 21.4, -53.6),
    (-22.1, 52.6, -63.6),
    (-11.7, 49.6, -55.3),
    (-22.6, 53.3, -44.6),
    (-4.9, -65.5, -48.3),
    (-24.0, 24.2, -65.0),
    (3.4, -66.5, -26.2),
    (-29.3, -34.2, -21.2),
    (-24.5, -44.3, -28.5),
    (-16.5, -64.0, -10.6),
    (-24.7, -64.9, -49.3),
    (-8.5, 33.9, -63.2),
    (-18.2, -65.7, -43.1),
    (-3.2, 33.6, -15.9),
    (-3.6, 50.7, -27.7),
    (-13.5, -38.4, -30.4),
    (-18.9, -55.7, -43.1),
    (0.6, -52.1, -34.9),
    (-16.2, 2.1, -61.4),
    (3.6, -33.7, -33.6),
    (-15.3, -67.5, -36.5),
    (-25.1, -62.1, -68.0),
    (-24.4, -56.6, -31.9),
    (-12.2, 67.7, -14.0),
    (4.8, -37.5, -43.3),
    (-21.2, 12.8, -32.6),
    (-2.0, 29.3, -54.6),
    (-15.2, 3.7, -69.7),
    (-28.8, -12.8, -63.3),
    (-4.7, -36.3, -64.0),
    (-23.6, -37.6, -57.0),
];

#[test]
fn a_passage_is_told_only_if_it_happened() {
    let text = scene(
        (
            (160, 160, 160),
            "membranes: [(around: Plane(normal: (0, 0, 1)), density: 0.5),
                (around: Plane(through_um: (10, 0, 0), normal: (1, 0, 0)))]",
        ),
        (2, "motility: (speed_um_per_min: 2, persistence_min: 60)"),
        &BESIDE,
    );
    let mut simulation = open(&program(), &text, 1);
    let mut before = all_places(&simulation);
    let went = watch(&mut simulation, 1440, |simulation| {
        let now = all_places(simulation);
        for (cell, at) in &now {
            assert!(at.x < 10.0, "{cell:?} is at {at}, beyond the closed one");
            let own = simulation
                .events()
                .iter()
                .filter(|event| event.cell == *cell);
            let told: i32 = own
                .map(|event| match event.kind.name() {
                    "membrane.crossing" => 1,
                    "membrane.return" => -1,
                    _ => 0,
                })
                .sum();
            let [was_out, is_out] = [before[cell], *at].map(|at| i32::from(at.z > 0.0));
            assert_eq!(
                is_out - was_out,
                told,
                "{cell:?} from {} to {at}",
                before[cell]
            );
        }
        before = now;
    });
    let told: usize = went.values().map(Vec::len).sum();
    assert!(told > 50, "{told}");
}

#[test]
fn a_membrane_that_meets_a_wall_at_an_angle_pushes_no_cell_out_of_it() {
    let tissue = "membranes: [(around: Plane(normal: (1, 1, 0)))]";
    let places = [
        (40.0, 40.0, 0.0),
        (40.0, 30.0, -20.0),
        (30.0, 40.0, 20.0),
        (-40.0, -40.0, 0.0),
        (-40.0, -30.0, 20.0),
        (30.0, -20.0, 30.0),
        (-30.0, 20.0, 30.0),
    ];
    let text = scene(
        ((100, 100, 100), tissue),
        (2, "motility: (speed_um_per_min: 30, persistence_min: 60)"),
        &places,
    );
    let mut simulation = open(&program(), &text, 1);
    let side = |at: Vec3| at.x + at.y > 0.0;
    let began = all_places(&simulation);
    let went = watch(&mut simulation, 1440, |_| {});
    assert!(went.is_empty());
    for (cell, at) in all_places(&simulation) {
        assert_eq!(side(at), side(began[&cell]), "{cell:?} at {at}");
    }
}

/// Cells on either side of a closed membrane along the diagonal of a block.
const CROWD: [(f32, f32, f32); 25] = [
    (-25.2, 4.2, -12.5),
    (10.0, 12.1, -41.7),
    (-46.7, 32.4, -23.1),
    (-25.5, 47.6, -2.9),
    (32.3, -2.3, 13.4),
    (-33.5, 12.9, 35.3),
    (2.2, 23.2, 16.5),
    (-41.9, 24.8, 8.7),
    (-19.1, -45.0, 35.1),
    (-2.6, 21.0, 36.4),
    (20.6, 40.4, -10.1),
    (28.9, -5.3, 41.8),
    (36.4, -38.6, -34.9),
    (-27.2, 44.7, -6.1),
    (12.2, -19.1, 0.7),
    (-11.0, -14.3, 8.2),
    (8.1, 38.8, 17.5),
    (41.2, 34.2, 47.1),
    (16.4, -32.3, 34.6),
    (44.6, 38.9, 6.6),
    (20.5, -27.7, 31.8),
    (7.1, -20.6, -41.9),
    (34.0, 47.0, -39.5),
    (28.9, -8.6, -33.5),
    (-19.8, 25.8, 35.8),
];

#[test]
fn daughters_that_a_membrane_turns_aside_stay_within_the_walls() {
    let text = scene(
        (
            (100, 100, 100),
            "membranes: [(around: Plane(normal: (1, 1, 0)))]",
        ),
        (
            6,
            "cycle: (max_pressure: 100), motility: (speed_um_per_min: 1, persistence_min: 60)",
        ),
        &CROWD,
    );
    let mut simulation = open(&program(), &text, 1);
    let began = all_places(&simulation).len();
    let went = watch(&mut simulation, 4 * 240, |_| {});
    assert!(went.is_empty());
    assert!(all_places(&simulation).len() > 2 * began);
}

#[test]
fn in_a_plane_a_membrane_turns_cells_aside_within_it() {
    let text = scene(
        (
            (160, 160, 160),
            "plane: (z_um: 0), membranes: [(around: Acinus(centre_um: (0, 0, -20), radius_um: 50))]",
        ),
        (2, "motility: (speed_um_per_min: 5, persistence_min: 60)"),
        &[
            (-20.0, 0.0, 0.0),
            (20.0, 0.0, 0.0),
            (0.0, 20.0, 0.0),
            (0.0, -20.0, 0.0),
        ],
    );
    let mut simulation = open(&program(), &text, 1);
    let (mut before, mut way) = (all_places(&simulation), 0.0);
    let mut at_the_rim = 0;
    watch(&mut simulation, 720, |simulation| {
        let now = all_places(simulation);
        for (cell, at) in &now {
            assert_eq!(at.z, 0.0, "{cell:?}");
            let off = 50.0 - at.distance(Vec3::new(0.0, 0.0, -20.0));
            assert!(off > 0.0, "{cell:?} at {at}");
            at_the_rim += usize::from(off < 15.0);
            way += at.distance(before[cell]);
        }
        before = now;
    });
    assert!(at_the_rim > 100, "{at_the_rim}");
    // They slide along it until they lean against it straight, and do so anew at each of their 24 turns a day: half the radius of the
    // circle, 45.8 um, and more at each.
    assert!(way > 4.0 * 24.0 * 0.5 * 45.8, "{way} um");
}

#[test]
fn a_closed_plane_has_no_hole_at_the_walls_of_its_site() {
    let places =
        [-245, -240, -200, -100, 0, 100, 200, 240, 245].map(|x| (x as f32, (x % 7) as f32, -20.0));
    let text = scene(
        (
            (500, 60, 60),
            "membranes: [(around: Plane(through_um: (12.7, 0, 0), normal: (0, 0, 1)))]",
        ),
        (2, "motility: (speed_um_per_min: 30, persistence_min: 60)"),
        &places,
    );
    let mut simulation = open(&program(), &text, 1);
    watch(&mut simulation, 1440, |_| {});
    for (cell, at) in all_places(&simulation) {
        assert!(at.z < 0.0, "{cell:?} at {at}");
    }
}

#[test]
fn through_two_half_open_membranes_cells_come_more_slowly_than_through_one_but_they_come() {
    let passages = |second: &str| {
        let text = scene(
            (
                (160, 160, 160),
                &format!(
                    "membranes: [(around: Plane(normal: (0, 0, 1)), density: 0.55), {second}]"
                ),
            ),
            (2, "motility: (speed_um_per_min: 1, persistence_min: 60)"),
            &[
                (-20.0, 0.0, -20.0),
                (20.0, 0.0, -20.0),
                (0.0, 20.0, -20.0),
                (0.0, -20.0, -20.0),
            ],
        );
        let mut simulation = open(&program(), &text, 1);
        let mut through = 0;
        let mut side: BTreeMap<CellId, bool> = BTreeMap::new();
        for _ in 0..simulation.total_steps() {
            simulation.step();
            for (cell, at) in all_places(&simulation) {
                // Well clear of both.
                if (at.z - 2.0).abs() > 12.0 {
                    let was = side.insert(cell, at.z > 0.0);
                    through += u32::from(was.is_some_and(|was| was != (at.z > 0.0)));
                }
            }
        }
        through
    };
    let one = passages("");
    let two = passages("(around: Plane(through_um: (0, 0, 4), normal: (0, 0, 1)), density: 0.55)");
    assert!(two > 0 && two < one, "{two} through two, {one} through one");
}

#[test]
fn planes_that_do_not_fit_their_site_are_refused() {
    let refused = |size_um: (u32, u32, u32), tissue: &str| {
        let text = scene((size_um, tissue), (2, ""), &[(0.0, 0.0, 0.0)]);
        let report = program().parse_scene(&text, "barriers.ron", None);
        let report = report.err().unwrap_or_else(|| panic!("{tissue} is taken"));
        format!("{report:#}")
    };
    let says = refused(
        (1500, 1500, 100),
        "membranes: [(around: Plane(normal: (0, 0, 1)), element_um: 1)]",
    );
    assert!(says.contains("2250000 elements"), "{says}");
    let says = refused((100, 100, 200), "plane: (z_um: 1000)");
    assert!(says.contains("from -100 to 100 um"), "{says}");
    assert!(says.contains("z_um"), "{says}");
}
