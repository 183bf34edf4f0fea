//! What the legend says: who is in the picture, by what colours them, with their numbers and their shapes.

use std::ops::Range;

use super::pen::{Entry, Form};
use super::words::count_text;
use crate::core::quantity::Category;
use crate::core::spoken::spoken;
use crate::simulation::{SiteSnapshot, Snapshot};
use crate::view::ViewSettings;
use crate::view::colours::{CellColours, ColourSource};
use crate::view::glyphs::paint::LayerPaint;
use crate::view::palette;
use crate::view::slice::has_gaps;

/// Mean length over width from which cells of a kind are shown as spindles.
const SPINDLE_FROM: f32 = 1.6;

/// How many cells there are of a kind, and how long they are.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: usize,
    /// Sum of their lengths over their widths.
    ratios: f32,
}

impl Tally {
    fn add(&mut self, ratio: f32) {
        self.count += 1;
        self.ratios += ratio;
    }

    /// What they look like.
    fn form(&self) -> Form {
        if self.ratios >= SPINDLE_FROM * self.count as f32 {
            Form::Spindle
        } else {
            Form::Cell
        }
    }
}

/// Types and values of categories that occur among some of the cells, with their colours, shapes and numbers.
pub(super) fn legend_entries(
    snapshot: &Snapshot,
    colours: &CellColours,
    rows: Range<usize>,
) -> Vec<Entry> {
    let mut types = vec![Tally::default(); snapshot.cell_types.len()];
    let values_of = |category: &Category| vec![Tally::default(); category.values.len()];
    let mut values = colours.category().map(values_of).unwrap_or_default();
    let mut prevailing: Vec<Vec<Tally>> = colours.prevailing().map(values_of).collect();
    let [mut without, mut aside] = [Tally::default(); 2];
    let mut rims: Vec<Entry> = Vec::new();
    let mut of_rims: Vec<Tally> = Vec::new();
    let stretches = colours.cells().stretches();
    for i in rows {
        let ratio = stretches.of(i).map_or(1.0, |(_, ratio)| ratio);
        let slot = match colours.source(i) {
            ColourSource::Type(kind) => types.get_mut(usize::from(kind)),
            ColourSource::Value(value) => values.get_mut(usize::from(value)),
            ColourSource::Prevailing(place, value) => prevailing[place].get_mut(usize::from(value)),
            ColourSource::NoValue => Some(&mut without),
            ColourSource::Aside => Some(&mut aside),
            ColourSource::Number(_) => None,
        };
        if let Some(tally) = slot {
            tally.add(ratio);
        }
        // A rim is explained where nothing else does it.
        if let Some((category, value)) = colours.rim_value(i)
            && colours
                .category()
                .is_none_or(|chosen| chosen.name != category.name)
        {
            let place = rims.iter().position(|entry| entry.text == value.label);
            let place = place.unwrap_or_else(|| {
                rims.push(Entry {
                    colour: colours.of(i),
                    rim: value.rim,
                    text: value.label.clone(),
                    ..Entry::default()
                });
                of_rims.push(Tally::default());
                rims.len() - 1
            });
            of_rims[place].add(ratio);
        }
    }
    let mut entries: Vec<(Tally, Entry)> = Vec::new();
    for (style, tally) in snapshot.cell_types.iter().zip(types) {
        entries.push((
            tally,
            Entry {
                colour: style.colour,
                text: spoken(&style.name),
                ..Entry::default()
            },
        ));
    }
    let add_category =
        |entries: &mut Vec<(Tally, Entry)>, category: &Category, tallies: Vec<Tally>| {
            for (value, tally) in category.values.iter().zip(tallies) {
                entries.push((
                    tally,
                    Entry {
                        colour: value.colour.unwrap_or(palette::PLAIN),
                        build: value.build,
                        rim: value.rim,
                        text: value.label.clone(),
                        ..Entry::default()
                    },
                ));
            }
        };
    if let Some(category) = colours.category() {
        add_category(&mut entries, category, values);
    }
    entries.extend(of_rims.into_iter().zip(rims));
    entries.push((
        without,
        Entry {
            colour: palette::NO_VALUE,
            is_hatched: true,
            text: match colours.category() {
                Some(category) => format!("no {}", category.label),
                None => "no value".to_owned(),
            },
            ..Entry::default()
        },
    ));
    entries.push((
        aside,
        Entry {
            colour: palette::ASIDE,
            text: "other cells".to_owned(),
            ..Entry::default()
        },
    ));
    for (category, tallies) in colours.prevailing().zip(prevailing) {
        add_category(&mut entries, category, tallies);
    }
    entries.retain(|(tally, _)| tally.count > 0);
    let finished = |(tally, entry): (Tally, Entry)| Entry {
        form: tally.form(),
        count: count_text(tally.count),
        number: tally.count,
        ..entry
    };
    entries.into_iter().map(finished).collect()
}

