//! Everything that the modules of a program have registered, as data: what `describe` prints and the reference
//! pages are made from.
//!
//! Nothing is listed here by name. A module that registers a capability, a quantity or an input is described by
//! what it has said there and by the doc comments of its parameters.

mod entries;
pub mod items;
pub mod pages;

use std::collections::BTreeMap;
use std::path::Path;

use bevy::prelude::*;
use bevy::reflect::{PartialReflect, ReflectRef, TypeInfo};

pub use entries::{
    CapabilityEntry, CategoryEntry, CellTypeEntry, Description, DrugEntry, EventEntry, GroupEntry,
    InputEntry, MetricEntry, MoleculeEntry, ParameterEntry, QuantityEntry, RuleEntry,
};

use super::Program;
use crate::cell::event::EventKinds;
use crate::core::capability::Capability;
use crate::core::documentation::{first_paragraph, names_only, number, of_type, plain, written};
use crate::core::input::{InputInfo, Inputs};
use crate::core::metric::Metrics;
use crate::core::parameters::{Limits, groups, list_parameters};
use crate::core::quantity::{Quantities, Quantity};
use crate::core::rule::{Law, Rule};
use crate::core::units::name_and_unit;
use crate::scene::reference::{fields_of, file_types, holds};
use crate::scene::{CellLibrary, SceneReport, shipped_drugs};
use crate::tissue::Molecules;

impl Description {
    /// What a program knows, with the shipped cell types.
    ///
    /// # Errors
    /// When a shipped cell type is wrong, which a test excludes.
    pub fn of(program: &Program) -> Result<Self, SceneReport> {
        let library = CellLibrary::shipped_with(program.capabilities())?;
        Ok(Self::with(program, &library))
    }

    /// What a program knows, with the cell types that a scene in this folder could use.
    ///
    /// # Errors
    /// When a cell file is wrong: everything that is.
    pub fn in_folder(program: &Program, folder: &Path) -> Result<Self, SceneReport> {
        let library = program.library_in(folder)?;
        Ok(Self::with(program, &library.value))
    }

    /// What a program knows, with the cell types and molecules of this library.
    pub fn with(program: &Program, library: &CellLibrary) -> Self {
        let world = program.prototype_world(library);
        Self {
            capabilities: program.capabilities().iter().map(capability).collect(),
            groups: group_entries(&world),
            quantities: quantities(&world),
            categories: categories(&world),
            inputs: inputs(&world),
            rules: rules(library),
            molecules: molecules(&world),
            drugs: drugs(),
            events: events(&world),
            metrics: metrics(&world),
            cell_types: cell_types(&world, library),
            site_parts: program
                .capabilities()
                .site_parts()
                .map(|part| site_part(&part.file))
                .collect(),
            body_parts: program
                .capabilities()
                .body_parts()
                .map(|part| site_part(&part.file))
                .collect(),
            files: file_types(program.capabilities()),
        }
    }
}

fn group_entries(world: &World) -> Vec<GroupEntry> {
    let mut entries: Vec<GroupEntry> = Vec::new();
    for group in groups(world) {
        let listed = parameters(group.value, group.limits);
        let Some(item) = group.item else {
            let info = group.value.get_represented_type_info();
            entries.push(GroupEntry {
                name: group.name.into(),
                about: first_paragraph(info.and_then(of_type)),
                parameters: listed,
            });
            continue;
        };
        // What of a list is no number is data of its own, not a parameter.
        let numbers = listed.into_iter().filter(|known| known.is_number);
        let named = numbers.map(|known| ParameterEntry {
            name: format!("{item}.{}", known.name),
            ..known
        });
        match entries.iter_mut().find(|known| known.name == group.name) {
            Some(known) => known.parameters.extend(named),
            None => {
                let info = group.value.get_represented_type_info();
                entries.push(GroupEntry {
                    name: group.name.into(),
                    about: first_paragraph(info.and_then(of_type)),
                    parameters: named.collect(),
                });
            }
        }
    }
    entries
}

