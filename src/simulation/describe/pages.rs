//! The reference pages: written introductions and examples, with tables made from the description between them.
//!
//! The written part of a page is a Markdown file in `docs/parts`. A line `{{inputs}}` in it stands for the table of
//! inputs; [`make_page`] knows all such lines. `tumorscape describe --docs docs` writes the pages, and a test compares
//! them with what is in the repository.

use super::{Description, ParameterEntry};
use crate::core::documentation::number;
use crate::scene::reference::{FileField, FileType};

/// A reference page.
pub struct Page {
    /// Its name: that of its file without `.md`.
    pub name: &'static str,
    /// Its written part.
    text: &'static str,
}

macro_rules! page {
    ($name:literal) => {
        Page {
            name: $name,
            text: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/docs/parts/",
                $name,
                ".md"
            )),
        }
    };
}

/// All reference pages.
pub const PAGES: [Page; 4] = [
    page!("scenes"),
    page!("parameters"),
    page!("quantities"),
    page!("model"),
];

/// Makes the page of that name.
///
/// # Errors
/// In words, when there is no such page, or its written part asks for what does not exist.
pub fn make_page(name: &str, description: &Description) -> Result<String, String> {
    let Some(page) = PAGES.iter().find(|page| page.name == name) else {
        let names: Vec<String> = PAGES
            .iter()
            .map(|page| format!("`{}`", page.name))
            .collect();
        return Err(format!(
            "there is no page `{name}`; the pages are {}",
            names.join(", ")
        ));
    };
    make_page_of(name, page.text, description)
}

/// Makes a page of this written part.
///
/// # Errors
/// In words, when it asks for what does not exist.
pub fn make_page_of(name: &str, text: &str, description: &Description) -> Result<String, String> {
    let mut made = format!(
        "<!-- Made from docs/parts/{name}.md and the program by `cargo run --release -- describe --docs docs`. -->\n\n"
    );
    for line in text.lines() {
        let asked = line
            .strip_prefix("{{")
            .and_then(|line| line.strip_suffix("}}"));
        match asked {
            Some(asked) => made.push_str(&fill(asked, text, description)?),
            None => {
                made.push_str(line);
                made.push('\n');
            }
        }
    }
    Ok(made)
}

