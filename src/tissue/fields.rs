//! How cells read fields and book what they exchange.
//!
//! [`Fields`] reads and [`Bookings`] can only book; systems take one or both as parameters, ask for each molecule by
//! its name once in a run, and then look up voxel by voxel. A cell gives its voxel of the *site*; a molecule on a
//! coarser grid finds its own. Between `Perceive` and `Act` fields hold the values of the end of the last step.
//!
//! What is booked is converted here, and only here, from molecules per second, amol per second or a volume to the
//! change of concentration in the voxel, in the molecule's unit per minute, that a [`Ledger`] adds up. Where a site
//! does not simulate a molecule, cells read its background and bookings are forgotten.

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::exchange::Ledger;
use super::molecule::{Molecule, Molecules};
use super::site::{FieldGrid, FieldValues, SiteField, SiteId, Sites, TissueBlock};
use super::transport::{FieldWork, is_due};
use crate::core::Clock;
use crate::core::units::{
    AMOL_PER_UM3_PER_MM, MOLECULES_PER_UM3_PER_NM, NM_PER_MM, SECONDS_PER_MINUTE,
};

/// Reads the concentrations of molecules.
#[derive(SystemParam)]
pub struct Fields<'w, 's> {
    molecules: Res<'w, Molecules>,
    sites: Res<'w, Sites>,
    values: Query<'w, 's, &'static FieldValues>,
}

impl Fields<'_, '_> {
    /// The fields of the molecule of that name, in all sites.
    ///
    /// # Panics
    /// When there is no such molecule: a module that asks for one says so, see [`super::needs`].
    pub fn of(&self, name: &str) -> FieldReader<'_> {
        let values = |entity| Some(self.values.get(entity).ok()?.0.as_slice());
        FieldReader::new(&self.molecules, &self.sites, name, values)
    }

    /// What is known of the molecule of that name.
    pub fn molecule(&self, name: &str) -> Option<&Molecule> {
        self.molecules.named(name)
    }
}

/// Reads one molecule in all sites.
pub struct FieldReader<'a> {
    background: f32,
    sites: Vec<Option<Readable<'a>>>,
}

/// A field in a site.
struct Readable<'a> {
    values: &'a [f32],
    grid: &'a FieldGrid,
}

impl<'a> FieldReader<'a> {
    /// The fields of a molecule in a world, from outside the systems of a step; `None` where there is no such molecule.
    pub fn in_world(world: &'a World, name: &str) -> Option<Self> {
        let (molecules, sites): (&Molecules, _) = (world.get_resource()?, world.get_resource()?);
        molecules.named(name)?;
        Some(Self::new(molecules, sites, name, |entity| {
            Some(world.get::<FieldValues>(entity)?.0.as_slice())
        }))
    }

    fn new(
        molecules: &Molecules,
        sites: &'a Sites,
        name: &str,
        values: impl Fn(Entity) -> Option<&'a [f32]>,
    ) -> Self {
        let read = |field: &'a SiteField| {
            Some(Readable {
                values: values(field.entity)?,
                grid: &field.grid,
            })
        };
        Self {
            background: known(molecules, name).background,
            sites: each_site(molecules, sites, name, read),
        }
    }

    #[inline]
    fn field(&self, site: SiteId) -> Option<&Readable<'a>> {
        self.sites.get(usize::from(site.0))?.as_ref()
    }

    /// The concentration in a voxel of the site.
    #[inline]
    pub fn at(&self, site: SiteId, voxel: u32) -> f32 {
        self.field(site).map_or(self.background, |field| {
            field.values[field.grid.voxel(voxel) as usize]
        })
    }

    /// The concentration at a point of the site.
    #[inline]
    pub fn at_point(&self, site: SiteId, position_um: Vec3) -> f32 {
        self.field(site).map_or(self.background, |field| {
            field.values[field.grid.block.voxel_at(position_um) as usize]
        })
    }

    /// The relative gradient `grad c / c` at a point of the site, 1/um, see [`relative_gradient`]; zero where the
    /// molecule is not simulated.
    #[inline]
    pub fn relative_gradient(&self, site: SiteId, position_um: Vec3) -> Vec3 {
        self.field(site).map_or(Vec3::ZERO, |field| {
            relative_gradient(&field.grid.block, field.values, position_um)
        })
    }
}

/// The molecule of that name, which a module asks for.
fn known<'a>(molecules: &'a Molecules, name: &str) -> &'a Molecule {
    let Some(molecule) = molecules.named(name) else {
        panic!(
            "the molecule `{name}` is there: who asks for it has called `register_molecule_use`"
        );
    };
    molecule
}

