//! Other populations: entities that are no cells, such as exosome packets or elements of a basement membrane.
//!
//! The module that owns them registers a component by which its members are known, and what they carry
//! ([`RegisterPopulation`], [`RegisterState::register_member_state`]). From then on they have identities of their own,
//! are part of the state hash and of checkpoints, and their balance is kept under `--verify`, as with cells. Each lives in
//! a site ([`LivesIn`]); where a site is removed from the world, its members go with it.
//!
//! Members are put into a scene by the function given to [`RegisterPopulation::begin_sites`], once for each site. While
//! it runs, systems ask for them to come and go with [`Members`], from any thread and in any order, in any stage before
//! `Turnover`. There those that go are removed in the order of identity, and those that come are made in an order that
//! depends on nothing but what they are. One that is to be like a member that is gone by then does not come. What never
//! made sense, such as a member of no known population or with a component that its population does not carry, stops the run
//! with a message, see [`Refused`].

use std::any::TypeId;
use std::cmp::Ordering;

use bevy::ecs::component::ComponentId;
use bevy::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::site::{SiteId, Sites};
use crate::core::carried::Carried;
use crate::core::inbox::Inbox;
use crate::core::invariant::{Breach, Refused, RegisterInvariant, Violation};
use crate::core::state::{Owner, PopulationState, RegisterState, StateRegistry};
use crate::core::{Clock, MemberId, MemberIdCounter, SimSystems};

/// The site in which a member of a population lives.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Reflect)]
pub struct LivesIn(pub SiteId);

/// A member that is to come.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// The component by which its population is known.
    mark: TypeId,
    mark_name: &'static str,
    site: SiteId,
    like: Option<(MemberId, Entity)>,
    carried: Carried,
}

impl NewMember {
    /// A member of the population known by `P`, in a site.
    pub fn of<P: Component>(site: SiteId) -> Self {
        Self {
            mark: TypeId::of::<P>(),
            mark_name: std::any::type_name::<P>(),
            site,
            like: None,
            carried: Carried::default(),
        }
    }

    /// With a copy of everything that another member of its population carries at the end of the step; none comes if
    /// that one is gone by then.
    #[must_use]
    pub const fn like(mut self, member: MemberId, entity: Entity) -> Self {
        self.like = Some((member, entity));
        self
    }

    /// With a component.
    #[must_use]
    pub fn carrying<C>(mut self, component: C) -> Self
    where
        C: Component + Serialize + DeserializeOwned,
    {
        self.carried.add(&component);
        self
    }

    fn order(&self, other: &Self) -> Ordering {
        let key = |of: &Self| (of.mark_name, of.site, of.like.map(|(member, _)| member));
        key(self)
            .cmp(&key(other))
            .then_with(|| self.carried.order(&other.carried))
    }
}

#[derive(Debug, Default)]
struct Asked {
    come: Vec<NewMember>,
    go: Vec<(MemberId, Entity)>,
}

/// Where systems ask for members of populations to come and go.
#[derive(Resource, Debug, Default)]
pub struct Members(Inbox<Asked>);

impl Members {
    /// Asks for a new member.
    pub fn add(&self, member: NewMember) {
        self.0.add(|asked| asked.come.push(member));
    }

    /// Asks for new members, taking the lock once.
    pub fn add_all(&self, members: impl IntoIterator<Item = NewMember>) {
        self.0.add(|asked| asked.come.extend(members));
    }

    /// Whether nothing is asked for that was not carried out.
    fn is_empty(&self) -> bool {
        self.0
            .look(|asked| asked.come.is_empty() && asked.go.is_empty())
    }

    /// Asks that a member, given with its entity, be removed.
    pub fn remove(&self, member: MemberId, entity: Entity) {
        self.0.add(|asked| asked.go.push((member, entity)));
    }
}

/// Who came and went in the last step, each list in the order of identity.
#[derive(Resource, Clone, Debug, Default)]
pub struct MemberTurnover {
    /// Those that came.
    pub come: Vec<MemberId>,
    /// Those that went.
    pub gone: Vec<MemberId>,
}

type BeginSite = fn(&mut World, SiteId);

/// What each population does in a site that is set up, in the order of registration.
#[derive(Resource, Clone, Debug, Default)]
struct BeginSites {
    begin: Vec<BeginSite>,
    settle: Vec<BeginSite>,
}

