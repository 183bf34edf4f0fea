//! Cells that are called out of the blood: monocytes, regulatory T cells, myeloid cells, and dendritic cells, which come uncalled (capability `recruit`).
//!
//! Into a site with the part `recruitment` cells of each type with the capability come at the rate `recruit.rate`, cells in a mm3 and day,
//! times the volume of the site and its input `recruitment.scale`, and where vessels are drawn times how much perfused wall there is to hold on to over
//! that of native tissue ([`SiteWays::vascularity`](crate::cell::doors::SiteWays::vascularity)). Who calls them is said by the rules of the type on
//! `recruit.rate`, by molecules, and what keeps part of those away that are called, whoever calls them, by rules on `recruit.share`, which is 1 without
//! any: these are read where a cell would come in, at a door of the site ([`crate::cell::doors`]), for it rolls on by where the wall
//! shows it no chemokine. What holds the receptor of a molecule, a drug, hides it there as it does from cells. Whatever else a rule asks for
//! a cell that is not there yet does not have, so that it changes nothing.
//!
//! In each step doors are drawn at random, each as often as leukocytes find to hold on to there; with `lambda` the cells a minute that would
//! come if the whole site
//! were as at one of these, the number that come there in its share of the step is Poisson distributed. So the mean over all doors counts,
//! and the more come in where more are called. How many doors are drawn goes by what is called at some that are looked at first and by
//! which nobody comes: so many that hardly two come in at the same one.
//!
//! [`call`] runs among the decisions of `Act`; cells come in `Turnover`.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::body::BodyParameters;
use crate::cell::doors::{Extravasation, Ways};
use crate::cell::event::{EventKind, Passage, RegisterEvent};
use crate::cell::event_count::RegisterEventCount;
use crate::cell::molecules::ReceptorBlocks;
use crate::cell::turnover::{Passages, Recruit};
use crate::cell::{ActSystems, order_act};
use crate::core::input::{InputInfo, Inputs, RegisterInputs, Regulated};
use crate::core::metric::Metric;
use crate::core::parameters::{CellTypeNames, Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::NONE;
use crate::core::regulate::Rules;
use crate::core::rule::{BLOCK, RuleProgram, Scratch};
use crate::core::site_part::RegisterSitePart;
use crate::core::state::RegisterState;
use crate::core::units::{MINUTES_PER_DAY, UM3_PER_MM3};
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule};
use crate::tissue::{Fields, SiteId, Sites};

/// How cells of a type come out of the blood.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct RecruitParameters {
    /// Cells that come into a mm3 without any rule, 1/d.
    pub per_mm3_per_day: f32,
}

impl Parameters for RecruitParameters {
    fn limits(_: &str) -> Limits {
        Limits {
            min: 0.0,
            max: 1.0e6,
        }
    }
}

/// How a site lets in those that are called (part `recruitment`).
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct Recruitment {
    /// Of those that would come, so many do; 1.
    pub scale: f32,
}

impl Default for Recruitment {
    fn default() -> Self {
        Self { scale: 1.0 }
    }
}

impl Parameters for Recruitment {
    fn limits(_: &str) -> Limits {
        SCALE
    }
}

/// What the scale of a site may be.
const SCALE: Limits = Limits {
    min: 0.0,
    max: 1.0e3,
};

/// A cell came out of the blood because it was called.
pub const CALLED: EventKind = EventKind::of("recruitment.called");

/// The inputs.
const RATE: &str = "recruit.rate";
const SHARE: &str = "recruit.share";
const SITE_SCALE: &str = "recruitment.scale";

/// When and where cells come.
const CALLING: Purpose = Purpose::of("recruitment.calling");

/// Doors that are looked at first, most that are asked for a type and site in one step, and most cells that come in at one of them.
const FIRST_DOORS: u32 = 3;
const MOST_DOORS: u32 = 256;
const MOST_AT_ONCE: u32 = 10_000;

/// What the share may be.
const SHARES: Limits = Limits {
    min: 0.0,
    max: 1.0e3,
};

/// The rules on `recruit.rate` and `recruit.share`, ready to be applied: of each type its programs, and the molecules that they ask for. Made when
/// rules change.
#[derive(Default)]
pub struct Calls {
    programs: Vec<[Option<RuleProgram>; 2]>,
    by: Vec<String>,
    is_made: bool,
}

impl Calls {
    fn make(&mut self, rules: &Rules) {
        self.by.clear();
        let Self { programs, by, .. } = self;
        let limits = RecruitParameters::limits("per_mm3_per_day");
        let limits = (limits.min as f32, limits.max as f32);
        let shares = (SHARES.min as f32, SHARES.max as f32);
        let mut column = |name: &str| {
            let known = by.iter().position(|known| known == name);
            known.unwrap_or_else(|| {
                by.push(name.to_owned());
                by.len() - 1
            })
        };
        let of_types = rules.of_types.iter().map(|book| {
            [(RATE, limits), (SHARE, shares)]
                .map(|(input, limits)| RuleProgram::new(book, input, limits, &mut column))
        });
        *programs = of_types.collect();
        self.is_made = true;
    }

