//! What cells of a type can do, as data.
//!
//! A *capability* is a struct of [`Parameters`] that a cell file may hold under the capability's name:
//! `cycle: (s_hours: 8)`. Its module registers it with
//! [`RegisterParameters::register_capability`](super::parameters::RegisterParameters::register_capability), and from
//! then on cell files are read, checked, written and put into force through the [`CapabilityRegistry`] alone: nobody
//! else spells out which capabilities there are. How a cell with the capability begins and what its daughters inherit
//! is registered beside it, see [`crate::cell::life`].

use std::fmt;
use std::sync::Arc;

use bevy::prelude::*;
use bevy::reflect::{PartialReflect, TypeInfo, Typed};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::body_part::BodyPart;
use super::dialect::{Mistake, read_ron, write_ron};
use super::parameters::{Contradiction, Limits, NamedParameters, Parameters, PerType};
use super::site_part::SitePart;

/// Name of a cell type, where a part of the body refers to it. That there is one is checked when the scene is read.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Reflect,
)]
#[serde(transparent)]
#[reflect(opaque)]
pub struct CellTypeName(pub String);

/// The parameters of one capability of a cell type, whatever their type.
#[derive(Clone)]
pub struct CapabilityValue {
    parameters: Arc<dyn Reflect>,
    write: fn(&dyn Reflect) -> Result<String, ron::Error>,
}

impl CapabilityValue {
    /// Takes parameters in.
    pub fn new<P: Reflect + Serialize>(parameters: P) -> Self {
        Self {
            parameters: Arc::new(parameters),
            write: |parameters| match parameters.downcast_ref::<P>() {
                Some(parameters) => write_ron(parameters),
                None => Err(ron::Error::Message("another kind of parameters".into())),
            },
        }
    }

    /// The parameters, if they are of this type.
    pub fn get<P: Reflect>(&self) -> Option<&P> {
        (*self.parameters).downcast_ref()
    }

    /// The parameters, to look at field by field.
    pub fn reflect(&self) -> &dyn PartialReflect {
        (*self.parameters).as_partial_reflect()
    }

    /// The parameters as a cell file holds them.
    ///
    /// # Errors
    /// When ron cannot write them.
    pub fn to_ron(&self) -> Result<String, ron::Error> {
        (self.write)(&*self.parameters)
    }
}

impl fmt::Debug for CapabilityValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (*self.parameters).debug(f)
    }
}

/// Equal where both are written alike: not every field can be compared by reflection.
impl PartialEq for CapabilityValue {
    fn eq(&self, other: &Self) -> bool {
        matches!((self.to_ron(), other.to_ron()), (Ok(a), Ok(b)) if a == b)
    }
}

/// Structs of parameters, each with its name where it is one of a list.
pub type Structs<'v> = Vec<(Option<String>, &'v dyn PartialReflect)>;

/// One registered capability.
#[derive(Clone)]
pub struct Capability {
    /// Its name: that of the field in a cell file, and the part of parameter paths behind the cell type.
    pub name: &'static str,
    /// The struct of its parameters.
    pub parameters: &'static TypeInfo,
    /// Allowed range of each parameter.
    pub limits: fn(&str) -> Limits,
    /// What a cell type has whose file leaves it out; nothing if it is then a capability that the cells lack.
    pub otherwise: Option<fn() -> CapabilityValue>,
    /// Reads it from the text of a cell file; nothing for `None`.
    pub read: fn(&str) -> Result<Option<CapabilityValue>, Box<Mistake>>,
    /// Its structs, each with its name where it is a list of them.
    pub structs: for<'v> fn(&'v CapabilityValue) -> Structs<'v>,
    /// Capabilities that cell types named in it must have.
    pub named_types_need: &'static [&'static str],
    /// The species whose body it describes, of a part of the body that says so.
    pub species: fn(&CapabilityValue) -> Option<String>,
    /// What parameters contradict each other.
    pub contradictions: fn(&CapabilityValue) -> Vec<Contradiction>,
    /// The same of those in force for a cell type, by index.
    pub contradictions_in_force: fn(&World, u16) -> Vec<Contradiction>,
    /// Whether cells of a type have it, by index, once it is in force.
    pub is_in_force: fn(&World, u16) -> bool,
    /// Puts the parameters of all cell types into force, by index.
    pub put_into_force: fn(&mut World, &[Option<&CapabilityValue>]),
}

impl Capability {
    pub(super) fn of<P: Parameters + Serialize + DeserializeOwned>(name: &'static str) -> Self {
        Self {
            name,
            parameters: P::type_info(),
            limits: P::limits,
            otherwise: None,
            read: |text| Ok(read_ron::<Option<P>>(text)?.map(CapabilityValue::new)),
            structs: |value| vec![(None, value.reflect())],
            named_types_need: P::named_types_need(),
            species: |value| value.get::<P>().and_then(P::species),
            contradictions: |value| value.get::<P>().map_or_else(Vec::new, P::contradictions),
            contradictions_in_force: |world, cell_type| {
                world
                    .get_resource::<PerType<P>>()
                    .and_then(|table| table.get(cell_type))
                    .map_or_else(Vec::new, P::contradictions)
            },
            is_in_force: |world, cell_type| {
                let table = world.get_resource::<PerType<P>>();
                table.is_some_and(|table| table.get(cell_type).is_some())
            },
            put_into_force: |world, types| {
                let parameters = |value: &Option<&CapabilityValue>| (*value)?.get::<P>().cloned();
                world.insert_resource(PerType::<P>(types.iter().map(parameters).collect()));
            },
        }
    }
}

