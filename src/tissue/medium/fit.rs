//! Fits the solvers of fields to their media: what [`super::MediumSteps`] do on the tissue floor.

use bevy::prelude::*;

use super::gathered::{FieldExchange, FitKey, SiteMedium, WalksThroughMedium};
use super::{Diffusing, InterstitialFlow, MediumSteps};
use crate::core::invariant::{Breach, Refused, Violation};
use crate::core::{Clock, SimSchedule, SimSystems};
use crate::tissue::culture::MediumLevel;
use crate::tissue::solver::{Diffusivity, FaceCondition, Medium, Side, Velocity};
use crate::tissue::transport::{FieldOf, FieldSupply, FieldWork, HeldFaces, is_due};
use crate::tissue::{Molecule, MoleculeId, Molecules, Sites, TissueBlock};

/// What a solver was last fitted to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::tissue) struct Fitted {
    version: u64,
    diffusivity: f32,
    hindered: Diffusing,
    level: Option<f32>,
}

impl Fitted {
    fn wanted(
        medium: &SiteMedium,
        molecule: &Molecule,
        supply: &FieldSupply,
        over: Option<&MediumLevel>,
    ) -> Self {
        let level = over.map_or(supply.level, |over| over.level);
        Self {
            version: medium.version(),
            diffusivity: molecule.diffusivity_um2_per_min,
            hindered: Diffusing::of(molecule),
            level: supply.held.any().then_some(level),
        }
    }
}

/// Adds the systems.
pub(super) fn add_systems(app: &mut App) {
    app.add_systems(
        SimSchedule,
        (
            (number_media, plan_walks, plan_fits)
                .chain()
                .in_set(MediumSteps::Plan),
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

/// Asks for what those need who walk through media by themselves.
fn plan_walks(mut sites: Query<(&WalksThroughMedium, &TissueBlock, &mut SiteMedium)>) {
    for (walks, block, mut medium) in &mut sites {
        medium.ask(Diffusing::of_radius(walks.0), block.voxels());
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
        Option<&MediumLevel>,
        &FieldWork,
        &mut FieldExchange,
    )>,
) {
    for (molecule, of, supply, over, work, mut exchange) in &mut fields {
        let molecule = molecules.get(*molecule);
        if !is_due(&clock, molecule) {
            continue;
        }
        let site = sites.get(of.0);
        let voxels = site.block.voxels();
        exchange.open(voxels);
        if let Ok(mut medium) = media.get_mut(site.entity)
            && work.fitted != Some(Fitted::wanted(&medium, molecule, supply, over))
        {
            medium.ask(Diffusing::of(molecule), voxels);
        }
    }
}

/// Fits the solvers of fields that are due, where their medium changed.
fn fit_media(
    clock: Res<Clock>,
    molecules: Res<Molecules>,
    sites: Res<Sites>,
    mut media: Query<(&mut SiteMedium, Option<&InterstitialFlow>)>,
    mut fields: Query<(
        &FieldSupply,
        Option<&MediumLevel>,
        &mut FieldWork,
        &mut FieldExchange,
    )>,
    mut refused: Option<ResMut<Refused>>,
) {
    for site in &sites.list {
        let Ok((mut medium, flow)) = media.get_mut(site.entity) else {
            continue;
        };
        medium.close();
        if let (Some(radius_nm), Some(refused)) = (medium.senseless_for(), &mut refused)
            && refused.0.is_none()
        {
            refused.0 = Some(Violation {
                step: clock.step + 1,
                hours: clock.hours(),
                stage: SimSystems::Transport,
                system: "fit_media",
                breach: Breach::new(format!(
                    "what hinders diffusion in `{}` leaves molecules of {radius_nm} nm no finite diffusivity",
                    site.block.name
                )),
            });
        }
        for field in &site.fields {
            let molecule = molecules.get(field.molecule);
            let Ok((supply, over, mut work, mut exchange)) = fields.get_mut(field.entity) else {
                continue;
            };
            if !is_due(&clock, molecule) {
                continue;
            }
            exchange.close(&field.grid);
            let wanted = Fitted::wanted(&medium, molecule, supply, over);
            if work.fitted == Some(wanted) {
                continue;
            }
            let by = molecule.diffusivity_um2_per_min;
            let mut means = Vec::new();
            let FieldWork { solver, fitted, .. } = &mut *work;
            let hindered = Diffusing::of(molecule);
            let shares = medium.shares(hindered);
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
            let level = over.map_or(supply.level, |over| over.level);
            let face = match (supply.held.any(), flow) {
                (true, _) => FaceCondition::Held(level),
                // Nothing diffuses through a closed face, but fluid that leaves takes along what is in it.
                (false, Some(_)) => FaceCondition::Open,
                (false, None) => FaceCondition::Closed,
            };
            let others = if flow.is_some() {
                FaceCondition::Open
            } else {
                FaceCondition::Closed
            };
            let wanted_medium = Medium {
                diffusivity,
                velocity: flow.map(|flow| {
                    let [x, y, z] = flow.faces();
                    Velocity::Faces { x, y, z }
                }),
                ..Medium::closed(by)
            }
            .with_all_faces(if supply.held == HeldFaces::Top {
                others
            } else {
                face
            })
            .with_face(Side::UpperZ, face);
            let key = FitKey {
                of: hindered,
                dims: field.grid.block.dims,
                held: supply.held,
            };
            match medium.couplings(key) {
                Some(shared) => solver.set_medium_sharing(&wanted_medium, shared),
                None => {
                    solver.set_medium(&wanted_medium);
                    if shares.is_some()
                        && flow.is_none()
                        && let Some(couplings) = solver.couplings()
                    {
                        medium.keep_couplings(key, couplings);
                    }
                }
            }
            *fitted = Some(wanted);
        }
    }
}
