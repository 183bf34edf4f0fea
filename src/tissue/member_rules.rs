//! Rules on the members of populations: what of each of them rules can change, and what they can go by.
//!
//! To rules the members of a population in a site are *elements* of the kind that is the population's name
//! ([`crate::core::input`]): a rule of the site joins an input and a quantity of each member, such as the digestion of an
//! element of a membrane and the `mmp` where it lies. The module that owns the population registers both
//! ([`RegisterMemberRules`]), and its systems ask with [`MemberInputs`] what the rules made of an input.
//!
//! The order of members is found in `Perceive`, where members came or went in the step before; populations without inputs
//! and quantities cost nothing.

use std::any::TypeId;

use bevy::ecs::component::ComponentId;
use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::FieldReader;
use super::molecule::Molecules;
use super::population::{LivesIn, MemberTurnover, members_by_identity};
use super::site::{SiteId, Sites};
use crate::core::input::{InputInfo, Inputs, RegisterInputs, Regulate, Regulated};
use crate::core::quantity::Quantity;
use crate::core::state::{RegisterState, StateRegistry};
use crate::core::{MemberId, SimSchedule, SimSystems};

/// The members of a population in each site.
struct Ordered {
    of: TypeId,
    mark: ComponentId,
    /// The population's name.
    kind: &'static str,
    /// Where a member lies in its site, um; none if its population has no places.
    place: Option<PlaceOf>,
    members: usize,
    /// By site, in the order of identity.
    by_site: Vec<Vec<(MemberId, Entity)>>,
}

type PlaceOf = Box<dyn Fn(EntityRef) -> Option<Vec3> + Send + Sync>;

/// The members of all populations on which there can be rules.
#[derive(Resource, Default)]
pub struct MembersInOrder(Vec<Ordered>);

impl MembersInOrder {
    fn of(&self, mark: TypeId) -> Option<&Ordered> {
        self.0.iter().find(|ordered| ordered.of == mark)
    }

    /// The members of a population in the site with this entity.
    fn in_site(world: &World, mark: TypeId, site: Entity) -> &[(MemberId, Entity)] {
        let found = || {
            let ordered = world.get_resource::<Self>()?.of(mark)?;
            let site = world.get::<SiteId>(site)?;
            ordered.by_site.get(usize::from(site.0))
        };
        found().map_or(&[], Vec::as_slice)
    }
}

/// Finds the order of members where it is not that of the step before.
fn order_members(world: &mut World) {
    let sites = world
        .get_resource::<Sites>()
        .map_or(0, |sites| sites.list.len());
    let turnover = world.get_resource::<MemberTurnover>();
    let moved = turnover.is_none_or(|of| !of.come.is_empty() || !of.gone.is_empty());
    world.resource_scope(|world, mut order: Mut<MembersInOrder>| {
        for ordered in &mut order.0 {
            let archetypes = world.archetypes().iter();
            let holders = archetypes.filter(|archetype| archetype.contains(ordered.mark));
            let members = holders.map(|archetype| archetype.len() as usize).sum();
            if !moved && members == ordered.members && ordered.by_site.len() == sites {
                continue;
            }
            ordered.members = members;
            ordered.by_site.resize_with(sites, Vec::new);
            ordered.by_site.iter_mut().for_each(Vec::clear);
            for (member, entity) in members_by_identity(world, ordered.mark) {
                let site = world.get::<LivesIn>(entity).map(|lives_in| lives_in.0);
                let site = site.and_then(|site| ordered.by_site.get_mut(usize::from(site.0)));
                if let Some(site) = site {
                    site.push((member, entity));
                }
            }
        }
    });
}

/// Registration, from the plugin of the module that owns the population, once that is registered.
///
/// # Panics
/// Each of them, when the population is not registered, or another has the name of an input or quantity.
pub trait RegisterMemberRules {
    /// Registers an input of each member of the population known by `P`, given its base for what the member carries.
    fn register_member_input<P: Component, C: Component>(
        &mut self,
        info: InputInfo,
        base: impl Fn(&C) -> f32 + Send + Sync + 'static,
    ) -> &mut Self;

    /// Registers what rules can go by: a number of what a member carries.
    fn register_member_quantity<P: Component, C: Component>(
        &mut self,
        info: Quantity,
        get: impl Fn(&C) -> f32 + Send + Sync + 'static,
    ) -> &mut Self;

