//! Which addresses of the web an operator lets us fetch, as the command line says it. Refuses a
//! list with anything in it that is not `HOST:PORT`.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// What may be fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Targets {
    /// Globally reachable addresses, on the usual ports of the web.
    #[default]
    Public,
    /// Any address on any port. For a machine whose network holds no secrets.
    AnyAddress,
    /// These authorities and nothing else, on whatever address they are.
    Only(Vec<Authority>),
}

impl Targets {
    /// What a bare `--allow-private-targets` means. A word rather than the empty text, so that a
    /// list that came out empty by accident (`--allow-private-targets=$UNSET`) opens nothing.
    pub const ANY: &str = "any";

    /// Reads `--allow-private-targets`: absent, [`Targets::ANY`], or `HOST:PORT,...`.
    ///
    /// The error is a sentence for the person at the command line.
    pub fn parse(flag: Option<&str>) -> Result<Self, String> {
        match flag {
            None => Ok(Self::Public),
            Some(Self::ANY) => Ok(Self::AnyAddress),
            Some(list) => list
                .split(',')
                .map(str::parse)
                .collect::<Result<_, _>>()
                .map(Self::Only),
        }
    }
}

/// A host and a port, as they stand in a URL. Equal however the host was spelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    host: Host<String>,
    port: u16,
}

impl Authority {
    /// The authority of an address, its port written out.
    pub(super) fn of(url: &Url) -> Option<Self> {
        Some(Self {
            host: without_root(url.host()?.to_owned()),
            port: url.port_or_known_default()?,
        })
    }
}

/// `example.com.` and `example.com` are the same machine.
fn without_root(host: Host<String>) -> Host<String> {
    match host {
        Host::Domain(name) => Host::Domain(name.strip_suffix('.').unwrap_or(&name).to_owned()),
        address => address,
    }
}

impl FromStr for Authority {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let read = || {
            let (host, port) = text.rsplit_once(':')?;
            let port = port.parse().ok().filter(|port| *port != 0)?;
            // The standard takes `*` for part of a name. Who writes it means something else.
            let host = Some(host).filter(|host| !host.contains('*'))?;
            let host = Host::parse(host).ok().map(without_root)?;
            Some(Self { host, port })
        };
        read().ok_or_else(|| {
            format!("\"{text}\" is not HOST:PORT, such as localhost:8080 or [::1]:8080")
        })
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(text: &str) -> Authority {
        text.parse().unwrap()
    }

    #[test]
    fn the_flag_reads_as_the_command_line_documents_it() {
        assert_eq!(Targets::parse(None), Ok(Targets::Public));
        assert_eq!(Targets::parse(Some("any")), Ok(Targets::AnyAddress));
        let list = vec![authority("localhost:8080"), authority("[::1]:81")];
        assert_eq!(
            Targets::parse(Some("localhost:8080, [::1]:81")),
            Ok(Targets::Only(list))
        );
    }

    #[test]
    fn an_empty_or_unclear_list_opens_nothing() {
        for list in [
            "",
            ",",
            "localhost",
            "localhost:",
            "localhost:0",
            "localhost:65536",
            "localhost:80,",
            ":80",
            "::1",
            "http://localhost:80",
            "localhost:80/path",
            "user@localhost:80",
            "10.0.0.0/8:80",
            "*:80",
        ] {
            let answer = Targets::parse(Some(list));
            assert!(
                answer.is_err_and(|sentence| sentence.contains("HOST:PORT")),
                "{list}"
            );
        }
    }

    #[test]
    fn an_authority_is_the_same_however_its_host_is_spelled() {
        for spelling in ["127.1:80", "0x7f000001:80", "2130706433:80"] {
            assert_eq!(authority(spelling), authority("127.0.0.1:80"), "{spelling}");
        }
        assert_eq!(authority("LOCALHOST.:80"), authority("localhost:80"));
        let url = Url::parse("http://localhost./page").unwrap();
        assert_eq!(Authority::of(&url), Some(authority("localhost:80")));
    }
}
