//! The loopback lab: real servers with known faults, on ports the system picks.

pub mod certificates;
pub mod process;
pub mod tls;
