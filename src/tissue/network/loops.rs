//! Which segments of a network lie on loops.

use super::Network;

/// The number of the block of each segment: two of them are in one block where a loop runs through both (Tarjan's biconnected components). Ports count
/// as joined with each other, for the body joins them.
pub fn blocks(network: &Network) -> Vec<u32> {
    const NONE: u32 = u32::MAX;
    let nodes = network.nodes().len();
    let ports: Vec<u32> = (0..nodes as u32)
        .filter(|node| network.nodes()[*node as usize].port.is_some())
        .collect();
    // The body is one more node, with an edge to each port.
    let body = nodes as u32;
    let segments = network.segments().len();
    let mut port_of = vec![NONE; nodes];
    for (number, node) in ports.iter().enumerate() {
        port_of[*node as usize] = (segments + number) as u32;
    }
    let edges_at = |node: u32| -> Vec<(u32, u32)> {
        if node == body {
            let all = ports.iter().enumerate();
            return all
                .map(|(number, port)| (*port, (segments + number) as u32))
                .collect();
        }
        let around = network.around(node as usize).iter();
        let mut found: Vec<(u32, u32)> = around
            .map(|at| {
                let [from, to] = network.ends()[*at as usize];
                (if from == node { to } else { from }, *at)
            })
            .collect();
        if port_of[node as usize] != NONE {
            found.push((body, port_of[node as usize]));
        }
        found
    };
    let mut block = vec![NONE; segments + ports.len()];
    let mut depth = vec![NONE; nodes + 1];
    let mut low = vec![0_u32; nodes + 1];
    let mut pending: Vec<u32> = Vec::new();
    let mut next_block = 0;
    for root in (0..=body).rev() {
        if depth[root as usize] != NONE {
            continue;
        }
        depth[root as usize] = 0;
        // Node, the edge by which it was reached, its edges, and how many of them are done.
        let mut stack = vec![(root, NONE, edges_at(root), 0_usize)];
        while let Some((node, by, edges, done)) = stack.last_mut() {
            let (node, by) = (*node, *by);
            let Some((other, edge)) = edges.get(*done).copied() else {
                stack.pop();
                let Some((parent, ..)) = stack.last() else {
                    continue;
                };
                let parent = *parent as usize;
                low[parent] = low[parent].min(low[node as usize]);
                if low[node as usize] >= depth[parent] {
                    // What was reached since is a block.
                    while let Some(edge) = pending.pop() {
                        block[edge as usize] = next_block;
                        if edge == by {
                            break;
                        }
                    }
                    next_block += 1;
                }
                continue;
            };
            *done += 1;
            if edge == by {
                continue;
            }
            let here = depth[node as usize];
            if depth[other as usize] == NONE {
                depth[other as usize] = here + 1;
                low[other as usize] = here + 1;
                pending.push(edge);
                stack.push((other, edge, edges_at(other), 0));
            } else if depth[other as usize] < here {
                pending.push(edge);
                low[node as usize] = low[node as usize].min(depth[other as usize]);
            }
        }
    }
    block.truncate(segments);
    block
}
