//! The real probes.

use bartizan_domain::PortSet;

/// A port specification with the named sets of `content/ports/`.
pub(crate) fn named_ports(text: &str) -> Result<PortSet, String> {
    text.parse()
}
