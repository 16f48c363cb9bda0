//! Name servers that lie: public addresses first and private ones later, or both at once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jobs::FailureCode;
use url::Url;

use super::site::{
    LOOPBACK, STAND_IN, Script, code, door, fetch, guarded, page, path, redirect, twins,
};
use crate::door::Targets;
use crate::door::guard::Guard;

/// Addresses that spoil a set, however they are dressed.
const PRIVATE: [IpAddr; 8] = [
    LOOPBACK,
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1)),
    IpAddr::V6(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0x7f00, 1)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

fn named(port: u16) -> Url {
    Url::parse(&format!("http://rebind.example:{port}/")).unwrap()
}

#[tokio::test]
async fn a_name_that_turns_private_is_refused_at_the_next_connection() {
    for private in PRIVATE {
        let (site, canary) = twins(|_| redirect(302, "/next")).await;
        let script = Script::new(&[&[STAND_IN], &[private]]);
        let door = guarded(&[&site], script.clone());
        let failure = code(&door, &named(site.port())).await;
        assert_eq!(failure, FailureCode::AddressRefused, "{private}");
        assert_eq!(
            (site.connections(), canary.connections()),
            (1, 0),
            "{private}"
        );
        assert_eq!(script.asked(), 2, "{private}");
    }
}

#[tokio::test]
async fn one_private_address_spoils_the_set_wherever_it_stands() {
    let (site, canary) = twins(|_| page("public")).await;
    for private in PRIVATE {
        for set in [
            &[private][..],
            &[private, STAND_IN],
            &[STAND_IN, private],
            &[STAND_IN, STAND_IN, private, STAND_IN],
        ] {
            let door = guarded(&[&site], Script::new(&[set]));
            let failure = fetch(&door, &named(site.port())).await.unwrap_err();
            assert_eq!(failure.code, FailureCode::AddressRefused, "{set:?}");
            assert!(!failure.message.contains(&private.to_string()), "{failure}");
        }
    }
    assert_eq!((site.connections(), canary.connections()), (0, 0));
}

#[tokio::test]
async fn what_was_judged_is_what_is_connected_to() {
    let (site, canary) = twins(|_| page("public")).await;
    // Whoever asked twice would connect to the second answer.
    let script = Script::new(&[&[STAND_IN], &[LOOPBACK]]);
    let door = guarded(&[&site], script.clone());
    fetch(&door, &named(site.port())).await.unwrap();
    assert_eq!((site.connections(), canary.connections()), (1, 0));
    assert_eq!(script.asked(), 1);
}

#[tokio::test]
async fn a_name_without_addresses_does_not_resolve() {
    for answers in [&[][..], &[&[][..]]] {
        let door = door(Guard::new(Targets::Public), Script::new(answers));
        let url = Url::parse("http://nowhere.example/").unwrap();
        assert_eq!(code(&door, &url).await, FailureCode::Dns);
    }
}

#[tokio::test]
async fn a_listed_authority_is_fetched_wherever_it_is_and_its_neighbour_is_not() {
    let (site, canary) = twins(|head| match path(head) {
        "/neighbour" => redirect(302, "http://other.example:81/"),
        _ => page("listed"),
    })
    .await;
    let list = format!("listed.example:{}", site.port());
    let targets = Targets::parse(Some(&list)).unwrap();
    let door = door(Guard::new(targets), Script::new(&[&[STAND_IN]]));
    let url = Url::parse(&format!("http://{list}/")).unwrap();
    fetch(&door, &url).await.unwrap();
    for (base, path) in [
        (&url, "/neighbour"),
        (&canary.url("/"), "/"),
        (&site.url("/"), "/"),
    ] {
        let url = base.join(path).unwrap();
        assert_eq!(
            code(&door, &url).await,
            FailureCode::AddressRefused,
            "{url}"
        );
    }
    assert_eq!((site.connections(), canary.connections()), (2, 0));
}
