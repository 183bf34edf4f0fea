//! The HIF axis: how a cell notices that oxygen is short, and what it then makes.
//!
//! HIF-1a is made at a constant rate and degraded the faster the more oxygen there is (prolyl hydroxylases, von
//! Hippel-Lindau protein). In units of its level without oxygen, `H` in 0-1 obeys
//!
//! `dH/dt = k_0 - [k_0 + k_O h(p; p_half, n)] H`, `h(p; K, n) = p^n / (K^n + p^n)`,
//!
//! which is linear and advanced exactly. The four numbers are calibrated to the dose-response that Jiang et al.
//! 1996 (doi:10.1152/ajpcell.1996.271.4.C1172) measured in HeLa cells, half-maximal at 1.5-2 % oxygen and maximal
//! at 0.5 %, and to a half-life of five minutes after reoxygenation.
//!
//! What `H` makes a cell do is often measured as a fold from normoxia to anoxia, and cells in normoxia have some HIF-1a:
//! `H_n` at 38 mmHg. So the quantity `hif.activation`, `A = (H - H_n) / (1 - H_n)`, stands beside `hif.level`: a rule
//! `Fold(a)` by it makes an input `1 + a A` times what it is in normoxia. [`update_hif`] runs in `Signal` and writes only
//! [`HifAxis`]; rules of the cell types say what follows.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::death::is_alive;
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::{Resident, Surroundings, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::random::probability;
use crate::core::saturation::hill;
use crate::core::state::RegisterState;
use crate::core::{Clock, SimSchedule, SimSystems};
use crate::tissue::{Fields, RegisterMoleculeUse};

/// The HIF axis of a cell.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct HifAxis {
    /// Level of HIF-1a relative to that without oxygen, 0-1.
    pub hif_1a: f32,
}

/// Turnover of HIF-1a, the same in all cells (group `hypoxia`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct HypoxiaParameters {
    /// Degradation without oxygen, 1/h; also the rate of synthesis, as levels are relative. 0.396: HIF-1a rises
    /// with a half-time of 1.75 h, so four fifths of the way lie behind it after 4 h of hypoxia. Calibrated.
    pub degradation_per_hour: f32,
    /// Additional degradation at plentiful oxygen, 1/h. 7.92: half-life of 5 min in air. Calibrated.
    pub oxygen_degradation_per_hour: f32,
    /// Oxygen at which the additional degradation is half of that, mmHg. 34.7: half of the HIF-1a is left at
    /// 13 mmHg, 1.8 % oxygen. Calibrated to Jiang 1996 [A].
    pub half_degradation_mmhg: f32,
    /// Steepness of its dependence on oxygen. Calibrated to Jiang 1996 [A].
    pub degradation_exponent: f32,
    /// Oxygen at which what HIF-1a drives is at its base, mmHg. 38: 5 % O2, where it does not limit growth [P].
    pub normoxia_mmhg: f32,
    /// A living cell at or below this oxygen counts as hypoxic, mmHg. 8: onset of the hypoxic response [P].
    pub hypoxic_below_mmhg: f32,
}

impl Default for HypoxiaParameters {
    fn default() -> Self {
        Self {
            degradation_per_hour: 0.396,
            oxygen_degradation_per_hour: 7.92,
            half_degradation_mmhg: 34.7,
            degradation_exponent: 3.0,
            normoxia_mmhg: 38.0,
            hypoxic_below_mmhg: 8.0,
        }
    }
}

impl Parameters for HypoxiaParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "degradation_per_hour" => Limits {
                min: 1.0e-6,
                max: 1000.0,
            },
            "oxygen_degradation_per_hour" => Limits {
                min: 0.0,
                max: 1000.0,
            },
            "hypoxic_below_mmhg" => Limits::NON_NEGATIVE,
            "half_degradation_mmhg" | "normoxia_mmhg" => Limits {
                min: 1.0e-3,
                max: 760.0,
            },
            _ => Limits {
                min: 0.1,
                max: 20.0,
            },
        }
    }
}

impl HypoxiaParameters {
    /// Total degradation at that oxygen pressure, 1/h.
    pub fn total_degradation_per_hour(&self, oxygen_mmhg: f32) -> f32 {
        let oxygen = hill(
            oxygen_mmhg,
            self.half_degradation_mmhg,
            self.degradation_exponent,
        );
        self.degradation_per_hour + self.oxygen_degradation_per_hour * oxygen
    }