/// What `make` makes of the field of a molecule in each site that has it.
fn each_site<'a, T>(
    molecules: &Molecules,
    sites: &'a Sites,
    name: &str,
    make: impl Fn(&'a SiteField) -> Option<T>,
) -> Vec<Option<T>> {
    let Some(id) = molecules.id(name) else {
        return Vec::new();
    };
    sites
        .list
        .iter()
        .map(|site| make(site.field(id)?))
        .collect()
}

/// The relative gradient `grad c / c` at a point, 1/um: central differences of the voxels around it, one-sided at
/// the faces, zero along an axis of a single voxel.
pub fn relative_gradient(block: &TissueBlock, values: &[f32], position_um: Vec3) -> Vec3 {
    let voxel = block.voxel_at(position_um);
    let (nx, ny) = (block.dims.x, block.dims.y);
    let at = block.voxel(voxel);
    let value = values[voxel as usize];
    if value <= 0.0 {
        return Vec3::ZERO;
    }
    let strides = [1, nx, nx * ny];
    let mut gradient = Vec3::ZERO;
    for axis in 0..3 {
        let below = u32::from(at[axis] > 0);
        let above = u32::from(at[axis] + 1 < block.dims[axis]);
        if below + above > 0 {
            let high = values[(voxel + above * strides[axis]) as usize];
            let low = values[(voxel - below * strides[axis]) as usize];
            gradient[axis] = (high - low) / ((below + above) as f32 * block.voxel_um[axis]);
        }
    }
    gradient / value
}

/// Says over which time fields will be solved at the end of a step, for those who take part in what is absorbed.
#[derive(SystemParam)]
pub struct Solves<'w, 's> {
    clock: Res<'w, Clock>,
    molecules: Res<'w, Molecules>,
    sites: Res<'w, Sites>,
    work: Query<'w, 's, &'static FieldWork>,
}

impl Solves<'_, '_> {
    /// The time, min, that the solve of a molecule at the end of this step covers in a site, and the steps in it; none if it is not due.
    pub fn of(&self, site: SiteId, name: &str) -> Option<(f32, u32)> {
        let molecule = self.molecules.id(name)?;
        if !is_due(&self.clock, self.molecules.get(molecule)) {
            return None;
        }
        let field = self.sites.find(site)?.field(molecule)?;
        let steps = self.work.get(field.entity).ok()?.steps_with_this();
        Some((steps as f32 * self.clock.dt_minutes(), steps))
    }
}

/// Books what cells take up and secrete.
#[derive(SystemParam)]
pub struct Bookings<'w, 's> {
    molecules: Res<'w, Molecules>,
    sites: Res<'w, Sites>,
    ledgers: Query<'w, 's, &'static Ledger>,
}

impl Bookings<'_, '_> {
    /// Where the molecule of that name is booked, in all sites.
    ///
    /// # Panics
    /// When there is no such molecule: a module that asks for one says so, see [`super::needs`].
    pub fn of(&self, name: &str) -> Booking<'_> {
        let nm_per_unit = f64::from(known(&self.molecules, name).nm_per_unit);
        Booking {
            per_molecule: (SECONDS_PER_MINUTE / MOLECULES_PER_UM3_PER_NM / nm_per_unit) as f32,
            per_amol: (SECONDS_PER_MINUTE * NM_PER_MM / AMOL_PER_UM3_PER_MM / nm_per_unit) as f32,
            sites: each_site(&self.molecules, &self.sites, name, |field| {
                Some(Bookable {
                    ledger: self.ledgers.get(field.entity).ok()?,
                    voxel_um3: field.grid.block.voxel_volume_um3(),
                    grid: &field.grid,
                })
            }),
        }
    }
}

/// Books one molecule in all sites. Several entries of a voxel add up.
pub struct Booking<'a> {
    /// Concentration change of 1 um3 by a molecule per second, unit per minute.
    per_molecule: f32,
    /// Concentration change of 1 um3 by an amol per second, unit per minute.
    per_amol: f32,
    sites: Vec<Option<Bookable<'a>>>,
}

/// The ledger of a field in a site.
struct Bookable<'a> {
    ledger: &'a Ledger,
    voxel_um3: f32,
    grid: &'a FieldGrid,
}

