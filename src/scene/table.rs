//! Populations from CSV files: `x,y,z,type`, um, one row for each cell.
//!
//! Columns may come in any order; `type` may be left out, then every row is of the population's own type. A table of cells
//! that a run has written (`cells_<hours>h.csv`) may be used as it is, if its cells are in one site: of its columns those of
//! the place and the type are read.
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
    let mut first_site = None;
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
        if let Some(site) = columns
            .site
            .and_then(|site| cells_of(start, line).get(site).copied())
        {
            let first = *first_site.get_or_insert(site.1);
            if first != site.1 {
                let message = format!(
                    "this cell is in `{}`, the first one in `{first}`: a population has one site",
                    site.1
                );
                let span = site.0..site.0 + site.1.len();
                let problem = Problem::at(file, text, span, "site", message);
                let help = "keep the rows of one site in a file of their own";
                report.problems.push(problem.with_help(help));
                break;
            }
        }
        if let Some(row) = read_row(text, file, start, line, &columns, types, &mut report) {
            rows.push(row);
        }
    }
    if rows.is_empty() && report.is_empty() {
        let message = "there is no cell in this file, only the line that names the columns";
        report.problems.push(Problem::whole_file(file, message));
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
    /// Position of the site, in a table that a run has written.
    site: Option<usize>,
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
    const FIRST_LINE: &str = "the first line of the file names the columns: `x,y,z,type`";
    let whole = start..start + line.len();
    let cells = cells_of(start, line);
    let mut wrong = |span, message: String, help: &str| {
        let problem = Problem::at(file, text, span, "", message);
        report.problems.push(problem.with_help(help));
    };
    // What is wrong with the file as a whole is said once.
    let separator = [';', '\t'].into_iter().find(|of| line.contains(*of));
    if let Some(separator) = separator.filter(|_| !line.contains(',')) {
        let shown = if separator == ';' {
            "semicolons"
        } else {
            "tabs"
        };
        let message = format!("the values of this file are separated by {shown}, not by commas");
        let help = "save it with commas, and with points in numbers: `1.5`";
        wrong(whole, message, help);
        return None;
    }
    if cells
        .iter()
        .all(|(_, cell)| cell.is_empty() || cell.parse::<f64>().is_ok())
    {
        let message = "this file begins with numbers, and does not say what they are".to_owned();
        wrong(whole, message, FIRST_LINE);
        return None;
    }
    let position = |name: &str| cells.iter().position(|(_, cell)| *cell == name);
    // The columns of a table that a run has written.
    let of_run = ["x_um", "y_um", "z_um"].map(position);
    if let [Some(x), Some(y), Some(z)] = of_run
        && let (Some(_), Some(site)) = (position("cell"), position("site"))
    {
        return Some(Columns {
            axes: [x, y, z],
            cell: position("type"),
            site: Some(site),
            count: cells.len(),
        });
    }
    let mut is_fine = true;
    let (known, other): (Vec<_>, Vec<_>) = cells.iter().partition(|(_, name)| KNOWN.contains(name));
    for (index, (at, name)) in known.iter().enumerate() {
        if known[..index].iter().any(|(_, earlier)| earlier == name) {
            let message = format!("the column `{name}` stands twice");
            wrong(*at..*at + name.len(), message, FIRST_LINE);
            is_fine = false;
        }
    }
    if let Some((at, name)) = other.first() {
        let names: Vec<String> = other.iter().map(|(_, name)| format!("`{name}`")).collect();
        let message = match names.as_slice() {
            [one] => format!("there is no column {one}; the columns are `x`, `y`, `z` and `type`"),
            _ => format!(
                "there are no columns {}; the columns are `x`, `y`, `z` and `type`",
                names.join(", ")
            ),
        };
        wrong(*at..*at + name.len(), message, FIRST_LINE);
        is_fine = false;
    }
    let missing: Vec<&str> = KNOWN[..3]
        .iter()
        .copied()
        .filter(|name| position(name).is_none())
        .collect();
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
        let message = match names.as_slice() {
            [one] => format!("the column {one} is missing"),
            _ => format!("the columns {} are missing", names.join(", ")),
        };
        wrong(whole, message, FIRST_LINE);
        is_fine = false;
    }
    let columns = Columns {
        axes: [position("x")?, position("y")?, position("z")?],
        cell: position("type"),
        site: None,
        count: cells.len(),
    };
    is_fine.then_some(columns)
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
        let told = |text: &str| read(text).unwrap_err();
        for (text, says) in [
            ("1,2,3\n4,5,6\n", "this file begins with numbers"),
            ("x;y;z\n1;2;3\n", "separated by semicolons, not by commas"),
            ("x\ty\tz\n1\t2\t3\n", "separated by tabs"),
            (
                "x,y,z,id,vx\n1,2,3,4,5\n",
                "there are no columns `id`, `vx`",
            ),
            ("x,y,z,type\n", "there is no cell in this file"),
        ] {
            let told = told(text);
            assert!(told.len() == 1 && told[0].contains(says), "{told:?}");
        }
        let problems = read("x,y,typ\n").unwrap_err();
        assert_eq!(
            problems,
            [
                "cells.csv:1:5: there is no column `typ`; the columns are `x`, `y`, `z` and `type`",
                "cells.csv:1:1: the column `z` is missing",
            ]
        );
    }

    #[test]
    fn a_table_that_a_run_has_written_is_one_of_cells() {
        let head = "cell,site,type,phase,x_um,y_um,z_um,radius_um\n";
        let rows = read(&format!(
            "{head}7,dish,cancer,s,1,2,3,8.4\n9,dish,fibroblast,,4,5,6,\n"
        ));
        let rows = rows.expect("it is one");
        assert_eq!(rows[1].at_um, Vec3::new(4.0, 5.0, 6.0));
        assert_eq!(rows[0].cell.as_deref(), Some("cancer"));
        let told = read(&format!(
            "{head}7,dish,cancer,s,1,2,3,8.4\n9,lung,cancer,,4,5,6,\n"
        ));
        assert!(told.unwrap_err()[0].contains("this cell is in `lung`, the first one in `dish`"));
    }
}
