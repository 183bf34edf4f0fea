//! How a cell is wired at present: the rules of its type, what each reads and what each makes of its input.
//!
//! Quantities are read as they are after the last step; inputs are what the rules make of them, by the same
//! [`RuleProgram`](rule::RuleProgram)s as in `Regulate`. Switching an arrow off is setting its scale to 0
//! ([`Arrow::scale_path`]), an action like any other.

use bevy::prelude::*;

use crate::cell::CellType;
use crate::core::clones::Clones;
use crate::core::columns::Columns;
use crate::core::input::{CellInput, Inputs};
use crate::core::parameters::CellTypeNames;
use crate::core::quantity::{NONE, Quantities};
use crate::core::regulate::Rules;
use crate::core::rule::{self, BLOCK, Law, Rule, RuleBook};

/// What an arrow does to its input at present.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Strength {
    /// Multiplies it; 1 changes nothing.
    Factor(f32),
    /// Adds to it, unit of the input.
    Addend(f32),
    /// It is switched off: its scale is 0.
    Off,
    /// The cell does not have what it reads.
    Unread,
}

impl Strength {
    /// Whether it raises its input (more than 0), lowers it (less) or does neither, and by how many times, as a logarithm;
    /// an addend by what it adds to what was there.
    pub fn pull(self, base: f32) -> f32 {
        match self {
            Self::Factor(factor) => bevy::math::ops::ln(factor.clamp(1.0e-6, 1.0e6)),
            Self::Addend(0.0) => 0.0,
            Self::Addend(added) => {
                let share = added.abs() / base.abs().max(1.0e-3 * added.abs());
                bevy::math::ops::ln(1.0 + share).copysign(added)
            }
            Self::Off | Self::Unread => 0.0,
        }
    }
}

/// A rule of a cell, as an arrow from a quantity to an input.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrow {
    /// Its path: `cancer.hypoxia_calls_vessels`.
    pub path: String,
    /// The path of the parameter that says how much of it counts.
    pub scale_path: String,
    /// How much of it counts.
    pub scale: f32,
    /// How it acts.
    pub law: Law,
    /// Where it comes from, by place in [`Wiring::quantities`].
    pub from: usize,
    /// Where it leads, by place in [`Wiring::inputs`].
    pub to: usize,
    /// What it does at present.
    pub strength: Strength,
    /// What it stands for.
    pub about: String,
    /// Where its numbers are from.
    pub source: String,
}

/// Where an arrow begins.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantityNow {
    /// Its name.
    pub name: String,
    /// What it is called in a picture.
    pub label: String,
    /// Its unit; empty for a pure number.
    pub unit: String,
    /// Its value in the cell; NaN where it has none.
    pub value: f32,
}

/// Where an arrow ends.
#[derive(Clone, Debug, PartialEq)]
pub struct InputNow {
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: String,
    /// Its unit; empty for a pure number.
    pub unit: String,
    /// What it would be without rules.
    pub base: f32,
    /// What all rules together make of it.
    pub value: f32,
}

/// All arrows of a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wiring {
    /// What they read.
    pub quantities: Vec<QuantityNow>,
    /// What they change; each is changed by one arrow or more.
    pub inputs: Vec<InputNow>,
    /// The arrows, those of an input after each other.
    pub arrows: Vec<Arrow>,
}

