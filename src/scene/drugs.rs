//! The library of drugs, and what a scene does with them. A drug is data: a RON file in `assets/drugs`, or an entry of a scene's own `drugs`.
//!
//! The shipped ones are part of the binary. Files in the nearest `assets/drugs` folder beside or above the scene, or else under the current folder,
//! replace drugs of the same name and add new ones, and so do those that a scene brings along. Of all that are at hand a scene *has* those
//! that its timeline gives and those that it names in `on_call`: their molecules are simulated in every site that blood or medium supplies, and their
//! effects are rules of its cell types and sites. The others cost nothing.

use std::collections::BTreeMap;
use std::path::Path;

use bevy::prelude::World;
use include_dir::{Dir, include_dir};

use super::assets;
use super::check::line;
use super::checker::Checker;
use super::library::CellLibrary;
use super::molecules::{
    check_coarsen, check_contours, check_scale_max, read_definition, shipped_names,
};
use super::prefab::Origin;
use super::report::SceneReport;
use super::schema::{Action, Faces, Field, Scene, Site};
use super::spans::{FieldPath, Tree};
use super::treatment::{CellTransfer, Dosing, Injection, Irradiation, Resection};
use crate::biology::therapy::effects::{Subject, subject};
use crate::biology::therapy::{Drug, Drugs, prescribe_drug};
use crate::core::input::Inputs;
use crate::core::parameters::Parameters;
use crate::core::quantity::Quantities;
use crate::core::rule_check::wrong_numbers;
use crate::tissue::placed::Region;
use crate::tissue::{MoleculeName, Molecules};

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/assets/drugs");

/// Where drugs lie, from the root of the project and from any folder above a scene.
const FOLDER: &str = "assets/drugs";

/// Most doses of a course, and most cells of a transfer.
const MOST: u32 = 1_000_000;
/// Largest dose, mg, or mg for a kg of body: a kilogram.
const MOST_MG: f64 = 1e6;
/// Largest dose of radiation, Gy.
const MOST_GRAY: f32 = 1000.0;
/// Most that is injected into tissue at once, fmol: a mmol, far more than anybody would.
const MOST_FMOL: f64 = 1e12;

/// A drug and the file it was read from.
pub(super) type Read = (Drug, Origin);

/// Reads a drug from RON text. `name` is that of the file, for reports.
///
/// # Errors
/// When anything is wrong with it: everything that is.
pub fn parse_drug(source: &str, name: &str) -> Result<Drug, SceneReport> {
    Ok(read_drug(source, name)?.0)
}

fn read_drug(source: &str, name: &str) -> Result<Read, SceneReport> {
    let drug = read_definition(source, name, |checker, root, drug: &Drug| {
        check_drug(checker, root, drug);
        checker.named_as_file(&root.field("name"), &drug.name);
    })?;
    Ok((drug, Origin::new(name, source)))
}

/// Reads a drug from a file.
///
/// # Errors
/// When anything is wrong with it: everything that is.
pub fn load_drug(path: &Path) -> Result<Drug, SceneReport> {
    Ok(assets::read_file(path, read_drug)?.0)
}

/// The shipped drugs only, by name.
///
/// # Errors
/// When a shipped file is wrong, which a test excludes.
pub fn shipped_drugs() -> Result<Vec<Drug>, SceneReport> {
    let read = assets::shipped(&SHIPPED, FOLDER, read_drug)?;
    Ok(read.into_iter().map(|(drug, _)| drug).collect())
}

/// Puts those of a scene's drugs on call that nothing in it gives, such as those of arms that it has no more: it has them all the same.
pub(super) fn keep_on_call(scene: &mut Scene) {
    let of_arms = scene.arms.iter().flat_map(|arm| &arm.timeline);
    let events = scene.timeline.iter().chain(of_arms);
    let given: Vec<&str> = events.filter_map(|event| event.action().drug()).collect();
    let names = scene.drugs.iter().map(|drug| &drug.name);
    let kept =
        names.filter(|name| !given.contains(&name.as_str()) && !scene.on_call.contains(name));
    let kept: Vec<String> = kept.cloned().collect();
    scene.on_call.extend(kept);
}