/// Registration, from a module's plugin.
pub trait RegisterPopulation {
    /// Registers a population by the component that its members are known by, and a name that no other has. What they
    /// carry is registered with [`RegisterState::register_member_state`]; that they live in a site is known.
    fn register_population<P: Component + Default>(&mut self, name: &'static str) -> &mut Self;
    /// Says what members a site has at the start: called once for each site of a scene, after the parameters of the scene
    /// are set and before cells are put into it. See [`spawn_member`].
    fn begin_sites(&mut self, begin: fn(&mut World, SiteId)) -> &mut Self;
    /// Says what a site keeps of its members besides them, such as where they are found: called once for each site when all
    /// are there, in a scene that is set up and in a run that is resumed.
    fn settle_sites(&mut self, settle: fn(&mut World, SiteId)) -> &mut Self;
}

/// What populations do in sites, for registration.
fn begin_sites(app: &mut App) -> Mut<'_, BeginSites> {
    app.init_resource::<BeginSites>()
        .declare_remade::<BeginSites>("a list of what the program knows");
    app.world_mut().resource_mut()
}

impl RegisterPopulation for App {
    fn register_population<P: Component + Default>(&mut self, name: &'static str) -> &mut Self {
        self.list_population::<P>(name)
            .register_member_state::<P, LivesIn>("lives_in")
    }

    fn begin_sites(&mut self, begin: fn(&mut World, SiteId)) -> &mut Self {
        begin_sites(self).begin.push(begin);
        self
    }

    fn settle_sites(&mut self, settle: fn(&mut World, SiteId)) -> &mut Self {
        begin_sites(self).settle.push(settle);
        self
    }
}

/// What all populations need.
pub(crate) fn register(app: &mut App) {
    app.init_resource::<Members>()
        .init_resource::<MemberTurnover>()
        .init_resource::<MemberIdCounter>()
        .register_kept::<MemberIdCounter>(Owner::Simulation, "next_member")
        .declare_remade::<Members>("carried out in the step in which they are asked for")
        .register_invariant(SimSystems::Turnover, "turn_members_over", |world| {
            let left = !world.get_resource::<Members>()?.is_empty();
            left.then(|| {
                let found = "a member was asked to come or go when it was too late in the step";
                Breach::new(found.into())
            })
        })
        .declare_remade::<MemberTurnover>("that of the step just over")
        .add_observer(go_with_site);
}

/// Lets populations put their first members into a site.
pub fn begin_site(world: &mut World, site: SiteId) {
    let known = world.get_resource::<BeginSites>().cloned();
    for begin in known.into_iter().flat_map(|known| known.begin) {
        begin(world, site);
    }
    settle_site(world, site);
}

/// Lets populations take up what members there are in a site.
pub fn settle_site(world: &mut World, site: SiteId) {
    let known = world.get_resource::<BeginSites>().cloned();
    for settle in known.into_iter().flat_map(|known| known.settle) {
        settle(world, site);
    }
}

/// Puts a member of the population known by `P` into a site when a scene is set up. Inside a step it is [`Members`] that
/// lets members come.
pub fn spawn_member<P: Component + Default>(
    world: &mut World,
    site: SiteId,
    components: impl Bundle,
) -> Entity {
    let id = world.resource_mut::<MemberIdCounter>().take();
    world
        .spawn((id, P::default(), LivesIn(site), components))
        .id()
}

/// The members of a site go with it.
fn go_with_site(
    site: On<Remove, SiteId>,
    sites: Query<&SiteId>,
    members: Query<(Entity, &LivesIn), With<MemberId>>,
    mut commands: Commands,
) {
    let Ok(site) = sites.get(site.entity) else {
        return;
    };
    for (member, lives_in) in &members {
        if lives_in.0 == *site {
            commands.entity(member).despawn();
        }
    }
}

/// The members of a population, in the order of identity.
pub fn members_by_identity(world: &World, mark: ComponentId) -> Vec<(MemberId, Entity)> {
    let archetypes = world.archetypes().iter();
    let mut members: Vec<_> = archetypes
        .filter(|archetype| !archetype.is_empty() && archetype.contains(mark))
        .flat_map(|archetype| archetype.entities())
        .filter_map(|entity| Some((*world.get::<MemberId>(entity.id())?, entity.id())))
        .collect();
    members.sort_unstable();
    members
}

