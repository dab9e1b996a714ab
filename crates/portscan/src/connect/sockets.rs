//! The sockets of a worker, and which of them ended.
//!
//! Making a socket, watching it and closing it costs the kernel about as much as the attempt itself. A socket that was
//! refused is closed again in the sense of TCP (RFC 9293, section 3.10.7.3) and holds neither port nor route, so it can
//! connect to the next port. After any other end something of the attempt may be left in it: a connection, an entry in its error
//! queue, or the error that disconnecting leaves behind. Such a socket is not used again.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;

use super::answers::{self, Answer, REFUSED};
use crate::State;

/// Sockets of a worker by slot; a slot names a socket while it is in flight.
#[derive(Debug)]
pub struct Sockets {
    epoll: OwnedFd,
    slots: Vec<Option<Socket>>,
    /// Slots without a socket.
    free: Vec<usize>,
    /// Slots whose socket was refused, of IPv4 and of IPv6.
    spare: [Vec<usize>; 2],
    /// Sockets that may be open.
    most: usize,
    open: usize,
}

#[derive(Debug)]
struct Socket {
    fd: OwnedFd,
    family: usize,
    /// Whom it is connecting to.
    in_flight: Option<SocketAddr>,
}

/// Place among the spare ones of a family whose sockets are not used again.
const NONE: usize = 2;

/// Place of the family among the spare ones. A socket that connected to a link-local address belongs to that link for good
/// (`tcp_v6_connect` of Linux binds it to the device), and would be a wrong way to any other.
fn place_of(target: &SocketAddr) -> usize {
    match target {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(target) if target.ip().is_unicast_link_local() => NONE,
        SocketAddr::V6(_) => 1,
    }
}