fn capability(known: &Capability) -> CapabilityEntry {
    let (info, listed) = match known.parameters {
        TypeInfo::List(of) => {
            let info = of.item_info().unwrap_or(known.parameters);
            (info, parameters_of_list(known, info))
        }
        info => {
            // What a cell file has that gives nothing but the name.
            let default = (known.read)("()").ok().flatten();
            let value = default.as_ref().map(|value| value.reflect());
            let mut listed = Vec::new();
            collect(info, value, "", known.limits, &mut listed);
            (info, listed)
        }
    };
    CapabilityEntry {
        name: known.name.into(),
        about: first_paragraph(of_type(info)),
        of_all_types: known.otherwise.is_some(),
        is_list: matches!(known.parameters, TypeInfo::List(_)),
        parameters: listed,
    }
}

/// A part of sites: no path reaches what is in it.
fn site_part(known: &Capability) -> CapabilityEntry {
    let mut part = capability(known);
    for parameter in &mut part.parameters {
        if let Some(name) = parameter.name.strip_prefix("NAME.") {
            parameter.name = name.to_owned();
        }
    }
    part
}

/// The parameters of one entry of a capability that is a list; in the paths of numbers `NAME` stands for its name.
fn parameters_of_list(known: &Capability, info: &'static TypeInfo) -> Vec<ParameterEntry> {
    let mut listed = Vec::new();
    collect(info, None, "", known.limits, &mut listed);
    let read = |text: &str| {
        let value = (known.read)(&format!("[{text}]")).ok().flatten()?;
        match value.reflect().reflect_ref() {
            ReflectRef::List(list) => list.get(0).map(PartialReflect::to_dynamic),
            _ => None,
        }
    };
    let fields = fields_of(info, &read);
    for entry in &mut listed {
        let field = fields.iter().find(|field| field.name == entry.name);
        entry.default = field.and_then(|field| field.default.clone());
        if entry.is_number {
            entry.name = format!("NAME.{}", entry.name);
        }
    }
    listed
}

/// The parameters of a struct with the values they have there, in the order of its fields.
fn parameters(value: &dyn PartialReflect, limits: fn(&str) -> Limits) -> Vec<ParameterEntry> {
    let mut list = Vec::new();
    if let Some(info) = value.get_represented_type_info() {
        collect(info, Some(value), "", limits, &mut list);
    }
    list
}

fn collect(
    info: &'static TypeInfo,
    value: Option<&dyn PartialReflect>,
    prefix: &str,
    limits: fn(&str) -> Limits,
    list: &mut Vec<ParameterEntry>,
) {
    let TypeInfo::Struct(of) = info else { return };
    for field in of.iter() {
        let name = format!("{prefix}{}", field.name());
        let value = match value.map(PartialReflect::reflect_ref) {
            Some(ReflectRef::Struct(inside)) => inside.field(field.name()),
            _ => None,
        };
        let inner = field.type_info();
        let holds_others = matches!(inner, Some(TypeInfo::Struct(_)));
        let is_switch = field.is::<bool>();
        let is_number = is_switch || field.is::<f32>() || field.is::<f64>() || field.is::<u32>();
        let mut about = plain(field.docs());
        let allowed = if is_switch {
            "true or false".into()
        } else if is_number {
            allowed(limits(&name))
        } else if holds_others {
            String::new()
        } else {
            let (words, more) = choice(inner);
            about.push_str(&more);
            words
        };
        list.push(ParameterEntry {
            default: value.filter(|_| !holds_others).map(written),
            unit: if is_number {
                name_and_unit(&name).1.into()
            } else {
                String::new()
            },
            allowed,
            is_number,
            about,
            name: name.clone(),
        });
        if let (true, Some(inner)) = (holds_others, inner) {
            collect(inner, value, &format!("{name}."), limits, list);
        }
    }
}

/// What a parameter that is no number may be, and what its values mean.
fn choice(info: Option<&'static TypeInfo>) -> (String, String) {
    let Some(of) = info.and_then(names_only) else {
        return (holds(info, "name"), String::new());
    };
    let names: Vec<String> = of
        .iter()
        .map(|variant| format!("`{}`", variant.name()))
        .collect();
    let meanings = of
        .iter()
        .map(|variant| format!(" `{}`: {}", variant.name(), plain(variant.docs())));
    (names.join(", "), meanings.collect())
}

