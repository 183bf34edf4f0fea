//! The elements of membranes: a population whose members are saved and hashed, and what bodies meet is made from.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Membranes, MembranesParameters};
use crate::cell::barrier::SiteBarriers;
use crate::core::invariant::Breach;
use crate::tissue::population::{LivesIn, spawn_member};
use crate::tissue::{SiteId, Sites};

/// By what an element of a membrane is known.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct BasementMembrane;

/// The state of an element.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MembraneElement {
    /// Number of the membrane in its site.
    pub sheet: u16,
    /// Number of the element in the membrane.
    pub place: u32,
    /// Density, 0-1.
    pub density: f64,
    /// Whether its pores let tumour cells pass.
    pub is_open: bool,
    /// Whether it has been told that it opened before a cell, or was open at the start.
    pub is_told: bool,
}

/// Puts the elements of its membranes into a site.
pub(super) fn begin_membranes(world: &mut World, site: SiteId) {
    let (Some(membranes), Some(parameters)) = (
        membranes_of(world, site),
        world.get_resource::<MembranesParameters>(),
    ) else {
        return;
    };
    let mut elements = Vec::new();
    for (number, sheet) in membranes.sheets.iter().enumerate() {
        for (place, density) in sheet.density.iter().enumerate() {
            if !density.is_nan() {
                // What is open from the start was not opened by a cell.
                let is_open = parameters.is_open(*density);
                elements.push(MembraneElement {
                    sheet: number as u16,
                    place: place as u32,
                    density: f64::from(*density),
                    is_open,
                    is_told: is_open,
                });
            }
        }
    }
    for element in elements {
        spawn_member::<BasementMembrane>(world, site, element);
    }
}

/// The membranes of a site.
pub(super) fn membranes_of(world: &World, site: SiteId) -> Option<&Membranes> {
    let entry = world.get_resource::<Sites>()?.find(site)?;
    world.get::<SiteBarriers>(entry.entity)?.get()
}

/// What bodies meet is what the elements say, which come from a scene or a file.
pub(super) fn take_over(world: &mut World, site: SiteId) {
    let Some(mut query) = world.try_query::<(&LivesIn, &MembraneElement)>() else {
        return;
    };
    let found = query.iter(world).filter(|(lives_in, _)| lives_in.0 == site);
    let found: Vec<MembraneElement> = found.map(|(_, element)| *element).collect();
    let sites = world.get_resource::<Sites>();
    let Some(entity) = sites.and_then(|sites| Some(sites.find(site)?.entity)) else {
        return;
    };
    let Some(mut barriers) = world.get_mut::<SiteBarriers>(entity) else {
        return;
    };
    let Some(membranes) = barriers.get_mut::<Membranes>() else {
        return;
    };
    for element in found {
        let sheet = membranes.sheets.get_mut(usize::from(element.sheet));
        let place = element.place as usize;
        if let Some(density) = sheet.and_then(|sheet| sheet.density.get_mut(place)) {
            *density = element.density as f32;
        }
    }
}

/// An element whose density is none, or that does not stand where bodies meet it.
pub(super) fn wrong_element(world: &World) -> Option<Breach> {
    let mut query = world.try_query::<(&LivesIn, &MembraneElement)>()?;
    let mut left: Vec<i64> = Vec::new();
    let sites = world.get_resource::<Sites>()?;
    for site in 0..sites.list.len() {
        let sheets = membranes_of(world, SiteId(site as u16)).map(|of| &of.sheets);
        let densities = sheets
            .into_iter()
            .flatten()
            .flat_map(|sheet| &sheet.density);
        left.push(densities.filter(|density| !density.is_nan()).count() as i64);
    }
    for (lives_in, element) in query.iter(world) {
        let MembraneElement {
            sheet,
            place,
            density,
            ..
        } = *element;
        let wrong = |found: String| {
            let message = format!("element {place} of membrane {sheet} {found}");
            Some(Breach::new(message))
        };
        if !(0.0..=1.0).contains(&density) {
            return wrong(format!(
                "has the density {density}, which is not from 0 to 1"
            ));
        }
        let met = membranes_of(world, lives_in.0)
            .and_then(|of| of.sheets.get(usize::from(sheet)))
            .and_then(|sheet| sheet.density.get(place as usize));
        if met.copied().map(f32::to_bits) != Some((density as f32).to_bits()) {
            return wrong(format!("has the density {density}, but cells meet {met:?}"));
        }
        left[usize::from(lives_in.0.0)] -= 1;
    }
    let site = left.iter().position(|left| *left != 0)?;
    Some(Breach::new(format!(
        "{} elements of the membranes of site {site} are gone",
        left[site]
    )))
}
