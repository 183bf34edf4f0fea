//! What holds an input down: the share that each quantity has in it, over all cells of a site.
//!
//! Where factors multiply, `f = f_1 f_2 ...`, their logarithms add up: the share of one is `ln f_i` over the sum of those of all that are
//! below 1, each summed over the living cells of a site that have the input. A module that wants an input to be explained so asks for it
//! with [`ExplainInput::explain_input`]; there is then a measurement, and a curve of a plot, for each quantity by which a rule of any cell
//! type acts on it from the start. A rule that a story adds later by another quantity has no share, and the shares are those of the others.

use bevy::math::ops;
use bevy::prelude::*;

use crate::cell::{CellType, Resident, Vital};
use crate::core::clones::Clones;
use crate::core::columns::tables_with;
use crate::core::metric::{Metric, RegisterMetrics};
use crate::core::quantity::{NONE, Quantities, Reader};
use crate::core::regulate::Rules;
use crate::core::rule::{BLOCK, Combine, RuleProgram, Scratch};
use crate::core::state::RegisterState;
use crate::tissue::SiteId;

/// The inputs that are explained: name, and title of the plot.
#[derive(Resource, Clone, Debug, Default)]
pub struct ExplainedInputs(Vec<(&'static str, &'static str)>);

/// Registration, from a module's plugin.
pub trait ExplainInput {
    /// Asks that the share of each quantity in what lowers an input of cells be measured, and shown in a plot of that title.
    fn explain_input(&mut self, input: &'static str, plot: &'static str) -> &mut Self;
}

impl ExplainInput for App {
    fn explain_input(&mut self, input: &'static str, plot: &'static str) -> &mut Self {
        self.init_resource::<ExplainedInputs>()
            .declare_remade::<ExplainedInputs>("a list of what the program knows");
        let mut explained = self.world_mut().resource_mut::<ExplainedInputs>();
        explained.0.push((input, plot));
        self
    }
}

/// Parts of a unit that are told apart in sums: whole numbers, so that a sum is the same in any order.
const PARTS: f64 = 1_048_576.0;

/// Colours of the curves, one after the other (Okabe and Ito, and lighter ones), sRGB.
const COLOURS: [[f32; 3]; 9] = [
    [0.84, 0.37, 0.0],
    [0.34, 0.71, 0.91],
    [0.0, 0.62, 0.45],
    [0.94, 0.82, 0.20],
    [0.80, 0.47, 0.65],
    [0.0, 0.45, 0.70],
    [0.90, 0.62, 0.0],
    [0.55, 0.55, 0.55],
    [0.60, 0.80, 0.45],
];

/// Registers the measurements, once the cell types and their rules are in force.
pub fn register_explained(world: &mut World) {
    let explained = world.get_resource::<ExplainedInputs>().cloned();
    for (input, plot) in explained.unwrap_or_default().0 {
        let rules = world.get_resource::<Rules>();
        let books = rules.into_iter().flat_map(|rules| &rules.of_types);
        let of_input = books.flat_map(|book| book.rules.values());
        let of_input = of_input.filter(|rule| rule.input == input);
        let mut by: Vec<String> = of_input.map(|rule| rule.by.clone()).collect();
        by.sort_unstable();
        by.dedup();
        if by.is_empty() {
            continue;
        }
        let known = world.get_resource::<Quantities>();
        let metrics = by.iter().enumerate().map(|(place, name)| {
            let quantity = known.and_then(|known| known.of_cells(name));
            let label = quantity.map_or_else(|| name.clone(), |of| of.info.label.clone());
            let metric = Metric::new(
                format!(
                    "{}_share_of_{}",
                    input.replace('.', "_"),
                    name.replace('.', "_")
                ),
                "",
                format!("Share of `{name}` in what lowers `{input}`, over all living cells that have it."),
            );
            metric
                .label(&label)
                .share_of(plot)
                .colour(COLOURS[place % COLOURS.len()])
        });
        let metrics = metrics.collect();
        world.register_metrics(metrics, move |world, site| shares(world, site, input, &by));
    }
}

/// The share of each of these quantities.
fn shares(world: &World, site: usize, input: &str, by: &[String]) -> Vec<f64> {
    let mut sums = vec![0_u64; by.len()];
    let (Some(rules), Some(known)) = (
        world.get_resource::<Rules>(),
        world.get_resource::<Quantities>(),
    ) else {
        return vec![f64::NAN; by.len()];
    };
    let readers: Vec<Option<Reader<f32>>> = by
        .iter()
        .map(|name| Some(known.of_cells(name)?.reader_of_the_known(world)))
        .collect();
    // What each rule of each type makes of a base of 1, alone.
    let alone = |book| {
        let column = |name: &str| {
            let place = by.iter().position(|known| known == name);
            place.unwrap_or(usize::MAX)
        };
        let program = RuleProgram::new(book, input, (0.0, f32::MAX), column);
        let terms = program.map_or_else(Vec::new, |program| program.terms);
        let single = |term| RuleProgram {
            terms: vec![term],
            floor: 0.0,
            combine: Combine::Product,
            limits: (0.0, f32::MAX),
        };
        let known = terms.into_iter().filter(|term| term.column < by.len());
        known.map(single).collect::<Vec<RuleProgram>>()
    };
    let programs: Vec<Vec<RuleProgram>> = rules.of_types.iter().map(alone).collect();
    let clones = world.get_resource::<Clones>();
    let mut scratch: Scratch = [[0.0; BLOCK]; 2];
    let mut columns: Vec<Vec<f32>> = vec![Vec::new(); by.len()];
    for table in tables_with::<CellType>(world) {
        let (Some(types), Some(residents)) = (table.get::<CellType>(), table.get::<Resident>())
        else {
            continue;
        };
        let vitals = table.get::<Vital>();
        let type_of = |row: usize| {
            let cell_type = types[row].0;
            clones.map_or(cell_type, |clones| clones.type_of(cell_type))
        };
        let has_rules = |row| {
            programs
                .get(usize::from(type_of(row)))
                .is_some_and(|of| !of.is_empty())
        };
        if !(0..table.len()).any(has_rules) {
            continue;
        }
        for (column, reader) in columns.iter_mut().zip(&readers) {
            column.clear();
            column.resize(table.len(), NONE);
            if let Some(reader) = reader {
                reader(&table, 0..table.len(), column);
            }
        }
        for row in 0..table.len() {
            let lives = vitals.is_none_or(|vitals| vitals[row].is_alive());
            if residents[row].0 != SiteId(site as u16) || !lives || !has_rules(row) {
                continue;
            }
            for program in &programs[usize::from(type_of(row))] {
                let column = program.terms[0].column;
                let mut factor = [1.0];
                let value = |place: usize| &columns[place][row..=row];
                program.apply(&mut factor, value, &mut scratch);
                if factor[0] < 1.0 {
                    // Beyond e^-20 it makes no difference any more.
                    let loss = -ops::ln(factor[0].max(2e-9));
                    sums[column] += (f64::from(loss) * PARTS).round() as u64;
                }
            }
        }
    }
    let total: u64 = sums.iter().sum();
    let share = |sum: u64| {
        if total > 0 {
            sum as f64 / total as f64
        } else {
            f64::NAN
        }
    };
    sums.into_iter().map(share).collect()
}
