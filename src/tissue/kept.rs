//! Which parts of sites and fields are state, for checkpoints and the state hash; see
//! [`super::transport`] for what is not, and why.

use bevy::prelude::*;

use super::exchange::WrongVoxels;
use super::host_vessels::CellShare;
use super::placed::PlacedRates;
use super::site::FieldValues;
use super::transport::{CellVolume, FieldOf, FieldSupply, FieldWork, FieldWorkState, HostVessels};
use super::{Ledger, LedgerState, MoleculeId, Organ, SiteId, Sites, TissueBlock};
use crate::core::state::{Kept, Owner, RegisterState};

/// Registers all components of sites and fields.
pub(super) fn register(app: &mut App) {
    const SCENE: &str = "made from the scene";
    app.register_kept::<HostVessels>(Owner::Site, "host_vessels")
        .register_kept::<FieldValues>(Owner::Field, "values")
        .register_kept::<Ledger>(Owner::Field, "ledger")
        .register_kept::<FieldWork>(Owner::Field, "solver")
        .declare_remade::<SiteId>(SCENE)
        .declare_remade::<TissueBlock>(SCENE)
        .declare_remade::<MoleculeId>(SCENE)
        .declare_remade::<FieldOf>(SCENE)
        .declare_remade::<FieldSupply>(SCENE)
        .declare_remade::<PlacedRates>(SCENE)
        .declare_remade::<Organ>(SCENE)
        .declare_remade::<Sites>(SCENE)
        .declare_remade::<ChildOf>(SCENE)
        .declare_remade::<Children>(SCENE)
        .declare_remade::<CellShare>("worked out in every `Transport`")
        .declare_remade::<CellVolume>("booked afresh in every `Perceive`");
}

/// Takes the stored values, if there are as many as voxels.
fn replace(values: &mut Vec<f32>, stored: Vec<f32>) -> Result<(), String> {
    let (found, expected) = (stored.len(), values.len());
    if found != expected {
        return Err(WrongVoxels { found, expected }.to_string());
    }
    *values = stored;
    Ok(())
}

impl Kept for HostVessels {
    type State = Vec<f32>;

    fn keep(&self) -> Vec<f32> {
        self.0.clone()
    }

    fn restore(&mut self, state: Vec<f32>) -> Result<(), String> {
        replace(&mut self.0, state)
    }
}

impl Kept for FieldValues {
    type State = Vec<f32>;

    fn keep(&self) -> Vec<f32> {
        self.0.clone()
    }

    fn restore(&mut self, state: Vec<f32>) -> Result<(), String> {
        replace(&mut self.0, state)
    }
}

impl Kept for Ledger {
    type State = LedgerState;

    fn keep(&self) -> LedgerState {
        self.state()
    }

    fn restore(&mut self, state: LedgerState) -> Result<(), String> {
        Self::restore(self, state).map_err(|error| error.to_string())
    }
}

impl Kept for FieldWork {
    type State = FieldWorkState;

    fn keep(&self) -> FieldWorkState {
        self.state()
    }

    fn restore(&mut self, state: FieldWorkState) -> Result<(), String> {
        Self::restore(self, state);
        Ok(())
    }
}
