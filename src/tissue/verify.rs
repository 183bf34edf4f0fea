//! Checks of every field after a step: what `run --verify` looks at on the tissue floor.
//!
//! A field must be finite and nowhere negative, its last solve must have reached its tolerance, and that
//! solve must account for every molecule: what sources, exchange and faces brought in is what was taken out
//! plus, where the field is stepped in time, what the tissue gained.

use bevy::prelude::*;

use super::exchange::Ledger;
use super::site::{FieldValues, SiteId, Sites};
use super::transport::FieldWork;
use super::{Molecule, Molecules, TissueBlock};
use crate::core::parallel::map_chunks;

/// Largest relative mass-balance error of a solve.
pub const MASS_TOLERANCE: f64 = 1e-6;

/// Voxels looked at by one piece of a parallel loop.
const CHUNK: usize = 65_536;

/// A field breaks an invariant.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FieldFault {
    /// A value is not a number, infinite or negative.
    #[error(
        "{molecule} in site `{site}` is {value} {unit} at voxel {voxel}; a concentration is finite and not negative"
    )]
    Value {
        /// The molecule, as shown to a person.
        molecule: String,
        /// Its unit.
        unit: String,
        /// Name of the site.
        site: String,
        /// The first such voxel.
        voxel: UVec3,
        /// What was found.
        value: f32,
    },
    /// More was booked than a ledger holds.
    #[error(
        "{molecule} in site `{site}`: what cells give off or take up in a voxel is more than the 8.6e9 {unit}/min that can \
         be added up, or no number"
    )]
    Overflow {
        /// The molecule, as shown to a person.
        molecule: String,
        /// Its unit.
        unit: String,
        /// Name of the site.
        site: String,
    },
    /// The last solve did not reach its tolerance.
    #[error(
        "{molecule} in site `{site}` was left with a relative residual of {residual:.1e} after {cycles} cycles, above \
         its tolerance"
    )]
    Residual {
        /// The molecule, as shown to a person.
        molecule: String,
        /// Name of the site.
        site: String,
        /// Relative residual of the last solve.
        residual: f32,
        /// Cycles spent.
        cycles: u32,
    },
    /// The last solve lost or made molecules.
    #[error(
        "{molecule} in site `{site}`: {error:.1e} of what moved in its last solve is unaccounted for (at most \
         {MASS_TOLERANCE:.0e})"
    )]
    Mass {
        /// The molecule, as shown to a person.
        molecule: String,
        /// Name of the site.
        site: String,
        /// Relative mass-balance error of the last solve.
        error: f64,
    },
}

/// Checks every field of a world; the first fault in the order of sites, molecules and voxels comes back.
///
/// # Errors
/// If a field breaks an invariant.
pub fn verify_fields(world: &World) -> Result<(), FieldFault> {
    let (Some(sites), Some(molecules)) = (
        world.get_resource::<Sites>(),
        world.get_resource::<Molecules>(),
    ) else {
        return Ok(());
    };
    for site in 0..sites.list.len() {
        let entry = sites.get(SiteId(site as u16));
        for field in &entry.fields {
            let (molecule, block) = (molecules.get(field.molecule), &field.grid.block);
            if let Some(values) = world.get::<FieldValues>(field.entity) {
                verify_values(molecule, block, &values.0)?;
            }
            if let Some(work) = world.get::<FieldWork>(field.entity) {
                verify_solve(molecule, block, work)?;
            }
        }
    }
    Ok(())
}

/// Checks that every ledger of a world holds what was booked; the first fault in the order of sites and molecules comes
/// back.
///
/// # Errors
/// If one does not.
pub fn verify_ledgers(world: &World) -> Result<(), FieldFault> {
    let (Some(sites), Some(molecules)) = (
        world.get_resource::<Sites>(),
        world.get_resource::<Molecules>(),
    ) else {
        return Ok(());
    };
    for entry in &sites.list {
        for field in &entry.fields {
            let ledger = world.get::<Ledger>(field.entity);
            if ledger.is_some_and(Ledger::has_overflowed) {
                let molecule = molecules.get(field.molecule);
                return Err(FieldFault::Overflow {
                    molecule: molecule.label.clone(),
                    unit: molecule.unit.clone(),
                    site: entry.block.name.clone(),
                });
            }
        }
    }
    Ok(())
}

/// Checks that all values of a field are finite and not negative.
fn verify_values(
    molecule: &Molecule,
    block: &TissueBlock,
    values: &[f32],
) -> Result<(), FieldFault> {
    let is_fault = |value: &f32| !(*value >= 0.0 && value.is_finite());
    let first = map_chunks(values.len(), CHUNK, |_, range| {
        let start = range.start;
        let found = values[range].iter().position(is_fault);
        found.map(|n| start + n)
    })
    .into_iter()
    .flatten()
    .next();
    let Some(index) = first else {
        return Ok(());
    };
    let voxel = index as u32;
    Err(FieldFault::Value {
        molecule: molecule.label.clone(),
        unit: molecule.unit.clone(),
        site: block.name.clone(),
        voxel: block.voxel(voxel),
        value: values[index],
    })
}