/// Checks the drug that stands at a place of a file.
fn check_drug(checker: &mut Checker, root: &FieldPath, drug: &Drug) {
    checker.plain_name(&root.field("name"), &drug.name);
    if shipped_names().contains(&drug.name) {
        let message = format!(
            "`{}` is the name of a molecule: a drug brings one of its own",
            drug.name
        );
        checker.problem(&root.field("name"), message);
    }
    for (field, text) in [("label", &drug.label), ("source", &drug.source)] {
        if text.trim().is_empty() {
            checker.problem(&root.field(field), "must not be empty");
        }
        line(checker, &root.field(field), text);
    }
    checker.limits(root, Drug::limits, drug);
    let tissue = root.field("tissue");
    check_coarsen(checker, &tissue.field("coarsen"), drug.tissue.coarsen);
    check_scale_max(
        checker,
        &tissue.field("scale_max_nm"),
        drug.tissue.scale_max_nm,
    );
    check_contours(
        checker,
        &tissue.field("contours_nm"),
        &drug.tissue.contours_nm,
    );
    if drug.mouse.is_none() && drug.human.is_none() {
        checker.problem(
            root,
            "a drug needs `mouse` or `human`: how it goes through a body",
        );
    }
    for (field, kinetics) in [("mouse", &drug.mouse), ("human", &drug.human)] {
        let Some(kinetics) = kinetics else { continue };
        let at = root.field(field);
        let routes = crate::biology::therapy::Route::ALL;
        let mut found = routes
            .into_iter()
            .filter(|of| kinetics.absorption(*of).is_some());
        if found.next().is_none() {
            let message = "there is no way to give it: add `intravenous: ()` or another";
            checker.problem(&at, message);
        }
        for route in routes.into_iter().skip(1) {
            if let Some(of) = kinetics.absorption(route)
                && of.per_hour <= 0.0
            {
                let at = at.field(route.field()).field("per_hour");
                checker.problem(&at, "must be greater than 0: the depot would never empty");
            }
        }
    }
    let hides = root.field("hides");
    for (name, hidden) in &drug.hides {
        check_source(checker, &hides.key(name), &hidden.source);
    }
    let effects = root.field("effects");
    for (name, effect) in &drug.effects {
        let at = effects.key(name);
        checker.plain_name(&at, name);
        for fault in wrong_numbers(&drug.rule(name, effect).1) {
            checker.problem(&at.field(fault.part), fault.message);
        }
        check_source(checker, &at, &effect.source);
    }
}

/// Asks that what stands at a place says where its numbers are from.
fn check_source(checker: &mut Checker, at: &FieldPath, source: &str) {
    if source.trim().is_empty() {
        let message = "must not be empty: say where its numbers are from, or `assumed`";
        checker.problem(&at.field("source"), message);
    }
}

/// Checks the drugs that a scene brings along.
pub(super) fn check_own(checker: &mut Checker, at_hand: &AtHand) {
    let list = FieldPath::root().field("drugs");
    let mut first_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, drug) in at_hand.own.iter().enumerate() {
        let path = list.item(index);
        check_drug(checker, &path, drug);
        let first = *first_of.entry(drug.name.as_str()).or_insert(index);
        if first < index {
            let message = format!("`{}` is already the name of drugs[{first}]", drug.name);
            checker.problem(&path.field("name"), message);
        }
    }
}

/// What a scene has of drugs.
pub(super) struct AtHand {
    /// Those that it brings along, in the order in which it lists them.
    own: Vec<Drug>,
    /// The drugs it has, with their files.
    used: Vec<Read>,
    /// The names of all that are at hand.
    names: Vec<String>,
}

