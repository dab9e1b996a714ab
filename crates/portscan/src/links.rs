//! Whether the devices that lead to the targets are up while a run goes on.
//!
//! A device that has lost its carrier loses packets, and what is silent then says nothing about a port. So a thread listens
//! to what the kernel tells of devices (rtnetlink(7), group "link"). While one of them is down the engines ask nothing;
//! what was out when it fell is asked again; and where it stays down for longer than [`PATIENCE`] the targets behind it
//! are reported as trouble of this machine.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};

use crate::raw::netlink::{Interface, Netlink};

/// How long a device may be down before its targets are given up.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The devices of a run.
#[derive(Debug)]
pub struct Links {
    began: Instant,
    devices: Vec<Device>,
    /// Addresses in order, each with the index of its interface.
    behind: Vec<(IpAddr, u32)>,
    falls: AtomicU32,
}

#[derive(Debug)]
struct Device {
    index: u32,
    /// Since when it is down, in microseconds since the start; 0 while it is up.
    down_since_us: AtomicU64,
}

/// Ends the watching thread, also where the work breaks off.
struct Ending<'a>(&'a OwnedFd);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        // The counter of a fresh event descriptor has room.
        let _ = rustix::io::write(self.0, &1_u64.to_ne_bytes());
    }
}

impl Links {
    /// The devices that lead to these addresses, which are in order.
    pub fn new(behind: Vec<(IpAddr, u32)>) -> Self {
        let indices: BTreeSet<u32> = behind.iter().map(|(_, index)| *index).collect();
        let device = |index| Device { index, down_since_us: AtomicU64::new(0) };
        let now = Instant::now();
        Self {
            // What is down from the beginning has been so for too long.
            began: now.checked_sub(PATIENCE).unwrap_or(now),
            devices: indices.into_iter().map(device).collect(),
            behind,
            falls: AtomicU32::new(0),
        }
    }

    /// Whether one of them is down, and not yet for long.
    pub fn is_down(&self) -> bool {
        self.devices.iter().any(|device| self.down_for(device).is_some_and(|time| time < PATIENCE))
    }

    /// Whether the device that leads to an address has been down for too long.
    pub fn is_lost(&self, address: IpAddr) -> bool {
        let lost = |device: &&Device| self.down_for(device).is_some_and(|time| time >= PATIENCE);
        if !self.devices.iter().any(|device| lost(&device)) {
            return false;
        }
        let Ok(at) = self.behind.binary_search_by(|(known, _)| known.cmp(&address)) else { return false };
        let index = self.behind.get(at).map(|(_, index)| *index);
        self.devices.iter().filter(lost).any(|device| Some(device.index) == index)
    }

    /// How often one of them went down. Where this has grown since a question went out, its silence says nothing.
    pub fn falls(&self) -> u32 {
        self.falls.load(Relaxed)
    }

    fn down_for(&self, device: &Device) -> Option<Duration> {
        let since = device.down_since_us.load(Relaxed);
        (since > 0).then(|| self.began.elapsed().saturating_sub(Duration::from_micros(since)))
    }

    /// Takes in what the kernel tells of a device.
    pub fn take(&self, index: u32, carries: bool) {
        let Some(device) = self.devices.iter().find(|device| device.index == index) else { return };
        if carries {
            device.down_since_us.store(0, Relaxed);
        } else {
            let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
            if device.down_since_us.compare_exchange(0, now, Relaxed, Relaxed).is_ok() {
                self.falls.fetch_add(1, Relaxed);
            }
        }
    }

    /// Runs `work` while a thread watches the devices. Without such a thread everything counts as up.
    pub fn watched<T>(&self, work: impl FnOnce() -> T) -> T {
        let prepared = if self.devices.is_empty() { None } else { self.prepare().ok() };
        let Some((mut netlink, stop)) = prepared else { return work() };
        std::thread::scope(|scope| {
            let (watched, ended) = (self, &stop);
            let thread = std::thread::Builder::new().name("portscan-links".into());
            let started = thread.spawn_scoped(scope, move || watched.watch(&mut netlink, ended));
            let ending = Ending(ended);
            let result = work();
            drop(ending);
            if let Ok(thread) = started {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            }
            result
        })
    }

