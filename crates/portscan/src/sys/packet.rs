//! Packet sockets, their shared receive ring, and sending in batches.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{check, read, set};

const BLOCK_SIZE: usize = 1 << 16;
/// Blocks of the ring of a scan, and of one that takes everything.
const BLOCKS: usize = 64;
#[cfg(feature = "lab")]
const BLOCKS_WHOLE: usize = 512;
/// A block with packets in it is handed over after this many milliseconds even if it is not full.
const RETIRE_MS: u32 = 1;

const ETH_P_ALL: u16 = libc::ETH_P_ALL as u16;

fn open(family: libc::c_int, kind: libc::c_int, protocol: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: no pointers; a descriptor that is returned is new and ours alone.
    unsafe {
        let fd = check(libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

fn bind_link(fd: BorrowedFd<'_>, interface: u32, protocol: u16) -> io::Result<()> {
    // SAFETY: `sockaddr_ll` is plain data for which all zeroes is a value; invariant 5.
    unsafe {
        let mut address: libc::sockaddr_ll = std::mem::zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = protocol.to_be();
        address.sll_ifindex = interface as i32;
        let size = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        check(libc::bind(fd.as_raw_fd(), ptr::from_ref(&address).cast(), size)).map(drop)
    }
}

/// Whether this process may open packet sockets; the error says why not.
///
/// It asks for a kind of packet socket that does not exist: the kernel looks at the permission first (packet(7)), and
/// no socket is left to be closed, which takes it some ten milliseconds.
pub fn may_capture() -> io::Result<()> {
    match open(libc::AF_PACKET, libc::SOCK_STREAM, 0) {
        Err(error) if error.raw_os_error() != Some(libc::ESOCKTNOSUPPORT) => Err(error),
        Err(_) | Ok(_) => Ok(()),
    }
}

/// One instruction of the kernel's classic packet filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    pub code: u16,
    pub jump_true: u8,
    pub jump_false: u8,
    pub operand: u32,
}

/// The receive side of one interface: a ring shared with the kernel, filtered there, that starts at the network header.
pub struct Ring {
    mapping: Mapping,
    fd: OwnedFd,
    next: usize,
    /// Whether packets begin with the link header.
    whole: bool,
    /// Its index.
    interface: u32,
}

/// The memory that it shares with the kernel.
struct Mapping {
    base: *mut u8,
    blocks: usize,
}

// SAFETY: the memory belongs to the mapping alone and is not tied to a thread; access needs the ring's `&mut self`.
unsafe impl Send for Mapping {}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring").field("fd", &self.fd).finish_non_exhaustive()
    }
}

/// A packet as it lies in the ring.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// From the network header on.
    pub bytes: &'a [u8],
    /// When the kernel took it in, in microseconds since 1970.
    pub at_us: u64,
    /// Index of the interface it came in on.
    pub interface: u32,
}

impl Ring {
    /// Opens the ring on an interface. The filter is in force before the first packet can arrive.
    pub fn open(interface: u32, filter: &[Instruction]) -> io::Result<Self> {
        Self::open_as(libc::SOCK_DGRAM, BLOCKS, interface, filter)
    }

    /// A ring with all packets of an Ethernet, link header included.
    #[cfg(feature = "lab")]
    pub fn whole(interface: u32) -> io::Result<Self> {
        let keep_all = Instruction { code: 0x06, jump_true: 0, jump_false: 0, operand: 0xffff };
        Self::open_as(libc::SOCK_RAW, BLOCKS_WHOLE, interface, &[keep_all])
    }

