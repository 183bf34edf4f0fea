//! Draws plots as SVG: shapes, texts, and axes with round numbers. A page needs no font and no other file, so that it opens
//! anywhere.

use std::fmt::Write;

use crate::core::printable::rounded;

/// Colours that people of any colour vision tell apart (Okabe and Ito 2008; the yellow darker, to be seen on white).
pub const COLOURS: [&str; 8] = [
    "#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c8c00",
];
/// Colour of axes and of what is said beside.
pub const GREY: &str = "#666666";

/// A drawing.
#[derive(Clone, Debug, Default)]
pub struct Svg {
    body: String,
}

/// Where a text stands at its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// A text without anything that markup would obey.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if crate::core::printable::is_unprintable(c) => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

impl Svg {
    /// Adds a piece of markup.
    fn add(&mut self, piece: std::fmt::Arguments) {
        // Writing to a text cannot fail.
        let _always = self.body.write_fmt(piece);
        self.body.push('\n');
    }

    /// A straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: &str, width: f64) {
        self.add(format_args!(
            r#"<line x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}" stroke="{colour}" stroke-width="{width}"/>"#,
            from.0, from.1, to.0, to.1
        ));
    }

    /// A line through points.
    pub fn path(&mut self, points: &[(f64, f64)], colour: &str, width: f64) {
        let points = listed(points);
        self.add(format_args!(
            r#"<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"/>"#
        ));
    }

    /// A filled area, faint.
    pub fn area(&mut self, points: &[(f64, f64)], colour: &str) {
        let points = listed(points);
        self.add(format_args!(
            r#"<polygon points="{points}" fill="{colour}" fill-opacity="0.15"/>"#
        ));
    }

    /// A dot.
    pub fn dot(&mut self, at: (f64, f64), radius: f64, colour: &str, opacity: f64) {
        self.add(format_args!(
            r#"<circle cx="{:.1}" cy="{:.1}" r="{radius}" fill="{colour}" fill-opacity="{opacity}"/>"#,
            at.0, at.1
        ));
    }

    /// A filled box.
    pub fn bar(&mut self, at: (f64, f64), size: (f64, f64), colour: &str) {
        self.add(format_args!(
            r#"<rect x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" fill="{colour}"/>"#,
            at.0,
            at.1,
            size.0.max(0.0),
            size.1.max(0.0)
        ));
    }

    /// A line of text.
    pub fn text(&mut self, at: (f64, f64), size: f64, anchor: Anchor, colour: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.add(format_args!(
            r#"<text x="{:.1}" y="{:.1}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{}</text>"#,
            at.0,
            at.1,
            escaped(text)
        ));
    }

    /// The page.
    pub fn page(&self, width: f64, height: f64, title: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             font-family=\"Helvetica, Arial, DejaVu Sans, sans-serif\">\n<title>{}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}</svg>\n",
            escaped(title),
            self.body
        )
    }
}

fn listed(points: &[(f64, f64)]) -> String {
    let points: Vec<String> = points
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    points.join(" ")
}

/// A range of numbers along one side of a plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Number at its beginning.
    pub low: f64,
    /// Number at its end.
    pub high: f64,
}

impl Scale {
    /// The range of numbers, made a little wider; what is no number is left out.
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if low > high {
            return Self {
                low: 0.0,
                high: 1.0,
            };
        }
        let room = 0.05 * (high - low);
        let room = if room > 0.0 {
            room
        } else {
            0.5 * high.abs().max(1e-9)
        };
        // What is not negative does not begin below zero.
        let least = low - room;
        Self {
            low: if low >= 0.0 && least < 0.0 {
                0.0
            } else {
                least
            },
            high: high + room,
        }
    }

    /// The same, with zero in it.
    #[must_use]
    pub const fn with_zero(self) -> Self {
        Self {
            low: self.low.min(0.0),
            high: self.high.max(0.0),
        }
    }

    /// Where a number lies, 0-1.
    pub fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// Round numbers in it, some five.
    pub fn ticks(&self) -> Vec<f64> {
        let rough = (self.high - self.low) / 5.0;
        let power = 10.0_f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
        let step = steps
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        if last - first > 20 {
            return Vec::new();
        }
        (first..=last).map(|number| number as f64 * step).collect()
    }
}

