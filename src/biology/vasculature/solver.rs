//! Pressures in a network of conductances: what flows into a node flows out of it.
//!
//! Nodes where at most two segments meet are eliminated exactly, again and again: dead ends, and the many nodes along one vessel. The rest is
//! solved by conjugate gradients, preconditioned by an incomplete Cholesky factor of the same pattern, from the pressures of the last time.
//! Everything is summed in one fixed order on one thread, so that the bits do not depend on how many there are.

/// In place of an index: none.
const NONE: u32 = u32::MAX;

/// Most rounds of conjugate gradients, and how often these begin anew.
const MOST_ROUNDS: usize = 20_000;
const MOST_RESTARTS: usize = 6;

/// Imbalance of a node, over all that flows through the network, at which pressures are good.
const TOLERANCE: f64 = 1.0e-11;

/// A node that is eliminated: one or two neighbours, and the edges to them.
#[derive(Clone, Copy, Debug)]
struct Elimination {
    node: u32,
    neighbours: [u32; 2],
    edges: [u32; 2],
    /// The edge between the neighbours on which it acts; none where there is one neighbour, or both are held.
    between: u32,
}

/// How a network is solved; it follows from which nodes its segments join and which of them are held.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The edge that each segment is part of; none where both ends are held, or nothing holds the pressure.
    edge_of: Vec<u32>,
    /// Whether a pressure is held somewhere in the part of the network that a node is in.
    pub is_fed: Vec<bool>,
    edges: usize,
    eliminations: Vec<Elimination>,
    /// The nodes that are left, in their order.
    core: Vec<u32>,
    /// For each of them where its edges begin in `columns`; one more.
    first: Vec<u32>,
    /// Node at the other end of each edge: its place in `core`, or none where it is held.
    columns: Vec<u32>,
    /// Number of that node.
    others: Vec<u32>,
    /// Number of that edge.
    slots: Vec<u32>,
    /// For each of the core where its row of the factor begins in `lower`; one more.
    first_lower: Vec<u32>,
    /// Places in `columns` that are below the diagonal, row by row, by their column.
    lower: Vec<u32>,
    // What is filled in each solve.
    weight: Vec<f64>,
    source: Vec<f64>,
    diagonal: Vec<f64>,
    factor: Vec<f64>,
    factor_diagonal: Vec<f64>,
    x: Vec<f64>,
    r: Vec<f64>,
    z: Vec<f64>,
    p: Vec<f64>,
    ap: Vec<f64>,
    /// Rounds of the last solve.
    pub rounds: usize,
}

impl Plan {
    /// The plan of a network: the nodes at both ends of each segment, and which nodes are held at a pressure.
    pub fn of(ends: &[[u32; 2]], is_held: &[bool]) -> Self {
        let nodes = is_held.len();
        let mut plan = Self {
            is_fed: fed(ends, is_held),
            ..Self::default()
        };
        // Edges: one for each pair of nodes that segments join.
        let mut pairs: Vec<([u32; 2], u32)> = Vec::with_capacity(ends.len());
        for (segment, [a, b]) in ends.iter().enumerate() {
            let both_held = is_held[*a as usize] && is_held[*b as usize];
            if plan.is_fed[*a as usize] && !both_held && a != b {
                pairs.push(([*a.min(b), *a.max(b)], segment as u32));
            }
        }
        pairs.sort_unstable();
        plan.edge_of = vec![NONE; ends.len()];
        let mut around: Vec<Vec<(u32, u32)>> = vec![Vec::new(); nodes];
        let mut last = None;
        for (pair, segment) in pairs {
            if last != Some(pair) {
                last = Some(pair);
                let [a, b] = pair;
                around[a as usize].push((b, plan.edges as u32));
                around[b as usize].push((a, plan.edges as u32));
                plan.edges += 1;
            }
            plan.edge_of[segment as usize] = plan.edges as u32 - 1;
        }
        plan.eliminate(&mut around, is_held);
        plan.lay_out_core(&around, is_held);
        plan
    }

