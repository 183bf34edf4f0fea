//! Where a basement membrane lies: surfaces that are known exactly, and the elements into which they are cut.
//!
//! A duct is a cylinder, open or closed by half balls, an acinus a ball, the face of an organ a plane. How far a point is from such a
//! surface, and on which side, follows from a formula, so there is no seam between elements through which a cell could slip. An
//! element is a piece between two lines along the surface (rows) and two across (columns), about as wide as asked for; the one that
//! holds a place is found by its coordinates, however many there are.
//!
//! Coordinates on a surface are `along`, um, from one end to the other over caps and all, and `around`, the share 0-1 of the way around
//! the axis, or of the width of a plane.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use bevy::math::ops;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::tissue::TissueBlock;

/// What a membrane lies around, in coordinates of its site, um.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub enum Around {
    /// A duct, or a vessel: a cylinder, outwards is away from its axis.
    Duct {
        /// One end of its axis, um.
        from_um: (f32, f32, f32),
        /// The other end, um.
        to_um: (f32, f32, f32),
        /// Its radius, um.
        radius_um: f32,
        /// Whether half balls close its ends; left open if left out.
        #[serde(default)]
        capped: bool,
    },
    /// An acinus, a tumour that has filled one, or an organ that is round: a ball, outwards is away from its centre.
    Acinus {
        /// Its centre, um.
        #[serde(default)]
        centre_um: (f32, f32, f32),
        /// Its radius, um.
        radius_um: f32,
    },
    /// A plane through the whole site, as of the surface of an organ; outwards is along the normal.
    Plane {
        /// A point of it, um.
        #[serde(default)]
        through_um: (f32, f32, f32),
        /// Its normal, of any length but 0.
        normal: (f32, f32, f32),
    },
}

/// A point as seen from a surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Distance, um; negative on the inner side.
    pub distance_um: f32,
    /// Outwards, of length 1.
    pub outwards: Vec3,
}

/// How exactly a distance from a surface is found in a plane, um, and how exactly at least: a tenth of how near a body may come.
const EXACT_UM: f32 = 1.0e-4;
const AT_LEAST_UM: f32 = 1.0e-3;

/// How far beyond its end an open duct still holds bodies, um: where it reaches a wall of the site, rounding must not leave a gap.
const RIM_UM: f32 = 0.05;

/// A surface without thickness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Surface {
    /// All points at a distance from a piece of a line.
    Tube {
        /// One end of the line, um.
        from_um: Vec3,
        /// Its direction and two that are perpendicular to it.
        frame: [Vec3; 3],
        /// Its length, um; 0 for a ball.
        length_um: f32,
        /// The distance, um.
        radius_um: f32,
        /// Whether it goes on around the ends.
        capped: bool,
    },
    /// A plane.
    Plane {
        /// A point of it, um.
        through_um: Vec3,
        /// Its normal and two directions in it.
        frame: [Vec3; 3],
    },
}

/// A direction, and two that are perpendicular to it and to each other.
fn frame_of(direction: Vec3) -> [Vec3; 3] {
    let (first, second) = direction.any_orthonormal_pair();
    [direction, first, second]
}

impl Surface {
    /// The surface that a scene describes.
    pub fn of(around: &Around) -> Self {
        match *around {
            Around::Duct {
                from_um,
                to_um,
                radius_um,
                capped,
            } => {
                let (from_um, to_um) = (Vec3::from(from_um), Vec3::from(to_um));
                let along = to_um - from_um;
                Self::Tube {
                    from_um,
                    frame: frame_of(along.normalize_or(Vec3::Z)),
                    length_um: along.length(),
                    radius_um,
                    capped,
                }
            }
            Around::Acinus {
                centre_um,
                radius_um,
            } => Self::Tube {
                from_um: centre_um.into(),
                frame: frame_of(Vec3::Z),
                length_um: 0.0,
                radius_um,
                capped: true,
            },
            Around::Plane { through_um, normal } => Self::Plane {
                through_um: through_um.into(),
                frame: frame_of(Vec3::from(normal).normalize_or(Vec3::Z)),
            },
        }
    }

