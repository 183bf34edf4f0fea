//! What a plane shows is what its colour bar says.

use super::*;
use tumorscape::view::slice::slice_scale;

/// A block without cells whose oxygen rises evenly from left to right, and nothing is known of its uppermost part.
fn gradient() -> Arc<Snapshot> {
    let mut snapshot = Snapshot::clone(&tumour(60));
    let site = &mut snapshot.sites[0];
    site.cells = CellGlyphs::default();
    let field = &mut site.fields[0];
    let dims = field.dims;
    for z in 0..dims.z {
        for y in 0..dims.y {
            for x in 0..dims.x {
                let value = (x as f32 + 0.5) / dims.x as f32 * 38.0;
                let index = (x + dims.x * (y + dims.y * z)) as usize;
                field.values[index] = if z + 6 >= dims.z { f32::NAN } else { value };
            }
        }
    }
    Arc::new(snapshot)
}

/// From the front, with the whole plane in the picture.
const POSE: CameraPose = CameraPose {
    target_um: (0.0, 0.0, 0.0),
    distance_um: 2_100.0,
    azimuth_deg: -90.0,
    elevation_deg: 0.0,
};

#[test]
fn a_pixel_of_a_plane_has_the_colour_of_its_bar_for_its_value() {
    let (width, height) = (960, 540);
    let Some((_turn, mut studio)) = studio(width, height) else {
        return;
    };
    let snapshot = gradient();
    for style in [Style::Rich, Style::Plain] {
        let settings = ViewSettings {
            block_edges: false,
            ..ViewSettings::of_look(Look {
                slice: Some(slice()),
                style,
                ..Look::default()
            })
        };
        let content = OverlayContent {
            legend: true,
            ..OverlayContent::nothing()
        };
        let pixels = studio
            .render(Arc::clone(&snapshot), &settings, POSE, &content)
            .expect("the driver works")
            .to_vec();
        let pixel = |x: usize, y: usize| {
            let at = 4 * (y * width as usize + x);
            [pixels[at], pixels[at + 1], pixels[at + 2]]
        };
        let scale = slice_scale(&snapshot.sites[0], &settings).expect("the plane has a scale");
        let table = scale.map.table();
        let expected = |value: f32| {
            let entry = (scale.position(value) * 255.0 + 0.5) as usize;
            [-1_isize, 0, 1].map(|beside| {
                let entry = entry.saturating_add_signed(beside).min(255);
                [table[entry][0], table[entry][1], table[entry][2]]
            })
        };
        // The bar itself: the column, right of the plane, with the most colours of the map.
        let is_of_map = |x: usize, y: usize| {
            let here = pixel(x, y);
            table
                .iter()
                .any(|entry| (0..3).all(|i| entry[i].abs_diff(here[i]) <= 1))
        };
        let rows = |x: usize| (0..height as usize).filter(move |y| is_of_map(x, *y));
        let bar_x = (width as usize * 3 / 4..width as usize).max_by_key(|x| rows(*x).count());
        let bar_x = bar_x.expect("the picture has columns");
        let (Some(bar_top), Some(bar_end)) = (rows(bar_x).next(), rows(bar_x).next_back()) else {
            panic!("the colour bar is not drawn");
        };
        assert!(bar_end - bar_top > 90, "{bar_top} {bar_end}");

        let per_pixel = um_per_pixel(&POSE, height as f32);
        let (mut compared, mut other) = (0, 0);
        for y in 0..height as usize {
            for x in 0..width as usize {
                let right = (x as f32 + 0.5 - 0.5 * width as f32) * per_pixel;
                let up = (0.5 * height as f32 - y as f32 - 0.5) * per_pixel;
                // Off the edges, where values level out, off the part that is not known, off the bar.
                if right.abs() > 460.0 || !(-480.0..350.0).contains(&up) || x > bar_x - 20 {
                    continue;
                }
                let value = (right + 500.0) / 1000.0 * 38.0;
                // Contour lines are marks on the plane.
                let near = |level: &f32| (value - level).abs() < 6.0 * per_pixel * 0.038;
                if scale.contours.iter().any(near) {
                    continue;
                }
                compared += 1;
                if !expected(value).contains(&pixel(x, y)) {
                    other += 1;
                    continue;
                }
            }
        }
        assert!(compared > 60_000, "{compared} pixels");
        assert_eq!(other, 0, "{style:?}: of {compared} pixels");
        // And the bar shows, at the height of a value, what the plane shows where it has that value.
        for value in [1.5_f32, 9.0, 17.0, 24.0, 33.0] {
            let along = (bar_end as f32 + 1.0 - bar_top as f32) * (1.0 - scale.position(value));
            let on_bar = pixel(bar_x, bar_top + along as usize);
            let nearest = expected(value).map(|colour| {
                let off = |i: usize| colour[i].abs_diff(on_bar[i]);
                off(0).max(off(1)).max(off(2))
            });
            // A pixel of the bar stands for one or two entries of the map.
            assert!(nearest.iter().any(|off| *off <= 3), "{value}: {on_bar:?}");
        }
        // What is not known looks like no value: grey stripes of two kinds.
        let column = (0.5 * width as f32 - 300.0 / per_pixel) as usize;
        let row = (0.5 * height as f32 - 440.0 / per_pixel) as usize;
        let stripes: Vec<[u8; 3]> = (0..24).map(|i| pixel(column + i, row)).collect();
        assert!(
            stripes.iter().all(|[r, g, b]| r == g && g == b),
            "{stripes:?}"
        );
        assert!(stripes.iter().any(|one| *one != stripes[0]), "{stripes:?}");
    }
}

#[test]
fn a_value_on_a_cut_face_has_the_colour_of_its_bar_beside_lines_and_nuclei() {
    let Some((_turn, mut studio)) = studio(640, 360) else {
        return;
    };
    let mut snapshot = Snapshot::clone(&tumour(3_000));
    let cells = &mut snapshot.sites[0].cells;
    for (name, values) in &mut cells.quantities {
        if name == "oxygen" {
            values.fill(17.0);
        }
    }
    let snapshot = Arc::new(snapshot);
    let settings = ViewSettings::of_look(Look {
        colour_by: ColourBy::Quantity("oxygen".into()),
        cut: Some(CUT),
        ..Look::default()
    });
    let pose = automatic_pose(&snapshot, 0, &settings.look);
    let pixels = studio
        .render(
            Arc::clone(&snapshot),
            &settings,
            pose,
            &OverlayContent::nothing(),
        )
        .expect("the driver works");
    let wanted = tumorscape::core::ColourMap::Ember.sample(17.0 / 38.0);
    let exact =
        |pixel: &[u8]| (0..3).all(|i| (f32::from(pixel[i]) - 255.0 * wanted[i]).abs() <= 1.01);
    let count = pixels.chunks_exact(4).filter(|pixel| exact(pixel)).count();
    assert!(
        count > 6_000,
        "{count} pixels have the colour of their value"
    );
}
