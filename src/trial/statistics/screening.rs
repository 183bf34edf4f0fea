//! Which of many parameters matter: the elementary effects of Morris (1991, Technometrics 33:161).
//!
//! Parameters are scaled to 0-1 and take one of four levels. A *path* begins at a random point and changes one parameter after
//! the other, each once, by two thirds; what a step changes, divided by its length, is an elementary effect. Of the effects of
//! a parameter on all paths, `mu*` is the mean of their sizes (Campolongo et al. 2007, Environ Model Softw 22:1509): how much
//! it matters; `sigma` their standard deviation: how much that hinges on the others.

use super::{below, deviation, mean, shuffled};
use crate::core::CellId;
use crate::core::random::{Purpose, RandomKey};

/// What paths are drawn by.
const PATHS: Purpose = Purpose::of("trial.statistics.screening");
/// Levels of a parameter.
const LEVELS: usize = 4;
/// Length of a step, `p / (2 (p - 1))` for `p` levels: with it all levels are equally likely.
pub const STEP: f64 = 2.0 / 3.0;

/// A path through the cube of all parameters: its points, and which parameter each step changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// One point more than there are parameters; each value in 0-1.
    pub points: Vec<Vec<f64>>,
    /// The parameter that the step from each point to the next changes.
    pub changed: Vec<usize>,
}

/// The path of that number; the same seed gives the same.
pub fn path(parameters: usize, seed: u64, number: u64) -> Path {
    let mut random = RandomKey(seed).stream(CellId(number), 0, PATHS);
    let start: Vec<f64> = (0..parameters)
        .map(|_| below(&mut random, LEVELS) as f64 / (LEVELS - 1) as f64)
        .collect();
    let changed = shuffled(&mut random, parameters);
    let mut points = vec![start];
    for parameter in &changed {
        let mut next = points[points.len() - 1].clone();
        let value = next[*parameter];
        next[*parameter] = if value + STEP <= 1.0 + 1e-9 {
            (value + STEP).min(1.0)
        } else {
            value - STEP
        };
        points.push(next);
    }
    Path { points, changed }
}

/// How much a parameter matters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// Mean of its elementary effects, for its whole range.
    pub mu: f64,
    /// Mean of their sizes.
    pub mu_star: f64,
    /// Their standard deviation.
    pub sigma: f64,
}

/// The effect of each parameter, from what was found at the points of each path. Steps at whose ends nothing was found are
/// left out.
pub fn effects(parameters: usize, paths: &[(Path, Vec<f64>)]) -> Vec<Effect> {
    let mut of = vec![Vec::new(); parameters];
    for (path, found) in paths {
        for (step, parameter) in path.changed.iter().enumerate() {
            let moved = path.points[step + 1][*parameter] - path.points[step][*parameter];
            let effect = (found[step + 1] - found[step]) / moved;
            if effect.is_finite() {
                of[*parameter].push(effect);
            }
        }
    }
    of.iter()
        .map(|effects| {
            let sizes: Vec<f64> = effects.iter().map(|effect| effect.abs()).collect();
            Effect {
                mu: mean(effects),
                mu_star: mean(&sizes),
                sigma: deviation(effects),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(parameters: usize, paths: u64, of: impl Fn(&[f64]) -> f64) -> Vec<Effect> {
        let found: Vec<(Path, Vec<f64>)> = (0..paths)
            .map(|number| {
                let path = path(parameters, 7, number);
                let values = path.points.iter().map(|point| of(point)).collect();
                (path, values)
            })
            .collect();
        effects(parameters, &found)
    }

    #[test]
    fn a_path_changes_each_parameter_once_and_stays_inside() {
        for number in 0..50 {
            let path = path(9, 3, number);
            let mut changed = path.changed.clone();
            changed.sort_unstable();
            assert_eq!(changed, (0..9).collect::<Vec<_>>());
            for (step, pair) in path.points.windows(2).enumerate() {
                for (parameter, (before, after)) in pair[0].iter().zip(&pair[1]).enumerate() {
                    let moved = (after - before).abs();
                    let expected = if path.changed[step] == parameter {
                        STEP
                    } else {
                        0.0
                    };
                    assert!((moved - expected).abs() < 1e-12);
                    assert!((0.0..=1.0).contains(after));
                }
            }
        }
    }

    #[test]
    fn effects_of_a_line_are_its_slopes() {
        let found = screen(3, 6, |x| 5.0 * x[0] - 2.0 * x[1]);
        for (effect, slope) in found.iter().zip([5.0, -2.0, 0.0]) {
            assert!((effect.mu - slope).abs() < 1e-9 && effect.sigma < 1e-9);
            assert!((effect.mu_star - slope.abs()).abs() < 1e-9);
        }
    }

    #[test]
    fn a_product_of_two_has_the_moments_of_the_other() {
        // The effect of one is the other, at one of four levels: mean 1/2, standard deviation sqrt(5)/6.
        let found = screen(2, 4_000, |x| x[0] * x[1]);
        for effect in found {
            assert!((effect.mu - 0.5).abs() < 0.03, "{effect:?}");
            assert!(
                (effect.sigma - 5.0_f64.sqrt() / 6.0).abs() < 0.02,
                "{effect:?}"
            );
        }
    }

    #[test]
    fn the_example_of_morris_falls_into_his_groups() {
        // Morris 1991, section 5, without the small random terms: 1-7 nonlinear or interacting, 8-10 linear, 11-20 without
        // effect.
        let of = |x: &[f64]| {
            let w: Vec<f64> = x
                .iter()
                .enumerate()
                .map(|(index, x)| match index {
                    2 | 4 | 6 => 2.0 * (1.1 * x / (x + 0.1) - 0.5),
                    _ => 2.0 * (x - 0.5),
                })
                .collect();
            let mut y: f64 = 20.0 * w[..10].iter().sum::<f64>();
            for i in 0..6 {
                for j in i + 1..6 {
                    y -= 15.0 * w[i] * w[j];
                    for k in j + 1..5 {
                        y -= 10.0 * w[i] * w[j] * w[k];
                        for l in k + 1..4 {
                            y += 5.0 * w[i] * w[j] * w[k] * w[l];
                        }
                    }
                }
            }
            y
        };
        let found = screen(20, 20, of);
        for (number, effect) in (1..).zip(&found) {
            match number {
                1..=7 => assert!(
                    effect.sigma > 10.0 && effect.mu_star > 20.0,
                    "{number}: {effect:?}"
                ),
                8..=10 => assert!(
                    (effect.mu - 40.0).abs() < 1e-9 && effect.sigma < 1e-9,
                    "{number}: {effect:?}"
                ),
                _ => assert!(effect.mu_star < 1e-9, "{number}: {effect:?}"),
            }
        }
    }
}
