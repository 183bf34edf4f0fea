//! What the tissue of a site is made of besides its cells and molecules, as data.
//!
//! A *part* is a struct of [`Parameters`] that a scene may hold under the part's name for each of its sites:
//! `tissue: (matrix: (density: 0.4))`. Its module registers it with [`RegisterSitePart::register_site_part`], together
//! with how it is put into a site, and from then on scenes are read, checked, written and set up through the
//! [`CapabilityRegistry`] alone, as cell files are.

use std::sync::Arc;

use bevy::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::capability::{Capability, CapabilityRegistry, CapabilityValue};
use super::parameters::Parameters;

/// Puts a part into a site, by its entity.
type Install = Arc<dyn Fn(&mut World, Entity, &CapabilityValue) + Send + Sync>;

/// One registered part of sites.
#[derive(Clone)]
pub struct SitePart {
    /// How it is read and checked.
    pub file: Capability,
    install: Install,
}

impl SitePart {
    /// Puts it into a site, by its entity, in a world that is being set up.
    pub fn install(&self, world: &mut World, site: Entity, value: &CapabilityValue) {
        (self.install)(world, site, value);
    }
}

/// Registration, from a module's plugin.
pub trait RegisterSitePart {
    /// Registers a part of sites under this name in scenes. `install` is called once for each site that has it, when all sites,
    /// their molecules included, are there and no cell yet; it inserts what the module keeps about the site.
    fn register_site_part<P: Parameters + Serialize + DeserializeOwned>(
        &mut self,
        name: &'static str,
        install: impl Fn(&mut World, Entity, &P) + Send + Sync + 'static,
    ) -> &mut Self;
}

impl RegisterSitePart for App {
    fn register_site_part<P: Parameters + Serialize + DeserializeOwned>(
        &mut self,
        name: &'static str,
        install: impl Fn(&mut World, Entity, &P) + Send + Sync + 'static,
    ) -> &mut Self {
        let part = SitePart {
            file: Capability::of::<P>(name),
            install: Arc::new(move |world, site, value| {
                if let Some(value) = value.get::<P>() {
                    install(world, site, value);
                }
            }),
        };
        let mut known = self
            .world_mut()
            .get_resource_or_init::<CapabilityRegistry>();
        known.add_site_part(part);
        self
    }
}
