//! Sums that do not depend on the order of their terms.
//!
//! Cells come in an order that depends on the history of births and deaths, and on which thread is quicker. A sum of
//! floats would differ with it in the last bits; a sum of whole numbers of a tiny quantum does not, because adding
//! whole numbers is associative. Each term is made a whole number of quanta once.
//!
//! | sum | for | terms | parts of a quantum | a sum that does not fit |
//! | --- | --- | --- | --- | --- |
//! | [`ExactSum`] | one thread, parts merged afterwards | of either sign, below 2^94 quanta | are cut off | cannot come about with fewer than 2^32 terms |
//! | [`AtomicSums`] of [`AtomicI64`] | many threads, one sum for each voxel | of either sign | are rounded, half away from zero | wraps around, as one of 64 bits does |
//! | [`AtomicSums`] of [`AtomicU32`] | the same in half the memory | not below zero | are rounded, half up, in `f32` | stays at the largest |
//!
//! Wrapping keeps every sum right that fits in the end, whatever the sums on the way were; a bound that sums of
//! either sign stopped at would depend on the order. The quantum is a parameter of the type, 2^-BITS of the unit.

use std::fmt::Debug;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

use crate::core::parallel::for_each_chunk_mut;

/// Sums handled by one piece of a parallel loop.
const CHUNK: usize = 16_384;

/// Quanta of 2^-`bits` in a unit.
#[inline]
const fn quanta_per_unit(bits: u32) -> f64 {
    (1_u64 << bits) as f64
}

/// A sum in quanta of 2^-`BITS` that one thread adds to.
///
/// It cannot overflow: a term is below 2^94 quanta, or lost like one that is no number, and 2^32 of them add up to
/// less than 2^126.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExactSum<const BITS: u32> {
    quanta: i128,
    /// Terms that are no numbers, or too large; they make the sum none.
    lost: u64,
}

impl<const BITS: u32> ExactSum<BITS> {
    /// Terms are smaller than this many quanta: 2^94.
    const LARGEST: f64 = (1_u128 << 94) as f64;

    /// Adds a term.
    #[inline]
    pub fn add(&mut self, term: f32) {
        let quanta = f64::from(term) * quanta_per_unit(BITS);
        // Most terms fit into 64 bits, which are much quicker to make.
        if quanta.abs() < 9.0e18 {
            self.quanta += i128::from(quanta as i64);
        } else if quanta.abs() < Self::LARGEST {
            self.quanta += quanta as i128;
        } else {
            self.lost += 1;
        }
    }

    /// Adds another sum.
    pub const fn merge(&mut self, other: Self) {
        self.quanta += other.quanta;
        self.lost += other.lost;
    }

    /// The sum; NaN if a term was no number or too large.
    pub const fn value(self) -> f64 {
        if self.lost > 0 {
            f64::NAN
        } else {
            self.quanta as f64 / quanta_per_unit(BITS)
        }
    }
}

/// A whole number that several threads add to.
pub trait AtomicQuanta: From<Self::Quanta> + Send + Sync + Debug + 'static {
    /// The number itself.
    type Quanta: Copy + Default + Debug + PartialEq + Into<i64>;

    /// Adds a term, rounded to a whole number of quanta of 2^-`bits`; none (NaN) adds nothing, one out of range the
    /// nearest in range. Says whether the term and the sum so far are what they should be.
    fn add(&self, term: f32, bits: u32) -> bool;

    /// The sum so far.
    fn get(&self) -> Self::Quanta;
}

impl AtomicQuanta for AtomicI64 {
    type Quanta = i64;

    #[inline]
    fn add(&self, term: f32, bits: u32) -> bool {
        /// 2^63, one more than the largest number of quanta.
        const BEYOND: f64 = 9_223_372_036_854_775_808.0;
        let exact = f64::from(term) * quanta_per_unit(bits);
        // `f64::round` is a call of a function.
        let quanta = (exact + 0.5_f64.copysign(exact)) as i64;
        let before = self.fetch_add(quanta, Ordering::Relaxed);
        exact.abs() < BEYOND && before.checked_add(quanta).is_some()
    }

    #[inline]
    fn get(&self) -> i64 {
        self.load(Ordering::Relaxed)
    }
}

impl AtomicQuanta for AtomicU32 {
    type Quanta = u32;

