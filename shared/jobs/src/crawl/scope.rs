//! Which addresses belong to a crawl's site, and when two addresses are the same page by their
//! spelling alone. Refuses to know what was seen before.

use std::net::IpAddr;

use url::{Host, Url};

/// Parameters that name a session or where a visitor came from, never another page.
const VISITOR_PARAMETERS: [&str; 22] = [
    "phpsessid",
    "jsessionid",
    "sessionid",
    "session_id",
    "sid",
    "aspsessionid",
    "cfid",
    "cftoken",
    "zenid",
    "oscsid",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
    "gclid",
    "fbclid",
    "msclkid",
    "dclid",
    "mc_cid",
    "mc_eid",
];

/// The hosts of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    hosts: Vec<String>,
    /// The registrable domain, where all of it belongs to the site.
    domain: Option<String>,
}

impl Scope {
    pub fn of(start: &Url, include_subdomains: bool) -> Self {
        Self {
            hosts: vec![authority(start)],
            domain: if include_subdomains {
                registrable(start)
            } else {
                None
            },
        }
    }

    pub fn contains(&self, url: &Url) -> bool {
        if !matches!(url.scheme(), "http" | "https") {
            return false;
        }
        self.hosts.iter().any(|host| is_authority(url, host))
            || self.domain.is_some() && registrable(url) == self.domain
    }

    /// The start leads to another host of the same registrable domain, as from the bare domain to
    /// `www`: that one belongs to the site too. `false` where it is none of that domain.
    pub fn adopt(&mut self, start: &Url, url: &Url) -> bool {
        let same = registrable(start).is_some_and(|domain| registrable(url) == Some(domain));
        if same && !self.contains(url) {
            self.hosts.push(authority(url));
        }
        same
    }

    /// Hosts that were adopted, to be kept with the crawl.
    pub fn adopted(&self) -> &[String] {
        &self.hosts[1..]
    }

    pub fn readopt(&mut self, hosts: &[String]) {
        self.hosts.extend_from_slice(hosts);
    }
}

/// Host and port, where it is none of the two usual ones.
pub fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) if !is_usual(url, port) => format!("{host}:{port}"),
        _ => host.to_owned(),
    }
}

/// As [`authority`] compared, without making one.
fn is_authority(url: &Url, authority: &str) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    match url.port() {
        Some(port) if !is_usual(url, port) => authority
            .strip_prefix(host)
            .and_then(|rest| rest.strip_prefix(':'))
            .is_some_and(|text| text.parse() == Ok(port)),
        _ => authority == host,
    }
}

/// `http` on 443 and `https` on 80 are odd, but no other site.
fn is_usual(_url: &Url, port: u16) -> bool {
    matches!(port, 80 | 443)
}

/// The registrable domain by the public suffix list; of an address or a name without a dot, that
/// itself. With the port where it is unusual.
fn registrable(url: &Url) -> Option<String> {
    let port = match url.port() {
        Some(port) if !is_usual(url, port) => format!(":{port}"),
        _ => String::new(),
    };
    match url.host()? {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let domain = psl::domain_str(name).unwrap_or(name);
            Some(format!("{domain}{port}"))
        }
        Host::Ipv4(address) => Some(format!("{}{port}", IpAddr::from(address))),
        Host::Ipv6(address) => Some(format!("[{address}]{port}")),
    }
}

/// The name under which a page is known, however its address is spelled: without session and
/// visitor parameters, path parameters of sessions, doubled slashes, and with the query in order.
pub fn identity(url: &Url) -> String {
    let (path, query) = (url.path(), url.query().unwrap_or_default());
    let plain_path = !path.contains("//") && !path.contains(';');
    if plain_path && query.is_empty() {
        return url[..url::Position::AfterPath].to_owned();
    }
    let mut name = url[..url::Position::BeforePath].to_owned();
    let mut slash = false;
    for part in path.split_inclusive('/') {
        // Several slashes are one.
        if part == "/" && slash {
            continue;
        }
        slash = part.ends_with('/');
        let (part, end) = match part.strip_suffix('/') {
            Some(part) => (part, "/"),
            None => (part, ""),
        };
        match part.split_once(';') {
            Some((before, parameter)) if is_visitor(parameter.split('=').next()) => {
                name.push_str(before);
            }
            _ => name.push_str(part),
        }
        name.push_str(end);
    }
    let mut parameters: Vec<_> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty() && !is_visitor(parameter.split('=').next()))
        .collect();
    parameters.sort_unstable();
    for (number, parameter) in parameters.into_iter().enumerate() {
        name.push(if number == 0 { '?' } else { '&' });
        name.push_str(parameter);
    }
    name
}

fn is_visitor(name: Option<&str>) -> bool {
    name.is_some_and(|name| {
        VISITOR_PARAMETERS
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_site_is_a_host_or_a_registrable_domain() {
        let host = Scope::of(&url("http://shop.example.co.uk/a"), false);
        let domain = Scope::of(&url("http://shop.example.co.uk/a"), true);
        for (address, by_host, by_domain) in [
            ("https://shop.example.co.uk/b", true, true),
            ("http://example.co.uk/", false, true),
            ("http://www.example.co.uk/", false, true),
            ("http://other.co.uk/", false, false),
            ("http://shop.example.co.uk:8080/", false, false),
            ("ftp://shop.example.co.uk/", false, false),
            ("http://shop.example.co.uk.evil.example/", false, false),
            ("mailto:a@shop.example.co.uk", false, false),
        ] {
            assert_eq!(host.contains(&url(address)), by_host, "{address}");
            assert_eq!(domain.contains(&url(address)), by_domain, "{address}");
        }
        let local = Scope::of(&url("http://127.0.0.1:8000/"), true);
        assert!(local.contains(&url("http://127.0.0.1:8000/x")));
        assert!(!local.contains(&url("http://127.0.0.1:8001/x")));
        assert!(!local.contains(&url("http://127.0.0.2:8000/x")));
    }

    #[test]
    fn the_start_may_lead_to_a_sister_and_to_nobody_else() {
        let start = url("http://example.com/");
        let mut scope = Scope::of(&start, false);
        assert!(!scope.adopt(&start, &url("http://example.org/")));
        assert!(scope.adopt(&start, &url("https://www.example.com/")));
        assert!(scope.contains(&url("https://www.example.com/x")));
        assert!(!scope.contains(&url("https://mail.example.com/x")));
        let mut again = Scope::of(&start, false);
        again.readopt(scope.adopted());
        assert_eq!(again, scope);
    }

    #[test]
    fn one_page_has_one_name() {
        for (one, other) in [
            ("http://a.example/x?a=1&b=2", "http://a.example/x?b=2&a=1"),
            ("http://a.example/x", "http://a.example/x?utm_source=y"),
            ("http://a.example/x", "http://a.example/x?PHPSESSID=1#z"),
            (
                "http://a.example/x/y",
                "http://a.example//x///y;jsessionid=9",
            ),
            ("http://a.example/", "http://a.example/?"),
        ] {
            assert_eq!(identity(&url(one)), identity(&url(other)), "{other}");
        }
        for (one, other) in [
            ("http://a.example/x?a=1", "http://a.example/x?a=2"),
            ("http://a.example/x;v=1", "http://a.example/x;v=2"),
            ("http://a.example/x", "http://a.example/X"),
            ("http://a.example/x", "http://a.example/x/"),
        ] {
            assert_ne!(identity(&url(one)), identity(&url(other)), "{other}");
        }
    }
}
