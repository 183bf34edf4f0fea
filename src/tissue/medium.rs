//! What modules say about the medium of a site: what hinders diffusion in it, how fluid flows through it, what
//! vessels exchange with it.
//!
//! A module keeps what it knows in a component of its own and says once what that means to molecules:
//!
//! - a component of sites that [`Hinders`] diffusion, by what is said of the molecule ([`Diffusing`]), with
//!   [`RegisterMedium::register_hindrance`]; what several hinder is multiplied;
//! - [`InterstitialFlow`], a component of sites: there is one fluid, so one module writes it;
//! - a component of fields that holds a [`VesselExchange`], with [`RegisterMedium::register_vessel_exchange`]; what
//!   several exchange adds up.
//!
//! All arrays are over the voxels (or faces) of the *site*, `x` fastest; a molecule on a coarser grid takes their
//! means. The module inserts the component where it likes (a component that is absent, or empty, does nothing) and
//! writes it in any set before `Transport`, or in `Transport` before [`MediumSystems`]. It is state of the module like
//! any other: registered with [`register_kept`](crate::core::state::RegisterState::register_kept), unless it is made
//! anew in each step.
//!
//! **When it is read.** In `Transport`, before fields are solved. Whether anything changed is known by change
//! detection, so a module must not touch mutably what it does not change; a field is fitted to its medium again when it is
//! due and something changed since it was fitted. Fitting costs about as much as several solves, so what changes
//! slowly deserves to be written every few minutes of tissue time only. Molecules of one [`Diffusing`] are hindered alike: where
//! no fluid flows, one fit serves all of them, scaled by each diffusivity, which is exact.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Molecule, TissueBlock};
use crate::core::state::{Owner, RegisterState, WhollyKept};
use crate::core::{SimSchedule, SimSystems};

pub(super) mod fit;
mod gathered;

pub use gathered::{FieldExchange, SiteMedium, WalksThroughMedium};

/// Reads the media of sites and solves the fields in them; all within `Transport`.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MediumSystems;

/// The parts of [`MediumSystems`], one after the other.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum MediumSteps {
    /// Notes what changed.
    Mark,
    /// Decides what must be worked out anew.
    Plan,
    /// Works it out.
    Gather,
    /// Fits solvers to it.
    Fit,
}

/// What diffuses, as far as what hinders it is concerned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Diffusing {
    /// Hydrodynamic radius, nm: 0 for what is small beside any pore.
    pub radius_nm: f32,
    /// Its diffusivity in culture medium over that in tissue.
    pub in_medium: f32,
}

impl Diffusing {
    /// What is known of a molecule.
    pub fn of(molecule: &Molecule) -> Self {
        let in_medium = molecule.diffusivity_in_medium_um2_per_min;
        Self {
            radius_nm: molecule.radius_nm,
            in_medium: if in_medium > 0.0 {
                in_medium / molecule.diffusivity_um2_per_min
            } else {
                1.0
            },
        }
    }

    /// What is no molecule, and as fast in medium as in tissue.
    pub const fn of_radius(radius_nm: f32) -> Self {
        Self {
            radius_nm,
            in_medium: 1.0,
        }
    }
}

/// A component of sites that hinders diffusion.
pub trait Hinders: Component {
    /// Multiplies the share of its diffusivity that a molecule keeps in each voxel of the site, 0-1 (more where it
    /// moves faster than in the tissue for which its diffusivity is given).
    ///
    /// It depends on nothing but this component and what is said of the molecule.
    fn hinder(&self, molecule: Diffusing, shares: &mut [f32]);
}

/// Share of its diffusivity that a molecule keeps between straight fibres at random: `exp(-sqrt(v) (r + f) / f)`, with
/// the share `v` of the volume that fibres take, their radius `f` and the molecule's `r`, both in nm. Ogston,
/// Preston and Wells 1973, Proc R Soc Lond A 333:297.
pub fn share_between_fibres(
    volume_fraction: f32,
    fibre_radius_nm: f32,
    molecule_radius_nm: f32,
) -> f32 {
    let reach = (molecule_radius_nm + fibre_radius_nm) / fibre_radius_nm;
    bevy::math::ops::exp(-volume_fraction.max(0.0).sqrt() * reach)
}

