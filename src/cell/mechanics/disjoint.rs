//! Slices that parallel pieces of work write in places that do not overlap.
//!
//! The sort hands each bucket its own range of slots, of varying length, in several arrays at once; the
//! safe splitting of [`crate::core::parallel`] knows only pieces of one fixed length.

use std::marker::PhantomData;
use std::ops::Range;

/// A slice that may be written from several threads, each in ranges of its own.
pub(super) struct Disjoint<'a, T> {
    start: *mut T,
    len: usize,
    of: PhantomData<&'a mut [T]>,
}

// SAFETY: the one way to reach the elements is `slice`, whose callers promise not to overlap.
unsafe impl<T: Send> Sync for Disjoint<'_, T> {}

impl<'a, T> Disjoint<'a, T> {
    pub(super) fn new(slice: &'a mut [T]) -> Self {
        Self {
            start: slice.as_mut_ptr(),
            len: slice.len(),
            of: PhantomData,
        }
    }

    /// The elements of `range`.
    ///
    /// # Safety
    /// No two slices alive at a time may share an element.
    #[expect(
        clippy::mut_from_ref,
        reason = "handing out disjoint parts is the purpose"
    )]
    pub(super) unsafe fn slice(&self, range: Range<usize>) -> &mut [T] {
        assert!(
            range.start <= range.end && range.end <= self.len,
            "the range lies inside the slice"
        );
        // SAFETY: inside the slice by the assertion, exclusive by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}
