//! What a cell cannot simply go through: thin barriers, which every displacement is held to.
//!
//! A module that owns a barrier, a basement membrane say, puts it into the [`SiteBarriers`] of a site. From then on all that
//! displaces a cell there asks it for the way from one place to another: each substep of `Move`, whatever drives it (walking,
//! pushing, adhesion, bonds), and `Turnover`, where daughters are put apart. The way is tested, not its end. What lets a body
//! pass, and how fast, is the barrier's.
//!
//! A way is found in three steps. Each barrier is asked for what those before left of it, those that only slow before those that
//! hold ([`BarrierKind`]), whatever the order in which they were put in. Where holding a body would put it outside of the walls of its
//! site, it goes back along that way up to the wall. Then each barrier is asked whether it lets the body pass on the straight way that
//! is left, and only if none bars it the body goes there, and the barriers hear of it: so what is told of a passage has happened.
//!
//! A barrier is asked from many threads; its answer hangs on nothing but what it was at the beginning of the stage. As only
//! displacements are held and never velocities, cells that rest are left alone. Of what it notes nothing is left when a step
//! ends: its module tells it in [`TurnoverSystems::Tell`](super::turnover::TurnoverSystems), after daughters were put apart.

use std::any::Any;
use std::fmt::Debug;

use bevy::prelude::*;

use super::body::{Body, CellType, Position, Resident};
use super::mechanics::Faces;
use super::movement::faces_of;
use super::plane::Plane;
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
    /// Whether it stays at its height, as all do in a plane.
    pub in_plane: bool,
}

/// What a barrier does, and with that when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BarrierKind {
    /// It lets bodies go a share of their way. Asked first.
    Slows,
    /// It has sides, and turns ways aside.
    Holds,
}

/// What becomes of a body on a straight way, as far as a barrier is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Passing {
    /// It stays on its side.
    None,
    /// It goes through.
    Through,
    /// It must not go there.
    Barred,
}

/// Something thin that holds bodies back.
pub trait Barrier: Any + Debug + Send + Sync {
    /// What it does.
    fn kind(&self) -> BarrierKind;

    /// Where a body comes to that is displaced from one place to another, um. Only an answer: whether the body goes there is not
    /// known yet. In a plane it must not leave the height of `to`.
    fn hold(&self, body: Displaced, from: Vec3, to: Vec3) -> Vec3;

    /// Whether a body passes on the straight way that all barriers and walls together have left, um.
    fn passing(&self, _body: Displaced, _from: Vec3, _to: Vec3) -> Passing {
        Passing::None
    }

    /// Hears of a body that went through a barrier of the site, this one or another, on this straight way, um.
    fn note(&self, _body: Displaced, _from: Vec3, _to: Vec3) {}
}

/// All barriers of a site.
#[derive(Component, Debug, Default)]
pub struct SiteBarriers(Vec<Box<dyn Barrier>>);

impl SiteBarriers {
    /// Puts a barrier in, behind those of its kind.
    pub fn add(&mut self, barrier: impl Barrier) {
        let kind = barrier.kind();
        let at = self.0.partition_point(|before| before.kind() <= kind);
        self.0.insert(at, Box::new(barrier));
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

    /// Whether one of them bars the straight way from one place to another, um: what a body there cannot reach.
    pub fn bar(&self, body: Displaced, from: Vec3, to: Vec3) -> bool {
        let mut barriers = self.0.iter();
        barriers.any(|barrier| barrier.passing(body, from, to) == Passing::Barred)
    }

    /// Where a body comes to that is displaced from one place to another within these faces, um.
    pub fn hold(&self, body: Displaced, from: Vec3, to: Vec3, faces: &Faces) -> Vec3 {
        let barriers = self.0.iter();
        let held = barriers.fold(to, |reached, barrier| barrier.hold(body, from, reached));
        let reached = if faces.allow(held.to_array()) {
            held
        } else {
            faces.back_along(from.to_array(), held.to_array()).into()
        };
        if reached == from {
            return from;
        }
        let barriers = self.0.iter();
        let passing = barriers.map(|barrier| barrier.passing(body, from, reached));
        match passing.max() {
            Some(Passing::Barred) => return from,
            Some(Passing::Through) => {
                for barrier in &self.0 {
                    barrier.note(body, from, reached);
                }
            }
            _ => {}
        }
        reached
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
    let Some(site) = site else {
        return;
    };
    let Some(barriers) = world.get::<SiteBarriers>(site.entity) else {
        return;
    };
    let faces = faces_of(&site.block, world.get::<Plane>(site.entity));
    let body = Displaced {
        cell: *id,
        cell_type: cell_type.0,
        radius_um: body.radius_um,
        in_plane: faces.plane.is_some(),
    };
    let reached = barriers.hold(body, mother_um, to.0, &faces);
    if reached != to.0
        && let Some(mut position) = world.get_mut::<Position>(daughter)
    {
        position.0 = reached;
    }
}

/// Says what barriers are to the state of a simulation.
pub(super) fn declare(app: &mut App) {
    app.declare_remade::<SiteBarriers>(
        "made from the scene, and filled from what their modules keep; what they note is told before a step ends",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets bodies go a share of their way.
    #[derive(Debug)]
    struct Mud(f32);

    impl Barrier for Mud {
        fn kind(&self) -> BarrierKind {
            BarrierKind::Slows
        }

        fn hold(&self, _: Displaced, from: Vec3, to: Vec3) -> Vec3 {
            from.lerp(to, self.0)
        }
    }

    /// Holds bodies below a height along x, and turns them up along y for what they are held.
    #[derive(Debug)]
    struct Ramp(f32);

    impl Barrier for Ramp {
        fn kind(&self) -> BarrierKind {
            BarrierKind::Holds
        }

        fn hold(&self, _: Displaced, _: Vec3, to: Vec3) -> Vec3 {
            let over = (to.x - self.0).max(0.0);
            to + Vec3::new(-over, over, 0.0)
        }
    }

    const BODY: Displaced = Displaced {
        cell: CellId(1),
        cell_type: 0,
        radius_um: 5.0,
        in_plane: false,
    };

    #[test]
    fn what_slows_is_asked_before_what_holds_whoever_came_first() {
        let to = Vec3::X * 10.0;
        let free = Faces::default();
        for holds_first in [true, false] {
            let mut barriers = SiteBarriers::default();
            if holds_first {
                barriers.add(Ramp(4.0));
            }
            barriers.add(Mud(0.5));
            if !holds_first {
                barriers.add(Ramp(4.0));
            }
            // Half of the way, and what is over of that; not half of what is left of it.
            let reached = barriers.hold(BODY, Vec3::ZERO, to, &free);
            assert_eq!(reached, Vec3::new(4.0, 1.0, 0.0));
        }
    }

    #[test]
    fn what_is_turned_out_of_a_wall_goes_back_along_its_way() {
        let mut barriers = SiteBarriers::default();
        barriers.add(Ramp(4.0));
        let faces = Faces::closed([-3.0; 3], [20.0, 3.0, 3.0]);
        // Held at (4, 6, 0), which is half as far again as the wall at 3 allows.
        let reached = barriers.hold(BODY, Vec3::ZERO, Vec3::X * 10.0, &faces);
        assert_eq!(reached, Vec3::new(2.0, 3.0, 0.0));
        // One that stands at the wall stays there.
        let wall = Vec3::new(1.0, 3.0, 0.0);
        assert_eq!(
            barriers.hold(BODY, wall, wall + Vec3::X * 9.0, &faces),
            wall
        );
    }
}
