//! Rates of letting go against their law.

use bevy::ecs::system::RunSystemOnce;

use super::*;
use crate::cell::EventRecord;

#[test]
fn an_end_lets_go_sooner_under_load_and_with_less_grip() {
    let p = JunctionParameters::default();
    let rate = |grip, load| p.leaving_per_hour(grip, load);
    assert!((rate(1.0, 0.0) - 0.002).abs() < 1e-7);
    // Pressed together it is as without load.
    assert_eq!(rate(1.0, -1.0), rate(1.0, 0.0));
    // Half the grip: four times as often, and the same load counts double.
    let expected = 0.002 * 4.0 * bevy::math::ops::exp(2.0 * 0.5);
    assert!((rate(0.5, 0.5) / expected - 1.0).abs() < 1e-5);
    assert_eq!(rate(0.09, 0.0), f32::INFINITY);
    assert_eq!(rate(0.0, 0.0), f32::INFINITY);
    // However strong the pull, a rate and no infinity, as chances are worked out from it.
    assert!(rate(0.2, 1.0e6).is_finite());
}

#[test]
fn a_cell_that_leaves_alone_loses_hold_where_it_left_and_nowhere_else() {
    const LEFT: EventKind = EventKind::of("test.left");
    let mut app = App::empty();
    app.register_passage(LEFT, Passage::Departure, "It left.")
        .register_event(DETACHES, "It lost hold.")
        .init_resource::<BondsInTransit>();
    let at = Vec3::new(1.0, 2.0, 3.0);
    let leaves = |cell: u64| EventRecord {
        step: 5,
        site: SiteId(2),
        kind: LEFT,
        cell: CellId(cell),
        other: None,
        position_um: at,
    };
    app.insert_resource(StepEvents(vec![leaves(1), leaves(2)]));
    let cells = [Hold::Bonded, Hold::Single, Hold::Touching].map(|hold| {
        let grip = 1.0;
        Junctions { grip, hold }
    });
    for (cell, junctions) in cells.into_iter().enumerate() {
        app.world_mut().spawn((CellId(cell as u64 + 1), junctions));
    }
    let told = |app: &mut App| {
        app.world_mut()
            .run_system_once(let_go_of_the_left)
            .expect("it has all that it asks for");
        let mut events = Vec::new();
        app.world_mut()
            .resource_mut::<EventBook>()
            .hand_on(5, &mut events);
        events
    };
    let events = told(&mut app);
    assert_eq!(events.len(), 1, "only the first left and held on to others");
    let event = events[0];
    assert_eq!(
        (event.kind, event.cell, event.site, event.position_um),
        (DETACHES, CellId(1), SiteId(2), at)
    );
    // It holds no more, so that arriving among nobody tells nothing.
    assert!(told(&mut app).is_empty());
}
