//! The vessels of a site: nodes, and segments between them, as arrays.
//!
//! Nodes and segments have serial numbers of their own ([`NodeId`], [`SegmentId`]) that are never given twice. The arrays are in their
//! order, so that an index found by number is good until the network is changed. A network changes its shape in [`Network::change`]
//! alone, which then works out what follows from the shape: which segments meet in a node, and which voxels each crosses over which length.
//! Radii, flow and all that is not shape can be written at any time.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::state::Kept;
use crate::tissue::TissueBlock;

pub mod crossings;
mod growth;
pub mod loops;
pub mod sprouts;

pub use crossings::{Crossing, Crossings};
pub use growth::{Growth, NetworkError, NewSegment};
pub use loops::blocks;
pub use sprouts::{Sprout, Sprouts};

/// Serial number of a node, in its site.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct NodeId(pub u32);

/// Serial number of a segment, in its site.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SegmentId(pub u32);

/// To which side of the circulation a vessel belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Reflect)]
pub enum VesselKind {
    /// Brings blood.
    Artery,
    /// Where blood and tissue exchange.
    #[default]
    Capillary,
    /// Takes blood away.
    Vein,
}

impl VesselKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Artery, Self::Capillary, Self::Vein];

    /// As written in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Artery => "artery",
            Self::Capillary => "capillary",
            Self::Vein => "vein",
        }
    }
}

/// What is held where a network ends at the rest of the body.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Held {
    /// The pressure, mmHg.
    Pressure(f64),
    /// What flows in, um3/min; out where it is negative.
    Inflow(f64),
}

/// Where a network goes on in the rest of the body.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Port {
    /// Whether it is an artery's or a vein's; blood comes from arteries and leaves by veins.
    pub side: VesselKind,
    /// What is held there.
    pub held: Held,
    /// Haematocrit of what flows in, 0-1.
    pub haematocrit: f32,
}

/// A point of the network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its number.
    pub id: NodeId,
    /// Where it is, um.
    pub at_um: Vec3,
    /// What joins it to the rest of the body; inner nodes have none.
    pub port: Option<Port>,
    /// Pressure of the blood, mmHg, as the last solve left it.
    pub pressure_mmhg: f64,
}

/// A piece of vessel between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Its number.
    pub id: SegmentId,
    /// Number of the node where it begins; flow from here to the other end counts as positive.
    pub from: NodeId,
    /// Number of the node where it ends.
    pub to: NodeId,
    /// To which side of the circulation it belongs.
    pub kind: VesselKind,
    /// Radius of its lumen where nothing presses on it, um.
    pub rest_radius_um: f32,
    /// That with which it was placed or sprouted, um.
    pub first_radius_um: f32,
    /// What it must be stimulated by to keep its width, if it has shown that; else what is usual.
    pub own_tendency: Option<f32>,
    /// Radius of its lumen as it is, um: the smaller the more it is pressed together.
    pub radius_um: f32,
    /// Its length along its windings, um; at least the distance of its nodes.
    pub length_um: f32,
    /// How far pericytes cover its wall, 0-1.
    pub maturity: f32,
    /// By how much its wall leaks more than that of a normal vessel by itself; 1 is normal.
    pub own_permeability: f32,
    /// By how much it does as it is: what rules made of its own.
    pub permeability: f32,
    /// How much its wall bears for leukocytes to hold on to, over a normal one.
    pub adhesion: f32,
    /// What presses on it from outside, mmHg, above the interstitial pressure.
    pub compression_mmhg: f32,
    /// Flow of blood, um3/min; positive towards `to`.
    pub flow_um3_per_min: f64,
    /// Discharge haematocrit of the blood in it, 0-1.
    pub haematocrit: f32,
    /// Shear stress at its wall, Pa.
    pub shear_pa: f32,
    /// Whether it lies on a way from an artery's port to a vein's along which blood flows.
    pub perfused: bool,
    /// Number of the sprout that it belongs to; [`Sprouts::NONE`] for one that was there from the start.
    pub sprout: u32,
    /// How far its lumen has opened, 0-1: a sprout is a solid cord at first.
    pub lumen: f32,
}

impl Segment {
    /// Inner surface, um2.
    pub fn surface_um2(&self) -> f32 {
        std::f32::consts::TAU * self.radius_um * self.length_um
    }

