//! Whether a rule, or a change of rules, makes sense in a world: its names are known, its two ends belong to the same
//! subject, its numbers are within their limits. [`super::regulate`] applies what has passed.

use bevy::prelude::*;

use super::input::Inputs;
use super::parameters::{CellTypeNames, Limits};
use super::quantity::{LackedQuantities, Quantities};
use super::regulate::{RuleChange, Rules};
use super::rule::{Combine, Law, Rule, RuleBook};
use super::unknown_names::{unknown, unknown_input, unknown_quantity, unknown_rule};

/// What is wrong with a rule, and with which part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFault {
    /// The part: `input`, `by`, `law`, `scale`, `floor`, or empty for the rule as a whole.
    pub part: &'static str,
    /// What is wrong, in words.
    pub message: String,
    /// Whether it is that a name is not known.
    pub is_unknown: bool,
}

impl RuleFault {
    const fn new(part: &'static str, message: String) -> Self {
        Self {
            part,
            message,
            is_unknown: false,
        }
    }

    const fn unknown(part: &'static str, message: String) -> Self {
        Self {
            part,
            message,
            is_unknown: true,
        }
    }
}

/// The names of the inputs of one subject, and of the quantities that rules can join to them.
struct SubjectNames<'w> {
    /// What has them, in words.
    subject: String,
    inputs: Vec<&'w str>,
    quantities: Vec<&'w str>,
}

/// What the rules of a cell type, or those of a site, can join.
fn subjects(world: &World, of_cells: bool) -> Vec<SubjectNames<'_>> {
    let (inputs, known) = (
        world.get_resource::<Inputs>(),
        world.get_resource::<Quantities>(),
    );
    if of_cells {
        return vec![SubjectNames {
            subject: "a cell".into(),
            inputs: inputs.map_or_else(Vec::new, Inputs::cell_names),
            quantities: known.map_or_else(Vec::new, Quantities::cell_names),
        }];
    }
    let of_sites = known.into_iter().flat_map(|known| &known.sites);
    let mut subjects = vec![SubjectNames {
        subject: "the whole site".into(),
        inputs: Vec::new(),
        quantities: of_sites
            .map(|quantity| quantity.info.name.as_str())
            .collect(),
    }];
    let Some(inputs) = inputs else {
        return subjects;
    };
    let of_sites = inputs.sites.iter().map(|input| input.info.name.as_str());
    subjects[0].inputs.extend(of_sites);
    let mut kinds: Vec<&str> = inputs.elements.iter().map(|input| input.kind).collect();
    kinds.extend(inputs.element_quantities.iter().map(|known| known.kind));
    kinds.sort_unstable();
    kinds.dedup();
    subjects.extend(kinds.into_iter().map(|kind| {
        let of_kind = inputs.elements.iter().filter(|input| input.kind == kind);
        let by = inputs.element_quantities.iter();
        let by = by.filter(|quantity| quantity.kind == kind);
        SubjectNames {
            subject: format!("each {kind} of the site"),
            inputs: of_kind.map(|input| input.info.name.as_str()).collect(),
            quantities: by.map(|quantity| quantity.info.name.as_str()).collect(),
        }
    }));
    subjects
}

/// What is wrong with the two ends of a rule: its input, its quantity, or that these are of different subjects.
fn check_ends(world: &World, cell_type: Option<u16>, rule: &Rule) -> Vec<RuleFault> {
    let mut faults = Vec::new();
    let (input, by) = (rule.input.as_str(), rule.by.as_str());
    let subjects = subjects(world, cell_type.is_some());
    let has_input = |of: &&SubjectNames| of.inputs.contains(&input);
    let mut able: Vec<&SubjectNames> = subjects.iter().filter(has_input).collect();
    if able.is_empty() {
        let inputs: Vec<&str> = subjects.iter().flat_map(|j| j.inputs.clone()).collect();
        let message = unknown_input(world, cell_type, input, &inputs);
        faults.push(RuleFault::unknown("input", message));
        able = subjects.iter().collect();
    } else if let (Some(cell_type), Some(known)) = (cell_type, world.get_resource::<Inputs>())
        && let Some(known) = known.of_cells(input)
        && known.base(world, cell_type).is_none()
    {
        let message = format!("this cell type has no `{input}`");
        faults.push(RuleFault::new("input", message));
    }
    let has_quantity = |of: &&SubjectNames| of.quantities.contains(&by);
    if !able.iter().any(has_quantity) {
        let message = match subjects.iter().find(has_quantity) {
            Some(other) => format!(
                "`{by}` is a quantity of {}, and `{input}` an input of {}: a rule joins two of the same",
                other.subject, able[0].subject
            ),
            None => {
                let quantities: Vec<&str> =
                    able.iter().flat_map(|j| j.quantities.clone()).collect();
                let message = unknown_quantity(world, by, &quantities);
                faults.push(RuleFault::unknown("by", message));
                return faults;
            }
        };
        faults.push(RuleFault::new("by", message));
    } else if cell_type.is_some_and(|cell_type| LackedQuantities::contain(world, cell_type, by)) {
        let message = format!("cells of this type have no `{by}`, so the rule would never act");
        faults.push(RuleFault::new("by", message));
    }
    faults
}

