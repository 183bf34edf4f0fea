//! Networks from CSV files: nodes `id,x,y,z,port,mmhg,um3_per_min,haematocrit` and segments `from,to,radius_um,length_um,kind,maturity`.
//!
//! Columns come in any order, and those that may be left out may be left out as a whole or be empty in a row. Mistakes are told with line and
//! column of the file.

use std::ops::Range;

use super::description::{DrawnNode, DrawnSegment, VesselDescription, VesselPlace};
use super::drawn::{Which, faults};
use super::network::VesselKind;
use crate::core::site_part::{FileFault, TextOf};

/// After so many mistakes the rest of a file is not looked at.
const MOST_FAULTS: usize = 20;

/// The columns of the nodes, those first that must be there.
const OF_NODES: [&str; 8] = [
    "id",
    "x",
    "y",
    "z",
    "port",
    "mmhg",
    "um3_per_min",
    "haematocrit",
];
const NODES_NEED: usize = 4;

/// The same of the segments.
const OF_SEGMENTS: [&str; 6] = ["from", "to", "radius_um", "length_um", "kind", "maturity"];
const SEGMENTS_NEED: usize = 3;

/// The same descriptions with what their files hold in place of these; none where none names a file.
///
/// # Errors
/// Everything that is wrong with the files.
pub(super) fn read_files(
    list: &[VesselDescription],
    text_of: &mut TextOf,
) -> Result<Option<Vec<VesselDescription>>, Vec<FileFault>> {
    let mut read = list.to_owned();
    let mut found = Vec::new();
    let mut any = false;
    for of in &mut read {
        let VesselPlace::Csv { nodes, segments } = &of.place else {
            continue;
        };
        any = true;
        let texts = [text_of(nodes), text_of(segments)];
        let [Some(of_nodes), Some(of_segments)] = texts else {
            continue;
        };
        match read_network((nodes, &of_nodes), (segments, &of_segments)) {
            Ok((nodes, segments)) => of.place = VesselPlace::Drawn { nodes, segments },
            Err(faults) => found.extend(faults),
        }
    }
    match (any, found.is_empty()) {
        (false, _) => Ok(None),
        (true, true) => Ok(Some(read)),
        (true, false) => Err(found),
    }
}

/// A network from the texts of two files, each with its name.
///
/// # Errors
/// Everything that is wrong, where it stands.
pub fn read_network(
    nodes: (&str, &str),
    segments: (&str, &str),
) -> Result<(Vec<DrawnNode>, Vec<DrawnSegment>), Vec<FileFault>> {
    let mut found = Vec::new();
    let mut node_rows = Vec::new();
    let mut segment_rows = Vec::new();
    let mut table = Table::new(nodes, &OF_NODES, NODES_NEED, &mut found);
    while let Some(row) = table.next_row(&mut found) {
        if let Some(node) = node(&row, &mut found) {
            node_rows.push((node, row));
        }
    }
    let mut table = Table::new(segments, &OF_SEGMENTS, SEGMENTS_NEED, &mut found);
    while let Some(row) = table.next_row(&mut found) {
        if let Some(segment) = segment(&row, &mut found) {
            segment_rows.push((segment, row));
        }
    }
    if !found.is_empty() {
        return Err(found);
    }
    let (nodes, node_rows): (Vec<_>, Vec<_>) = node_rows.into_iter().unzip();
    let (segments, segment_rows): (Vec<_>, Vec<_>) = segment_rows.into_iter().unzip();
    let wrong = faults(&nodes, &segments);
    if wrong.is_empty() {
        return Ok((nodes, segments));
    }
    let told = wrong.into_iter().take(MOST_FAULTS).map(|fault| {
        let row: &Row = match fault.which {
            Which::Nodes => &node_rows[fault.at],
            Which::Segments => &segment_rows[fault.at],
        };
        row.fault(fault.column, fault.message)
    });
    Err(told.collect())
}

