//! A description as a list of things that have a name, to print and to look up.

use serde::Serialize;

use super::{Description, ParameterEntry};
use crate::core::documentation::number;
use crate::scene::reference::{FileField, FileType, FileVariant};

/// Something that has a name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// What it is: `parameter`, `quantity of a cell`.
    pub kind: String,
    /// Its name or path.
    pub name: String,
    /// Unit, default, limits and the like, in short.
    pub facts: Vec<String>,
    /// What it is.
    pub about: String,
    /// Where it comes from.
    pub source: String,
}

impl Item {
    fn new(kind: impl Into<String>, name: impl Into<String>, about: &str) -> Self {
        Self {
            kind: kind.into(),
            name: name.into(),
            facts: Vec::new(),
            about: about.into(),
            source: String::new(),
        }
    }

    fn fact(mut self, fact: impl Into<String>) -> Self {
        let fact = fact.into();
        if !fact.is_empty() {
            self.facts.push(fact);
        }
        self
    }

    fn source(mut self, source: &str) -> Self {
        self.source = source.into();
        self
    }
}

/// Things of one kind, under a title.
pub struct Chapter {
    /// Its title.
    pub title: &'static str,
    /// The things.
    pub items: Vec<Item>,
}

impl Description {
    /// Everything, by chapter.
    pub fn chapters(&self) -> Vec<Chapter> {
        let chapter = |title, items| Chapter { title, items };
        let cells = self.cell_types.iter().map(|known| {
            Item::new("cell type", &known.name, &known.about)
                .fact(format!("can {}", known.capabilities.join(", ")))
        });
        let molecules = self.molecules.iter().map(|known| {
            Item::new("molecule", &known.name, &known.about)
                .fact(&known.unit)
                .source(&known.source)
        });
        let drugs = self.drugs.iter().map(|known| {
            Item::new("drug", &known.name, &known.about)
                .fact(format!("in a {}", known.bodies.join(" or a ")))
                .fact(known.acts_on.join(", "))
                .source(&known.source)
        });
        let quantities = self.quantities.iter().map(|known| {
            let usually = known.range.map_or_else(String::new, |(from, to)| {
                let [from, to] = [from, to].map(|end| number(f64::from(end)));
                format!("usually {from} to {to}")
            });
            Item::new(
                format!("quantity of a {}", known.of),
                &known.name,
                &known.about,
            )
            .fact(&known.unit)
            .fact(usually)
            .source(&known.source)
        });
        let categories = self.categories.iter().map(|known| {
            let values: Vec<&str> = known.values.iter().map(|(key, _)| key.as_str()).collect();
            Item::new("category of cells", &known.name, &known.about).fact(values.join(", "))
        });
        let inputs = self.inputs.iter().map(|known| {
            Item::new(
                format!("input of a {}", known.of),
                &known.name,
                &known.about,
            )
            .fact(&known.unit)
            .fact(&known.allowed)
        });
        let rules = self.rules.iter().map(|known| {
            Item::new("rule", &known.path, &known.about)
                .fact(format!("{} by {}: {}", known.input, known.by, known.law))
                .fact(&known.in_words)
                .source(&known.source)
        });
        let metrics = self.metrics.iter();
        let metrics =
            metrics.map(|known| Item::new("metric", &known.name, &known.about).fact(&known.unit));
        let events = self.events.iter();
        let events = events.map(|known| Item::new("event", &known.name, &known.about));
        vec![
            chapter("Cell types", cells.collect()),
            chapter("Capabilities of cell types", self.capability_items()),
            chapter("Parameters of the whole tissue", self.group_items()),
            chapter("Molecules", molecules.collect()),
            chapter("Drugs", drugs.collect()),
            chapter("Quantities", quantities.collect()),
            chapter("Categories", categories.collect()),
            chapter("Inputs", inputs.collect()),
            chapter("Rules", rules.collect()),
            chapter("Metrics", metrics.collect()),
            chapter("Events", events.collect()),
        ]
    }

    fn capability_items(&self) -> Vec<Item> {
        let mut items = Vec::new();
        for known in &self.capabilities {
            let having = if known.of_all_types {
                "of every cell type"
            } else {
                ""
            };
            let listed = if known.is_list { "a list" } else { "" };
            items.push(
                Item::new("capability", &known.name, &known.about)
                    .fact(having)
                    .fact(listed),
            );
            items.extend(parameters(&known.name, &known.parameters));
        }
        items
    }

    fn group_items(&self) -> Vec<Item> {
        let mut items = Vec::new();
        for known in &self.groups {
            items.push(Item::new("group", &known.name, &known.about));
            items.extend(parameters(&known.name, &known.parameters));
        }
        items
    }

