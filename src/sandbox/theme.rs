//! Colours, sizes and small building blocks of the panels. No other file of the sandbox names a colour.

use bevy_egui::egui::{
    self, Color32, CornerRadius, FontFamily, FontId, Margin, RichText, Stroke, TextStyle, Ui,
    Visuals, vec2,
};

use super::layout::Theme;

/// The colours of the panels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Colours {
    /// Ground of the panels: a shade from the deepest part of the picture.
    ground: Color32,
    /// Fields that take input, plots.
    well: Color32,
    /// Rows of a table, in turn.
    row: Color32,
    /// Buttons and other things to press.
    raised: Color32,
    raised_hot: Color32,
    raised_pressed: Color32,
    /// Thin lines between things.
    line: Color32,
    /// Edges of things to press.
    edge: Color32,
    edge_hot: Color32,
    /// Text that is read.
    ink: Color32,
    /// Text that explains.
    faint_ink: Color32,
    /// Headings and figures.
    bright_ink: Color32,
    /// What is chosen, what runs.
    accent: Color32,
    accent_deep: Color32,
    /// What is written on that.
    on_accent: Color32,
    /// What was changed by hand.
    changed: Color32,
    /// What went wrong.
    alarm: Color32,
    /// Ground of a card, so dense that what is written on it can be read whatever lies behind.
    card: [u8; 4],
    /// Arrows of a diagram, marks on the time line: what raises, what lowers, what does neither.
    pub raises: Color32,
    pub lowers: Color32,
    pub idle: Color32,
    /// Boxes of a diagram and what is written in them.
    pub box_ground: Color32,
    pub box_edge: Color32,
    pub in_diagram: Color32,
    pub faint_in_diagram: Color32,
}

const DARK: Colours = Colours {
    ground: Color32::from_rgb(17, 22, 30),
    well: Color32::from_rgb(10, 14, 20),
    row: Color32::from_rgb(22, 28, 37),
    raised: Color32::from_rgb(35, 44, 57),
    raised_hot: Color32::from_rgb(48, 60, 77),
    raised_pressed: Color32::from_rgb(58, 73, 94),
    line: Color32::from_rgb(42, 52, 66),
    edge: Color32::from_rgb(62, 76, 94),
    edge_hot: Color32::from_rgb(98, 120, 146),
    ink: Color32::from_rgb(216, 224, 233),
    faint_ink: Color32::from_rgb(140, 153, 169),
    bright_ink: Color32::from_rgb(244, 247, 250),
    accent: Color32::from_rgb(86, 180, 233),
    accent_deep: Color32::from_rgb(24, 88, 128),
    on_accent: Color32::from_rgb(244, 247, 250),
    changed: Color32::from_rgb(240, 190, 90),
    alarm: Color32::from_rgb(240, 128, 96),
    card: [12, 16, 23, 250],
    raises: Color32::from_rgb(230, 159, 0),
    lowers: Color32::from_rgb(86, 180, 233),
    idle: Color32::from_rgb(104, 117, 133),
    box_ground: Color32::from_rgb(35, 44, 57),
    box_edge: Color32::from_rgb(62, 76, 94),
    in_diagram: Color32::from_rgb(244, 247, 250),
    faint_in_diagram: Color32::from_rgb(176, 188, 202),
};

const LIGHT: Colours = Colours {
    ground: Color32::from_rgb(243, 245, 248),
    well: Color32::from_rgb(255, 255, 255),
    row: Color32::from_rgb(235, 239, 244),
    raised: Color32::from_rgb(224, 230, 238),
    raised_hot: Color32::from_rgb(210, 219, 230),
    raised_pressed: Color32::from_rgb(196, 207, 221),
    line: Color32::from_rgb(208, 215, 224),
    edge: Color32::from_rgb(168, 180, 194),
    edge_hot: Color32::from_rgb(110, 128, 150),
    ink: Color32::from_rgb(36, 44, 54),
    faint_ink: Color32::from_rgb(84, 96, 111),
    bright_ink: Color32::from_rgb(12, 16, 22),
    accent: Color32::from_rgb(0, 92, 146),
    accent_deep: Color32::from_rgb(0, 92, 146),
    on_accent: Color32::from_rgb(255, 255, 255),
    changed: Color32::from_rgb(128, 78, 0),
    alarm: Color32::from_rgb(168, 44, 12),
    card: [250, 251, 253, 250],
    raises: Color32::from_rgb(168, 100, 0),
    lowers: Color32::from_rgb(0, 114, 178),
    idle: Color32::from_rgb(110, 122, 138),
    box_ground: Color32::from_rgb(224, 230, 238),
    box_edge: Color32::from_rgb(168, 180, 194),
    in_diagram: Color32::from_rgb(12, 16, 22),
    faint_in_diagram: Color32::from_rgb(66, 78, 92),
};

