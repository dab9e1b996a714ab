//! The only module with `unsafe`: packet sockets, their shared receive ring and sending in batches ([`packet`]), the error
//! queues of ordinary sockets ([`errors`]), and closing without waiting ([`release`]). The calls here have no safe wrapper in
//! `rustix` or `socket2`.
//!
//! Invariants that the code outside relies on and this module keeps:
//!
//! 1. A [`packet::Ring`] owns its mapping from `mmap` to `munmap`, and the mapping has exactly `blocks * BLOCK_SIZE` bytes. Every
//!    pointer into it is derived from the base and checked against that length before it is read.
//! 2. A block belongs to the kernel or to us, told by its status word alone, read with acquire and written with release
//!    order. Packet bytes are only borrowed inside [`packet::Ring::drain`], between seeing the block ours and giving it back.
//! 3. Lengths and offsets inside a block come from the kernel; they are still checked, a wrong one ends the block.
//! 4. [`packet::Batch`] builds the vectors for `sendmmsg` anew for each call from buffers that it owns and that outlive the call.
//! 5. Structures handed to `setsockopt`, `bind` and `getsockopt` are fully initialised plain data with their true size.
//! 6. [`errors::next_told`] hands `recvmsg` buffers of its own that outlive the call, with their true sizes, and reads of the
//!    control buffer only what the kernel says it wrote, and never beyond the buffer.
//! 7. The `io_uring` of [`release`] is never mapped, and nothing is submitted to it: the kernel writes its parameters into a live
//!    structure and reads as many descriptors as the list has, during the call alone.

#![expect(unsafe_code, reason = "packet rings and sendmmsg have no safe wrapper; the invariants are written above")]
#![expect(clippy::cast_possible_truncation, reason = "sizes of C structures, all far below the limits of socklen_t")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

pub mod errors;
pub mod packet;
pub mod release;

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn set<T: Copy>(fd: BorrowedFd<'_>, level: libc::c_int, name: libc::c_int, value: &T) -> io::Result<()> {
    // SAFETY: invariant 5; the kernel copies `size_of::<T>()` bytes out of a live reference.
    unsafe {
        let size = size_of::<T>() as libc::socklen_t;
        check(libc::setsockopt(fd.as_raw_fd(), level, name, ptr::from_ref(value).cast(), size)).map(drop)
    }
}

fn read<T: Copy>(bytes: &[u8], offset: usize) -> Option<T> {
    let slice = bytes.get(offset..offset.checked_add(size_of::<T>())?)?;
    // SAFETY: the slice has exactly the size of `T`, a plain C structure of integers for which every bit pattern is a
    // value; `read_unaligned` asks for no alignment.
    Some(unsafe { slice.as_ptr().cast::<T>().read_unaligned() })
}