impl Wiring {
    /// The wiring of the cell in a row of a table.
    pub(super) fn of(world: &World, table: &Columns, row: usize) -> Option<Self> {
        let parameters = table.get::<CellType>()?.get(row)?.0;
        let clones = world.get_resource::<Clones>();
        let cell_type = clones.map_or(parameters, |clones| clones.type_of(parameters));
        let name = &world.get_resource::<CellTypeNames>()?.0[usize::from(cell_type)];
        let book = world.get_resource::<Rules>()?;
        let book = book.of_types.get(usize::from(cell_type))?;
        let known = world.get_resource::<Quantities>()?;
        let read = |by: &str| {
            let mut value = [NONE];
            if let Some(quantity) = known.of_cells(by) {
                quantity.reader(world)(table, row..row + 1, &mut value);
            }
            value[0]
        };
        let mut wiring = Self::default();
        for input in &world.get_resource::<Inputs>()?.cells {
            let of_input = |(_, rule): &(&String, &Rule)| rule.input == input.info.name;
            let rules: Vec<(&String, &Rule)> = book.rules.iter().filter(of_input).collect();
            let base = input.base(world, parameters);
            let (Some(base), false) = (base, rules.is_empty()) else {
                continue;
            };
            let to = wiring.inputs.len();
            wiring.inputs.push(InputNow {
                name: input.info.name.clone(),
                about: input.info.about.clone(),
                unit: input.info.unit.clone(),
                base,
                value: applied(book, input, limits_of(input), base, read),
            });
            for (rule_name, rule) in rules {
                let from = wiring.quantity(known, &rule.by, read);
                wiring.arrows.push(Arrow {
                    path: format!("{name}.{rule_name}"),
                    scale_path: format!("{name}.rules.{rule_name}.scale"),
                    scale: rule.scale,
                    law: rule.law,
                    from,
                    to,
                    strength: strength(book, input, (rule_name, rule), base, read),
                    about: rule.about.clone(),
                    source: rule.source.clone(),
                });
            }
        }
        Some(wiring)
    }

    /// The place of a quantity, which joins the others if it is not among them.
    fn quantity(&mut self, known: &Quantities, name: &str, read: impl Fn(&str) -> f32) -> usize {
        let place = self.quantities.iter().position(|other| other.name == name);
        place.unwrap_or_else(|| {
            let info = known.of_cells(name).map(|quantity| &quantity.info);
            self.quantities.push(QuantityNow {
                name: name.to_owned(),
                label: info.map_or_else(|| name.to_owned(), |info| info.label.clone()),
                unit: info.map_or_else(String::new, |info| info.unit.clone()),
                value: read(name),
            });
            self.quantities.len() - 1
        })
    }
}

const fn limits_of(input: &CellInput) -> (f32, f32) {
    (input.info.limits.min as f32, input.info.limits.max as f32)
}

/// What the rules of a book make of an input of this base.
fn applied(
    book: &RuleBook,
    input: &CellInput,
    limits: (f32, f32),
    base: f32,
    read: impl Fn(&str) -> f32,
) -> f32 {
    let mut columns: Vec<[f32; 1]> = Vec::new();
    let program = rule::RuleProgram::new(book, &input.info.name, limits, |by| {
        columns.push([read(by)]);
        columns.len() - 1
    });
    let mut value = [base];
    if let Some(program) = program {
        let column = |place: usize| &columns[place][..];
        program.apply(&mut value, column, &mut [[0.0; BLOCK]; 2]);
    }
    value[0]
}

