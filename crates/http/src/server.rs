//! Connections: how many there may be, how long a client may take to say what it wants, and which address it has.
//!
//! A client that sends nothing, or a byte now and then, holds a descriptor and no more, and only for a while; one address
//! cannot take the connections of all others. What is answered on a connection is the router's business.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::Request;
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::limits::address_key;
use crate::proxies::TrustedProxies;

/// How long accepting rests when the system has no more descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Bytes of a request's head, which are buffered for each connection.
const HEAD: usize = 64 * 1024;

/// What connections may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections at once. Further ones wait to be accepted.
    pub most: usize,
    /// Connections at once of one address (an IPv6 network of 64 bits counts as one). Further ones are closed. Trusted
    /// proxies have no such limit.
    pub per_address: usize,
    /// How long a client may take for the head of a request, and how long a connection may wait for its next one.
    pub head: Duration,
    /// How long a client may take for the body of a request.
    pub body: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { most: 4096, per_address: 256, head: Duration::from_secs(10), body: Duration::from_secs(60) }
    }
}

/// Address of the client of a request, in its extensions: behind a trusted proxy, the one that the proxy names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    /// The address.
    pub address: IpAddr,
    /// Whether the client came over TLS, as far as a trusted proxy says.
    pub secure: bool,
}

/// Accepts and serves until `stop`, then lets requests in flight finish.
pub(crate) async fn run(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    proxies: TrustedProxies,
    stop: CancellationToken,
) {
    let server = Arc::new(Server { router, limits, proxies, taken: Mutex::default(), stop: stop.clone() });
    let slots = Arc::new(Semaphore::new(limits.most.max(1)));
    let open = TaskTracker::new();
    loop {
        let accepted = async {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                unreachable!("nobody closes the semaphore")
            };
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(place) = Place::take(&server, peer.ip()) {
                    open.spawn(Arc::clone(&server).connection(stream, peer, (slot, place)));
                }
            }
            // The client went away before it was its turn.
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "connections cannot be accepted for a moment");
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
    drop(listener);
    open.close();
    open.wait().await;
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

struct Server {
    router: Router,
    limits: ConnectionLimits,
    proxies: TrustedProxies,
    taken: Mutex<HashMap<IpAddr, usize>>,
    stop: CancellationToken,
}

impl Server {
    fn taken(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // Numbers are never half changed.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, held: (OwnedSemaphorePermit, Place)) {
        // Answers are small and wait for nothing; refused by the system it is only slower.
        let _ = stream.set_nodelay(true);
        let server = &self;
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(|body| Body::new(Timely::new(body, server.limits.body)));
            let client = server.proxies.client(peer.ip(), request.headers());
            request.extensions_mut().insert(client);
            let router = server.router.clone();
            async move {
                let answer: Result<_, Infallible> = router.oneshot(request).await;
                answer
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(server.limits.head)
            .max_buf_size(HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = server.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke off");
        }
        drop(held);
    }
}

/// A connection's place among those of its address.
struct Place {
    server: Arc<Server>,
    key: Option<IpAddr>,
}

impl Place {
    /// `None` if the address has all it may have.
    fn take(server: &Arc<Server>, peer: IpAddr) -> Option<Self> {
        if server.proxies.trusts(peer) {
            return Some(Self { server: Arc::clone(server), key: None });
        }
        let key = address_key(peer);
        let mut taken = server.taken();
        let count = taken.entry(key).or_insert(0);
        if *count >= server.limits.per_address {
            return None;
        }
        *count += 1;
        Some(Self { server: Arc::clone(server), key: Some(key) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        if let Entry::Occupied(mut entry) = self.server.taken().entry(key) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

/// The body of a request, which must have come by a certain time.
struct Timely {
    body: Incoming,
    deadline: Pin<Box<Sleep>>,
}

impl Timely {
    fn new(body: Incoming, time: Duration) -> Self {
        Self { body, deadline: Box::pin(tokio::time::sleep(time)) }
    }
}

impl HttpBody for Timely {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        match this.deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err("the body took too long to come".into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
