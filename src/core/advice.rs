//! What a module says of a scene before it runs: that what a scene puts where will not behave as its author may think.
//!
//! A module registers from its plugin what looks at a crowd of cells, or at a cell type that is put anywhere, and says a
//! sentence, or nothing. `check` shows it as a warning at the population.

use bevy::prelude::*;

use super::state::RegisterState;

/// Cells of a type that a scene scatters over a site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crowd {
    /// Their type, by index.
    pub cell_type: u16,
    /// How many there are in a millilitre.
    pub per_ml: f64,
}

/// Looks at a crowd, in a world with the parameters and rules of the scene.
pub type Advise = fn(&World, &Crowd) -> Option<String>;

/// Looks at a cell type, by index, in a world with the parameters and rules of the scene and a clock of its step.
pub type AdviseOnType = fn(&World, u16) -> Option<String>;

/// All that look.
#[derive(Resource, Default)]
pub struct Advisers {
    of_crowds: Vec<Advise>,
    of_types: Vec<AdviseOnType>,
}

impl Advisers {
    /// What there is to say of a crowd.
    pub fn of(world: &World, crowd: &Crowd) -> Vec<String> {
        let known = world.get_resource::<Self>();
        let known = known.into_iter().flat_map(|known| &known.of_crowds);
        known.filter_map(|advise| advise(world, crowd)).collect()
    }

    /// What there is to say of a cell type.
    pub fn on_type(world: &World, cell_type: u16) -> Vec<String> {
        let known = world.get_resource::<Self>();
        let known = known.into_iter().flat_map(|known| &known.of_types);
        known
            .filter_map(|advise| advise(world, cell_type))
            .collect()
    }
}

/// Registration, from a module's plugin.
pub trait RegisterAdvice {
    /// Registers what looks at the crowds of a scene.
    fn register_advice(&mut self, advise: Advise) -> &mut Self;
    /// Registers what looks at the cell types whose cells a scene has.
    fn register_advice_on_types(&mut self, advise: AdviseOnType) -> &mut Self;
}

impl RegisterAdvice for App {
    fn register_advice(&mut self, advise: Advise) -> &mut Self {
        self.init_resource::<Advisers>()
            .declare_remade::<Advisers>("a list of what the program knows");
        let mut advisers = self.world_mut().resource_mut::<Advisers>();
        advisers.of_crowds.push(advise);
        self
    }

    fn register_advice_on_types(&mut self, advise: AdviseOnType) -> &mut Self {
        self.init_resource::<Advisers>()
            .declare_remade::<Advisers>("a list of what the program knows");
        let mut advisers = self.world_mut().resource_mut::<Advisers>();
        advisers.of_types.push(advise);
        self
    }
}
