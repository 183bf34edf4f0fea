//! What a cell cannot simply go through: thin barriers, which every displacement is held to.
//!
//! A module that owns a barrier, a basement membrane say, puts it into the [`SiteBarriers`] of a site. From then on all that
//! displaces a cell there asks it for the way from one place to another: each substep of `Move`, whatever drives it (walking,
//! pushing, adhesion, bonds), and `Turnover`, where daughters are put apart. The way is tested, not its end. What lets a body
//! pass, and how fast, is the barrier's.
//!
//! A barrier is asked from many threads; its answer hangs on nothing but what it was at the beginning of the stage. As only
//! displacements are held and never velocities, cells that rest are left alone.

use std::any::Any;
use std::fmt::Debug;

use bevy::prelude::*;

use super::body::{Body, CellType, Position, Resident};
use crate::core::CellId;
use crate::core::state::RegisterState;
use crate::tissue::Sites;

/// A body on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Displaced {
    /// Whose it is.
    pub cell: CellId,
    /// Row of the cell in the tables of parameters.
    pub cell_type: u16,
    /// Its radius, um.
    pub radius_um: f32,
}

/// Something thin that holds bodies back.
pub trait Barrier: Any + Debug + Send + Sync {
    /// Where a body comes to that is displaced from one place to another, um. It notes what it must of a body that passes.
    fn hold(&self, body: Displaced, from: Vec3, to: Vec3) -> Vec3;
}

/// All barriers of a site.
#[derive(Component, Debug, Default)]
pub struct SiteBarriers(Vec<Box<dyn Barrier>>);

impl SiteBarriers {
    /// Puts a barrier in.
    pub fn add(&mut self, barrier: impl Barrier) {
        self.0.push(Box::new(barrier));
    }

    /// The first barrier of that type.
    pub fn get<B: Barrier>(&self) -> Option<&B> {
        let mut list = self.0.iter();
        list.find_map(|barrier| (&**barrier as &dyn Any).downcast_ref())
    }

    /// The first barrier of that type.
    pub fn get_mut<B: Barrier>(&mut self) -> Option<&mut B> {
        let mut list = self.0.iter_mut();
        list.find_map(|barrier| (&mut **barrier as &mut dyn Any).downcast_mut())
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where a body comes to that is displaced from one place to another, um. Each barrier is asked for what the one before
    /// left of the way, in the order in which they were put in: what only slows comes before what holds.
    pub fn hold(&self, body: Displaced, from: Vec3, to: Vec3) -> Vec3 {
        let barriers = self.0.iter();
        barriers.fold(to, |reached, barrier| barrier.hold(body, from, reached))
    }
}

/// Lets a daughter that was put aside in a division come only as far as barriers of her site let her.
pub(super) fn hold_daughter(world: &mut World, daughter: Entity, mother_um: Vec3) {
    let cell = world.entity(daughter);
    let (Some(id), Some(cell_type), Some(body), Some(to), Some(resident)) = (
        cell.get::<CellId>(),
        cell.get::<CellType>(),
        cell.get::<Body>(),
        cell.get::<Position>(),
        cell.get::<Resident>(),
    ) else {
        return;
    };
    let site = world.get_resource::<Sites>();
    let site = site.and_then(|sites| sites.find(resident.0));
    let Some(barriers) = site.and_then(|site| world.get::<SiteBarriers>(site.entity)) else {
        return;
    };
    let body = Displaced {
        cell: *id,
        cell_type: cell_type.0,
        radius_um: body.radius_um,
    };
    let reached = barriers.hold(body, mother_um, to.0);
    if reached != to.0
        && let Some(mut position) = world.get_mut::<Position>(daughter)
    {
        position.0 = reached;
    }
}

/// Says what barriers are to the state of a simulation.
pub(super) fn declare(app: &mut App) {
    app.declare_remade::<SiteBarriers>(
        "made from the scene, and filled from what their modules keep",
    );
}
