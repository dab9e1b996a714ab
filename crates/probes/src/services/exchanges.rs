//! Protocols whose servers wait for a first message that only their own clients send: databases, message brokers, Java,
//! telephony, remote administration, industry.
//!
//! A protocol here is a function that opens a connection, sends what a client of the protocol begins with and reads what
//! comes back; it is `None` for everything that is not an answer of just that protocol, an echo of the request included.
//! On which ports each is put first is content (`content/services/probes.toml`). [`EVERYWHERE`] are those that are also
//! put to a port that answered nothing else. Protocols of industrial controllers are never among them: they are spoken
//! on their own ports only, and no more than the one read that identifies the device.

use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};
use serde::Deserialize;

use super::signatures;
use super::wire::{Cursor, Dialer, Enough};

mod agents;
mod brokers;
mod databases;
mod developer;
mod http2;
mod industry;
mod java;
mod media;
mod remote;
mod storage;
mod trees;
mod windows;

/// A protocol of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    Adb,
    Ajp,
    Bolt,
    Cassandra,
    CheckMk,
    Clickhouse,
    Dnp3,
    Epmd,
    ErlangDistribution,
    EthernetIp,
    Git,
    Http2,
    Iec104,
    Irc,
    Iscsi,
    JavaRmi,
    Jdwp,
    Kafka,
    Kerberos,
    Lpd,
    Minecraft,
    Modbus,
    Msrpc,
    Mssql,
    NetbiosSession,
    Nfs,
    Nrpe,
    OpcUa,
    Openwire,
    Oracle,
    Pptp,
    Routeros,
    Rpcbind,
    Rtsp,
    S7,
    Sip,
    Socks5,
    Socks4,
    Stomp,
    ZabbixAgent,
    Zookeeper,
}

/// Put to a port that answered nothing else.
pub const EVERYWHERE: [Protocol; 24] = [
    Protocol::Mssql,
    Protocol::Oracle,
    Protocol::Msrpc,
    Protocol::Kafka,
    Protocol::Zookeeper,
    Protocol::Cassandra,
    Protocol::Clickhouse,
    Protocol::Bolt,
    Protocol::Stomp,
    Protocol::Epmd,
    Protocol::ErlangDistribution,
    Protocol::JavaRmi,
    Protocol::Jdwp,
    Protocol::Ajp,
    Protocol::Sip,
    Protocol::Rtsp,
    Protocol::Socks5,
    Protocol::Rpcbind,
    Protocol::Nfs,
    Protocol::ZabbixAgent,
    Protocol::Git,
    Protocol::Http2,
    Protocol::Minecraft,
    Protocol::Adb,
];

#[cfg(test)]
impl Protocol {
    /// Whether a port of this protocol belongs to industrial equipment, which is not to be asked in every language there is.
    pub const fn is_industrial(self) -> bool {
        matches!(self, Self::Dnp3 | Self::EthernetIp | Self::Iec104 | Self::Modbus | Self::OpcUa | Self::S7)
    }
}