    fn open_as(kind: libc::c_int, blocks: usize, interface: u32, filter: &[Instruction]) -> io::Result<Self> {
        // Protocol 0 receives nothing until `bind` names one.
        let fd = open(libc::AF_PACKET, kind, 0)?;
        set(fd.as_fd(), libc::SOL_PACKET, libc::PACKET_VERSION, &libc::tpacket_versions::TPACKET_V3)?;
        let request = libc::tpacket_req3 {
            tp_block_size: BLOCK_SIZE as u32,
            tp_block_nr: blocks as u32,
            tp_frame_size: 2048,
            tp_frame_nr: (blocks * BLOCK_SIZE / 2048) as u32,
            tp_retire_blk_tov: RETIRE_MS,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        set(fd.as_fd(), libc::SOL_PACKET, libc::PACKET_RX_RING, &request)?;
        // Old kernels lack it; there our own packets come back and are told apart by their ports.
        let _ = set(fd.as_fd(), libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &1_i32);
        attach(fd.as_fd(), filter)?;
        // SAFETY: a fresh shared mapping of the descriptor's ring, of the size just requested (invariant 1).
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                blocks * BLOCK_SIZE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                fd.as_raw_fd(),
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let (whole, mapping) = (kind == libc::SOCK_RAW, Mapping { base: base.cast(), blocks });
        let ring = Self { mapping, fd, next: 0, whole, interface };
        bind_link(ring.fd.as_fd(), interface, ETH_P_ALL)?;
        Ok(ring)
    }

    /// For polling.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Hands every packet that is ready to `take`; returns how many blocks were emptied.
    pub fn drain(&mut self, mut take: impl FnMut(Frame<'_>)) -> usize {
        let mut emptied = 0;
        while emptied < self.mapping.blocks {
            let offset = self.next * BLOCK_SIZE;
            // SAFETY: `next < blocks`, so the block lies inside the mapping (invariant 1), which is aligned to pages.
            // The status word is only touched as an atomic, by us and by the kernel (invariant 2).
            let (block, status) = unsafe {
                let block = self.mapping.base.add(offset);
                let header = block.cast::<libc::tpacket_block_desc>();
                let status = ptr::addr_of_mut!((*header).hdr.bh1.block_status);
                (block, AtomicU32::from_ptr(status))
            };
            if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
                break;
            }
            // SAFETY: the block is ours until the status is written back below (invariant 2), and `BLOCK_SIZE` bytes of
            // it are mapped; nobody writes to it meanwhile.
            let bytes = unsafe { std::slice::from_raw_parts(block, BLOCK_SIZE) };
            let interface = self.interface;
            frames(bytes, self.whole, &mut |bytes, at_us| take(Frame { bytes, at_us, interface }));
            status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
            self.next = (self.next + 1) % self.mapping.blocks;
            emptied += 1;
        }
        emptied
    }

    /// Packets that the kernel dropped for want of room since the last call.
    pub fn drops(&self) -> u32 {
        // SAFETY: all zeroes is a value of this plain structure; the kernel writes at most `size` bytes into it.
        unsafe {
            let mut statistics: libc::tpacket_stats_v3 = std::mem::zeroed();
            let mut size = size_of::<libc::tpacket_stats_v3>() as libc::socklen_t;
            let into = ptr::from_mut(&mut statistics).cast();
            let result =
                libc::getsockopt(self.fd.as_raw_fd(), libc::SOL_PACKET, libc::PACKET_STATISTICS, into, &raw mut size);
            if result < 0 { 0 } else { statistics.tp_drops }
        }
    }
}

impl From<Ring> for OwnedFd {
    fn from(ring: Ring) -> Self {
        ring.fd
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping of invariant 1, unmapped once; no borrow of it outlives `drain`.
        unsafe {
            libc::munmap(self.base.cast(), self.blocks * BLOCK_SIZE);
        }
    }
}

/// Walks the packets of one block; stops at the first offset that leads out of it (invariant 3).
fn frames(block: &[u8], whole: bool, take: &mut impl FnMut(&[u8], u64)) {
    // The block's header follows the version and the offset of the private area.
    let Some(header) = read::<libc::tpacket_hdr_v1>(block, 8) else { return };
    let mut at = header.offset_to_first_pkt as usize;
    for _ in 0..header.num_pkts {
        let Some(packet) = read::<libc::tpacket3_hdr>(block, at) else { return };
        let start = at + usize::from(if whole { packet.tp_mac } else { packet.tp_net });
        if let Some(bytes) = block.get(start..start.saturating_add(packet.tp_snaplen as usize)) {
            let at_us = u64::from(packet.tp_sec) * 1_000_000 + u64::from(packet.tp_nsec / 1000);
            take(bytes, at_us);
        }
        if packet.tp_next_offset == 0 {
            return;
        }
        at = at.saturating_add(packet.tp_next_offset as usize);
    }
}

fn attach(fd: BorrowedFd<'_>, filter: &[Instruction]) -> io::Result<()> {
    let mut program: Vec<libc::sock_filter> = filter
        .iter()
        .map(|i| libc::sock_filter { code: i.code, jt: i.jump_true, jf: i.jump_false, k: i.operand })
        .collect();
    let len = u16::try_from(program.len()).map_err(io::Error::other)?;
    // `program` outlives the call, in which the kernel copies it.
    let header = libc::sock_fprog { len, filter: program.as_mut_ptr() };
    set(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &header)
}

/// Where a [`Sender`] puts its packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// Complete Ethernet frames.
    Ethernet,
    /// IPv4 packets from the IP header on.
    Ip4,
    /// IPv6 packets from the IP header on.
    Ip6,
}

/// The send side of one interface.
#[derive(Debug)]
pub struct Sender {
    fd: OwnedFd,
    medium: Medium,
}

impl Sender {
    /// Opens it. The socket receives nothing.
    pub fn open(interface: u32, name: &str, medium: Medium) -> io::Result<Self> {
        let buffer = 4_i32 << 20;
        let fd = if medium == Medium::Ethernet {
            let fd = open(libc::AF_PACKET, libc::SOCK_RAW, 0)?;
            // Without it packets go through the queueing discipline, which only costs time.
            let _ = set(fd.as_fd(), libc::SOL_PACKET, libc::PACKET_QDISC_BYPASS, &1_i32);
            bind_link(fd.as_fd(), interface, 0)?;
            fd
        } else {
            let family = if medium == Medium::Ip4 { libc::AF_INET } else { libc::AF_INET6 };
            let fd = open(family, libc::SOCK_RAW, libc::IPPROTO_RAW)?;
            rustix_bind_to_device(fd.as_fd(), name)?;
            fd
        };
        if set(fd.as_fd(), libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, &buffer).is_err() {
            let _ = set(fd.as_fd(), libc::SOL_SOCKET, libc::SO_SNDBUF, &buffer);
        }
        Ok(Self { fd, medium })
    }
}

