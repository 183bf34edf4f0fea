//! What happens when: the timeline of a scene, ready to be asked.
//!
//! The simulation asks by step ([`Timeline::changes_in`], in the `Timeline` stage); film and sandbox ask by
//! time ([`Timeline::caption_at`], [`Timeline::camera_keys`], [`Timeline::look_at`] and others). Repeated events are
//! never written out: each occurrence is computed from its number, so it carries no running sum.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::look::{CameraKey, Label, Look, PlotShown};
use super::schema::{Action, Event, Population, Scene};
use crate::core::Clock;
use crate::core::regulate::RuleChange;

/// A change of the simulation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change<'a> {
    /// Sets a parameter: path and value.
    Set(&'a str, f64),
    /// Changes a rule.
    Rule(&'a RuleChange),
    /// A treatment.
    Treat(&'a Action),
    /// Adds cells; the number tells the population from all others of the scene.
    Add(&'a Population, u32),
}

/// One event of the scene, resolved.
#[derive(Clone, Debug, PartialEq)]
struct Moment {
    /// Time of the first occurrence, minutes.
    first: f64,
    /// Time between two, minutes; `None` if there is only one.
    every: Option<f64>,
    /// None after this, minutes.
    last: f64,
    action: Action,
    /// Number of the population it adds; 0 if none.
    population: u32,
}

impl Moment {
    /// What it changes in the simulation, if anything.
    const fn change(&self) -> Option<Change<'_>> {
        Some(match &self.action {
            Action::Set(path, value) => Change::Set(path.as_str(), *value),
            Action::Rule(change) => Change::Rule(change),
            Action::Add(population) => Change::Add(population, self.population),
            action if action.is_treatment() => Change::Treat(action),
            _ => return None,
        })
    }

    /// The step in which an occurrence takes effect: the first that starts at or after its time.
    fn step(&self, number: u64, step_minutes: f64) -> u64 {
        let steps = (self.time(number) - TOLERANCE) / step_minutes;
        steps.ceil().max(0.0) as u64
    }

    /// Whether there is an occurrence of that number.
    fn happens(&self, number: u64) -> bool {
        let again = self.every.is_some_and(|every| every > 0.0);
        (number == 0 || again) && self.time(number) <= self.last + TOLERANCE
    }

    /// Number of occurrences up to and including this time.
    fn count_until(&self, minutes: f64) -> u64 {
        let end = minutes.min(self.last);
        if end + TOLERANCE < self.first {
            return 0;
        }
        match self.every {
            Some(every) => {
                (((end - self.first + TOLERANCE) / every).floor() as u64).saturating_add(1)
            }
            None => 1,
        }
    }

    /// Time of an occurrence, counted from 0, minutes.
    fn time(&self, number: u64) -> f64 {
        self.first + self.every.map_or(0.0, |every| every * number as f64)
    }

    /// Time of the last occurrence up to and including this time.
    fn latest(&self, minutes: f64) -> Option<f64> {
        let count = self.count_until(minutes);
        (count > 0).then(|| self.time(count - 1))
    }
}

/// A change of the timeline, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Occurrence<'a> {
    /// The step in which it takes effect.
    pub step: u64,
    /// The place of its event in the timeline.
    pub event: usize,
    /// Whether the event has happened before.
    pub again: bool,
    /// The change.
    pub change: Change<'a>,
}

/// Two times closer than this are one, minutes.
const TOLERANCE: f64 = 1e-6;

/// The timeline of a scene.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    moments: Vec<Moment>,
    /// The number of the first population that is none of the scene's.
    next_population: u32,
}

impl Timeline {
    /// The timeline of a scene.
    pub fn new(scene: &Scene) -> Self {
        let end = scene.duration.minutes();
        let mut populations = u32::try_from(scene.populations.len()).unwrap_or(u32::MAX);
        let moments = scene
            .timeline
            .iter()
            .map(|event| {
                let (first, every, last, action) = match event {
                    Event::At(time, action) => (time.minutes(), None, time.minutes(), action),
                    Event::Every {
                        every,
                        from,
                        until,
                        action,
                    } => (
                        from.unwrap_or(*every).minutes(),
                        Some(every.minutes()),
                        until.map_or(end, |until| until.minutes()),
                        action,
                    ),
                };
                let mut population = 0;
                if matches!(action, Action::Add(_)) {
                    population = populations;
                    populations = populations.saturating_add(1);
                }
                Moment {
                    first,
                    every,
                    last,
                    action: action.clone(),
                    population,
                }
            })
            .collect();
        Self {
            moments,
            next_population: populations,
        }
    }

