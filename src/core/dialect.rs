//! The RON dialect of all files that people write.
//!
//! `site: "breast"` rather than `Some("breast")`; `Camera(distance_um: 5)` rather than `Camera((...))`. Unknown
//! fields are errors everywhere. A mistake comes with the path of serde to the value it is in, so that whoever
//! reports it can show the place.

use ron::error::SpannedError;
use ron::extensions::Extensions;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

/// The path to a mistake, and what ron says of it.
pub type Mistake = (Vec<Segment>, SpannedError);

/// The options of ron for all files.
pub fn dialect() -> ron::Options {
    ron::Options::default()
        .with_default_extension(Extensions::IMPLICIT_SOME)
        .with_default_extension(Extensions::UNWRAP_VARIANT_NEWTYPES)
}

/// Reads a value; stops at the first mistake.
///
/// # Errors
/// The first mistake.
pub fn read_ron<T: DeserializeOwned>(text: &str) -> Result<T, Box<Mistake>> {
    let mut source = ron::Deserializer::from_str_with_options(text, &dialect())
        .map_err(|error| Box::new((Vec::new(), error)))?;
    let value = serde_path_to_error::deserialize(&mut source).map_err(|error| {
        // What has no name in the path (a key that is no text) tells nothing about the place.
        let named = |segment: &&Segment| !matches!(segment, Segment::Unknown);
        let path = error.path().iter().filter(named).cloned().collect();
        Box::new((path, source.span_error(error.into_inner())))
    })?;
    source
        .end()
        .map_err(|error| Box::new((Vec::new(), source.span_error(error))))?;
    Ok(value)
}

/// Writes a value on one line.
///
/// # Errors
/// When ron cannot write it.
pub fn write_ron(value: &impl Serialize) -> Result<String, ron::Error> {
    let config = ron::ser::PrettyConfig::new()
        .depth_limit(0)
        .separate_tuple_members(false);
    dialect().to_string_pretty(value, config)
}