    /// Finds which nodes are eliminated, in which order.
    fn eliminate(&mut self, around: &mut [Vec<(u32, u32)>], is_held: &[bool]) {
        let nodes = is_held.len() as u32;
        let mut is_gone = vec![false; is_held.len()];
        let can = |node: u32, around: &[Vec<(u32, u32)>]| {
            let degree = around[node as usize].len();
            !is_held[node as usize] && (1..=2).contains(&degree)
        };
        let mut queue: std::collections::VecDeque<u32> =
            (0..nodes).filter(|node| can(*node, around)).collect();
        while let Some(node) = queue.pop_front() {
            if is_gone[node as usize] || !can(node, around) {
                continue;
            }
            is_gone[node as usize] = true;
            let mine = std::mem::take(&mut around[node as usize]);
            for (other, _) in &mine {
                around[*other as usize].retain(|(back, _)| *back != node);
            }
            let (a, first) = mine[0];
            let (b, second) = mine.get(1).copied().unwrap_or((NONE, NONE));
            let mut between = NONE;
            if b != NONE && !(is_held[a as usize] && is_held[b as usize]) {
                let known = around[a as usize].iter().find(|(other, _)| *other == b);
                between = match known {
                    Some((_, edge)) => *edge,
                    None => {
                        let edge = self.edges as u32;
                        self.edges += 1;
                        around[a as usize].push((b, edge));
                        around[b as usize].push((a, edge));
                        edge
                    }
                };
            }
            self.eliminations.push(Elimination {
                node,
                neighbours: [a, b],
                edges: [first, second],
                between,
            });
            for other in [a, b] {
                if other != NONE && can(other, around) {
                    queue.push_back(other);
                }
            }
        }
        self.core = (0..nodes)
            .filter(|node| {
                let at = *node as usize;
                !is_gone[at] && !is_held[at] && self.is_fed[at] && !around[at].is_empty()
            })
            .collect();
    }

    /// Lays out what is left as rows.
    fn lay_out_core(&mut self, around: &[Vec<(u32, u32)>], is_held: &[bool]) {
        let mut place = vec![NONE; is_held.len()];
        for (at, node) in self.core.iter().enumerate() {
            place[*node as usize] = at as u32;
        }
        self.first.push(0);
        self.first_lower.push(0);
        for (row, node) in self.core.iter().enumerate() {
            let mut mine: Vec<(u32, u32, u32)> = around[*node as usize]
                .iter()
                .map(|(other, edge)| (place[*other as usize], *other, *edge))
                .collect();
            mine.sort_unstable();
            for (column, other, edge) in mine {
                if (column as usize) < row {
                    self.lower.push(self.columns.len() as u32);
                }
                self.columns.push(column);
                self.others.push(other);
                self.slots.push(edge);
            }
            self.first.push(self.columns.len() as u32);
            self.first_lower.push(self.lower.len() as u32);
        }
    }

    /// Solves for the pressures: those of held nodes stand in `pressure`, the others there are where it begins. `inflow` is what enters each node
    /// from outside. Nodes of parts in which nothing is held are left as they are.
    pub fn solve(&mut self, conductance: &[f64], inflow: &[f64], pressure: &mut [f64]) {
        self.weight.clear();
        self.weight.resize(self.edges, 0.0);
        for (edge, conductance) in self.edge_of.iter().zip(conductance) {
            if *edge != NONE {
                self.weight[*edge as usize] += conductance;
            }
        }
        self.source.clear();
        self.source.extend_from_slice(inflow);
        for step in &self.eliminations {
            let own = self.source[step.node as usize];
            let [a, b] = step.neighbours;
            if b == NONE {
                self.source[a as usize] += own;
                continue;
            }
            let [first, second] = step.edges.map(|edge| self.weight[edge as usize]);
            let sum = first + second;
            self.source[a as usize] += own * (first / sum);
            self.source[b as usize] += own * (second / sum);
            if step.between != NONE {
                self.weight[step.between as usize] += first * (second / sum);
            }
        }
        self.solve_core(pressure);
        for step in self.eliminations.iter().rev() {
            let own = self.source[step.node as usize];
            let [a, b] = step.neighbours;
            let first = self.weight[step.edges[0] as usize];
            pressure[step.node as usize] = if b == NONE {
                pressure[a as usize] + own / first
            } else {
                let second = self.weight[step.edges[1] as usize];
                let sum = first + second;
                let carried = first * pressure[a as usize] + second * pressure[b as usize];
                (carried + own) / sum
            };
        }
    }

