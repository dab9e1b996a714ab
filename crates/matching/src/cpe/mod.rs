//! CPE names and the configurations of CVE records that are built from them.

mod configuration;
mod criterion;
mod evaluate;
mod name;

pub use configuration::{Configuration, CpeMatch, Node, Operator};
pub use criterion::{Dictionary, NoDictionary, Product};
pub use evaluate::{Applicability, CompiledConfiguration, Satisfied};
pub use name::{Cpe, CpeError, Part, Relation, Value, vendor_and_product, wildcard};
