//! Parameters as a person turns them: what was wished for is shown until the simulation has taken it up or refused it.

use crate::scene::schema::Action;

use super::super::engine::Knob;
use super::super::worker::Order;
use super::Sandbox;

/// A parameter as the panel shows it.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Dial {
    /// Its path, limits and present value (wished for, if the simulation has not taken it up yet).
    pub knob: Knob,
    /// Its value at the start.
    pub initial: f64,
}

impl Dial {
    /// Whether it was changed since the start.
    pub fn is_changed(&self) -> bool {
        self.knob.value != self.initial
    }
}

impl Sandbox {
    /// The scale of a rule when it is switched on: what it was when it was switched off here, or else at the start; 1 if
    /// it was off then.
    pub fn scale_when_on(&self, path: &str) -> f64 {
        let dial = self.dials.iter().find(|dial| dial.knob.path == path);
        let initial = dial.map_or(0.0, |dial| dial.initial);
        let known = self.scales.get(path).copied().unwrap_or(initial);
        if known == 0.0 { 1.0 } else { known }
    }

    /// Changes a parameter at the next step boundary.
    pub fn set_dial(&mut self, path: &str, value: f64) {
        if value == 0.0
            && let Some(dial) = self.dials.iter().find(|dial| dial.knob.path == path)
            && dial.knob.value != 0.0
        {
            self.scales.insert(path.to_owned(), dial.knob.value);
        }
        self.wishes.insert(path.to_owned(), value);
        if let Some(dial) = self.dials.iter_mut().find(|dial| dial.knob.path == path) {
            dial.knob.value = value;
        }
        self.order(Order::Change(Action::Set(path.to_owned(), value)));
    }

    /// Takes in what the simulation says of its parameters.
    pub(super) fn turn_dials(&mut self, knobs: &[Knob]) {
        self.wishes.retain(|path, wish| {
            !knobs
                .iter()
                .any(|knob| knob.path == *path && knob.value == *wish)
        });
        if self.dials.len() != knobs.len() {
            self.dials = knobs
                .iter()
                .map(|knob| Dial {
                    initial: knob.value,
                    knob: knob.clone(),
                })
                .collect();
        }
        for (dial, knob) in self.dials.iter_mut().zip(knobs.iter()) {
            dial.knob = knob.clone();
            if let Some(wish) = self.wishes.get(&knob.path) {
                dial.knob.value = *wish;
            }
        }
    }
}
