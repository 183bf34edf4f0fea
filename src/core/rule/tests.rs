//! Tests of rules: each law against its closed form.

use bevy::math::ops;

use super::*;

fn rule(by: &str, law: Law) -> Rule {
    Rule {
        input: "x".into(),
        by: by.into(),
        law,
        scale: 1.0,
        floor: None,
        about: String::new(),
        source: String::new(),
    }
}

/// The input where the quantities `a` and `b` have these values.
fn input(book: &RuleBook, base: f32, a: f32, b: f32) -> f32 {
    let limits = (f32::NEG_INFINITY, f32::INFINITY);
    let column = |name: &str| usize::from(name == "b");
    let Some(program) = RuleProgram::new(book, "x", limits, column) else {
        return base;
    };
    let columns = [[a], [b]];
    let mut values = [base];
    program.apply(
        &mut values,
        |column| &columns[column],
        &mut [[0.0; BLOCK]; 2],
    );
    values[0]
}

fn book(rules: &[(&str, Rule)]) -> RuleBook {
    RuleBook {
        rules: rules
            .iter()
            .map(|(name, rule)| ((*name).to_owned(), rule.clone()))
            .collect(),
        ..RuleBook::default()
    }
}

#[test]
fn each_law_is_its_closed_form() {
    for q in [0.0, 0.3, 1.0, 4.0, 50.0] {
        let close = |law, expected: f32| {
            let found = input(&book(&[("r", rule("a", law))]), 2.5, q, 0.0);
            assert!(
                (found - expected).abs() <= 2e-6 * expected.abs().max(1.0),
                "{law:?} of {q}: {found}, {expected}"
            );
        };
        close(Law::Fold(6.0), 2.5 * (1.0 + 6.0 * q));
        close(Law::Add(0.7), 2.5 + 0.7 * q);
        close(Law::Share, 2.5 * q.min(1.0));
        for exponent in [1.0, 1.5, 2.0, 3.0, 4.0] {
            let powers = (ops::powf(q, exponent), ops::powf(2.0, exponent));
            let share = powers.0 / (powers.0 + powers.1);
            close(
                Law::Inhibit {
                    half: 2.0,
                    exponent,
                },
                2.5 / (1.0 + powers.0 / powers.1),
            );
            close(
                Law::Hill {
                    half: 2.0,
                    exponent,
                    to: 10.0,
                },
                2.5 + 7.5 * share,
            );
            for fold in [0.0, 0.7, 6.0] {
                close(
                    Law::HillFold {
                        half: 2.0,
                        exponent,
                        fold,
                    },
                    2.5 * (1.0 + (fold - 1.0) * share),
                );
            }
            for gain in [-1.5, 0.3] {
                close(
                    Law::HillAdd {
                        half: 2.0,
                        exponent,
                        gain,
                    },
                    2.5 + gain * share,
                );
            }
        }
    }
}

#[test]
fn hill_leads_to_its_end_from_a_base_of_zero_too() {
    let law = Law::Hill {
        half: 1.0,
        exponent: 1.0,
        to: 8.0,
    };
    assert_eq!(input(&book(&[("r", rule("a", law))]), 0.0, 1.0, 0.0), 4.0);
}

#[test]
fn a_fold_by_hill_is_the_same_fold_of_any_base_and_a_floor_below_one() {
    let law = |fold| Law::HillFold {
        half: 3.0,
        exponent: 1.0,
        fold,
    };
    for base in [0.0, 0.2, 130.0] {
        let with = |fold, q| input(&book(&[("r", rule("a", law(fold)))]), base, q, 0.0);
        assert_eq!(with(6.0, 3.0), base * 3.5);
        assert!((with(0.7, 1e9) - 0.7 * base).abs() <= 1e-6 * base);
    }
}

#[test]
fn folds_multiply_and_sums_add() {
    let rules = [
        ("c", rule("a", Law::Add(0.1))),
        ("a", rule("a", Law::Fold(0.37))),
        (
            "b",
            rule(
                "b",
                Law::Inhibit {
                    half: 0.7,
                    exponent: 2.0,
                },
            ),
        ),
        ("d", rule("b", Law::Fold(1.9))),
    ];
    let (a, b) = (0.81, 1.3);
    let found = input(&book(&rules), 3.0, a, b);
    let expected =
        3.0 * (1.0 + 0.37 * a) / (1.0 + (b / 0.7) * (b / 0.7)) * (1.0 + 1.9 * b) + 0.1 * a;
    assert!((found / expected - 1.0).abs() < 1e-6);
}

