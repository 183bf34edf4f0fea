//! How a scene says what lymphatics a tissue has, and what holds for all of them.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::parameters::{Contradiction, Limits, Parameters};
use crate::tissue::network::{Held, Network, NetworkError, NewSegment, Port, Sprouts, VesselKind};

/// A lymphatic of a tissue at the start; a site lists them as its part `lymphatics`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct LymphaticDescription {
    /// Where it begins blindly, um.
    pub from_um: (f32, f32, f32),
    /// Where it leaves the tissue, um.
    pub to_um: (f32, f32, f32),
    /// Radius, um; 12. Initial lymphatics measure 10-60 um across. From memory.
    #[serde(default = "radius_um")]
    pub radius_um: f32,
    /// Length of the segments that it is made of, um.
    #[serde(default = "piece_um")]
    pub piece_um: f32,
}

const fn radius_um() -> f32 {
    12.0
}

const fn piece_um() -> f32 {
    20.0
}

impl Parameters for Vec<LymphaticDescription> {
    fn limits(field: &str) -> Limits {
        let between = |min, max| Limits { min, max };
        match field.rsplit('.').next().unwrap_or(field) {
            "radius_um" => between(0.5, 200.0),
            "piece_um" => between(5.0, 1.0e4),
            _ => between(-1.0e6, 1.0e6),
        }
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        let list = self.iter().enumerate();
        let same = list.filter(|(_, of)| of.from_um == of.to_um);
        same.map(|(number, _)| contradiction(number, "it has no length: its ends are the same"))
            .collect()
    }

    fn contradictions_in(&self, size_um: Vec3) -> Vec<Contradiction> {
        let half = 0.5 * size_um + 1.0e-3;
        let mut found = Vec::new();
        for (number, of) in self.iter().enumerate() {
            for at in [of.from_um, of.to_um] {
                if Vec3::from(at).abs().cmpgt(half).any() {
                    let what = format!("{at:?} um is outside of the site");
                    found.push(contradiction(number, &what));
                }
            }
        }
        found
    }
}

fn contradiction(number: usize, what: &str) -> Contradiction {
    Contradiction {
        field: "",
        other: "",
        message: format!("lymphatics {number}: {what}"),
    }
}

/// Puts lymphatics into a network. What cannot be was told when the scene was checked.
pub(super) fn place(network: &mut Network, list: &[LymphaticDescription]) {
    for of in list {
        let (from, to) = (Vec3::from(of.from_um), Vec3::from(of.to_um));
        let pieces = (from.distance(to) / of.piece_um).round().max(1.0) as u32;
        let outlet = Port {
            side: VesselKind::Vein,
            held: Held::Pressure(0.0),
            haematocrit: 0.0,
        };
        let placed = network.change(|growth| {
            let mut last = growth.add_node(from, None)?;
            for piece in 1..=pieces {
                let port = (piece == pieces).then_some(outlet);
                let next = growth.add_node(from.lerp(to, piece as f32 / pieces as f32), port)?;
                growth.add_segment(NewSegment {
                    from: last,
                    to: next,
                    kind: VesselKind::Vein,
                    radius_um: of.radius_um,
                    length_um: None,
                    maturity: 1.0,
                    sprout: Sprouts::NONE,
                })?;
                last = next;
            }
            Ok::<_, NetworkError>(())
        });
        debug_assert!(placed.is_ok(), "{placed:?}");
    }
}

/// How lymphatics drain and call, the same in all tissues (group `lymphatics`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct LymphaticParameters {
    /// Time after which drainage is worked out anew, min.
    pub every_min: f32,
    /// Hydraulic conductivity of their wall, um/(mmHg min); 0.42. Calibrated: 20 mm/mm3 of 15 um radius drain as normal tissue does, 8e-4 /(mmHg min)
    /// (Baxter and Jain 1990) [M].
    pub wall_conductivity_um_per_mmhg_min: f32,
    /// Pressure in them, mmHg; 0 (Baxter and Jain 1990) [M].
    pub pressure_mmhg: f32,
    /// CCL21 that a micrometre of them gives off, molecules/s; 5. Assumed.
    pub ccl21_molecules_per_s_um: f32,
}

impl Default for LymphaticParameters {
    fn default() -> Self {
        Self {
            every_min: 10.0,
            wall_conductivity_um_per_mmhg_min: 0.42,
            pressure_mmhg: 0.0,
            ccl21_molecules_per_s_um: 5.0,
        }
    }
}

impl Parameters for LymphaticParameters {
    fn limits(field: &str) -> Limits {
        let between = |min, max| Limits { min, max };
        match field {
            "every_min" => between(0.01, 1.0e5),
            "pressure_mmhg" => between(-100.0, 100.0),
            _ => between(0.0, 1.0e6),
        }
    }
}
