//! Floor 1: cells. Identity, body, cycle, death, motility, neighbours, mechanics.

pub mod body;
pub mod contact;
pub mod cycle;
pub mod death;
pub mod mechanics;
pub mod surroundings;

pub use body::{Body, CellType, Position, Resident};
pub use cycle::Phase;
pub use death::State;
pub use surroundings::Surroundings;
