//! Checks of what a scene expects.

use super::super::schema::{Condition, Expectation, Scene, Site, Test};
use super::super::spans::FieldPath;
use super::story::check_site_name;
use super::{Bounds, Checker};
use crate::core::metric::Metric;

pub(super) fn check_expectations(
    checker: &mut Checker,
    scene: &Scene,
    columns: Option<&[Metric]>,
    bounds: &Bounds,
) {
    for (index, expectation) in scene.expect.iter().enumerate() {
        let path = FieldPath::root().field("expect").item(index);
        match expectation {
            Expectation::At(time, condition) => {
                checker.time(&path.nth(0), *time, bounds);
                check_condition(checker, &path.nth(1), condition, scene, columns);
            }
            Expectation::AtEnd(condition)
            | Expectation::Always(condition)
            | Expectation::Eventually(condition) => {
                check_condition(checker, &path, condition, scene, columns);
            }
            Expectation::Before(first, second) => {
                check_condition(checker, &path.nth(0), first, scene, columns);
                check_condition(checker, &path.nth(1), second, scene, columns);
            }
        }
    }
}

/// Whether some site of a scene carries a molecule.
pub(super) fn carries(scene: &Scene, molecule: &str) -> bool {
    let mut fields = scene.sites.iter().flat_map(|site| &site.fields);
    fields.any(|field| field.molecule.as_str() == molecule)
}

/// Says of a column or quantity that nothing stands behind it, for its molecule is nowhere.
pub(super) fn no_site_carries(
    checker: &mut Checker,
    path: &FieldPath,
    what: &str,
    (name, molecule): (&str, &str),
) {
    let message =
        format!("there is no {what} `{name}`, for no site of the scene carries `{molecule}`");
    let help = format!("add `(molecule: \"{molecule}\", level: ...)` to the `fields` of a site");
    checker.problem_with_help(path, message, help);
}

/// A column must be there, and if it is of a molecule the site that is meant must carry that.
fn check_column(
    checker: &mut Checker,
    path: &FieldPath,
    condition: &Condition,
    scene: &Scene,
    columns: &[Metric],
) {
    let name = condition.metric.as_str();
    let lacks = |metric: &Metric| {
        let molecule = metric.molecule.as_deref();
        molecule
            .filter(|molecule| !carries(scene, molecule))
            .map(str::to_owned)
    };
    let named = columns.iter().find(|metric| metric.name == name);
    if let Some(molecule) = named.and_then(lacks) {
        no_site_carries(checker, path, "column", (name, &molecule));
        return;
    }
    let site = match &condition.site {
        None => scene.sites.first(),
        Some(name) => scene.sites.iter().find(|site| site.name == *name),
    };
    let molecule = named.and_then(|metric| metric.molecule.as_deref());
    if let (Some(site), Some(molecule)) = (site, molecule)
        && !carries_itself(site, molecule)
    {
        let carriers = scene
            .sites
            .iter()
            .filter(|site| carries_itself(site, molecule));
        let names: Vec<String> = carriers.map(|site| format!("`{}`", site.name)).collect();
        let message = format!(
            "`{name}` has no value in the site `{}`, which does not carry `{molecule}`",
            site.name
        );
        checker.problem_with_help(path, message, format!("carried by {}", names.join(", ")));
        return;
    }
    let there = columns.iter().filter(|metric| lacks(metric).is_none());
    let there: Vec<&str> = there.map(|metric| metric.name.as_str()).collect();
    checker.known(path, "column", name, &there);
}

/// Whether a site carries a molecule.
fn carries_itself(site: &Site, molecule: &str) -> bool {
    let mut fields = site.fields.iter();
    fields.any(|field| field.molecule.as_str() == molecule)
}

pub(in crate::scene) fn check_condition(
    checker: &mut Checker,
    path: &FieldPath,
    condition: &Condition,
    scene: &Scene,
    columns: Option<&[Metric]>,
) {
    if let Some(columns) = columns {
        check_column(checker, &path.field("metric"), condition, scene, columns);
    }
    if let Some(site) = &condition.site {
        check_site_name(checker, &path.field("site"), site, scene);
    }
    let is = path.field("is");
    match condition.is {
        Test::Above(bound) | Test::Below(bound) => {
            checker.finite(&is, bound);
        }
        Test::Between(least, most) => {
            let fine = checker.finite(&is.nth(0), least) & checker.finite(&is.nth(1), most);
            if fine && least > most {
                checker.problem(&is, format!("nothing is between {least} and {most}"));
            }
        }
    }
}
