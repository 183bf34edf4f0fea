//! Which molecules the systems of modules read by name.
//!
//! A module that asks [`super::Fields`] or [`super::Bookings`] for a molecule by a name of its own says so from its plugin,
//! [`RegisterMoleculeUse`]; a scene that has no such molecule is then refused by name, when it is opened and not in the
//! middle of a run. Names that stand in cell files are checked there.

use bevy::prelude::*;

use super::Molecules;
use crate::core::quantity::LISTED;
use crate::core::state::RegisterState;

/// The molecules that modules need, each with the module's name, in the order of registration.
#[derive(Resource, Clone, Debug, Default)]
pub struct NeededMolecules(Vec<(&'static str, &'static str)>);

/// Registration, from a module's plugin.
pub trait RegisterMoleculeUse {
    /// Says that a module asks for the molecule of that name.
    fn register_molecule_use(&mut self, module: &'static str, molecule: &'static str) -> &mut Self;
}

impl RegisterMoleculeUse for App {
    fn register_molecule_use(&mut self, module: &'static str, molecule: &'static str) -> &mut Self {
        self.init_resource::<NeededMolecules>()
            .declare_remade::<NeededMolecules>(LISTED);
        let mut needed = self.world_mut().resource_mut::<NeededMolecules>();
        if !needed.0.contains(&(module, molecule)) {
            needed.0.push((module, molecule));
        }
        self
    }
}

/// What modules of a world need and none of these molecules is: a sentence for each.
pub fn missing_molecules(world: &World, molecules: &Molecules) -> Vec<String> {
    let needed = world.get_resource::<NeededMolecules>();
    let needed = needed.into_iter().flat_map(|needed| &needed.0);
    needed
        .filter(|(_, molecule)| molecules.named(molecule).is_none())
        .map(|(module, molecule)| {
            format!(
                "`{module}` needs the molecule `{molecule}`, which there is not: a file `assets/molecules/{molecule}.ron` \
                 beside or above the scene, or an entry of its `molecules`, would bring it"
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tissue::molecule::testing::molecule;

    #[test]
    fn what_is_needed_and_not_there_is_told_by_name() {
        let mut app = App::empty();
        app.register_molecule_use("breathing", "oxygen")
            .register_molecule_use("fermenting", "glucose")
            .register_molecule_use("breathing", "oxygen");
        let known = Molecules::new([molecule("oxygen", 1300.0, 38.0)]);
        let missing = missing_molecules(app.world(), &known);
        assert_eq!(missing.len(), 1, "{missing:?}");
        assert!(missing[0].starts_with("`fermenting` needs the molecule `glucose`"));
    }
}