/// Checks a rule of a cell type (by index), or of a site where there is none, against what is registered in a world.
///
/// # Errors
/// What is wrong: every part that is.
pub fn check_rule(
    world: &World,
    cell_type: Option<u16>,
    rule: &Rule,
) -> Result<(), Vec<RuleFault>> {
    let mut faults = check_ends(world, cell_type, rule);
    faults.extend(wrong_numbers(rule));
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

/// What is wrong with the numbers of a rule, whatever it joins.
pub fn wrong_numbers(rule: &Rule) -> Vec<RuleFault> {
    let mut faults = Vec::new();
    let mut law = rule.law;
    for name in law.numbers() {
        let limits = Law::limits(name);
        if let Some(value) = law.number_mut(name).map(|number| f64::from(*number))
            && !limits.contain(value)
        {
            let message = format!("its {name} must be {}, found {value}", limits.describe());
            faults.push(RuleFault::new("law", message));
        }
    }
    let numbers = [
        ("scale", Some(rule.scale), Rule::limits("scale")),
        ("floor", rule.floor, Limits::NON_NEGATIVE),
    ];
    for (part, value, limits) in numbers {
        if let Some(value) = value.filter(|value| !limits.contain(f64::from(*value))) {
            let message = format!("must be {}, found {value}", limits.describe());
            faults.push(RuleFault::new(part, message));
        }
    }
    let addend = match rule.law {
        Law::Add(_) => Some("Add"),
        Law::HillAdd { .. } => Some("HillAdd"),
        _ => None,
    };
    if let (Some(_), Some(law)) = (rule.floor, addend) {
        let message = format!("`{law}` has no factor that a floor could hold: leave it out");
        faults.push(RuleFault::new("floor", message));
    }
    faults
}

/// What is said of a floor where rules are combined by [`Combine::MultiHill`].
pub const NO_FLOORS: &str =
    "`MultiHill` takes no floors: leave it out, or combine the rules as a product";

/// Checks a change of the rules in force.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_change(world: &World, change: &RuleChange) -> Result<(), RuleFault> {
    let none = CellTypeNames::default();
    let types = world.get_resource::<CellTypeNames>().unwrap_or(&none);
    let rules = world.resource::<Rules>();
    match change {
        RuleChange::Add { of, name, rule } => {
            let cell_type = types.0.iter().position(|known| known == of);
            if cell_type.is_none() && !rules.sites.contains(of) {
                let owners: Vec<String> = types.0.iter().chain(&rules.sites).cloned().collect();
                let message = unknown("cell type or site", of, &owners);
                return Err(RuleFault::unknown("of", message));
            }
            if name.is_empty() || name.contains('.') {
                let message =
                    format!("the name of a rule has no dots and is not empty, found `{name}`");
                return Err(RuleFault::new("name", message));
            }
            check_rule(world, cell_type.map(|index| index as u16), rule)
                .map_err(|mut faults| faults.swap_remove(0))?;
            let combine = rules
                .book(types, of)
                .map(|book| book.combine_of(&rule.input));
            let combine = combine.unwrap_or_default();
            if combine == Combine::MultiHill && rule.floor.is_some() {
                return Err(RuleFault::new("floor", NO_FLOORS.into()));
            }
            if combine.takes(rule.law) {
                return Ok(());
            }
            let message = format!(
                "the rules on `{}` of `{of}` are combined by `MultiHill`, which takes only those of the form `Hill`",
                rule.input
            );
            Err(RuleFault::new("law", message))
        }
        RuleChange::Scale(path, factor) => {
            check_path(rules, types, path)?;
            if Limits::NON_NEGATIVE.contain(f64::from(*factor)) {
                return Ok(());
            }
            let allowed = Limits::NON_NEGATIVE.describe();
            let message = format!("must be {allowed}, found {factor}");
            Err(RuleFault::new("scale", message))
        }
        RuleChange::Delete(path) => check_path(rules, types, path),
    }
}

fn check_path(rules: &Rules, types: &CellTypeNames, path: &str) -> Result<(), RuleFault> {
    let owned = Rules::owner_and_name(path);
    let owned = owned.and_then(|(of, name)| Some((of, name, rules.book(types, of)?)));
    let message = match owned {
        Some((_, name, book)) if book.rules.contains_key(name) => return Ok(()),
        Some((of, name, book)) => unknown_rule(of, name, book),
        // A type that has no book yet has no rules.
        None => match Rules::owner_and_name(path) {
            Some((of, name)) if types.0.iter().any(|known| known == of) => {
                unknown_rule(of, name, &RuleBook::default())
            }
            _ => unknown("rule", path, &rules.paths(types)),
        },
    };
    Err(RuleFault::unknown("path", message))
}
