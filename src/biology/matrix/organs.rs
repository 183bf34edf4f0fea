//! What the matrix of an organ is like where a scene says no more: numbers of `assets/matrix/organs.ron`.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::core::dialect::read_ron;
use crate::tissue::Organ;

/// The matrix of an organ, or of another tissue.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganMatrix {
    /// Whose it is: the name of an [`Organ`], or another.
    pub tissue: String,
    /// Density, 0-1.
    pub density: f32,
    /// Share of bonds that are crosslinked, 0-1.
    pub crosslinking: f32,
    /// Latent TGF-beta at density 1, nM.
    pub latent_tgf_beta_nm: f32,
    /// Where these are from.
    pub source: String,
}

impl OrganMatrix {
    /// That of an organ.
    pub fn of(organ: Organ) -> &'static Self {
        of_tissue(&organ.name()).expect("a test asks for every organ in the shipped file")
    }
}

/// The shipped file.
const FILE: &str = include_str!("../../../assets/matrix/organs.ron");

/// All that there are.
pub fn organs() -> &'static [OrganMatrix] {
    static LIST: OnceLock<Vec<OrganMatrix>> = OnceLock::new();
    LIST.get_or_init(|| read_ron(FILE).expect("a test reads the shipped file"))
}

/// That of the tissue of a name.
pub fn of_tissue(name: &str) -> Option<&'static OrganMatrix> {
    organs().iter().find(|of| of.tissue == name)
}

#[cfg(test)]
mod tests {
    use bevy::reflect::{TypeInfo, Typed};

    use super::*;

    #[test]
    fn every_organ_has_a_matrix_with_a_source() {
        let TypeInfo::Enum(all) = Organ::type_info() else {
            panic!("organs are an enum");
        };
        for organ in all.variant_names() {
            assert!(of_tissue(organ).is_some(), "{organ} has no matrix");
        }
        for of in organs() {
            assert!((0.0..=1.0).contains(&of.density), "{}", of.tissue);
            assert!((0.0..=1.0).contains(&of.crosslinking), "{}", of.tissue);
            assert!(
                (0.0..100.0).contains(&of.latent_tgf_beta_nm),
                "{}",
                of.tissue
            );
            assert!(!of.source.is_empty(), "{}", of.tissue);
            let alike = organs().iter().filter(|other| other.tissue == of.tissue);
            assert_eq!(alike.count(), 1, "{}", of.tissue);
        }
        assert_eq!(OrganMatrix::of(Organ::Brain).density, 0.03);
    }
}
