//! What cells can be coloured by, in the order in which it is offered.

use bevy::prelude::*;

use crate::scene::ColourBy;
use crate::simulation::Catalogue;
use crate::view::overlay::capitalised;

/// Keys of the first choices.
const KEYS: [(KeyCode, KeyCode); 4] = [
    (KeyCode::Digit1, KeyCode::Numpad1),
    (KeyCode::Digit2, KeyCode::Numpad2),
    (KeyCode::Digit3, KeyCode::Numpad3),
    (KeyCode::Digit4, KeyCode::Numpad4),
];

/// Number of choices that have a key and a button.
pub(super) const WITH_KEY: usize = KEYS.len();

/// Something to colour cells by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    /// What is chosen.
    pub colour_by: ColourBy,
    /// What a person reads.
    pub label: String,
    /// What it is, in a sentence.
    pub about: String,
}

/// All there is to choose from: the type, categories, the quantities that are featured, then the rest. Categories that
/// prevail come late, for their colours are seen under most choices anyway.
pub(super) fn choices(catalogue: &Catalogue) -> Vec<Choice> {
    let mut all = vec![Choice {
        colour_by: ColourBy::Type,
        label: "Type".into(),
        about: "Type of the cell.".into(),
    }];
    for early in [true, false] {
        for category in &catalogue.categories {
            if category.prevails != early {
                all.push(Choice {
                    colour_by: ColourBy::Category(category.name.clone()),
                    label: capitalised(&category.label),
                    about: category.about.clone(),
                });
            }
        }
        for quantity in &catalogue.quantities {
            if quantity.featured == early {
                all.push(Choice {
                    colour_by: ColourBy::Quantity(quantity.name.clone()),
                    label: capitalised(&quantity.label),
                    about: quantity.about.clone(),
                });
            }
        }
    }
    all
}

/// What a key chooses.
pub(super) fn of_key(catalogue: &Catalogue, key: KeyCode) -> Option<ColourBy> {
    let place = KEYS
        .iter()
        .position(|(digit, pad)| key == *digit || key == *pad)?;
    let choice = choices(catalogue).into_iter().nth(place)?;
    Some(choice.colour_by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::quantity::{Category, Quantity};

    /// A catalogue of things that no module of the program knows.
    fn catalogue() -> Catalogue {
        let category = |name: &str, prevails| Category {
            name: name.into(),
            label: name.into(),
            about: String::new(),
            values: Vec::new(),
            prevails,
            of_the_living: false,
        };
        Catalogue {
            quantities: vec![
                Quantity::new("sea.salt", "", "How salty."),
                Quantity::new("sea.depth", "m", "How deep.").featured(),
            ],
            categories: vec![category("fate", true), category("mood", false)],
            ..Catalogue::default()
        }
    }

    #[test]
    fn everything_in_the_catalogue_can_be_chosen_what_is_featured_first() {
        let all = choices(&catalogue());
        let labels: Vec<&str> = all.iter().map(|choice| choice.label.as_str()).collect();
        assert_eq!(labels, ["Type", "Mood", "Sea depth", "Fate", "Sea salt"]);
        assert_eq!(all[4].colour_by, ColourBy::Quantity("sea.salt".into()));
    }

    #[test]
    fn keys_choose_the_first_of_what_there_is() {
        let chosen = |catalogue: &Catalogue, key| of_key(catalogue, key);
        let full = catalogue();
        assert_eq!(chosen(&full, KeyCode::Digit1), Some(ColourBy::Type));
        let depth = ColourBy::Quantity("sea.depth".into());
        assert_eq!(chosen(&full, KeyCode::Numpad3), Some(depth));
        assert_eq!(chosen(&full, KeyCode::KeyA), None);
        assert_eq!(chosen(&Catalogue::default(), KeyCode::Digit2), None);
    }
}
