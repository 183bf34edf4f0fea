//! What is legal and has no effect in a scene: rules and exchange that hang on a molecule which is not simulated where
//! the cells are, and perfusion of tissue whose vessels are drawn.
//!
//! Shipped cell types have many such arrows, of which a simple scene needs few: what is said here is about what the
//! scene itself, or a cell file that is not a shipped one, states.

use std::collections::{BTreeMap, BTreeSet};

use super::capabilities::molecules_of;
use super::checker::Checker;
use super::library::CellLibrary;
use super::prefab::CellPrefab;
use super::report::SceneReport;
use super::schema::{Action, Place, Population, Scene};
use super::spans::{FieldPath, PathStep, Tree};
use super::{Tables, added, shape::join_with_or};
use crate::core::regulate::RuleChange;
use crate::core::rule::Rule;

/// Where cells of each type are put, at the start or later: places in the list of sites.
type Places<'s> = BTreeMap<&'s str, BTreeSet<usize>>;

/// Notes as warnings what has no effect.
pub(super) fn note_without_effect(
    checker: &mut Checker,
    scene: &Scene,
    library: &CellLibrary,
    tables: &Tables,
) {
    let shipped = CellLibrary::shipped_with(&library.known);
    let effects = Effects {
        scene,
        library,
        shipped: shipped.map(|shipped| shipped.types).unwrap_or_default(),
        places: places(scene, tables),
    };
    for prefab in &library.types {
        let Some((file, text)) = prefab.origin.get() else {
            continue;
        };
        let said = effects.of_type(&FieldPath::root(), prefab);
        if said.is_empty() {
            continue;
        }
        let tree = Tree::read(text);
        let mut of_file = Checker {
            file,
            text,
            tree: &tree,
            repaired: &[],
            molecules: &library.molecules,
            unread: &[],
            moved: &[],
            report: SceneReport::default(),
        };
        warn(&mut of_file, said);
        of_file.report.add_source(file, text);
        checker.report.absorb(of_file.report);
    }
    warn(checker, of_sites(scene, library));
    let root = FieldPath::root();
    let list = root.field("cell_types");
    for (index, prefab) in scene.cell_types.iter().enumerate() {
        warn(checker, effects.of_type(&list.item(index), prefab));
    }
    let list = root.field("rules");
    for (index, change) in scene.rules.iter().enumerate() {
        warn(checker, effects.of_change(&list.item(index), change));
    }
    for (at, action) in scene.actions() {
        if let Action::Rule(change) = action {
            warn(checker, effects.of_change(&at, change));
        }
    }
}

/// What of a site has no effect: perfusion by vessels that are not drawn, where some are.
fn of_sites(scene: &Scene, library: &CellLibrary) -> Vec<(FieldPath, String)> {
    let list = FieldPath::root().field("sites");
    let mut said = Vec::new();
    for (index, site) in scene.sites.iter().enumerate() {
        let mut parts = library.known.site_parts();
        let supplier =
            parts.find(|part| part.supplies && site.tissue.get(part.file.name).is_some());
        if let (Some(part), Some(_)) = (supplier, site.perfusion_length_um) {
            said.push((
                list.item(index).field("perfusion_length_um"),
                format!(
                    "this supplies nothing: the site has `{}` of its own, and blood of the host comes by these alone",
                    part.file.name
                ),
            ));
        }
    }
    said
}

/// Notes warnings at their places.
fn warn(checker: &mut Checker, said: Vec<(FieldPath, String)>) {
    for (at, message) in said {
        if let Some(problem) = checker.problem(&at, message) {
            problem.is_warning = true;
        }
    }
}

/// Where cells of each type are put.
fn places<'s>(scene: &'s Scene, tables: &'s Tables) -> Places<'s> {
    let mut places = Places::new();
    for population in scene.populations.iter().chain(added(scene.timeline.iter())) {
        let site = match &population.site {
            None => Some(0),
            Some(name) => scene.sites.iter().position(|site| site.name == *name),
        };
        let Some(site) = site else { continue };
        for of in types_in(population, tables) {
            places.entry(of).or_default().insert(site);
        }
    }
    places
}

