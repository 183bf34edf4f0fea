//! Floor 4: drawing a snapshot.
