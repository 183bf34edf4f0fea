//! What can be known of dissemination: stages, who came together, the blood count, and how many lie where.

use bevy::prelude::*;

use super::ancestry::{Journey, Journeys, TransitBooks};
use super::circuit::{Circulation, EntryRoute};
use super::circulation::{CirculationParameters, Voyage};
use super::colonisation::{Colonist, ColonyStage};
use super::diagrams::LINES;
use crate::cell::{CellType, Resident, Vital};
use crate::core::columns::tables_with;
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parameters::PerType;
use crate::core::quantity::{Category, CategoryValue, NONE, Quantity, Reader, RegisterQuantities};
use crate::core::{CellId, Clock};
use crate::tissue::Organ;

/// Time over which ligands of stress by which natural killer cells know a lodged cell are shed, h (Ichise et al. 2022).
const SEEN_HOURS: f32 = 24.0;

pub(super) fn register(app: &mut App) {
    quantities(app);
    stages(app);
    lines(app);
    paths(app);
    app.register_metrics(blood_metrics(), |world, _| blood(world));
    app.register_metrics(organ_metrics(), |world, _| organs(world));
    let metastases = Metric::new(
        "metastases",
        "",
        "Living metastases of the site: colonies that grow, each from one cell or from cells that came together.",
    );
    let metastases = metastases.label("metastases").plot("Lodged cells");
    app.register_metrics(vec![metastases], |world, site| {
        vec![metastases_of(world, site) as f64]
    });
}

fn quantities(app: &mut App) {
    type Of = fn(&Colonist) -> f32;
    let flag = |is: bool| f32::from(u8::from(is));
    let list: [(&str, &str, &str, &str, (f32, f32), Of); 5] = [
        (
            "colonisation.asleep",
            "",
            "1 for a cell that has lodged somewhere and does not divide, 0 for any other.",
            "asleep",
            (0.0, 1.0),
            |of| f32::from(u8::from(of.stage.is_asleep())),
        ),
        (
            "colonisation.arrested",
            "",
            "1 for a cell that is held in a capillary, 0 for any other.",
            "held in a capillary",
            (0.0, 1.0),
            |of| f32::from(u8::from(of.stage == ColonyStage::Arrested)),
        ),
        (
            "colonisation.seen",
            "",
            "How well natural killer cells know a cell that is held in a capillary: 1 when it lodges, 0 after a day.",
            "known to NK cells",
            (0.0, 1.0),
            |of| match of.stage {
                ColonyStage::Arrested => (1.0 - of.hours / SEEN_HOURS).max(0.0),
                _ => 0.0,
            },
        ),
        (
            "colonisation.death",
            "1/h",
            "Rate at which a cell dies of what it has come to where it lodged.",
            "death where it lodged",
            (0.0, 0.1),
            |of| of.death_per_hour,
        ),
        (
            "colonisation.hours",
            "h",
            "Time since a cell that has lodged came so far.",
            "time since it came so far",
            (0.0, 240.0),
            |of| of.hours,
        ),
    ];
    for (name, unit, about, label, range, of) in list {
        let quantity = Quantity::new(name, unit, about)
            .label(label)
            .range(range.0, range.1);
        app.register_quantity::<Colonist>(quantity.no_column().of_the_living(), of);
    }
    app.register_quantity::<Voyage>(
        Quantity::new(
            "circulation.companions",
            "",
            "How many cells entered the blood together, this one among them, when it entered last; 0 for one that never did.",
        )
        .label("entered together")
        .range(0.0, 10.0),
        |of| f32::from(of.companions),
    )
    .register_quantity::<Voyage>(
        Quantity::new(
            "circulation.in_cluster",
            "",
            "1 for a cell that entered the blood with others when it entered last, 0 for any other.",
        )
        .label("came in a cluster")
        .no_column(),
        move |of| flag(of.companions > 1),
    )
    .register_cell_reader(
        Quantity::new(
            "circulation.bare",
            "",
            "How much of a cell in the blood platelets do not cover, on average over the step, 0-1; 0 for a cell that is not on its way.",
        )
        .label("not covered by platelets")
        .no_column(),
        bare,
    )
    .register_quantity::<Voyage>(
        Quantity::new(
            "circulation.elsewhere",
            "",
            "1 for what has lodged in an organ of which the scene has no site, 0 for any other cell.",
        )
        .label("in an organ without a site")
        .no_column(),
        move |of| flag(of.organ.is_some()),
    )
    .register_quantity::<Voyage>(
        Quantity::new(
            "ancestry.journey",
            "",
            "Number of the journey, in `journeys.csv`, by which a cell, or the one that it descends from, came here; none for one that came by none.",
        )
        .label("journey")
        .range(0.0, 20.0),
        |of| of.journey.map_or(f32::NAN, |journey| journey as f32),
    );
}

