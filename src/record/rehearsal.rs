//! The rehearsal: a scene is simulated once, unfilmed, as far as its camera and its labels need it.
//!
//! It finds where cells that the camera follows will be, where events will happen, and from which cell the cell of an event will descend. Same
//! scene, same seed, same bits: what it found is what the film will show.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use bevy::prelude::*;

use super::error::FilmError;
use crate::cell::turnover::DIVISION;
use crate::measure::Wanted;
use crate::scene::{CameraKey, Stage, Target};
use crate::simulation::{Simulation, drawn_on_the_way};
use crate::tissue::SiteId;
use crate::view::overlay::Foreseen;

/// Moments at which a followed cell is looked for between two keyframes.
const MOMENTS: u32 = 48;

/// A followed cell at one moment: hours, and its place on the stage, um.
pub(super) type Footstep = (f64, Vec3);

/// What a rehearsal has found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Found {
    /// What is known of the event of each keyframe that looks at one.
    pub events: Vec<Foreseen>,
    /// Where each followed cell was, by the number of its keyframe.
    pub footsteps: Vec<Vec<Footstep>>,
}

/// Whether where a keyframe looks is known only afterwards.
pub(super) fn waits(key: &CameraKey) -> bool {
    let at = key.at.as_ref();
    at.is_some_and(|at| matches!(at, Target::Cell(_)) || at.event().is_some())
}

/// A cell and those it descends from, the oldest first, of what is known of daughters and their mothers.
fn line_of(cell: u64, mothers: &BTreeMap<u64, u64>) -> Vec<u64> {
    let line = std::iter::successors(Some(cell), |of| mothers.get(of).copied());
    let mut line: Vec<u64> = line.collect();
    line.reverse();
    line
}

/// Runs the scene once, unfilmed, as far as its camera and its labels need it.
pub(super) fn rehearse(
    simulation: &Simulation,
    keys: &[(f64, CameraKey)],
    progress: &mut dyn FnMut(&Simulation) -> ControlFlow<()>,
) -> Result<Found, FilmError> {
    let mut found = Found {
        events: vec![Foreseen::Nothing; keys.len()],
        footsteps: vec![Vec::new(); keys.len()],
    };
    if !keys.iter().any(|(_, key)| waits(key)) {
        return Ok(found);
    }
    let scene = simulation.scene();
    let stage = Stage::of(&scene.scene);
    let mut rehearsal = Simulation::new(Arc::clone(scene), simulation.seed())
        .map_err(|error| FilmError::Rehearsal(error.to_string()))?;
    rehearsal.set_end(simulation.end_minutes());
    let mut seen = vec![0_u32; keys.len()];
    let moments = moments_of(keys);
    let mut next = vec![0_usize; keys.len()];
    let mut mothers = BTreeMap::new();
    loop {
        if rehearsal.steps() > 0 {
            let divisions = rehearsal.events().iter();
            let divisions = divisions.filter(|event| event.kind == DIVISION);
            mothers.extend(divisions.filter_map(|of| Some((of.cell.0, of.other?.0))));
        }
        for (number, (_, key)) in keys.iter().enumerate() {
            let at = key.at.as_ref();
            let Some((at, named)) = at.and_then(|at| Some((at, at.event()?))) else {
                continue;
            };
            let site = named.site.and_then(|name| scene.site(Some(name)));
            for event in rehearsal.events() {
                let fits = event.kind.name() == named.kind;
                let fits = fits && site.is_none_or(|site| site == event.site);
                if rehearsal.steps() > 0 && fits {
                    seen[number] += 1;
                    if seen[number] == named.nth {
                        let place = stage.place_um(usize::from(event.site.0));
                        found.events[number] = match at {
                            Target::ForebearOf { .. } => {
                                Foreseen::Line(line_of(event.cell.0, &mothers))
                            }
                            _ => Foreseen::Place(event.position_um + place),
                        };
                    }
                }
            }
        }
        let hours = rehearsal.hours();
        let due = |number: usize| {
            moments[number]
                .get(next[number])
                .is_some_and(|at| *at <= hours + 1e-9)
        };
        if (0..keys.len()).any(due) {
            let census = rehearsal.census(&Wanted::default());
            for (number, (_, key)) in keys.iter().enumerate() {
                let Some(Target::Cell(id)) = &key.at else {
                    continue;
                };
                while moments[number]
                    .get(next[number])
                    .is_some_and(|at| *at <= hours + 1e-9)
                {
                    next[number] += 1;
                    let row = census.ids.iter().position(|cell| cell.0 == *id);
                    let Some(row) = row else {
                        return Err(FilmError::NoSuchCell { id: *id, hours });
                    };
                    let site = (0..scene.scene.sites.len()).find(|site| {
                        census
                            .of_site(SiteId(*site as u16))
                            .any(|other| other == row)
                    });
                    // One that the blood carries is where the picture shows it; else where it was last.
                    let at_um = match site {
                        Some(site) => Some(census.positions_um[row] + stage.place_um(site)),
                        None => drawn_on_the_way(&rehearsal, *id)
                            .map(|(site, at_um)| at_um + stage.place_um(site)),
                    };
                    let last = found.footsteps[number].last().map(|(_, place)| *place);
                    let at_um = at_um.or(last).unwrap_or(census.positions_um[row]);
                    found.footsteps[number].push((hours, at_um));
                }
            }
        }
        let is_known = |number: usize, key: &CameraKey| match &key.at {
            Some(at) if at.event().is_some() => found.events[number] != Foreseen::Nothing,
            _ => next[number] >= moments[number].len(),
        };
        let mut of_all = keys.iter().enumerate();
        if of_all.all(|(number, (_, key))| is_known(number, key))
            || rehearsal.steps() >= rehearsal.total_steps()
        {
            break;
        }
        rehearsal.step();
        if progress(&rehearsal).is_break() {
            return Err(FilmError::BrokenOff);
        }
    }
    for (number, (_, key)) in keys.iter().enumerate() {
        // What does not come has no forebear, and its label is not shown.
        let at = key.at.as_ref();
        let at = at.filter(|at| !matches!(at, Target::ForebearOf { .. }));
        if let Some(event) = at.and_then(Target::event)
            && found.events[number] == Foreseen::Nothing
        {
            return Err(FilmError::NoSuchEvent {
                kind: event.kind.to_owned(),
                nth: event.nth,
                seen: seen[number],
            });
        }
    }
    Ok(found)
}

/// When the cell of each keyframe is looked for, hours: at its time, and on the way to the next keyframe of the same cell.
fn moments_of(keys: &[(f64, CameraKey)]) -> Vec<Vec<f64>> {
    let of = |number: usize| {
        let (from, key) = &keys[number];
        let Some(Target::Cell(id)) = &key.at else {
            return Vec::new();
        };
        match keys.get(number + 1) {
            Some((to, next)) if next.at == Some(Target::Cell(*id)) => (0..=MOMENTS)
                .map(|moment| from + (to - from) * f64::from(moment) / f64::from(MOMENTS))
                .collect(),
            _ => vec![*from],
        }
    };
    (0..keys.len()).map(of).collect()
}
