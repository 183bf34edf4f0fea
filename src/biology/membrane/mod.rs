//! Basement membranes: thin sheets around ducts, acini and organs that hold cells in, and that proteases open.
//!
//! A membrane ([`Around`]) is cut into elements about 8 um wide, each an entity with a density `rho` (0-1). With the digestion `a`
//! by what is dissolved at the element, as soluble MMPs, and `c` by cells that touch it,
//!
//! `d rho/dt = -(a + c) rho + k_b (1 - rho)`,
//!
//! solved exactly over a step, so that the time in which it opens hangs neither on the step nor on the size of elements. A cell
//! carries its proteases at its leading edge: it digests where that reaches the membrane a pore as wide as its
//! nucleus, and one that does not walk where it touches it; where several reach the same place, the strongest counts. The pores have the cross-section
//! `A = A_max (1 - rho)^2`; a cell gets the share `clamp((A - A_0)/(A_ref - A_0), 0, 1)` of all that displaces it towards the sheet, `A_0` being
//! where its nucleus is stuck: see [`sheet`]. What digests a membrane is said by rules: of cells
//! on `membrane.contact_digestion`, and of sites on `membrane.digestion` (`assets/membrane/rules.ron`); to these the elements of a site are of the
//! kind `membrane element`, sheet by sheet.
//!
//! | file | holds |
//! | --- | --- |
//! | `parameters` | what a scene says of membranes, and of cells at them |
//! | `surface` | the shapes, and how they are cut into elements |
//! | `sheet` | how bodies meet them |
//! | `elements` | what is kept of each element |
//! | `known` | what can be known of them |
//! | `picture` | how they look |
//!
//! [`meet_membranes`] runs in `Act`; in `Move` and `Turnover` displacements are held ([`crate::cell::barrier`]); [`digest_membranes`]
//! runs in `Transport`; [`tell_crossings`] tells at the end of `Turnover` who went through.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::barrier::SiteBarriers;
use crate::cell::death::is_alive;
use crate::cell::event::{EventBook, EventKind, RegisterEvent};
use crate::cell::turnover::TurnoverSystems;
use crate::cell::{ActSystems, Body, CellType, Motility, Position, Resident, Vital, order_act};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, Inputs, RegisterInputs, Regulated};
use crate::core::invariant::{Breach, RegisterInvariant};
use crate::core::parallel::{IN_TABLES, for_each_row};
use crate::core::parameters::{Limits, PerType, RegisterParameters};
use crate::core::random::probability;
use crate::core::site_part::RegisterSitePart;
use crate::core::state::{Owner, RegisterState, WhollyKept};
use crate::core::units::MINUTES_PER_HOUR;
use crate::core::{CellId, Clock, SimSchedule, SimSystems};
use crate::tissue::medium::MediumSystems;
use crate::tissue::member_rules::RegisterPlacedElements;
use crate::tissue::population::{LivesIn, RegisterPopulation};
use crate::tissue::{SiteId, Sites, TissueBlock};

mod elements;
mod known;
mod parameters;
mod picture;
pub mod sheet;
pub mod surface;

pub use elements::{BasementMembrane, MembraneElement};
use elements::{begin_membranes, membranes_of, take_over, wrong_element};
pub use parameters::{MembraneDescription, MembraneParameters, MembranesParameters};
pub use sheet::{MembraneSheet, Membranes};
pub use surface::Around;

/// What has happened at the membranes of a site so far.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MembraneTally {
    /// Cells that went out, one that comes back and goes again twice.
    pub outward: u64,
    /// Cells that came back.
    pub inward: u64,
    /// When the first cell went out, hours.
    pub first_crossing_h: Option<f64>,
    /// When the first element opened that was closed before, hours.
    pub first_opening_h: Option<f64>,
}

impl WhollyKept for MembraneTally {}

/// An element opened, and a cell stands before it.
pub const BREACH: EventKind = EventKind::of("membrane.breach");
/// A cell went out through a membrane.
pub const CROSSING: EventKind = EventKind::of("membrane.crossing");
/// A cell came back in.
pub const RETURN: EventKind = EventKind::of("membrane.return");

/// The input of cells.
const CONTACT_DIGESTION: &str = "membrane.contact_digestion";
/// What rules know elements by.
const ELEMENT: &str = "membrane element";
/// The input of elements.
const DIGESTION: &str = "membrane.digestion";