/// Finds the drugs that a scene has, and gives the library and the scene's sites what they bring.
///
/// # Errors
/// When a shipped file is wrong, which a test excludes.
pub(super) fn prepare(
    scene: &mut Scene,
    library: &mut CellLibrary,
    folder: &Path,
    is_whole: bool,
    report: &mut SceneReport,
    unread: &mut Vec<String>,
) -> Result<AtHand, SceneReport> {
    let mut all: Vec<Read> = Vec::new();
    if !is_whole {
        all = assets::shipped(&SHIPPED, FOLDER, read_drug)?;
        if let Some(folder) = assets::nearest_folder(folder, FOLDER) {
            let found = assets::in_folder(&folder, read_drug);
            all.extend(found.list);
            report.absorb(found.report);
            unread.extend(found.unread);
        }
    }
    let own = scene.drugs.clone();
    all.extend(own.iter().map(|drug| (drug.clone(), Origin::default())));
    // Of two of a name the later one.
    all.reverse();
    all.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    all.dedup_by(|later, first| later.0.name == first.0.name);
    let names: Vec<String> = all.iter().map(|(drug, _)| drug.name.clone()).collect();
    // An arm without a drug that another gives has its molecules as well, none of them: seeds stay paired.
    let of_arms = scene.arms.iter().flat_map(|arm| &arm.timeline);
    let events = scene.timeline.iter().chain(of_arms);
    let given = events.filter_map(|event| event.action().drug());
    let wanted: Vec<&str> = given
        .chain(scene.on_call.iter().map(String::as_str))
        .collect();
    let used: Vec<Read> = all
        .into_iter()
        .filter(|(drug, _)| wanted.contains(&drug.name.as_str()))
        .collect();
    let list: Vec<Drug> = used.iter().map(|(drug, _)| drug.clone()).collect();
    let mut molecules = library.molecules.list().to_vec();
    for drug in &list {
        let partner = drug.binds.as_ref();
        let partner = partner.and_then(|of| library.molecules.named(&of.molecule));
        for molecule in drug.molecules(partner) {
            if molecules.iter().all(|known| known.name != molecule.name) {
                molecules.push(molecule);
            }
        }
    }
    if !list.is_empty() {
        library.molecules = Molecules::new(molecules);
    }
    if !is_whole {
        for site in &mut scene.sites {
            if scene.untreated.contains(&site.name) {
                continue;
            }
            let is_supplied = is_supplied(site, library);
            for drug in &list {
                bring_into(site, drug, is_supplied);
            }
        }
    }
    scene.drugs.clone_from(&list);
    library.drugs = Drugs {
        list,
        body: scene.patient,
    };
    Ok(AtHand { own, used, names })
}

/// Whether blood or medium brings anything into a site.
fn is_supplied(site: &Site, library: &CellLibrary) -> bool {
    let mut parts = library.known.site_parts();
    site.perfusion_length_um.is_some()
        || site.stirring_length_um.is_some()
        || site.tissue.get("interstitium").is_some()
        || parts.any(|part| part.supplies && site.tissue.get(part.file.name).is_some())
}

/// Lets a site simulate the molecules of a drug. What the scene says of one itself stays.
fn bring_into(site: &mut Site, drug: &Drug, is_supplied: bool) {
    let has = |site: &Site, name: &str| {
        let mut fields = site.fields.iter();
        fields.any(|field| field.molecule.as_str() == name)
    };
    if !is_supplied && !has(site, &drug.name) {
        return;
    }
    for name in drug.molecule_names() {
        if !has(site, &name) {
            site.fields.push(Field {
                molecule: MoleculeName(name),
                level: 0.0,
                start: None,
                faces: Faces::Closed,
                sources: Vec::new(),
            });
        }
    }
}

/// Checks what the drugs of a scene name, in a world where all there is has been registered; each in its own file.
pub(super) fn check_names(
    report: &mut SceneReport,
    checker: &mut Checker,
    at_hand: &AtHand,
    world: &World,
) {
    for (drug, origin) in &at_hand.used {
        match origin.get() {
            Some((file, text)) => {
                let tree = Tree::read(text);
                let mut own = Checker {
                    file,
                    text,
                    tree: &tree,
                    repaired: &[],
                    molecules: checker.molecules,
                    unread: checker.unread,
                    moved: &[],
                    report: SceneReport::default(),
                };
                check_names_of(&mut own, &FieldPath::root(), drug, world);
                if !own.report.is_empty() {
                    own.report.add_source(file, text);
                    report.absorb_first(own.report);
                }
            }
            None => {
                let place = at_hand.own.iter().rposition(|of| of.name == drug.name);
                let list = FieldPath::root().field("drugs");
                check_names_of(checker, &list.item(place.unwrap_or(0)), drug, world);
            }
        }
    }
}