    #[inline]
    fn add(&self, term: f32, bits: u32) -> bool {
        // From 2^23 quanta on an `f32` has no halves, and half up may be up to the even neighbour.
        let quanta = (term * quanta_per_unit(bits) as f32 + 0.5) as u32;
        let mut sum = self.load(Ordering::Relaxed);
        while let Err(found) = self.compare_exchange_weak(
            sum,
            sum.saturating_add(quanta),
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            sum = found;
        }
        !term.is_nan() && sum.checked_add(quanta).is_some()
    }

    #[inline]
    fn get(&self) -> u32 {
        self.load(Ordering::Relaxed)
    }
}

/// Many sums, one for each voxel, say, in quanta of 2^-`BITS`, to which all threads add at once.
///
/// The memory is taken when the first term comes.
#[derive(Debug, Default)]
pub struct AtomicSums<Q, const BITS: u32> {
    len: usize,
    sums: OnceLock<Vec<Q>>,
    used: AtomicBool,
    overflowed: AtomicBool,
}

/// Stored sums are not as many as those they are to replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found} sums are stored, there are {expected}")]
pub struct WrongLength {
    /// Stored sums.
    pub found: usize,
    /// Sums there are.
    pub expected: usize,
}

impl<Q: AtomicQuanta, const BITS: u32> AtomicSums<Q, BITS> {
    /// That many sums without a term.
    pub const fn new(len: usize) -> Self {
        Self {
            len,
            sums: OnceLock::new(),
            used: AtomicBool::new(false),
            overflowed: AtomicBool::new(false),
        }
    }

    /// Whether no term was added to any, which is not the same as sums that happen to be zero.
    pub fn is_empty(&self) -> bool {
        !self.used.load(Ordering::Relaxed)
    }

    /// Whether since the last [`Self::clear`] a term was no number, or a sum of terms of one sign did not fit: then it is
    /// wrong. (One of terms of either sign may have left the range on its way and come back.)
    pub fn has_overflowed(&self) -> bool {
        self.overflowed.load(Ordering::Relaxed)
    }

