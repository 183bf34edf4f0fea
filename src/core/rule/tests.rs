//! Tests of rules: each law against its closed form.

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
    let program = Program::new(book, "x", limits, column).unwrap();
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
fn folds_multiply_and_sums_add_whatever_the_order_of_the_file() {
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
    let mut backwards = rules.clone();
    backwards.reverse();
    let (a, b) = (0.81, 1.3);
    let found = input(&book(&rules), 3.0, a, b);
    assert_eq!(
        found.to_bits(),
        input(&book(&backwards), 3.0, a, b).to_bits()
    );
    let expected =
        3.0 * (1.0 + 0.37 * a) / (1.0 + (b / 0.7) * (b / 0.7)) * (1.0 + 1.9 * b) + 0.1 * a;
    assert!((found / expected - 1.0).abs() < 1e-6);
}

#[test]
fn a_quantity_that_is_not_there_changes_not_a_bit() {
    for law in [
        Law::Fold(6.0),
        Law::Add(3.0),
        Law::Inhibit {
            half: 1.0,
            exponent: 1.0,
        },
        Law::Hill {
            half: 1.0,
            exponent: 1.0,
            to: 9.0,
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
    let program = Program::new(&book, "x", (0.0, f32::MAX), |_| 0).expect("there is a rule");
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
