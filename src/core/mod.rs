//! Floor 0: what every other floor stands on.
//!
//! Nothing here knows biology. [`clock`] holds tissue time and the order of a step, [`random`] the
//! counter-based random numbers, [`identity`] the names of cells, [`units`] the few conversions between
//! the units of the field, [`ball`] how much of a ball lies in a box, [`parallel`] the helpers that split work into pieces whose number does not
//! depend on the number of threads, [`state`] and [`invariant`] the lists of what is state and of what must
//! always be true, [`quantity`] and [`metric`] the lists of what can be known and is measured, [`columns`] how
//! components of any type are read, [`input`] and [`rule`] what can be changed and by what, [`regulate`] the stage in
//! which it is, [`rule_check`] what is refused, [`site_number`] numbers of sites that are both known and measured, [`saturation`] the Hill function, [`capability`] what cells of a type can do, [`clones`] what they inherit
//! with changes, [`dialect`] how files are written, [`documentation`] what doc comments say, [`extension`] what others
//! add to the program, [`exact_sum`] sums that do not depend on the order of their terms, [`layout`] how state lies in
//! a file, [`stages`] how long the parts of a step take, [`spoken`] names as people write them, [`colour_map`] the names of the colour maps, [`carried`] what
//! newcomers bring, [`diagram`] what panels show beside the picture, [`in_transit`] what goes on in cells between two sites, [`layer`] what a picture shows besides cells,
//! [`voxels`] what can be known of places, [`site_part`] what tissue is made of besides cells, [`body_part`] what the body around it is made of, [`run_file`] what modules write into run folders, [`inbox`] what many threads hand in,
//! [`advice`] what is said of a scene before it runs, [`files`] how files are read and written that somebody else may have
//! prepared, [`printable`] what no text for a person may hold.

pub mod advice;
pub mod ball;
pub mod body_part;
pub mod capability;
pub mod carried;
pub mod clock;
pub mod clones;
pub mod colour_map;
pub mod columns;
pub mod diagram;
pub mod dialect;
pub mod documentation;
pub mod exact_sum;
pub mod extension;
pub mod files;
pub mod identity;
pub mod in_transit;
pub mod inbox;
pub mod input;
pub mod invariant;
pub mod layer;
pub mod layout;
pub mod limits;
pub mod metric;
pub mod numbers;
pub mod parallel;
pub mod parameters;
pub mod printable;
pub mod quantity;
pub mod random;
pub mod regulate;
pub mod rule;
pub mod rule_check;
pub mod run_file;
pub mod saturation;
pub mod site_number;
pub mod site_part;
pub mod spoken;
pub mod stages;
pub mod state;
mod team;
pub mod units;
mod unknown_names;
pub mod voxels;

pub use clock::{Clock, SimSchedule, SimSystems};
pub use colour_map::ColourMap;
pub use identity::{CellId, CellIdCounter, MemberId, MemberIdCounter};
pub use random::{Purpose, Random, RandomKey, RegisterPurpose};
