//! The report of a trial: one page of plots, `report.svg`.
//!
//! What is drawn hinges on what the trial is: courses and ends of the arms, curves of what is awaited, what combinations do;
//! clouds of points of a sweep; parameters or arrows in the order in which they matter. Bars and bands are intervals of 95 %.

use super::analysis::{Analysis, Influence, Summary};
use super::plan::{Kind, Measure};
use super::results::Results;
use super::statistics::Estimate;
use super::svg::{Anchor, COLOURS, GREY, Plot, Scale, Svg, number};

/// Width of the page, pixels.
const WIDTH: f64 = 1120.0;
/// Width and height of a plot between its axes.
const PLOT: (f64, f64) = (380.0, 230.0);
/// Where the plots of the two columns begin.
const COLUMNS: [f64; 2] = [80.0, 650.0];
/// Height of a row of plots.
const ROW: f64 = 330.0;
/// Height of the head of the page.
const HEAD: f64 = 110.0;
/// Height of a line of bars with names.
const LINE: f64 = 19.0;
/// Parameters and arrows that are drawn, of each measure.
const MOST: usize = 25;
/// Measures that are drawn.
const MEASURES: usize = 6;
/// Conditions that are drawn; beyond eight, colours come again.
const MOST_ARMS: usize = 16;

/// Where the next plot goes.
struct Page {
    svg: Svg,
    column: usize,
    top: f64,
}

impl Page {
    /// The place of the next plot.
    fn next(&mut self) -> (f64, f64) {
        let at = (COLUMNS[self.column], self.top + 40.0);
        if self.column == 0 {
            self.column = 1;
        } else {
            self.new_row(ROW);
        }
        at
    }

    /// Ends a row that is so high.
    fn new_row(&mut self, height: f64) {
        self.top += height;
        self.column = 0;
    }

    /// Makes room for so many lines in a row: a long list is higher than a plot.
    fn make_room(&mut self, lines: usize) {
        self.top += (lines as f64 * LINE + 110.0 - ROW).max(0.0);
    }

    /// Ends a row that has begun.
    fn end_row(&mut self) {
        if self.column > 0 {
            self.new_row(ROW);
        }
    }
}

/// The report as SVG.
pub fn draw(results: &Results, analysis: &Analysis) -> String {
    let mut page = Page {
        svg: Svg::default(),
        column: 0,
        top: HEAD,
    };
    head(&mut page.svg, results);
    match &results.plan.kind {
        Kind::Arms => {
            for measure in 0..results.plan.measures.len().min(MEASURES) {
                courses(&mut page, results, analysis, measure);
                ends(&mut page, results, analysis, measure);
            }
            if !analysis.survival.is_empty() {
                survival(&mut page, results, analysis);
            }
            if !analysis.combinations.is_empty() {
                combinations(&mut page, results, analysis);
            }
        }
        Kind::Sweep { parameters } => {
            for measure in 0..results.plan.measures.len().min(MEASURES) {
                for parameter in parameters.iter().take(MEASURES) {
                    cloud(&mut page, results, measure, parameter);
                }
            }
        }
        Kind::Screening { .. } | Kind::Ablation => {
            for measure in 0..results.plan.measures.len().min(MEASURES) {
                influences(&mut page, results, analysis, measure);
            }
        }
    }
    page.end_row();
    let title = &results.plan.title;
    page.svg.page(WIDTH, page.top + 20.0, title)
}

fn head(svg: &mut Svg, results: &Results) {
    let plan = &results.plan;
    svg.text((30.0, 40.0), 24.0, Anchor::Start, "#000000", &plan.title);
    let what = match &plan.kind {
        Kind::Arms => "arms",
        Kind::Sweep { .. } => "points of a sweep",
        Kind::Screening { .. } => "points of a screening",
        Kind::Ablation => "scenes, each but the first without one arrow",
    };
    let all = plan.conditions.len() * plan.seeds.len();
    let done = results.runs.len();
    let mut line = format!(
        "{} {what}, {} seeds each, paired: {done} of {all} runs done",
        plan.conditions.len(),
        plan.seeds.len()
    );
    if done < all {
        line.push_str("; what is missing is left out");
    }
    svg.text((30.0, 64.0), 13.0, Anchor::Start, GREY, &line);
    if matches!(plan.kind, Kind::Arms) {
        let mut x = 30.0;
        for (place, condition) in plan.conditions.iter().enumerate().take(MOST_ARMS) {
            let name = shortened(&condition.name, 24);
            svg.bar((x, 80.0), (16.0, 6.0), colour(place));
            svg.text((x + 21.0, 88.0), 13.0, Anchor::Start, "#000000", &name);
            x += 40.0 + 7.2 * name.chars().count() as f64;
            if x > WIDTH - 150.0 {
                break;
            }
        }
    }
}