/// What stands in place of a line in double braces.
fn fill(asked: &str, text: &str, of: &Description) -> Result<String, String> {
    if let Some(name) = asked.strip_prefix("type ") {
        let found = of.files.iter().find(|known| known.name == name);
        let found = found.ok_or_else(|| format!("there is no type `{name}` in files"))?;
        return Ok(file_type(found, of));
    }
    Ok(match asked {
        "other types" => {
            let told = |known: &FileType| text.contains(&format!("{{{{type {}}}}}", known.name));
            let others = of.files.iter().filter(|known| !told(known));
            let sections: Vec<String> = others.map(|known| file_type(known, of)).collect();
            sections.join("\n")
        }
        "capabilities" => {
            let sections = of.capabilities.iter().map(|known| {
                let having = if known.of_all_types {
                    " Every cell type has it."
                } else if known.is_list {
                    " A list of these; in paths `NAME` stands for the name of an entry."
                } else {
                    ""
                };
                let (name, about) = (&known.name, &known.about);
                let parameters = parameters(&known.parameters, &str::to_owned);
                format!("### {name}\n{about}{having}\n\n{parameters}")
            });
            sections.collect::<Vec<_>>().join("\n")
        }
        "groups" => {
            let sections = of.groups.iter().map(|known| {
                let (name, about) = (&known.name, &known.about);
                let parameters = parameters(&known.parameters, &str::to_owned);
                format!("### {name}\n{about}\n\n{parameters}")
            });
            sections.collect::<Vec<_>>().join("\n")
        }
        "list of capabilities" => table(
            &["capability", "what it is"],
            of.capabilities.iter().map(|known| {
                let link = format!("[`{0}`](parameters.md#{0})", known.name);
                vec![link, known.about.clone()]
            }),
        ),
        "list of groups" => table(
            &["group", "what it is"],
            of.groups.iter().map(|known| {
                let link = format!("[`{0}`](parameters.md#{0})", known.name);
                vec![link, known.about.clone()]
            }),
        ),
        "quantities" => table(
            &[
                "quantity", "of a", "unit", "usually", "column", "meaning", "source",
            ],
            of.quantities.iter().map(|known| {
                let range = known.range.map_or_else(String::new, |(from, to)| {
                    format!("{} to {}", number(from.into()), number(to.into()))
                });
                vec![
                    quoted(&known.name),
                    known.of.clone(),
                    known.unit.clone(),
                    range,
                    known.column.as_deref().map(quoted).unwrap_or_default(),
                    if known.of_the_living {
                        format!("{} Of living cells.", known.about)
                    } else {
                        known.about.clone()
                    },
                    known.source.clone(),
                ]
            }),
        ),
        "categories" => table(
            &["category", "values", "meaning"],
            of.categories.iter().map(|known| {
                let values: Vec<String> = known.values.iter().map(|(key, _)| quoted(key)).collect();
                vec![quoted(&known.name), values.join(", "), known.about.clone()]
            }),
        ),
        "inputs" => table(
            &["input", "of a", "unit", "allowed", "meaning"],
            of.inputs.iter().map(|known| {
                vec![
                    quoted(&known.name),
                    known.of.clone(),
                    known.unit.clone(),
                    known.allowed.clone(),
                    known.about.clone(),
                ]
            }),
        ),
        "rules" => table(
            &["rule", "input", "by", "law", "meaning", "source"],
            of.rules.iter().map(|known| {
                vec![
                    quoted(&known.path),
                    quoted(&known.input),
                    quoted(&known.by),
                    format!("`{}`: {}", known.law, known.in_words),
                    known.about.clone(),
                    known.source.clone(),
                ]
            }),
        ),
        "molecules" => table(
            &["molecule", "unit", "meaning", "source"],
            of.molecules.iter().map(|known| {
                vec![
                    quoted(&known.name),
                    known.unit.clone(),
                    known.about.clone(),
                    known.source.clone(),
                ]
            }),
        ),
        "drugs" => table(
            &[
                "drug",
                "in",
                "what it is and does",
                "binds, hides, changes",
                "source",
            ],
            of.drugs.iter().map(|known| {
                vec![
                    quoted(&known.name),
                    known.bodies.join(", "),
                    known.about.clone(),
                    known.acts_on.join(", "),
                    known.source.clone(),
                ]
            }),
        ),
        "events" => table(
            &["event", "meaning"],
            of.events
                .iter()
                .map(|known| vec![quoted(&known.name), known.about.clone()]),
        ),
        "metrics" => table(
            &["column", "unit", "meaning"],
            of.metrics
                .iter()
                .map(|known| vec![quoted(&known.name), known.unit.clone(), known.about.clone()]),
        ),
        "cell types" => table(
            &["cell type", "can", "what it is"],
            of.cell_types.iter().map(|known| {
                let can: Vec<String> = known.capabilities.iter().map(|name| quoted(name)).collect();
                vec![quoted(&known.name), can.join(", "), known.about.clone()]
            }),
        ),
        _ => return Err(format!("nothing stands for `{{{{{asked}}}}}`")),
    })
}

fn quoted(name: &str) -> String {
    format!("`{name}`")
}

/// A table; a sentence where there is nothing to show. Columns that are empty everywhere are left out.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        return "None so far.\n".into();
    }
    let shown: Vec<usize> = (0..head.len())
        .filter(|column| rows.iter().any(|row| !row[*column].is_empty()))
        .collect();
    let line = |cells: Vec<String>| {
        let cells = cells.iter().map(|cell| match cell.as_str() {
            "" => " |".to_owned(),
            cell => format!(" {cell} |"),
        });
        format!("|{}\n", cells.collect::<String>())
    };
    let mut made = line(shown.iter().map(|column| head[*column].into()).collect());
    made.push_str(&line(vec!["---".into(); shown.len()]));
    for row in &rows {
        let cells = shown.iter().map(|column| row[*column].replace('|', "\\|"));
        made.push_str(&line(cells.collect()));
    }
    made
}

/// The table of parameters; `linked` makes links of the names of types in what is allowed.
fn parameters(list: &[ParameterEntry], linked: &dyn Fn(&str) -> String) -> String {
    if list.is_empty() {
        return "It has no parameters.\n".into();
    }
    table(
        &["parameter", "default", "unit", "allowed", "meaning"],
        list.iter().map(|known| {
            vec![
                quoted(&known.name),
                known.default.as_deref().map(quoted).unwrap_or_default(),
                known.unit.clone(),
                linked(&known.allowed),
                known.about.clone(),
            ]
        }),
    )
}

