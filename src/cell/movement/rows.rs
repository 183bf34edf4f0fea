//! Which rows of the tables of cells belong to which site.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use bevy::prelude::*;

use super::Moving;
use crate::cell::motility::Motility;
use crate::core::parallel::{IN_TABLES, ROWS, for_each_chunk_mut};
use crate::tissue::SiteId;

/// How many cells of which site each chunk of cells holds; chunks follow each other in the order of tables.
#[derive(Default)]
pub(in crate::cell) struct RowCounts {
    sites: Vec<SiteId>,
    /// Cells of each site (minor) before each chunk (major), and in total at the end.
    starts: Vec<usize>,
    /// Whether any cell of each site moves itself.
    walks: Vec<AtomicBool>,
}

impl RowCounts {
    /// Counts the cells of each site, chunk by chunk.
    pub(super) fn count(&mut self, sites: impl Iterator<Item = SiteId>, cells: &Query<Moving>) {
        let Self {
            sites: list,
            starts,
            walks,
        } = self;
        list.clear();
        list.extend(sites);
        list.sort_unstable();
        let count = list.len();
        walks.clear();
        walks.resize_with(count, AtomicBool::default);
        starts.clear();
        if count == 0 {
            return;
        }
        for (_, _, residents, _, _, motility, ..) in cells.contiguous_iter().expect(IN_TABLES) {
            let first = starts.len();
            starts.resize(first + residents.len().div_ceil(ROWS) * count, 0);
            for_each_chunk_mut(&mut starts[first..], count, |start, counts| {
                for row in chunk_rows(start / count, residents.len()) {
                    if let Ok(site) = list.binary_search(&residents[row].0) {
                        counts[site] += 1;
                        let velocity = velocity_of(motility.map(|motility| &motility[row]));
                        // Read before writing: a flag that is only read is shared by all threads.
                        if velocity != [0.0; 3] && !walks[site].load(Ordering::Relaxed) {
                            walks[site].store(true, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
        let chunks = starts.len() / count;
        starts.resize((chunks + 1) * count, 0);
        for site in 0..count {
            let mut rows = 0;
            for chunk in 0..=chunks {
                rows += std::mem::replace(&mut starts[chunk * count + site], rows);
            }
        }
    }

    /// What belongs to a site.
    pub(super) fn of(&self, site: SiteId) -> SiteRows<'_> {
        SiteRows {
            counted: self,
            site,
            number: self.sites.binary_search(&site).expect("sites were listed"),
        }
    }
}

/// The cells of one site.
pub(super) struct SiteRows<'a> {
    counted: &'a RowCounts,
    pub(super) site: SiteId,
    /// Place of the site in the list.
    number: usize,
}

impl SiteRows<'_> {
    /// The rows of the site that come from a chunk.
    pub(super) fn rows(&self, chunk: usize) -> Range<usize> {
        let RowCounts { sites, starts, .. } = self.counted;
        let at = chunk * sites.len() + self.number;
        starts[at]..starts[at + sites.len()]
    }

    /// Number of cells.
    pub(super) fn total(&self) -> usize {
        let RowCounts { sites, starts, .. } = self.counted;
        starts[starts.len() - sites.len() + self.number]
    }

    /// Whether any cell moves itself.
    pub(super) fn walks(&self) -> bool {
        self.counted.walks[self.number].load(Ordering::Relaxed)
    }
}

/// The rows of a table that its chunk of this number holds.
pub(super) fn chunk_rows(chunk: usize, len: usize) -> Range<usize> {
    chunk * ROWS..((chunk + 1) * ROWS).min(len)
}

/// The velocity a cell gives itself, um/min.
pub(super) fn velocity_of(motility: Option<&Motility>) -> [f32; 3] {
    motility.map_or([0.0; 3], |motility| {
        motility.velocity_um_per_min().to_array()
    })
}
