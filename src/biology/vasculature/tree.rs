//! An artery that branches into a tissue, a vein that does, and capillaries between their tips.
//!
//! Tips lie on a lattice, shifted at random, arteries' and veins' in turns like the squares of a chess-board. Each tree grows from its face tip by
//! tip, the nearest first; a tip is joined to the nearest vessel of its tree, a little upstream of its foot, so that branches leave at
//! an acute angle. Capillaries join each tip to a neighbour of the other kind, and then others, in an order at random, until the vessels are as
//! dense as asked for. Radii of trees follow Murray's law, `r^3 = sum of r^3 of the branches` (Murray 1926, Proc Natl Acad Sci 12:207).

use bevy::prelude::*;

use super::network::{Growth, NetworkError, NewSegment, NodeId, Sprouts, VesselKind};
use super::placing::{Ground, PLACEMENT, Ports};
use crate::core::CellId;
use crate::core::random::Random;

/// How far tips lie off their lattice, as a share of its spacing.
const STRAY: f32 = 0.3;
/// Veins are so much wider than arteries of the same order.
const VEINS_WIDER: f32 = 1.25;
/// Attempts at a spacing that gives the density.
const ATTEMPTS: usize = 10;
/// At most so many tips.
const MOST_TIPS: usize = 20_000;

/// What is asked for.
pub(super) struct Wanted {
    pub density_mm_per_mm3: f32,
    pub axis: usize,
    pub capillary_um: f32,
    pub outside_um: f32,
}

/// A tree while it grows: places, and for each but the first the one that it hangs on.
#[derive(Default)]
struct Tree {
    places: Vec<Vec3>,
    parents: Vec<usize>,
    /// The tips, by their number, each where it is among the places.
    tips: Vec<(usize, usize)>,
}

impl Tree {
    fn length_um(&self) -> f32 {
        let hung = 1..self.places.len();
        hung.map(|at| self.places[at].distance(self.places[self.parents[at]]))
            .sum()
    }

    /// Joins a tip to the tree; nothing where no way to it is free.
    fn join(&mut self, number: usize, at: Vec3, is_free: &impl Fn(Vec3, Vec3) -> bool) {
        // How far its foot is, the piece that it is on, the end of that where it is near one, and where the branch leaves.
        let mut best: Option<(f32, usize, Option<usize>, Vec3)> = None;
        for child in 1..self.places.len() {
            let parent = self.parents[child];
            let (from, to) = (self.places[parent], self.places[child]);
            let way = to - from;
            let share = ((at - from).dot(way) / way.length_squared()).clamp(0.0, 1.0);
            let away = (from + way * share).distance(at);
            if best.is_some_and(|(least, ..)| away >= least) {
                continue;
            }
            // Upstream of its foot, so that branches leave at an acute angle.
            let share = (share - 0.5 * away / way.length()).max(0.0);
            let (end, leaves) = if share < 0.15 {
                (Some(parent), from)
            } else if share > 0.85 {
                (Some(child), to)
            } else {
                (None, from + way * share)
            };
            if is_free(leaves, at) {
                best = Some((away, child, end, leaves));
            }
        }
        let Some((_, child, end, leaves)) = best else {
            return;
        };
        let hangs_on = end.unwrap_or_else(|| {
            let middle = self.places.len();
            self.places.push(leaves);
            self.parents.push(self.parents[child]);
            self.parents[child] = middle;
            middle
        });
        self.tips.push((number, self.places.len()));
        self.places.push(at);
        self.parents.push(hangs_on);
    }

    /// Radii of the pieces that end in each place, by Murray's law from those of the tips.
    fn radii(&self, tip_um: f32) -> Vec<f32> {
        let mut cubes = vec![0.0_f32; self.places.len()];
        let mut is_tip = vec![false; self.places.len()];
        for (_, at) in &self.tips {
            is_tip[*at] = true;
        }
        // From each tip down to the root.
        for (at, is_tip) in is_tip.iter().enumerate() {
            if !is_tip {
                continue;
            }
            let mut place = at;
            loop {
                cubes[place] += tip_um * tip_um * tip_um;
                if place == 0 {
                    break;
                }
                place = self.parents[place];
            }
        }
        cubes.into_iter().map(bevy::math::ops::cbrt).collect()
    }
}