/// Removes members and makes new ones, as was asked; runs in `Turnover`.
pub(crate) fn turn_members_over(world: &mut World) {
    let mut asked = std::mem::take(world.resource_mut::<Members>().0.taken());
    world.resource_scope(|world, mut turnover: Mut<MemberTurnover>| {
        let MemberTurnover { come, gone } = &mut *turnover;
        come.clear();
        gone.clear();
        if asked.come.is_empty() && asked.go.is_empty() {
            return;
        }
        asked.go.sort_unstable();
        asked.go.dedup();
        for (member, entity) in asked.go.drain(..) {
            if world.get::<MemberId>(entity) == Some(&member) {
                world.despawn(entity);
                gone.push(member);
            }
        }
        asked.come.sort_unstable_by(NewMember::order);
        let registry = world.resource::<StateRegistry>().clone();
        for member in asked.come.drain(..) {
            match make(world, &registry, &member) {
                Ok(id) => come.extend(id),
                // What can be carried out is, so that the step is whole; the run ends after it.
                Err(found) => refuse(world, found),
            }
        }
    });
    // The lists are used again.
    *world.resource_mut::<Members>().0.taken() = asked;
}

/// Notes that a request made no sense.
fn refuse(world: &mut World, found: String) {
    let clock = world.get_resource::<Clock>().copied();
    let violation = Violation {
        step: clock.map_or(0, |clock| clock.step + 1),
        hours: clock.map_or(0.0, |clock| clock.hours()),
        stage: SimSystems::Turnover,
        system: "turn_members_over",
        breach: Breach::new(found),
    };
    let mut refused = world.get_resource_or_init::<Refused>();
    refused.0.get_or_insert(violation);
}

/// Makes a new member; none if it is to be like one that is gone.
///
/// # Errors
/// In words, when there can be no such member.
fn make(
    world: &mut World,
    registry: &StateRegistry,
    member: &NewMember,
) -> Result<Option<MemberId>, String> {
    let mark = world.components().get_id(member.mark);
    let population = mark.and_then(|mark| {
        let mut populations = registry.populations.iter();
        populations.find(|known| known.mark == mark)
    });
    let Some(population) = population else {
        return Err(format!(
            "a member is to come that is known by `{}`, which is no population; register it with register_population",
            member.mark_name
        ));
    };
    let name = population.name;
    if let Some(sites) = world.get_resource::<Sites>()
        && sites.find(member.site).is_none()
        && !member.site.is_transit()
    {
        return Err(format!(
            "a member of {name} is to come into site number {}, and there are {}, counted from 0",
            member.site.0,
            sites.list.len()
        ));
    }
    let kept = |component: TypeId| {
        let Some(component) = world.components().get_id(component) else {
            return false;
        };
        let mut states = population.states.iter();
        let mut remade = registry.remade.iter();
        states.any(|state| state.id == component) || remade.any(|(known, _)| *known == component)
    };
    if let Some(stray) = member.carried.types().find(|(of, _)| !kept(*of)) {
        return Err(format!(
            "a member of {name} is to carry `{}`, which would be lost with the next checkpoint; register it with \
             register_member_state",
            stray.1
        ));
    }
    let copied = match member.like {
        None => Vec::new(),
        Some((id, entity)) if world.get::<MemberId>(entity) == Some(&id) => {
            let like = world.entity(entity);
            if !like.contains_id(population.mark) {
                return Err(format!(
                    "a member of {name} is to be like member {}, which is of another population",
                    id.0
                ));
            }
            copy_of(like, population)
        }
        Some(_) => return Ok(None),
    };
    let id = world.resource_mut::<MemberIdCounter>().take();
    let mut entity = world.spawn(id);
    (population.put_mark)(&mut entity);
    for (state, bytes) in population.states.iter().zip(&copied) {
        if !bytes.is_empty() {
            (state.read)(&mut entity, bytes);
        }
    }
    entity.insert(LivesIn(member.site));
    member.carried.give(&mut entity);
    Ok(Some(id))
}

