//! The only crate that opens connections to scan targets and user-given addresses.
//!
//! Every connection goes through [`Outbound::connect`] or [`Outbound::datagram`], which vet the *address* that is
//! really contacted (never a name that could resolve anew), bound the time and count the sockets in flight.
//! Cloud metadata services are refused whatever the settings say. Protocol clients (TLS, HTTP, DNS) in this crate
//! are built on these two functions and nothing else.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod dns;
pub mod http;
pub mod names;
mod pace;
pub mod policy;
pub mod tls;
pub mod tls_legacy;
pub mod tls_reach;
pub mod tls_verified;
pub mod tls_wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bartizan_domain::evidence::{FailureKind, ProbeFailure};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use pace::{Ceilings, subnet_of};
pub use policy::{Policy, Purpose};

use pace::Pace;

/// Bounds of all outgoing traffic of one scan (or of the server's own fetches).
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which addresses may be contacted.
    pub policy: Policy,
    /// How long establishing a connection may take.
    pub connect_timeout: Duration,
    /// How long a whole exchange on one connection may take.
    pub exchange_timeout: Duration,
    /// Sockets open at the same time.
    pub max_sockets: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            connect_timeout: Duration::from_secs(5),
            exchange_timeout: Duration::from_secs(10),
            max_sockets: 100,
        }
    }
}

/// The way out. Cheap to clone; clones share the bounds.
#[derive(Debug, Clone)]
pub struct Outbound {
    settings: Arc<Settings>,
    sockets: Arc<Semaphore>,
    pace: Option<Arc<Pace>>,
    device: Option<Arc<str>>,
}

/// A vetted TCP connection. It gives its place among the sockets in flight back when dropped.
#[derive(Debug)]
pub struct Connection {
    /// The stream.
    pub stream: TcpStream,
    /// The address really contacted.
    pub peer: SocketAddr,
    permit: OwnedSemaphorePermit,
}

impl Connection {
    /// Splits off the permit, for clients that need to own the bare stream; keep it alive as long as the stream.
    pub fn into_parts(self) -> (TcpStream, OwnedSemaphorePermit) {
        (self.stream, self.permit)
    }
}

/// A vetted, connected UDP socket.
#[derive(Debug)]
pub struct Datagram {
    /// The socket, connected: answers of strangers are dropped by the kernel.
    pub socket: UdpSocket,
    _permit: OwnedSemaphorePermit,
}

