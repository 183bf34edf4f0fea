//! Two diagrams: the tree of journeys, and the map of the body with counts and arrows.

use bevy::prelude::*;

use super::ancestry::{Journey, JourneyChange, Journeys, LINES_KEPT, line_of};
use super::circuit::{Circuit, Circulation, EntryRoute, NODE};
use super::circulation::Voyage;
use super::colonisation::{Colonist, ColonyStage};
use super::tables::living_of;
use crate::cell::{Resident, Vital};
use crate::core::Clock;
use crate::core::columns::tables_with;
use crate::core::diagram::{DiagramInfo, Drawing, MapPlace, MapWay, RegisterDiagram, TreeLine};
use crate::tissue::{Organ, Sites};

/// Most journeys that the tree shows; those that found most come first.
const MOST_SHOWN: usize = 48;

/// Colours of lines of first cells, one for each eight: sRGB, told apart by the colour-blind (Okabe and Ito 2008).
pub(super) const LINES: [[f32; 3]; LINES_KEPT as usize] = [
    [0.90, 0.62, 0.0],
    [0.34, 0.71, 0.91],
    [0.0, 0.62, 0.45],
    [0.94, 0.89, 0.26],
    [0.0, 0.45, 0.70],
    [0.84, 0.37, 0.0],
    [0.80, 0.47, 0.65],
    [0.60, 0.60, 0.60],
];

pub(super) fn register(app: &mut App) {
    app.register_diagram(
        DiagramInfo::new(
            "dissemination.body",
            "Body map",
            "Cells that travel between the organs: on each arrow how many have gone that way, at each organ how many live there that came.",
        ),
        body_map,
    )
    .register_diagram(
        DiagramInfo::new(
            "dissemination.lineage",
            "Lineages",
            "Who came from whom: a line for each journey that ended in an organ, from when its cell set out, below the journey before. Colours are those of the \
first cells.",
        ),
        lineages,
    );
}

fn organ_name(circuit: &Circuit, organ: Option<u8>) -> &str {
    let organ = organ.and_then(|organ| circuit.organs.get(usize::from(organ)));
    organ.map_or("lost", |organ| organ.name.as_str())
}

/// How a person reads what became of a journey.
const fn in_words(now: JourneyChange) -> &'static str {
    match now {
        JourneyChange::Travels => "in the blood",
        JourneyChange::Lodged(_) => "held in a capillary",
        JourneyChange::Crossed => "crossed the wall",
        JourneyChange::Slept => "asleep",
        JourneyChange::Grew => "growing",
        JourneyChange::Woke => "woken",
        JourneyChange::Died => "dead",
        JourneyChange::DiedInBlood => "died in the blood",
        JourneyChange::InLymph => "in the lymph",
        JourneyChange::DiedInLymph => "died in the lymph",
    }
}

