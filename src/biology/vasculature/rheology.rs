//! How blood flows in narrow tubes: its viscosity, and how red cells are shared out at forks.
//!
//! Blood is the less viscous the narrower the tube, down to some 6 um (Fahraeus and Lindqvist): `viscosity` in glass tubes after Pries,
//! Neuhaus and Gaehtgens 1992 (Am J Physiol 263:H1770), in vessels, whose walls bear a layer that holds plasma still, after Pries et
//! al. 1994 (Circ Res 75:904). With the diameter `D` in um and the discharge haematocrit `H`
//!
//! `mu = [1 + (m - 1) ((1 - H)^C - 1)/(0.55^C - 1) w] w`, `C = (0.8 + exp(-0.075 D)) (-1 + 1/(1 + 1e-11 D^12)) + 1/(1 + 1e-11 D^12)`,
//!
//! in glass `m = 220 exp(-1.3 D) + 3.2 - 2.44 exp(-0.06 D^0.645)` and `w = 1`, in vessels
//! `m = 6 exp(-0.085 D) + 3.2 - 2.44 exp(-0.06 D^0.645)` and `w = (D/(D - 1.1))^2`.
//!
//! At a fork the branch that takes more blood gets more than its share of red cells. After Pries and Secomb 2005 (Am J Physiol
//! 289:H2657), with the share `q` of the blood, the diameters `a` and `b` of the branches, and `K = (1 - H)/D` of the feeding vessel,
//!
//! `logit(share of cells) = A + B logit((q - X)/(1 - 2 X))`, `A = -13.29 K (a^2 - b^2)/(a^2 + b^2)`, `B = 1 + 6.98 K`, `X = 0.964 K`;
//!
//! a branch that takes less than `X` of the blood gets plasma alone. Of more than two branches each gets cells by the weight
//! `(q - X)^B exp(-13.29 K d^2/sum d^2)`, which is the same law for two.

use bevy::math::ops;

/// Narrowest tube for which viscosity is worked out, um: below, red cells do not fit.
const NARROWEST_UM: f32 = 2.7;

/// Haematocrit that blood cannot exceed: red cells are packed then.
pub const PACKED: f64 = 0.95;

/// Viscosity of blood over that of plasma, in a tube of a diameter, um, at a discharge haematocrit.
pub fn relative_viscosity(diameter_um: f32, haematocrit: f32, in_vivo: bool) -> f32 {
    let d = diameter_um.max(NARROWEST_UM);
    let d2 = d * d;
    let d4 = d2 * d2;
    let wide = 1.0 / (1.0 + 1.0e-11 * d4 * d4 * d4);
    let c = (0.8 + ops::exp(-0.075 * d)) * (wide - 1.0) + wide;
    let tail = 3.2 - 2.44 * ops::exp(-0.06 * ops::powf(d, 0.645));
    let (at_45, layer) = if in_vivo {
        let free = d / (d - 1.1);
        (6.0 * ops::exp(-0.085 * d) + tail, free * free)
    } else {
        (220.0 * ops::exp(-1.3 * d) + tail, 1.0)
    };
    let h = haematocrit.clamp(0.0, PACKED as f32);
    // Where the exponent vanishes both differences do: their ratio is that of the logarithms.
    let by_h = if c.abs() < 1.0e-4 {
        ops::ln(1.0 - h) / ops::ln(0.55)
    } else {
        (ops::powf(1.0 - h, c) - 1.0) / (ops::powf(0.55, c) - 1.0)
    };
    (1.0 + (at_45 - 1.0) * by_h * layer) * layer
}

/// A branch at a fork.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Branch {
    /// Its diameter, um.
    pub diameter_um: f64,
    /// Blood that it takes, any unit.
    pub flow: f64,
    /// Red cells that it gets, in the same unit: haematocrit times flow.
    pub cells: f64,
}

