//! CPE names and the configurations of CVE records that are built from them.

mod configuration;
mod name;

pub use configuration::{Configuration, CpeMatch, Node, Operator};
pub use name::{Cpe, CpeError, Part, Relation, Value, vendor_and_product, wildcard};
