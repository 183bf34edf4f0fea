//! The faces of a block as doors.

use super::*;

fn block() -> TissueBlock {
    TissueBlock {
        name: "block".into(),
        min_um: Vec3::new(-100.0, -50.0, -20.0),
        dims: UVec3::new(10, 5, 2),
        voxel_um: Vec3::splat(20.0),
        walls: true,
        perfusion_length_um: None,
    }
}

#[test]
fn a_site_without_vessels_has_its_faces_for_doors() {
    let block = block();
    let none = SiteDoors::default();
    let ways = SiteWays::new(&block, Some(&none), None);
    assert!(!ways.has_vessels());
    // Twice 200 x 100, 200 x 40 and 100 x 40 um.
    for by in [Extravasation::Leak, Extravasation::Adhesion] {
        assert_eq!(ways.open_um2(by), 2.0 * (20_000.0 + 8_000.0 + 4_000.0));
    }
    assert_eq!(ways.vascularity(), 1.0);
    let from = Vec3::new(90.0, 3.0, 5.0);
    let door = ways.nearest(from, 12.0).expect("10 um away");
    assert_eq!(door.at_um, Vec3::new(100.0, 3.0, 5.0));
    assert_eq!(door.outside_um(8.0), Vec3::new(92.0, 3.0, 5.0));
    assert_eq!(door.lumen_um(), door.at_um);
    assert_eq!(ways.nearest(from, 9.0), None);
    assert_eq!(ways.follow(from, 5.0, 0.5), Followed::Out(from));
}

#[test]
fn faces_are_picked_by_their_area_and_evenly_all_over() {
    let block = block();
    let ways = SiteWays::new(&block, None, None);
    let n = 48;
    let share = |i: usize| (i as f32 + 0.5) / n as f32;
    let mut counts = [0_usize; 3];
    let mut sum = Vec3::ZERO;
    for which in 0..n {
        for along in 0..n {
            for across in 0..n {
                let dice = [share(which), share(along), share(across)];
                let door = ways.pick(Extravasation::Adhesion, dice);
                let door = door.expect("a block has faces");
                let axis = (0..3).find(|axis| door.into_tissue[*axis] != 0.0);
                counts[axis.expect("one is normal to it")] += 1;
                sum += door.at_um;
                let inside = door.outside_um(5.0);
                assert!(inside.cmpgt(block.min_um).all() && inside.cmplt(block.max_um()).all());
            }
        }
    }
    let all = (n * n * n) as f32;
    let shares = counts.map(|count| count as f32 / all);
    // Normal to x 8000 of 64000 um2, to y 16000, to z 40000.
    for (found, expected) in shares.into_iter().zip([0.125, 0.25, 0.625]) {
        assert!((found - expected).abs() < 0.02, "{shares:?}");
    }
    let middle = 0.5 * (block.min_um + block.max_um());
    assert!((sum / all - middle).length() < 2.0, "{}", sum / all);
}

#[test]
fn the_faces_of_a_plane_are_its_edges() {
    let block = block();
    let ways = SiteWays::new(&block, None, Some(&Plane { z_um: 5.0 }));
    for which in [0.0, 0.3, 0.6, 0.99] {
        let door = ways.pick(Extravasation::Leak, [which, 0.2, 0.7]);
        let door = door.expect("it has edges");
        assert_eq!((door.at_um.z, door.into_tissue.z), (5.0, 0.0));
    }
}