    /// The level of HIF-1a in the long run at that oxygen pressure, 0-1.
    pub fn steady_hif_1a(&self, oxygen_mmhg: f32) -> f32 {
        self.degradation_per_hour / self.total_degradation_per_hour(oxygen_mmhg)
    }

    /// The level of HIF-1a in normoxia, `H_n`.
    pub fn normoxic_hif_1a(&self) -> f32 {
        self.steady_hif_1a(self.normoxia_mmhg)
    }
}

impl HifAxis {
    /// A cell that has lived at that oxygen pressure for long.
    pub fn settled(parameters: &HypoxiaParameters, oxygen_mmhg: f32) -> Self {
        Self {
            hif_1a: parameters.steady_hif_1a(oxygen_mmhg),
        }
    }

    fn advance(&mut self, parameters: &HypoxiaParameters, oxygen_mmhg: f32, hours: f32) {
        let rate = parameters.total_degradation_per_hour(oxygen_mmhg);
        let steady = parameters.degradation_per_hour / rate;
        self.hif_1a += probability(rate, hours) * (steady - self.hif_1a);
    }
}

/// That cells of a type have the HIF axis (capability `hif`). What it makes them do is said by the rules of the type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct HifParameters {}

impl Parameters for HifParameters {}

impl HifAxis {
    /// How far HIF-1a has risen from its level in normoxia ([`HypoxiaParameters::normoxic_hif_1a`]), 0, to that without
    /// oxygen, 1; 0 too where there is more oxygen than in normoxia.
    pub const fn activation(&self, normoxic_hif_1a: f32) -> f32 {
        ((self.hif_1a - normoxic_hif_1a) / (1.0 - normoxic_hif_1a)).max(0.0)
    }
}

/// HIF-1a of living cells follows their oxygen.
pub fn update_hif(
    clock: Res<Clock>,
    parameters: Res<HypoxiaParameters>,
    fields: Fields,
    mut cells: Query<(&Resident, &Surroundings, Option<&Vital>, &mut HifAxis)>,
) {
    let oxygen = fields.of("oxygen");
    let hours = clock.dt_hours();
    let parameters = &*parameters;
    for (residents, around, vitals, mut hif) in cells.contiguous_iter_mut().expect(IN_TABLES) {
        for_each_row_mut(hif.bypass_change_detection(), |row, hif| {
            if is_alive(vitals.map(|vitals| &vitals[row])) {
                let oxygen_mmhg = oxygen.at(residents[row].0, around[row].voxel);
                hif.advance(parameters, oxygen_mmhg, hours);
            }
        });
    }
}

/// The HIF axis.
pub struct HypoxiaPlugin;

