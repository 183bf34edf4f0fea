//! Plots: curves over tissue time, for panels and for a corner of the picture.
//!
//! A plot has the title that metrics name ([`crate::core::metric::Metric::plot`]) and a curve for each of them. Where they
//! are parts of a whole its curves are shares of their sum, one on the other.

use super::history::History;
use super::overlay::pretty;
use crate::core::metric::Metric;

/// Curves that have no colour of their own, in turn, sRGB (Okabe & Ito 2008).
const CURVES: [[f32; 3]; 6] = [
    [0.337, 0.706, 0.914],
    [0.902, 0.624, 0.0],
    [0.0, 0.620, 0.451],
    [0.8, 0.475, 0.655],
    [0.941, 0.894, 0.259],
    [0.835, 0.369, 0.0],
];

/// Colour of the curve of that number, sRGB, given its own if it has one.
pub const fn curve_colour(own: Option<[f32; 3]>, number: usize) -> [f32; 3] {
    match own {
        Some(own) => own,
        None => CURVES[number % CURVES.len()],
    }
}

/// A curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What it is called.
    pub label: String,
    /// Its colour, sRGB.
    pub colour: [f32; 3],
    /// Tissue time, hours, and value.
    pub points: Vec<[f64; 2]>,
}

impl Curve {
    /// Its last value; 0 where there is none.
    pub fn now(&self) -> f64 {
        self.points.last().map_or(0.0, |[_, value]| *value)
    }
}

/// Some curves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plot {
    /// Its title.
    pub title: String,
    /// The unit of all its curves; empty if there is none.
    pub unit: String,
    /// Whether the curves are shares of their sum, 0-1.
    pub is_share: bool,
    /// The curves.
    pub curves: Vec<Curve>,
    /// A value up to which the plot reaches even where its curves do not, so that it can be compared with another.
    pub reaches: f64,
}

impl Plot {
    /// The plot of that title without its curves; nothing if no metric names it.
    pub fn bare(metrics: &[Metric], title: &str) -> Option<Self> {
        let mut of_title = metrics_of(metrics, title);
        let first = of_title.next()?;
        let is_share = first.is_share && of_title.clone().all(|metric| metric.is_share);
        let one_unit = of_title.all(|metric| metric.unit == first.unit);
        Some(Self {
            title: title.to_owned(),
            unit: if one_unit && !is_share {
                pretty(&first.unit)
            } else {
                String::new()
            },
            is_share,
            ..Self::default()
        })
    }

    /// The plot of that title of what a history holds, leaving out curves that are zero throughout; nothing if no metric
    /// names it.
    pub fn of(metrics: &[Metric], history: &History, title: &str) -> Option<Self> {
        let bare = Self::bare(metrics, title)?;
        let curves = metrics_of(metrics, title).enumerate();
        let curves = curves.map(|(number, metric)| Curve {
            label: metric.label.clone(),
            colour: curve_colour(metric.colour, number),
            points: history.curve(&metric.name),
        });
        let mut curves: Vec<Curve> = curves.collect();
        if bare.is_share {
            to_shares(&mut curves);
        }
        curves.retain(|curve| curve.points.iter().any(|[_, value]| *value != 0.0));
        Some(Self { curves, ..bare })
    }

    /// Whether a plot of that title has any curve.
    pub fn has_curves(metrics: &[Metric], history: &History, title: &str) -> bool {
        metrics_of(metrics, title).any(|metric| history.has_values(&metric.name))
    }

    /// A plot of one metric in several places without its curves. Metrics that share a plot have short labels, such as `mean`:
    /// its title comes first.
    pub fn bare_beside(metric: &Metric) -> Self {
        let title = match &metric.plot {
            Some(plot) if *plot != metric.label => format!("{plot}: {}", metric.label),
            _ => metric.label.clone(),
        };
        Self {
            title,
            unit: pretty(&metric.unit),
            ..Self::default()
        }
    }

