//! What is given when, and how much of it is in blood.
//!
//! A *course* is a drug, a dose, a way and times. [`take_doses`] runs first in `Transport`: it gives what falls into the step, each dose at its own
//! minute, carries the body on to the end of the step ([`super::kinetics`]), and makes the level in blood that of every field of the drug's
//! molecule ([`FieldSupply`]), so that vessels bring it.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::drug::{Drug, Drugs, Patient};
use super::kinetics::{Amounts, Route};
use crate::core::Clock;
use crate::core::invariant::Breach;
use crate::core::state::WhollyKept;
use crate::tissue::transport::FieldSupply;
use crate::tissue::{Molecules, Sites};

/// A drug that is given at some times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// Its place among the [`Drugs`].
    pub drug: u32,
    /// A dose, ug.
    pub dose_ug: f64,
    /// By what way.
    pub route: Route,
    /// Time of the first dose, min.
    pub start_minutes: f64,
    /// Time between two, min.
    pub every_minutes: f64,
    /// How many doses in all.
    pub times: u32,
    /// How many have been given.
    pub given: u32,
}

impl Course {
    /// When the next dose is due, min; none if all have been given.
    pub fn next_minutes(&self) -> Option<f64> {
        let at = self.start_minutes + f64::from(self.given) * self.every_minutes;
        (self.given < self.times).then_some(at)
    }
}

/// All that was given and is to be given, and what of it is where in the body.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pharmacy {
    /// Courses that have begun and are not over, in the order in which they began.
    pub courses: Vec<Course>,
    /// Of each of the [`Drugs`], what is in the body.
    pub amounts: Vec<Amounts>,
}

impl WhollyKept for Pharmacy {}

/// Why a course cannot be begun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CourseError {
    /// No such drug.
    #[error("there is no drug `{0}` that can be given in this scene; name it in `on_call`")]
    Unknown(String),
    /// It is not known how it goes through that body.
    #[error("it is not known how `{drug}` goes through {body}")]
    OtherBody {
        /// The drug.
        drug: String,
        /// The body.
        body: &'static str,
    },
    /// It cannot be given that way.
    #[error("`{drug}` cannot be given that way: it has no `{route}`")]
    NoRoute {
        /// The drug.
        drug: String,
        /// The way.
        route: &'static str,
    },
}

/// What a dose is said as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Dose {
    /// So much in all, mg.
    Mg(f64),
    /// So much for a kg of body, mg.
    MgPerKg(f64),
}

/// Where among the [`Drugs`] the drug stands that a course gives, in ug by what way.
///
/// # Errors
/// When it cannot be given.
pub fn prescribe(
    drugs: &Drugs,
    name: &str,
    dose: Dose,
    route: Option<Route>,
) -> Result<(usize, f64, Route), CourseError> {
    let index = drugs
        .index(name)
        .ok_or_else(|| CourseError::Unknown(name.to_owned()))?;
    let (dose_ug, route) = prescribe_drug(&drugs.list[index], drugs.body, dose, route)?;
    Ok((index, dose_ug, route))
}

/// The dose of a drug in ug, and its way.
///
/// # Errors
/// When it cannot be given to that body, or not so.
pub fn prescribe_drug(
    drug: &Drug,
    body: Patient,
    dose: Dose,
    route: Option<Route>,
) -> Result<(f64, Route), CourseError> {
    let kinetics = drug.kinetics(body).ok_or_else(|| CourseError::OtherBody {
        drug: drug.name.clone(),
        body: body.label(),
    })?;
    let no_route = |route: Route| CourseError::NoRoute {
        drug: drug.name.clone(),
        route: route.field(),
    };
    let usual = || drug.usual_route(body);
    let route = route
        .or_else(usual)
        .ok_or_else(|| no_route(Route::Intravenous))?;
    kinetics.absorption(route).ok_or_else(|| no_route(route))?;
    let mg = match dose {
        Dose::Mg(mg) => mg,
        Dose::MgPerKg(mg) => mg * kinetics.weight_kg,
    };
    Ok((1000.0 * mg, route))
}

impl Pharmacy {
    /// Begins a course.
    pub fn begin(&mut self, course: Course) {
        let drug = course.drug as usize;
        if self.amounts.len() <= drug {
            self.amounts.resize(drug + 1, Amounts::default());
        }
        self.courses.push(course);
    }

    /// Gives what falls between two times, min, and carries the body on to the second.
    pub fn advance(&mut self, drugs: &Drugs, from: f64, to: f64) {
        let Self { courses, amounts } = self;
        for (index, amounts) in amounts.iter_mut().enumerate() {
            let kinetics = drugs.list.get(index).and_then(|of| of.kinetics(drugs.body));
            let Some(kinetics) = kinetics else { continue };
            let mut now = from;
            loop {
                let own = courses.iter_mut().filter(|of| of.drug as usize == index);
                // The earliest; of two at the same time that which began first.
                let mut due: Option<(f64, &mut Course)> = None;
                for course in own {
                    let Some(at) = course.next_minutes().filter(|at| *at + TOLERANCE < to) else {
                        continue;
                    };
                    if due.as_ref().is_none_or(|(first, _)| at < *first) {
                        due = Some((at, course));
                    }
                }
                let Some((at, course)) = due else { break };
                let at = at.max(now);
                amounts.advance(kinetics, at - now);
                now = at;
                amounts.give(kinetics, course.route, course.dose_ug);
                course.given += 1;
            }
            amounts.advance(kinetics, to - now);
        }
        courses.retain(|course| course.next_minutes().is_some());
    }

