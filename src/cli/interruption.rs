//! Ctrl-C, and what else asks a program to end: the step is finished and the books are closed first.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Whether the program was asked to stop.
pub(super) fn is_asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// From here on the first request is noted, and the second ends the program at once, as the first did before.
pub(super) fn listen() {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(|| {
        let heard = ctrlc::set_handler(|| {
            if ASKED.swap(true, Ordering::Relaxed) {
                // As a shell says it of a program that Ctrl-C ended.
                std::process::exit(130);
            }
        });
        // Who cannot be told ends at once, and goes on from the last checkpoint.
        drop(heard);
    });
}