    /// A metric in several places, a curve for each: name of the place and what was measured there. Nothing where it is zero
    /// everywhere.
    pub fn beside<'a>(
        metric: &Metric,
        places: impl Iterator<Item = (&'a str, &'a History)>,
    ) -> Option<Self> {
        let mut has_values = false;
        let curves = places.enumerate().map(|(number, (name, history))| {
            has_values |= history.has_values(&metric.name);
            Curve {
                label: name.to_owned(),
                colour: curve_colour(None, number),
                points: history.curve(&metric.name),
            }
        });
        let curves = curves.collect();
        has_values.then(|| Self {
            curves,
            ..Self::bare_beside(metric)
        })
    }

    /// Its title with what its values are.
    pub fn heading(&self) -> String {
        match (self.is_share, self.unit.as_str()) {
            (true, _) => format!("{}, shares", self.title),
            (false, "") => self.title.clone(),
            (false, unit) => format!("{}, {unit}", self.title),
        }
    }

    /// The curves as they lie on each other: for each the lower and the upper edge at each time, hours.
    pub fn stacked(&self) -> Vec<Vec<[f64; 3]>> {
        let mut below: Vec<f64> = Vec::new();
        self.curves
            .iter()
            .map(|curve| {
                below.resize(curve.points.len(), 0.0);
                let edges = curve.points.iter().zip(&mut below);
                edges
                    .map(|([hours, value], below)| {
                        let low = *below;
                        *below += value;
                        [*hours, low, *below]
                    })
                    .collect()
            })
            .collect()
    }

    /// First and last time, hours, and the largest value, or up to which it [`reaches`](Self::reaches).
    pub fn extent(&self) -> (f64, f64, f64) {
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        let all = points.fold(
            (f64::INFINITY, 0.0_f64, 0.0_f64),
            |(from, to, top), [t, v]| (from.min(*t), to.max(*t), top.max(*v)),
        );
        let top = if self.is_share {
            1.0
        } else {
            all.2.max(self.reaches)
        };
        (all.0.min(all.1), all.1, top)
    }
}

/// The metrics that name a plot.
fn metrics_of<'a>(
    metrics: &'a [Metric],
    title: &'a str,
) -> impl Iterator<Item = &'a Metric> + Clone {
    metrics
        .iter()
        .filter(move |metric| metric.plot.as_deref() == Some(title))
}

/// Makes numbers shares of their sum at each time; nothing has a share of nothing.
fn to_shares(curves: &mut [Curve]) {
    let times = curves.iter().map(|curve| curve.points.len()).min();
    for time in 0..times.unwrap_or(0) {
        let sum: f64 = curves.iter().map(|curve| curve.points[time][1]).sum();
        for curve in &mut *curves {
            curve.points[time][1] = if sum > 0.0 {
                curve.points[time][1] / sum
            } else {
                0.0
            };
        }
    }
    for curve in curves {
        curve.points.truncate(times.unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::metric::SiteMetrics;

    #[test]
    fn parts_of_a_whole_are_shares_that_lie_on_each_other() {
        let metric = |name: &str| Metric::new(name, "", "About it.").share_of("Boats");
        let metrics = [metric("sloops"), metric("ketches"), metric("yawls")];
        let mut history = History::default();
        for (hours, sloops, ketches) in [(0.0, 0.0, 0.0), (1.0, 3.0, 1.0), (2.0, 1.0, 1.0)] {
            history.push(
                hours,
                &SiteMetrics {
                    columns: vec![
                        ("sloops".into(), sloops),
                        ("ketches".into(), ketches),
                        ("yawls".into(), 0.0),
                    ],
                },
            );
        }
        let plot = Plot::of(&metrics, &history, "Boats").expect("there are boats");
        assert_eq!(plot.curves.len(), 2, "there are no yawls");
        assert_eq!(plot.heading(), "Boats, shares");
        let expected = [
            vec![[0.0, 0.0, 0.0], [1.0, 0.0, 0.75], [2.0, 0.0, 0.5]],
            vec![[0.0, 0.0, 0.0], [1.0, 0.75, 1.0], [2.0, 0.5, 1.0]],
        ];
        assert_eq!(plot.stacked(), expected);
        assert_eq!(plot.extent(), (0.0, 2.0, 1.0));
        assert_eq!(Plot::of(&metrics, &history, "Trains"), None);
    }

    #[test]
    fn a_metric_in_several_places_has_a_curve_for_each() {
        let metric = Metric::new("boats", "", "About it.").label("boats");
        let mut calm = History::default();
        let mut busy = History::default();
        for hours in [0.0, 1.0] {
            let of = |value| SiteMetrics {
                columns: vec![("boats".into(), value)],
            };
            calm.push(hours, &of(0.0));
            busy.push(hours, &of(hours));
        }
        let places = [("calm", &calm), ("busy", &busy)];
        let plot = Plot::beside(&metric, places.into_iter()).expect("there are boats");
        assert_eq!(plot.title, "boats");
        let shared = metric.clone().plot("Traffic");
        assert_eq!(Plot::bare_beside(&shared).title, "Traffic: boats");
        let labels: Vec<&str> = plot.curves.iter().map(|curve| &*curve.label).collect();
        assert_eq!(labels, ["calm", "busy"]);
        assert_ne!(plot.curves[0].colour, plot.curves[1].colour);
        assert_eq!(plot.curves[1].points, [[0.0, 0.0], [1.0, 1.0]]);
        assert_eq!(Plot::beside(&metric, [("calm", &calm)].into_iter()), None);
    }
}
