//! `tumorscape describe`: what the program knows, for a person, a program or the reference pages.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{Failure, say, warn};
use crate::core::files::{read_plain, write_whole};
use crate::simulation::Program;
use crate::simulation::describe::Description;
use crate::simulation::describe::items::Item;
use crate::simulation::describe::pages::{PAGES, make_page, make_page_of};

/// Bytes of the longest written part of a page.
const LONGEST_PART: u64 = 4 << 20;

/// Options of `describe`.
#[derive(Debug, Args)]
pub(crate) struct DescribeArguments {
    /// Only what has this name: a parameter, quantity, input, molecule, capability, type of a file.
    name: Option<String>,
    /// Print JSON.
    #[arg(long, conflicts_with_all = ["markdown", "docs"])]
    json: bool,
    /// Print a reference page, as Markdown.
    #[arg(long, value_name = "PAGE", conflicts_with_all = ["name", "docs"])]
    markdown: Option<String>,
    /// Write all reference pages into a folder.
    #[arg(long, value_name = "FOLDER", conflicts_with = "name")]
    docs: Option<PathBuf>,
}

pub(crate) fn describe(
    program: &Program,
    arguments: &DescribeArguments,
) -> Result<ExitCode, Failure> {
    if let Some(folder) = &arguments.docs {
        return write_pages(program, folder);
    }
    if let Some(page) = &arguments.markdown {
        let description = Description::of(program).map_err(Failure::input)?;
        let text = make_page(page, &description).map_err(Failure::Input)?;
        say(text.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let library = program.library_in(Path::new(""));
    let library = library.map_err(Failure::input)?;
    warn(&library.warnings);
    let description = Description::with(program, &library.value);
    match &arguments.name {
        Some(name) => describe_one(&description, name, arguments.json),
        None if arguments.json => print_json(&description),
        None => {
            say(all(&description));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn write_pages(program: &Program, folder: &Path) -> Result<ExitCode, Failure> {
    let description = Description::of(program).map_err(Failure::input)?;
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::input(format!("{}: {error}", folder.display())))?;
    for page in PAGES {
        // The written part beside the pages, where there is one, is newer than that in the program.
        let part = folder.join("parts").join(format!("{}.md", page.name));
        let text = read_plain(&part, LONGEST_PART).ok();
        let text = match text.and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(text) => make_page_of(page.name, &text, &description),
            None => make_page(page.name, &description),
        };
        let text = text.map_err(Failure::Run)?;
        let path = folder.join(format!("{}.md", page.name));
        write_whole(&path, text.as_bytes())
            .map_err(|error| Failure::run(format!("{}: {error}", path.display())))?;
        say(path.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn print_json(value: &impl serde::Serialize) -> Result<ExitCode, Failure> {
    say(serde_json::to_string_pretty(value).map_err(Failure::run)?);
    Ok(ExitCode::SUCCESS)
}

fn describe_one(description: &Description, name: &str, json: bool) -> Result<ExitCode, Failure> {
    let found = description.find(name).map_err(|near| {
        let quoted: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
        let help = if quoted.is_empty() {
            "`tumorscape describe` lists all there are".to_owned()
        } else {
            format!("did you mean {}?", quoted.join(" or "))
        };
        Failure::Input(format!("nothing is called `{name}`; {help}"))
    })?;
    if json {
        return print_json(&found);
    }
    let mut lines = Vec::new();
    for item in &found {
        lines.push(format!("{} ({})", item.name, item.kind));
        lines.extend(item.facts.iter().map(|fact| wrapped(fact, 4)));
        lines.push(wrapped(&item.about, 4));
        if !item.source.is_empty() {
            lines.push(wrapped(&format!("Source: {}", item.source), 4));
        }
    }
    say(lines.join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// Everything, for a person.
fn all(description: &Description) -> String {
    let mut lines = Vec::new();
    for chapter in description.chapters() {
        lines.push(chapter.title.to_uppercase());
        if chapter.items.is_empty() {
            lines.push("  none".into());
        }
        let facts = |item: &Item| item.facts.join("; ");
        let width = |item: &Item| item.name.chars().count();
        let name = chapter.items.iter().map(width).max().unwrap_or(0).min(48);
        for item in &chapter.items {
            let line = format!("  {:<name$}  {}", item.name, facts(item));
            lines.push(line.trim_end().to_owned());
            lines.push(wrapped(&item.about, 6));
        }
        lines.push(String::new());
    }
    lines.push(
        "`tumorscape describe NAME` tells more of one of them, `--json` all for a program to read."
            .into(),
    );
    lines.join("\n")
}

/// A text in lines that fit, indented.
fn wrapped(text: &str, indent: usize) -> String {
    /// Columns where the terminal does not say how many it has.
    const COLUMNS: usize = 100;
    let columns = std::env::var("COLUMNS").ok().and_then(|n| n.parse().ok());
    let columns = columns.unwrap_or(COLUMNS).clamp(40, 160);
    let margin = " ".repeat(indent);
    let mut lines = Vec::new();
    let mut line = margin.clone();
    for word in text.split_whitespace() {
        let is_begun = line.len() > indent;
        if is_begun && line.chars().count() + 1 + word.chars().count() > columns {
            lines.push(std::mem::replace(&mut line, margin.clone()));
        }
        if line.len() > indent {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_wrapped_and_indented() {
        let text = "word ".repeat(60);
        let lines = wrapped(&text, 4);
        assert!(lines.lines().count() > 1);
        for line in lines.lines() {
            assert!(line.starts_with("    word") && line.chars().count() <= 160);
        }
        assert_eq!(lines.split_whitespace().count(), 60);
    }
}
