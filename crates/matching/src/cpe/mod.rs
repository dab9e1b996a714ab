//! CPE names and the configurations of CVE records that are built from them.

mod configuration;
mod evaluate;
mod name;

pub use configuration::{Configuration, CpeMatch, Node, Operator};
pub use evaluate::{Applicability, CompiledConfiguration, Product, Satisfied};
pub use name::{Cpe, CpeError, Part, Relation, Value, vendor_and_product, wildcard};
