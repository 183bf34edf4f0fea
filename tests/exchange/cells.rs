//! Cells in vessels.

use super::*;
use tumorscape::cell::doors::{Extravasation, InVessel, SiteDoors, SiteWays, VesselCalls};
use tumorscape::cell::event::EventKind;
use tumorscape::cell::{Position, Resident};
use tumorscape::core::CellId;

const SCENE: &str = r#"(title: "patrol", about: "a cell in a vessel", pace: Calibrated, duration: Hours(4),
    sites: [(name: "lung", organ: Lung, size_um: (200, 200, 200), fields: [],
        tissue: (vessels: [(place: Parent(from_um: (-100, 0, 0), to_um: (100, 0, 0), radius_um: 6), artery_mmhg: 30, vein_mmhg: 28)]))],
    cell_types: [(name: "patrol", about: "crawls in vessels", colour: (1, 1, 1), tumour: false, in_vessels: (crawl_um_per_min: 5))],
    populations: [(cell: "patrol", place: Cells([(at_um: (-60, 14, 0)), (at_um: (-60, -40, 0))]))])"#;

fn place(simulation: &Simulation, cell: u64) -> (Vec3, bool, Resident) {
    let world = simulation.world();
    let mut cells = world
        .try_query::<(&CellId, &Position, &InVessel, &Resident)>()
        .expect("there are cells");
    let found = cells.iter(world).find(|(id, ..)| id.0 == cell);
    let (_, position, vessel, resident) = found.expect("it is there");
    (position.0, vessel.is_inside(), *resident)
}

fn first_two(simulation: &Simulation) -> [u64; 2] {
    let world = simulation.world();
    let mut cells = world.try_query::<&CellId>().expect("there are cells");
    let mut ids: Vec<u64> = cells.iter(world).map(|id| id.0).collect();
    ids.sort_unstable();
    [ids[0], ids[1]]
}

#[test]
fn a_cell_goes_into_a_vessel_follows_its_flow_and_leaves_with_it() {
    let mut simulation = begin(SCENE, 3);
    simulation.verify();
    simulation.step();
    let [a, b] = first_two(&simulation);
    let door = {
        let world = simulation.world();
        let site = site(&simulation);
        let doors = world.get::<SiteDoors>(site.entity).expect("it has vessels");
        let ways = SiteWays::new(&site.block, Some(doors), None);
        assert!(ways.has_vessels());
        let surface = std::f32::consts::TAU * 6.0 * 200.0;
        assert!((ways.open_um2(Extravasation::Leak) / surface - 1.0).abs() < 0.01);
        assert_eq!(ways.nearest(Vec3::new(-60.0, -40.0, 0.0), 20.0), None);
        ways.nearest(Vec3::new(-60.0, 14.0, 0.0), 20.0)
            .expect("8 um away")
    };
    assert!(
        (door.at_um - Vec3::new(-60.0, 6.0, 0.0)).length() < 1e-3,
        "{door:?}"
    );
    assert!((door.into_tissue - Vec3::Y).length() < 1e-4);
    assert!(door.flow_um_per_s.x > 50.0 && door.flow_um_per_s.y.abs() < 1e-3);
    let calls = simulation.world().resource::<VesselCalls>();
    calls.enter(CellId(a), door.lumen_um());
    simulation.step();
    let (at, is_inside, _) = place(&simulation, a);
    assert!(
        is_inside && (at - Vec3::new(-55.0, 0.0, 0.0)).length() < 1e-2,
        "{at}"
    );
    assert!(!place(&simulation, b).1);
    // Out again, and in again.
    simulation
        .world()
        .resource::<VesselCalls>()
        .leave(CellId(a));
    simulation.step();
    let (at, is_inside, _) = place(&simulation, a);
    assert!(!is_inside && at.yz().length() > 6.0, "{at}");
    simulation
        .world()
        .resource::<VesselCalls>()
        .enter(CellId(a), Vec3::new(at.x, 0.0, 0.0));
    let mut steps = 0;
    let mut told = Vec::new();
    while !place(&simulation, a).2.0.is_transit() {
        simulation.step();
        assert!(simulation.violation().is_none());
        told.extend(simulation.events().iter().map(|event| event.kind));
        steps += 1;
        assert!(steps < 100);
    }
    // 155 um at 5 um/min.
    assert!((30..=34).contains(&steps), "{steps}");
    assert!(told.contains(&EventKind::of("carried_off")));
    assert!(!place(&simulation, a).1);
}

#[test]
fn walls_are_picked_evenly_by_their_surface() {
    let mut simulation = begin(SCENE, 3);
    simulation.step();
    let world = simulation.world();
    let site = site(&simulation);
    let doors = world.get::<SiteDoors>(site.entity).expect("it has vessels");
    let ways = SiteWays::new(&site.block, Some(doors), None);
    let n = 30;
    let mut sum = Vec3::ZERO;
    for i in 0..n * n * n {
        let share = |i: usize| (i as f32 + 0.5) / n as f32;
        let dice = [share(i % n), share(i / n % n), share(i / n / n)];
        let door = ways.pick(Extravasation::Adhesion, dice);
        let door = door.expect("there are walls");
        assert!((door.at_um.yz().length() - 6.0).abs() < 1e-3);
        assert!((door.outside_um(4.0).yz().length() - 10.0).abs() < 1e-3);
        sum += door.at_um / (n * n * n) as f32;
    }
    assert!(sum.length() < 2.0, "{sum}");
}

#[test]
fn vegf_makes_walls_leak_more_and_hold_fewer_leukocytes() {
    // The same vessel in two sites, in one of them in 1 nM of VEGF-A that stays.
    let site = |name: &str, vegf: f32| {
        format!(
            r#"(name: "{name}", organ: Breast, size_um: (200, 200, 200), fields: [(molecule: "vegf_a", level: {vegf}, faces: Closed)],
            tissue: (vessels: [(place: Parent(from_um: (-100, 0, 0), to_um: (100, 0, 0), radius_um: 6), artery_mmhg: 30, vein_mmhg: 28)]))"#
        )
    };
    let scene = format!(
        r#"(title: "anergy", about: "two vessels", pace: Calibrated, duration: Hours(4), sites: [{}, {}],
        parameters: {{"molecules.vegf_a.decay_per_min": 0}},
        cell_types: [(name: "cancer", about: "none is there", colour: (1, 1, 1), tumour: true)])"#,
        site("tumour", 1.0),
        site("twin", 0.0)
    );
    let mut simulation = begin(&scene, 3);
    simulation.verify();
    for _ in 0..60 {
        simulation.step();
    }
    assert_eq!(simulation.violation(), None);
    let world = simulation.world();
    let open = |site: usize, by| {
        let site = &world.resource::<Sites>().list[site];
        let doors = world.get::<SiteDoors>(site.entity).expect("it has vessels");
        SiteWays::new(&site.block, Some(doors), None).open_um2(by)
    };
    // By hand, h(1; 0.3, 2) = 0.917: three tenths are left to hold on to where all is bound, and ten times as much leaks.
    let bound = 1.0 / (1.0 + 0.09);
    for (by, fold) in [
        (Extravasation::Adhesion, 1.0 - 0.7 * bound),
        (Extravasation::Leak, 1.0 + 9.0 * bound),
    ] {
        let found = open(0, by) / open(1, by);
        assert!((found / fold - 1.0).abs() < 0.02, "{by:?}: {found}, {fold}");
    }
}
