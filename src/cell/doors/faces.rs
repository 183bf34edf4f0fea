//! The faces of a block of tissue as doors: where no vessels are drawn, cells come through them and leave through them.

use bevy::prelude::*;

use super::{Door, Doors, Extravasation, Followed};
use crate::cell::plane::Plane;
use crate::tissue::TissueBlock;

/// The faces of a block; of a site whose cells stay in a plane the edges of that plane.
#[derive(Clone, Copy, Debug)]
pub struct OpenFaces {
    min_um: Vec3,
    max_um: Vec3,
    plane: Option<Plane>,
}

impl OpenFaces {
    /// Those of a block.
    pub fn new(block: &TissueBlock, plane: Option<Plane>) -> Self {
        Self {
            min_um: block.min_um,
            max_um: block.max_um(),
            plane,
        }
    }

    /// Area of a face normal to an axis, um2; in a plane the length of the edge, a micrometre high.
    fn area_um2(&self, axis: usize) -> f32 {
        let size = self.max_um - self.min_um;
        match (self.plane, axis) {
            (Some(_), 2) => 0.0,
            (Some(_), _) => size[1 - axis],
            (None, _) => size[(axis + 1) % 3] * size[(axis + 2) % 3],
        }
    }

    fn door(&self, near_um: Vec3, axis: usize, is_upper: bool) -> Door {
        let flat = self.plane.map_or(near_um, |plane| plane.flatten(near_um));
        let mut at_um = flat.clamp(self.min_um, self.max_um);
        let mut into_tissue = Vec3::ZERO;
        if is_upper {
            into_tissue[axis] = -1.0;
            at_um[axis] = self.max_um[axis];
        } else {
            into_tissue[axis] = 1.0;
            at_um[axis] = self.min_um[axis];
        }
        Door {
            at_um,
            into_tissue,
            permeability: 1.0,
            flow_um_per_s: Vec3::ZERO,
            vessel_radius_um: 0.0,
        }
    }

    /// The faces, each by its axis and whether it is the upper one.
    fn each(&self) -> impl Iterator<Item = (usize, bool)> {
        let axes = if self.plane.is_some() { 2 } else { 3 };
        (0..axes).flat_map(|axis| [(axis, false), (axis, true)])
    }
}

impl Doors for OpenFaces {
    fn nearest(&self, from_um: Vec3, within_um: f32) -> Option<Door> {
        let away = |(axis, is_upper): &(usize, bool)| {
            if *is_upper {
                self.max_um[*axis] - from_um[*axis]
            } else {
                from_um[*axis] - self.min_um[*axis]
            }
        };
        // The first of several that are equally near.
        let nearest = self.each().min_by(|a, b| away(a).total_cmp(&away(b)))?;
        (away(&nearest) <= within_um).then(|| self.door(from_um, nearest.0, nearest.1))
    }

    fn open_um2(&self, _: Extravasation) -> f32 {
        self.each().map(|(axis, _)| self.area_um2(axis)).sum()
    }

    fn native_um2(&self) -> f32 {
        self.open_um2(Extravasation::Adhesion)
    }

    fn pick(&self, by: Extravasation, [which, along, across]: [f32; 3]) -> Option<Door> {
        let mut left = which * self.open_um2(by);
        let mut found = self.each().next()?;
        for face in self.each() {
            found = face;
            left -= self.area_um2(face.0);
            if left < 0.0 {
                break;
            }
        }
        let (axis, is_upper) = found;
        let mut share = Vec3::ZERO;
        share[(axis + 1) % 3] = along;
        share[(axis + 2) % 3] = across;
        let near_um = self.min_um + share * (self.max_um - self.min_um);
        Some(self.door(near_um, axis, is_upper))
    }

    fn follow(&self, from_um: Vec3, _: f32, _: f32) -> Followed {
        Followed::Out(from_um)
    }
}
