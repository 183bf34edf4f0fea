//! Counter-based random numbers: Philox 4x32-10.
//!
//! A draw is a pure function of *what it is for*: the seed of the run, the cell (or site), the step and the
//! [`Purpose`]. No generator state is stored anywhere, so a draw does not depend on the order in which
//! systems or threads run, and a resumed run draws the same numbers.
//!
//! Algorithm: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as
//! 1, 2, 3", SC'11, doi:10.1145/2063384.2063405. The known-answer vectors in the tests are the published
//! ones of that paper's Random123 library.

use std::convert::Infallible;

use bevy::prelude::*;
use rand::rand_core::TryRng;
use serde::{Deserialize, Serialize};

use super::identity::CellId;

const MULTIPLIER: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// One Philox 4x32-10 block: ten rounds of the bijection keyed by `key`, applied to `counter`.
#[inline]
pub const fn philox4x32_10(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    let mut round = 0;
    while round < 10 {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let product0 = MULTIPLIER[0] as u64 * counter[0] as u64;
        let product1 = MULTIPLIER[1] as u64 * counter[2] as u64;
        counter = [
            (product1 >> 32) as u32 ^ counter[1] ^ key[0],
            product1 as u32,
            (product0 >> 32) as u32 ^ counter[3] ^ key[1],
            product0 as u32,
        ];
        round += 1;
    }
    counter
}

/// What a random number decides: one number among those of a cell and step. A module declares its own as a constant
/// and registers it with [`RegisterPurpose::register_purpose`], which panics if another one has the same number.
///
/// The number is part of what makes a run reproducible. It follows from the name, so a purpose is never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Purpose {
    number: u16,
    name: &'static str,
}

impl Purpose {
    /// Numbers below are given by hand.
    const FIRST_BY_NAME: u16 = 256;

    /// The purpose of that name, such as `cell.cycle.phase_length`: module and decision.
    pub const fn of(name: &'static str) -> Self {
        // FNV-1a, folded to 16 bits.
        let mut hash: u32 = 0x811C_9DC5;
        let mut at = 0;
        while at < name.len() {
            hash = (hash ^ name.as_bytes()[at] as u32).wrapping_mul(0x0100_0193);
            at += 1;
        }
        let folded = (hash >> 16) ^ (hash & 0xFFFF);
        let room = u16::MAX as u32 + 1 - Self::FIRST_BY_NAME as u32;
        Self {
            number: Self::FIRST_BY_NAME + (folded % room) as u16,
            name,
        }
    }

    /// A purpose from before they were numbered by their names. 2 and 8 were given away as well.
    pub(crate) const fn numbered(number: u16, name: &'static str) -> Self {
        assert!(
            number < Self::FIRST_BY_NAME,
            "higher ones follow from names"
        );
        Self { number, name }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.name
    }
}

/// The purposes of all modules.
#[derive(Resource, Clone, Debug, Default)]
pub struct PurposeRegistry(Vec<Purpose>);

impl PurposeRegistry {
    /// All of them, in the order of registration.
    pub fn iter(&self) -> impl Iterator<Item = Purpose> {
        self.0.iter().copied()
    }
}

/// Registration, from a module's plugin.
pub trait RegisterPurpose {
    /// Registers what random numbers of the module decide.
    ///
    /// # Panics
    /// When another purpose has the same number.
    fn register_purpose(&mut self, purpose: Purpose) -> &mut Self;
}

impl RegisterPurpose for App {
    fn register_purpose(&mut self, purpose: Purpose) -> &mut Self {
        self.init_resource::<PurposeRegistry>();
        let mut registry = self.world_mut().resource_mut::<PurposeRegistry>();
        if let Some(other) = registry.iter().find(|other| other.number == purpose.number) {
            panic!(
                "the random numbers for `{}` would be those for `{}`: one of them needs another name",
                purpose.name, other.name
            );
        }
        registry.0.push(purpose);
        self
    }
}

/// The seed of a run, as a resource.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub struct RandomKey(pub u64);

