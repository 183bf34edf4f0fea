//! Eight lanes of `f32`, the same bits on every instruction set.
//!
//! The contact kernel is written once over [`Lanes`] and compiled three times: for AVX2 (one 8-lane
//! register), for SSE2 (two 4-lane registers, the baseline of x86-64) and for arrays (any processor). Every
//! operation used is correctly rounded by IEEE 754 (add, subtract, multiply, divide, square root), none is
//! fused, and the final sum over lanes has one fixed tree, so the three agree to the last bit; the choice
//! is made at run time by [`InstructionSet::detect`].

/// Instruction set the contact kernel runs on. The results do not depend on it, only the speed does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstructionSet {
    /// Arrays of eight numbers, any processor.
    Portable,
    /// Two 4-lane registers; every x86-64 processor has it.
    #[cfg(target_arch = "x86_64")]
    Sse2,
    /// One 8-lane register.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl InstructionSet {
    /// The widest one that this processor has.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if has_avx2() { Self::Avx2 } else { Self::Sse2 }
        }
        #[cfg(not(target_arch = "x86_64"))]
        Self::Portable
    }

    /// All that this processor can run.
    pub fn available() -> Vec<Self> {
        let mut sets = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            sets.push(Self::Sse2);
            if has_avx2() {
                sets.push(Self::Avx2);
            }
        }
        sets
    }
}

/// Whether the processor has AVX2 and the population count that comes with it.
#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("popcnt")
}

/// Number of lanes of a batch, on every instruction set.
pub(super) const LANES: usize = 8;

/// For each 8-bit mask the number of its set bits.
static ONES: [u8; 256] = {
    let mut table = [0_u8; 256];
    let mut mask = 0_usize;
    while mask < 256 {
        table[mask] = mask.count_ones() as u8;
        mask += 1;
    }
    table
};

