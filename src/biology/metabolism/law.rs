//! What a cell burns in given surroundings: the laws of metabolism and their parameters. Sources are at each.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::{GLUCOSE, Metabolism, OXYGEN};
use crate::cell::contact::CONFLUENT_SHARE;
use crate::core::parameters::{Contradiction, Limits, Parameters};
use crate::core::saturation::{hill, ramp};
use crate::core::units::{AMOL_PER_UM3_PER_MM, SECONDS_PER_MINUTE};
use crate::tissue::Fields;

/// Seconds in a minute, as the systems use it.
const PER_MINUTE: f32 = SECONDS_PER_MINUTE as f32;
/// Oxygen molecules that oxidise a glucose completely.
const OXYGEN_PER_GLUCOSE: f32 = 6.0;

/// All that [`MetabolismParameters::rates`] says about a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetabolicRates {
    /// What it exchanges.
    pub exchange: Metabolism,
    /// Oxygen taken up, amol/s.
    pub oxygen_amol_per_s: f32,
    /// Glucose taken up, amol/s.
    pub glucose_amol_per_s: f32,
    /// ATP made, amol/s.
    pub atp_amol_per_s: f32,
    /// Acidity around the cell, pH.
    pub ph: f32,
}

/// How oxygen uptake depends on oxygen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub enum OxygenLaw {
    /// Saturating: `q_max p / (p + K)`.
    #[default]
    MichaelisMenten,
    /// Proportional to oxygen, as in PhysiCell, for comparison.
    FirstOrder,
}

impl OxygenLaw {
    /// The volume that a cell of that volume breathes for, um3: the law is per volume of tissue, or of cells.
    pub const fn breathing_um3(self, cell_um3: f32) -> f32 {
        match self {
            Self::MichaelisMenten => cell_um3 / CONFLUENT_SHARE,
            Self::FirstOrder => cell_um3,
        }
    }
}

/// The physical chemistry of metabolites, the same in all cells (group `chemistry`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct MetabolismChemistry {
    /// pH of blood, without excess lactate; 7.4 [M].
    pub blood_ph: f32,
    /// Lactate that lowers pH by one unit, mM; 18, of 15-25. Calibrated to the pH of 6.6 to 7.0 of tumours: 80 um from a vessel it
    /// gives 6.93, as adenocarcinomas have (doi:10.3109/02656739509022457, abstract). With 30 it never falls below 7.
    pub buffer_mm_per_ph: f32,
}

impl Default for MetabolismChemistry {
    fn default() -> Self {
        Self {
            blood_ph: 7.4,
            buffer_mm_per_ph: 18.0,
        }
    }
}

impl Parameters for MetabolismChemistry {
    fn limits(field: &str) -> Limits {
        match field {
            "blood_ph" => Limits { min: 6.0, max: 8.0 },
            _ => Limits {
                min: 1.0e-6,
                max: 1.0e6,
            },
        }
    }
}

impl MetabolismChemistry {
    /// pH where lactate is that concentrated.
    pub const fn ph(&self, lactate_mm: f32) -> f32 {
        self.blood_ph - lactate_mm / self.buffer_mm_per_ph
    }
}