    /// Solves what is left by conjugate gradients.
    fn solve_core(&mut self, pressure: &mut [f64]) {
        let rows = self.core.len();
        self.rounds = 0;
        if rows == 0 {
            return;
        }
        self.diagonal.clear();
        for row in 0..rows {
            let (from, to) = (self.first[row] as usize, self.first[row + 1] as usize);
            let sum: f64 = self.slots[from..to]
                .iter()
                .map(|edge| self.weight[*edge as usize])
                .sum();
            self.diagonal.push(sum);
        }
        self.fill_factor();
        for list in [
            &mut self.x,
            &mut self.r,
            &mut self.z,
            &mut self.p,
            &mut self.ap,
        ] {
            list.resize(rows, 0.0);
        }
        for (x, node) in self.x.iter_mut().zip(&self.core) {
            *x = pressure[*node as usize];
        }
        // What flows through is known better after a solve than before, and what is left over exactly.
        for _ in 0..MOST_RESTARTS {
            let good = self.leave(pressure);
            if largest(&self.r) <= good {
                break;
            }
            self.conjugate_gradients(good);
        }
        for (x, node) in self.x.iter().zip(&self.core) {
            pressure[*node as usize] = *x;
        }
    }

    /// Finds what is left over at each node, `r`, and how much may be.
    fn leave(&mut self, pressure: &[f64]) -> f64 {
        let mut through = 0.0;
        let mut rounding = 0.0_f64;
        for row in 0..self.core.len() {
            let own = self.source[self.core[row] as usize];
            let held_back = self.diagonal[row] * self.x[row];
            let mut r = own - held_back;
            for at in self.first[row] as usize..self.first[row + 1] as usize {
                let weight = self.weight[self.slots[at] as usize];
                let column = self.columns[at];
                let other = if column == NONE {
                    let held = pressure[self.others[at] as usize];
                    through += weight * (held - self.x[row]).abs();
                    held
                } else {
                    self.x[column as usize]
                };
                r += weight * other;
            }
            through += own.abs();
            rounding = rounding.max(held_back.abs());
            self.r[row] = r;
        }
        // Of what flows through, most enters and leaves again.
        (TOLERANCE * 0.5 * through).max(4.0 * f64::EPSILON * rounding)
    }

    /// Goes on from `x` and what is left over until that is good.
    fn conjugate_gradients(&mut self, good: f64) {
        let rows = self.core.len();
        self.precondition();
        self.p.copy_from_slice(&self.z);
        let mut rz: f64 = self.r.iter().zip(&self.z).map(|(r, z)| r * z).sum();
        while self.rounds < MOST_ROUNDS && largest(&self.r) > good && rz > 0.0 {
            self.rounds += 1;
            for row in 0..rows {
                let mut sum = self.diagonal[row] * self.p[row];
                for at in self.first[row] as usize..self.first[row + 1] as usize {
                    let column = self.columns[at];
                    if column != NONE {
                        sum -= self.weight[self.slots[at] as usize] * self.p[column as usize];
                    }
                }
                self.ap[row] = sum;
            }
            let curvature: f64 = self.p.iter().zip(&self.ap).map(|(p, ap)| p * ap).sum();
            if curvature <= 0.0 {
                break;
            }
            let alpha = rz / curvature;
            for row in 0..rows {
                self.x[row] += alpha * self.p[row];
                self.r[row] -= alpha * self.ap[row];
            }
            self.precondition();
            let next: f64 = self.r.iter().zip(&self.z).map(|(r, z)| r * z).sum();
            let beta = next / rz;
            rz = next;
            for row in 0..rows {
                self.p[row] = self.z[row] + beta * self.p[row];
            }
        }
    }