/// Everything that a member carries, state by state; empty where it lacks one.
fn copy_of(member: EntityRef, population: &PopulationState) -> Vec<Vec<u8>> {
    let copy = population.states.iter().map(|state| {
        let mut bytes = Vec::new();
        (state.write)(member, &mut bytes);
        bytes
    });
    copy.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::state::forgotten;

    #[derive(Component, Clone, Copy, Debug, Default)]
    struct Grain;

    #[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Load(Vec<f32>);

    fn app() -> App {
        let mut app = App::empty();
        register(&mut app);
        app.register_population::<Grain>("grains")
            .register_member_state::<Grain, Load>("load")
            .declare_remade::<StateRegistry>("a list of what the program knows");
        app
    }

    /// Identity, site and load of each member.
    fn grains(world: &mut World) -> Vec<(u64, SiteId, Vec<f32>)> {
        let mut members = world.query_filtered::<(&MemberId, &LivesIn, &Load), With<Grain>>();
        let mut members: Vec<_> = members
            .iter(world)
            .map(|(id, site, load)| (id.0, site.0, load.0.clone()))
            .collect();
        members.sort_by_key(|(id, ..)| *id);
        members
    }

    #[test]
    fn members_come_in_an_order_that_depends_on_what_they_are_alone() {
        let mut asked: Vec<NewMember> = (0..20)
            .map(|k| NewMember::of::<Grain>(SiteId(k % 3)).carrying(Load(vec![f32::from(k)])))
            .collect();
        let mut seen = Vec::new();
        for _ in 0..2 {
            let mut app = app();
            let world = app.world_mut();
            world.resource::<Members>().add_all(asked.clone());
            turn_members_over(world);
            assert_eq!(world.resource::<MemberTurnover>().come.len(), 20);
            seen.push(grains(world));
            asked.reverse();
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!(seen[0].len(), 20);
    }

    #[test]
    fn members_go_and_leave_others_like_them() {
        let mut app = app();
        let world = app.world_mut();
        let first = spawn_member::<Grain>(world, SiteId(0), Load(vec![1.0]));
        let second = spawn_member::<Grain>(world, SiteId(1), Load(vec![2.0]));
        let members = world.resource::<Members>();
        members.remove(MemberId(0), first);
        members.remove(MemberId(0), first);
        members.add(NewMember::of::<Grain>(SiteId(2)).like(MemberId(1), second));
        members.add(NewMember::of::<Grain>(SiteId(2)).like(MemberId(0), first));
        turn_members_over(world);
        assert_eq!(
            grains(world),
            [(1, SiteId(1), vec![2.0]), (2, SiteId(2), vec![2.0])]
        );
        let turnover = world.resource::<MemberTurnover>().clone();
        assert_eq!(turnover.come, [MemberId(2)]);
        assert_eq!(turnover.gone, [MemberId(0)]);
        turn_members_over(world);
        assert!(world.resource::<MemberTurnover>().come.is_empty());
    }

    #[test]
    fn a_member_that_makes_no_sense_is_refused_and_said_and_the_others_come() {
        #[derive(Component, Default)]
        struct Sand;
        #[derive(Component, Serialize, Deserialize)]
        struct Stray(u8);
        let mut app = app();
        app.register_population::<Sand>("sand");
        let world = app.world_mut();
        world.init_resource::<Sites>();
        let sand = spawn_member::<Sand>(world, SiteId::TRANSIT, ());
        let fine = || NewMember::of::<Grain>(SiteId::TRANSIT).carrying(Load(vec![1.0]));
        let wrong = [
            (
                NewMember::of::<Load>(SiteId::TRANSIT),
                "Load`, which is no population",
            ),
            (
                NewMember::of::<Grain>(SiteId(3)),
                "into site number 3, and there are 0",
            ),
            (fine().carrying(Stray(1)), "Stray`, which would be lost"),
            (
                fine().like(MemberId(0), sand),
                "member 0, which is of another population",
            ),
        ];
        for (count, (member, says)) in (1..).zip(wrong) {
            world.insert_resource(Refused::default());
            world.resource::<Members>().add_all([member, fine()]);
            turn_members_over(world);
            let refused = world
                .resource::<Refused>()
                .0
                .clone()
                .expect("it is refused");
            assert!(refused.breach.found.contains(says), "{refused}");
            assert_eq!(grains(world).len(), count);
        }
    }

    #[test]
    fn members_go_with_their_site() {
        let mut app = app();
        let world = app.world_mut();
        let sites = [SiteId(0), SiteId(1)].map(|site| world.spawn(site).id());
        for (site, _) in sites.iter().enumerate() {
            spawn_member::<Grain>(world, SiteId(site as u16), Load(Vec::new()));
        }
        world.despawn(sites[0]);
        world.flush();
        let left: Vec<_> = grains(world).into_iter().map(|(_, site, _)| site).collect();
        assert_eq!(left, [SiteId(1)]);
    }

    #[test]
    fn what_a_member_carries_without_leave_is_named() {
        #[derive(Component)]
        struct Stray;
        let mut app = app();
        let world = app.world_mut();
        let member = spawn_member::<Grain>(world, SiteId(0), Load(Vec::new()));
        assert!(forgotten(world).is_empty());
        world.entity_mut(member).insert(Stray);
        let found = forgotten(world);
        assert_eq!(found.len(), 1);
        let found = found.first().expect("there is one");
        assert!(found.ends_with("Stray` on grains"), "{found}");
    }

    #[test]
    #[should_panic(expected = "the population `grains` is registered twice")]
    fn a_name_stands_for_one_population() {
        #[derive(Component, Default)]
        struct Other;
        app().register_population::<Other>("grains");
    }
}