    /// Level of a drug in plasma, ug/mL, all of it.
    pub fn plasma_ug_per_ml(&self, drugs: &Drugs, drug: usize) -> f64 {
        let kinetics = drugs.list.get(drug).and_then(|of| of.kinetics(drugs.body));
        match (kinetics, self.amounts.get(drug)) {
            (Some(kinetics), Some(amounts)) => amounts.level_ug_per_ml(kinetics),
            _ => 0.0,
        }
    }

    /// Level of a drug in plasma that is free to leave it, nM.
    pub fn free_nm(&self, drugs: &Drugs, drug: usize) -> f64 {
        let Some(of) = drugs.list.get(drug) else {
            return 0.0;
        };
        let unbound = of.kinetics(drugs.body).map_or(1.0, |of| of.unbound);
        of.nm(self.plasma_ug_per_ml(drugs, drug)) * unbound
    }
}

/// Two times closer than this are one, min.
const TOLERANCE: f64 = 1e-6;

/// Doses are taken, and go through the body; vessels bring what is in blood then.
pub fn take_doses(
    clock: Res<Clock>,
    drugs: Res<Drugs>,
    molecules: Res<Molecules>,
    sites: Res<Sites>,
    mut pharmacy: ResMut<Pharmacy>,
    mut fields: Query<&mut FieldSupply>,
) {
    if pharmacy.amounts.is_empty() {
        return;
    }
    let from = clock.minutes();
    let pharmacy = pharmacy.bypass_change_detection();
    pharmacy.advance(&drugs, from, from + clock.step_minutes);
    for (index, drug) in drugs.list.iter().enumerate() {
        let Some(molecule) = molecules.id(&drug.name) else {
            continue;
        };
        let level = pharmacy.free_nm(&drugs, index) as f32;
        for site in &sites.list {
            if let Some(field) = site.field(molecule)
                && let Ok(mut supply) = fields.get_mut(field.entity)
            {
                supply.bypass_change_detection().level = level;
            }
        }
    }
}

/// What was given is in the body or has left it.
pub(super) fn wrong_books(world: &World) -> Option<Breach> {
    let (drugs, pharmacy) = (
        world.get_resource::<Drugs>()?,
        world.get_resource::<Pharmacy>()?,
    );
    for (amounts, drug) in pharmacy.amounts.iter().zip(&drugs.list) {
        let (found, given) = (amounts.found_ug(), amounts.given_ug);
        if (found - given).abs() > 1e-6 * given + 1e-9 {
            return Some(Breach::new(format!(
                "of {given} ug of `{}` that were given {found} are in the body or have left it",
                drug.name
            )));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::kinetics::{Absorption, Kinetics};
    use super::super::testing::drug;
    use super::*;

    /// Bevacizumab in a person of 70 kg.
    fn bevacizumab() -> Drugs {
        let mut of = drug("bevacizumab");
        of.molar_mass_g_per_mol = 149_000.0;
        of.human = Some(Kinetics {
            weight_kg: 70.0,
            central_ml: 2880.0,
            clearance_ml_per_day: 216.0,
            peripheral_ml: 2600.0,
            exchange_ml_per_day: 550.0,
            saturable_ug_per_day: 0.0,
            half_saturation_ug_per_ml: 1.0,
            unbound: 1.0,
            intravenous: Some(Absorption {
                over_minutes: 90.0,
                per_hour: 0.0,
                share: 1.0,
            }),
            intraperitoneal: None,
            subcutaneous: None,
            oral: None,
        });
        Drugs {
            list: vec![of],
            body: Patient::Human,
        }
    }

    fn course(drugs: &Drugs, mg_per_kg: f64, every_days: f64, times: u32) -> Course {
        let dose = Dose::MgPerKg(mg_per_kg);
        let (drug, dose_ug, route) =
            prescribe(drugs, &drugs.list[0].name, dose, None).expect("it can be given");
        Course {
            drug: drug as u32,
            dose_ug,
            route,
            start_minutes: 0.0,
            every_minutes: every_days * 1440.0,
            times,
            given: 0,
        }
    }

    #[test]
    fn doses_come_at_their_own_minute_whatever_the_step() {
        let drugs = bevacizumab();
        let level = |step: f64| {
            let mut pharmacy = Pharmacy::default();
            pharmacy.begin(course(&drugs, 5.0, 0.37, 5));
            let steps = (3.0 * 1440.0 / step).round() as u64;
            for n in 0..steps {
                let from = n as f64 * step;
                pharmacy.advance(&drugs, from, from + step);
            }
            assert!(pharmacy.courses.is_empty());
            pharmacy.plasma_ug_per_ml(&drugs, 0)
        };
        let fine = level(1.0);
        for step in [10.0, 60.0, 1440.0] {
            assert!((level(step) / fine - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn what_cannot_be_given_is_told() {
        let mut drugs = bevacizumab();
        let dose = Dose::Mg(1.0);
        let of = |drugs: &Drugs, name: &str, route| prescribe(drugs, name, dose, route);
        assert!(matches!(
            of(&drugs, "x", None),
            Err(CourseError::Unknown(_))
        ));
        let oral = of(&drugs, "bevacizumab", Some(Route::Oral));
        assert!(matches!(oral, Err(CourseError::NoRoute { .. })));
        drugs.body = Patient::Mouse;
        let mouse = of(&drugs, "bevacizumab", None);
        assert!(matches!(mouse, Err(CourseError::OtherBody { .. })));
    }
}
