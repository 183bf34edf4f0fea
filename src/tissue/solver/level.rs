//! One level of the multigrid hierarchy: its operator, unknowns and right-hand side.
//!
//! The equation of a voxel is `(stencil + rate) c - sum(coupling * neighbour) = rhs`, per volume
//! (1/min and c/min). Couplings are products of three [`Axis`] tables where the diffusivity is uniform
//! and nothing flows, and six arrays per colour otherwise. Held voxels have a zero `inverse`: their
//! unknown is zero and their value enters through the right-hand sides of their neighbours.

use std::sync::Arc;

use super::axis::Axis;
use super::layout::{Layout, Transfer};

/// Couplings of a level.
#[derive(Clone, Debug)]
pub(super) enum Operator {
    /// Uniform diffusivity (um2/min) without flow.
    Uniform(f32),
    /// Any diffusivity and flow: per colour the six couplings (lower x, upper x, lower y, ...) and
    /// the diagonal they sum to, 1/min, all of them over `scale`. Solvers whose media differ in that factor
    /// alone share them.
    General {
        couplings: Arc<[Couplings; 2]>,
        scale: f32,
    },
}

/// Couplings of the voxels of one colour, 1/min over the operator's scale.
#[derive(Clone, Debug, Default)]
pub(super) struct Couplings {
    pub to: [Vec<f32>; 6],
    pub diagonal: Vec<f32>,
}

/// One saturating uptake, by colour; finest level only.
#[derive(Clone, Debug)]
pub(super) struct Uptake {
    /// Largest uptake, c/min; 0 for held voxels and empty places.
    pub vmax: [Vec<f32>; 2],
    /// Concentration of half-maximal uptake, c.
    pub half_saturation: f32,
}

/// Weights along `x` between a row of one parity of `i` and its coarse row; 0 at places without a voxel.
#[derive(Clone, Debug, Default)]
pub(super) struct Weights {
    /// Share of the voxel in its coarse cell.
    pub share: Vec<f32>,
    /// Interpolation weight of the own coarse cell.
    pub own: Vec<f32>,
    /// Interpolation weight of the coarse cell beside it.
    pub beside: Vec<f32>,
}

/// One level.
#[derive(Clone, Debug)]
pub(super) struct Level {
    pub layout: Layout,
    pub axes: [Axis; 3],
    pub operator: Operator,
    /// Lower coupling, upper coupling and diagonal of the `x` axis by parity of `i`, over
    /// diffusivity. A place without a voxel has no couplings and an infinite diagonal.
    pub x_couplings: [[Vec<f32>; 3]; 2],
    /// Weights along `x` by parity of `i`.
    pub weights: [Weights; 2],
    /// Unknowns by colour: concentrations on the finest level, corrections below.
    pub c: [Vec<f32>; 2],
    /// Right-hand sides by colour, c/min.
    pub rhs: [Vec<f32>; 2],
    /// Reciprocal of the diagonal by colour, min; 0 for held voxels and empty places. On the finest level
    /// of a problem with saturating uptake the diagonal itself, 1/min, without the uptake; infinite there.
    pub inverse: [Vec<f32>; 2],
    /// Rate at which diffusion and flow even out the voxels that are one cell of the coarser level, 1/min.
    pub mixing_rate: f32,
    /// Saturating uptakes; empty where there are none, and on all coarse levels.
    pub uptakes: Vec<Uptake>,
    /// Exchange buffer with the finer level (unused on the finest).
    pub transfer: Transfer,
    pub buffer: Vec<f32>,
    /// Coarse levels: loss to held voxels that the level does not resolve, 1/min, by colour; a
    /// voxel that is wholly held has an infinite loss. Empty where nothing is held.
    pub sink: [Vec<f32>; 2],
}

impl Level {
    pub fn new(axes: [Axis; 3], x_coarsened_above: bool, is_finest: bool) -> Self {
        let layout = Layout::new([axes[0].len(), axes[1].len(), axes[2].len()]);
        let transfer = Transfer::new(&layout, x_coarsened_above);
        let pair = || [vec![0.0; layout.len()], vec![0.0; layout.len()]];
        Self {
            layout,
            axes,
            operator: Operator::Uniform(0.0),
            x_couplings: Default::default(),
            weights: Default::default(),
            c: pair(),
            rhs: pair(),
            inverse: pair(),
            mixing_rate: 0.0,
            uptakes: Vec::new(),
            transfer,
            buffer: vec![0.0; if is_finest { 0 } else { transfer.len() }],
            sink: [Vec::new(), Vec::new()],
        }
    }

    /// Sorts couplings and weights along `x` by parity, after the axis was fitted to its end conditions.
    pub fn sort_x_couplings(&mut self) {
        let x = &self.axes[0];
        let run = self.layout.run;
        self.x_couplings = [0, 1].map(|offset| {
            let pick = |from: &[f32], absent: f32| {
                (0..run)
                    .map(|m| from.get(2 * m + offset).copied().unwrap_or(absent))
                    .collect()
            };
            [
                pick(&x.lower, 0.0),
                pick(&x.upper, 0.0),
                pick(&x.diagonal, f32::INFINITY),
            ]
        });
        self.weights = [0, 1].map(|offset| {
            let pick = |from: Option<&[f32]>, alone: f32| {
                (0..run)
                    .map(|m| 2 * m + offset)
                    .map(|i| match from {
                        Some(weights) => weights.get(i).copied().unwrap_or(0.0),
                        None if i < x.len() => alone,
                        None => 0.0,
                    })
                    .collect()
            };
            let joined = x.coarsening.as_ref();
            Weights {
                share: pick(joined.map(|c| c.share.as_slice()), 1.0),
                own: pick(joined.map(|c| c.own.as_slice()), 1.0),
                beside: pick(joined.map(|c| c.beside.as_slice()), 0.0),
            }
        });
    }

    /// Which axes the next level coarsens.
    pub fn coarsened(&self) -> [bool; 3] {
        [0, 1, 2].map(|a| self.axes[a].coarsening.is_some())
    }

    /// Bytes held by this level.
    pub fn bytes(&self) -> usize {
        let pairs = [&self.c, &self.rhs, &self.inverse, &self.sink];
        let mut floats: usize = pairs.iter().flat_map(|p| p.iter()).map(Vec::len).sum();
        floats += self.buffer.len();
        floats += self
            .uptakes
            .iter()
            .flat_map(|u| &u.vmax)
            .map(Vec::len)
            .sum::<usize>();
        if let Operator::General { couplings, .. } = &self.operator {
            for colour in couplings.iter() {
                floats += colour.diagonal.len() + colour.to.iter().map(Vec::len).sum::<usize>();
            }
        }
        floats * size_of::<f32>()
    }
}

/// Axes coarsened next: those that are not yet wide. Joining only cells that are closely coupled
/// (semi-coarsening) keeps a point smoother good on flat and long voxels.
pub(super) fn axes_to_coarsen(axes: &[Axis; 3]) -> [bool; 3] {
    /// An axis waits while its cells are this much wider than the narrowest that can be joined.
    const WIDE: f64 = 1.5;
    let narrowest = axes
        .iter()
        .filter(|axis| axis.len() > 1)
        .map(Axis::widest)
        .fold(f64::INFINITY, f64::min);
    [0, 1, 2].map(|a| axes[a].len() > 1 && axes[a].widest() < WIDE * narrowest)
}
