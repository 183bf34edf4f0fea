//! Colours of what is written: dark plates with light letters in the rich look, light plates with dark letters in the
//! plain look. Letters only ever stand on plates, and plates are so dense that the contrast of letters is at least
//! 4.5 : 1 whatever lies behind (WCAG 2.1, success criterion 1.4.3).

use bevy_egui::egui::Color32;

use crate::scene::look::Style;

/// How dense plates are, 0-255.
const PLATE_ALPHA: u8 = 238;

/// Colours of letters and plates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inks {
    /// Letters that are read first.
    pub ink: Color32,
    /// Letters that explain.
    pub faint: Color32,
    /// Letters that warn.
    pub accent: Color32,
    /// What letters stand on.
    pub plate: Color32,
    /// Lines around small things.
    pub line: Color32,
}

impl Inks {
    /// The colours of a look.
    pub fn of(style: Style) -> Self {
        let [r, g, b, a] = match style {
            Style::Rich => [9, 13, 19, PLATE_ALPHA],
            Style::Plain => [250, 248, 243, PLATE_ALPHA],
        };
        let plate = Color32::from_rgba_unmultiplied(r, g, b, a);
        match style {
            Style::Rich => Self {
                ink: Color32::from_rgb(240, 243, 247),
                faint: Color32::from_rgb(188, 197, 208),
                accent: Color32::from_rgb(255, 205, 110),
                plate,
                line: Color32::from_rgb(150, 160, 172),
            },
            Style::Plain => Self {
                ink: Color32::from_rgb(20, 22, 28),
                faint: Color32::from_rgb(70, 76, 86),
                accent: Color32::from_rgb(128, 62, 0),
                plate,
                line: Color32::from_rgb(60, 64, 72),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(channel: f32) -> f32 {
        let c = channel / 255.0;
        if c <= 0.040_45 {
            c / 12.92
        } else {
            bevy::math::ops::powf((c + 0.055) / 1.055, 2.4)
        }
    }

    fn luminance(linear_rgb: [f32; 3]) -> f32 {
        0.2126 * linear_rgb[0] + 0.7152 * linear_rgb[1] + 0.0722 * linear_rgb[2]
    }

    fn contrast(a: f32, b: f32) -> f32 {
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn letters_have_a_contrast_of_four_and_a_half_whatever_lies_behind_their_plate() {
        for style in [Style::Rich, Style::Plain] {
            let inks = Inks::of(style);
            let [r, g, b, a] = inks.plate.to_srgba_unmultiplied().map(f32::from);
            let cover = a / 255.0;
            for ground in (0..=255).step_by(5) {
                let ground = ground as f32;
                // Whoever draws may mix light or the numbers that stand for it.
                let light = [r, g, b].map(|c| linear(c) * cover + linear(ground) * (1.0 - cover));
                let numbers = [r, g, b].map(|c| linear(c * cover + ground * (1.0 - cover)));
                for behind in [light, numbers].map(luminance) {
                    for ink in [inks.ink, inks.faint, inks.accent] {
                        let [r, g, b, _] = ink.to_array().map(f32::from);
                        let own = luminance([r, g, b].map(linear));
                        let found = contrast(own, behind);
                        assert!(found >= 4.5, "{style:?} {ink:?} on {ground}: {found}");
                    }
                }
            }
        }
    }
}
