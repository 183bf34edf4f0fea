//! What is said of a name in a rule that is not known: the nearest one that is, or what else bears the name.

use bevy::prelude::*;

use super::parameters::{CellTypeNames, ParameterError, check_parameter, nearest};
use super::quantity::Quantities;
use super::rule::RuleBook;

/// So many names are listed.
const MAX_LISTED: usize = 12;

/// Says that a name is not known, with the nearest one that is.
pub(super) fn unknown<S: AsRef<str>>(what: &str, name: &str, known: &[S]) -> String {
    let mut message = format!("there is no {what} `{name}`");
    if let Some(guess) = nearest(name, known) {
        message.push_str(&format!("; did you mean `{guess}`?"));
    }
    message
}

/// Says that there is no such input; of a parameter, which inputs its module has.
pub(super) fn unknown_input(
    world: &World,
    cell_type: Option<u16>,
    name: &str,
    known: &[&str],
) -> String {
    if !is_parameter(world, cell_type, name) {
        return unknown("input", name, known);
    }
    let module = name.split_once('.').map_or(name, |(module, _)| module);
    let inside = format!("{module}.");
    let inputs = known.iter().filter(|known| known.starts_with(&inside));
    let inputs = listed(inputs.copied());
    let inputs = if inputs.is_empty() {
        format!("`{module}` has no inputs")
    } else {
        format!("the inputs of `{module}` are {inputs}")
    };
    format!("`{name}` is a parameter, not an input; {inputs}")
}

/// Whether that is the path of a parameter, of cells without the name of their type.
fn is_parameter(world: &World, cell_type: Option<u16>, name: &str) -> bool {
    let is_known = |path: &str| {
        let checked = check_parameter(world, path, 1.0);
        !matches!(checked, Err(ParameterError::Unknown { .. }))
    };
    let types = world.get_resource::<CellTypeNames>();
    let of = cell_type.and_then(|index| types?.0.get(usize::from(index)));
    of.is_some_and(|of| is_known(&format!("{of}.{name}"))) || is_known(name)
}

/// Says that there is no such quantity; of a category or the column of a quantity, that it is one.
pub(super) fn unknown_quantity(world: &World, name: &str, known: &[&str]) -> String {
    let Some(all) = world.get_resource::<Quantities>() else {
        return unknown("quantity", name, known);
    };
    if all.category(name).is_some() {
        return format!("`{name}` is a category; a rule goes by a quantity, which is a number");
    }
    let column = all
        .cells
        .iter()
        .find(|quantity| quantity.info.column.as_deref() == Some(name));
    match column {
        Some(quantity) => format!(
            "`{name}` is a column of tables; the quantity in it is `{}`",
            quantity.info.name
        ),
        None => unknown("quantity", name, known),
    }
}

/// Says that a cell type or a site has no such rule, and which it has.
pub(super) fn unknown_rule(of: &str, name: &str, book: &RuleBook) -> String {
    let names: Vec<&str> = book.rules.keys().map(String::as_str).collect();
    let start = format!("there is no rule `{of}.{name}`");
    match nearest(name, &names) {
        Some(guess) => format!("{start}; did you mean `{of}.{guess}`?"),
        None if names.is_empty() => format!("{start}: `{of}` has none"),
        None => format!("{start}: those of `{of}` are {}", listed(names)),
    }
}

/// Names one after the other; of many only the first.
fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names.iter().take(MAX_LISTED);
    let quoted: Vec<String> = shown.map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MAX_LISTED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", quoted.join(", "))
}
