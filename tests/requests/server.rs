//! A server on this machine that gives planned answers and keeps what it received.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub(crate) struct Server {
    address: SocketAddr,
    received: Arc<Mutex<Vec<String>>>,
    /// Keeps the port when there is nothing to answer.
    _listener: Option<TcpListener>,
}

impl Server {
    /// One answer for each connection; `None` takes the request and says nothing.
    #[allow(
        dead_code,
        reason = "not every test binary that shares this plans them"
    )]
    pub(crate) fn new(answers: Vec<Option<String>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&received);
        if answers.is_empty() {
            return Self {
                address,
                received,
                _listener: Some(listener),
            };
        }
        std::thread::spawn(move || {
            for answer in answers {
                let Ok((mut stream, _)) = listener.accept() else {
                    return;
                };
                let text = request(&mut stream);
                kept.lock().unwrap().push(text);
                let _ = stream.write_all(answer.unwrap_or_default().as_bytes());
            }
        });
        Self {
            address,
            received,
            _listener: None,
        }
    }

    /// Any number of connections, side by side, each answered by what this says to its request.
    pub(crate) fn answering(say: impl Fn(&str) -> String + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&received);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(mut stream), say, kept) = (stream, say.clone(), Arc::clone(&kept)) else {
                    return;
                };
                std::thread::spawn(move || {
                    let text = request(&mut stream);
                    kept.lock().unwrap().push(text.clone());
                    let _ = stream.write_all(say(&text).as_bytes());
                });
            }
        });
        Self {
            address,
            received,
            _listener: None,
        }
    }

    /// `127.0.0.1:PORT`
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

fn request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !whole(&text) {
        let mut part = [0; 4096];
        match stream.read(&mut part) {
            Ok(count) if count > 0 => text.extend_from_slice(&part[..count]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

/// An answer with its length; `head` is the status with further headers.
pub(crate) fn answer(head: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}
