//! How long the stages of a step take, and the systems in them.
//!
//! Off unless [`measure`] is called on a schedule; then a marker runs between each two sets of
//! [`SimSystems`] and adds the wall time since the last one to [`StageTimes`]. The sets are chained, so
//! nothing of one stage runs while another is measured. [`measure_systems`] wraps each system of a schedule that has
//! not run yet in one that takes its time. These are the only clocks on the wall in the step, and nothing of the
//! simulation reads them.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bevy::ecs::change_detection::{CheckChangeTicks, Tick};
use bevy::ecs::query::FilteredAccessSet;
use bevy::ecs::schedule::{InternedSystemSet, SystemWithAccess};
use bevy::ecs::system::{RunSystemError, SystemIn, SystemStateFlags};
use bevy::ecs::world::{DeferredWorld, unsafe_world_cell::UnsafeWorldCell};
use bevy::prelude::*;
use bevy::utils::prelude::DebugName;

use super::SimSystems;

/// Wall time spent in each stage so far, and in each system if these are measured.
#[derive(Resource, Clone, Debug, Default)]
pub struct StageTimes {
    seconds: [f64; SimSystems::ORDER.len()],
    /// When the last stage ended, or the step began.
    last: Option<Instant>,
    is_on: bool,
    systems: Vec<SystemTime>,
}

/// Wall time spent in a system so far.
#[derive(Clone, Debug)]
struct SystemTime {
    /// Its path.
    name: String,
    nanoseconds: Arc<AtomicU64>,
}

impl StageTimes {
    /// Begins to measure, or begins anew; says whether it did already.
    pub fn restart(&mut self) -> bool {
        let was_on = self.is_on;
        let systems = std::mem::take(&mut self.systems);
        for system in &systems {
            system.nanoseconds.store(0, Ordering::Relaxed);
        }
        *self = Self {
            is_on: true,
            systems,
            ..Self::default()
        };
        was_on
    }

    /// Whether anything is measured.
    pub const fn is_on(&self) -> bool {
        self.is_on
    }

    /// Each stage with its wall time, s, in the order in which they run.
    pub fn seconds(&self) -> impl Iterator<Item = (SimSystems, f64)> {
        SimSystems::ORDER.into_iter().zip(self.seconds)
    }

    /// The path of each system with its wall time, s; empty unless systems are measured. The commands of a system
    /// count as its own. Systems that run at the same time count in full each, unless they run one after the other
    /// on one thread.
    pub fn systems(&self) -> impl Iterator<Item = (&str, f64)> {
        self.systems.iter().map(|system| {
            let nanoseconds = system.nanoseconds.load(Ordering::Relaxed);
            (system.name.as_str(), nanoseconds as f64 * 1e-9)
        })
    }

    /// Wall time of the systems of each module, s; see [`StageTimes::systems`] and [`module_of`].
    pub fn modules(&self) -> BTreeMap<&str, f64> {
        let mut modules = BTreeMap::new();
        for (name, seconds) in self.systems() {
            *modules.entry(module_of(name)).or_default() += seconds;
        }
        modules
    }

    fn begin(&mut self) {
        self.last = Some(Instant::now());
    }

    fn end(&mut self, stage: usize) {
        let now = Instant::now();
        if let Some(last) = self.last.replace(now) {
            self.seconds[stage] += (now - last).as_secs_f64();
        }
    }
}

/// Adds the markers to a schedule; its world must have [`StageTimes`].
pub fn measure(schedule: &mut Schedule) {
    let stages = SimSystems::ORDER;
    schedule.add_systems((|mut times: ResMut<StageTimes>| times.begin()).before(stages[0]));
    for (index, stage) in stages.into_iter().enumerate() {
        let marker = (move |mut times: ResMut<StageTimes>| times.end(index)).after(stage);
        match stages.get(index + 1) {
            Some(next) => schedule.add_systems(marker.before(*next)),
            None => schedule.add_systems(marker),
        };
    }
}

/// The module of a system of that path, `cell::cycle` of `tumorscape::cell::cycle::advance`; for a system of another
/// crate with the name of the crate.
pub fn module_of(system: &str) -> &str {
    // `<a::Type as b::Trait>::method`, and what a path is made with: `a::function<b::Type>`.
    let path = system.strip_prefix('<').unwrap_or(system);
    let path = path.split([' ', '<', '>']).next().unwrap_or(path);
    // A closure lies in the function that made it.
    let mut path = path.trim_end_matches("::");
    while let Some(function) = path.strip_suffix("::{{closure}}") {
        path = function;
    }
    let module = path.rsplit_once("::").map_or(path, |(module, _)| module);
    let own = concat!(env!("CARGO_CRATE_NAME"), "::");
    module.strip_prefix(own).unwrap_or(module)
}

/// The systems of a schedule can only be measured from its first run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the schedule has run already, and its systems cannot be measured any more")]
pub struct HasRun;

/// Measures each system of a schedule from now on, with what was measured so far forgotten.
///
/// # Errors
/// If the schedule has run; nothing is changed then.
pub fn measure_systems(schedule: &mut Schedule, times: &mut StageTimes) -> Result<(), HasRun> {
    if schedule.systems().is_ok() {
        return Err(HasRun);
    }
    times.restart();
    let systems = &mut schedule.graph_mut().systems;
    let names: Vec<_> = systems
        .iter()
        .map(|(key, system, _)| (key, system.name().to_string()))
        .collect();
    for (key, name) in names {
        let Some(system) = systems.get_mut(key) else {
            continue;
        };
        let nothing = SystemWithAccess::new(Box::new(IntoSystem::into_system(|| {})));
        let nanoseconds = Arc::new(AtomicU64::new(0));
        let timed = TimedSystem {
            system: std::mem::replace(system, nothing),
            nanoseconds: nanoseconds.clone(),
        };
        *system = SystemWithAccess::new(Box::new(timed));
        times.systems.push(SystemTime { name, nanoseconds });
    }
    Ok(())
}

