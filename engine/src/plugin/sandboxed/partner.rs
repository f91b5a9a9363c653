//! A partner on loopback that answers as a script says and keeps what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

pub(super) enum Answer {
    Json(u16, Value),
    /// Reads the request, then closes the connection.
    Drop,
}

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) line: String,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(found, _)| found == name)?;
        Some(value)
    }

    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut next_line = || {
            let mut line = String::new();
            reader
                .read_line(&mut line)
                .ok()
                .filter(|count| *count > 0)?;
            Some(line.trim_end().to_owned())
        };
        let line = next_line()?;
        let mut headers = Vec::new();
        while let Some((name, value)) = next_line()?.split_once(':') {
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let mut request = Self {
            line,
            headers,
            body: String::new(),
        };
        let length = request
            .header("content-length")
            .map_or(0, |text| text.parse().unwrap());
        reader
            .take(length)
            .read_to_string(&mut request.body)
            .unwrap();
        Some(request)
    }
}

/// Serves until its script is over; then nobody listens any more.
pub(super) struct Partner {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Partner {
    pub(super) fn start(script: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for answer in script {
                serve(&listener, &answer, &seen);
            }
        });
        Self { address, requests }
    }

    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// Accepts until a request really came: clients may open connections they do not use.
fn serve(listener: &TcpListener, answer: &Answer, seen: &Mutex<Vec<Request>>) {
    loop {
        let (mut stream, _) = listener.accept().unwrap();
        let Some(request) = Request::read(&stream) else {
            continue;
        };
        seen.lock().unwrap().push(request);
        if let Answer::Json(status, body) = answer {
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).unwrap();
        }
        return;
    }
}
