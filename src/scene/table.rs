//! Populations from CSV files: `x,y,z,type`, um, one row for each cell.
//!
//! Columns may come in any order; `type` may be left out, then every row is of the population's own type.
//! Mistakes are reported with line and column of the CSV file itself.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::report::{Problem, SceneReport};
use crate::core::parameters::nearest;

/// After this many wrong rows the rest of the file is not looked at.
const MAX_PROBLEMS: usize = 20;

/// A cell of a CSV file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Centre, um.
    pub at_um: Vec3,
    /// Name of the type; `None` where the file names none.
    pub cell: Option<String>,
    /// Where the row stands in the text.
    pub span: std::ops::Range<usize>,
}

/// The rows of a CSV text. `types` are the names a row may have as its type.
///
/// # Errors
/// When the header or rows are wrong: all of them, with their places.
pub fn read_table(text: &str, file: &str, types: &[String]) -> Result<Vec<Row>, SceneReport> {
    let mut report = SceneReport::default();
    report.add_source(file, text);
    let mut lines = lines_of(text);
    let Some((header_start, header)) = lines.next() else {
        let message = "the file is empty: its first line must be `x,y,z,type`";
        report.problems.push(Problem::whole_file(file, message));
        return Err(report);
    };
    let Some(columns) = read_header(text, file, header_start, header, &mut report) else {
        return Err(report);
    };
    let mut rows = Vec::new();
    for (start, line) in lines {
        if report.problems.len() >= MAX_PROBLEMS {
            let message =
                format!("more than {MAX_PROBLEMS} problems; the rest of the rows was not read");
            let span = start..start + line.len();
            report
                .problems
                .push(Problem::at(file, text, span, "", message));
            break;
        }
        if let Some(row) = read_row(text, file, start, line, &columns, types, &mut report) {
            rows.push(row);
        }
    }
    if report.is_empty() {
        Ok(rows)
    } else {
        Err(report)
    }
}

/// Which cell of a row holds what.
struct Columns {
    /// Positions of x, y, z.
    axes: [usize; 3],
    /// Position of the type.
    cell: Option<usize>,
    /// Number of columns.
    count: usize,
}

/// The lines with something in them and the byte at which each starts.
fn lines_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n')
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line.trim_end_matches(['\n', '\r'])))
        })
        .filter(|(_, line)| !line.trim().is_empty())
}

/// The cells of a line, each with the byte at which it starts. Quotes around a cell are taken off.
fn cells_of(start: usize, line: &str) -> Vec<(usize, &str)> {
    let mut at = start;
    line.split(',')
        .map(|cell| {
            let begin = at;
            at += cell.len() + 1;
            let trimmed = cell.trim_start();
            let offset = begin + cell.len() - trimmed.len();
            let trimmed = trimmed.trim_end();
            match trimmed.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
                Some(inner) => (offset + 1, inner),
                None => (offset, trimmed),
            }
        })
        .collect()
}

fn read_header(
    text: &str,
    file: &str,
    start: usize,
    line: &str,
    report: &mut SceneReport,
) -> Option<Columns> {
    const KNOWN: [&str; 4] = ["x", "y", "z", "type"];
    let cells = cells_of(start, line);
    let mut found = [None; 4];
    for (position, (at, name)) in cells.iter().enumerate() {
        let span = *at..*at + name.len();
        let Some(which) = KNOWN.iter().position(|known| known == name) else {
            let problem = Problem::at(
                file,
                text,
                span,
                "",
                format!("there is no column `{name}`; the columns are `x`, `y`, `z` and `type`"),
            );
            let help = "the first line of the file names the columns: `x,y,z,type`";
            report.problems.push(problem.with_help(help));
            continue;
        };
        if found[which].replace(position).is_some() {
            let message = format!("the column `{name}` stands twice");
            report
                .problems
                .push(Problem::at(file, text, span, "", message));
        }
    }
    for (which, name) in KNOWN.iter().enumerate().take(3) {
        if found[which].is_none() {
            let span = start..start + line.len();
            let message = format!("the column `{name}` is missing");
            report.problems.push(
                Problem::at(file, text, span, "", message)
                    .with_help("the first line of the file names the columns: `x,y,z,type`"),
            );
        }
    }
    if !report.is_empty() {
        return None;
    }
    Some(Columns {
        axes: [found[0]?, found[1]?, found[2]?],
        cell: found[3],
        count: cells.len(),
    })
}