fn check_names_of(checker: &mut Checker, root: &FieldPath, drug: &Drug, world: &World) {
    if let Some(binding) = &drug.binds {
        let at = root.field("binds").field("molecule");
        checker.molecule(&at, &MoleculeName(binding.molecule.clone()));
    }
    let capabilities = world.get_resource::<crate::core::capability::CapabilityRegistry>();
    let capabilities = capabilities.map_or_else(Vec::new, |known| known.names());
    let types = world.get_resource::<crate::core::parameters::CellTypeNames>();
    let types = types.into_iter().flat_map(|types| types.0.clone());
    let capabilities: Vec<String> = capabilities
        .into_iter()
        .map(str::to_owned)
        .chain(types)
        .collect();
    let list = root.field("hides");
    for (name, hidden) in &drug.hides {
        let at = list.key(name);
        checker.molecule(&at, &MoleculeName(name.clone()));
        for (index, only) in hidden.only.iter().enumerate() {
            let at = at.field("only").item(index);
            check_only(checker, &at, only, &capabilities);
        }
    }
    let inputs = world.get_resource::<Inputs>();
    let mut names: Vec<&str> = inputs.map_or_else(Vec::new, Inputs::cell_names);
    if let Some(inputs) = inputs {
        names.extend(inputs.elements.iter().map(|of| of.info.name.as_str()));
        names.extend(inputs.sites.iter().map(|of| of.info.name.as_str()));
    }
    let quantities = world.get_resource::<Quantities>();
    let quantities = quantities.map_or_else(Vec::new, Quantities::cell_names);
    let list = root.field("effects");
    for (name, effect) in &drug.effects {
        let at = list.key(name);
        if !checker.known(&at.field("input"), "input", &effect.input, &names) {
            continue;
        }
        let of_cells = subject(world, &effect.input) == Some(Subject::Cells);
        if let Some(within) = &effect.within {
            let at = at.field("within");
            if of_cells {
                checker.known(&at, "quantity of cells", within, &quantities);
            } else {
                checker.problem(&at, format!("`{}` is no input of cells", effect.input));
            }
        }
        for (index, only) in effect.only.iter().enumerate() {
            let at = at.field("only").item(index);
            check_only(checker, &at, only, &capabilities);
        }
    }
}

/// Asks for a capability or a cell type; a scene may do without a type that a drug is made for.
fn check_only(checker: &mut Checker, at: &FieldPath, only: &str, known: &[String]) {
    let before = checker.report.problems.len();
    if !checker.known(at, "capability or cell type", only, known) {
        for problem in checker.report.problems.iter_mut().skip(before) {
            problem.is_warning = true;
        }
    }
}

/// Checks the treatments of a scene.
pub(super) fn check_treatments(
    checker: &mut Checker,
    scene: &Scene,
    library: &CellLibrary,
    at_hand: &AtHand,
) {
    let root = FieldPath::root();
    let list = root.field("on_call");
    for (index, name) in scene.on_call.iter().enumerate() {
        checker.known(&list.item(index), "drug", name, &at_hand.names);
    }
    let list = root.field("untreated");
    let sites: Vec<&str> = scene.sites.iter().map(|site| site.name.as_str()).collect();
    for (index, name) in scene.untreated.iter().enumerate() {
        checker.known(&list.item(index), "site", name, &sites);
    }
    for (path, action) in scene.actions() {
        check_treatment(checker, &path, action, scene, (library, &at_hand.names));
    }
}

/// Checks one treatment.
pub(super) fn check_treatment(
    checker: &mut Checker,
    path: &FieldPath,
    action: &Action,
    scene: &Scene,
    (library, drugs): (&CellLibrary, &[String]),
) {
    let site = |checker: &mut Checker, name: &Option<String>| {
        if let Some(name) = name {
            let names: Vec<&str> = scene.sites.iter().map(|site| site.name.as_str()).collect();
            checker.known(&path.field("site"), "site", name, &names);
        }
    };
    match action {
        Action::Give(dosing) => check_dosing(checker, path, dosing, scene, (library, drugs)),
        Action::Inject(Injection {
            drug,
            site: of,
            place,
            fmol,
        }) => {
            checker.known(&path.field("drug"), "drug", drug, drugs);
            site(checker, of);
            check_region(checker, &path.field("place"), place, true);
            let at = path.field("fmol");
            if checker.positive(&at, *fmol) && *fmol > MOST_FMOL {
                let message = format!("must be at most {MOST_FMOL:e} fmol, found {fmol}");
                checker.problem(&at, message);
            }
        }
        Action::Irradiate(Irradiation {
            gray,
            site: of,
            place,
        }) => {
            site(checker, of);
            let at = path.field("gray");
            if checker.not_negative(&at, *gray) && *gray > MOST_GRAY {
                checker.problem(&at, format!("must be at most {MOST_GRAY} Gy, found {gray}"));
            }
            if let Some(place) = place {
                check_region(checker, &path.field("place"), place, false);
            }
        }
        Action::Resect(Resection {
            site: of,
            place,
            cells,
        }) => {
            site(checker, of);
            if let Some(place) = place {
                check_region(checker, &path.field("place"), place, false);
            }
            for (index, cell) in cells.iter().enumerate() {
                let at = path.field("cells").item(index);
                checker.known(&at, "cell type", cell, &library.names());
            }
        }
        Action::Transfer(CellTransfer {
            cell,
            cells,
            site: of,
            over,
        }) => {
            site(checker, of);
            checker.known(&path.field("cell"), "cell type", cell, &library.names());
            if *cells == 0 || *cells > MOST {
                let message = format!("must be from 1 to {MOST} cells, found {cells}");
                checker.problem(&path.field("cells"), message);
            }
            if let Some(over) = over {
                checker.not_negative(&path.field("over"), over.minutes());
            }
        }
        _ => {}
    }
}