/// Living cells touch membranes, and digest what they touch.
pub fn meet_membranes(
    membranes: Res<MembranesParameters>,
    parameters: Res<PerType<MembraneParameters>>,
    sites: Res<Sites>,
    inputs: Regulated,
    mut barriers: Query<&mut SiteBarriers>,
    cells: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        &Body,
        Option<&Vital>,
        Option<&Motility>,
    )>,
) {
    let mut any = false;
    for mut barriers in &mut barriers {
        let Some(sheets) = barriers.bypass_change_detection().get_mut::<Membranes>() else {
            continue;
        };
        let arrest = parameters.0.iter().map(|of| {
            let of = of.as_ref();
            of.map_or(f32::INFINITY, |of| of.arrest_pore_um2)
        });
        sheets.pores.set(&membranes, arrest);
        any = true;
    }
    if !any {
        return;
    }
    let places: Vec<Option<&Membranes>> = sites
        .list
        .iter()
        .map(|site| barriers.get(site.entity).ok()?.get())
        .collect();
    let digestion = inputs.input(CONTACT_DIGESTION);
    for (entities, ids, types, residents, positions, bodies, vitals, walks) in
        cells.contiguous_iter().expect(IN_TABLES)
    {
        let digestion = digestion.in_table(entities);
        for_each_row(ids.len(), |row| {
            let Some(Some(membranes_here)) = places.get(usize::from(residents[row].0.0)) else {
                return;
            };
            if !is_alive(vitals.map(|vitals| &vitals[row])) {
                return;
            }
            let (at, radius) = (positions[row].0, bodies[row].radius_um);
            for sheet in &membranes_here.sheets {
                let reach = radius + membranes.reach_um;
                let Some((seen, element, _)) = sheet.touch(at, reach) else {
                    continue;
                };
                sheet.meet(ids[row], element);
                let per_min = digestion.at(row, types[row].0);
                if per_min <= 0.0 {
                    continue;
                }
                let walk = walks.map_or(Vec3::ZERO, |walks| walks[row].velocity_um_per_min());
                match walk.try_normalize() {
                    Some(ahead) => {
                        let front = at + ahead * reach;
                        if sheet.parts(&seen, front) {
                            sheet.digest_at(front, bodies[row].nucleus_radius_um(), per_min);
                        }
                    }
                    None => sheet.digest_at(at, bodies[row].nucleus_radius_um(), per_min),
                }
            }
        });
    }
}

/// The density of an element after a step in which it is digested with one rate and mended with another, 1/min.
pub fn density_after(density: f64, digestion: f32, regeneration: f32, minutes: f32) -> f64 {
    let sum = digestion + regeneration;
    if sum <= 0.0 {
        return density;
    }
    let settles_at = f64::from(regeneration) / f64::from(sum);
    density + (settles_at - density) * f64::from(probability(sum, minutes))
}

/// It is told who went through, in `Move` and as daughters were put apart.
pub fn tell_crossings(
    clock: Res<Clock>,
    events: Res<EventBook>,
    mut barriers: Query<(&SiteId, &mut SiteBarriers, &mut MembraneTally)>,
) {
    let hours = hours_at_end(&clock);
    for (site, mut barriers, mut tally) in &mut barriers {
        let Some(membranes) = barriers.bypass_change_detection().get_mut::<Membranes>() else {
            continue;
        };
        for crossing in membranes.crossings().drain(..) {
            let kind = if crossing.is_outward {
                CROSSING
            } else {
                RETURN
            };
            events.book(kind, crossing.cell, *site, crossing.at_um);
            if crossing.is_outward {
                tally.outward += 1;
                tally.first_crossing_h.get_or_insert(hours);
            } else {
                tally.inward += 1;
            }
        }
    }
}

/// What happens in a step is in force at its end: when that is, hours.
fn hours_at_end(clock: &Clock) -> f64 {
    (clock.step + 1) as f64 * clock.step_minutes / MINUTES_PER_HOUR
}

/// What cells did to membranes, or who went through, that would be told or carried out in another step.
fn note_left(world: &World) -> Option<Breach> {
    let sites = world.get_resource::<Sites>()?.list.iter();
    for site in sites {
        let barriers = world.get::<SiteBarriers>(site.entity);
        let membranes = barriers.and_then(SiteBarriers::get::<Membranes>);
        if membranes.is_some_and(|membranes| !membranes.is_told()) {
            return Some(Breach::new(format!(
                "something is noted of the membranes of `{}` when the step ends",
                site.block.name
            )));
        }
    }
    None
}

/// What digests the membranes of a site, and what is kept of them.
struct Place<'a> {
    site: SiteId,
    /// Digestion of each element by what is dissolved, 1/min.
    digestion: &'a [f32],
    membranes: &'a mut Membranes,
    tally: Mut<'a, MembraneTally>,
}

/// Appends what a number of voxels is at each element of the membranes of a site.
fn at_elements(world: &World, site: Entity, of_voxel: &dyn Fn(u32) -> f32, to: &mut Vec<f32>) {
    let barriers = world.get::<SiteBarriers>(site);
    let membranes = barriers.and_then(SiteBarriers::get::<Membranes>);
    let sheets = membranes.map_or(&[][..], |membranes| &membranes.sheets);
    let voxels = sheets.iter().flat_map(|sheet| &sheet.voxels);
    to.extend(voxels.map(|voxel| of_voxel(*voxel)));
}

