//! Puts the vessels that a scene describes into a network.

use bevy::prelude::*;

use super::description::{DrawnNode, DrawnSegment, VesselDescription, VesselPlace};
use super::network::{
    Growth, Held, Network, NetworkError, NewSegment, NodeId, Port, Sprouts, VesselKind,
};
use super::organs::OrganVessels;
use super::tree;
use crate::core::CellId;
use crate::core::random::{Purpose, RandomKey};
use crate::tissue::TissueBlock;

/// Where vessels are put.
pub const PLACEMENT: Purpose = Purpose::of("vasculature.placement");

/// What vessels are put into.
pub(super) struct Ground<'a> {
    pub block: &'a TissueBlock,
    /// Number of the site, and of the description in it: no two share random numbers.
    pub number: u64,
    pub key: RandomKey,
}

/// What a description says, and the tissue where it says nothing.
pub(super) struct Ports {
    artery: Held,
    vein: Held,
    haematocrit: f32,
    pub maturity: f32,
    pub permeability: f32,
}

impl Ports {
    fn of(description: &VesselDescription, organ: &OrganVessels) -> Self {
        let artery_mmhg = description.artery_mmhg.unwrap_or(organ.artery_mmhg);
        let vein_mmhg = description.vein_mmhg.unwrap_or(organ.vein_mmhg);
        Self {
            artery: match description.artery_um3_per_min {
                Some(inflow) => Held::Inflow(f64::from(inflow)),
                None => Held::Pressure(f64::from(artery_mmhg)),
            },
            vein: Held::Pressure(f64::from(vein_mmhg)),
            haematocrit: description.haematocrit.unwrap_or(organ.haematocrit),
            maturity: description.maturity.unwrap_or(organ.maturity),
            permeability: organ.permeability,
        }
    }

    /// Where an artery enters.
    pub fn artery(&self) -> Port {
        Port {
            side: VesselKind::Artery,
            held: self.artery,
            haematocrit: self.haematocrit,
        }
    }

    /// Where a vein leaves.
    pub fn vein(&self) -> Port {
        Port {
            side: VesselKind::Vein,
            held: self.vein,
            haematocrit: self.haematocrit,
        }
    }
}

/// Puts what a description says into a network.
///
/// # Errors
/// When it says what cannot be.
pub(super) fn place(
    network: &mut Network,
    description: &VesselDescription,
    ground: &Ground,
) -> Result<(), NetworkError> {
    let organ = description.like.vessels();
    let ports = Ports::of(description, organ);
    let before = network.segments().last().map(|last| last.id);
    network.change(|growth| match &description.place {
        VesselPlace::Parent {
            from_um,
            to_um,
            radius_um,
            kind,
            piece_um,
        } => {
            let ends = [Vec3::from(*from_um), Vec3::from(*to_um)];
            parent(growth, &ports, ends, *radius_um, *kind, *piece_um)
        }
        VesselPlace::Grid {
            spacing_um,
            along,
            radius_um,
            jitter,
        } => {
            let radius = radius_um.unwrap_or(organ.capillary_radius_um);
            grid(
                growth,
                &ports,
                ground,
                (*spacing_um, along.axis(), radius, *jitter),
            )
        }
        VesselPlace::Tree {
            density_mm_per_mm3,
            along,
            radius_um,
            outside_um,
        } => {
            let wanted = tree::Wanted {
                density_mm_per_mm3: density_mm_per_mm3.unwrap_or(organ.density_mm_per_mm3),
                axis: along.axis(),
                capillary_um: radius_um.unwrap_or(organ.capillary_radius_um),
                outside_um: *outside_um,
            };
            tree::grow(growth, &ports, ground, &wanted)
        }
        // A file has been read into what is drawn by now.
        VesselPlace::Csv { .. } => Ok(()),
        VesselPlace::Drawn { nodes, segments } => drawn(growth, &ports, nodes, segments),
    })?;
    for segment in network.segments_mut() {
        if before.is_none_or(|before| segment.id > before) {
            segment.own_permeability = ports.permeability;
            segment.permeability = ports.permeability;
            segment.haematocrit = ports.haematocrit;
        }
    }
    Ok(())
}

/// One vessel.
fn parent(
    growth: &mut Growth,
    ports: &Ports,
    [from, to]: [Vec3; 2],
    radius_um: f32,
    kind: VesselKind,
    piece_um: f32,
) -> Result<(), NetworkError> {
    let pieces = (from.distance(to) / piece_um).round().max(1.0) as u32;
    let mut last = growth.add_node(from, Some(ports.artery()))?;
    for piece in 1..=pieces {
        let at = from.lerp(to, piece as f32 / pieces as f32);
        let port = (piece == pieces).then(|| ports.vein());
        let next = growth.add_node(at, port)?;
        growth.add_segment(NewSegment {
            from: last,
            to: next,
            kind,
            radius_um,
            length_um: None,
            maturity: ports.maturity,
            sprout: Sprouts::NONE,
        })?;
        last = next;
    }
    Ok(())
}

