//! Colours, sizes and small building blocks of the panels. No other file of the sandbox names a colour.

use bevy_egui::egui::{
    self, Color32, CornerRadius, FontFamily, FontId, Margin, RichText, Stroke, TextStyle, Ui,
    Visuals, vec2,
};

/// Ground of the panels: a shade lighter than the deepest part of the picture.
const GROUND: Color32 = Color32::from_rgb(17, 22, 30);
/// Fields that take input, plots.
const WELL: Color32 = Color32::from_rgb(10, 14, 20);
/// Buttons and other things to press.
const RAISED: Color32 = Color32::from_rgb(35, 44, 57);
const RAISED_HOT: Color32 = Color32::from_rgb(48, 60, 77);
const RAISED_PRESSED: Color32 = Color32::from_rgb(58, 73, 94);
/// Thin lines between things.
const LINE: Color32 = Color32::from_rgb(42, 52, 66);
/// Edges of things to press.
const EDGE: Color32 = Color32::from_rgb(62, 76, 94);
const EDGE_HOT: Color32 = Color32::from_rgb(98, 120, 146);
/// Text that is read.
const INK: Color32 = Color32::from_rgb(216, 224, 233);
/// Text that explains.
const FAINT_INK: Color32 = Color32::from_rgb(140, 153, 169);
/// Headings and figures.
const BRIGHT_INK: Color32 = Color32::from_rgb(244, 247, 250);
/// What is chosen, what runs.
const ACCENT: Color32 = Color32::from_rgb(86, 180, 233);
const ACCENT_DEEP: Color32 = Color32::from_rgb(24, 88, 128);
/// What was changed by hand.
const CHANGED: Color32 = Color32::from_rgb(240, 190, 90);
/// What went wrong.
const ALARM: Color32 = Color32::from_rgb(240, 128, 96);

/// Arrows of a diagram: what raises, what lowers, what does neither.
pub(super) const RAISES: Color32 = Color32::from_rgb(230, 159, 0);
pub(super) const LOWERS: Color32 = ACCENT;
pub(super) const IDLE: Color32 = Color32::from_rgb(104, 117, 133);
/// Boxes of a diagram and what is written in them.
pub(super) const BOX_GROUND: Color32 = RAISED;
pub(super) const BOX_EDGE: Color32 = EDGE;
pub(super) const IN_DIAGRAM: Color32 = BRIGHT_INK;
pub(super) const FAINT_IN_DIAGRAM: Color32 = Color32::from_rgb(176, 188, 202);

/// Width of the panels, points.
pub(super) const LEFT_WIDTH: f32 = 278.0;
pub(super) const RIGHT_WIDTH: f32 = 330.0;
/// Height of a plot, points.
pub(super) const PLOT_HEIGHT: f32 = 132.0;

/// Dresses egui.
pub(super) fn apply(ctx: &egui::Context) {
    ctx.set_theme(egui::Theme::Dark);
    ctx.all_styles_mut(|style| {
        style.visuals = visuals();
        style.spacing.item_spacing = vec2(8.0, 6.0);
        style.spacing.button_padding = vec2(8.0, 4.0);
        style.spacing.interact_size.y = 24.0;
        style.spacing.slider_width = 132.0;
        style.spacing.scroll = egui::style::ScrollStyle::thin();
        style.interaction.selectable_labels = false;
        let size = |points| FontId::new(points, FontFamily::Proportional);
        style.text_styles = [
            (TextStyle::Heading, size(19.0)),
            (TextStyle::Body, size(14.0)),
            (TextStyle::Button, size(14.0)),
            (TextStyle::Small, size(12.0)),
            (
                TextStyle::Monospace,
                FontId::new(12.5, FontFamily::Monospace),
            ),
        ]
        .into();
    });
}

fn visuals() -> Visuals {
    let mut visuals = Visuals::dark();
    let round = CornerRadius::same(4);
    visuals.panel_fill = GROUND;
    visuals.window_fill = GROUND;
    visuals.window_stroke = Stroke::new(1.0, LINE);
    visuals.window_corner_radius = CornerRadius::same(8);
    visuals.extreme_bg_color = WELL;
    visuals.faint_bg_color = Color32::from_rgb(22, 28, 37);
    visuals.hyperlink_color = ACCENT;
    visuals.warn_fg_color = CHANGED;
    visuals.error_fg_color = ALARM;
    visuals.weak_text_color = Some(FAINT_INK);
    visuals.selection.bg_fill = ACCENT_DEEP;
    visuals.selection.stroke = Stroke::new(1.0, BRIGHT_INK);
    visuals.slider_trailing_fill = true;
    let widgets = &mut visuals.widgets;
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, LINE);
    widgets.noninteractive.fg_stroke = Stroke::new(1.0, INK);
    for (state, fill, edge, ink) in [
        (&mut widgets.inactive, RAISED, EDGE, INK),
        (&mut widgets.hovered, RAISED_HOT, EDGE_HOT, BRIGHT_INK),
        (&mut widgets.active, RAISED_PRESSED, EDGE_HOT, BRIGHT_INK),
        (&mut widgets.open, RAISED, EDGE, BRIGHT_INK),
    ] {
        state.bg_fill = fill;
        state.weak_bg_fill = fill;
        state.bg_stroke = Stroke::new(1.0, edge);
        state.fg_stroke = Stroke::new(1.2, ink);
        state.corner_radius = round;
        state.expansion = 0.0;
    }
    visuals
}

