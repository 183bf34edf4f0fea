//! Sixteen lanes of `f32`, the same bits on every instruction set.
//!
//! The contact kernel is written once over [`Lanes`] and compiled four times: for AVX-512 (one register),
//! for AVX2 (two), for SSE2 (four; the baseline of x86-64) and for arrays (any processor). Every operation
//! used is correctly rounded by IEEE 754 (add, subtract, multiply, divide, square root), none is fused, and
//! the final sum over lanes has one fixed tree, so all agree to the last bit; the choice is made at run
//! time by [`InstructionSet::detect`].

#[cfg(target_arch = "x86_64")]
mod avx;
#[cfg(target_arch = "x86_64")]
mod sse2;

#[cfg(target_arch = "x86_64")]
pub(super) use self::{
    avx::{Avx2, Avx512},
    sse2::Sse2,
};

/// Instruction set the contact kernel runs on. The results do not depend on it, only the speed does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstructionSet {
    /// Arrays of sixteen numbers, any processor.
    Portable,
    /// Four 4-lane registers; every x86-64 processor has it.
    #[cfg(target_arch = "x86_64")]
    Sse2,
    /// Two 8-lane registers.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// One 16-lane register, and bytes put side by side (VBMI2: Ice Lake, Zen 4 and later; processors with AVX-512
    /// but without it run the kernel of AVX2).
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl InstructionSet {
    /// The widest one that this processor has.
    pub fn detect() -> Self {
        Self::available().pop().unwrap_or(Self::Portable)
    }

    /// All that this processor can run, the widest last.
    pub fn available() -> Vec<Self> {
        let mut sets = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            sets.push(Self::Sse2);
            let counts_bits = std::is_x86_feature_detected!("popcnt");
            if std::is_x86_feature_detected!("avx2") && counts_bits {
                sets.push(Self::Avx2);
                // What these imply to the compiler is asked for too.
                if std::is_x86_feature_detected!("avx512f")
                    && std::is_x86_feature_detected!("avx512bw")
                    && std::is_x86_feature_detected!("avx512vbmi2")
                    && std::is_x86_feature_detected!("fma")
                    && std::is_x86_feature_detected!("f16c")
                {
                    sets.push(Self::Avx512);
                }
            }
        }
        sets
    }
}

/// Number of lanes of a batch, on every instruction set.
pub(super) const LANES: usize = 16;
/// Lanes of four batches, one bit of a word each.
pub(super) const WORD: usize = 64;

/// For each 8-bit mask the numbers of its set bits, lowest first, then zeros.
static SET_BITS: [[u8; 8]; 256] = {
    let mut table = [[0_u8; 8]; 256];
    let mut mask = 0;
    while mask < 256 {
        let mut bit = 0;
        let mut filled = 0;
        while bit < 8 {
            if mask >> bit & 1 == 1 {
                table[mask][filled] = bit as u8;
                filled += 1;
            }
            bit += 1;
        }
        mask += 1;
    }
    table
};

/// A coordinate that is far from any cell, um; its square is still a number.
pub(super) const FAR_AWAY: f32 = 1.0e9;

/// Sixteen `f32` side by side.
///
/// # Safety
/// Every method may only be called on a processor that has the instruction set of the implementation.
/// `load` reads sixteen numbers from its pointer, `store` writes as many, and so does `compress` to each of
/// its pointers. `compress_word` reads 64 numbers from each pointer and writes up to sixteen more than are set;
/// what it reads and what it writes does not overlap.
pub(super) trait Lanes: Copy {
    /// Whether [`Self::compress_word`] is faster than four times [`Self::compress`] of what is in registers.
    const BY_WORD: bool;

    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// Stores the lanes of each value whose bit in `mask` is set, side by side; what follows them is undefined.
    unsafe fn compress<const N: usize>(mask: u32, values: [Self; N], to: [*mut f32; N]);
    /// Stores those of four batches behind each pointer whose bit in `word` is set, side by side, and behind
    /// them `fill`, so that the last batch begun is whole; returns how many were set.
    #[inline(always)]
    unsafe fn compress_word<const N: usize>(
        word: u64,
        from: [*const f32; N],
        to: [*mut f32; N],
        fill: [f32; N],
    ) -> usize {
        let mut count = 0;
        // SAFETY: the caller's promises.
        unsafe {
            let mut batch = 0;
            while batch * LANES < WORD {
                let mask = (word >> (batch * LANES)) as u32 & 0xFFFF;
                let values = from.map(|from| Self::load(from.add(batch * LANES)));
                Self::compress(mask, values, to.map(|to| to.add(count)));
                count += Self::ones(mask);
                batch += 1;
            }
            let mut n = 0;
            while n < N {
                Self::splat(fill[n]).store(to[n].add(count));
                n += 1;
            }
        }
        count
    }
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    unsafe fn sqrt(self) -> Self;
    /// The larger of two numbers neither of which is NaN; `other` where they are equal.
    unsafe fn max(self, other: Self) -> Self;
    /// One bit per lane, set where `self < other`.
    unsafe fn less(self, other: Self) -> u32;
    /// `self` where `a >= b`, zero elsewhere.
    unsafe fn where_not_less(self, a: Self, b: Self) -> Self;
    /// The number of set bits of a mask.
    unsafe fn ones(mask: u32) -> usize;
    /// Sums over the lanes of four batches: with `m_i = l_i + l_(i+8)`, `((m0+m4)+(m1+m5)) + ((m2+m6)+(m3+m7))`
    /// of each.
    unsafe fn sum_four(batches: [Self; 4]) -> [f32; 4];
}

