//! Vessels whose VEGF-A is taken away: for some days they carry more oxygen, and then they are too few for it.

use super::simulation;

/// The day on which VEGF-A is cut.
const CUT_DAY: usize = 10;

/// The shipped scene, in which VEGF-A is cut then: in the site `halved` to a half, in `treated` to a tenth.
const NORMALISATION: &str = include_str!("../../scenes/vessel_normalisation.ron");

/// What was measured of a site on each half day from the cut on.
#[derive(Debug, Default)]
struct Course {
    /// Mean oxygen over that on the day of the cut.
    oxygen: Vec<f64>,
    /// Density of perfused vessels over that on the day of the cut.
    vessels: Vec<f64>,
    /// Cover of vessels by pericytes.
    cover: Vec<f64>,
}

impl Course {
    /// The most oxygen within some days of the cut.
    fn most(&self, days: std::ops::RangeInclusive<usize>) -> f64 {
        let of = &self.oxygen[2 * days.start()..=2 * days.end()];
        of.iter().copied().fold(0.0, f64::max)
    }
}

/// The halved and the treated site of a seed.
fn courses(seed: u64) -> [Course; 2] {
    let mut simulation = simulation(NORMALISATION, seed);
    let of = |site: &tumorscape::core::metric::SiteMetrics, column: &str| {
        site.get(column).expect("there is such a metric")
    };
    let mut courses = [Course::default(), Course::default()];
    let mut before = [[0.0; 2]; 2];
    for half_day in 1..=2 * (CUT_DAY + 10) {
        for _ in 0..72 {
            simulation.step();
        }
        let sites = simulation.metrics();
        for (number, course) in courses.iter_mut().enumerate() {
            let site = &sites[number + 1];
            let now = ["oxygen_mean_mmhg", "perfused_vessel_density_mm_per_mm3"]
                .map(|column| of(site, column));
            if half_day == 2 * CUT_DAY {
                before[number] = now;
            }
            if half_day >= 2 * CUT_DAY {
                course.oxygen.push(now[0] / before[number][0]);
                course.vessels.push(now[1] / before[number][1]);
                course.cover.push(of(site, "vessel_maturity"));
            }
        }
    }
    courses
}

#[test]
#[ignore = "a minute for each seed"]
fn oxygen_rises_for_some_days_when_vegf_a_is_cut_and_less_when_it_is_halved() {
    for seed in [1, 2, 3] {
        let [halved, treated] = courses(seed);
        eprintln!("seed {seed}: halved {halved:.2?}\ntreated {treated:.2?}");
        assert!(treated.most(1..=5) > 1.2, "{:?}", treated.oxygen);
        let late = treated.oxygen[20];
        assert!(late < 1.1, "{late} on day 10");
        // With half of it left: a lower peak, and more of the vessels stay.
        assert!(halved.most(0..=10) < treated.most(0..=10));
        assert!(halved.vessels[20] > treated.vessels[20]);
        // Pericytes have come.
        assert!(treated.cover[10] > 1.5 * treated.cover[0]);
    }
}
