//! Whether the timeline of a scene can make its changes, each time it makes them.
//!
//! The changes are made one after the other, in the order in which the simulation makes them, in a world made for
//! trying. An event that happens again and again is followed through all its occurrences: by then other events may have
//! deleted a rule, or set a parameter that contradicts another. What an event does depends only on which rules there
//! are and on which events have set parameters last, the *state*; so each event is tried once in each state, and
//! followed by a look into a table from then on.

use std::collections::{BTreeMap, BTreeSet};

use bevy::prelude::*;

use super::changes::Replay;
use super::library::CellLibrary;
use super::schema::Scene;
use super::spans::FieldPath;
use super::timeline::{Change, Occurrence, Timeline};
use crate::core::clones::{HeritableTraits, possible_factors, would_contradict};
use crate::core::parameters::set_parameter;
use crate::core::regulate::Rules;

/// So many occurrences are followed; a scene of a year has half a million minutes.
const MAX_OCCURRENCES: usize = 1_000_000;
/// So many states are told from each other; beyond, what comes is not tried any more.
const MAX_STATES: usize = 1_000;
/// Clones are thought to drift so many standard deviations of a change, in either direction: one change in each of ten
/// generations, all the same way.
const DRIFT: f32 = 10.0;
/// So many factors of a heritable parameter are tried on either side of 1.
const FACTORS: i32 = 12;

/// Makes all changes of a timeline.
pub(super) fn check_course(
    replay: Replay,
    scene: &Scene,
    timeline: &Timeline,
    library: &CellLibrary,
) {
    let state = State {
        rules: replay.world.resource::<Rules>().clone(),
        set: BTreeMap::new(),
    };
    let mut course = Course {
        replay,
        scene,
        library,
        keys: BTreeMap::from([(state.key(), 0)]),
        states: vec![state],
        in_world: 0,
        next: BTreeMap::new(),
        refused: BTreeSet::new(),
        settled: BTreeMap::new(),
        told: BTreeSet::new(),
    };
    // Of the state before any change, while the world is in it.
    let tried = course.try_factors();
    course.settled.insert(0, tried);
    let mut changes = timeline
        .changes_in_order(scene.step.minutes())
        .take(MAX_OCCURRENCES)
        .peekable();
    let (mut before, mut now) = (0, 0);
    while let Some(occurrence) = changes.next() {
        let Some(next) = course.follow(now, occurrence) else {
            return;
        };
        now = next;
        let is_last = |next: &Occurrence| next.step > occurrence.step;
        if now != before && changes.peek().is_none_or(is_last) {
            course.settle(before, now);
            before = now;
        }
    }
}

/// What decides on what an event does.
struct State {
    rules: Rules,
    /// The event and value that each parameter was set by last, by path.
    set: BTreeMap<String, (usize, f64)>,
}

impl State {
    /// What tells it from others: names and laws of rules, and who set what.
    fn key(&self) -> String {
        let mut key = String::new();
        for book in self.rules.of_types.iter().chain(&self.rules.of_sites) {
            for (name, rule) in &book.rules {
                let kind = std::mem::discriminant(&rule.law);
                key.push_str(&format!("{name} {kind:?} {};", rule.input));
            }
            key.push('/');
        }
        for (path, (event, _)) in &self.set {
            key.push_str(&format!("{path} {event};"));
        }
        key
    }
}

/// What factors of heritable parameters are tried: of a cell type (by index) and a capability, each combination, and
/// whether parameters contradict each other in a clone that has it.
type Tried = BTreeMap<(u16, String), Vec<bool>>;

struct Course<'c, 'a, 's> {
    replay: Replay<'c, 'a>,
    scene: &'s Scene,
    library: &'s CellLibrary,
    states: Vec<State>,
    keys: BTreeMap<String, usize>,
    /// The state that the world is in.
    in_world: usize,
    /// The state that an event leads to, by state and event.
    next: BTreeMap<(usize, usize), usize>,
    /// Events that set what they cannot.
    refused: BTreeSet<usize>,
    /// The states in which steps were made, and what clones could be in them.
    settled: BTreeMap<usize, Tried>,
    /// What has been said, and where.
    told: BTreeSet<(usize, String)>,
}

