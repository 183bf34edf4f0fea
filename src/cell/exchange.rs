//! Exchange: molecules that a cell gives off and takes up at rates of its type, whatever it is.
//!
//! A cell type lists them, `exchange: [(molecule: "vegf_a", secretes_molecules_per_s: 0.1)]`; each number of the list
//! is a parameter, `"cancer.exchange.vegf_a.secretes_molecules_per_s"`. What depends on the state of a cell in a way of
//! its own, as breathing does, has a module of its own.
//!
//! Secretion is an input, `exchange.vegf_a`, which rules can change. [`exchange_molecules`] books in `Act`, see
//! [`crate::tissue::fields`].

use std::ops::Range;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::body::{CellType, Resident};
use super::death::{Vital, is_alive};
use super::surroundings::Surroundings;
use super::{ActSystems, order_act};
use crate::core::SimSchedule;
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{CellValues, InputColumn, InputInfo, RegisterInputs, Regulate, Regulated};
use crate::core::parallel::{IN_TABLES, for_each_row};
use crate::core::parameters::{Limits, NamedParameters, Parameters, PerType, RegisterParameters};
use crate::tissue::fields::Booking;
use crate::tissue::{Bookings, MoleculeName, Molecules};

/// What a living cell exchanges of one molecule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct MoleculeExchange {
    /// Name of the molecule.
    pub molecule: MoleculeName,
    /// Secretion, molecules per second.
    #[serde(default)]
    pub secretes_molecules_per_s: f32,
    /// Uptake where there is plenty, molecules per second; half of it at the molecule's half-saturation.
    #[serde(default)]
    pub takes_up_molecules_per_s: f32,
    /// Uptake in proportion to the concentration, as the volume that is cleared of the molecule, um3/min.
    #[serde(default)]
    pub absorbs_um3_per_min: f32,
}

impl Parameters for MoleculeExchange {
    fn limits(_field: &str) -> Limits {
        // Far more than a cell makes; beyond, a voxel full of cells would exceed what a ledger can add up.
        Limits {
            min: 0.0,
            max: 1.0e9,
        }
    }
}

/// What cells of a type exchange (capability `exchange`), each molecule once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExchangeParameters(pub Vec<MoleculeExchange>);

impl NamedParameters for ExchangeParameters {
    type Item = MoleculeExchange;

    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|of| of.molecule.as_str()).collect()
    }

    fn item(&self, index: usize) -> Option<&MoleculeExchange> {
        self.0.get(index)
    }

    fn item_mut(&mut self, index: usize) -> Option<&mut MoleculeExchange> {
        self.0.get_mut(index)
    }

    fn from_items(items: Vec<MoleculeExchange>) -> Self {
        Self(items)
    }
}

/// Name of the input that is the secretion of a molecule.
fn input_of(molecule: &str) -> String {
    format!("exchange.{molecule}")
}

/// Registers the secretion of each molecule as an input, `exchange.NAME`.
pub fn register_secretions(world: &mut World, molecules: &Molecules) {
    for molecule in molecules.list() {
        let name = molecule.name.clone();
        // The ledger counts in units of the molecule: of a finer one it holds less.
        let Limits { min, max } = MoleculeExchange::limits("secretes_molecules_per_s");
        // A unit that is none is refused by the check, which asks for inputs before.
        let unit = f64::from(molecule.nm_per_unit);
        let max = if unit > 0.0 { max * unit.min(1.0) } else { max };
        let info = InputInfo::new(
            input_of(&name),
            "molecules/s",
            format!("Secretion of {} by a cell.", molecule.label),
        )
        .limits(Limits { min, max });
        world.register_input_with(info, move |world, cell_type| {
            let table = world.get_resource::<PerType<ExchangeParameters>>()?;
            let mut list = table.get(cell_type)?.0.iter();
            let of = list.find(|of| of.molecule.as_str() == name)?;
            Some(of.secretes_molecules_per_s)
        });
    }
}