/// Membranes are digested and mended; it is told where they opened.
pub fn digest_membranes(
    clock: Res<Clock>,
    parameters: Res<MembranesParameters>,
    (inputs, regulated): (Res<Inputs>, Regulated),
    events: Res<EventBook>,
    mut barriers: Query<(Entity, &SiteId, &mut SiteBarriers, &mut MembraneTally)>,
    mut elements: Query<(&LivesIn, &mut MembraneElement)>,
) {
    let minutes = clock.dt_minutes();
    let hours = hours_at_end(&clock);
    let regeneration = parameters.regeneration_per_day / (24.0 * MINUTES_PER_HOUR as f32);
    let mut places: Vec<Place> = Vec::new();
    for (entity, site, barriers, tally) in &mut barriers {
        if let Some(membranes) = barriers.into_inner().get_mut::<Membranes>() {
            let digestion = regulated.of_elements(&inputs, DIGESTION, entity);
            places.push(Place {
                site: *site,
                digestion: digestion.unwrap_or_default(),
                membranes,
                tally,
            });
        }
    }
    if places.is_empty() {
        return;
    }
    places.sort_unstable_by_key(|place| place.site);
    for (lives_in, mut element) in &mut elements {
        let Ok(at) = places.binary_search_by_key(&lives_in.0, |place| place.site) else {
            continue;
        };
        let Place {
            site,
            digestion,
            membranes,
            tally,
        } = &mut places[at];
        let element = element.bypass_change_detection();
        let place = element.place as usize;
        let number = usize::from(element.sheet);
        let dissolved = digestion.get(membranes.first[number] + place);
        let dissolved = dissolved.copied().unwrap_or(0.0);
        let sheet = &mut membranes.sheets[number];
        let (contact, cell) = sheet.take(place);
        let density = density_after(element.density, dissolved + contact, regeneration, minutes);
        element.density = density;
        sheet.density[place] = density as f32;
        let was_open = element.is_open;
        element.is_open = parameters.is_open(density as f32);
        if !element.is_open {
            element.is_told = false;
            continue;
        }
        if !was_open {
            tally.first_opening_h.get_or_insert(hours);
        }
        if let (false, Some(cell)) = (element.is_told, cell) {
            element.is_told = true;
            events.book(BREACH, cell, *site, sheet.tiling.elements[place].centre_um);
        }
    }
}

/// Basement membranes.
pub struct MembranePlugin;

impl Plugin for MembranePlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        app.register_group::<MembranesParameters>("membranes")
            .register_common_capability::<MembraneParameters>("membrane")
            .register_population::<BasementMembrane>("membrane_elements")
            .register_member_state::<BasementMembrane, MembraneElement>("element")
            .register_kept::<MembraneTally>(Owner::Site, "membrane_tally")
            .register_site_part::<Vec<MembraneDescription>>("membranes", |world, site, list| {
                let Some(block) = world.get::<TissueBlock>(site).cloned() else {
                    return;
                };
                let mut site = world.entity_mut(site);
                site.insert(MembraneTally::default());
                let mut barriers = site.entry::<SiteBarriers>().or_default();
                barriers.get_mut().add(Membranes::new(list, &block));
            })
            .give_site_part_rules("membranes", include_str!("../../../assets/membrane/rules.ron"))
            .place_elements(ELEMENT, at_elements)
            .register_element_input(
                ELEMENT,
                InputInfo::new(
                    DIGESTION,
                    "1/min",
                    "Digestion of an element of a basement membrane, but for that by the surface of cells.",
                )
                .limits(Limits {
                    min: 0.0,
                    max: 1.0e3,
                }),
                |world, site, values| at_elements(world, site, &|_| 0.0, values),
            )
            .begin_sites(begin_membranes)
            .settle_sites(take_over)
            .register_input::<MembraneParameters>(
                InputInfo::new(
                    CONTACT_DIGESTION,
                    "1/min",
                    "Digestion of a basement membrane that the leading edge of a cell reaches by proteases on its surface.",
                ),
                "contact_digestion_per_min",
            )
            .register_event(
                BREACH,
                "An element of a basement membrane has opened before a cell; the place is that of the element.",
            )
            .register_event(
                CROSSING,
                "A cell went out through a basement membrane; the place is where its centre passed.",
            )
            .register_event(
                RETURN,
                "A cell came back in through a basement membrane; the place is where its centre passed.",
            )
            .register_invariant(SimSystems::Transport, "digest_membranes", wrong_element)
            .register_invariant(SimSystems::Turnover, "tell_crossings", note_left)
            .while_in_transit(
                meet_membranes,
                InTransit::Pauses,
                "there is no membrane to touch",
            )
            .add_systems(
                SimSchedule,
                (
                    meet_membranes.in_set(ActSystems::Exchange),
                    digest_membranes
                        .in_set(SimSystems::Transport)
                        .before(MediumSystems),
                    tell_crossings
                        .in_set(TurnoverSystems::Tell)
                        .in_set(SimSystems::Turnover),
                ),
            );
        known::register(app);
        picture::register(app);
    }
}

#[cfg(test)]
mod tests;
