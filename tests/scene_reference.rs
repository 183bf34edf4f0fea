//! The scene reference in the documentation is complete, and its examples work.

use std::sync::Arc;

use bevy::reflect::enums::VariantInfo;
use bevy::reflect::{TypeInfo, Typed};
use tumorscape::biology::HypoxiaParameters;
use tumorscape::biology::metabolism::MetabolismChemistry;
use tumorscape::cell::movement::MovementParameters;
use tumorscape::core::parameters::{CellTypeNames, list_parameters};
use tumorscape::scene::{
    CellPrefab, Scene, SceneContext, parse_prefab, parse_scene, shipped_capabilities,
};
use tumorscape::simulation::Simulation;
use tumorscape::tissue::TransportParameters;

/// The text that holds the reference: the README, or its own file.
fn reference() -> String {
    ["README.md"]
        .iter()
        .filter_map(|file| std::fs::read_to_string(file).ok())
        .find(|text| text.contains("\n### CellPrefab\n"))
        .expect("a file with the scene reference")
}

/// The part of the reference below the heading of a type.
fn section<'t>(text: &'t str, name: &str) -> &'t str {
    let heading = format!("\n### {name}\n");
    let start = text
        .find(&heading)
        .unwrap_or_else(|| panic!("`{name}` has no heading"));
    let rest = &text[start + heading.len()..];
    &rest[..rest.find("\n#").unwrap_or(rest.len())]
}

/// The names in the first column of a section's table.
fn rows(section: &str) -> impl Iterator<Item = &str> {
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `"));
    cells.filter_map(|cell| cell.split_once("` |").map(|(name, _)| name))
}

/// Asserts that a type and all types inside it are described, each name under the heading of its type.
fn described(text: &str, info: &'static TypeInfo, seen: &mut Vec<&'static str>) {
    let name = info.type_path_table().ident().unwrap_or_default();
    let inner: Vec<Option<&'static TypeInfo>> = match info {
        TypeInfo::Struct(of) => {
            if seen.contains(&name) {
                return;
            }
            seen.push(name);
            let section = section(text, name);
            let is_prefab = info.is::<CellPrefab>();
            let names: Vec<&str> = of.iter().map(|field| field.name()).collect();
            let known = shipped_capabilities();
            for row in rows(section) {
                let is_capability = is_prefab && known.get(row).is_some();
                let is_field = names.contains(&row) || is_capability;
                assert!(is_field, "{name} has no field `{row}`");
            }
            for capability in known.iter().filter(|_| is_prefab) {
                let quoted = format!("`{}`", capability.name);
                assert!(section.contains(&quoted), "{quoted} is not described");
                described(text, capability.parameters, seen);
            }
            of.iter()
                .map(|field| {
                    let quoted = format!("`{}`", field.name());
                    assert!(
                        section.contains(&quoted),
                        "{quoted} of {name} is not described"
                    );
                    field.type_info()
                })
                .collect()
        }
        TypeInfo::Enum(of) => {
            let is_option = name == "Option";
            if !is_option && seen.contains(&name) {
                return;
            }
            seen.push(name);
            of.iter()
                .flat_map(|variant| {
                    if !is_option {
                        let section = section(text, name);
                        let (plain, open) = (
                            format!("`{}`", variant.name()),
                            format!("`{}(", variant.name()),
                        );
                        let named = section.contains(&plain) || section.contains(&open);
                        assert!(named, "{plain} of {name} is not described");
                        if let VariantInfo::Struct(fields) = variant {
                            for field in fields.iter() {
                                let quoted = format!("`{}`", field.name());
                                assert!(
                                    section.contains(&quoted),
                                    "{quoted} of {name} is not described"
                                );
                            }
                        }
                    }
                    match variant {
                        VariantInfo::Unit(_) => Vec::new(),
                        VariantInfo::Tuple(of) => {
                            of.iter().map(|field| field.type_info()).collect()
                        }
                        VariantInfo::Struct(of) => {
                            of.iter().map(|field| field.type_info()).collect()
                        }
                    }
                })
                .collect()
        }
        TypeInfo::List(of) => vec![of.item_info()],
        TypeInfo::Map(of) => vec![of.value_info()],
        TypeInfo::Tuple(of) => of.iter().map(|field| field.type_info()).collect(),
        _ => Vec::new(),
    };
    for info in inner.into_iter().flatten() {
        described(text, info, seen);
    }
}

