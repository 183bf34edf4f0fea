//! Vesicles go with the fluid that lymph drains, to a node and then into the blood.

use bevy::prelude::*;
use tumorscape::biology::exosome::packets::{Load, NO_CELL};
use tumorscape::biology::exosome::{BloodVesicles, Packets};
use tumorscape::core::{Clock, SimSchedule, SimSystems};
use tumorscape::simulation::Program;

use super::{assert_within, begin, metric, packets};

/// Tissue from which nothing leaves but by the lymph, with fluid that comes out of its vessels evenly, and a node.
const DRAINED: &str = r#"(
    title: "drained", about: "lymph takes vesicles away", pace: Illustrative, duration: Days(2),
    sites: [
        (
            name: "breast", organ: Breast, size_um: (300, 300, 300), voxel_um: (30, 30, 30), fields: [],
            tissue: (interstitium: (closed: true), exosomes: (stands_for: 10)),
        ),
        (name: "node", organ: LymphNode, size_um: (200, 200, 200), voxel_um: (20, 20, 20), fields: [], tissue: (exosomes: ())),
    ],
    parameters: {"exosomes.escape_per_min": 0},
)"#;

#[test]
fn vesicles_leave_as_fast_as_lymph_drains_the_fluid_half_of_them_into_the_node() {
    let count = 19_683_u32;
    let program = Program::default().with(move |app| {
        let put = move |clock: Res<Clock>, mut sites: Query<&mut Packets>| {
            let breasts = sites.iter_mut().filter(|of| of.stands_for > 1.0);
            for mut packets in breasts.filter(|_| clock.step == 0) {
                for number in 0..count {
                    let load = Load {
                        origin: NO_CELL,
                        cargo: [0.0; 5],
                        integrins: [0.0; 3],
                    };
                    let at = [number % 27, number / 27 % 27, number / 729];
                    let at_um = Vec3::from(at.map(|place| 11.0 * place as f32)) - 143.0;
                    packets.add(load, at_um, 1, false);
                }
                packets.books.secreted += u64::from(count);
            }
        };
        app.add_systems(SimSchedule, put.in_set(SimSystems::Perceive));
    });
    let mut simulation = begin(&program, DRAINED, 2);
    simulation.verify();
    let begun = 20;
    let mut expected = 0.0;
    let mut left_before = 0.0;
    for step in 0..300 {
        simulation.step();
        assert_eq!(simulation.violation(), None);
        let inside = packets(&simulation, 0).list.len() as f64;
        if step == begun {
            left_before = inside;
        }
        if step > begun {
            // Of 2.7e7 um3 so much is drained in a minute, and with it a packet.
            expected += metric(&simulation, 0, "water_drained_um3_per_min") / 2.7e7;
        }
    }
    assert!(expected > 0.02, "{expected}");
    let left = packets(&simulation, 0).list.len() as f64;
    let gone = left_before - left;
    let expected = left_before * (1.0 - (-expected).exp());
    assert!(
        (gone - expected).abs() < 4.0 * expected.sqrt() + 0.01 * expected,
        "{gone} of {expected}"
    );
    let [breast, node] = [0, 1].map(|site| packets(&simulation, site).books);
    let all = f64::from(count);
    assert_within("drained", breast.drained as f64, all - left, 1e-9);
    assert_eq!(breast.escaped, 0);
    let arrived = node.arrived as f64;
    let half = 0.5 * breast.drained as f64;
    assert!(
        (arrived - half).abs() < 4.0 * half.sqrt(),
        "{arrived} {half}"
    );
    let blood: &BloodVesicles = simulation.world().resource();
    assert_within("in nodes", blood.into_nodes, 10.0 * arrived, 1e-9);
    assert_within(
        "in the blood",
        blood.from_tissue,
        10.0 * (breast.drained as f64 - arrived),
        1e-9,
    );
    assert_within(
        "told",
        metric(&simulation, 0, "exosomes_drained"),
        breast.drained as f64,
        1e-9,
    );
}
