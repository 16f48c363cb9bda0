//! Every way we know of writing an address that is not public, asked for directly and as the
//! target of a redirect. A canary on loopback must never be connected to.

use std::net::Ipv4Addr;

use jobs::FailureCode;
use url::Url;

use super::site::{LOOPBACK, STAND_IN, Script, Site, code, fetch, guarded, open, redirect};
use crate::door::Door;

/// What an attacker would like to read from where we run.
const INTERNAL: [Ipv4Addr; 12] = [
    Ipv4Addr::UNSPECIFIED,
    Ipv4Addr::LOCALHOST,
    Ipv4Addr::new(127, 255, 255, 254),
    Ipv4Addr::new(10, 0, 0, 1),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(169, 254, 100, 1),
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(172, 16, 0, 1),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(192, 168, 1, 1),
];

/// Hosts with more to them than an address; `{p}` is the canary's port. Those that name a host are
/// looked up as this machine.
const TRICKS: &[&str] = &[
    "http://localhost:{p}/",
    "http://LOCALHOST.:{p}/",
    "http://a.localhost:{p}/",
    "http://localhost.localdomain:{p}/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{p}/",
    "http://local\u{ad}host:{p}/",
    "http://localhost%2e:{p}/",
    "http://%6cocalhost:{p}/",
    "http://metadata:{p}/",
    "http://metadata.google.internal:{p}/",
    "http://printer.local:{p}/",
    "http://router.home.arpa:{p}/",
    "http://127.0.0.1.nip.example:{p}/",
    "http://www.7f000001.nip.example:{p}/",
    "http://example.com@127.0.0.1:{p}/",
    "http://example.com:80@127.0.0.1:{p}/",
    "http://127.0.0.1:{p}@example.com/",
    "http://a:b@c@127.0.0.1:{p}/",
    "http://%65xample.com%40127.0.0.1:{p}/",
    "http://127.0.0.1:{p}#@example.com/",
    "http://127.0.0.1:{p}?@example.com/",
    "http://127.0.0.1:{p}\\@example.com/",
    "http:\\\\127.0.0.1:{p}\\",
    "http:///127.0.0.1:{p}/",
    "http:/\\127.0.0.1:{p}/",
    "hTTp://127.0.0.1:{p}/",
    "https://127.0.0.1:{p}/",
    "http://127.0.0.1.:{p}/",
    "http://127.0.0.1..:{p}/",
    "http://127%2e0%2e0%2e1:{p}/",
    "http://%31%32%37.1:{p}/",
    "http://①②⑦.⓪.⓪.①:{p}/",
    "http://１２７.０.０.１:{p}/",
    "http://127。0。0。1:{p}/",
    "http://127．0．0．1:{p}/",
    "http://127｡0｡0｡1:{p}/",
    "http://0x7F.1:{p}/",
    "http://0:{p}/",
    "http://0x0:{p}/",
    "http://[::]:{p}/",
    "http://[::1]:{p}/",
    "http://[0:0:0:0:0:0:0:1]:{p}/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]:{p}/",
    "http://[::ffff:127.0.0.1]:{p}/",
    "http://[::FFFF:7f00:1]:{p}/",
    "http://[::127.0.0.1]:{p}/",
    "http://[::ffff:0:127.0.0.1]:{p}/",
    "http://[64:ff9b::127.0.0.1]:{p}/",
    "http://[64:ff9b:1::127.0.0.1]:{p}/",
    "http://[2002:7f00:1::]:{p}/",
    "http://[2001:0:7f00:1::]:{p}/",
    "http://[2a00::5efe:127.0.0.1]:{p}/",
    "http://[fe80::1]:{p}/",
    "http://[fd00:ec2::254]:{p}/",
    "http://[::1%25lo]:{p}/",
    "http://[::1%lo]:{p}/",
    "http://[v1.127.0.0.1]:{p}/",
    "http://127.0.0.1%00:{p}/",
    "http://localhost%00.example.com:{p}/",
    "http://127.0.0.1%0d%0a:{p}/",
    "http://127.0.0.1%09:{p}/",
    "http://127.0.0.1 .example.com:{p}/",
];

/// The same with what no header can carry.
const TRICKS_OF_A_BODY: &[&str] = &[
    "http://127.0\t.0.1:{p}/",
    "http://127.0.0.1\r\n:{p}/",
    "ht\ntp://127.0.0.1:{p}/",
    " \u{1}http://127.0.0.1:{p}/ ",
];

const SCHEMES: &[&str] = &[
    "file:///etc/passwd",
    "FILE://localhost/etc/passwd",
    "gopher://127.0.0.1:{p}/_GET%20/",
    "dict://127.0.0.1:{p}/info",
    "ftp://127.0.0.1:{p}/",
    "ftps://127.0.0.1:{p}/",
    "sftp://127.0.0.1:{p}/",
    "ssh://127.0.0.1:{p}/",
    "tftp://127.0.0.1:{p}/x",
    "ldap://127.0.0.1:{p}/",
    "ws://127.0.0.1:{p}/",
    "wss://127.0.0.1:{p}/",
    "jar:http://127.0.0.1:{p}!/",
    "blob:http://127.0.0.1:{p}/x",
    "view-source:http://127.0.0.1:{p}/",
    "feed:http://127.0.0.1:{p}/",
    "data:text/html,<p>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "vbscript:x",
    "mailto:a@example.com",
    "about:blank",
    "unix:/var/run/docker.sock",
    "netdoc:///etc/passwd",
];