/// The entry for the parts of a field plane of which nothing is known, if there are any.
pub(super) fn no_data_entry(site: &SiteSnapshot, settings: &ViewSettings) -> Option<Entry> {
    let slice = settings.look.slice.as_ref()?;
    let field = site.field(&slice.molecule)?;
    let is_patchy = !field.values.is_empty() && has_gaps(field, slice);
    is_patchy.then(|| Entry {
        is_hatched: true,
        text: "no data".to_owned(),
        ..Entry::default()
    })
}

/// All that is in the picture where it is little; of much the kinds of cells that there are most of and the first layers, and how
/// much there is besides: a legend that lies over all of the picture explains none of it.
pub(super) fn shortened(cells: Vec<Entry>, layers: Vec<Entry>) -> Vec<Entry> {
    /// Lines of a legend at most.
    const MOST: usize = 14;
    /// Of these so many for layers, where cells need the others.
    const FOR_LAYERS: usize = 4;
    let all = cells.len() + layers.len();
    if all <= MOST {
        return cells.into_iter().chain(layers).collect();
    }
    let of_layers = layers.len().min(FOR_LAYERS);
    let of_cells = cells.len().min(MOST - 1 - of_layers);
    let of_layers = layers.len().min(MOST - 1 - of_cells);
    let mut numbers: Vec<usize> = cells.iter().map(|entry| entry.number).collect();
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    let least = of_cells
        .checked_sub(1)
        .map_or(usize::MAX, |last| numbers[last]);
    let cells = cells.into_iter().filter(|entry| entry.number >= least);
    let kept = cells
        .take(of_cells)
        .chain(layers.into_iter().take(of_layers));
    let mut kept: Vec<Entry> = kept.collect();
    kept.push(Entry {
        form: Form::Nothing,
        text: format!("and {} more", all - kept.len()),
        ..Entry::default()
    });
    kept
}