fn colour(place: usize) -> &'static str {
    COLOURS[place % COLOURS.len()]
}

/// A text of so many characters at most.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let begin: String = text.chars().take(most - 1).collect();
    format!("{begin}\u{2026}")
}

/// What a measure is called.
fn title(results: &Results, measure: usize) -> String {
    let Measure {
        label, unit, site, ..
    } = &results.plan.measures[measure];
    let unit = if unit.is_empty() {
        String::new()
    } else {
        format!(", {unit}")
    };
    let sites = results.plan.measures.iter().map(|of| of.site.as_str());
    let is_one = sites.clone().all(|other| other == site);
    if is_one {
        format!("{label}{unit}")
    } else {
        format!("{label}{unit} ({site})")
    }
}

/// Time as it stands under an axis: its unit, and how many hours it has.
fn time_unit(hours: f64) -> (&'static str, f64) {
    if hours > 72.0 {
        ("days", 24.0)
    } else {
        ("hours", 1.0)
    }
}

fn courses(page: &mut Page, results: &Results, analysis: &Analysis, measure: usize) {
    let at = page.next();
    let courses: Vec<_> = analysis
        .courses
        .iter()
        .filter(|of| of.measure == measure)
        .collect();
    let points = || courses.iter().flat_map(|course| &course.points);
    let last = points().map(|of| of.0).fold(0.0, f64::max);
    let (unit, hours_of) = time_unit(last);
    let plot = Plot {
        at,
        size: PLOT,
        x: Scale {
            low: 0.0,
            high: (last / hours_of).max(1e-6),
        },
        y: Scale::of(points().flat_map(|(.., of)| [of.value, of.low, of.high])),
    };
    plot.left_axis(&mut page.svg, &title(results, measure));
    plot.lower_axis(&mut page.svg, unit);
    for course in courses.iter().filter(|of| of.condition < MOST_ARMS) {
        let banded = course.points.iter().filter(|(.., of)| of.low.is_finite());
        let upper = banded
            .clone()
            .map(|(at, _, of)| plot.point(at / hours_of, of.high));
        let lower = banded
            .rev()
            .map(|(at, _, of)| plot.point(at / hours_of, of.low));
        let band: Vec<(f64, f64)> = upper.chain(lower).collect();
        page.svg.area(&band, colour(course.condition));
    }
    for course in courses.iter().filter(|of| of.condition < MOST_ARMS) {
        let line = course.points.iter();
        let line: Vec<(f64, f64)> = line
            .map(|(at, _, of)| plot.point(at / hours_of, of.value))
            .collect();
        page.svg.path(&line, colour(course.condition), 2.0);
    }
}

/// A value with its interval, beside its name.
struct Named {
    name: String,
    colour: &'static str,
    of: Estimate,
    /// Single values behind it.
    values: Vec<f64>,
    /// What is said behind it.
    note: String,
}

/// Draws values with their intervals under each other, against a line at `zero`.
fn listed(
    page: &mut Page,
    at: (f64, f64),
    title: &str,
    what: &str,
    zero: Option<f64>,
    rows: &[Named],
) {
    let height = (rows.len() as f64 * LINE).max(40.0);
    let all = rows.iter().flat_map(|row| {
        let ends = [row.of.value, row.of.low, row.of.high];
        ends.into_iter().chain(row.values.iter().copied())
    });
    let mut x = Scale::of(all.chain(zero));
    if zero == Some(0.0) {
        x = x.with_zero();
    }
    // Names stand to the left, and what is said to the right.
    let room = 150.0;
    let plot = Plot {
        at: (at.0 + room - 40.0, at.1),
        size: (PLOT.0 - room - 50.0, height),
        x,
        y: Scale {
            low: 0.0,
            high: 1.0,
        },
    };
    page.svg.text(
        (at.0 - 40.0, at.1 - 12.0),
        14.0,
        Anchor::Start,
        "#000000",
        title,
    );
    plot.lower_axis(&mut page.svg, what);
    if let Some(zero) = zero {
        let x = plot.point(zero, 0.0).0;
        page.svg.line((x, at.1), (x, at.1 + height), "#bbbbbb", 1.0);
    }
    for (place, row) in rows.iter().enumerate() {
        let y = at.1 + (place as f64 + 0.5) * LINE;
        let x = |value: f64| plot.point(value, 0.0).0;
        let name = shortened(&row.name, 26);
        page.svg.text(
            (plot.at.0 - 8.0, y + 4.0),
            11.5,
            Anchor::End,
            row.colour,
            &name,
        );
        for value in row.values.iter().filter(|value| value.is_finite()) {
            page.svg.dot((x(*value), y), 2.5, row.colour, 0.3);
        }
        if row.of.low.is_finite() && row.of.high.is_finite() {
            page.svg
                .line((x(row.of.low), y), (x(row.of.high), y), row.colour, 2.0);
        }
        if row.of.value.is_finite() {
            page.svg.dot((x(row.of.value), y), 4.0, row.colour, 1.0);
        }
        let end = plot.at.0 + plot.size.0 + 8.0;
        page.svg
            .text((end, y + 4.0), 10.5, Anchor::Start, GREY, &row.note);
    }
}

