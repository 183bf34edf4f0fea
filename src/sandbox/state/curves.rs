//! The curves of each branch of time at each site.

use crate::simulation::Snapshot;
use crate::view::history::History;

use super::super::keepsakes::save_curves;
use super::super::worker::PastSeen;
use super::Sandbox;

/// The curves where nothing was measured.
static NO_CURVES: History = History::new();

impl Sandbox {
    /// Adds what was measured to the curves of the branch that is lived.
    pub(super) fn note_curves(&mut self, past: &PastSeen, snapshot: &Snapshot) {
        for (number, branch) in past.branches.iter().enumerate() {
            let Some((from, minutes)) = branch.from else {
                continue;
            };
            // What a branch shares with the one that it left.
            for site in 0..snapshot.sites.len() {
                if !self.histories.contains_key(&(number, site))
                    && let Some(shared) = self.histories.get(&(from, site))
                {
                    let mut shared = shared.clone();
                    shared.cut_off(minutes / 60.0);
                    self.histories.insert((number, site), shared);
                }
            }
        }
        for (number, site) in snapshot.sites.iter().enumerate() {
            let history = self.histories.entry((past.active, number)).or_default();
            history.push(snapshot.hours, &site.metrics);
        }
    }

    /// Saves the curves that are shown as a table.
    pub fn save_curves(&mut self) {
        let saved = save_curves(self.history(), &self.save_to, &self.visit.name);
        self.notice = Some(match saved {
            Ok(path) => format!("curves: {}", path.display()),
            Err(reason) => reason,
        });
    }

    /// The curves of the branch that is lived, at the site that is shown.
    pub fn history(&self) -> &History {
        self.history_at(self.history_site)
    }

    /// The curves of the branch that is lived, at a site.
    pub fn history_at(&self, site: usize) -> &History {
        let key = (self.past.active, site);
        self.histories.get(&key).unwrap_or(&NO_CURVES)
    }

    /// The curves of all other branches at that site.
    pub fn other_futures(&self) -> impl Iterator<Item = &History> {
        let of = self.histories.iter();
        of.filter(|((branch, site), _)| *site == self.history_site && *branch != self.past.active)
            .map(|(_, history)| history)
    }

    /// The site whose curves are shown, by its place in the scene.
    pub const fn plotted_site(&self) -> usize {
        self.history_site
    }
}
