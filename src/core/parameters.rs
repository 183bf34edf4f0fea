//! Parameters that scenes, timelines and sliders reach by name.
//!
//! A module keeps its parameters in a plain struct beside its systems. It registers the struct once, either
//! as a *group* (one value for the whole tissue, a resource), as a *capability* (one value for each cell
//! type that has it, in a [`PerType`] resource) or as a *list* (one value for each of some names, in a resource that
//! is a [`NamedParameters`]); a capability may itself be such a list. From then on `"hypoxia.degradation_per_hour"`,
//! `"cancer.cycle.s_hours"` or `"molecules.oxygen.decay_per_min"` names a number that can be read, checked against its
//! [`Limits`] and set; there is no second list to keep.

use bevy::ecs::component::Mutable;
use bevy::prelude::*;
use bevy::reflect::{GetTypeRegistration, PartialReflect, Typed};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::capability::{Capability, CapabilityRegistry, CapabilityValue};
use super::clones;
pub use super::limits::Limits;
use super::numbers::{field_at, number_fields, read_number, write_number};
use super::state::RegisterState;

/// Parameters that know which values make sense.
pub trait Parameters: Reflect + Typed + Clone + Send + Sync + 'static {
    /// The allowed range of a field (dotted path inside the struct). The default asks for a finite,
    /// non-negative number.
    fn limits(_field: &str) -> Limits {
        Limits::NON_NEGATIVE
    }

    /// Values that are each allowed but make no sense together.
    fn contradictions(&self) -> Vec<Contradiction> {
        Vec::new()
    }
}

/// Two parameters of one struct that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The field to be changed first (dotted path inside the struct).
    pub field: &'static str,
    /// The field it contradicts.
    pub other: &'static str,
    /// Why they do, in words.
    pub message: String,
}

/// One struct of parameters for each of a list of names.
pub trait NamedParameters: Clone + Send + Sync + 'static {
    /// The struct.
    type Item: Parameters + FromReflect + GetTypeRegistration;

    /// The names, in the order of the list.
    fn names(&self) -> Vec<&str>;

    /// The struct at that place of the list.
    fn item(&self, index: usize) -> Option<&Self::Item>;

    /// The struct at that place of the list.
    fn item_mut(&mut self, index: usize) -> Option<&mut Self::Item>;

    /// The list of these structs.
    fn from_items(items: Vec<Self::Item>) -> Self
    where
        Self: Sized;
}

/// One value of `P` for each cell type that has the capability, by index of the type; clones of the types, whose
/// heritable parameters differ, have rows behind them, see [`super::clones`].
#[derive(Resource, Clone, Debug)]
pub struct PerType<P: Send + Sync + 'static>(pub Vec<Option<P>>);

impl<P: Send + Sync + 'static> Default for PerType<P> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<P: Send + Sync + 'static> PerType<P> {
    /// The parameters of a type, if it has the capability.
    #[inline]
    pub fn get(&self, cell_type: u16) -> Option<&P> {
        self.0.get(usize::from(cell_type)).and_then(Option::as_ref)
    }
}

/// Names of the cell types, by index.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct CellTypeNames(pub Vec<String>);

/// Why a parameter cannot be set.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ParameterError {
    /// No parameter has this path.
    #[error("there is no parameter `{path}`; {}", suggestion.as_ref().map_or_else(|| known.clone(), |s| format!("did you mean `{s}`?")))]
    Unknown {
        /// The path asked for.
        path: String,
        /// The nearest path that exists.
        suggestion: Option<String>,
        /// What paths begin with, in words.
        known: String,
    },
    /// The value is outside the allowed range.
    #[error("`{path}` cannot be {value}: it must be {allowed}")]
    OutOfRange {
        /// The path.
        path: String,
        /// The value found.
        value: f64,
        /// What would be allowed.
        allowed: String,
    },
}

/// Index of a cell type and of an item in a list.
#[derive(Clone, Copy, Default)]
struct At {
    cell_type: usize,
    item: usize,
}

