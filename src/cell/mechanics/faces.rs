//! The faces of a site: walls that hold cells in, or open sides that they may leave through.

/// A box with a wall or an opening on each of its six sides.
///
/// A wall repels a cell that overlaps it at `c_w (1 - d/r)^2`, with `d` the distance of its centre and `r`
/// its radius of contact, as PhysiCell repels cells from a basement membrane, whatever the law between cells
/// (Macklin et al. 2012, doi 10.1016/j.jtbi.2012.02.002). Centres are held inside walls in any case. What
/// becomes of a cell beyond an open side is for the caller to say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Faces {
    /// Lower corner, um.
    pub low: [f32; 3],
    /// Upper corner, um.
    pub high: [f32; 3],
    /// Whether there is a wall, for x, y, z: at the lower side, at the upper side.
    pub walls: [[bool; 2]; 3],
    /// Height of the plane in which all cells stay, um, if they do; the walls above and below are then not felt.
    pub plane: Option<f32>,
}

impl Default for Faces {
    /// No walls anywhere.
    fn default() -> Self {
        Self {
            low: [f32::NEG_INFINITY; 3],
            high: [f32::INFINITY; 3],
            walls: [[false; 2]; 3],
            plane: None,
        }
    }
}

impl Faces {
    /// A closed box.
    pub fn closed(low: [f32; 3], high: [f32; 3]) -> Self {
        Self {
            low,
            high,
            walls: [[true; 2]; 3],
            plane: None,
        }
    }

    /// The same, with all cells in a plane.
    #[must_use]
    pub const fn in_plane(mut self, z_um: f32) -> Self {
        self.walls[2] = [false; 2];
        self.plane = Some(z_um);
        self
    }

    /// Velocity and stiffness (1/min) that the walls give along `axis` to a cell.
    #[inline(always)]
    pub(super) fn push(&self, axis: usize, at: f32, radius: f32, strength: f32) -> (f32, f32) {
        let [low, high] = self.walls[axis];
        let (mut velocity, mut stiffness) = (0.0, 0.0);
        let sides = [
            (low, at - self.low[axis], 1.0),
            (high, self.high[axis] - at, -1.0),
        ];
        for (wall, distance, inward) in sides {
            if wall && distance < radius {
                let overlap = 1.0 - distance.max(0.0) / radius;
                velocity += inward * strength * overlap * overlap;
                stiffness += 2.0 * strength * overlap / radius;
            }
        }
        (velocity, stiffness)
    }

    /// Whether a wall may repel a cell of this radius, or smaller, inside a box.
    #[inline(always)]
    pub(super) fn touch(&self, low: [f32; 3], high: [f32; 3], radius: f32) -> bool {
        (0..3).any(|axis| {
            let [wall_low, wall_high] = self.walls[axis];
            (wall_low && low[axis] - self.low[axis] < radius)
                || (wall_high && self.high[axis] - high[axis] < radius)
        })
    }

    /// Whether a centre may be at a place, um.
    pub fn allow(&self, at: [f32; 3]) -> bool {
        (0..3).all(|axis| self.hold(axis, at[axis]) == at[axis])
    }

    /// How far a centre gets that goes straight from a place where it may be to another, um.
    pub fn back_along(&self, from: [f32; 3], to: [f32; 3]) -> [f32; 3] {
        let mut share = 1.0_f32;
        for axis in 0..3 {
            let held = self.hold(axis, to[axis]);
            if held != to[axis] {
                // Held and not there, so the way leads along this axis.
                share = share.min((held - from[axis]) / (to[axis] - from[axis]));
            }
        }
        let share = share.max(0.0);
        // What is held here is rounding.
        std::array::from_fn(|axis| self.hold(axis, from[axis] + share * (to[axis] - from[axis])))
    }

    /// The coordinate along `axis`, held inside the walls, and in the plane if there is one.
    #[inline(always)]
    pub(super) fn hold(&self, axis: usize, at: f32) -> f32 {
        if let (2, Some(z)) = (axis, self.plane) {
            return z;
        }
        let [low, high] = self.walls[axis];
        let mut at = at;
        if low && at < self.low[axis] {
            at = self.low[axis];
        }
        if high && at > self.high[axis] {
            at = self.high[axis];
        }
        at
    }
}
