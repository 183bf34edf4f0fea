use super::*;
use crate::cell::body::Body;
use crate::cell::event::StepEvents;
use crate::cell::mechanics::ContactLaw;
use crate::cell::movement::MovementPlugin;
use crate::cell::neighbourhood::{Asking, Neighbourhood, UseNeighbourhood};
use crate::cell::testing::{bench, cell, set, step};
use crate::cell::{BodyParameters, CellType, ContactParameters, Motility, Surroundings};
use crate::core::parallel::for_each_row;
use crate::tissue::{SiteEntry, TissueBlock};

/// How test bonds act.
#[derive(Resource, Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, Reflect)]
struct Hold {
    strength_um_per_min: f32,
    off_per_hour: f32,
}

impl Default for Hold {
    fn default() -> Self {
        Self {
            strength_um_per_min: 10.0,
            off_per_hour: 0.0,
        }
    }
}

impl Parameters for Hold {}

impl BondParameters for Hold {
    fn law(&self) -> BondLaw {
        BondLaw {
            stiffness_per_min: 0.0,
            rest_um: Some(20.0),
            strength_um_per_min: self.strength_um_per_min,
            off_per_hour: self.off_per_hour,
            load_scale_um_per_min: 0.5,
        }
    }
}

const HOLD: BondKind = BondKind {
    name: "test.hold",
    about: "Holds.",
    daughters: DaughterRule::Nearer,
    outlives_death: false,
};

fn app() -> (App, Entity) {
    let mut app = bench(1.0);
    app.add_plugins((BondsPlugin, MovementPlugin))
        .register_bond::<Hold>(HOLD)
        .init_resource::<StepEvents>();
    set(
        &mut app,
        ContactParameters {
            adhesion_um_per_min: 0.0,
            repulsion_um_per_min: 0.0,
            ..ContactParameters::default()
        },
    );
    let block = TissueBlock {
        name: "block".into(),
        min_um: Vec3::splat(-5_000.0),
        dims: UVec3::splat(10),
        voxel_um: Vec3::splat(1_000.0),
        walls: false,
        perfusion_length_um: None,
    };
    let site = app
        .world_mut()
        .spawn((SiteId(0), block.clone(), SiteMechanics::default()))
        .id();
    app.insert_resource(Sites {
        list: vec![SiteEntry {
            entity: site,
            fields: Vec::new(),
            block,
        }],
    });
    (app, site)
}

fn spawn(app: &mut App, id: u64, at: Vec3) -> Entity {
    let bundle = (
        cell(id, Surroundings::default()),
        Position(at),
        BodyParameters::default().resting_body(),
        Vital::default(),
    );
    app.world_mut().spawn(bundle).id()
}

fn told(app: &mut App) -> Vec<(EventKind, u64, Option<u64>)> {
    let mut events = Vec::new();
    app.world_mut()
        .resource_mut::<EventBook>()
        .hand_on(1, &mut events);
    events
        .iter()
        .map(|event| (event.kind, event.cell.0, event.other.map(|other| other.0)))
        .collect()
}

fn bonds(app: &App, site: Entity) -> Vec<(u64, u64, f32)> {
    let mechanics = app.world().get::<SiteMechanics>(site).expect("it is there");
    let list = mechanics.bonds.iter();
    list.map(|bond| (bond.a.0, bond.b.0, bond.load)).collect()
}