impl Plugin for HypoxiaPlugin {
    fn build(&self, app: &mut App) {
        app.register_molecule_use("hif", "oxygen")
            .register_group::<HypoxiaParameters>("hypoxia")
            .register_capability::<HifParameters>("hif")
            .register_cell_state::<HifAxis>("hif_axis")
            .register_quantity::<HifAxis>(
                Quantity::new(
                    "hif.level",
                    "",
                    "HIF-1a relative to its level without oxygen.",
                )
                .label("HIF-1α")
                .column("hif_1a")
                .source("Jiang et al. 1996, doi:10.1152/ajpcell.1996.271.4.C1172")
                .of_the_living()
                .featured(),
                |axis| axis.hif_1a,
            )
            .register_quantity_with::<HifAxis, _>(
                Quantity::new(
                    "hif.activation",
                    "",
                    "How far HIF-1a has risen from its level in normoxia (0) to that without oxygen (1).",
                )
                .label("HIF-1α activation")
                .source("(H - H_n) / (1 - H_n)")
                .of_the_living(),
                |world| {
                    let normoxic = world.resource::<HypoxiaParameters>().normoxic_hif_1a();
                    move |axis| axis.activation(normoxic)
                },
            )
            .register_metric(
                Metric::new("hif_1a_mean", "", "Mean HIF-1a of living cells."),
                Measure::Mean("hif.level".into()),
            )
            .register_metric(
                Metric::new("hif_1a_max", "", "Highest HIF-1a of a living cell."),
                Measure::Most("hif.level".into()),
            )
            .register_metric(
                Metric::new(
                    "hypoxic_fraction",
                    "",
                    "Share of living cells with no more oxygen than `hypoxia.hypoxic_below_mmhg`.",
                )
                .label("hypoxic fraction")
                .figure(2),
                Measure::ShareUpTo(
                    "oxygen".into(),
                    Box::new(|world| world.resource::<HypoxiaParameters>().hypoxic_below_mmhg),
                ),
            )
            .begin_cells(|place| {
                place.parameters::<HifParameters>()?;
                let hypoxia = place.world.resource::<HypoxiaParameters>();
                Some(Beginning::settled(HifAxis::settled(
                    hypoxia,
                    place.level("oxygen"),
                )))
            })
            .register_cell_invariant::<HifAxis>(SimSystems::Signal, "update_hif", |axis| {
                outside("its HIF-1a", axis.hif_1a, 0.0, 1.0)
            })
            .while_in_transit(update_hif, InTransit::Runs, "it follows oxygen, which is that of the background")
            .add_systems(SimSchedule, update_hif.in_set(SimSystems::Signal));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::biology::testing::shipped_input;
    use crate::cell::testing::*;
    use crate::tissue::TissueBlock;

    fn bench_with_cell(step_minutes: f64, oxygen_mmhg: f32, hif_1a: f32) -> (App, Entity) {
        let mut app = bench(step_minutes);
        app.add_plugins(HypoxiaPlugin);
        add_site(&mut app, block(), &[]);
        set(&mut app, HifParameters::default());
        set_background(&mut app, "oxygen", oxygen_mmhg);
        let cell = app
            .world_mut()
            .spawn((cell(0, Surroundings::default()), HifAxis { hif_1a }))
            .id();
        (app, cell)
    }

    fn block() -> TissueBlock {
        TissueBlock {
            name: "block".into(),
            min_um: Vec3::ZERO,
            dims: UVec3::splat(2),
            voxel_um: Vec3::splat(20.0),
            walls: true,
            perfusion_length_um: None,
        }
    }

    fn level(app: &App, cell: Entity) -> f32 {
        app.world().get::<HifAxis>(cell).unwrap().hif_1a
    }

    /// Level after two days at that oxygen pressure, through the systems of the step.
    fn after_two_days(oxygen_mmhg: f32) -> f32 {
        let (mut app, cell) = bench_with_cell(10.0, oxygen_mmhg, 0.0);
        for _ in 0..288 {
            step(&mut app);
        }
        level(&app, cell)
    }

    #[test]
    fn the_dose_response_is_that_of_jiang_1996() {
        let without = after_two_days(0.0);
        assert!((without - 1.0).abs() < 1e-4);
        assert!(after_two_days(4.0) / without > 0.9);
        assert!(after_two_days(38.0) / without < 0.15);
        let (mut low, mut high) = (4.0, 38.0);
        for _ in 0..20 {
            let middle = 0.5 * (low + high);
            if after_two_days(middle) > 0.5 * without {
                low = middle;
            } else {
                high = middle;
            }
        }
        assert!((11.0..=15.0).contains(&low), "half-maximal at {low} mmHg");
    }

    /// Minutes until the level has crossed 0.5.
    fn minutes_to_half(step_minutes: f64, oxygen_mmhg: f32, start: f32) -> f64 {
        let (mut app, cell) = bench_with_cell(step_minutes, oxygen_mmhg, start);
        let mut before = start;
        loop {
            step(&mut app);
            let now = level(&app, cell);
            let clock = app.world().resource::<Clock>();
            if (now - 0.5) * (start - 0.5) <= 0.0 {
                let last = f64::from((before - 0.5) / (before - now));
                return clock.minutes() + (last - 1.0) * step_minutes;
            }
            assert!(clock.hours() < 10.0);
            before = now;
        }
    }

    #[test]
    fn hif_is_gone_minutes_after_reoxygenation_and_back_hours_after_hypoxia() {
        // H(t) = H* + (H_0 - H*) exp(-r t) crosses 0.5 at t = ln((H_0 - H*) / (0.5 - H*)) / r, with r and H* of the
        // rate equation at that oxygen pressure.
        let crosses = |oxygen: f64, start: f64| {
            let ratio = (oxygen / 34.7).powi(3);
            let rate = 0.396 + 7.92 * ratio / (1.0 + ratio);
            let steady = 0.396 / rate;
            60.0 * ((start - steady) / (0.5 - steady)).ln() / rate
        };
        for (oxygen, start) in [(160.0, 1.0), (60.0, 1.0), (0.0, 0.0), (2.0, 0.05)] {
            let expected = crosses(oxygen, start);
            for step_minutes in [1.0, 0.25] {
                let found = minutes_to_half(step_minutes, oxygen as f32, start as f32);
                // The crossing is read off a chord of the last step.
                assert!(
                    (found - expected).abs() < 0.02,
                    "{found}, not {expected} min"
                );
            }
        }
        // Half of what there is without oxygen is gone within minutes in air.
        let half_life = minutes_to_half(0.25, 160.0, 1.0);
        assert!((4.0..=8.0).contains(&half_life), "{half_life} min");
    }

    #[test]
    fn the_course_does_not_depend_on_the_step() {
        let after_an_hour = |step_minutes: f64| {
            let (mut app, cell) = bench_with_cell(step_minutes, 10.0, 0.1);
            for _ in 0..(60.0 / step_minutes) as usize {
                step(&mut app);
            }
            level(&app, cell)
        };
        let minutes = after_an_hour(1.0);
        assert!((after_an_hour(0.5) - minutes).abs() < 1e-5);
        assert!((after_an_hour(20.0) - minutes).abs() < 1e-5);
    }

    #[test]
    fn dead_cells_keep_still() {
        let (mut app, cell) = bench_with_cell(1.0, 0.0, 0.2);
        let dead = Vital {
            state: crate::cell::State::NecroticLysed,
            ..Vital::default()
        };
        app.world_mut().entity_mut(cell).insert(dead);
        step(&mut app);
        assert_eq!(level(&app, cell), 0.2);
    }

    /// VEGF-A that the shipped cancer cell secretes where it has lived at that oxygen for long, molecules/s.
    fn secretion(hypoxia: &HypoxiaParameters, oxygen_mmhg: f32) -> f32 {
        let level = HifAxis::settled(hypoxia, oxygen_mmhg).hif_1a;
        shipped_input("exchange.vegf_a", &[("hif.level", level)])
    }

    #[test]
    fn activation_lies_between_none_and_full_wherever_normoxia_is_put() {
        for normoxia_mmhg in [1.0e-3, 3.8, 13.0, 38.0, 760.0] {
            let hypoxia = HypoxiaParameters {
                normoxia_mmhg,
                ..HypoxiaParameters::default()
            };
            let activation = |oxygen_mmhg| {
                let axis = HifAxis::settled(&hypoxia, oxygen_mmhg);
                axis.activation(hypoxia.normoxic_hif_1a())
            };
            for oxygen_mmhg in [0.0, 10.0, 100.0] {
                let found = activation(oxygen_mmhg);
                assert!(
                    (0.0..=1.0).contains(&found),
                    "{found} at {oxygen_mmhg}, normoxia {normoxia_mmhg} mmHg"
                );
            }
            assert_eq!(activation(normoxia_mmhg), 0.0);
            // So near to anoxia that none is left between, it has no meaning.
            if normoxia_mmhg > 1.0 {
                assert_eq!(activation(0.0), 1.0);
            }
        }
    }

    #[test]
    fn vegf_of_the_shipped_cancer_cell_rises_from_normoxia_to_anoxia_as_published() {
        let hypoxia = HypoxiaParameters::default();
        let secretion = |oxygen_mmhg| secretion(&hypoxia, oxygen_mmhg);
        // Two- to seven-fold, 7.15 fitted (Buchler 2003).
        let fold = secretion(0.0) / secretion(38.0);
        assert!((2.0..=7.15).contains(&fold), "{fold}");
        // 0.1 (1 + 6 H) molecules a second, H being .396 / (.396 + 7.92 r^3 / (1 + r^3)) in the long run.
        for oxygen_mmhg in [0.0, 4.0, 13.0, 38.0, 100.0] {
            let ratio = (oxygen_mmhg / 34.7_f64).powi(3);
            let level = 0.396 / (0.396 + 7.92 * ratio / (1.0 + ratio));
            let expected = 0.1 * (1.0 + 6.0 * level);
            let found = f64::from(secretion(oxygen_mmhg as f32));
            assert!((found / expected - 1.0).abs() < 1e-5, "{found}, {expected}");
        }
    }
}
