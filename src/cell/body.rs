//! Where a cell is and what it is made of.
//!
//! A cell is an overdamped sphere. Its volume is kept in parts, as in PhysiCell's standard volume model
//! (Ghaffarizadeh et al. 2018, PLoS Comput Biol 14:e1005991, supplement): water `F`, solids of the nucleus
//! `N` and of the cytoplasm `C`, each relaxing to its own target at its own rate,
//!
//! `dN/dt = r_N (N* - N)`, `dC/dt = r_C (C* - C)`, `dF/dt = r_F (f (F + N + C) - F)`,
//!
//! where `f` is the wanted share of water. The equations are linear, so [`VolumeStep`] solves them exactly:
//! how a cell grows does not depend on the length of the step. Targets follow from what the cell is doing
//! (resting, preparing to divide, dying) and are not state of their own; [`super::growth`] applies them.

use bevy::math::ops;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::life::{Beginning, RegisterLife};
use crate::core::SimSystems;
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parameters::{Contradiction, Limits, Parameters, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::random::probability;
use crate::core::regulate::RegisterTypes;
use crate::core::state::RegisterState;
use crate::core::units::{ball_radius_um, ball_volume_um3};
use crate::tissue::SiteId;

/// Row of a cell in the tables of parameters ([`PerType`]): the index of its cell type in the library of prefabs, or
/// behind those of the types that of a clone, see [`crate::core::clones::Clones::type_of`].
#[derive(
    Component,
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Reflect,
    bytemuck::TransparentWrapper,
)]
#[repr(transparent)]
pub struct CellType(pub u16);

/// The site in which a cell lives.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Reflect)]
pub struct Resident(pub SiteId);

/// Centre of a cell, site-local um.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Position(pub Vec3);

/// The matter of a cell, um3. Radius follows from the total volume.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Body {
    /// Water, um3.
    pub fluid_um3: f32,
    /// Solids of the nucleus, um3.
    pub nuclear_solid_um3: f32,
    /// Solids of the cytoplasm, um3.
    pub cytoplasmic_solid_um3: f32,
    /// Radius of the ball of this volume, um; kept up to date by whoever changes the volume.
    pub radius_um: f32,
}

impl Body {
    /// Total volume, um3.
    pub const fn volume_um3(&self) -> f32 {
        self.fluid_um3 + self.nuclear_solid_um3 + self.cytoplasmic_solid_um3
    }

    /// Volume of the nucleus, um3: its solids and the share of the water that goes with them.
    pub const fn nucleus_volume_um3(&self) -> f32 {
        let solid = self.nuclear_solid_um3 + self.cytoplasmic_solid_um3;
        if solid <= 0.0 {
            return 0.0;
        }
        self.nuclear_solid_um3 * (1.0 + self.fluid_um3 / solid)
    }

    /// Radius of the nucleus, um, for whoever draws it.
    pub fn nucleus_radius_um(&self) -> f32 {
        ball_radius_um(self.nucleus_volume_um3())
    }

    /// Recomputes [`Body::radius_um`] from the volume.
    pub fn refresh_radius(&mut self) {
        self.radius_um = ball_radius_um(self.volume_um3());
    }

    /// Leaves half of everything: the body of each of the two daughters of a dividing cell. Halving is exact in
    /// binary, so the two hold exactly the mother's matter.
    pub fn halve(&mut self) {
        self.fluid_um3 *= 0.5;
        self.nuclear_solid_um3 *= 0.5;
        self.cytoplasmic_solid_um3 *= 0.5;
        self.refresh_radius();
    }
}

/// How fast the parts of a body approach their targets, 1/h.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct VolumeRates {
    /// Exchange of water, 1/h.
    pub fluid_per_hour: f32,
    /// Making or losing solids of the nucleus, 1/h.
    pub nucleus_per_hour: f32,
    /// Making or losing solids of the cytoplasm, 1/h.
    pub cytoplasm_per_hour: f32,
}

/// Size and composition of a cell type (capability `body`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct BodyParameters {
    /// Volume of a resting cell, um3. 2494: radius 8.41 um, MCF-7 [P]; breast cells measure 17 um across
    /// (Abramczyk 2015) [Q].
    pub volume_um3: f32,
    /// Volume of the nucleus of a resting cell, um3; 540 [P].
    pub nucleus_um3: f32,
    /// Share of water in a living cell, 0-1; 0.75 [P].
    pub fluid_fraction: f32,
    /// How fast a living cell grows towards its targets: water 3, nucleus 0.33, cytoplasm 0.27 per hour [P].
    pub growth: VolumeRates,
}

