//! Runs a test at several numbers of threads: each in a process of its own, as their number is fixed once per process.

use std::process::Command;

use tumorscape::core::parallel::set_threads;

/// Where the process that [`told`] starts finds how many threads to run on.
const THREADS: &str = "TUMORSCAPE_TEST_THREADS";

/// Takes the number of threads that [`told`] asks for; false where it asks for none.
pub fn taken() -> bool {
    let Ok(threads) = std::env::var(THREADS) else {
        return false;
    };
    set_threads(Some(threads.parse().expect("a number")));
    true
}

/// What an ignored test, which begins with [`taken`], prints on one thread and on three: the lines with that mark.
pub fn told(test: &str, mark: &str) -> [Vec<String>; 2] {
    ["1", "3"].map(|threads| {
        let output = Command::new(std::env::current_exe().expect("it runs"))
            .args(["--ignored", "--exact", "--nocapture", test])
            .env(THREADS, threads)
            .output()
            .expect("it can run again");
        assert!(output.status.success(), "`{test}` fails");
        let text = String::from_utf8(output.stdout).expect("it is text");
        let lines = text.lines().filter(|line| line.contains(mark));
        let lines: Vec<_> = lines.map(str::to_owned).collect();
        assert!(!lines.is_empty(), "`{test}` says nothing");
        lines
    })
}