/// Checks what the last solve of a field reported.
fn verify_solve(
    molecule: &Molecule,
    block: &TissueBlock,
    work: &FieldWork,
) -> Result<(), FieldFault> {
    if work.tally().solves == 0 {
        return Ok(());
    }
    let report = &work.report;
    if !report.converged || !report.residual.is_finite() {
        return Err(FieldFault::Residual {
            molecule: molecule.label.clone(),
            site: block.name.clone(),
            residual: report.residual,
            cycles: report.cycles,
        });
    }
    let error = report.mass_balance_error;
    if error.abs() <= MASS_TOLERANCE {
        return Ok(());
    }
    Err(FieldFault::Mass {
        molecule: molecule.label.clone(),
        site: block.name.clone(),
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::super::molecule::testing::molecule;
    use super::super::site::{FieldGrid, SiteEntry, SiteField};
    use super::super::solver::SolveReport;
    use super::super::transport::{FieldWorkState, SolveTally};
    use super::*;

    /// A world with one field of 3 x 2 x 2 voxels whose last solve reported `report`.
    fn world_with(values: Vec<f32>, report: SolveReport) -> World {
        let block = TissueBlock {
            name: "flank".into(),
            min_um: Vec3::ZERO,
            dims: UVec3::new(3, 2, 2),
            voxel_um: Vec3::splat(20.0),
            walls: false,
            perfusion_length_um: None,
        };
        let mut world = World::new();
        let mut work = FieldWork::new(&block);
        work.restore(FieldWorkState {
            report,
            tally: SolveTally {
                solves: 1,
                ..default()
            },
            ..default()
        });
        let field = world.spawn((FieldValues(values), work)).id();
        let entity = world.spawn_empty().id();
        let molecules = Molecules::new([molecule("glucose", 1e6, 0.0)]);
        let field = SiteField {
            molecule: molecules.id("glucose").unwrap(),
            entity: field,
            grid: FieldGrid::new(&block, 1),
        };
        world.insert_resource(molecules);
        world.insert_resource(Sites {
            list: vec![SiteEntry {
                entity,
                fields: vec![field],
                block,
            }],
        });
        world
    }

    fn good() -> SolveReport {
        SolveReport {
            converged: true,
            residual: 1e-5,
            mass_balance_error: -4e-7,
            ..default()
        }
    }

    #[test]
    fn a_sound_field_passes() {
        assert_eq!(verify_fields(&world_with(vec![0.5; 12], good())), Ok(()));
        assert_eq!(verify_fields(&World::new()), Ok(()));
    }

    #[test]
    fn a_bad_value_is_named_with_its_voxel() {
        for bad in [-1e-20, f32::NAN, f32::INFINITY] {
            let mut values = vec![0.5; 12];
            values[10] = bad;
            let fault = verify_fields(&world_with(values, good())).unwrap_err();
            let FieldFault::Value { voxel, .. } = &fault else {
                panic!("{fault}");
            };
            assert_eq!(*voxel, UVec3::new(1, 1, 1));
            let text = fault.to_string();
            assert!(text.contains("glucose in site `flank`"), "{text}");
        }
    }

    #[test]
    fn bookings_that_do_not_fit_are_a_fault() {
        let mut world = world_with(vec![0.5; 12], good());
        let field = world.resource::<Sites>().list[0].fields[0].entity;
        let ledger = Ledger::new(12);
        ledger.secrete(7, 5e9);
        world.entity_mut(field).insert(ledger);
        assert_eq!(verify_ledgers(&world), Ok(()));
        let ledger = world.get::<Ledger>(field).expect("inserted above");
        ledger.secrete(7, 5e9);
        let fault = verify_ledgers(&world).expect_err("1e10 is more than fits");
        assert!(
            fault.to_string().starts_with("glucose in site `flank`"),
            "{fault}"
        );
    }

    #[test]
    fn an_unfinished_solve_and_a_leak_are_faults() {
        let unfinished = SolveReport {
            converged: false,
            ..good()
        };
        let leak = SolveReport {
            mass_balance_error: 2e-6,
            ..good()
        };
        let of = |report| verify_fields(&world_with(vec![0.5; 12], report)).unwrap_err();
        assert!(matches!(of(unfinished), FieldFault::Residual { .. }));
        assert!(matches!(of(leak), FieldFault::Mass { .. }));
        let not_a_number = SolveReport {
            mass_balance_error: f64::NAN,
            ..good()
        };
        assert!(matches!(of(not_a_number), FieldFault::Mass { .. }));
    }
}
