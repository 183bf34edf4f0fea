//! What goes on in a cell that is between two sites.
//!
//! A cell in transit is in no site: it has no voxel, no neighbours and no place. It keeps all its components, so every
//! system that visits cells visits it too, and says of itself what it does then: [`InTransit::Runs`], or
//! [`InTransit::Pauses`], by looking at the site of each cell. A test compares the list with the systems that there are.

use bevy::prelude::*;

use super::state::RegisterState;

/// What a system does with cells in transit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InTransit {
    /// What it does in tissue: it needs no place.
    Runs,
    /// Nothing, or nothing that lasts; the cell goes on with it when it arrives.
    Pauses,
}

/// What each system that visits cells does with those in transit, and why.
#[derive(Resource, Clone, Debug, Default)]
pub struct WhileInTransit(Vec<(&'static str, InTransit, &'static str)>);

impl WhileInTransit {
    /// The path of each system, what it does and why, in the order of registration.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, InTransit, &'static str)> + '_ {
        self.0.iter().copied()
    }

    /// What the system of that path does.
    pub fn of(&self, path: &str) -> Option<InTransit> {
        let mut all = self.iter();
        all.find_map(|(known, says, _)| (known == path).then_some(says))
    }
}

/// Registration, from a module's plugin.
pub trait RegisterInTransit {
    /// Says what a system does with cells in transit, and why.
    fn while_in_transit<S>(
        &mut self,
        system: S,
        says: InTransit,
        because: &'static str,
    ) -> &mut Self;
}

impl RegisterInTransit for App {
    fn while_in_transit<S>(
        &mut self,
        _system: S,
        says: InTransit,
        because: &'static str,
    ) -> &mut Self {
        self.init_resource::<WhileInTransit>()
            .declare_remade::<WhileInTransit>("a list of what the program knows");
        let mut list = self.world_mut().resource_mut::<WhileInTransit>();
        let path = std::any::type_name::<S>();
        if list.of(path).is_none() {
            list.0.push((path, says, because));
        }
        self
    }
}
