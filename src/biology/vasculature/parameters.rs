//! How blood flows and vessels live, the same in all tissues.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::parameters::{Limits, Parameters};

/// How blood flows and vessels live, the same in all tissues (group `vessels`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct VesselParameters {
    /// Time after which flow, collapse and what becomes of vessels are worked out anew, min.
    pub every_min: f32,
    /// Viscosity of plasma, mPa s; 1.2.
    pub plasma_viscosity_mpa_s: f32,
    /// Whether blood flows as in vessels, whose walls bear a layer that holds plasma still (Pries 1994), or as in glass tubes (Pries 1992).
    pub in_vivo_viscosity: bool,
    /// Blood that moves slower than this counts as standing, um/s; 5, a hundredth of what is usual in capillaries. Assumed.
    pub least_velocity_um_per_s: f32,
    /// Radius of the narrowest tube that a red cell passes, um; 1.35 (Canham and Burton 1968) [M].
    pub closed_radius_um: f32,
    /// What presses on a vessel where cells press on each other with a pressure of 1, mmHg; 45. Calibrated: inside a growing tumour that is 0.8-1, and
    /// closes capillaries that have few pericytes; solid stress in tumours is 2-60 mmHg (Stylianopoulos 2012) [M].
    pub solid_stress_mmhg: f32,
    /// How far around a vessel cells press on it, um; 20. Assumed.
    pub press_reach_um: f32,
    /// Pressure from outside at which a vessel without pericytes is half as wide, mmHg; 20, that of the blood in it. Assumed.
    pub half_open_mmhg: f32,
    /// What complete cover by pericytes adds to that, mmHg; 20. Assumed.
    pub pericyte_support_mmhg: f32,
    /// How sharply vessels close, `n` in `1/(1 + (stress/half)^n)`; 4. Assumed.
    pub collapse_exponent: f32,
    /// Radius to which a vessel can be pressed, as a share of that at rest; 0.05: flow goes with the fourth power. Assumed.
    pub closed_share: f32,
    /// How fast a vessel whose stimulus is 1 widens, 1/d; 0.1. Calibrated: weeks, as in experiments.
    pub remodelling_per_day: f32,
    /// What a vessel that has sprouted must be stimulated by to keep its width, `k_s`; 0.5. Calibrated: a capillary of 4 um in which blood moves at 0.2 mm/s
    /// keeps it. Vessels that a scene places keep theirs at the stimulus with which they begin.
    pub shrinking_tendency: f32,
    /// How strongly a vessel holds to the width that it had at first, `k_w`; 2: at the utmost stimulus of 1 it becomes three times as wide. Assumed; shear
    /// stress alone adds up to 1.
    pub holds_width: f32,
    /// How much of the stimulus comes from the pressure that sets the shear stress aimed at, `k_p`; 0.68 (Pries 1998, Am J Physiol 275:H349).
    pub pressure_sensitivity: f32,
    /// How much comes from a lack of flow, `k_m`; 0.7 (Pries 1998).
    pub metabolic_sensitivity: f32,
    /// Shear stress added so that none counts as little, Pa; 0.0103 (Pries 1998).
    pub reference_shear_pa: f32,
    /// Flow of red cells below which vessels lack it, um3/min; 1.98e5, 0.198 nL/min (Pries 1998).
    pub reference_cell_flow_um3_per_min: f32,
    /// Radius below which no vessel shrinks, um; 2. Assumed.
    pub least_radius_um: f32,
    /// Radius beyond which none widens, um; 50. Assumed.
    pub most_radius_um: f32,
    /// Shear stress below which vessels without pericytes are taken back, Pa; 0.15, of 0.05-0.5.
    pub pruned_below_pa: f32,
    /// How often they are, 1/h for one without pericytes; 0.1. Calibrated: a mesh loses a quarter of its segments and 1 % of its inflow.
    pub pruning_per_hour: f32,
    /// How often 200 um of a vessel that has sprouted and has no pericytes die back, 1/d; 0.22 without VEGF-A, as in treated tumours (Winkler 2004 for the
    /// arrow). Assumed.
    pub regression_per_day: f32,
    /// How much of that complete cover by pericytes spares, `c`; 0.45: of 0.22 /d 0.12 stay. Assumed.
    pub cover_spares: f32,
    /// How fast pericytes cover a perfused vessel, 1/d; 0.5: two days. Assumed.
    pub maturation_per_day: f32,
}

