//! Networks that are drawn node by node, and what can be wrong with them.

use super::description::{DrawnNode, DrawnSegment};

/// Which of the two lists a fault is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The nodes.
    Nodes,
    /// The segments.
    Segments,
}

/// A fault of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The list it is in.
    pub which: Which,
    /// Its place in that list.
    pub at: usize,
    /// The column it is in.
    pub column: &'static str,
    /// What is wrong.
    pub message: String,
}

/// Everything that is wrong with a network: nodes of one number or without a segment, segments that name no node, lead from a node to itself, or
/// join what is joined already, and radii that are none.
pub fn faults(nodes: &[DrawnNode], segments: &[DrawnSegment]) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut wrong = |which, at, column, message: String| {
        found.push(Fault {
            which,
            at,
            column,
            message,
        });
    };
    let mut by_id: Vec<(u32, usize)> = nodes.iter().map(|node| node.id).zip(0..).collect();
    by_id.sort_unstable();
    for pair in by_id.windows(2) {
        if pair[0].0 == pair[1].0 {
            let message = format!("there are two nodes `{}`", pair[1].0);
            wrong(Which::Nodes, pair[1].1, "id", message);
        }
    }
    let place = |id: u32| {
        let at = by_id.partition_point(|(known, _)| *known < id);
        let (known, place) = *by_id.get(at)?;
        (known == id).then_some(place)
    };
    let mut degree = vec![0_u32; nodes.len()];
    let mut pairs = Vec::new();
    for (at, segment) in segments.iter().enumerate() {
        if !(segment.radius_um.is_finite() && segment.radius_um > 0.0) {
            let message = format!("a radius is above 0, found {}", segment.radius_um);
            wrong(Which::Segments, at, "radius_um", message);
        }
        let ends = [("from", segment.from), ("to", segment.to)];
        let places = ends.map(|(column, id)| {
            let place = place(id);
            match place {
                Some(place) => degree[place] += 1,
                None => wrong(
                    Which::Segments,
                    at,
                    column,
                    format!("there is no node `{id}`"),
                ),
            }
            place
        });
        let [Some(from), Some(to)] = places else {
            continue;
        };
        if from == to {
            let message = format!("a segment leads from node `{}` to itself", segment.from);
            wrong(Which::Segments, at, "to", message);
            continue;
        }
        if nodes[from].at_um == nodes[to].at_um {
            let message = format!(
                "nodes `{}` and `{}` are in the same place, so the segment has no length",
                segment.from, segment.to
            );
            wrong(Which::Segments, at, "to", message);
        }
        pairs.push(([from.min(to), from.max(to)], at));
    }
    pairs.sort_unstable();
    for pair in pairs.windows(2) {
        if pair[0].0 == pair[1].0 {
            let [from, to] = pair[0].0.map(|node| nodes[node].id);
            let message = format!("nodes `{from}` and `{to}` are joined already");
            wrong(Which::Segments, pair[1].1, "to", message);
        }
    }
    for (at, node) in nodes.iter().enumerate() {
        if degree[at] == 0 {
            let message = format!("node `{}` has no segment", node.id);
            wrong(Which::Nodes, at, "id", message);
        }
    }
    found
}