/// The layers of glyphs in view, with their colours and numbers.
pub(super) fn layer_entries(paints: &[LayerPaint]) -> Vec<Entry> {
    let told = paints.iter().filter(|paint| !paint.is_part_of_cells());
    let entries = told.flat_map(|paint| {
        let form = Form::Glyph(paint.kind());
        let entries = paint.entries().into_iter();
        entries.map(move |(colour, text, count)| Entry {
            colour,
            form,
            text,
            // Pieces of a drawing are no numbers of things.
            count: if paint.are_things() {
                count_text(count)
            } else {
                String::new()
            },
            ..Entry::default()
        })
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use bevy::math::Vec3;

    use super::*;
    use crate::cell::shape::STRETCH;
    use crate::scene::{ColourBy, Stage};
    use crate::simulation::WHOLE_STAGE;
    use crate::view::colours::tests::{fish, of_category, quantity};

    #[test]
    fn the_legend_counts_each_cell_by_what_gives_it_its_colour() {
        let snapshot = fish();
        let legend = |colour_by: &ColourBy| {
            let colours = CellColours::new(&snapshot, &snapshot.sites[0], colour_by);
            let entries = legend_entries(&snapshot, &colours, 0..colours.cells().len()).into_iter();
            let words: Vec<String> = entries
                .map(|entry| format!("{} {}", entry.text, entry.count))
                .collect();
            words.join(", ")
        };
        assert_eq!(legend(&ColourBy::Type), "small fish 3, eaten 1");
        assert_eq!(legend(&of_category("fate")), "swims 3, eaten 1");
        assert_eq!(
            legend(&of_category("mood")),
            "small fish 1, sunny 1, no mood 1, eaten 1"
        );
        assert_eq!(legend(&quantity("sea.depth")), "no value 1");
        assert_eq!(legend(&quantity("sea.salt")), "eaten 1");
    }

    #[test]
    fn of_a_site_on_a_stage_its_own_cells_are_counted() {
        let mut snapshot = fish();
        let mut pond = snapshot.sites[0].clone();
        pond.cells.sphere_um.truncate(1);
        pond.cells.id.truncate(1);
        pond.cells.cell_type.truncate(1);
        pond.cells.quantities.clear();
        pond.cells.categories.clear();
        snapshot.sites.push(pond);
        snapshot.set_stage(Stage {
            places_um: vec![Vec3::ZERO, Vec3::X],
            focus: 0,
            is_shared: true,
        });
        let whole = snapshot.site(WHOLE_STAGE).expect("they share it");
        let colours = CellColours::new(&snapshot, whole, &ColourBy::Type);
        let counted = |site| {
            let rows = snapshot.rows_in(site, WHOLE_STAGE);
            let entries = legend_entries(&snapshot, &colours, rows);
            entries.iter().map(|entry| entry.number).sum::<usize>()
        };
        assert_eq!([counted(0), counted(1)], [4, 1]);
        assert_eq!(snapshot.rows_in(1, 1), 0..1);
    }

    #[test]
    fn of_much_the_most_numerous_cells_and_the_first_layers_are_named_and_the_rest_counted() {
        let entry = |text: &str, number: usize| Entry {
            text: text.into(),
            number,
            ..Entry::default()
        };
        let cells: Vec<Entry> = (0..20)
            .map(|n| entry(&format!("cell {n}"), n * 7 % 20))
            .collect();
        let layers: Vec<Entry> = (0..6).map(|n| entry(&format!("layer {n}"), 0)).collect();
        let few = shortened(cells[..5].to_vec(), layers.clone());
        assert_eq!(few.len(), 11);
        let much = shortened(cells, layers.clone());
        let texts: Vec<&str> = much.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(texts.len(), 14);
        assert_eq!(
            texts[9..],
            ["layer 0", "layer 1", "layer 2", "layer 3", "and 13 more"]
        );
        assert!(
            much[..9].iter().all(|entry| entry.number >= 11),
            "{texts:?}"
        );
        let alone = shortened(Vec::new(), [layers, vec![entry("and", 0); 12]].concat());
        assert_eq!(alone.len(), 14);
    }

    #[test]
    fn who_is_long_is_a_spindle_in_the_legend() {
        let mut snapshot = fish();
        let cells = &mut snapshot.sites[0].cells;
        for (name, value) in STRETCH.iter().zip([3.0, 1.0, 0.0, 0.0]) {
            cells
                .quantities
                .push(((*name).to_owned(), vec![value, 1.0, value, value]));
        }
        let colours = CellColours::new(&snapshot, &snapshot.sites[0], &ColourBy::Type);
        let entries = legend_entries(&snapshot, &colours, 0..colours.cells().len());
        let forms: Vec<(&str, Form)> = entries
            .iter()
            .map(|entry| (entry.text.as_str(), entry.form))
            .collect();
        assert_eq!(
            forms,
            [("small fish", Form::Spindle), ("eaten", Form::Cell)]
        );
    }
}