#[test]
fn booked_bonds_form_age_and_are_cut_and_told() {
    let (mut app, site) = app();
    let cells: Vec<Entity> = (0..4)
        .map(|id| spawn(&mut app, id, Vec3::X * 25.0 * id as f32))
        .collect();
    let book = |app: &App, a: usize, b: usize| {
        let world = app.world();
        let kind = world.resource::<BondKinds>().id("test.hold");
        let book = world.resource::<BondBook>();
        book.form(kind, [cells[a], cells[b]]);
        kind
    };
    let kind = book(&app, 1, 0);
    book(&app, 0, 1);
    book(&app, 2, 2);
    step(&mut app);
    assert_eq!(bonds(&app, site), [(0, 1, 0.0)]);
    assert_eq!(told(&mut app), [(BOND_FORMED, 0, Some(1))]);
    book(&app, 1, 2);
    step(&mut app);
    let mechanics = app.world().get::<SiteMechanics>(site).expect("it is there");
    let ages: Vec<f32> = mechanics
        .bonds
        .iter()
        .map(|bond| bond.age_min(2, 1.0))
        .collect();
    assert_eq!(ages, [2.0, 1.0]);
    app.world()
        .resource::<BondBook>()
        .cut(kind, [cells[0], cells[1]]);
    step(&mut app);
    assert_eq!(bonds(&app, site), [(1, 2, 0.0)]);
    assert_eq!(
        told(&mut app),
        [(BOND_FORMED, 1, Some(2)), (BOND_BROKEN, 0, Some(1))]
    );
    // A cell that dies lets go.
    let mut vital = app
        .world_mut()
        .get_mut::<Vital>(cells[2])
        .expect("it is there");
    vital.state = crate::cell::State::Apoptotic;
    step(&mut app);
    assert!(bonds(&app, site).is_empty());
}

#[test]
fn bonds_tear_at_the_rate_of_bells_law() {
    let (mut app, site) = app();
    app.insert_resource(Hold {
        strength_um_per_min: 1.0,
        off_per_hour: 0.3,
    });
    let kind = app.world().resource::<BondKinds>().id("test.hold");
    let pairs = 3_000;
    // A third without load, a third at the scale of load, a third beyond their strength.
    let loads = [0.0, 0.5, 1.5];
    for pair in 0..pairs {
        let ids = [2 * pair, 2 * pair + 1];
        let at = Vec3::new(
            (pair % 50) as f32 * 60.0 - 1_500.0,
            (pair / 50) as f32 * 60.0,
            0.0,
        );
        spawn(&mut app, ids[0], at);
        spawn(&mut app, ids[1], at + Vec3::X * 20.0);
        let bond = Bond {
            load: loads[pair as usize % 3],
            ..Bond::new(kind, ids.map(CellId), 20.0, 0.0)
        };
        let mut mechanics = app
            .world_mut()
            .get_mut::<SiteMechanics>(site)
            .expect("it is there");
        mechanics.bonds.add(bond);
    }
    step(&mut app);
    let left = bonds(&app, site);
    let share = |third: u64| {
        let of = left.iter().filter(|(a, ..)| a / 2 % 3 == third).count();
        1.0 - of as f64 / (pairs as f64 / 3.0)
    };
    let expected = |rate: f64| 1.0 - (-rate / 60.0).exp();
    for (third, rate) in [(0, 0.3), (1, 0.3 * std::f64::consts::E)] {
        let expected = expected(rate);
        let error = (expected / 1_000.0).sqrt();
        let found = share(third);
        assert!(
            (found - expected).abs() < 4.0 * error,
            "{found}, {expected}"
        );
    }
    assert_eq!(share(2), 1.0);
}

#[test]
fn a_bond_goes_to_the_daughter_that_lies_nearer() {
    let (mut app, site) = app();
    let mother = spawn(&mut app, 0, Vec3::ZERO);
    let right = spawn(&mut app, 1, Vec3::X * 20.0);
    let left = spawn(&mut app, 2, Vec3::X * -20.0);
    let kind = app.world().resource::<BondKinds>().id("test.hold");
    for other in [right, left] {
        app.world()
            .resource::<BondBook>()
            .form(kind, [mother, other]);
    }
    step(&mut app);
    let daughter = spawn(&mut app, 3, Vec3::X * 5.0);
    app.world_mut()
        .get_mut::<Position>(mother)
        .expect("it is there")
        .0 = Vec3::X * -5.0;
    divide(app.world_mut(), mother, daughter);
    let pairs: Vec<(u64, u64)> = bonds(&app, site).iter().map(|(a, b, _)| (*a, *b)).collect();
    assert_eq!(pairs, [(0, 2), (1, 3)]);
}