/// What limits allow, shortly.
pub fn allowed(limits: Limits) -> String {
    if limits == Limits::NON_NEGATIVE {
        "at least 0".into()
    } else if limits == Limits::POSITIVE {
        "above 0".into()
    } else if limits == Limits::FINITE {
        "any number".into()
    } else if limits.max >= f64::from(f32::MAX) {
        format!("at least {}", number(limits.min))
    } else {
        format!("{} to {}", number(limits.min), number(limits.max))
    }
}

fn quantity(of: &str, info: &Quantity) -> QuantityEntry {
    QuantityEntry {
        name: info.name.clone(),
        of: of.into(),
        label: info.label.clone(),
        unit: info.unit.clone(),
        range: info.has_range().then_some(info.range),
        column: info.column.clone().filter(|_| of == "cell"),
        of_the_living: info.of_the_living,
        about: info.about.clone(),
        source: info.source.clone(),
    }
}

fn quantities(world: &World) -> Vec<QuantityEntry> {
    let known = world.get_resource::<Quantities>();
    let cells = known.into_iter().flat_map(|known| &known.cells);
    let sites = known.into_iter().flat_map(|known| &known.sites);
    let inputs = world.get_resource::<Inputs>();
    let elements = inputs
        .into_iter()
        .flat_map(|inputs| &inputs.element_quantities);
    cells
        .map(|known| quantity("cell", &known.info))
        .chain(sites.map(|known| quantity("site", &known.info)))
        .chain(elements.map(|known| quantity(known.kind, &known.info)))
        .collect()
}

fn categories(world: &World) -> Vec<CategoryEntry> {
    let known = world.get_resource::<Quantities>();
    known
        .into_iter()
        .flat_map(|known| &known.categories)
        .map(|known| CategoryEntry {
            name: known.info.name.clone(),
            about: known.info.about.clone(),
            values: known
                .info
                .values
                .iter()
                .map(|value| (value.key.clone(), value.label.clone()))
                .collect(),
        })
        .collect()
}

fn input(of: &str, info: &InputInfo) -> InputEntry {
    InputEntry {
        name: info.name.clone(),
        of: of.into(),
        unit: info.unit.clone(),
        allowed: allowed(info.limits),
        about: info.about.clone(),
    }
}

fn inputs(world: &World) -> Vec<InputEntry> {
    let Some(known) = world.get_resource::<Inputs>() else {
        return Vec::new();
    };
    let cells = known.cells.iter().map(|known| input("cell", &known.info));
    let sites = known.sites.iter().map(|known| input("site", &known.info));
    let elements = known
        .elements
        .iter()
        .map(|known| input(known.kind, &known.info));
    cells.chain(sites).chain(elements).collect()
}

fn rules(library: &CellLibrary) -> Vec<RuleEntry> {
    let of_type = |name: &str, rules: &BTreeMap<String, Rule>| -> Vec<RuleEntry> {
        rules
            .iter()
            .map(|(rule_name, rule)| RuleEntry {
                path: format!("{name}.{rule_name}"),
                input: rule.input.clone(),
                by: rule.by.clone(),
                law: written(&rule.law),
                in_words: in_words(rule),
                about: rule.about.clone(),
                source: rule.source.clone(),
            })
            .collect()
    };
    let types = library.types.iter();
    types
        .flat_map(|prefab| of_type(&prefab.name, &prefab.rules))
        .collect()
}