impl RandomKey {
    /// The stream of numbers that belongs to `cell`, `step` and `purpose`.
    #[inline]
    pub const fn stream(self, cell: CellId, step: u64, purpose: Purpose) -> Random {
        // 128 counter bits: 48 of identity, 48 of step, 16 of purpose, 16 of block.
        // 2^48 cells and 2^48 steps are never reached.
        Random {
            key: [self.0 as u32, (self.0 >> 32) as u32],
            counter: [
                cell.0 as u32,
                ((cell.0 >> 32) as u32 & 0xFFFF) | ((step >> 32) as u32) << 16,
                step as u32,
                (purpose.number as u32) << 16,
            ],
            block: [0; 4],
            used: 4,
        }
    }
}

/// A short stream of random numbers; cheap to make, never stored.
#[derive(Clone, Debug)]
pub struct Random {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u32; 4],
    used: u8,
}

impl Random {
    /// The next 32 random bits.
    #[inline]
    pub const fn bits(&mut self) -> u32 {
        if self.used == 4 {
            self.block = philox4x32_10(self.counter, self.key);
            self.counter[3] = self.counter[3].wrapping_add(1);
            self.used = 0;
        }
        let value = self.block[self.used as usize];
        self.used += 1;
        value
    }

    /// Uniform in `[0, 1)`, with 24 random bits: every value is exact in `f32`.
    #[inline]
    pub const fn uniform(&mut self) -> f32 {
        (self.bits() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// Whether an event with this probability happens.
    #[inline]
    pub const fn chance(&mut self, probability: f32) -> bool {
        self.uniform() < probability
    }

    /// A direction uniform on the unit sphere (Archimedes: the height is uniform in -1..1).
    #[inline]
    pub fn direction(&mut self) -> Vec3 {
        let height = 2.0 * self.uniform() - 1.0;
        let angle = std::f32::consts::TAU * self.uniform();
        let (sin, cos) = bevy::math::ops::sin_cos(angle);
        let ring = (1.0 - height * height).max(0.0).sqrt();
        Vec3::new(ring * cos, ring * sin, height)
    }

    /// A standard normal number (Box-Muller, one of the pair).
    #[inline]
    pub fn normal(&mut self) -> f32 {
        // 1 - u lies in (0, 1], so the logarithm is finite.
        let radius = (-2.0 * bevy::math::ops::ln(1.0 - self.uniform())).sqrt();
        radius * bevy::math::ops::cos(std::f32::consts::TAU * self.uniform())
    }

    /// An exponential waiting time with mean 1.
    #[inline]
    pub fn exponential(&mut self) -> f32 {
        -bevy::math::ops::ln(1.0 - self.uniform())
    }
}

impl TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.bits())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = self.bits() as u64;
        Ok((self.bits() as u64) << 32 | low)
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
        for piece in destination.chunks_mut(4) {
            piece.copy_from_slice(&self.bits().to_le_bytes()[..piece.len()]);
        }
        Ok(())
    }
}

