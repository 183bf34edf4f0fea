//! Which cells lie near a place: asked by whoever wants to know, apart from the forces.
//!
//! The same sort as that of the forces, of the places where cells are when they perceive. Each question visits all bins
//! within the distance it asks for, so that answers do not depend on the bins.

use super::ContactBody;
use super::search::{Search, rows_at};
use super::sort::Sorted;

/// Bodies in the order of their bins.
#[derive(Default)]
pub struct Vicinity {
    bodies: Vec<ContactBody>,
    cells: Sorted,
    reach: f32,
}

impl Vicinity {
    /// The bodies, for the caller to fill.
    pub fn bodies_mut(&mut self) -> &mut Vec<ContactBody> {
        &mut self.bodies
    }

    /// The bodies, as they were filled.
    pub fn bodies(&self) -> &[ContactBody] {
        &self.bodies
    }

    /// The bodies, and the order in which they were found.
    pub(super) const fn parts(&mut self) -> (&Vec<ContactBody>, &mut Sorted) {
        (&self.bodies, &mut self.cells)
    }

    /// Sorts them; `reach` is the distance at which two cells touch over the sum of their radii, `bin_scale` decides
    /// speed, not answers.
    pub fn sort(&mut self, reach: f32, bin_scale: f32) {
        self.reach = reach;
        self.cells.sort(&self.bodies, reach, bin_scale);
    }

    /// Calls `work` with the row of each body whose centre is closer to a place than `radius` (um), in any order, and
    /// the square of the distance, um2.
    pub fn within(&self, at: [f32; 3], radius: f32, mut work: impl FnMut(usize, f32)) {
        self.visit(at, radius, |slot, square| {
            if square < radius * radius {
                work(self.cells.row[slot] as usize, square);
            }
        });
    }

    /// The same for each body that touches one of `radius` (um) there: closer than the interaction distance of forces.
    pub fn touching(&self, at: [f32; 3], radius: f32, mut work: impl FnMut(usize, f32)) {
        let largest = self.cells.grids.levels.iter();
        let largest = largest.map(|level| level.radius).fold(0.0, f32::max);
        self.visit(at, self.reach * (radius + largest), |slot, square| {
            // As the forces have it, to the bit.
            let limit = (radius + self.cells.radius[slot]) * self.reach;
            if square < limit * limit {
                work(self.cells.row[slot] as usize, square);
            }
        });
    }

    fn visit(&self, at: [f32; 3], farthest: f32, mut work: impl FnMut(usize, f32)) {
        if self.cells.len == 0 {
            return;
        }
        let search = Search::within(farthest);
        for level in &self.cells.grids.levels {
            let mut rows = rows_at(&self.cells, search, at, level);
            while let Some((first, end)) = rows.next() {
                for slot in first..end {
                    let [x, y, z] = self.cells.position(slot);
                    let (dx, dy, dz) = (at[0] - x, at[1] - y, at[2] - z);
                    work(slot, dx * dx + dy * dy + dz * dz);
                }
            }
        }
    }
}