impl Default for VesselParameters {
    fn default() -> Self {
        Self {
            every_min: 10.0,
            plasma_viscosity_mpa_s: 1.2,
            in_vivo_viscosity: true,
            least_velocity_um_per_s: 5.0,
            closed_radius_um: 1.35,
            solid_stress_mmhg: 45.0,
            press_reach_um: 20.0,
            half_open_mmhg: 20.0,
            pericyte_support_mmhg: 20.0,
            collapse_exponent: 4.0,
            closed_share: 0.05,
            remodelling_per_day: 0.1,
            shrinking_tendency: 0.5,
            holds_width: 2.0,
            pressure_sensitivity: 0.68,
            metabolic_sensitivity: 0.7,
            reference_shear_pa: 0.0103,
            reference_cell_flow_um3_per_min: 1.98e5,
            least_radius_um: 2.0,
            most_radius_um: 50.0,
            pruned_below_pa: 0.15,
            pruning_per_hour: 0.1,
            regression_per_day: 0.22,
            cover_spares: 0.45,
            maturation_per_day: 0.5,
        }
    }
}

impl Parameters for VesselParameters {
    fn limits(field: &str) -> Limits {
        let between = |min, max| Limits { min, max };
        match field {
            "every_min" => between(0.01, 1.0e5),
            "plasma_viscosity_mpa_s" => between(0.1, 100.0),
            "closed_share" => between(0.01, 1.0),
            "cover_spares" => Limits::FRACTION,
            "press_reach_um" => between(0.0, 100.0),
            "collapse_exponent" => between(0.1, 20.0),
            "half_open_mmhg" | "reference_shear_pa" | "reference_cell_flow_um3_per_min" => {
                between(1.0e-6, 1.0e9)
            }
            "least_radius_um" | "most_radius_um" => between(0.5, 1000.0),
            "shrinking_tendency" => between(-10.0, 10.0),
            _ => between(0.0, 1.0e6),
        }
    }
}

impl VesselParameters {
    /// Share of its radius that a vessel keeps under a pressure from outside, mmHg.
    pub fn openness(&self, compression_mmhg: f32, maturity: f32) -> f32 {
        let half = self.half_open_mmhg + self.pericyte_support_mmhg * maturity;
        let load = compression_mmhg.max(0.0) / half;
        let open = 1.0 / (1.0 + bevy::math::ops::powf(load, self.collapse_exponent));
        open.max(self.closed_share)
    }

    /// What tells a vessel to widen; it keeps its width where that is `k_s`. With the shear stress `t`, that aimed at at its pressure `t_P`, and the flow of
    /// red cells `q`, `lg(t + t_ref) - k_p lg t_P + k_m lg(q_ref/q + 1)`, stresses in dyn/cm2 (Pries, Secomb and Gaehtgens 1998).
    pub fn stimulus(&self, shear_pa: f32, pressure_mmhg: f32, cells_um3_per_min: f32) -> f32 {
        let lg = bevy::math::ops::log10;
        let shear = lg(10.0 * (shear_pa + self.reference_shear_pa));
        let lack = lg(self.reference_cell_flow_um3_per_min / cells_um3_per_min.max(1.0) + 1.0);
        shear - self.pressure_sensitivity * lg(aimed_at_dyn_per_cm2(pressure_mmhg))
            + self.metabolic_sensitivity * lack
    }
}

/// Shear stress that vessels of a pressure aim at, dyn/cm2: `100 - 86 exp(-5000 (lg lg P)^5.4)` (Pries, Secomb and Gaehtgens 1995, Am J Physiol
/// 269:H1713), at 10 mmHg and above.
pub fn aimed_at_dyn_per_cm2(pressure_mmhg: f32) -> f32 {
    use bevy::math::ops::{exp, log10, powf};
    let twice = log10(log10(pressure_mmhg.max(10.0)));
    100.0 - 86.0 * exp(-5000.0 * powf(twice.max(0.0), 5.4))
}
