//! The soil of organs of which a scene has no site: numbers of `assets/body/soil.ron`.
//!
//! What has lodged in such an organ finds there the molecules that its residents send ([`Compartments`](crate::cell::compartment::Compartments)), so that the
//! rules which make one organ more fertile than another hold whether or not it is drawn.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::core::dialect::read_ron;
use crate::tissue::Organ;

/// What the residents of an organ send.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Soil {
    /// Whose they are.
    pub organ: Organ,
    /// Levels of molecules by name, each in its unit.
    pub levels: BTreeMap<String, f32>,
    /// Where these are from.
    pub source: String,
}

/// Levels of molecules in an organ, by name; none where nothing is known of its residents.
pub fn resident_levels(organ: Option<Organ>) -> &'static BTreeMap<String, f32> {
    static NOTHING: BTreeMap<String, f32> = BTreeMap::new();
    let found = soils().iter().find(|of| Some(of.organ) == organ);
    found.map_or(&NOTHING, |of| &of.levels)
}

/// All that is known.
fn soils() -> &'static [Soil] {
    static LIST: OnceLock<Vec<Soil>> = OnceLock::new();
    LIST.get_or_init(|| {
        let text = include_str!("../../../assets/body/soil.ron");
        read_ron(text).expect("a test reads the shipped file")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_soil_has_a_source_and_levels_that_can_be() {
        for of in soils() {
            assert!(!of.source.is_empty(), "{:?}", of.organ);
            assert!(of.levels.values().all(|level| *level > 0.0), "{of:?}");
            assert_eq!(resident_levels(Some(of.organ)), &of.levels);
        }
        for organ in [Some(Organ::Liver), None] {
            assert!(resident_levels(organ).is_empty(), "{organ:?}");
        }
    }
}
