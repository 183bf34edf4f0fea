//! No two texts overlap, none leaves the picture, and none lacks a letter: in every shipped scene, at every moment at
//! which what is shown changes, in pictures of four shapes, with as much to say as there can be.

use std::path::Path;
use std::sync::Arc;

use bevy::math::{UVec3, Vec3};
use bevy_egui::egui::{self, Context, FontId, Pos2, pos2, vec2};

use super::*;
use crate::core::quantity::NO_VALUE;
use crate::scene::{Look, ParsedScene, Stage, Style};
use crate::simulation::{
    Catalogue, CellGlyphs, CellTypeStyle, FieldSnapshot, SiteMetrics, WHOLE_STAGE, open_scene,
    prototype_world,
};
use crate::view::camera::pose_for_shape;
use crate::view::history::History;

/// 16:9, 4:3, 1:1, 9:16, at the sizes of films, of previews, and of a window.
const SHAPES: [(f32, f32); 9] = [
    (1280.0, 720.0),
    (960.0, 720.0),
    (720.0, 720.0),
    (720.0, 1280.0),
    (1920.0, 1080.0),
    (1080.0, 1920.0),
    (640.0, 360.0),
    (360.0, 640.0),
    (752.0, 780.0),
];

fn shipped() -> Vec<ParsedScene> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the scenes are shipped")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "ron"))
        .collect();
    files.sort();
    let open = |path: &std::path::PathBuf| open_scene(path).expect("shipped scenes are valid");
    files.iter().map(open).collect()
}

/// Tissue of a scene in which there is everything that a legend can name, in large numbers of digits.
fn full_snapshot(scene: &ParsedScene) -> Snapshot {
    let world = prototype_world(&scene.library);
    let catalogue = Catalogue::of(&world);
    let longest = catalogue.categories.iter().map(|known| known.values.len());
    let kinds = scene.library.types.len().max(1);
    let rows = longest.max().unwrap_or(0).max(1) * kinds + 1;
    let molecules = &scene.library.molecules;
    let sites = scene.scene.sites.iter().map(|site| SiteSnapshot {
        name: site.name.clone(),
        organ: Some(site.organ),
        min_um: Vec3::from(site.size_um) * -0.5,
        max_um: Vec3::from(site.size_um) * 0.5,
        cells: CellGlyphs {
            sphere_um: vec![[0.0, 0.0, 0.0, 8.0]; rows],
            id: (1..=rows as u64).collect(),
            cell_type: (0..rows).map(|row| (row % kinds) as u16).collect(),
            quantities: catalogue
                .quantities
                .iter()
                .map(|info| {
                    let mut values = vec![info.range.1 * 1.3; rows];
                    values[rows - 1] = f32::NAN;
                    (info.name.clone(), values)
                })
                .collect(),
            categories: catalogue
                .categories
                .iter()
                .map(|info| {
                    let value = |row: usize| match (row / kinds) as u8 {
                        _ if row + 1 == rows => NO_VALUE,
                        value if usize::from(value) < info.values.len() => value,
                        _ => 0,
                    };
                    (info.name.clone(), (0..rows).map(value).collect())
                })
                .collect(),
        },
        fields: site
            .fields
            .iter()
            .filter_map(|field| molecules.named(field.molecule.as_str()))
            .map(|molecule| FieldSnapshot {
                molecule: molecule.clone(),
                dims: UVec3::splat(3),
                origin_um: Vec3::splat(-200.0),
                spacing_um: Vec3::splat(400.0 / 3.0),
                values: (0..27)
                    .map(|i| if i == 0 { f32::NAN } else { i as f32 * 1.4 })
                    .collect(),
            })
            .collect(),
        metrics: SiteMetrics {
            columns: catalogue
                .metrics
                .iter()
                .map(|metric| (metric.name.clone(), 1_234_567.0))
                .collect(),
        },
        ..SiteSnapshot::default()
    });
    let mut snapshot = Snapshot {
        hours: 1234.5,
        title: scene.scene.title.clone(),
        cell_types: scene
            .library
            .types
            .iter()
            .map(|prefab| CellTypeStyle {
                name: prefab.name.clone(),
                colour: prefab.colour.into(),
            })
            .collect(),
        molecules: molecules.clone(),
        sites: sites.collect(),
        catalogue: Arc::new(catalogue),
        ..Snapshot::default()
    };
    snapshot.set_stage(Stage::of(&scene.scene));
    snapshot
}

