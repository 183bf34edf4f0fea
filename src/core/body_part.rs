//! What the body around the sites is made of, as data.
//!
//! A *part of the body* is a struct of [`Parameters`] that a scene may hold under the part's name, once:
//! `body: (circulation: (species: Mouse))`. Its module registers it with [`RegisterBodyPart::register_body_part`], together with how it
//! is put into a world, and from then on scenes are read, checked, written and set up through the [`CapabilityRegistry`] alone, as the parts of
//! sites are ([`super::site_part`]).

use std::sync::Arc;

use bevy::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::capability::{Capability, CapabilityRegistry, CapabilityValue};
use super::parameters::Parameters;

/// Puts a part into a world.
type Install = Arc<dyn Fn(&mut World, &CapabilityValue) + Send + Sync>;

/// One registered part of the body.
#[derive(Clone)]
pub struct BodyPart {
    /// How it is read and checked.
    pub file: Capability,
    install: Install,
}

impl BodyPart {
    /// Puts it into a world that is being set up.
    pub fn install(&self, world: &mut World, value: &CapabilityValue) {
        (self.install)(world, value);
    }
}

/// Registration, from a module's plugin.
pub trait RegisterBodyPart {
    /// Registers a part of the body under this name in scenes. `install` is called once where the scene has it, when all sites with
    /// their parts are there and no cell yet; it inserts what the module keeps about the body.
    fn register_body_part<P: Parameters + Serialize + DeserializeOwned>(
        &mut self,
        name: &'static str,
        install: impl Fn(&mut World, &P) + Send + Sync + 'static,
    ) -> &mut Self;
}

impl RegisterBodyPart for App {
    fn register_body_part<P: Parameters + Serialize + DeserializeOwned>(
        &mut self,
        name: &'static str,
        install: impl Fn(&mut World, &P) + Send + Sync + 'static,
    ) -> &mut Self {
        let part = BodyPart {
            file: Capability::of::<P>(name),
            install: Arc::new(move |world, value| {
                if let Some(value) = value.get::<P>() {
                    install(world, value);
                }
            }),
        };
        let mut known = self
            .world_mut()
            .get_resource_or_init::<CapabilityRegistry>();
        known.add_body_part(part);
        self
    }
}