struct Entry {
    name: &'static str,
    per_type: bool,
    /// The names in the list of a cell type, or in that of all, where it is one.
    items: Option<fn(&World, usize) -> Vec<String>>,
    /// The struct of a cell type and an item of a list; both are 0 where there are none.
    get: for<'w> fn(&'w World, At) -> Option<&'w dyn PartialReflect>,
    get_mut: for<'w> fn(&'w mut World, At) -> Option<Mut<'w, dyn PartialReflect>>,
    /// Gives one row of the table what stands in another; nothing where there is one value for all.
    copy_row: fn(&mut World, usize, usize),
    limits: fn(&str) -> Limits,
    fields: Vec<String>,
}

/// All registered parameters of a simulation.
#[derive(Resource, Default)]
pub struct ParameterRegistry {
    entries: Vec<Entry>,
}

/// Registration, from a module's plugin.
pub trait RegisterParameters {
    /// Registers a struct with one value for the whole tissue; inserts its default.
    fn register_group<P: Parameters + Resource<Mutability = Mutable> + Default>(
        &mut self,
        name: &'static str,
    ) -> &mut Self;
    /// Registers a capability: a struct with one value for each cell type that has it, under this name in cell files.
    fn register_capability<P: Parameters + Serialize + DeserializeOwned>(
        &mut self,
        name: &'static str,
    ) -> &mut Self;
    /// Registers a capability that is a list: a struct for each of a list of names, all of which parameter paths reach.
    fn register_capability_list<L: NamedParameters>(&mut self, name: &'static str) -> &mut Self
    where
        L::Item: Serialize + DeserializeOwned;
    /// Registers a struct with one value for each of a list of names; inserts an empty list.
    fn register_list<L: NamedParameters + Resource<Mutability = Mutable> + Default>(
        &mut self,
        name: &'static str,
    ) -> &mut Self;
    /// Registers a capability that every cell type has: the default where a cell file leaves it out.
    fn register_common_capability<P: Parameters + Serialize + DeserializeOwned + Default>(
        &mut self,
        name: &'static str,
    ) -> &mut Self;
}

/// Why parameters are not registered as state.
const BY_PATH: &str = "stored by path among the parameters";

impl RegisterParameters for App {
    fn register_group<P: Parameters + Resource<Mutability = Mutable> + Default>(
        &mut self,
        name: &'static str,
    ) -> &mut Self {
        self.init_resource::<P>()
            .declare_remade::<P>(BY_PATH)
            .init_resource::<ParameterRegistry>();
        self.world_mut()
            .resource_mut::<ParameterRegistry>()
            .entries
            .push(Entry {
                name,
                per_type: false,
                items: None,
                get: |world, _| {
                    world
                        .get_resource::<P>()
                        .map(PartialReflect::as_partial_reflect)
                },
                get_mut: |world, _| {
                    world
                        .get_resource_mut::<P>()
                        .map(|value| value.map_unchanged(|value| value.as_partial_reflect_mut()))
                },
                copy_row: |_, _, _| {},
                limits: P::limits,
                fields: number_fields(P::type_info()),
            });
        self
    }

    fn register_capability<P: Parameters + Serialize + DeserializeOwned>(
        &mut self,
        name: &'static str,
    ) -> &mut Self {
        add_capability::<P>(self, Capability::of::<P>(name));
        self
    }

    fn register_common_capability<P: Parameters + Serialize + DeserializeOwned + Default>(
        &mut self,
        name: &'static str,
    ) -> &mut Self {
        let capability = Capability {
            otherwise: Some(|| CapabilityValue::new(P::default())),
            ..Capability::of::<P>(name)
        };
        add_capability::<P>(self, capability);
        self
    }

