//! Where texts have their place: above the title on the left and figures on the right, below the scale bar on the left,
//! colour bars and legend on the right, the caption between them. Where the picture is too narrow for that, the caption
//! takes the whole width below the others, figures go below the title, and colour bars above the legend. A plot and a
//! map of the body take what room is left beside them.
//!
//! Everything is said in sizes and places alone, so that it holds for a picture of any shape.

use bevy_egui::egui::{Pos2, Rect, Vec2, pos2, vec2};

/// Space between two plates, in units of the design.
const GAP: f32 = 10.0;
/// Narrowest title beside figures, and widest title, in units of the design.
const LEAST_TITLE: f32 = 230.0;
const MOST_TITLE: f32 = 640.0;
/// Narrowest caption between its neighbours, and widest caption, in units of the design.
const LEAST_CAPTION: f32 = 420.0;
const MOST_CAPTION: f32 = 700.0;

/// Highest column of colour bars and legend, as a share of the height.
const HIGHEST_KEY: f32 = 0.66;

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
    /// Plot.
    pub plot: Option<Vec2>,
    /// Map of the body.
    pub map: Option<Vec2>,
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
    /// Plot; none where there is no room.
    pub plot: Option<Rect>,
    /// Map of the body; none where there is no room.
    pub map: Option<Rect>,
}

impl Places {
    /// All that have a place.
    fn all(&self) -> impl Iterator<Item = Rect> {
        let single = [
            self.heading,
            self.figures,
            self.legend,
            self.scale_bar,
            self.caption,
            self.plot,
            self.map,
        ];
        let bars = self.bars.clone();
        single.into_iter().flatten().chain(bars)
    }

    /// The first of these upper left corners at which there is room for so much.
    fn room(&self, area: Rect, gap: f32, size: Vec2, corners: &[Pos2]) -> Option<Rect> {
        let places = corners.iter().map(|at| Rect::from_min_size(*at, size));
        places.into_iter().find(|rect| {
            let is_free = self
                .all()
                .all(|other| !other.intersects(rect.expand(0.7 * gap)));
            area.expand(0.5).contains_rect(*rect) && is_free
        })
    }
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
        let clear = |taken: f32| if taken > 0.0 { taken + gap } else { 0.0 };
        let (left, right) = (
            area.min.x + clear(taken_left),
            area.max.x - clear(taken_right),
        );
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
    aside(area, gap, floor, wanted, &mut places);
    places
}

/// Plot and map of the body, where the others leave room: on the left if they can.
fn aside(area: Rect, gap: f32, floor: f32, wanted: &Wanted, places: &mut Places) {
    let bottom = |rect: Option<Rect>| rect.map_or(area.min.y, |rect| rect.max.y + gap);
    let below_heading = bottom(places.heading);
    let below_figures = bottom(places.figures).max(area.min.y);
    let beside_heading = places.heading.map_or(area.min.x, |rect| rect.max.x + gap);
    if let Some(size) = wanted.plot {
        let over_bar = places.scale_bar.map_or(floor, |rect| rect.min.y - gap);
        let key = places.legend.iter().chain(&places.bars);
        let over_key = key.map(|rect| rect.min.y).fold(floor, f32::min) - gap;
        let right = area.max.x - size.x;
        let corners = [
            pos2(area.min.x, over_bar - size.y),
            pos2(right, over_key - size.y),
            pos2(right, below_figures),
            pos2(right, below_heading),
            pos2(area.min.x, below_figures),
            pos2(area.min.x, below_heading),
        ];
        places.plot = places.room(area, gap, size, &corners);
    }
    if let Some(size) = wanted.map {
        let right = area.max.x - size.x;
        let corners = [
            pos2(area.min.x, below_heading),
            pos2(beside_heading, area.min.y),
            pos2(right, below_figures),
            pos2(right, below_heading),
            pos2(area.min.x, below_figures),
            pos2(area.min.x, floor - size.y),
        ];
        places.map = places.room(area, gap, size, &corners);
    }
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