/// Reads how bare cells in the blood are in the step to come.
fn bare(world: &World) -> Reader<'_, f32> {
    let minutes = world.get_resource::<Clock>().map_or(0.0, Clock::dt_minutes);
    let parameters = world.get_resource::<PerType<CirculationParameters>>();
    Box::new(move |table, rows, values| {
        let (Some(voyages), Some(types), Some(residents), Some(parameters)) = (
            table.get::<Voyage>(),
            table.get::<CellType>(),
            table.get::<Resident>(),
            parameters,
        ) else {
            values.fill(NONE);
            return;
        };
        for (value, row) in values.iter_mut().zip(rows) {
            let voyage = &voyages[row];
            let is_carried = residents[row].0.is_transit() && voyage.organ.is_none();
            let of = parameters.get(types[row].0).filter(|_| is_carried);
            *value = of.map_or(0.0, |of| voyage.bare(of, minutes));
        }
    })
}

/// Reads a number of the last journey of each cell; [`NONE`] for one that has made none.
fn of_journeys<'w>(
    world: &'w World,
    of: impl Fn(&[Journey], usize) -> f32 + Send + Sync + 'w,
) -> Reader<'w, f32> {
    let journeys = world.get_resource::<Journeys>();
    let journeys = journeys.map_or(&[][..], |journeys| &journeys.0);
    Box::new(move |table, rows, values| {
        let Some(voyages) = table.get::<Voyage>() else {
            values.fill(NONE);
            return;
        };
        for (value, row) in values.iter_mut().zip(rows) {
            let journey = voyages[row].journey.map(|at| at as usize);
            let journey = journey.filter(|at| *at < journeys.len());
            *value = journey.map_or(NONE, |at| of(journeys, at));
        }
    })
}

/// From whom a cell that has travelled descends, by how many journeys, how it came and how long it was on the way.
fn paths(app: &mut App) {
    app.register_cell_reader(
        Quantity::new(
            "ancestry.founder",
            "",
            "Identity of the first cell from which a cell descends that has travelled.",
        )
        .label("first cell of its line")
        .range(0.0, 1000.0)
        .no_column(),
        |world| of_journeys(world, |journeys, at| journeys[at].founder.0 as f32),
    )
    .register_cell_reader(
        Quantity::new(
            "ancestry.journeys",
            "",
            "Journeys by which a cell, with those from which it descends, has come to where it is.",
        )
        .label("journeys behind it")
        .range(0.0, 4.0)
        .no_column(),
        |world| {
            of_journeys(world, |journeys, at| {
                let before = |at: &usize| journeys[*at].before.map(|before| before as usize);
                std::iter::successors(Some(at), before).count() as f32
            })
        },
    )
    .register_cell_reader(
        Quantity::new(
            "ancestry.transit_hours",
            "h",
            "How long a cell, or the one that it descends from, was on the way on its last journey; none while it still is.",
        )
        .label("time on the way")
        .range(0.0, 6.0)
        .no_column(),
        |world| {
            let step_hours = world.get_resource::<Clock>().map_or(0.0, |of| of.step_minutes / 60.0);
            of_journeys(world, move |journeys, at| {
                let of = &journeys[at];
                of.lodged.map_or(NONE, |lodged| {
                    (lodged.saturating_sub(of.left) as f64 * step_hours) as f32
                })
            })
        },
    )
    .register_category::<Voyage>(
        Category {
            name: "entry_route".into(),
            label: "way it came".into(),
            about: "How a cell entered the circulation when it did so last.".into(),
            values: vec![
                CategoryValue::new("none", "has not travelled").colour([0.55, 0.50, 0.52]),
                CategoryValue::new("vein", "by a vein").colour([0.34, 0.45, 0.85]),
                CategoryValue::new("artery", "by an artery").colour([0.84, 0.25, 0.20]),
                CategoryValue::new("portal_vein", "by the portal vein").colour([0.60, 0.40, 0.70]),
                CategoryValue::new("lymph", "by lymph").colour([0.30, 0.70, 0.40]),
            ],
            prevails: false,
            of_the_living: true,
        },
        |voyage| match (voyage.group, voyage.entry) {
            (None, _) => 0,
            (_, EntryRoute::Vein) => 1,
            (_, EntryRoute::Artery) => 2,
            (_, EntryRoute::PortalVein) => 3,
            (_, EntryRoute::Lymph) => 4,
        },
    );
}

/// Metastases by the first cell from which they descend.
fn lines(app: &mut App) {
    let mut values =
        vec![CategoryValue::new("none", "has not travelled").colour([0.55, 0.50, 0.52])];
    values.extend(LINES.iter().enumerate().map(|(number, colour)| {
        let key = format!("line_{}", number + 1);
        CategoryValue::new(&key, &format!("line {}", number + 1)).colour(*colour)
    }));
    app.register_category::<Voyage>(
        Category {
            name: "founding_clone".into(),
            label: "founding clone".into(),
            about: "Cells that have travelled, by the first cell from which they descend: eight colours, so that some lines share one.".into(),
            values,
            prevails: false,
            of_the_living: true,
        },
        |voyage| voyage.line,
    );
}

