//! The way back: moments that are kept in memory, and the branches that time has taken.
//!
//! A *branch* is what happened with one list of changes. Going back in time stays on its branch: played forward, what was changed
//! then is changed again at the same boundaries, so that the same comes again to the bit. A new change made in the past of a
//! branch begins another one there; the old one is kept, and can be gone back to.
//!
//! A moment holds the state at a boundary between two steps before anything was changed at it.

use std::sync::Arc;

use super::session::Change;

/// Moments kept of all branches together; with more every other one is forgotten.
const MOST_MOMENTS: usize = 96;
/// Memory that they may take together, bytes.
const MOST_BYTES: usize = 768 << 20;
/// Two times nearer than this are one, minutes.
pub(super) const CLOSE_MINUTES: f64 = 1e-6;

/// What happened with one list of changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Branch {
    /// The branch that it left, and when, minutes; none of the first.
    pub from: Option<(usize, f64)>,
    /// All that was changed on it, from the beginning.
    pub changes: Arc<Vec<Change>>,
    /// How far it has come, minutes.
    pub reached: f64,
}

/// A moment that is kept.
#[derive(Clone, Debug)]
struct Kept<M> {
    branch: usize,
    minutes: f64,
    bytes: usize,
    moment: M,
}

/// All branches and what is kept of them.
#[derive(Clone, Debug)]
pub(super) struct Past<M> {
    branches: Vec<Branch>,
    active: usize,
    /// Changes of the active branch that the state contains.
    applied: usize,
    kept: Vec<Kept<M>>,
    /// Tissue time between two moments that are kept, minutes.
    every: f64,
}

impl<M> Past<M> {
    /// Nothing has happened; moments are kept so often, minutes, until there are too many.
    pub fn new(every: f64) -> Self {
        Self {
            branches: vec![Branch::default()],
            active: 0,
            applied: 0,
            kept: Vec::new(),
            every,
        }
    }

    /// All branches, in the order in which they began.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// Which of them is lived.
    pub const fn active(&self) -> usize {
        self.active
    }

    /// The branch that is lived.
    pub fn branch(&self) -> &Branch {
        &self.branches[self.active]
    }

    /// Times of the moments from which the active branch can be gone on with, minutes, in order.
    pub fn moments(&self) -> Vec<f64> {
        let line = self.line(self.active);
        let mut times: Vec<f64> = self
            .kept
            .iter()
            .filter(|kept| lies_on(&line, kept))
            .map(|kept| kept.minutes)
            .collect();
        times.sort_by(f64::total_cmp);
        times
    }

    /// Branches from one to the first, each with the time up to which it is shared, minutes.
    fn line(&self, branch: usize) -> Vec<(usize, f64)> {
        let mut line = vec![(branch, f64::INFINITY)];
        let mut at = branch;
        let mut until = f64::INFINITY;
        while let Some((from, minutes)) = self.branches[at].from {
            until = minutes.min(until);
            line.push((from, until));
            at = from;
        }
        line
    }

    /// Whether a moment should be kept now.
    pub fn is_due(&self, minutes: f64) -> bool {
        let line = self.line(self.active);
        let mut kept = self.kept.iter().filter(|kept| lies_on(&line, kept));
        !kept.any(|kept| (minutes - kept.minutes).abs() < self.every)
    }

    /// Keeps a moment of the active branch, which takes so much memory.
    pub fn keep(&mut self, minutes: f64, moment: M, bytes: usize) {
        self.kept.push(Kept {
            branch: self.active,
            minutes,
            bytes,
            moment,
        });
        while self.kept.len() > MOST_MOMENTS.max(self.branches.len() + 1)
            || (self.bytes() > MOST_BYTES && self.kept.len() > self.branches.len() + 1)
        {
            self.thin_out();
        }
    }

    fn bytes(&self) -> usize {
        self.kept.iter().map(|kept| kept.bytes).sum()
    }

    /// Forgets every other moment of each branch, but never its first.
    fn thin_out(&mut self) {
        self.every *= 2.0;
        let mut seen = vec![0_usize; self.branches.len()];
        self.kept.retain(|kept| {
            seen[kept.branch] += 1;
            seen[kept.branch] % 2 == 1
        });
    }

    /// The latest moment of the active branch that is not later than this; its time with it.
    pub fn latest(&self, minutes: f64) -> Option<(f64, &M)> {
        self.latest_of(self.active, minutes)
    }

    /// The latest moment of a branch that is not later than this; its time with it.
    pub fn latest_of(&self, branch: usize, minutes: f64) -> Option<(f64, &M)> {
        if branch >= self.branches.len() {
            return None;
        }
        let line = self.line(branch);
        let kept = self.kept.iter().filter(|kept| lies_on(&line, kept));
        kept.filter(|kept| kept.minutes <= minutes + CLOSE_MINUTES)
            .max_by(|a, b| a.minutes.total_cmp(&b.minutes))
            .map(|kept| (kept.minutes, &kept.moment))
    }

    /// The state is that of a moment of a branch at this time again, and that branch is lived from now on.
    pub fn went_back(&mut self, branch: usize, minutes: f64) {
        if branch < self.branches.len() {
            self.active = branch;
        }
        let changes = &self.branches[self.active].changes;
        self.applied = changes.partition_point(|change| change.minutes < minutes);
    }

