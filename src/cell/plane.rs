//! Cells of a site that stay in one plane: a culture on a dish, or a section through tissue that is computed alone.
//!
//! A scene says so of a site, `tissue: (plane: (z_um: 0))`. Cells are put into that plane, `Move` holds them there, a walking
//! cell goes along it at its whole speed, and cells divide within it. Molecules spread in three dimensions as ever: whoever
//! wants a thin layer gives the site one voxel of height.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::parameters::{Contradiction, Limits, Parameters};
use crate::core::site_part::RegisterSitePart;
use crate::core::state::RegisterState;

/// The plane in which the cells of a site stay (part `plane`); a component of the site.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct Plane {
    /// Its height in the site, um; 0 is the middle.
    pub z_um: f32,
}

impl Parameters for Plane {
    fn limits(_: &str) -> Limits {
        Limits {
            min: -1.0e6,
            max: 1.0e6,
        }
    }

    fn contradictions_in(&self, size_um: Vec3) -> Vec<Contradiction> {
        let half = 0.5 * size_um.z;
        let outside = self.z_um.abs() > half;
        let wrong = outside.then(|| Contradiction {
            field: "z_um",
            other: "",
            message: format!(
                "the plane lies at {} um, outside of its site, which reaches from {} to {half} um",
                self.z_um, -half
            ),
        });
        wrong.into_iter().collect()
    }
}

impl Plane {
    /// The point of the plane below or above another.
    pub const fn flatten(self, at_um: Vec3) -> Vec3 {
        Vec3::new(at_um.x, at_um.y, self.z_um)
    }

    /// A vector turned into the plane at its own length; nothing of one that stands on it.
    pub fn turn(vector: Vec3) -> Vec3 {
        let flat = Vec3::new(vector.x, vector.y, 0.0);
        flat.try_normalize()
            .map_or(Vec3::ZERO, |along| along * vector.length())
    }

    /// An axis of division turned into the plane.
    pub fn turn_axis(axis: Vec3) -> Vec3 {
        Vec3::new(axis.x, axis.y, 0.0)
            .try_normalize()
            .unwrap_or(Vec3::X)
    }
}

/// Planes of sites.
pub struct PlanePlugin;

impl Plugin for PlanePlugin {
    fn build(&self, app: &mut App) {
        app.declare_remade::<Plane>("made from the scene")
            .register_site_part::<Plane>("plane", |world, site, plane| {
                world.entity_mut(site).insert(*plane);
            });
    }
}
