//! The loopback lab: real servers with known faults, on ports the system picks.

pub mod certificates;
pub mod directory;
pub mod dns;
pub mod identity;
pub mod process;
pub mod registration;
pub mod services;
pub mod starttls;
pub mod tls;
pub mod web;
pub mod web_servers;