/// Capillaries along the edges of a lattice.
fn grid(
    growth: &mut Growth,
    ports: &Ports,
    ground: &Ground,
    (spacing_um, axis, radius_um, jitter): (f32, usize, f32, f32),
) -> Result<(), NetworkError> {
    let block = ground.block;
    let size = block.max_um() - block.min_um;
    // Planes of nodes from face to face along the way of the blood; across it half a spacing off the faces.
    let mut counts = [0_u32; 3];
    for (number, count) in counts.iter_mut().enumerate() {
        let fit = (size[number] / spacing_um).round().max(1.0) as u32;
        *count = if number == axis { fit + 1 } else { fit };
    }
    let mut random = ground.key.stream(CellId(ground.number), 0, PLACEMENT);
    let mut nodes = Vec::with_capacity((counts[0] * counts[1] * counts[2]) as usize);
    for z in 0..counts[2] {
        for y in 0..counts[1] {
            for x in 0..counts[0] {
                let place = [x, y, z];
                let mut at = Vec3::ZERO;
                for number in 0..3 {
                    let step = size[number]
                        / if number == axis {
                            (counts[number] - 1) as f32
                        } else {
                            counts[number] as f32
                        };
                    let off = if number == axis { 0.0 } else { 0.5 };
                    // Drawn on faces too, so that what a node takes does not hang on how many are there.
                    let aside = (random.uniform() - 0.5) * 2.0 * jitter;
                    let is_face = number == axis
                        && (place[number] == 0 || place[number] == counts[number] - 1);
                    let aside = if is_face { 0.0 } else { aside };
                    at[number] = block.min_um[number] + (place[number] as f32 + off + aside) * step;
                }
                let port = match place[axis] {
                    0 => Some(ports.artery()),
                    last if last == counts[axis] - 1 => Some(ports.vein()),
                    _ => None,
                };
                let at = block.nearest_inside(at);
                nodes.push(growth.add_node(at, port)?);
            }
        }
    }
    let index =
        |place: [u32; 3]| (place[0] + counts[0] * (place[1] + counts[1] * place[2])) as usize;
    for z in 0..counts[2] {
        for y in 0..counts[1] {
            for x in 0..counts[0] {
                let here = [x, y, z];
                let is_face = here[axis] == 0 || here[axis] == counts[axis] - 1;
                for number in 0..3 {
                    let mut next = here;
                    next[number] += 1;
                    // Both ends of an edge within a face are held.
                    if next[number] == counts[number] || (is_face && number != axis) {
                        continue;
                    }
                    growth.add_segment(NewSegment {
                        from: nodes[index(here)],
                        to: nodes[index(next)],
                        kind: VesselKind::Capillary,
                        radius_um,
                        length_um: None,
                        maturity: ports.maturity,
                        sprout: Sprouts::NONE,
                    })?;
                }
            }
        }
    }
    Ok(())
}

/// What is drawn node by node.
fn drawn(
    growth: &mut Growth,
    ports: &Ports,
    nodes: &[DrawnNode],
    segments: &[DrawnSegment],
) -> Result<(), NetworkError> {
    let mut known: Vec<(u32, NodeId)> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let port = node.port.map(|side| {
            let mut port = match side {
                VesselKind::Vein => ports.vein(),
                VesselKind::Artery | VesselKind::Capillary => Port {
                    side,
                    ..ports.artery()
                },
            };
            if let Some(mmhg) = node.mmhg {
                port.held = Held::Pressure(f64::from(mmhg));
            }
            if let Some(inflow) = node.um3_per_min {
                port.held = Held::Inflow(f64::from(inflow));
            }
            port.haematocrit = node.haematocrit.unwrap_or(port.haematocrit);
            port
        });
        known.push((node.id, growth.add_node(node.at_um.into(), port)?));
    }
    known.sort_unstable();
    let number = |id: u32| {
        let at = known.binary_search_by_key(&id, |(known, _)| *known);
        at.map(|at| known[at].1)
            .map_err(|_| NetworkError::NoNode(NodeId(id)))
    };
    for segment in segments {
        growth.add_segment(NewSegment {
            from: number(segment.from)?,
            to: number(segment.to)?,
            kind: segment.kind,
            radius_um: segment.radius_um,
            length_um: segment.length_um,
            maturity: segment.maturity.unwrap_or(ports.maturity),
            sprout: Sprouts::NONE,
        })?;
    }
    Ok(())
}
