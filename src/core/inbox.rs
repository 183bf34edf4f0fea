//! What systems hand in from many threads and one takes: requests, events.
//!
//! Who takes it puts it in an order that depends on nothing but what it is.

use std::sync::{Mutex, PoisonError};

/// A list, or several in one, that many may add to while they only read the world.
#[derive(Debug, Default)]
pub struct Inbox<T>(Mutex<T>);

impl<T> Inbox<T> {
    /// Adds to it, from any thread.
    pub fn add(&self, add: impl FnOnce(&mut T)) {
        add(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Looks at what was handed in and not taken yet.
    pub fn look<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was handed in, for the one who takes it.
    pub fn taken(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}
