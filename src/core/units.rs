//! Conversions between the units of the field.
//!
//! The program computes in micrometres, minutes, nanomolar (millimolar for nutrients) and mmHg.

/// Seconds in a minute.
pub const SECONDS_PER_MINUTE: f64 = 60.0;
/// Minutes in an hour.
pub const MINUTES_PER_HOUR: f64 = 60.0;
/// Minutes in a day.
pub const MINUTES_PER_DAY: f64 = 1440.0;
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

/// Units that end the names of parameters and columns, longest first, and how they are written.
const UNITS: [(&str, &str); 34] = [
    ("_um2_per_mmhg_min", "um2/(mmHg min)"),
    ("_um_per_mmhg_min", "um/(mmHg min)"),
    ("_per_mmhg_min", "1/(mmHg min)"),
    ("_molecules_per_s", "molecules/s"),
    ("_pg_per_um3", "pg/um3"),
    ("_per_min_nm", "1/(min nM)"),
    ("_pg_per_day", "pg/d"),
    ("_um2_per_second", "um2/s"),
    ("_um2_per_min", "um2/min"),
    ("_um3_per_min", "um3/min"),
    ("_um_per_mmhg", "uM/mmHg"),
    ("_um_per_minute", "um/min"),
    ("_um_per_hour", "um/h"),
    ("_um_per_min", "um/min"),
    ("_mm_per_ph", "mM per pH"),
    ("_amol_per_s", "amol/s"),
    ("_mmhg_per_s", "mmHg/s"),
    ("_per_minute", "1/min"),
    ("_per_hour", "1/h"),
    ("_per_min", "1/min"),
    ("_per_mm3", "1/mm3"),
    ("_per_um", "1/um"),
    ("_minutes", "min"),
    ("_per_ph", "1/pH"),
    ("_hours", "h"),
    ("_days", "d"),
    ("_per_day", "1/d"),
    ("_mmhg", "mmHg"),
    ("_um3", "um3"),
    ("_min", "min"),
    ("_deg", "degrees"),
    ("_um", "um"),
    ("_mm", "mM"),
    ("_nm", "nM"),
];

/// The name of a parameter without the unit that ends it, and that unit; empty for a pure number.
///
/// A pH is a pure number, so what ends `_ph_min` is the least pH, not a minute; and `_nm` is nM, but of a radius.
pub fn name_and_unit(name: &str) -> (&str, &'static str) {
    let is_ph = name.ends_with("_ph_min");
    // A radius is a length, and a level is none.
    if name.ends_with("radius_nm") {
        return (&name[..name.len() - "_nm".len()], "nm");
    }
    UNITS
        .iter()
        .filter(|_| !is_ph)
        .find_map(|(ending, unit)| Some((name.strip_suffix(ending)?, *unit)))
        .unwrap_or((name, ""))
}

/// A unit as it is written in a picture: `um2/min` becomes `µm²/min`.
pub fn in_picture(unit: &str) -> String {
    if unit == "degrees" {
        return "°".into();
    }
    unit.replace("uM", "µM")
        .replace("um", "µm")
        .replace("m2", "m²")
        .replace("m3", "m³")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_from_the_ends_of_names() {
        for (name, stem, unit) in [
            ("degradation_per_hour", "degradation", "1/h"),
            ("s_hours", "s", "h"),
            ("diffusivity_um2_per_min", "diffusivity", "um2/min"),
            ("persistence_min", "persistence", "min"),
            ("growth_ph_min", "growth_ph_min", ""),
            ("growth_min_mmhg", "growth_min", "mmHg"),
            ("adhesion", "adhesion", ""),
            ("fibril_radius_nm", "fibril_radius", "nm"),
            ("tgf_beta_nm", "tgf_beta", "nM"),
            ("digestion_per_min_nm", "digestion", "1/(min nM)"),
            ("lymph_per_mmhg_min", "lymph", "1/(mmHg min)"),
            (
                "wall_conductivity_um_per_mmhg_min",
                "wall_conductivity",
                "um/(mmHg min)",
            ),
        ] {
            assert_eq!(name_and_unit(name), (stem, unit));
        }

        for (place, (ending, _)) in UNITS.iter().enumerate() {
            let hidden = UNITS[..place]
                .iter()
                .any(|(earlier, _)| ending.ends_with(earlier));
            assert!(!hidden, "{ending} is never found");
        }
    }

    #[test]
    fn units_have_their_signs_in_a_picture() {
        assert_eq!(in_picture("um2/min"), "µm²/min");
        assert_eq!(in_picture("uM/mmHg"), "µM/mmHg");
        assert_eq!(in_picture("1/mm3"), "1/mm³");
    }
}