/// The same over what it keeps between other fibres of that radius, `reference_fraction` of the volume: above 1 where there are fewer.
/// Finite where either share alone is too small for a number.
pub fn share_over_reference(
    (volume_fraction, reference_fraction): (f32, f32),
    fibre_radius_nm: f32,
    molecule_radius_nm: f32,
) -> f32 {
    let reach = (molecule_radius_nm + fibre_radius_nm) / fibre_radius_nm;
    let [own, other] = [volume_fraction, reference_fraction].map(|share| share.max(0.0).sqrt());
    bevy::math::ops::exp((other - own) * reach)
}

/// Velocity of the interstitial fluid through the faces of a site's voxels, um/min, from lower to upper.
///
/// What goes through the faces of the block carries the held level in, or, where a molecule's faces are closed,
/// nothing in; out it carries what is there. Fluid that wells up or drains inside the block (a divergence) brings and
/// takes nothing by itself: a [`VesselExchange`] does.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InterstitialFlow {
    faces: [Vec<f32>; 3],
}

impl WhollyKept for InterstitialFlow {}

impl InterstitialFlow {
    /// Fluid at rest in a block.
    pub fn at_rest(block: &TissueBlock) -> Self {
        Self {
            faces: [0, 1, 2]
                .map(|axis| vec![0.0; face_dims(block, axis).element_product() as usize]),
        }
    }

    /// Velocity through the faces normal to each axis: `(nx+1) ny nz` along `x`, `nx (ny+1) nz` along `y`,
    /// `nx ny (nz+1)` along `z`, `x` fastest.
    pub const fn faces(&self) -> &[Vec<f32>; 3] {
        &self.faces
    }

    /// The same, to be written.
    pub fn faces_mut(&mut self) -> [&mut [f32]; 3] {
        self.faces.each_mut().map(Vec::as_mut_slice)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.faces[0].is_empty()
    }

    /// The means over the faces of voxels that hold `factor` of the site's along each axis.
    pub(super) fn coarsened(&self, site: &TissueBlock, factor: UVec3) -> Self {
        let mut faces: [Vec<f32>; 3] = Default::default();
        for (axis, faces) in faces.iter_mut().enumerate() {
            let fine = face_dims(site, axis);
            let mut over = site.dims / factor;
            over[axis] += 1;
            let mut across = factor;
            across[axis] = 1;
            let parts = across.element_product() as f32;
            faces.reserve_exact(over.element_product() as usize);
            for z in 0..over.z {
                for y in 0..over.y {
                    for x in 0..over.x {
                        let first = UVec3::new(x, y, z) * factor;
                        let mut sum = 0.0;
                        for dz in 0..across.z {
                            for dy in 0..across.y {
                                for dx in 0..across.x {
                                    let at = first + UVec3::new(dx, dy, dz);
                                    let index = at.x + fine.x * (at.y + fine.y * at.z);
                                    sum += self.faces[axis][index as usize];
                                }
                            }
                        }
                        faces.push(sum / parts);
                    }
                }
            }
        }
        Self { faces }
    }
}

/// Numbers of faces normal to an axis.
fn face_dims(block: &TissueBlock, axis: usize) -> UVec3 {
    let mut dims = block.dims;
    dims[axis] += 1;
    dims
}

/// Exchange of one molecule with what flows in vessels: `rate (level - c)` in each voxel of the site.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VesselExchange {
    rate_per_min: Vec<f32>,
    level: Vec<f32>,
}

impl VesselExchange {
    /// No exchange in a site of that many voxels.
    pub fn none(voxels: usize) -> Self {
        Self {
            rate_per_min: vec![0.0; voxels],
            level: vec![0.0; voxels],
        }
    }