/// Shares the red cells that come out of vessels of a diameter, at a haematocrit, out among the branches they flow into. What the branches get adds
/// up to `cells` to the rounding of a number.
pub fn share_out(cells: f64, fed_by_um: f64, haematocrit: f64, branches: &mut [Branch]) {
    let all: f64 = branches.iter().map(|branch| branch.flow).sum();
    let Some(largest) = (0..branches.len()).max_by(|a, b| {
        // Of equal ones the first.
        branches[*a]
            .flow
            .total_cmp(&branches[*b].flow)
            .then(b.cmp(a))
    }) else {
        return;
    };
    if all <= 0.0 || cells <= 0.0 {
        branches.iter_mut().for_each(|branch| branch.cells = 0.0);
        return;
    }
    let k = (1.0 - haematocrit).max(0.0) / fed_by_um.max(f64::from(NARROWEST_UM));
    let (b, x) = ((1.0 + 6.98 * k) as f32, 0.964 * k);
    let squares: f64 = branches
        .iter()
        .map(|of| of.diameter_um * of.diameter_um)
        .sum();
    let weight = |of: &Branch| {
        let room = (of.flow / all - x) as f32;
        if room <= 0.0 {
            return 0.0;
        }
        let a = -13.29 * k * of.diameter_um * of.diameter_um / squares;
        f64::from(ops::powf(room, b) * ops::exp(a as f32))
    };
    let weights: f64 = branches.iter().map(weight).sum();
    for branch in branches.iter_mut() {
        let share = if weights > 0.0 {
            weight(branch) / weights
        } else {
            // So many branches that none gets enough.
            branch.flow / all
        };
        branch.cells = (cells * share).min(PACKED * branch.flow);
    }
    // What is left over goes where most blood goes, as far as it fits, and then to the others.
    let given: f64 = branches.iter().map(|branch| branch.cells).sum();
    let mut left = cells - given;
    let more = left.max(-branches[largest].cells);
    let fits = (PACKED * branches[largest].flow - branches[largest].cells).max(0.0);
    let more = more.min(fits);
    branches[largest].cells += more;
    left -= more;
    for branch in branches.iter_mut() {
        if left.abs() <= f64::EPSILON * cells {
            break;
        }
        let fits = (PACKED * branch.flow - branch.cells).max(0.0);
        let more = left.min(fits);
        branch.cells += more;
        left -= more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viscosity_falls_towards_narrow_tubes_as_measured() {
        // Apparent viscosity in glass at a haematocrit of 0.45 falls from 3.2 in wide tubes to its least, about 1.25, between 5 and 8 um,
        // and rises steeply below (Pries 1992, figure 1).
        let in_glass = |d: f32| relative_viscosity(d, 0.45, false);
        assert!((in_glass(1000.0) - 3.2).abs() < 0.02);
        let least = (27..400)
            .map(|tenth| tenth as f32 * 0.1)
            .min_by(|a, b| in_glass(*a).total_cmp(&in_glass(*b)))
            .expect("there are some");
        assert!((5.0..8.0).contains(&least), "{least}");
        assert!(
            (1.2..1.35).contains(&in_glass(least)),
            "{}",
            in_glass(least)
        );
        assert!(in_glass(3.0) > 4.0, "{}", in_glass(3.0));
        // Plasma is plasma.
        for d in [3.0, 10.0, 100.0] {
            assert!((relative_viscosity(d, 0.0, false) - 1.0).abs() < 1e-6);
        }
        // In vessels of 10 um it is several times that in glass, in wide ones the same.
        let ratio = |d: f32| relative_viscosity(d, 0.45, true) / in_glass(d);
        assert!((3.0..6.0).contains(&ratio(10.0)), "{}", ratio(10.0));
        assert!((ratio(500.0) - 1.0).abs() < 0.02, "{}", ratio(500.0));
    }

    #[test]
    fn viscosity_is_that_of_the_formula_worked_out_in_double_precision() {
        for in_vivo in [false, true] {
            for d in [3.0_f64, 5.0, 8.0, 12.0, 20.0, 40.0, 100.0] {
                for h in [0.0_f64, 0.2, 0.4, 0.45, 0.6] {
                    let wide = 1.0 / (1.0 + 10.0_f64.powf(-11.0) * d.powf(12.0));
                    let c = (0.8 + (-0.075 * d).exp()) * (-1.0 + wide) + wide;
                    let tail = 3.2 - 2.44 * (-0.06 * d.powf(0.645)).exp();
                    let m = if in_vivo {
                        6.0 * (-0.085 * d).exp() + tail
                    } else {
                        220.0 * (-1.3 * d).exp() + tail
                    };
                    let w = if in_vivo {
                        (d / (d - 1.1)).powf(2.0)
                    } else {
                        1.0
                    };
                    let by_h = ((1.0 - h).powf(c) - 1.0) / (0.55_f64.powf(c) - 1.0);
                    let expected = (1.0 + (m - 1.0) * by_h * w) * w;
                    let found = f64::from(relative_viscosity(d as f32, h as f32, in_vivo));
                    assert!(
                        (found / expected - 1.0).abs() < 1e-4,
                        "{d} um, {h}, {in_vivo}: {found}, not {expected}"
                    );
                }
            }
        }
    }

    fn fork(shares: [f64; 2], diameters: [f64; 2], fed_by_um: f64, haematocrit: f64) -> [f64; 2] {
        let mut branches = [0, 1].map(|at| Branch {
            diameter_um: diameters[at],
            flow: shares[at],
            cells: 0.0,
        });
        share_out(haematocrit, fed_by_um, haematocrit, &mut branches);
        branches.map(|branch| branch.cells / haematocrit)
    }

    #[test]
    fn red_cells_are_shared_out_as_the_logit_law_says() {
        for (q, a, b, d, h) in [
            (0.3, 8.0, 8.0, 10.0, 0.45),
            (0.3, 6.0, 9.0, 10.0, 0.45),
            (0.6, 12.0, 7.0, 15.0, 0.2),
            (0.12, 5.0, 5.0, 7.0, 0.4),
        ] {
            let k: f64 = (1.0 - h) / d;
            let x = 0.964 * k;
            let logit = |p: f64| (p / (1.0 - p)).ln();
            let by = -13.29 * k * (a * a / (b * b) - 1.0) / (a * a / (b * b) + 1.0)
                + (1.0 + 6.98 * k) * logit((q - x) / (1.0 - 2.0 * x));
            let expected = 1.0 / (1.0 + (-by).exp());
            let [found, other] = fork([q, 1.0 - q], [a, b], d, h);
            assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
            assert!((found + other - 1.0).abs() < 1e-12);
        }
        // A branch that takes hardly any blood gets plasma.
        assert_eq!(fork([0.03, 0.97], [6.0, 6.0], 8.0, 0.4), [0.0, 1.0]);
        // Equal branches get equal shares.
        let [a, b] = fork([0.5, 0.5], [7.0, 7.0], 9.0, 0.4);
        assert!((a - b).abs() < 1e-7);
    }

    #[test]
    fn what_several_branches_get_adds_up_and_none_is_overfull() {
        for seed in 0..200_u32 {
            let of =
                |k: u32| f64::from(seed.wrapping_mul(2_654_435_761).rotate_left(7 * k) % 997 + 1);
            let mut branches: Vec<Branch> = (0..2 + seed % 4)
                .map(|k| Branch {
                    diameter_um: 3.0 + of(k) / 100.0,
                    flow: of(k + 9),
                    cells: 0.0,
                })
                .collect();
            let flow: f64 = branches.iter().map(|branch| branch.flow).sum();
            let h = 0.1 + 0.8 * of(3) / 997.0;
            share_out(h * flow, 4.0 + of(2) / 50.0, h, &mut branches);
            let sum: f64 = branches.iter().map(|branch| branch.cells).sum();
            assert!((sum / (h * flow) - 1.0).abs() < 1e-12, "{sum}");
            for branch in &branches {
                assert!(branch.cells >= 0.0 && branch.cells <= (PACKED + 1e-9) * branch.flow);
            }
        }
    }
}
