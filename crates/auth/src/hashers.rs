//! Threads that compute password hashes and nothing else.
//!
//! They have a low priority: in a storm of sign-ins, other requests of the same process come first. The runtime's
//! blocking pool would not do: on Linux a thread cannot take back a lower priority, and a hash's memory, allocated on
//! ever other threads, leaves a heap behind on each.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// Hashes computed at once, at most: each takes 19 MiB.
const MOST_THREADS: usize = 4;

/// What the scheduler is told, of 0 (as everybody) to 19. At 10 a thread gets a tenth of what others of the process get
/// while they want it all.
const NICENESS: i32 = 10;

type Work = Box<dyn FnOnce() + Send>;

/// Why work was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    /// As many as may are waiting already.
    Full,
    /// The work panicked, or there are no threads.
    Lost,
}

/// Threads and their queue. Clones share both; the threads end with the last clone.
#[derive(Debug, Clone)]
pub struct Hashers {
    queue: Sender<Work>,
    inside: Arc<AtomicUsize>,
    most_inside: usize,
}

impl Hashers {
    /// Half as many threads as there are processors, and room for `waiting` callers beside those that are served.
    pub fn new(waiting: usize) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with_threads((processors / 2).clamp(1, MOST_THREADS), waiting)
    }

    fn with_threads(threads: usize, waiting: usize) -> Self {
        let (queue, work) = channel();
        let work = Arc::new(Mutex::new(work));
        for number in 1..=threads {
            let work = Arc::clone(&work);
            let thread = std::thread::Builder::new().name(format!("password-{number}"));
            if let Err(error) = thread.spawn(move || serve(&work)) {
                tracing::error!(%error, "a thread for password hashes did not start");
            }
        }
        Self { queue, inside: Arc::default(), most_inside: threads + waiting }
    }

    /// Waits for a thread and for what it makes of `work`. If the caller goes away before a thread has begun, the work
    /// is dropped; afterwards it goes on to its end, in its place.
    ///
    /// # Errors
    /// [`Undone::Full`], or [`Undone::Lost`] if the work panicked.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Undone> {
        let place = Place::take(&self.inside, self.most_inside).ok_or(Undone::Full)?;
        let (done, result) = oneshot::channel();
        let work = move || {
            let _place = place;
            if !done.is_closed() {
                // Nobody may be left to hear of it.
                let _ = done.send(work());
            }
        };
        self.queue.send(Box::new(work)).map_err(|_| Undone::Lost)?;
        result.await.map_err(|_| Undone::Lost)
    }
}

fn serve(work: &Mutex<Receiver<Work>>) {
    // Where this is refused, hashes are as important as everything else.
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "password hashes run at normal priority");
    }
    loop {
        let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(next) = next else { return };
        // The caller hears of a panic by the end of its channel; the thread serves on.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(next));
    }
}

/// A place in the queue or at a thread, given back on drop.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(inside: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let place = Self(Arc::clone(inside));
        (inside.fetch_add(1, Ordering::Relaxed) < most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_queue_is_bounded_and_gives_places_back() {
        let hashers = Hashers::with_threads(2, 3);
        let (go, held) = std::sync::mpsc::sync_channel::<()>(0);
        let held = Arc::new(Mutex::new(held));
        let tasks: Vec<_> = (0..5)
            .map(|number| {
                let (hashers, held) = (hashers.clone(), Arc::clone(&held));
                tokio::spawn(async move {
                    let wait = move || held.lock().unwrap().recv().map(|()| number);
                    hashers.run(wait).await
                })
            })
            .collect();
        while hashers.inside.load(Ordering::Relaxed) < 5 {
            tokio::task::yield_now().await;
        }
        assert_eq!(hashers.run(|| ()).await, Err(Undone::Full));
        for _ in 0..5 {
            go.send(()).unwrap();
        }
        for (number, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), Ok(Ok(number)));
        }
        assert_eq!(hashers.run(|| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn a_panic_takes_neither_the_thread_nor_the_place() {
        let hashers = Hashers::with_threads(1, 0);
        let lost: Result<(), Undone> = hashers.run(|| panic!("on purpose")).await;
        assert_eq!(lost, Err(Undone::Lost));
        while hashers.inside.load(Ordering::Relaxed) > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(hashers.run(|| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn work_whose_caller_went_away_is_not_begun() {
        let hashers = Hashers::with_threads(1, 2);
        let (go, held) = channel::<()>();
        let first = tokio::spawn({
            let hashers = hashers.clone();
            async move { hashers.run(move || held.recv()).await }
        });
        while hashers.inside.load(Ordering::Relaxed) < 1 {
            tokio::task::yield_now().await;
        }
        let begun = Arc::new(AtomicUsize::new(0));
        let second = tokio::spawn({
            let (hashers, begun) = (hashers.clone(), Arc::clone(&begun));
            async move { hashers.run(move || begun.fetch_add(1, Ordering::Relaxed)).await }
        });
        while hashers.inside.load(Ordering::Relaxed) < 2 {
            tokio::task::yield_now().await;
        }
        second.abort();
        assert!(second.await.unwrap_err().is_cancelled());
        go.send(()).unwrap();
        assert!(first.await.unwrap().unwrap().is_ok());
        assert_eq!(hashers.run(|| ()).await, Ok(()));
        assert_eq!(begun.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn threads_are_nice_and_the_others_are_not() {
        let own = || rustix::process::getpriority_process(None).unwrap();
        let before = own();
        assert!(Hashers::new(1).run(own).await.unwrap() > before);
        assert_eq!(own(), before);
    }
}
