//! Floor 5: films.

pub mod studio;