    /// Time has come so far.
    pub fn came_to(&mut self, minutes: f64) {
        let branch = &mut self.branches[self.active];
        branch.reached = branch.reached.max(minutes);
    }

    /// What was changed at this boundary when it was lived before, to be changed again before the next step.
    pub fn due_again(&mut self, minutes: f64) -> Vec<Change> {
        let changes = &self.branches[self.active].changes;
        let due: Vec<Change> = changes
            .iter()
            .skip(self.applied)
            .take_while(|change| change.minutes <= minutes)
            .cloned()
            .collect();
        self.applied += due.len();
        due
    }

    /// Notes a new change at this boundary; whether another branch begins with it.
    pub fn change(&mut self, minutes: f64, note: impl FnOnce(&mut Vec<Change>)) -> bool {
        let branch = &self.branches[self.active];
        let is_past = minutes < branch.reached || self.applied < branch.changes.len();
        if is_past {
            let began = Branch {
                from: Some((self.active, minutes)),
                changes: Arc::new(branch.changes.iter().take(self.applied).cloned().collect()),
                reached: minutes,
            };
            self.branches.push(began);
            self.active = self.branches.len() - 1;
        }
        let changes = Arc::make_mut(&mut self.branches[self.active].changes);
        note(changes);
        self.applied = changes.len();
        is_past
    }
}

fn lies_on<M>(line: &[(usize, f64)], kept: &Kept<M>) -> bool {
    let mut parts = line.iter();
    parts.any(|(branch, until)| *branch == kept.branch && kept.minutes <= *until)
}

#[cfg(test)]
mod tests {
    use super::super::engine::tests::set;
    use super::*;

    fn change(past: &mut Past<u32>, minutes: f64, value: f64) -> bool {
        past.change(minutes, |changes| {
            changes.push(Change {
                minutes,
                action: set("gain", value),
            });
        })
    }

    #[test]
    fn a_change_in_the_past_begins_a_branch_that_shares_what_came_before() {
        let mut past = Past::new(60.0);
        for hour in 0..5 {
            past.came_to(f64::from(hour) * 60.0);
            past.keep(f64::from(hour) * 60.0, hour, 1);
        }
        assert!(!change(&mut past, 240.0, 1.0), "the present is no past");
        past.came_to(300.0);
        past.went_back(0, 120.0);
        assert_eq!(past.latest(179.0), Some((120.0, &2)));
        assert!(change(&mut past, 130.0, 2.0));
        assert_eq!(past.active(), 1);
        assert_eq!(past.branch().from, Some((0, 130.0)));
        assert_eq!(past.branch().changes.len(), 1);
        assert_eq!(
            past.moments(),
            [0.0, 60.0, 120.0],
            "not those after it left"
        );
        past.came_to(190.0);
        past.keep(190.0, 77, 1);
        assert_eq!(past.latest(500.0), Some((190.0, &77)));
        assert_eq!(past.latest_of(0, 500.0), Some((240.0, &4)));
        assert_eq!(past.latest_of(2, 500.0), None);
        past.went_back(0, 240.0);
        assert_eq!((past.active(), past.latest(500.0)), (0, Some((240.0, &4))));
    }

    #[test]
    fn what_was_changed_is_changed_again_at_its_boundary_and_only_there() {
        let mut past: Past<u32> = Past::new(60.0);
        past.keep(0.0, 0, 1);
        for (minutes, value) in [(0.0, 1.0), (60.0, 2.0), (60.0, 3.0), (120.0, 4.0)] {
            past.came_to(minutes);
            assert!(!change(&mut past, minutes, value));
        }
        past.came_to(200.0);
        past.went_back(0, 60.0);
        assert!(past.due_again(30.0).is_empty());
        assert_eq!(past.due_again(60.0).len(), 2);
        assert!(past.due_again(60.0).is_empty(), "once");
        assert_eq!(past.due_again(120.0).len(), 1);
    }

    #[test]
    fn a_kept_moment_is_found_by_its_time_however_that_was_worked_out() {
        let mut past = Past::new(1.0);
        for minute in 0..90_u32 {
            past.keep(f64::from(minute), minute, 1);
        }
        for minute in 0..90_u32 {
            let there_and_back = f64::from(minute) / 60.0 * 60.0;
            assert_eq!(
                past.latest(there_and_back),
                Some((f64::from(minute), &minute))
            );
        }
    }

    #[test]
    fn what_is_kept_is_bounded_and_its_first_moment_stays() {
        let mut past = Past::new(1.0);
        for minute in 0..5000_u32 {
            let minutes = f64::from(minute);
            past.came_to(minutes);
            if past.is_due(minutes) {
                past.keep(minutes, minute, 10 << 20);
            }
            assert!(past.moments().len() <= MOST_MOMENTS);
            assert!(past.bytes() <= MOST_BYTES);
        }
        assert_eq!(past.latest(0.5), Some((0.0, &0)));
        let times = past.moments();
        let gap = times.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(gap.fold(0.0, f64::max) <= 256.0, "{times:?}");
    }
}
