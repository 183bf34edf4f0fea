//! Surfaces, elements and what holds bodies, against closed forms.

use bevy::math::ops;

use super::sheet::Pores;
use super::surface::{Surface, Tiling};
use super::*;
use crate::cell::barrier::{Barrier, Displaced, SiteBarriers};
use crate::cell::mechanics::Faces;
use crate::core::random::{Purpose, RandomKey};

const TESTS: Purpose = Purpose::of("test.membrane");

fn block() -> TissueBlock {
    TissueBlock {
        name: "block".into(),
        min_um: Vec3::splat(-200.0),
        dims: UVec3::splat(20),
        voxel_um: Vec3::splat(20.0),
        walls: true,
        perfusion_length_um: None,
    }
}

fn duct(capped: bool) -> Around {
    Around::Duct {
        from_um: (-80.0, 10.0, -20.0),
        to_um: (60.0, 40.0, 30.0),
        radius_um: 50.0,
        capped,
    }
}

const ACINUS: Around = Around::Acinus {
    centre_um: (5.0, -10.0, 20.0),
    radius_um: 60.0,
};

const PLANE: Around = Around::Plane {
    through_um: (0.0, 0.0, 30.0),
    normal: (0.2, -0.3, 2.0),
};

fn membranes(around: Around, density: f32) -> Membranes {
    let description = MembraneDescription {
        around,
        element_um: 8.0,
        density,
    };
    let mut membranes = Membranes::new(&[description], &block());
    let parameters = MembranesParameters::default();
    membranes.pores.set(&parameters, [7.0, 2.0].into_iter());
    membranes
}

fn body(cell_type: u16) -> Displaced {
    Displaced {
        cell: CellId(3),
        cell_type,
        radius_um: 8.0,
        in_plane: false,
    }
}

#[test]
fn elements_cover_their_surface_and_are_found_where_they_are() {
    use std::f32::consts::PI;
    let length = Vec3::new(140.0, 30.0, 50.0).length();
    for (around, area) in [
        (duct(false), Some(2.0 * PI * 50.0 * length)),
        (
            duct(true),
            Some(2.0 * PI * 50.0 * length + 4.0 * PI * 50.0 * 50.0),
        ),
        (ACINUS, Some(4.0 * PI * 60.0 * 60.0)),
        (PLANE, None),
    ] {
        for element_um in [5.0, 8.0, 12.0] {
            let surface = Surface::of(&around);
            let tiling = Tiling::new(&surface, element_um, &block());
            let (mut sum, mut flat) = (0.0_f64, 0.0_f64);
            for (number, element) in tiling.elements.iter().enumerate() {
                let at = element.centre_um;
                assert!(surface.see(at).distance_um.abs() < 1e-3);
                for off in [-30.0, 0.0, 20.0] {
                    let seen = surface.see(at);
                    let found = tiling.element_at(&surface, at + seen.outwards * off);
                    assert_eq!(found, Some(number), "{around:?} {element_um}");
                }
                let [a, b, c, d] = element.corners_um;
                flat += f64::from(0.5 * (c - a).cross(d - b).length());
                sum += f64::from(element.area_um2);
            }
            if let Some(area) = area {
                assert!((sum / f64::from(area) - 1.0).abs() < 1e-4, "{sum} {area}");
            }
            // Pieces drawn flat make up nearly all of it.
            assert!((flat / sum - 1.0).abs() < 0.03, "{flat} {sum}");
            let mean = sum / tiling.elements.len() as f64;
            let wanted = f64::from(element_um * element_um);
            assert!((mean / wanted - 1.0).abs() < 0.15, "{mean} {wanted}");
        }
    }
}

#[test]
fn a_capped_duct_has_no_hole_at_its_poles() {
    for length in 20..300 {
        let length = length as f32;
        let surface = Surface::of(&Around::Duct {
            from_um: (0.0, 0.0, 0.0),
            to_um: (0.0, 0.0, length),
            radius_um: 50.0,
            capped: true,
        });
        let tiling = Tiling::new(&surface, 8.0, &block());
        for pole in [-50.0, length + 50.0] {
            let found = tiling.element_at(&surface, Vec3::Z * pole);
            assert!(found.is_some(), "{length} um long, at {pole}");
        }
    }
}

#[test]
fn elements_near_a_place_are_those_that_a_search_of_all_finds() {
    let mut random = RandomKey(5).stream(CellId(0), 0, TESTS);
    for around in [duct(false), duct(true), ACINUS, PLANE] {
        let surface = Surface::of(&around);
        let tiling = Tiling::new(&surface, 7.0, &block());
        for _ in 0..200 {
            let place = Vec3::new(random.uniform(), random.uniform(), random.uniform());
            let point = (place - 0.5) * 260.0;
            let seen = surface.see(point);
            let at = point - seen.outwards * seen.distance_um;
            let within = 5.0 + 20.0 * random.uniform();
            let mut found = Vec::new();
            tiling.for_each_near(&surface, point, within, |element| found.push(element));
            found.sort_unstable();
            let all = tiling.elements.iter().enumerate();
            let expected: Vec<usize> = all
                .filter(|(_, element)| element.centre_um.distance_squared(at) <= within * within)
                .map(|(number, _)| number)
                .collect();
            assert_eq!(found, expected, "{around:?} at {point}");
        }
    }
}

