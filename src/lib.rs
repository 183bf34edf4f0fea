//! stub
pub mod cell;
pub mod core;
pub mod tissue;