impl Outbound {
    /// A way out within `settings`.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let sockets = Arc::new(Semaphore::new(settings.max_sockets.max(1)));
        Self { settings: Arc::new(settings), sockets, pace: None, device: None }
    }

    /// The same way out with targets contacted over the network device of this name alone, whatever the routes say
    /// (`SO_BINDTODEVICE`, which needs no privilege since Linux 5.7; elsewhere every contact fails as
    /// [`FailureKind::Local`]). Services that the operator configured are contacted as before.
    #[must_use]
    pub fn over(mut self, device: Option<&str>) -> Self {
        self.device = device.map(Arc::from);
        self
    }

    /// The same way out with ceilings on how fast connections and sockets to targets are opened. Clones share them.
    #[must_use]
    pub fn paced(mut self, ceilings: Ceilings) -> Self {
        self.pace = (ceilings != Ceilings::default()).then(|| Arc::new(Pace::new(ceilings)));
        self
    }

    /// Whether those who contact targets may have to wait for their turn.
    #[must_use]
    pub const fn is_paced(&self) -> bool {
        self.pace.is_some()
    }

    /// The bounds in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The same way out, sharing the bounds, for services that the operator configured: they may have private
    /// addresses whatever the policy for targets is. Metadata services stay refused.
    #[must_use]
    pub fn for_services(&self) -> Self {
        let settings = Settings { policy: Policy { allow_private: true }, ..(*self.settings).clone() };
        Self { settings: Arc::new(settings), sockets: Arc::clone(&self.sockets), pace: None, device: None }
    }

    /// Connects to `address`, after vetting it.
    ///
    /// # Errors
    /// [`FailureKind::Denied`] if the policy forbids the address, otherwise how the connection failed.
    pub async fn connect(&self, address: SocketAddr) -> Result<Connection, ProbeFailure> {
        self.connect_as(Purpose::Target, address).await
    }

    /// Connects to `address` as `purpose`, after vetting it for that.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_as(&self, purpose: Purpose, address: SocketAddr) -> Result<Connection, ProbeFailure> {
        self.settings.policy.vet_for(purpose, address)?;
        let permit = self.permit().await?;
        self.wait_for_turn(purpose, address).await;
        let attempt = async {
            let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            self.bind_to_device(purpose, &socket)?;
            socket.connect(address).await
        };
        let stream = tokio::time::timeout(self.settings.connect_timeout, attempt)
            .await
            .map_err(|_| {
                ProbeFailure::new(
                    FailureKind::Timeout,
                    format!("no answer from {address} within {:?}", self.settings.connect_timeout),
                )
            })?
            .map_err(|error| io_failure(&error, &format!("connecting to {address}")))?;
        // Latency matters more than packet count for probes; a failure only costs latency.
        let _ = stream.set_nodelay(true);
        Ok(Connection { stream, peer: address, permit })
    }

    /// A UDP socket connected to `address`, after vetting it.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn datagram(&self, address: SocketAddr) -> Result<Datagram, ProbeFailure> {
        self.datagram_as(Purpose::Target, address).await
    }

    /// A UDP socket connected to `address` as `purpose`, after vetting it for that.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn datagram_as(&self, purpose: Purpose, address: SocketAddr) -> Result<Datagram, ProbeFailure> {
        self.settings.policy.vet_for(purpose, address)?;
        let permit = self.permit().await?;
        self.wait_for_turn(purpose, address).await;
        let local: SocketAddr = if address.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
        let socket = UdpSocket::bind(local).await.map_err(|error| io_failure(&error, "opening a UDP socket"))?;
        self.bind_to_device(purpose, &socket).map_err(|error| io_failure(&error, "opening a UDP socket"))?;
        socket.connect(address).await.map_err(|error| io_failure(&error, &format!("connecting to {address}")))?;
        Ok(Datagram { socket, _permit: permit })
    }

    /// A UDP socket that takes datagrams from anybody, for protocols that answer from another port; what it takes is for
    /// the caller to vet. `address` is who will be sent to.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn open_datagram(&self, address: SocketAddr) -> Result<Datagram, ProbeFailure> {
        self.settings.policy.vet_for(Purpose::Target, address)?;
        let permit = self.permit().await?;
        self.turn(address).await;
        let local: SocketAddr = if address.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
        let socket = UdpSocket::bind(local).await.map_err(|error| io_failure(&error, "opening a UDP socket"))?;
        self.bind_to_device(Purpose::Target, &socket).map_err(|error| io_failure(&error, "opening a UDP socket"))?;
        Ok(Datagram { socket, _permit: permit })
    }

    /// Waits until `address` may be sent another datagram on a socket that is open already.
    pub async fn turn(&self, address: SocketAddr) {
        self.wait_for_turn(Purpose::Target, address).await;
    }

    /// Sees to it that what is sent to a target leaves over the device that was chosen.
    fn bind_to_device<S>(&self, purpose: Purpose, socket: &S) -> std::io::Result<()>
    where
        for<'s> socket2::SockRef<'s>: From<&'s S>,
    {
        match (&self.device, purpose) {
            #[cfg(target_os = "linux")]
            (Some(device), Purpose::Target) => {
                let bound = socket2::SockRef::from(socket).bind_device(Some(device.as_bytes()));
                bound.map_err(|error| std::io::Error::other(format!("{device}: {error}")))
            }
            #[cfg(not(target_os = "linux"))]
            (Some(_), Purpose::Target) => Err(std::io::ErrorKind::Unsupported.into()),
            _ => Ok(()),
        }
    }

    async fn wait_for_turn(&self, purpose: Purpose, address: SocketAddr) {
        if let (Some(pace), Purpose::Target) = (&self.pace, purpose) {
            pace.turn(address.ip()).await;
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, ProbeFailure> {
        Arc::clone(&self.sockets)
            .acquire_owned()
            .await
            .map_err(|_| ProbeFailure::new(FailureKind::Cancelled, "the scan was cancelled"))
    }
}

/// Translates an I/O error into the failure a check can reason about. Local trouble stays apart from what the peer
/// did, so that a full descriptor table never looks like a closed port.
#[must_use]
pub fn io_failure(error: &std::io::Error, doing: &str) -> ProbeFailure {
    use std::io::ErrorKind;
    let kind = match error.kind() {
        ErrorKind::ConnectionRefused => FailureKind::Refused,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => FailureKind::Reset,
        ErrorKind::TimedOut => FailureKind::Timeout,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => FailureKind::Unreachable,
        ErrorKind::InvalidData => FailureKind::Protocol,
        _ => FailureKind::Local,
    };
    ProbeFailure::new(kind, format!("{doing}: {error}"))
}