fn read_row(
    text: &str,
    file: &str,
    start: usize,
    line: &str,
    columns: &Columns,
    types: &[String],
    report: &mut SceneReport,
) -> Option<Row> {
    let cells = cells_of(start, line);
    let whole = start..start + line.len();
    let before = report.problems.len();
    if cells.len() != columns.count {
        let message = format!(
            "expected {} values as in the first line, found {}",
            columns.count,
            cells.len()
        );
        report
            .problems
            .push(Problem::at(file, text, whole, "", message));
        return None;
    }
    let mut position = [0.0_f32; 3];
    for (axis, name) in ["x", "y", "z"].into_iter().enumerate() {
        let (at, value) = cells[columns.axes[axis]];
        let span = at..at + value.len();
        let message = match value.parse::<f32>() {
            Ok(number) if number.is_finite() => {
                position[axis] = number;
                continue;
            }
            Ok(_) => format!("expected a finite number of um, found `{value}`"),
            Err(_) => format!("expected a number of um, found `{value}`"),
        };
        report
            .problems
            .push(Problem::at(file, text, span, name, message));
    }
    let mut cell = None;
    if let Some(column) = columns.cell {
        let (at, name) = cells[column];
        if !name.is_empty() {
            if types.iter().all(|known| known != name) {
                let mut message = format!("there is no cell type `{name}`");
                if let Some(guess) = nearest(name, types) {
                    message.push_str(&format!("; did you mean `{guess}`?"));
                }
                let span = at..at + name.len();
                report
                    .problems
                    .push(Problem::at(file, text, span, "type", message));
            }
            cell = Some(name.to_owned());
        }
    }
    (report.problems.len() == before).then_some(Row {
        at_um: position.into(),
        cell,
        span: whole,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Row>, Vec<String>> {
        let types = ["cancer".to_owned(), "fibroblast".to_owned()];
        read_table(text, "cells.csv", &types).map_err(|report| report.headlines())
    }

    #[test]
    fn columns_come_in_any_order_and_the_type_is_optional() {
        let rows = read("type,z,y,x\r\ncancer,3,2,1\r\n,0.5,0,0\r\n").unwrap();
        assert_eq!(rows[0].at_um, Vec3::new(1.0, 2.0, 3.0));
        assert_eq!(rows[0].cell.as_deref(), Some("cancer"));
        assert_eq!(rows[1].cell, None);
        assert_eq!(read("x,y,z\n1,2,3\n").unwrap().len(), 1);
    }

    #[test]
    fn every_wrong_cell_is_reported_where_it_stands() {
        let problems = read("x,y,z,type\n1,2,NaN,cancer\nfar,2,3,cancr\n1,2,3\n").unwrap_err();
        assert_eq!(
            problems,
            [
                "cells.csv:2:5: z: expected a finite number of um, found `NaN`",
                "cells.csv:3:1: x: expected a number of um, found `far`",
                "cells.csv:3:9: type: there is no cell type `cancr`; did you mean `cancer`?",
                "cells.csv:4:1: expected 4 values as in the first line, found 3",
            ]
        );
        let problems = read("x,y,typ\n").unwrap_err();
        assert_eq!(
            problems,
            [
                "cells.csv:1:5: there is no column `typ`; the columns are `x`, `y`, `z` and `type`",
                "cells.csv:1:1: the column `z` is missing",
            ]
        );
    }
}