/// A plot of a title with every curve that it can have.
fn full_plot(snapshot: &Snapshot, title: &str) -> Option<Plot> {
    let metrics = &snapshot.catalogue.metrics;
    let mut history = History::default();
    let site = snapshot.sites.first()?;
    history.push(0.0, &site.metrics);
    history.push(snapshot.hours, &site.metrics);
    Plot::of(metrics, &history, title)
}

/// What is said and shown at some time of a scene.
#[derive(Clone, Debug, PartialEq)]
struct Moment {
    look: Look,
    caption: String,
    chapter: String,
    arrows: String,
    plot: Option<String>,
    labels: Vec<String>,
}

/// All looks, captions, chapters, plots and labels of a scene: each as it is together with others somewhere in the film.
fn moments(scene: &ParsedScene) -> Vec<Moment> {
    let hours = scene.scene.duration.hours();
    let mut found: Vec<Moment> = Vec::new();
    for i in 0..=240 {
        let at = hours * f64::from(i) / 240.0;
        let look = scene
            .timeline
            .look_at(at, scene.scene.recording.look.clone());
        let labels = scene.timeline.labels_at(at).into_iter();
        let story = OverlayContent::of_story(&scene.scene, &scene.timeline, at);
        let moment = Moment {
            look,
            caption: story.caption,
            chapter: story.chapter,
            arrows: story.arrows,
            plot: scene.timeline.plot_at(at).map(|plot| plot.title.clone()),
            labels: labels.map(|(_, label)| label.text.clone()).collect(),
        };
        if !found.contains(&moment) {
            found.push(moment);
        }
    }
    found
}

/// Lets egui lay out texts without drawing them.
fn with_painter(size: egui::Vec2, mut work: impl FnMut(&Painter)) {
    let ctx = Context::default();
    ctx.set_fonts(fonts());
    let input = || egui::RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, size)),
        ..egui::RawInput::default()
    };
    // Fonts come with the next pass.
    let _ = ctx.run_ui(input(), |_| {});
    let _ = ctx.run_ui(input(), |ui| {
        work(&ui.ctx().layer_painter(LayerId::background()));
    });
}

#[track_caller]
fn assert_apart(texts: &[PlacedText], screen: Rect, what: &str) {
    for (i, a) in texts.iter().enumerate() {
        assert!(
            screen.contains_rect(a.rect),
            "{what}: `{}` leaves the picture: {:?}",
            a.text,
            a.rect
        );
        for b in &texts[i + 1..] {
            // The line spacing of fonts lies a hair inside the letters.
            let shared = a.rect.intersect(b.rect);
            assert!(
                shared.width() <= 0.5 || shared.height() <= 1.0,
                "{what}: `{}` {:?} and `{}` {:?} overlap",
                a.text,
                a.rect,
                b.text,
                b.rect
            );
        }
    }
}

#[test]
fn no_two_texts_overlap_in_any_shipped_scene_at_any_shape() {
    for scene in shipped() {
        let snapshot = full_snapshot(&scene);
        let pace = pace_text(&scene.scene, Some(6.0));
        for (width, height) in SHAPES {
            with_painter(vec2(width, height), |painter| {
                let screen = Rect::from_min_size(Pos2::ZERO, vec2(width, height));
                for (number, moment) in moments(&scene).into_iter().enumerate() {
                    // All sites on their stage, and every other time one of them by itself.
                    let site = if number % 2 == 0 { WHOLE_STAGE } else { 0 };
                    let camera = pose_for_shape(&snapshot, site, &moment.look, width / height);
                    let colour_by = moment.look.colour_by.clone();
                    let settings = ViewSettings {
                        site,
                        ..ViewSettings::of_look(moment.look)
                    };
                    let pointer = |text: &String| Pointer {
                        text: text.clone(),
                        place_um: camera.target_um.into(),
                    };
                    let any_plot = snapshot.catalogue.metrics.iter();
                    let any_plot = any_plot
                        .filter_map(|metric| metric.plot.clone())
                        .next_back();
                    let title = moment.plot.or(any_plot);
                    let content = OverlayContent {
                        title: snapshot.title.clone(),
                        caption: moment.caption,
                        pace: pace.clone(),
                        chapter: moment.chapter,
                        arrows: moment.arrows,
                        plot: title.and_then(|title| full_plot(&snapshot, &title)),
                        labels: moment.labels.iter().map(pointer).collect(),
                        ..OverlayContent::default()
                    };
                    let labels = content.labels.clone();
                    let texts = draw_overlay(
                        painter,
                        screen,
                        &content,
                        &snapshot,
                        &settings,
                        &colour_by,
                        &camera.into(),
                    );
                    assert!(texts.len() > 6, "{texts:?}");
                    let what = format!("{} at {width} x {height}", scene.name);
                    assert_apart(&texts, screen, &what);
                    let is_there = |text: &str| texts.iter().any(|placed| placed.text == text);
                    for label in labels {
                        assert!(is_there(&label.text), "{what}: no room for {label:?}");
                    }
                    // Names are moved apart, none is left out.
                    if site == WHOLE_STAGE && snapshot.whole.is_some() && height >= 640.0 {
                        for site in &snapshot.sites {
                            let name = capitalised(&site.name.replace('_', " "));
                            assert!(is_there(&name), "{what}: no room for `{name}`");
                        }
                    }
                }
            });
        }
    }
}

