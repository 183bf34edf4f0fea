//! Keys that stand twice in a map of a file: of two values only the last would count, and nobody would know.

use std::collections::BTreeSet;

use super::report::Problem;
use super::spans::{FieldPath, PathStep, SyntaxBody, SyntaxNode, Tree, unquoted};

/// Every key that stands in a map where it has stood before, wherever in the file the map is. Nothing is said of what
/// is repaired.
pub(super) fn repeated_keys(
    (file, text): (&str, &str),
    tree: &Tree,
    repaired: &[FieldPath],
) -> Vec<Problem> {
    let mut search = Search {
        file,
        text,
        repaired,
        problems: Vec::new(),
    };
    search.inside(&tree.root, &FieldPath::root());
    search.problems
}

struct Search<'t> {
    file: &'t str,
    text: &'t str,
    repaired: &'t [FieldPath],
    problems: Vec<Problem>,
}

impl Search<'_> {
    fn inside(&mut self, node: &SyntaxNode, way: &FieldPath) {
        match &node.body {
            SyntaxBody::Scalar | SyntaxBody::Text => {}
            SyntaxBody::Struct(entries) => {
                for entry in entries {
                    let name = self.text[entry.name.clone()].trim_start_matches("r#");
                    self.inside(&entry.value, &way.field(name));
                }
            }
            SyntaxBody::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.inside(item, &way.item(index));
                }
            }
            SyntaxBody::Tuple(items) => match items.as_slice() {
                [only] => self.inside(only, way),
                items => {
                    for (index, item) in items.iter().enumerate() {
                        self.inside(item, &way.nth(index));
                    }
                }
            },
            SyntaxBody::Map(pairs) => {
                let mut seen = BTreeSet::new();
                for (name, value) in pairs {
                    let key = unquoted(&self.text[name.span.clone()]);
                    let way = way.key(key);
                    if !seen.insert(key) && !self.repaired.iter().any(|known| known.holds(&way)) {
                        let message = format!("the {} `{key}` stands twice", kept_in(&way));
                        let span = name.span.clone();
                        let problem = Problem::at(self.file, self.text, span, &way, message);
                        self.problems.push(problem);
                    }
                    self.inside(value, &way);
                }
            }
        }
    }
}

/// What the keys of a map are names of, by the field that the map is.
fn kept_in(way: &FieldPath) -> &'static str {
    let field = way.0.iter().rev().find_map(|step| match step {
        PathStep::Field(name) => Some(name.as_str()),
        _ => None,
    });
    match field {
        Some("parameters" | "choices" | "heritable") => "parameter",
        Some("rules") => "rule",
        Some("floors" | "combine") => "input",
        _ => "key",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_stand_twice_are_found_in_any_map_at_any_depth() {
        let text = r#"(parameters: {"a": 1, "b": 2, "a": 3}, cell_types: [(rules: {"x": (law: {1: 2, 1: 3}), "x": ()},
            floors: {"i": 1, "i": 1}, heritable: {"p": (), "p": ()})], b: {"a": 1})"#;
        let found = repeated_keys(("f", text), &Tree::read(text), &[]);
        let said: Vec<String> = found
            .iter()
            .map(|problem| format!("{}: {}", problem.path, problem.message))
            .collect();
        assert_eq!(
            said,
            [
                r#"parameters["a"]: the parameter `a` stands twice"#,
                r#"cell_types[0].rules["x"].law["1"]: the key `1` stands twice"#,
                r#"cell_types[0].rules["x"]: the rule `x` stands twice"#,
                r#"cell_types[0].floors["i"]: the input `i` stands twice"#,
                r#"cell_types[0].heritable["p"]: the parameter `p` stands twice"#,
            ]
        );
        assert_eq!(&text[found[0].span.clone().expect("a place")], "\"a\"");
    }
}
