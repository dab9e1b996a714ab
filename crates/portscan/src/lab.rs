//! A link between two Ethernet devices with delay, loss and a bottleneck, for benchmarks on kernels without `netem`.
//!
//! Each direction: random loss, then a bottleneck with a tail-drop queue, then a delay that counts from when the kernel
//! took the frame in, and differs from frame to frame if it is to overtake others. Frames longer than the scanner's own are dropped; nothing in a port scan is.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::raw::netlink::Netlink;
use crate::sys::packet::{Batch, LONGEST, Medium, Ring, Sender};

/// What the link does to frames, the same in both directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// One-way delay.
    pub delay: Duration,
    /// What is added to it at most, by chance, so that frames overtake each other.
    pub jitter: Duration,
    /// Share of frames that get lost, 0 to 1.
    pub loss: f64,
    /// Frames a second; 0 for no bottleneck.
    pub rate: f64,
    /// Frames that may wait at the bottleneck.
    pub queue: f64,
    /// Seed of the losses.
    pub seed: u64,
}

fn now_us() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros()).unwrap_or(0)
}

/// Carries frames between two devices until it is told to stop.
///
/// # Errors
/// If a device is not there or cannot be opened.
pub fn carry(first: &str, second: &str, link: Link, stop: &AtomicBool) -> io::Result<()> {
    let interfaces = Netlink::open()?.interfaces()?;
    let index = |name: &str| {
        let found = interfaces.iter().find(|interface| interface.name == name).map(|interface| interface.index);
        found.ok_or_else(|| io::Error::other(format!("no device {name}")))
    };
    let (one, two) = (index(first)?, index(second)?);
    let there = Direction::open(one, two, second, link, 1)?;
    let back = Direction::open(two, one, first, link, 2)?;
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| there.run(stop));
        let ended = back.run(stop);
        thread.join().unwrap_or_else(|_| Err(io::Error::other("a direction broke off"))).and(ended)
    })
}

struct Direction {
    ring: Ring,
    sender: Sender,
    link: Link,
    random: u64,
    /// Frames on the way: when they are due, and their bytes.
    waiting: VecDeque<(u64, [u8; LONGEST], usize)>,
    /// When the bottleneck is free again.
    free_us: f64,
}

impl Direction {
    fn open(from: u32, to: u32, name: &str, link: Link, number: u64) -> io::Result<Self> {
        Ok(Self {
            ring: Ring::whole(from)?,
            sender: Sender::open(to, name, Medium::Ethernet)?,
            link,
            random: link.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number) | 1,
            waiting: VecDeque::new(),
            free_us: 0.0,
        })
    }

    fn run(mut self, stop: &AtomicBool) -> io::Result<()> {
        let mut batch = Batch::new();
        let delay = u64::try_from(self.link.delay.as_micros()).unwrap_or(0);
        let jitter = u64::try_from(self.link.jitter.as_micros()).unwrap_or(0);
        while !stop.load(Relaxed) {
            let Self { ring, link, random, waiting, free_us, .. } = &mut self;
            let blocks = ring.drain(|frame| {
                *random ^= *random << 13;
                *random ^= *random >> 7;
                *random ^= *random << 17;
                #[expect(clippy::cast_precision_loss, reason = "53 bits are enough for chance")]
                let chance = (*random >> 11) as f64 / (1_u64 << 53) as f64;
                if chance < link.loss || frame.bytes.len() > LONGEST {
                    return;
                }
                let mut at = frame.at_us;
                if link.rate > 0.0 {
                    let step = 1_000_000.0 / link.rate;
                    #[expect(clippy::cast_precision_loss, reason = "microseconds fit")]
                    let now = at as f64;
                    *free_us = free_us.max(now);
                    if (*free_us - now) / step >= link.queue {
                        return;
                    }
                    *free_us += step;
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time after 1970")]
                    let leaves = *free_us as u64;
                    at = leaves;
                }
                let mut bytes = [0; LONGEST];
                bytes[..frame.bytes.len()].copy_from_slice(frame.bytes);
                let due = at + delay + if jitter > 0 { (*random >> 17) % jitter } else { 0 };
                // Without jitter it is always the last one.
                let place = waiting.iter().rposition(|(other, ..)| *other <= due).map_or(0, |last| last + 1);
                waiting.insert(place, (due, bytes, frame.bytes.len()));
            });
            let now = now_us();
            while let Some((due, bytes, length)) = self.waiting.front().copied()
                && due <= now
                && !batch.is_full()
            {
                self.waiting.pop_front();
                batch.push(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |buffer| {
                    *buffer = bytes;
                    length
                });
            }
            let mut first = 0;
            while first < batch.len() {
                // A frame that the device refuses is lost, as on any link.
                first += batch.send(&self.sender, first).unwrap_or(1).max(1);
            }
            let sent = batch.len();
            batch.clear();
            if blocks == 0 && sent == 0 {
                let wait = self.waiting.front().map_or(100_000, |(due, ..)| due.saturating_sub(now).clamp(20, 1000));
                let wait = Timespec { tv_sec: 0, tv_nsec: i64::try_from(wait * 1000).unwrap_or(1_000_000) };
                let fd = self.ring.fd();
                // An interrupted wait only means to look sooner.
                let _ = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&wait));
            }
        }
        Ok(())
    }
}
