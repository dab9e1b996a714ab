//! A second thread that sends. Handing a packet to the kernel is nearly all that a question costs, and where the path takes as
//! many as it gets, one processor is busy with nothing else. So full batches go to a thread of their own while that has nothing
//! to do, and the sending thread makes the next ones, and sends them itself, meanwhile.
//!
//! The thread decides nothing: at the first refusal it hands its batch back as it is.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::out::Packets;
use crate::sys::packet::Sender;

/// A batch on its way to the kernel, or back.
pub struct Load {
    pub way: usize,
    pub packets: Packets,
    /// How many of them went out.
    pub sent: usize,
}

/// The sending thread's end.
pub struct Second {
    there: SyncSender<Load>,
    back: Receiver<Load>,
    /// What the next batch is written into while the thread has the other one; it has none to do while this is here.
    spare: Option<Packets>,
}

/// The end of the second thread.
pub struct Work {
    loads: Receiver<Load>,
    back: SyncSender<Load>,
}

/// Both ends.
pub fn pair() -> (Second, Work) {
    let (there, loads) = sync_channel(1);
    let (back_there, back) = sync_channel(1);
    (Second { there, back, spare: Some(Packets::new()) }, Work { loads, back: back_there })
}

impl Work {
    /// Sends what comes until the sending thread has gone.
    pub fn run(self, senders: &[Sender]) {
        for mut load in self.loads {
            if let Some(sender) = senders.get(load.way) {
                while let Ok(count @ 1..) = load.send(sender) {
                    load.sent += count;
                }
            }
            if self.back.send(load).is_err() {
                return;
            }
        }
    }
}

impl Load {
    fn send(&mut self, sender: &Sender) -> io::Result<usize> {
        self.packets.batch.send(sender, self.sent)
    }
}

impl Second {
    /// Gives the thread a batch unless it has one; an empty one takes its place.
    pub fn take(&mut self, way: usize, packets: &mut Packets) -> bool {
        let Some(spare) = self.spare.take() else { return false };
        let full = std::mem::replace(packets, spare);
        match self.there.send(Load { way, packets: full, sent: 0 }) {
            Ok(()) => true,
            // The thread has ended: everything goes out from here.
            Err(returned) => {
                *packets = returned.0.packets;
                false
            }
        }
    }

    /// The batch that the thread had, if it is done with it.
    pub fn done(&mut self) -> Option<Load> {
        self.back.try_recv().ok()
    }

    /// Waits for the batch that the thread has.
    pub fn wait(&mut self) -> Option<Load> {
        if self.spare.is_some() { None } else { self.back.recv().ok() }
    }

    /// An emptied batch, for the next one.
    pub fn give_back(&mut self, packets: Packets) {
        self.spare = Some(packets);
    }

    /// Whether the thread has a batch.
    pub const fn is_busy(&self) -> bool {
        self.spare.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::packet;
    use crate::sys::packet::Medium;

    fn full() -> Packets {
        let mut packets = Packets::new();
        while !packets.batch.is_full() {
            packets.batch.push([192, 0, 2, 1].into(), |buffer| {
                packet::arp_request(buffer, [2; 6], [192, 0, 2, 1].into(), [192, 0, 2, 2].into())
            });
        }
        packets
    }

    /// Needs CAP_NET_RAW.
    #[test]
    fn one_batch_at_a_time_goes_there_and_comes_back() {
        if crate::raw::may_run().is_err() {
            return;
        }
        let senders = [Sender::open(1, "lo", Medium::Ethernet).unwrap()];
        let (mut second, work) = pair();
        std::thread::scope(|scope| {
            scope.spawn(|| work.run(&senders));
            assert!(!second.is_busy() && second.wait().is_none());
            // The other way has no sender: what cannot be sent comes back as it is.
            for (way, sent) in [(0, 64), (1, 0), (0, 64)] {
                let mut packets = full();
                assert!(second.take(way, &mut packets));
                assert!(second.is_busy() && packets.batch.len() == 0, "an empty one is in its place");
                let mut another = full();
                assert!(!second.take(0, &mut another) && another.batch.is_full());
                let load = second.wait().unwrap();
                assert_eq!((load.way, load.sent, load.packets.batch.len()), (way, sent, 64));
                second.give_back(Packets::new());
                assert!(second.done().is_none());
            }
            drop(second);
        });
    }
}