#[test]
fn what_points_at_a_place_follows_the_picture_in_its_window() {
    let snapshot = crate::view::colours::tests::fish();
    let camera = ViewCamera::default();
    let content = OverlayContent {
        labels: vec![Pointer {
            text: "here".into(),
            place_um: camera.pose.target_um.into(),
        }],
        ..OverlayContent::default()
    };
    let label_in = |picture: Rect| {
        let mut found = None;
        with_painter(vec2(900.0, 600.0), |painter| {
            let texts = draw_overlay(
                painter,
                picture,
                &content,
                &snapshot,
                &ViewSettings::default(),
                &ColourBy::Type,
                &camera,
            );
            let mut texts = texts.iter().filter(|placed| placed.text == "here");
            found = texts.next().map(|placed| placed.rect.center());
        });
        found.expect("it is written")
    };
    let size = vec2(570.0, 530.0);
    let [at, moved] =
        [Pos2::ZERO, pos2(330.0, 20.0)].map(|corner| label_in(Rect::from_min_size(corner, size)));
    assert!(
        (moved - at - vec2(330.0, 20.0)).length() < 1.0,
        "{at:?} {moved:?}"
    );
}

/// Whatever lies over the whole picture of a scene in `content` is alone there, and its texts keep apart in pictures of any shape;
/// says what was written, in the last of them.
fn assert_alone(content: &OverlayContent, what: &str) -> Vec<PlacedText> {
    let snapshot = crate::view::colours::tests::fish();
    let content = OverlayContent {
        title: "what stands above".into(),
        caption: "what stands below".into(),
        ..content.clone()
    };
    let mut texts = Vec::new();
    for (width, height) in SHAPES {
        with_painter(vec2(width, height), |painter| {
            let screen = Rect::from_min_size(Pos2::ZERO, vec2(width, height));
            texts = draw_overlay(
                painter,
                screen,
                &content,
                &snapshot,
                &ViewSettings::default(),
                &ColourBy::Type,
                &ViewCamera::default(),
            );
            assert!(texts.iter().all(|placed| !placed.text.starts_with("what")));
            assert_apart(&texts, screen, &format!("{what} at {width} x {height}"));
        });
    }
    texts
}

#[test]
fn a_card_fits_pictures_of_any_shape() {
    let lines: Vec<String> = (1..=12)
        .map(|number| {
            format!("{number} HIF-1α calls for vessels, which grow into the tumour from around")
        })
        .collect();
    let content = OverlayContent {
        cover: Some(Cover::Card("What you saw".into(), lines.clone())),
        ..OverlayContent::default()
    };
    let texts = assert_alone(&content, "a card");
    assert!(texts.len() > lines.len(), "{texts:?}");
}

/// The causes that scenes show at their end.
fn diagrams() -> Vec<(String, CauseDiagram)> {
    let of_scene = |scene: &ParsedScene| {
        let hours = scene.scene.duration.hours();
        let diagram = CauseDiagram::at(&scene.scene, &scene.timeline, hours)?;
        Some((scene.name.clone(), diagram))
    };
    shipped().iter().filter_map(of_scene).collect()
}

#[test]
fn causes_fit_pictures_of_any_shape_and_a_film_has_shown_all_of_them() {
    let all = diagrams();
    assert!(!all.is_empty(), "the film of the whole ends with them");
    for (name, diagram) in all {
        for line in &diagram.arrows {
            let [from, to] = line.ends.map(|end| &diagram.words[end].0);
            assert_ne!(
                line.state,
                CauseState::Ahead,
                "{name}: from `{from}` to `{to}`"
            );
        }
        let words = diagram.words.len();
        let content = OverlayContent {
            cover: Some(Cover::Causes(diagram)),
            ..OverlayContent::default()
        };
        let texts = assert_alone(&content, &name);
        assert!(texts.len() > words, "{texts:?}");
    }
}