    fn register_capability_list<L: NamedParameters>(&mut self, name: &'static str) -> &mut Self
    where
        L::Item: Serialize + DeserializeOwned,
    {
        fn of_type<L: NamedParameters>(world: &World, cell_type: usize) -> Option<&L> {
            let table = world.get_resource::<PerType<L>>()?;
            table.0.get(cell_type)?.as_ref()
        }
        self.init_resource::<PerType<L>>()
            .declare_remade::<PerType<L>>(BY_PATH)
            .init_resource::<ParameterRegistry>()
            .init_resource::<CapabilityRegistry>();
        self.world_mut()
            .resource_mut::<CapabilityRegistry>()
            .add(Capability::of_list::<L>(name));
        self.world_mut()
            .resource_mut::<ParameterRegistry>()
            .entries
            .push(Entry {
                name,
                per_type: true,
                items: Some(|world, cell_type| {
                    of_type::<L>(world, cell_type).map_or_else(Vec::new, |list| {
                        list.names().into_iter().map(str::to_owned).collect()
                    })
                }),
                get: |world, at| {
                    of_type::<L>(world, at.cell_type)?
                        .item(at.item)
                        .map(PartialReflect::as_partial_reflect)
                },
                get_mut: |world, at| {
                    of_type::<L>(world, at.cell_type)?.item(at.item)?;
                    let table = world.get_resource_mut::<PerType<L>>()?;
                    Some(table.map_unchanged(|table| {
                        table.0[at.cell_type]
                            .as_mut()
                            .and_then(|list| list.item_mut(at.item))
                            .expect("presence was checked above")
                            .as_partial_reflect_mut()
                    }))
                },
                copy_row: copy_row::<L>,
                limits: L::Item::limits,
                fields: number_fields(L::Item::type_info()),
            });
        self
    }

    fn register_list<L: NamedParameters + Resource<Mutability = Mutable> + Default>(
        &mut self,
        name: &'static str,
    ) -> &mut Self {
        self.init_resource::<L>()
            .declare_remade::<L>(BY_PATH)
            .init_resource::<ParameterRegistry>();
        self.world_mut()
            .resource_mut::<ParameterRegistry>()
            .entries
            .push(Entry {
                name,
                per_type: false,
                items: Some(|world, _| {
                    let list = world.get_resource::<L>();
                    list.map_or_else(Vec::new, |list| {
                        list.names().into_iter().map(str::to_owned).collect()
                    })
                }),
                get: |world, at| {
                    world
                        .get_resource::<L>()?
                        .item(at.item)
                        .map(PartialReflect::as_partial_reflect)
                },
                get_mut: |world, at| {
                    let list = world.get_resource_mut::<L>()?;
                    list.item(at.item)?;
                    Some(list.map_unchanged(|list| {
                        list.item_mut(at.item)
                            .expect("presence was checked above")
                            .as_partial_reflect_mut()
                    }))
                },
                copy_row: |_, _, _| {},
                limits: L::Item::limits,
                fields: number_fields(L::Item::type_info()),
            });
        self
    }
}

fn add_capability<P: Parameters>(app: &mut App, capability: Capability) {
    app.init_resource::<PerType<P>>()
        .declare_remade::<PerType<P>>(BY_PATH)
        .init_resource::<ParameterRegistry>()
        .init_resource::<CapabilityRegistry>();
    let name = capability.name;
    let world = app.world_mut();
    world.resource_mut::<CapabilityRegistry>().add(capability);
    world
        .resource_mut::<ParameterRegistry>()
        .entries
        .push(Entry {
            name,
            per_type: true,
            items: None,
            get: |world, at| {
                world
                    .get_resource::<PerType<P>>()?
                    .0
                    .get(at.cell_type)?
                    .as_ref()
                    .map(PartialReflect::as_partial_reflect)
            },
            get_mut: |world, at| {
                let table = world.get_resource_mut::<PerType<P>>()?;
                table.0.get(at.cell_type)?.as_ref()?;
                Some(table.map_unchanged(|table| {
                    table.0[at.cell_type]
                        .as_mut()
                        .expect("presence was checked above")
                        .as_partial_reflect_mut()
                }))
            },
            copy_row: copy_row::<P>,
            limits: P::limits,
            fields: number_fields(P::type_info()),
        });
}

/// Gives one row of a table what stands in another.
fn copy_row<P: Clone + Send + Sync + 'static>(world: &mut World, from: usize, to: usize) {
    if let Some(mut table) = world.get_resource_mut::<PerType<P>>() {
        let row = table.0.get(from).cloned().flatten();
        if table.0.len() <= to {
            table.0.resize(to + 1, None);
        }
        table.0[to] = row;
    }
}

/// A parameter as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterValue {
    /// Its path.
    pub path: String,
    /// Its value.
    pub value: f64,
    /// What it may be.
    pub limits: Limits,
}

