//! One thing at a time, against what is known exactly.

use super::*;

/// Fast against diffusion between voxels of 20 um, 5 /min, so that it holds a voxel at a level to a few thousandths, and slow enough
/// for single precision to tell what passes on balance.
const FAST: f32 = 200.0;
const LINE: usize = 90;

/// Holds the ends of a line of voxels at 10 and 1.
fn hold_the_ends(world: &mut World, name: &str) {
    let held = exchange(LINE, |voxel| match voxel {
        0 => Some((FAST, 10.0)),
        _ if voxel == LINE - 1 => Some((FAST, 1.0)),
        _ => None,
    });
    let field = field_of(world, name);
    world.entity_mut(field).insert(Blood(held));
}

const STEADY: &str = "diffusivity_um2_per_min: 2e3, every_minutes: 1, quasi_steady: true";
const STEADY_LARGE: &str =
    "diffusivity_um2_per_min: 2e3, every_minutes: 1, quasi_steady: true, radius_nm: 20";
const SIZE: (f32, f32, f32) = (20.0 * LINE as f32, 20.0, 20.0);

#[test]
fn fibres_in_a_third_of_a_slab_break_the_line_of_each_molecule_by_its_size() {
    let mut simulation = simulation(
        |step, world| {
            if step == 0 {
                hold_the_ends(world, "small");
                hold_the_ends(world, "large");
                let fibres = |voxel| if voxel < LINE / 3 { 0.0 } else { 0.25 };
                put_on_site(world, Fibres((0..LINE).map(fibres).collect()));
            }
        },
        SIZE,
        &[("small", STEADY), ("large", STEADY_LARGE)],
        &[(5.0, "Closed"), (5.0, "Closed")],
    );
    simulation.verify();
    simulation.step();
    assert!(simulation.violation().is_none());
    // exp(-sqrt(1/4) (r + 20) / 20).
    for (name, share) in [("small", (-0.5_f64).exp()), ("large", (-1.0_f64).exp())] {
        let third = (LINE / 3) as f64 * 20.0;
        // From the centre of the first voxel to the boundary, and from there to the centre of the last one.
        let (free, dense) = (third - 10.0, 2.0 * third - 10.0);
        let flux = 9.0 / (free + dense / share);
        for (voxel, found) in values(&simulation, name).iter().enumerate() {
            let x = 20.0 * voxel as f64;
            let exact = if x < free {
                10.0 - flux * x
            } else {
                1.0 + flux * (free + dense - x) / share
            };
            assert!((f64::from(*found) - exact).abs() < 0.01, "{name} {voxel}");
        }
    }
}

#[test]
fn flow_against_diffusion_piles_up_in_a_boundary_layer() {
    let mut simulation = simulation(
        |step, world| {
            if step == 0 {
                hold_the_ends(world, "small");
                let flow = wind(world, 8.0);
                put_on_site(world, flow);
            }
        },
        SIZE,
        &[("small", STEADY)],
        &[(5.0, "Closed")],
    );
    simulation.verify();
    simulation.step();
    assert!(simulation.violation().is_none());
    let length = 20.0 * (LINE - 1) as f64;
    // Upwind flow through faces 20 um apart diffuses by v h / 2 by itself.
    let diffusivity = 2e3 + 8.0 * 20.0 / 2.0;
    let peclet = 8.0 * length / diffusivity;
    for (voxel, found) in values(&simulation, "small").iter().enumerate() {
        let x = voxel as f64 / (LINE - 1) as f64;
        let layer = ((peclet * (x - 1.0)).exp() - (-peclet).exp()) / (1.0 - (-peclet).exp());
        let exact = 10.0 - 9.0 * layer;
        assert!(
            (f64::from(*found) - exact).abs() < 0.02,
            "{voxel}: {found}, {exact}"
        );
    }
}

#[test]
fn vessels_bring_a_molecule_to_their_level_exponentially() {
    let mut simulation = simulation(
        |step, world| {
            if step == 0 {
                let field = field_of(world, "small");
                let blood = exchange(64, |_| Some((0.02, 7.0)));
                let lymph = exchange(64, |_| Some((0.01, 0.0)));
                world.entity_mut(field).insert((Blood(blood), Lymph(lymph)));
            }
        },
        (80.0, 80.0, 80.0),
        &[(
            "small",
            "diffusivity_um2_per_min: 2e3, every_minutes: 1, quasi_steady: false",
        )],
        &[(1.0, "Closed")],
    );
    simulation.verify();
    // Blood and lymph together: rate .03 /min towards 7 * 2/3.
    let goal = 7.0 * 2.0 / 3.0;
    for step in 1..=120 {
        simulation.step();
        assert!(simulation.violation().is_none());
        let implicit = goal + (1.0 - goal) * 1.03_f64.powi(-step);
        let exact = goal + (1.0 - goal) * (-0.03 * f64::from(step)).exp();
        for found in values(&simulation, "small") {
            assert!(
                (f64::from(found) - implicit).abs() < 1e-4,
                "{step}: {found}"
            );
            assert!((f64::from(found) - exact).abs() < 0.03 * (goal - 1.0));
        }
    }
}

#[test]
fn a_coarse_molecule_is_carried_and_hindered_as_a_fine_one() {
    let mut simulation = simulation(
        |step, world| {
            if step == 0 {
                let voxels = 64 * 2 * 2;
                let held = exchange(voxels, |voxel| match voxel % 64 {
                    0 | 1 => Some((FAST, 10.0)),
                    62 | 63 => Some((FAST, 1.0)),
                    _ => None,
                });
                for name in ["fine", "coarse"] {
                    let field = field_of(world, name);
                    world.entity_mut(field).insert(Blood(held.clone()));
                }
                let left = |voxel| if voxel % 64 < 32 { 1.0 } else { 0.5 };
                put_on_site(world, Membrane((0..voxels).map(left).collect()));
                let flow = wind(world, 0.25);
                put_on_site(world, flow);
            }
        },
        (1280.0, 40.0, 40.0),
        &[
            ("fine", STEADY),
            (
                "coarse",
                "diffusivity_um2_per_min: 2e3, every_minutes: 1, quasi_steady: true, coarsen: 2",
            ),
        ],
        &[(5.0, "Closed"), (5.0, "Closed")],
    );
    simulation.verify();
    simulation.step();
    assert!(simulation.violation().is_none());
    let (fine, coarse) = (values(&simulation, "fine"), values(&simulation, "coarse"));
    assert_eq!([fine.len(), coarse.len()], [256, 32]);
    for voxel in 0..32 {
        let mean = 0.5 * (fine[2 * voxel] + fine[2 * voxel + 1]);
        // The ends are held half a coarse voxel further out: 10 um of a slope of at most 0.015 /um.
        assert!(
            (coarse[voxel] - mean).abs() < 0.15,
            "{voxel}: {mean}, {}",
            coarse[voxel]
        );
    }
}