impl Capability {
    /// One that is a list of structs, each with a name.
    pub(super) fn of_list<L: NamedParameters>(name: &'static str) -> Self
    where
        L::Item: Serialize + DeserializeOwned,
    {
        fn list<L: NamedParameters>(value: &CapabilityValue) -> Option<L>
        where
            L::Item: Serialize,
        {
            value.get::<Vec<L::Item>>().cloned().map(L::from_items)
        }
        Self {
            name,
            parameters: <Vec<L::Item> as Typed>::type_info(),
            limits: L::Item::limits,
            otherwise: None,
            read: |text| Ok(read_ron::<Option<Vec<L::Item>>>(text)?.map(CapabilityValue::new)),
            structs: |value| {
                let items = value.get::<Vec<L::Item>>().into_iter().flatten();
                let items = items.map(PartialReflect::as_partial_reflect);
                let list = list::<L>(value);
                let names = list.iter().flat_map(L::names);
                names.map(|name| Some(name.to_owned())).zip(items).collect()
            },
            named_types_need: L::Item::named_types_need(),
            species: |_| None,
            contradictions: |value| list::<L>(value).map_or_else(Vec::new, |list| twice(&list)),
            contradictions_in_force: |_, _| Vec::new(),
            is_in_force: |world, cell_type| {
                let table = world.get_resource::<PerType<L>>();
                table.is_some_and(|table| table.get(cell_type).is_some())
            },
            put_into_force: |world, types| {
                let lists = types.iter().map(|value| list::<L>((*value)?));
                world.insert_resource(PerType::<L>(lists.collect()));
            },
        }
    }
}

/// The names that stand twice in a list.
fn twice<L: NamedParameters>(list: &L) -> Vec<Contradiction> {
    let names = list.names();
    let again = |(index, name): (usize, &&str)| {
        let first = names[..index].iter().position(|earlier| earlier == name)?;
        Some(Contradiction {
            field: "",
            other: "",
            message: format!("`{name}` stands twice: as entry {first} and as entry {index}"),
        })
    };
    names.iter().enumerate().filter_map(again).collect()
}

/// All capabilities that a program knows, in the order of registration. Cheap to clone.
#[derive(Resource, Clone, Default)]
pub struct CapabilityRegistry {
    list: Arc<Vec<Capability>>,
    of_sites: Arc<Vec<SitePart>>,
    of_body: Arc<Vec<BodyPart>>,
}

impl CapabilityRegistry {
    pub(super) fn add(&mut self, capability: Capability) {
        let name = capability.name;
        assert!(
            self.get(name).is_none(),
            "the capability `{name}` is registered twice"
        );
        Arc::make_mut(&mut self.list).push(capability);
    }

    pub(super) fn add_site_part(&mut self, part: SitePart) {
        let name = part.file.name;
        assert!(
            self.site_part(name).is_none(),
            "the part of sites `{name}` is registered twice"
        );
        Arc::make_mut(&mut self.of_sites).push(part);
    }

    pub(super) fn add_body_part(&mut self, part: BodyPart) {
        let name = part.file.name;
        assert!(
            self.body_part(name).is_none(),
            "the part of the body `{name}` is registered twice"
        );
        Arc::make_mut(&mut self.of_body).push(part);
    }

    /// All parts of the body.
    pub fn body_parts(&self) -> impl Iterator<Item = &BodyPart> {
        self.of_body.iter()
    }

    /// The part of the body of that name.
    pub fn body_part(&self, name: &str) -> Option<&BodyPart> {
        self.of_body.iter().find(|part| part.file.name == name)
    }

    /// Changes the part of sites of that name.
    pub(super) fn change_site_part(&mut self, name: &str, change: impl FnOnce(&mut SitePart)) {
        let mut parts = Arc::make_mut(&mut self.of_sites).iter_mut();
        match parts.find(|part| part.file.name == name) {
            Some(part) => change(part),
            None => panic!("there is no part of sites `{name}`: it is registered first"),
        }
    }

    /// All parts of sites.
    pub fn site_parts(&self) -> impl Iterator<Item = &SitePart> {
        self.of_sites.iter()
    }

    /// The part of sites of that name.
    pub fn site_part(&self, name: &str) -> Option<&SitePart> {
        self.of_sites.iter().find(|part| part.file.name == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Capability> {
        self.list.iter()
    }

    /// The capability of that name.
    pub fn get(&self, name: &str) -> Option<&Capability> {
        self.list.iter().find(|capability| capability.name == name)
    }

    /// Their names.
    pub fn names(&self) -> Vec<&'static str> {
        self.list.iter().map(|capability| capability.name).collect()
    }
}

impl fmt::Debug for CapabilityRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
