//! The circuit that switches a cell between epithelial and mesenchymal: two loops of mutual inhibition, SNAIL1 with
//! miR-34 and ZEB with miR-200, and autocrine TGF-beta.
//!
//! Tian, Zhang and Xing 2013 (Biophys J 105:1079, doi:10.1016/j.bpj.2013.07.011) write nine equations. Proteins and
//! TGF-beta turn over within two hours, RNA within a day, so the former are taken at their balance with the latter, which
//! leaves every fixed point where it is:
//!
//! - `T = [k0_T + k_T / (1 + (R2/J_T)^2)] / kd_T + T_ext`, TGF-beta, own and from outside;
//! - `S = k_S s / (kd_S (1 + (R3/J_S)^2))`, SNAIL1; `Z = k_Z z / (kd_Z (1 + (R2/J_Z)^2))`, ZEB;
//! - `ds/dt = k0_s + k_s h(T; J_s) - kd_s s`, its messenger RNA; `dz/dt = k0_z + k_z h(S; J_z) - kd_z z`;
//! - `dR3/dt = k0_3 + k_3 / (1 + (S/J_13)^2 + (Z/J_23)^2) - kd_3 R3`, miR-34;
//! - `dR2/dt = k0_2 + k_2 / (1 + (S/J_12)^2 + (Z/J_22)^2) - kd_2 R2`, miR-200;
//! - `E = [k_E1 / (1 + (S/J_E1)^2) + k_E2 / (1 + (Z/J_E2)^2)] / kd_E`, E-cadherin;
//! - `N = [k_N1 h(S; J_N1) + k_N2 h(Z; J_N2)] / kd_N`, N-cadherin;
//!
//! with `h(x; K) = x^2 / (K^2 + x^2)`. Concentrations are in the units of the paper, where TGF-beta is about 1 ng/mL.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::parameters::{Limits, Parameters};
use crate::core::random::probability;

/// The longest step of the equations, h. The fastest of the four variables turns over in 11 h.
const LONGEST_STEP_HOURS: f32 = 0.2;

/// The constants of the circuit, the same in all cells (group `emt_circuit`). All are those of Tian, Zhang and Xing 2013 [E].
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct EmtCircuitParameters {
    /// Own TGF-beta made in any case, `k0_T`, ng/mL/h.
    pub tgf_beta_basal_per_hour: f32,
    /// miR-200 at which the rest of it is halved, `J_T`.
    pub tgf_beta_half_mir_200: f32,
    /// Loss of own TGF-beta, `kd_T`, 1/h.
    pub tgf_beta_loss_per_hour: f32,
    /// SNAIL1 messenger made in any case, `k0_s`, 1/h.
    pub snail_rna_basal_per_hour: f32,
    /// SNAIL1 messenger made under TGF-beta, `k_s`, 1/h.
    pub snail_rna_per_hour: f32,
    /// TGF-beta at which that is half, `J_s`, ng/mL.
    pub snail_half_tgf_beta: f32,
    /// Loss of SNAIL1 messenger, `kd_s`, 1/h.
    pub snail_rna_loss_per_hour: f32,
    /// SNAIL1 made from its messenger, `k_S`, 1/h.
    pub snail_per_hour: f32,
    /// miR-34 at which that is halved, `J_S`.
    pub snail_half_mir_34: f32,
    /// Loss of SNAIL1, `kd_S`, 1/h.
    pub snail_loss_per_hour: f32,
    /// miR-34 made in any case, `k0_3`, 1/h.
    pub mir_34_basal_per_hour: f32,
    /// miR-34 made where nothing inhibits it, `k_3`, 1/h.
    pub mir_34_per_hour: f32,
    /// SNAIL1 at which that is halved, `J_13`.
    pub mir_34_half_snail: f32,
    /// ZEB at which that is halved, `J_23`.
    pub mir_34_half_zeb: f32,
    /// Loss of miR-34, `kd_3`, 1/h.
    pub mir_34_loss_per_hour: f32,
    /// ZEB messenger made in any case, `k0_z`, 1/h.
    pub zeb_rna_basal_per_hour: f32,
    /// ZEB messenger made under SNAIL1, `k_z`, 1/h.
    pub zeb_rna_per_hour: f32,
    /// SNAIL1 at which that is half, `J_z`.
    pub zeb_half_snail: f32,
    /// Loss of ZEB messenger, `kd_z`, 1/h.
    pub zeb_rna_loss_per_hour: f32,
    /// ZEB made from its messenger, `k_Z`, 1/h.
    pub zeb_per_hour: f32,
    /// miR-200 at which that is halved, `J_Z`.
    pub zeb_half_mir_200: f32,
    /// Loss of ZEB, `kd_Z`, 1/h.
    pub zeb_loss_per_hour: f32,
    /// miR-200 made in any case, `k0_2`, 1/h.
    pub mir_200_basal_per_hour: f32,
    /// miR-200 made where nothing inhibits it, `k_2`, 1/h.
    pub mir_200_per_hour: f32,
    /// SNAIL1 at which that is halved, `J_12`.
    pub mir_200_half_snail: f32,
    /// ZEB at which that is halved, `J_22`.
    pub mir_200_half_zeb: f32,
    /// Loss of miR-200, `kd_2`, 1/h.
    pub mir_200_loss_per_hour: f32,
    /// Cadherin that answers to SNAIL1, `k_E1 = k_N1`, 1/h.
    pub cadherin_by_snail_per_hour: f32,
    /// SNAIL1 at which that is half, `J_E1 = J_N1`.
    pub cadherin_half_snail: f32,
    /// Cadherin that answers to ZEB, `k_E2 = k_N2`, 1/h.
    pub cadherin_by_zeb_per_hour: f32,
    /// ZEB at which that is half, `J_E2 = J_N2`.
    pub cadherin_half_zeb: f32,
    /// Loss of either cadherin, `kd_E = kd_N`, 1/h.
    pub cadherin_loss_per_hour: f32,
    /// How many times as fast as in life the circuit goes, for scenes paced for the eye; 1.
    pub pace: f32,
}

