//! The inputs of sites and of what they hold in arrays.

use bevy::ecs::change_detection::Tick;
use bevy::prelude::*;

use super::{Rules, SitesInOrder};
use crate::core::Clock;
use crate::core::input::{InputInfo, InputValues, Inputs};
use crate::core::parallel::for_each_chunk_mut;
use crate::core::parameters::last_changed;
use crate::core::quantity::{NONE, Quantities};
use crate::core::rule::{BLOCK, RuleBook, RuleProgram};

/// The rules of a site on an input, ready to be applied.
struct Joined {
    program: RuleProgram,
    /// Where each quantity that they read stands in the list of what there is to know; none for one that there is not.
    by: Vec<Option<usize>>,
}

impl Joined {
    fn new(
        book: &RuleBook,
        info: &InputInfo,
        place: impl Fn(&str) -> Option<usize>,
    ) -> Option<Self> {
        let limits = (info.limits.min as f32, info.limits.max as f32);
        let mut by = Vec::new();
        let program = RuleProgram::new(book, &info.name, limits, |name| {
            by.push(place(name));
            by.len() - 1
        })?;
        Some(Self { program, by })
    }
}

/// Rules of sites made ready to be applied: made anew only when rules or what is registered have changed.
#[derive(Default)]
pub(in crate::core) struct SiteGroundwork {
    /// When all that it is made of was last changed.
    made_of: [Option<Tick>; 4],
    /// For each input of sites, by site.
    of_sites: Vec<Vec<Option<Joined>>>,
    /// For each input of elements, by site.
    of_elements: Vec<Vec<Option<Joined>>>,
}

impl SiteGroundwork {
    /// Makes it anew if something has changed since.
    fn follow(&mut self, world: &World, sites: usize) {
        let made_of = [
            last_changed::<Inputs>(world),
            last_changed::<Quantities>(world),
            last_changed::<Rules>(world),
            last_changed::<SitesInOrder>(world),
        ];
        if self.made_of == made_of {
            return;
        }
        self.made_of = made_of;
        let (inputs, rules) = (world.resource::<Inputs>(), world.resource::<Rules>());
        let empty = RuleBook::default();
        let books = || (0..sites).map(|place| rules.of_sites.get(place).unwrap_or(&empty));
        let known = world.get_resource::<Quantities>();
        let of_site = |name: &str| {
            let mut known = known?.sites.iter();
            known.position(|quantity| quantity.info.name == name)
        };
        let joined = inputs.sites.iter().map(|input| {
            let of_book = |book| Joined::new(book, &input.info, of_site);
            books().map(of_book).collect()
        });
        self.of_sites = joined.collect();
        let joined = inputs.elements.iter().map(|input| {
            let of_element = |name: &str| {
                let mut instead = inputs.read_as.iter();
                let instead = instead.find(|(kind, of, _)| *kind == input.kind && of == name);
                let name = instead.map_or(name, |(_, _, instead)| instead.as_str());
                let mut known = inputs.element_quantities.iter();
                known.position(|known| known.kind == input.kind && known.info.name == name)
            };
            let of_book = |book| Joined::new(book, &input.info, of_element);
            books().map(of_book).collect()
        });
        self.of_elements = joined.collect();
    }
}

/// Works out the inputs of sites and of what they hold in arrays.
pub(super) fn work_out(world: &World, values: &mut InputValues) {
    let sites = world
        .get_resource::<SitesInOrder>()
        .map_or(&[][..], |sites| &sites.0);
    values.site_groundwork.follow(world, sites.len());
    of_sites(world, sites, values);
    of_elements(world, sites, values);
}

fn of_sites(world: &World, sites: &[Entity], values: &mut InputValues) {
    let inputs = world.resource::<Inputs>();
    let known = world.get_resource::<Quantities>();
    let joined = &values.site_groundwork.of_sites;
    values.sites.resize_with(inputs.sites.len(), Vec::new);
    for ((input, joined), of_sites) in inputs.sites.iter().zip(joined).zip(&mut values.sites) {
        of_sites.clear();
        for (site, joined) in sites.iter().zip(joined) {
            let Some(base) = (input.base)(world, *site) else {
                continue;
            };
            let mut value = [base];
            if let Some(Joined { program, by }) = joined {
                let columns = &mut values.columns;
                make_room(columns, by.len());
                for (column, place) in columns.iter_mut().zip(by) {
                    let quantity = place.and_then(|place| known?.sites.get(place));
                    column.clear();
                    column.push(quantity.map_or(NONE, |quantity| quantity.of(world, *site)));
                }
                let column = |place: usize| columns[place].as_slice();
                program.apply(&mut value, column, &mut [[0.0; BLOCK]; 2]);
            }
            of_sites.push((*site, value[0]));
        }
    }
}

fn of_elements(world: &World, sites: &[Entity], values: &mut InputValues) {
    let inputs = world.resource::<Inputs>();
    let clock = world.get_resource::<Clock>();
    let joined = &values.site_groundwork.of_elements;
    values.elements.resize_with(inputs.elements.len(), Vec::new);
    let all = inputs.elements.iter().zip(joined);
    for ((input, joined), of_sites) in all.zip(&mut values.elements) {
        if clock.is_some_and(|clock| !clock.is_turn(input.info.every_min)) {
            continue;
        }
        of_sites.retain(|(site, _)| sites.contains(site));
        for (site, joined) in sites.iter().zip(joined) {
            let at = of_sites.iter().position(|(known, _)| known == site);
            let at = at.unwrap_or_else(|| {
                of_sites.push((*site, Vec::new()));
                of_sites.len() - 1
            });
            let found = &mut of_sites[at].1;
            found.clear();
            (input.base)(world, *site, found);
            let Some(Joined { program, by }) = joined else {
                continue;
            };
            if found.is_empty() {
                continue;
            }
            let columns = &mut values.columns;
            make_room(columns, by.len());
            for (column, place) in columns.iter_mut().zip(by) {
                column.clear();
                if let Some(quantity) = place.and_then(|at| inputs.element_quantities.get(at)) {
                    (quantity.of)(world, *site, column);
                }
            }
            let columns = &*columns;
            let none = [NONE; BLOCK];
            for_each_chunk_mut(found, BLOCK, |start, values| {
                let len = values.len();
                let column = |place: usize| {
                    let values = columns[place].get(start..start + len);
                    values.unwrap_or(&none[..len])
                };
                program.apply(values, column, &mut [[0.0; BLOCK]; 2]);
            });
        }
    }
}

/// Makes sure that there are so many columns.
fn make_room(columns: &mut Vec<Vec<f32>>, len: usize) {
    if columns.len() < len {
        columns.resize_with(len, Vec::new);
    }
}