    /// Rate in each voxel, 1/min: permeability of the walls times their surface, over the volume of the voxel.
    pub fn rate_per_min(&self) -> &[f32] {
        &self.rate_per_min
    }

    /// Level in the vessels of each voxel, unit of the molecule.
    pub fn level(&self) -> &[f32] {
        &self.level
    }

    /// Rates and levels, to be written; neither is negative.
    pub fn parts_mut(&mut self) -> (&mut [f32], &mut [f32]) {
        (&mut self.rate_per_min, &mut self.level)
    }
}

/// A component of fields that is an exchange with vessels.
pub trait ExchangesWithVessels: Component {
    /// What it exchanges.
    fn exchange(&self) -> &VesselExchange;
}

/// How many components of modules take part, for the order in which they are read.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub(super) struct MediumWriters {
    hindrances: usize,
    exchanges: usize,
}

/// The system of one of the components, in the order of registration.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Turn {
    MarkHindrance(usize),
    GatherHindrance(usize),
    MarkExchange(usize),
    GatherExchange(usize),
}

/// Registration, from a module's plugin.
pub trait RegisterMedium {
    /// Lets a component of sites hinder diffusion in them. What several hinder is multiplied in the order of
    /// registration.
    fn register_hindrance<C: Hinders>(&mut self) -> &mut Self;
    /// Lets a component of fields exchange their molecule with vessels. What several exchange is added in the order
    /// of registration.
    fn register_vessel_exchange<C: ExchangesWithVessels>(&mut self) -> &mut Self;
}

impl RegisterMedium for App {
    fn register_hindrance<C: Hinders>(&mut self) -> &mut Self {
        let mut writers = self.world_mut().get_resource_or_init::<MediumWriters>();
        let n = writers.hindrances;
        writers.hindrances += 1;
        order_medium(self);
        let mark = move |mut sites: Query<(Option<Ref<C>>, &mut SiteMedium)>| {
            for (component, mut medium) in &mut sites {
                let (is_there, is_changed) = seen(component);
                medium.note_hindrance(n, is_there, is_changed);
            }
        };
        let gather = |mut sites: Query<(&C, &mut SiteMedium)>| {
            for (component, mut medium) in &mut sites {
                medium.gather(|molecule, shares| component.hinder(molecule, shares));
            }
        };
        self.add_systems(
            SimSchedule,
            (
                in_turn(mark.in_set(MediumSteps::Mark), Turn::MarkHindrance, n),
                in_turn(gather.in_set(MediumSteps::Gather), Turn::GatherHindrance, n),
            ),
        )
    }

    fn register_vessel_exchange<C: ExchangesWithVessels>(&mut self) -> &mut Self {
        let mut writers = self.world_mut().get_resource_or_init::<MediumWriters>();
        let n = writers.exchanges;
        writers.exchanges += 1;
        order_medium(self);
        let mark = move |mut fields: Query<(Option<Ref<C>>, &mut FieldExchange)>| {
            for (component, mut all) in &mut fields {
                let (is_there, is_changed) = seen(component);
                all.note(n, is_there, is_changed);
            }
        };
        let gather = |mut fields: Query<(&C, &mut FieldExchange)>| {
            for (component, mut all) in &mut fields {
                let exchange = component.exchange();
                all.add(&exchange.rate_per_min, &exchange.level);
            }
        };
        self.add_systems(
            SimSchedule,
            (
                in_turn(mark.in_set(MediumSteps::Mark), Turn::MarkExchange, n),
                in_turn(gather.in_set(MediumSteps::Gather), Turn::GatherExchange, n),
            ),
        )
    }
}

/// Whether a component is there, and whether it changed since it was last looked at.
fn seen<C: Component>(component: Option<Ref<C>>) -> (bool, bool) {
    component.map_or((false, false), |component| (true, component.is_changed()))
}