impl Default for EmtCircuitParameters {
    fn default() -> Self {
        Self {
            tgf_beta_basal_per_hour: 0.06,
            tgf_beta_half_mir_200: 0.06,
            tgf_beta_loss_per_hour: 0.6,
            snail_rna_basal_per_hour: 0.0006,
            snail_rna_per_hour: 0.03,
            snail_half_tgf_beta: 1.6,
            snail_rna_loss_per_hour: 0.09,
            snail_per_hour: 17.0,
            snail_half_mir_34: 0.08,
            snail_loss_per_hour: 1.66,
            mir_34_basal_per_hour: 0.0012,
            mir_34_per_hour: 0.012,
            mir_34_half_snail: 0.15,
            mir_34_half_zeb: 0.36,
            mir_34_loss_per_hour: 0.035,
            zeb_rna_basal_per_hour: 0.003,
            zeb_rna_per_hour: 0.06,
            zeb_half_snail: 3.5,
            zeb_rna_loss_per_hour: 0.09,
            zeb_per_hour: 17.0,
            zeb_half_mir_200: 0.06,
            zeb_loss_per_hour: 1.66,
            mir_200_basal_per_hour: 0.0002,
            mir_200_per_hour: 0.012,
            mir_200_half_snail: 5.0,
            mir_200_half_zeb: 0.2,
            mir_200_loss_per_hour: 0.035,
            cadherin_by_snail_per_hour: 1.0,
            cadherin_half_snail: 0.2,
            cadherin_by_zeb_per_hour: 0.6,
            cadherin_half_zeb: 0.5,
            cadherin_loss_per_hour: 0.5,
            pace: 1.0,
        }
    }
}

impl Parameters for EmtCircuitParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "pace" => Limits {
                min: 0.01,
                max: 100.0,
            },
            field if field.contains("_half_") || field.ends_with("_loss_per_hour") => Limits {
                min: 1.0e-6,
                max: 1.0e3,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e3,
            },
        }
    }
}

/// `(x/half)^2`.
fn squared(x: f32, half: f32) -> f32 {
    let ratio = x / half;
    ratio * ratio
}

/// `x^2 / (half^2 + x^2)`.
fn switched_on(x: f32, half: f32) -> f32 {
    let square = squared(x, half);
    square / (1.0 + square)
}

/// The state of the circuit in a cell: its four RNAs, in the units of the paper.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct EmtCircuit {
    /// Messenger RNA of SNAIL1, `s`.
    pub snail_rna: f32,
    /// miR-34, `R3`.
    pub mir_34: f32,
    /// Messenger RNA of ZEB, `z`.
    pub zeb_rna: f32,
    /// miR-200, `R2`.
    pub mir_200: f32,
}

impl EmtCircuit {
    /// SNAIL1, `S`.
    pub fn snail(&self, p: &EmtCircuitParameters) -> f32 {
        p.snail_per_hour * self.snail_rna
            / (p.snail_loss_per_hour * (1.0 + squared(self.mir_34, p.snail_half_mir_34)))
    }

    /// ZEB, `Z`.
    pub fn zeb(&self, p: &EmtCircuitParameters) -> f32 {
        p.zeb_per_hour * self.zeb_rna
            / (p.zeb_loss_per_hour * (1.0 + squared(self.mir_200, p.zeb_half_mir_200)))
    }

    /// E-cadherin relative to the most there can be, 0-1.
    pub fn e_cadherin(&self, p: &EmtCircuitParameters) -> f32 {
        let by_snail =
            p.cadherin_by_snail_per_hour / (1.0 + squared(self.snail(p), p.cadherin_half_snail));
        let by_zeb = p.cadherin_by_zeb_per_hour / (1.0 + squared(self.zeb(p), p.cadherin_half_zeb));
        (by_snail + by_zeb) / most_cadherin_per_hour(p)
    }

