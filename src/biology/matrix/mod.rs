//! The extracellular matrix: what lies between the cells, holds them back, leads them, and is digested.
//!
//! In each voxel of a site with the part `matrix` there is a density `rho` (0-1), a share `x` of crosslinked bonds, the directions
//! of the fibres, and stores `b` of bound growth factors ([`state`]). With the digestion `a` by what is dissolved, as soluble MMPs, and `c` by proteases on the
//! surface of cells, what cells lay down `s`, crosslinking `l`, as by LOX, and a free factor `f`:
//!
//! - `d rho/dt = s (1 - rho) - (a + c) rho / (1 + r x) + k_b (rho_0 - rho)`: laid down where there is room, digested the
//!   slower the more it is crosslinked, and brought back slowly by the tissue;
//! - `dx/dt = l (1 - x)`, and what is laid down is not crosslinked yet;
//! - `db/dt = k_on rho f - k_off b - b (-d rho)/rho`: what is digested sets its share of the stores free, into the fields of these molecules.
//!
//! `a` and `l` are inputs of each voxel; what drives them stands in `assets/matrix/rules.ron`.
//! Digestion and crosslinking are integrated exactly over a step; what binds is absorbed by the solver of the field, so that no more binds
//! than there is, and is added to the store when it is known. Cells pull fibres towards their own axis of walking.
//!
//! | file | holds |
//! | --- | --- |
//! | `state` | what the matrix of a site is, and how a scene says so |
//! | `organs` | what it is like in each organ |
//! | `remodelling` | what cells do to it |
//! | `change` | how it changes in a step |
//! | `pores` | how it holds back what moves |
//! | `hindrance` | how it hinders what diffuses |
//! | `known` | what can be known of it |
//! | `picture` | how it looks |
//!
//! [`show_pores`] runs in `Perceive`; every six minutes [`work_on_matrix`] in `Act` and [`remodel`] in `Transport`. Before the fields are
//! solved [`offer_to_bind`] books what binds, and [`bind`] binds it after.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::barrier::SiteBarriers;
use crate::cell::{ActSystems, order_act};
use crate::core::Clock;
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs};
use crate::core::parameters::{Limits, Parameters, RegisterParameters};
use crate::core::site_part::RegisterSitePart;
use crate::core::state::{Owner, RegisterState};
use crate::core::{SimSchedule, SimSystems};
use crate::tissue::medium::{MediumSystems, RegisterMedium};
use crate::tissue::{Organ, RegisterMoleculeUse, Scaffold, TissueBlock};

mod change;
mod hindrance;
mod known;
mod organs;
mod picture;
mod pores;
mod remodelling;
pub mod state;

pub use change::{Turnover, bind, offer_to_bind, remodel};
pub use hindrance::MatrixHindrance;
pub use organs::{OrganMatrix, of_tissue, organs};
pub use pores::{Pores, passage, show_pores};
pub use remodelling::{MatrixBook, RemodellingParameters, work_on_matrix};
pub use state::{FACTORS, FibreLayout, Matrix, MatrixDescription};

/// What rules know voxels by.
const VOXEL: &str = "voxel";
/// The inputs of voxels.
const DIGESTION: &str = "matrix.digestion";
const CROSSLINKING: &str = "matrix.crosslinking";

/// How matrix is made, digested and passed, the same in all tissues (group `matrix`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct MatrixParameters {
    /// By how much complete crosslinking slows digestion, `r`: to `1 / (1 + r)`; 5 [S].
    pub crosslink_resistance: f32,
    /// Return to the tissue's own density, `k_b`, 1/d; 1/20. Calibrated: it keeps barriers that nobody digests closed.
    pub regeneration_per_day: f32,
    /// Collagen in a cubic micrometre at density 1, pg; 5e-3 is 5 mg/mL, the upper end in the breast [M].
    pub collagen_pg_per_um3: f32,
    /// Cross-section of pores without any matrix, `A_max`, um2; 100. Calibrated.
    pub pore_area_um2: f32,
    /// Cross-section of pores that do not slow cells, `A_ref`, um2; 30. Calibrated to Wolf 2013.
    pub free_pore_area_um2: f32,
    /// How much of a pull on the fibres of a voxel is felt in each of the six around it: fibres are longer than a voxel. 0.5. Assumed.
    pub pull_on_neighbours: f32,
    /// Density from which a cell finds fibres wherever it touches; below, the less the less there is. 0.1. Assumed.
    pub contact_density: f32,
    /// Stiffness without matrix, kPa; 0.2: normal mammary gland 0.17 (Levental 2009) [M].
    pub soft_kpa: f32,
    /// Stiffness that matrix at density 1 adds, `rho (1 + x)` times this, kPa; 4: tumours 4 (Levental 2009) [M].
    pub stiffening_kpa: f32,
    /// Radius of fibrils, nm, by which they hinder diffusion; 20. Assumed.
    pub fibril_radius_nm: f32,
    /// Share of the volume that fibrils with their bound water take at density 1; 0.0095: 1.9 mL/g of collagen.
    pub fibril_share: f32,
    /// Density of the tissue for which diffusivities are given; 0.4. Assumed.
    pub reference_density: f32,
    /// Share of what is set free that is active; 1: the stores are given as what can become active.
    pub release_share: f32,
    /// Binding of free VEGF-A to matrix of density 1 (heparan sulphate), 1/min; 2e-3: with the unbinding below as much is bound as free at
    /// a density of 0.5, of 30-70 % [M].
    pub vegf_a_binding_per_min: f32,
    /// The same of FGF-2, 1/min; 2e-3 [M].
    pub fgf_2_binding_per_min: f32,
    /// Unbinding of both, 1/min; 1e-3: half in half a day. Assumed.
    pub unbinding_per_min: f32,
    /// Time after which what hinders diffusion follows the density, min.
    pub hindrance_every_min: f32,
}

