//! What rules can change of dissemination, see the table of [`super`].

use bevy::prelude::*;

use super::circulation::{ANOIKIS, ARREST, DIAMETER, NK, SHEAR};
use super::colonisation::{
    ARRESTED_DEATH, AWAKENING, COLONY_DEATH, DORMANT_DEATH, EXTRAVASATION, GROWTH, SOLITARY_DEATH,
    SWITCH,
};
use super::intravasation::{COHESION, LYMPH, RATE};
use super::{CirculationParameters, ColonisationParameters, IntravasationParameters};
use crate::core::input::{InputInfo, RegisterInputs};
use crate::core::parameters::Limits;

/// What an input that multiplies may be.
const FOLD: Limits = Limits {
    min: 0.0,
    max: 1.0e4,
};

pub(super) fn register(app: &mut App) {
    for (name, unit, about, field) in [
        (
            RATE,
            "1/d",
            "Rate at which a cell at the leaky wall of a vessel enters the blood.",
            "per_day",
        ),
        (
            COHESION,
            "",
            "How readily bound neighbours leave with it: 1 for hybrid cells, 0 for those without E-cadherin.",
            "cohesion",
        ),
        (
            LYMPH,
            "1/d",
            "Rate at which a cell enters the lymph.",
            "lymph_per_day",
        ),
    ] {
        app.register_input::<IntravasationParameters>(InputInfo::new(name, unit, about), field);
    }
    app.register_input::<CirculationParameters>(
        InputInfo::new(
            DIAMETER,
            "um",
            "Diameter to which a cell can make itself in a capillary.",
        ),
        "diameter_um",
    );
    for (name, about) in [
        (
            ARREST,
            "Share of passages in which a bed of capillaries holds it, over that of its diameter.",
        ),
        (
            NK,
            "Rate at which natural killer cells kill it in the blood, over that of a native single cell.",
        ),
        (
            SHEAR,
            "Rate at which shear kills it in the blood, over that of a native single cell.",
        ),
        (
            ANOIKIS,
            "Rate at which it dies in the blood for want of attachment, over that of a native single cell.",
        ),
    ] {
        app.register_relative_input::<CirculationParameters>(
            InputInfo::new(name, "", about).limits(FOLD),
        );
    }
    for (name, unit, about, field) in [
        (
            EXTRAVASATION,
            "1/h",
            "Rate at which an arrested cell crosses the wall of its capillary.",
            "extravasation_per_hour",
        ),
        (
            ARRESTED_DEATH,
            "1/h",
            "Rate at which an arrested cell dies.",
            "arrested_death_per_hour",
        ),
        (
            GROWTH,
            "",
            "Probability that a cell begins to grow when it has settled.",
            "growth_chance",
        ),
        (
            SWITCH,
            "",
            "Probability that what begins to grow goes on growing.",
            "switch_chance",
        ),
        (
            SOLITARY_DEATH,
            "1/d",
            "Rate at which a solitary cell dies.",
            "solitary_death_per_day",
        ),
        (
            DORMANT_DEATH,
            "1/d",
            "Rate at which a dormant cell dies.",
            "dormant_death_per_day",
        ),
        (
            AWAKENING,
            "1/d",
            "Rate at which a dormant cell wakes.",
            "awakening_per_day",
        ),
        (
            COLONY_DEATH,
            "1/d",
            "Rate at which cells of a micrometastasis die that is not of the switched minority.",
            "colony_death_per_day",
        ),
    ] {
        app.register_input::<ColonisationParameters>(InputInfo::new(name, unit, about), field);
    }
}