    /// Says where a member lies in its site, um: rules can then go by the concentration of each molecule there, under the
    /// name of the molecule. Where the site does not carry it, it is its background.
    fn place_members<P: Component, C: Component>(
        &mut self,
        place: impl Fn(&C) -> Vec3 + Send + Sync + 'static,
    ) -> &mut Self;
}

/// The name of the population known by `P`, whose members are put in order from now on.
fn order<P: Component>(app: &mut App) -> &'static str {
    let mark = app.world_mut().register_component::<P>();
    let registry = app.world().get_resource::<StateRegistry>();
    let population = registry.and_then(|registry| {
        let mut populations = registry.populations.iter();
        populations.find(|population| population.mark == mark)
    });
    let Some(kind) = population.map(|population| population.name) else {
        panic!(
            "`{}` is registered as a population before rules on its members are",
            std::any::type_name::<P>()
        );
    };
    if !app.world().contains_resource::<MembersInOrder>() {
        app.init_resource::<MembersInOrder>()
            .declare_remade::<MembersInOrder>("found in `Perceive`")
            .regulate()
            .add_systems(SimSchedule, order_members.in_set(SimSystems::Perceive));
    }
    let mut known = app.world_mut().resource_mut::<MembersInOrder>();
    let of = TypeId::of::<P>();
    if known.of(of).is_none() {
        known.0.push(Ordered {
            of,
            mark,
            kind,
            place: None,
            members: 0,
            by_site: Vec::new(),
        });
    }
    kind
}

/// Appends what `get` makes of a component of each of these members; NaN for one that lacks it.
fn read<C: Component>(
    world: &World,
    members: &[(MemberId, Entity)],
    to: &mut Vec<f32>,
    get: &impl Fn(&C) -> f32,
) {
    let of = |(_, entity): &(MemberId, Entity)| world.get::<C>(*entity).map_or(f32::NAN, get);
    to.extend(members.iter().map(of));
}

impl RegisterMemberRules for App {
    fn register_member_input<P: Component, C: Component>(
        &mut self,
        info: InputInfo,
        base: impl Fn(&C) -> f32 + Send + Sync + 'static,
    ) -> &mut Self {
        let kind = order::<P>(self);
        self.register_element_input(kind, info, move |world, site, to| {
            let members = MembersInOrder::in_site(world, TypeId::of::<P>(), site);
            read(world, members, to, &base);
        })
    }

    fn register_member_quantity<P: Component, C: Component>(
        &mut self,
        info: Quantity,
        get: impl Fn(&C) -> f32 + Send + Sync + 'static,
    ) -> &mut Self {
        let kind = order::<P>(self);
        self.register_element_quantity(kind, info, move |world, site, to| {
            let members = MembersInOrder::in_site(world, TypeId::of::<P>(), site);
            read(world, members, to, &get);
        })
    }

    fn place_members<P: Component, C: Component>(
        &mut self,
        place: impl Fn(&C) -> Vec3 + Send + Sync + 'static,
    ) -> &mut Self {
        order::<P>(self);
        let mut known = self.world_mut().resource_mut::<MembersInOrder>();
        let mut known = known.0.iter_mut();
        if let Some(ordered) = known.find(|ordered| ordered.of == TypeId::of::<P>()) {
            ordered.place = Some(Box::new(move |member| member.get::<C>().map(&place)));
        }
        self
    }
}

/// Works out for each element of a site what a number of voxels is at it, given that number.
type AtElements = fn(&World, Entity, &dyn Fn(u32) -> f32, &mut Vec<f32>);

