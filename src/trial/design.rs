//! Which values parameters take: grids, Latin hypercubes, paths of a screening, and scenes without one of their arrows.

use std::f64::consts::SQRT_2;

use bevy::prelude::World;
use serde::{Deserialize, Serialize};

use super::TrialError;
use super::plan::{Condition, Kind, MAX_RUNS, condition};
use super::statistics::{screening, shuffled};
use crate::core::CellId;
use crate::core::parameters::{CellTypeNames, ParameterValue, check_exact, list_parameters};
use crate::core::random::{Purpose, RandomKey};
use crate::core::regulate::Rules;
use crate::scene::{Arm, ParsedScene};

/// What points of a hypercube are drawn by.
const HYPERCUBE: Purpose = Purpose::of("trial.design.hypercube");
/// A parameter that is screened without a range of its own goes from its value divided by this to its value times this.
pub const FOLD: f64 = 1.5;

/// A parameter and the values that it may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Its path.
    pub path: String,
    /// Least value.
    pub low: f64,
    /// Largest value.
    pub high: f64,
    /// Whether equal steps are equal factors.
    #[serde(default)]
    pub is_logarithmic: bool,
    /// Whether it takes whole numbers only.
    #[serde(default)]
    pub is_whole: bool,
}

impl Range {
    /// Reads `PATH=LOW..HIGH`, with `:log` behind it for equal factors.
    ///
    /// # Errors
    /// In words.
    pub fn parse(text: &str) -> Result<Self, String> {
        const WRITE: &str = "write PATH=LOW..HIGH, such as cancer.cycle.s_hours=6..12, with :log behind it for equal factors";
        let (path, range) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}` has no `=`: {WRITE}"))?;
        let (range, is_logarithmic) = match range.strip_suffix(":log") {
            Some(range) => (range, true),
            None => (range, false),
        };
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite());
        let ends = range.split_once("..");
        let ends = ends.and_then(|(low, high)| Some((number(low)?, number(high)?)));
        let Some((low, high)) = ends else {
            return Err(format!("`{range}` is not a range of numbers: {WRITE}"));
        };
        if low >= high {
            return Err(format!(
                "the range of `{path}` must rise, found {low}..{high}"
            ));
        }
        if is_logarithmic && low <= 0.0 {
            return Err(format!(
                "a range of equal factors must be above 0, found {low}..{high}"
            ));
        }
        Ok(Self {
            path: path.trim().into(),
            low,
            high,
            is_logarithmic,
            is_whole: false,
        })
    }

    /// The value at a share of the way, 0-1.
    pub fn at(&self, share: f64) -> f64 {
        let value = if self.is_logarithmic {
            self.low * (self.high / self.low).powf(share)
        } else {
            self.low + (self.high - self.low) * share
        };
        // Five digits are as good as any, and can be read.
        let value = if self.is_whole {
            value.round()
        } else {
            rounded(value)
        };
        value.clamp(self.low, self.high)
    }
}

/// A number with five digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

/// Checks ranges against the parameters of a scene, and notes which take whole numbers.
///
/// # Errors
/// When a parameter does not exist, an end is not allowed, or one stands there twice.
pub fn check_ranges(world: &World, ranges: &mut [Range]) -> Result<(), TrialError> {
    for index in 0..ranges.len() {
        let (before, rest) = ranges.split_at_mut(index);
        let range = &mut rest[0];
        if before.iter().any(|other| other.path == range.path) {
            return Err(TrialError::Asked(format!(
                "`{}` has two ranges",
                range.path
            )));
        }
        for end in [range.low, range.high] {
            check_exact(world, &range.path, end)
                .map_err(|error| TrialError::Asked(error.to_string()))?;
        }
        // A share that no range of whole numbers has a whole number at.
        let between = range.low + (SQRT_2 - 1.0) * (range.high - range.low);
        range.is_whole = check_exact(world, &range.path, between).is_err();
    }
    Ok(())
}

/// The parameters of a scene that are marked as uncertain, each with a range of a third less to a half more ([`FOLD`]): those of
/// groups and of the cell types that are used, whose description says `[M]` (from memory) or that they are assumed. `only`
/// keeps those whose path begins so.
pub fn uncertain(world: &World, used: &[String], only: &[String]) -> Vec<Range> {
    let types = world.get_resource::<CellTypeNames>();
    let types = types.cloned().unwrap_or_default();
    let is_used = |of: &ParameterValue| {
        let owner = of.path.split('.').next().unwrap_or_default();
        used.iter().any(|name| name == owner) || types.0.iter().all(|name| name != owner)
    };
    let is_uncertain =
        |of: &ParameterValue| of.about.contains("[M]") || of.about.contains("ssumed");
    let is_wanted = |of: &ParameterValue| {
        only.is_empty() || only.iter().any(|start| of.path.starts_with(start.as_str()))
    };
    let ranges = list_parameters(world).into_iter().filter(|of| {
        is_used(of) && is_uncertain(of) && is_wanted(of) && of.value != 0.0 && of.value.is_finite()
    });
    ranges
        .filter_map(|of| {
            let ends = [of.value / FOLD, of.value * FOLD];
            let low = ends[0].min(ends[1]).max(of.limits.min);
            let high = ends[0].max(ends[1]).min(of.limits.max);
            let mut range = Range {
                path: of.path,
                low: rounded(low),
                high: rounded(high),
                is_logarithmic: false,
                is_whole: false,
            };
            // Switches and whole numbers are left to ranges that somebody has chosen.
            let fits = check_ranges(world, std::slice::from_mut(&mut range)).is_ok();
            (fits && !range.is_whole && range.low < range.high).then_some(range)
        })
        .collect()
}

/// A condition for each of these points, shares of the ranges.
fn at_points(
    parsed: &ParsedScene,
    ranges: &[Range],
    points: &[Vec<f64>],
) -> Vec<(Condition, ParsedScene)> {
    let conditions = points.iter().enumerate().map(|(place, point)| {
        let values = ranges.iter().zip(point);
        let parameters = values.map(|(range, share)| (range.path.clone(), range.at(*share)));
        let arm = Arm {
            name: format!("point {}", place + 1),
            parameters: parameters.collect(),
            ..Arm::default()
        };
        condition(parsed, place, arm)
    });
    conditions.collect()
}

/// All combinations of `steps` values of each parameter.
///
/// # Errors
/// When there are too many.
pub fn grid(
    parsed: &ParsedScene,
    ranges: &[Range],
    steps: u32,
) -> Result<(Kind, Vec<(Condition, ParsedScene)>), TrialError> {
    let count = (steps as usize).checked_pow(ranges.len() as u32);
    let count = count.filter(|count| *count <= MAX_RUNS);
    let Some(count) = count.filter(|_| steps >= 2) else {
        return Err(TrialError::Asked(format!(
            "a grid of {steps} values of each of {} parameters is no grid that can be computed; try --latin",
            ranges.len()
        )));
    };
    let points: Vec<Vec<f64>> = (0..count)
        .map(|mut number| {
            ranges
                .iter()
                .map(|_| {
                    let step = number % steps as usize;
                    number /= steps as usize;
                    step as f64 / f64::from(steps - 1)
                })
                .collect()
        })
        .collect();
    Ok((sweep_of(ranges), at_points(parsed, ranges, &points)))
}

/// `points` points of a Latin hypercube (McKay et al. 1979, Technometrics 21:239): of each parameter, one value lies in each
/// of as many equal parts of its range.
///
/// # Errors
/// When there is none, or there are too many.
pub fn latin(
    parsed: &ParsedScene,
    ranges: &[Range],
    points: u32,
    seed: u64,
) -> Result<(Kind, Vec<(Condition, ParsedScene)>), TrialError> {
    check_count(points as usize)?;
    let points = hypercube(ranges.len(), points as usize, seed);
    Ok((sweep_of(ranges), at_points(parsed, ranges, &points)))
}

/// Makes sure that so many points can be computed, before any is made.
fn check_count(points: usize) -> Result<(), TrialError> {
    if (1..=MAX_RUNS).contains(&points) {
        return Ok(());
    }
    Err(TrialError::Asked(format!(
        "these are {points} points; there must be from 1 to {MAX_RUNS}"
    )))
}

/// Points of a Latin hypercube, each value in 0-1.
fn hypercube(parameters: usize, points: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut values = vec![vec![0.0; parameters]; points];
    for parameter in 0..parameters {
        let mut random = RandomKey(seed).stream(CellId(parameter as u64), 0, HYPERCUBE);
        let parts = shuffled(&mut random, points);
        for (point, part) in values.iter_mut().zip(parts) {
            point[parameter] = (part as f64 + f64::from(random.uniform())) / points as f64;
        }
    }
    values
}

fn sweep_of(ranges: &[Range]) -> Kind {
    Kind::Sweep {
        parameters: ranges.iter().map(|range| range.path.clone()).collect(),
    }
}

/// The points of `paths` paths of a screening.
///
/// # Errors
/// When there is none, or there are too many.
pub fn screening_of(
    parsed: &ParsedScene,
    ranges: &[Range],
    paths: u32,
    seed: u64,
) -> Result<(Kind, Vec<(Condition, ParsedScene)>), TrialError> {
    check_count((paths as usize).saturating_mul(ranges.len() + 1))?;
    let paths = u64::from(paths);
    let points: Vec<Vec<f64>> = (0..paths)
        .flat_map(|number| screening::path(ranges.len(), seed, number).points)
        .collect();
    let kind = Kind::Screening {
        ranges: ranges.to_vec(),
        paths,
        seed,
    };
    Ok((kind, at_points(parsed, ranges, &points)))
}

/// The scene as it is, and without each arrow of the sites and of the cell types that are used. `only` keeps arrows whose
/// path begins so.
///
/// # Errors
/// When there is no arrow.
pub fn ablation(
    parsed: &ParsedScene,
    world: &World,
    used: &[String],
    only: &[String],
) -> Result<(Kind, Vec<(Condition, ParsedScene)>), TrialError> {
    let types = world.get_resource::<CellTypeNames>();
    let types = types.cloned().unwrap_or_default();
    let rules = world.get_resource::<Rules>();
    let paths = rules.map_or_else(Vec::new, |rules| rules.paths(&types));
    let is_wanted = |path: &&String| {
        let owner = Rules::owner_and_name(path).map_or("", |(of, _)| of);
        let is_used = used.iter().any(|name| name == owner);
        (is_used || types.0.iter().all(|name| name != owner))
            && (only.is_empty() || only.iter().any(|start| path.starts_with(start.as_str())))
    };
    let paths: Vec<&String> = paths.iter().filter(is_wanted).collect();
    if paths.is_empty() {
        return Err(TrialError::Asked(
            "there is no such arrow in the scene".into(),
        ));
    }
    let whole = Arm {
        name: "all arrows".into(),
        ..Arm::default()
    };
    let cut = paths.into_iter().map(|path| Arm {
        name: format!("without {path}"),
        without: vec![path.clone()],
        ..Arm::default()
    });
    let arms = std::iter::once(whole).chain(cut).enumerate();
    let conditions = arms.map(|(place, arm)| condition(parsed, place, arm));
    Ok((Kind::Ablation, conditions.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::CellLibrary;
    use crate::simulation::prototype_world;

    #[test]
    fn ranges_are_read_as_they_are_written() {
        let range = Range::parse("cancer.cycle.s_hours=6..12").expect("a range");
        assert_eq!(
            (range.at(0.0), range.at(0.5), range.at(1.0)),
            (6.0, 9.0, 12.0)
        );
        let range = Range::parse("a.b=0.1..10:log").expect("a range");
        assert_eq!(
            (range.at(0.0), range.at(0.5), range.at(1.0)),
            (0.1, 1.0, 10.0)
        );
        for (wrong, says) in [
            ("a.b", "has no `=`"),
            ("a.b=3", "not a range"),
            ("a.b=3..x", "not a range"),
            ("a.b=nan..3", "not a range"),
            ("a.b=3..3", "must rise"),
            ("a.b=0..3:log", "above 0"),
        ] {
            let message = Range::parse(wrong).expect_err(wrong);
            assert!(message.contains(says), "{wrong}: {message}");
        }
    }

    #[test]
    fn whole_numbers_are_told_whatever_lies_between_the_ends() {
        let library = CellLibrary::shipped().expect("it is shipped");
        let world = prototype_world(&library);
        for (range, is_whole) in [
            ("exosomes.per_packet=1..2", true),
            ("exosomes.per_packet=1..1001", true),
            ("exosomes.per_packet=500..1000", true),
            ("exosomes.radius_nm=1..2", false),
        ] {
            let mut ranges = [Range::parse(range).expect("a range")];
            check_ranges(&world, &mut ranges).expect("it is allowed");
            assert_eq!(ranges[0].is_whole, is_whole, "{range}");
        }
    }

    #[test]
    fn a_hypercube_has_one_point_in_each_part_of_each_range() {
        let points = hypercube(4, 25, 9);
        for parameter in 0..4 {
            let mut parts: Vec<usize> = points
                .iter()
                .map(|point| (point[parameter] * 25.0) as usize)
                .collect();
            parts.sort_unstable();
            assert_eq!(parts, (0..25).collect::<Vec<_>>());
        }
        assert_eq!(points, hypercube(4, 25, 9));
        assert_ne!(points, hypercube(4, 25, 10));
    }
}
