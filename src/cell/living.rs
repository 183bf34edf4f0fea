//! The living cells of a table that have a capability: whom the systems of a module act on.

use super::body::CellType;
use super::death::{Vital, is_alive};
use crate::core::parameters::{Parameters, PerType};

/// The cells of a table, as a contiguous query hands them out, and the parameters of a capability.
#[derive(Clone, Copy)]
pub struct Living<'a, P: Parameters> {
    types: &'a [CellType],
    vitals: Option<&'a [Vital]>,
    parameters: &'a PerType<P>,
}

impl<'a, P: Parameters> Living<'a, P> {
    /// Those of a table; cells without vital signs live.
    pub const fn of(
        types: &'a [CellType],
        vitals: Option<&'a [Vital]>,
        parameters: &'a PerType<P>,
    ) -> Self {
        Self {
            types,
            vitals,
            parameters,
        }
    }

    /// The type of the cell in a row and the parameters of the capability; none if it is dead or lacks it.
    #[inline]
    pub fn at(&self, row: usize) -> Option<(u16, &'a P)> {
        let cell_type = self.types[row].0;
        let alive = is_alive(self.vitals.map(|vitals| &vitals[row]));
        let parameters = self.parameters.get(cell_type).filter(|_| alive)?;
        Some((cell_type, parameters))
    }
}
