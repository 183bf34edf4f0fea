//! Radii come to rest: vessels as they are placed keep their width, and those whose blood changes find another one.

use super::*;
use crate::biology::vasculature::life::{adapt, settle};

/// A mesh whose blood has settled.
fn settled() -> (Network, FlowWork) {
    let mut network = mesh(3);
    let mut work = FlowWork::default();
    for _ in 0..30 {
        work.circulate(&mut network, &VesselParameters::default());
    }
    settle(&mut network, &VesselParameters::default());
    (network, work)
}

/// Lets radii follow what flows for so many days, in steps of half a day.
fn live(network: &mut Network, work: &mut FlowWork, days: u32) {
    let parameters = VesselParameters::default();
    for _ in 0..2 * days {
        adapt(network, &parameters, 0.5);
        life::press(network, &parameters);
        work.circulate(network, &parameters);
    }
}

/// The largest change of a radius, as a share of it.
fn most_changed(network: &Network, before: &[f32]) -> f32 {
    let radii = network.segments().iter().map(|of| of.rest_radius_um);
    let changes = radii.zip(before).map(|(now, was)| (now / was - 1.0).abs());
    changes.fold(0.0, f32::max)
}

fn radii(network: &Network) -> Vec<f32> {
    let segments = network.segments().iter();
    segments.map(|of| of.rest_radius_um).collect()
}

#[test]
fn vessels_that_are_placed_keep_their_width_as_long_as_nothing_changes() {
    let (mut network, mut work) = settled();
    let (before, inflow) = (radii(&network), inflow_um3_per_min(&network));
    live(&mut network, &mut work, 30);
    let (changed, left) = (
        most_changed(&network, &before),
        inflow_um3_per_min(&network) / inflow,
    );
    // Where blood hardly moves red cells are shared out a little differently each time.
    assert!(changed < 0.1, "{changed}");
    assert!((left - 1.0).abs() < 0.03, "{left}");
}

#[test]
fn vessels_whose_blood_changes_come_to_rest_at_another_width() {
    // Three times the drop of pressure; a fifth of the red cells.
    for (artery_mmhg, haematocrit) in [(35.0, 0.4), (25.0, 0.08)] {
        let (mut network, mut work) = settled();
        let (nodes, ..) = network.parts_mut();
        for node in nodes {
            if let Some(port) = node
                .port
                .as_mut()
                .filter(|port| port.side == VesselKind::Artery)
            {
                port.held = Held::Pressure(artery_mmhg);
                port.haematocrit = haematocrit;
            }
        }
        for _ in 0..30 {
            work.circulate(&mut network, &VesselParameters::default());
        }
        let before = radii(&network);
        live(&mut network, &mut work, 150);
        let then = radii(&network);
        let mean = |of: &[f32]| of.iter().sum::<f32>() / of.len() as f32;
        assert!(mean(&then) > 1.02 * mean(&before), "{}", mean(&then));
        live(&mut network, &mut work, 10);
        let changed = most_changed(&network, &then);
        assert!(changed < 0.02, "{changed}");
        // Of the two units that hold a vessel, shear, which grows with its radius, takes one: three times the drop of pressure makes it three times as wide,
        // and somewhat more where it takes blood from others.
        let most = then.iter().zip(&before).map(|(now, was)| now / was);
        let most = most.fold(0.0, f32::max);
        assert!(most < 6.0, "{most}");
    }
}
