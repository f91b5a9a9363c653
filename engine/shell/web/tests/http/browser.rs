//! Somebody at the console without a script: a cookie, links and forms.

use axum::body::Body;
use axum::http::Request;

use crate::agency::{Agency, Answer, PASSPHRASE};

pub(crate) struct Browser<'a> {
    agency: &'a Agency,
    pub(crate) cookie: String,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(agency: &'a Agency) -> Self {
        Self {
            agency,
            cookie: String::new(),
        }
    }

    pub(crate) async fn signed_in(agency: &'a Agency, name: &str) -> Self {
        let mut browser = Self::new(agency);
        let pairs = [("name", name), ("passphrase", PASSPHRASE)];
        let answer = browser.send_pairs("/sign-in", &pairs).await;
        answer.is(303);
        let cookie = answer.header("set-cookie").split(';').next().unwrap();
        cookie.clone_into(&mut browser.cookie);
        browser
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path)
            .header("host", "127.0.0.1:8080")
            .header("cookie", &self.cookie)
            .body(Body::empty());
        self.agency.send(request.unwrap()).await
    }

    /// Sends pairs as a browser's own form does.
    pub(crate) async fn send_pairs(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let headers = [
            ("sec-fetch-site", "same-origin"),
            ("origin", "http://127.0.0.1:8080"),
        ];
        self.send_with(path, pairs, &headers).await
    }

    pub(crate) async fn send_with(
        &self,
        path: &str,
        pairs: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let body: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let mut request = Request::post(path)
            .header("host", "127.0.0.1:8080")
            .header("cookie", &self.cookie)
            .header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.agency
            .send(request.body(Body::from(body.join("&"))).unwrap())
            .await
    }

    /// Fills the form of a page that posts to `action`: its hidden fields and these.
    pub(crate) async fn submit(
        &self,
        page: &Answer,
        action: &str,
        pairs: &[(&str, &str)],
    ) -> Answer {
        self.press(page, action, action, pairs).await
    }

    /// The same with a button that sends the form elsewhere (`formaction`).
    pub(crate) async fn press(
        &self,
        page: &Answer,
        action: &str,
        target: &str,
        pairs: &[(&str, &str)],
    ) -> Answer {
        let hidden = hidden(page, action);
        let hidden = hidden
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<_> = hidden.chain(pairs.iter().copied()).collect();
        self.send_pairs(target, &all).await
    }

    /// Follows the redirect of an answer.
    #[track_caller]
    pub(crate) fn follow(&self, answer: &Answer) -> impl Future<Output = Answer> {
        answer.is(303);
        self.get_owned(answer.header("location").to_owned())
    }

    async fn get_owned(&self, path: String) -> Answer {
        self.get(&path).await
    }
}

/// The hidden fields of the form that posts to `action`.
#[track_caller]
pub(crate) fn hidden(page: &Answer, action: &str) -> Vec<(String, String)> {
    let start = format!("action=\"{action}\"");
    let from = page
        .text
        .find(&start)
        .or_else(|| page.text.find("<form method=\"post\" novalidate"));
    let from = from.unwrap_or_else(|| panic!("no form for {action} in {}", page.text));
    let form = page.text[from..].split("</form>").next().unwrap();
    form.split("<input type=\"hidden\" name=\"")
        .skip(1)
        .map(|rest| {
            let (name, rest) = rest.split_once('"').unwrap();
            let value = rest
                .split("value=\"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}