    /// Radius of its lumen where what presses on it leaves it this share of that at rest, um: narrow as long as it has not opened.
    pub fn open_radius_um(&self, share: f32) -> f32 {
        self.rest_radius_um * share * self.lumen.max(SOLID_SHARE)
    }

    /// Radius by which it is drawn, um: a cord without a lumen is half as wide as the vessel that it becomes.
    pub fn drawn_radius_um(&self) -> f32 {
        if self.is_solid() {
            self.radius_um.max(0.5 * self.rest_radius_um)
        } else {
            self.radius_um
        }
    }

    /// Whether it has no open lumen yet.
    pub const fn is_solid(&self) -> bool {
        self.lumen < 1.0
    }

    /// Volume of its lumen, um3.
    pub fn volume_um3(&self) -> f32 {
        std::f32::consts::PI * self.radius_um * self.radius_um * self.length_um
    }

    /// Mean velocity of its blood, um/s; positive towards `to`.
    pub fn velocity_um_per_s(&self) -> f64 {
        let area = std::f64::consts::PI * f64::from(self.radius_um) * f64::from(self.radius_um);
        self.flow_um3_per_min / (60.0 * area)
    }
}

/// Radius of a cord that has not opened, as a share of that of its lumen: no red cell passes, and next to no plasma. Assumed.
pub const SOLID_SHARE: f32 = 0.2;

/// What segments of blood vessels are called as elements of a site.
pub const BLOOD_SEGMENT: &str = "vessel segment";

/// What segments of lymphatics are called as elements of a site.
pub const LYMPH_SEGMENT: &str = "lymph segment";

/// When networks change their shape, within `Transport`.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NetworkSystems {
    /// Vessels are added and split; those that there were keep their places in the array.
    Extend,
    /// Vessels are taken away.
    Withdraw,
}

/// The vessels of a site; a component of the site.
#[derive(Component, Clone, Debug)]
pub struct Network {
    shape: NetworkState,
    block: TissueBlock,
    /// Index of the node at either end of each segment.
    ends: Vec<[u32; 2]>,
    /// For each node where its segments begin in `around`; one more.
    first: Vec<u32>,
    /// Indices of the segments that meet in each node, node by node.
    around: Vec<u32>,
    crossings: Crossings,
    /// Counts the changes of shape, for who keeps something that follows from it.
    version: u64,
}

/// What of a network is state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetworkState {
    nodes: Vec<Node>,
    segments: Vec<Segment>,
    next_node: u32,
    next_segment: u32,
    /// The step up to which it is known what became of it.
    lived_until: Option<u64>,
    /// Segments that were taken back so far.
    pruned: u64,
    /// What is known of its sprouts.
    sprouts: Sprouts,
}

impl Kept for Network {
    type State = NetworkState;

    fn keep(&self) -> NetworkState {
        self.shape.clone()
    }

    fn restore(&mut self, state: NetworkState) -> Result<(), String> {
        self.shape = state;
        if let Some(found) = self.wrong_shape() {
            return Err(found);
        }
        self.work_out();
        self.version += 1;
        Ok(())
    }
}

impl Network {
    /// A block of tissue without vessels.
    pub fn empty(block: &TissueBlock) -> Self {
        Self {
            shape: NetworkState::default(),
            block: block.clone(),
            ends: Vec::new(),
            first: vec![0],
            around: Vec::new(),
            crossings: Crossings::default(),
            version: 0,
        }
    }

    /// The nodes, in the order of their numbers.
    pub fn nodes(&self) -> &[Node] {
        &self.shape.nodes
    }

    /// The segments, in the order of their numbers.
    pub fn segments(&self) -> &[Segment] {
        &self.shape.segments
    }

    /// The step up to which it is known what became of its vessels; none before the first time.
    pub const fn lived_until(&self) -> Option<u64> {
        self.shape.lived_until
    }

    pub(crate) const fn live_until(&mut self, step: u64) {
        self.shape.lived_until = Some(step);
    }

    /// Segments that were taken back so far.
    pub const fn pruned(&self) -> u64 {
        self.shape.pruned
    }

    pub(crate) const fn count_pruned(&mut self, segments: u64) {
        self.shape.pruned += segments;
    }