fn node(row: &Row, found: &mut Vec<FileFault>) -> Option<DrawnNode> {
    let before = found.len();
    let id = row.number::<u32>("id", "a whole number", found);
    let at = ["x", "y", "z"].map(|axis| row.finite(axis, "a number of um", found));
    let port = row.kind("port", &[VesselKind::Artery, VesselKind::Vein], found);
    let mmhg = row.finite("mmhg", "a number of mmHg", found);
    let um3_per_min = row.finite("um3_per_min", "a number of um3/min", found);
    let haematocrit = row.share("haematocrit", 0.9, found);
    for column in ["mmhg", "um3_per_min", "haematocrit"] {
        if port.is_none() && row.cell(column).is_some_and(|(_, text)| !text.is_empty()) {
            let message = format!(
                "an inner node holds no `{column}`: its `port` says that it is an `artery` or a `vein`"
            );
            found.push(row.fault(column, message));
        }
    }
    let [Some(x), Some(y), Some(z)] = at else {
        return None;
    };
    let node = DrawnNode {
        id: id?,
        at_um: (x, y, z),
        port,
        mmhg,
        um3_per_min,
        haematocrit,
    };
    (found.len() == before).then_some(node)
}

fn segment(row: &Row, found: &mut Vec<FileFault>) -> Option<DrawnSegment> {
    let before = found.len();
    let ends =
        ["from", "to"].map(|end| row.number::<u32>(end, "the id of a node, a whole number", found));
    let radius_um = row.finite("radius_um", "a number of um", found);
    let length_um = row.finite("length_um", "a number of um", found);
    if length_um.is_some_and(|length| length <= 0.0) {
        found.push(row.fault("length_um", "a length is above 0".into()));
    }
    let kind = row.kind("kind", &VesselKind::ALL, found);
    let maturity = row.share("maturity", 1.0, found);
    let [Some(from), Some(to)] = ends else {
        return None;
    };
    let segment = DrawnSegment {
        from,
        to,
        radius_um: radius_um?,
        length_um,
        kind: kind.unwrap_or_default(),
        maturity,
    };
    (found.len() == before).then_some(segment)
}

/// A file that is read row by row.
struct Table<'t> {
    file: &'t str,
    lines: Vec<(usize, &'t str)>,
    next: usize,
    /// For each column that stands in the file its name, if it is known.
    columns: Vec<Option<&'static str>>,
    need: &'static [&'static str],
    faults: usize,
}

/// A row of a file: its cells, each with its column and the byte where it starts.
struct Row {
    file: String,
    span: Range<usize>,
    need: &'static [&'static str],
    cells: Vec<(&'static str, usize, String)>,
}

impl<'t> Table<'t> {
    /// Reads the first line. After a wrong one there are no rows.
    fn new(
        (file, text): (&'t str, &'t str),
        known: &'static [&'static str],
        need: usize,
        found: &mut Vec<FileFault>,
    ) -> Self {
        let mut at = 0;
        let lines = text.split_inclusive('\n').filter_map(|line| {
            let start = at;
            at += line.len();
            let line = line.trim_end_matches(['\n', '\r']);
            (!line.trim().is_empty()).then_some((start, line))
        });
        let mut table = Self {
            file,
            lines: lines.collect(),
            next: 1,
            columns: Vec::new(),
            need: &known[..need],
            faults: 0,
        };
        let before = found.len();
        let mut wrong = |span: Range<usize>, message: String| {
            found.push(FileFault {
                file: file.to_owned(),
                span,
                column: String::new(),
                message,
            });
        };
        let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let names = names.join(", ");
        let Some((start, header)) = table.lines.first().copied() else {
            wrong(
                0..0,
                format!("the file is empty: its first line names the columns, which are {names}"),
            );
            return table;
        };
        for (at, name) in cells_of(start, header) {
            let column = known.iter().find(|known| **known == name).copied();
            if column.is_none() {
                let message = format!("there is no column `{name}`; the columns are {names}");
                wrong(at..at + name.len(), message);
            } else if table.columns.contains(&column) {
                wrong(
                    at..at + name.len(),
                    format!("the column `{name}` stands twice"),
                );
            }
            table.columns.push(column);
        }
        for name in table.need {
            if !table.columns.contains(&Some(name)) {
                let message = format!("the column `{name}` is missing");
                wrong(start..start + header.len(), message);
            }
        }
        if found.len() > before {
            table.lines.clear();
        }
        table
    }

    fn next_row(&mut self, found: &mut Vec<FileFault>) -> Option<Row> {
        loop {
            let (start, line) = *self.lines.get(self.next)?;
            self.next += 1;
            let span = start..start + line.len();
            let cells = cells_of(start, line);
            let is_short = cells.len() != self.columns.len();
            let mut named = Vec::with_capacity(cells.len());
            for ((at, cell), column) in cells.iter().zip(&self.columns) {
                named.push((column.unwrap_or_default(), *at, (*cell).to_owned()));
            }
            let row = Row {
                file: self.file.to_owned(),
                span,
                need: self.need,
                cells: named,
            };
            if !is_short && self.faults < MOST_FAULTS {
                self.faults = found.len();
                return Some(row);
            }
            if self.faults >= MOST_FAULTS {
                let message =
                    format!("more than {MOST_FAULTS} mistakes; the rest of the rows was not read");
                found.push(row.fault("", message));
                return None;
            }
            let message = format!(
                "expected {} values as in the first line, found {}",
                self.columns.len(),
                cells.len()
            );
            found.push(row.fault("", message));
            self.faults = found.len();
        }
    }
}

