//! Tests of the parameters reached by name.

use serde::{Deserialize, Serialize};

use super::*;

#[test]
fn a_limit_is_inside_at_single_precision_too() {
    let limits = Limits {
        min: 0.1,
        max: 0.99,
    };
    for limit in [0.1, 0.99] {
        assert!(limits.contain(limit) && limits.contain(f64::from(limit as f32)));
    }
    assert!(f64::from(0.99_f32) > 0.99, "it is rounded outwards");
    for outside in [0.0999, 0.9901, f64::NAN] {
        assert!(!limits.contain(outside));
    }
    assert!(!Limits::POSITIVE.contain(0.0));
}

#[derive(Resource, Reflect, Clone, Default, Serialize, Deserialize)]
struct Weather {
    warmth_c: f32,
    rain: Rain,
}

#[derive(Reflect, Clone, Default, Serialize, Deserialize)]
struct Rain {
    mm_per_hour: f64,
}

impl Parameters for Weather {
    fn limits(field: &str) -> Limits {
        if field == "warmth_c" {
            Limits {
                min: -50.0,
                max: 60.0,
            }
        } else {
            Limits::NON_NEGATIVE
        }
    }
}

#[derive(Resource, Default, Clone)]
struct Gardens(Vec<(String, Weather)>);

impl NamedParameters for Gardens {
    type Item = Weather;

    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn item(&self, index: usize) -> Option<&Weather> {
        self.0.get(index).map(|(_, weather)| weather)
    }

    fn item_mut(&mut self, index: usize) -> Option<&mut Weather> {
        self.0.get_mut(index).map(|(_, weather)| weather)
    }

    fn from_items(items: Vec<Weather>) -> Self {
        let named = |(index, weather)| (format!("garden_{index}"), weather);
        Self(items.into_iter().enumerate().map(named).collect())
    }
}

fn world() -> World {
    let mut app = App::empty();
    app.register_group::<Weather>("weather");
    app.register_capability::<Weather>("skin");
    app.insert_resource(CellTypeNames(vec!["cat".into(), "dog".into()]));
    app.insert_resource(PerType(vec![None, Some(Weather::default())]));
    std::mem::take(app.world_mut())
}

#[test]
fn a_path_reaches_groups_nested_fields_and_cell_types() {
    let mut world = world();
    set_parameter(&mut world, "weather.warmth_c", -3.5).unwrap();
    set_parameter(&mut world, "weather.rain.mm_per_hour", 2.0).unwrap();
    set_parameter(&mut world, "dog.skin.warmth_c", 38.0).unwrap();
    assert_eq!(world.resource::<Weather>().warmth_c, -3.5);
    assert_eq!(world.resource::<Weather>().rain.mm_per_hour, 2.0);
    assert_eq!(
        world
            .resource::<PerType<Weather>>()
            .get(1)
            .unwrap()
            .warmth_c,
        38.0
    );
    let listed = list_parameters(&world);
    assert_eq!(listed.len(), 4);
    assert!(
        listed
            .iter()
            .any(|p| p.path == "dog.skin.warmth_c" && p.value == 38.0)
    );
}

#[test]
fn a_path_reaches_the_items_of_a_list_by_name() {
    let mut app = App::empty();
    app.register_list::<Gardens>("gardens");
    let gardens = ["rose", "rosemary"].map(|name| (name.into(), Weather::default()));
    app.insert_resource(Gardens(gardens.into()));
    let world = app.world_mut();
    set_parameter(world, "gardens.rosemary.rain.mm_per_hour", 2.0).unwrap();
    set_parameter(world, "gardens.rose.warmth_c", 20.0).unwrap();
    let listed: Vec<_> = list_parameters(world)
        .into_iter()
        .map(|parameter| (parameter.path, parameter.value))
        .collect();
    let expected = [
        ("gardens.rose.warmth_c", 20.0),
        ("gardens.rose.rain.mm_per_hour", 0.0),
        ("gardens.rosemary.warmth_c", 0.0),
        ("gardens.rosemary.rain.mm_per_hour", 2.0),
    ];
    assert_eq!(listed, expected.map(|(path, value)| (path.into(), value)));
    assert_eq!(
        set_parameter(world, "gardens.roses.warmth_c", 1.0)
            .unwrap_err()
            .to_string(),
        "there is no parameter `gardens.roses.warmth_c`; did you mean `gardens.rose.warmth_c`?"
    );
    assert!(set_parameter(world, "gardens.rose.warmth_c", 61.0).is_err());
}

#[test]
fn wrong_paths_and_values_are_refused_with_what_would_work() {
    let mut world = world();
    assert_eq!(
        set_parameter(&mut world, "weather.warmth_k", 1.0)
            .unwrap_err()
            .to_string(),
        "there is no parameter `weather.warmth_k`; did you mean `weather.warmth_c`?"
    );
    assert!(set_parameter(&mut world, "cat.skin.warmth_c", 1.0).is_err());
    assert_eq!(
        set_parameter(&mut world, "weather.warmth_c", f64::NAN)
            .unwrap_err()
            .to_string(),
        "`weather.warmth_c` cannot be NaN: it must be a finite number"
    );
    assert_eq!(world.resource::<Weather>().warmth_c, 0.0);
}