/// For each 8-bit mask the numbers of its set bits, lowest first, then zeros.
static SET_BITS: [[u8; LANES]; 256] = {
    let mut table = [[0_u8; LANES]; 256];
    let mut mask = 0;
    while mask < 256 {
        let mut bit = 0;
        let mut filled = 0;
        while bit < LANES {
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

/// What the second pass reads of a neighbour, in one piece.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(32))]
pub(super) struct Record {
    pub position: [f32; 3],
    pub radius: f32,
    /// Square root of the adhesion strength.
    pub adhesion: f32,
    /// Square root of the repulsion strength.
    pub repulsion: f32,
    pub id: u64,
}

impl Record {
    /// A cell that touches none.
    pub const FAR_AWAY: Self = Self {
        position: [FAR_AWAY; 3],
        radius: 1.0,
        adhesion: 0.0,
        repulsion: 0.0,
        id: u64::MAX,
    };
}

/// A coordinate that is far from any cell, um; its square is still a number.
pub(super) const FAR_AWAY: f32 = 1.0e9;

/// Eight `f32` side by side.
///
/// # Safety
/// Every method may only be called on a processor that has the instruction set of the implementation.
/// `load` reads eight numbers from its pointer, `gather` eight indices and the records they point at,
/// `store` writes eight numbers,
/// `store_set_bits` writes eight indices.
pub(super) trait Lanes: Copy {
    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// Centre and radius of the eight records at `index`, one batch for each member.
    unsafe fn gather_places(from: *const Record, index: *const u32) -> [Self; 4];
    /// The first six members of the eight records at `map[index]`, one batch for each member.
    unsafe fn gather(from: *const Record, map: *const u32, index: *const u32) -> [Self; 6];
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
    /// The number of set bits of an 8-bit mask.
    #[inline(always)]
    unsafe fn ones(mask: u32) -> u32 {
        u32::from(ONES[(mask & 255) as usize])
    }
    /// Writes `base + n` for each set bit `n` of `mask`, in order, then `base` up to eight numbers.
    unsafe fn store_set_bits(mask: u32, base: u32, to: *mut u32);
    /// Sums over the lanes of four batches: `((l0+l4)+(l1+l5)) + ((l2+l6)+(l3+l7))` of each.
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
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; LANES])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for eight readable numbers.
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for room for eight numbers.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) };
    }
    #[inline(always)]
    unsafe fn gather_places(from: *const Record, index: *const u32) -> [Self; 4] {
        let mut out = [Self([0.0; LANES]); 4];
        for lane in 0..LANES {
            // SAFETY: the caller vouches for eight indices and what they point at.
            let record = unsafe { &*from.add(*index.add(lane) as usize) };
            let [x, y, z] = record.position;
            for (batch, member) in out.iter_mut().zip([x, y, z, record.radius]) {
                batch.0[lane] = member;
            }
        }
        out
    }
    #[inline(always)]
    unsafe fn gather(from: *const Record, map: *const u32, index: *const u32) -> [Self; 6] {
        let mut out = [Self([0.0; LANES]); 6];
        for lane in 0..LANES {
            // SAFETY: the caller vouches for eight indices and what they point at.
            let record = unsafe { &*from.add(*map.add(*index.add(lane) as usize) as usize) };
            let [x, y, z] = record.position;
            let members = [x, y, z, record.radius, record.adhesion, record.repulsion];
            for (batch, member) in out.iter_mut().zip(members) {
                batch.0[lane] = member;
            }
        }
        out
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
    unsafe fn store_set_bits(mask: u32, base: u32, to: *mut u32) {
        let bits = &SET_BITS[(mask & 255) as usize];
        for (lane, bit) in bits.iter().enumerate() {
            // SAFETY: the caller vouches for room for eight indices.
            unsafe { *to.add(lane) = base + u32::from(*bit) };
        }
    }
    #[inline(always)]
    unsafe fn sum_four(batches: [Self; 4]) -> [f32; 4] {
        batches.map(|Self(l)| ((l[0] + l[4]) + (l[1] + l[5])) + ((l[2] + l[6]) + (l[3] + l[7])))
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Sse2};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{LANES, Lanes, Record, SET_BITS};
    use std::arch::x86_64::*;

    /// Sums `(r0+r1) + (r2+r3)` of four 4-lane registers.
    #[inline(always)]
    fn sum_four_quads(a: __m128, b: __m128, c: __m128, d: __m128) -> [f32; 4] {
        // SAFETY: SSE2 is part of x86-64; the array has room for four numbers.
        unsafe {
            let ab_low = _mm_unpacklo_ps(a, b);
            let cd_low = _mm_unpacklo_ps(c, d);
            let ab_high = _mm_unpackhi_ps(a, b);
            let cd_high = _mm_unpackhi_ps(c, d);
            let lane0 = _mm_movelh_ps(ab_low, cd_low);
            let lane1 = _mm_movehl_ps(cd_low, ab_low);
            let lane2 = _mm_movelh_ps(ab_high, cd_high);
            let lane3 = _mm_movehl_ps(cd_high, ab_high);
            let sum = _mm_add_ps(_mm_add_ps(lane0, lane1), _mm_add_ps(lane2, lane3));
            let mut out = [0.0; 4];
            _mm_storeu_ps(out.as_mut_ptr(), sum);
            out
        }
    }

    /// Centres and radii of four records.
    ///
    /// # Safety
    /// The records can be read.
    #[inline(always)]
    unsafe fn four_places(records: [*const f32; 4]) -> [__m128; 4] {
        // SAFETY: SSE2 is part of x86-64; a record is eight numbers long and aligned to as many.
        unsafe {
            let [a, b, c, d] = records.map(|record| _mm_load_ps(record));
            let (ab_low, ab_high) = (_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
            let (cd_low, cd_high) = (_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
            [
                _mm_movelh_ps(ab_low, cd_low),
                _mm_movehl_ps(cd_low, ab_low),
                _mm_movelh_ps(ab_high, cd_high),
                _mm_movehl_ps(cd_high, ab_high),
            ]
        }
    }

    /// Strengths of adhesion and repulsion of four records.
    ///
    /// # Safety
    /// The records can be read.
    #[inline(always)]
    unsafe fn four_strengths(records: [*const f32; 4]) -> [__m128; 2] {
        // SAFETY: SSE2 is part of x86-64; a record is eight numbers long and aligned to as many.
        unsafe {
            let [a, b, c, d] = records.map(|record| _mm_load_ps(record.add(4)));
            let (ab, cd) = (_mm_unpacklo_ps(a, b), _mm_unpacklo_ps(c, d));
            [_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab)]
        }
    }

    /// Two 4-lane registers.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Sse2(__m128, __m128);

    impl Lanes for Sse2 {
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            // SAFETY: SSE2 is part of x86-64.
            unsafe { Self(_mm_set1_ps(value), _mm_set1_ps(value)) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the caller vouches for eight readable numbers.
            unsafe { Self(_mm_loadu_ps(from), _mm_loadu_ps(from.add(4))) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller vouches for room for eight numbers.
            unsafe {
                _mm_storeu_ps(to, self.0);
                _mm_storeu_ps(to.add(4), self.1);
            }
        }
        #[inline(always)]
        unsafe fn gather_places(from: *const Record, index: *const u32) -> [Self; 4] {
            // SAFETY: the caller vouches for eight indices and what they point at.
            unsafe {
                let at = |lane: usize| from.add(*index.add(lane) as usize).cast::<f32>();
                let [x0, y0, z0, r0] = four_places([at(0), at(1), at(2), at(3)]);
                let [x1, y1, z1, r1] = four_places([at(4), at(5), at(6), at(7)]);
                [Self(x0, x1), Self(y0, y1), Self(z0, z1), Self(r0, r1)]
            }
        }
        #[inline(always)]
        unsafe fn gather(from: *const Record, map: *const u32, index: *const u32) -> [Self; 6] {
            // SAFETY: the caller vouches for eight indices and what they point at.
            unsafe {
                let at = |lane: usize| {
                    from.add(*map.add(*index.add(lane) as usize) as usize)
                        .cast::<f32>()
                };
                let low = [at(0), at(1), at(2), at(3)];
                let high = [at(4), at(5), at(6), at(7)];
                let [x0, y0, z0, r0] = four_places(low);
                let [x1, y1, z1, r1] = four_places(high);
                let [a0, p0] = four_strengths(low);
                let [a1, p1] = four_strengths(high);
                [
                    Self(x0, x1),
                    Self(y0, y1),
                    Self(z0, z1),
                    Self(r0, r1),
                    Self(a0, a1),
                    Self(p0, p1),
                ]
            }
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            // SAFETY: SSE2 is part of x86-64.
            unsafe { Self(_mm_add_ps(self.0, other.0), _mm_add_ps(self.1, other.1)) }
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            // SAFETY: SSE2 is part of x86-64.
            unsafe { Self(_mm_sub_ps(self.0, other.0), _mm_sub_ps(self.1, other.1)) }
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            // SAFETY: SSE2 is part of x86-64.
            unsafe { Self(_mm_mul_ps(self.0, other.0), _mm_mul_ps(self.1, other.1)) }
        }
        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            // SAFETY: SSE2 is part of x86-64.
            unsafe { Self(_mm_div_ps(self.0, other.0), _mm_div_ps(self.1, other.1)) }
        }
        #[inline(always)]
        unsafe fn sqrt(self) -> Self {
            // SAFETY: SSE2 is part of x86-64.
            unsafe { Self(_mm_sqrt_ps(self.0), _mm_sqrt_ps(self.1)) }
        }
        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            // SAFETY: SSE2 is part of x86-64.
            unsafe { Self(_mm_max_ps(self.0, other.0), _mm_max_ps(self.1, other.1)) }
        }
        #[inline(always)]
        unsafe fn less(self, other: Self) -> u32 {
            // SAFETY: SSE2 is part of x86-64.
            unsafe {
                let low = _mm_movemask_ps(_mm_cmplt_ps(self.0, other.0));
                let high = _mm_movemask_ps(_mm_cmplt_ps(self.1, other.1));
                (low | high << 4) as u32
            }
        }
        #[inline(always)]
        unsafe fn where_not_less(self, a: Self, b: Self) -> Self {
            // SAFETY: SSE2 is part of x86-64.
            unsafe {
                Self(
                    _mm_and_ps(self.0, _mm_cmpge_ps(a.0, b.0)),
                    _mm_and_ps(self.1, _mm_cmpge_ps(a.1, b.1)),
                )
            }
        }
        #[inline(always)]
        unsafe fn store_set_bits(mask: u32, base: u32, to: *mut u32) {
            let bits: &[u8; LANES] = &SET_BITS[(mask & 255) as usize];
            // SAFETY: SSE2 is part of x86-64; eight bytes are read from the table row and the caller
            // vouches for room for eight indices.
            unsafe {
                let zero = _mm_setzero_si128();
                let base = _mm_set1_epi32(base as i32);
                let bytes = _mm_loadl_epi64(bits.as_ptr().cast());
                let words = _mm_unpacklo_epi8(bytes, zero);
                let low = _mm_add_epi32(base, _mm_unpacklo_epi16(words, zero));
                let high = _mm_add_epi32(base, _mm_unpackhi_epi16(words, zero));
                _mm_storeu_si128(to.cast(), low);
                _mm_storeu_si128(to.add(4).cast(), high);
            }
        }
        #[inline(always)]
        unsafe fn sum_four(b: [Self; 4]) -> [f32; 4] {
            // SAFETY: SSE2 is part of x86-64.
            let [a, b, c, d] = b.map(|b| unsafe { _mm_add_ps(b.0, b.1) });
            sum_four_quads(a, b, c, d)
        }
    }

    /// One 8-lane register.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx2(__m256);

    /// Four numbers from each of two aligned places.
    #[inline(always)]
    unsafe fn eight(low: *const f32, high: *const f32) -> __m256 {
        // SAFETY: the caller vouches for AVX2 and the pointers.
        unsafe {
            _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(_mm_load_ps(low)), _mm_load_ps(high))
        }
    }

    /// Transposes centres and radii of eight records, lane `n` beside lane `n + 4`.
    #[inline(always)]
    unsafe fn places([a, b, c, d]: [__m256; 4]) -> [Avx2; 4] {
        // SAFETY: the caller vouches for AVX2.
        unsafe {
            let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
            [
                Avx2(_mm256_shuffle_ps::<0x44>(ab_low, cd_low)),
                Avx2(_mm256_shuffle_ps::<0xEE>(ab_low, cd_low)),
                Avx2(_mm256_shuffle_ps::<0x44>(ab_high, cd_high)),
                Avx2(_mm256_shuffle_ps::<0xEE>(ab_high, cd_high)),
            ]
        }
    }

    // SAFETY of every method below: the caller vouches that the processor has AVX2, and for its pointers.
    #[expect(
        clippy::undocumented_unsafe_blocks,
        reason = "one reason holds for all of them and stands above"
    )]
    impl Lanes for Avx2 {
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            unsafe { Self(_mm256_set1_ps(value)) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { Self(_mm256_loadu_ps(from)) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm256_storeu_ps(to, self.0) };
        }
        #[inline(always)]
        unsafe fn gather_places(from: *const Record, index: *const u32) -> [Self; 4] {
            unsafe {
                let at = |lane: usize| from.add(*index.add(lane) as usize).cast::<f32>();
                let pair = |lane: usize| eight(at(lane), at(lane + 4));
                let [a, b, c, d] = [pair(0), pair(1), pair(2), pair(3)];
                places([a, b, c, d])
            }
        }
        #[inline(always)]
        unsafe fn gather(from: *const Record, map: *const u32, index: *const u32) -> [Self; 6] {
            unsafe {
                let at = |lane: usize| {
                    from.add(*map.add(*index.add(lane) as usize) as usize)
                        .cast::<f32>()
                };
                let p: [*const f32; 8] = [at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)];
                let [x, y, z, radius] = places([
                    eight(p[0], p[4]),
                    eight(p[1], p[5]),
                    eight(p[2], p[6]),
                    eight(p[3], p[7]),
                ]);
                let (a, b) = (
                    eight(p[0].add(4), p[4].add(4)),
                    eight(p[1].add(4), p[5].add(4)),
                );
                let (c, d) = (
                    eight(p[2].add(4), p[6].add(4)),
                    eight(p[3].add(4), p[7].add(4)),
                );
                let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
                let adhesion = Self(_mm256_shuffle_ps::<0x44>(ab, cd));
                let repulsion = Self(_mm256_shuffle_ps::<0xEE>(ab, cd));
                [x, y, z, radius, adhesion, repulsion]
            }
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            unsafe { Self(_mm256_add_ps(self.0, other.0)) }
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            unsafe { Self(_mm256_sub_ps(self.0, other.0)) }
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            unsafe { Self(_mm256_mul_ps(self.0, other.0)) }
        }
        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            unsafe { Self(_mm256_div_ps(self.0, other.0)) }
        }
        #[inline(always)]
        unsafe fn sqrt(self) -> Self {
            unsafe { Self(_mm256_sqrt_ps(self.0)) }
        }
        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            unsafe { Self(_mm256_max_ps(self.0, other.0)) }
        }
        #[inline(always)]
        unsafe fn ones(mask: u32) -> u32 {
            mask.count_ones()
        }
        #[inline(always)]
        unsafe fn less(self, other: Self) -> u32 {
            unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(self.0, other.0)) as u32 }
        }
        #[inline(always)]
        unsafe fn where_not_less(self, a: Self, b: Self) -> Self {
            unsafe { Self(_mm256_and_ps(self.0, _mm256_cmp_ps::<_CMP_GE_OQ>(a.0, b.0))) }
        }
        #[inline(always)]
        unsafe fn store_set_bits(mask: u32, base: u32, to: *mut u32) {
            let bits: &[u8; LANES] = &SET_BITS[(mask & 255) as usize];
            unsafe {
                let bytes = _mm_loadl_epi64(bits.as_ptr().cast());
                let base = _mm256_set1_epi32(base as i32);
                let index = _mm256_add_epi32(base, _mm256_cvtepu8_epi32(bytes));
                _mm256_storeu_si256(to.cast(), index);
            }
        }
        #[inline(always)]
        unsafe fn sum_four(b: [Self; 4]) -> [f32; 4] {
            unsafe {
                let a0 = _mm_add_ps(
                    _mm256_castps256_ps128(b[0].0),
                    _mm256_extractf128_ps::<1>(b[0].0),
                );
                let a1 = _mm_add_ps(
                    _mm256_castps256_ps128(b[1].0),
                    _mm256_extractf128_ps::<1>(b[1].0),
                );
                let a2 = _mm_add_ps(
                    _mm256_castps256_ps128(b[2].0),
                    _mm256_extractf128_ps::<1>(b[2].0),
                );
                let a3 = _mm_add_ps(
                    _mm256_castps256_ps128(b[3].0),
                    _mm256_extractf128_ps::<1>(b[3].0),
                );
                sum_four_quads(a0, a1, a2, a3)
            }
        }
    }
}
