//! Cells that touch meet in facets: where they part on the picture follows from their radical planes.

use super::*;

/// The colour of the cell of that number, far from those of the others and of the ground.
const COLOURS: [[f32; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// Cells of the given spheres, each of a type and a colour of its own, without nuclei.
fn cells(spheres: &[[f32; 4]]) -> Arc<Snapshot> {
    let n = spheres.len();
    Arc::new(Snapshot {
        cell_types: (0..n)
            .map(|i| CellTypeStyle {
                name: format!("type {i}"),
                colour: COLOURS[i],
            })
            .collect(),
        sites: vec![SiteSnapshot {
            min_um: Vec3::splat(-50.0),
            max_um: Vec3::splat(50.0),
            cells: CellGlyphs {
                sphere_um: spheres.to_vec(),
                id: (1..=n as u64).collect(),
                cell_type: (0..n as u16).collect(),
                ..CellGlyphs::default()
            },
            ..SiteSnapshot::default()
        }],
        ..Snapshot::default()
    })
}

/// Which cell a pixel of the plain look shows, if its colour is that of one: lines and ground are of none.
fn shown(pixel: &[u8]) -> Option<usize> {
    COLOURS.iter().position(|colour| {
        let near =
            |channel: usize| (f32::from(pixel[channel]) - 255.0 * colour[channel]).abs() < 40.0;
        near(0) && near(1) && near(2)
    })
}

fn plain(cut: Option<Cut>) -> ViewSettings {
    ViewSettings {
        block_edges: false,
        ..ViewSettings::of_look(Look {
            cut,
            style: Style::Plain,
            ..Look::default()
        })
    }
}

/// From the front, so that x points right and z up.
const POSE: CameraPose = CameraPose {
    target_um: (0.0, 0.0, 0.0),
    distance_um: 90.0,
    azimuth_deg: -90.0,
    elevation_deg: 0.0,
};

const SIZE: (u32, u32) = (640, 640);

/// Micrometres right of the middle and above it at the depth of a place `near_um` in front of the target.
fn place_of(column: usize, row: usize, near_um: f32) -> [f32; 2] {
    let per_pixel = um_per_pixel(&POSE, SIZE.1 as f32) * (1.0 - near_um / POSE.distance_um);
    [
        (column as f32 + 0.5 - 0.5 * SIZE.0 as f32) * per_pixel,
        (0.5 * SIZE.1 as f32 - row as f32 - 0.5) * per_pixel,
    ]
}

#[test]
fn two_cells_part_at_their_radical_plane() {
    let Some((_turn, mut studio)) = studio(SIZE.0, SIZE.1) else {
        return;
    };
    for (a, b) in [(10.0, 10.0), (11.0, 7.5)] {
        let (left, right) = (-8.0, 7.0);
        let snapshot = cells(&[[left, 0.0, 0.0, a], [right, 0.0, 0.0, b]]);
        let pixels = studio
            .render(snapshot, &plain(None), POSE, &OverlayContent::nothing())
            .expect("the driver works");
        // (x - left)^2 - A^2 = (x - right)^2 - B^2 with the radii that are drawn.
        let [a, b] = [a, b].map(drawn_radius_um);
        let plane = (a * a - b * b + right * right - left * left) / (2.0 * (right - left));
        // Where the plane meets both spheres nearest to the eye.
        let near = (a * a - (plane - left) * (plane - left)).sqrt();
        let row = SIZE.1 as usize / 2;
        let line = |column: usize| {
            let pixel = 4 * (row * SIZE.0 as usize + column);
            shown(&pixels[pixel..pixel + 4])
        };
        let last_left = (0..SIZE.0 as usize).rev().find(|c| line(*c) == Some(0));
        let first_right = (0..SIZE.0 as usize).find(|c| line(*c) == Some(1));
        let [last_left, first_right] =
            [last_left, first_right].map(|column| column.expect("both cells are seen"));
        // Between them lies the line that is drawn, a few pixels wide.
        assert!(first_right > last_left && first_right - last_left <= 8);
        let from = place_of(last_left, row, near)[0];
        let to = place_of(first_right, row, near)[0];
        let middle = 0.5 * (from + to);
        assert!(
            (middle - plane).abs() < 0.12,
            "radii {a} and {b}: they part at {middle} um, expected {plane}"
        );
    }
}

#[test]
fn the_section_of_three_cells_is_their_power_diagram() {
    let Some((_turn, mut studio)) = studio(SIZE.0, SIZE.1) else {
        return;
    };
    let spheres = [
        [-7.0, 1.5, -4.0, 9.0],
        [7.5, -2.0, -3.0, 8.0],
        [0.5, 3.0, 7.5, 10.5],
    ];
    let cut = Cut {
        axis: Axis::Y,
        at_um: 0.0,
        flip: false,
    };
    let snapshot = cells(&spheres);
    let pixels = studio
        .render(
            snapshot,
            &plain(Some(cut)),
            POSE,
            &OverlayContent::nothing(),
        )
        .expect("the driver works");
    let power = |[x, z]: [f32; 2], i: usize| {
        let [cx, cy, cz, r] = spheres[i];
        let r = drawn_radius_um(r);
        (x - cx) * (x - cx) + cy * cy + (z - cz) * (z - cz) - r * r
    };
    let per_pixel = um_per_pixel(&POSE, SIZE.1 as f32);
    let (mut compared, mut seen) = (0, [0; 3]);
    for row in 0..SIZE.1 as usize {
        for column in 0..SIZE.0 as usize {
            let at = place_of(column, row, 0.0);
            let mut powers = [0, 1, 2].map(|i| (power(at, i), i));
            powers.sort_by(|a, b| a.0.total_cmp(&b.0));
            let [(least, nearest), (next, _), _] = powers;
            // The power changes by at most twice the distance of the centres over a length; lines are two pixels to
            // each side of a boundary, of whichever kind.
            let clear = 4.0 * per_pixel * 2.0 * 16.0;
            if least > -clear || next - least < clear {
                continue;
            }
            let pixel = 4 * (row * SIZE.0 as usize + column);
            assert_eq!(
                shown(&pixels[pixel..pixel + 4]),
                Some(nearest),
                "at {at:?} um, powers {powers:?}"
            );
            compared += 1;
            seen[nearest] += 1;
        }
    }
    assert!(
        compared > 30_000 && seen.iter().all(|count| *count > 4_000),
        "{seen:?}"
    );
}