/// Every parameter of the simulation with its value, by group and then by cell type.
pub fn list_parameters(world: &World) -> Vec<ParameterValue> {
    let Some(registry) = world.get_resource::<ParameterRegistry>() else {
        return Vec::new();
    };
    let mut list = Vec::new();
    for_each_target(world, registry, |owner, entry, at| {
        let Some(value) = (entry.get)(world, at) else {
            return;
        };
        for field in &entry.fields {
            if let Some(number) = read_number(value, field) {
                list.push(ParameterValue {
                    path: format!("{owner}.{field}"),
                    value: number,
                    limits: (entry.limits)(field),
                });
            }
        }
    });
    list
}

fn for_each_target(
    world: &World,
    registry: &ParameterRegistry,
    mut visit: impl FnMut(&str, &Entry, At),
) {
    let mut each_item = |owner: &str, entry: &Entry, cell_type: usize| match entry.items {
        None => visit(owner, entry, At { cell_type, item: 0 }),
        Some(items) => {
            for (item, name) in items(world, cell_type).iter().enumerate() {
                visit(&format!("{owner}.{name}"), entry, At { cell_type, item });
            }
        }
    };
    for entry in registry.entries.iter().filter(|entry| !entry.per_type) {
        each_item(entry.name, entry, 0);
    }
    if let Some(names) = world.get_resource::<CellTypeNames>() {
        for (index, name) in names.0.iter().enumerate() {
            for entry in registry.entries.iter().filter(|entry| entry.per_type) {
                each_item(&format!("{name}.{}", entry.name), entry, index);
            }
        }
    }
}

/// Where a path leads: the registered entry, the cell type and the item of a list, the field inside.
struct Target<'a> {
    entry: &'a Entry,
    at: At,
    field: &'a str,
}

fn find<'a>(
    world: &World,
    registry: &'a ParameterRegistry,
    path: &'a str,
    value: f64,
) -> Result<Target<'a>, ParameterError> {
    let none = CellTypeNames::default();
    let names = world.get_resource::<CellTypeNames>().unwrap_or(&none);
    let below = |name: &str, path: &'a str| path.strip_prefix(name)?.strip_prefix('.');
    // The item that the rest of a path names, and what comes after it.
    let inside = |entry: &Entry, cell_type: usize, rest: &'a str| {
        let Some(items) = entry.items else {
            return Some((At { cell_type, item: 0 }, rest));
        };
        let items = items(world, cell_type);
        let mut items = items.iter().enumerate();
        items.find_map(|(item, name)| Some((At { cell_type, item }, below(name, rest)?)))
    };
    let target = registry.entries.iter().find_map(|entry| {
        let (at, field) = if entry.per_type {
            names.0.iter().enumerate().find_map(|(index, name)| {
                inside(entry, index, below(entry.name, below(name, path)?)?)
            })?
        } else {
            inside(entry, 0, below(entry.name, path)?)?
        };
        let known =
            entry.fields.iter().any(|known| known == field) && (entry.get)(world, at).is_some();
        known.then_some(Target { entry, at, field })
    });
    let Some(target) = target else {
        return Err(ParameterError::Unknown {
            path: path.to_owned(),
            suggestion: nearest(path, &all_paths(world, registry)),
            known: beginnings(names, registry),
        });
    };
    let limits = (target.entry.limits)(target.field);
    if !limits.contain(value) {
        return Err(ParameterError::OutOfRange {
            path: path.to_owned(),
            value,
            allowed: if value.is_finite() {
                limits.describe()
            } else {
                Limits::FINITE.describe()
            },
        });
    }
    Ok(target)
}

/// Says whether a parameter can be set to a value.
///
/// # Errors
/// When no parameter has this path, or the value is outside its limits.
pub fn check_parameter(world: &World, path: &str, value: f64) -> Result<(), ParameterError> {
    let none = ParameterRegistry::default();
    let registry = world.get_resource::<ParameterRegistry>().unwrap_or(&none);
    find(world, registry, path, value).map(|_| ())
}