impl From<Sender> for OwnedFd {
    fn from(sender: Sender) -> Self {
        sender.fd
    }
}

fn rustix_bind_to_device(fd: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    socket2::SockRef::from(&fd).bind_device(Some(name.as_bytes()))
}

/// Longest packet that a [`Batch`] takes.
pub const LONGEST: usize = 256;
/// Most packets of a [`Batch`].
pub const BATCH: usize = 64;

/// Packets on their way to one [`Sender`].
pub struct Batch {
    bytes: Box<[[u8; LONGEST]; BATCH]>,
    lengths: [usize; BATCH],
    destinations: [Option<IpAddr>; BATCH],
    len: usize,
}

impl Batch {
    pub fn new() -> Self {
        Self { bytes: Box::new([[0; LONGEST]; BATCH]), lengths: [0; BATCH], destinations: [None; BATCH], len: 0 }
    }

    pub const fn len(&self) -> usize {
        self.len
    }

    pub const fn is_full(&self) -> bool {
        self.len == BATCH
    }

    /// Adds a packet that `write` puts into the buffer; it returns how many bytes it wrote. `to` matters to raw IP
    /// sockets alone.
    pub fn push(&mut self, to: IpAddr, write: impl FnOnce(&mut [u8; LONGEST]) -> usize) {
        if self.len < BATCH {
            self.lengths[self.len] = write(&mut self.bytes[self.len]).min(LONGEST);
            self.destinations[self.len] = Some(to);
            self.len += 1;
        }
    }

    /// Drops all packets.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    /// Sends from packet number `first` on; returns how many went out, at least one.
    pub fn send(&mut self, sender: &Sender, first: usize) -> io::Result<usize> {
        let count = self.len.saturating_sub(first);
        if count == 0 {
            return Ok(0);
        }
        // SAFETY: invariant 4. All zeroes is a value of these plain structures; the pointers lead into `self.bytes` and
        // the local arrays, whose first `count` entries are filled and which live to the end of the call.
        unsafe {
            let mut vectors: [libc::iovec; BATCH] = std::mem::zeroed();
            let mut names: [libc::sockaddr_storage; BATCH] = std::mem::zeroed();
            let mut messages: [libc::mmsghdr; BATCH] = std::mem::zeroed();
            for i in 0..count {
                let packet = first + i;
                vectors[i].iov_base = self.bytes[packet].as_mut_ptr().cast();
                vectors[i].iov_len = self.lengths[packet];
                messages[i].msg_hdr.msg_iov = &raw mut vectors[i];
                messages[i].msg_hdr.msg_iovlen = 1;
                if sender.medium != Medium::Ethernet
                    && let Some(address) = self.destinations[packet]
                {
                    messages[i].msg_hdr.msg_namelen = name(address, &mut names[i]);
                    messages[i].msg_hdr.msg_name = (&raw mut names[i]).cast();
                }
            }
            let sent = libc::sendmmsg(sender.fd.as_raw_fd(), messages.as_mut_ptr(), count as u32, libc::MSG_DONTWAIT);
            usize::try_from(check(sent)?).map_err(io::Error::other)
        }
    }
}

/// Writes a socket address with port 0; returns its length.
fn name(address: IpAddr, into: &mut libc::sockaddr_storage) -> libc::socklen_t {
    let from = socket2::SockAddr::from(crate::zone::endpoint(address, 0));
    let length = from.len();
    // SAFETY: `SockAddr` holds `length` initialised bytes, never more than a `sockaddr_storage`, which `into` is.
    unsafe {
        ptr::copy_nonoverlapping(from.as_ptr().cast::<u8>(), ptr::from_mut(into).cast::<u8>(), length as usize);
    }
    length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_block_of_anything_is_walked_without_harm(block in prop::collection::vec(any::<u8>(), 0..600)) {
            let mut seen = 0_u32;
            frames(&block, false, &mut |_, _| seen += 1);
            prop_assert!(seen <= 4096);
        }
    }

    #[test]
    fn a_wrong_offset_ends_the_block() {
        let mut block = vec![0_u8; 256];
        block[12..16].copy_from_slice(&u32::MAX.to_ne_bytes()); // packets
        block[16..20].copy_from_slice(&48_u32.to_ne_bytes()); // offset of the first
        block[48..52].copy_from_slice(&u32::MAX.to_ne_bytes()); // offset of the next
        let mut seen = 0;
        frames(&block, false, &mut |_, _| seen += 1);
        assert_eq!(seen, 1);
    }
}
