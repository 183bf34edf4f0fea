//! Names of the colour maps, by which data say how they want to be shown. The colours are the view's.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

/// A colour map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Reflect)]
pub enum ColourMap {
    /// Dark violet over green to yellow.
    #[default]
    Viridis,
    /// Magma without its darkest and its lightest part: dark violet over crimson to apricot. Visible on a dark
    /// ground, never dazzling, and red where blood would be.
    Ember,
    /// Dark blue over grey to yellow.
    Cividis,
}
