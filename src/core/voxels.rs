//! What can be known of the voxels of a site besides its molecules, and shown on a plane.
//!
//! A module registers a number of voxels with [`RegisterVoxels::register_voxels`]: what a person has to know about it, and how it is
//! worked out for a site. It is worked out when a picture shows it, and never otherwise. Its name has a dot, as those of molecules
//! never have, so that scenes can ask for either: `slice: (molecule: "matrix.density")`.

use bevy::prelude::*;

use super::quantity::{LISTED, Quantity};
use super::state::RegisterState;

/// The values of all voxels of a site, by entity, `x` fastest; none where the site has no such thing.
type OfVoxels = Box<dyn Fn(&World, Entity) -> Option<Vec<f32>> + Send + Sync>;

/// A number of voxels.
pub struct VoxelQuantity {
    /// What a person has to know.
    pub info: Quantity,
    is_there: fn(&World, Entity) -> bool,
    of: OfVoxels,
}

impl VoxelQuantity {
    /// Whether a site has it.
    pub fn is_of(&self, world: &World, site: Entity) -> bool {
        (self.is_there)(world, site)
    }

    /// Its values in a site, `x` fastest; none where the site has no such thing.
    pub fn values(&self, world: &World, site: Entity) -> Option<Vec<f32>> {
        (self.of)(world, site)
    }
}

/// All of them, in the order of registration.
#[derive(Resource, Default)]
pub struct VoxelQuantities(pub Vec<VoxelQuantity>);

impl VoxelQuantities {
    /// Those that are registered in a world.
    pub fn of(world: &World) -> &[VoxelQuantity] {
        world.get_resource::<Self>().map_or(&[], |known| &known.0)
    }
}

/// Registration, from a module's plugin.
pub trait RegisterVoxels {
    /// Registers a number of the voxels of sites that have the component `C`.
    ///
    /// # Panics
    /// When its name has no dot, or is taken.
    fn register_voxels<C: Component>(
        &mut self,
        info: Quantity,
        of: impl Fn(&World, &C) -> Vec<f32> + Send + Sync + 'static,
    ) -> &mut Self;
}

impl RegisterVoxels for App {
    fn register_voxels<C: Component>(
        &mut self,
        info: Quantity,
        of: impl Fn(&World, &C) -> Vec<f32> + Send + Sync + 'static,
    ) -> &mut Self {
        assert!(
            info.name.contains('.'),
            "a number of voxels is named `module.name`, to be told from molecules; found `{}`",
            info.name
        );
        self.declare_remade::<VoxelQuantities>(LISTED);
        let mut known = self.world_mut().get_resource_or_init::<VoxelQuantities>();
        assert!(
            known.0.iter().all(|other| other.info.name != info.name),
            "the number of voxels `{}` is registered twice",
            info.name
        );
        known.0.push(VoxelQuantity {
            info,
            is_there: |world, site| world.get::<C>(site).is_some(),
            of: Box::new(move |world, site| Some(of(world, world.get::<C>(site)?))),
        });
        self
    }
}