/// One number as the URL standard lets it be written.
fn spellings(number: u32) -> [String; 5] {
    [
        format!("{number}"),
        format!("0x{number:x}"),
        format!("0X00{number:X}"),
        format!("0{number:o}"),
        format!("0000{number:o}"),
    ]
}

/// An IPv4 address in all its spellings: one to four parts, each in decimal, hexadecimal or octal.
fn all_spellings(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets().map(u32::from);
    let parts: [&[u32]; 4] = [
        &[address.to_bits()],
        &[a, address.to_bits() & 0x00ff_ffff],
        &[a, b, address.to_bits() & 0xffff],
        &[a, b, c, d],
    ];
    let mut all = Vec::new();
    for parts in parts {
        let mut hosts = vec![String::new()];
        for part in parts {
            let spellings = spellings(*part);
            hosts = hosts
                .iter()
                .flat_map(|host| {
                    let dot = if host.is_empty() { "" } else { "." };
                    spellings
                        .iter()
                        .map(move |spelling| format!("{host}{dot}{spelling}"))
                })
                .collect();
        }
        all.extend(hosts);
    }
    all
}

fn corpus(port: u16) -> Vec<String> {
    let spelled = INTERNAL.iter().flat_map(|address| all_spellings(*address));
    spelled
        .map(|host| format!("http://{host}:{port}/"))
        .collect()
}

fn at_port(templates: &[&str], port: u16) -> Vec<String> {
    templates
        .iter()
        .map(|template| template.replace("{p}", &port.to_string()))
        .collect()
}

/// A door through which the canary could be reached if it were not for its address: its port is
/// open, and every name leads to it.
fn door_to(sites: &[&Site]) -> Door {
    guarded(sites, Script::new(&[&[LOOPBACK]]))
}

#[tokio::test]
async fn no_spelling_of_an_internal_address_is_connected_to() {
    let canary = Site::canary().await;
    let door = door_to(&[&canary]);
    let corpus = corpus(canary.port());
    assert_eq!(corpus.len(), 12 * 780);
    for text in corpus {
        let url = Url::parse(&text).unwrap();
        assert_eq!(
            code(&door, &url).await,
            FailureCode::AddressRefused,
            "{text}"
        );
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn no_trick_with_a_host_is_connected_to() {
    let canary = Site::canary().await;
    let door = door_to(&[&canary]);
    let mut refused = 0;
    for text in at_port(&[TRICKS, TRICKS_OF_A_BODY].concat(), canary.port()) {
        // What is no address at all never gets as far as a door.
        if let Ok(url) = Url::parse(&text) {
            assert_eq!(
                code(&door, &url).await,
                FailureCode::AddressRefused,
                "{text}"
            );
            refused += 1;
        }
    }
    assert!(refused >= 50, "only {refused} of the tricks were addresses");
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn no_scheme_but_those_of_the_web_is_opened() {
    let canary = Site::canary().await;
    for door in [door_to(&[&canary]), open()] {
        for text in at_port(SCHEMES, canary.port()) {
            let url = Url::parse(&text).unwrap();
            assert_eq!(
                code(&door, &url).await,
                FailureCode::AddressRefused,
                "{text}"
            );
        }
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn no_redirect_leads_to_an_internal_address() {
    let canary = Site::canary().await;
    let port = canary.port();
    let mut targets: Vec<_> = corpus(port).into_iter().step_by(47).collect();
    targets.extend(at_port(SCHEMES, port));
    targets.push(format!("//127.0.0.1:{port}/"));
    targets.push(format!("\\\\127.0.0.1:{port}/"));
    assert!(targets.len() > 200);

    for (count, target) in targets.into_iter().enumerate() {
        let status = [301, 302, 303, 307, 308][count % 5];
        let failure = redirected(&canary, status, &target).await;
        assert_eq!(failure, FailureCode::AddressRefused, "{status} {target}");
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn no_redirect_tricks_us_into_an_internal_address() {
    let canary = Site::canary().await;
    for target in at_port(TRICKS, canary.port()) {
        let failure = redirected(&canary, 302, &target).await;
        // A target that is no address, or one on the same server, is no way in either.
        let expected = matches!(
            failure,
            FailureCode::AddressRefused | FailureCode::Redirects
        );
        assert!(expected, "{target} gave {failure}");
    }
    assert_eq!(canary.connections(), 0);
}

/// What comes of a public page that redirects to `target`.
async fn redirected(canary: &Site, status: u16, target: &str) -> FailureCode {
    let location = target.to_owned();
    let address = (STAND_IN, 0).into();
    let site = Site::at(address, move |_| redirect(status, &location))
        .await
        .unwrap();
    let failure = code(&door_to(&[canary, &site]), &site.url("/")).await;
    assert_eq!(
        site.connections(),
        1,
        "the redirect to {target} was not asked for"
    );
    failure
}

#[tokio::test]
async fn the_canary_hears_a_door_that_is_open() {
    let canary = Site::canary().await;
    let mut spelled = all_spellings(Ipv4Addr::LOCALHOST);
    spelled.extend(["a.localhost".to_owned(), "127.0.0.1.nip.example".to_owned()]);
    let spelled: Vec<_> = spelled.into_iter().step_by(30).collect();
    for host in &spelled {
        let url = Url::parse(&format!("http://{host}:{}/", canary.port())).unwrap();
        fetch(&open(), &url).await.unwrap();
    }
    assert_eq!(canary.connections(), spelled.len());
}