fn lineages(world: &World) -> Option<Drawing> {
    let journeys = &world.get_resource::<Journeys>()?.0;
    let circuit = world.get_resource::<Circulation>()?.get()?;
    let step_hours = world.get_resource::<Clock>()?.step_minutes / 60.0;
    let mut order: Vec<usize> = (0..journeys.len()).collect();
    order.retain(|at| journeys[*at].lodged.is_some());
    if order.is_empty() {
        return None;
    }
    let living = living_of(world, journeys.len());
    let all = order.len();
    let worth = |of: &Journey, at: usize| (of.grew && living[at] > 0, living[at], of.grew);
    order.sort_by(|a, b| {
        worth(&journeys[*b], *b)
            .cmp(&worth(&journeys[*a], *a))
            .then(a.cmp(b))
    });
    // With each journey those before it, as far as there is room.
    let mut is_shown = vec![false; journeys.len()];
    let mut shown = 0;
    for at in order {
        let mut way = Vec::new();
        let mut next = Some(at);
        while let Some(of) = next.filter(|of| !is_shown[*of]) {
            way.push(of);
            next = journeys[of].before.map(|before| before as usize);
        }
        if shown + way.len() <= MOST_SHOWN {
            shown += way.len();
            way.into_iter().for_each(|of| is_shown[of] = true);
        }
    }
    let mut place = vec![None; journeys.len()];
    let mut lines: Vec<TreeLine> = Vec::new();
    for (at, of) in journeys.iter().enumerate().filter(|(at, _)| is_shown[*at]) {
        let has_ended = matches!(
            of.now,
            JourneyChange::Died | JourneyChange::DiedInBlood | JourneyChange::DiedInLymph
        );
        let ended = has_ended && living[at] == 0;
        let hours = |step: u64| step as f64 * step_hours;
        let organ = organ_name(circuit, of.organ).replace('_', " ");
        let label = match living[at] {
            0 => organ.clone(),
            count => format!("{organ}, {count}"),
        };
        let from = world.get_resource::<Sites>()?.find(of.from);
        let from = from.map_or_else(
            || "the needle or an organ without a site".to_owned(),
            |site| site.block.name.clone(),
        );
        let together = match of.together {
            0 | 1 => "alone".to_owned(),
            count => format!("with {} others", count - 1),
        };
        let way = match of.entry {
            EntryRoute::Lymph => "the lymph",
            _ => "the blood",
        };
        let transit = of.lodged.map_or_else(String::new, |lodged| {
            format!("; on the way for {:.1} h", hours(lodged - of.left))
        });
        place[at] = Some(lines.len() as u32);
        lines.push(TreeLine {
            from: of.before.and_then(|before| place[before as usize]),
            from_hours: hours(of.left),
            to_hours: ended.then(|| hours(of.since)),
            label,
            about: format!(
                "Journey {at} of cell {}, of the line of cell {}: {together} from {from} by {way}, to {organ}{transit}; {}; {} living cells",
                of.cell.0,
                of.founder.0,
                in_words(of.now),
                living[at],
            ),
            colour: LINES[line_of(of.founder.0)],
            cell: Some(of.cell.0),
        });
    }
    Some(Drawing::Tree {
        left_out: all.saturating_sub(lines.len()),
        lines,
    })
}

/// Where organs lie on the map.
const fn place_on_map(organ: Option<Organ>) -> [f32; 2] {
    match organ {
        Some(Organ::Brain) => [0.50, 0.08],
        Some(Organ::Lung) => [0.17, 0.26],
        Some(Organ::Breast) => [0.83, 0.26],
        Some(Organ::Liver) => [0.15, 0.62],
        Some(Organ::LymphNode) => [0.86, 0.60],
        Some(Organ::Bone) => [0.68, 0.92],
        Some(Organ::Medium) | None => [0.30, 0.92],
    }
}

/// The middle of the map.
const BLOOD: [f32; 2] = [0.50, 0.48];
const OF_BLOOD: [f32; 3] = [0.80, 0.22, 0.20];
const OF_ORGANS: [f32; 3] = [0.55, 0.62, 0.70];
const OF_METASTASES: [f32; 3] = [0.86, 0.30, 0.45];

/// A count in few letters.
fn short(count: f64) -> String {
    if count >= 1.0e6 {
        format!("{:.1}M", count / 1.0e6)
    } else if count >= 1.0e4 {
        format!("{:.0}k", count / 1.0e3)
    } else {
        format!("{count:.0}")
    }
}

/// What is counted of an organ.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct OfOrgan {
    left: u64,
    left_by_lymph: u64,
    lodged: u64,
    lodged_by_lymph: u64,
    living: u64,
    grows: bool,
}

