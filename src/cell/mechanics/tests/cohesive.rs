//! The law that holds tissue together: the same forces and bits as by its definition, and what becomes of balls of cells.

use super::*;

const LAW: ContactLaw = ContactLaw::Cohesive;

fn cohesive() -> MechanicsParameters {
    MechanicsParameters::of(LAW)
}

fn usual(id: u64, position: [f32; 3], radius: f32) -> ContactBody {
    ContactBody {
        id: CellId(id),
        position,
        radius,
        adhesion: LAW.adhesion(),
        repulsion: LAW.repulsion(),
    }
}

/// Velocity, pressure and crowding of every cell by the definition, in double precision.
fn definition(bodies: &[ContactBody]) -> Vec<([f64; 3], f64, f64)> {
    let push = |c: f64, u: f64| c * u * (1.0 + 6.0 * u);
    bodies
        .iter()
        .map(|own| {
            let (mut velocity, mut pressure, mut crowding) = ([0.0; 3], 0.0, 0.0);
            for other in bodies.iter().filter(|other| other.id != own.id) {
                let d = distance(own.position, other.position);
                let s = d / (f64::from(own.radius) + f64::from(other.radius));
                let mean = |a: f32, b: f32| (f64::from(a) * f64::from(b)).sqrt();
                let force = if s < 1.0 {
                    push(mean(own.repulsion, other.repulsion), 1.0 - s)
                } else if s < 1.4 {
                    let share = 4.0 * (s - 1.0) * (1.4 - s) / (0.4 * 0.4);
                    -mean(own.adhesion, other.adhesion) * share
                } else {
                    continue;
                };
                pressure += force;
                crowding += 1.0 - s / 1.4;
                for (axis, velocity) in velocity.iter_mut().enumerate() {
                    let along = f64::from(own.position[axis]) - f64::from(other.position[axis]);
                    *velocity += force * along / d;
                }
            }
            (
                velocity,
                pressure / (12.0 * push(1.4, 0.047_687_2)),
                crowding,
            )
        })
        .collect()
}

#[test]
fn forces_pressure_and_crowding_agree_with_the_definition() {
    let even = cloud(1500, 1.5, 1);
    let even: Vec<ContactBody> = even
        .iter()
        .map(|body| usual(body.id.0, body.position, body.radius))
        .collect();
    for bodies in [even, motley(1500, 2)] {
        let found = evaluated(&bodies, cohesive());
        for ((velocity, pressure, crowding), found) in definition(&bodies).iter().zip(&found) {
            let error = difference(*velocity, found.velocity);
            assert!(error < 5e-4, "{velocity:?} is {:?}", found.velocity);
            let wrong = (pressure - f64::from(found.pressure)).abs();
            assert!(
                wrong < 2e-4 * (1.0 + pressure.abs()),
                "{pressure} {found:?}"
            );
            let wrong = (crowding - f64::from(found.crowding)).abs();
            assert!(wrong < 1e-4 * (1.0 + crowding), "{crowding} {found:?}");
        }
    }
}

#[test]
fn a_pair_alone_feels_what_it_feels_among_many() {
    for law in [ContactLaw::Cohesive, ContactLaw::PhysiCell] {
        let parameters = MechanicsParameters::of(law);
        for hundredths in 5..150 {
            let relative = 0.01 * hundredths as f32;
            let pair = [(0, 0.0), (1, 20.0 * relative)];
            let pair = pair.map(|(id, x)| ContactBody {
                adhesion: law.adhesion(),
                repulsion: law.repulsion(),
                ..usual(id, [x, 0.0, 0.0], 10.0)
            });
            let found = evaluated(&pair, parameters)[1].velocity[0];
            let strengths = [law.adhesion(), law.repulsion()];
            let alone = super::super::contacts::force_between(&parameters, relative, strengths);
            let alone = if relative < parameters.reach {
                alone
            } else {
                0.0
            };
            assert!(
                (found - alone).abs() < 1e-4 * law.repulsion(),
                "{law:?} {relative}: {found}, {alone}"
            );
        }
    }
}

#[test]
fn every_instruction_set_and_order_of_rows_gives_the_same_bits() {
    for bodies in [cloud(4_000, 2.0, 11), motley(4_000, 12)] {
        let mut dice = Dice(3);
        let walks: Vec<[f32; 3]> = bodies.iter().map(|_| dice.point(0.2)).collect();
        let friction: Vec<f32> = bodies.iter().map(|_| 0.5 + dice.roll()).collect();
        let mut results = InstructionSet::available().into_iter().map(|set| {
            let mut kernel = Mechanics::on(cohesive(), set);
            kernel.bodies_mut().extend_from_slice(&bodies);
            let surroundings = Influences {
                active: &walks,
                friction: &friction,
                ..Default::default()
            };
            kernel.relax(3.0, &surroundings);
            outcomes(&kernel).iter().map(bits).collect::<Vec<_>>()
        });
        let portable = results.next().expect("the portable one is always there");
        assert!(results.all(|other| other == portable));
        let mut order: Vec<usize> = (0..bodies.len()).collect();
        dice.shuffle(&mut order);
        let walks: Vec<[f32; 3]> = order.iter().map(|row| walks[*row]).collect();
        let friction: Vec<f32> = order.iter().map(|row| friction[*row]).collect();
        let mut shuffled = Mechanics::new(cohesive());
        let rows = order.iter().map(|row| bodies[*row]);
        shuffled.bodies_mut().extend(rows);
        let surroundings = Influences {
            active: &walks,
            friction: &friction,
            ..Default::default()
        };
        shuffled.relax(3.0, &surroundings);
        for (row, original) in order.iter().enumerate() {
            assert_eq!(bits(&outcome(&shuffled, row)), portable[*original]);
        }
    }
}

