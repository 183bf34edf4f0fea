//! Bonds between cells: which kinds there are, how they form, age, tear and pass to daughters.
//!
//! A bond is a spring between two named cells (see [`super::mechanics`]), of a kind that its module registers by name:
//! the desmosomes of a cluster, the synapse of a T cell with its target. Two cells may be joined by one of each kind.
//! Systems book bonds to be formed and cut in the [`BondBook`], from any thread and in any order. All of that is
//! carried out at the beginning of `Move`, in the order of cells and kinds: first what tears, then what is cut, then
//! what is formed; a bond that is cut and formed in one step is new.
//!
//! A bond tears at once above a load, and at the rate `k exp(F / F_0)` below it, `F` its tension: the slip bond of
//! Bell 1978 (Science 200:618). The load is that after the last move. It also ends where one of its cells dies, if its
//! kind says so, and where one is removed or leaves its site without the other.
//!
//! Bonds of cells that are in transit together are kept apart ([`BondsInTransit`]) and go by the same rules. They pull at
//! nothing, for there is no place: each keeps the load with which it left. One that forms on the way has that at which its
//! cells just touch for its rest length, if its law names none, and one that goes to the nearer daughter goes to either.

use bevy::math::ops;
use bevy::prelude::*;

use super::body::{Body, Position, Resident};
use super::death::{Vital, is_alive};
use super::event::{EventBook, EventKind, RegisterEvent};
use super::mechanics::{Bond, BondKindId, Bonds, BondsState, Heir};
use super::movement::{SiteMechanics, move_cells};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::inbox::Inbox;
use crate::core::invariant::{Breach, RegisterInvariant};
use crate::core::parameters::{Parameters, RegisterParameters};
use crate::core::random::probability;
use crate::core::state::{Kept, Owner, RegisterState};
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule, SimSystems};
use crate::tissue::{SiteId, Sites};

#[cfg(test)]
mod tests;

/// A bond formed between two cells.
pub const BOND_FORMED: EventKind = EventKind::of("bond_formed");
/// A bond between two cells was cut or tore.
pub const BOND_BROKEN: EventKind = EventKind::of("bond_broken");

/// When bonds tear.
const TEARING: Purpose = Purpose::of("cell.bonds.tearing");
/// Which daughter has a bond where none is nearer.
const HEIR: Purpose = Purpose::of("cell.bonds.heir");

/// The bonds between cells that are in no site.
#[derive(Resource, Clone, Debug, Default)]
pub struct BondsInTransit(pub Bonds);

impl Kept for BondsInTransit {
    type State = BondsState;

    fn keep(&self) -> Self::State {
        self.0.state()
    }

    fn restore(&mut self, state: Self::State) -> Result<(), String> {
        self.0 = Bonds::of_state(state)?;
        Ok(())
    }
}

/// The bonds of a site, or of cells in transit.
fn bonds_of(world: &World, site: SiteId) -> Option<&Bonds> {
    if site.is_transit() {
        return world.get_resource().map(|BondsInTransit(bonds)| bonds);
    }
    let entity = world.get_resource::<Sites>()?.find(site)?.entity;
    let mechanics = world.get::<SiteMechanics>(entity)?;
    Some(&mechanics.bonds)
}

/// Does something with the bonds of a site, or of cells in transit.
fn with_bonds<R>(world: &mut World, site: SiteId, work: impl FnOnce(&mut Bonds) -> R) -> Option<R> {
    if site.is_transit() {
        let mut bonds = world.get_resource_mut::<BondsInTransit>()?;
        return Some(work(&mut bonds.0));
    }
    let entity = world.get_resource::<Sites>()?.find(site)?.entity;
    let mut mechanics = world.get_mut::<SiteMechanics>(entity)?;
    Some(work(&mut mechanics.bypass_change_detection().bonds))
}

/// Every site, and the way between them.
fn everywhere(world: &World) -> impl Iterator<Item = SiteId> + use<> {
    let sites = world.get_resource::<Sites>();
    let sites = sites.map_or(0, |sites| sites.list.len() as u16);
    (0..sites).map(SiteId).chain([SiteId::TRANSIT])
}