    /// Parameters as they are in each cell type, by their whole paths.
    fn items_of_types(&self) -> Vec<Item> {
        let general = self.capability_items();
        let mut items = Vec::new();
        for known in &self.cell_types {
            for (path, value) in &known.parameters {
                let generally = |item: &&Item| item.name == *path || is_entry(&item.name, path);
                let found = general.iter().find(generally).cloned();
                if let Some(mut item) = found.or_else(|| self.number_of_rule(&known.name, path)) {
                    item.name = format!("{}.{path}", known.name);
                    item.facts.insert(0, format!("here {}", number(*value)));
                    items.push(item);
                }
            }
        }
        items
    }

    /// A number of a rule of a cell type, by its path `rules.NAME.law.gain`.
    fn number_of_rule(&self, of: &str, path: &str) -> Option<Item> {
        let (name, number) = path.strip_prefix("rules.")?.split_once('.')?;
        let path = format!("{of}.{name}");
        let rule = self.rules.iter().find(|rule| rule.path == path)?;
        let about = format!("`{number}` of the rule `{path}`. {}", rule.about);
        let item = Item::new("parameter", "", about.trim_end())
            .fact(format!("{} by {}: {}", rule.input, rule.by, rule.law))
            .source(&rule.source);
        Some(item)
    }

    /// What files hold.
    fn items_of_files(&self) -> Vec<Item> {
        let field = |of: &str, field: &FileField| {
            let default = field.default.as_deref();
            Item::new("field", format!("{of}.{}", field.name), &field.about)
                .fact(field.holds.replace('`', ""))
                .fact(default.map_or_else(|| "required".into(), |value| format!("default {value}")))
        };
        let variant = |of: &FileType, variant: &FileVariant| {
            let name = format!("{}.{}", of.name, variant.name);
            let mut items = vec![
                Item::new("value", &name, &variant.about)
                    .fact(variant.holds.join(", ").replace('`', "")),
            ];
            items.extend(variant.fields.iter().map(|known| field(&name, known)));
            items
        };
        let mut items = Vec::new();
        for known in &self.files {
            items.push(Item::new("type of files", &known.name, &known.about));
            items.extend(known.fields.iter().map(|of| field(&known.name, of)));
            items.extend(known.variants.iter().flat_map(|of| variant(known, of)));
        }
        items
    }

    /// Everything that has a name.
    pub fn items(&self) -> Vec<Item> {
        let chapters = self.chapters().into_iter();
        chapters
            .flat_map(|chapter| chapter.items)
            .chain(self.items_of_types())
            .chain(self.items_of_files())
            .collect()
    }

    /// What has that name, with what lies in it.
    ///
    /// # Errors
    /// The nearest names, when nothing has it.
    pub fn find(&self, name: &str) -> Result<Vec<Item>, Vec<String>> {
        let items = self.items();
        let wanted = name.to_lowercase();
        let inside = format!("{wanted}.");
        let is_wanted = |item: &&Item| {
            let known = item.name.to_lowercase();
            known == wanted || known.starts_with(&inside)
        };
        let found: Vec<Item> = items.iter().filter(is_wanted).cloned().collect();
        if !found.is_empty() {
            return Ok(found);
        }
        // The last part of a path alone, where it is written as it stands there.
        let ends_so = |item: &&Item| {
            let known = item.name.to_lowercase();
            known.rsplit('.').next() == Some(wanted.as_str())
        };
        let found: Vec<Item> = items.iter().filter(ends_so).cloned().collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let mut near: Vec<(f64, &str)> = items
            .iter()
            .map(|item| {
                let known = item.name.to_lowercase();
                // The last part of a path counts, too: `s_hours` is near `cycle.s_hours`.
                let last = known.rsplit('.').next().unwrap_or(&known);
                let score = strsim::jaro_winkler(&wanted, &known)
                    .max(strsim::jaro_winkler(&wanted, last) - 0.01);
                (score, item.name.as_str())
            })
            .filter(|(score, _)| *score > 0.8)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut names: Vec<String> = near.iter().map(|(_, name)| (*name).to_owned()).collect();
        names.dedup();
        names.truncate(4);
        Err(names)
    }
}

/// Whether a path is that of an entry of a list: `exchange.NAME.rate` of `exchange.vegf_a.rate`.
fn is_entry(general: &str, path: &str) -> bool {
    let Some((before, after)) = general.split_once(".NAME.") else {
        return false;
    };
    let inside = path
        .strip_prefix(before)
        .and_then(|rest| rest.strip_prefix('.'));
    inside.is_some_and(|rest| {
        rest.split_once('.')
            .is_some_and(|(_, field)| field == after)
    })
}

/// The items of the parameters of a capability or group.
fn parameters<'a>(of: &'a str, entries: &'a [ParameterEntry]) -> impl Iterator<Item = Item> + 'a {
    entries.iter().map(move |entry| parameter(of, entry))
}

fn parameter(of: &str, entry: &ParameterEntry) -> Item {
    let default = entry.default.as_deref().map(|value| {
        let unit = &entry.unit;
        format!("{value} {unit}").trim_end().to_owned()
    });
    Item::new("parameter", format!("{of}.{}", entry.name), &entry.about)
        .fact(default.unwrap_or_default())
        .fact(&entry.allowed)
}