/// The colours in which something is drawn.
pub(super) fn colours(ui: &Ui) -> &'static Colours {
    of(ui.visuals().dark_mode)
}

const fn of(is_dark: bool) -> &'static Colours {
    if is_dark { &DARK } else { &LIGHT }
}

/// Width of the panels, points.
pub(super) const LEFT_WIDTH: f32 = 278.0;
pub(super) const RIGHT_WIDTH: f32 = 330.0;
/// Height of a plot, points.
pub(super) const PLOT_HEIGHT: f32 = 132.0;

/// Dresses egui. What is drawn over the picture keeps its own colours.
pub(super) fn apply(ctx: &egui::Context, theme: Theme) {
    let theme = match theme {
        Theme::Dark => egui::Theme::Dark,
        Theme::Light => egui::Theme::Light,
    };
    ctx.set_theme(theme);
    for theme in [egui::Theme::Dark, egui::Theme::Light] {
        ctx.style_mut_of(theme, |style| style.visuals = visuals(theme));
    }
    ctx.all_styles_mut(|style| {
        style.spacing.item_spacing = vec2(8.0, 6.0);
        style.spacing.button_padding = vec2(8.0, 4.0);
        style.spacing.interact_size.y = 24.0;
        style.spacing.slider_width = 132.0;
        style.spacing.scroll = egui::style::ScrollStyle::thin();
        // A fade is a grey smear on light panels.
        style.spacing.scroll.fade.strength = 0.0;
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

fn visuals(theme: egui::Theme) -> Visuals {
    let is_dark = theme == egui::Theme::Dark;
    let colours = of(is_dark);
    let mut visuals = if is_dark {
        Visuals::dark()
    } else {
        Visuals::light()
    };
    let round = CornerRadius::same(4);
    visuals.panel_fill = colours.ground;
    visuals.window_fill = colours.ground;
    visuals.window_stroke = Stroke::new(1.0, colours.line);
    visuals.window_corner_radius = CornerRadius::same(8);
    visuals.extreme_bg_color = colours.well;
    visuals.faint_bg_color = colours.row;
    visuals.hyperlink_color = colours.accent;
    visuals.warn_fg_color = colours.changed;
    visuals.error_fg_color = colours.alarm;
    visuals.weak_text_color = Some(colours.faint_ink);
    visuals.selection.bg_fill = colours.accent_deep;
    visuals.selection.stroke = Stroke::new(1.0, colours.on_accent);
    visuals.slider_trailing_fill = true;
    let widgets = &mut visuals.widgets;
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, colours.line);
    widgets.noninteractive.fg_stroke = Stroke::new(1.0, colours.ink);
    for (state, fill, edge, ink) in [
        (
            &mut widgets.inactive,
            colours.raised,
            colours.edge,
            colours.ink,
        ),
        (
            &mut widgets.hovered,
            colours.raised_hot,
            colours.edge_hot,
            colours.bright_ink,
        ),
        (
            &mut widgets.active,
            colours.raised_pressed,
            colours.edge_hot,
            colours.bright_ink,
        ),
        (
            &mut widgets.open,
            colours.raised,
            colours.edge,
            colours.bright_ink,
        ),
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
pub(super) fn panel_frame(style: &egui::Style) -> egui::Frame {
    egui::Frame::new()
        .fill(style.visuals.panel_fill)
        .inner_margin(Margin::symmetric(12, 10))
}

/// A card that floats over the picture.
pub(super) fn card_frame(style: &egui::Style) -> egui::Frame {
    let colours = of(style.visuals.dark_mode);
    let [r, g, b, alpha] = colours.card;
    egui::Frame::new()
        .fill(Color32::from_rgba_unmultiplied(r, g, b, alpha))
        .stroke(Stroke::new(1.0, colours.line))
        .corner_radius(CornerRadius::same(8))
        .inner_margin(Margin::symmetric(12, 8))
}

/// A card with a title in the middle of what is free of the picture, which a person can put away; whether it stays.
pub(super) fn titled_card(
    ctx: &egui::Context,
    free: egui::Rect,
    title: &'static str,
    contents: impl FnOnce(&mut Ui),
) -> bool {
    let mut is_open = true;
    egui::Window::new(title)
        .open(&mut is_open)
        .collapsible(false)
        .resizable(false)
        .pivot(egui::Align2::CENTER_CENTER)
        .default_pos(free.center())
        .constrain_to(free)
        .frame(card_frame(&ctx.global_style()))
        .show(ctx, contents);
    is_open
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
    RichText::new(text).size(14.5).strong()
}

/// Text that explains.
pub(super) fn faint(text: impl Into<String>) -> RichText {
    RichText::new(text).size(12.5).weak()
}

/// A figure that is read from afar.
pub(super) fn figure(text: impl Into<String>) -> RichText {
    RichText::new(text).size(25.0).strong()
}

/// Text about what was changed by hand.
pub(super) fn changed(ui: &Ui, text: impl Into<String>) -> RichText {
    RichText::new(text).color(colours(ui).changed)
}

/// Text about what went wrong.
pub(super) fn alarm(ui: &Ui, text: impl Into<String>) -> RichText {
    RichText::new(text).color(colours(ui).alarm)
}

/// The button that matters most.
pub(super) fn main_button(ui: &Ui, text: &str) -> egui::Button<'static> {
    let colours = colours(ui);
    egui::Button::new(RichText::new(text).color(colours.on_accent)).fill(colours.accent_deep)
}

/// A key of the keyboard, as it is named in the help.
pub(super) fn key(ui: &Ui, text: &str) -> RichText {
    RichText::new(text).monospace().color(colours(ui).accent)
}

/// A dot of a curve's colour and what it says, never on two lines.
pub(super) fn swatch(ui: &mut Ui, colour: Color32, text: String) {
    let font = FontId::new(12.5, FontFamily::Proportional);
    let ink = colours(ui).faint_ink;
    let galley = ui.painter().layout_no_wrap(text.clone(), font, ink);
    let size = vec2(14.0 + galley.size().x, galley.size().y.max(14.0));
    let (place, response) = ui.allocate_exact_size(size, egui::Sense::hover());
    let info = || egui::WidgetInfo::labeled(egui::WidgetType::Label, true, &text);
    response.widget_info(info);
    let middle = place.left_center() + vec2(5.0, 0.0);
    ui.painter().circle_filled(middle, 4.5, colour);
    let corner = place.left_center() + vec2(14.0, -0.5 * galley.size().y);
    ui.painter().galley(corner, galley, ink);
}

/// A spot of a thing's colour.
pub(super) fn spot(ui: &mut Ui, colour: Color32) {
    let (place, _) = ui.allocate_exact_size(vec2(12.0, 14.0), egui::Sense::hover());
    ui.painter().circle_filled(place.center(), 4.5, colour);
}

/// Two columns of names and values.
pub(super) fn value_grid(ui: &mut Ui, id: &str, rows: &[(String, String)]) {
    egui::Grid::new(id)
        .num_columns(2)
        .spacing(vec2(14.0, 4.0))
        .min_col_width(96.0)
        .show(ui, |ui| {
            for (name, value) in rows {
                ui.label(RichText::new(name).weak());
                ui.label(RichText::new(value).strong());
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
        for colours in [&DARK, &LIGHT] {
            let [r, g, b, alpha] = colours.card;
            let card = LinearRgba::from(Srgba::rgb_u8(r, g, b)).to_vec3();
            let cover = f32::from(alpha) / 255.0;
            let over = |behind: f32| {
                let mixed = card * cover + behind * (1.0 - cover);
                LinearRgba::rgb(mixed.x, mixed.y, mixed.z)
            };
            let grounds = [
                opaque(colours.ground),
                opaque(colours.well),
                opaque(colours.row),
                over(0.0),
                over(0.2),
                over(1.0),
            ];
            let inks = [
                colours.ink,
                colours.faint_ink,
                colours.bright_ink,
                colours.accent,
                colours.changed,
                colours.alarm,
                colours.faint_in_diagram,
            ];
            let mut pairs: Vec<(Color32, LinearRgba)> = Vec::new();
            for ground in grounds {
                pairs.extend(inks.map(|ink| (ink, ground)));
            }
            for ground in [colours.raised, colours.raised_hot, colours.raised_pressed] {
                pairs.push((colours.ink, opaque(ground)));
                pairs.push((colours.bright_ink, opaque(ground)));
            }
            for ink in [colours.in_diagram, colours.faint_in_diagram] {
                pairs.push((ink, opaque(colours.box_ground)));
            }
            pairs.push((colours.on_accent, opaque(colours.accent_deep)));
            for (ink, ground) in pairs {
                let found = contrast(ink, ground);
                assert!(found >= 4.5, "{ink:?} on {ground:?}: {found}");
            }
        }
    }
}