    /// What is known of its sprouts.
    pub const fn sprouts(&self) -> &Sprouts {
        &self.shape.sprouts
    }

    pub(crate) const fn sprouts_mut(&mut self) -> &mut Sprouts {
        &mut self.shape.sprouts
    }

    /// The segments, to write what is not shape: not their ends, numbers and lengths.
    pub(crate) fn segments_mut(&mut self) -> &mut [Segment] {
        &mut self.shape.segments
    }

    /// Nodes and segments, to write what is not shape, beside what follows from the shape.
    pub(crate) fn parts_mut(&mut self) -> (&mut [Node], &mut [Segment], &[[u32; 2]]) {
        (&mut self.shape.nodes, &mut self.shape.segments, &self.ends)
    }

    /// Where the node of that number stands in the array.
    pub fn node_index(&self, id: NodeId) -> Option<usize> {
        let nodes = &self.shape.nodes;
        nodes.binary_search_by_key(&id, |node| node.id).ok()
    }

    /// Where the segment of that number stands in the array.
    pub fn segment_index(&self, id: SegmentId) -> Option<usize> {
        let segments = &self.shape.segments;
        segments
            .binary_search_by_key(&id, |segment| segment.id)
            .ok()
    }

    /// Indices of the nodes at both ends of each segment, `from` and `to`.
    pub fn ends(&self) -> &[[u32; 2]] {
        &self.ends
    }

    /// Where both ends of the segment at an index lie, um.
    pub fn places_um(&self, segment: usize) -> [Vec3; 2] {
        self.ends[segment].map(|node| self.shape.nodes[node as usize].at_um)
    }

    /// Pressure at both ends of the segment at an index, mmHg.
    pub fn pressures_mmhg(&self, segment: usize) -> [f64; 2] {
        self.ends[segment].map(|node| self.shape.nodes[node as usize].pressure_mmhg)
    }

    /// Indices of the segments that meet in the node at an index, in their order.
    pub fn around(&self, node: usize) -> &[u32] {
        &self.around[self.first[node] as usize..self.first[node + 1] as usize]
    }

    /// Whether a segment joins two nodes.
    pub fn are_joined(&self, a: NodeId, b: NodeId) -> bool {
        self.node_index(a).is_some_and(|node| {
            self.around(node).iter().any(|at| {
                let of = &self.shape.segments[*at as usize];
                [(a, b), (b, a)].contains(&(of.from, of.to))
            })
        })
    }

    /// Which voxels of the site the segments cross.
    pub const fn crossings(&self) -> &Crossings {
        &self.crossings
    }

    /// The mean along the segment at an index of a number of voxels; none for one that crosses none.
    pub fn mean_along(&self, segment: usize, of_voxel: impl Fn(u32) -> f32) -> Option<f32> {
        let (mut sum, mut length) = (0.0, 0.0);
        for piece in self.crossings.of_segment(segment) {
            sum += piece.length_um * of_voxel(piece.voxel);
            length += piece.length_um;
        }
        (length > 0.0).then(|| sum / length)
    }

    /// The tissue it lies in.
    pub const fn block(&self) -> &TissueBlock {
        &self.block
    }

    /// How often its shape has changed since it was set up or read.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Whether there are no vessels.
    pub fn is_empty(&self) -> bool {
        self.shape.segments.is_empty()
    }

