//! Where a site stands in the one world of the picture, for layers that lead from one site to another. Nothing in a step looks at it.

use bevy::prelude::*;

/// The middle of the site in the coordinates of the stage, um; none where it is shown alone. A component of each site.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct StagePlace(pub Option<Vec3>);
