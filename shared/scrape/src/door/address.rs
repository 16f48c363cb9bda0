//! Which IP addresses are globally reachable: our own table from the IANA special-purpose address
//! registries (RFC 6890 and its successors). Refuses whatever it has no reason to allow.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 blocks that nobody reaches over the internet, as (first address, prefix length).
///
/// Three are in no registry of their own kind: multicast, the block of protocol assignments as a
/// whole (its two anycast addresses host no pages), and Azure's host service, which answers to
/// every machine there under an address that looks public.
const REFUSED_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::UNSPECIFIED, 8),            // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private use
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // shared address space, and Alibaba's metadata
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's host service
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link local, and everybody's metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private use
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments, and Oracle's metadata
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays, withdrawn
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private use
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarking
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved
];

/// The only IPv6 block that is given out for global use.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// The blocks of [`GLOBAL_V6`] that are not reachable after all.
const REFUSED_V6: [(Ipv6Addr, u32); 4] = [
    // Protocol assignments: Teredo, benchmarking, ORCHID. No pages are hosted in any of them.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    // 6to4, withdrawn: it would carry us to whatever IPv4 address is written inside.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// The prefix under which a network's own NAT64 reaches the IPv4 internet (RFC 6052).
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Whether everybody reaches the same machine under `address`.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !REFUSED_V4.iter().any(|block| holds_v4(*block, address))
}

/// IPv4 addresses inside IPv6 ones are judged as what they are where a network really carries us
/// there: mapped, NAT64, ISATAP. The older ways of writing them (compatible, translated, the local
/// NAT64 prefix) lie outside of the global block, and 6to4 and Teredo are refused as a whole.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let inner = Ipv4Addr::from_bits(address.to_bits() as u32);
    if holds_v6(NAT64, address) {
        return is_public_v4(inner);
    }
    holds_v6(GLOBAL_V6, address)
        && !REFUSED_V6.iter().any(|block| holds_v6(*block, address))
        && (!is_isatap(address) || is_public_v4(inner))
}

/// Whether the last 64 bits are those of a tunnel to the IPv4 address in the last 32 (RFC 5214).
fn is_isatap(address: Ipv6Addr) -> bool {
    let [.., head, mark, _, _] = address.segments();
    // Two bits say how unique the identifier is; they may be anything.
    head & !0x0300 == 0 && mark == 0x5efe
}

fn holds_v4((first, length): (Ipv4Addr, u32), address: Ipv4Addr) -> bool {
    let differing = first.to_bits() ^ address.to_bits();
    differing.leading_zeros() >= length
}