/// Cuts all bonds of cells that were removed.
pub(super) fn cut_all_of(world: &mut World, gone: &[CellId]) {
    if gone.is_empty() {
        return;
    }
    for site in everywhere(world) {
        with_bonds(world, site, |bonds| {
            if !bonds.is_empty() {
                bonds.cut(gone);
            }
        });
    }
}

/// How bonds of a kind act and end; made of the parameters of its module in every step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BondLaw {
    /// Stiffness of new bonds, 1/min.
    pub stiffness_per_min: f32,
    /// Rest length of new bonds between centres, um; that at which the cells are when it forms, if left out.
    pub rest_um: Option<f32>,
    /// Tension above which a bond tears at once, um/min.
    pub strength_um_per_min: f32,
    /// Rate at which a bond without load ends, 1/h.
    pub off_per_hour: f32,
    /// Tension by which that rate rises e-fold, um/min.
    pub load_scale_um_per_min: f32,
}

impl BondLaw {
    /// Rate at which a bond under this tension ends, 1/h.
    pub fn rate_per_hour(&self, load: f32) -> f32 {
        if load > self.strength_um_per_min {
            return f32::INFINITY;
        }
        if self.off_per_hour <= 0.0 || load <= 0.0 || self.load_scale_um_per_min <= 0.0 {
            return self.off_per_hour.max(0.0);
        }
        self.off_per_hour * ops::exp(load / self.load_scale_um_per_min)
    }
}

/// Parameters that say how bonds of a kind act and end.
pub trait BondParameters:
    Parameters + Resource<Mutability = bevy::ecs::component::Mutable> + Default
{
    /// What follows from them.
    fn law(&self) -> BondLaw;
}

/// What becomes of bonds when one of their cells divides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DaughterRule {
    /// They stay with the daughter that goes on as the mother.
    Mother,
    /// Each goes to the daughter that lies nearer to the partner; in transit, where cells have no place, to either.
    Nearer,
    /// Both daughters have them.
    Both,
    /// They are cut.
    Cut,
}

/// A kind of bond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BondKind {
    /// Its name, which begins with that of its module: `immunity.synapse`.
    pub name: &'static str,
    /// A sentence about it.
    pub about: &'static str,
    /// What becomes of it in divisions.
    pub daughters: DaughterRule,
    /// Whether it holds on to a dead cell until that is removed.
    pub outlives_death: bool,
}

#[derive(Clone, Copy)]
struct KnownKind {
    kind: BondKind,
    law: fn(&World) -> BondLaw,
}

/// All kinds, in the order of registration.
#[derive(Resource, Clone, Default)]
pub struct BondKinds(Vec<KnownKind>);

impl BondKinds {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &BondKind> {
        self.0.iter().map(|known| &known.kind)
    }

    /// The number of a kind.
    ///
    /// # Panics
    /// When no module has registered it.
    pub fn id(&self, name: &str) -> BondKindId {
        match self.0.iter().position(|known| known.kind.name == name) {
            Some(number) => BondKindId(number as u16),
            None => panic!("the bond `{name}` is registered by its module"),
        }
    }

    /// The kind of that number.
    pub fn get(&self, id: BondKindId) -> Option<&BondKind> {
        self.0.get(usize::from(id.0)).map(|known| &known.kind)
    }
}

/// Bonds are kept by the number of their kind, so a file must come from a program with the same kinds.
impl Kept for BondKinds {
    type State = Vec<String>;

    fn keep(&self) -> Self::State {
        self.iter().map(|kind| kind.name.to_owned()).collect()
    }

    fn restore(&mut self, state: Self::State) -> Result<(), String> {
        let known = self.keep();
        if known == state {
            Ok(())
        } else {
            Err(format!(
                "it has the bonds {state:?}, and this program {known:?}"
            ))
        }
    }
}

/// Registration, from a module's plugin.
pub trait RegisterBonds {
    /// Registers a kind of bond, and its parameters as a group of its name.
    ///
    /// # Panics
    /// When another module has registered that name.
    fn register_bond<P: BondParameters>(&mut self, kind: BondKind) -> &mut Self;
}

