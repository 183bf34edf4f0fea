//! Reading quantities by name.

use super::*;
use crate::core::columns::tables_with;

#[derive(Component)]
struct Warmth(f32);

#[derive(Component)]
struct Cell;

#[derive(Resource)]
struct Freezing(f32);

fn values_of(world: &World, name: &str) -> Vec<f32> {
    let known = world.resource::<Quantities>();
    let reader = known.of_cells(name).unwrap().reader(world);
    let mut all = Vec::new();
    for table in tables_with::<Cell>(world) {
        let mut values = vec![7.0; table.len()];
        reader(&table, 0..table.len(), &mut values);
        all.extend(values);
    }
    all
}

#[test]
fn a_quantity_is_read_by_name_and_is_none_where_cells_lack_it() {
    let mut app = App::empty();
    app.register_quantity::<Warmth>(Quantity::new("skin.warmth", "C", "How warm."), |w| w.0)
        .register_quantity_with::<Warmth, _>(
            Quantity::new("skin.above_freezing", "C", "How far above freezing."),
            |world| {
                let freezing = world.resource::<Freezing>().0;
                move |w| w.0 - freezing
            },
        );
    let world = app.world_mut();
    world.insert_resource(Freezing(2.0));
    world.spawn((Cell, Warmth(5.0)));
    world.spawn(Cell);
    assert_eq!(values_of(world, "skin.warmth")[0], 5.0);
    assert!(values_of(world, "skin.warmth")[1].is_nan());
    assert_eq!(values_of(world, "skin.above_freezing")[0], 3.0);
    let info = &world.resource::<Quantities>().cells[0].info;
    assert_eq!(
        (info.label.as_str(), info.column.as_deref()),
        ("skin warmth", Some("skin_warmth"))
    );
}

#[test]
#[should_panic(expected = "`skin.warmth` is registered twice")]
fn two_quantities_of_one_name_are_refused() {
    let mut app = App::empty();
    for _ in 0..2 {
        app.register_quantity::<Warmth>(Quantity::new("skin.warmth", "C", ""), |w| w.0);
    }
}
