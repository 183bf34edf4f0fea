//! A basement membrane as bodies meet it: what holds them back, how far, and what lets them through.
//!
//! With `d` the distance of the centre of a body from the surface on its side, a body in reach of it (`d` below its radius) gets only
//! the share `f` of what would bring it nearer, and all of what leads away or along: so against a closed element (`f = 0`) it leans,
//! slides and is held, however it is pushed, and through an open one it passes by as much slower as the pores are narrow. The element
//! that counts is the one through which the way leads, at the place where it meets the surface. The distance is that of a formula
//! (see [`super::surface`]) and changes its sign only where an element lets it. Of several membranes in reach each gives its share of
//! what the others left, so that their passages are multiplied; where what one holds would lead into another that is closed, a body is
//! turned aside until it approaches neither, and stays where it is if there is no such way.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bevy::prelude::*;

use super::surface::{Seen, Surface, Tiling};
use super::{MembraneDescription, MembranesParameters};
use crate::cell::barrier::{Barrier, BarrierKind, Displaced, Passing};
use crate::core::CellId;
use crate::core::inbox::Inbox;
use crate::core::saturation::ramp;
use crate::tissue::TissueBlock;

/// How near to a surface a centre may come that may not pass, um: far above rounding, far below anything that is seen.
const MARGIN_UM: f32 = 0.01;

/// How often a body is turned aside between closed membranes before it stays where it is.
const TURNS: u32 = 8;

/// In place of the identity of a cell: nobody.
const NOBODY: u64 = u64::MAX;

/// A body went through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MembraneCrossing {
    /// Whose it is.
    pub cell: CellId,
    /// Whether it went outwards.
    pub is_outward: bool,
    /// Where its centre went through, um.
    pub at_um: Vec3,
}

/// One membrane of a site.
#[derive(Debug)]
pub struct MembraneSheet {
    /// Where it lies.
    pub surface: Surface,
    /// The elements into which it is cut.
    pub tiling: Tiling,
    /// Voxel of the site in which the middle of each element lies.
    pub voxels: Vec<u32>,
    /// Density of each element, 0-1, as its entity has it; NaN where there is none, outside of the site.
    pub density: Vec<f32>,
    /// Largest digestion by cells that touch each element in this step, 1/min, as bits.
    digestion: Vec<AtomicU32>,
    /// Identity of the first cell whose centre stands before each element.
    before: Vec<AtomicU64>,
}

impl MembraneSheet {
    /// The membrane of a scene; elements that lie farther outside of the block than they are wide do not exist.
    pub fn new(description: &MembraneDescription, block: &TissueBlock) -> Self {
        let surface = Surface::of(&description.around);
        let tiling = Tiling::new(&surface, description.element_um, block);
        // One that only reaches into the block closes it there as well.
        let rim = Vec3::splat(description.element_um);
        let (low, high) = (block.min_um - rim, block.max_um() + rim);
        let elements = tiling.elements.iter();
        let density = elements.clone().map(|element| {
            let at = element.centre_um;
            if at.cmpge(low).all() && at.cmple(high).all() {
                description.density
            } else {
                f32::NAN
            }
        });
        let len = elements.len();
        Self {
            voxels: elements
                .clone()
                .map(|element| block.voxel_at(element.centre_um))
                .collect(),
            density: density.collect(),
            digestion: std::iter::repeat_with(AtomicU32::default)
                .take(len)
                .collect(),
            before: std::iter::repeat_with(|| AtomicU64::new(NOBODY))
                .take(len)
                .collect(),
            surface,
            tiling,
        }
    }

    /// The element nearest to a point, and its density; none where there is no membrane.
    pub fn element_at(&self, point: Vec3) -> Option<(usize, f32)> {
        let element = self.tiling.element_at(&self.surface, point)?;
        let density = self.density[element];
        (!density.is_nan()).then_some((element, density))
    }

    /// How a body touches the membrane that is at most so far from its centre, um; nothing if it does not.
    pub fn touch(&self, centre_um: Vec3, reach_um: f32) -> Option<(Seen, usize, f32)> {
        let seen = self.surface.see(centre_um);
        if seen.distance_um.abs() > reach_um {
            return None;
        }
        let (element, density) = self.element_at(centre_um)?;
        Some((seen, element, density))
    }

    /// A cell stands before an element.
    pub(super) fn meet(&self, cell: CellId, element: usize) {
        self.before[element].fetch_min(cell.0, Ordering::Relaxed);
    }

