//! Curves: what was counted and measured at the reports of the simulation.

use crate::cell::State;
use crate::simulation::Snapshot;

/// Points kept; every other one is dropped when there are more, which keeps the shape of the curves.
const MOST_POINTS: usize = 2000;

/// Counts and measures of one site at one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Point {
    /// Tissue time, hours.
    pub hours: f64,
    /// Living cells, by type.
    pub alive: Vec<u32>,
    /// Apoptotic cells.
    pub apoptotic: u32,
    /// Necrotic cells.
    pub necrotic: u32,
    /// Mean and lowest oxygen at living cells, mmHg; `None` without living cells.
    pub oxygen_mmhg: Option<(f64, f64)>,
}

impl Point {
    /// Counts a site of a snapshot.
    pub fn of(snapshot: &Snapshot, site: usize) -> Self {
        let mut point = Self {
            hours: snapshot.hours,
            alive: vec![0; snapshot.cell_types.len()],
            ..Self::default()
        };
        let Some(site) = snapshot.sites.get(site) else {
            return point;
        };
        let cells = &site.cells;
        let (mut sum, mut lowest, mut living) = (0.0, f64::INFINITY, 0_u32);
        for (index, state) in cells.state.iter().enumerate() {
            match state {
                State::Alive => {
                    let kind = cells.cell_type.get(index).copied().unwrap_or_default();
                    if let Some(count) = point.alive.get_mut(usize::from(kind)) {
                        *count += 1;
                    }
                    if let Some(oxygen) = cells.oxygen_mmhg.get(index) {
                        sum += f64::from(*oxygen);
                        lowest = lowest.min(f64::from(*oxygen));
                        living += 1;
                    }
                }
                State::Apoptotic => point.apoptotic += 1,
                State::NecroticSwelling | State::NecroticLysed => point.necrotic += 1,
            }
        }
        if living > 0 {
            point.oxygen_mmhg = Some((sum / f64::from(living), lowest));
        }
        point
    }
}

/// The curves of one site.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    points: Vec<Point>,
}

impl History {
    /// Adds a point; one at a time already known replaces it.
    pub fn push(&mut self, point: Point) {
        if let Some(last) = self.points.last_mut()
            && last.hours >= point.hours
        {
            *last = point;
            return;
        }
        self.points.push(point);
        if self.points.len() > MOST_POINTS {
            let mut keep = false;
            self.points.retain(|_| {
                keep = !keep;
                keep
            });
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.points.clear();
    }

    /// Tissue time of the first point, hours.
    pub fn start_hours(&self) -> Option<f64> {
        self.points.first().map(|point| point.hours)
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// A curve over tissue time, hours.
    pub fn curve(&self, value: impl Fn(&Point) -> Option<f64>) -> Vec<[f64; 2]> {
        self.points
            .iter()
            .filter_map(|point| Some([point.hours, value(point)?]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::{CellGlyphs, CellTypeStyle, SiteSnapshot};

    #[test]
    fn cells_are_counted_by_type_and_state_and_oxygen_by_the_living() {
        let style = |name: &str| CellTypeStyle {
            name: name.into(),
            colour: [1.0; 3],
        };
        let snapshot = Snapshot {
            hours: 3.0,
            cell_types: vec![style("a"), style("b")],
            sites: vec![SiteSnapshot {
                cells: CellGlyphs {
                    state: vec![
                        State::Alive,
                        State::Alive,
                        State::Apoptotic,
                        State::NecroticSwelling,
                        State::NecroticLysed,
                        State::Alive,
                    ],
                    cell_type: vec![0, 1, 0, 0, 1, 1],
                    oxygen_mmhg: vec![10.0, 20.0, 1.0, 0.0, 0.0, 6.0],
                    ..CellGlyphs::default()
                },
                ..SiteSnapshot::default()
            }],
            ..Snapshot::default()
        };
        let point = Point::of(&snapshot, 0);
        assert_eq!(point.alive, [1, 2]);
        assert_eq!((point.apoptotic, point.necrotic), (1, 2));
        assert_eq!(point.oxygen_mmhg, Some((12.0, 6.0)));
        assert_eq!(Point::of(&snapshot, 1).alive, [0, 0]);
    }

    #[test]
    fn long_histories_keep_their_first_and_newest_points_and_stay_bounded() {
        let mut history = History::default();
        for hour in 0..10_000 {
            history.push(Point {
                hours: f64::from(hour),
                necrotic: hour as u32,
                ..Point::default()
            });
            assert!(history.len() <= MOST_POINTS);
        }
        let curve = history.curve(|point| Some(f64::from(point.necrotic)));
        assert_eq!(curve[0], [0.0, 0.0]);
        assert_eq!(curve[curve.len() - 1], [9999.0, 9999.0]);
        assert!(curve.windows(2).all(|pair| pair[0][0] < pair[1][0]));
    }

    #[test]
    fn a_report_at_the_same_time_replaces_the_last_point() {
        let mut history = History::default();
        for necrotic in [1, 2] {
            history.push(Point {
                hours: 1.0,
                necrotic,
                ..Point::default()
            });
        }
        assert_eq!(
            history.curve(|point| Some(f64::from(point.necrotic))),
            [[1.0, 2.0]]
        );
    }
}