/// Trees and capillaries, laid out.
struct Layout {
    trees: [Tree; 2],
    /// Tips of arteries and veins that capillaries join, as places in their trees.
    capillaries: Vec<(usize, usize)>,
    length_um: f32,
}

/// Grows what is wanted.
pub(super) fn grow(
    growth: &mut Growth,
    ports: &Ports,
    ground: &Ground,
    wanted: &Wanted,
) -> Result<(), NetworkError> {
    let block = ground.block;
    let volume = (block.max_um() - block.min_um).element_product();
    let target = wanted.density_mm_per_mm3 * 1.0e-6 * volume;
    let mut spacing = (1.5 / (wanted.density_mm_per_mm3 * 1.0e-6)).sqrt();
    let mut best: Option<Layout> = None;
    for _ in 0..ATTEMPTS {
        let layout = lay_out(ground, wanted, spacing, target);
        let found = layout.length_um;
        let off = |length: f32| (length / target - 1.0).abs();
        if best
            .as_ref()
            .is_none_or(|best| off(found) < off(best.length_um))
        {
            best = Some(layout);
        }
        if off(found) < 0.03 {
            break;
        }
        // Length in a volume goes with the inverse square of what lies between.
        spacing *= (found / target).sqrt().clamp(0.6, 1.6);
    }
    match best {
        Some(layout) => add(growth, ports, wanted, &layout),
        None => Ok(()),
    }
}

/// Lays trees and capillaries out whose tips lie so far apart, with capillaries until there is as much as wanted.
fn lay_out(ground: &Ground, wanted: &Wanted, spacing: f32, target_um: f32) -> Layout {
    let mut random = ground.key.stream(CellId(ground.number), 0, PLACEMENT);
    let tips = tips(ground, wanted, spacing, &mut random);
    let is_free = |from: Vec3, to: Vec3| {
        if wanted.outside_um <= 0.0 {
            return true;
        }
        let way = to - from;
        let share = (-from.dot(way) / way.length_squared().max(1.0e-6)).clamp(0.0, 1.0);
        (from + way * share).length() >= wanted.outside_um
    };
    let trees = [0, 1].map(|side| {
        let [root, trunk] = trunk(ground, wanted, spacing, side);
        let mut tree = Tree {
            places: vec![root, trunk],
            parents: vec![0, 0],
            tips: Vec::new(),
        };
        let mut mine: Vec<(f32, usize)> = tips
            .iter()
            .enumerate()
            .filter(|(_, (_, of))| *of == side)
            .map(|(number, (at, _))| (at.distance(trunk), number))
            .collect();
        mine.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (_, number) in mine {
            tree.join(number, tips[number].0, &is_free);
        }
        tree
    });
    let mut length_um = trees[0].length_um() + trees[1].length_um();
    // Pairs of neighbours, near ones first for the least that there is to be.
    let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
    let reach = 1.9 * spacing;
    for (_, a) in &trees[0].tips {
        for (_, v) in &trees[1].tips {
            let (from, to) = (trees[0].places[*a], trees[1].places[*v]);
            let away = from.distance(to);
            if away < reach && away > 0.0 && is_free(from, to) {
                pairs.push((away, *a, *v));
            }
        }
    }
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut joined = [
        vec![false; trees[0].places.len()],
        vec![false; trees[1].places.len()],
    ];
    let mut capillaries = Vec::new();
    let mut rest = Vec::new();
    for (away, a, v) in pairs {
        if joined[0][a] && joined[1][v] {
            rest.push((random.uniform(), away, a, v));
            continue;
        }
        joined[0][a] = true;
        joined[1][v] = true;
        length_um += away;
        capillaries.push((a, v));
    }
    // Those that make nothing but a fourth way at a tip come late.
    rest.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then((a.2, a.3).cmp(&(b.2, b.3))));
    for (_, away, a, v) in rest {
        if length_um + 0.5 * away > target_um {
            continue;
        }
        length_um += away;
        capillaries.push((a, v));
    }
    Layout {
        trees,
        capillaries,
        length_um,
    }
}