/// A number as it stands beside an axis: four digits.
pub fn number(value: f64) -> String {
    rounded(value, 4)
}

/// A plot with two axes at a place of the page.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    /// Upper left corner of the area between the axes.
    pub at: (f64, f64),
    /// Its size.
    pub size: (f64, f64),
    /// Numbers from left to right.
    pub x: Scale,
    /// Numbers from below.
    pub y: Scale,
}

impl Plot {
    /// Where a point lies on the page.
    pub fn point(&self, x: f64, y: f64) -> (f64, f64) {
        (
            self.at.0 + self.size.0 * self.x.share(x),
            self.at.1 + self.size.1 * (1.0 - self.y.share(y)),
        )
    }

    /// Draws the lower axis with its numbers and what they are.
    pub fn lower_axis(&self, svg: &mut Svg, what: &str) {
        let below = self.at.1 + self.size.1;
        svg.line(
            (self.at.0, below),
            (self.at.0 + self.size.0, below),
            GREY,
            1.0,
        );
        for tick in self.x.ticks() {
            let at = self.point(tick, self.y.low).0;
            svg.line((at, below), (at, below + 4.0), GREY, 1.0);
            svg.text(
                (at, below + 16.0),
                11.0,
                Anchor::Middle,
                GREY,
                &number(tick),
            );
        }
        let middle = self.at.0 + 0.5 * self.size.0;
        svg.text((middle, below + 32.0), 12.0, Anchor::Middle, GREY, what);
    }

    /// Draws the left axis with its numbers, and above the plot what it shows.
    pub fn left_axis(&self, svg: &mut Svg, title: &str) {
        let below = self.at.1 + self.size.1;
        svg.line(self.at, (self.at.0, below), GREY, 1.0);
        for tick in self.y.ticks() {
            let at = self.point(self.x.low, tick).1;
            svg.line((self.at.0 - 4.0, at), (self.at.0, at), GREY, 1.0);
            svg.text(
                (self.at.0 - 7.0, at + 4.0),
                11.0,
                Anchor::End,
                GREY,
                &number(tick),
            );
        }
        self.title(svg, title);
    }

    /// Writes above the plot what it shows.
    pub fn title(&self, svg: &mut Svg, title: &str) {
        svg.text(
            (self.at.0, self.at.1 - 12.0),
            14.0,
            Anchor::Start,
            "#000000",
            title,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        let mut svg = Svg::default();
        svg.text(
            (1.0, 2.0),
            10.0,
            Anchor::End,
            GREY,
            "<script>alert('1 & \"2\"')</script>\u{1b}",
        );
        let page = svg.page(10.0, 10.0, "</title><x>");
        assert!(!page.contains("<script") && !page.contains("<x>") && !page.contains('\u{1b}'));
        assert_eq!(page.matches("<title>").count(), 1);
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let scale = Scale {
            low: -0.3,
            high: 12.1,
        };
        assert_eq!(scale.ticks(), [0.0, 5.0, 10.0]);
        assert_eq!(
            Scale {
                low: 0.0,
                high: 0.01
            }
            .ticks()
            .len(),
            6
        );
        assert_eq!(number(1234.5), "1234");
        assert_eq!(number(0.25), "0.25");
        assert_eq!(number(3.0e7), "3e7");
        // Nothing measured, and the same measured always.
        assert_eq!(
            Scale::of([f64::NAN].into_iter()),
            Scale {
                low: 0.0,
                high: 1.0
            }
        );
        let same = Scale::of([4.0, 4.0].into_iter());
        assert!(same.low < 4.0 && same.high > 4.0);
    }
}
