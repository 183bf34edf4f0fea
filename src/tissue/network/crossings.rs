//! Which voxels of a site its vessels cross, and over which length.

use bevy::prelude::*;

use crate::tissue::TissueBlock;

/// A piece of a segment within a voxel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Crossing {
    /// Index of the segment.
    pub segment: u32,
    /// The voxel of the site.
    pub voxel: u32,
    /// Length of the segment in it, along its windings, um.
    pub length_um: f32,
}

/// All of them, by segment and by voxel. Worked out when the shape of a network changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Crossings {
    /// By segment, and in each from its beginning to its end.
    list: Vec<Crossing>,
    /// For each segment where its pieces begin in `list`; one more.
    first: Vec<u32>,
    /// The voxels that are crossed, in their order.
    voxels: Vec<u32>,
    /// For each of these where its pieces begin in `by_voxel`; one more.
    first_of_voxel: Vec<u32>,
    /// Places in `list`, voxel by voxel, those of one voxel in the order of segments.
    by_voxel: Vec<u32>,
}

impl Crossings {
    /// All pieces, by segment and along each.
    pub fn all(&self) -> &[Crossing] {
        &self.list
    }

    /// The pieces of the segment at an index, from its beginning to its end; their lengths add up to that of the segment.
    pub fn of_segment(&self, segment: usize) -> &[Crossing] {
        &self.list[self.places_of_segment(segment)]
    }

    /// Where these stand among [`Self::all`].
    pub fn places_of_segment(&self, segment: usize) -> std::ops::Range<usize> {
        let [from, to] = [segment, segment + 1].map(|at| self.first[at] as usize);
        from..to
    }

    /// The voxels that vessels cross, in their order.
    pub fn voxels(&self) -> &[u32] {
        &self.voxels
    }

    /// The pieces in a voxel, given by its place among [`Self::voxels`], in the order of segments.
    pub fn in_voxel(&self, place: usize) -> impl Iterator<Item = &Crossing> {
        let [from, to] = [place, place + 1].map(|at| self.first_of_voxel[at] as usize);
        self.by_voxel[from..to]
            .iter()
            .map(|at| &self.list[*at as usize])
    }

    /// Works them out from where segments begin and end, and how long they are, um.
    pub(super) fn work_out(
        &mut self,
        block: &TissueBlock,
        segments: impl Iterator<Item = (Vec3, Vec3, f32)>,
    ) {
        self.list.clear();
        self.first.clear();
        self.first.push(0);
        let mut cuts = Vec::new();
        for (segment, (from, to, length_um)) in segments.enumerate() {
            let begin = self.list.len();
            cut(block, from, to, &mut cuts);
            for pair in cuts.windows(2) {
                let share = pair[1] - pair[0];
                if share <= 0.0 {
                    continue;
                }
                let voxel = block.voxel_at(from.lerp(to, 0.5 * (pair[0] + pair[1])));
                let length_um = length_um * share;
                match self.list[begin..].last_mut() {
                    Some(last) if last.voxel == voxel => last.length_um += length_um,
                    _ => self.list.push(Crossing {
                        segment: segment as u32,
                        voxel,
                        length_um,
                    }),
                }
            }
            self.first.push(self.list.len() as u32);
        }
        self.by_voxel.clear();
        self.by_voxel.extend(0..self.list.len() as u32);
        let list = &self.list;
        self.by_voxel
            .sort_unstable_by_key(|at| (list[*at as usize].voxel, *at));
        self.voxels.clear();
        self.first_of_voxel.clear();
        for (place, at) in self.by_voxel.iter().enumerate() {
            let voxel = list[*at as usize].voxel;
            if self.voxels.last() != Some(&voxel) {
                self.voxels.push(voxel);
                self.first_of_voxel.push(place as u32);
            }
        }
        self.first_of_voxel.push(self.by_voxel.len() as u32);
    }
}

/// The shares of the way between two points at which it enters another voxel, with 0 and 1, in their order.
fn cut(block: &TissueBlock, from: Vec3, to: Vec3, cuts: &mut Vec<f32>) {
    cuts.clear();
    cuts.extend([0.0, 1.0]);
    let way = to - from;
    for axis in 0..3 {
        if way[axis] == 0.0 {
            continue;
        }
        let place = |at: f32| (at - block.min_um[axis]) / block.voxel_um[axis];
        let (a, b) = (place(from[axis]), place(to[axis]));
        let (low, high) = (a.min(b).ceil().max(0.0), a.max(b).floor());
        let mut face = low;
        while face <= high.min(block.dims[axis] as f32) {
            let share = (face - a) / (b - a);
            if share > 0.0 && share < 1.0 {
                cuts.push(share);
            }
            face += 1.0;
        }
    }
    cuts.sort_unstable_by(f32::total_cmp);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> TissueBlock {
        TissueBlock {
            name: "block".into(),
            min_um: Vec3::splat(-50.0),
            dims: UVec3::splat(5),
            voxel_um: Vec3::splat(20.0),
            walls: true,
            perfusion_length_um: None,
        }
    }

    #[test]
    fn lengths_in_voxels_add_up_to_that_of_the_segment_and_lie_where_it_runs() {
        let block = block();
        let segments = [
            (Vec3::new(-50.0, 0.0, 0.0), Vec3::new(50.0, 0.0, 0.0), 100.0),
            (
                Vec3::new(-41.0, -33.0, -7.0),
                Vec3::new(37.0, 48.0, 22.0),
                150.0,
            ),
            (Vec3::new(3.0, 3.0, 3.0), Vec3::new(4.0, 3.0, 3.0), 1.0),
        ];
        let mut crossings = Crossings::default();
        crossings.work_out(&block, segments.into_iter());
        assert_eq!(crossings.of_segment(0).len(), 5);
        for piece in crossings.of_segment(0) {
            assert!((piece.length_um - 20.0).abs() < 1e-4, "{piece:?}");
        }
        assert_eq!(crossings.of_segment(2).len(), 1);
        for (number, (from, to, length_um)) in segments.into_iter().enumerate() {
            let pieces = crossings.of_segment(number);
            let sum: f32 = pieces.iter().map(|piece| piece.length_um).sum();
            assert!((sum - length_um).abs() < 1e-3, "{sum}");
            // By small steps along it.
            let steps = 100_000;
            let mut lengths = vec![0.0_f64; block.voxels()];
            for step in 0..steps {
                let share = (step as f32 + 0.5) / steps as f32;
                let voxel = block.voxel_at(from.lerp(to, share));
                lengths[voxel as usize] += f64::from(length_um) / f64::from(steps);
            }
            for piece in pieces {
                let counted = lengths[piece.voxel as usize] as f32;
                assert!(
                    (counted - piece.length_um).abs() < 0.01,
                    "{piece:?} {counted}"
                );
            }
        }
        let found: usize = (0..crossings.voxels().len())
            .map(|place| {
                let voxel = crossings.voxels()[place];
                assert!(crossings.in_voxel(place).all(|piece| piece.voxel == voxel));
                crossings.in_voxel(place).count()
            })
            .sum();
        assert_eq!(found, crossings.all().len());
    }
}