    /// Indices of the segments whose axis comes nearer to a place than so far, um, in their order; into a list that is cleared before.
    pub fn segments_near(&self, at_um: Vec3, within_um: f32, found: &mut Vec<u32>) {
        found.clear();
        let block = &self.block;
        let voxel = |point: Vec3| {
            let at = ((point - block.min_um) / block.voxel_um).floor();
            at.clamp(Vec3::ZERO, (block.dims - UVec3::ONE).as_vec3())
                .as_uvec3()
        };
        let (low, high) = (voxel(at_um - within_um), voxel(at_um + within_um));
        let crossed = self.crossings.voxels();
        for z in low.z..=high.z {
            for y in low.y..=high.y {
                let row = block.dims.x * (y + block.dims.y * z);
                let begin = crossed.partition_point(|voxel| *voxel < row + low.x);
                let end = crossed.partition_point(|voxel| *voxel <= row + high.x);
                for place in begin..end {
                    found.extend(self.crossings.in_voxel(place).map(|piece| piece.segment));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|segment| self.nearest_on(*segment as usize, at_um).1 < within_um);
    }

    /// Of the axis of the segment at an index the place that is nearest to a point, as a share of its way, and how far away that is, um.
    pub fn nearest_on(&self, segment: usize, point_um: Vec3) -> (f32, f32) {
        let [from, to] = self.places_um(segment);
        let way = to - from;
        let share =
            ((point_um - from).dot(way) / way.length_squared().max(1.0e-12)).clamp(0.0, 1.0);
        (share, point_um.distance(from + way * share))
    }

    /// Length of all vessels over the volume of the block, mm/mm3; only of those for which `counts` says so.
    pub fn density_mm_per_mm3(&self, counts: impl Fn(&Segment) -> bool) -> f64 {
        let lengths = self.shape.segments.iter().filter(|of| counts(of));
        let um: f64 = lengths.map(|of| f64::from(of.length_um)).sum();
        let um3 = self.block.voxels() as f64 * f64::from(self.block.voxel_volume_um3());
        // um/um3 to mm/mm3.
        um / um3 * 1.0e6
    }

    /// Changes the shape: what `change` does is done when it returns, and what follows from the shape worked out.
    pub fn change<R>(&mut self, change: impl FnOnce(&mut Growth) -> R) -> R {
        let mut growth = Growth::of(&mut self.shape);
        let result = change(&mut growth);
        let changed = growth.finish();
        if changed {
            self.work_out();
            self.version += 1;
        }
        result
    }

    /// Finds what follows from the shape.
    fn work_out(&mut self) {
        let index = |id: NodeId| {
            let nodes = &self.shape.nodes;
            // Checked where the shape is changed and read.
            nodes.partition_point(|node| node.id < id) as u32
        };
        self.ends.clear();
        let segments = self.shape.segments.iter();
        self.ends
            .extend(segments.map(|segment| [index(segment.from), index(segment.to)]));
        self.first.clear();
        self.first.resize(self.shape.nodes.len() + 1, 0);
        for ends in &self.ends {
            for node in ends {
                self.first[*node as usize + 1] += 1;
            }
        }
        for node in 1..self.first.len() {
            self.first[node] += self.first[node - 1];
        }
        let mut next = self.first.clone();
        self.around.clear();
        self.around.resize(2 * self.ends.len(), 0);
        for (segment, ends) in self.ends.iter().enumerate() {
            for node in ends {
                let place = &mut next[*node as usize];
                self.around[*place as usize] = segment as u32;
                *place += 1;
            }
        }
        let places = self.ends.iter().zip(&self.shape.segments);
        let places = places.map(|(ends, segment)| {
            let [from, to] = ends.map(|node| self.shape.nodes[node as usize].at_um);
            (from, to, segment.length_um)
        });
        self.crossings.work_out(&self.block, places);
    }

    /// What is wrong with the shape, in words.
    pub fn wrong_shape(&self) -> Option<String> {
        let NetworkState {
            nodes,
            segments,
            next_node,
            next_segment,
            ..
        } = &self.shape;
        if !nodes.is_sorted_by(|a, b| a.id < b.id) || !segments.is_sorted_by(|a, b| a.id < b.id) {
            return Some("nodes and segments are not in the order of their numbers".into());
        }
        if nodes.last().is_some_and(|last| last.id.0 >= *next_node)
            || segments
                .last()
                .is_some_and(|last| last.id.0 >= *next_segment)
        {
            return Some("a number would be given twice".into());
        }
        let mut degree = vec![0_u32; nodes.len()];
        for segment in segments {
            for end in [segment.from, segment.to] {
                match nodes.binary_search_by_key(&end, |node| node.id) {
                    Ok(at) => degree[at] += 1,
                    Err(_) => {
                        return Some(format!(
                            "segment number {} ends in node number {}, which is none",
                            segment.id.0, end.0
                        ));
                    }
                }
            }
            if segment.from == segment.to {
                return Some(format!(
                    "segment number {} leads from a node to itself",
                    segment.id.0
                ));
            }
        }
        let orphan = degree.iter().position(|degree| *degree == 0)?;
        Some(format!("node number {} has no segment", nodes[orphan].id.0))
    }
}
