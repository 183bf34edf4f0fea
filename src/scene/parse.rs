//! From the text of a scene to a [`ParsedScene`], or to everything that is wrong with it.

use std::collections::BTreeMap;
use std::path::Path;

use super::check::check_scene;
use super::checker::Checker;
use super::library::AtHand;
use super::molecules::molecules_at_hand;
use super::rules::Use;
use super::schema::Scene;
use super::spans::FieldPath;
use super::{
    CellLibrary, ParsedScene, Problem, SceneContext, SceneReport, Tables, Timeline, advice, arms,
    capabilities, changes, check, drugs, effects, names, read, read_text, rules, scene_names_files,
    tissue_parts, used_types, variants,
};
use crate::core::Clock;
use crate::tissue::Molecules;

/// Reads a scene from a file.
///
/// # Errors
/// When anything is wrong with it or the files it names: everything that is.
pub fn load_scene(path: &Path, context: &SceneContext) -> Result<ParsedScene, SceneReport> {
    let name = path.display().to_string();
    let text = read_text(path, &name).map_err(|problem| SceneReport {
        problems: vec![*problem],
        sources: Vec::new(),
    })?;
    parse_scene(&text, &name, context)
}

/// Reads a scene from RON text. `name` is that of the file, for reports.
///
/// # Errors
/// When anything is wrong with it or the files it names: everything that is.
pub fn parse_scene(
    source: &str,
    name: &str,
    context: &SceneContext,
) -> Result<ParsedScene, SceneReport> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut reading = read::read::<Scene>(source, name);
    let known = context.known();
    if let Some(mut scene) = reading.value.take() {
        let list = FieldPath::root().field("cell_types");
        for (index, prefab) in scene.cell_types.iter_mut().enumerate() {
            let at = list.item(index);
            capabilities::read_parts((name, source), &at, prefab, known, &mut reading);
        }
        let list = FieldPath::root().field("sites");
        for (index, site) in scene.sites.iter_mut().enumerate() {
            let at = list.item(index).field("tissue");
            if !site.tissue.is_empty() {
                capabilities::read_parts(
                    (name, source),
                    &at,
                    &mut site.tissue,
                    known,
                    &mut reading,
                );
            }
        }
        if !scene.body.is_empty() {
            let at = FieldPath::root().field("body");
            capabilities::read_parts((name, source), &at, &mut scene.body, known, &mut reading);
        }
        reading.value = Some(scene);
    }
    let mut report = SceneReport {
        problems: reading.problems,
        sources: vec![(name.to_owned(), source.to_owned())],
    };
    let beside = Path::new(name).parent().unwrap_or(Path::new(""));
    let folder = context.folder.unwrap_or(beside);
    if let Some(scene) = reading.value.as_mut().filter(|_| !context.is_whole) {
        tissue_parts::read_files(scene, known, folder, &mut report);
    }
    if let Some(scene) = &reading.value {
        let crowded = check::too_many(scene, |field| {
            let at = FieldPath::root().field(field);
            let place = reading.tree.find(&at, source).0.span.clone();
            (at, place.start..place.start + 1)
        });
        if let Some((at, span, message)) = crowded {
            let problem = Problem::at(name, source, span, at, message);
            report.problems.push(problem);
            report.put_in_order();
            return Err(report);
        }
    }
    let mut tables = Tables(BTreeMap::new(), folder.to_owned());
    let (own_types, own_molecules) = reading.value.as_ref().map_or((&[][..], &[][..]), |scene| {
        (&scene.cell_types, &scene.molecules)
    });
    let AtHand {
        mut library,
        report: of_files,
        mut unread,
    } = if context.is_whole {
        let molecules = Molecules::new(own_molecules.iter().cloned());
        AtHand {
            library: CellLibrary::of_scene(own_types.to_vec(), molecules, known.clone()),
            report: SceneReport::default(),
            unread: Vec::new(),
        }
    } else if own_types.is_empty() {
        CellLibrary::at_hand(folder, own_molecules, known)?
    } else {
        let found = molecules_at_hand(folder, own_molecules)?;
        let molecules = Molecules::new(found.list);
        AtHand {
            library: CellLibrary::of_scene(own_types.to_vec(), molecules, known.clone()),
            report: found.report,
            unread: found.unread,
        }
    };
    report.absorb_first(of_files);
    let Some(mut scene) = reading.value else {
        report.put_in_order();
        return Err(report);
    };
    let drugs = drugs::prepare(
        &mut scene,
        &mut library,
        folder,
        context.is_whole,
        &mut report,
        &mut unread,
    )?;
    variants::add_variants(&mut library, &scene);
    let mut library = library.with_used_first(&used_types(&scene));
    let mut checker = Checker {
        file: name,
        text: source,
        tree: &reading.tree,
        repaired: &reading.repaired,
        molecules: &library.molecules,
        unread: &unread,
        moved: &[],
        report: SceneReport::default(),
    };
    if context.is_whole && scene_names_files(&scene) {
        let message = "this names a file, and what a simulation has written names none";
        checker.problem(&FieldPath::root().field("populations"), message);
        return Err(checker.report);
    }
    check_scene(&mut checker, &scene, &library, context, &mut tables);
    variants::check_variants(&mut checker, &scene, &library);
    drugs::check_own(&mut checker, &drugs);
    drugs::check_treatments(&mut checker, &scene, &library, &drugs);
    let in_arms =
        arms::check_scenes_of_arms(&checker, &scene, (&library, &drugs), context, &mut tables);
    let timeline = Timeline::new(&scene);
    // Types that only CSV files name are used as well.
    let rows = tables.0.values().flatten();
    let named = rows.filter_map(|row| row.cell.as_deref());
    let used: Vec<&str> = used_types(&scene).into_iter().chain(named).collect();
    let mut misfits = Vec::new();
    if let Some(prototype) = context.prototype {
        let mut world = prototype(&library);
        if report.is_empty() && checker.report.is_empty() {
            rules::note_lacked_quantities(&mut world, library.types.len());
        }
        let place = Use::InScene(&used);
        misfits = rules::check_library(&mut report, &library, &unread, &world, place);
        names::check_names(&mut report, name, &world);
        drugs::check_names(&mut report, &mut checker, &drugs, &world);
        rules::check_own_types(&mut checker, &scene, &library, &world);
        changes::check_changes(&mut checker, (&scene, &timeline), &library, &mut world);
        world.insert_resource(Clock::new(scene.step.minutes()));
        advice::note_advice(&mut checker, &scene, &library, &world);
    }
    effects::note_without_effect(&mut checker, &scene, &library, &tables);
    arms::check_arms(&mut checker, &scene, &library, context, in_arms);
    report.absorb(checker.report);
    report.put_in_order();
    let (problems, warnings) = report.apart();
    if !problems.is_empty() {
        return Err(problems);
    }
    library
        .types
        .retain(|prefab| !misfits.contains(&prefab.name));
    Ok(ParsedScene {
        name: name.to_owned(),
        library: library.with_used_first(&used),
        timeline,
        extensions: context.extensions.cloned().unwrap_or_default(),
        warnings,
        tables: tables.0,
        scene,
    })
}
