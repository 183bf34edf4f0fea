//! How walking cells are led by the fibres of the tissue (capability `guidance`).
//!
//! Contact guidance: with the probability `g t` a cell that turns takes up a fibre instead of the direction `u` it has drawn, and goes along
//! `T u / |T u|`, with `g` the strength of its guidance, `t` the share of its surroundings in which there are fibres, and `T` the
//! mean of `n n^T` over their directions `n`. Where all fibres lie along `n` that is `n` or `-n`, whichever is nearer to `u`; where
//! they lie at random it is `u` itself. So cells spread along straight fibres with the diffusivity `(1 + 2 g) S^2 P / 3`, and across
//! them with `(1 - g) S^2 P / 3`.
//!
//! Haptotaxis: the relative gradient of the density of fibres pulls as that of a molecule does, see [`super`].
//!
//! Strengths: 0.65 for cancer stem cells, 0.4 for myofibroblasts, 0.25-0.45 for others, as in a published model of pancreatic tumours [S].

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::Motility;
use super::follows::pull;
use crate::cell::{CellType, Position, Resident};
use crate::core::Random;
use crate::core::input::{CellValues, InputColumn, InputInfo, RegisterInputs, Regulated};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{NONE, Quantity, Reader, RegisterQuantities};
use crate::tissue::fields::relative_gradient;
use crate::tissue::{Fibres, Scaffold, SiteId, Sites, TissueBlock};

/// How fibres lead cells of a type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct GuidanceParameters {
    /// How likely a cell that turns goes along fibres where there are any, 0-1; 0.65 for a cancer cell, of 0.25-0.65 [S].
    pub contact_guidance: f32,
    /// Mean cosine between steps and a strong gradient of the density of fibres, -1 to 1. Assumed none.
    pub haptotactic_index: f32,
    /// Relative gradient at which the index is half its full value, 1/um; as for molecules. Assumed.
    pub half_gradient_per_um: f32,
}

impl Default for GuidanceParameters {
    fn default() -> Self {
        Self {
            contact_guidance: 0.65,
            haptotactic_index: 0.0,
            half_gradient_per_um: 1.0e-3,
        }
    }
}

impl Parameters for GuidanceParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "contact_guidance" => Limits::FRACTION,
            "haptotactic_index" => Limits {
                min: -1.0,
                max: 1.0,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e6,
            },
        }
    }
}

/// The inputs.
const CONTACT_GUIDANCE: &str = "motility.contact_guidance";
const HAPTOTAXIS: &str = "motility.haptotaxis";

/// Reads how far each cell that is guided walks along the fibres where it is: `d T d`, a third where they lie at random.
fn along_fibres(world: &World) -> Reader<'_, f32> {
    let parameters = world.get_resource::<PerType<GuidanceParameters>>();
    let places: Vec<Option<(&Scaffold, &TissueBlock)>> = world
        .get_resource::<Sites>()
        .iter()
        .flat_map(|sites| &sites.list)
        .map(|site| Some((world.get::<Scaffold>(site.entity)?, &site.block)))
        .collect();
    Box::new(move |table, rows, values| {
        let (Some(types), Some(residents), Some(positions), Some(walks)) = (
            table.get::<CellType>(),
            table.get::<Resident>(),
            table.get::<Position>(),
            table.get::<Motility>(),
        ) else {
            values.fill(NONE);
            return;
        };
        for (value, row) in values.iter_mut().zip(rows) {
            let is_guided = parameters.is_some_and(|known| known.get(types[row].0).is_some());
            *value = match places.get(usize::from(residents[row].0.0)) {
                Some(Some((scaffold, block))) if is_guided => {
                    let voxel = block.voxel_at(positions[row].0) as usize;
                    let direction = walks[row].direction;
                    let fibres = scaffold.fibres.get(voxel).copied().unwrap_or_default();
                    direction.dot(fibres.matrix() * direction)
                }
                _ => NONE,
            };
        }
    })
}