    /// The incomplete factor: only where there are edges.
    fn fill_factor(&mut self) {
        let rows = self.core.len();
        self.factor.resize(self.lower.len(), 0.0);
        self.factor_diagonal.resize(rows, 0.0);
        let column = |at: u32| self.columns[at as usize];
        for row in 0..rows {
            let mine = self.first_lower[row] as usize..self.first_lower[row + 1] as usize;
            let mut rest = self.diagonal[row];
            for at in mine.clone() {
                let other = column(self.lower[at]) as usize;
                let mut value = -self.weight[self.slots[self.lower[at] as usize] as usize];
                // The columns that both rows have.
                let mut left = mine.start;
                let mut right = self.first_lower[other] as usize;
                let end = self.first_lower[other + 1] as usize;
                while left < at && right < end {
                    let (a, b) = (column(self.lower[left]), column(self.lower[right]));
                    match a.cmp(&b) {
                        std::cmp::Ordering::Less => left += 1,
                        std::cmp::Ordering::Greater => right += 1,
                        std::cmp::Ordering::Equal => {
                            value -= self.factor[left] * self.factor[right];
                            left += 1;
                            right += 1;
                        }
                    }
                }
                value /= self.factor_diagonal[other];
                self.factor[at] = value;
                rest -= value * value;
            }
            // Positive for the matrix of a network (Meijerink and van der Vorst 1977); rounding may say otherwise.
            let least = self.diagonal[row] * 1.0e-12;
            self.factor_diagonal[row] = rest.max(least).max(f64::MIN_POSITIVE).sqrt();
        }
    }

    /// `z` from `r` with the factor.
    fn precondition(&mut self) {
        let rows = self.core.len();
        for row in 0..rows {
            let mut sum = self.r[row];
            for at in self.first_lower[row] as usize..self.first_lower[row + 1] as usize {
                let other = self.columns[self.lower[at] as usize] as usize;
                sum -= self.factor[at] * self.z[other];
            }
            self.z[row] = sum / self.factor_diagonal[row];
        }
        for row in (0..rows).rev() {
            let value = self.z[row] / self.factor_diagonal[row];
            self.z[row] = value;
            for at in self.first_lower[row] as usize..self.first_lower[row + 1] as usize {
                let other = self.columns[self.lower[at] as usize] as usize;
                self.z[other] -= self.factor[at] * value;
            }
        }
    }
}

/// The largest of some numbers, whatever their sign.
fn largest(r: &[f64]) -> f64 {
    r.iter().fold(0.0_f64, |most, r| most.max(r.abs()))
}