#[test]
fn cells_ask_who_is_near_from_parallel_loops_and_book_bonds() {
    fn bind_pairs(
        kinds: Res<BondKinds>,
        book: Res<BondBook>,
        near: Neighbourhood,
        cells: Query<(Entity, &CellId, &CellType, &Resident, &Position, &Body)>,
    ) {
        let kind = kinds.id("test.hold");
        let cells: Vec<_> = cells.iter().collect();
        for_each_row(cells.len(), |row| {
            let (entity, id, _, resident, position, body) = cells[row];
            let asking = Asking {
                id: *id,
                site: resident.0,
                at_um: position.0,
            };
            let law = ContactLaw::default();
            let reach = law.reach() * law.contact_per_body();
            near.touching(asking, body.radius_um, &[], |touching| {
                assert!(touching.is_sorted_by_key(|other| other.id));
                for other in touching {
                    assert!(other.distance_um < reach * (body.radius_um + other.radius_um));
                    book.form(kind, [entity, other.entity]);
                }
            });
            near.within(asking, 100.0, &[1], |none| assert!(none.is_empty()));
        });
    }
    let (mut app, site) = app();
    app.use_neighbourhood()
        .use_neighbourhood()
        .add_systems(SimSchedule, bind_pairs.in_set(SimSystems::Act));
    for id in 0..300 {
        spawn(
            &mut app,
            id,
            Vec3::new(20.0 * id as f32 - 3_000.0, 0.0, 0.0),
        );
    }
    step(&mut app);
    let expected: Vec<(u64, u64, f32)> = (0..299).map(|id| (id, id + 1, 0.0)).collect();
    assert_eq!(bonds(&app, site), expected);
}

#[test]
fn fast_walkers_go_the_distance_of_theory_at_any_step_among_resting_cells_that_stay() {
    // Mean squared displacement of a persistent walk, Furth 1920: 2 S^2 P (t - P (1 - exp(-t/P))).
    let (speed, persistence, hour) = (10.0_f32, 4.0_f32, 60.0_f64);
    for minutes in [1.0, 2.0, 5.0, 10.0] {
        let (mut app, _) = app();
        app.insert_resource(Clock::new(minutes))
            .add_plugins(crate::cell::motility::MotilityPlugin);
        let parameters = crate::cell::MotilityParameters {
            speed_um_per_min: speed,
            persistence_min: persistence,
        };
        set(&mut app, parameters.clone());
        let resting: Vec<(Entity, Vec3)> = (0..4_000_u64)
            .map(|id| {
                let at = Vec3::new((id % 20) as f32, (id / 20 % 20) as f32, (id / 400) as f32);
                let at = (at - 10.0) * 17.0;
                (spawn(&mut app, id, at), at)
            })
            .collect();
        let walkers: Vec<Entity> = (10_000..10_400_u64)
            .map(|id| {
                let walker = spawn(&mut app, id, Vec3::ZERO);
                let key = *app.world().resource::<RandomKey>();
                let mut random =
                    key.stream(CellId(id), 0, crate::cell::motility::INITIAL_DIRECTION);
                let motility = Motility::new(&mut random, &parameters);
                app.world_mut().entity_mut(walker).insert(motility);
                walker
            })
            .collect();
        let (mut sum, mut windows) = (0.0, 0.0);
        let mut begun: Vec<Vec3> = vec![Vec3::ZERO; walkers.len()];
        for _ in 0..10 {
            for _ in 0..(hour / f64::from(minutes as f32)) as u32 {
                step(&mut app);
            }
            for (walker, begun) in walkers.iter().zip(&mut begun) {
                let mut position = app
                    .world_mut()
                    .get_mut::<Position>(*walker)
                    .expect("it is there");
                sum += f64::from(position.0.distance_squared(*begun));
                windows += 1.0;
                // Back into the tissue.
                position.0 *= 0.2;
                *begun = position.0;
            }
        }
        let (s, p) = (f64::from(speed), f64::from(persistence));
        let expected = 2.0 * s * s * p * (hour - p * (1.0 - (-hour / p).exp()));
        let found: f64 = sum / windows;
        assert!(
            (found / expected - 1.0).abs() < 0.03,
            "{minutes} min: {found}, {expected}"
        );
        for (cell, at) in &resting {
            assert_eq!(
                app.world().get::<Position>(*cell).expect("it is there").0,
                *at
            );
        }
    }
}