    /// The rate that the rules of a type make of a base where these are the values of what they ask for, times the share.
    fn rate(&self, cell_type: u16, base: f32, values: &[f32], scratch: &mut Scratch) -> f32 {
        let Some(programs) = self.programs.get(usize::from(cell_type)) else {
            return base;
        };
        let mut found = [base, 1.0];
        for (value, program) in found.iter_mut().zip(programs) {
            if let Some(program) = program {
                let value = std::slice::from_mut(value);
                program.apply(value, |place| &values[place..=place], scratch);
            }
        }
        let [rate, share] = found;
        rate * share
    }
}

/// Asks that cells come that are called.
pub fn call(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    (sites, ways, fields): (Res<Sites>, Ways, Fields),
    (types, rules): (Res<CellTypeNames>, Option<Res<Rules>>),
    (recruits, bodies): (
        Res<PerType<RecruitParameters>>,
        Res<PerType<BodyParameters>>,
    ),
    (known, inputs): (Res<Inputs>, Regulated),
    (passages, blocks): (Res<Passages>, Option<Res<ReceptorBlocks>>),
    recruitments: Query<(), With<Recruitment>>,
    mut calls: Local<Calls>,
    mut values: Local<Vec<f32>>,
) {
    if recruitments.is_empty() {
        return;
    }
    let (key, step, minutes) = (*key, clock.step, f64::from(clock.dt_minutes()));
    if let Some(rules) = rules
        && (rules.is_changed() || !calls.is_made)
    {
        calls.make(&rules);
    }
    // What is no molecule nobody has who is not there yet.
    let of = |name: &String| fields.molecule(name).map(|_| fields.of(name));
    let blocks_of = |name: &String| {
        let all = blocks.iter().flat_map(|blocks| &blocks.0);
        let of_it = all.filter(|block| block.molecule == *name);
        let of_it = of_it.filter_map(|block| Some((block, of(&block.by)?)));
        of_it.collect::<Vec<_>>()
    };
    let molecules = calls.by.iter().map(|name| (of(name), blocks_of(name)));
    let molecules: Vec<_> = molecules.collect();
    let types = types.0.len().min(usize::from(u16::MAX)) as u16;
    let mut scratch: Scratch = [[0.0; BLOCK]; 2];
    for (number, entry) in sites.list.iter().enumerate() {
        if !recruitments.contains(entry.entity) {
            continue;
        }
        let site = SiteId(number as u16);
        let scale = inputs
            .of_site(&known, SITE_SCALE, entry.entity)
            .unwrap_or(0.0);
        let block = &entry.block;
        let Some(ways) = ways.of(site) else {
            continue;
        };
        let vascularity = ways.vascularity();
        let volume_mm3 = f64::from(block.voxel_volume_um3()) * block.voxels() as f64 / UM3_PER_MM3;
        for cell_type in 0..types {
            let Some(of) = recruits.get(cell_type) else {
                continue;
            };
            let own = CellId((number as u64) << 16 | u64::from(cell_type));
            let mut random = key.stream(own, step, CALLING);
            let radius_um = bodies
                .get(cell_type)
                .map_or(0.0, BodyParameters::resting_radius_um);
            // A door at random, and the cells a minute that would come if all were as at it. Where vessels are drawn and none is
            // perfused there is none.
            let mut ask = |dice: [f32; 3]| {
                let door = ways.pick(Extravasation::Adhesion, dice)?;
                let at_um = door.beside_um(block, radius_um);
                values.clear();
                values.extend(molecules.iter().map(|(molecule, blocks)| {
                    let Some(molecule) = molecule else {
                        return NONE;
                    };
                    let level = molecule.at_point(site, at_um);
                    blocks.iter().fold(level, |level, (block, by)| {
                        if block.hides_from(cell_type) {
                            level * block.left(by.at_point(site, at_um))
                        } else {
                            level
                        }
                    })
                }));
                let rate = calls.rate(cell_type, of.per_mm3_per_day, &values, &mut scratch);
                let per_mm3_per_day = f64::from(rate * scale * vascularity);
                let per_min = per_mm3_per_day * volume_mm3 / MINUTES_PER_DAY;
                Some((at_um, per_min))
            };
            let mut expected = 0.0_f64;
            for _ in 0..FIRST_DOORS {
                let dice = [(); 3].map(|()| random.uniform());
                let per_min = ask(dice).map_or(0.0, |(_, per_min)| per_min);
                expected = expected.max(per_min * minutes);
            }
            let doors = ((4.0 * expected).ceil() as u32).clamp(1, MOST_DOORS);
            for _ in 0..doors {
                let dice = [(); 3].map(|()| random.uniform());
                let Some((at_um, per_min)) = ask(dice).filter(|(_, per_min)| *per_min > 0.0) else {
                    continue;
                };
                let mut left = minutes / f64::from(doors);
                for _ in 0..MOST_AT_ONCE {
                    left -= f64::from(random.exponential()) / per_min;
                    if left <= 0.0 {
                        break;
                    }
                    passages.recruit(Recruit::new(cell_type, site, at_um, CALLED));
                }
            }
        }
    }
}