/// Registers the capability, its inputs and what can be known.
pub(super) fn register(app: &mut App) {
    app.register_capability::<GuidanceParameters>("guidance")
        .register_input::<GuidanceParameters>(
            InputInfo::new(
                CONTACT_GUIDANCE,
                "",
                "How likely a cell that turns goes along fibres.",
            ),
            "contact_guidance",
        )
        .register_input::<GuidanceParameters>(
            InputInfo::new(
                HAPTOTAXIS,
                "",
                "Mean cosine between steps and a strong gradient of the density of fibres.",
            ),
            "haptotactic_index",
        )
        .register_cell_reader(
            Quantity::new(
                "motility.along_fibres",
                "",
                "How far a cell that is guided walks along the fibres where it is: 1 along straight ones, a third where they lie at random.",
            )
            .label("along fibres")
            .source("d T d, of the direction d of walking and the mean T of n n^T over directions n of fibres")
            .of_the_living(),
            along_fibres,
        )
        .register_metric(
            Metric::new(
                "walking_along_fibres",
                "",
                "Mean over living cells that are guided of how far they walk along fibres; a third where these lie at random.",
            )
            .label("along fibres"),
            Measure::Mean("motility.along_fibres".into()),
        );
}

/// Reads what leads cells.
#[derive(SystemParam)]
pub struct Guidance<'w, 's> {
    parameters: Res<'w, PerType<GuidanceParameters>>,
    sites: Res<'w, Sites>,
    scaffolds: Query<'w, 's, &'static Scaffold>,
}

impl Guidance<'_, '_> {
    /// What leads the cells of this step; nothing where no site has fibres.
    pub(super) fn read<'a>(&'a self, inputs: &'a Regulated) -> Option<Guides<'a>> {
        if self.scaffolds.is_empty() {
            return None;
        }
        let [contact, haptotaxis] = [CONTACT_GUIDANCE, HAPTOTAXIS].map(|name| inputs.input(name));
        let places = self.sites.list.iter();
        let places = places.map(|site| Some((self.scaffolds.get(site.entity).ok()?, &site.block)));
        Some(Guides {
            parameters: &self.parameters,
            contact,
            haptotaxis,
            places: places.collect(),
        })
    }
}

/// Fibres of all sites, and how cells follow them.
pub(super) struct Guides<'a> {
    parameters: &'a PerType<GuidanceParameters>,
    contact: CellValues<'a>,
    haptotaxis: CellValues<'a>,
    places: Vec<Option<(&'a Scaffold, &'a TissueBlock)>>,
}

impl<'a> Guides<'a> {
    /// What leads the cells of a table.
    pub(super) fn in_table<'b>(&'b self, entities: &[Entity]) -> GuidesOfTable<'b> {
        GuidesOfTable {
            guides: self,
            contact: self.contact.in_table(entities),
            haptotaxis: self.haptotaxis.in_table(entities),
        }
    }
}

/// The same for the cells of a table.
pub(super) struct GuidesOfTable<'a> {
    guides: &'a Guides<'a>,
    contact: InputColumn<'a>,
    haptotaxis: InputColumn<'a>,
}

impl GuidesOfTable<'_> {
    /// What leads a cell where it is.
    pub(super) fn at(&self, row: usize, cell_type: u16, (site, at_um): (SiteId, Vec3)) -> Guide {
        let (Some(parameters), Some(Some((scaffold, block)))) = (
            self.guides.parameters.get(cell_type),
            self.guides.places.get(usize::from(site.0)),
        ) else {
            return Guide::default();
        };
        let voxel = block.voxel_at(at_um) as usize;
        let index = self.haptotaxis.at(row, cell_type);
        let pull = if index == 0.0 {
            Vec3::ZERO
        } else {
            let gradient = relative_gradient(block, &scaffold.density, at_um);
            pull(gradient, index, parameters.half_gradient_per_um)
        };
        Guide {
            pull,
            chance: self.contact.at(row, cell_type) * scaffold.touch(voxel),
            fibres: scaffold.fibres[voxel],
        }
    }
}

/// What leads a cell where it is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Guide {
    /// Towards denser fibres.
    pub pull: Vec3,
    /// How likely it goes along fibres.
    chance: f32,
    fibres: Fibres,
}

impl Guide {
    /// The direction a cell takes that has drawn one.
    pub(super) fn lead(&self, random: &mut Random, drawn: Vec3) -> Vec3 {
        if self.chance > 0.0 && random.chance(self.chance) {
            (self.fibres.matrix() * drawn).normalize_or(drawn)
        } else {
            drawn
        }
    }
}