fn holds_v6((first, length): (Ipv6Addr, u32), address: Ipv6Addr) -> bool {
    let differing = first.to_bits() ^ address.to_bits();
    differing.leading_zeros() >= length
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and last address of each block, and whether the neighbours before and after it are
    /// public.
    const EDGES: &[(&str, &str, bool, bool)] = &[
        ("0.0.0.0", "0.255.255.255", false, true),
        ("10.0.0.0", "10.255.255.255", true, true),
        ("100.64.0.0", "100.127.255.255", true, true),
        ("127.0.0.0", "127.255.255.255", true, true),
        ("168.63.129.16", "168.63.129.16", true, true),
        ("169.254.0.0", "169.254.255.255", true, true),
        ("172.16.0.0", "172.31.255.255", true, true),
        ("192.0.0.0", "192.0.0.255", true, true),
        ("192.0.2.0", "192.0.2.255", true, true),
        ("192.88.99.0", "192.88.99.255", true, true),
        ("192.168.0.0", "192.168.255.255", true, true),
        ("198.18.0.0", "198.19.255.255", true, true),
        ("198.51.100.0", "198.51.100.255", true, true),
        ("203.0.113.0", "203.0.113.255", true, true),
        ("224.0.0.0", "239.255.255.255", true, false),
        ("240.0.0.0", "255.255.255.255", false, false),
        // Everything before the global block, and everything after it.
        ("::", "::fffe:ffff:ffff", false, false),
        (
            "::1:0:0:0",
            "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff",
            false,
            false,
        ),
        (
            "64:ff9b:0:0:0:1::",
            "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            false,
            true,
        ),
        (
            "4000::",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            true,
            false,
        ),
        ("100::", "100::ffff:ffff:ffff:ffff", false, false),
        (
            "5f00::",
            "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            false,
            false,
        ),
        (
            "fc00::",
            "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            false,
            false,
        ),
        (
            "fe80::",
            "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            false,
            false,
        ),
        (
            "fec0::",
            "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            false,
            false,
        ),
        (
            "ff00::",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            false,
            false,
        ),
        // The holes in the global block.
        (
            "2001::",
            "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
            true,
            true,
        ),
        (
            "2001:db8::",
            "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
            true,
            true,
        ),
        (
            "2002::",
            "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            true,
            true,
        ),
        (
            "3fff::",
            "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
            true,
            true,
        ),
    ];

    fn neighbour(address: IpAddr, step: i8) -> Option<IpAddr> {
        let step = i128::from(step);
        Some(match address {
            IpAddr::V4(address) => {
                let bits = i128::from(address.to_bits()) + step;
                IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits).ok()?))
            }
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
                address.to_bits().checked_add_signed(step)?,
            )),
        })
    }

    #[test]
    fn every_block_is_refused_to_its_edges_and_no_further() {
        for (first, last, before, after) in EDGES {
            let [first, last]: [IpAddr; 2] = [first, last].map(|text| text.parse().unwrap());
            assert!(!is_public(first), "{first}");
            assert!(!is_public(last), "{last}");
            for (edge, step, expected) in [(first, -1, before), (last, 1, after)] {
                if let Some(outside) = neighbour(edge, step) {
                    assert_eq!(is_public(outside), *expected, "{outside}");
                }
            }
        }
    }

    #[test]
    fn ordinary_addresses_are_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "93.184.215.14",
            "192.31.196.1",
            "192.175.48.1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2620:4f:8000::1",
            "2a00:1450:4001:81b::200e",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2a00:1450::5efe:8.8.8.8",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_inner_address_is_judged_however_it_is_wrapped() {
        for inner in [
            "0.0.0.0",
            "10.0.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "168.63.129.16",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "192.0.0.192",
            "192.168.1.1",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            let inner: Ipv4Addr = inner.parse().unwrap();
            let [high, low] = [inner.to_bits() >> 16, inner.to_bits() & 0xffff];
            let [a, b, c, d] = inner.octets();
            for text in [
                format!("::ffff:{inner}"),
                format!("::{inner}"),
                format!("::ffff:0:{inner}"),
                format!("64:ff9b::{inner}"),
                format!("64:ff9b:1::{inner}"),
                format!(
                    "64:ff9b:1:{high:x}:{:x}:{:x}::",
                    low >> 8,
                    (low & 0xff) << 8
                ),
                format!("2002:{high:x}:{low:x}::1"),
                format!("2001:0:{high:x}:{low:x}::1"),
                format!(
                    "2001:0:4136:e378:8000:63bf:{:x}:{:x}",
                    !high & 0xffff,
                    !low & 0xffff
                ),
                format!("2a00:1450::5efe:{inner}"),
                format!("2a00:1450::200:5efe:{inner}"),
                format!("fe80::5efe:{a:02x}{b:02x}:{c:02x}{d:02x}"),
            ] {
                assert!(!is_public(text.parse().unwrap()), "{text}");
            }
        }
    }

    #[test]
    fn the_metadata_services_of_ipv6_are_refused() {
        for text in [
            "fd00:ec2::254",
            "fd00:ec2::253",
            "fd00:ec2::23",
            "fd20:ce::254",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }
}
