//! Checks of what supplies a site besides its faces: sources, sinks, culture medium.

use bevy::prelude::Vec3;

use super::super::schema::{Site, Source};
use super::super::spans::FieldPath;
use super::{Bounds, Checker};
use crate::tissue::culture::CultureMedium;
use crate::tissue::placed::Region;

/// Most that a source gives or a sink takes, in either unit: beyond, 32 bits do not hold what a voxel is given.
const MAX_RATE: f64 = 1e15;

/// Checks the sources and sinks of a molecule.
pub(super) fn check_sources(
    checker: &mut Checker,
    list: &FieldPath,
    site: &Site,
    sources: &[Source],
    bounds: &Bounds,
) {
    let half = 0.5 * Vec3::from(site.size_um);
    for (index, source) in sources.iter().enumerate() {
        let path = list.item(index);
        let place = path.field("place");
        let is_sound = match source.place {
            Region::Point { at_um } => checker.finite_point(&place.field("at_um"), at_um),
            Region::Ball {
                center_um,
                radius_um,
            } => {
                checker.finite_point(&place.field("center_um"), center_um)
                    & checker.positive(&place.field("radius_um"), radius_um)
            }
            Region::Box { min_um, max_um } => {
                checker.finite_point(&place.field("min_um"), min_um)
                    & checker.finite_point(&place.field("max_um"), max_um)
            }
        };
        let (min, max) = source.place.bounds_um();
        if is_sound && min.cmpgt(max).any() {
            checker.problem(&place, "`min_um` must not be above `max_um`");
        } else if is_sound && (min.cmpgt(half).any() || max.cmplt(-half).any()) {
            let message = format!("is not inside the site `{}`", site.name);
            checker.problem(&place, message);
        }
        let rate = source.rate.number();
        if !rate.is_finite() || rate.abs() > MAX_RATE {
            let message = format!("must be from -{MAX_RATE:e} to {MAX_RATE:e}, found {rate}");
            checker.problem(&path.field("rate"), message);
        }
        for (name, time) in [("from", source.from), ("until", source.until)] {
            if let Some(time) = time {
                checker.time(&path.field(name), time, bounds);
            }
        }
        if let (Some(from), Some(until)) = (source.from, source.until)
            && until.minutes() <= from.minutes()
        {
            checker.problem(&path.field("until"), "must be later than `from`");
        }
    }
}

/// Checks the culture medium of a site against the block that it stands over.
pub(super) fn check_medium(checker: &mut Checker, path: &FieldPath, site: &Site) {
    let medium = site
        .tissue
        .get("medium")
        .and_then(|part| part.get::<CultureMedium>());
    let Some(medium) = medium else {
        return;
    };
    let path = path.field("tissue").field("medium");
    if site.perfusion_length_um.is_some() {
        let message = "a site lies in culture medium or is perfused with blood, not both";
        checker.problem(&path, message);
    }
    let height = site.size_um.2;
    if medium.depth_um > 0.0 && medium.depth_um < height {
        let message = format!(
            "must be at least the height of the site ({height} um) or 0, found {}",
            medium.depth_um
        );
        checker.problem(&path.field("depth_um"), message);
    }
}