#[test]
fn a_quantity_that_is_not_there_changes_not_a_bit() {
    for law in [
        Law::Fold(6.0),
        Law::Add(3.0),
        Law::Share,
        Law::Inhibit {
            half: 1.0,
            exponent: 1.0,
        },
        Law::Hill {
            half: 1.0,
            exponent: 1.0,
            to: 9.0,
        },
        Law::HillFold {
            half: 1.0,
            exponent: 1.0,
            fold: 9.0,
        },
        Law::HillAdd {
            half: 1.0,
            exponent: 1.0,
            gain: 9.0,
        },
    ] {
        for base in [0.0, 0.3] {
            assert_eq!(
                input(&book(&[("r", rule("a", law))]), base, f32::NAN, 0.0),
                base
            );
        }
    }
}

#[test]
fn scale_and_floors_hold_an_effect_back() {
    let inhibit = Law::Inhibit {
        half: 1.0,
        exponent: 1.0,
    };
    let half_counted = Rule {
        scale: 0.5,
        ..rule("a", inhibit)
    };
    // Of the factor 1/4 half is 1 - 3/8.
    assert_eq!(input(&book(&[("r", half_counted)]), 8.0, 3.0, 0.0), 5.0);
    let floored = Rule {
        floor: Some(0.5),
        ..rule("a", inhibit)
    };
    assert_eq!(input(&book(&[("r", floored)]), 8.0, 3.0, 0.0), 4.0);
    let mut both = book(&[("r", rule("a", inhibit)), ("s", rule("b", inhibit))]);
    assert_eq!(input(&both, 8.0, 3.0, 3.0), 0.5);
    both.floors.insert("x".into(), 0.1);
    assert_eq!(input(&both, 8.0, 3.0, 3.0), 0.8);
}

#[test]
fn hill_rules_combine_as_those_of_physicell() {
    let up = |half| Law::Hill {
        half,
        exponent: 2.0,
        to: 10.0,
    };
    let down = Law::Hill {
        half: 4.0,
        exponent: 1.0,
        to: 0.5,
    };
    let mut book = book(&[
        ("u", rule("a", up(1.0))),
        ("v", rule("b", up(3.0))),
        ("d", rule("b", down)),
    ]);
    book.combine.insert("x".into(), Combine::MultiHill);
    let (a, b) = (0.8_f64, 2.0_f64);
    let (u, d) = (a * a + (b / 3.0) * (b / 3.0), b / 4.0);
    let (u, d) = (u / (1.0 + u), d / (1.0 + d));
    let expected = (1.0 - d) * ((1.0 - u) * 2.0 + u * 10.0) + d * 0.5;
    let found = input(&book, 2.0, a as f32, b as f32);
    assert!(
        (f64::from(found) / expected - 1.0).abs() < 1e-6,
        "{found}, {expected}"
    );
}

#[test]
fn hill_rules_as_those_of_physicell_look_at_each_row_alone() {
    let to_one = Law::Hill {
        half: 1.0,
        exponent: 1.0,
        to: 1.0,
    };
    let mut book = book(&[("r", rule("a", to_one))]);
    book.combine.insert("x".into(), Combine::MultiHill);
    let bases = [0.5_f32, 4.0, 0.0, 2.0];
    let alone = bases.map(|base| input(&book, base, 1.0, 0.0));
    // Half of the way, up or down.
    assert_eq!(alone, [0.75, 2.5, 0.5, 1.5]);
    let program = RuleProgram::new(&book, "x", (0.0, f32::MAX), |_| 0).expect("there is a rule");
    let mut together = bases;
    let ones = [1.0; 4];
    program.apply(&mut together, |_| &ones, &mut [[0.0; BLOCK]; 2]);
    assert_eq!(together, alone);
}

#[test]
fn strengthened_brakes_stop_at_zero_and_do_not_turn_into_their_opposite() {
    let brake = Rule {
        scale: 3.0,
        ..rule(
            "a",
            Law::Inhibit {
                half: 0.1,
                exponent: 2.0,
            },
        )
    };
    let two = book(&[("r", brake.clone()), ("s", brake)]);
    assert_eq!(input(&two, 0.5, 10.0, 0.0), 0.0);
    let mut endless = rule("a", Law::Fold(2.0));
    for _ in 0..100 {
        endless.scale_by(1e30);
    }
    assert!(endless.scale.is_finite());
    endless.scale_by(0.0);
    assert_eq!(input(&book(&[("r", endless)]), 0.5, 10.0, 0.0), 0.5);
}