impl Row {
    /// A cell, and the byte where it starts.
    fn cell(&self, column: &str) -> Option<(usize, &str)> {
        let mut cells = self.cells.iter();
        let (_, at, text) = cells.find(|(name, ..)| *name == column)?;
        Some((*at, text))
    }

    fn fault(&self, column: &str, message: String) -> FileFault {
        let span = match self.cell(column) {
            Some((at, text)) => at..at + text.len(),
            None => self.span.clone(),
        };
        FileFault {
            file: self.file.clone(),
            span,
            column: column.to_owned(),
            message,
        }
    }

    /// A cell as a number; none where it is empty and may be.
    fn number<T: std::str::FromStr>(
        &self,
        column: &'static str,
        what: &str,
        found: &mut Vec<FileFault>,
    ) -> Option<T> {
        let (_, text) = self.cell(column)?;
        if text.is_empty() && !self.need.contains(&column) {
            return None;
        }
        let read = text.parse();
        if read.is_err() {
            found.push(self.fault(column, format!("expected {what}, found `{text}`")));
        }
        read.ok()
    }

    fn finite(&self, column: &'static str, what: &str, found: &mut Vec<FileFault>) -> Option<f32> {
        let number: f32 = self.number(column, what, found)?;
        if number.is_finite() {
            return Some(number);
        }
        let (_, text) = self.cell(column)?;
        let message = format!("expected {what} that is finite, found `{text}`");
        found.push(self.fault(column, message));
        None
    }

    fn share(&self, column: &'static str, most: f32, found: &mut Vec<FileFault>) -> Option<f32> {
        let number = self.finite(column, "a number", found)?;
        if (0.0..=most).contains(&number) {
            return Some(number);
        }
        let message = format!("must be from 0 to {most}, found {number}");
        found.push(self.fault(column, message));
        None
    }

    fn kind(
        &self,
        column: &'static str,
        kinds: &[VesselKind],
        found: &mut Vec<FileFault>,
    ) -> Option<VesselKind> {
        let (_, text) = self.cell(column)?;
        if text.is_empty() {
            return None;
        }
        let known = kinds.iter().find(|kind| kind.name() == text).copied();
        if known.is_none() {
            let names: Vec<String> = kinds
                .iter()
                .map(|kind| format!("`{}`", kind.name()))
                .collect();
            let message = format!("must be {}, found `{text}`", names.join(" or "));
            found.push(self.fault(column, message));
        }
        known
    }
}