/// The ratio to the control in words.
fn ratio_note(of: &Summary) -> String {
    let Some(against) = &of.against else {
        return "control".into();
    };
    let ratio = against.ratio;
    let mut note = format!("\u{d7}{}", number(ratio.value));
    if ratio.low.is_finite() {
        note.push_str(&format!(
            " ({}\u{2013}{})",
            number(ratio.low),
            number(ratio.high)
        ));
    }
    note.push_str(&left_out(against.without_value));
    note
}

/// How many are left out that have no value.
fn left_out(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!(", {count} without a value"),
    }
}

fn ends(page: &mut Page, results: &Results, analysis: &Analysis, measure: usize) {
    let at = page.next();
    let rows: Vec<Named> = analysis
        .summaries
        .iter()
        .filter(|of| of.measure == measure && of.condition < MOST_ARMS)
        .map(|of| Named {
            name: results.plan.conditions[of.condition].name.clone(),
            colour: colour(of.condition),
            of: of.mean,
            values: results
                .ends(of.condition, measure)
                .into_iter()
                .map(|of| of.1)
                .collect(),
            note: ratio_note(of),
        })
        .collect();
    let what = format!(
        "{} at the end, each run and the mean",
        results.plan.measures[measure].label
    );
    listed(
        page,
        at,
        "At the end, and as a multiple of the control",
        &what,
        None,
        &rows,
    );
    page.make_room(rows.len());
}

fn survival(page: &mut Page, results: &Results, analysis: &Analysis) {
    let at = page.next();
    let runs = || analysis.survival.iter().flat_map(|of| &of.runs);
    let last = runs().map(|run| run.hours).fold(0.0, f64::max);
    let (unit, hours_of) = time_unit(last);
    let plot = Plot {
        at,
        size: PLOT,
        x: Scale {
            low: 0.0,
            high: (last / hours_of).max(1e-6),
        },
        y: Scale {
            low: 0.0,
            high: 1.03,
        },
    };
    let what = results
        .plan
        .time_to
        .as_ref()
        .map_or_else(String::new, |test| {
            let is = match test.is {
                crate::scene::schema::Test::Above(least) => format!("above {}", number(least)),
                crate::scene::schema::Test::Below(most) => format!("below {}", number(most)),
                crate::scene::schema::Test::Between(least, most) => {
                    format!("from {} to {}", number(least), number(most))
                }
            };
            format!(
                "Share of runs without: {} {is}",
                test.metric.replace('_', " ")
            )
        });
    plot.left_axis(&mut page.svg, &shortened(&what, 60));
    plot.lower_axis(&mut page.svg, unit);
    for of in analysis
        .survival
        .iter()
        .filter(|of| of.condition < MOST_ARMS)
    {
        let mut line = vec![plot.point(0.0, 1.0)];
        let mut left = 1.0;
        for step in &of.steps {
            line.push(plot.point(step.hours / hours_of, left));
            left = step.left.value;
            line.push(plot.point(step.hours / hours_of, left));
        }
        let end = of.runs.iter().map(|run| run.hours).fold(0.0, f64::max);
        line.push(plot.point(end / hours_of, left));
        page.svg.path(&line, colour(of.condition), 2.0);
    }
    let at = page.next();
    for (place, of) in analysis
        .survival
        .iter()
        .filter(|of| of.condition < MOST_ARMS)
        .enumerate()
    {
        let name = &results.plan.conditions[of.condition].name;
        let came = of.runs.iter().filter(|run| run.came).count();
        let runs = of.runs.len();
        let mut line = format!("{}: in {came} of {runs} runs", shortened(name, 26));
        if let Some(median) = of.median {
            let median = number(median / hours_of);
            line.push_str(&format!(", half of them by {median} {unit}"));
        }
        let y = at.1 + 10.0 + 2.0 * place as f64 * LINE;
        let x = at.0 - 40.0;
        let colour = colour(of.condition);
        page.svg.text((x, y), 12.0, Anchor::Start, colour, &line);
        if let Some((square, chance)) = of.against {
            let line = format!("against the control: log-rank {square:.2}, p {chance:.2e}");
            let at = (x + 12.0, y + 16.0);
            page.svg.text(at, 11.0, Anchor::Start, GREY, &line);
        }
    }
    page.make_room(2 * analysis.survival.len().min(MOST_ARMS));
}