#[test]
fn a_closed_membrane_is_passed_by_no_way_however_long() {
    let mut random = RandomKey(6).stream(CellId(0), 0, TESTS);
    for around in [duct(true), ACINUS, PLANE] {
        let membranes = membranes(around, 0.74);
        let surface = Surface::of(&around);
        for _ in 0..200 {
            let place = Vec3::new(random.uniform(), random.uniform(), random.uniform());
            let mut at = (place - 0.5) * 200.0;
            let side = surface.see(at).distance_um > 0.0;
            for _ in 0..100 {
                // Ways of 0.01 to 100 um.
                let long = ops::powf(10.0, 4.0 * random.uniform() - 2.0);
                // Walls keep it in the block, beyond which there is no plane.
                let to = at + random.direction() * long;
                let to = to.clamp(Vec3::splat(-200.0), Vec3::splat(200.0));
                at = membranes.hold(body(0), at, to);
                let seen = surface.see(at);
                assert_eq!(seen.distance_um > 0.0, side, "{around:?}: {at}");
            }
        }
    }
}

#[test]
fn a_body_leans_on_a_closed_membrane_with_its_whole_radius_and_slides_along_it() {
    let membranes = membranes(ACINUS, 1.0);
    let centre = Vec3::new(5.0, -10.0, 20.0);
    let mut at = centre + Vec3::X * 20.0;
    for _ in 0..400 {
        at = membranes.hold(body(0), at, at + Vec3::new(1.0, 0.5, 0.0));
    }
    // Held at 60 - 8 um from the centre, it has slid until nothing but the membrane is before it.
    assert!((at.distance(centre) - 52.0).abs() < 1e-3, "{at}");
    let out = (at - centre).normalize();
    let pushed = Vec3::new(1.0, 0.5, 0.0).normalize();
    assert!(out.dot(pushed) > 0.999, "{out}");
    // Away from it it goes as it likes.
    let back = membranes.hold(body(0), at, at - out * 3.0);
    assert!((back - (at - out * 3.0)).length() < 1e-5);
}

#[test]
fn an_open_membrane_is_passed_as_slowly_as_its_pores_are_narrow() {
    // A = 18.5 um2, midway between 7 and 30: half speed for tumour cells, (18.5 - 2)/28 for neutrophils.
    let density = 1.0 - 0.185_f32.sqrt();
    for (cell_type, share) in [(0, 0.5), (1, 16.5 / 28.0)] {
        let membranes = membranes(PLANE, density);
        let surface = Surface::of(&PLANE);
        let out = surface.see(Vec3::ZERO).outwards;
        let start = Vec3::new(3.0, 2.0, 30.0);
        let start = start - out * (surface.see(start).distance_um + 20.0);
        let mut at = start;
        let mut minutes = 0;
        while surface.see(at).distance_um < 5.0 {
            at = membranes.hold(body(cell_type), at, at + out * 0.1);
            minutes += 1;
        }
        // 12 um to where it touches, 8 um through the pores, 5 um beyond.
        let expected = 120.0 + 80.0 / share + 50.0;
        assert!(
            (minutes as f32 / expected - 1.0).abs() < 0.01,
            "{minutes} {expected}"
        );
    }
    // None at 7 and 2 um2.
    let mut pores = Pores::default();
    pores.set(&MembranesParameters::default(), [7.0, 4.0, 2.0].into_iter());
    for (cell_type, arrest) in [7.0_f32, 4.0, 2.0].into_iter().enumerate() {
        let at = |area: f32| pores.passage(1.0 - (area / 100.0).sqrt(), cell_type as u16);
        assert_eq!(at(arrest * 0.999), 0.0);
        assert_eq!(at(30.01), 1.0);
        assert!((at(0.5 * (arrest + 30.0)) - 0.5).abs() < 1e-4);
    }
    assert_eq!(
        pores.passage(0.0, 9),
        0.0,
        "nobody knows how wide it must be"
    );
}

#[test]
fn who_goes_through_is_noted_once_each_way() {
    let mut barriers = SiteBarriers::default();
    barriers.add(membranes(ACINUS, 0.2));
    let centre = Vec3::new(5.0, -10.0, 20.0);
    let [near, far] = [58.0, 62.0].map(|off| centre + Vec3::Y * off);
    for (from, to) in [(near, far), (far, near), (near, centre), (near, far)] {
        assert_eq!(barriers.hold(body(0), from, to, &Faces::default()), to);
    }
    let membranes: &mut Membranes = barriers.get_mut().expect("it was put in");
    assert!(!membranes.is_told());
    let outward: Vec<bool> = membranes
        .crossings()
        .iter()
        .map(|crossing| crossing.is_outward)
        .collect();
    assert_eq!(outward, [false, true, true]);
    let at = membranes.crossings()[0].at_um;
    assert!((at.distance(centre) - 60.0).abs() < 1e-3);
    membranes.crossings().clear();
    assert!(membranes.is_told());
}

