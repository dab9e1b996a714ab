//! Names of services by their usual port, for readers that expect one for each open port. They say what a port is registered
//! for (IANA, service name and port number registry), not what was seen there.

use bartizan_domain::Transport;

/// Ports of TCP and, where the second part says so, of UDP.
const NAMES: [(u16, &str, On); 125] = [
    (7, "echo", Both),
    (9, "discard", Both),
    (13, "daytime", Both),
    (17, "qotd", Both),
    (19, "chargen", Both),
    (21, "ftp", Tcp),
    (22, "ssh", Tcp),
    (23, "telnet", Tcp),
    (25, "smtp", Tcp),
    (37, "time", Both),
    (43, "whois", Tcp),
    (49, "tacacs", Both),
    (53, "domain", Both),
    (67, "dhcps", Udp),
    (68, "dhcpc", Udp),
    (69, "tftp", Udp),
    (70, "gopher", Tcp),
    (79, "finger", Tcp),
    (80, "http", Tcp),
    (88, "kerberos-sec", Both),
    (102, "iso-tsap", Tcp),
    (110, "pop3", Tcp),
    (111, "rpcbind", Both),
    (113, "ident", Tcp),
    (119, "nntp", Tcp),
    (123, "ntp", Udp),
    (135, "msrpc", Both),
    (137, "netbios-ns", Both),
    (138, "netbios-dgm", Udp),
    (139, "netbios-ssn", Tcp),
    (143, "imap", Tcp),
    (161, "snmp", Udp),
    (162, "snmptrap", Udp),
    (177, "xdmcp", Udp),
    (179, "bgp", Tcp),
    (194, "irc", Tcp),
    (389, "ldap", Both),
    (427, "svrloc", Both),
    (443, "https", Both),
    (445, "microsoft-ds", Tcp),
    (464, "kpasswd5", Both),
    (465, "smtps", Tcp),
    (500, "isakmp", Udp),
    (502, "mbap", Tcp),
    (512, "exec", Tcp),
    (513, "login", Tcp),
    (514, "shell", Tcp),
    (514, "syslog", Udp),
    (515, "printer", Tcp),
    (520, "route", Udp),
    (521, "ripng", Udp),
    (523, "ibm-db2", Both),
    (540, "uucp", Tcp),
    (543, "klogin", Tcp),
    (544, "kshell", Tcp),
    (546, "dhcpv6-client", Udp),
    (547, "dhcpv6-server", Udp),
    (548, "afp", Tcp),
    (554, "rtsp", Tcp),
    (563, "snews", Tcp),
    (587, "submission", Tcp),
    (593, "http-rpc-epmap", Tcp),
    (623, "asf-rmcp", Udp),
    (631, "ipp", Tcp),
    (636, "ldapssl", Tcp),
    (646, "ldp", Tcp),
    (853, "domain-s", Tcp),
    (873, "rsync", Tcp),
    (989, "ftps-data", Tcp),
    (990, "ftps", Tcp),
    (992, "telnets", Tcp),
    (993, "imaps", Tcp),
    (995, "pop3s", Tcp),
    (1080, "socks", Tcp),
    (1194, "openvpn", Both),
    (1433, "ms-sql-s", Tcp),
    (1434, "ms-sql-m", Udp),
    (1521, "oracle", Tcp),
    (1645, "radius", Udp),
    (1646, "radacct", Udp),
    (1701, "L2TP", Udp),
    (1720, "h323q931", Tcp),
    (1723, "pptp", Tcp),
    (1812, "radius", Udp),
    (1813, "radacct", Udp),
    (1883, "mqtt", Tcp),
    (1900, "upnp", Udp),
    (2049, "nfs", Both),
    (2123, "gtpc", Udp),
    (2152, "gtpu", Udp),
    (2181, "eforward", Tcp),
    (2375, "docker", Tcp),
    (2376, "docker-s", Tcp),
    (2379, "etcd-client", Tcp),
    (3128, "squid-http", Tcp),
    (3260, "iscsi", Tcp),
    (3268, "globalcatLDAP", Tcp),
    (3269, "globalcatLDAPssl", Tcp),
    (3306, "mysql", Tcp),
    (3389, "ms-wbt-server", Both),
    (3478, "stun", Both),
    (3702, "ws-discovery", Udp),
    (4500, "nat-t-ike", Udp),
    (5060, "sip", Both),
    (5061, "sip-tls", Tcp),
    (5222, "xmpp-client", Tcp),
    (5269, "xmpp-server", Tcp),
    (5353, "zeroconf", Udp),
    (5432, "postgresql", Tcp),
    (5671, "amqps", Tcp),
    (5672, "amqp", Tcp),
    (5683, "coap", Udp),
    (5900, "vnc", Tcp),
    (5985, "wsman", Tcp),
    (5986, "wsmans", Tcp),
    (6000, "X11", Tcp),
    (6379, "redis", Tcp),
    (6443, "sun-sr-https", Tcp),
    (8080, "http-proxy", Tcp),
    (8443, "https-alt", Tcp),
    (8883, "secure-mqtt", Tcp),
    (9100, "jetdirect", Tcp),
    (11211, "memcache", Both),
    (27017, "mongod", Tcp),
    (47808, "bacnet", Udp),
];