#[test]
fn arrows_of_causes_keep_clear_of_the_words_they_do_not_join() {
    for (name, diagram) in diagrams() {
        for (width, height) in SHAPES {
            let screen = Rect::from_min_size(Pos2::ZERO, vec2(width, height));
            with_painter(screen.size(), |painter| {
                let pen = Pen {
                    painter,
                    scale: design_scale(screen.size()),
                    inks: Inks::of(Style::Rich),
                    written: RefCell::default(),
                    plates: RefCell::default(),
                };
                let places = pen.place_causes(screen.shrink(16.0 * pen.scale), &diagram);
                for (line, [from, to]) in diagram.arrows.iter().zip(&places.arrows) {
                    for (index, plate) in places.plates.iter().enumerate() {
                        let crosses = (0..=100)
                            .map(|part| from.lerp(*to, part as f32 / 100.0))
                            .any(|place| plate.contains(place));
                        let [a, b] = line.ends.map(|end| &diagram.words[end].0);
                        let over = &diagram.words[index].0;
                        assert!(
                            !crosses || line.ends.contains(&index),
                            "{name}: the arrow from `{a}` to `{b}` lies over `{over}`"
                        );
                    }
                }
            });
        }
    }
}

#[test]
fn every_letter_of_every_shipped_text_is_there_and_one_that_nobody_has_is_seen_to_be_missing() {
    let mut words: Vec<String> = vec!["αβγδ µ → ← ↑ ↓ ⁺ ⁻ ² ³ ₂ × · ≥ ≤ ± ∞ °".to_owned()];
    for scene in shipped() {
        let catalogue = Catalogue::of(&prototype_world(&scene.library));
        words.push(scene.scene.title.clone());
        words.push(scene.scene.about.clone());
        words.push(pace_text(&scene.scene, Some(0.1)));
        words.extend(scene.scene.causes.words.keys().cloned());
        for moment in moments(&scene) {
            words.extend([moment.caption, moment.chapter, moment.arrows]);
            words.extend(moment.labels);
        }
        for info in &catalogue.quantities {
            words.extend([info.label.clone(), pretty(&info.unit), info.about.clone()]);
        }
        for metric in &catalogue.metrics {
            words.extend([metric.label.clone(), pretty(&metric.unit)]);
        }
        for category in &catalogue.categories {
            words.extend(category.values.iter().map(|value| value.label.clone()));
        }
        for molecule in scene.library.molecules.list() {
            words.extend([molecule.label.clone(), pretty(&molecule.unit)]);
        }
    }
    with_painter(vec2(800.0, 600.0), |painter| {
        // Where a letter lies among the drawn ones; letters that are missing all share one place.
        let place = |letter: char| {
            let font = FontId::proportional(14.0);
            let galley = painter.layout_no_wrap(letter.to_string(), font, egui::Color32::WHITE);
            let glyph = galley.rows.first().and_then(|row| row.glyphs.first());
            glyph.map(|glyph| (glyph.uv_rect, glyph.advance_width))
        };
        let nobody_has = place('\u{10ffff}');
        assert!(
            nobody_has.is_some_and(|(uv, _)| !uv.is_nothing()),
            "it is seen"
        );
        for text in &words {
            for letter in text.chars().filter(|letter| !letter.is_whitespace()) {
                assert!(place(letter) != nobody_has, "`{letter}` of `{text}`");
            }
        }
    });
}

#[test]
fn looks_differ_in_their_inks_alone() {
    let snapshot = crate::view::colours::tests::fish();
    let texts = |style| {
        let settings = ViewSettings::of_look(Look {
            style,
            ..Look::default()
        });
        let mut texts = Vec::new();
        with_painter(vec2(1280.0, 720.0), |painter| {
            let screen = Rect::from_min_size(Pos2::ZERO, vec2(1280.0, 720.0));
            let content = OverlayContent::default();
            let camera = ViewCamera::default();
            let colour_by = ColourBy::Type;
            texts = draw_overlay(
                painter, screen, &content, &snapshot, &settings, &colour_by, &camera,
            );
        });
        texts
    };
    assert_eq!(texts(Style::Rich), texts(Style::Plain));
    assert_ne!(Inks::of(Style::Rich), Inks::of(Style::Plain));
}
