//! Whether a browser's request comes from a page of this site: the guard against cross-site
//! requests. Pure.
//!
//! The rule of `Sec-Fetch-Site`, then `Origin`; a request that carries neither is refused, since
//! every browser in use sends one of them with a POST.

use axum::http::{HeaderMap, header};

/// Whether an unsafe request that carries a cookie (or makes one) may go on.
pub(crate) fn same(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => authority(origin).is_some_and(|found| found == host),
        _ => false,
    }
}

/// `https://case.example:8443` -> `case.example:8443`; nothing for `null` and oddities.
fn authority(origin: &str) -> Option<&str> {
    let rest = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"))?;
    (!rest.is_empty() && !rest.contains(['/', '@', '?', '#'])).then_some(rest)
}

/// Where to go after signing in: a path of this site, or the work queue.
pub(crate) fn return_to(wanted: Option<&str>) -> &str {
    wanted.filter(|path| is_local(path)).unwrap_or("/tasks")
}

/// Browsers read `//host`, `/\host` and paths with control characters as other sites.
fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 2_000
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !path.starts_with("/sign-")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    #[track_caller]
    fn check(pairs: &[(&str, &str)], allowed: bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.insert(name, value.parse().unwrap());
        }
        assert_eq!(same(&headers), allowed, "{pairs:?}");
    }

    #[test]
    fn only_requests_of_our_own_pages_pass() {
        let host = ("host", "case.example:8443");
        check(&[host, ("sec-fetch-site", "same-origin")], true);
        check(&[host, ("sec-fetch-site", "none")], true);
        check(&[host, ("sec-fetch-site", "same-site")], false);
        check(&[host, ("sec-fetch-site", "cross-site")], false);
        check(&[host, ("sec-fetch-site", "Same-Origin")], false);
        // The browser's own word stands above Origin.
        let origin = ("origin", "https://case.example:8443");
        check(&[host, origin, ("sec-fetch-site", "cross-site")], false);
        check(&[host, origin], true);
        check(&[host, ("origin", "http://case.example:8443")], true);
        check(&[host, ("origin", "https://case.example")], false);
        check(
            &[host, ("origin", "https://case.example:8443.evil.example")],
            false,
        );
        check(
            &[host, ("origin", "https://evil.example@case.example:8443")],
            false,
        );
        check(&[host, ("origin", "null")], false);
        check(&[host, ("origin", "")], false);
        check(&[origin], false);
        check(&[host], false);
        check(&[], false);
    }

    #[test]
    fn return_addresses_stay_on_this_site() {
        assert_eq!(return_to(Some("/tasks/wi-1?x=1")), "/tasks/wi-1?x=1");
        for bad in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "/tasks\r\nSet-Cookie: a=b",
            "/\tevil",
            "",
            "tasks",
            "/sign-in?return_to=/sign-in",
            "/sign-out",
            "/täsks",
        ] {
            assert_eq!(return_to(Some(bad)), "/tasks", "{bad:?}");
        }
        assert_eq!(return_to(None), "/tasks");
    }
}