impl Course<'_, '_, '_> {
    /// The state after an occurrence; none where there are too many to follow.
    fn follow(&mut self, state: usize, occurrence: Occurrence) -> Option<usize> {
        let event = occurrence.event;
        if self.refused.contains(&event) {
            return Some(state);
        }
        if let Some(next) = self.next.get(&(state, event)) {
            return Some(*next);
        }
        if self.states.len() >= MAX_STATES {
            return None;
        }
        self.bring_world_to(state);
        let at = self.place(event);
        let mut set = self.states[state].set.clone();
        match occurrence.change {
            Change::Set(path, value) => {
                if self.replay.set((&at.nth(0), &at.nth(1)), path, value) {
                    set.insert(path.to_owned(), (event, value));
                } else {
                    self.refused.insert(event);
                }
            }
            // What was said of the first time is not said again, and to delete what is no more there is harmless.
            Change::Rule(change) if occurrence.again => self.replay.change(change),
            Change::Rule(change) => {
                self.replay.rule(&at, change);
            }
            // Populations are checked with those present at the start.
            Change::Add(..) | Change::Treat(_) => {}
        }
        let rules = self.replay.world.resource::<Rules>().clone();
        let new = State { rules, set };
        let key = new.key();
        let next = match self.keys.get(&key) {
            Some(known) => *known,
            None => {
                self.states.push(new);
                self.keys.insert(key, self.states.len() - 1);
                self.states.len() - 1
            }
        };
        self.in_world = next;
        self.next.insert((state, event), next);
        Some(next)
    }

    /// Where what an event does stands.
    fn place(&self, event: usize) -> FieldPath {
        let at = FieldPath::root().field("timeline").item(event);
        self.scene.timeline[event].place_of_action(&at)
    }

    /// Gives the world the rules and parameters of a state. What was set in any earlier one is set in all later ones, so
    /// nothing of another state is left.
    fn bring_world_to(&mut self, state: usize) {
        if self.in_world == state {
            return;
        }
        self.in_world = state;
        let state = &self.states[state];
        let world = &mut *self.replay.world;
        world.insert_resource(state.rules.clone());
        for (path, (_, value)) in &state.set {
            // One of a rule that is gone by now; those of rules came with the rules.
            let _gone = set_parameter(world, path, *value);
        }
    }

    /// Checks the state in which a step is made, after that of the last one, which has been checked.
    fn settle(&mut self, before: usize, now: usize) {
        if !self.settled.contains_key(&now) {
            self.bring_world_to(now);
            self.tell_contradictions(now);
            let tried = self.try_factors();
            self.settled.insert(now, tried);
        }
        self.tell_clones(before, now);
    }

    /// Tells which parameters contradict each other that an event has set.
    fn tell_contradictions(&mut self, state: usize) {
        for (name, index) in self.library.names().iter().zip(0..) {
            for capability in self.library.known.iter() {
                for found in (capability.contradictions_in_force)(self.replay.world, index) {
                    let paths = [found.field, found.other]
                        .map(|field| format!("{name}.{}.{field}", capability.name));
                    let set = &self.states[state].set;
                    let events = paths.iter().filter_map(|path| set.get(path));
                    if let Some(event) = events.map(|(event, _)| *event).max() {
                        self.tell(event, format!("`{}`: {}", paths[0], found.message), "");
                    }
                }
            }
        }
    }

    /// Whether parameters contradict each other in clones with one or two of their heritable parameters changed.
    fn try_factors(&self) -> Tried {
        let mut tried = Tried::new();
        let world = &*self.replay.world;
        let Some(traits) = world.get_resource::<HeritableTraits>() else {
            return tried;
        };
        for (cell_type, traits) in (0..).zip(&traits.0) {
            let mut of: BTreeMap<&str, Vec<(&str, Vec<f32>)>> = BTreeMap::new();
            for (path, how) in traits {
                let capability = path.split_once('.').map_or(path.as_str(), |(name, _)| name);
                let factors = factors(possible_factors(world, cell_type, path), how.spread);
                of.entry(capability).or_default().push((path, factors));
            }
            for (capability, paths) in of {
                let mut found = Vec::new();
                for (index, (path, factors)) in paths.iter().enumerate() {
                    for factor in factors {
                        let one = (*path, *factor);
                        found.push(would_contradict(world, cell_type, &[one]));
                        for (other, factors) in &paths[index + 1..] {
                            found.extend(factors.iter().map(|factor| {
                                would_contradict(world, cell_type, &[one, (*other, *factor)])
                            }));
                        }
                    }
                }
                tried.insert((cell_type, capability.to_owned()), found);
            }
        }
        tried
    }

    /// Tells of clones whose parameters would come to contradict each other when an event sets those of their type.
    fn tell_clones(&mut self, before: usize, now: usize) {
        let (Some(old), Some(new)) = (self.settled.get(&before), self.settled.get(&now)) else {
            return;
        };
        let crosses = |of: &(u16, String), found: &Vec<bool>| {
            let old = old.get(of).into_iter().flatten();
            old.zip(found).any(|(old, new)| !old && *new)
        };
        let found = new.iter().filter(|(of, found)| crosses(of, found));
        let found: Vec<(u16, String)> = found.map(|(of, _)| of.clone()).collect();
        for (cell_type, capability) in found {
            let name = self.library.names()[usize::from(cell_type)].clone();
            let inside = format!("{name}.{capability}.");
            let set = self.states[now].set.iter();
            let mut set = set.filter(|(path, _)| path.starts_with(&inside));
            if let Some((path, event)) = set.next_back().map(|(path, (event, _))| (path, *event)) {
                let message = format!(
                    "clones that have inherited other parameters of `{name}.{capability}` could come to contradict `{path}`"
                );
                let help = "what is heritable may drift ten of its `spread` before this time: set it less far, or take \
                    what it contradicts from `heritable`";
                self.tell(event, message, help);
            }
        }
    }

    /// Says something of an event that sets a parameter, once.
    fn tell(&mut self, event: usize, message: String, help: &str) {
        if self.told.insert((event, message.clone())) {
            let at = self.place(event).nth(1);
            if let Some(problem) = self.replay.checker.problem(&at, message)
                && !help.is_empty()
            {
                problem.help = Some(help.into());
            }
        }
    }
}

/// Factors of a heritable parameter over the range to which it may drift.
fn factors(possible: Option<(f32, f32)>, spread: f32) -> Vec<f32> {
    let Some((least, most)) = possible else {
        return Vec::new();
    };
    let steps = -FACTORS..=FACTORS;
    let factor = |step: i32| bevy::math::ops::exp(DRIFT * spread * step as f32 / FACTORS as f32);
    let inside = steps.map(factor);
    inside
        .map(|factor| factor.max(least).min(most))
        .filter(|factor| factor.is_finite())
        .collect()
}
