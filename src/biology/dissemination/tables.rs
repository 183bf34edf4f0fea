//! Journeys in the folder of a run: the list `journeys.csv`, and the tree `ancestry.nwk`.

use std::collections::BTreeMap;
use std::fmt::Write;

use bevy::prelude::*;

use super::ancestry::{Journey, Journeys};
use super::circuit::Circulation;
use super::circulation::Voyage;
use super::colonisation::Colonist;
use crate::cell::Vital;
use crate::core::columns::tables_with;
use crate::core::parameters::CellTypeNames;
use crate::core::{CellId, Clock};
use crate::tissue::Sites;

/// Living cells that descend from each journey, wherever they are.
pub(super) fn living_of(world: &World, journeys: usize) -> Vec<u64> {
    let mut living = vec![0_u64; journeys];
    for table in tables_with::<Voyage>(world) {
        let Some(voyages) = table.get::<Voyage>() else {
            continue;
        };
        let (vitals, colonists) = (table.get::<Vital>(), table.get::<Colonist>());
        for (row, voyage) in voyages.iter().enumerate() {
            let lives = vitals.is_none_or(|vitals| vitals[row].is_alive());
            let journey = voyage.journey.filter(|_| lives);
            if let Some(count) = journey.and_then(|at| living.get_mut(at as usize)) {
                *count += colonists.map_or(1, |of| u64::from(of[row].cells.max(1)));
            }
        }
    }
    living
}

/// The list of journeys, as `journeys.csv` holds it; none where there was none.
pub(super) fn journeys_csv(world: &World) -> Option<String> {
    let journeys = world.get_resource::<Journeys>()?;
    if journeys.0.is_empty() {
        return None;
    }
    let living = living_of(world, journeys.0.len());
    let step_hours = world.resource::<Clock>().step_minutes / 60.0;
    let hours = |step: u64| step as f64 * step_hours;
    let sites = world.resource::<Sites>();
    let types = world.resource::<CellTypeNames>();
    let organs = world.resource::<Circulation>().get();
    let mut text = String::from(
        "journey,cell,type,founder,generation,before,from,entry,group,together,left_hours,transit_hours,organ,now,since_hours,grew,living_cells\n",
    );
    for (number, of) in journeys.0.iter().enumerate() {
        let name = |organ: u8| {
            let organ = organs?.organs.get(usize::from(organ))?;
            Some(organ.name.as_str())
        };
        let _written = writeln!(
            text,
            "{number},{},{},{},{},{},{},{},{},{},{:.4},{},{},{},{:.4},{},{}",
            of.cell.0,
            types
                .0
                .get(usize::from(of.cell_type))
                .map_or("", String::as_str),
            of.founder.0,
            of.generation,
            of.before
                .map_or_else(String::new, |before| before.to_string()),
            sites
                .find(of.from)
                .map_or("", |site| site.block.name.as_str()),
            of.entry.key(),
            of.group.0,
            of.together,
            hours(of.left),
            of.lodged.map_or_else(String::new, |lodged| format!(
                "{:.4}",
                hours(lodged - of.left)
            )),
            of.organ.and_then(name).unwrap_or_default(),
            of.now.key(),
            hours(of.since),
            u8::from(of.grew),
            living[number],
        );
    }
    Some(text)
}

/// The tree of journeys in the Newick format, of those that lodged: a root for each first cell; the length of a branch is the time in hours from the
/// journey before, or from the start, to the journey.
pub(super) fn ancestry_newick(world: &World) -> Option<String> {
    let journeys = &world.get_resource::<Journeys>()?.0;
    let shown = |of: &Journey| of.lodged.is_some();
    if !journeys.iter().any(shown) {
        return None;
    }
    let step_hours = world.resource::<Clock>().step_minutes / 60.0;
    let organs = world.resource::<Circulation>().get();
    // Children of each journey, and of each founder of first journeys. A later journey has a larger number than the one before it.
    let mut below: Vec<String> = vec![String::new(); journeys.len()];
    let mut roots: BTreeMap<CellId, Vec<String>> = BTreeMap::new();
    for (number, of) in journeys.iter().enumerate().rev() {
        if !shown(of) && below[number].is_empty() {
            continue;
        }
        let since = of.before.map_or(0, |before| journeys[before as usize].left);
        let organ = of
            .organ
            .and_then(|organ| organs?.organs.get(usize::from(organ)));
        let organ = organ.map_or("lost", |organ| organ.name.as_str());
        let children = std::mem::take(&mut below[number]);
        let children = if children.is_empty() {
            children
        } else {
            format!("({children})")
        };
        let length = of.left.saturating_sub(since) as f64 * step_hours;
        let node = format!("{children}j{number}_{organ}:{length:.4}");
        match of.before {
            Some(before) => {
                let siblings = &mut below[before as usize];
                if !siblings.is_empty() {
                    siblings.push(',');
                }
                siblings.push_str(&node);
            }
            None => roots.entry(of.founder).or_default().push(node),
        }
    }
    let roots = roots
        .into_iter()
        .map(|(founder, nodes)| format!("({})cell{}", nodes.join(","), founder.0));
    Some(format!("({})body;\n", roots.collect::<Vec<_>>().join(",")))
}