    /// A point from the nearest of the line of a tube, um; that of the endless line where its ends are open.
    #[inline]
    fn off_line(&self, point: Vec3) -> Vec3 {
        match self {
            Self::Tube {
                from_um,
                frame: [axis, ..],
                length_um,
                capped,
                ..
            } => {
                let from = point - *from_um;
                let along = from.dot(*axis);
                let along = if *capped {
                    along.clamp(0.0, *length_um)
                } else {
                    along
                };
                from - *axis * along
            }
            Self::Plane { .. } => Vec3::ZERO,
        }
    }

    /// How far a point is, and which way is outwards there.
    #[inline]
    pub fn see(&self, point: Vec3) -> Seen {
        match self {
            Self::Tube {
                frame, radius_um, ..
            } => {
                let from = self.off_line(point);
                let length = from.length();
                Seen {
                    distance_um: length - radius_um,
                    outwards: if length > 0.0 {
                        from / length
                    } else {
                        frame[1]
                    },
                }
            }
            Self::Plane { through_um, frame } => Seen {
                distance_um: (point - *through_um).dot(frame[0]),
                outwards: frame[0],
            },
        }
    }

    /// The place at the height of a point, and near to it, that is so far from the surface, um, negative on the inner side; none where
    /// the surface is not at that height.
    pub fn in_plane_at(&self, point: Vec3, distance_um: f32) -> Option<Vec3> {
        let mut at = point;
        // Newton's method: exact for a plane and for a tube across, and two or three turns for others.
        for turn in 0..8 {
            let seen = self.see(at);
            let off = distance_um - seen.distance_um;
            let enough = if turn < 4 { EXACT_UM } else { AT_LEAST_UM };
            if off.abs() <= enough {
                return Some(at);
            }
            let aside = seen.outwards.with_z(0.0);
            let slope = aside.length_squared();
            if slope < 1.0e-6 {
                return None;
            }
            at += aside * (off / slope);
        }
        None
    }

    /// How far along a straight way, 0-1, it comes nearest to the line of a tube, where that is neither end: there a body
    /// outside, which passes it by, is nearest to the surface.
    #[inline]
    pub fn nearest_on_way(&self, from: Vec3, to: Vec3) -> Option<f32> {
        if matches!(self, Self::Plane { .. }) {
            return None;
        }
        let start = self.off_line(from);
        let way = self.off_line(to) - start;
        let share = -start.dot(way) / way.length_squared();
        (share > 0.0 && share < 1.0).then_some(share)
    }

    /// The coordinates of the place of the surface that is nearest to a point.
    fn coordinates(&self, point: Vec3, tiling: &Tiling) -> (f32, f32) {
        match self {
            Self::Tube {
                from_um,
                frame: [axis, first, second],
                length_um,
                radius_um,
                capped,
            } => {
                let height = (point - *from_um).dot(*axis);
                let from = self.off_line(point);
                let around = ops::atan2(from.dot(*second), from.dot(*first)) / TAU;
                let around = if around < 0.0 { around + 1.0 } else { around };
                if !capped {
                    return (height, around);
                }
                // Over the end, by the angle above the plane of the rim.
                let over = from.dot(*axis);
                let aside = (from - *axis * over).length();
                let angle = if height < 0.0 || height > *length_um {
                    ops::atan2(over, aside)
                } else {
                    0.0
                };
                let rim = radius_um * FRAC_PI_2;
                let along = rim + height.clamp(0.0, *length_um) + angle * radius_um;
                // At the pole rounding must not lead beyond the last row.
                (along.min(2.0 * rim + *length_um), around)
            }
            Self::Plane { through_um, frame } => {
                let from = point - *through_um;
                let [half_wide, half_high] = tiling.half_um;
                (
                    from.dot(frame[2]) - tiling.middle_um[1] + half_high,
                    0.5 * (from.dot(frame[1]) - tiling.middle_um[0]) / half_wide + 0.5,
                )
            }
        }
    }

    /// The place with these coordinates, um.
    fn place(&self, along: f32, around: f32, tiling: &Tiling) -> Vec3 {
        match self {
            Self::Tube {
                from_um,
                frame: [axis, first, second],
                length_um,
                radius_um,
                capped,
            } => {
                let (sin, cos) = ops::sin_cos(around * TAU);
                let aside = *first * cos + *second * sin;
                if !capped {
                    return *from_um + *axis * along + aside * *radius_um;
                }
                let height = along - radius_um * FRAC_PI_2;
                let on_line = height.clamp(0.0, *length_um);
                let (up, out) = ops::sin_cos((height - on_line) / radius_um);
                *from_um + *axis * (on_line + up * radius_um) + aside * (out * radius_um)
            }
            Self::Plane { through_um, frame } => {
                let [half_wide, half_high] = tiling.half_um;
                *through_um
                    + frame[1] * (tiling.middle_um[0] + (2.0 * around - 1.0) * half_wide)
                    + frame[2] * (tiling.middle_um[1] + along - half_high)
            }
        }
    }
}

