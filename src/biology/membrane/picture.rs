//! Membranes in the picture: a thin translucent sheet that wears thin as it is digested, and opens in ragged holes.

use bevy::prelude::*;

use super::sheet::{MembraneSheet, Membranes};
use super::{MembraneElement, membranes_of};
use crate::core::MemberId;
use crate::core::layer::{self, Layer, NOBODY, RegisterLayer, Tint};
use crate::tissue::SiteId;
use crate::tissue::population::LivesIn;

/// Pale gold, sRGB, and the opacity of a whole membrane.
const GOLD: [f32; 4] = [0.93, 0.80, 0.50, 0.42];

/// Densities between which holes open in the picture: the first are seen when pores let tumour cells pass (0.735), nothing is left
/// where they no longer slow them (0.45).
const HOLES: [f32; 2] = [0.45, 0.78];

/// Registers the layer.
pub(super) fn register(app: &mut App) {
    let layer = Layer::new(
        "membrane.sheets",
        "Basement membranes; where they are digested they wear thin and open in holes.",
    )
    .label("basement membrane")
    .colour(GOLD);
    app.register_layer::<layer::Sheet>(layer, |world, site, glyphs| {
        let site = SiteId(site as u16);
        let Some(membranes) = membranes_of(world, site) else {
            return;
        };
        let names = names_of(world, site, membranes);
        for (sheet, names) in membranes.sheets.iter().zip(&names) {
            for (place, element) in sheet.tiling.elements.iter().enumerate() {
                let density = sheet.density[place];
                if density.is_nan() {
                    continue;
                }
                let corners = element.corners_um;
                let left =
                    corners.map(|corner| shown(density_around(sheet, corner, element.centre_um)));
                if left.iter().all(|left| *left <= 0.0) {
                    continue;
                }
                let [r, g, b, opacity] = GOLD;
                let tint = Tint::Colour([r, g, b, opacity * (0.25 + 0.75 * density)]);
                for half in [[0, 1, 2], [0, 2, 3]] {
                    let triangle = layer::Sheet {
                        corners_um: half.map(|at| corners[at]),
                        integrity: half.map(|at| left[at]),
                    };
                    glyphs.add_known(triangle, tint, names[place]);
                }
            }
        }
    });
}

/// How much of a membrane of a density the picture shows.
fn shown(density: f32) -> f32 {
    let [gone, whole] = HOLES;
    ((density - gone) / (whole - gone)).clamp(0.0, 1.0)
}

/// Mean density of the elements around a corner: the same for all that share it.
fn density_around(sheet: &MembraneSheet, corner: Vec3, centre: Vec3) -> f32 {
    // A quarter of an element off the corner to its four sides.
    let outwards = sheet.surface.see(corner).outwards;
    let (first, second) = outwards.any_orthonormal_pair();
    let off = 0.25 * corner.distance(centre);
    let (mut sum, mut count) = (0.0, 0.0);
    for (a, b) in [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)] {
        let at = corner + (first * a + second * b) * off;
        if let Some((_, density)) = sheet.element_at(at) {
            sum += density;
            count += 1.0;
        }
    }
    if count > 0.0 { sum / count } else { 1.0 }
}

/// The identity of each element of each membrane of a site.
fn names_of(world: &World, site: SiteId, membranes: &Membranes) -> Vec<Vec<u64>> {
    let sheets = membranes.sheets.iter();
    let mut names: Vec<Vec<u64>> = sheets
        .map(|sheet| vec![NOBODY; sheet.density.len()])
        .collect();
    let Some(mut query) = world.try_query::<(&MemberId, &LivesIn, &MembraneElement)>() else {
        return names;
    };
    for (id, lives_in, element) in query.iter(world) {
        if lives_in.0 == site {
            names[usize::from(element.sheet)][element.place as usize] = id.0;
        }
    }
    names
}
