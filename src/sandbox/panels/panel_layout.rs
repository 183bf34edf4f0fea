//! How many panels a window has room for beside its picture.

use super::super::theme;

/// Width of the narrowest picture that is worth looking at, points, beside both panels and beside one.
const PICTURE: [f32; 2] = [400.0, 280.0];

/// Panels beside the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PanelLayout {
    /// A panel on each side.
    Two,
    /// One panel, which shows either.
    One,
    /// The picture alone.
    Hidden,
}

impl PanelLayout {
    /// What a window so wide has room for, points.
    pub fn of(width: f32) -> Self {
        let beside = |panels: f32, picture: f32| width >= panels + picture;
        if beside(theme::LEFT_WIDTH + theme::RIGHT_WIDTH, PICTURE[0]) {
            Self::Two
        } else if beside(theme::RIGHT_WIDTH, PICTURE[1]) {
            Self::One
        } else {
            Self::Hidden
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_keeps_its_room_in_windows_of_every_width() {
        for width in (0..3000).map(|width| width as f32) {
            let panels = match PanelLayout::of(width) {
                PanelLayout::Two => theme::LEFT_WIDTH + theme::RIGHT_WIDTH,
                PanelLayout::One => theme::RIGHT_WIDTH,
                PanelLayout::Hidden => 0.0,
            };
            let picture = width - panels;
            assert!(picture >= PICTURE[1].min(width), "{picture} of {width}");
        }
        let found = [1360.0, 900.0, 500.0].map(PanelLayout::of);
        assert_eq!(
            found,
            [PanelLayout::Two, PanelLayout::One, PanelLayout::Hidden]
        );
    }
}