impl Booking<'_> {
    /// Whether no site simulates the molecule, so that all bookings are forgotten.
    pub fn is_nowhere(&self) -> bool {
        self.sites.iter().all(Option::is_none)
    }

    /// Whether a site simulates the molecule.
    pub fn is_in(&self, site: SiteId) -> bool {
        matches!(self.sites.get(usize::from(site.0)), Some(Some(_)))
    }

    #[inline]
    fn book(&self, site: SiteId, voxel: u32, enter: impl FnOnce(&Ledger, u32, f32)) {
        if let Some(Some(field)) = self.sites.get(usize::from(site.0)) {
            enter(field.ledger, field.grid.voxel(voxel), field.voxel_um3);
        }
    }

    /// Books secretion, molecules per second.
    #[inline]
    pub fn secrete(&self, site: SiteId, voxel: u32, molecules_per_s: f32) {
        self.book(site, voxel, |ledger, voxel, um3| {
            ledger.secrete(voxel, molecules_per_s * self.per_molecule / um3);
        });
    }

    /// Books secretion, amol per second.
    #[inline]
    pub fn secrete_amol(&self, site: SiteId, voxel: u32, amol_per_s: f32) {
        self.book(site, voxel, |ledger, voxel, um3| {
            ledger.secrete(voxel, amol_per_s * self.per_amol / um3);
        });
    }

    /// Books saturating uptake: so many molecules per second where there is plenty, half of it at the molecule's
    /// half-saturation.
    #[inline]
    pub fn take_up(&self, site: SiteId, voxel: u32, molecules_per_s: f32) {
        self.book(site, voxel, |ledger, voxel, um3| {
            ledger.take_up(voxel, molecules_per_s * self.per_molecule / um3);
        });
    }

    /// Books saturating uptake of so many amol per second at saturation.
    #[inline]
    pub fn take_up_amol(&self, site: SiteId, voxel: u32, amol_per_s: f32) {
        self.book(site, voxel, |ledger, voxel, um3| {
            ledger.take_up(voxel, amol_per_s * self.per_amol / um3);
        });
    }

    /// Books saturating uptake by a volume of tissue, um3: `per_min` is by how much the concentration in it would fall
    /// in a minute at saturation, unit per minute.
    #[inline]
    pub fn take_up_in(&self, site: SiteId, voxel: u32, per_min: f32, volume_um3: f32) {
        self.book(site, voxel, |ledger, voxel, um3| {
            ledger.take_up(voxel, per_min * (volume_um3 / um3));
        });
    }

    /// Books uptake in proportion to the concentration, as the volume that is cleared of the molecule, um3/min.
    #[inline]
    pub fn absorb(&self, site: SiteId, voxel: u32, um3_per_min: f32) {
        self.book(site, voxel, |ledger, voxel, um3| {
            ledger.absorb(voxel, um3_per_min / um3);
        });
    }
}

#[cfg(test)]
mod tests {
    use bevy::ecs::system::RunSystemOnce;

    use super::super::SiteEntry;
    use super::super::molecule::testing::molecule;
    use super::*;

    fn block() -> TissueBlock {
        TissueBlock {
            name: "block".into(),
            min_um: Vec3::splat(-40.0),
            dims: UVec3::splat(4),
            voxel_um: Vec3::splat(20.0),
            walls: true,
            perfusion_length_um: None,
        }
    }

    /// A world with one site of 64 voxels in which `name` is simulated, by blocks of `coarsen` voxels.
    fn world(name: &str, nm_per_unit: f32, coarsen: u16) -> World {
        let mut world = World::new();
        let molecules = Molecules::new([
            molecule(name, nm_per_unit, 3.0),
            molecule("other", 1.0, 5.0),
        ]);
        let grid = FieldGrid::new(&block(), coarsen);
        let voxels = grid.block.voxels();
        let values = FieldValues((0..voxels).map(|voxel| voxel as f32).collect());
        let entity = world.spawn((values, Ledger::new(voxels))).id();
        let field = SiteField {
            molecule: molecules.id(name).unwrap(),
            entity,
            grid,
        };
        world.insert_resource(Sites {
            list: vec![SiteEntry {
                entity: Entity::PLACEHOLDER,
                fields: vec![field],
                block: block(),
            }],
        });
        world.insert_resource(molecules);
        world
    }

    fn ledger(world: &World) -> &Ledger {
        let field = &world.resource::<Sites>().list[0].fields[0];
        world.get(field.entity).unwrap()
    }

    #[test]
    fn what_a_site_does_not_simulate_is_read_as_background_and_its_bookings_are_forgotten() {
        let mut world = world("vegf_a", 1.0, 1);
        let system = |fields: Fields, bookings: Bookings| {
            let site = SiteId(0);
            assert_eq!(fields.of("vegf_a").at(site, 7), 7.0);
            assert_eq!(fields.of("vegf_a").at(SiteId(1), 7), 3.0);
            assert_eq!(fields.of("other").at(site, 7), 5.0);
            assert_eq!(
                fields.of("other").relative_gradient(site, Vec3::ZERO),
                Vec3::ZERO
            );
            bookings.of("other").secrete(site, 7, 1.0);
            assert!(bookings.of("other").is_nowhere() && !bookings.of("vegf_a").is_nowhere());
        };
        world.run_system_once(system).unwrap();
        assert!(ledger(&world).source().is_empty());
    }

