//! Ways into and out of a site, for cells that come with the blood or leave with it: immune cells, cancer cells on their way.
//!
//! A module asks for them with the system parameter [`Ways`]: which wall is nearest, how easily cells pass it, how the blood
//! behind it flows; or a wall at random. What leaks through walls - vesicles, drugs, tumour cells - finds them the more often the more of
//! them there is and the leakier they are; leukocytes, which hold on to the wall and crawl through it, the more often the more of them there is
//! and the more of what they hold on to it bears ([`Extravasation`]). Leakiness does not draw leukocytes: walls that VEGF opens bear
//! less ICAM-1 and VCAM-1 (Griffioen et al. 1996, Blood 88:667). It then does what it likes:
//!
//! - **come in**: recruit a cell ([`Recruit`](super::turnover::Recruit)), or let one arrive ([`Arrival`](super::turnover::Arrival)),
//!   at [`Door::outside_um`];
//! - **leave for good**: a [`Departure`](super::turnover::Departure) of a cell near a door;
//! - **go into a vessel of the site and stay there** (arrest, patrol): [`VesselCalls::enter`], for cells with the capability
//!   `in_vessels`; they then follow its centre line with the flow, at the speed at which they crawl, are seen in it, and leave the site
//!   with the event `carried_off` where it ends; [`VesselCalls::leave`] puts them into the tissue beside the wall.
//!
//! ```
//! # use bevy::prelude::*;
//! # use tumorscape::cell::doors::{Extravasation, Ways};
//! # use tumorscape::tissue::SiteId;
//! fn come_in(ways: Ways) {
//!     let Some(ways) = ways.of(SiteId(0)) else { return };
//!     // Leukocytes a minute in proportion to the surface that they can hold on to, each at a wall of it.
//!     let per_min = 1e-6 * ways.open_um2(Extravasation::Adhesion);
//!     if let Some(door) = ways.pick(Extravasation::Adhesion, [0.3, 0.5, 0.9]) {
//!         let at_um = door.outside_um(5.0);
//! #       let _ = (per_min, at_um);
//!     }
//! }
//! ```
//!
//! Whoever models the vessels of a site puts its [`Doors`] into the site's [`SiteDoors`] and keeps them up to date before `Act`. A site
//! without drawn vessels has its faces for doors ([`faces`]): what comes, comes through them, and what enters one has left.
//!
//! Ways into lymph are asked for with [`LymphWays`] ([`lymph`]).
//!
//! [`ride`] runs in `Move`, when tissue has moved.

use std::any::Any;
use std::fmt::Debug;

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::plane::Plane;
use crate::core::state::RegisterState;
use crate::tissue::{SiteId, Sites, TissueBlock};

pub mod faces;
pub mod lymph;
pub mod riding;

use faces::OpenFaces;
pub use lymph::LymphWays;
pub use riding::{InVessel, InVesselParameters, VesselCalls, ride};

/// A place in a wall where cells may pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Door {
    /// The place, on the wall, um.
    pub at_um: Vec3,
    /// From there into the tissue, of length 1.
    pub into_tissue: Vec3,
    /// How easily cells pass, over a normal wall of a capillary; 1 at a face of a site.
    pub permeability: f32,
    /// Velocity of the blood behind it, um/s; zero at a face of a site.
    pub flow_um_per_s: Vec3,
    /// Radius of the vessel behind it, um; 0 at a face of a site.
    pub vessel_radius_um: f32,
}

impl Door {
    /// Where the centre of a body of that radius lies that has just come through, um.
    pub fn outside_um(&self, radius_um: f32) -> Vec3 {
        self.at_um + self.into_tissue * radius_um
    }

    /// Where the centre of a body of that radius lies that has just come through, all of it within the block, um.
    pub fn beside_um(&self, block: &TissueBlock, radius_um: f32) -> Vec3 {
        let inset = Vec3::splat(radius_um);
        let (least, most) = (block.min_um + inset, block.max_um() - inset);
        self.outside_um(radius_um).min(most).max(least)
    }

    /// Where the centre line of the vessel behind it is, um.
    pub fn lumen_um(&self) -> Vec3 {
        self.at_um - self.into_tissue * self.vessel_radius_um
    }
}

/// Where one comes to that follows a vessel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Followed {
    /// To a place on the centre line, um.
    To(Vec3),
    /// To where the vessel leaves the site, um.
    Out(Vec3),
    /// Nowhere: there is no vessel.
    Nowhere,
}

/// How what comes with the blood gets through the wall of a vessel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extravasation {
    /// By leaks: the more, the more permeable the wall is.
    Leak,
    /// As leukocytes do, by holding on to the wall: the more, the more adhesive it is.
    Adhesion,
}