/// A row of elements: those between two lines across.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Number of its first element.
    first: u32,
    /// How many it has.
    count: u32,
    /// Where it begins and ends along the surface, um.
    from_um: f32,
    to_um: f32,
    /// Its length around, in the middle, um.
    around_um: f32,
}

/// Rows of equal height that follow each other.
#[derive(Clone, Copy, Debug)]
struct Band {
    from_um: f32,
    to_um: f32,
    /// Number of the first row, and how many there are.
    first: u32,
    rows: u32,
}

/// One element: where it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Element {
    /// Its middle, um.
    pub centre_um: Vec3,
    /// Its corners in turn, um.
    pub corners_um: [Vec3; 4],
    /// Its area, um2.
    pub area_um2: f32,
}

/// The elements of a surface.
#[derive(Clone, Debug)]
pub struct Tiling {
    /// All of them, row by row.
    pub elements: Vec<Element>,
    bands: Vec<Band>,
    rows: Vec<Row>,
    /// Whether rows go all the way around.
    is_round: bool,
    /// Of a plane: half of its extent, and its middle in coordinates from its point, um.
    half_um: [f32; 2],
    middle_um: [f32; 2],
}

impl Tiling {
    /// Cuts a surface into elements about this wide, um; of a plane what could lie in the block.
    pub fn new(surface: &Surface, element_um: f32, block: &TissueBlock) -> Self {
        let mut tiling = Self {
            elements: Vec::new(),
            bands: Vec::new(),
            rows: Vec::new(),
            is_round: true,
            half_um: [1.0; 2],
            middle_um: [0.0; 2],
        };
        match *surface {
            Surface::Tube {
                length_um,
                radius_um,
                capped,
                ..
            } => {
                let rim = if capped { radius_um * FRAC_PI_2 } else { 0.0 };
                for (from, to) in [
                    (0.0, rim),
                    (rim, rim + length_um),
                    (rim + length_um, 2.0 * rim + length_um),
                ] {
                    if to > from {
                        tiling.add_band(surface, from, to, element_um);
                    }
                }
            }
            Surface::Plane { through_um, frame } => {
                let half = 0.5 * (block.max_um() - block.min_um);
                let middle = 0.5 * (block.max_um() + block.min_um) - through_um;
                tiling.is_round = false;
                tiling.half_um =
                    [frame[1], frame[2]].map(|way| way.abs().dot(half).max(element_um));
                tiling.middle_um = [frame[1], frame[2]].map(|way| way.dot(middle));
                tiling.add_band(surface, 0.0, 2.0 * tiling.half_um[1], element_um);
            }
        }
        tiling
    }

    fn add_band(&mut self, surface: &Surface, from_um: f32, to_um: f32, element_um: f32) {
        let rows = ((to_um - from_um) / element_um).round().max(1.0) as u32;
        let height = (to_um - from_um) / rows as f32;
        self.bands.push(Band {
            from_um,
            to_um,
            first: self.rows.len() as u32,
            rows,
        });
        for row in 0..rows {
            let from = from_um + row as f32 * height;
            let to = if row + 1 == rows {
                to_um
            } else {
                from + height
            };
            self.add_row(surface, from, to, element_um);
        }
    }

