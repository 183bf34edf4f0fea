//! [`Lanes`] on two 8-lane registers (AVX2) and on one of 16 lanes (AVX-512).

// SAFETY of every method in this file: the caller vouches that the processor has the instruction set, and
// for its pointers.
#![expect(
    clippy::undocumented_unsafe_blocks,
    reason = "one reason holds for all of them and stands above"
)]

use std::arch::x86_64::*;

use super::sse2::sum_four_quads;
use super::{LANES, Lanes, SET_BITS, WORD};

/// Lanes `n` and `n + 4` added.
#[inline(always)]
unsafe fn fold(eight: __m256) -> __m128 {
    unsafe {
        _mm_add_ps(
            _mm256_castps256_ps128(eight),
            _mm256_extractf128_ps::<1>(eight),
        )
    }
}

/// Where to take each lane from so that those with a set bit come first.
#[inline(always)]
unsafe fn set_bits(mask: u32) -> __m256i {
    let bits: &[u8; 8] = &SET_BITS[(mask & 255) as usize];
    unsafe { _mm256_cvtepu8_epi32(_mm_loadl_epi64(bits.as_ptr().cast())) }
}

/// Two 8-lane registers.
#[derive(Clone, Copy)]
pub(in super::super) struct Avx2(__m256, __m256);

