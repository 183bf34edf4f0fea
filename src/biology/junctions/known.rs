//! What can be known of junctions: how cells hold on, and which groups are bonded.

use bevy::prelude::*;

use super::{ADHERENS, Hold, Junctions};
use crate::cell::Resident;
use crate::cell::bonds::BondKinds;
use crate::cell::mechanics::BondKindId;
use crate::cell::movement::SiteMechanics;
use crate::core::CellId;
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::quantity::{Category, CategoryValue, NONE, Quantity, RegisterQuantities};
use crate::tissue::Sites;

/// Title of the plot of cells that let go.
const PLOT: &str = "Cells that let go";

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    app.register_quantity::<Junctions>(
        Quantity::new(
            "junctions.grip",
            "",
            "E-cadherin that the cell has for junctions, over that of an epithelial cell.",
        )
        .label("grip")
        .range(0.0, 1.0)
        .of_the_living(),
        |junctions| junctions.grip,
    )
    .register_cell_reader(
        Quantity::new(
            "junctions.bonds",
            "",
            "Junctions by which the cell, having loosened, is bonded to others.",
        )
        .label("junctions")
        .range(0.0, 6.0),
        |world| {
            let kind = kind(world);
            let sites = world.get_resource::<Sites>();
            let sites = sites.into_iter().flat_map(|sites| &sites.list);
            let bonds: Vec<Option<&SiteMechanics>> =
                sites.map(|site| world.get(site.entity)).collect();
            Box::new(move |table, rows, values| {
                let (Some(ids), Some(residents), Some(_)) = (
                    table.get::<CellId>(),
                    table.get::<Resident>(),
                    table.get::<Junctions>(),
                ) else {
                    values.fill(NONE);
                    return;
                };
                for (value, row) in values.iter_mut().zip(rows) {
                    let site = bonds.get(usize::from(residents[row].0.0));
                    *value = match site.copied().flatten() {
                        Some(site) => {
                            let own = site.bonds.of(ids[row]);
                            own.filter(|bond| Some(bond.kind) == kind).count() as f32
                        }
                        None => 0.0,
                    };
                }
            })
        },
    )
    .register_category::<Junctions>(
        Category {
            name: "hold".into(),
            label: "Hold".into(),
            about: "Whether the cell holds on to other cells.".into(),
            values: vec![
                CategoryValue::new("single", "never touched another").colour([0.62, 0.62, 0.62]),
                CategoryValue::new("touching", "in contact").colour([0.80, 0.47, 0.65]),
                CategoryValue::new("bonded", "bonded").colour([0.90, 0.62, 0.0]),
                CategoryValue::new("detached", "detached").colour([0.94, 0.89, 0.26]),
            ],
            prevails: false,
            of_the_living: true,
        },
        |junctions| junctions.hold as u8,
    )
    .register_metric(
        Metric::new(
            "detached_cells",
            "",
            "Living cells that have lost hold of all others.",
        )
        .label("detached")
        .plot(PLOT)
        .colour([0.94, 0.89, 0.26]),
        Measure::Count {
            category: "hold".into(),
            values: vec![Hold::Detached as u8],
            of_the_living: true,
        },
    )
    .register_metrics(
        vec![
            Metric::new(
                "bonded_cells",
                "",
                "Cells that have loosened and are bonded to others.",
            )
            .label("bonded")
            .plot(PLOT)
            .colour([0.90, 0.62, 0.0]),
            Metric::new("bonded_groups", "", "Groups of cells that bonds join."),
            Metric::new(
                "bonded_group_mean",
                "",
                "Cells in a group that bonds join, on average; 0 without any.",
            ),
        ],
        |world, site| {
            let groups = groups(world, site);
            let cells: usize = groups.iter().sum();
            let mean = if groups.is_empty() {
                0.0
            } else {
                cells as f64 / groups.len() as f64
            };
            vec![cells as f64, groups.len() as f64, mean]
        },
    );
}

/// The number of the kind of bond, where it is registered.
pub(super) fn kind(world: &World) -> Option<BondKindId> {
    let kinds = world.get_resource::<BondKinds>()?;
    let place = kinds.iter().position(|kind| kind.name == ADHERENS.name)?;
    Some(BondKindId(place as u16))
}

/// How many cells each group has that junctions join, in the order of its least identity.
pub fn groups(world: &World, site: usize) -> Vec<usize> {
    let mechanics = world
        .get_resource::<Sites>()
        .and_then(|sites| sites.list.get(site))
        .and_then(|site| world.get::<SiteMechanics>(site.entity));
    let (Some(mechanics), Some(kind)) = (mechanics, kind(world)) else {
        return Vec::new();
    };
    let bonds = mechanics.bonds.iter().filter(|bond| bond.kind == kind);
    let pairs: Vec<[CellId; 2]> = bonds.map(|bond| [bond.a, bond.b]).collect();
    let mut cells: Vec<CellId> = pairs.iter().flatten().copied().collect();
    cells.sort_unstable();
    cells.dedup();
    let mut root: Vec<usize> = (0..cells.len()).collect();
    fn find(root: &mut [usize], mut at: usize) -> usize {
        while root[at] != at {
            root[at] = root[root[at]];
            at = root[at];
        }
        at
    }
    for pair in &pairs {
        let [a, b] = pair.map(|cell| cells.partition_point(|known| *known < cell));
        let (a, b) = (find(&mut root, a), find(&mut root, b));
        root[a.max(b)] = a.min(b);
    }
    let mut sizes = vec![0; cells.len()];
    for at in 0..cells.len() {
        let of = find(&mut root, at);
        sizes[of] += 1;
    }
    sizes.retain(|size| *size > 0);
    sizes
}