/// Which nodes are in a part of the network in which a pressure is held.
fn fed(ends: &[[u32; 2]], is_held: &[bool]) -> Vec<bool> {
    let mut root: Vec<u32> = (0..is_held.len() as u32).collect();
    fn find(root: &mut [u32], mut node: u32) -> u32 {
        while root[node as usize] != node {
            root[node as usize] = root[root[node as usize] as usize];
            node = root[node as usize];
        }
        node
    }
    for [a, b] in ends {
        let (a, b) = (find(&mut root, *a), find(&mut root, *b));
        root[a.max(b) as usize] = a.min(b);
    }
    let mut is_fed = vec![false; is_held.len()];
    for node in 0..is_held.len() as u32 {
        if is_held[node as usize] {
            is_fed[find(&mut root, node) as usize] = true;
        }
    }
    let found = (0..is_held.len() as u32).map(|node| is_fed[find(&mut root, node) as usize]);
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest imbalance of a node over the largest flow.
    fn residual(
        ends: &[[u32; 2]],
        conductance: &[f64],
        inflow: &[f64],
        is_held: &[bool],
        pressure: &[f64],
    ) -> f64 {
        let mut balance = inflow.to_vec();
        let mut most = 0.0_f64;
        for ([a, b], g) in ends.iter().zip(conductance) {
            let flow = g * (pressure[*a as usize] - pressure[*b as usize]);
            balance[*a as usize] -= flow;
            balance[*b as usize] += flow;
            most = most.max(flow.abs());
        }
        let inner = balance.iter().zip(is_held).filter(|(_, held)| !**held);
        inner.fold(0.0_f64, |worst, (balance, _)| worst.max(balance.abs())) / most
    }

    #[test]
    fn pressures_of_a_ladder_are_those_worked_out_by_hand() {
        // Two ways of two unit conductances from 10 to 0, a rung of conductance 5 between their middles, and a dead end.
        let ends = [[0, 1], [1, 3], [0, 2], [2, 3], [1, 2], [2, 4]];
        let conductance = [1.0, 2.0, 1.0, 1.0, 5.0, 3.0];
        let is_held = [true, false, false, true, false];
        let mut pressure = [10.0, 0.0, 0.0, 0.0, 0.0];
        let inflow = [0.0; 5];
        let mut plan = Plan::of(&ends, &is_held);
        plan.solve(&conductance, &inflow, &mut pressure);
        // 8 p1 - 5 p2 = 10, -5 p1 + 7 p2 = 10.
        let expected = [120.0 / 31.0, 130.0 / 31.0];
        assert!((pressure[1] - expected[0]).abs() < 1e-12, "{pressure:?}");
        assert!((pressure[2] - expected[1]).abs() < 1e-12, "{pressure:?}");
        assert!((pressure[4] - pressure[2]).abs() < 1e-12, "{pressure:?}");
        assert!(
            plan.rounds <= 2,
            "two nodes are left when the dead end is gone"
        );
    }

    #[test]
    fn every_node_of_a_lattice_is_in_balance() {
        let n = 14_u32;
        let index = |x: u32, y: u32, z: u32| x + n * (y + n * z);
        let mut ends = Vec::new();
        for z in 0..n {
            for y in 0..n {
                for x in 0..n {
                    for (i, j, k) in [(1, 0, 0), (0, 1, 0), (0, 0, 1)] {
                        if x + i < n && y + j < n && z + k < n {
                            ends.push([index(x, y, z), index(x + i, y + j, z + k)]);
                        }
                    }
                }
            }
        }
        let nodes = (n * n * n) as usize;
        let is_held: Vec<bool> = (0..nodes as u32)
            .map(|node| node % n == 0 || node % n == n - 1)
            .collect();
        // Conductances over five orders of magnitude.
        let conductance: Vec<f64> = (0..ends.len() as u32)
            .map(|k| {
                let draw = f64::from(k.wrapping_mul(2_654_435_761) >> 8) / f64::from(1 << 24);
                10.0_f64.powf(5.0 * draw)
            })
            .collect();
        let mut pressure: Vec<f64> = (0..nodes as u32)
            .map(|node| if node % n == 0 { 35.0 } else { 15.0 })
            .collect();
        let mut inflow = vec![0.0; nodes];
        inflow[index(5, 5, 5) as usize] = 1.0e4;
        let mut plan = Plan::of(&ends, &is_held);
        let begin = std::time::Instant::now();
        plan.solve(&conductance, &inflow, &mut pressure);
        let cold = (plan.rounds, begin.elapsed());
        let found = residual(&ends, &conductance, &inflow, &is_held, &pressure);
        assert!(found < 1e-9, "{found}");
        let begin = std::time::Instant::now();
        let before = pressure.clone();
        plan.solve(&conductance, &inflow, &mut pressure);
        let warm = (plan.rounds, begin.elapsed());
        println!("{} segments: cold {cold:?}, warm {warm:?}", ends.len());
        assert!(warm.0 <= 3, "{warm:?}");
        for (a, b) in before.iter().zip(&pressure) {
            assert!((a - b).abs() < 1e-8);
        }
    }

    #[test]
    fn parts_in_which_nothing_is_held_are_left_alone() {
        let ends = [[0, 1], [1, 2], [3, 4], [4, 5], [5, 3]];
        let is_held = [true, false, true, false, false, false];
        let mut pressure = [4.0, 0.0, 2.0, 7.0, 7.0, 7.0];
        let mut plan = Plan::of(&ends, &is_held);
        plan.solve(&[1.0; 5], &[0.0; 6], &mut pressure);
        assert_eq!(pressure, [4.0, 3.0, 2.0, 7.0, 7.0, 7.0]);
        assert_eq!(plan.is_fed, [true, true, true, false, false, false]);
    }
}