    /// Proteases on the leading edge of a cell digest what lies within a distance of where it is, with this rate, 1/min; of an
    /// element that is wider than that its share.
    pub(super) fn digest_at(&self, front_um: Vec3, within_um: f32, per_min: f32) {
        let note = |element: usize, per_min: f32| {
            // Where there is none, nobody would take it.
            if self.density[element].is_nan() {
                return;
            }
            // Bits of numbers that are not negative are in their order.
            self.digestion[element].fetch_max(per_min.to_bits(), Ordering::Relaxed);
        };
        let Some((element, _)) = self.element_at(front_um) else {
            return;
        };
        let reached = std::f32::consts::PI * within_um * within_um;
        let share = reached / self.tiling.elements[element].area_um2;
        note(element, per_min * share.min(1.0));
        if share >= 1.0 {
            let tiling = &self.tiling;
            tiling.for_each_near(&self.surface, front_um, within_um, |near| {
                note(near, per_min)
            });
        }
    }

    /// Whether a point lies beyond the membrane as seen from another.
    pub(super) fn parts(&self, from: &Seen, point: Vec3) -> bool {
        (from.distance_um > 0.0) != (self.surface.see(point).distance_um > 0.0)
    }

    /// Where a straight way goes through the surface, and whether outwards, if it ends on the other side.
    fn crossed(&self, from: Vec3, to: Vec3) -> Option<(Vec3, bool)> {
        let begins = self.surface.see(from).distance_um;
        // No way is shorter than the change of distance on it; a hundredth is far above rounding.
        if begins * begins > 1.01 * from.distance_squared(to) {
            return None;
        }
        let ends = self.surface.see(to).distance_um;
        let is_outward = ends > 0.0;
        if (begins > 0.0) == is_outward {
            return None;
        }
        Some((from.lerp(to, begins / (begins - ends)), is_outward))
    }

    /// Whether nothing is noted of what cells did in this step.
    fn is_taken(&self) -> bool {
        let [digestion, before] = [
            self.digestion
                .iter()
                .all(|of| of.load(Ordering::Relaxed) == 0),
            self.before
                .iter()
                .all(|of| of.load(Ordering::Relaxed) == NOBODY),
        ];
        digestion && before
    }

    /// What cells did to an element in this step: their digestion, 1/min, and the first of them; forgotten with that.
    pub(super) fn take(&mut self, element: usize) -> (f32, Option<CellId>) {
        let digestion = std::mem::take(self.digestion[element].get_mut());
        let cell = std::mem::replace(self.before[element].get_mut(), NOBODY);
        (
            f32::from_bits(digestion),
            (cell != NOBODY).then_some(CellId(cell)),
        )
    }
}

/// How wide pores must be for whom.
#[derive(Clone, Debug, Default)]
pub(super) struct Pores {
    /// Cross-section without any membrane, um2.
    pub area_um2: f32,
    /// Cross-section that does not slow bodies, um2.
    pub free_um2: f32,
    /// Cross-section in which cells of each type are stuck, um2; a type without one does not pass at all.
    pub arrest_um2: Vec<f32>,
}

impl Pores {
    /// Takes over what is in force.
    pub fn set(&mut self, parameters: &MembranesParameters, arrest_um2: impl Iterator<Item = f32>) {
        self.area_um2 = parameters.pore_area_um2;
        self.free_um2 = parameters.free_pore_area_um2;
        self.arrest_um2.clear();
        self.arrest_um2.extend(arrest_um2);
    }

    /// Share of its way towards the membrane that a cell gets, where it has this density.
    pub fn passage(&self, density: f32, cell_type: u16) -> f32 {
        let Some(arrest) = self.arrest_um2.get(usize::from(cell_type)) else {
            return 0.0;
        };
        let gone = 1.0 - density;
        ramp(self.area_um2 * gone * gone, *arrest, self.free_um2)
    }
}

/// All membranes of a site.
#[derive(Debug, Default)]
pub struct Membranes {
    /// Each of them.
    pub sheets: Vec<MembraneSheet>,
    /// Where the elements of each begin among those of all.
    pub(super) first: Vec<usize>,
    pub(super) pores: Pores,
    /// Bodies that went through in this step, in no order.
    crossings: Inbox<Vec<MembraneCrossing>>,
}

impl Membranes {
    /// Those of a scene.
    pub fn new(descriptions: &[MembraneDescription], block: &TissueBlock) -> Self {
        let sheets = descriptions.iter();
        let sheets: Vec<MembraneSheet> = sheets.map(|of| MembraneSheet::new(of, block)).collect();
        let mut elements = 0;
        let first = sheets.iter().map(|sheet| {
            elements += sheet.density.len();
            elements - sheet.density.len()
        });
        Self {
            first: first.collect(),
            sheets,
            ..Self::default()
        }
    }

    /// Who went through since this was asked for, in the order of identity.
    pub(super) fn crossings(&mut self) -> &mut Vec<MembraneCrossing> {
        let crossings = self.crossings.taken();
        crossings.sort_unstable_by_key(|crossing| {
            let bits = crossing.at_um.to_array().map(f32::to_bits);
            (crossing.cell, crossing.is_outward, bits)
        });
        crossings
    }

