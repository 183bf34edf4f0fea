//! What a cell took up, and for how long it acts (capability `uptake`).
//!
//! Of what a cell took up so many vesicles still act, `H`: `dH/dt = uptake - H / tau`, and of each cargo as many times its load. What bound to a
//! resident educates it; it is told relative to the rate that educates its organ by half, for the step in which it is taken up.

use bevy::math::ops;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::packets::Packet;
use super::parameters::{CARGO, UptakeParameters};
use crate::cell::event::{EventKind, RegisterEvent};
use crate::cell::life::{Beginning, RegisterLife};
use crate::core::SimSystems;
use crate::core::input::{InputInfo, RegisterInputs};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parameters::RegisterParameters;
use crate::core::state::RegisterState;

/// A cell took up vesicles for the first time; the other is the cell that set them free.
pub const FIRST_UPTAKE: EventKind = EventKind::of("exosome.first_uptake");
/// A cell took up a packet of vesicles; the other is the cell that set them free.
pub const UPTAKE: EventKind = EventKind::of("exosome.uptake");

/// The input.
pub(super) const UPTAKE_RATE: &str = "uptake.rate";

/// What a cell took up.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Uptake {
    /// Vesicles that it took up in all.
    pub total: f64,
    /// Vesicles of which the effect lasts.
    pub held: f32,
    /// The same of each cargo, in vesicles with the load of one.
    pub cargo: [f32; CARGO.len()],
    /// What bound to it in the last step, over the rate that educates its organ by half.
    pub dose: f32,
}

impl Uptake {
    /// So long after, of what acts for so many hours.
    pub(super) fn fade(&mut self, hours: f32, acts_hours: f32) {
        self.dose = 0.0;
        if self.held > 0.0 {
            let left = ops::exp(-hours / acts_hours);
            self.held *= left;
            self.cargo = self.cargo.map(|held| held * left);
        }
    }

    /// It takes up a packet, which gives that dose.
    pub(super) fn take(&mut self, packet: &Packet, dose: f32) {
        let vesicles = packet.vesicles as f32;
        self.total += f64::from(packet.vesicles);
        self.held += vesicles;
        for (held, load) in self.cargo.iter_mut().zip(packet.load.cargo) {
            *held += vesicles * load;
        }
        self.dose += dose;
    }

    /// Load of a cargo on what it holds, over that of the vesicle of a breast cancer cell; none where it holds nothing.
    pub fn load(&self, cargo: usize) -> f32 {
        if self.held > 0.0 {
            self.cargo[cargo] / self.held
        } else {
            f32::NAN
        }
    }
}

/// Registers the capability.
pub(super) fn register(app: &mut App) {
    app.register_capability::<UptakeParameters>("uptake")
        .register_cell_state::<Uptake>("uptake")
        .register_input::<UptakeParameters>(
            InputInfo::new(
                UPTAKE_RATE,
                "um3/min",
                "Volume that a cell clears of vesicles.",
            ),
            "um3_per_min",
        )
        .register_event(
            FIRST_UPTAKE,
            "A cell took up vesicles for the first time; the other is the cell that set them free.",
        )
        .register_event(
            UPTAKE,
            "A cell took up a packet of vesicles; the other is the cell that set them free.",
        )
        .begin_cells(|place| {
            place.parameters::<UptakeParameters>()?;
            Some(Beginning::settled(Uptake::default()))
        })
        .divide_cells(|cell, _| {
            // Each daughter has half of it.
            if let Some(mut uptake) = cell.get_mut::<Uptake>() {
                uptake.total *= 0.5;
                uptake.held *= 0.5;
                uptake.cargo = uptake.cargo.map(|held| 0.5 * held);
                uptake.dose *= 0.5;
            }
        })
        .register_cell_invariant::<Uptake>(SimSystems::Transport, "travel", |uptake| {
            outside("what it holds of vesicles", uptake.held, 0.0, 1.0e30)
                .or_else(|| outside("its dose", uptake.dose, 0.0, 1.0e30))
        });
}
