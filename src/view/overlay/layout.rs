//! Where texts have their place: above the title on the left and figures on the right, below the scale bar on the left,
//! colour bars and legend on the right, the caption between them. Where the picture is too narrow for that, the caption
//! takes the whole width below the others, figures go below the title, and colour bars above the legend.
//!
//! Everything is said in sizes and places alone, so that it holds for a picture of any shape.

use bevy_egui::egui::{Rect, Vec2, pos2, vec2};

/// Space between two plates, in units of the design.
const GAP: f32 = 10.0;
/// Narrowest title beside figures, and widest title, in units of the design.
const LEAST_TITLE: f32 = 230.0;
const MOST_TITLE: f32 = 640.0;
/// Narrowest caption between its neighbours, and widest caption, in units of the design.
const LEAST_CAPTION: f32 = 420.0;
const MOST_CAPTION: f32 = 700.0;

/// Highest column of colour bars and legend, as a share of the height.
const HIGHEST_KEY: f32 = 0.6;

/// Size of something that is broken into lines, given the width it may have.
pub(super) type Wrapped<'a> = &'a dyn Fn(f32) -> Vec2;

/// What wants a place; sizes in points.
#[derive(Default)]
pub(super) struct Wanted<'a> {
    /// Title, time and pace.
    pub heading: Option<Wrapped<'a>>,
    /// Figures.
    pub figures: Option<Vec2>,
    /// Colour bars, from left to right.
    pub bars: Vec<Vec2>,
    /// Legend.
    pub legend: Option<Vec2>,
    /// Scale bar.
    pub scale_bar: Option<Vec2>,
    /// Caption.
    pub caption: Option<Wrapped<'a>>,
}

/// The places, in the order of [`Wanted`].
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Places {
    /// Title, time and pace.
    pub heading: Option<Rect>,
    /// Figures.
    pub figures: Option<Rect>,
    /// Colour bars.
    pub bars: Vec<Rect>,
    /// Legend.
    pub legend: Option<Rect>,
    /// Scale bar.
    pub scale_bar: Option<Rect>,
    /// Caption.
    pub caption: Option<Rect>,
}

/// Finds a place for everything in an area, given how large a unit of the design is, points.
pub(super) fn arrange(area: Rect, unit: f32, wanted: &Wanted) -> Places {
    let gap = GAP * unit;
    let mut places = Places::default();
    above(area, unit, wanted, &mut places);

    let scale_bar = wanted.scale_bar.unwrap_or_default();
    let taken_left = if wanted.scale_bar.is_some() {
        scale_bar.x + gap
    } else {
        0.0
    };
    let key = key_size(wanted, area, taken_left, gap);
    let taken_right = if key.size.x > 0.0 {
        key.size.x + gap
    } else {
        0.0
    };

    let mut floor = area.max.y;
    if let Some(caption) = wanted.caption {
        // In the middle of the picture if that leaves enough, else in the middle of what is free, else below.
        let (left, right) = (area.min.x + taken_left, area.max.x - taken_right);
        let middle = area.center().x;
        let centred = 2.0 * (middle - left).min(right - middle);
        let (middle, room) = if centred >= LEAST_CAPTION * unit {
            (middle, centred)
        } else {
            (0.5 * (left + right), right - left)
        };
        let fits = room >= LEAST_CAPTION * unit;
        let (middle, room) = if fits {
            (middle, room)
        } else {
            (area.center().x, area.width())
        };
        let size = caption(room.min(MOST_CAPTION * unit));
        let corner = pos2(middle - 0.5 * size.x, area.max.y - size.y);
        places.caption = Some(Rect::from_min_size(corner, size));
        if !fits {
            floor = corner.y - gap;
        }
    }
    if wanted.scale_bar.is_some() {
        let corner = pos2(area.min.x, floor - scale_bar.y);
        places.scale_bar = Some(Rect::from_min_size(corner, scale_bar));
    }
    let mut corner = pos2(area.max.x, floor);
    if let Some(size) = wanted.legend {
        let rect = Rect::from_min_size(corner - size, size);
        places.legend = Some(rect);
        corner = if key.is_stacked {
            pos2(area.max.x, rect.min.y - gap)
        } else {
            pos2(rect.min.x - gap, floor)
        };
    }
    for size in wanted.bars.iter().rev() {
        let rect = Rect::from_min_size(corner - *size, *size);
        places.bars.insert(0, rect);
        corner.x = rect.min.x - gap;
    }
    places
}

/// Title and figures.
fn above(area: Rect, unit: f32, wanted: &Wanted, places: &mut Places) {
    let gap = GAP * unit;
    let figures = wanted.figures.unwrap_or_default();
    let beside = area.width() - figures.x - gap;
    let is_beside = beside >= LEAST_TITLE * unit;
    if let Some(heading) = wanted.heading {
        let room = if is_beside { beside } else { area.width() };
        let size = heading(room.min(MOST_TITLE * unit));
        places.heading = Some(Rect::from_min_size(area.min, size));
    }
    if wanted.figures.is_some() {
        let corner = match places.heading {
            Some(heading) if !is_beside => pos2(area.min.x, heading.max.y + gap),
            _ => pos2(area.max.x - figures.x, area.min.y),
        };
        places.figures = Some(Rect::from_min_size(corner, figures));
    }
}

/// Size of colour bars and legend together.
struct Key {
    size: Vec2,
    /// Whether the bars stand on the legend.
    is_stacked: bool,
}

/// Bars stand on the legend where that is not too high, for a narrow column leaves more of the picture free than a row.
fn key_size(wanted: &Wanted, area: Rect, taken_left: f32, gap: f32) -> Key {
    let bars = wanted.bars.iter().fold(Vec2::ZERO, |sum, size| {
        let gap = if sum.x > 0.0 { gap } else { 0.0 };
        vec2(sum.x + gap + size.x, sum.y.max(size.y))
    });
    let legend = wanted.legend.unwrap_or_default();
    let between = if bars.x > 0.0 && legend.x > 0.0 {
        gap
    } else {
        0.0
    };
    let row = vec2(bars.x + between + legend.x, bars.y.max(legend.y));
    let stack = vec2(bars.x.max(legend.x), bars.y + between + legend.y);
    let is_stacked = stack.y <= HIGHEST_KEY * area.height() || row.x > area.width() - taken_left;
    Key {
        size: if is_stacked { stack } else { row },
        is_stacked,
    }
}