impl Default for BodyParameters {
    fn default() -> Self {
        Self {
            volume_um3: 2494.0,
            nucleus_um3: 540.0,
            fluid_fraction: 0.75,
            growth: VolumeRates {
                fluid_per_hour: 3.0,
                nucleus_per_hour: 0.33,
                cytoplasm_per_hour: 0.27,
            },
        }
    }
}

impl Parameters for BodyParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "volume_um3" | "nucleus_um3" => Limits {
                min: 1.0,
                max: 1.0e6,
            },
            "fluid_fraction" => Limits {
                min: 0.0,
                max: 0.99,
            },
            _ => Limits {
                min: 0.0,
                max: 1000.0,
            },
        }
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        let (nucleus, cell) = (self.nucleus_um3, self.volume_um3);
        if cell <= 0.0 || nucleus <= cell {
            return Vec::new();
        }
        vec![Contradiction {
            field: "nucleus_um3",
            other: "volume_um3",
            message: format!("a nucleus of {nucleus} um3 is larger than its cell ({cell} um3)"),
        }]
    }
}

impl BodyParameters {
    /// Targets of a living cell that rests, or that has copied its DNA and makes matter for two.
    pub fn living(&self, doubled: bool) -> VolumeTargets {
        let copies = if doubled { 2.0 } else { 1.0 };
        let solid_fraction = 1.0 - self.fluid_fraction;
        let nucleus_um3 = self.nucleus_um3.min(self.volume_um3);
        VolumeTargets {
            fluid_fraction: self.fluid_fraction,
            nuclear_solid_um3: copies * solid_fraction * nucleus_um3,
            cytoplasmic_solid_um3: copies * solid_fraction * (self.volume_um3 - nucleus_um3),
        }
    }

    /// The body of a resting cell.
    pub fn resting_body(&self) -> Body {
        let targets = self.living(false);
        let mut body = Body {
            fluid_um3: self.fluid_fraction * self.volume_um3,
            nuclear_solid_um3: targets.nuclear_solid_um3,
            cytoplasmic_solid_um3: targets.cytoplasmic_solid_um3,
            radius_um: 0.0,
        };
        body.refresh_radius();
        body
    }

    /// The body of a cell that entered S phase so many hours ago at its resting size; for cells that are put
    /// into a scene in the middle of their cycle.
    pub fn growing_body(&self, hours_since_s_entry: f32) -> Body {
        let mut body = self.resting_body();
        VolumeStep::new(self.growth, self.living(true), hours_since_s_entry).apply(&mut body);
        body
    }

    /// The radius of a resting cell, um.
    pub fn resting_radius_um(&self) -> f32 {
        ball_radius_um(self.volume_um3)
    }
}

/// What the parts of a body approach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VolumeTargets {
    /// Wanted share of water in the whole cell, 0-1.
    pub fluid_fraction: f32,
    /// Solids of the nucleus, um3.
    pub nuclear_solid_um3: f32,
    /// Solids of the cytoplasm, um3.
    pub cytoplasmic_solid_um3: f32,
}

/// The exact solution of the volume equations over a given time, ready to be applied to many bodies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VolumeStep {
    targets: VolumeTargets,
    nucleus_gain: f32,
    cytoplasm_gain: f32,
    fluid_loss: f32,
    fluid_per_target: f32,
    fluid_per_nucleus: f32,
    fluid_per_cytoplasm: f32,
}

impl VolumeStep {
    /// Solves the equations over `hours`.
    pub fn new(rates: VolumeRates, targets: VolumeTargets, hours: f32) -> Self {
        let VolumeRates {
            fluid_per_hour: fluid,
            nucleus_per_hour: nucleus,
            cytoplasm_per_hour: cytoplasm,
        } = rates;
        // With solids S(t) = S* + A exp(-a t) + B exp(-b t) the water obeys dF/dt = -k F + r_F f S(t).
        let decay = fluid * (1.0 - targets.fluid_fraction);
        let drive = fluid * targets.fluid_fraction;
        Self {
            targets,
            nucleus_gain: probability(nucleus, hours),
            cytoplasm_gain: probability(cytoplasm, hours),
            fluid_loss: probability(decay, hours),
            fluid_per_target: drive * convolved(decay, 0.0, hours),
            fluid_per_nucleus: drive * convolved(decay, nucleus, hours),
            fluid_per_cytoplasm: drive * convolved(decay, cytoplasm, hours),
        }
    }

