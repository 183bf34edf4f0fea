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

/// Cuts each of these arrows, told with the input that it leads to, after so many steps of a simulation.
pub fn assert_each_changes_its_input_alone(
    begin: impl Fn() -> Simulation,
    steps: u64,
    arrows: &[(&str, &str)],
) {
    // Each runs from the start: a simulation is a value, not a copy.
    let run = |cut: Option<&str>| {
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
    };
    let (state, whole) = run(None);
    for &(path, input) in arrows {
        let (before, without) = run(Some(path));
        assert_eq!(before, state);
        for (name, values) in &whole {
            let same = without[name] == *values;
            assert_eq!(same, name != input, "`{name}` without `{path}`");
        }
    }
}