/// Asks in one protocol; `None` if that is not what is spoken.
pub async fn ask(protocol: Protocol, dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    match protocol {
        Protocol::Adb => Box::pin(developer::adb(dialer)).await,
        Protocol::Ajp => Box::pin(java::ajp(dialer)).await,
        Protocol::Bolt => Box::pin(trees::bolt(dialer)).await,
        Protocol::Cassandra => Box::pin(databases::cassandra(dialer)).await,
        Protocol::CheckMk => Box::pin(agents::check_mk(dialer)).await,
        Protocol::Clickhouse => Box::pin(databases::clickhouse(dialer)).await,
        Protocol::Dnp3 => Box::pin(industry::dnp3(dialer)).await,
        Protocol::Epmd => Box::pin(brokers::epmd(dialer)).await,
        Protocol::ErlangDistribution => Box::pin(brokers::erlang(dialer)).await,
        Protocol::EthernetIp => Box::pin(industry::ethernet_ip(dialer)).await,
        Protocol::Git => Box::pin(developer::git(dialer)).await,
        Protocol::Http2 => Box::pin(http2::http2(dialer)).await,
        Protocol::Iec104 => Box::pin(industry::iec104(dialer)).await,
        Protocol::Irc => Box::pin(media::irc(dialer)).await,
        Protocol::Iscsi => Box::pin(storage::iscsi(dialer)).await,
        Protocol::JavaRmi => Box::pin(java::rmi(dialer)).await,
        Protocol::Jdwp => Box::pin(java::jdwp(dialer)).await,
        Protocol::Kafka => Box::pin(brokers::kafka(dialer)).await,
        Protocol::Kerberos => Box::pin(windows::kerberos(dialer)).await,
        Protocol::Lpd => Box::pin(storage::lpd(dialer)).await,
        Protocol::Minecraft => Box::pin(media::minecraft(dialer)).await,
        Protocol::Modbus => Box::pin(industry::modbus(dialer)).await,
        Protocol::Msrpc => Box::pin(windows::msrpc(dialer)).await,
        Protocol::Mssql => Box::pin(databases::mssql(dialer)).await,
        Protocol::NetbiosSession => Box::pin(windows::netbios_session(dialer)).await,
        Protocol::Nfs => Box::pin(storage::nfs(dialer)).await,
        Protocol::Nrpe => Box::pin(agents::nrpe(dialer)).await,
        Protocol::OpcUa => Box::pin(industry::opc_ua(dialer)).await,
        Protocol::Openwire => Box::pin(brokers::openwire(dialer)).await,
        Protocol::Oracle => Box::pin(databases::oracle(dialer)).await,
        Protocol::Pptp => Box::pin(remote::pptp(dialer)).await,
        Protocol::Routeros => Box::pin(remote::routeros(dialer)).await,
        Protocol::Rpcbind => Box::pin(storage::rpcbind(dialer)).await,
        Protocol::Rtsp => Box::pin(media::rtsp(dialer)).await,
        Protocol::S7 => Box::pin(industry::s7(dialer)).await,
        Protocol::Sip => Box::pin(media::sip(dialer)).await,
        Protocol::Socks4 => Box::pin(remote::socks4(dialer)).await,
        Protocol::Socks5 => Box::pin(remote::socks5(dialer)).await,
        Protocol::Stomp => Box::pin(brokers::stomp(dialer)).await,
        Protocol::ZabbixAgent => Box::pin(agents::zabbix(dialer)).await,
        Protocol::Zookeeper => Box::pin(trees::zookeeper(dialer)).await,
    }
}

/// Recognises a greeting of a protocol of this module whose server speaks first.
pub fn greeted(greeting: &[u8]) -> Option<ServiceEvidence> {
    brokers::openwire_greeting(greeting)
        .or_else(|| agents::check_mk_greeting(greeting))
        .or_else(|| media::irc_answer(greeting))
}

// --- What the protocols share

/// Enough when the peer has sent as many bytes as the beginning of the answer announces.
fn announced(length: impl Fn(&mut Cursor<'_>) -> Option<usize>) -> impl Fn(&[u8]) -> Enough {
    move |answer| Enough::when(length(&mut Cursor(answer)).is_some_and(|length| answer.len() >= length))
}

/// A length of four bytes, big-endian, that does not count itself.
fn length32(cursor: &mut Cursor<'_>) -> Option<usize> {
    usize::try_from(cursor.be32()?).ok()?.checked_add(4)
}

/// `body` behind its length in four bytes, big-endian.
fn with_length32(body: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(body.len()).unwrap_or_default().to_be_bytes().to_vec();
    out.extend_from_slice(body);
    out
}

/// Appends `text` behind its length in two bytes, big-endian.
fn push_text16(out: &mut Vec<u8>, text: &str) {
    out.extend(u16::try_from(text.len()).unwrap_or_default().to_be_bytes());
    out.extend(text.as_bytes());
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The part of `bytes` behind the first occurrence of `mark`.
fn behind<'b>(bytes: &'b [u8], mark: &[u8]) -> Option<&'b [u8]> {
    let at = bytes.windows(mark.len()).position(|window| window == mark)?;
    bytes.get(at + mark.len()..)
}

/// [`signatures::set`] for firmware and operating systems, whose CPE names begin with `o`.
pub(super) fn set_system(found: &mut ServiceEvidence, product: &str, version: Option<&str>, cpe: &str) {
    signatures::set(found, product, version, Some(cpe));
    found.cpe = found.cpe.take().map(|name| name.replacen("cpe:2.3:a:", "cpe:2.3:o:", 1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn industrial_protocols_are_not_tried_everywhere() {
        assert!(EVERYWHERE.iter().all(|protocol| !protocol.is_industrial()));
    }

    #[test]
    fn firmware_is_named_as_such() {
        let mut found = ServiceEvidence::default();
        set_system(&mut found, "RouterOS", Some("7.1"), "mikrotik:routeros");
        assert_eq!(found.cpe.as_deref(), Some("cpe:2.3:o:mikrotik:routeros:7.1:*:*:*:*:*:*:*"));
    }
}