impl RegisterBonds for App {
    fn register_bond<P: BondParameters>(&mut self, kind: BondKind) -> &mut Self {
        self.register_group::<P>(kind.name)
            .init_resource::<BondKinds>();
        let mut kinds = self.world_mut().resource_mut::<BondKinds>();
        assert!(
            kinds.iter().all(|known| known.name != kind.name),
            "there are two kinds of bond called `{}`",
            kind.name
        );
        let law = |world: &World| world.resource::<P>().law();
        let first = kinds.0.is_empty();
        kinds.0.push(KnownKind { kind, law });
        if first {
            self.while_in_transit(
                settle_bonds,
                InTransit::Runs,
                "bonds of a group tear, end and form by their kinds",
            )
            .add_systems(
                SimSchedule,
                settle_bonds.in_set(SimSystems::Move).before(move_cells),
            );
        }
        self
    }
}

/// Where systems book bonds to be formed and cut, from any thread and in any order; carried out in the `Move` stage.
#[derive(Resource, Debug, Default)]
pub struct BondBook(Inbox<Booked>);

#[derive(Debug, Default)]
struct Booked {
    form: Vec<(BondKindId, [Entity; 2])>,
    cut: Vec<(BondKindId, [Entity; 2])>,
}

impl BondBook {
    /// Books a bond to be formed between two cells. Nothing happens if they have one of this kind, are in two sites, or
    /// are one.
    pub fn form(&self, kind: BondKindId, cells: [Entity; 2]) {
        self.0.add(|booked| booked.form.push((kind, cells)));
    }

    /// Whether nothing is booked that was not carried out.
    fn is_empty(&self) -> bool {
        self.0
            .look(|booked| booked.form.is_empty() && booked.cut.is_empty())
    }

    /// Books the bond of a kind between two cells to be cut, if there is one.
    pub fn cut(&self, kind: BondKindId, cells: [Entity; 2]) {
        self.0.add(|booked| booked.cut.push((kind, cells)));
    }
}

