//! What a program that is started does at a signal, before it says otherwise itself.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Starts the program with each of those signals ignored, as `nohup` and the `&` of a script do, or not, whatever
/// the tests themselves were started by.
pub fn ignoring(command: &mut Command, is_ignored: bool) -> &mut Command {
    let handler = if is_ignored {
        libc::SIG_IGN
    } else {
        libc::SIG_DFL
    };
    let set = move || {
        for signal in [libc::SIGINT, libc::SIGHUP] {
            // SAFETY: it is a signal of this system, and no function is called at it.
            if unsafe { libc::signal(signal, handler) } == libc::SIG_ERR {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: between fork and exec only `signal` is called, which is allowed there.
    unsafe { command.pre_exec(set) }
}

/// Sends a signal, as `-INT`, to a process.
pub fn send(signal: &str, id: u32) {
    let kill = Command::new("kill")
        .args([signal, &id.to_string()])
        .status();
    assert!(kill.expect("there is `kill`").success());
}
