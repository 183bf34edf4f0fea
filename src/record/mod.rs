//! Floor 5: films.