/// How cells of a type burn (capability `metabolism`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct MetabolismParameters {
    /// How oxygen uptake depends on oxygen.
    pub oxygen_law: OxygenLaw,
    /// Oxygen uptake at saturation, mmHg per second of tissue volume. 8.7: tumour in vivo, the setting of tissue
    /// scenes [T]; cultured spheroids breathe 22.1 (Grimes 2014) [M], normal breast 2.2 [T].
    pub oxygen_uptake_mmhg_per_s: f32,
    /// Rate of uptake with the first-order law, 1/min of the cell's own volume; 10 [P].
    pub oxygen_first_order_per_min: f32,
    /// Greatest rise of oxygen uptake when glucose is short, `m`; 1.1 (Casciari 1992) [A].
    pub glucose_shortage_gain: f32,
    /// Glucose at which half of that rise is left, `G_m`, mM; 1 (Casciari 1992) [A].
    pub glucose_shortage_mm: f32,
    /// pH below which there is no such rise; 6.6 (Casciari 1992) [A].
    pub respiration_ph_min: f32,
    /// pH above which the rise is complete; 7.25 (Casciari 1992) [A].
    pub respiration_ph_max: f32,
    /// Glucose uptake at saturation with plentiful oxygen, amol/s. 50: low end of the range of 50-200 [M].
    pub glucose_uptake_amol_per_s: f32,
    /// Pasteur effect: relative rise of glucose uptake without oxygen, at once and without HIF-1a, `a`; 0.4, as
    /// measured by Casciari 1992 [A].
    pub pasteur_gain: f32,
    /// Oxygen at which half of it is left, `p_P`, mmHg; 10. Starting value.
    pub pasteur_half_mmhg: f32,
    /// Relative loss of glucose uptake per unit of pH below [`Self::glycolysis_ph`]; 2: -60 % from pH 7.25 to 6.95
    /// (Casciari 1992) [A].
    pub acid_brake_per_ph: f32,
    /// pH below which acid slows glycolysis; 7.25 (Casciari 1992) [A].
    pub glycolysis_ph: f32,
    /// Share of glucose uptake that acid leaves at least; 0.1. Starting value.
    pub acid_brake_floor: f32,
    /// Share of pyruvate that is oxidised, `f`, where the oxygen taken up suffices for it (six molecules a glucose) and
    /// no rule changes it; 0.2: 1.6 lactate per glucose [M].
    pub oxidised_share: f32,
    /// ATP made per oxygen molecule. 4.7: 30 ATP per glucose completely oxidised with six oxygen molecules (Rich
    /// 2003, Biochem Soc Trans 31:1095, doi:10.1042/bst0311095), less the two of glycolysis.
    pub atp_per_oxygen: f32,
    /// ATP made per glucose on its way to pyruvate; 2 (textbook stoichiometry).
    pub atp_per_glucose: f32,
    /// Oxygen below which cells do not enter S, mmHg; 5 [P].
    pub growth_min_mmhg: f32,
    /// Oxygen above which it does not hold them back, mmHg; 38 [P].
    pub growth_full_mmhg: f32,
    /// Glucose at which growth is half, mM; 0.2. Starting value.
    pub growth_glucose_mm: f32,
    /// pH below which there is no growth; 6.4. Starting value.
    pub growth_ph_min: f32,
    /// pH above which acid does not slow growth; 7.0. Starting value.
    pub growth_ph_full: f32,
    /// Glucose below which cells begin to starve, mM; 0.2, where growth is half. Starting value.
    pub starvation_onset_mm: f32,
    /// Glucose below which they starve fully, mM; 0.05. Starting value.
    pub starvation_full_mm: f32,
    /// pH below which acid begins to harm cells; 6.4, where growth stops. Starting value.
    pub acid_onset_ph: f32,
    /// pH below which it does so fully; 6.0. Starting value.
    pub acid_full_ph: f32,
}

impl Default for MetabolismParameters {
    fn default() -> Self {
        Self {
            oxygen_law: OxygenLaw::MichaelisMenten,
            oxygen_uptake_mmhg_per_s: 8.7,
            oxygen_first_order_per_min: 10.0,
            glucose_shortage_gain: 1.1,
            glucose_shortage_mm: 1.0,
            respiration_ph_min: 6.6,
            respiration_ph_max: 7.25,
            glucose_uptake_amol_per_s: 50.0,
            pasteur_gain: 0.4,
            pasteur_half_mmhg: 10.0,
            acid_brake_per_ph: 2.0,
            glycolysis_ph: 7.25,
            acid_brake_floor: 0.1,
            oxidised_share: 0.2,
            atp_per_oxygen: 4.7,
            atp_per_glucose: 2.0,
            growth_min_mmhg: 5.0,
            growth_full_mmhg: 38.0,
            growth_glucose_mm: 0.2,
            growth_ph_min: 6.4,
            growth_ph_full: 7.0,
            starvation_onset_mm: 0.2,
            starvation_full_mm: 0.05,
            acid_onset_ph: 6.4,
            acid_full_ph: 6.0,
        }
    }
}