    /// Whether nothing is noted that was not told or carried out.
    pub(super) fn is_told(&self) -> bool {
        self.crossings.look(Vec::is_empty) && self.sheets.iter().all(MembraneSheet::is_taken)
    }

    /// The share of its way that an element at a place lets a body go; none where there is no membrane.
    fn passage_at(&self, sheet: &MembraneSheet, body: Displaced, place: Vec3) -> Option<f32> {
        let (_, density) = sheet.element_at(place)?;
        Some(self.pores.passage(density, body.cell_type))
    }

    /// The way past one membrane, or past it where it is closed.
    fn hold_to(
        &self,
        (sheet, only_closed): (&MembraneSheet, bool),
        body: Displaced,
        from: Vec3,
        to: Vec3,
    ) -> Vec3 {
        let seen = sheet.surface.see(from);
        let way = to - from;
        let room = seen.distance_um.abs() - body.radius_um;
        if room > 0.0 && way.length_squared() < room * room {
            return to;
        }
        let approach = |from, to| self.approach((sheet, only_closed), body, from, to);
        // A way past a round membrane may come nearer to it in the midst than at either end.
        if seen.distance_um > 0.0
            && let Some(share) = sheet.surface.nearest_on_way(from, to)
        {
            let nearest = from + way * share;
            let reached = approach(from, nearest);
            return approach(reached, reached + (to - nearest));
        }
        approach(from, to)
    }

    /// The same of a way that comes nearer all the time, or goes away.
    fn approach(
        &self,
        (sheet, only_closed): (&MembraneSheet, bool),
        body: Displaced,
        from: Vec3,
        to: Vec3,
    ) -> Vec3 {
        let surface = &sheet.surface;
        let (start, end) = (surface.see(from), surface.see(to));
        let side = if start.distance_um > 0.0 { 1.0 } else { -1.0 };
        let (begins, ends) = (side * start.distance_um, side * end.distance_um);
        let within = begins.min(body.radius_um);
        if ends >= within {
            return to;
        }
        let meets = if ends < 0.0 {
            from.lerp(to, begins / (begins - ends))
        } else {
            to
        };
        let Some(passage) = self.passage_at(sheet, body, meets) else {
            return to;
        };
        if only_closed && passage > 0.0 {
            return to;
        }
        let mut reached = within + passage * (ends - within);
        let crosses = reached < 0.0;
        if !crosses {
            reached = reached.max(MARGIN_UM);
        }
        let held = if body.in_plane {
            let held = surface.in_plane_at(to, side * reached);
            // Where the plane hardly cuts the surface it would be far away.
            let most = 2.0 * from.distance(to);
            match held.filter(|held| held.distance_squared(to) <= most * most) {
                Some(held) => held,
                None => return from,
            }
        } else {
            to - end.outwards * (end.distance_um - side * reached)
        };
        let is_beyond = (surface.see(held).distance_um > 0.0) != (side > 0.0);
        if is_beyond == crosses { held } else { from }
    }
}

impl Barrier for Membranes {
    fn kind(&self) -> BarrierKind {
        BarrierKind::Holds
    }

    fn hold(&self, body: Displaced, from: Vec3, to: Vec3) -> Vec3 {
        let past = |only_closed: bool, to: Vec3| {
            let sheets = self.sheets.iter();
            sheets.fold(to, |to, sheet| {
                self.hold_to((sheet, only_closed), body, from, to)
            })
        };
        let mut reached = past(false, to);
        if reached == to || self.sheets.len() < 2 {
            return reached;
        }
        for _ in 0..TURNS {
            let turned = past(true, reached);
            if turned.distance_squared(reached) <= MARGIN_UM * MARGIN_UM {
                return turned;
            }
            reached = turned;
        }
        from
    }

    fn passing(&self, body: Displaced, from: Vec3, to: Vec3) -> Passing {
        let crossed = self.sheets.iter().filter_map(|sheet| {
            let (at, _) = sheet.crossed(from, to)?;
            self.passage_at(sheet, body, at)
        });
        let passing = crossed.map(|passage| {
            if passage > 0.0 {
                Passing::Through
            } else {
                Passing::Barred
            }
        });
        passing.max().unwrap_or(Passing::None)
    }

    fn note(&self, body: Displaced, from: Vec3, to: Vec3) {
        for sheet in &self.sheets {
            let Some((at_um, is_outward)) = sheet.crossed(from, to) else {
                continue;
            };
            if sheet.element_at(at_um).is_some() {
                self.crossings.add(|crossings| {
                    crossings.push(MembraneCrossing {
                        cell: body.cell,
                        is_outward,
                        at_um,
                    });
                });
            }
        }
    }
}