    fn add_row(&mut self, surface: &Surface, from_um: f32, to_um: f32, element_um: f32) {
        let middle = 0.5 * (from_um + to_um);
        // Lengths around, and the area, exactly.
        let (around_um, area_um2, least) = match *surface {
            Surface::Tube {
                length_um,
                radius_um,
                capped,
                ..
            } => {
                let rim = if capped { radius_um * FRAC_PI_2 } else { 0.0 };
                let angle = |along: f32| {
                    let height = along - rim;
                    (height - height.clamp(0.0, length_um)) / radius_um
                };
                let full = TAU * radius_um;
                let is_cap = capped && (middle < rim || middle > rim + length_um);
                let (around, area) = if is_cap {
                    let [low, high] = [from_um, to_um].map(|along| ops::sin(angle(along)));
                    (
                        full * ops::cos(angle(middle)),
                        full * radius_um * (high - low),
                    )
                } else {
                    (full, full * (to_um - from_um))
                };
                (around, area, 3.0)
            }
            Surface::Plane { .. } => {
                let wide = 2.0 * self.half_um[0];
                (wide, wide * (to_um - from_um), 1.0)
            }
        };
        let count = (around_um / element_um).round().max(least) as u32;
        self.rows.push(Row {
            first: self.elements.len() as u32,
            count,
            from_um,
            to_um,
            around_um,
        });
        for column in 0..count {
            let [left, right] = [column, column + 1].map(|line| line as f32 / count as f32);
            let place = |along, around| surface.place(along, around, self);
            self.elements.push(Element {
                centre_um: place(middle, 0.5 * (left + right)),
                corners_um: [
                    place(from_um, left),
                    place(from_um, right),
                    place(to_um, right),
                    place(to_um, left),
                ],
                area_um2: area_um2 / count as f32,
            });
        }
    }

    /// The row at a coordinate along the surface; none beyond its ends.
    fn row_at(&self, along: f32) -> Option<usize> {
        let band = self
            .bands
            .iter()
            .find(|band| along >= band.from_um && along <= band.to_um)?;
        let share = (along - band.from_um) / (band.to_um - band.from_um);
        let row = ((share * band.rows as f32) as u32).min(band.rows - 1);
        Some((band.first + row) as usize)
    }

    /// The element that holds the place nearest to a point; none where the surface has come to an end.
    ///
    /// A plane goes on beyond the block, as its outermost elements; one point of the block could come to lie there by rounding, and no
    /// other counts.
    pub fn element_at(&self, surface: &Surface, point: Vec3) -> Option<usize> {
        let (along, around) = surface.coordinates(point, self);
        let ends = [self.bands.first()?.from_um, self.bands.last()?.to_um];
        let beyond = (ends[0] - along).max(along - ends[1]);
        if self.is_round && beyond > RIM_UM {
            return None;
        }
        let row = &self.rows[self.row_at(along.clamp(ends[0], ends[1]))?];
        let around = around.clamp(0.0, 1.0);
        let column = ((around * row.count as f32) as u32).min(row.count - 1);
        Some((row.first + column) as usize)
    }

    /// Calls `work` with each element whose middle lies within a distance of the place nearest to a point.
    pub fn for_each_near(
        &self,
        surface: &Surface,
        point: Vec3,
        within_um: f32,
        mut work: impl FnMut(usize),
    ) {
        let seen = surface.see(point);
        let at = point - seen.outwards * seen.distance_um;
        let (along, around) = surface.coordinates(at, self);
        // A chord is shorter than the way over the surface, by a half turn at most.
        let reach = within_um * FRAC_PI_2;
        for row in &self.rows {
            if row.from_um > along + reach {
                break;
            }
            if row.to_um < along - reach {
                continue;
            }
            let (count, element_um) = (row.count as i64, row.around_um / row.count as f32);
            let aside = (reach / element_um).ceil() as i64 + 1;
            let middle = (around * row.count as f32) as i64;
            let columns = if self.is_round && 2 * aside + 1 >= count {
                0..count
            } else if self.is_round {
                middle - aside..middle + aside + 1
            } else {
                (middle - aside).max(0)..(middle + aside + 1).min(count)
            };
            for column in columns {
                let element = row.first as usize + column.rem_euclid(count) as usize;
                let from = self.elements[element].centre_um - at;
                if from.length_squared() <= within_um * within_um {
                    work(element);
                }
            }
        }
    }
}

/// Area of the surface that a scene describes, um2; of a plane that of the rectangle that is cut in a site of that size, um.
pub fn rough_area_um2(around: &Around, size_um: Vec3) -> f32 {
    match Surface::of(around) {
        Surface::Tube {
            length_um,
            radius_um,
            capped,
            ..
        } => {
            let caps = if capped {
                4.0 * PI * radius_um * radius_um
            } else {
                0.0
            };
            TAU * radius_um * length_um + caps
        }
        Surface::Plane { frame, .. } => frame[1].abs().dot(size_um) * frame[2].abs().dot(size_um),
    }
}
