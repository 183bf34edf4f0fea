//! What a module says of a scene before it runs: that what a scene puts where will not behave as its author may think.
//!
//! A module registers from its plugin what looks at a crowd of cells and says a sentence, or nothing. `check` shows it as a warning at
//! the population.

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

/// All that look.
#[derive(Resource, Default)]
pub struct Advisers(Vec<Advise>);

impl Advisers {
    /// What there is to say of a crowd.
    pub fn of(world: &World, crowd: &Crowd) -> Vec<String> {
        let known = world.get_resource::<Self>();
        let known = known.into_iter().flat_map(|known| &known.0);
        known.filter_map(|advise| advise(world, crowd)).collect()
    }
}

/// Registration, from a module's plugin.
pub trait RegisterAdvice {
    /// Registers what looks at the crowds of a scene.
    fn register_advice(&mut self, advise: Advise) -> &mut Self;
}

impl RegisterAdvice for App {
    fn register_advice(&mut self, advise: Advise) -> &mut Self {
        self.init_resource::<Advisers>()
            .declare_remade::<Advisers>("a list of what the program knows");
        self.world_mut().resource_mut::<Advisers>().0.push(advise);
        self
    }
}
