//! Floor 1: tissue. Sites, the molecules in them, and the solver that moves them.

pub mod molecule;
pub mod solver;

pub use molecule::Molecule;