fn stages(app: &mut App) {
    app.register_category::<Colonist>(
        Category {
            name: "colonisation".into(),
            label: "lodged cells".into(),
            about: "How far a cell has come that lodged in an organ.".into(),
            values: vec![
                CategoryValue::new("none", "has not travelled").colour([0.86, 0.47, 0.55]),
                CategoryValue::new("arrested", "held in a capillary").colour([0.90, 0.62, 0.0]),
                CategoryValue::new("crossed", "crossed the wall").colour([0.95, 0.90, 0.25]),
                CategoryValue::new("solitary", "alone, asleep").colour([0.80, 0.85, 0.90]),
                CategoryValue::new("dormant", "dormant").colour([0.65, 0.72, 0.80]),
                CategoryValue::new("growing", "growing").colour([0.80, 0.15, 0.35]),
                CategoryValue::new("dead", "dead").colour([0.40, 0.30, 0.25]),
            ],
            prevails: false,
            of_the_living: true,
        },
        |colonist| colonist.stage as u8,
    );
    for (stage, name, about, label) in [
        (
            ColonyStage::Arrested,
            "arrested_cells",
            "Living cells that are held in a capillary of the site.",
            "held in capillaries",
        ),
        (
            ColonyStage::Crossed,
            "crossed_cells",
            "Living cells that have crossed a wall and of which nothing is decided yet.",
            "crossed",
        ),
        (
            ColonyStage::Solitary,
            "solitary_cells",
            "Living cells that lodged, crossed and do not divide.",
            "asleep",
        ),
        (
            ColonyStage::Dormant,
            "dormant_cells",
            "Living cells that have slept for long.",
            "dormant",
        ),
        (
            ColonyStage::Growing,
            "colony_cells",
            "Living cells of metastases that grow in the site.",
            "growing",
        ),
    ] {
        app.register_metric(
            Metric::new(name, "", about)
                .label(label)
                .plot("Lodged cells"),
            Measure::Count {
                category: "colonisation".into(),
                values: vec![stage as u8],
                of_the_living: true,
            },
        );
    }
}

fn blood_metrics() -> Vec<Metric> {
    let metric = |name: &str, about: &str| Metric::new(name, "", about);
    vec![
        metric(
            "body_weight",
            "Cells for which each cell in the blood stands; 0 without a circulation. As all numbers of the body the same in the rows of all sites.",
        ),
        metric(
            "circulating_singles",
            "Cells in the blood that travel alone.",
        )
        .label("single cells in the blood")
        .plot("In the blood"),
        metric(
            "circulating_clusters",
            "Clusters of two or more cells in the blood.",
        )
        .label("clusters in the blood")
        .plot("In the blood"),
        Metric::new(
            "ctc_singles_per_ml",
            "1/mL",
            "Liquid biopsy: single circulating tumour cells in a mL of blood, weight included.",
        ),
        Metric::new(
            "ctc_clusters_per_ml",
            "1/mL",
            "Liquid biopsy: clusters of circulating tumour cells in a mL of blood, weight included.",
        ),
        metric(
            "entered_singles",
            "Cells that have entered the blood alone, so far.",
        )
        .label("entered alone")
        .plot("Entered and died"),
        metric(
            "entered_clusters",
            "Clusters that have entered the blood, so far.",
        )
        .label("entered as clusters")
        .plot("Entered and died"),
        metric(
            "entered_lymph",
            "Cells that have entered the lymph, so far.",
        )
        .label("entered lymph")
        .plot("Entered and died"),
        metric(
            "died_in_blood",
            "Cells that have died in the blood, so far.",
        )
        .label("died in the blood")
        .plot("Entered and died"),
    ]
}

fn blood(world: &World) -> Vec<f64> {
    let circuit = world
        .get_resource::<Circulation>()
        .and_then(Circulation::get);
    let books = world
        .get_resource::<TransitBooks>()
        .cloned()
        .unwrap_or_default();
    let mut groups: Vec<CellId> = Vec::new();
    for table in tables_with::<Voyage>(world) {
        let (Some(ids), Some(residents), Some(voyages)) = (
            table.get::<CellId>(),
            table.get::<Resident>(),
            table.get::<Voyage>(),
        ) else {
            continue;
        };
        let vitals = table.get::<Vital>();
        for row in 0..table.len() {
            let is_carried = voyages[row].is_in_blood(&residents[row]);
            if is_carried && vitals.is_none_or(|vitals| vitals[row].is_alive()) {
                groups.push(voyages[row].group.unwrap_or(ids[row]));
            }
        }
    }
    groups.sort_unstable();
    let (mut singles, mut clusters) = (0_u32, 0_u32);
    for group in groups.chunk_by(|a, b| a == b) {
        if group.len() > 1 {
            clusters += 1;
        } else {
            singles += 1;
        }
    }
    let (weight, per_ml) =
        circuit.map_or((0.0, 0.0), |of| (of.weight, of.weight / of.stream.blood_ml));
    vec![
        weight,
        f64::from(singles),
        f64::from(clusters),
        f64::from(singles) * per_ml,
        f64::from(clusters) * per_ml,
        books.singles as f64,
        books.clusters as f64,
        books.lymph as f64,
        books.died_in_blood as f64,
    ]
}

