//! Requests that make no sense, and why.

use bevy::prelude::*;

use super::passages::{Asked, Recruit};
use crate::cell::EventKind;
use crate::cell::event::{EventKinds, Passage};
use crate::core::invariant::{Breach, Violation};
use crate::core::parameters::CellTypeNames;
use crate::core::{CellId, Clock, SimSystems};
use crate::tissue::{SiteId, Sites};

/// The first request of a step that can never be carried out.
pub(super) fn refusal(world: &World, asked: &Asked) -> Option<Violation> {
    let recruits = asked.recruits.iter();
    let recruits = recruits.map(|of| (of.by, wrong_with(world, of)));
    let removals = asked.removals.iter().map(|of| {
        let wrong = wrong_kind(world, of.kind, Passage::Removal);
        (Some(of.cell), wrong)
    });
    let departures = asked.departures.iter().map(|of| {
        let wrong = wrong_kind(world, of.kind, Passage::Departure);
        (Some(of.cell), wrong)
    });
    let arrivals = asked.arrivals.iter().map(|of| {
        let wrong = wrong_kind(world, of.kind, Passage::Arrival);
        let nowhere = || {
            let why = "a cell arrives in a site";
            of.to.is_transit().then(|| why.to_owned())
        };
        let wrong = wrong.or_else(nowhere);
        (
            Some(of.cell),
            wrong.or_else(|| wrong_place(world, of.to, of.at_um)),
        )
    });
    let mut all = recruits.chain(removals).chain(departures).chain(arrivals);
    let (cell, found) = all.find_map(|(cell, wrong)| Some((cell, wrong?)))?;
    let clock = world.resource::<Clock>();
    Some(Violation {
        step: clock.step + 1,
        hours: clock.hours(),
        stage: SimSystems::Turnover,
        system: "turn_over",
        breach: Breach {
            cell: cell.filter(|cell| *cell != CellId(u64::MAX)),
            found,
        },
    })
}

/// Why a recruit cannot come, in words.
pub(super) fn wrong_with(world: &World, recruit: &Recruit) -> Option<String> {
    let types = world
        .get_resource::<CellTypeNames>()
        .map_or(0, |names| names.0.len());
    if usize::from(recruit.cell_type) >= types {
        return Some(format!(
            "a recruit of `{}` is of type number {}, and there are {types} types, counted from 0",
            recruit.kind.name(),
            recruit.cell_type
        ));
    }
    wrong_kind(world, recruit.kind, Passage::Recruitment)
        .or_else(|| wrong_place(world, recruit.site, recruit.at_um))
}

/// Why a kind is no reason for that, in words.
fn wrong_kind(world: &World, kind: EventKind, passage: Passage) -> Option<String> {
    let known = world.resource::<EventKinds>().passage(kind);
    (known != Some(passage)).then(|| {
        format!(
            "`{}` is given as the reason of a {}; register it with register_passage(.., Passage::{passage:?}, ..)",
            kind.name(),
            format!("{passage:?}").to_lowercase()
        )
    })
}

/// Why a cell cannot be there, in words.
fn wrong_place(world: &World, site: SiteId, at_um: Vec3) -> Option<String> {
    if site.is_transit() {
        return None;
    }
    let sites = world.resource::<Sites>();
    let Some(entry) = sites.find(site) else {
        return Some(format!(
            "a cell is to come into site number {}, and there are {}, counted from 0",
            site.0,
            sites.list.len()
        ));
    };
    let (low, high) = (entry.block.min_um, entry.block.max_um());
    let is_inside = at_um.cmpge(low).all() && at_um.cmple(high).all();
    (!is_inside).then(|| {
        format!(
            "a cell is to come to {at_um} um in `{}`, which reaches from {low} to {high}",
            entry.block.name
        )
    })
}