/// Says whether a parameter can hold a value as it is, without rounding: a whole number, or 0 or 1 for a switch.
///
/// # Errors
/// When it cannot, no parameter has this path, or the value is outside its limits.
pub fn check_exact(world: &World, path: &str, value: f64) -> Result<(), ParameterError> {
    let none = ParameterRegistry::default();
    let registry = world.get_resource::<ParameterRegistry>().unwrap_or(&none);
    let target = find(world, registry, path, value)?;
    let kind = (target.entry.get)(world, target.at).and_then(|group| field_at(group, target.field));
    let is_switch = kind.is_some_and(|field| field.try_downcast_ref::<bool>().is_some());
    let is_whole = kind.is_some_and(|field| field.try_downcast_ref::<u32>().is_some());
    let allowed = if is_switch && value != 0.0 && value != 1.0 {
        "0 (off) or 1 (on)"
    } else if is_whole && f64::from(value as u32) != value {
        "a whole number"
    } else {
        return Ok(());
    };
    Err(ParameterError::OutOfRange {
        path: path.to_owned(),
        value,
        allowed: allowed.into(),
    })
}

/// Sets a parameter.
///
/// # Errors
/// When no parameter has this path, or the value is outside its limits. Nothing is changed then.
pub fn set_parameter(world: &mut World, path: &str, value: f64) -> Result<(), ParameterError> {
    world.init_resource::<ParameterRegistry>();
    world.resource_scope(|world, registry: Mut<ParameterRegistry>| {
        let Target { entry, at, field } = find(world, &registry, path, value)?;
        if let Some(mut target) = (entry.get_mut)(world, at) {
            write_number(&mut *target, field, value);
        }
        if entry.per_type {
            let path = format!("{}.{field}", entry.name);
            for (row, factor) in clones::factors(world, at.cell_type as u16, &path) {
                entry.set_in_clone(world, at, usize::from(row), field, factor);
            }
        }
        Ok(())
    })
}

impl Entry {
    /// Sets a number of a clone: that of its type times a factor, held within the limits.
    fn set_in_clone(&self, world: &mut World, of_type: At, row: usize, field: &str, factor: f32) {
        let at = At {
            cell_type: row,
            ..of_type
        };
        let of_type = (self.get)(world, of_type).and_then(|group| read_number(group, field));
        let limits = (self.limits)(field);
        if let Some(value) = of_type
            && let Some(mut target) = (self.get_mut)(world, at)
        {
            let value = (value * f64::from(factor)).clamp(limits.min, limits.max);
            write_number(&mut *target, field, value);
        }
    }
}

/// Gives a clone the parameters of its type, each heritable one times the clone's factor.
pub(super) fn make_row(world: &mut World, row: u16, cell_type: u16, factors: &[(String, f32)]) {
    world.init_resource::<ParameterRegistry>();
    let (row, cell_type) = (usize::from(row), usize::from(cell_type));
    world.resource_scope(|world, registry: Mut<ParameterRegistry>| {
        for entry in registry.entries.iter().filter(|entry| entry.per_type) {
            (entry.copy_row)(world, cell_type, row);
            for (path, factor) in factors {
                if let Some(field) = path
                    .strip_prefix(entry.name)
                    .and_then(|rest| rest.strip_prefix('.'))
                {
                    let of_type = At { cell_type, item: 0 };
                    entry.set_in_clone(world, of_type, row, field, *factor);
                }
            }
        }
    });
}

/// What paths of parameters begin with, in words.
fn beginnings(types: &CellTypeNames, registry: &ParameterRegistry) -> String {
    let list = |per_type: bool| {
        let entries = registry.entries.iter();
        let names = entries.filter(|entry| entry.per_type == per_type);
        let quoted: Vec<String> = names.map(|entry| format!("`{}`", entry.name)).collect();
        quoted.join(", ")
    };
    let types: Vec<String> = types.0.iter().map(|name| format!("`{name}`")).collect();
    format!(
        "the groups are {}, and of a cell type ({}) {}",
        list(false),
        types.join(", "),
        list(true)
    )
}

fn all_paths(world: &World, registry: &ParameterRegistry) -> Vec<String> {
    let mut paths = Vec::new();
    for_each_target(world, registry, |owner, entry, at| {
        if (entry.get)(world, at).is_some() {
            paths.extend(entry.fields.iter().map(|field| format!("{owner}.{field}")));
        }
    });
    paths
}

/// The known name nearest to `name`, unless all are far from it.
pub fn nearest<S: AsRef<str>>(name: &str, known: &[S]) -> Option<String> {
    known
        .iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(name, candidate.as_ref()),
                candidate.as_ref(),
            )
        })
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

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
}