#[test]
fn every_field_and_variant_of_scenes_and_cell_types_is_described() {
    let text = reference();
    let mut seen = Vec::new();
    described(&text, Scene::type_info(), &mut seen);
    described(&text, CellPrefab::type_info(), &mut seen);
    for name in [
        "Site",
        "Place",
        "Action",
        "Look",
        "Test",
        "MetabolismParameters",
    ] {
        assert!(seen.contains(&name), "{name} was not reached");
    }
}

#[test]
fn every_parameter_of_all_cells_is_described() {
    let text = reference();
    let mut seen = Vec::new();
    for info in [
        HypoxiaParameters::type_info(),
        MetabolismChemistry::type_info(),
        TransportParameters::type_info(),
        MovementParameters::type_info(),
    ] {
        described(&text, info, &mut seen);
    }
    let scene = parse_scene(
        &scene_with("parameters", "{}"),
        "t.ron",
        &SceneContext::default(),
    )
    .unwrap_or_else(|report| panic!("{report}"));
    let simulation = Simulation::new(Arc::new(scene), 1).expect("its parameters are valid");
    for parameter in list_parameters(simulation.world()) {
        let (group, field) = parameter.path.split_once('.').expect("a path");
        let field = field.split('.').next_back().expect("a field");
        let groups = text.matches(&format!("Group `{group}`")).count();
        let types = simulation.world().resource::<CellTypeNames>();
        let of_a_type = types.0.iter().any(|name| name == group);
        assert!(groups == 1 || of_a_type, "group `{group}` is not described");
        assert!(
            text.contains(&format!("| `{field}` |")),
            "`{}`",
            parameter.path
        );
    }
}

/// A scene around a piece of one.
fn scene_with(kind: &str, piece: &str) -> String {
    let mut parts = [
        ("sites", "[(name: \"breast\", organ: Breast, size_um: (800, 800, 800), fields: [(molecule: \"oxygen\", level: 38)])]"),
        ("populations", "[]"),
        ("parameters", "{}"),
        ("timeline", "[]"),
        ("recording", "()"),
        ("expect", "[]"),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    let (field, list) = match kind {
        "Site" => ("sites", true),
        "Population" => ("populations", true),
        "Event" => ("timeline", true),
        "Expectation" => ("expect", true),
        "parameters" | "recording" => (kind, false),
        _ => panic!("an example of an unknown kind: {kind}"),
    };
    let slot = parts
        .iter_mut()
        .find(|(name, _)| *name == field)
        .expect("a known field");
    slot.1 = if list {
        format!("[{piece}]")
    } else {
        piece.to_owned()
    };
    let fields: Vec<String> = parts
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    format!(
        "(title: \"t\", about: \"\", pace: Calibrated, duration: Days(2), {})",
        fields.join(", ")
    )
}

#[test]
fn every_example_of_the_reference_is_valid() {
    let text = reference();
    let mut count = 0;
    for block in text.split("```ron").skip(1) {
        let (kind, rest) = block.split_once('\n').expect("a fence ends its line");
        let example = rest.split("```").next().expect("a fence that closes");
        let result = match kind.trim() {
            "scene" => parse_scene(example, "example.ron", &SceneContext::default()).map(drop),
            "cell" => {
                let name = example.split('"').nth(1).expect("a name");
                parse_prefab(example, &format!("{name}.ron")).map(drop)
            }
            kind => parse_scene(
                &scene_with(kind, example),
                "example.ron",
                &SceneContext::default(),
            )
            .map(drop),
        };
        if let Err(report) = result {
            panic!("{example}\n{report}");
        }
        count += 1;
    }
    assert!(count > 5);
}
