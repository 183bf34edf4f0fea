//! Two channels of adhesion.

use super::*;

/// Velocities by the definition, in double precision.
fn by_definition(bodies: &[ContactBody], second: &[f32]) -> Vec<[f64; 3]> {
    let channels = |first: bool| -> Vec<ContactBody> {
        let rows = bodies.iter().zip(second);
        rows.map(|(body, second)| ContactBody {
            adhesion: if first { body.adhesion } else { *second },
            repulsion: if first { body.repulsion } else { 0.0 },
            ..*body
        })
        .collect()
    };
    let (first, second) = (reference(&channels(true)), reference(&channels(false)));
    let both = first.iter().zip(&second);
    both.map(|(a, b)| std::array::from_fn(|axis| a.0[axis] + b.0[axis]))
        .collect()
}

#[test]
fn each_channel_holds_to_its_own_kind_alone_on_every_instruction_set() {
    let mut dice = Dice(31);
    for alike in [false, true] {
        let mut bodies = motley(700, 5);
        if alike {
            for body in &mut bodies {
                (body.adhesion, body.repulsion) = (0.4, 10.0);
            }
        }
        let second: Vec<f32> = bodies
            .iter()
            .map(|_| {
                if dice.roll() < 0.5 {
                    0.0
                } else {
                    3.0 * dice.roll()
                }
            })
            .collect();
        let expected = by_definition(&bodies, &second);
        let mut first_bits = None;
        for set in InstructionSet::available() {
            let mut kernel = Mechanics::on(creeping(), set);
            kernel.bodies_mut().extend_from_slice(&bodies);
            kernel.second_adhesion_mut().extend_from_slice(&second);
            kernel.sort();
            kernel.evaluate(&Influences::default());
            let found = outcomes(&kernel);
            for (expected, found) in expected.iter().zip(&found) {
                assert!(difference(*expected, found.velocity) < 2.0e-4, "{set:?}");
            }
            let bits: Vec<_> = found.iter().map(bits).collect();
            assert_eq!(
                *first_bits.get_or_insert_with(|| bits.clone()),
                bits,
                "{set:?}"
            );
        }
    }
}

#[test]
fn cells_of_unlike_cadherins_do_not_hold_to_each_other() {
    let (epithelial, mesenchymal) = ((0.4, 0.0), (0.0, 0.4));
    let speed = |a: (f32, f32), b: (f32, f32)| {
        let pair = [(0, a), (1, b)].map(|(id, (first, _))| ContactBody {
            adhesion: first,
            ..body(id, [18.0 * id as f32, 0.0, 0.0], 8.4)
        });
        let mut kernel = kernel(&pair);
        kernel.second_adhesion_mut().extend([a.1, b.1]);
        kernel.sort();
        kernel.evaluate(&Influences::default());
        outcome(&kernel, 0).velocity[0]
    };
    assert!(speed(epithelial, epithelial) > 1.0e-3);
    assert_eq!(
        speed(epithelial, epithelial),
        speed(mesenchymal, mesenchymal)
    );
    assert_eq!(speed(epithelial, mesenchymal), 0.0);
}