/// The section of a type of files.
fn file_type(known: &FileType, of: &Description) -> String {
    let mut made = format!("### {}\n{}\n\n", known.name, known.about);
    let linked = |words: &str| {
        let mut words = words.to_owned();
        for other in &of.files {
            let name = &other.name;
            let link = format!("[{name}](#{})", name.to_lowercase());
            words = words.replace(&quoted(name), &link);
        }
        words
    };
    let default = |field: &FileField| field.default.as_deref().map_or("required".into(), quoted);
    if !known.fields.is_empty() {
        let rows = known.fields.iter().map(|field| {
            vec![
                quoted(&field.name),
                linked(&field.holds),
                default(field),
                field.about.clone(),
            ]
        });
        made.push_str(&table(&["field", "holds", "default", "meaning"], rows));
        return made;
    }
    let mut rows = Vec::new();
    for variant in &known.variants {
        let mut name = variant.name.clone();
        if !variant.holds.is_empty() || !variant.fields.is_empty() {
            name.push_str("(...)");
        }
        rows.push(vec![
            quoted(&name),
            linked(&variant.holds.join(", ")),
            String::new(),
            variant.about.clone(),
        ]);
        rows.extend(variant.fields.iter().map(|field| {
            vec![
                String::new(),
                format!("`{}`: {}", field.name, linked(&field.holds)),
                default(field),
                field.about.clone(),
            ]
        }));
    }
    let parts = match known.name.as_str() {
        "TissueParts" => Some(&of.site_parts),
        "BodyParts" => Some(&of.body_parts),
        _ => None,
    };
    if let Some(parts) = parts {
        for part in parts {
            let parameters = parameters(&part.parameters, &linked);
            let list = if part.is_list {
                " A list of these."
            } else {
                ""
            };
            let (name, about) = (&part.name, &part.about);
            made.push_str(&format!("#### {name}\n{about}{list}\n\n{parameters}\n"));
        }
        return made;
    }
    let head = ["written", "holds", "default", "meaning"];
    made.push_str(&table(&head, rows.into_iter()));
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Program;

    /// The types that words such as ``list of `Site` `` name; a list of several names is one of values.
    fn named_types(words: &str) -> Option<&str> {
        let name = words.split('`').nth(1)?;
        (words.matches('`').count() == 2).then_some(name)
    }

    #[test]
    fn every_type_that_a_table_of_scenes_names_is_described_with_what_may_be_left_out() {
        let of = Description::of(&Program::default()).unwrap_or_else(|report| panic!("{report}"));
        let fields = of.files.iter().flat_map(|known| {
            let inside = known.variants.iter().flat_map(|variant| &variant.fields);
            known.fields.iter().chain(inside).map(|field| &field.holds)
        });
        let in_parts = of.site_parts.iter().flat_map(|part| &part.parameters);
        let words = fields.chain(in_parts.map(|known| &known.allowed));
        let named: Vec<&str> = words.filter_map(|words| named_types(words)).collect();
        for name in [
            "FibreLayout",
            "BoundFactors",
            "FluidRegion",
            "Region",
            "Along",
        ] {
            assert!(named.contains(&name), "{name}");
        }
        for name in named {
            let found = of.files.iter().filter(|known| known.name == name);
            assert_eq!(found.count(), 1, "{name}");
        }
        let default = |of_type: &str, name: &str| {
            let mut types = of.files.iter();
            let found = types
                .find(|known| known.name == of_type)
                .expect("described");
            let variants = found.variants.iter().flat_map(|variant| &variant.fields);
            let mut fields = found.fields.iter().chain(variants);
            let field = fields.find(|field| field.name == name);
            field.expect("it has the field").default.clone()
        };
        for (of_type, field, expected) in [
            ("BoundFactors", "vegf_a_nm", Some("0")),
            ("FluidRegion", "place", None),
            ("FluidOf", "reflection", Some("0.91")),
            ("VesselPlace", "from_um", None),
            ("VesselPlace", "piece_um", Some("40")),
            ("VesselPlace", "jitter", Some("0.25")),
            ("DrawnNode", "port", Some("none")),
            ("Around", "capped", Some("false")),
        ] {
            assert_eq!(
                default(of_type, field).as_deref(),
                expected,
                "{of_type}.{field}"
            );
        }
    }
}
