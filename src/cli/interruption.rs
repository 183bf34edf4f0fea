//! Ctrl-C, and what else asks a program to end: the step is finished and the books are closed first.
//!
//! What was ignored when the program began stays ignored: a hang-up under `nohup`, and Ctrl-C behind the `&` of a
//! script, are meant for others.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// How a program ends that Ctrl-C ended, as a shell says it.
const INTERRUPTED: i32 = 130;

/// Whether the program was asked to stop.
pub(super) fn is_asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// From here on the first request is noted, and the second ends the program at once, as the first did before.
pub(super) fn listen() {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(platform::listen);
}

#[cfg(unix)]
mod platform {
    use std::mem::MaybeUninit;
    use std::ptr::{from_ref, null, null_mut};
    use std::sync::atomic::Ordering;

    use libc::{SA_RESTART, SIG_IGN, SIGHUP, SIGINT, SIGTERM, c_int, sigaction, sighandler_t};

    use super::{ASKED, INTERRUPTED};

    pub(super) fn listen() {
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // Who cannot be told ends at once, and goes on from the last checkpoint.
            if disposition(signal).is_some_and(|handler| handler != SIG_IGN) {
                handle(signal);
            }
        }
    }

    /// What happens at a signal.
    fn disposition(signal: c_int) -> Option<sighandler_t> {
        let mut action = MaybeUninit::<sigaction>::uninit();
        // SAFETY: with no new action the call only writes the one in force, which is valid once it returns 0.
        unsafe {
            (sigaction(signal, null(), action.as_mut_ptr()) == 0)
                .then(|| action.assume_init().sa_sigaction)
        }
    }

    fn handle(signal: c_int) {
        // SAFETY: all zeros are an action: the default one, which blocks no other signals meanwhile.
        let mut action = unsafe { MaybeUninit::<sigaction>::zeroed().assume_init() };
        action.sa_sigaction = note as extern "C" fn(c_int) as sighandler_t;
        action.sa_flags = SA_RESTART;
        // SAFETY: the action is valid, and its handler does only what a handler of signals may.
        unsafe { sigaction(signal, from_ref(&action), null_mut()) };
    }

    extern "C" fn note(_: c_int) {
        if ASKED.swap(true, Ordering::Relaxed) {
            // SAFETY: ends the process and runs nothing of it, which is allowed at any time.
            unsafe { libc::_exit(INTERRUPTED) };
        }
    }
}

#[cfg(not(unix))]
mod platform {
    use std::sync::atomic::Ordering;

    use super::{ASKED, INTERRUPTED};

    pub(super) fn listen() {
        let heard = ctrlc::set_handler(|| {
            if ASKED.swap(true, Ordering::Relaxed) {
                std::process::exit(INTERRUPTED);
            }
        });
        // Who cannot be told ends at once, and goes on from the last checkpoint.
        drop(heard);
    }
}