/// The types of the cells of a population.
fn types_in<'s>(population: &'s Population, tables: &'s Tables) -> Vec<&'s str> {
    let own = population.cell.as_str();
    match &population.place {
        Place::Cells(cells) => {
            let named = cells.iter().map(|cell| cell.cell.as_deref());
            named.map(|name| name.unwrap_or(own)).collect()
        }
        Place::Csv(file) => {
            let rows = tables.0.get(file).into_iter().flatten();
            let named = rows.map(|row| row.cell.as_deref());
            named.map(|name| name.unwrap_or(own)).collect()
        }
        _ => vec![own],
    }
}

struct Effects<'s> {
    scene: &'s Scene,
    library: &'s CellLibrary,
    shipped: Vec<CellPrefab>,
    places: Places<'s>,
}

impl Effects<'_> {
    /// What of a cell type that stands at a place has no effect, but for what a shipped type of its name has as well.
    fn of_type(&self, root: &FieldPath, prefab: &CellPrefab) -> Vec<(FieldPath, String)> {
        let Some(sites) = self.places.get(prefab.name.as_str()) else {
            return Vec::new();
        };
        let shipped = self.shipped.iter().find(|known| known.name == prefab.name);
        let mut said = Vec::new();
        for (name, rule) in &prefab.rules {
            if shipped.is_none_or(|shipped| shipped.rules.get(name) != Some(rule)) {
                said.extend(self.of_rule(&root.field("rules").key(name), rule, sites));
            }
        }
        for (at, molecule) in molecules_of(root, prefab, &self.library.known) {
            let capability = match at.0.get(root.0.len()) {
                Some(PathStep::Field(name)) => name.as_str(),
                _ => continue,
            };
            let same = |shipped: &CellPrefab| {
                shipped.capability(capability) == prefab.capability(capability)
            };
            let name = molecule.as_str();
            if !shipped.is_some_and(same) && !self.is_simulated(name, sites) {
                let message = format!("{}: this has no effect", self.missing(name, sites));
                said.push((at, message));
            }
        }
        said
    }

    /// What of a new rule has no effect.
    fn of_change(&self, at: &FieldPath, change: &RuleChange) -> Vec<(FieldPath, String)> {
        match change {
            RuleChange::Add { of, rule, .. } => match self.places.get(of.as_str()) {
                Some(sites) => self.of_rule(&at.field("rule"), rule, sites),
                None => Vec::new(),
            },
            RuleChange::Scale(..) | RuleChange::Delete(_) => Vec::new(),
        }
    }

    fn of_rule(
        &self,
        at: &FieldPath,
        rule: &Rule,
        sites: &BTreeSet<usize>,
    ) -> Vec<(FieldPath, String)> {
        let mut said = Vec::new();
        let molecules = &self.library.molecules;
        let mut note = |part: &str, name: &str| {
            let message = format!("{}: the rule has no effect", self.missing(name, sites));
            said.push((at.field(part), message));
        };
        for part in rule.input.split('.').skip(1) {
            if molecules.named(part).is_some() && !self.is_simulated(part, sites) {
                note("input", part);
            }
        }
        // Where a molecule has a background, rules go by that.
        let by = rule.by.as_str();
        let is_nothing = molecules.named(by).is_some_and(|of| of.background == 0.0);
        if is_nothing && !self.is_simulated(by, sites) {
            note("by", by);
        }
        said
    }

    fn is_simulated(&self, molecule: &str, sites: &BTreeSet<usize>) -> bool {
        let mut sites = sites.iter().filter_map(|site| self.scene.sites.get(*site));
        sites.any(|site| {
            let mut fields = site.fields.iter();
            fields.any(|field| field.molecule.as_str() == molecule)
        })
    }

    /// That a molecule is not simulated where the cells are.
    fn missing(&self, molecule: &str, sites: &BTreeSet<usize>) -> String {
        let sites = sites.iter().filter_map(|site| self.scene.sites.get(*site));
        let names: Vec<String> = sites.map(|site| format!("`{}`", site.name)).collect();
        let where_ = join_with_or(&names);
        format!("`{molecule}` is not simulated in {where_}, where these cells are")
    }
}