    /// Lets a body live through that time.
    #[inline]
    pub fn apply(&self, body: &mut Body) {
        let excess_nucleus = body.nuclear_solid_um3 - self.targets.nuclear_solid_um3;
        let excess_cytoplasm = body.cytoplasmic_solid_um3 - self.targets.cytoplasmic_solid_um3;
        let solid_target = self.targets.nuclear_solid_um3 + self.targets.cytoplasmic_solid_um3;
        body.fluid_um3 += self.fluid_per_target * solid_target
            + self.fluid_per_nucleus * excess_nucleus
            + self.fluid_per_cytoplasm * excess_cytoplasm
            - self.fluid_loss * body.fluid_um3;
        body.nuclear_solid_um3 -= self.nucleus_gain * excess_nucleus;
        body.cytoplasmic_solid_um3 -= self.cytoplasm_gain * excess_cytoplasm;
        body.refresh_radius();
    }
}

/// `integral over s from 0 to t of exp(-a s) exp(-k (t - s))`, also where both rates agree. It is the same with the two
/// rates exchanged, so that the difference is taken as positive: no power of e grows beyond what a number holds.
fn convolved(k: f32, a: f32, time: f32) -> f32 {
    let x = (k - a).abs() * time;
    let mean = if x < 1e-3 {
        1.0 - x / 2.0 + x * x / 6.0
    } else {
        probability(1.0, x) / x
    };
    ops::exp(-k.min(a) * time) * mean * time
}

/// What is wrong with a body that cannot be: a part that is not a volume, a radius that is not that of its
/// volume.
fn wrong_with(body: &Body) -> Option<String> {
    const LARGEST_UM3: f32 = 1.0e9;
    outside("its water, um3,", body.fluid_um3, 0.0, LARGEST_UM3)
        .or_else(|| {
            outside(
                "its nucleus, um3,",
                body.nuclear_solid_um3,
                0.0,
                LARGEST_UM3,
            )
        })
        .or_else(|| {
            let cytoplasm = body.cytoplasmic_solid_um3;
            outside("its cytoplasm, um3,", cytoplasm, 0.0, LARGEST_UM3)
        })
        .or_else(|| {
            let radius = ball_radius_um(body.volume_um3());
            (body.radius_um != radius || radius <= 0.0).then(|| {
                format!(
                    "its radius is {} um, that of its volume {radius}",
                    body.radius_um
                )
            })
        })
}

/// Bodies: their size, and what becomes of it in a division. They grow by [`super::growth`].
pub struct BodyPlugin;

