//! How the shape of a network is changed: nodes and segments added, split and removed.

use std::collections::BTreeSet;

use bevy::prelude::*;
use thiserror::Error;

use super::{
    Held, NetworkState, Node, NodeId, Port, SOLID_SHARE, Segment, SegmentId, Sprouts, VesselKind,
};

/// A segment that is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NewSegment {
    /// The node where it begins.
    pub from: NodeId,
    /// The node where it ends.
    pub to: NodeId,
    /// To which side of the circulation it belongs.
    pub kind: VesselKind,
    /// Radius of its lumen, um.
    pub radius_um: f32,
    /// Its length, um; the distance of its nodes where it is none, or shorter than that.
    pub length_um: Option<f32>,
    /// How far pericytes cover its wall, 0-1.
    pub maturity: f32,
    /// The sprout that it belongs to, whose cords are solid at first; [`Sprouts::NONE`](super::Sprouts::NONE) for a vessel that is open.
    pub sprout: u32,
}

/// Why a network cannot be changed so.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum NetworkError {
    /// There is no node of that number.
    #[error("there is no node number {}", .0.0)]
    NoNode(NodeId),
    /// There is no segment of that number.
    #[error("there is no segment number {}", .0.0)]
    NoSegment(SegmentId),
    /// It would lead from a node to itself.
    #[error("a segment would lead from node number {} to itself", .0.0)]
    Loop(NodeId),
    /// Its ends are in the same place.
    #[error("a segment from node number {} to node number {} would have no length", .from.0, .to.0)]
    NoLength {
        /// One end.
        from: NodeId,
        /// The other.
        to: NodeId,
    },
    /// Its radius is no length.
    #[error("a segment cannot have a radius of {0} um")]
    Radius(f32),
    /// A place is none.
    #[error("a node cannot lie at {0} um")]
    Place(Vec3),
    /// A segment is split in itself, at a share that lies between 0 and 1.
    #[error("a segment is split at a share between 0 and 1, not at {0}")]
    Share(f32),
}

/// A change of the shape of a network, while it is made.
pub struct Growth<'a> {
    shape: &'a mut NetworkState,
    /// Numbers of segments that are to go when it is done.
    gone: BTreeSet<SegmentId>,
    changed: bool,
}

impl<'a> Growth<'a> {
    /// One that is about to begin.
    pub(crate) const fn of(shape: &'a mut NetworkState) -> Self {
        Self {
            shape,
            gone: BTreeSet::new(),
            changed: false,
        }
    }

    fn node(&self, id: NodeId) -> Result<&Node, NetworkError> {
        let nodes = &self.shape.nodes;
        let found = nodes.binary_search_by_key(&id, |node| node.id);
        found
            .map(|at| &nodes[at])
            .map_err(|_| NetworkError::NoNode(id))
    }

    fn segment_at(&self, id: SegmentId) -> Result<usize, NetworkError> {
        if self.gone.contains(&id) {
            return Err(NetworkError::NoSegment(id));
        }
        let segments = &self.shape.segments;
        let found = segments.binary_search_by_key(&id, |segment| segment.id);
        found.map_err(|_| NetworkError::NoSegment(id))
    }

    /// The segment of that number as it is by now.
    ///
    /// # Errors
    /// When there is none.
    pub fn segment(&self, id: SegmentId) -> Result<&Segment, NetworkError> {
        Ok(&self.shape.segments[self.segment_at(id)?])
    }

    /// Adds a node. One to which no segment leads by the end of the change is not kept.
    ///
    /// # Errors
    /// When the place is none.
    pub fn add_node(&mut self, at_um: Vec3, port: Option<Port>) -> Result<NodeId, NetworkError> {
        if !at_um.is_finite() {
            return Err(NetworkError::Place(at_um));
        }
        let id = NodeId(self.shape.next_node);
        self.shape.next_node += 1;
        let held = port.and_then(|port| match port.held {
            Held::Pressure(mmhg) => Some(mmhg),
            Held::Inflow(_) => None,
        });
        self.shape.nodes.push(Node {
            id,
            at_um,
            port,
            pressure_mmhg: held.unwrap_or(0.0),
        });
        self.changed = true;
        Ok(id)
    }

