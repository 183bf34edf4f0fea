//! Registration of parameters: how the values of a struct, of one for each cell type, and of lists are reached.

use bevy::ecs::component::Mutable;
use bevy::prelude::*;
use bevy::reflect::{PartialReflect, Typed};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    Entry, NamedParameters, Numbers, ParameterRegistry, Parameters, PerType, last_changed,
};
use crate::core::capability::{Capability, CapabilityRegistry, CapabilityValue};
use crate::core::numbers::{choice_fields, number_fields, write_number};
use crate::core::state::RegisterState;

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
                changed: last_changed::<P>,
                copy_row: |_, _, _| {},
                contradicts: |_, _, _| false,
                limits: P::limits,
                fields: Numbers::Always(number_fields(P::type_info())),
                choices: choice_fields(P::type_info()),
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
                changed: last_changed::<PerType<L>>,
                copy_row: copy_row::<L>,
                contradicts: |world, at, values| {
                    let item =
                        of_type::<L>(world, at.cell_type).and_then(|list| list.item(at.item));
                    item.is_some_and(|item| contradicts_with(item, values))
                },
                limits: L::Item::limits,
                fields: Numbers::Always(number_fields(L::Item::type_info())),
                choices: choice_fields(L::Item::type_info()),
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
                changed: last_changed::<L>,
                copy_row: |_, _, _| {},
                contradicts: |_, _, _| false,
                limits: L::Item::limits,
                fields: Numbers::Always(number_fields(L::Item::type_info())),
                choices: choice_fields(L::Item::type_info()),
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
            changed: last_changed::<PerType<P>>,
            copy_row: copy_row::<P>,
            contradicts: |world, at, values| {
                let table = world.get_resource::<PerType<P>>();
                let parameters = table.and_then(|table| table.0.get(at.cell_type)?.as_ref());
                parameters.is_some_and(|parameters| contradicts_with(parameters, values))
            },
            limits: P::limits,
            fields: Numbers::Always(number_fields(P::type_info())),
            choices: choice_fields(P::type_info()),
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

/// Whether parameters would contradict each other if some had other values.
fn contradicts_with<P: Parameters>(parameters: &P, values: &[(&str, f64)]) -> bool {
    let mut parameters = parameters.clone();
    for (field, value) in values {
        write_number(parameters.as_partial_reflect_mut(), field, *value);
    }
    !parameters.contradictions().is_empty()
}
