//! Curves: what was measured at the reports of the simulation.

use crate::simulation::SiteMetrics;

/// Points kept; every other one is dropped when there are more, which keeps the shape of the curves.
const MOST_POINTS: usize = 2000;

/// Measurements of one site at one time.
#[derive(Clone, Debug, Default, PartialEq)]
struct Point {
    /// Tissue time, hours.
    hours: f64,
    /// A value for each column.
    values: Vec<f64>,
}

/// The curves of one site.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Names of the measurements; those of a simulation stay the same.
    columns: Vec<String>,
    points: Vec<Point>,
}

impl History {
    /// Nothing was measured yet.
    pub const fn new() -> Self {
        Self {
            columns: Vec::new(),
            points: Vec::new(),
        }
    }

    /// Adds measurements, in the order of time; those at a time already known are replaced.
    pub fn push(&mut self, hours: f64, metrics: &SiteMetrics) {
        if self.points.is_empty() {
            let names = metrics.columns.iter().map(|(name, _)| name.clone());
            self.columns = names.collect();
        }
        let point = Point {
            hours,
            values: metrics.columns.iter().map(|(_, value)| *value).collect(),
        };
        let at = self
            .points
            .partition_point(|known| known.hours < point.hours);
        match self.points.get_mut(at) {
            Some(known) if known.hours == point.hours => {
                *known = point;
                return;
            }
            _ => self.points.insert(at, point),
        }
        if self.points.len() > MOST_POINTS {
            let mut keep = false;
            self.points.retain(|_| {
                keep = !keep;
                keep
            });
        }
    }

    /// Names of the measurements.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// All measurements, by time, hours.
    pub fn rows(&self) -> impl Iterator<Item = (f64, &[f64])> {
        let points = self.points.iter();
        points.map(|point| (point.hours, point.values.as_slice()))
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.points.clear();
    }

    /// Forgets what was measured later than this, hours.
    pub fn cut_off(&mut self, hours: f64) {
        self.points.retain(|point| point.hours <= hours);
    }

    /// Tissue time of the first point, hours.
    pub fn start_hours(&self) -> Option<f64> {
        self.points.first().map(|point| point.hours)
    }

    /// Whether nothing was measured yet.
    pub const fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether a measurement was ever anything but zero.
    pub fn has_values(&self, column: &str) -> bool {
        let at = self.columns.iter().position(|name| name == column);
        let value = |point: &Point| at.and_then(|at| point.values.get(at)).copied();
        let mut values = self.points.iter().filter_map(value);
        values.any(|value| value.is_finite() && value != 0.0)
    }

    /// A measurement over tissue time, hours; left out are times at which it had no value.
    pub fn curve(&self, column: &str) -> Vec<[f64; 2]> {
        let Some(column) = self.columns.iter().position(|name| name == column) else {
            return Vec::new();
        };
        let points = self.points.iter().filter_map(|point| {
            let value = *point.values.get(column)?;
            value.is_finite().then_some([point.hours, value])
        });
        points.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(warmth: f64, wind: f64) -> SiteMetrics {
        SiteMetrics {
            columns: vec![("warmth".into(), warmth), ("wind".into(), wind)],
        }
    }

    #[test]
    fn a_curve_is_a_measurement_by_name_where_it_has_a_value() {
        let mut history = History::default();
        history.push(1.0, &metrics(20.0, f64::NAN));
        history.push(2.0, &metrics(21.0, 3.0));
        assert_eq!(history.curve("warmth"), [[1.0, 20.0], [2.0, 21.0]]);
        assert_eq!(history.curve("wind"), [[2.0, 3.0]]);
        assert!(history.curve("rain").is_empty());
        let has = ["warmth", "wind", "rain"].map(|column| history.has_values(column));
        assert_eq!(has, [true, true, false]);
        let mut still = History::default();
        still.push(1.0, &metrics(0.0, f64::NAN));
        assert!(!still.has_values("warmth") && !still.has_values("wind"));
    }

    #[test]
    fn long_histories_keep_their_first_and_newest_points_and_stay_bounded() {
        let mut history = History::default();
        for hour in 0..10_000 {
            history.push(f64::from(hour), &metrics(f64::from(hour), 0.0));
            assert!(history.len() <= MOST_POINTS);
        }
        let curve = history.curve("warmth");
        assert_eq!(curve[0], [0.0, 0.0]);
        assert_eq!(curve[curve.len() - 1], [9999.0, 9999.0]);
        assert!(curve.windows(2).all(|pair| pair[0][0] < pair[1][0]));
    }

    #[test]
    fn a_report_at_the_same_time_replaces_the_last_point() {
        let mut history = History::default();
        for warmth in [1.0, 2.0] {
            history.push(1.0, &metrics(warmth, 0.0));
        }
        assert_eq!(history.curve("warmth"), [[1.0, 2.0]]);
    }
}