    fn prepare(&self) -> io::Result<(Netlink, OwnedFd)> {
        // Subscribed first, so that nothing is missed between the list and the first message.
        let netlink = Netlink::of_devices()?;
        self.begin(&Netlink::open()?.interfaces()?);
        Ok((netlink, eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Takes in how things stand before anything is asked. A device that is down then has lost nothing, and holds nobody up:
    /// what is behind it is given up at once.
    fn begin(&self, interfaces: &[Interface]) {
        for device in &self.devices {
            let found = interfaces.iter().find(|interface| interface.index == device.index);
            if !found.is_some_and(Interface::carries) {
                device.down_since_us.store(1, Relaxed);
            }
        }
    }

    fn look(&self, interfaces: &[Interface]) {
        for device in &self.devices {
            let found = interfaces.iter().find(|interface| interface.index == device.index);
            self.take(device.index, found.is_some_and(Interface::carries));
        }
    }

    fn watch(&self, netlink: &mut Netlink, stop: &OwnedFd) {
        loop {
            let mut polls = [PollFd::from_borrowed_fd(netlink.fd(), PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
            // An interrupted wait only means to look sooner.
            let _ = poll(&mut polls, None);
            if !polls[1].revents().is_empty() {
                return;
            }
            let mut told = Vec::new();
            match netlink.told(|interface, is_there| told.push((interface.index, is_there && interface.carries()))) {
                Ok(()) => told.into_iter().for_each(|(index, carries)| self.take(index, carries)),
                // Too much was told at once: the list says where things stand.
                Err(_) => match Netlink::open().and_then(|mut netlink| netlink.interfaces()) {
                    Ok(interfaces) => self.look(&interfaces),
                    Err(_) => return,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_falls_holds_up_and_is_given_up_in_the_end() {
        let addresses = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse::<IpAddr>().unwrap());
        let mut links = Links::new(vec![(addresses[0], 3), (addresses[1], 5)]);
        assert!(!links.is_down() && !links.is_lost(addresses[0]) && links.falls() == 0);
        links.take(3, false);
        links.take(3, false);
        links.take(9, false);
        assert!(links.is_down() && !links.is_lost(addresses[0]) && links.falls() == 1);
        links.began = links.began.checked_sub(PATIENCE * 2).unwrap();
        assert!(!links.is_down() && links.is_lost(addresses[0]) && !links.is_lost(addresses[1]));
        assert!(!links.is_lost("192.0.2.9".parse().unwrap()));
        links.take(3, true);
        assert!(!links.is_down() && !links.is_lost(addresses[0]));
        links.take(3, false);
        assert_eq!(links.falls(), 2);
    }

    /// The thread that watches does not hold up what breaks off.
    #[test]
    fn work_that_panics_ends_the_watch() {
        let links = Links::new(vec![("192.0.2.1".parse().unwrap(), 1)]);
        let work = std::panic::AssertUnwindSafe(|| links.watched(|| panic!("for the test")));
        assert!(std::panic::catch_unwind(work).is_err());
    }

    /// Such as a bridge without members: nothing was lost over it, and nobody waits for it.
    #[test]
    fn a_device_that_is_down_from_the_beginning_holds_nobody_up() {
        let addresses = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse::<IpAddr>().unwrap());
        let links = Links::new(vec![(addresses[0], 3), (addresses[1], 5)]);
        links.begin(&[]);
        assert!(!links.is_down() && links.is_lost(addresses[0]) && links.falls() == 0);
        links.take(3, true);
        assert!(!links.is_lost(addresses[0]), "it may come up");
        links.take(3, false);
        assert!(links.is_down() && !links.is_lost(addresses[0]) && links.falls() == 1);
    }
}
