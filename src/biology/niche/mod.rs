//! The pre-metastatic niche: how vesicles of a tumour ready the ground of an organ before the tumour comes.
//!
//! A niche is a place. In a site with the part `niche`, each resident (capability `education`) is educated by what binds to it, `X`; around the
//! educated, fibronectin is laid, `F`, in patches of some 100 um; where there is fibronectin, cells of the bone marrow come out of the blood, `B` of
//! what there is room for. With the dose `U` that the resident gets, over the one that educates by half:
//!
//! - `dX/dt = (U - X) / 3 d`, of each resident;
//! - `dF/dt = k_F m h(X; 1, 2) (1 - F) - F / 10 d`, `h` and the input `niche.laying`, `m`, the means over the residents of the patch;
//! - marrow cells come at the rate `k_B r h(F; 0.4, 3) (1 - B) B_max V`, `r` the input `niche.recruitment` of the site, and leave at `1 / 5 d`, each by chance.
//!
//! The order cargo, fibronectin, marrow cells, and days 12-14 for the last, is that of Kaplan et al. 2005 (doi:10.1038/nature04186), Peinado et al. 2012
//! (doi:10.1038/nm.2753) and Costa-Silva et al. 2015 (doi:10.1038/ncb3169); the constants are calibrated to these days.
//!
//! What educates residents is said by rules on `niche.dose`, what they need to lay fibronectin by rules on `niche.laying` (MIF), what
//! marrow cells need by rules on `niche.recruitment` of the site (MET: three tenths come without any). What a niche does is said by rules as well: by `niche.education` residents
//! secrete S100, which opens the walls of vessels and draws marrow cells; by `niche.ripeness`, `F B`, tumour cells grow there.
//!
//! [`educate`] runs in `Signal`; every half hour [`ripen`] in `Act`.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::event::{Passage, RegisterEvent};
use crate::cell::{ActSystems, order_act};
use crate::core::Clock;
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs};
use crate::core::invariant::{Breach, RegisterInvariant, outside};
use crate::core::parameters::{Limits, Parameters, RegisterParameters};
use crate::core::site_part::RegisterSitePart;
use crate::core::state::{Owner, RegisterState};
use crate::core::{RegisterPurpose, SimSchedule, SimSystems};
use crate::tissue::TissueBlock;

mod known;
pub mod marrow;
mod picture;
mod resident;
pub mod ripening;
pub mod state;

pub use marrow::{MARROW_CELL_COMES, MARROW_CELL_LEAVES, MarrowDerived, MarrowDerivedParameters};
pub use resident::{Educated, EducationParameters, educate};
pub use ripening::ripen;
pub use state::{Niche, NicheDescription};

/// How niches ripen, the same everywhere (group `niche`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct NicheParameters {
    /// Time in which education follows its dose, d; 3. Assumed.
    pub education_days: f32,
    /// Laying of fibronectin by fully educated residents, `k_F`, 1/d; 0.2. Calibrated.
    pub laying_per_day: f32,
    /// Education at which they lay half of it; 1.
    pub half_education: f32,
    /// Steepness of that; 2. Assumed.
    pub education_exponent: f32,
    /// Time in which fibronectin is lost, d; 10. Assumed.
    pub fibronectin_days: f32,
    /// Coming of marrow cells where there is plenty of fibronectin, `k_B`, 1/d; 0.5. Calibrated.
    pub recruitment_per_day: f32,
    /// Fibronectin at which half as many come; 0.4. Calibrated.
    pub half_fibronectin: f32,
    /// Steepness of that; 3. Assumed.
    pub fibronectin_exponent: f32,
    /// How many times as fast as in life niches ripen, for scenes paced for the eye; 1.
    pub pace: f32,
}

impl Default for NicheParameters {
    fn default() -> Self {
        Self {
            education_days: 3.0,
            laying_per_day: 0.2,
            half_education: 1.0,
            education_exponent: 2.0,
            fibronectin_days: 10.0,
            recruitment_per_day: 0.5,
            half_fibronectin: 0.4,
            fibronectin_exponent: 3.0,
            pace: 1.0,
        }
    }
}

impl Parameters for NicheParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "education_exponent" | "fibronectin_exponent" => Limits {
                min: 0.1,
                max: 20.0,
            },
            "pace" => Limits {
                min: 0.01,
                max: 100.0,
            },
            "laying_per_day" | "recruitment_per_day" => Limits {
                min: 0.0,
                max: 1.0e3,
            },
            _ => Limits {
                min: 1.0e-3,
                max: 1.0e4,
            },
        }
    }
}

/// How often a niche is looked at, min.
const EVERY_MINUTES: f64 = 30.0;

/// Whether it is in this step.
fn is_due(clock: Res<Clock>) -> bool {
    clock.is_turn(EVERY_MINUTES)
}

/// The input of sites.
const RECRUITMENT: &str = "niche.recruitment";

/// What changes niches in every site that has one.
const RULES: &str = include_str!("../../../assets/niche/rules.ron");

/// Niches.
pub struct NichePlugin;

impl Plugin for NichePlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        resident::register(app);
        marrow::register(app);
        app.register_group::<NicheParameters>("niche")
            .register_kept::<Niche>(Owner::Site, "niche")
            .register_site_part::<NicheDescription>("niche", |world, site, part| {
                if let Some(block) = world.get::<TissueBlock>(site) {
                    let niche = Niche::new(block, part);
                    world.entity_mut(site).insert(niche);
                }
            })
            .give_site_part_rules("niche", RULES)
            .register_site_input(
                InputInfo::new(
                    RECRUITMENT,
                    "",
                    "How readily marrow cells come into the niches of the site, over how they do with plenty of MET.",
                )
                .limits(Limits {
                    min: 0.0,
                    max: 1.0e3,
                }),
                |world, site| Some(world.get::<Niche>(site)?.recruitment),
            )
            .register_purpose(marrow::COMING)
            .register_purpose(marrow::GOING)
            .register_passage(
                MARROW_CELL_COMES,
                Passage::Recruitment,
                "A cell of the bone marrow came out of the blood into a niche.",
            )
            .register_passage(
                MARROW_CELL_LEAVES,
                Passage::Removal,
                "A cell of the bone marrow left a niche.",
            )
            .register_invariant(SimSystems::Act, "ripen", |world| {
                let mut niches = world.try_query::<&Niche>()?;
                let found = niches.iter(world).find_map(|niche| {
                    let all = niche.fibronectin.iter();
                    all.copied()
                        .find_map(|of| outside("the fibronectin of a patch", of, 0.0, 1.0))
                });
                found.map(Breach::new)
            })
            .while_in_transit(
                ripen,
                InTransit::Pauses,
                "who is between two organs is in no niche",
            )
            .add_systems(SimSchedule, ripen.run_if(is_due).in_set(ActSystems::Walk));
        known::register(app);
        picture::register(app);
    }
}

#[cfg(test)]
mod tests;
