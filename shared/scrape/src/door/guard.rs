//! Judges an address before anything is connected to: the parsed host of a URL, its port and its
//! scheme, and every address that a name resolves to. Refuses to look at an address as text.

use std::fmt;
use std::net::IpAddr;

use jobs::{Failure, FailureCode};
use url::{Host, Url};

use super::address::is_public;
use super::targets::{Authority, Targets};

/// Longest address, in characters.
pub const MAX_URL: usize = 2_048;

/// The ports that are open under [`Targets::Public`]: those on which pages are published.
const PORTS: [u16; 4] = [80, 443, 8080, 8443];

/// Names that mean a different machine in each network: RFC 6761, RFC 8375, `.internal` as ICANN
/// reserved it, and those that RFC 6762 (appendix G) found in private use.
const PRIVATE_NAMES: [&str; 11] = [
    "corp",
    "home",
    "home.arpa",
    "internal",
    "intranet",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "private",
];

/// Why an address is not connected to, as one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::new(FailureCode::AddressRefused, refused.0)
    }
}

/// The judge of one door.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    targets: Targets,
    /// Ports open to public targets.
    pub(super) ports: Vec<u16>,
    /// Which addresses are public. Tests put in a judge that takes one loopback address for public.
    pub(super) is_public: fn(IpAddr) -> bool,
}

impl Guard {
    pub(super) fn new(targets: Targets) -> Self {
        Self {
            targets,
            ports: PORTS.to_vec(),
            is_public,
        }
    }

    /// Judges all that can be judged without asking for the addresses of a name.
    pub(super) fn judge(&self, url: &Url) -> Result<(), Refused> {
        if url.as_str().len() > MAX_URL {
            return Err(Refused(format!(
                "The address is longer than {MAX_URL} characters"
            )));
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused(format!(
                "{} is not a scheme of web pages",
                url.scheme()
            )));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused(
                "The address carries a user name or a password".to_owned(),
            ));
        }
        let (Some(host), Some(authority)) = (url.host(), Authority::of(url)) else {
            return Err(Refused("The address names no host".to_owned()));
        };
        match &self.targets {
            Targets::AnyAddress => Ok(()),
            Targets::Only(allowed) if allowed.contains(&authority) => Ok(()),
            Targets::Only(_) => Err(Refused(format!(
                "{authority} is not among the targets that are allowed here"
            ))),
            Targets::Public => {
                self.judge_host(&host)?;
                self.judge_port(url.port_or_known_default())
            }
        }
    }

    fn judge_host(&self, host: &Host<&str>) -> Result<(), Refused> {
        let public = match host {
            Host::Ipv4(address) => (self.is_public)(IpAddr::V4(*address)),
            Host::Ipv6(address) => (self.is_public)(IpAddr::V6(*address)),
            Host::Domain(name) => is_public_name(name),
        };
        if public {
            Ok(())
        } else {
            Err(Refused(format!("{host} is not a public address")))
        }
    }

    fn judge_port(&self, port: Option<u16>) -> Result<(), Refused> {
        match port {
            Some(port) if self.ports.contains(&port) => Ok(()),
            _ => Err(Refused(
                "The address has a port on which no pages are published".to_owned(),
            )),
        }
    }

    /// Judges what a name resolved to: one address that is not public spoils all of them, since
    /// which of them is connected to is not ours to choose.
    ///
    /// The addresses stay out of the sentence: they would tell a stranger how our network is laid
    /// out.
    pub(super) fn judge_resolved(&self, name: &str, addresses: &[IpAddr]) -> Result<(), Refused> {
        let all_public = addresses.iter().all(|address| (self.is_public)(*address));
        if self.targets != Targets::Public || all_public {
            return Ok(());
        }
        Err(Refused(format!(
            "{name} resolves to an address that is not public"
        )))
    }
}

/// A name without a dot means whatever the machine's search list makes of it, so it is none.
fn is_public_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let private = PRIVATE_NAMES.iter().any(|suffix| {
        name.strip_suffix(suffix)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    name.contains('.') && !private
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(targets: &Targets, url: &str) -> Result<(), Refused> {
        Guard::new(targets.clone()).judge(&Url::parse(url).unwrap())
    }

    #[test]
    fn public_pages_are_allowed_on_the_ports_of_the_web() {
        for url in [
            "http://example.com/",
            "https://example.com:443/a?b=c#d",
            "http://EXAMPLE.com.:8080/",
            "https://example.com:8443/",
            "http://93.184.215.14/",
            "http://[2606:4700::1111]/",
            "http://bücher.example/",
            "http://notlocalhost.com/",
            "http://internal.example.com/",
        ] {
            assert_eq!(verdict(&Targets::Public, url), Ok(()), "{url}");
        }
    }

    #[test]
    fn a_port_that_serves_no_pages_is_refused() {
        for port in [
            1, 22, 25, 53, 445, 2000, 3306, 5432, 6379, 9001, 9200, 11211, 65535,
        ] {
            let url = format!("http://example.com:{port}/");
            assert!(verdict(&Targets::Public, &url).is_err(), "{url}");
        }
    }

    #[test]
    fn names_that_mean_a_private_machine_are_refused() {
        for name in PRIVATE_NAMES {
            for host in [name.to_owned(), format!("a.{name}"), format!("A.b.{name}.")] {
                let url = format!("http://{host}/");
                assert!(verdict(&Targets::Public, &url).is_err(), "{url}");
            }
        }
        assert!(verdict(&Targets::Public, "http://metadata/").is_err());
    }

    #[test]
    fn an_address_of_2048_characters_is_the_longest() {
        let head = "https://example.com/";
        let longest = format!("{head}{}", "a".repeat(MAX_URL - head.len()));
        assert_eq!(verdict(&Targets::Public, &longest), Ok(()));
        assert!(verdict(&Targets::AnyAddress, &format!("{longest}a")).is_err());
    }

    #[test]
    fn a_user_name_or_password_is_refused_under_every_policy() {
        for url in ["http://me@localhost/", "http://:secret@localhost/"] {
            let sentence = verdict(&Targets::AnyAddress, url).unwrap_err().to_string();
            assert!(!sentence.contains("secret"), "{sentence}");
        }
    }

    #[test]
    fn a_list_allows_its_authorities_and_nothing_else() {
        let targets = Targets::parse(Some("localhost:3000,127.0.0.1:80")).unwrap();
        for url in [
            "http://localhost:3000/x",
            "https://LocalHost.:3000/",
            "http://127.1/",
        ] {
            assert_eq!(verdict(&targets, url), Ok(()), "{url}");
        }
        for url in [
            "http://localhost/",
            "http://localhost:3001/",
            "http://127.0.0.1:3000/",
            "https://127.0.0.1/",
            "http://example.com/",
            "ftp://localhost:3000/",
        ] {
            assert!(verdict(&targets, url).is_err(), "{url}");
        }
    }

    #[test]
    fn any_address_means_any() {
        for url in [
            "http://localhost:9/",
            "http://169.254.169.254/",
            "http://[::]:1/",
        ] {
            assert_eq!(verdict(&Targets::AnyAddress, url), Ok(()), "{url}");
        }
    }
}
