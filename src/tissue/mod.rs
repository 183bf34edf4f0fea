//! Floor 1: tissue. Sites, the molecules in them, and the solver that moves them.

pub mod exchange;
mod kept;
pub mod molecule;
pub mod site;
pub mod solver;
pub mod transport;
pub mod verify;

pub use exchange::{Ledger, LedgerState};
pub use molecule::Molecule;
pub use site::{FieldValues, SiteEntry, SiteId, Sites, TissueBlock};
pub use transport::TransportParameters;