/// The `n`-th system of a kind, after those before it.
fn in_turn<M>(
    system: impl IntoScheduleConfigs<bevy::ecs::system::ScheduleSystem, M>,
    kind: fn(usize) -> Turn,
    n: usize,
) -> bevy::ecs::schedule::ScheduleConfigs<bevy::ecs::system::ScheduleSystem> {
    let system = system.in_set(kind(n));
    if n > 0 {
        system.after(kind(n - 1))
    } else {
        system
    }
}

/// Adds the systems that read media, in their order, and says what of them is state.
pub(super) fn register(app: &mut App) {
    const GATHERED: &str = "worked out from what modules keep";
    fit::add_systems(app);
    app.declare_remade::<SiteMedium>(GATHERED)
        .declare_remade::<WalksThroughMedium>("given by its module to the site")
        .declare_remade::<FieldExchange>(GATHERED)
        .declare_remade::<MediumWriters>("counted as modules register")
        .register_kept::<InterstitialFlow>(Owner::Site, "interstitial_flow");
    order_medium(app);
}

/// Puts the parts of [`MediumSystems`] in their order; doing so twice is harmless.
fn order_medium(app: &mut App) {
    app.configure_sets(
        SimSchedule,
        (
            MediumSystems.in_set(SimSystems::Transport),
            (
                MediumSteps::Mark,
                MediumSteps::Plan,
                MediumSteps::Gather,
                MediumSteps::Fit,
            )
                .chain()
                .in_set(MediumSystems),
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fibres_hinder_as_their_law_says_and_large_molecules_more() {
        // 4 % of fibres of 20 nm: exp(-0.2), and for a molecule as thick as they are exp(-0.4).
        assert!((share_between_fibres(0.04, 20.0, 0.0) - 0.818_73).abs() < 1e-5);
        assert!((share_between_fibres(0.04, 20.0, 20.0) - 0.670_32).abs() < 1e-5);
        assert_eq!(share_between_fibres(0.0, 20.0, 50.0), 1.0);
        // Over another share it is the quotient, also where neither of both is a number.
        for (radius_nm, molecule_nm) in [(20.0, 0.0), (20.0, 20.0), (5.0, 50.0)] {
            let [own, other] =
                [0.04, 0.01].map(|of| share_between_fibres(of, radius_nm, molecule_nm));
            let found = share_over_reference((0.04, 0.01), radius_nm, molecule_nm);
            assert!((found / (own / other) - 1.0).abs() < 1e-5, "{found}");
        }
        assert_eq!(share_between_fibres(0.01, 1.0e-3, 5.0), 0.0);
        assert_eq!(share_over_reference((0.01, 0.01), 1.0e-3, 5.0), 1.0);
    }

    #[test]
    fn flow_through_coarse_faces_is_the_flow_through_the_fine_ones_in_them() {
        let block = TissueBlock {
            name: "block".into(),
            min_um: Vec3::ZERO,
            dims: UVec3::new(4, 2, 6),
            voxel_um: Vec3::splat(20.0),
            walls: true,
            perfusion_length_um: None,
        };
        let mut flow = InterstitialFlow::at_rest(&block);
        for faces in flow.faces_mut() {
            for (n, velocity) in faces.iter_mut().enumerate() {
                *velocity = n as f32;
            }
        }
        let coarse = flow.coarsened(&block, UVec3::splat(2));
        let lengths = coarse.faces().each_ref().map(Vec::len);
        assert_eq!(lengths, [3 * 3, 2 * 2 * 3, 2 * 4]);
        // The lowest face along x holds (0, 0..2, 0..2), five faces a row and two rows a plane.
        assert_eq!(coarse.faces()[0][0], (0.0 + 5.0 + 10.0 + 15.0) / 4.0);
        assert_eq!(coarse.faces()[0][1], (2.0 + 7.0 + 12.0 + 17.0) / 4.0);
        // The second along z, four a row and two rows a plane, in plane 2.
        assert_eq!(
            coarse.faces()[2][2],
            2.0 * 8.0 + (0.0 + 1.0 + 4.0 + 5.0) / 4.0
        );
    }
}
