//! What happened to cells in a step, in a stable order.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::core::CellId;
use crate::tissue::SiteId;

/// Kind of an event, as written to `events.csv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Reflect)]
pub enum EventKind {
    /// A cell was born by division; the row names the daughter.
    Division,
    /// A cell entered apoptosis.
    Apoptosis,
    /// A cell turned necrotic.
    Necrosis,
    /// The membrane of a necrotic cell burst.
    Lysis,
    /// The remains of a dead cell are gone.
    Clearance,
    /// A cell left its site, through an open face or for another site.
    Exit,
    /// A cell that left a site entered this one.
    Entry,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Division,
        Self::Apoptosis,
        Self::Necrosis,
        Self::Lysis,
        Self::Clearance,
        Self::Exit,
        Self::Entry,
    ];

    /// Name in `events.csv`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Division => "division",
            Self::Apoptosis => "apoptosis",
            Self::Necrosis => "necrosis",
            Self::Lysis => "lysis",
            Self::Clearance => "clearance",
            Self::Exit => "exit",
            Self::Entry => "entry",
        }
    }
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    /// Steps completed when it is in force.
    pub step: u64,
    /// Where.
    pub site: SiteId,
    /// What.
    pub kind: EventKind,
    /// To which cell.
    pub cell: CellId,
    /// Centre of the cell, um.
    pub position_um: Vec3,
}

/// The events of the last step, by cell and then kind.
#[derive(Resource, Clone, Debug, Default)]
pub struct StepEvents(pub Vec<EventRecord>);
