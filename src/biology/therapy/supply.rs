//! How a drug comes into tissue that has no drawn vessels and no fluid of its own: through the walls of the host's capillaries.
//!
//! Of a molecule that walls hold up `P S w (c_blood - c)` comes into a voxel, with the permeability `P` of a normal wall to it, the surface `S`
//! of the host's vessels in a volume of tissue, the same as where there is a fluid ([`FluidOf::NORMAL`](crate::tissue::interstitium::FluidOf::NORMAL)), and
//! the share `w` of them that is left there. An antibody so comes to 0.04 of what is in blood. Where tumour tissue has displaced the host's vessels it
//! has none, and gets what spreads from beside it; the leaky ones of a tumour, through which half of the level in blood comes, are drawn, or said as a region of
//! the fluid. A culture medium that is stirred has no walls: it
//! brings `D / L^2 (c_medium - c)`. Where vessels are drawn, they bring it ([`crate::biology::vasculature::exchange`]); where there is a fluid, it does
//! ([`crate::tissue::interstitium`]); and what crosses walls freely is brought as oxygen is ([`crate::tissue::transport`]).
//!
//! [`bring`] runs in `Transport`, when doses have been taken.

use bevy::prelude::*;

use super::drug::Drugs;
use crate::core::Clock;
use crate::tissue::host_vessels::{CellShare, DrawnVessels};
use crate::tissue::interstitium::Interstitium;
use crate::tissue::medium::{ExchangesWithVessels, VesselExchange};
use crate::tissue::transport::{FieldSupply, HostVessels, TransportParameters, is_due};
use crate::tissue::{FieldValues, Molecules, Sites};

/// What a drug exchanges with the capillaries of the host.
#[derive(Component, Clone, Debug, Default)]
pub struct HostSupply(VesselExchange);

impl ExchangesWithVessels for HostSupply {
    fn exchange(&self) -> &VesselExchange {
        &self.0
    }
}

/// Puts it on the fields of drugs in sites that need it.
pub(super) fn install(world: &mut World) {
    let (Some(drugs), Some(sites), Some(molecules)) = (
        world.get_resource::<Drugs>(),
        world.get_resource::<Sites>(),
        world.get_resource::<Molecules>(),
    ) else {
        return;
    };
    let mut fields = Vec::new();
    for site in &sites.list {
        let is_else = world.get::<DrawnVessels>(site.entity).is_some()
            || world.get::<Interstitium>(site.entity).is_some()
            || site.block.perfusion_length_um.is_none();
        if is_else {
            continue;
        }
        for drug in &drugs.list {
            let molecule = molecules.id(&drug.name);
            let field = molecule.and_then(|molecule| site.field(molecule));
            let crosses = drug.tissue.crosses_vessel_walls;
            fields.extend(field.filter(|_| !crosses).map(|field| field.entity));
        }
    }
    for field in fields {
        world.entity_mut(field).insert(HostSupply::default());
    }
}

/// The capillaries of the host bring what is in blood.
pub fn bring(
    clock: Res<Clock>,
    parameters: Res<TransportParameters>,
    drugs: Res<Drugs>,
    molecules: Res<Molecules>,
    sites: Res<Sites>,
    hosts: Query<(&HostVessels, Option<&CellShare>)>,
    mut fields: Query<(&FieldSupply, &FieldValues, &mut HostSupply)>,
) {
    for drug in &drugs.list {
        let Some(molecule) = molecules.id(&drug.name) else {
            continue;
        };
        let kinetics = molecules.get(molecule);
        if !is_due(&clock, kinetics) {
            continue;
        }
        for site in &sites.list {
            let found = site.field(molecule);
            let (Some(field), Ok((host, cells))) = (found, hosts.get(site.entity)) else {
                continue;
            };
            let (Ok((supply, values, mut of_field)), Some(length_um)) =
                (fields.get_mut(field.entity), site.block.perfusion_length_um)
            else {
                continue;
            };
            let is_none = of_field.0.rate_per_min().is_empty();
            // Neither in blood nor in the tissue, into which it can be injected.
            if is_none && supply.level <= 0.0 && values.0.iter().all(|level| *level <= 0.0) {
                continue;
            }
            if is_none {
                of_field.0 = VesselExchange::none(site.block.voxels());
            }
            let is_stirred = cells.is_some_and(|cells| cells.is_stirred);
            let rate = if is_stirred {
                kinetics.diffusivity_um2_per_min / (length_um * length_um)
            } else {
                kinetics.wall_permeability_um_per_min * parameters.vessel_surface_per_um
            };
            let (rates, levels) = of_field.0.parts_mut();
            for ((to, level), left) in rates.iter_mut().zip(levels).zip(&host.0) {
                *to = rate * left;
                *level = supply.level;
            }
        }
    }
}
