//! Closing without waiting.
//!
//! The kernel lets a packet socket wait, when it is closed, until no processor can be in it any more (`packet_release` of
//! Linux): tens of milliseconds in which a scan has nothing left to do. Files that a ring of `io_uring` holds are let go by
//! the kernel itself when the ring is gone (`io_ring_exit_work`), and nobody waits for that.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::io_uring::{IoringRegisterOp, io_uring_params, io_uring_register, io_uring_setup};

/// Has the kernel close descriptors a moment from now.
///
/// # Errors
/// With the descriptors, where the system has no `io_uring` or does not allow it.
pub fn release(descriptors: Vec<OwnedFd>) -> Result<(), Vec<OwnedFd>> {
    // Who made a ring is interrupted when it goes, in whatever it waits for then; this thread waits for nothing any more.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("portscan-close".into());
        let release = move || match hand_over(&descriptors) {
            Ok(_ring) => Ok(()),
            Err(_) => Err(descriptors),
        };
        // Without a thread they are closed here and now.
        let Ok(thread) = thread.spawn_scoped(scope, release) else { return Ok(()) };
        thread.join().unwrap_or(Ok(()))
    })
}

/// A ring that holds them as well.
fn hand_over(descriptors: &[OwnedFd]) -> io::Result<OwnedFd> {
    let numbers: Vec<libc::c_int> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let count = u32::try_from(numbers.len()).map_err(io::Error::other)?;
    let mut parameters = io_uring_params::default();
    // SAFETY: invariant 7.
    unsafe {
        let ring = io_uring_setup(1, &mut parameters)?;
        io_uring_register(&ring, IoringRegisterOp::RegisterFiles, numbers.as_ptr().cast(), count)?;
        Ok(ring)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read};
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_released_is_closed_soon() {
        let (mut here, there) = UnixStream::pair().unwrap();
        here.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        match release(vec![there.into()]) {
            Ok(()) => assert_eq!(here.read(&mut [0]).unwrap(), 0, "the other end is closed"),
            Err(descriptors) => {
                // This system has no rings.
                assert_eq!(descriptors.len(), 1);
                here.set_nonblocking(true).unwrap();
                assert_eq!(here.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock, "and it is still open");
            }
        }
        assert!(release(Vec::new()).is_err_and(|none| none.is_empty()), "there is nothing to hold");
    }
}
