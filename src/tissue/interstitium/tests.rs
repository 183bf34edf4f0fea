//! Pressure, flow and what water carries, against what is known exactly.

use super::*;
use crate::tissue::solver::{FieldSolver, Grid, SolveReport};

fn block(n: u32, voxel_um: f32) -> TissueBlock {
    TissueBlock {
        name: "block".into(),
        min_um: Vec3::splat(-0.5 * n as f32 * voxel_um),
        dims: UVec3::splat(n),
        voxel_um: Vec3::splat(voxel_um),
        walls: true,
        perfusion_length_um: None,
    }
}

/// Distances of the middles of voxels from the origin, um.
fn radii(block: &TissueBlock) -> Vec<f32> {
    let [nx, ny, nz] = block.dims.to_array();
    let mut found = Vec::with_capacity(block.voxels());
    for z in 0..nz {
        for y in 0..ny {
            for x in 0..nx {
                let at = UVec3::new(x, y, z).as_vec3() + 0.5;
                found.push((block.min_um + at * block.voxel_um).length());
            }
        }
    }
    found
}

/// The terms of a ball of tumour in normal tissue that holds the pressure at 0.
fn ball(block: &TissueBlock, radius_um: f32) -> FluidTerms {
    let tumour = FluidOf::TUMOUR;
    let of = |inside: f32, outside: f32| -> Vec<f32> {
        radii(block)
            .iter()
            .map(|r| if *r < radius_um { inside } else { outside })
            .collect()
    };
    FluidTerms {
        // Outside it drains at once, and nothing holds it up on its way there.
        conductivity: of(tumour.conductivity_um2_per_mmhg_min, 2.5e4),
        wall_rate: of(tumour.filtration_per_mmhg_min(), 0.0),
        wall_mmhg: of(tumour.effective_mmhg(), 0.0),
        lymph_rate: of(0.0, 1e3),
        lymph_mmhg: of(0.0, 0.0),
        ..FluidTerms::default()
    }
}

fn solved(block: &TissueBlock, terms: &FluidTerms, faces: FluidFaces) -> (Vec<f32>, SolveReport) {
    let dims = block.dims.to_array().map(|n| n as usize);
    let mut solver = FieldSolver::new(Grid::new(dims, block.min_um, block.voxel_um));
    let mut pressure = Vec::new();
    let memory = &mut Default::default();
    let report = solve_pressure(&mut solver, terms, faces, 1e-5, memory, &mut pressure);
    assert!(report.converged, "{report:?}");
    (pressure, report)
}

#[test]
fn pressure_in_a_ball_is_that_of_baxter_and_jain() {
    // 0.1 cm: a = 36.8 R(cm) = 3.68.
    let (radius, block) = (1000.0, block(84, 25.0));
    let terms = ball(&block, radius);
    let (pressure, _) = solved(&block, &terms, FluidFaces::Held(0.0));
    let tumour = FluidOf::TUMOUR;
    let a =
        radius * (tumour.filtration_per_mmhg_min() / tumour.conductivity_um2_per_mmhg_min).sqrt();
    assert!((a / 3.68 - 1.0).abs() < 0.01, "{a}");
    let effective = f64::from(tumour.effective_mmhg());
    let a = f64::from(a);
    let mut worst = 0.0_f64;
    for (found, r) in pressure.iter().zip(radii(&block)) {
        let x = (f64::from(r) / f64::from(radius)).max(1e-6);
        if x < 1.0 {
            let exact = effective * (1.0 - (a * x).sinh() / (x * a.sinh()));
            worst = worst.max((f64::from(*found) - exact).abs() / effective);
        }
    }
    assert!(worst < 0.03, "{worst}");
}

