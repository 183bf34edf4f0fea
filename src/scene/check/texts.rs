//! Checks of what a scene says to people: names, titles and sentences hold nothing that a terminal or a table would obey.

use super::super::look::Label;
use super::super::schema::{Action, Scene};
use super::super::spans::FieldPath;
use super::Checker;
use crate::core::printable::is_unprintable;

/// Checks all texts of a scene that are shown or written.
pub(super) fn check_texts(checker: &mut Checker, scene: &Scene) {
    let root = FieldPath::root();
    line(checker, &root.field("title"), &scene.title);
    prose(checker, &root.field("about"), &scene.about);
    for (index, site) in scene.sites.iter().enumerate() {
        let path = root.field("sites").item(index);
        line(checker, &path.field("name"), &site.name);
    }
    for what in scene.faster.keys() {
        line(checker, &root.field("faster").key(what), what);
    }
    for (path, action) in scene.actions() {
        match action {
            Action::Caption(text) => prose(checker, &path, text),
            Action::Chapter(number, title) => {
                line(checker, &path.nth(0), number);
                line(checker, &path.nth(1), title);
            }
            Action::Card(heading, lines) => {
                line(checker, &path.nth(0), heading);
                for (index, text) in lines.iter().enumerate() {
                    line(checker, &path.nth(1).item(index), text);
                }
            }
            Action::Label(Label { text, .. }) => line(checker, &path.field("text"), text),
            _ => {}
        }
    }
}

/// Asks for a text of one line.
pub(in crate::scene) fn line(checker: &mut Checker, path: &FieldPath, text: &str) {
    refuse(checker, path, text.chars().find(|c| is_unprintable(*c)));
}

/// Asks for a text that may have several lines.
fn prose(checker: &mut Checker, path: &FieldPath, text: &str) {
    let is_wrong = |c: &char| is_unprintable(*c) && !matches!(c, '\n' | '\r' | '\t');
    refuse(checker, path, text.chars().find(is_wrong));
}

fn refuse(checker: &mut Checker, path: &FieldPath, found: Option<char>) {
    if let Some(found) = found {
        let message = format!(
            "must not hold `{}`, which nobody sees and a terminal obeys",
            found.escape_unicode()
        );
        checker.problem(path, message);
    }
}
