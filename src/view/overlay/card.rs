//! The card at the end of a film: what it has shown, on a plate over the darkened picture.

use bevy_egui::egui::{Align2, CornerRadius, Rect, Vec2, pos2, vec2};

use super::pen::Pen;

/// Size of the letters of its heading and of its lines, in units of the design.
const HEADING: f32 = 26.0;
const LINES: f32 = 18.0;
/// Height of a line, in sizes of its letters.
const LEADING: f32 = 1.6;
/// Room around what is written, in units of the design.
const ROOM: f32 = 28.0;

impl Pen<'_> {
    /// A card with a heading and lines in the middle of `area`, over a picture of `screen` points. Letters are as large as fit.
    pub(super) fn card(&self, screen: Rect, area: Rect, (heading, lines): (&str, &[String])) {
        let size = self.card_size(heading, lines, 1.0);
        let fits = (area.size() / size).min_elem().min(1.0);
        let size = self.card_size(heading, lines, fits);
        self.painter
            .rect_filled(screen, CornerRadius::ZERO, self.inks.plate);
        let inside = Rect::from_center_size(area.center(), size);
        let k = self.scale * fits;
        let mut at = inside.min + Vec2::splat(ROOM * k);
        let (ink, accent) = (self.inks.ink, self.inks.accent);
        self.text(at, Align2::LEFT_TOP, heading, HEADING * fits, accent);
        at.y += LEADING * HEADING * k;
        for line in lines {
            let (number, text) = numbered(line);
            let beside = pos2(at.x + number_width(lines) * LINES * k, at.y);
            self.text(at, Align2::LEFT_TOP, number, LINES * fits, accent);
            self.text(beside, Align2::LEFT_TOP, text, LINES * fits, ink);
            at.y += LEADING * LINES * k;
        }
    }

    /// Its size with letters so many times as large as designed.
    fn card_size(&self, heading: &str, lines: &[String], fits: f32) -> Vec2 {
        let k = self.scale * fits;
        let width = |text: &str| self.width(text, LINES * fits);
        let texts = lines.iter().map(|line| width(numbered(line).1));
        let widest = texts.fold(0.0, f32::max) + number_width(lines) * LINES * k;
        let height = LEADING * (HEADING + LINES * lines.len() as f32) * k;
        let widest = widest.max(self.width(heading, HEADING * fits));
        vec2(widest, height) + Vec2::splat(2.0 * ROOM * k)
    }
}

/// The number that a line begins with, if it does, and the rest.
fn numbered(line: &str) -> (&str, &str) {
    match line.split_once(' ') {
        Some((number, rest)) if number.parse::<u16>().is_ok() => (number, rest),
        _ => ("", line),
    }
}

/// Room for numbers before lines, in sizes of their letters.
fn number_width(lines: &[String]) -> f32 {
    let has_numbers = lines.iter().any(|line| !numbered(line).0.is_empty());
    if has_numbers { 1.6 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_before_their_lines() {
        assert_eq!(numbered("10 Landing"), ("10", "Landing"));
        assert_eq!(numbered("T cells kill"), ("", "T cells kill"));
        assert_eq!(number_width(&["T cells kill".to_owned()]), 0.0);
    }
}