impl Sockets {
    /// For so many sockets at a time.
    ///
    /// # Errors
    /// If the kernel gives no epoll set.
    pub fn new(most: usize) -> std::io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let (slots, free, spare) = (Vec::new(), Vec::new(), [Vec::new(), Vec::new()]);
        Ok(Self { epoll, slots, free, spare, most, open: 0 })
    }

    /// Begins an attempt; returns its slot.
    ///
    /// # Errors
    /// With the answer if the attempt ended at once.
    pub fn connect(&mut self, target: SocketAddr, interface: Option<&str>) -> Result<usize, Answer> {
        if let Some(slot) = self.spare.get_mut(place_of(&target)).and_then(Vec::pop) {
            match self.begin(slot, target) {
                // What a used socket complains of may be its own past.
                Err(answer) if answer != REFUSED && !matches!(answer, Answer::Final(State::Open, _)) => {}
                other => return other,
            }
        }
        let slot = self.opened(target, interface)?;
        self.begin(slot, target)
    }

    fn begin(&mut self, slot: usize, target: SocketAddr) -> Result<usize, Answer> {
        let Some(socket) = self.slots.get_mut(slot).and_then(Option::as_mut) else {
            return Err(answers::classify(Errno::BADF));
        };
        let ended = match rustix::net::connect(&socket.fd, &target) {
            Err(Errno::INPROGRESS) => {
                socket.in_flight = Some(target);
                return Ok(slot);
            }
            Ok(()) => answers::accepted(&socket.fd),
            Err(errno) => answers::classify_own(errno),
        };
        self.close(slot);
        Err(ended)
    }

    /// A slot with a new socket.
    fn opened(&mut self, target: SocketAddr, interface: Option<&str>) -> Result<usize, Answer> {
        if self.open >= self.most
            && let Some(other) = self.spare.iter_mut().find_map(Vec::pop)
        {
            self.close(other);
        }
        let fd = answers::open_socket(target, interface).map_err(answers::classify)?;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        let data = epoll::EventData::new_u64(slot as u64);
        // Told once for each change: the socket stays watched while it is used again.
        if let Err(errno) = epoll::add(&self.epoll, &fd, data, epoll::EventFlags::OUT | epoll::EventFlags::ET) {
            self.free.push(slot);
            return Err(answers::classify(errno));
        }
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(Socket { fd, family: place_of(&target), in_flight: None });
            self.open += 1;
        }
        Ok(slot)
    }

    fn close(&mut self, slot: usize) {
        if self.slots.get_mut(slot).and_then(Option::take).is_some() {
            self.open -= 1;
            self.free.push(slot);
        }
    }

    /// Waits for attempts to end, at most so long (less than a second); adds their slots to `ended`, and perhaps others.
    ///
    /// # Errors
    /// If the set cannot be read, which is a mistake in this file.
    pub fn wait(&self, nap: Duration, events: &mut Vec<epoll::Event>) -> Result<(), Errno> {
        events.clear();
        let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(nap.subsec_nanos()) };
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(events), Some(&wait)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    /// The answer to an attempt; `None` if it did not end, or the slot is not in flight.
    pub fn read(&mut self, slot: usize) -> Option<Answer> {
        let socket = self.slots.get_mut(slot)?.as_mut()?;
        let answer = answers::read(&socket.fd, socket.in_flight?)?;
        if answer == REFUSED {
            self.spare(slot);
        } else {
            self.close(slot);
        }
        Some(answer)
    }

    /// The same when its time is over, if it has not ended by now.
    pub fn read_late(&mut self, slot: usize) -> Option<Answer> {
        let socket = self.slots.get(slot)?.as_ref()?;
        let answer = answers::read_late(&socket.fd, socket.in_flight?);
        self.close(slot);
        Some(answer)
    }

    /// The socket of a slot was refused.
    fn spare(&mut self, slot: usize) {
        let Some(socket) = self.slots.get_mut(slot).and_then(Option::as_mut) else { return };
        socket.in_flight = None;
        let family = socket.family;
        match self.spare.get_mut(family) {
            Some(spare) => spare.push(slot),
            None => self.close(slot),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
    use std::time::Instant;

    use super::*;
    use crate::Reason;

    /// A port that nobody offers, by having been offered a moment ago.
    fn closed(address: IpAddr) -> SocketAddr {
        TcpListener::bind((address, 0)).unwrap().local_addr().unwrap()
    }

    fn ask(sockets: &mut Sockets, target: SocketAddr) -> Answer {
        let slot = match sockets.connect(target, None) {
            Ok(slot) => slot,
            Err(answer) => return answer,
        };
        let (mut events, began) = (Vec::with_capacity(8), Instant::now());
        loop {
            sockets.wait(Duration::from_millis(10), &mut events).unwrap();
            let ended: Vec<usize> = events.iter().map(|event| usize::try_from(event.data.u64()).unwrap()).collect();
            if ended.contains(&slot)
                && let Some(answer) = sockets.read(slot)
            {
                return answer;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "{target} does not end");
        }
    }

    const OPEN: Answer = Answer::Final(State::Open, Reason::SynAck);

    #[test]
    fn a_socket_that_was_on_one_link_is_not_used_for_another() {
        for (text, place) in [("192.0.2.1:1", 0), ("[2001:db8::1]:1", 1), ("[fe80::1%1]:1", NONE)] {
            assert_eq!(place_of(&text.parse().unwrap()), place, "{text}");
        }
        let mut sockets = Sockets::new(4).unwrap();
        let target: SocketAddr = "[fe80::1%1]:1".parse().unwrap();
        assert!(sockets.spare.get(place_of(&target)).is_none());
        let slot = sockets.opened(target, None).unwrap();
        sockets.slots[slot].as_mut().unwrap().in_flight = Some(target);
        sockets.spare(slot);
        assert_eq!((sockets.open, sockets.spare.iter().map(Vec::len).sum::<usize>()), (0, 0));
    }

    #[test]
    fn a_refused_socket_asks_again_and_tells_the_truth_each_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (open, shut) = (listener.local_addr().unwrap(), closed(Ipv4Addr::LOCALHOST.into()));
        let mut sockets = Sockets::new(4).unwrap();
        for round in 0..50 {
            assert_eq!(ask(&mut sockets, shut), REFUSED, "{round}");
            assert_eq!((sockets.open, sockets.slots.len()), (1, 1), "the same socket each time");
        }
        for round in 0..50 {
            assert_eq!(ask(&mut sockets, open), OPEN, "{round}");
            assert_eq!(sockets.open, 0, "one that was connected is closed");
            assert_eq!(ask(&mut sockets, shut), REFUSED, "{round}");
        }
        drop(listener);
        assert_eq!(ask(&mut sockets, open), REFUSED);
    }

    #[test]
    fn families_have_sockets_of_their_own_within_one_bound() {
        let six = closed(Ipv6Addr::LOCALHOST.into());
        let four = closed(Ipv4Addr::LOCALHOST.into());
        let mut sockets = Sockets::new(1).unwrap();
        for _ in 0..10 {
            assert_eq!((ask(&mut sockets, four), ask(&mut sockets, six)), (REFUSED, REFUSED));
            assert_eq!(sockets.open, 1, "what is spare makes room");
        }
    }

    #[test]
    fn what_stays_silent_is_closed_and_never_taken_for_an_answer() {
        // A queue of one that is full: the kernel drops what comes then.
        let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        listener.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        listener.listen(0).unwrap();
        let full = listener.local_addr().unwrap().as_socket().unwrap();
        let mut sockets = Sockets::new(16).unwrap();
        assert_eq!(ask(&mut sockets, closed(Ipv4Addr::LOCALHOST.into())), REFUSED);
        let mut events = Vec::with_capacity(64);
        // What nobody takes out of the queue stays there, reset or not.
        let silent = (0..8).find_map(|_| {
            let slot = sockets.connect(full, None).unwrap();
            sockets.wait(Duration::from_millis(200), &mut events).unwrap();
            let answer = sockets.read(slot);
            assert!(matches!(answer, None | Some(OPEN)), "{answer:?}");
            answer.is_none().then_some(slot)
        });
        let silent = silent.expect("the queue is never full");
        assert!(matches!(sockets.read_late(silent), Some(Answer::Silent(_))));
        assert_eq!((sockets.read(silent), sockets.open), (None, 0));
        assert_eq!(ask(&mut sockets, closed(Ipv4Addr::LOCALHOST.into())), REFUSED);
    }
}
