//! One axis of one multigrid level: cell widths, couplings, and the way to the next coarser level.
//!
//! Coarsening joins cells in pairs; an odd last cell goes on alone with its own width. All
//! geometry of the solver is a product of three such axes.

use super::medium::FaceCondition;

/// One axis of one level.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// Cell widths, um.
    pub widths: Vec<f64>,
    /// Coupling to the lower neighbour over diffusivity, 1/um2; 0 for the first cell.
    pub lower: Vec<f32>,
    /// Coupling to the upper neighbour over diffusivity, 1/um2; 0 for the last cell.
    pub upper: Vec<f32>,
    /// Sum of both couplings and of the coupling to a held face, 1/um2.
    pub diagonal: Vec<f32>,
    /// Whether all couplings inside are equal.
    pub uniform: bool,
    /// The way to the coarser level, if this axis is coarsened there.
    pub coarsening: Option<Coarsening>,
}

/// Weights between a fine axis and its coarser one. Fine cell `i` belongs to coarse cell `i / 2`.
#[derive(Clone, Debug)]
pub(super) struct Coarsening {
    /// Share of the fine cell in the width of its coarse cell.
    pub share: Vec<f32>,
    /// Interpolation weight of the own coarse cell.
    pub own: Vec<f32>,
    /// Interpolation weight of the coarse neighbour on the fine cell's side (lower for even `i`).
    pub beside: Vec<f32>,
}

impl Axis {
    pub fn new(widths: Vec<f64>) -> Self {
        Self {
            lower: vec![0.0; widths.len()],
            upper: vec![0.0; widths.len()],
            diagonal: vec![0.0; widths.len()],
            uniform: true,
            coarsening: None,
            widths,
        }
    }

    pub fn len(&self) -> usize {
        self.widths.len()
    }

    /// Largest cell width, um: what decides whether the axis is coarsened.
    pub fn widest(&self) -> f64 {
        self.widths.iter().copied().fold(0.0, f64::max)
    }

    /// Distance between the centres of cells `i - 1` and `i`, um.
    pub fn distance(&self, i: usize) -> f64 {
        0.5 * (self.widths[i - 1] + self.widths[i])
    }

    /// The axis with its cells joined in pairs.
    pub fn coarser(&self) -> Self {
        Self::new(
            self.widths
                .chunks(2)
                .map(|pair| pair.iter().sum())
                .collect(),
        )
    }

    /// Fits couplings and weights to the conditions at both ends.
    pub fn fit(&mut self, ends: [FaceCondition; 2], coarsen: bool) {
        let n = self.len();
        let held = ends.map(|end| matches!(end, FaceCondition::Held(_)));
        for i in 0..n {
            let h = self.widths[i];
            let lower = if i > 0 {
                1.0 / (h * self.distance(i))
            } else {
                0.0
            };
            let upper = if i + 1 < n {
                1.0 / (h * self.distance(i + 1))
            } else {
                0.0
            };
            let mut diagonal = lower + upper;
            if i == 0 && held[0] {
                diagonal += 2.0 / (h * h);
            }
            if i + 1 == n && held[1] {
                diagonal += 2.0 / (h * h);
            }
            self.lower[i] = lower as f32;
            self.upper[i] = upper as f32;
            self.diagonal[i] = diagonal as f32;
        }
        self.uniform = self.widths.iter().all(|h| *h == self.widths[0]);
        self.coarsening = coarsen.then(|| self.weights(held));
    }

    fn weights(&self, held: [bool; 2]) -> Coarsening {
        let n = self.len();
        let coarse = self.coarser();
        let last = coarse.len() - 1;
        let mut weights = Coarsening {
            share: vec![0.0; n],
            own: vec![1.0; n],
            beside: vec![0.0; n],
        };
        for i in 0..n {
            let parent = i / 2;
            let wide = coarse.widths[parent];
            weights.share[i] = (self.widths[i] / wide) as f32;
            // Distance of the fine centre from the coarse one; 0 for a cell that goes on alone.
            let away = 0.5 * (wide - self.widths[i]);
            if away == 0.0 {
                continue;
            }
            let upper = i % 2 == 1;
            let at_end = if upper { parent == last } else { parent == 0 };
            let beside = if at_end {
                let end_held = held[usize::from(upper)];
                if end_held {
                    weights.own[i] = (1.0 - away / (0.5 * wide)) as f32;
                }
                0.0
            } else {
                let reach = coarse.distance(if upper { parent + 1 } else { parent });
                away / reach
            };
            weights.beside[i] = beside as f32;
            if !at_end {
                weights.own[i] = (1.0 - beside) as f32;
            }
        }
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_profiles_are_interpolated_exactly_inside() {
        let mut axis = Axis::new(vec![20.0; 11]);
        axis.fit([FaceCondition::Closed; 2], true);
        let mut coarse = axis.coarser();
        coarse.fit([FaceCondition::Closed; 2], true);
        // Second coarsening too, where widths are unlike.
        for axis in [axis, coarse] {
            let coarse = axis.coarser();
            let centres = |axis: &Axis| {
                let mut x = 0.0;
                axis.widths
                    .iter()
                    .map(|h| {
                        x += h;
                        x - 0.5 * h
                    })
                    .collect::<Vec<f64>>()
            };
            let (fine, wide) = (centres(&axis), centres(&coarse));
            let weights = axis.coarsening.as_ref().expect("asked for");
            for i in 1..fine.len() - 1 {
                let beside = if i % 2 == 1 {
                    i / 2 + 1
                } else {
                    (i / 2).wrapping_sub(1)
                };
                let neighbour = wide.get(beside).copied().unwrap_or(0.0);
                let value = f64::from(weights.own[i]) * wide[i / 2]
                    + f64::from(weights.beside[i]) * neighbour;
                if weights.beside[i] > 0.0 {
                    assert!((value - fine[i]).abs() < 1e-3, "{i}: {value} {}", fine[i]);
                }
            }
        }
    }

    #[test]
    fn shares_of_a_coarse_cell_add_to_one() {
        let mut axis = Axis::new(vec![3.0, 3.0, 3.0, 3.0, 1.0]);
        axis.fit([FaceCondition::Held(1.0), FaceCondition::Closed], true);
        let weights = axis.coarsening.expect("asked for");
        assert_eq!(weights.share, [0.5, 0.5, 0.5, 0.5, 1.0]);
        assert_eq!(weights.own[0], 0.5, "half-way to a held face");
    }
}