/// The probability that something which happens at `rate` happens within `time` (same unit of time).
#[inline]
pub fn probability(rate: f32, time: f32) -> f32 {
    let x = rate * time;
    if (0.0..0.25).contains(&x) {
        // Nearly all steps are short. Seven terms of the series leave out less than 2e-9 of the sum.
        let tail = 1.0 - x * (1.0 / 5.0) * (1.0 - x * (1.0 / 6.0) * (1.0 - x * (1.0 / 7.0)));
        return x * (1.0 - x * 0.5 * (1.0 - x * (1.0 / 3.0) * (1.0 - x * 0.25 * tail)));
    }
    -bevy::math::ops::exp_m1(-x)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DICE: Purpose = Purpose::of("test.dice");
    const COIN: Purpose = Purpose::of("test.coin");

    #[test]
    fn two_purposes_of_one_number_are_found_when_they_are_registered() {
        let register = |purposes: &[Purpose]| {
            let mut app = App::empty();
            for purpose in purposes {
                app.register_purpose(*purpose);
            }
        };
        register(&[DICE, COIN]);
        // By the pigeonhole principle there are two of one number among so many names.
        let names: Vec<&'static str> = (0..=u16::MAX)
            .map(|k| &*Box::leak(format!("test.{k}").into_boxed_str()))
            .collect();
        let mut seen = vec![None; usize::from(u16::MAX) + 1];
        let alike = names.iter().find_map(|name| {
            let purpose = Purpose::of(name);
            let slot = &mut seen[usize::from(purpose.number)];
            slot.replace(purpose).map(|other| [other, purpose])
        });
        let alike = alike.unwrap();
        let message = std::panic::catch_unwind(|| register(&alike)).unwrap_err();
        let message = message.downcast_ref::<String>().unwrap();
        assert!(
            alike.iter().all(|purpose| message.contains(purpose.name)),
            "{message}"
        );
    }

    #[test]
    fn philox_gives_the_published_known_answers() {
        // Random123, kat_vectors, "philox4x32 10".
        let cases = [
            (
                [0; 4],
                [0; 2],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                [0xffff_ffff; 4],
                [0xffff_ffff; 2],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, answer) in cases {
            assert_eq!(philox4x32_10(counter, key), answer);
        }
    }

    #[test]
    fn streams_of_unlike_cells_steps_and_purposes_are_unlike() {
        let key = RandomKey(7);
        let first = |cell, step, purpose| key.stream(CellId(cell), step, purpose).bits();
        let base = first(1, 1, DICE);
        assert_ne!(base, first(2, 1, DICE));
        assert_ne!(base, first(1, 2, DICE));
        assert_ne!(base, first(1, 1, COIN));
        assert_ne!(base, first(1 << 32 | 1, 1, DICE));
        assert_ne!(base, first(1, 1 << 32 | 1, DICE));
        assert_eq!(base, first(1, 1, DICE));
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let n = 200_000_u32;
        let (mut uniform, mut square, mut normal, mut normal_square, mut wait) =
            (0.0, 0.0, 0.0, 0.0, 0.0);
        let mut direction = Vec3::ZERO;
        for cell in 0..n {
            let mut random = RandomKey(3).stream(CellId(u64::from(cell)), 0, DICE);
            let u = f64::from(random.uniform());
            uniform += u;
            square += u * u;
            let z = f64::from(random.normal());
            normal += z;
            normal_square += z * z;
            wait += f64::from(random.exponential());
            direction += random.direction();
        }
        let n = f64::from(n);
        // Five standard errors of each mean.
        let within = |mean: f64, expected: f64, deviation: f64| {
            assert!(
                (mean - expected).abs() < 5.0 * deviation / n.sqrt(),
                "{mean} is not {expected}"
            );
        };
        within(uniform / n, 0.5, (1.0_f64 / 12.0).sqrt());
        within(square / n, 1.0 / 3.0, (4.0_f64 / 45.0).sqrt());
        within(normal / n, 0.0, 1.0);
        within(normal_square / n, 1.0, 2.0_f64.sqrt());
        within(wait / n, 1.0, 1.0);
        within(f64::from(direction.length()) / n, 0.0, 1.0);
    }

    #[test]
    fn probabilities_are_right_to_the_last_digits_at_short_and_long_times() {
        for k in 1..4000 {
            let x = k as f32 * 2.5e-4;
            for x in [x, 1e-6 * x, 40.0 * x] {
                let exact = -f64::from(-x).exp_m1();
                let found = f64::from(probability(x, 1.0));
                assert!((found / exact - 1.0).abs() < 2e-7, "{x}: {found}, {exact}");
            }
        }
        assert_eq!(probability(0.0, 3.0), 0.0);
        assert_eq!(probability(f32::INFINITY, 1.0), 1.0);
    }

    #[test]
    fn rates_become_probabilities_that_compose_over_steps() {
        let once = probability(0.3, 2.0);
        let left = 1.0 - probability(0.3, 1.0);
        let twice = 1.0 - left * left;
        assert!((once - twice).abs() < 1e-6);
    }
}
