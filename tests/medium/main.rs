//! Hindrance, flow and vessels: what a module outside the crate writes about the medium of a site is what fields are
//! solved with, from the step on in which it is written.

#[path = "../saving/mod.rs"]
mod saving;

mod analytic;
mod changes;

use std::sync::Arc;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};
use tumorscape::core::state::{Owner, RegisterState, WhollyKept};
use tumorscape::core::{Clock, SimSchedule, SimSystems};
use tumorscape::simulation::{Program, Simulation};
use tumorscape::tissue::medium::{Diffusing, share_between_fibres};
use tumorscape::tissue::{
    ExchangesWithVessels, FieldValues, Hinders, InterstitialFlow, Molecules, RegisterMedium, Sites,
    VesselExchange,
};

/// Fibres of a site, as a share of its voxels' volume.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
struct Fibres(Vec<f32>);

impl WhollyKept for Fibres {}

/// Radius of the fibres, nm.
const FIBRE_NM: f32 = 20.0;

impl Hinders for Fibres {
    fn hinder(&self, molecule: Diffusing, shares: &mut [f32]) {
        for (share, fibres) in shares.iter_mut().zip(&self.0) {
            *share *= share_between_fibres(*fibres, FIBRE_NM, molecule.radius_nm);
        }
    }
}

/// What another module leaves of diffusivity, the same for all molecules.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
struct Membrane(Vec<f32>);

impl WhollyKept for Membrane {}

impl Hinders for Membrane {
    fn hinder(&self, _: Diffusing, shares: &mut [f32]) {
        for (share, left) in shares.iter_mut().zip(&self.0) {
            *share *= left;
        }
    }
}

/// Walls of blood vessels.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
struct Blood(VesselExchange);

impl WhollyKept for Blood {}

impl ExchangesWithVessels for Blood {
    fn exchange(&self) -> &VesselExchange {
        &self.0
    }
}

/// Lymph, which takes away.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
struct Lymph(VesselExchange);

impl WhollyKept for Lymph {}

impl ExchangesWithVessels for Lymph {
    fn exchange(&self) -> &VesselExchange {
        &self.0
    }
}

/// What is written at the beginning of step `step`.
type Writer = fn(step: u64, world: &mut World);

/// A program in which `writer` writes media in every `Signal`.
fn program(writer: Writer) -> Program {
    Program::default().with(move |app: &mut App| {
        app.register_kept::<Fibres>(Owner::Site, "test_fibres")
            .register_kept::<Membrane>(Owner::Site, "test_membrane")
            .register_kept::<Blood>(Owner::Field, "test_blood")
            .register_kept::<Lymph>(Owner::Field, "test_lymph")
            .register_hindrance::<Fibres>()
            .register_hindrance::<Membrane>()
            .register_vessel_exchange::<Blood>()
            .register_vessel_exchange::<Lymph>()
            .add_systems(
                SimSchedule,
                (move |world: &mut World| writer(world.resource::<Clock>().step, world))
                    .in_set(SimSystems::Signal),
            );
    })
}

/// A simulation of these molecules (name, rest of the entry) in a closed block without cells.
fn simulation(
    writer: Writer,
    size_um: (f32, f32, f32),
    molecules: &[(&str, &str)],
    levels: &[(f32, &str)],
) -> Simulation {
    let entry = |(name, rest): &(&str, &str)| {
        format!(
            "(name: \"{name}\", label: \"{name}\", about: \"a tracer\", unit: \"nM\", nm_per_unit: 1, \
             half_saturation: 1, crosses_vessel_walls: false, source: \"made up\", {rest})"
        )
    };
    let entries: Vec<String> = molecules.iter().map(entry).collect();
    let field = |((name, _), (level, faces)): (&(&str, &str), &(f32, &str))| {
        format!("(molecule: \"{name}\", level: {level}, faces: {faces})")
    };
    let fields: Vec<String> = molecules.iter().zip(levels).map(field).collect();
    let (x, y, z) = size_um;
    let text = format!(
        "(title: \"media\", about: \"nothing but molecules\", pace: Illustrative, duration: Hours(10),
         molecules: [{}],
         sites: [(name: \"block\", organ: Medium, size_um: ({x}, {y}, {z}), fields: [{}])],
         parameters: {{\"transport.tolerance\": 1e-6}})",
        entries.join(","),
        fields.join(",")
    );
    let scene = program(writer).parse_scene(&text, "media.ron", None);
    let scene = scene.unwrap_or_else(|report| panic!("{report}"));
    Simulation::new(Arc::new(scene), 1).expect("its parameters are valid")
}

/// The field of a molecule in the first site.
fn field_of(world: &World, name: &str) -> Entity {
    let molecule = world.resource::<Molecules>().id(name).expect("it is there");
    let site = &world.resource::<Sites>().list[0];
    site.field(molecule).expect("it is simulated").entity
}

fn values(simulation: &Simulation, name: &str) -> Vec<f32> {
    let world = simulation.world();
    let field = world.get::<FieldValues>(field_of(world, name));
    field.expect("fields have values").0.clone()
}

/// Writes a component of the first site.
fn put_on_site(world: &mut World, component: impl Bundle) {
    let site = world.resource::<Sites>().list[0].entity;
    world.entity_mut(site).insert(component);
}

/// Exchange in the voxels that `of` names with rate and level.
fn exchange(voxels: usize, of: impl Fn(usize) -> Option<(f32, f32)>) -> VesselExchange {
    let mut exchange = VesselExchange::none(voxels);
    let (rates, levels) = exchange.parts_mut();
    for voxel in 0..voxels {
        if let Some((rate, level)) = of(voxel) {
            rates[voxel] = rate;
            levels[voxel] = level;
        }
    }
    exchange
}

/// Fluid with one velocity along `x` inside the first site, none through its faces.
fn wind(world: &World, um_per_min: f32) -> InterstitialFlow {
    let block = &world.resource::<Sites>().list[0].block;
    let mut flow = InterstitialFlow::at_rest(block);
    let nx = block.dims.x as usize + 1;
    let [along_x, ..] = flow.faces_mut();
    for (n, velocity) in along_x.iter_mut().enumerate() {
        let is_outer = n % nx == 0 || n % nx == nx - 1;
        *velocity = if is_outer { 0.0 } else { um_per_min };
    }
    flow
}