    /// Adds a term to a sum.
    #[inline]
    pub fn add(&self, index: usize, term: f32) {
        let sums = self.sums.get_or_init(|| self.zeros());
        if !sums[index].add(term, BITS) {
            self.overflowed.store(true, Ordering::Relaxed);
        }
        // Reading first leaves the line in the caches of all cores.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    #[cold]
    fn zeros(&self) -> Vec<Q> {
        std::iter::repeat_with(|| Q::from(Q::Quanta::default()))
            .take(self.len)
            .collect()
    }

    /// A sum, in units.
    #[inline]
    pub fn sum(&self, index: usize) -> f32 {
        self.sums
            .get()
            .map_or(0.0, |sums| in_units::<Q, BITS>(&sums[index]))
    }

    /// Writes every sum over `count` to `into`: the mean of that many rounds of adding.
    pub fn read_mean(&self, count: f32, into: &mut Vec<f32>) {
        into.resize(self.len, 0.0);
        match self.sums.get() {
            Some(sums) if !self.is_empty() => for_each_chunk_mut(into, CHUNK, |start, piece| {
                for (value, sum) in piece.iter_mut().zip(&sums[start..]) {
                    *value = in_units::<Q, BITS>(sum) / count;
                }
            }),
            _ => into.fill(0.0),
        }
    }

    /// Forgets all terms, and keeps the memory.
    pub fn clear(&mut self) {
        *self.overflowed.get_mut() = false;
        if !std::mem::take(self.used.get_mut()) {
            return;
        }
        if let Some(sums) = self.sums.get_mut() {
            for_each_chunk_mut(sums, CHUNK, |_, piece| {
                piece.fill_with(|| Q::from(Q::Quanta::default()));
            });
        }
    }

    /// The sums in quanta, for a file; `None` where no term was added.
    pub fn state(&self) -> Option<Vec<Q::Quanta>> {
        let sums = self.sums.get().filter(|_| !self.is_empty())?;
        Some(sums.iter().map(Q::get).collect())
    }

    /// Puts what [`Self::state`] handed out in place of what there is.
    ///
    /// # Errors
    /// As [`Self::check`]; nothing is changed then.
    pub fn restore(&mut self, state: Option<Vec<Q::Quanta>>) -> Result<(), WrongLength> {
        self.check(state.as_deref())?;
        self.clear();
        if let Some(sums) = state {
            self.sums = OnceLock::from(sums.into_iter().map(Q::from).collect::<Vec<_>>());
            *self.used.get_mut() = true;
        }
        Ok(())
    }

    /// Checks a state before it is restored.
    ///
    /// # Errors
    /// If it is that of another number of sums.
    pub fn check(&self, state: Option<&[Q::Quanta]>) -> Result<(), WrongLength> {
        match state {
            Some(sums) if sums.len() != self.len => Err(WrongLength {
                found: sums.len(),
                expected: self.len,
            }),
            _ => Ok(()),
        }
    }
}

#[inline]
fn in_units<Q: AtomicQuanta, const BITS: u32>(sum: &Q) -> f32 {
    let quanta: i64 = sum.get().into();
    (quanta as f64 / quanta_per_unit(BITS)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::parallel::{for_each_chunk, set_threads};

    type Plain = ExactSum<40>;
    type Signed = AtomicSums<AtomicI64, 30>;
    type Shares = AtomicSums<AtomicU32, 20>;

    #[test]
    fn the_order_of_terms_does_not_change_a_sum_and_the_error_is_that_of_a_quantum() {
        let terms: Vec<f32> = (1..5000)
            .map(|i| (i as f32 * 0.7).sqrt() * if i % 3 == 0 { -1e4 } else { 3e-3 })
            .chain([1e9, -1e9, 1e-7])
            .collect();
        let (mut forward, mut backward) = (Plain::default(), Plain::default());
        terms.iter().for_each(|term| forward.add(*term));
        terms.iter().rev().for_each(|term| backward.add(*term));
        assert_eq!(forward, backward);
        let exact: f64 = terms.iter().map(|term| f64::from(*term)).sum();
        assert!((forward.value() / exact - 1.0).abs() < 1e-12);
        forward.add(f32::NAN);
        assert!(forward.value().is_nan());
    }

    #[test]
    fn parts_of_a_quantum_are_rounded_in_atomic_sums_and_cut_off_in_plain_ones() {
        for (quanta, nearest) in [
            (0.4, 0),
            (0.5, 1),
            (1.49, 1),
            (7.5, 8),
            (1e6 + 0.5, 1_000_001),
        ] {
            for sign in [1, -1] {
                let term = (quanta / quanta_per_unit(30) * f64::from(sign)) as f32;
                let sums = Signed::new(1);
                sums.add(0, term);
                assert_eq!(
                    sums.state(),
                    Some(vec![nearest * i64::from(sign)]),
                    "{quanta}"
                );
                let mut plain = ExactSum::<30>::default();
                plain.add(term);
                assert_eq!(plain.quanta, quanta as i128 * i128::from(sign), "{quanta}");
            }
            let shares = Shares::new(1);
            shares.add(0, (quanta / quanta_per_unit(20)) as f32);
            assert_eq!(shares.state(), Some(vec![nearest as u32]), "{quanta}");
        }
    }

    #[test]
    fn a_plain_sum_is_exact_up_to_the_largest_term_and_number_of_terms_and_lost_beyond() {
        let mut sum = Plain::default();
        // The largest term, as often as there can be cells: doubled 32 times.
        let largest = f32::from_bits(1.8e16_f32.to_bits() - 1);
        sum.add(largest);
        for _ in 0..32 {
            sum.merge(sum);
        }
        assert_eq!(sum.value(), f64::from(largest) * 4_294_967_296.0);
        for term in [2e16, f32::MAX, f32::INFINITY] {
            for signed in [term, -term] {
                let mut lost = Plain::default();
                lost.add(1.0);
                lost.add(signed);
                lost.add(-signed);
                assert!(lost.value().is_nan(), "{signed}");
            }
        }
    }

    #[test]
    fn threads_that_add_at_once_get_the_sums_of_one_that_adds_in_order() {
        set_threads(Some(4));
        let term = |i: usize| ((i * 7919 % 2003) as f32 - 1001.0) * 0.997;
        let (alone, together) = (Signed::new(3), Signed::new(3));
        let (full, filled) = (Shares::new(3), Shares::new(3));
        for i in 0..20_000 {
            alone.add(i % 3, term(i));
            full.add(i % 3, term(i).abs() * 1e-3);
        }
        for_each_chunk(20_000, 10, |_, range| {
            for i in range {
                together.add(i % 3, term(i));
                filled.add(i % 3, term(i).abs() * 1e-3);
            }
        });
        assert_eq!(alone.state(), together.state());
        assert_eq!(full.state(), filled.state());
        assert!((0..3).all(|index| (3e3..4e3).contains(&full.sum(index))));
        let mut plain = [ExactSum::<30>::default(); 3];
        (0..20_000).for_each(|i| plain[i % 3].add(term(i)));
        for (index, sum) in plain.into_iter().enumerate() {
            assert_eq!(alone.sum(index), sum.value() as f32);
        }
    }

    #[test]
    fn signed_sums_that_do_not_fit_wrap_around_and_come_back_in_any_order() {
        let most = 8.0e9;
        for order in [
            [most, most, -most],
            [most, -most, most],
            [-most, most, most],
        ] {
            let sums = Signed::new(1);
            order.iter().for_each(|term| sums.add(0, *term));
            assert_eq!(sums.sum(0), most);
        }
        let sums = Signed::new(1);
        [most, most].iter().for_each(|term| sums.add(0, *term));
        let range = 2.0_f64.powi(64 - 30);
        assert_eq!(sums.sum(0), (2.0 * f64::from(most) - range) as f32);
        // A term by itself does not wrap.
        for (term, sum) in [(f32::INFINITY, i64::MAX), (-1e30, i64::MIN), (f32::NAN, 0)] {
            let sums = Signed::new(1);
            sums.add(0, term);
            assert_eq!(sums.state(), Some(vec![sum]), "{term}");
        }
    }

    #[test]
    fn sums_of_32_bits_that_do_not_fit_stay_at_the_largest_in_any_order() {
        for order in [[4e3, 1.0, 4e3], [1.0, 4e3, 4e3], [4e3, 4e3, 1.0]] {
            let sums = Shares::new(1);
            order.iter().for_each(|term| sums.add(0, *term));
            assert_eq!(sums.state(), Some(vec![u32::MAX]));
            assert_eq!(sums.sum(0), 4096.0);
        }
        for (term, sum) in [(f32::INFINITY, u32::MAX), (-3.0, 0), (f32::NAN, 0)] {
            let sums = Shares::new(1);
            sums.add(0, term);
            assert_eq!(sums.state(), Some(vec![sum]), "{term}");
        }
    }

    #[test]
    fn restored_sums_go_on_as_those_they_were_taken_from_and_cleared_ones_are_empty() {
        let first = Signed::new(3);
        assert_eq!(first.state(), None);
        first.add(0, 0.1);
        first.add(0, -0.1);
        assert_eq!(
            first.state(),
            Some(vec![0; 3]),
            "added to, though it is zero"
        );
        first.add(2, 0.7);
        let mut second = Signed::new(3);
        second.add(1, 5.0);
        second.restore(first.state()).unwrap();
        for sums in [&first, &second] {
            sums.add(2, 1e-3);
        }
        assert_eq!(first.state(), second.state());
        let (mut a, mut b) = (vec![1.0], Vec::new());
        first.read_mean(2.0, &mut a);
        second.read_mean(2.0, &mut b);
        assert_eq!((a[2], &a), (first.sum(2) / 2.0, &b));
        let wrong = Signed::new(4).restore(first.state()).unwrap_err();
        assert_eq!((wrong.found, wrong.expected), (3, 4));
        second.restore(None).unwrap();
        assert!(second.is_empty());
        assert_eq!([0, 1, 2].map(|index| second.sum(index)), [0.0; 3]);
        second.read_mean(1.0, &mut b);
        assert_eq!(b, [0.0; 3]);
    }

    #[test]
    fn a_sum_that_does_not_fit_and_a_term_that_is_no_number_are_noticed() {
        type Signed = AtomicSums<AtomicI64, 30>;
        // 2^33 units are 2^63 quanta.
        let half = 4_294_967_296.0_f32;
        let told = |terms: &[f32]| {
            let mut sums = Signed::new(2);
            for term in terms {
                sums.add(1, *term);
            }
            let told = sums.has_overflowed();
            sums.clear();
            assert!(!sums.has_overflowed());
            told
        };
        assert!(!told(&[half, half * 0.99]));
        assert!(!told(&[-half, -half]));
        assert!(told(&[half, half]));
        assert!(told(&[2.0 * half]));
        assert!(told(&[f32::INFINITY]));
        assert!(told(&[f32::NAN]));
        let unsigned = AtomicSums::<AtomicU32, 20>::new(1);
        unsigned.add(0, 4095.0);
        assert!(!unsigned.has_overflowed());
        unsigned.add(0, 1.0);
        assert!(unsigned.has_overflowed());
    }
}
