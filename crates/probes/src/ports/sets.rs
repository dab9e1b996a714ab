//! Named sets of ports, from `content/ports/`.

use std::collections::HashSet;
use std::sync::OnceLock;

use bartizan_catalog::Catalog;
use bartizan_domain::PortSet;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TcpFile {
    group: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[expect(dead_code, reason = "for the reader of the file")]
    name: String,
    ports: String,
    #[expect(dead_code, reason = "for the reader of the file")]
    reason: String,
}

/// A set of ports by its notation: `top:N` (the first N of `content/ports/tcp.toml`), `all`, or a list such as
/// `22,80,8000-8100`.
///
/// # Errors
/// Names the value and the rule it breaks.
pub fn named_set(text: &str) -> Result<PortSet, String> {
    let text = text.trim();
    if text == "all" {
        return Ok(PortSet::all());
    }
    let Some(count) = text.strip_prefix("top:") else {
        return text.parse();
    };
    let ranked = ranked();
    match count.parse::<usize>() {
        Ok(count) if (1..=ranked.len()).contains(&count) => Ok(ranked.iter().take(count).copied().collect()),
        _ => Err(format!("bad port set `{text}`: `top:N` takes a number from 1 to {}", ranked.len())),
    }
}

/// The UDP ports of a full scan: those a request is known for and that are not rare.
#[must_use]
pub fn default_udp() -> PortSet {
    super::udp::requests().iter().filter(|request| !request.is_rare).map(|request| request.port).collect()
}

/// TCP ports in the order of the content file, each once.
fn ranked() -> &'static [u16] {
    static RANKED: OnceLock<Vec<u16>> = OnceLock::new();
    RANKED.get_or_init(|| match parse(Catalog::file("ports/tcp.toml").unwrap_or_default()) {
        Ok(ports) => ports,
        Err(error) => unreachable!("the embedded content is tested: {error}"),
    })
}

fn parse(text: &str) -> Result<Vec<u16>, String> {
    let file: TcpFile = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut seen = HashSet::new();
    let mut ports = Vec::new();
    for group in file.group {
        // Token by token: a parsed set would lose the order in which the file ranks them.
        for token in group.ports.split(',') {
            ports.extend(token.parse::<PortSet>()?.iter().filter(|port| seen.insert(*port)));
        }
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_lists_hold_what_they_promise() {
        let top100 = named_set("top:100").unwrap();
        let top1000 = named_set("top:1000").unwrap();
        assert_eq!((top100.len(), top1000.len()), (100, 1000));
        // Ports of the services that are met most and matter most; the smaller set has them, and the larger one also those
        // in `rare`. Not every service that is identified is usual enough for a list.
        let standard = "21,22,23,25,53,80,110,111,139,143,389,443,445,465,587,636,873,993,995,1433,1521,1883,2049,\
                        2375,2376,2379,3306,3389,5432,5671,5672,5900,5984,5985,6379,6443,8080,8443,8500,8883,9042,9092,\
                        9200,10250,11211,15672,27017";
        for port in standard.parse::<PortSet>().unwrap().iter() {
            assert!(top100.contains(port), "top:100 lacks {port}");
            assert!(top1000.contains(port), "top:1000 lacks {port}");
        }
        for rare in [512, 513, 514, 1080, 3128, 5060, 6000, 8123, 9100, 30000] {
            assert!(top1000.contains(rare), "top:1000 lacks {rare}");
        }
        assert!(default_udp().contains(53) && default_udp().contains(11_211));
    }

    /// A list is a beginning of every longer one, in ascending order and without repetitions, and each port of the file is
    /// there for a stated reason.
    #[test]
    fn lists_grow_by_whole_ports_and_every_group_says_why() {
        let ranked = ranked();
        assert_eq!(ranked.iter().collect::<HashSet<_>>().len(), ranked.len(), "a port twice");
        assert!(ranked.len() >= 1000 && !ranked.contains(&0));
        for count in [1, 7, 100, 999, 1000, ranked.len()] {
            let set = named_set(&format!("top:{count}")).unwrap();
            let ports: Vec<u16> = set.iter().collect();
            assert_eq!(ports.len(), count);
            assert!(ports.is_sorted_by(|a, b| a < b), "top:{count}");
            assert!(ranked[..count].iter().all(|port| set.contains(*port)));
        }
        let text = Catalog::file("ports/tcp.toml").unwrap();
        let file: toml::Table = toml::from_str(text).unwrap();
        let mut names = HashSet::new();
        for group in file["group"].as_array().unwrap() {
            let field = |name: &str| group[name].as_str().unwrap().trim();
            assert!(names.insert(field("name")), "{} twice", field("name"));
            assert!(field("reason").len() >= 20, "{} gives no reason", field("name"));
            let ports: Vec<u16> = field("ports")
                .split(',')
                .flat_map(|token| token.parse::<PortSet>().unwrap().iter().collect::<Vec<_>>())
                .collect();
            assert_eq!(ports.iter().collect::<HashSet<_>>().len(), ports.len(), "{} names a port twice", field("name"));
        }
        let udp: toml::Table = toml::from_str(Catalog::file("ports/udp.toml").unwrap()).unwrap();
        let udp = udp["probe"].as_array().unwrap();
        assert!(udp.iter().all(|probe| probe["reason"].as_str().unwrap().len() >= 10));
        let asked: HashSet<_> =
            udp.iter().map(|probe| (&probe["port"], &probe["payload"])).map(|p| format!("{p:?}")).collect();
        assert_eq!(udp.len(), asked.len(), "a request twice");
        assert!((25..=40).contains(&default_udp().len()), "{}", default_udp());
    }

    #[test]
    fn bad_names_say_what_is_allowed() {
        for text in ["top:0", "top:99999", "top:x", "top:"] {
            let error = named_set(text).unwrap_err();
            assert!(error.contains(text) && error.contains("from 1 to"), "{error}");
        }
        assert_eq!(named_set("all").unwrap().len(), 65_535);
        assert_eq!(named_set("22, 80-81").unwrap().to_string(), "22,80-81");
    }
}