/// Names that people, and our own results, use for services registered under another one.
const ALIASES: [(&str, &str); 9] = [
    ("dns", "domain"),
    ("kerberos", "kerberos-sec"),
    ("ldaps", "ldapssl"),
    ("memcached", "memcache"),
    ("mongodb", "mongod"),
    ("postgres", "postgresql"),
    ("rdp", "ms-wbt-server"),
    ("smb", "microsoft-ds"),
    ("winrm", "wsman"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    Tcp,
    Udp,
    Both,
}
use On::{Both, Tcp, Udp};

/// The service that a port is registered for.
pub(super) fn registered(protocol: Transport, port: u16) -> Option<&'static str> {
    let fits = |on: On| match protocol {
        Transport::Udp => on != Tcp,
        Transport::Tcp => on != Udp,
    };
    NAMES.iter().find(|(number, _, on)| *number == port && fits(*on)).map(|(_, name, _)| *name)
}

/// The ports that a service is registered for, by its name or a pattern of names: `*` stands for any characters, `?` for
/// one. Capitals and small letters are the same.
#[must_use]
pub fn ports_of_service(protocol: Transport, pattern: &str) -> Vec<u16> {
    let pattern = pattern.to_ascii_lowercase();
    let pattern = ALIASES.iter().find(|(alias, _)| *alias == pattern).map_or(pattern.as_str(), |(_, name)| name);
    let fits = |on: On| match protocol {
        Transport::Udp => on != Tcp,
        Transport::Tcp => on != Udp,
    };
    let named = NAMES.iter().filter(|(_, name, on)| fits(*on) && is_like(&name.to_ascii_lowercase(), pattern));
    named.map(|(port, ..)| *port).collect()
}

/// Whether a name fits a pattern.
fn is_like(name: &str, pattern: &str) -> bool {
    let (name, pattern) = (name.as_bytes(), pattern.as_bytes());
    let (mut at, mut of) = (0, 0);
    // Where the last `*` was, and how much of the name it took.
    let mut star: Option<(usize, usize)> = None;
    while at < name.len() {
        match (pattern.get(of), star) {
            (Some(b'*'), _) => {
                star = Some((of, at));
                of += 1;
            }
            (Some(c), _) if *c == b'?' || Some(c) == name.get(at) => {
                at += 1;
                of += 1;
            }
            (_, Some((begin, taken))) => {
                star = Some((begin, taken + 1));
                (of, at) = (begin + 1, taken + 1);
            }
            _ => return false,
        }
    }
    pattern.get(of..).unwrap_or_default().iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_found_by_name_by_pattern_and_by_the_name_that_we_report() {
        let tcp = |pattern: &str| ports_of_service(Transport::Tcp, pattern);
        assert_eq!((tcp("http"), tcp("HTTPS"), tcp("ssh")), (vec![80], vec![443], vec![22]));
        assert_eq!(tcp("imap*"), [143, 993]);
        assert_eq!(tcp("ftp?"), [990]);
        assert_eq!(tcp("*ftp*"), [21, 989, 990]);
        assert_eq!((tcp("dns"), tcp("rdp"), tcp("smb")), (vec![53], vec![3389], vec![445]));
        assert_eq!(ports_of_service(Transport::Udp, "snmp*"), [161, 162]);
        assert_eq!(ports_of_service(Transport::Udp, "radius"), [1645, 1812]);
        assert!(tcp("snmp").is_empty() && tcp("no-such-service").is_empty() && tcp("").is_empty());
        for (alias, name) in ALIASES {
            assert!(NAMES.iter().any(|(_, known, _)| *known == name), "{alias}");
            assert!(NAMES.iter().all(|(_, known, _)| *known != alias), "{alias}");
        }
    }
}
