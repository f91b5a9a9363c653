//! Addresses of servers, which a description may give relative to itself.

/// A reference as a whole address, without a slash at the end.
pub(super) fn resolve(base: &str, reference: &str) -> Result<String, String> {
    if reference.contains(['?', '#']) {
        return Err("the document names a server with a query or a fragment".to_owned());
    }
    let no_base = "the document's own address is none";
    let (scheme, rest) = base.split_once("://").ok_or(no_base)?;
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let whole = match reference.split_once("://") {
        Some((scheme, _)) if !scheme.contains('/') => {
            if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
                return Err("the document names a server that speaks no HTTP".to_owned());
            }
            reference.to_owned()
        }
        _ if reference.starts_with("//") => format!("{scheme}:{reference}"),
        _ if reference.starts_with('/') => format!("{scheme}://{authority}{reference}"),
        _ => {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
            for part in reference.split('/') {
                match part {
                    "" | "." => {}
                    ".." => drop(parts.pop()),
                    part => parts.push(part),
                }
            }
            format!("{scheme}://{authority}/{}", parts.join("/"))
        }
    };
    Ok(whole.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn a_server_is_where_the_description_says() {
        let base = "https://a.example:8443/v1/docs/openapi.json?x=/y";
        for (reference, expected) in [
            ("https://b.example/v2/", "https://b.example/v2"),
            ("HTTP://b.example", "HTTP://b.example"),
            ("//b.example/v2", "https://b.example/v2"),
            ("/", "https://a.example:8443"),
            ("/v2", "https://a.example:8443/v2"),
            ("v2", "https://a.example:8443/v1/docs/v2"),
            ("./v2", "https://a.example:8443/v1/docs/v2"),
            ("../../../v2", "https://a.example:8443/v2"),
            ("", "https://a.example:8443/v1/docs"),
        ] {
            assert_eq!(
                resolve(base, reference).as_deref(),
                Ok(expected),
                "{reference}"
            );
        }
        assert_eq!(
            resolve("http://a.example", "v2").as_deref(),
            Ok("http://a.example/v2")
        );
        for reference in ["ftp://b.example", "/v2?x=1", "/v2#x", "file:///etc/passwd"] {
            assert!(resolve(base, reference).is_err(), "{reference}");
        }
    }
}