/// Lists that live from step to step.
#[derive(Default)]
struct Lists {
    booked: Booked,
    laws: Vec<BondLaw>,
    /// Site, cells and kind; what is booked, in order.
    due: Vec<Due>,
    dead: Vec<CellId>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Due {
    site: SiteId,
    cells: [(CellId, Entity); 2],
    kind: BondKindId,
}

/// Lets bonds tear, cuts those that are booked to be cut and of cells that died, and forms those booked to be formed.
fn settle_bonds(
    world: &mut World,
    dying: &mut QueryState<(&'static CellId, &'static Vital)>,
    places: &mut QueryState<(&'static CellId, &'static Position)>,
    mut lists: Local<Lists>,
) {
    let Lists {
        booked,
        laws,
        due,
        dead,
    } = &mut *lists;
    let kinds = world.resource::<BondKinds>().clone();
    laws.clear();
    laws.extend(kinds.0.iter().map(|known| (known.law)(world)));
    std::mem::swap(world.resource_mut::<BondBook>().0.taken(), booked);
    let is_bound = |site| bonds_of(world, site).is_some_and(|bonds| !bonds.is_empty());
    let bound = everywhere(world).any(is_bound);
    dead.clear();
    if bound && kinds.iter().any(|kind| !kind.outlives_death) {
        let died = dying
            .iter(world)
            .filter(|(_, vital)| !is_alive(Some(vital)));
        dead.extend(died.map(|(id, _)| *id));
        dead.sort_unstable();
    }
    if bound {
        let clock = *world.resource::<Clock>();
        let (key, hours) = (*world.resource::<RandomKey>(), clock.dt_hours());
        let ends = |bond: &Bond| {
            let Some(law) = laws.get(usize::from(bond.kind.0)) else {
                return false;
            };
            let dies = |cell: CellId| dead.binary_search(&cell).is_ok();
            let outlives = kinds.get(bond.kind).is_some_and(|kind| kind.outlives_death);
            if !outlives && (dies(bond.a) || dies(bond.b)) {
                return true;
            }
            let rate = law.rate_per_hour(bond.load);
            rate > 0.0 && {
                let mut random = key.stream(stream_of(bond), clock.step, TEARING);
                random.chance(probability(rate, hours))
            }
        };
        for site in everywhere(world) {
            with_bonds(world, site, |bonds| bonds.cut_where(ends));
        }
    }
    // Cut before formed, so that a bond renewed in one step is new.
    for (list, forms) in [(&mut booked.cut, false), (&mut booked.form, true)] {
        due.clear();
        due.extend(
            list.drain(..)
                .filter_map(|(kind, cells)| due_of(world, kind, cells)),
        );
        due.sort_unstable_by_key(|due| (due.site, due.cells[0].0, due.cells[1].0, due.kind));
        due.dedup();
        for due in &*due {
            carry_out(world, *due, forms.then(|| laws[usize::from(due.kind.0)]));
        }
    }
    tell_broken_among(world, places);
    // No kernel asks for those.
    with_bonds(world, SiteId::TRANSIT, Bonds::forget_changes);
}

/// As [`tell_broken`], for cells that are all still there: at the places that they have now, which a run that goes on from a checkpoint
/// knows as well.
fn tell_broken_among(
    world: &mut World,
    places: &mut QueryState<(&'static CellId, &'static Position)>,
) {
    let mut of_sites = take_broken(world);
    if of_sites.is_empty() {
        return;
    }
    let broken = of_sites.iter().flat_map(|(_, broken)| broken);
    let mut asked: Vec<CellId> = broken.map(|(bond, _)| bond.a).collect();
    asked.sort_unstable();
    let mut found: Vec<(CellId, Vec3)> = places
        .iter(world)
        .filter(|(id, _)| asked.binary_search(id).is_ok())
        .map(|(id, at)| (*id, at.0))
        .collect();
    found.sort_unstable_by_key(|(id, _)| *id);
    for (site, broken) in &mut of_sites {
        for (bond, at) in &mut *broken {
            if let Ok(place) = found.binary_search_by_key(&bond.a, |(id, _)| *id) {
                *at = found[place].1.to_array();
            }
        }
        tell(world, *site, broken);
    }
}

/// The stream of numbers that belongs to a bond.
fn stream_of(bond: &Bond) -> CellId {
    // SplitMix64 (Steele et al. 2014, doi 10.1145/2714064.2660195) of all that names it.
    let mix = |state: u64| {
        let mut mixed = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    };
    CellId(mix(mix(mix(bond.a.0) ^ bond.b.0) ^ u64::from(bond.kind.0)))
}

/// A booking, if both cells are there and in one site.
fn due_of(world: &World, kind: BondKindId, cells: [Entity; 2]) -> Option<Due> {
    let cell = |entity: Entity| {
        let cell = world.get_entity(entity).ok()?;
        let id = *cell.get::<CellId>()?;
        Some((id, entity, cell.get::<Resident>()?.0))
    };
    let (a, b) = (cell(cells[0])?, cell(cells[1])?);
    let (a, b) = if a.0 < b.0 { (a, b) } else { (b, a) };
    (a.0 != b.0 && a.2 == b.2).then_some(Due {
        site: a.2,
        cells: [(a.0, a.1), (b.0, b.1)],
        kind,
    })
}

/// Forms a bond by its law, or cuts it.
fn carry_out(world: &mut World, due: Due, law: Option<BondLaw>) {
    let [(a, entity_a), (b, entity_b)] = due.cells;
    let Some(law) = law else {
        with_bonds(world, due.site, |bonds| bonds.remove([a, b], due.kind));
        return;
    };
    if bonds_of(world, due.site).is_none_or(|bonds| bonds.between([a, b], due.kind).is_some()) {
        return;
    }
    let position = |entity| world.get::<Position>(entity).map_or(Vec3::ZERO, |at| at.0);
    let radius = |entity| world.get::<Body>(entity).map_or(0.0, |body| body.radius_um);
    let at = position(entity_a);
    let rest = law.rest_um.unwrap_or_else(|| {
        if due.site.is_transit() {
            radius(entity_a) + radius(entity_b)
        } else {
            at.distance(position(entity_b))
        }
    });
    let bond = Bond {
        formed: world.resource::<Clock>().step,
        ..Bond::new(due.kind, [a, b], rest, law.stiffness_per_min)
    };
    with_bonds(world, due.site, |bonds| bonds.add(bond));
    world
        .resource::<EventBook>()
        .book_with(BOND_FORMED, a, b, due.site, at);
}

/// Books the event of every bond that was cut since this was last done: at the end of `Turnover` for those that end
/// with a cell.
pub fn tell_broken(world: &mut World) {
    for (site, broken) in take_broken(world) {
        tell(world, site, &broken);
    }
}

/// The bonds of each site that were cut since this was last done, with where the first cell of each was after the last move, um; nothing
/// for sites without any.
fn take_broken(world: &mut World) -> Vec<(SiteId, Vec<(Bond, [f32; 3])>)> {
    let mut all = Vec::new();
    for site in everywhere(world) {
        let mut broken = Vec::new();
        with_bonds(world, site, |bonds| bonds.take_broken(&mut broken));
        if !broken.is_empty() {
            all.push((site, broken));
        }
    }
    all
}

/// Books the event of each of these bonds, which ended in a site where its first cell was (um).
fn tell(world: &World, site: SiteId, broken: &[(Bond, [f32; 3])]) {
    let Some(book) = world.get_resource::<EventBook>() else {
        return;
    };
    for (bond, at) in broken {
        // One that was never moved has no place yet.
        let at = Vec3::from_array(at.map(|at| if at.is_nan() { 0.0 } else { at }));
        book.book_with(BOND_BROKEN, bond.a, bond.b, site, at);
    }
}

/// Lets the bonds of a cell that divided go on as their kinds say.
pub fn divide(world: &mut World, mother: Entity, daughter: Entity) {
    let cell = |entity: Entity| {
        let cell = world.get_entity(entity).ok()?;
        let position = cell.get::<Position>()?.0;
        Some((*cell.get::<CellId>()?, position, cell.get::<Resident>()?.0))
    };
    let (Some(mother), Some(daughter)) = (cell(mother), cell(daughter)) else {
        return;
    };
    let site = mother.2;
    if bonds_of(world, site).is_none_or(|bonds| !bonds.binds(mother.0)) {
        return;
    }
    let Some(kinds) = world.get_resource::<BondKinds>().cloned() else {
        return;
    };
    let (key, step) = (
        *world.resource::<RandomKey>(),
        world.resource::<Clock>().step,
    );
    with_bonds(world, site, |bonds| {
        let places: Vec<(CellId, Vec3)> = bonds
            .of(mother.0)
            .filter_map(|bond| {
                let partner = bond.partner_of(mother.0);
                Some((partner, Vec3::from_array(bonds.position(partner)?)))
            })
            .collect();
        let is_nearer = |bond: &Bond| {
            if site.is_transit() {
                return key.stream(stream_of(bond), step, HEIR).chance(0.5);
            }
            let partner = bond.partner_of(mother.0);
            let at = places.iter().find(|(cell, _)| *cell == partner);
            at.is_some_and(|(_, at)| {
                at.distance_squared(daughter.1) < at.distance_squared(mother.1)
            })
        };
        bonds.divide(mother.0, daughter.0, |bond| {
            match kinds.get(bond.kind).map(|kind| kind.daughters) {
                Some(DaughterRule::Nearer) if is_nearer(bond) => Heir::Daughter,
                Some(DaughterRule::Both) => Heir::Both,
                Some(DaughterRule::Cut) => Heir::Neither,
                Some(DaughterRule::Mother | DaughterRule::Nearer) | None => Heir::Mother,
            }
        });
    });
}

/// Bonds, of whatever kinds are registered.
pub struct BondsPlugin;

impl Plugin for BondsPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<BondKinds>()
            .init_resource::<BondBook>()
            .register_kept::<BondKinds>(Owner::Simulation, "bond_kinds")
            .init_resource::<BondsInTransit>()
            .register_kept::<BondsInTransit>(Owner::Simulation, "bonds_in_transit")
            .declare_remade::<BondBook>("carried out in the `Move` of the step")
            .register_invariant(SimSystems::Turnover, "settle_bonds", |world| {
                let left = !world.get_resource::<BondBook>()?.is_empty();
                left.then(|| {
                    Breach::new("a bond was booked when it was too late in the step".into())
                })
            })
            .register_purpose(TEARING)
            .register_purpose(HEIR)
            .register_event(BOND_FORMED, "A bond formed between two cells.")
            .register_event(
                BOND_BROKEN,
                "A bond between two cells tore, was cut, or ended with one of them.",
            );
    }
}