/// Groups that entered the blood together, of which cells of a site descend that grow.
fn metastases_of(world: &World, site: usize) -> usize {
    let Some(journeys) = world.get_resource::<Journeys>() else {
        return 0;
    };
    let mut groups = Vec::new();
    for table in tables_with::<Colonist>(world) {
        let (Some(residents), Some(voyages), Some(colonists)) = (
            table.get::<Resident>(),
            table.get::<Voyage>(),
            table.get::<Colonist>(),
        ) else {
            continue;
        };
        let vitals = table.get::<Vital>();
        for row in 0..table.len() {
            let grows = usize::from(residents[row].0.0) == site
                && colonists[row].stage == ColonyStage::Growing
                && vitals.is_none_or(|vitals| vitals[row].is_alive());
            let journey = voyages[row].journey.filter(|_| grows);
            if let Some(of) = journey.and_then(|at| journeys.0.get(at as usize)) {
                groups.push((of.left, of.group));
            }
        }
    }
    groups.sort_unstable();
    groups.dedup();
    groups.len()
}

/// The organs of which it is told how many lodged there; all others are one.
const TOLD: [(&str, Option<Organ>); 6] = [
    ("lung", Some(Organ::Lung)),
    ("liver", Some(Organ::Liver)),
    ("bone", Some(Organ::Bone)),
    ("brain", Some(Organ::Brain)),
    ("lymph_node", Some(Organ::LymphNode)),
    ("elsewhere", None),
];

/// What is told of each.
const OF_ORGANS: [(&str, &str, &str); 4] = [
    (
        "lodged",
        "Cells that have lodged in the organ so far, in a site or not",
        "Lodged in organs",
    ),
    (
        "alive",
        "Living cells, those of colonies each, of the organ as far as it has no site",
        "Alive in organs without a site",
    ),
    (
        "asleep",
        "Living cells of the organ that are solitary or dormant, as far as it has no site",
        "Asleep in organs without a site",
    ),
    (
        "colonies",
        "Colonies of the organ, as far as it has no site",
        "Colonies in organs without a site",
    ),
];

fn organ_metrics() -> Vec<Metric> {
    let of = OF_ORGANS.into_iter().flat_map(|(what, about, plot)| {
        TOLD.into_iter().map(move |(organ, _)| {
            let words = organ.replace('_', " ");
            Metric::new(format!("{what}_{organ}"), "", format!("{about}: {words}."))
                .label(&words)
                .plot(plot)
        })
    });
    of.collect()
}

fn organs(world: &World) -> Vec<f64> {
    let mut found = [[0.0_f64; TOLD.len()]; OF_ORGANS.len()];
    let circuit = world
        .get_resource::<Circulation>()
        .and_then(Circulation::get);
    if let Some(circuit) = circuit {
        let place = |organ: usize| {
            let tissue = circuit.organs.get(organ).and_then(|organ| organ.tissue);
            let mut told = TOLD.iter();
            told.position(|(_, of)| of.is_some() && *of == tissue)
                .unwrap_or(TOLD.len() - 1)
        };
        if let Some(books) = world.get_resource::<TransitBooks>() {
            for (organ, lodged) in books.lodged.iter().enumerate() {
                found[0][place(organ)] += *lodged as f64;
            }
        }
        for table in tables_with::<Colonist>(world) {
            let (Some(voyages), Some(colonists)) = (table.get::<Voyage>(), table.get::<Colonist>())
            else {
                continue;
            };
            let vitals = table.get::<Vital>();
            for (row, voyage) in voyages.iter().enumerate() {
                let Some(organ) = voyage.organ else { continue };
                if vitals.is_some_and(|vitals| !vitals[row].is_alive()) {
                    continue;
                }
                let (at, of) = (place(usize::from(organ)), &colonists[row]);
                found[1][at] += f64::from(of.cells.max(1));
                match of.stage {
                    ColonyStage::Solitary | ColonyStage::Dormant => found[2][at] += 1.0,
                    ColonyStage::Growing => found[3][at] += 1.0,
                    _ => {}
                }
            }
        }
    }
    found.concat()
}