/// Where the artery (0) or the vein (1) comes in, and where it begins to branch.
fn trunk(ground: &Ground, wanted: &Wanted, spacing: f32, side: usize) -> [Vec3; 2] {
    let (low, high) = (ground.block.min_um, ground.block.max_um());
    let size = high - low;
    let mut root = 0.5 * (low + high);
    // Aside of each other, so that one sees both.
    let across = (wanted.axis + 1) % 3;
    root[across] += size[across] * if side == 0 { -0.14 } else { 0.14 };
    root[wanted.axis] = if side == 0 {
        low[wanted.axis]
    } else {
        high[wanted.axis]
    };
    let mut trunk = root;
    let long = (0.4 * spacing).min(0.2 * size[wanted.axis]);
    trunk[wanted.axis] += if side == 0 { long } else { -long };
    [root, trunk]
}

/// Tips with whose they are, 0 for arteries and 1 for veins.
fn tips(ground: &Ground, wanted: &Wanted, spacing: f32, random: &mut Random) -> Vec<(Vec3, usize)> {
    let (low, high) = (ground.block.min_um, ground.block.max_um());
    let size = high - low;
    // No more than there may be, however dense.
    let least = bevy::math::ops::cbrt(size.element_product() / MOST_TIPS as f32);
    let spacing = spacing.max(least);
    let counts = (size / spacing).round().max(Vec3::ONE).as_uvec3();
    let step = size / counts.as_vec3();
    let mut tips = Vec::new();
    for z in 0..counts.z {
        for y in 0..counts.y {
            for x in 0..counts.x {
                let stray = Vec3::new(random.uniform(), random.uniform(), random.uniform()) - 0.5;
                let at = Vec3::new(x as f32, y as f32, z as f32) + 0.5 + 2.0 * STRAY * stray;
                let at = low + at * step;
                if at.length() >= wanted.outside_um || wanted.outside_um <= 0.0 {
                    tips.push((at, ((x + y + z) % 2) as usize));
                }
            }
        }
    }
    tips
}

/// Adds a layout to a network.
fn add(
    growth: &mut Growth,
    ports: &Ports,
    wanted: &Wanted,
    layout: &Layout,
) -> Result<(), NetworkError> {
    let mut nodes: [Vec<Option<NodeId>>; 2] = [Vec::new(), Vec::new()];
    for (side, tree) in layout.trees.iter().enumerate() {
        let (kind, wider, port) = if side == 0 {
            (VesselKind::Artery, 1.0, ports.artery())
        } else {
            (VesselKind::Vein, VEINS_WIDER, ports.vein())
        };
        let radii = tree.radii(wanted.capillary_um * wider);
        for (at, place) in tree.places.iter().enumerate() {
            // A trunk without tips is none.
            let used = radii[at] > 0.0;
            let port = (at == 0).then_some(port);
            nodes[side].push(if used {
                Some(growth.add_node(*place, port)?)
            } else {
                None
            });
        }
        for at in 1..tree.places.len() {
            let (Some(from), Some(to)) = (nodes[side][tree.parents[at]], nodes[side][at]) else {
                continue;
            };
            // Blood flows down the one and up the other.
            let (from, to) = if side == 0 { (from, to) } else { (to, from) };
            growth.add_segment(NewSegment {
                from,
                to,
                kind,
                radius_um: radii[at],
                length_um: None,
                maturity: ports.maturity,
                sprout: Sprouts::NONE,
            })?;
        }
    }
    for (a, v) in &layout.capillaries {
        if let (Some(from), Some(to)) = (nodes[0][*a], nodes[1][*v]) {
            growth.add_segment(NewSegment {
                from,
                to,
                kind: VesselKind::Capillary,
                radius_um: wanted.capillary_um,
                length_um: None,
                maturity: ports.maturity,
                sprout: Sprouts::NONE,
            })?;
        }
    }
    Ok(())
}
