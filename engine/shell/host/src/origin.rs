//! Scheme, host and port: the unit in which network access is asked for and granted.
//!
//! A URL is parsed once, strictly: what one parser reads as one host and another as a different
//! one is refused instead of being compared.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// Methods that a plugin can use.
pub const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// `https://pay.example`, `http://127.0.0.1:8080`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    secure: bool,
    host: Host<String>,
    port: u16,
}

impl Origin {
    /// Reads a whole origin; the error says what to write.
    pub fn read(text: &str) -> Result<Self, String> {
        let url = strict_url(text)?;
        let bare = url.path() == "/" && url.query().is_none() && !text.ends_with('/');
        if !bare {
            return Err(format!(
                "`{text}` is more than an origin; write scheme, host and port only, such as \
                `https://pay.example`"
            ));
        }
        Ok(Self::of(&url))
    }

    /// The origin of a URL that [`strict_url`] accepted.
    pub(crate) fn of(url: &Url) -> Self {
        Self {
            secure: url.scheme() == "https",
            host: url
                .host()
                .expect("http and https URLs have a host")
                .to_owned(),
            port: url
                .port_or_known_default()
                .expect("http and https have default ports"),
        }
    }

    /// Whether it is reached through TLS.
    pub fn secure(&self) -> bool {
        self.secure
    }

    /// The port, also when it is the scheme's own.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host as a URL writes it.
    pub fn host(&self) -> String {
        self.host.to_string()
    }

    /// `HOST:PORT`, as operators write it.
    pub fn host_port(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The address, when the host is one.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        }
    }

    /// Whether the host is this machine by name.
    pub(crate) fn names_loopback(&self) -> bool {
        match &self.host {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(_) | Host::Ipv6(_) => false,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, known) = if self.secure {
            ("https", 443)
        } else {
            ("http", 80)
        };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == known {
            Ok(())
        } else {
            write!(f, ":{}", self.port)
        }
    }
}

/// Parses a URL and refuses whatever could be read in two ways.
pub(crate) fn strict_url(text: &str) -> Result<Url, String> {
    if text.len() > 8192 {
        return Err("the URL is longer than 8192 bytes".to_owned());
    }
    if text.bytes().any(|b| !b.is_ascii_graphic() || b == b'\\') {
        return Err(
            "the URL holds a space, a backslash, a control or a non-ASCII character; \
            percent-encode it"
                .to_owned(),
        );
    }
    let url = Url::parse(text)
        .map_err(|error| format!("`{text}` is not a URL ({error}); write `https://host/path`"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!(
            "scheme `{}` is not offered; write `https://` or `http://`",
            url.scheme()
        ));
    }
    if !url.username().is_empty() || url.password().is_some() || authority(text).contains('@') {
        return Err("the URL holds a user name; credentials are added by the host".to_owned());
    }
    if url.fragment().is_some() {
        return Err("the URL holds a fragment, which no server sees; leave `#` out".to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    let written = host_part(authority(text)).to_ascii_lowercase();
    if host.is_empty() || host.ends_with('.') || written != host {
        return Err(format!(
            "host `{written}` is not written in its plain form; write `{}`",
            host.trim_end_matches('.')
        ));
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    if url.domain().is_some() && !host.bytes().all(plain) {
        return Err(format!(
            "host `{host}` is not a host's name; letters, digits, hyphens and dots make one"
        ));
    }
    Ok(url)
}

/// What stands between `//` and the path.
fn authority(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// The authority without its port.
fn host_part(authority: &str) -> &str {
    match authority.rfind(']') {
        Some(end) => &authority[..=end],
        None => authority.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_normalised() {
        for (text, expected) in [
            ("https://pay.example", "https://pay.example"),
            ("https://PAY.example:443", "https://pay.example"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://pay.example:80", "https://pay.example:80"),
        ] {
            assert_eq!(Origin::read(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for text in [
            "pay.example",
            "ftp://pay.example",
            "https://pay.example/",
            "https://pay.example/v1",
            "https://pay.example?x=1",
            "https://user@pay.example",
            "https://@pay.example",
            "https://:@pay.example",
            "https://pay.example.",
            "https://pay.example#x",
            "https:\\\\pay.example",
            "https:///pay.example",
            "https:pay.example",
            "https://pay.exam\tple",
            "https://päy.example",
            "https://pay%2eexample",
            "https://*.example",
            "https://{config.region}.example",
            "https://pay.example;evil.example",
            "http://127.1",
            "http://0x7f.1",
            "http://2130706433",
            "http://0177.0.0.1",
            "http://[::ffff:127.0.0.1]",
            "http://[0:0:0:0:0:0:0:1]",
            "http://127.0.0.1:80@evil.example",
            "http://evil.example#@127.0.0.1",
            "http://",
        ] {
            assert!(Origin::read(text).is_err(), "{text} was read as an origin");
        }
    }
}
