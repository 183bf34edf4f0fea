//! Fits the solvers of fields to their media: what [`super::MediumSteps`] do on the tissue floor.

use bevy::prelude::*;

use super::gathered::{FieldExchange, FitKey, SiteMedium};
use super::{InterstitialFlow, MediumSteps};
use crate::core::{Clock, SimSchedule};
use crate::tissue::solver::{Diffusivity, FaceCondition, Medium, Velocity};
use crate::tissue::transport::{FieldOf, FieldSupply, FieldWork, is_due};
use crate::tissue::{Molecule, MoleculeId, Molecules, Sites};

/// What a solver was last fitted to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::tissue) struct Fitted {
    version: u64,
    diffusivity: f32,
    radius_nm: f32,
    level: Option<f32>,
}

impl Fitted {
    fn wanted(medium: &SiteMedium, molecule: &Molecule, supply: &FieldSupply) -> Self {
        Self {
            version: medium.version(),
            diffusivity: molecule.diffusivity_um2_per_min,
            radius_nm: molecule.radius_nm,
            level: supply.held_faces.then_some(supply.level),
        }
    }
}

/// Adds the systems.
pub(super) fn add_systems(app: &mut App) {
    app.add_systems(
        SimSchedule,
        (
            (number_media, plan_fits).chain().in_set(MediumSteps::Plan),
            fit_media.in_set(MediumSteps::Fit),
        ),
    );
}

/// Gives the medium of a site a new number where anything about it changed.
fn number_media(mut sites: Query<(&mut SiteMedium, Option<Ref<InterstitialFlow>>)>) {
    for (mut medium, flow) in &mut sites {
        let flow = flow.filter(|flow| !flow.is_empty());
        let is_changed = flow.as_ref().is_some_and(Ref::is_changed);
        medium.note_flow(flow.is_some(), is_changed);
    }
}

/// Asks for what the fields that are due need anew.
fn plan_fits(
    clock: Res<Clock>,
    molecules: Res<Molecules>,
    sites: Res<Sites>,
    mut media: Query<&mut SiteMedium>,
    mut fields: Query<(
        &MoleculeId,
        &FieldOf,
        &FieldSupply,
        &FieldWork,
        &mut FieldExchange,
    )>,
) {
    for (molecule, of, supply, work, mut exchange) in &mut fields {
        let molecule = molecules.get(*molecule);
        if !is_due(&clock, molecule) {
            continue;
        }
        let site = sites.get(of.0);
        let voxels = site.block.voxels();
        exchange.open(voxels);
        if let Ok(mut medium) = media.get_mut(site.entity)
            && work.fitted != Some(Fitted::wanted(&medium, molecule, supply))
        {
            medium.ask(molecule.radius_nm, voxels);
        }
    }
}

/// Fits the solvers of fields that are due, where their medium changed.
fn fit_media(
    clock: Res<Clock>,
    molecules: Res<Molecules>,
    sites: Res<Sites>,
    mut media: Query<(&mut SiteMedium, Option<&InterstitialFlow>)>,
    mut fields: Query<(&FieldSupply, &mut FieldWork, &mut FieldExchange)>,
) {
    for site in &sites.list {
        let Ok((mut medium, flow)) = media.get_mut(site.entity) else {
            continue;
        };
        medium.close();
        for field in &site.fields {
            let molecule = molecules.get(field.molecule);
            let Ok((supply, mut work, mut exchange)) = fields.get_mut(field.entity) else {
                continue;
            };
            if !is_due(&clock, molecule) {
                continue;
            }
            exchange.close(&field.grid);
            let wanted = Fitted::wanted(&medium, molecule, supply);
            if work.fitted == Some(wanted) {
                continue;
            }
            let by = molecule.diffusivity_um2_per_min;
            let mut means = Vec::new();
            let shares = medium.shares(molecule.radius_nm);
            let diffusivity = shares.map_or(Diffusivity::Uniform(by), |shares| {
                let relative = field.grid.means(shares, &mut means);
                Diffusivity::Scaled { by, relative }
            });
            let factor = site.block.dims / field.grid.block.dims;
            let flow = flow.filter(|_| medium.flows());
            let coarse = flow
                .filter(|_| factor != UVec3::ONE)
                .map(|flow| flow.coarsened(&site.block, factor));
            let flow = coarse.as_ref().or(flow);
            let face = match (supply.held_faces, flow) {
                (true, _) => FaceCondition::Held(supply.level),
                // Nothing diffuses through a closed face, but fluid that leaves takes along what is in it.
                (false, Some(_)) => FaceCondition::Open,
                (false, None) => FaceCondition::Closed,
            };
            let wanted_medium = Medium {
                diffusivity,
                velocity: flow.map(|flow| {
                    let [x, y, z] = flow.faces();
                    Velocity::Faces { x, y, z }
                }),
                ..Medium::closed(by)
            }
            .with_all_faces(face);
            let key = FitKey {
                radius_nm: molecule.radius_nm,
                dims: field.grid.block.dims,
                held_faces: supply.held_faces,
            };
            match medium.couplings(key) {
                Some(shared) => work.solver.set_medium_sharing(&wanted_medium, shared),
                None => {
                    work.solver.set_medium(&wanted_medium);
                    if shares.is_some()
                        && flow.is_none()
                        && let Some(couplings) = work.solver.couplings()
                    {
                        medium.keep_couplings(key, couplings);
                    }
                }
            }
            work.fitted = Some(wanted);
        }
    }
}
