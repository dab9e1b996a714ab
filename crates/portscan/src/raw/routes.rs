//! Which way each target is reached, and which targets the raw engine can take.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;

use super::netlink::{Interface, Netlink, Route};
use crate::{Control, zone};

/// Ethernet, by its `ARPHRD_` number.
const ETHERNET: u16 = 1;
/// Devices without a link header: PPP, tunnels, raw IP, none.
const LAYER_3: [u16; 7] = [512, 519, 768, 769, 776, 778, 65534];

/// How one target is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By packets of our own over this interface.
    Raw {
        interface: u32,
        source: IpAddr,
        /// Who has to be resolved on an Ethernet, with its zone; `None` on a layer-3 device.
        next_hop: Option<IpAddr>,
    },
    /// It is this machine, or behind a device that the raw engine does not understand.
    Kernel,
    /// It belongs to no host: the broadcast address of a network, or a group.
    NoHost,
    /// There is no route.
    None,
}

/// The ways to all targets, in their order, and the interfaces they lead over.
#[derive(Debug)]
pub struct Routes {
    pub ways: Vec<Way>,
    /// For each target, whether a router is on the way.
    pub routed: Vec<bool>,
    /// Addresses that are reached over a device, and its index; in the order of the targets.
    pub devices: Vec<(IpAddr, u32)>,
    pub interfaces: HashMap<u32, Interface>,
}

/// Looks the ways up. `only` names the interface to use. When the run is cancelled the ways to the rest are missing: a few
/// million take a while.
pub fn look_up(targets: &[IpAddr], only: Option<&str>, control: &Control) -> io::Result<Option<Routes>> {
    let mut netlink = Netlink::open()?;
    let interfaces: HashMap<u32, Interface> =
        netlink.interfaces()?.into_iter().map(|interface| (interface.index, interface)).collect();
    let only = match only {
        None => None,
        Some(name) => match interfaces.values().find(|interface| interface.name == name && interface.is_up()) {
            Some(interface) => Some(interface.index),
            None => return Ok(None),
        },
    };
    let mut ways = Vec::with_capacity(targets.len());
    let (mut devices, mut routed) = (Vec::new(), Vec::with_capacity(targets.len()));
    for target in targets {
        if control.is_cancelled() {
            break;
        }
        let route = netlink.route(*target, only)?;
        if let Route::Out { interface, .. } = route {
            devices.push((*target, interface));
        }
        routed.push(matches!(route, Route::Out { gateway: Some(_), .. }));
        ways.push(way(*target, route, &interfaces));
    }
    Ok(Some(Routes { ways, routed, devices, interfaces }))
}

fn way(target: IpAddr, route: Route, interfaces: &HashMap<u32, Interface>) -> Way {
    match route {
        // The kernel says so itself when it is asked to send there.
        Route::Local | Route::Forbidden => Way::Kernel,
        Route::NoHost => Way::NoHost,
        Route::None => Way::None,
        Route::Out { interface, gateway, source } => {
            let Some(device) = interfaces.get(&interface) else { return Way::Kernel };
            let Some(source) = source.filter(|source| source.is_ipv4() == target.is_ipv4()) else { return Way::Kernel };
            if is_group(target) {
                Way::NoHost
            } else if device.is_loopback() {
                Way::Kernel
            } else if device.kind == ETHERNET && device.mac.is_some() && !device.resolves_nothing() {
                Way::Raw { interface, source, next_hop: Some(zone::within(gateway.unwrap_or(target), interface)) }
            } else if LAYER_3.contains(&device.kind) {
                Way::Raw { interface, source, next_hop: None }
            } else {
                Way::Kernel
            }
        }
    }
}

const fn is_group(target: IpAddr) -> bool {
    match target {
        IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_multicast(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_follow_the_kind_of_device() {
        let device = |index, kind, flags, mac| Interface { index, name: format!("i{index}"), kind, flags, mac };
        let interfaces: HashMap<u32, Interface> = [
            device(1, 772, 0x9, Some([0; 6])),
            device(2, 1, 1, Some([2; 6])),
            device(3, 65534, 1, None),
            device(4, 32, 1, None),
            device(5, 1, 0x81, Some([2; 6])),
        ]
        .into_iter()
        .map(|d| (d.index, d))
        .collect();
        let target: IpAddr = "192.0.2.9".parse().unwrap();
        let own: IpAddr = "192.0.2.1".parse().unwrap();
        let gate: IpAddr = "fe80::1".parse().unwrap();
        let out = |interface, gateway| Route::Out { interface, gateway, source: Some(own) };
        let raw = |interface, next_hop| Way::Raw { interface, source: own, next_hop };
        assert_eq!(way(target, out(1, None), &interfaces), Way::Kernel);
        assert_eq!(way(target, out(2, None), &interfaces), raw(2, Some(target)));
        assert_eq!(way(target, out(2, Some(gate)), &interfaces), raw(2, Some(zone::within(gate, 2))));
        assert_eq!(way(target, out(3, None), &interfaces), raw(3, None));
        assert_eq!(way(target, out(4, None), &interfaces), Way::Kernel);
        assert_eq!(way(target, out(5, None), &interfaces), Way::Kernel, "nobody to be resolved there");
        assert_eq!(way(target, Route::Local, &interfaces), Way::Kernel);
        assert_eq!(way(target, Route::Forbidden, &interfaces), Way::Kernel);
        assert_eq!(way(target, Route::None, &interfaces), Way::None);
        assert_eq!(way(target, Route::NoHost, &interfaces), Way::NoHost);
        assert_eq!(way("224.0.0.1".parse().unwrap(), out(2, None), &interfaces), Way::NoHost);
    }

    #[test]
    fn loopback_goes_through_the_kernel_and_an_unknown_interface_is_told() {
        let targets = ["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        let routes = look_up(&targets, None, &Control::new()).unwrap().unwrap();
        assert_eq!(routes.ways, [Way::Kernel, Way::Kernel]);
        assert!(look_up(&targets, Some("no-such-device"), &Control::new()).unwrap().is_none());
        let cancelled = Control::new();
        cancelled.cancel();
        assert_eq!(look_up(&targets, None, &cancelled).unwrap().unwrap().ways, []);
    }
}