fn combinations(page: &mut Page, results: &Results, analysis: &Analysis) {
    page.end_row();
    let rows: Vec<Named> = analysis
        .combinations
        .iter()
        .map(|of| Named {
            name: results.plan.conditions[of.condition].name.clone(),
            colour: colour(of.condition),
            of: of.bliss_excess,
            values: Vec::new(),
            note: results.plan.measures[of.measure].label.clone(),
        })
        .collect();
    let at = page.next();
    let title = "Combinations: by how much less is left than independent action leaves (Bliss)";
    listed(
        page,
        at,
        title,
        "excess, as a share of the control",
        Some(0.0),
        &rows,
    );
    let lines = rows.len();
    let rows: Vec<Named> = analysis
        .combinations
        .iter()
        .filter_map(|of| {
            let loewe = of.loewe.as_ref().ok()?;
            Some(Named {
                name: results.plan.conditions[of.condition].name.clone(),
                colour: colour(of.condition),
                of: loewe.excess,
                values: Vec::new(),
                note: format!("index {}", number(loewe.index)),
            })
        })
        .collect();
    if !rows.is_empty() {
        let at = page.next();
        let title = "By how much less than added doses leave (Loewe)";
        listed(
            page,
            at,
            title,
            "excess, as a share of the control",
            Some(0.0),
            &rows,
        );
    }
    page.make_room(lines);
}

fn cloud(page: &mut Page, results: &Results, measure: usize, parameter: &str) {
    let at = page.next();
    let points: Vec<(f64, f64)> = results
        .runs
        .iter()
        .filter_map(|run| {
            let condition = &results.plan.conditions[run.run.condition];
            Some((*condition.parameters.get(parameter)?, run.at_end(measure)))
        })
        .filter(|(_, value)| value.is_finite())
        .collect();
    let plot = Plot {
        at,
        size: PLOT,
        x: Scale::of(points.iter().map(|of| of.0)),
        y: Scale::of(points.iter().map(|of| of.1)),
    };
    plot.left_axis(
        &mut page.svg,
        &format!("{} at the end", title(results, measure)),
    );
    plot.lower_axis(&mut page.svg, &shortened(parameter, 50));
    for (x, y) in points {
        page.svg.dot(plot.point(x, y), 3.0, COLOURS[1], 0.5);
    }
}

fn influences(page: &mut Page, results: &Results, analysis: &Analysis, measure: usize) {
    page.end_row();
    let of: Vec<&Influence> = analysis
        .influences
        .iter()
        .filter(|of| of.measure == measure)
        .take(MOST)
        .collect();
    let rows: Vec<Named> = of
        .iter()
        .map(|of| {
            let (value, note) = match (&of.screened, &of.without) {
                (Some(effect), _) => (
                    Estimate::alone(effect.mu_star),
                    format!(
                        "\u{3c3} {}, \u{3bc} {}",
                        number(effect.sigma),
                        number(effect.mu)
                    ),
                ),
                (None, Some(against)) => {
                    let mut note = format!("\u{d7}{}", number(against.ratio.value));
                    if of.chance_among_all.is_finite() {
                        note.push_str(&format!(", p {}", number(of.chance_among_all)));
                    }
                    note.push_str(&left_out(against.without_value));
                    (against.difference, note)
                }
                (None, None) => (Estimate::alone(f64::NAN), "not done".into()),
            };
            Named {
                name: last_parts(&of.path),
                colour: COLOURS[1],
                of: value,
                values: Vec::new(),
                note,
            }
        })
        .collect();
    let name = title(results, measure);
    let (title, what) = if matches!(results.plan.kind, Kind::Ablation) {
        (
            format!(
                "{name}: what it is without an arrow, less what it is with all; p for all of them together (Holm)"
            ),
            "difference",
        )
    } else {
        (
            format!("{name}: how much parameters matter (Morris)"),
            "\u{3bc}*, over the whole range",
        )
    };
    let at = (COLUMNS[0] + 40.0, page.top + 40.0);
    listed(page, at, &title, what, Some(0.0), &rows);
    page.new_row((rows.len() as f64 * LINE).max(40.0) + 110.0);
}

/// The end of a path, of as many parts as fit.
fn last_parts(path: &str) -> String {
    let mut shown = path;
    while shown.chars().count() > 26
        && let Some((_, rest)) = shown.split_once('.')
    {
        shown = rest;
    }
    shown.to_owned()
}