/// What a rule by itself does to an input.
fn strength(
    book: &RuleBook,
    input: &CellInput,
    (name, rule): (&String, &Rule),
    base: f32,
    read: impl Fn(&str) -> f32,
) -> Strength {
    if rule.scale == 0.0 {
        return Strength::Off;
    }
    if read(&rule.by).is_nan() {
        return Strength::Unread;
    }
    let alone = RuleBook {
        rules: [(name.clone(), rule.clone())].into(),
        combine: book.combine.clone(),
        ..RuleBook::default()
    };
    let value = applied(&alone, input, (f32::MIN, f32::MAX), base, read);
    if matches!(rule.law, Law::Add(_) | Law::HillAdd { .. }) || base == 0.0 {
        Strength::Addend(value - base)
    } else {
        Strength::Factor(value / base)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::scene::schema::Action;
    use crate::simulation::{Program, Simulation, SnapshotRequest};

    const SCENE: &str = r#"(title: "t", about: "", pace: Calibrated, duration: Hours(9), step: Minutes(10),
        sites: [(name: "dish", organ: Medium, size_um: (200, 200, 200),
            fields: [(molecule: "oxygen", level: 10), (molecule: "glucose", level: 5.5), (molecule: "vegf_a", level: 0)])],
        populations: [(cell: "cancer", place: Cells([(at_um: (0, 0, 0)), (at_um: (40, 0, 0))]))])"#;

    fn wiring(simulation: &Simulation, cell: u64) -> Wiring {
        let request = SnapshotRequest {
            portrait: Some(cell),
            ..SnapshotRequest::default()
        };
        let portrait = simulation.snapshot(&request).portrait;
        portrait.expect("the cell is there").wiring
    }

    #[test]
    fn arrows_say_what_they_read_and_make_and_can_be_switched_off_and_on_to_the_bit() {
        let scene = Program::default().parse_scene(SCENE, "t.ron", None);
        let scene = Arc::new(scene.expect("it makes sense"));
        let mut simulation = Simulation::new(scene.clone(), 2).expect("its parameters are valid");
        for _ in 0..30 {
            simulation.step();
        }
        let id = simulation.census(&Default::default()).ids[0].0;
        let path = "cancer.hypoxia_calls_vessels";
        let arrow_in = |wiring: &Wiring| {
            let mut arrows = wiring.arrows.iter();
            let arrow = arrows.find(|arrow| arrow.path == path);
            arrow.expect("cancer cells have this rule").clone()
        };
        let now = wiring(&simulation, id);
        let arrow = arrow_in(&now);
        let (from, to) = (&now.quantities[arrow.from], &now.inputs[arrow.to]);
        assert_eq!(
            (from.name.as_str(), to.name.as_str()),
            ("hif.level", "exchange.vegf_a")
        );
        assert!(from.value > 0.05, "it makes HIF-1a: {}", from.value);
        let Law::Fold(gain) = arrow.law else {
            panic!("a fold: {arrow:?}");
        };
        let expected = 1.0 + gain * from.value;
        let Strength::Factor(factor) = arrow.strength else {
            panic!("a factor: {arrow:?}");
        };
        assert!(
            (factor / expected - 1.0).abs() < 1e-5,
            "{factor} {expected}"
        );
        // Every arrow stands at its ends, and those of an input follow each other.
        assert!(now.arrows.is_sorted_by_key(|arrow| arrow.to));
        assert!(now.inputs.iter().all(|input| !input.value.is_nan()));

        // Off, on again, and what a log of that makes of another simulation.
        let switch = |scale: f64| Action::Set(arrow.scale_path.clone(), scale);
        simulation.apply(switch(0.0)).expect("it can be switched");
        simulation.step();
        let off = wiring(&simulation, id);
        assert_eq!(arrow_in(&off).strength, Strength::Off);
        let of_off = off
            .inputs
            .iter()
            .find(|input| input.name == "exchange.vegf_a");
        assert_eq!(of_off.map(|input| input.value), Some(to.base));
        simulation
            .apply(switch(f64::from(arrow.scale)))
            .expect("it can be switched");
        simulation.step();
        assert!(matches!(
            arrow_in(&wiring(&simulation, id)).strength,
            Strength::Factor(_)
        ));
        let mut again = Simulation::new(scene, 2).expect("its parameters are valid");
        while again.steps() < simulation.steps() {
            let step = again.steps();
            let due = simulation.log().iter().filter(|entry| entry.step == step);
            for entry in due {
                again
                    .apply(entry.action.clone())
                    .expect("it was taken before");
            }
            again.step();
        }
        assert_eq!(again.state_hash(), simulation.state_hash());
    }

    #[test]
    fn the_pull_of_an_arrow_has_the_sign_of_what_it_does() {
        assert!(Strength::Factor(4.0).pull(1.0) > 0.0);
        assert!(Strength::Factor(0.2).pull(1.0) < 0.0);
        assert!(Strength::Factor(0.0).pull(1.0).is_finite());
        assert_eq!(Strength::Factor(1.0).pull(3.0), 0.0);
        assert!(Strength::Addend(-0.3).pull(0.0) < 0.0);
        assert_eq!(Strength::Off.pull(1.0), 0.0);
    }
}
