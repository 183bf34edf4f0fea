//! What acts on cells besides their neighbours: bonds and walls.

use super::*;

fn spring(a: u64, b: u64, rest: f32, stiffness: f32) -> Bond {
    Bond::new(
        BondKindId::default(),
        [CellId(a), CellId(b)],
        rest,
        stiffness,
    )
}

#[test]
fn bonded_cells_relax_to_the_rest_length_exponentially() {
    let (stiffness, rest) = (0.05, 30.0);
    let mut bonds = Bonds::default();
    assert!(bonds.add(spring(9, 3, rest, stiffness)));
    let bodies = [body(3, [0.0; 3], 8.4), body(9, [40.0, 0.0, 0.0], 8.4)];
    let mut kernel = kernel(&bodies);
    let surroundings = Influences {
        bonds: Some(&bonds),
        ..Default::default()
    };
    for step in 1..=200 {
        kernel.relax(0.1, &surroundings);
        let found = outcomes(&kernel);
        for (body, found) in kernel.bodies_mut().iter_mut().zip(&found) {
            body.position = found.position;
        }
        let now = distance(found[0].position, found[1].position) - f64::from(rest);
        let expected = 10.0 * (-2.0 * f64::from(stiffness) * 0.1 * f64::from(step)).exp();
        assert!(
            (now - expected).abs() < 0.01 * expected + 1.0e-4,
            "{step}: {now}, {expected}"
        );
        let middle = found[0].position[0] + found[1].position[0];
        assert!((middle - 40.0).abs() < 1.0e-3);
    }
}

#[test]
fn a_net_of_bonds_pulls_as_its_definition_and_bonds_to_the_absent_do_nothing() {
    let mut dice = Dice(15);
    let bodies: Vec<ContactBody> = (0..300)
        .map(|id| body(id * 7, dice.point(4_000.0), 2.0))
        .collect();
    let mut bonds = Bonds::default();
    for _ in 0..900 {
        let pair = [dice.roll(), dice.roll()].map(|roll| (roll * 310.0) as u64 * 7);
        if pair[0] != pair[1] {
            let rest = 100.0 * dice.roll();
            bonds.add(spring(pair[0], pair[1], rest, dice.roll()));
        }
    }
    let mut kernel = kernel(&bodies);
    let surroundings = Influences {
        bonds: Some(&bonds),
        ..Default::default()
    };
    kernel.relax(0.0, &surroundings);
    let contacts = reference(&bodies);
    for (row, own) in bodies.iter().enumerate() {
        let mut expected = contacts[row].0;
        for other in &bodies {
            if let Some(bond) = bonds.between([own.id, other.id], BondKindId::default()) {
                let d = distance(own.position, other.position);
                let pull = f64::from(bond.stiffness) * (d - f64::from(bond.rest)) / d;
                for (axis, expected) in expected.iter_mut().enumerate() {
                    *expected += pull * f64::from(other.position[axis] - own.position[axis]);
                }
            }
        }
        assert!(difference(expected, outcome(&kernel, row).velocity) < 3.0e-3);
    }
}

#[test]
fn walls_hold_cells_and_open_sides_do_not() {
    let bodies = cloud(400, 3.0, 16);
    let edge = 20.0 * bevy::math::ops::cbrt(400.0 / 3.0);
    let active: Vec<[f32; 3]> = bodies.iter().map(|_| [5.0, 5.0, -5.0]).collect();
    let mut surroundings = Influences {
        faces: Faces::closed([0.0; 3], [edge; 3]),
        active: &active,
        ..Default::default()
    };
    let run = |surroundings: &Influences| {
        let mut kernel = kernel(&bodies);
        for _ in 0..20 {
            kernel.relax(6.0, surroundings);
            let found = outcomes(&kernel);
            for (body, found) in kernel.bodies_mut().iter_mut().zip(found) {
                body.position = found.position;
            }
        }
        outcomes(&kernel)
    };
    for outcome in run(&surroundings) {
        assert!(outcome.position.iter().all(|at| (0.0..=edge).contains(at)));
    }
    surroundings.faces.walls[0][1] = false;
    assert!(
        run(&surroundings)
            .iter()
            .any(|outcome| outcome.position[0] > edge)
    );
}

#[test]
fn a_wall_stops_a_cell_where_its_push_equals_the_drive() {
    // c_w (1 - d/r)^2 = v, with c_w = 10 and v = 0.9: d = 0.7 r.
    let mut kernel = kernel(&[body(0, [20.0, 50.0, 50.0], 8.4)]);
    let surroundings = Influences {
        faces: Faces::closed([0.0; 3], [100.0; 3]),
        active: &[[-0.9, 0.0, 0.0]],
        ..Default::default()
    };
    for _ in 0..60 {
        kernel.relax(1.0, &surroundings);
        let position = outcome(&kernel, 0).position;
        kernel.bodies_mut()[0].position = position;
    }
    assert!((outcome(&kernel, 0).position[0] - 0.7 * 8.4).abs() < 1.0e-3);
}