impl Plugin for BodyPlugin {
    fn build(&self, app: &mut App) {
        app.register_types::<CellType>()
            .register_common_capability::<BodyParameters>("body")
            .register_cell_state::<Body>("body")
            .begin_cells(|place| {
                let body = place.parameters::<BodyParameters>();
                Some(Beginning::settled(
                    body.cloned().unwrap_or_default().resting_body(),
                ))
            })
            .divide_cells(|cell, division| {
                let Some(mut body) = cell.get_mut::<Body>() else {
                    return;
                };
                body.halve();
                // Two daughters of the mother's volume just touch at this distance from her centre.
                let apart = division.side * body.radius_um * division.axis;
                if let Some(mut position) = cell.get_mut::<Position>() {
                    position.0 += apart;
                }
            })
            .register_cell_invariant::<Body>(SimSystems::Act, "grow_bodies", wrong_with)
            .register_quantity::<Body>(
                Quantity::new(
                    "body.radius",
                    "um",
                    "Radius of the ball of the cell's volume.",
                )
                .label("radius")
                .column("radius_um")
                .range(0.0, 12.0),
                |body| body.radius_um,
            )
            .register_quantity::<Body>(
                Quantity::new("body.volume", "um3", "Volume of the cell.")
                    .label("volume")
                    .column("volume_um3")
                    .range(0.0, 5000.0),
                |body| ball_volume_um3(body.radius_um),
            )
            .register_quantity::<Body>(
                Quantity::new("body.nucleus_radius", "um", "Radius of its nucleus.")
                    .label("radius of the nucleus")
                    .no_column()
                    .range(0.0, 8.0),
                Body::nucleus_radius_um,
            )
            .register_metric(
                Metric::new(
                    "cell_volume_mean_um3",
                    "um3",
                    "Mean volume of living cells.",
                ),
                Measure::Mean("body.volume".into()),
            );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::DeathParameters;

    /// The same equations by explicit Euler steps of 0.3 s in double precision.
    fn integrate(body: &Body, rates: VolumeRates, targets: VolumeTargets, hours: f64) -> [f64; 3] {
        let steps = (hours * 12_000.0).round() as usize;
        let dt = hours / steps as f64;
        let (mut fluid, mut nucleus, mut cytoplasm) = (
            f64::from(body.fluid_um3),
            f64::from(body.nuclear_solid_um3),
            f64::from(body.cytoplasmic_solid_um3),
        );
        for _ in 0..steps {
            let wanted = f64::from(targets.fluid_fraction) * (fluid + nucleus + cytoplasm);
            fluid += dt * f64::from(rates.fluid_per_hour) * (wanted - fluid);
            nucleus += dt
                * f64::from(rates.nucleus_per_hour)
                * (f64::from(targets.nuclear_solid_um3) - nucleus);
            cytoplasm += dt
                * f64::from(rates.cytoplasm_per_hour)
                * (f64::from(targets.cytoplasmic_solid_um3) - cytoplasm);
        }
        [fluid, nucleus, cytoplasm]
    }

    fn parts(body: &Body) -> [f64; 3] {
        [
            f64::from(body.fluid_um3),
            f64::from(body.nuclear_solid_um3),
            f64::from(body.cytoplasmic_solid_um3),
        ]
    }

    fn assert_close(found: [f64; 3], expected: [f64; 3], tolerance: f64) {
        let scale: f64 = expected.iter().sum();
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() < tolerance * scale,
                "{found} is not {expected}"
            );
        }
    }

    fn ways() -> Vec<(VolumeRates, VolumeTargets)> {
        let (body, death) = (BodyParameters::default(), DeathParameters::default());
        let nothing = |fluid_fraction| VolumeTargets {
            fluid_fraction,
            nuclear_solid_um3: 0.0,
            cytoplasmic_solid_um3: 0.0,
        };
        let equal_rates = VolumeRates {
            fluid_per_hour: 1.2,
            nucleus_per_hour: 0.3,
            cytoplasm_per_hour: 0.3,
        };
        vec![
            (body.growth, body.living(true)),
            (death.apoptotic, nothing(0.0)),
            (death.swelling, nothing(1.0)),
            (death.lysed, nothing(0.0)),
            // Here the rate of the water, 1.2 x (1 - 0.75), equals those of the solids.
            (equal_rates, body.living(true)),
        ]
    }

    #[test]
    fn a_step_of_any_length_follows_the_volume_equations() {
        let start = BodyParameters::default().resting_body();
        for (rates, targets) in ways() {
            for hours in [0.05, 1.0, 8.6] {
                let mut body = start;
                VolumeStep::new(rates, targets, hours).apply(&mut body);
                let expected = integrate(&start, rates, targets, f64::from(hours));
                assert_close(parts(&body), expected, 2e-4);
            }
        }
    }

    #[test]
    fn many_short_steps_equal_one_long_step() {
        for (rates, targets) in ways() {
            let [mut minutes, mut halves, mut once] = [BodyParameters::default().resting_body(); 3];
            let minute = VolumeStep::new(rates, targets, 1.0 / 60.0);
            let half = VolumeStep::new(rates, targets, 0.5 / 60.0);
            for _ in 0..600 {
                minute.apply(&mut minutes);
                half.apply(&mut halves);
                half.apply(&mut halves);
            }
            VolumeStep::new(rates, targets, 10.0).apply(&mut once);
            assert_close(parts(&minutes), parts(&once), 1e-5);
            assert_close(parts(&halves), parts(&minutes), 1e-5);
        }
    }

    #[test]
    fn a_resting_cell_has_the_published_size_and_keeps_it() {
        let parameters = BodyParameters::default();
        let mut body = parameters.resting_body();
        assert!((body.volume_um3() - 2494.0).abs() < 0.01);
        assert!((body.radius_um - 8.41).abs() < 0.01);
        assert!((body.nucleus_volume_um3() - 540.0).abs() < 0.01);
        let step = VolumeStep::new(parameters.growth, parameters.living(false), 1.0 / 60.0);
        for _ in 0..6000 {
            step.apply(&mut body);
        }
        assert!((body.volume_um3() - 2494.0).abs() < 0.1);
    }

    #[test]
    fn a_cell_has_nearly_doubled_when_it_divides_and_its_halves_hold_all_of_it() {
        let parameters = BodyParameters::default();
        let mother = parameters.growing_body(13.0);
        assert!(mother.volume_um3() > 1.9 * parameters.volume_um3);
        assert!(mother.volume_um3() < 2.0 * parameters.volume_um3);
        let mut daughter = mother;
        daughter.halve();
        assert_eq!(daughter.fluid_um3 + daughter.fluid_um3, mother.fluid_um3);
        assert_eq!(
            2.0 * daughter.nuclear_solid_um3 + 2.0 * daughter.cytoplasmic_solid_um3,
            mother.nuclear_solid_um3 + mother.cytoplasmic_solid_um3
        );
        assert_eq!(2.0 * daughter.volume_um3(), mother.volume_um3());
    }
}