impl Parameters for MetabolismParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "acid_brake_floor" | "oxidised_share" => Limits::FRACTION,
            field if field.contains("_ph") && !field.contains("per_ph") => {
                Limits { min: 5.0, max: 9.0 }
            }
            _ => Limits {
                min: 0.0,
                max: 1.0e4,
            },
        }
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        let pairs = [
            (
                "starvation_full_mm",
                self.starvation_full_mm,
                "starvation_onset_mm",
                self.starvation_onset_mm,
            ),
            (
                "acid_full_ph",
                self.acid_full_ph,
                "acid_onset_ph",
                self.acid_onset_ph,
            ),
            (
                "growth_min_mmhg",
                self.growth_min_mmhg,
                "growth_full_mmhg",
                self.growth_full_mmhg,
            ),
            (
                "growth_ph_min",
                self.growth_ph_min,
                "growth_ph_full",
                self.growth_ph_full,
            ),
            (
                "respiration_ph_min",
                self.respiration_ph_min,
                "respiration_ph_max",
                self.respiration_ph_max,
            ),
        ];
        let wrong = pairs.into_iter().filter(|(_, low, _, high)| low > high);
        wrong
            .map(|(field, low, other, high)| Contradiction {
                field,
                other,
                message: format!("must not be above `{other}` ({high}), found {low}"),
            })
            .collect()
    }
}

/// How a cell's metabolism is set, by rules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetabolicSetting {
    /// Oxygen uptake, relative to what glucose and acidity make it.
    pub respiration: f32,
    /// Glucose uptake with plentiful oxygen, relative to [`MetabolismParameters::glucose_uptake_amol_per_s`].
    pub glycolysis: f32,
    /// Share of the pyruvate that is oxidised where oxygen suffices for it.
    pub oxidised_share: f32,
}

/// What a cell finds of the molecules that it lives on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metabolites {
    /// Oxygen, mmHg.
    pub oxygen_mmhg: f32,
    /// Glucose, mM.
    pub glucose_mm: f32,
    /// Lactate, mM.
    pub lactate_mm: f32,
}

/// What the molecules themselves say about uptake. It is not the cell types' to say: all uptake from a voxel is summed
/// before the law of saturation is applied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UptakeConstants {
    /// Oxygen at which uptake is half, mmHg.
    pub oxygen_half_mmhg: f32,
    /// Glucose at which uptake is half, mM.
    pub glucose_half_mm: f32,
    /// Oxygen dissolved in tissue, nM per mmHg.
    pub oxygen_nm_per_mmhg: f32,
}

impl UptakeConstants {
    /// Those of the molecules of a simulation; infinite, so that nothing is taken up, where there is no such molecule.
    pub(super) fn of(fields: &Fields) -> Self {
        let half = |name| {
            let molecule = fields.molecule(name);
            molecule.map_or(f32::INFINITY, |molecule| molecule.half_saturation)
        };
        Self {
            oxygen_half_mmhg: half(OXYGEN),
            glucose_half_mm: half(GLUCOSE),
            oxygen_nm_per_mmhg: fields
                .molecule(OXYGEN)
                .map_or(0.0, |oxygen| oxygen.nm_per_unit),
        }
    }
}

impl MetabolismParameters {
    /// The factor `M` by which a shortage of glucose raises oxygen uptake.
    pub fn respiration_factor(&self, glucose_mm: f32, ph: f32) -> f32 {
        let ratio = glucose_mm / self.glucose_shortage_mm.max(f32::MIN_POSITIVE);
        1.0 + self.glucose_shortage_gain / (1.0 + ratio * ratio)
            * ramp(ph, self.respiration_ph_min, self.respiration_ph_max)
    }

    /// Glucose uptake at saturation, amol/s, with that oxygen, relative glycolysis and pH.
    pub fn glucose_capacity_amol_per_s(&self, oxygen_mmhg: f32, glycolysis: f32, ph: f32) -> f32 {
        let pasteur = self.pasteur_gain * (1.0 - hill(oxygen_mmhg, self.pasteur_half_mmhg, 2.0));
        let brake = 1.0 - self.acid_brake_per_ph * (self.glycolysis_ph - ph);
        self.glucose_uptake_amol_per_s
            * (glycolysis + pasteur)
            * brake.max(self.acid_brake_floor).min(1.0)
    }

    /// The growth factor `g` that oxygen, glucose and acidity allow, 0-1.
    pub fn growth_factor(&self, oxygen_mmhg: f32, glucose_mm: f32, ph: f32) -> f32 {
        ramp(oxygen_mmhg, self.growth_min_mmhg, self.growth_full_mmhg)
            * hill(glucose_mm, self.growth_glucose_mm, 2.0)
            * ramp(ph, self.growth_ph_min, self.growth_ph_full)
    }

