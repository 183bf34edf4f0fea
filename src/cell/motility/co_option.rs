//! How walking cells take over the vessels of the host (capability `co_option`): they find a perfused vessel and spread along its wall, rather than call
//! for new ones.
//!
//! A cell that turns near a perfused wall is pulled to it with its index, as by a gradient of a molecule; one that touches the wall goes along it, with a
//! chance as large, whichever way is nearer to the direction it has drawn. So tumours of the brain, the lung and the liver grow around vessels that were there
//! (Holash et al. 1999, doi:10.1126/science.284.5422.1994; Valiente et al. 2014, doi:10.1016/j.cell.2014.01.040: L1CAM holds cells to the wall).

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::LEADING_EDGE_UM;
use crate::cell::doors::{SiteWays, Ways};
use crate::core::Random;
use crate::core::input::{CellValues, InputColumn, InputInfo, RegisterInputs, Regulated};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::tissue::SiteId;

/// How cells of a type take over vessels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct CoOptionParameters {
    /// Mean cosine between steps and the way to a wall in reach, and how likely a cell at the wall goes along it, 0-1; none unless a type says so.
    pub index: f32,
    /// How far from the wall a cell finds it, um beyond its own surface; 40. Assumed.
    pub reach_um: f32,
}

impl Default for CoOptionParameters {
    fn default() -> Self {
        Self {
            index: 0.0,
            reach_um: 40.0,
        }
    }
}

impl Parameters for CoOptionParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "index" => Limits::FRACTION,
            // Walls are found fast near by.
            _ => Limits {
                min: 0.0,
                max: 100.0,
            },
        }
    }
}

/// The input.
const CO_OPTION: &str = "motility.co_option";

/// Registers the capability and its input.
pub(super) fn register(app: &mut App) {
    app.register_capability::<CoOptionParameters>("co_option")
        .register_input::<CoOptionParameters>(
            InputInfo::new(
                CO_OPTION,
                "",
                "How strongly a cell is drawn to perfused vessels and along their walls.",
            ),
            "index",
        );
}

/// Vessels of all sites that have some, and how cells take them over.
pub(super) struct Walls<'a> {
    parameters: &'a PerType<CoOptionParameters>,
    index: CellValues<'a>,
    places: Vec<Option<SiteWays<'a>>>,
}

impl<'a> Walls<'a> {
    /// Those of this step; nothing where no type of cells takes vessels over or no site has any.
    pub(super) fn read(
        parameters: &'a PerType<CoOptionParameters>,
        ways: &'a Ways,
        sites: usize,
        inputs: &'a Regulated,
    ) -> Option<Self> {
        if parameters.0.iter().all(Option::is_none) {
            return None;
        }
        let places: Vec<_> = (0..sites)
            .map(|site| ways.of(SiteId(site as u16)).filter(SiteWays::has_vessels))
            .collect();
        places.iter().any(Option::is_some).then(|| Self {
            parameters,
            index: inputs.input(CO_OPTION),
            places,
        })
    }

    /// The same for the cells of a table.
    pub(super) fn in_table<'b>(&'b self, entities: &[Entity]) -> WallsOfTable<'b> {
        WallsOfTable {
            walls: self,
            index: self.index.in_table(entities),
        }
    }
}

/// The same for the cells of a table.
pub(super) struct WallsOfTable<'a> {
    walls: &'a Walls<'a>,
    index: InputColumn<'a>,
}

impl WallsOfTable<'_> {
    /// What leads a cell of that radius where it is.
    pub(super) fn at(
        &self,
        row: usize,
        cell_type: u16,
        (site, at_um): (SiteId, Vec3),
        radius_um: f32,
    ) -> Wall {
        let (Some(parameters), Some(Some(ways))) = (
            self.walls.parameters.get(cell_type),
            self.walls.places.get(usize::from(site.0)),
        ) else {
            return Wall::default();
        };
        let index = self.index.at(row, cell_type);
        if index <= 0.0 {
            return Wall::default();
        }
        let Some(door) = ways.nearest(at_um, radius_um + parameters.reach_um) else {
            return Wall::default();
        };
        let way = door.at_um - at_um;
        if way.length() > radius_um + LEADING_EDGE_UM {
            Wall {
                pull: index * way.normalize_or_zero(),
                ..Wall::default()
            }
        } else {
            Wall {
                pull: Vec3::ZERO,
                chance: index,
                along: door.flow_um_per_s.normalize_or_zero(),
            }
        }
    }
}

/// What the wall of a vessel does to a cell near it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wall {
    /// Towards it.
    pub pull: Vec3,
    /// How likely a cell at it goes along it.
    chance: f32,
    along: Vec3,
}

impl Wall {
    /// The direction that a cell takes which has drawn one.
    pub(super) fn lead(&self, random: &mut Random, drawn: Vec3) -> Vec3 {
        if self.chance > 0.0 && random.chance(self.chance) {
            let along = self.along * self.along.dot(drawn);
            along.normalize_or(drawn)
        } else {
            drawn
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{CellId, RandomKey};

    #[test]
    fn a_cell_at_a_wall_goes_along_it_whichever_way_is_nearer() {
        let wall = |chance| Wall {
            chance,
            along: Vec3::X,
            ..Wall::default()
        };
        let mut random = RandomKey(1).stream(CellId(1), 0, super::super::TURNS);
        let there = Vec3::new(0.6, 0.8, 0.0);
        for (chance, drawn, taken) in [
            (1.0, there, Vec3::X),
            (1.0, -there, Vec3::NEG_X),
            // Straight off the wall neither way is nearer.
            (1.0, Vec3::Y, Vec3::Y),
            (0.0, there, there),
        ] {
            assert_eq!(wall(chance).lead(&mut random, drawn), taken);
        }
    }
}
