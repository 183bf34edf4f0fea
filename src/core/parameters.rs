//! Parameters that scenes, timelines and sliders reach by name.
//!
//! A module keeps its parameters in a plain struct beside its systems. It registers the struct once, either
//! as a *group* (one value for the whole tissue, a resource), as a *capability* (one value for each cell
//! type that has it, in a [`PerType`] resource) or as a *list* (one value for each of some names, in a resource that
//! is a [`NamedParameters`]); a capability may itself be such a list. From then on `"hypoxia.degradation_per_hour"`,
//! `"cancer.cycle.s_hours"` or `"molecules.oxygen.decay_per_min"` names a number that can be read, checked against its
//! [`Limits`] and set; there is no second list to keep.

use std::borrow::Cow;

use bevy::ecs::change_detection::Tick;
use bevy::prelude::*;
use bevy::reflect::{GetTypeRegistration, PartialReflect, Typed};
use thiserror::Error;

use super::clones;
use super::documentation::of_field;
use super::numbers::{field_at, read_number, write_number};

mod choices;
mod in_clones;
mod register;

pub use choices::set_choice;
pub(super) use in_clones::{
    contradict_in_clone, factor_range, make_row, value_in_clone, value_in_row,
};
pub use register::RegisterParameters;

pub use super::limits::Limits;

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

    /// Capabilities without which the cells of a type that is named in it would do nothing of what it says.
    fn named_types_need() -> &'static [&'static str] {
        &[]
    }

    /// The species whose body it describes, where it is a part of the body that says so.
    fn species(&self) -> Option<String> {
        None
    }

    /// Values of a part of a site that make no sense in a site of this size, um, whose middle is the origin.
    fn contradictions_in(&self, _size_um: Vec3) -> Vec<Contradiction> {
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
    /// It is one of several names, not a number.
    #[error(
        "`{path}` is no number: it is one of {allowed}, chosen at the start by `choices: {{\"{path}\": \"{example}\"}}`"
    )]
    ByName {
        /// The path.
        path: String,
        /// The names.
        allowed: String,
        /// One of them.
        example: String,
    },
    /// It is a number, not one of several names.
    #[error("`{path}` is a number: it stands in `parameters`")]
    Number {
        /// The path.
        path: String,
    },
    /// It has no such name.
    #[error("`{path}` cannot be `{found}`: it is one of {allowed}")]
    NoSuchName {
        /// The path.
        path: String,
        /// The name found.
        found: String,
        /// The names.
        allowed: String,
    },
}

/// Index of a cell type and of an item in a list.
#[derive(Clone, Copy, Default)]
pub(super) struct At {
    pub cell_type: usize,
    pub item: usize,
}

/// One registered struct of parameters, and how its values are reached.
pub(super) struct Entry {
    pub name: &'static str,
    pub per_type: bool,
    /// The names in the list of a cell type, or in that of all, where it is one.
    pub items: Option<fn(&World, usize) -> Vec<String>>,
    /// The struct of a cell type and an item of a list; both are 0 where there are none.
    pub get: for<'w> fn(&'w World, At) -> Option<&'w dyn PartialReflect>,
    pub get_mut: for<'w> fn(&'w mut World, At) -> Option<Mut<'w, dyn PartialReflect>>,
    /// When any of its values was last changed.
    pub changed: fn(&World) -> Option<Tick>,
    /// Gives one row of the table what stands in another; nothing for a group.
    pub copy_row: fn(&mut World, usize, usize),
    /// Whether the struct at a place would contradict itself if some of its fields had other values.
    pub contradicts: fn(&World, At, &[(&str, f64)]) -> bool,
    pub limits: fn(&str) -> Limits,
    pub fields: Numbers,
    /// What in it is one of several names, and which.
    pub choices: Vec<(String, Vec<&'static str>)>,
}

/// When a resource was last changed.
pub(super) fn last_changed<R: Resource>(world: &World) -> Option<Tick> {
    Some(world.get_resource_change_ticks::<R>()?.changed)
}

/// Which numbers a struct has.
pub(super) enum Numbers {
    /// These, by path.
    Always(Vec<String>),
    /// What follows from its value.
    Of(fn(&dyn PartialReflect) -> Vec<String>),
}

/// All registered parameters of a simulation.
#[derive(Resource, Default)]
pub struct ParameterRegistry {
    entries: Vec<Entry>,
}

impl ParameterRegistry {
    /// Adds parameters that are kept in a way of their own.
    pub(super) fn add(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// When the values of each entry were last changed, in the order of registration.
    pub(super) fn changed<'w>(
        &'w self,
        world: &'w World,
    ) -> impl Iterator<Item = Option<Tick>> + 'w {
        self.entries.iter().map(|entry| (entry.changed)(world))
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
    /// What it is: the doc comment of its field.
    pub about: &'static str,
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
        for field in entry.fields_of(value).iter() {
            if let Some(number) = read_number(value, field) {
                list.push(ParameterValue {
                    path: format!("{owner}.{field}"),
                    value: number,
                    limits: (entry.limits)(field),
                    about: documented(value, field).unwrap_or_default(),
                });
            }
        }
    });
    list
}

/// The doc comment of a field.
fn documented(value: &dyn PartialReflect, field: &str) -> Option<&'static str> {
    of_field(value.get_represented_type_info()?, field)
}