    /// Adds a segment between two nodes.
    ///
    /// # Errors
    /// When a node does not exist, both are the same or in the same place, or the radius is none. That two nodes are joined
    /// only once is for the caller to see to: [`Network::are_joined`](super::Network::are_joined).
    pub fn add_segment(&mut self, new: NewSegment) -> Result<SegmentId, NetworkError> {
        let NewSegment { from, to, .. } = new;
        if from == to {
            return Err(NetworkError::Loop(from));
        }
        let (a, b) = (*self.node(from)?, *self.node(to)?);
        let distance = a.at_um.distance(b.at_um);
        if distance <= 0.0 {
            return Err(NetworkError::NoLength { from, to });
        }
        if !(new.radius_um.is_finite() && new.radius_um > 0.0) {
            return Err(NetworkError::Radius(new.radius_um));
        }
        let id = SegmentId(self.shape.next_segment);
        self.shape.next_segment += 1;
        let lumen = if new.sprout == Sprouts::NONE {
            1.0_f32
        } else {
            0.0
        };
        self.shape.segments.push(Segment {
            id,
            from,
            to,
            kind: new.kind,
            rest_radius_um: new.radius_um,
            first_radius_um: new.radius_um,
            own_tendency: None,
            radius_um: new.radius_um * lumen.max(SOLID_SHARE),
            length_um: new
                .length_um
                .map_or(distance, |length| length.max(distance)),
            maturity: new.maturity.clamp(0.0, 1.0),
            own_permeability: 1.0,
            permeability: 1.0,
            adhesion: 1.0,
            compression_mmhg: 0.0,
            flow_um3_per_min: 0.0,
            haematocrit: 0.0,
            shear_pa: 0.0,
            perfused: false,
            sprout: new.sprout,
            lumen,
        });
        self.changed = true;
        Ok(id)
    }

    /// Puts a node into a segment, at a share of the way from its beginning. The segment keeps its number up to there; a new one, with all
    /// that it has, goes on to its end.
    ///
    /// # Errors
    /// When there is no such segment, or the share is not between 0 and 1.
    pub fn split_segment(&mut self, id: SegmentId, share: f32) -> Result<NodeId, NetworkError> {
        let at = self.segment_at(id)?;
        if !(share > 0.0 && share < 1.0) {
            return Err(NetworkError::Share(share));
        }
        let old = self.shape.segments[at];
        let (from, to) = (*self.node(old.from)?, *self.node(old.to)?);
        let place = from.at_um.lerp(to.at_um, share);
        if place == from.at_um || place == to.at_um {
            return Err(NetworkError::Share(share));
        }
        let middle = self.add_node(place, None)?;
        if let Some(node) = self.shape.nodes.last_mut() {
            let span = to.pressure_mmhg - from.pressure_mmhg;
            node.pressure_mmhg = from.pressure_mmhg + span * f64::from(share);
        }
        let second = SegmentId(self.shape.next_segment);
        self.shape.next_segment += 1;
        let first = &mut self.shape.segments[at];
        first.to = middle;
        first.length_um = old.length_um * share;
        self.shape.segments.push(Segment {
            id: second,
            from: middle,
            length_um: old.length_um * (1.0 - share),
            ..old
        });
        Ok(middle)
    }

    /// Removes a segment, and at the end of the change nodes that have none left.
    ///
    /// # Errors
    /// When there is no such segment.
    pub fn remove_segment(&mut self, id: SegmentId) -> Result<(), NetworkError> {
        self.segment_at(id)?;
        self.gone.insert(id);
        self.changed = true;
        Ok(())
    }

    /// Carries out removals; whether anything changed.
    pub(super) fn finish(self) -> bool {
        let Self {
            shape,
            gone,
            changed,
        } = self;
        if !changed {
            return false;
        }
        shape.segments.retain(|segment| !gone.contains(&segment.id));
        let mut used: Vec<NodeId> = shape
            .segments
            .iter()
            .flat_map(|segment| [segment.from, segment.to])
            .collect();
        used.sort_unstable();
        shape
            .nodes
            .retain(|node| used.binary_search(&node.id).is_ok());
        true
    }
}