impl Lanes for Avx2 {
    const BY_WORD: bool = false;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        unsafe { Self(_mm256_set1_ps(value), _mm256_set1_ps(value)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { Self(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe {
            _mm256_storeu_ps(to, self.0);
            _mm256_storeu_ps(to.add(8), self.1);
        }
    }
    #[inline(always)]
    unsafe fn compress<const N: usize>(mask: u32, values: [Self; N], to: [*mut f32; N]) {
        unsafe {
            let (low, high) = (set_bits(mask), set_bits(mask >> 8));
            let below = (mask & 255).count_ones() as usize;
            let mut n = 0;
            while n < N {
                _mm256_storeu_ps(to[n], _mm256_permutevar8x32_ps(values[n].0, low));
                _mm256_storeu_ps(
                    to[n].add(below),
                    _mm256_permutevar8x32_ps(values[n].1, high),
                );
                n += 1;
            }
        }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        unsafe {
            Self(
                _mm256_add_ps(self.0, other.0),
                _mm256_add_ps(self.1, other.1),
            )
        }
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        unsafe {
            Self(
                _mm256_sub_ps(self.0, other.0),
                _mm256_sub_ps(self.1, other.1),
            )
        }
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        unsafe {
            Self(
                _mm256_mul_ps(self.0, other.0),
                _mm256_mul_ps(self.1, other.1),
            )
        }
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        unsafe {
            Self(
                _mm256_div_ps(self.0, other.0),
                _mm256_div_ps(self.1, other.1),
            )
        }
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        unsafe {
            Self(
                _mm256_max_ps(self.0, other.0),
                _mm256_max_ps(self.1, other.1),
            )
        }
    }
    #[inline(always)]
    unsafe fn sqrt(self) -> Self {
        unsafe { Self(_mm256_sqrt_ps(self.0), _mm256_sqrt_ps(self.1)) }
    }
    #[inline(always)]
    unsafe fn less(self, other: Self) -> u32 {
        unsafe {
            let low = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(self.0, other.0));
            let high = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(self.1, other.1));
            (low | high << 8) as u32
        }
    }
    #[inline(always)]
    unsafe fn where_not_less(self, a: Self, b: Self) -> Self {
        unsafe {
            Self(
                _mm256_and_ps(self.0, _mm256_cmp_ps::<_CMP_GE_OQ>(a.0, b.0)),
                _mm256_and_ps(self.1, _mm256_cmp_ps::<_CMP_GE_OQ>(a.1, b.1)),
            )
        }
    }
    #[inline(always)]
    unsafe fn ones(mask: u32) -> usize {
        mask.count_ones() as usize
    }
    #[inline(always)]
    unsafe fn sum_four([a, b, c, d]: [Self; 4]) -> [f32; 4] {
        unsafe {
            let a = fold(_mm256_add_ps(a.0, a.1));
            let b = fold(_mm256_add_ps(b.0, b.1));
            let c = fold(_mm256_add_ps(c.0, c.1));
            let d = fold(_mm256_add_ps(d.0, d.1));
            sum_four_quads(a, b, c, d)
        }
    }
}

/// The numbers of 64 bytes.
#[repr(align(64))]
struct Numbers([u8; WORD]);
static NUMBERS: Numbers = Numbers({
    let mut numbers = [0; WORD];
    let mut n = 0;
    while n < WORD {
        numbers[n] = n as u8;
        n += 1;
    }
    numbers
});

/// One 16-lane register.
#[derive(Clone, Copy)]
pub(in super::super) struct Avx512(__m512);

/// Lanes `n`, `n + 8`, `n + 4` and `n + 12` added, in pairs.
#[inline(always)]
unsafe fn fold_all(sixteen: __m512) -> __m128 {
    unsafe {
        let low = _mm512_castps512_ps256(sixteen);
        let high = _mm512_extractf64x4_pd::<1>(_mm512_castps_pd(sixteen));
        fold(_mm256_add_ps(low, _mm256_castpd_ps(high)))
    }
}

impl Lanes for Avx512 {
    const BY_WORD: bool = true;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        unsafe { Self(_mm512_set1_ps(value)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { Self(_mm512_loadu_ps(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, self.0) };
    }
    #[inline(always)]
    unsafe fn compress<const N: usize>(mask: u32, values: [Self; N], to: [*mut f32; N]) {
        let mut n = 0;
        while n < N {
            unsafe { _mm512_storeu_ps(to[n], _mm512_maskz_compress_ps(mask as u16, values[n].0)) };
            n += 1;
        }
    }
    #[inline(always)]
    unsafe fn compress_word<const N: usize>(
        word: u64,
        from: [*const f32; N],
        to: [*mut f32; N],
        fill: [f32; N],
    ) -> usize {
        unsafe {
            let numbers = _mm512_loadu_si512(NUMBERS.0.as_ptr().cast());
            let mut set = _mm512_maskz_compress_epi8(word, numbers);
            let count = word.count_ones() as usize;
            let mut at = 0;
            loop {
                let lanes = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(set));
                let upper = _mm512_test_epi32_mask(lanes, _mm512_set1_epi32(32));
                let filled = (1_u32 << (count - at).min(LANES)).wrapping_sub(1) as u16;
                let mut n = 0;
                while n < N {
                    let [a, b, c, d] =
                        [0, 16, 32, 48].map(|lane| _mm512_loadu_ps(from[n].add(lane)));
                    let low = _mm512_permutex2var_ps(a, lanes, b);
                    let high = _mm512_permutex2var_ps(c, lanes, d);
                    let taken = _mm512_mask_blend_ps(upper, low, high);
                    let whole = _mm512_mask_blend_ps(filled, _mm512_set1_ps(fill[n]), taken);
                    _mm512_storeu_ps(to[n].add(at), whole);
                    n += 1;
                }
                at += LANES;
                if at > count {
                    return count;
                }
                set = _mm512_alignr_epi32::<4>(set, set);
            }
        }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        unsafe { Self(_mm512_add_ps(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        unsafe { Self(_mm512_sub_ps(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        unsafe { Self(_mm512_mul_ps(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        unsafe { Self(_mm512_div_ps(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        unsafe { Self(_mm512_max_ps(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn sqrt(self) -> Self {
        unsafe { Self(_mm512_sqrt_ps(self.0)) }
    }
    #[inline(always)]
    unsafe fn less(self, other: Self) -> u32 {
        unsafe { u32::from(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn where_not_less(self, a: Self, b: Self) -> Self {
        unsafe {
            let keep = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(a.0, b.0);
            Self(_mm512_maskz_mov_ps(keep, self.0))
        }
    }
    #[inline(always)]
    unsafe fn ones(mask: u32) -> usize {
        mask.count_ones() as usize
    }
    #[inline(always)]
    unsafe fn sum_four([a, b, c, d]: [Self; 4]) -> [f32; 4] {
        unsafe { sum_four_quads(fold_all(a.0), fold_all(b.0), fold_all(c.0), fold_all(d.0)) }
    }
}