/// The portable implementation.
#[derive(Clone, Copy)]
pub(super) struct Array([f32; LANES]);

impl Array {
    #[inline(always)]
    fn zip(self, other: Self, op: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| op(self.0[lane], other.0[lane])))
    }
}

impl Lanes for Array {
    const BY_WORD: bool = true;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; LANES])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for sixteen readable numbers.
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for room for sixteen numbers.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) };
    }
    #[inline(always)]
    unsafe fn compress<const N: usize>(mask: u32, values: [Self; N], to: [*mut f32; N]) {
        let mut left = mask & 0xFFFF;
        let mut at = 0;
        while left != 0 {
            let lane = left.trailing_zeros() as usize;
            for (value, to) in values.iter().zip(to) {
                // SAFETY: the caller vouches for room for sixteen numbers.
                unsafe { *to.add(at) = value.0[lane] };
            }
            at += 1;
            left &= left - 1;
        }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn sqrt(self) -> Self {
        Self(self.0.map(f32::sqrt))
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn less(self, other: Self) -> u32 {
        (0..LANES).fold(0, |bits, lane| {
            bits | u32::from(self.0[lane] < other.0[lane]) << lane
        })
    }
    #[inline(always)]
    unsafe fn where_not_less(self, a: Self, b: Self) -> Self {
        Self(std::array::from_fn(|lane| {
            if a.0[lane] >= b.0[lane] {
                self.0[lane]
            } else {
                0.0
            }
        }))
    }
    #[inline(always)]
    unsafe fn ones(mask: u32) -> usize {
        mask.count_ones() as usize
    }
    #[inline(always)]
    unsafe fn sum_four(batches: [Self; 4]) -> [f32; 4] {
        batches.map(|Self(l)| {
            let m: [f32; 8] = std::array::from_fn(|lane| l[lane] + l[lane + 8]);
            ((m[0] + m[4]) + (m[1] + m[5])) + ((m[2] + m[6]) + (m[3] + m[7]))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of a word that are set, and what follows them in the first of two arrays.
    unsafe fn taken<V: Lanes>(word: u64) -> (usize, Vec<f32>) {
        let from: [f32; WORD] = std::array::from_fn(|at| at as f32);
        let mut doubled = from.map(|value| 2.0 * value);
        for (at, value) in doubled.iter_mut().enumerate() {
            if word >> at & 1 == 0 {
                *value = f32::NAN;
            }
        }
        let mut to = [[-1.0; WORD + LANES]; 2];
        let [first, second] = &mut to;
        // SAFETY: the caller's promise; there is room for a batch more than a word.
        let count = unsafe {
            V::compress_word(
                word,
                [from.as_ptr(), doubled.as_ptr()],
                [first.as_mut_ptr(), second.as_mut_ptr()],
                [f32::INFINITY, 7.0],
            )
        };
        let whole = (count / LANES + 1) * LANES;
        for (first, second) in first[..count].iter().zip(&*second) {
            assert_eq!(2.0 * first, *second);
        }
        assert!(second[count..whole].iter().all(|value| *value == 7.0));
        (count, first[..whole].to_vec())
    }

    #[test]
    fn every_instruction_set_puts_the_same_numbers_of_a_word_side_by_side() {
        let mut state = 1_u64;
        let words = (0..300).map(|turn| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            // Few and many, none, and all.
            match turn % 4 {
                0 => state & state >> 7 & state >> 13,
                1 => state | state << 11,
                2 => state,
                _ => [0, u64::MAX, 1, 1 << 63, 0xFFFF, 0xFFFF << 32][turn / 4 % 6],
            }
        });
        for word in words {
            let set = (0..64).filter(|bit| word >> bit & 1 == 1);
            let mut expected: Vec<f32> = set.map(|bit| bit as f32).collect();
            let count = expected.len();
            expected.resize((count / LANES + 1) * LANES, f32::INFINITY);
            for set in InstructionSet::available() {
                // SAFETY: only sets that this processor has are used.
                let found = unsafe {
                    match set {
                        InstructionSet::Portable => taken::<Array>(word),
                        #[cfg(target_arch = "x86_64")]
                        InstructionSet::Sse2 => taken::<Sse2>(word),
                        #[cfg(target_arch = "x86_64")]
                        InstructionSet::Avx2 => taken::<Avx2>(word),
                        #[cfg(target_arch = "x86_64")]
                        InstructionSet::Avx512 => taken::<Avx512>(word),
                    }
                };
                assert_eq!(found, (count, expected.clone()), "{set:?}, {word:b}");
            }
        }
    }
}