fn body_map(world: &World) -> Option<Drawing> {
    let circuit = world.get_resource::<Circulation>()?.get()?;
    let journeys = &world.get_resource::<Journeys>()?.0;
    if journeys.is_empty() {
        return None;
    }
    let sites = world.get_resource::<Sites>()?;
    // Organs that sites can be part of, and the others as one.
    let mut kinds: Vec<Option<Organ>> = Vec::new();
    let mut kind_of = |organ: Option<Organ>| {
        let organ = organ.filter(|organ| *organ != Organ::Medium);
        kinds.iter().position(|of| *of == organ).unwrap_or_else(|| {
            kinds.push(organ);
            kinds.len() - 1
        })
    };
    let of_circuit: Vec<usize> = circuit.organs.iter().map(|of| kind_of(of.tissue)).collect();
    let of_sites: Vec<usize> = sites
        .list
        .iter()
        .map(|site| kind_of(world.get::<Organ>(site.entity).copied()))
        .collect();
    let mut found = vec![OfOrgan::default(); kinds.len()];
    let at_circuit = |organ: Option<u8>| of_circuit.get(usize::from(organ?)).copied();
    let mut injected = 0_u64;
    for of in journeys {
        let from = of_sites.get(usize::from(of.from.0)).copied();
        // What a colony of an organ without a site sheds comes from there.
        let before = of.before.and_then(|before| journeys.get(before as usize));
        let from = from.or_else(|| at_circuit(before?.organ));
        match from {
            Some(from) if of.entry == EntryRoute::Lymph => found[from].left_by_lymph += 1,
            Some(from) => found[from].left += 1,
            None => injected += 1,
        }
        match at_circuit(of.organ) {
            Some(organ) if of.entry == EntryRoute::Lymph && of.organ == Some(NODE as u8) => {
                found[organ].lodged_by_lymph += 1;
            }
            Some(organ) => found[organ].lodged += 1,
            None => {}
        }
    }
    let mut in_blood = 0_u64;
    for table in tables_with::<Voyage>(world) {
        let (Some(voyages), Some(residents)) = (table.get::<Voyage>(), table.get::<Resident>())
        else {
            continue;
        };
        let (vitals, colonists) = (table.get::<Vital>(), table.get::<Colonist>());
        for (row, voyage) in voyages.iter().enumerate() {
            if vitals.is_some_and(|vitals| !vitals[row].is_alive()) {
                continue;
            }
            let colonist = colonists.map(|of| &of[row]);
            let grows = colonist.is_some_and(|of| of.stage == ColonyStage::Growing);
            let is_on_the_way = residents[row].0.is_transit();
            if is_on_the_way && voyage.organ.is_none() {
                in_blood += u64::from(!voyage.is_in_lymph());
                continue;
            }
            let place = if is_on_the_way {
                at_circuit(voyage.organ)
            } else {
                of_sites.get(usize::from(residents[row].0.0)).copied()
            };
            if let Some(place) = place.filter(|_| voyage.journey.is_some()) {
                found[place].living += colonist.map_or(1, |of| u64::from(of.cells.max(1)));
                found[place].grows |= grows;
            }
        }
    }
    let mut places = vec![MapPlace {
        label: "blood".into(),
        says: short(in_blood as f64),
        at: BLOOD,
        colour: OF_BLOOD,
    }];
    let mut ways = Vec::new();
    let node = of_circuit.get(NODE).map_or(0, |node| node + 1);
    let by_lymph: u64 = found.iter().map(|of| of.left_by_lymph).sum();
    for (place, (kind, of)) in kinds.iter().zip(&found).enumerate() {
        let name = kind.map_or_else(|| "elsewhere".to_owned(), |organ| in_letters(&organ.name()));
        places.push(MapPlace {
            label: name,
            says: short(of.living as f64),
            at: place_on_map(*kind),
            colour: if of.grows { OF_METASTASES } else { OF_ORGANS },
        });
        // What a node does not hold goes on into the blood.
        let on = if place + 1 == node {
            by_lymph.saturating_sub(of.lodged_by_lymph)
        } else {
            0
        };
        for (from, to, count) in [
            (place + 1, 0, of.left + on),
            (0, place + 1, of.lodged),
            (place + 1, node, of.left_by_lymph),
        ] {
            if count > 0 && from != to {
                ways.push(MapWay {
                    from,
                    to,
                    amount: count as f64,
                    says: short(count as f64),
                });
            }
        }
    }
    if injected > 0 {
        places.push(MapPlace {
            label: "injected".into(),
            says: short(injected as f64),
            at: [0.83, 0.08],
            colour: OF_BLOOD,
        });
        ways.push(MapWay {
            from: places.len() - 1,
            to: 0,
            amount: injected as f64,
            says: short(injected as f64),
        });
    }
    Some(Drawing::Map { places, ways })
}

/// `LymphNode` as people write it.
fn in_letters(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_short_and_names_are_words() {
        assert_eq!(
            [0.0, 9_999.0, 12_345.0, 2.5e6].map(short),
            ["0", "9999", "12k", "2.5M"]
        );
        assert_eq!(in_letters("LymphNode"), "lymph node");
    }
}
