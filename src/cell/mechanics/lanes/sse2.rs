//! [`Lanes`] on four 4-lane registers, the baseline of x86-64.

use std::arch::x86_64::*;

use super::{LANES, Lanes, SET_BITS};

/// Sums `(r0+r1) + (r2+r3)` of four 4-lane registers.
#[inline(always)]
pub(super) fn sum_four_quads(a: __m128, b: __m128, c: __m128, d: __m128) -> [f32; 4] {
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

/// Four 4-lane registers.
#[derive(Clone, Copy)]
pub(in super::super) struct Sse2([__m128; 4]);

impl Sse2 {
    #[inline(always)]
    fn zip(self, other: Self, op: impl Fn(__m128, __m128) -> __m128) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([op(a, e), op(b, f), op(c, g), op(d, h)])
    }
}

// SAFETY of every method below: SSE2 is part of x86-64, and the caller vouches for its pointers.
#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "one reason holds for all of them and stands above"
)]
impl Lanes for Sse2 {
    const BY_WORD: bool = true;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([unsafe { _mm_set1_ps(value) }; 4])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe {
            Self([
                _mm_loadu_ps(from),
                _mm_loadu_ps(from.add(4)),
                _mm_loadu_ps(from.add(8)),
                _mm_loadu_ps(from.add(12)),
            ])
        }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        for (part, value) in self.0.into_iter().enumerate() {
            unsafe { _mm_storeu_ps(to.add(4 * part), value) };
        }
    }
    #[inline(always)]
    unsafe fn compress<const N: usize>(mask: u32, values: [Self; N], to: [*mut f32; N]) {
        let low = &SET_BITS[(mask & 255) as usize];
        let high = &SET_BITS[(mask >> 8 & 255) as usize];
        let below = (mask & 255).count_ones() as usize;
        let ones = [below, (mask >> 8 & 255).count_ones() as usize];
        for (value, to) in values.into_iter().zip(to) {
            let mut lanes = [0.0; LANES];
            unsafe {
                value.store(lanes.as_mut_ptr());
                for (at, lane) in low[..ones[0]].iter().enumerate() {
                    *to.add(at) = lanes[usize::from(*lane & 7)];
                }
                for (at, lane) in high[..ones[1]].iter().enumerate() {
                    *to.add(below + at) = lanes[8 + usize::from(*lane & 7)];
                }
            }
        }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| unsafe { _mm_add_ps(a, b) })
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| unsafe { _mm_sub_ps(a, b) })
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| unsafe { _mm_mul_ps(a, b) })
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| unsafe { _mm_div_ps(a, b) })
    }
    #[inline(always)]
    unsafe fn sqrt(self) -> Self {
        Self(self.0.map(|a| unsafe { _mm_sqrt_ps(a) }))
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| unsafe { _mm_max_ps(a, b) })
    }
    #[inline(always)]
    unsafe fn less(self, other: Self) -> u32 {
        let bits = self.zip(other, |a, b| unsafe { _mm_cmplt_ps(a, b) });
        let [a, b, c, d] = bits.0.map(|bits| unsafe { _mm_movemask_ps(bits) });
        (a | b << 4 | c << 8 | d << 12) as u32
    }
    #[inline(always)]
    unsafe fn where_not_less(self, a: Self, b: Self) -> Self {
        let keep = a.zip(b, |a, b| unsafe { _mm_cmpge_ps(a, b) });
        self.zip(keep, |value, keep| unsafe { _mm_and_ps(value, keep) })
    }
    #[inline(always)]
    unsafe fn ones(mask: u32) -> usize {
        mask.count_ones() as usize
    }
    #[inline(always)]
    unsafe fn sum_four(batches: [Self; 4]) -> [f32; 4] {
        let [a, b, c, d] = batches
            .map(|Self([a, b, c, d])| unsafe { _mm_add_ps(_mm_add_ps(a, c), _mm_add_ps(b, d)) });
        sum_four_quads(a, b, c, d)
    }
}
