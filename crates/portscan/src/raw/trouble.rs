//! What it means that the kernel refuses a packet.

use std::io;

use crate::Reason;

/// Whether the device or the kernel has no room for the moment.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM | libc::EINTR))
}

/// Whether the device is down, which may pass.
pub fn is_down(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENETDOWN)
}

/// Whether nothing at all can be sent over the device: what is said of one packet holds for all of them. Else it is a rule for
/// packets like this one, or something that passes.
pub fn is_of_device(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENETDOWN | libc::ENXIO | libc::ENODEV))
}

/// What to report if it stays at that.
pub fn reason(error: &io::Error) -> Reason {
    match error.raw_os_error().unwrap_or(0) {
        libc::ENETDOWN | libc::ENXIO | libc::ENODEV | libc::ENETUNREACH | libc::EHOSTUNREACH => Reason::NetworkDown,
        libc::ENOBUFS | libc::EAGAIN | libc::ENOMEM => Reason::NoBuffers,
        libc::EPERM | libc::EACCES => Reason::LocalPolicy,
        other => Reason::System(other),
    }
}