/// Living cells give off and take up what their type exchanges.
pub fn exchange_molecules(
    parameters: Res<PerType<ExchangeParameters>>,
    bookings: Bookings,
    inputs: Regulated,
    cells: Query<(Entity, &CellType, &Resident, &Surroundings, Option<&Vital>)>,
) {
    // Where each molecule is booked, and the input that is its secretion: looked up once, however many types and
    // clones exchange it.
    let mut molecules: Vec<(&str, Booking, CellValues)> = Vec::new();
    for of in parameters.0.iter().flatten().flat_map(|list| &list.0) {
        let name = of.molecule.as_str();
        if molecules.iter().all(|(known, ..)| *known != name) {
            molecules.push((name, bookings.of(name), inputs.input(&input_of(name))));
        }
    }
    molecules.retain(|(_, booking, _)| !booking.is_nowhere());
    if molecules.is_empty() {
        return;
    }
    // What the cells of each row of the table exchange, and the place of its molecule.
    let mut exchanged: Vec<(&MoleculeExchange, usize)> = Vec::new();
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for list in &parameters.0 {
        let start = exchanged.len();
        for of in list.iter().flat_map(|list| &list.0) {
            let name = of.molecule.as_str();
            let place = molecules.iter().position(|(known, ..)| *known == name);
            exchanged.extend(place.map(|place| (of, place)));
        }
        ranges.push(start..exchanged.len());
    }
    for (entities, cell_types, residents, around, vitals) in
        cells.contiguous_iter().expect(IN_TABLES)
    {
        let secretions: Vec<InputColumn> = molecules
            .iter()
            .map(|(.., input)| input.in_table(entities))
            .collect();
        for_each_row(cell_types.len(), |row| {
            let cell_type = cell_types[row].0;
            let Some(range) = ranges.get(usize::from(cell_type)) else {
                return;
            };
            if range.is_empty() || !is_alive(vitals.map(|vitals| &vitals[row])) {
                return;
            }
            let (site, voxel) = (residents[row].0, around[row].voxel);
            for (of, place) in &exchanged[range.clone()] {
                let (_, booking, _) = &molecules[*place];
                let secretion = secretions[*place].at(row, cell_type);
                // What is never booked is solved in a simpler way.
                if secretion > 0.0 {
                    booking.secrete(site, voxel, secretion);
                }
                if of.takes_up_molecules_per_s > 0.0 {
                    booking.take_up(site, voxel, of.takes_up_molecules_per_s);
                }
                if of.absorbs_um3_per_min > 0.0 {
                    booking.absorb(site, voxel, of.absorbs_um3_per_min);
                }
            }
        });
    }
}

/// Exchange.
pub struct ExchangePlugin;

impl Plugin for ExchangePlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        app.register_capability_list::<ExchangeParameters>("exchange")
            .regulate()
            .while_in_transit(
                exchange_molecules,
                InTransit::Pauses,
                "there is no voxel to book in",
            )
            .add_systems(SimSchedule, exchange_molecules.in_set(ActSystems::Exchange));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::State;
    use crate::cell::testing::*;
    use crate::core::parameters::{CellTypeNames, set_parameter};
    use crate::tissue::{Ledger, TissueBlock};

    #[test]
    fn living_cells_book_what_their_type_exchanges() {
        let mut app = bench(1.0);
        app.add_plugins(ExchangePlugin)
            .insert_resource(CellTypeNames(vec!["sponge".into()]));
        let ledger = app.world_mut().spawn(Ledger::new(8)).id();
        let block = TissueBlock {
            name: "block".into(),
            min_um: Vec3::ZERO,
            dims: UVec3::splat(2),
            voxel_um: Vec3::splat(20.0),
            walls: true,
            perfusion_length_um: None,
        };
        add_site(&mut app, block, &[("vegf_a", ledger)]);
        let of = MoleculeExchange {
            molecule: "vegf_a".into(),
            absorbs_um3_per_min: 40.0,
            ..MoleculeExchange::default()
        };
        app.insert_resource(PerType(vec![Some(ExchangeParameters(vec![of]))]));
        let molecules = app.world().resource::<Molecules>().clone();
        register_secretions(app.world_mut(), &molecules);
        let path = "sponge.exchange.vegf_a.secretes_molecules_per_s";
        set_parameter(app.world_mut(), path, 3.0).unwrap();
        let dead = Vital {
            state: State::NecroticLysed,
            ..Vital::default()
        };
        for (id, vital) in [Vital::default(), dead, Vital::default()]
            .into_iter()
            .enumerate()
        {
            let around = Surroundings {
                voxel: 6,
                ..Surroundings::default()
            };
            app.world_mut().spawn((cell(id as u64, around), vital));
        }
        step(&mut app);
        let ledger = app.world().get::<Ledger>(ledger).unwrap();
        // Two cells, 6 molecules a second in 8e-12 L.
        let secreted = 6.0 * 60.0 / 6.022_140_76e23 / 8e-12 * 1e9;
        let found = f64::from(ledger.source().sum(6));
        assert!((found / secreted - 1.0).abs() < 1e-4, "{found}");
        assert!((ledger.rate().sum(6) - 80.0 / 8000.0).abs() < 1e-6);
        assert!(ledger.capacity().is_empty());
    }
}