#[test]
fn friction_divides_the_speed_and_not_what_a_cell_walks_alone() {
    let pair = [
        usual(0, [0.0; 3], 10.0),
        usual(1, [18.0, 0.0, 0.0], 10.0),
        usual(2, [300.0, 0.0, 0.0], 10.0),
    ];
    let walks = [[0.0; 3], [0.0; 3], [0.0, 0.1, 0.0]];
    let found = |friction: &[f32]| {
        let mut kernel = Mechanics::new(cohesive());
        kernel.bodies_mut().extend(pair);
        kernel.sort();
        kernel.evaluate(&Influences {
            active: &walks,
            friction,
            ..Default::default()
        });
        [0, 1, 2].map(|row| outcome(&kernel, row).velocity)
    };
    let (usual, slowed) = (found(&[]), found(&[4.0, 0.5, 4.0]));
    // 1.4 u (1 + 6 u) at an overlap of a tenth.
    assert!((usual[1][0] - 0.224).abs() < 1e-6 && (usual[0][0] + 0.224).abs() < 1e-6);
    assert!((slowed[0][0] * 4.0 - usual[0][0]).abs() < 1e-6);
    assert!((slowed[1][0] * 0.5 - usual[1][0]).abs() < 1e-6);
    assert_eq!(slowed[2], walks[2]);
}

#[test]
fn a_walking_cell_makes_its_way_among_others_up_to_its_force_and_no_faster_than_alone() {
    let alone = [0.1, 0.0, 0.0];
    let held = [-0.3, 0.2, 0.0];
    for (grip, expected) in [(0.0, -0.2), (0.1, -0.1), (0.3, 0.1), (5.0, 0.1)] {
        let found = drive(held, alone, grip);
        assert!((found[0] - expected).abs() < 1e-6, "{grip}: {found:?}");
        assert_eq!([found[1], found[2]], [0.2, 0.0]);
    }
    // Helped along it needs no force.
    assert!((drive([0.3, 0.0, 0.0], alone, 5.0)[0] - 0.4).abs() < 1e-6);
    let parameters = cohesive();
    assert!((parameters.grip(6) - 0.25 * parameters.walking_force).abs() < 1e-6);
    assert_eq!(parameters.grip(14), parameters.walking_force);
}

/// A ball of cells that walk in directions that are drawn anew every 15 minutes on average.
struct Ball {
    kernel: Mechanics,
    walks: Vec<[f32; 3]>,
    dice: Dice,
    speed: f32,
}

impl Ball {
    /// Cells of close-packed points at this spacing, over the distance of contact of 19.5 um.
    fn new(radius: f32, spacing: f32, speed: f32) -> Self {
        let spacing = 19.5 * spacing;
        let edge = (2.4 * radius / spacing) as usize + 2;
        let points = close_packed(edge, spacing);
        let count = points.len() as f32;
        let centre: [f32; 3] =
            std::array::from_fn(|axis| points.iter().map(|at| at[axis]).sum::<f32>() / count);
        let near = points
            .iter()
            .map(|at| std::array::from_fn(|axis| at[axis] - centre[axis]))
            .filter(|at: &[f32; 3]| distance(*at, [0.0; 3]) < f64::from(radius));
        let mut kernel = Mechanics::new(cohesive());
        let bodies = near
            .enumerate()
            .map(|(id, at)| usual(id as u64, at, 19.5 / 2.0));
        kernel.bodies_mut().extend(bodies);
        let walks = vec![[0.0; 3]; kernel.bodies().len()];
        Self {
            kernel,
            walks,
            dice: Dice(5),
            speed,
        }
    }

    fn step(&mut self, minutes: f32) {
        let turns = 1.0 - bevy::math::ops::exp(-minutes / 15.0);
        for walk in &mut self.walks {
            if *walk == [0.0; 3] || self.dice.roll() < turns {
                let d = loop {
                    let d = self.dice.point(2.0).map(|x| x - 1.0);
                    let square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
                    if (0.01..1.0).contains(&square) {
                        break d.map(|x| x / square.sqrt());
                    }
                };
                *walk = d.map(|x| x * self.speed);
            }
        }
        let surroundings = Influences {
            active: &self.walks,
            ..Default::default()
        };
        self.kernel.relax(minutes, &surroundings);
        let moved = outcomes(&self.kernel);
        for (body, moved) in self.kernel.bodies_mut().iter_mut().zip(moved) {
            body.position = moved.position;
        }
    }

