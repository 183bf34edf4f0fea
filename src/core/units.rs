//! Conversions between the units of the field.
//!
//! The program computes in micrometres, minutes, nanomolar (millimolar for nutrients) and mmHg.

/// Seconds in a minute.
pub const SECONDS_PER_MINUTE: f64 = 60.0;
/// Minutes in an hour.
pub const MINUTES_PER_HOUR: f64 = 60.0;
/// Cubic micrometres in a cubic millimetre.
pub const UM3_PER_MM3: f64 = 1.0e9;
/// Molecules in a cubic micrometre at 1 nM: 1e-9 mol/L x 1e-15 L/um3 x 6.022e23 /mol.
pub const MOLECULES_PER_UM3_PER_NM: f64 = 0.602_214_076;
/// Nanomolar in one millimolar.
pub const NM_PER_MM: f64 = 1.0e6;
/// Attomoles in a cubic micrometre at 1 mM: 1e-3 mol/L x 1e-15 L/um3 = 1e-18 mol.
pub const AMOL_PER_UM3_PER_MM: f64 = 1.0;

/// Volume of a ball, um3.
pub fn ball_volume_um3(radius_um: f32) -> f32 {
    4.0 / 3.0 * std::f32::consts::PI * radius_um * radius_um * radius_um
}

/// Radius of a ball of the given volume, um.
pub fn ball_radius_um(volume_um3: f32) -> f32 {
    bevy::math::ops::cbrt(volume_um3 * (3.0 / (4.0 * std::f32::consts::PI)))
}