/// The frame of a side panel.
pub(super) fn panel_frame() -> egui::Frame {
    egui::Frame::new()
        .fill(GROUND)
        .inner_margin(Margin::symmetric(12, 10))
}

/// Ground of a card, so dense that what is written on it can be read whatever lies behind.
const CARD: [u8; 4] = [12, 16, 23, 250];

/// A card that floats over the picture.
pub(super) fn card_frame() -> egui::Frame {
    egui::Frame::new()
        .fill(Color32::from_rgba_unmultiplied(
            CARD[0], CARD[1], CARD[2], CARD[3],
        ))
        .stroke(Stroke::new(1.0, LINE))
        .corner_radius(CornerRadius::same(8))
        .inner_margin(Margin::symmetric(12, 8))
}

/// A part of a panel that can be folded away.
pub(super) fn section<R>(
    ui: &mut Ui,
    title: &str,
    is_open: bool,
    contents: impl FnOnce(&mut Ui) -> R,
) -> Option<R> {
    ui.add_space(2.0);
    ui.separator();
    egui::CollapsingHeader::new(heading(title))
        .default_open(is_open)
        .show_unindented(ui, contents)
        .body_returned
}

/// Text of a heading.
pub(super) fn heading(text: &str) -> RichText {
    RichText::new(text).size(14.5).strong().color(BRIGHT_INK)
}

/// Text that explains.
pub(super) fn faint(text: impl Into<String>) -> RichText {
    RichText::new(text).size(12.5).color(FAINT_INK)
}

/// A figure that is read from afar.
pub(super) fn figure(text: impl Into<String>) -> RichText {
    RichText::new(text).size(25.0).color(BRIGHT_INK)
}

/// Text about what was changed by hand.
pub(super) fn changed(text: impl Into<String>) -> RichText {
    RichText::new(text).color(CHANGED)
}

/// Text about what went wrong.
pub(super) fn alarm(text: impl Into<String>) -> RichText {
    RichText::new(text).color(ALARM)
}

/// The button that matters most.
pub(super) fn main_button(text: &str) -> egui::Button<'static> {
    egui::Button::new(RichText::new(text).color(BRIGHT_INK)).fill(ACCENT_DEEP)
}

/// A key of the keyboard, as it is named in the help.
pub(super) fn key(text: &str) -> RichText {
    RichText::new(text).monospace().color(ACCENT)
}

/// A dot of a curve's colour and what it says, never on two lines.
pub(super) fn swatch(ui: &mut Ui, colour: Color32, text: String) {
    let font = FontId::new(12.5, FontFamily::Proportional);
    let galley = ui.painter().layout_no_wrap(text, font, FAINT_INK);
    let size = vec2(14.0 + galley.size().x, galley.size().y.max(14.0));
    let (place, _) = ui.allocate_exact_size(size, egui::Sense::hover());
    let middle = place.left_center() + vec2(5.0, 0.0);
    ui.painter().circle_filled(middle, 4.5, colour);
    let corner = place.left_center() + vec2(14.0, -0.5 * galley.size().y);
    ui.painter().galley(corner, galley, FAINT_INK);
}

/// Two columns of names and values.
pub(super) fn value_grid(ui: &mut Ui, id: &str, rows: &[(String, String)]) {
    egui::Grid::new(id)
        .num_columns(2)
        .spacing(vec2(14.0, 4.0))
        .min_col_width(96.0)
        .show(ui, |ui| {
            for (name, value) in rows {
                ui.label(RichText::new(name).color(FAINT_INK));
                ui.label(RichText::new(value).color(BRIGHT_INK));
                ui.end_row();
            }
        });
}

#[cfg(test)]
mod tests {
    use bevy::color::{ColorToComponents, LinearRgba, Luminance, Srgba};

    use super::*;

    /// Contrast after WCAG 2.1 of an ink on a ground, linear RGB.
    fn contrast(ink: Color32, ground: LinearRgba) -> f32 {
        let [r, g, b, _] = ink.to_array();
        let (a, b) = (
            LinearRgba::from(Srgba::rgb_u8(r, g, b)).luminance(),
            ground.luminance(),
        );
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn what_is_written_on_panels_and_cards_can_be_read_whatever_lies_behind() {
        let opaque = |ground: Color32| {
            let [r, g, b, _] = ground.to_array();
            LinearRgba::from(Srgba::rgb_u8(r, g, b))
        };
        let [r, g, b, alpha] = CARD;
        let card = LinearRgba::from(Srgba::rgb_u8(r, g, b)).to_vec3();
        let cover = f32::from(alpha) / 255.0;
        let over = |behind: f32| {
            let mixed = card * cover + behind * (1.0 - cover);
            LinearRgba::rgb(mixed.x, mixed.y, mixed.z)
        };
        let grounds = [
            opaque(GROUND),
            opaque(WELL),
            over(0.0),
            over(0.2),
            over(1.0),
        ];
        for ground in grounds {
            for ink in [INK, FAINT_INK, BRIGHT_INK, ACCENT, CHANGED, ALARM] {
                let found = contrast(ink, ground);
                assert!(found >= 4.5, "{ink:?} on {ground:?}: {found}");
            }
        }
    }
}