    /// The number of a population that comes after all of the scene: one that is appended to the timeline.
    pub const fn next_population(&self) -> u32 {
        self.next_population
    }

    /// What changes at the start of the clock's step, in the order of the file. An event belongs to the
    /// first step that starts at or after its time.
    pub fn changes_in(&self, clock: Clock) -> Vec<Change<'_>> {
        let occurrences = self.occurrences_in(clock).into_iter();
        occurrences.map(|occurrence| occurrence.change).collect()
    }

    /// What changes at the start of the clock's step, in the order of the file, and what event it belongs to.
    pub fn occurrences_in(&self, clock: Clock) -> Vec<Occurrence<'_>> {
        let now = clock.minutes();
        let mut found = Vec::new();
        for (event, moment) in self.moments.iter().enumerate() {
            let Some(change) = moment.change() else {
                continue;
            };
            let before = if clock.step == 0 {
                0
            } else {
                moment.count_until(now - clock.step_minutes)
            };
            for number in before..moment.count_until(now) {
                found.push(Occurrence {
                    step: clock.step,
                    event,
                    again: number > 0,
                    change,
                });
            }
        }
        found
    }

    /// All changes of parameters and rules, one after the other, in the order in which [`Timeline::changes_in`] hands
    /// them out over the steps.
    pub fn changes_in_order(&self, step_minutes: f64) -> impl Iterator<Item = Occurrence<'_>> {
        // A scene whose step makes no sense is refused for that.
        let step_minutes = if step_minutes.is_finite() && step_minutes > 0.0 {
            step_minutes
        } else {
            1.0
        };
        let moments = self.moments.iter().enumerate();
        let firsts = moments.filter(|(_, moment)| {
            let change = moment.change();
            matches!(change, Some(Change::Set(..) | Change::Rule(_))) && moment.happens(0)
        });
        // The next occurrence of each event: its step, the event, its number.
        let mut next: BinaryHeap<Reverse<(u64, usize, u64)>> = firsts
            .map(|(event, moment)| Reverse((moment.step(0, step_minutes), event, 0)))
            .collect();
        std::iter::from_fn(move || {
            let Reverse((step, event, number)) = next.pop()?;
            let moment = &self.moments[event];
            if moment.happens(number + 1) {
                let then = moment.step(number + 1, step_minutes);
                next.push(Reverse((then, event, number + 1)));
            }
            Some(Occurrence {
                step,
                event,
                again: number > 0,
                change: moment.change()?,
            })
        })
    }

    /// The latest occurrence of what `pick` finds, up to and including this time.
    fn latest<'a, T>(&'a self, hours: f64, pick: impl Fn(&'a Action) -> Option<T>) -> Option<T> {
        let minutes = hours * 60.0;
        let mut latest = None;
        let mut found = None;
        for moment in &self.moments {
            if let Some(value) = pick(&moment.action)
                && let Some(time) = moment.latest(minutes)
                // Of two at the same time the later in the file holds.
                && latest.is_none_or(|latest| time >= latest)
            {
                latest = Some(time);
                found = Some(value);
            }
        }
        found
    }

    /// The sentence that is shown at this time, hours.
    pub fn caption_at(&self, hours: f64) -> Option<&str> {
        self.latest(hours, |action| match action {
            Action::Caption(text) => Some(text.as_str()),
            _ => None,
        })
        .filter(|text| !text.is_empty())
    }

    /// Number and title of the chapter at this time, hours.
    pub fn chapter_at(&self, hours: f64) -> Option<(&str, &str)> {
        self.latest(hours, |action| match action {
            Action::Chapter(number, title) => Some((number.as_str(), title.as_str())),
            _ => None,
        })
        .filter(|(_, title)| !title.is_empty())
    }

    /// When each chapter begins, hours, with its number and title, by time.
    pub fn chapters(&self) -> Vec<(f64, &str, &str)> {
        self.firsts(|action| match action {
            Action::Chapter(number, title) if !title.is_empty() => {
                Some((number.as_str(), title.as_str()))
            }
            _ => None,
        })
        .into_iter()
        .map(|(hours, (number, title))| (hours, number, title))
        .collect()
    }

    /// When each sentence is shown first, hours, by time.
    pub fn captions(&self) -> Vec<(f64, &str)> {
        self.firsts(|action| match action {
            Action::Caption(text) if !text.is_empty() => Some(text.as_str()),
            _ => None,
        })
    }

    /// What is picked of the actions, with the time of each one's first occurrence, hours, by time.
    fn firsts<'a, T>(&'a self, pick: impl Fn(&'a Action) -> Option<T>) -> Vec<(f64, T)> {
        let moments = self.moments.iter();
        let mut found: Vec<(f64, T)> = moments
            .filter_map(|moment| Some((moment.first / 60.0, pick(&moment.action)?)))
            .collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        found
    }

    /// The card that lies over the film at this time, hours: its heading and its lines.
    pub fn card_at(&self, hours: f64) -> Option<(&str, &[String])> {
        self.latest(hours, |action| match action {
            Action::Card(heading, lines) => Some((heading.as_str(), lines.as_slice())),
            _ => None,
        })
        .filter(|(_, lines)| !lines.is_empty())
    }

    /// The rules that have been deleted by this time, hours.
    pub fn rules_deleted_until(&self, hours: f64) -> impl Iterator<Item = &str> {
        let until = 60.0 * hours + TOLERANCE;
        let begun = self.moments.iter().filter(move |of| of.first <= until);
        begun.filter_map(|moment| match &moment.action {
            Action::Rule(RuleChange::Delete(path)) => Some(path.as_str()),
            _ => None,
        })
    }

    /// Whether a card or all causes lie over the film at this time, hours.
    pub fn is_covered(&self, hours: f64) -> bool {
        self.card_at(hours).is_some() || self.causes_at(hours).is_some()
    }

    /// The arrows between causes that were shown until this time, hours, in the order of time.
    pub fn arrows_until(&self, hours: f64) -> Vec<(&str, &str)> {
        let until = hours + TOLERANCE / 60.0;
        let arrows = self.arrows().into_iter();
        let shown = arrows.take_while(|(at, _)| *at <= until);
        shown.map(|(_, arrow)| arrow).collect()
    }

    /// Those that were shown since the chapter at this time, hours, began.
    pub fn arrows_of_chapter(&self, hours: f64) -> Vec<(&str, &str)> {
        let chapters = self.chapters().into_iter();
        let until = hours + TOLERANCE / 60.0;
        let latest = chapters.take_while(|(at, ..)| *at <= until).last();
        let Some((since, ..)) = latest.filter(|_| self.chapter_at(hours).is_some()) else {
            return Vec::new();
        };
        let arrows = self.arrows().into_iter();
        let since = since - TOLERANCE / 60.0;
        let shown = arrows.filter(|(at, _)| (since..=until).contains(at));
        shown.map(|(_, arrow)| arrow).collect()
    }

    fn arrows(&self) -> Vec<(f64, (&str, &str))> {
        self.firsts(|action| match action {
            Action::Arrow(from, to) => Some((from.as_str(), to.as_str())),
            _ => None,
        })
    }

    /// The heading and the note with which all causes are shown at this time, hours.
    pub fn causes_at(&self, hours: f64) -> Option<(&str, &str)> {
        self.latest(hours, |action| match action {
            Action::Causes(heading, note) => Some((heading.as_str(), note.as_str())),
            _ => None,
        })
        .filter(|(heading, _)| !heading.is_empty())
    }

    /// The plot that is shown at this time, hours.
    pub fn plot_at(&self, hours: f64) -> Option<&PlotShown> {
        self.latest(hours, |action| match action {
            Action::Plot(plot) => Some(plot),
            _ => None,
        })
        .filter(|plot| !plot.title.is_empty())
    }

    /// All labels, in the order of the file.
    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        self.moments
            .iter()
            .filter_map(|moment| match &moment.action {
                Action::Label(label) => Some(label),
                _ => None,
            })
    }

    /// The labels that are shown at this time, hours, with their places among [`Timeline::labels`].
    pub fn labels_at(&self, hours: f64) -> Vec<(usize, &Label)> {
        let minutes = hours * 60.0;
        let labels = self
            .moments
            .iter()
            .filter_map(|moment| match &moment.action {
                Action::Label(label) => Some((moment, label)),
                _ => None,
            });
        let is_shown = |moment: &Moment, label: &Label| {
            let since = moment.latest(minutes);
            since.is_some_and(|since| minutes - since < label.lasts.minutes())
        };
        labels
            .enumerate()
            .filter(|(_, (moment, label))| is_shown(moment, label))
            .map(|(number, (_, label))| (number, label))
            .collect()
    }

    /// What is shown at this time, hours; before the first change that of the recording.
    pub fn look_at(&self, hours: f64, at_start: Look) -> Look {
        self.latest(hours, |action| match action {
            Action::Look(look) => Some(look.clone()),
            _ => None,
        })
        .unwrap_or(at_start)
    }

    /// The latest change of what is shown, up to and including this time: when it was, hours, and what was shown
    /// before. Nothing if there was none after the start.
    pub fn look_before(&self, hours: f64, at_start: Look) -> Option<(f64, Look)> {
        let minutes = hours * 60.0;
        let looks = self
            .moments
            .iter()
            .filter(|moment| matches!(moment.action, Action::Look(_)));
        let latest = looks
            .filter_map(|moment| moment.latest(minutes))
            .fold(0.0, f64::max);
        (latest > 0.0).then(|| {
            let just_before = latest - 2.0 * TOLERANCE;
            (latest / 60.0, self.look_at(just_before / 60.0, at_start))
        })
    }

    /// Where the camera is when: hours and place, by time; of equal times the later in the file comes last.
    pub fn camera_keys(&self) -> Vec<(f64, CameraKey)> {
        let mut keys: Vec<(f64, CameraKey)> = self
            .moments
            .iter()
            .filter_map(|moment| match &moment.action {
                Action::Camera(key) => Some((moment, key)),
                _ => None,
            })
            .flat_map(|(moment, key)| {
                (0..moment.count_until(f64::INFINITY))
                    .map(move |number| (moment.time(number) / 60.0, key.clone()))
            })
            .collect();
        keys.sort_by(|a, b| a.0.total_cmp(&b.0));
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::tests::scene;

    fn timeline(events: &str) -> Timeline {
        let text = format!(
            r#"(title: "t", about: "", pace: Calibrated, duration: Hours(10), step: Minutes(6),
                sites: [(name: "a", organ: Breast, size_um: (200, 200, 200))], timeline: [{events}])"#
        );
        Timeline::new(&scene(&text))
    }

    fn sets(timeline: &Timeline, steps: u64) -> Vec<(u64, f64)> {
        (0..steps)
            .flat_map(|step| {
                let clock = Clock {
                    step,
                    step_minutes: 6.0,
                };
                timeline
                    .changes_in(clock)
                    .into_iter()
                    .map(move |change| match change {
                        Change::Set(_, value) => (step, value),
                        Change::Add(_, number) => (step, -f64::from(number)),
                        Change::Rule(_) | Change::Treat(_) => (step, f64::NAN),
                    })
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn an_event_happens_in_the_first_step_that_starts_at_or_after_its_time() {
        let timeline = timeline(
            r#"At(Minutes(13), Set("p", 1)), At(Hours(0), Set("p", 2)), At(Minutes(12), Set("p", 3))"#,
        );
        assert_eq!(sets(&timeline, 20), [(0, 2.0), (2, 3.0), (3, 1.0)]);
    }

    #[test]
    fn a_repeated_event_keeps_its_rhythm_even_if_it_does_not_fit_the_step() {
        let timeline =
            timeline(r#"Every(every: Minutes(20), until: Hours(1.5), action: Set("p", 1))"#);
        // 20, 40, 60, 80 min with steps that start at multiples of 6 min.
        let steps: Vec<u64> = sets(&timeline, 200).iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, [4, 7, 10, 14]);
        let timeline =
            self::timeline(r#"Every(every: Hours(0.1), from: Hours(0), action: Set("p", 1))"#);
        let steps: Vec<u64> = sets(&timeline, 101).iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, (0..=100).collect::<Vec<_>>());
    }

    #[test]
    fn changes_come_in_the_order_in_which_the_steps_make_them() {
        let timeline = timeline(
            r#"At(Hours(3), Set("p", 1)), At(Minutes(11), Set("p", 2)), At(Minutes(7), Set("p", 3)),
               Every(every: Hours(1), action: Set("p", 4)), At(Hours(2), Rule(Delete("a.b"))),
               Every(every: Hours(2), until: Hours(2), action: Set("p", 5))"#,
        );
        let found: Vec<(u64, usize, bool)> = timeline
            .changes_in_order(6.0)
            .map(|occurrence| (occurrence.step, occurrence.event, occurrence.again))
            .collect();
        // 7 and 11 min fall into the same step, in which the order of the file holds.
        let expected = [
            (2, 1, false),
            (2, 2, false),
            (10, 3, false),
            (20, 3, true),
            (20, 4, false),
            (20, 5, false),
            (30, 0, false),
            (30, 3, true),
        ];
        assert_eq!(found[..8], expected);
        assert_eq!(found.len(), 6 + 9, "the repeated one happens ten times");
        // That is what the steps are handed.
        let in_steps = (0..=100).flat_map(|step| {
            let clock = Clock {
                step,
                step_minutes: 6.0,
            };
            timeline.occurrences_in(clock)
        });
        let in_steps: Vec<(u64, usize, bool)> = in_steps
            .map(|occurrence| (occurrence.step, occurrence.event, occurrence.again))
            .collect();
        assert_eq!(in_steps, found);
    }

    #[test]
    fn captions_looks_and_camera_follow_the_time() {
        let timeline = timeline(
            r#"At(Hours(1), Caption("one")), At(Hours(3), Caption("")),
               Every(every: Hours(4), action: Camera(distance_um: 500)),
               At(Hours(2), Look(colour_by: Quantity("hif.level"))), At(Hours(0), Camera(distance_um: 900)),
               At(Hours(2), Chapter("1", "It grows")), At(Hours(4), Plot(title: "Cells")), At(Hours(6), Plot(title: "")),
               At(Hours(1), Arrow("a", "b")), At(Hours(3), Arrow("b", "c")), At(Hours(9.5), Causes("All", "")),
               At(Hours(2), Label(text: "here", lasts: Hours(2))),
               At(Hours(3), Label(text: "there", at: Cell(7), lasts: Minutes(90)))"#,
        );
        assert_eq!(timeline.caption_at(0.5), None);
        assert_eq!(timeline.caption_at(1.0), Some("one"));
        assert_eq!(timeline.caption_at(3.5), None);
        let looked = |hours| timeline.look_at(hours, Look::default()).colour_by;
        use crate::scene::ColourBy;
        assert_eq!(looked(1.9), ColourBy::Type);
        assert_eq!(looked(2.0), ColourBy::Quantity("hif.level".into()));
        let (since, before) = timeline
            .look_before(5.0, Look::default())
            .expect("it changed");
        assert_eq!((since, before.colour_by), (2.0, ColourBy::Type));
        assert_eq!(timeline.look_before(1.9, Look::default()), None);
        assert_eq!(timeline.chapter_at(9.0), Some(("1", "It grows")));
        assert_eq!(timeline.chapter_at(0.5), None);
        assert_eq!(timeline.arrows_until(2.9), [("a", "b")]);
        assert_eq!(timeline.arrows_until(3.0), [("a", "b"), ("b", "c")]);
        assert_eq!(timeline.arrows_of_chapter(1.5), []);
        assert_eq!(timeline.arrows_of_chapter(3.0), [("b", "c")]);
        assert_eq!(timeline.causes_at(9.0), None);
        assert_eq!(timeline.causes_at(9.5), Some(("All", "")));
        assert!(timeline.is_covered(9.5) && !timeline.is_covered(9.4));
        let plot = |hours| timeline.plot_at(hours).map(|plot| plot.title.as_str());
        assert_eq!(
            (plot(1.0), plot(5.0), plot(7.0)),
            (None, Some("Cells"), None)
        );
        let labels = |hours| {
            let shown = timeline.labels_at(hours).into_iter();
            shown
                .map(|(number, label)| (number, label.text.as_str()))
                .collect::<Vec<_>>()
        };
        assert_eq!(labels(1.0), []);
        assert_eq!(labels(2.5), [(0, "here")]);
        assert_eq!(labels(3.2), [(0, "here"), (1, "there")]);
        assert_eq!(labels(4.1), [(1, "there")]);
        let keys: Vec<(f64, Option<f32>)> = timeline
            .camera_keys()
            .iter()
            .map(|(hours, key)| (*hours, key.distance_um))
            .collect();
        assert_eq!(
            keys,
            [(0.0, Some(900.0)), (4.0, Some(500.0)), (8.0, Some(500.0))]
        );
    }
}