/// What a rule does, with `q` for its quantity.
fn in_words(rule: &Rule) -> String {
    let n = |value: f32| number(f64::from(value));
    let mut words = match rule.law {
        Law::Fold(gain) => {
            let sign = if gain < 0.0 { '-' } else { '+' };
            format!("times 1 {sign} {} q", n(gain.abs()))
        }
        Law::Share => "times q".into(),
        Law::Inhibit {
            half,
            exponent: 1.0,
        } => {
            format!("times 1 / (1 + q/{})", n(half))
        }
        Law::Inhibit { half, exponent } => {
            format!("times 1 / (1 + (q/{})^{})", n(half), n(exponent))
        }
        Law::Hill { half, exponent, to } => format!(
            "from the base to {}, half the way at q = {}, exponent {}",
            n(to),
            n(half),
            n(exponent)
        ),
        Law::HillFold {
            half,
            exponent,
            fold,
        } => format!(
            "times 1 to {}, half the way at q = {}, exponent {}",
            n(fold),
            n(half),
            n(exponent)
        ),
        Law::Add(gain) => format!("plus {} q", n(gain)),
        Law::HillAdd {
            half,
            exponent,
            gain,
        } => format!(
            "plus 0 to {}, half the way at q = {}, exponent {}",
            n(gain),
            n(half),
            n(exponent)
        ),
    };
    if rule.scale != 1.0 {
        words.push_str(&format!("; counts {} times", n(rule.scale)));
    }
    if let Some(floor) = rule.floor {
        words.push_str(&format!("; not below {}", n(floor)));
    }
    words
}

fn molecules(world: &World) -> Vec<MoleculeEntry> {
    let known = world.get_resource::<Molecules>();
    known
        .into_iter()
        .flat_map(Molecules::list)
        .map(|molecule| MoleculeEntry {
            name: molecule.name.clone(),
            label: molecule.label.clone(),
            unit: molecule.unit.clone(),
            about: molecule.about.clone(),
            source: molecule.source.clone(),
        })
        .collect()
}

/// The shipped drugs.
fn drugs() -> Vec<DrugEntry> {
    let shipped = shipped_drugs()
        .expect("a test reads all of them")
        .into_iter();
    let entries = shipped.map(|drug| {
        let bodies = [("mouse", &drug.mouse), ("human", &drug.human)];
        let bodies = bodies
            .into_iter()
            .filter(|(_, kinetics)| kinetics.is_some());
        let binds = drug.binds.iter().map(|of| format!("binds {}", of.molecule));
        let hides = drug.hides.keys().map(|of| format!("hides {of}"));
        let mut changed: Vec<&str> = drug.effects.values().map(|of| of.input.as_str()).collect();
        changed.sort_unstable();
        changed.dedup();
        let becomes = drug
            .becomes
            .iter()
            .map(|_| "becomes active without oxygen".to_owned());
        DrugEntry {
            bodies: bodies.map(|(body, _)| body.to_owned()).collect(),
            acts_on: binds
                .chain(hides)
                .chain(becomes)
                .chain(changed.into_iter().map(str::to_owned))
                .collect(),
            name: drug.name,
            about: drug.about,
            source: drug.source,
        }
    });
    entries.collect()
}

fn events(world: &World) -> Vec<EventEntry> {
    let known = world.get_resource::<EventKinds>();
    known
        .into_iter()
        .flat_map(EventKinds::iter)
        .map(|(kind, about)| EventEntry {
            name: kind.name().into(),
            about: about.into(),
        })
        .collect()
}

fn metrics(world: &World) -> Vec<MetricEntry> {
    let known = world.get_resource::<Metrics>();
    known
        .into_iter()
        .flat_map(Metrics::iter)
        .map(|metric| MetricEntry {
            name: metric.name.clone(),
            unit: metric.unit.clone(),
            about: metric.about.clone(),
        })
        .collect()
}

fn cell_types(world: &World, library: &CellLibrary) -> Vec<CellTypeEntry> {
    let all = list_parameters(world);
    library
        .types
        .iter()
        .map(|prefab| {
            let inside = format!("{}.", prefab.name);
            let parameters = all.iter().filter_map(|parameter| {
                let path = parameter.path.strip_prefix(&inside)?;
                // Most are kept in single precision, which would show as digits that nobody wrote.
                let value = number(parameter.value).parse().unwrap_or(parameter.value);
                Some((path.to_owned(), value))
            });
            CellTypeEntry {
                name: prefab.name.clone(),
                about: prefab.about.clone(),
                capabilities: prefab.capabilities.keys().cloned().collect(),
                parameters: parameters.collect(),
            }
        })
        .collect()
}