/// Elements of sites that lie in voxels, such as vessel segments: their kind, and how a number of voxels is theirs.
#[derive(Resource, Clone, Debug, Default)]
pub struct PlacedElements(Vec<(&'static str, AtElements)>);

/// Registration, from a module's plugin.
pub trait RegisterPlacedElements {
    /// Says where elements of a kind lie: `at` appends for each of a site, given by its entity, what a number of voxels is at it. Rules can
    /// then go by the concentration of each molecule there, as for [`RegisterMemberRules::place_members`].
    fn place_elements(&mut self, kind: &'static str, at: AtElements) -> &mut Self;
}

impl RegisterPlacedElements for App {
    fn place_elements(&mut self, kind: &'static str, at: AtElements) -> &mut Self {
        self.init_resource::<PlacedElements>()
            .declare_remade::<PlacedElements>("a list of what the program knows");
        let mut known = self.world_mut().resource_mut::<PlacedElements>();
        known.0.push((kind, at));
        self
    }
}

/// Registers each molecule as a quantity of the elements that lie in voxels.
fn register_molecules_at_elements(world: &mut World, molecules: &Molecules) {
    let placed = world.get_resource::<PlacedElements>().cloned();
    for (kind, at) in placed.into_iter().flat_map(|placed| placed.0) {
        for molecule in molecules.list() {
            let name = molecule.name.clone();
            let about = format!("{} at the {kind}.", molecule.label);
            let info = Quantity::new(&name, &molecule.unit, about).label(&molecule.label);
            world.register_element_quantity(kind, info, move |world, site, to| {
                let field = FieldReader::in_world(world, &name);
                if let (Some(field), Some(id)) = (field, world.get::<SiteId>(site)) {
                    at(world, site, &|voxel| field.at(*id, voxel), to);
                }
            });
        }
    }
}

/// Registers each molecule as a quantity of the members of all populations that have places, and of other elements that do.
pub fn register_molecules_at_members(world: &mut World, molecules: &Molecules) {
    register_molecules_at_elements(world, molecules);
    let Some(order) = world.get_resource::<MembersInOrder>() else {
        return;
    };
    let placed = order.0.iter().filter(|ordered| ordered.place.is_some());
    let placed: Vec<_> = placed.map(|ordered| (ordered.of, ordered.kind)).collect();
    for (mark, kind) in placed {
        for molecule in molecules.list() {
            let name = molecule.name.clone();
            let about = format!("{} where the member lies.", molecule.label);
            let info = Quantity::new(&name, &molecule.unit, about).label(&molecule.label);
            world.register_element_quantity(kind, info, move |world, site, to| {
                let members = MembersInOrder::in_site(world, mark, site);
                let order = world.get_resource::<MembersInOrder>();
                let ordered = order.and_then(|order| order.of(mark));
                let (Some(place), Some(field), Some(site)) = (
                    ordered.and_then(|ordered| ordered.place.as_ref()),
                    FieldReader::in_world(world, &name),
                    world.get::<SiteId>(site),
                ) else {
                    return;
                };
                let at = |(_, entity): &(MemberId, Entity)| place(world.entity(*entity));
                let level = |at: Option<Vec3>| at.map_or(f32::NAN, |at| field.at_point(*site, at));
                to.extend(members.iter().map(at).map(level));
            });
        }
    }
}

/// What systems ask for the inputs of members in this step.
#[derive(SystemParam)]
pub struct MemberInputs<'w> {
    regulated: Regulated<'w>,
    inputs: Res<'w, Inputs>,
    order: Res<'w, MembersInOrder>,
    sites: Res<'w, Sites>,
}

impl MemberInputs<'_> {
    /// An input of the members of the population known by `P`, by name: what rules made of it in this step. Members that
    /// came since have none yet.
    pub fn input<P: Component>(&self, name: &str) -> MemberValues<'_> {
        let ordered = self.order.of(TypeId::of::<P>());
        let by_site = ordered.map_or(&[][..], |ordered| &ordered.by_site);
        let sites = self.sites.list.iter().map(|site| site.entity);
        let by_site = by_site.iter().zip(sites).map(|(members, site)| {
            let values = self.regulated.of_elements(&self.inputs, name, site);
            (members.as_slice(), values.unwrap_or_default())
        });
        MemberValues {
            by_site: by_site.collect(),
        }
    }
}

/// An input of the members of a population.
pub struct MemberValues<'a> {
    by_site: Vec<(&'a [(MemberId, Entity)], &'a [f32])>,
}

impl MemberValues<'_> {
    /// That of a member in a site; none if it came in this step.
    pub fn of(&self, site: SiteId, member: MemberId) -> Option<f32> {
        let (members, values) = self.by_site.get(usize::from(site.0))?;
        let place = members.binary_search_by_key(&member, |(id, _)| *id).ok()?;
        values.get(place).copied()
    }
}