    #[test]
    #[should_panic(expected = "the molecule `oxigen` is there")]
    fn a_molecule_that_there_is_not_is_no_anoxia() {
        let mut world = world("oxygen", 1300.0, 1);
        assert!(FieldReader::in_world(&world, "oxigen").is_none());
        let system = |fields: Fields| fields.of("oxigen").at(SiteId(0), 7);
        let _: f32 = world.run_system_once(system).expect("it is one system");
    }

    #[test]
    fn bookings_are_converted_as_computed_by_hand() {
        // In 8000 um3, 8e-12 L, and in eight of these.
        for (coarsen, litres) in [(1, 8e-12), (2, 64e-12)] {
            for nm_per_unit in [1.0_f32, 1300.0, 1e6] {
                let mut world = world("tracer", nm_per_unit, coarsen);
                let system = |bookings: Bookings| {
                    let booking = bookings.of("tracer");
                    booking.secrete(SiteId(0), 21, 1e6);
                    booking.take_up_amol(SiteId(0), 21, 2.0);
                    booking.absorb(SiteId(0), 21, 500.0);
                    booking.take_up_in(SiteId(0), 21, 3.0, 4000.0);
                };
                world.run_system_once(system).unwrap();
                // Voxel (1, 1, 1) of the site is in the first voxel of the coarse grid.
                let voxel = if coarsen == 1 { 21 } else { 0 };
                let unit_per_mol = 1e9 / f64::from(nm_per_unit) / litres;
                let secreted = 60.0 * 1e6 / 6.022_140_76e23 * unit_per_mol;
                let taken_up = 60.0 * 2e-18 * unit_per_mol + 3.0 * 4000e-15 / litres;
                let absorbed = 500e-15 / litres;
                let ledger = ledger(&world);
                for (found, expected) in [
                    (ledger.source().sum(voxel), secreted),
                    (ledger.capacity().sum(voxel), taken_up),
                    (ledger.rate().sum(voxel), absorbed),
                ] {
                    let wrong = f64::from(found) / expected - 1.0;
                    assert!(wrong.abs() < 1e-5, "{found}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn gradients_of_a_linear_field_are_exact_inside_and_at_the_faces() {
        let block = TissueBlock {
            dims: UVec3::new(6, 5, 4),
            voxel_um: Vec3::new(20.0, 25.0, 10.0),
            ..block()
        };
        let slope = Vec3::new(0.02, -0.01, 0.03);
        let centre = |x: u32, y: u32, z: u32| {
            block.min_um + (UVec3::new(x, y, z).as_vec3() + Vec3::splat(0.5)) * block.voxel_um
        };
        let value = |at: Vec3| 100.0 + slope.dot(at);
        let mut values = Vec::new();
        for z in 0..4 {
            for y in 0..5 {
                for x in 0..6 {
                    values.push(value(centre(x, y, z)));
                }
            }
        }
        for (x, y, z) in [(0, 0, 0), (3, 2, 1), (5, 4, 3)] {
            let at = centre(x, y, z);
            let found = relative_gradient(&block, &values, at) * value(at);
            assert!((found - slope).length() < 1e-4, "{found}");
        }
        let flat = TissueBlock {
            dims: UVec3::new(6, 1, 1),
            ..block
        };
        let found = relative_gradient(&flat, &values[..6], centre(2, 0, 0));
        assert_eq!((found.y, found.z), (0.0, 0.0));
        assert_eq!(
            relative_gradient(&flat, &[0.0; 6], centre(2, 0, 0)),
            Vec3::ZERO
        );
    }

    #[test]
    fn cells_read_the_voxel_of_a_coarse_grid_that_theirs_is_part_of() {
        let mut world = world("tracer", 1.0, 2);
        let system = |fields: Fields| {
            let (tracer, block) = (fields.of("tracer"), block());
            for at in [[-39.0, -1.0, 1.0], [-21.0, 5.0, 39.0], [19.0, -39.0, -1.0]] {
                let at = Vec3::from(at);
                let half = (at + 40.0).as_uvec3() / 40;
                let expected = (half.x + 2 * half.y + 4 * half.z) as f32;
                assert_eq!(tracer.at_point(SiteId(0), at), expected);
                assert_eq!(tracer.at(SiteId(0), block.voxel_at(at)), expected);
            }
        };
        world.run_system_once(system).unwrap();
    }
}