/// Cells that are called out of the blood.
pub struct RecruitmentPlugin;

impl Plugin for RecruitmentPlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        app.register_capability::<RecruitParameters>("recruit")
            .register_site_part::<Recruitment>("recruitment", |world, site, recruitment| {
                world.entity_mut(site).insert(recruitment.clone());
            })
            .declare_remade::<Recruitment>("made from the scene")
            .register_site_input(
                InputInfo::new(
                    SITE_SCALE,
                    "",
                    "How many of those that are called come into the site.",
                )
                .limits(SCALE),
                |world, site| Some(world.get::<Recruitment>(site)?.scale),
            )
            .register_input::<RecruitParameters>(
                InputInfo::new(
                    RATE,
                    "1/(mm3 d)",
                    "Cells that come into a mm3 in a day; rules on it read molecules where a cell would come in.",
                ),
                "per_mm3_per_day",
            )
            .register_relative_input::<RecruitParameters>(
                InputInfo::new(
                    SHARE,
                    "",
                    "Of those that are called so many come, whoever calls them; rules on it read molecules where a cell would come in.",
                )
                .limits(SHARES),
            )
            .register_purpose(CALLING)
            .register_passage(
                CALLED,
                Passage::Recruitment,
                "A cell came out of the blood because it was called.",
            )
            .count_events(
                &[CALLED],
                "recruitment.came",
                Metric::new(
                    "cells_called_in",
                    "",
                    "Cells that have been called into the site so far: macrophages, regulatory T cells and others with `recruit`.",
                )
                .label("called in"),
            )
            .add_systems(SimSchedule, call.in_set(ActSystems::Walk));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::rule::{Law, Rule, RuleBook};

    fn rule(by: &str, law: Law) -> Rule {
        rule_on(RATE, by, law)
    }

    fn rule_on(input: &str, by: &str, law: Law) -> Rule {
        Rule {
            input: input.into(),
            by: by.into(),
            law,
            scale: 1.0,
            floor: None,
            about: String::new(),
            source: String::new(),
        }
    }

    #[test]
    fn rules_of_a_type_make_its_rate_of_what_lies_at_a_door() {
        let hill = |half| Law::Hill {
            half,
            exponent: 1.0,
            to: 600.0,
        };
        let book = |rules: &[(&str, Rule)]| RuleBook {
            rules: rules
                .iter()
                .map(|(name, rule)| ((*name).to_owned(), rule.clone()))
                .collect(),
            ..RuleBook::default()
        };
        let rules = Rules {
            of_types: vec![
                RuleBook::default(),
                book(&[("a", rule("ccl2", hill(0.23)))]),
                book(&[
                    ("a", rule("pressure", hill(0.23))),
                    ("b", rule("ccl2", Law::Add(10.0))),
                ]),
            ],
            ..Rules::default()
        };
        let mut calls = Calls::default();
        calls.make(&rules);
        assert_eq!(calls.by, ["ccl2", "pressure"]);
        let mut scratch = [[0.0; BLOCK]; 2];
        let mut rate =
            |cell_type, base, ccl2| calls.rate(cell_type, base, &[ccl2, NONE], &mut scratch);
        assert_eq!(rate(0, 7.0, 5.0), 7.0);
        assert!((rate(1, 0.0, 0.23) - 300.0).abs() < 1e-3);
        assert!((rate(1, 60.0, 0.23 * 3.0) - 465.0).abs() < 1e-3);
        // What a cell that is not there does not have changes nothing.
        assert!((rate(2, 5.0, 0.5) - 10.0).abs() < 1e-4);
    }

    #[test]
    fn a_block_keeps_the_same_share_away_whoever_calls() {
        let block = Law::HillFold {
            half: 67.0,
            exponent: 1.0,
            fold: 0.3,
        };
        let call = Law::HillAdd {
            half: 0.23,
            exponent: 1.0,
            gain: 900.0,
        };
        let named = [
            ("a", rule("ccl2", call)),
            ("b", rule_on(SHARE, "drug", block)),
        ];
        let book = RuleBook {
            rules: named.map(|(name, rule)| (name.to_owned(), rule)).into(),
            ..RuleBook::default()
        };
        let rules = Rules {
            of_types: vec![book],
            ..Rules::default()
        };
        let mut calls = Calls::default();
        calls.make(&rules);
        assert_eq!(calls.by, ["ccl2", "drug"]);
        let mut scratch = [[0.0; BLOCK]; 2];
        for (base, ccl2) in [(60.0, 0.0), (0.0, 0.05), (0.0, 0.23), (20.0, 3.0)] {
            let called = base + 900.0 * ccl2 / (0.23 + ccl2);
            // Without the drug, at half and far above it.
            for (drug, share) in [(NONE, 1.0), (0.0, 1.0), (67.0, 0.65), (6.7e7, 0.3)] {
                let found = calls.rate(0, base, &[ccl2, drug], &mut scratch);
                assert!((found / (called * share) - 1.0).abs() < 1e-5, "{found}");
            }
        }
    }
}