    /// How far a cell starves for lack of glucose, 0-1.
    pub fn starvation(&self, glucose_mm: f32) -> f32 {
        1.0 - ramp(
            glucose_mm,
            self.starvation_full_mm,
            self.starvation_onset_mm,
        )
    }

    /// How far acid harms a cell, 0-1.
    pub fn acid_harm(&self, ph: f32) -> f32 {
        1.0 - ramp(ph, self.acid_full_ph, self.acid_onset_ph)
    }

    /// ATP that a cell of that volume makes with plentiful glucose and the oxygen from which on it grows in full, amol/s, as
    /// it is without rules: what its ATP is compared with.
    pub fn ample_atp_amol_per_s(&self, uptake: &UptakeConstants, volume_um3: f32) -> f32 {
        let oxygen = self.growth_full_mmhg;
        let oxygen_per_min = match self.oxygen_law {
            OxygenLaw::MichaelisMenten => {
                self.oxygen_uptake_mmhg_per_s
                    * PER_MINUTE
                    * hill(oxygen, uptake.oxygen_half_mmhg, 1.0)
            }
            OxygenLaw::FirstOrder => self.oxygen_first_order_per_min * oxygen,
        };
        self.atp_per_oxygen * self.oxygen_amol_per_s(uptake, oxygen_per_min, volume_um3)
            + self.atp_per_glucose * self.glucose_uptake_amol_per_s
    }

    /// Oxygen that a cell of that volume takes up where its tissue takes up so many mmHg in a minute, amol/s.
    fn oxygen_amol_per_s(
        &self,
        uptake: &UptakeConstants,
        oxygen_per_min: f32,
        volume_um3: f32,
    ) -> f32 {
        // 1000 nM are 1 uM, 1e-3 mM, and 1 mM is 1 amol/um3.
        let amol_per_mmhg = uptake.oxygen_nm_per_mmhg / 1000.0
            * 1.0e-3
            * self.oxygen_law.breathing_um3(volume_um3)
            * AMOL_PER_UM3_PER_MM as f32;
        oxygen_per_min / PER_MINUTE * amol_per_mmhg
    }

    /// What a cell of that volume burns in those surroundings.
    pub fn rates(
        &self,
        chemistry: &MetabolismChemistry,
        uptake: &UptakeConstants,
        around: Metabolites,
        set: MetabolicSetting,
        volume_um3: f32,
    ) -> MetabolicRates {
        let (oxygen, glucose) = (around.oxygen_mmhg, around.glucose_mm);
        let ph = chemistry.ph(around.lactate_mm);
        let respiration = set.respiration * self.respiration_factor(glucose, ph);
        let (booked_per_min, oxygen_per_min) = match self.oxygen_law {
            OxygenLaw::MichaelisMenten => {
                let capacity = self.oxygen_uptake_mmhg_per_s * PER_MINUTE * respiration;
                let share = hill(oxygen, uptake.oxygen_half_mmhg, 1.0);
                (capacity, capacity * share)
            }
            OxygenLaw::FirstOrder => {
                let rate = set.respiration * self.oxygen_first_order_per_min;
                (rate, rate * oxygen)
            }
        };
        let oxygen_amol_per_s = self.oxygen_amol_per_s(uptake, oxygen_per_min, volume_um3);
        let glucose_capacity = self.glucose_capacity_amol_per_s(oxygen, set.glycolysis, ph);
        let glucose_amol_per_s = glucose_capacity * hill(glucose, uptake.glucose_half_mm, 1.0);
        let oxidised_amol_per_s =
            (set.oxidised_share * glucose_amol_per_s).min(oxygen_amol_per_s / OXYGEN_PER_GLUCOSE);
        let atp_amol_per_s =
            self.atp_per_oxygen * oxygen_amol_per_s + self.atp_per_glucose * glucose_amol_per_s;
        let ample = self.ample_atp_amol_per_s(uptake, volume_um3);
        MetabolicRates {
            exchange: Metabolism {
                oxygen_per_min: booked_per_min,
                glucose_capacity_amol_per_s: glucose_capacity,
                lactate_amol_per_s: 2.0 * (glucose_amol_per_s - oxidised_amol_per_s),
                // A cell that needs none lacks none.
                atp: if ample > 0.0 {
                    atp_amol_per_s / ample
                } else {
                    1.0
                },
            },
            oxygen_amol_per_s,
            glucose_amol_per_s,
            atp_amol_per_s,
            ph,
        }
    }
}
