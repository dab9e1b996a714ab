//! Answers written by the specifications, and hostile ones.

use bartizan_domain::evidence::ServiceEvidence;
use proptest::prelude::*;

use super::reader;
use crate::ports::udp::requests;

/// What the reader of a service makes of an answer to our own request.
fn read(service: &str, answer: impl FnOnce(&[u8]) -> Vec<u8>) -> Option<ServiceEvidence> {
    let request = requests().iter().rfind(|request| request.service == service).unwrap();
    reader(service).unwrap()(&request.payload, &answer(&request.payload))
}

fn banner(service: &str, answer: &[u8]) -> String {
    let found = read(service, |_| answer.to_vec()).unwrap_or_else(|| panic!("{service}: {answer:?}"));
    assert_eq!(found.service.as_deref(), Some(service));
    found.banner.unwrap_or_default()
}

/// Answers written by the specifications, each with a word of what is made of it.
#[test]
fn answers_are_read() {
    let text = |text: &str| text.as_bytes().to_vec();
    assert_eq!(banner("tftp", b"\0\x05\0\x01File not found\0"), "File not found");
    assert_eq!(banner("daytime", b"Sun Nov 22 10:11:12 2026\r\n"), "Sun Nov 22 10:11:12 2026");
    assert_eq!(banner("rip", &[&[2, 2, 0, 0][..], &[0; 20]].concat()), "version 2");
    assert_eq!(banner("nat-pmp", &[0, 128, 0, 0, 0, 0, 0, 9, 192, 0, 2, 7]), "external address 192.0.2.7");
    assert_eq!(banner("mgcp", b"500 1 unknown endpoint\r\n"), "500 1 unknown endpoint");
    assert_eq!(banner("source-engine", b"\xff\xff\xff\xffI\x11a server\0map\0"), "a server");
    assert_eq!(banner("xdmcp", b"\0\x01\0\x05\0\x0b\0\0\0\x04host\0\x01x"), "willing: host x");
    assert_eq!(banner("gtp-c", &[0x40, 2, 0, 9, 0, 0, 1, 0, 3, 0, 1, 0, 0]), "GTP version 2");
    let mut channel = vec![6, 0, 0xff, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0x81, 0x1c, 0x63, 0x20, 0, 0x38, 0, 1];
    channel.extend([0x94, 0x04, 2, 0, 0, 0, 0, 0]);
    assert_eq!(banner("ipmi", &channel), "IPMI 2.0, MD5, passwords, users with names");

    let sip = text("SIP/2.0 200 OK\r\nVia: x\r\nServer: kamailio (5.6.3 (x86_64/linux))\r\n\r\n");
    let found = read("sip", |_| sip).unwrap();
    assert_eq!((found.product.as_deref(), found.version.as_deref()), (Some("Kamailio"), Some("5.6.3")));
    let ssdp = text("HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nSERVER: Linux/5.10 UPnP/1.1 MiniUPnPd/2.3.1\r\n\r\n");
    let found = read("ssdp", |_| ssdp).unwrap();
    assert_eq!((found.product.as_deref(), found.version.as_deref()), (Some("MiniUPnPd"), Some("2.3.1")));
    let sql = b"\x05\x58\x00ServerName;DB1;InstanceName;MSSQLSERVER;IsClustered;No;Version;15.0.2000.5;tcp;1433;;____";
    let found = read("ms-sql-m", |_| sql.to_vec()).unwrap();
    assert_eq!((found.product.as_deref(), found.version), (Some("Microsoft SQL Server"), None));
    let found = read("mumble", |request| [&[0, 1, 4, 31], &request[4..12], &[0; 12]].concat());
    assert_eq!(found.unwrap().version.as_deref(), Some("1.4.31"));

    let quic =
        |request: &[u8]| [&[0x80, 0, 0, 0, 0, 0, 8], &request[6..14], &[0, 0, 0, 1, 0x1a, 0x2a, 0x3a, 0x4a]].concat();
    assert_eq!(read("quic", quic).unwrap().banner.as_deref(), Some("versions 1"));
    let refused = |request: &[u8]| {
        // The last request of the file is that of port 4500, with four zeroes before it.
        let mut answer = request[..32].to_vec();
        // No next payload, and the mark of an answer.
        (answer[20], answer[23]) = (0, 0x20);
        answer
    };
    assert_eq!(read("ike", refused).unwrap().banner.as_deref(), Some("IKEv2"));
}

#[test]
fn numbers_of_ours_are_repeated() {
    let replied = |request: &[u8]| [&request[..4], &[0, 0, 0, 1], &[0; 16]].concat();
    for service in ["rpcbind", "nfs"] {
        assert!(read(service, replied).is_some(), "{service}");
        assert!(
            read(service, |_| [&[9; 4][..], &[0, 0, 0, 1], &[0; 16]].concat()).is_none(),
            "{service}: a stranger's"
        );
    }
    assert!(read("coap", |request| vec![0x70, 0, request[2], request[3]]).is_some());
    assert!(read("coap", |_| vec![0x70, 0, 1, 2]).is_none());
    let accepted = |request: &[u8]| [&[2, request[1], 0, 20][..], &[7; 16]].concat();
    assert!(read("radius", accepted).is_some());
    let bound = |request: &[u8]| [&[1, 1, 0, 0], &request[4..20]].concat();
    assert!(read("stun", bound).is_some());
    assert!(read("bittorrent-dht", |_| b"d1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t2:bz1:y1:re".to_vec()).is_some());
    let verify = |_: &[u8]| {
        let handshake = [3, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 5, 0xfe, 0xff, 2, 7, 7];
        [&[22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17][..], &handshake].concat()
    };
    assert!(read("dtls", verify).is_some());
    assert!(read("kerberos", |_| vec![0x7e, 12, 0x30, 10, 0xa0, 3, 2, 1, 5, 0xa1, 3, 2, 1, 30]).is_some());
    let vendor = b"\x81\x0a\0\x18\x01\0\x30\x62\x0c\x0c\x02\0\0\x01\x19\x79\x3e\x75\x04\0ACM\x3f";
    assert_eq!(banner("bacnet", vendor), "ACM");
}

#[test]
fn every_request_of_the_file_has_a_reader_and_none_takes_an_echo() {
    for request in requests() {
        // Those of the first five are with the questions of `udp`.
        if matches!(request.service.as_str(), "dns" | "ntp" | "openvpn") {
            continue;
        }
        let reader = reader(&request.service).unwrap_or_else(|| panic!("nobody reads {}", request.service));
        let echoed = reader(&request.payload, &request.payload);
        assert_eq!(echoed.is_some(), request.service == "echo", "{}", request.service);
        assert!(reader(&request.payload, &[]).is_none(), "{}", request.service);
    }
}

proptest! {
    #[test]
    fn hostile_answers_break_nothing(
        bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0_usize..64, flip in 0_usize..64,
    ) {
        for request in requests() {
            let Some(reader) = reader(&request.service) else { continue };
            let _ = reader(&request.payload, &bytes);
            let mut answer = request.payload.get(..cut).unwrap_or_default().to_vec();
            answer.extend(&bytes);
            let _ = reader(&request.payload, &answer);
            // As an answer begins that repeats our numbers.
            let mut near = request.payload.clone();
            if let Some(byte) = near.get_mut(flip) {
                *byte ^= bytes.first().copied().unwrap_or(1);
            }
            let _ = reader(&request.payload, &near);
        }
    }
}