/// A system of which the time is taken.
struct TimedSystem {
    system: SystemWithAccess,
    nanoseconds: Arc<AtomicU64>,
}

impl TimedSystem {
    fn timed<R>(&mut self, work: impl FnOnce(&mut SystemWithAccess) -> R) -> R {
        let start = Instant::now();
        let result = work(&mut self.system);
        let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        result
    }
}

impl System for TimedSystem {
    type In = ();
    type Out = ();

    fn name(&self) -> DebugName {
        self.system.name()
    }

    fn system_type(&self) -> TypeId {
        self.system.system_type()
    }

    fn flags(&self) -> SystemStateFlags {
        self.system.flags()
    }

    unsafe fn run_unsafe(
        &mut self,
        input: SystemIn<'_, Self>,
        world: UnsafeWorldCell,
    ) -> Result<(), RunSystemError> {
        // SAFETY: the caller promises what the system asks for, since `initialize` handed on its access.
        self.timed(|system| unsafe { system.run_unsafe(input, world) })
    }

    fn apply_deferred(&mut self, world: &mut World) {
        self.timed(|system| system.apply_deferred(world));
    }

    fn queue_deferred(&mut self, world: DeferredWorld) {
        self.timed(|system| system.queue_deferred(world));
    }

    fn initialize(&mut self, world: &mut World) -> FilteredAccessSet {
        self.system.initialize(world)
    }

    fn check_change_tick(&mut self, check: CheckChangeTicks) {
        self.system.check_change_tick(check);
    }

    fn default_system_sets(&self) -> Vec<InternedSystemSet> {
        self.system.default_system_sets()
    }

    fn get_last_run(&self) -> Tick {
        self.system.get_last_run()
    }

    fn set_last_run(&mut self, last_run: Tick) {
        self.system.set_last_run(last_run);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::core::SimSchedule;

    #[test]
    fn time_is_booked_for_the_stage_in_which_it_was_spent() {
        let mut schedule = Schedule::new(SimSchedule);
        for pair in SimSystems::ORDER.windows(2) {
            schedule.configure_sets(pair[0].before(pair[1]));
        }
        let sleep = |millis| move || std::thread::sleep(Duration::from_millis(millis));
        schedule.add_systems((
            sleep(30).in_set(SimSystems::Act),
            sleep(60).in_set(SimSystems::Turnover),
        ));
        measure(&mut schedule);
        let mut world = World::new();
        world.init_resource::<StageTimes>();
        schedule.run(&mut world);
        for (stage, seconds) in world.resource::<StageTimes>().seconds() {
            // A sleep is never shorter than asked for, however busy the machine.
            match stage {
                SimSystems::Act => assert!(seconds >= 0.03, "{seconds}"),
                SimSystems::Turnover => assert!(seconds >= 0.06, "{seconds}"),
                _ => {}
            }
        }
    }

    #[derive(Resource, Default)]
    struct Ran(Vec<&'static str>);

    fn sleep_long(mut ran: ResMut<Ran>, mut commands: Commands) {
        ran.0.push("long");
        std::thread::sleep(Duration::from_millis(30));
        commands.queue(|_: &mut World| std::thread::sleep(Duration::from_millis(20)));
    }

    fn never(mut ran: ResMut<Ran>) {
        ran.0.push("never");
    }

    #[test]
    fn time_is_booked_for_the_system_in_which_it_was_spent_and_all_run_as_before() {
        let mut schedule = Schedule::new(SimSchedule);
        let exclusive = |world: &mut World| world.resource_mut::<Ran>().0.push("exclusive");
        schedule.add_systems((sleep_long, exclusive, never.run_if(|| false)).chain());
        let mut world = World::new();
        world.init_resource::<Ran>();
        let mut times = StageTimes::default();
        measure_systems(&mut schedule, &mut times).unwrap();
        for _ in 0..2 {
            schedule.run(&mut world);
        }
        assert_eq!(world.resource::<Ran>().0, ["long", "exclusive"].repeat(2));
        let of = |name: &str| {
            let mut found = times.systems().filter(|(path, _)| path.ends_with(name));
            found.next().unwrap().1
        };
        assert!(of("sleep_long") >= 0.1, "with its commands");
        assert_eq!(of("never"), 0.0);
        let module = "core::stages::tests";
        assert!(times.modules()[module] >= of("sleep_long"), "{times:?}");
        assert_eq!(measure_systems(&mut schedule, &mut times), Err(HasRun));
        times.restart();
        assert!(times.systems().all(|(_, seconds)| seconds == 0.0));
    }

    #[test]
    fn modules_are_told_from_paths_of_systems() {
        for (system, module) in [
            ("tumorscape::cell::cycle::advance", "cell::cycle"),
            ("tumorscape::core::state::keep<a::B<C>>", "core::state"),
            (
                "tumorscape::core::stages::measure::{{closure}}",
                "core::stages",
            ),
            ("tumorscape::a::f<b::C>::{{closure}}::{{closure}}", "a"),
            (
                "<tumorscape::a::P as bevy_app::Plugin>::build::{{closure}}",
                "a",
            ),
            ("other::gland::secrete", "other::gland"),
            ("alone", "alone"),
        ] {
            assert_eq!(module_of(system), module, "{system}");
        }
    }
}
