//! Cuts arrows one by one: without one, a step later nothing but its input differs.

use std::collections::BTreeMap;

use tumorscape::core::input::Inputs;
use tumorscape::core::regulate::RuleChange;
use tumorscape::simulation::{Action, Simulation};

/// What rules make of every input of cells, as bits.
fn inputs(simulation: &Simulation) -> BTreeMap<String, Vec<(u64, u32)>> {
    let names = simulation.world().resource::<Inputs>().cell_names();
    let of = |name: &str| {
        let values = simulation.inputs(name);
        let bits = values.iter().map(|(id, value)| (id.0, value.to_bits()));
        bits.collect()
    };
    names
        .iter()
        .map(|name| ((*name).to_owned(), of(name)))
        .collect()
}

/// What rules make of inputs a step after the arrow was cut, after so many steps of a simulation, and the state before. Each runs from the
/// start: a simulation is a value, not a copy.
fn a_step_later(
    begin: &impl Fn() -> Simulation,
    steps: u64,
    cut: Option<&str>,
) -> (u64, BTreeMap<String, Vec<(u64, u32)>>) {
    let mut simulation = begin();
    while simulation.steps() < steps {
        simulation.step();
    }
    let before = simulation.state_hash();
    if let Some(path) = cut {
        let delete = Action::Rule(RuleChange::Delete(path.to_owned()));
        simulation.apply(delete).expect("the rule is there");
    }
    simulation.step();
    (before, inputs(&simulation))
}

/// Cuts each of these arrows, told with the input that it leads to, after so many steps of a simulation, and says which have changed it; none
/// may change another.
pub fn those_that_change_their_input(
    begin: impl Fn() -> Simulation,
    steps: u64,
    arrows: &[(&str, &str)],
) -> Vec<bool> {
    let (state, whole) = a_step_later(&begin, steps, None);
    let changes = |(path, input): &(&str, &str)| {
        let (before, without) = a_step_later(&begin, steps, Some(path));
        assert_eq!(before, state);
        for (name, values) in &whole {
            let same = without[name] == *values;
            assert!(same || name == input, "`{name}` without `{path}`");
        }
        without[*input] != whole[*input]
    };
    arrows.iter().map(changes).collect()
}

/// Cuts each of these arrows, told with the input that it leads to, after so many steps of a simulation, and finds that input changed, and no
/// other.
pub fn assert_each_changes_its_input_alone(
    begin: impl Fn() -> Simulation,
    steps: u64,
    arrows: &[(&str, &str)],
) {
    let changed = those_that_change_their_input(begin, steps, arrows);
    for ((path, input), changed) in arrows.iter().zip(changed) {
        assert!(changed, "`{input}` is the same without `{path}`");
    }
}