/// The cells of a line, each with the byte at which it starts. Quotes around a cell are taken off.
fn cells_of(start: usize, line: &str) -> Vec<(usize, &str)> {
    let mut at = start;
    let cells = line.split(',').map(|cell| {
        let begin = at;
        at += cell.len() + 1;
        let trimmed = cell.trim_start();
        let offset = begin + cell.len() - trimmed.len();
        let trimmed = trimmed.trim_end();
        let quoted = trimmed
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        match quoted {
            Some(inner) => (offset + 1, inner),
            None => (offset, trimmed),
        }
    });
    cells.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: &str = "id,x,y,z,port,mmhg\n1,-50,0,0,artery,30\n2,0,0,0,,\n3,50,0,0,vein,10\n";
    const SEGMENTS: &str =
        "from,to,radius_um,kind,length_um\n1,2,5,artery,\n2,3,5.5,capillary,80\n";

    fn told(nodes: &str, segments: &str) -> Vec<String> {
        let faults = read_network(("n.csv", nodes), ("s.csv", segments)).expect_err("it is wrong");
        let told = faults.into_iter().map(|fault| {
            let text = if fault.file == "n.csv" {
                nodes
            } else {
                segments
            };
            let line = 1 + text[..fault.span.start].matches('\n').count();
            let begin = text[..fault.span.start].rfind('\n').map_or(0, |at| at + 1);
            let column = fault.span.start - begin + 1;
            format!("{}:{line}:{column}: {}", fault.file, fault.message)
        });
        told.collect()
    }

    #[test]
    fn nodes_and_segments_are_read_with_columns_in_any_order() {
        let (nodes, segments) =
            read_network(("n.csv", NODES), ("s.csv", SEGMENTS)).expect("it is fine");
        assert_eq!(nodes.len(), 3);
        assert_eq!(nodes[0].port, Some(VesselKind::Artery));
        assert_eq!(nodes[0].mmhg, Some(30.0));
        assert_eq!((nodes[1].port, nodes[1].mmhg), (None, None));
        assert_eq!(segments[1].radius_um, 5.5);
        assert_eq!(segments[1].length_um, Some(80.0));
        assert_eq!(segments[0].kind, VesselKind::Artery);
    }

    #[test]
    fn what_is_no_number_or_no_column_is_told_where_it_stands() {
        assert_eq!(
            told(&NODES.replace("50,0,0,vein", "far,NaN,0,vien"), SEGMENTS),
            [
                "n.csv:4:3: expected a number of um, found `far`",
                "n.csv:4:7: expected a number of um that is finite, found `NaN`",
                "n.csv:4:13: must be `artery` or `vein`, found `vien`",
            ][..]
                .iter()
                .map(|line| (*line).to_owned())
                .chain([
                    "n.csv:4:18: an inner node holds no `mmhg`: its `port` says that it is an `artery` or a `vein`"
                        .to_owned()
                ])
                .collect::<Vec<_>>()
        );
        assert_eq!(
            told(
                &NODES.replace("mmhg", "mmHg"),
                &SEGMENTS.replace("2,3,5.5,capillary,80", "2,3")
            ),
            [
                "n.csv:1:15: there is no column `mmHg`; the columns are `id`, `x`, `y`, `z`, `port`, `mmhg`, `um3_per_min`, `haematocrit`",
                "s.csv:3:1: expected 5 values as in the first line, found 2",
            ]
        );
        assert_eq!(
            told("", "from,to\n1,2\n"),
            [
                "n.csv:1:1: the file is empty: its first line names the columns, which are `id`, `x`, `y`, `z`, `port`, `mmhg`, `um3_per_min`, `haematocrit`",
                "s.csv:1:1: the column `radius_um` is missing",
            ]
        );
    }

    #[test]
    fn what_makes_no_network_is_told_where_it_stands() {
        let more = format!("{NODES}4,9,9,9,,\n2,1,1,1,,\n");
        let segments = format!("{SEGMENTS}2,2,5,,\n2,7,5,,\n3,2,5,,\n1,3,0,,\n");
        assert_eq!(
            told(&more, &segments),
            [
                "n.csv:6:1: there are two nodes `2`",
                "s.csv:4:3: a segment leads from node `2` to itself",
                "s.csv:5:3: there is no node `7`",
                "s.csv:7:5: a radius is above 0, found 0",
                "s.csv:6:3: nodes `2` and `3` are joined already",
                "n.csv:5:1: node `4` has no segment",
                "n.csv:6:1: node `2` has no segment",
            ]
        );
    }
}
