//! Names that are excluded: all their addresses, or no scan.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use super::common::{run, stderr, stdout};

/// What the resolver says of IPv6 addresses.
#[derive(Clone, Copy, Debug)]
enum Six {
    None,
    Failing,
    Alias,
}

/// A resolver that gives every name these IPv4 addresses.
fn resolver(addresses: Vec<Ipv4Addr>, six: Six) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            let query = &buffer[..length];
            let name_end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 1;
            let kind = u16::from_be_bytes([query[name_end], query[name_end + 1]]);
            let (code, answers): (u8, Vec<(u16, Vec<u8>)>) = match (kind, six) {
                (1, _) => (0, addresses.iter().map(|address| (1, address.octets().to_vec())).collect()),
                (_, Six::None) => (0, Vec::new()),
                (_, Six::Failing) => (2, Vec::new()),
                (_, Six::Alias) => (0, vec![(5, b"\x05other\x04test\0".to_vec())]),
            };
            let mut reply = query[..2].to_vec();
            reply.extend([0x81, 0x80 | code, 0, 1]);
            reply.extend(u16::try_from(answers.len()).unwrap().to_be_bytes());
            reply.extend([0; 4]);
            reply.extend(&query[12..name_end + 4]);
            for (kind, data) in answers {
                reply.extend([0xc0, 12]);
                reply.extend(kind.to_be_bytes());
                reply.extend([0, 1, 0, 0, 0, 60]);
                reply.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
                reply.extend(data);
            }
            socket.send_to(&reply, peer).unwrap();
        }
    });
    at
}

fn scan_without(resolver: SocketAddr, target: &str) -> std::process::Output {
    let resolver = resolver.to_string();
    run(&[
        "ports",
        target,
        "127.86.9.1",
        "-p",
        "1",
        "--exclude",
        "shop.example.com",
        "--resolver",
        &resolver,
        "-o",
        "csv",
    ])
}

#[test]
fn a_name_is_excluded_with_all_its_addresses_or_nothing_is_scanned() {
    let one = vec![Ipv4Addr::new(127, 86, 9, 9)];
    let output = scan_without(resolver(one.clone(), Six::None), "127.86.9.9");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stdout(&output).contains("127.86.9.9") && stdout(&output).contains("127.86.9.1"), "{}", stdout(&output));
    for six in [Six::Failing, Six::Alias] {
        let output = scan_without(resolver(one.clone(), six), "127.86.9.9");
        assert_eq!(output.status.code(), Some(2), "{six:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("`shop.example.com`"), "{six:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("nothing is scanned"), "{six:?}: {}", stderr(&output));
    }
}

#[test]
fn a_name_with_very_many_addresses_is_excluded_whole() {
    // More than a name that is scanned may have; as many as go into one datagram of this resolver.
    let many: Vec<Ipv4Addr> = (1..=70).map(|last| Ipv4Addr::new(127, 86, 9, last + 100)).collect();
    let at = resolver(many, Six::None);
    let output = scan_without(at, "127.86.9.100-175");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    for (last, scanned) in [(100, true), (101, false), (165, false), (170, false), (171, true)] {
        assert_eq!(text.contains(&format!("127.86.9.{last},")), scanned, "{last}: {text}");
    }
}