/// Laws whose numbers are as large as they may be, or lead to what is.
fn extreme_laws() -> Vec<Law> {
    let mut laws = vec![Law::Share];
    for number in [-1e12, -1.0, 0.0, 1e-30, 1.0, 1e12] {
        laws.extend([Law::Fold(number), Law::Add(number)]);
        for half in [f32::MIN_POSITIVE, 1.0, 1e30] {
            for exponent in [0.1, 2.0, 20.0] {
                let to = number;
                laws.push(Law::Hill { half, exponent, to });
                laws.push(Law::Inhibit { half, exponent });
                let fold = number.max(0.0);
                laws.push(Law::HillFold {
                    half,
                    exponent,
                    fold,
                });
                let gain = number;
                laws.push(Law::HillAdd {
                    half,
                    exponent,
                    gain,
                });
            }
        }
    }
    laws
}

#[test]
fn a_rule_of_the_scale_zero_is_as_if_it_were_not_there() {
    let hill = |half: f32, to: f32| Law::Hill {
        half,
        exponent: 20.0,
        to,
    };
    for combine in [Combine::Product, Combine::MultiHill] {
        let with = |other: Option<Law>, base: f32, q: f32| {
            let mut rules = vec![
                ("a", rule("b", hill(0.3, 2.0))),
                ("z", rule("b", hill(0.7, 0.1))),
            ];
            rules.extend(other.map(|law| {
                let off = Rule {
                    scale: 0.0,
                    ..rule("a", law)
                };
                ("m", off)
            }));
            let mut book = book(&rules);
            book.combine.insert("x".into(), combine);
            book.floors.insert("x".into(), 0.3);
            input(&book, base, q, 0.5).to_bits()
        };
        for law in extreme_laws() {
            for base in [0.0, 1e-40, 0.5, 3.0] {
                for q in [0.0, 1.0, 1e30, f32::INFINITY, f32::NAN] {
                    let without = with(None, base, q);
                    assert_eq!(with(Some(law), base, q), without, "{law:?}, {base}, {q}");
                }
            }
        }
    }
}

#[test]
fn powers_beyond_all_numbers_still_lead_to_the_end() {
    let to = |half, to| Law::Hill {
        half,
        exponent: 20.0,
        to,
    };
    let mut book = book(&[
        ("u", rule("a", to(1e-3, 10.0))),
        ("v", rule("a", to(1e-2, 8.0))),
        ("w", rule("b", to(1e-3, 4.0))),
    ]);
    book.combine.insert("x".into(), Combine::MultiHill);
    // (1e9/1e-3)^20 is no f32. All the way up, and not down at all.
    assert_eq!(input(&book, 5.0, 1e9, 0.0), 10.0);
    // Up and then down.
    assert_eq!(input(&book, 5.0, 1e9, 1e9), 4.0);
    // A quantity that is not there does not move the end of others.
    book.rules.insert("x".into(), rule("b", to(1.0, 100.0)));
    assert_eq!(input(&book, 5.0, 1e9, f32::NAN), 10.0);
}

#[test]
fn hill_from_a_tiny_base_leads_to_its_end_and_not_beyond() {
    for base in [1e-45, 1e-38, 1e-30, 1e-8, 1e-7, 1e-3, -1e-40] {
        for to in [8.0, 1e12, -3.0, 0.0] {
            for (q, share) in [(0.0, 0.0), (1.0, 0.5), (3.0, 0.9), (1e30, 1.0)] {
                let law = Law::Hill {
                    half: 1.0,
                    exponent: 2.0,
                    to,
                };
                let found = f64::from(input(&book(&[("r", rule("a", law))]), base, q, 0.0));
                let (base, to) = (f64::from(base), f64::from(to));
                let expected = base + (to - base) * share;
                // Below 1e-38 numbers have fewer digits.
                let slack = 3e-7 * to.abs().max(base.abs()) + 1.5e-45;
                let near = (found - expected).abs() <= slack;
                assert!(near, "{base} to {to} at {q}: {found}, not {expected}");
            }
        }
    }
}

#[test]
fn what_is_no_number_stays_none_and_does_not_turn_into_a_limit() {
    let rules = [
        ("up", rule("a", Law::Add(1.0))),
        ("down", rule("a", Law::Add(-1.0))),
    ];
    let program =
        RuleProgram::new(&book(&rules), "x", (0.0, 10.0), |_| 0).expect("there are rules");
    let run = |q: f32| {
        let (mut value, column) = ([3.0], [q]);
        program.apply(&mut value, |_| &column, &mut [[0.0; BLOCK]; 2]);
        value[0]
    };
    assert_eq!(run(2.0), 3.0);
    assert!(run(f32::INFINITY).is_nan());
}
