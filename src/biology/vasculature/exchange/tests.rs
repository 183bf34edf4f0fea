//! Oxygen along the flow, books, and ways in and out.
