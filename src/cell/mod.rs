//! Floor 1: cells. Identity, body, cycle, death, motility, neighbours, mechanics.

use bevy::prelude::*;

use crate::core::{SimSchedule, SimSystems};

pub mod barrier;
pub mod body;
pub mod bonds;
pub mod clones;
pub mod compartment;
pub mod contact;
pub mod cycle;
pub mod death;
pub mod doors;
pub mod event;
pub mod event_count;
pub mod exchange;
pub mod fluid;
pub mod growth;
pub mod life;
pub mod living;
pub mod mechanics;
pub mod molecules;
pub mod motility;
pub mod movement;
pub mod neighbourhood;
pub mod perception;
pub mod plane;
pub mod shape;
pub mod sprouting;
pub mod surroundings;
pub mod turnover;

pub use body::{Body, BodyParameters, CellType, Position, Resident};
pub use contact::ContactParameters;
pub use cycle::{Cycle, CycleParameters, Phase};
pub use death::{DeathParameters, LifeEvent, State, Vital};
pub use event::{EventKind, EventRecord, StepEvents};
pub use exchange::{ExchangeParameters, MoleculeExchange};
pub use living::Living;
pub use motility::{
    Following, FollowsParameters, GuidanceParameters, Motility, MotilityParameters,
};
pub use surroundings::Surroundings;

/// The order inside [`SimSystems::Act`].
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActSystems {
    /// Cells book what they take up and secrete, as they are at the start of the step.
    Exchange,
    /// Cells decide: the four sets that follow, in their order.
    Decide,
    /// Cells die of themselves or of what they lack.
    Die,
    /// Cells kill others, or take them up.
    Kill,
    /// Those that still live go on in their cycle, and change what they are.
    Cycle,
    /// They turn, set out, and ask to come and go.
    Walk,
    /// Bodies grow, shrink or swell as decided.
    Grow,
}

/// Puts the sets of [`ActSystems`] in their order; every plugin that uses them calls it, doing so twice is harmless.
pub fn order_act(app: &mut App) {
    app.configure_sets(
        SimSchedule,
        (ActSystems::Exchange, ActSystems::Decide, ActSystems::Grow)
            .chain()
            .in_set(SimSystems::Act),
    )
    .configure_sets(
        SimSchedule,
        (
            ActSystems::Die,
            ActSystems::Kill,
            ActSystems::Cycle,
            ActSystems::Walk,
        )
            .chain()
            .in_set(ActSystems::Decide),
    );
}

/// Everything a cell does on its own: grow, cycle, die, walk.
pub struct CellPlugins;

impl Plugin for CellPlugins {
    fn build(&self, app: &mut App) {
        app.add_plugins((
            body::BodyPlugin,
            bonds::BondsPlugin,
            clones::ClonesPlugin,
            cycle::CyclePlugin,
            death::DeathPlugin,
            doors::DoorsPlugin,
            exchange::ExchangePlugin,
            fluid::FluidPlugin,
            growth::GrowthPlugin,
            motility::MotilityPlugin,
            movement::MovementPlugin,
            perception::PerceptionPlugin,
            plane::PlanePlugin,
            shape::ShapePlugin,
            sprouting::SproutingPlugin,
        ));
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! A small world in which systems run step by step, without sites unless a test adds them.

    use bevy::prelude::*;

    use super::{CellType, Resident, Surroundings};
    use crate::core::parameters::{CellTypeNames, Parameters, PerType, list_parameters};
    use crate::core::regulate::RegisterTypes;
    use crate::core::{CellId, Clock, RandomKey, SimSchedule, SimSystems};
    use crate::tissue::molecule::testing::molecule;
    use crate::tissue::{
        FieldGrid, Molecule, Molecules, SiteEntry, SiteField, SiteId, Sites, TissueBlock,
    };

    /// An app with a clock, a key and the order of a step; no plugin yet.
    pub fn bench(step_minutes: f64) -> App {
        crate::core::parallel::set_threads(None);
        let mut app = App::empty();
        app.init_resource::<Schedules>()
            .init_resource::<Sites>()
            .insert_resource(Molecules::new([
                molecule("oxygen", 1300.0, 38.0),
                molecule("glucose", 1e6, 5.5),
                molecule("lactate", 1e6, 1.0),
                molecule("vegf_a", 1.0, 0.0),
                molecule("tgf_beta", 1.0, 0.0),
                molecule("fgf_2", 1.0, 0.0),
                molecule("mmp", 1.0, 0.0),
                molecule("lox", 1.0, 0.0),
            ]))
            .insert_resource(Clock::new(step_minutes))
            .insert_resource(RandomKey(11))
            .insert_resource(CellTypeNames(vec!["cell".into()]))
            .register_types::<CellType>();
        for pair in SimSystems::ORDER.windows(2) {
            app.configure_sets(SimSchedule, pair[1].after(pair[0]));
        }
        app
    }

    /// Runs one step.
    pub fn step(app: &mut App) {
        app.world_mut().run_schedule(SimSchedule);
        app.world_mut().resource_mut::<Clock>().step += 1;
    }

    /// Makes a block the only site, with the molecules of these names and field entities.
    pub fn add_site(app: &mut App, block: TissueBlock, fields: &[(&str, Entity)]) {
        let molecules = app.world().resource::<Molecules>();
        let fields = fields
            .iter()
            .map(|(name, entity)| SiteField {
                molecule: molecules.id(name).expect("one of the bench"),
                entity: *entity,
                grid: FieldGrid::new(&block, 1),
            })
            .collect();
        let list = vec![SiteEntry {
            entity: Entity::PLACEHOLDER,
            fields,
            block,
        }];
        app.insert_resource(Sites { list });
    }

    /// Gives cells so much of a molecule where their site does not simulate it.
    pub fn set_background(app: &mut App, name: &str, background: f32) {
        let molecules = app.world().resource::<Molecules>();
        let found = molecules.named(name).expect("one of the bench").clone();
        let others = molecules.list().to_vec();
        let changed = Molecule {
            background,
            ..found
        };
        app.insert_resource(Molecules::new(others.into_iter().chain([changed])));
    }

    /// Gives the only cell type these parameters.
    pub fn set<P: Parameters>(app: &mut App, parameters: P) {
        app.insert_resource(PerType(vec![Some(parameters)]));
    }

    /// What every cell carries.
    pub fn cell(id: u64, around: Surroundings) -> impl Bundle {
        (CellId(id), CellType(0), Resident(SiteId(0)), around)
    }

    /// Asserts that every parameter registered in the app starts inside its limits.
    pub fn assert_defaults_within_limits(app: &App) {
        let list = list_parameters(app.world());
        assert!(!list.is_empty());
        for parameter in list {
            assert!(
                parameter.limits.contain(parameter.value),
                "{} = {} must be {}",
                parameter.path,
                parameter.value,
                parameter.limits.describe()
            );
        }
    }

    /// Asserts that a mean of `n` draws with that standard deviation lies within four standard errors.
    pub fn assert_mean(mean: f64, expected: f64, deviation: f64, n: usize) {
        let error = deviation / (n as f64).sqrt();
        assert!(
            (mean - expected).abs() < 4.0 * error,
            "{mean} is not {expected} +/- {error} (standard error)"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::testing::*;
    use super::*;

    #[test]
    fn defaults_lie_within_their_limits() {
        let mut app = bench(1.0);
        app.add_plugins(CellPlugins);
        set(&mut app, BodyParameters::default());
        set(&mut app, CycleParameters::default());
        set(&mut app, DeathParameters::default());
        set(&mut app, MotilityParameters::default());
        assert_defaults_within_limits(&app);
    }
}
