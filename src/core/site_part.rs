//! What the tissue of a site is made of besides its cells and molecules, as data.
//!
//! A *part* is a struct of [`Parameters`] that a scene may hold under the part's name for each of its sites:
//! `tissue: (matrix: (density: 0.4))`. Its module registers it with [`RegisterSitePart::register_site_part`], together
//! with how it is put into a site, and from then on scenes are read, checked, written and set up through the
//! [`CapabilityRegistry`] alone, as cell files are.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bevy::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::capability::{Capability, CapabilityRegistry, CapabilityValue};
use super::dialect::read_ron;
use super::parameters::{Contradiction, Parameters};
use super::rule::Rule;

/// Puts a part into a site, by its entity.
type Install = Arc<dyn Fn(&mut World, Entity, &CapabilityValue) + Send + Sync>;

/// One registered part of sites.
#[derive(Clone)]
pub struct SitePart {
    /// How it is read and checked.
    pub file: Capability,
    /// The rules that every site has which has it, by name.
    pub rules: BTreeMap<String, Rule>,
    install: Install,
    read_files: Option<ReadFiles>,
    contradictions_in: fn(&CapabilityValue, Vec3) -> Vec<Contradiction>,
    /// Whether it supplies the site in place of vessels of the host that are not drawn.
    pub supplies: bool,
}

/// Reads the files that a part names and puts what stands in them in their place.
type ReadFiles = Arc<
    dyn Fn(&CapabilityValue, &mut TextOf) -> Result<Option<CapabilityValue>, Vec<FileFault>>
        + Send
        + Sync,
>;

/// Hands out the text of a file that a part names; none where it cannot be read, which is told then.
pub type TextOf<'a> = dyn FnMut(&str) -> Option<String> + 'a;

/// What is wrong with a file that a part names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFault {
    /// The file, as the part names it.
    pub file: String,
    /// The bytes of its text that are wrong.
    pub span: Range<usize>,
    /// The column in which they stand; empty where that tells nothing.
    pub column: String,
    /// What is wrong with them.
    pub message: String,
}

impl SitePart {
    /// What of it makes no sense in a site of this size, um, whose middle is the origin.
    pub fn contradictions_in(&self, value: &CapabilityValue, size_um: Vec3) -> Vec<Contradiction> {
        (self.contradictions_in)(value, size_um)
    }

    /// Puts it into a site, by its entity, in a world that is being set up.
    pub fn install(&self, world: &mut World, site: Entity, value: &CapabilityValue) {
        (self.install)(world, site, value);
    }

    /// The same part with what stands in the files that it names in their place; none where it names none.
    ///
    /// # Errors
    /// Everything that is wrong with them. A file that could not be read is told by `text_of` alone.
    pub fn read_files(
        &self,
        value: &CapabilityValue,
        text_of: &mut TextOf,
    ) -> Result<Option<CapabilityValue>, Vec<FileFault>> {
        match &self.read_files {
            Some(read) => read(value, text_of),
            None => Ok(None),
        }
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

    /// Says how the part of that name, registered before, reads the files that it names: it hands back what it is with their contents in
    /// their place, or nothing where it names none.
    ///
    /// # Panics
    /// When no part has that name.
    fn read_site_part_files<P: Parameters + Serialize>(
        &mut self,
        name: &str,
        read: impl Fn(&P, &mut TextOf) -> Result<Option<P>, Vec<FileFault>> + Send + Sync + 'static,
    ) -> &mut Self;

    /// Says that a site with the part of that name, registered before, is supplied by it, and not by vessels of the host that are not drawn.
    ///
    /// # Panics
    /// When no part has that name.
    fn supply_by_site_part(&mut self, name: &str) -> &mut Self;

    /// Gives every site that has the part of that name, registered before, these rules, by name: the text of a data file.
    ///
    /// # Panics
    /// When no part has that name, or the text cannot be read.
    fn give_site_part_rules(&mut self, name: &str, rules: &str) -> &mut Self;
}

impl RegisterSitePart for App {
    fn register_site_part<P: Parameters + Serialize + DeserializeOwned>(
        &mut self,
        name: &'static str,
        install: impl Fn(&mut World, Entity, &P) + Send + Sync + 'static,
    ) -> &mut Self {
        let part = SitePart {
            file: Capability::of::<P>(name),
            rules: BTreeMap::new(),
            read_files: None,
            supplies: false,
            contradictions_in: |value, size_um| {
                let value = value.get::<P>();
                value.map_or_else(Vec::new, |value| value.contradictions_in(size_um))
            },
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

    fn read_site_part_files<P: Parameters + Serialize>(
        &mut self,
        name: &str,
        read: impl Fn(&P, &mut TextOf) -> Result<Option<P>, Vec<FileFault>> + Send + Sync + 'static,
    ) -> &mut Self {
        let mut known = self
            .world_mut()
            .get_resource_or_init::<CapabilityRegistry>();
        known.change_site_part(name, |part| {
            part.read_files = Some(Arc::new(move |value, text_of| {
                let Some(value) = value.get::<P>() else {
                    return Ok(None);
                };
                Ok(read(value, text_of)?.map(CapabilityValue::new))
            }));
        });
        self
    }

    fn supply_by_site_part(&mut self, name: &str) -> &mut Self {
        let mut known = self
            .world_mut()
            .get_resource_or_init::<CapabilityRegistry>();
        known.change_site_part(name, |part| part.supplies = true);
        self
    }

    fn give_site_part_rules(&mut self, name: &str, rules: &str) -> &mut Self {
        let rules: BTreeMap<String, Rule> = read_ron(rules)
            .unwrap_or_else(|mistake| panic!("the rules of the part `{name}`: {}", mistake.1));
        let mut known = self
            .world_mut()
            .get_resource_or_init::<CapabilityRegistry>();
        known.change_site_part(name, |part| part.rules.extend(rules));
        self
    }
}
