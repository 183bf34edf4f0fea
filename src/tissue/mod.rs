//! Floor 1: tissue. Sites, the molecules in them, and the solver that moves them.

pub mod culture;
pub mod exchange;
pub mod fields;
pub mod host_vessels;
pub mod interstitium;
mod kept;
pub mod medium;
pub mod member_rules;
pub mod molecule;
pub mod needs;
pub mod network;
pub mod organ;
pub mod placed;
pub mod population;
pub mod scaffold;
pub mod site;
pub mod solver;
pub mod spread;
pub mod stage_place;
pub mod transport;
pub mod verify;

pub use exchange::{Ledger, LedgerState};
pub use fields::{Bookings, FieldReader, Fields, Solves};
pub use medium::{
    ExchangesWithVessels, Hinders, InterstitialFlow, MediumSystems, RegisterMedium, VesselExchange,
};
pub use molecule::{Molecule, MoleculeId, MoleculeName, Molecules};
pub use needs::RegisterMoleculeUse;
pub use organ::Organ;
pub use scaffold::{Fibres, Scaffold};
pub use site::{FieldGrid, FieldValues, SiteEntry, SiteField, SiteId, Sites, TissueBlock};
pub use transport::TransportParameters;