#[test]
fn water_that_is_filtered_is_drained_or_leaves_and_flow_has_that_divergence() {
    let block = block(40, 20.0);
    let description = InterstitiumDescription {
        regions: vec![FluidRegion {
            place: Region::Ball {
                center_um: (0.0, 0.0, 0.0),
                radius_um: 200.0,
            },
            of: FluidOf::TUMOUR,
        }],
        face_pressure_mmhg: 0.0,
        ..InterstitiumDescription::default()
    };
    let ground = fluid::Ground::new(&block, &description);
    let mut terms = FluidTerms::default();
    let host = crate::tissue::transport::HostVessels::default();
    ground.fill(&mut terms, None, &host, (None, None), false);
    let faces = FluidFaces::Held(0.0);
    let (pressure, _) = solved(&block, &terms, faces);
    let mut flow = InterstitialFlow::default();
    flow_of(&block, &terms.conductivity, &pressure, faces, &mut flow);
    let fluid = Interstitium {
        pressure_mmhg: pressure,
        terms,
        faces,
        ..Interstitium::default()
    };
    let [filtered, drained, left] = known::balance(&block, &fluid);
    assert!(
        filtered > 0.0 && drained > 0.0 && left > 0.0,
        "{filtered} {drained} {left}"
    );
    assert!(
        (filtered - drained - left).abs() < 1e-4 * filtered,
        "{filtered} {drained} {left}"
    );
    // And voxel by voxel what flows out is what comes in.
    let [nx, ny, nz] = [40_usize; 3];
    let [along_x, along_y, along_z] = flow.faces();
    let most = (0..block.voxels())
        .map(|voxel| fluid.filtered_per_min(voxel).abs())
        .fold(0.0, f32::max);
    for k in 0..nz {
        for j in 0..ny {
            for i in 0..nx {
                let voxel = i + nx * (j + ny * k);
                let x = i + (nx + 1) * (j + ny * k);
                let y = i + nx * (j + (ny + 1) * k);
                let out = along_x[x + 1] - along_x[x] + along_y[y + nx] - along_y[y]
                    + along_z[voxel + nx * ny]
                    - along_z[voxel];
                let source = fluid.filtered_per_min(voxel) - fluid.drained_per_min(voxel);
                assert!(
                    (out / 20.0 - source).abs() < 2e-3 * most,
                    "{voxel}: {} {source}",
                    out / 20.0
                );
            }
        }
    }
}

#[test]
fn where_nothing_drains_the_fluid_comes_to_the_pressure_of_the_walls() {
    let block = block(8, 20.0);
    let voxels = block.voxels();
    let terms = FluidTerms {
        conductivity: vec![51.0; voxels],
        wall_rate: vec![1e-4; voxels],
        wall_mmhg: vec![-2.5; voxels],
        ..FluidTerms::default()
    };
    let (pressure, _) = solved(&block, &terms, FluidFaces::Closed);
    assert!(pressure.iter().all(|mmhg| (mmhg + 2.5).abs() < 1e-5));
    let none = FluidTerms {
        wall_rate: vec![0.0; voxels],
        ..terms
    };
    let (pressure, _) = solved(&block, &none, FluidFaces::Closed);
    assert!(pressure.iter().all(|mmhg| *mmhg == 0.0));
}

#[test]
fn what_passes_a_wall_is_patlaks_law() {
    let (blood, tissue) = (3.0_f64, 0.7_f64);
    for water in [-1.0, -1e-3, 0.0, 1e-6, 1e-3, 0.1, 10.0] {
        for diffusion in [0.0, 1e-3, 0.05, 2.0] {
            for reflection in [0.0, 0.5, 0.9] {
                let wall = WallPassage {
                    diffusion_per_min: diffusion,
                    water_per_min: water,
                    reflection,
                };
                let (rate, level) = through_wall(wall, blood as f32);
                assert!(rate >= 0.0 && level >= 0.0 && (rate * level).is_finite());
                let found = f64::from(rate) * (f64::from(level) - tissue);
                let carried = f64::from(water) * (1.0 - f64::from(reflection));
                let exact = if carried == 0.0 {
                    f64::from(diffusion) * (blood - tissue)
                } else if diffusion == 0.0 {
                    carried * if carried > 0.0 { blood } else { tissue }
                } else {
                    let pe = carried / f64::from(diffusion);
                    if pe > 500.0 {
                        carried * blood
                    } else {
                        carried * (blood * pe.exp() - tissue) / pe.exp_m1()
                    }
                };
                let scale = f64::from(diffusion) * blood + carried.abs() * blood;
                assert!(
                    (found - exact).abs() <= 2e-5 * scale,
                    "{water} {diffusion} {reflection}: {found}, not {exact}"
                );
            }
        }
    }
}
