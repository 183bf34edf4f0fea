//! What walking cells follow: how gradients of molecules pull at them (capability `follows`).
//!
//! The law is stated on the page of [`super`]; [`super::turn`] applies it.

use bevy::math::ops;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::Random;
use crate::core::input::{InputInfo, RegisterInputs};
use crate::core::parameters::{Limits, NamedParameters, Parameters, PerType};
use crate::tissue::{MoleculeName, Molecules};

/// How a walking cell follows one molecule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Following {
    /// Name of the molecule.
    pub molecule: MoleculeName,
    /// Mean cosine between steps and a strong gradient, -1 to 1 (negative: away); 0.1-0.3 for most cells [S].
    pub chemotactic_index: f32,
    /// Relative gradient at which the index is half its full value, 1/um. A difference of 1-2 % over the 17 um
    /// of a cell is about what cells can read; assumed.
    #[serde(default = "readable_gradient_per_um")]
    pub half_gradient_per_um: f32,
}

const fn readable_gradient_per_um() -> f32 {
    1.0e-3
}

impl Parameters for Following {
    fn limits(field: &str) -> Limits {
        match field {
            "chemotactic_index" => Limits {
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

/// What walking cells of a type follow (capability `follows`), each molecule once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FollowsParameters(pub Vec<Following>);

impl NamedParameters for FollowsParameters {
    type Item = Following;

    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|of| of.molecule.as_str()).collect()
    }

    fn item(&self, index: usize) -> Option<&Following> {
        self.0.get(index)
    }

    fn item_mut(&mut self, index: usize) -> Option<&mut Following> {
        self.0.get_mut(index)
    }

    fn from_items(items: Vec<Following>) -> Self {
        Self(items)
    }
}

/// What a relative gradient, 1/um, pulls a cell to, given the chemotactic index and the gradient at which half of it is
/// left.
pub(super) fn pull(gradient: Vec3, index: f32, half_gradient_per_um: f32) -> Vec3 {
    let strength = gradient.length();
    if strength > 0.0 {
        gradient * (index / (strength + half_gradient_per_um))
    } else {
        Vec3::ZERO
    }
}

/// A new direction whose mean cosine with `axis` is `index`.
pub fn biased_direction(random: &mut Random, axis: Vec3, index: f32) -> Vec3 {
    let Some(axis) = axis.try_normalize() else {
        return random.direction();
    };
    let index = index.clamp(-1.0, 1.0);
    let cosine = if index <= -1.0 {
        -1.0
    } else {
        2.0 * ops::powf(random.uniform(), (1.0 - index) / (1.0 + index)) - 1.0
    };
    let ring = (1.0 - cosine * cosine).max(0.0).sqrt();
    let (sin, cos) = ops::sin_cos(std::f32::consts::TAU * random.uniform());
    let (right, up) = axis.any_orthonormal_pair();
    (axis * cosine + (right * cos + up * sin) * ring).normalize()
}

/// Name of the input that is the chemotactic index for a molecule.
pub(super) fn bias_of(molecule: &str) -> String {
    format!("motility.bias.{molecule}")
}

/// Registers how strongly each molecule is followed as an input, `motility.bias.NAME`.
pub fn register_biases(world: &mut World, molecules: &Molecules) {
    for molecule in molecules.list() {
        let name = molecule.name.clone();
        let about = format!(
            "Chemotactic index for {}: mean cosine between steps and a strong gradient of it alone.",
            molecule.label
        );
        let info = InputInfo::new(bias_of(&name), "", about)
            .limits(Following::limits("chemotactic_index"));
        world.register_input_with(info, move |world, cell_type| {
            let table = world.get_resource::<PerType<FollowsParameters>>()?;
            let mut list = table.get(cell_type)?.0.iter();
            let of = list.find(|of| of.molecule.as_str() == name)?;
            Some(of.chemotactic_index)
        });
    }
}