fn check_region(checker: &mut Checker, path: &FieldPath, region: &Region, may_be_a_point: bool) {
    match region {
        Region::Point { at_um } => {
            checker.finite_point(&path.field("at_um"), *at_um);
            if !may_be_a_point {
                let message = "no cell lies in a point: give a `Ball` or a `Box`";
                checker.problem(path, message);
            }
        }
        Region::Ball {
            center_um,
            radius_um,
        } => {
            checker.finite_point(&path.field("center_um"), *center_um);
            checker.positive(&path.field("radius_um"), *radius_um);
        }
        Region::Box { min_um, max_um } => {
            checker.finite_point(&path.field("min_um"), *min_um);
            checker.finite_point(&path.field("max_um"), *max_um);
        }
    }
}

fn check_dosing(
    checker: &mut Checker,
    path: &FieldPath,
    dosing: &Dosing,
    scene: &Scene,
    (library, drugs): (&CellLibrary, &[String]),
) {
    let is_known = checker.known(&path.field("drug"), "drug", &dosing.drug, drugs);
    let (field, amount) = match (dosing.mg_per_kg, dosing.mg) {
        (Some(mg), _) => ("mg_per_kg", Some(mg)),
        (None, mg) => ("mg", mg),
    };
    match (dosing.mg_per_kg, dosing.mg, amount) {
        (Some(_), Some(_), _) => {
            checker.problem(
                path,
                "a dose is given in `mg_per_kg` or in `mg`, not in both",
            );
        }
        (_, _, None) => {
            checker.problem(path, "a dose needs `mg_per_kg` or `mg`");
        }
        (_, _, Some(amount)) => {
            let at = path.field(field);
            if checker.positive(&at, amount) && amount > MOST_MG {
                checker.problem(
                    &at,
                    format!("must be at most {MOST_MG:e} mg, found {amount}"),
                );
            }
        }
    }
    if dosing.times == 0 || dosing.times > MOST {
        let message = format!("must be from 1 to {MOST} doses, found {}", dosing.times);
        checker.problem(&path.field("times"), message);
    }
    let every = path.field("every");
    match dosing.every {
        None if dosing.times > 1 => {
            let message = format!("{} doses need `every`, the time between two", dosing.times);
            checker.problem(&path.field("times"), message);
        }
        Some(span)
            if checker.positive(&every, span.minutes())
                && span.minutes() < scene.step.minutes() =>
        {
            let message = format!(
                "{span} is shorter than a step of the scene ({})",
                scene.step
            );
            checker.problem(&every, message);
        }
        _ => {}
    }
    let drug = library
        .drugs
        .index(&dosing.drug)
        .map(|at| &library.drugs.list[at]);
    if let (true, Some(drug), Some(dose)) = (is_known, drug, dosing.dose())
        && let Err(wrong) = prescribe_drug(drug, scene.patient, dose, dosing.route)
    {
        use crate::biology::therapy::CourseError;
        let field = match wrong {
            CourseError::NoRoute { .. } => "route",
            CourseError::Unknown(_) | CourseError::OtherBody { .. } => "drug",
        };
        let at = if field == "route" && dosing.route.is_none() {
            path.clone()
        } else {
            path.field(field)
        };
        checker.problem(&at, wrong.to_string());
    }
}
