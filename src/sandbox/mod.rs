//! Floor 5: the explorable window.