    /// Radius of an even ball of the same spread, um; contacts; cells per mL within 0.7 of it.
    fn measure(&mut self) -> [f64; 3] {
        self.kernel.sort();
        self.kernel.evaluate(&Influences::default());
        let found = outcomes(&self.kernel);
        let count = found.len() as f64;
        let centre: [f64; 3] = std::array::from_fn(|axis| {
            found
                .iter()
                .map(|of| f64::from(of.position[axis]))
                .sum::<f64>()
                / count
        });
        let centre = centre.map(|x| x as f32);
        let squares = found.iter().map(|of| distance(of.position, centre).powi(2));
        let radius = (squares.sum::<f64>() / count * 5.0 / 3.0).sqrt();
        let contacts = found.iter().map(|of| f64::from(of.contacts)).sum::<f64>() / count;
        let inner = 0.7 * radius;
        let inside = found
            .iter()
            .filter(|of| distance(of.position, centre) < inner);
        let volume = 4.0 / 3.0 * std::f64::consts::PI * inner.powi(3);
        [radius, contacts, inside.count() as f64 / volume * 1e12]
    }
}

#[test]
fn balls_that_were_pressed_or_stretched_come_to_the_same_density() {
    let found = [0.9, 0.97, 1.06].map(|spacing| {
        let mut ball = Ball::new(115.0 * spacing, spacing, 0.1);
        for _ in 0..1_000 {
            ball.step(2.0);
        }
        ball.measure()[2]
    });
    for density in found {
        assert!((1.9e8..2.2e8).contains(&density), "{found:?}");
        assert!((density / found[1] - 1.0).abs() < 0.04, "{found:?}");
    }
}

#[test]
#[ignore = "a minute; run with `cargo test --release -- --ignored`"]
fn a_ball_keeps_its_radius_and_contacts_for_eight_days_at_any_speed_and_step() {
    for (speed, minutes) in [(0.05, 1.0), (0.1, 0.5), (0.1, 1.0), (0.1, 10.0), (0.2, 1.0)] {
        let mut ball = Ball::new(190.0, 0.974, speed);
        let advance = |ball: &mut Ball, hours: f32| {
            for _ in 0..(hours * 60.0 / minutes) as usize {
                ball.step(minutes);
            }
            ball.measure()
        };
        // The lattice melts at first.
        let start = advance(&mut ball, 12.0);
        let end = advance(&mut ball, 180.0);
        println!("{speed} um/min, steps of {minutes} min: {start:?}, {end:?}");
        assert!((end[0] / start[0] - 1.0).abs() < 0.02, "{start:?} {end:?}");
        assert!((end[1] / start[1] - 1.0).abs() < 0.1, "{start:?} {end:?}");
    }
}

/// Share of contacts that are between cells of two kinds, and the mean distance of each kind from the middle, um.
fn mixing(ball: &Ball, kinds: &[bool]) -> (f64, [f64; 2]) {
    let bodies = ball.kernel.bodies();
    let (mut unlike, mut all) = (0.0, 0.0);
    for (row, own) in bodies.iter().enumerate() {
        for (other, body) in bodies.iter().enumerate().skip(row + 1) {
            let reach = f64::from(LAW.reach() * (own.radius + body.radius));
            if distance(own.position, body.position) < reach {
                all += 1.0;
                unlike += f64::from(u8::from(kinds[row] != kinds[other]));
            }
        }
    }
    let far = |kind: bool| {
        let of = bodies.iter().zip(kinds).filter(|(_, of)| **of == kind);
        let far: Vec<f64> = of.map(|(of, _)| distance(of.position, [0.0; 3])).collect();
        far.iter().sum::<f64>() / far.len() as f64
    };
    (unlike / all, [far(true), far(false)])
}

#[test]
#[ignore = "half a minute; run with `cargo test --release -- --ignored`"]
fn cells_of_strong_and_weak_adhesion_sort_within_three_days_and_equal_ones_stay_mixed() {
    let sorted = [true, false].map(|differ| {
        let mut ball = Ball::new(165.0, 0.974, 0.1);
        let mut dice = Dice(8);
        let bodies = ball.kernel.bodies_mut();
        let kinds: Vec<bool> = bodies.iter().map(|_| dice.roll() < 0.5).collect();
        for (body, strong) in bodies.iter_mut().zip(&kinds) {
            body.adhesion = match (differ, strong) {
                (false, _) => LAW.adhesion(),
                (true, true) => 0.4,
                (true, false) => 0.02,
            };
        }
        let before = mixing(&ball, &kinds).0;
        for _ in 0..72 * 60 {
            ball.step(1.0);
        }
        let (after, [strong, weak]) = mixing(&ball, &kinds);
        println!(
            "unlike contacts {before:.3}, {after:.3}; {strong:.0} and {weak:.0} um from the middle"
        );
        (after / before, weak - strong)
    });
    let [(differ, outside), (equal, _)] = sorted;
    assert!(differ < 0.5 && outside > 10.0, "{sorted:?}");
    assert!(equal > 0.9, "{sorted:?}");
}
