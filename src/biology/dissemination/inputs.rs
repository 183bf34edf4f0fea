//! What rules can change of dissemination, see the table of [`super`].

use bevy::prelude::*;

use super::circulation::{ANOIKIS, ARREST, DIAMETER, HOLD, NK, PLATELETS, SHEAR};
use super::colonisation::{
    ARRESTED_DEATH, AWAKENING, COLONY_DEATH, DORMANT_DEATH, EXTRAVASATION, GROWTH, SOLITARY_DEATH,
    SWITCH,
};
use super::intravasation::{CCR7, COHESION, LYMPH, RATE};
use super::{Circulation, CirculationParameters, ColonisationParameters, IntravasationParameters};
use crate::core::input::{InputInfo, RegisterInputs};
use crate::core::parameters::Limits;
use crate::tissue::Organ;

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
            "Rate at which a cell with the CCR7 of a mesenchymal one enters the lymph.",
            "lymph_per_day",
        ),
        (
            CCR7,
            "",
            "CCR7 on a cell, by which it finds its way into the lymph, over that of a mesenchymal one.",
            "ccr7",
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
    )
    .register_input::<CirculationParameters>(
        InputInfo::new(
            PLATELETS,
            "",
            "How much of it platelets come to cover in the blood, 0-1.",
        ),
        "platelets",
    );
    app.register_site_input(
        InputInfo::new(
            HOLD,
            "",
            "How many times as much the capillaries of its organ hold of cells in the blood.",
        )
        .limits(FOLD),
        |world, site| {
            world.get_resource::<Circulation>()?.get()?;
            let organ = world.get::<Organ>(site)?;
            (*organ != Organ::Medium).then_some(1.0)
        },
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