    /// N-cadherin relative to the most there can be, 0-1.
    pub fn n_cadherin(&self, p: &EmtCircuitParameters) -> f32 {
        let by_snail =
            p.cadherin_by_snail_per_hour * switched_on(self.snail(p), p.cadherin_half_snail);
        let by_zeb = p.cadherin_by_zeb_per_hour * switched_on(self.zeb(p), p.cadherin_half_zeb);
        (by_snail + by_zeb) / most_cadherin_per_hour(p)
    }

    /// What is made of each RNA, 1/h, in the order of the fields.
    fn made_per_hour(
        &self,
        p: &EmtCircuitParameters,
        autocrine_gain: f32,
        drive_ng_per_ml: f32,
    ) -> [f32; 4] {
        let own = p.tgf_beta_basal_per_hour
            + autocrine_gain / (1.0 + squared(self.mir_200, p.tgf_beta_half_mir_200));
        let tgf_beta = own / p.tgf_beta_loss_per_hour + drive_ng_per_ml;
        let (snail, zeb) = (self.snail(p), self.zeb(p));
        [
            p.snail_rna_basal_per_hour
                + p.snail_rna_per_hour * switched_on(tgf_beta, p.snail_half_tgf_beta),
            p.mir_34_basal_per_hour
                + p.mir_34_per_hour
                    / (1.0 + squared(snail, p.mir_34_half_snail) + squared(zeb, p.mir_34_half_zeb)),
            p.zeb_rna_basal_per_hour + p.zeb_rna_per_hour * switched_on(snail, p.zeb_half_snail),
            p.mir_200_basal_per_hour
                + p.mir_200_per_hour
                    / (1.0
                        + squared(snail, p.mir_200_half_snail)
                        + squared(zeb, p.mir_200_half_zeb)),
        ]
    }

    /// Goes on for some hours under that gain of own TGF-beta, ng/mL/h, and that drive from outside, ng/mL of TGF-beta. What is made
    /// is held over at most 12 minutes, what is lost is exact.
    pub fn advance(
        &mut self,
        p: &EmtCircuitParameters,
        autocrine_gain: f32,
        drive_ng_per_ml: f32,
        hours: f32,
    ) {
        let steps = (hours / LONGEST_STEP_HOURS).ceil().max(1.0);
        let hours = hours / steps;
        let losses = losses_per_hour(p);
        let lost = losses.map(|rate| probability(rate, hours));
        for _ in 0..steps as u32 {
            let made = self.made_per_hour(p, autocrine_gain, drive_ng_per_ml);
            for (at, variable) in self.variables_mut().into_iter().enumerate() {
                *variable += lost[at] * (made[at] / losses[at] - *variable);
            }
        }
    }

    /// A cell that has lived without any drive for long and never switched: the epithelial fixed point.
    ///
    /// The circuit is monotone (each pair that inhibits each other does so both ways), so from the epithelial corner, no
    /// messengers and all the micro-RNA there can be, it comes to the nearest fixed point.
    pub fn epithelial(p: &EmtCircuitParameters, autocrine_gain: f32) -> Self {
        let losses = losses_per_hour(p);
        let mut circuit = Self {
            snail_rna: 0.0,
            mir_34: (p.mir_34_basal_per_hour + p.mir_34_per_hour) / losses[1],
            zeb_rna: 0.0,
            mir_200: (p.mir_200_basal_per_hour + p.mir_200_per_hour) / losses[3],
        };
        for _ in 0..SETTLING_ROUNDS {
            let made = circuit.made_per_hour(p, autocrine_gain, 0.0);
            for (at, variable) in circuit.variables_mut().into_iter().enumerate() {
                *variable = made[at] / losses[at];
            }
        }
        circuit
    }

    const fn variables_mut(&mut self) -> [&mut f32; 4] {
        [
            &mut self.snail_rna,
            &mut self.mir_34,
            &mut self.zeb_rna,
            &mut self.mir_200,
        ]
    }
}

/// Rounds after which the epithelial fixed point no longer moves in single precision.
const SETTLING_ROUNDS: usize = 200;

/// Loss of each RNA, 1/h, in the order of the fields.
const fn losses_per_hour(p: &EmtCircuitParameters) -> [f32; 4] {
    [
        p.snail_rna_loss_per_hour,
        p.mir_34_loss_per_hour,
        p.zeb_rna_loss_per_hour,
        p.mir_200_loss_per_hour,
    ]
}

/// What is made of a cadherin at most, 1/h.
fn most_cadherin_per_hour(p: &EmtCircuitParameters) -> f32 {
    (p.cadherin_by_snail_per_hour + p.cadherin_by_zeb_per_hour).max(f32::MIN_POSITIVE)
}