impl Default for MatrixParameters {
    fn default() -> Self {
        Self {
            crosslink_resistance: 5.0,
            regeneration_per_day: 0.05,
            collagen_pg_per_um3: 5.0e-3,
            pore_area_um2: 100.0,
            free_pore_area_um2: 30.0,
            pull_on_neighbours: 0.5,
            contact_density: 0.1,
            soft_kpa: 0.2,
            stiffening_kpa: 4.0,
            fibril_radius_nm: 20.0,
            fibril_share: 0.0095,
            reference_density: 0.4,
            release_share: 1.0,
            vegf_a_binding_per_min: 2.0e-3,
            fgf_2_binding_per_min: 2.0e-3,
            unbinding_per_min: 1.0e-3,
            hindrance_every_min: 60.0,
        }
    }
}

impl Parameters for MatrixParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "reference_density" | "release_share" | "pull_on_neighbours" => Limits::FRACTION,
            // A quarter of the volume is a tendon.
            "fibril_share" => Limits {
                min: 0.0,
                max: 0.25,
            },
            // From a single molecule of collagen to the thickest fibrils.
            "fibril_radius_nm" => Limits {
                min: 0.75,
                max: 500.0,
            },
            "collagen_pg_per_um3" | "hindrance_every_min" | "contact_density" => Limits {
                min: 1.0e-6,
                max: 1.0e5,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e4,
            },
        }
    }
}

impl MatrixParameters {
    /// Cross-section of the pores at that density, um2.
    pub fn pore_um2(&self, density: f32) -> f32 {
        let free = 1.0 - density;
        self.pore_area_um2 * free * free
    }

    /// Stiffness, kPa.
    pub fn stiffness_kpa(&self, density: f32, crosslinking: f32) -> f32 {
        self.soft_kpa + self.stiffening_kpa * density * (1.0 + crosslinking)
    }

    /// Share of its way on which a cell gets through the pores, that is stuck in pores of `arrest_um2`.
    pub fn passage(&self, density: f32, arrest_um2: f32) -> f32 {
        passage(self.pore_um2(density), arrest_um2, self.free_pore_area_um2)
    }

    /// Binding of [`FACTORS`], 1/min at density 1; what is stored of TGF-beta is latent, and active TGF-beta does not go back.
    const fn binding_per_min(&self) -> [f32; 3] {
        [0.0, self.vegf_a_binding_per_min, self.fgf_2_binding_per_min]
    }
}

/// How often the matrix is worked on, min: in that time a cell walks a fraction of a voxel, and digests a hundredth of what is before it.
const EVERY_MINUTES: f64 = 6.0;

/// Whether it is worked on in this step.
fn is_due(clock: Res<Clock>) -> bool {
    clock.is_turn(EVERY_MINUTES)
}

/// The matrix.
pub struct MatrixPlugin;

impl Plugin for MatrixPlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        remodelling::register(app);
        for (input, about) in [
            (
                DIGESTION,
                "Digestion of the matrix in a voxel, but for that by the surface of cells.",
            ),
            (
                CROSSLINKING,
                "Share of the free bonds between fibres in a voxel that is crosslinked.",
            ),
        ] {
            let info = InputInfo::new(input, "1/min", about).limits(Limits {
                min: 0.0,
                max: 1.0e3,
            });
            app.register_element_input(
                VOXEL,
                info.every_min(EVERY_MINUTES),
                |world, site, values| {
                    if let Some(matrix) = world.get::<Matrix>(site) {
                        values.resize(values.len() + matrix.density.len(), 0.0);
                    }
                },
            );
        }
        app.register_group::<MatrixParameters>("matrix")
            .register_kept::<Matrix>(Owner::Site, "matrix")
            .register_kept::<MatrixHindrance>(Owner::Site, "matrix_hindrance")
            .declare_remade::<MatrixBook>("filled and emptied within a step")
            .declare_remade::<Scaffold>("shown anew as the matrix changes")
            .register_hindrance::<MatrixHindrance>()
            .register_molecule_use("matrix", FACTORS[0])
            .register_molecule_use("matrix", FACTORS[1])
            .register_molecule_use("matrix", FACTORS[2])
            .register_site_part::<MatrixDescription>("matrix", |world, site, description| {
                let Some(block) = world.get::<TissueBlock>(site).cloned() else {
                    return;
                };
                let organ = world.get::<Organ>(site).copied().unwrap_or(Organ::Medium);
                let matrix = Matrix::new(&block, description, organ);
                let parameters = world.resource::<MatrixParameters>();
                let hindrance = MatrixHindrance::of(&matrix.density, parameters);
                let book = MatrixBook::new(block.voxels());
                let mut site = world.entity_mut(site);
                site.insert((matrix, hindrance, book, Scaffold::default()));
                let mut barriers = site.entry::<SiteBarriers>().or_default();
                barriers.get_mut().add(Pores::of(block));
            })
            .give_site_part_rules("matrix", include_str!("../../../assets/matrix/rules.ron"))
            .while_in_transit(
                work_on_matrix,
                InTransit::Pauses,
                "there is no matrix to work on",
            )
            .add_systems(
                SimSchedule,
                (
                    show_pores.in_set(SimSystems::Perceive),
                    work_on_matrix.run_if(is_due).in_set(ActSystems::Exchange),
                    (remodel.run_if(is_due), offer_to_bind)
                        .chain()
                        .in_set(SimSystems::Transport)
                        .before(MediumSystems),
                    bind.in_set(SimSystems::Transport).after(MediumSystems),
                ),
            );
        known::register(app);
        picture::register(app);
    }
}

#[cfg(test)]
mod tests;
