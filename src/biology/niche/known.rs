//! What can be known of niches: at each cell, of voxels and of sites.

use bevy::prelude::*;

use super::{Educated, MarrowDerived, Niche, NicheParameters};
use crate::cell::{Position, Resident};
use crate::core::ColourMap;
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::quantity::{NONE, Quantity, Reader, RegisterQuantities};
use crate::core::saturation::hill;
use crate::core::voxels::RegisterVoxels;
use crate::tissue::{SiteEntry, Sites, TissueBlock};

/// Reads a number of the patch in which each cell lies; [`NONE`] where its site has no niche.
fn at_cells<'w>(
    world: &'w World,
    of: impl Fn(&Niche, usize) -> f32 + Send + Sync + 'w,
) -> Reader<'w, f32> {
    let sites = world.get_resource::<Sites>();
    let niches: Vec<Option<&Niche>> = sites
        .iter()
        .flat_map(|sites| &sites.list)
        .map(|site| world.get::<Niche>(site.entity))
        .collect();
    if niches.iter().all(Option::is_none) {
        return Box::new(|_, _, values| values.fill(NONE));
    }
    Box::new(move |table, rows, values| {
        let (Some(residents), Some(positions)) = (table.get::<Resident>(), table.get::<Position>())
        else {
            values.fill(NONE);
            return;
        };
        for (value, row) in values.iter_mut().zip(rows) {
            let niche = niches
                .get(usize::from(residents[row].0.0))
                .copied()
                .flatten();
            *value = niche.map_or(NONE, |niche| of(niche, niche.patch_at(positions[row].0)));
        }
    })
}

/// A number of a patch.
type OfPatch = fn(&Niche, usize) -> f32;

/// What can be known of each patch: name, unit-free; what it is; what it is called; its upper end.
const OF_PATCHES: [(&str, &str, &str, f32, OfPatch); 4] = [
    (
        "niche.education_around",
        "Mean education of the residents around.",
        "education around",
        10.0,
        |niche, patch| niche.education[patch],
    ),
    (
        "niche.fibronectin",
        "Fibronectin of the niche, over the most there may be.",
        "fibronectin",
        1.0,
        |niche, patch| niche.fibronectin[patch],
    ),
    (
        "niche.marrow",
        "Marrow cells around, over those for which a niche has room.",
        "marrow cells",
        1.0,
        |niche, patch| niche.marrow[patch],
    ),
    (
        "niche.ripeness",
        "How ripe the niche is: fibronectin times marrow cells.",
        "ripeness of the niche",
        1.0,
        Niche::ripeness,
    ),
];

/// The mean over the patches of a site.
fn mean(world: &World, site: Entity, of: impl Fn(&Niche, usize) -> f32) -> f32 {
    let Some(niche) = world.get::<Niche>(site) else {
        return f32::NAN;
    };
    let patches = niche.fibronectin.len();
    let sum: f64 = (0..patches).map(|patch| f64::from(of(niche, patch))).sum();
    (sum / patches as f64) as f32
}

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    app.register_quantity::<Educated>(
        Quantity::new(
            "niche.education",
            "",
            "How far vesicles have educated a resident; at 1 it lays half of the fibronectin that it may.",
        )
        .label("education")
        .range(0.0, 10.0)
        .of_the_living()
        .featured(),
        |educated| educated.education,
    )
    .register_quantity_with::<Educated, _>(
        Quantity::new(
            "niche.effect",
            "",
            "Share of what education can make a resident do.",
        )
        .of_the_living()
        .no_column(),
        |world| {
            let of = world.get_resource::<NicheParameters>().cloned();
            let of = of.unwrap_or_default();
            move |educated: &Educated| {
                hill(educated.education, of.half_education, of.education_exponent)
            }
        },
    );
    app.register_quantity::<MarrowDerived>(
        Quantity::new(
            "niche.marrow_generation",
            "",
            "How often a cell from the bone marrow, or one that it descends from, has divided since it came.",
        )
        .label("divisions since it came")
        .range(0.0, 10.0)
        .no_column(),
        |of| of.generation as f32,
    );
    for (name, about, label, most, of) in OF_PATCHES {
        app.register_cell_reader(
            Quantity::new(name, "", about)
                .label(label)
                .range(0.0, most)
                .no_column(),
            move |world| at_cells(world, of),
        );
        let info = Quantity::new(name, "", about)
            .label(label)
            .range(0.0, most)
            .colours(ColourMap::Ember);
        app.register_voxels::<Niche>(info, move |world, niche| {
            let sites = world.resource::<Sites>();
            let own = |site: &&SiteEntry| {
                let found = world.get::<Niche>(site.entity);
                found.is_some_and(|found| std::ptr::eq(found, niche))
            };
            let site = sites.list.iter().find(own);
            let voxels = |block: &TissueBlock| {
                let voxels = 0..block.voxels() as u32;
                voxels
                    .map(|voxel| of(niche, niche.patch_at(block.centre_of(voxel))))
                    .collect()
            };
            site.map_or_else(Vec::new, |site| voxels(&site.block))
        });
    }
    for (quantity, metric, about, label, of) in [
        (
            "niche.mean_education",
            "niche_education",
            "Mean education of the residents of the site, over its patches.",
            None,
            OF_PATCHES[0].4,
        ),
        (
            "niche.mean_fibronectin",
            "niche_fibronectin",
            "Mean fibronectin of the niche of the site.",
            Some("fibronectin"),
            OF_PATCHES[1].4,
        ),
        (
            "niche.mean_marrow",
            "niche_marrow",
            "Marrow cells in the site, over those for which a niche has room.",
            Some("marrow cells"),
            OF_PATCHES[2].4,
        ),
        (
            "niche.mean_ripeness",
            "niche_ripeness",
            "Mean ripeness of the niche of the site.",
            None,
            OF_PATCHES[3].4,
        ),
    ] {
        app.register_site_quantity(Quantity::new(quantity, "", about), move |world, site| {
            mean(world, site, of)
        });
        let info = Metric::new(metric, "", about);
        let info = match label {
            Some(label) => info.label(label).plot("Niche"),
            None => info,
        };
        app.register_metric(info, Measure::OfSite(quantity.into()));
    }
    app.register_site_quantity(
        Quantity::new(
            "niche.mean_effect",
            "",
            "Share of what education can make residents do, over the patches of the site.",
        ),
        |world, site| {
            let of = world.get_resource::<NicheParameters>().cloned();
            let of = of.unwrap_or_default();
            mean(world, site, |niche, patch| {
                let education = niche.education[patch];
                hill(education, of.half_education, of.education_exponent)
            })
        },
    )
    .register_metric(
        Metric::new(
            "niche_educated",
            "",
            "Share of what education can make residents of the site do.",
        )
        .label("educated residents")
        .plot("Niche"),
        Measure::OfSite("niche.mean_effect".into()),
    );
}
