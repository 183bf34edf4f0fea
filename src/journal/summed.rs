//! A file, or part of one, known by its length and the XXH3 checksum of what it holds.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

/// Length, bytes, and checksum of what passed through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sum {
    pub bytes: u64,
    pub checksum: u64,
}

/// Sums up what is written through it.
pub(super) struct Summed<W> {
    to: W,
    state: Xxh3,
    bytes: u64,
}

impl<W> Summed<W> {
    /// Sums up all that is written from here on.
    pub fn new(to: W) -> Self {
        Self {
            to,
            state: Xxh3::new(),
            bytes: 0,
        }
    }

    /// What was written so far.
    pub fn sum(&self) -> Sum {
        Sum {
            bytes: self.bytes,
            checksum: self.state.digest(),
        }
    }

    /// Where it is written to.
    pub const fn get_ref(&self) -> &W {
        &self.to
    }

    /// Where it was written to.
    pub fn into_inner(self) -> W {
        self.to
    }
}

impl<F: Read> Summed<F> {
    /// Reads the first `bytes` of a file, as far as they are there, as if they had just been written; the file
    /// stands behind them then.
    pub fn after(mut file: F, bytes: u64) -> io::Result<Self> {
        let mut state = Xxh3::new();
        let mut piece = vec![0; 1 << 16];
        let mut found = 0;
        while found < bytes {
            let most = piece
                .len()
                .min(usize::try_from(bytes - found).unwrap_or(usize::MAX));
            match file.read(&mut piece[..most])? {
                0 => break,
                read => {
                    state.update(&piece[..read]);
                    found += read as u64;
                }
            }
        }
        Ok(Self {
            to: file,
            state,
            bytes: found,
        })
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.state.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