/// A struct of parameters that are the same for the whole tissue.
pub struct Group<'w> {
    /// What their paths begin with.
    pub name: &'static str,
    /// Its name in the list, where the group is a list; paths go on with it.
    pub item: Option<String>,
    /// The struct.
    pub value: &'w dyn PartialReflect,
    /// What each may be.
    pub limits: fn(&str) -> Limits,
}

/// All groups, in the order of registration; of those that are lists each struct.
pub fn groups(world: &World) -> Vec<Group<'_>> {
    let registry = world.get_resource::<ParameterRegistry>();
    let entries = registry.into_iter().flat_map(|registry| &registry.entries);
    let mut groups = Vec::new();
    for entry in entries.filter(|entry| !entry.per_type) {
        let items = match entry.items {
            None => vec![None],
            Some(items) => items(world, 0).into_iter().map(Some).collect(),
        };
        for (item, name) in items.into_iter().enumerate() {
            let at = At { cell_type: 0, item };
            groups.extend((entry.get)(world, at).map(|value| Group {
                name: entry.name,
                item: name,
                value,
                limits: entry.limits,
            }));
        }
    }
    groups
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
    let target = registry.entries.iter().find_map(|entry| {
        let (at, field) = if entry.per_type {
            names.0.iter().enumerate().find_map(|(index, name)| {
                entry.inside(world, index, below(entry.name, below(name, path)?)?)
            })?
        } else {
            entry.inside(world, 0, below(entry.name, path)?)?
        };
        let value = (entry.get)(world, at)?;
        let known = entry.fields_of(value).iter().any(|known| known == field);
        known.then_some(Target { entry, at, field })
    });
    let Some(target) = target else {
        if let Some(error) = choices::by_name(world, registry, path) {
            return Err(error);
        }
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
            let inside = path.split_once('.').map_or(path, |(_, inside)| inside);
            for (row, factor) in clones::factors(world, at.cell_type as u16, inside) {
                entry.set_in_clone(world, at, usize::from(row), field, factor);
            }
        }
        Ok(())
    })
}

/// What comes behind a name in a path.
fn below<'p>(name: &str, path: &'p str) -> Option<&'p str> {
    path.strip_prefix(name)?.strip_prefix('.')
}

impl Entry {
    /// Paths of the numbers in a value.
    fn fields_of(&self, value: &dyn PartialReflect) -> Cow<'_, [String]> {
        match self.fields {
            Numbers::Always(ref fields) => Cow::Borrowed(fields),
            Numbers::Of(fields) => Cow::Owned(fields(value)),
        }
    }

    /// The item that the rest of a path names, and what comes behind it.
    fn inside<'p>(&self, world: &World, cell_type: usize, rest: &'p str) -> Option<(At, &'p str)> {
        let Some(items) = self.items else {
            return Some((At { cell_type, item: 0 }, rest));
        };
        let items = items(world, cell_type);
        let mut items = items.iter().enumerate();
        items.find_map(|(item, name)| Some((At { cell_type, item }, below(name, rest)?)))
    }
}

/// What paths of parameters begin with, in words; of cell types and what they have the first ones.
fn beginnings(types: &CellTypeNames, registry: &ParameterRegistry) -> String {
    /// So many of them.
    const MOST: usize = 8;
    let quoted = |per_type: bool| -> Vec<String> {
        let entries = registry.entries.iter();
        let names = entries.filter(|entry| entry.per_type == per_type);
        names.map(|entry| format!("`{}`", entry.name)).collect()
    };
    let first = |names: &[String]| match names.get(..MOST) {
        Some(some) if names.len() > MOST => format!("{} ...", some.join(", ")),
        _ => names.join(", "),
    };
    let types: Vec<String> = types.0.iter().map(|name| format!("`{name}`")).collect();
    format!(
        "the groups are {}, and of a cell type ({}) {}",
        quoted(false).join(", "),
        first(&types),
        first(&quoted(true))
    )
}

fn all_paths(world: &World, registry: &ParameterRegistry) -> Vec<String> {
    let mut paths = Vec::new();
    for_each_target(world, registry, |owner, entry, at| {
        if let Some(value) = (entry.get)(world, at) {
            let fields = entry.fields_of(value);
            paths.extend(fields.iter().map(|field| format!("{owner}.{field}")));
        }
    });
    paths
}

/// The known name nearest to `name`, unless all are far from it.
pub fn nearest<S: AsRef<str>>(name: &str, known: &[S]) -> Option<String> {
    /// Score of what begins or ends with the whole name, as `cd8_t_cell` does with `t_cell`, however long the rest is.
    const PART: f64 = 0.9;
    let is_part = |candidate: &str| {
        let before = candidate.strip_suffix(name);
        let after = candidate.strip_prefix(name);
        before.is_some_and(|rest| rest.ends_with('_'))
            || after.is_some_and(|rest| rest.starts_with('_'))
    };
    let score = |candidate: &str| {
        let alike = strsim::jaro_winkler(name, candidate);
        if is_part(candidate) {
            alike.max(PART)
        } else {
            alike
        }
    };
    // Of a name of one or two letters nearly every longer one is near that begins with them.
    let length = name.chars().count();
    let is_like = |candidate: &str| length > 2 || candidate.chars().count() <= length + 2;
    known
        .iter()
        .map(AsRef::as_ref)
        .filter(|candidate| is_like(candidate))
        .map(|candidate| (score(candidate), candidate))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests;