/// The ways into and out of a site. It is asked from many threads, and answers alike all of them.
pub trait Doors: Any + Debug + Send + Sync {
    /// The perfused wall nearest to a point, if its surface is no further than so many um away.
    fn nearest(&self, from_um: Vec3, within_um: f32) -> Option<Door>;

    /// Surface of all perfused walls, each times its permeability or its adhesiveness: that of so many um2 of normal wall.
    fn open_um2(&self, by: Extravasation) -> f32;

    /// A place on a perfused wall at random, each with a probability in proportion to what [`open_um2`](Self::open_um2) counts of it; from three
    /// numbers between 0 and 1.
    fn pick(&self, by: Extravasation, dice: [f32; 3]) -> Option<Door>;

    /// Surface of the walls in as much native tissue of the organ, um2; where no vessels are drawn that of the faces, as these stand for it.
    fn native_um2(&self) -> f32;

    /// Where one comes to who goes so far (um) along a vessel with the flow (against it where negative) from a place in it; at forks the
    /// more often the more flows there, by a number between 0 and 1.
    fn follow(&self, from_um: Vec3, by_um: f32, dice: f32) -> Followed;
}

/// The ways into and out of a site, a component of it; its faces where there is none or it is empty.
#[derive(Component, Debug, Default)]
pub struct SiteDoors(Option<Box<dyn Doors>>);

impl SiteDoors {
    /// These, in place of the faces of the site.
    pub fn of(doors: impl Doors) -> Self {
        Self(Some(Box::new(doors)))
    }

    /// Those of that type, if that is what they are.
    pub fn get<D: Doors>(&self) -> Option<&D> {
        (self.0.as_deref()? as &dyn Any).downcast_ref()
    }

    /// Those of that type, if that is what they are.
    pub fn get_mut<D: Doors>(&mut self) -> Option<&mut D> {
        (self.0.as_deref_mut()? as &mut dyn Any).downcast_mut()
    }
}

/// Asks for ways into and out of sites.
#[derive(SystemParam)]
pub struct Ways<'w, 's> {
    sites: Res<'w, Sites>,
    of_sites: Query<'w, 's, (Option<&'static SiteDoors>, Option<&'static Plane>)>,
}

impl Ways<'_, '_> {
    /// Those of a site; none for a number that no site has.
    pub fn of(&self, site: SiteId) -> Option<SiteWays<'_>> {
        let entry = self.sites.find(site)?;
        let (doors, plane) = self.of_sites.get(entry.entity).unwrap_or((None, None));
        Some(SiteWays::new(&entry.block, doors, plane))
    }
}

/// The ways into and out of one site.
#[derive(Debug)]
pub struct SiteWays<'a> {
    drawn: Option<&'a dyn Doors>,
    faces: OpenFaces,
}

impl<'a> SiteWays<'a> {
    /// Those of a block.
    pub fn new(
        block: &'a TissueBlock,
        doors: Option<&'a SiteDoors>,
        plane: Option<&Plane>,
    ) -> Self {
        Self {
            drawn: doors.and_then(|doors| doors.0.as_deref()),
            faces: OpenFaces::new(block, plane.copied()),
        }
    }

    /// Whether vessels are drawn in the site, so that its doors are in their walls.
    pub const fn has_vessels(&self) -> bool {
        self.drawn.is_some()
    }

    fn doors(&self) -> &dyn Doors {
        self.drawn.unwrap_or(&self.faces)
    }

    /// As [`Doors::nearest`].
    pub fn nearest(&self, from_um: Vec3, within_um: f32) -> Option<Door> {
        self.doors().nearest(from_um, within_um)
    }

    /// As [`Doors::open_um2`].
    pub fn open_um2(&self, by: Extravasation) -> f32 {
        self.doors().open_um2(by)
    }

    /// As [`Doors::pick`].
    pub fn pick(&self, by: Extravasation, dice: [f32; 3]) -> Option<Door> {
        self.doors().pick(by, dice)
    }

    /// As [`Doors::native_um2`].
    pub fn native_um2(&self) -> f32 {
        self.doors().native_um2()
    }

    /// Perfused wall that leukocytes hold on to, over that of as much native tissue of the organ; 1 where no vessels are drawn.
    pub fn vascularity(&self) -> f32 {
        self.open_um2(Extravasation::Adhesion) / self.native_um2()
    }

    /// As [`Doors::follow`].
    pub fn follow(&self, from_um: Vec3, by_um: f32, dice: f32) -> Followed {
        self.doors().follow(from_um, by_um, dice)
    }
}

/// Ways in and out, ways into lymph, and cells in vessels.
pub struct DoorsPlugin;

impl Plugin for DoorsPlugin {
    fn build(&self, app: &mut App) {
        app.declare_remade::<SiteDoors>(
            "made from the scene, and filled from what its module keeps",
        );
        lymph::register(app);
        riding::register(app);
    }
}

#[cfg(test)]
mod tests;
