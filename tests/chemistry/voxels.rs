//! The same tissue on grids of 10, 20 and 40 um.

use std::path::Path;
use std::sync::Arc;

use tumorscape::core::parallel::set_threads;
use tumorscape::measure::Wanted;
use tumorscape::simulation::{Simulation, open_scene};

/// What there is of the scene after so many hours.
#[derive(Debug)]
struct Tissue {
    cells: f64,
    radius_um: f64,
    rim_oxygen_mmhg: f64,
}

/// Lives through the default scene on voxels of that edge; the block is a little larger, so that all three divide it.
fn grown(voxel_um: f32, hours: f64, seed: u64) -> Tissue {
    let mut scene = open_scene(Path::new("scenes/hypoxic_core.ron")).expect("the scene is valid");
    let site = &mut scene.scene.sites[0];
    site.size_um = (880.0, 880.0, 880.0);
    site.voxel_um = (voxel_um, voxel_um, voxel_um);
    let mut simulation = Simulation::new(Arc::new(scene), seed).expect("valid");
    while simulation.hours() < hours {
        simulation.step();
    }
    let census = simulation.census(&Wanted {
        quantities: vec!["oxygen".into()],
        categories: vec!["state".into()],
    });
    let (oxygen, states) = (
        census.quantity("oxygen").expect("it is registered"),
        census.category("state").expect("it is registered"),
    );
    // The rim: living cells.
    let rim: Vec<f64> = (0..census.len())
        .filter(|row| states[*row] == 0)
        .map(|row| f64::from(oxygen[row]))
        .collect();
    let metrics = simulation.metrics();
    Tissue {
        cells: census.len() as f64,
        radius_um: metrics[0]
            .get("tumour_radius_um")
            .expect("it is registered"),
        rim_oxygen_mmhg: rim.iter().sum::<f64>() / rim.len() as f64,
    }
}

/// Asks all of these grids for the same tissue within 3 %.
fn assert_alike(hours: f64, voxels_um: &[f32]) {
    set_threads(Some(2));
    let found: Vec<Tissue> = voxels_um
        .iter()
        .map(|voxel| grown(*voxel, hours, 1))
        .collect();
    println!("{found:#?}");
    for (name, of) in [
        ("cells", (|tissue| tissue.cells) as fn(&Tissue) -> f64),
        ("radius", |tissue| tissue.radius_um),
        ("oxygen in the rim", |tissue| tissue.rim_oxygen_mmhg),
    ] {
        let values = found.iter().map(of);
        let (least, most) = values.fold((f64::INFINITY, 0.0_f64), |(least, most), value| {
            (least.min(value), most.max(value))
        });
        assert!(most / least < 1.03, "{name}: {found:?}");
    }
}

#[test]
#[ignore = "three days of tissue on a grid of 700 000 voxels: half an hour; run with `cargo test --release -- --ignored`"]
fn a_perfused_tumour_grows_alike_on_voxels_of_10_20_and_40_um() {
    assert_alike(72.0, &[10.0, 20.0, 40.0]);
}

#[test]
fn a_perfused_tumour_begins_alike_on_voxels_of_20_and_40_um() {
    assert_alike(6.0, &[20.0, 40.0]);
}
