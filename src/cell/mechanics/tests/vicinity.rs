//! Who is near, against a search of all.

use super::*;

#[test]
fn cells_that_touch_and_cells_within_a_radius_are_those_of_a_search_of_all_at_any_bins() {
    let mut dice = Dice(21);
    for (cloud, scale) in [(1_u64, 1.0), (2, 0.4), (3, 3.0), (4, 1.0)] {
        let bodies = motley(1_500, cloud);
        let mut vicinity = Vicinity::default();
        vicinity.bodies_mut().extend_from_slice(&bodies);
        vicinity.sort(1.25, scale);
        for asked in 0..300 {
            let (at, radius) = if asked % 2 == 0 {
                let own = &bodies[(dice.roll() * bodies.len() as f32) as usize];
                (own.position, own.radius)
            } else {
                let at = dice.point(400.0).map(|x| x - 100.0);
                (at, 1.0 + 20.0 * dice.roll())
            };
            let far = 100.0 * dice.roll();
            let square = |body: &ContactBody| {
                let [dx, dy, dz]: [f32; 3] =
                    std::array::from_fn(|axis| at[axis] - body.position[axis]);
                dx * dx + dy * dy + dz * dz
            };
            let all = |near: &dyn Fn(&ContactBody) -> bool| -> Vec<usize> {
                (0..bodies.len())
                    .filter(|row| near(&bodies[*row]))
                    .collect()
            };
            let mut found = Vec::new();
            vicinity.within(at, far, |row, _| found.push(row));
            found.sort_unstable();
            assert_eq!(found, all(&|body| square(body) < far * far));
            found.clear();
            vicinity.touching(at, radius, |row, _| found.push(row));
            found.sort_unstable();
            let expected = all(&|body| {
                let limit = (radius + body.radius) * 1.25;
                square(body) < limit * limit
            });
            assert_eq!(found, expected);
        }
    }
    let mut nobody = Vicinity::default();
    nobody.sort(1.25, 1.0);
    nobody.within([0.0; 3], 100.0, |_, _| panic!("there is nobody"));
}

#[test]
fn as_many_touch_a_cell_as_forces_count() {
    let bodies = motley(1_200, 9);
    let mut vicinity = Vicinity::default();
    vicinity.bodies_mut().extend_from_slice(&bodies);
    vicinity.sort(1.25, 1.0);
    for (own, outcome) in bodies.iter().zip(evaluated(&bodies, creeping())) {
        let mut touching = 0_u16;
        vicinity.touching(own.position, own.radius, |row, _| {
            touching += u16::from(bodies[row].id != own.id);
        });
        assert_eq!(touching, outcome.contacts);
    }
}