#[test]
fn between_closed_membranes_and_walls_no_way_leads_out_however_long() {
    let mut random = RandomKey(7).stream(CellId(0), 0, TESTS);
    let description = |around| MembraneDescription {
        around,
        element_um: 8.0,
        density: 1.0,
    };
    // Two planes at an acute angle, and a ball that cuts both.
    let wedge = Around::Plane {
        through_um: (0.0, 0.0, 0.0),
        normal: (1.0, 0.0, 4.0),
    };
    let around = [PLANE, wedge, ACINUS];
    let surfaces = around.map(|around| Surface::of(&around));
    for in_plane in [false, true] {
        let mut membranes = Membranes::new(&around.map(description), &block());
        let parameters = MembranesParameters::default();
        membranes.pores.set(&parameters, [7.0].into_iter());
        let mut barriers = SiteBarriers::default();
        barriers.add(membranes);
        let body = Displaced {
            in_plane,
            ..body(0)
        };
        for _ in 0..200 {
            let place = Vec3::new(random.uniform(), random.uniform(), random.uniform());
            let mut at = (place - 0.5) * 380.0;
            let sides = surfaces.map(|surface| surface.see(at).distance_um > 0.0);
            let mut faces = Faces::closed([-200.0; 3], [200.0; 3]);
            if in_plane {
                faces = faces.in_plane(at.z);
            }
            for _ in 0..200 {
                let long = ops::powf(10.0, 4.0 * random.uniform() - 2.0);
                let mut to = at + random.direction() * long;
                if in_plane {
                    to.z = at.z;
                }
                let to = to.clamp(Vec3::splat(-200.0), Vec3::splat(200.0));
                at = barriers.hold(body, at, to, &faces);
                assert!(faces.allow(at.to_array()), "{at}");
                let now = surfaces.map(|surface| surface.see(at).distance_um > 0.0);
                assert_eq!(now, sides, "at {at}, in a plane: {in_plane}");
            }
        }
        let membranes: &Membranes = barriers.get().expect("it was put in");
        assert!(membranes.is_told(), "a passage is told that did not happen");
    }
}

#[test]
fn in_a_plane_a_body_leans_on_a_sloping_membrane_with_its_whole_radius() {
    let mut barriers = SiteBarriers::default();
    barriers.add(membranes(ACINUS, 1.0));
    let body = Displaced {
        in_plane: true,
        ..body(0)
    };
    // 36 um above the middle of a ball of 60 um: a circle of 48 um, of 0.6 (radius 52: 37.5 um) where bodies of 8 um lean.
    let middle = Vec3::new(5.0, -10.0, 56.0);
    let faces = Faces::closed([-200.0; 3], [200.0; 3]).in_plane(middle.z);
    let mut at = middle;
    for _ in 0..400 {
        at = barriers.hold(body, at, at + Vec3::new(1.0, 0.5, 0.0), &faces);
    }
    let expected = (52.0_f32 * 52.0 - 36.0 * 36.0).sqrt();
    assert!((at.distance(middle) - expected).abs() < 0.05, "{at}");
    let along = (at - middle)
        .normalize()
        .dot(Vec3::new(1.0, 0.5, 0.0).normalize());
    assert!(
        along > 0.999,
        "it has slid until nothing but the membrane is before it"
    );
}

#[test]
fn density_follows_the_closed_form_at_any_step() {
    // 1 nM: exp(-6e-5 t) = 1 - sqrt(0.07) after 3.56 d; with mending towards 1 later, as the sum of both rates says.
    let (digestion, mending) = (6.0e-5_f32, 0.05 / 1440.0);
    let open = 1.0 - 0.07_f64.sqrt();
    for (regeneration, expected) in [
        (0.0, -open.ln() / 6.0e-5),
        (mending, {
            let (a, k) = (6.0e-5_f64, 0.05 / 1440.0);
            let settles_at = k / (a + k);
            ((1.0 - settles_at) / (open - settles_at)).ln() / (a + k)
        }),
    ] {
        for minutes in [0.01_f32, 0.5, 1.0, 10.0] {
            let (mut density, mut steps) = (1.0_f64, 0);
            while density > open {
                density = density_after(density, digestion, regeneration, minutes);
                steps += 1;
            }
            let found = f64::from(steps) * f64::from(minutes);
            assert!((found / expected - 1.0).abs() < 3e-3, "{found} {expected}");
        }
    }
    assert!((-open.ln() / 6.0e-5 / 1440.0 - 3.56).abs() < 0.01);
    // Below 0.36 of the mending it never opens.
    let mut density = 1.0;
    for _ in 0..1000 {
        density = density_after(density, 0.355 * mending, mending, 1440.0);
    }
    assert!(density > open);
}
