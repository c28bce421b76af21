//! A page of Prometheus metrics over HTTP/1.0, for who asks with GET /metrics, one at a time.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// The longest request, in bytes.
const MAX_REQUEST: usize = 8192;
/// How long one who asks may take, in all.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serves metrics until it is dropped.
#[derive(Debug)]
pub struct MetricsServer {
    address: SocketAddr,
    closed: Arc<AtomicBool>,
}

impl MetricsServer {
    /// Serves what `page` gives at the time of asking.
    ///
    /// # Errors
    /// What the system says, for instance that the port is taken.
    pub fn open(
        address: SocketAddr,
        page: impl Fn() -> String + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let closed = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&closed);
        Builder::new().name("metrics".into()).spawn(move || {
            while !over.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok(_) if over.load(Ordering::SeqCst) => return,
                    // Who breaks off is no matter for the daemon.
                    Ok((stream, _)) => drop(answer(stream, &page)),
                    Err(_) => std::thread::sleep(Duration::from_millis(100)),
                }
            }
        })?;
        Ok(MetricsServer { address, closed })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_millis(200));
    }
}

fn answer(mut stream: TcpStream, page: &impl Fn() -> String) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = head(&mut stream)?;
    let mut words = request.split_ascii_whitespace();
    let (status, body) = match (words.next(), words.next()) {
        (Some("GET"), Some(path)) if path == "/metrics" || path.starts_with("/metrics?") => {
            ("200 OK", page())
        }
        (Some("GET"), Some(_)) => ("404 Not Found", "only /metrics is here\n".to_owned()),
        (Some(_), Some(_)) => (
            "405 Method Not Allowed",
            "only GET is answered\n".to_owned(),
        ),
        _ => ("400 Bad Request", "no HTTP request\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.0 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

/// The request up to its empty line; what is too long or too slow is cut off.
fn head(stream: &mut TcpStream) -> io::Result<String> {
    let until = Instant::now() + PATIENCE;
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    while bytes.len() < MAX_REQUEST && !ended(&bytes) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer)? {
            0 => break,
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn ended(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|four| four == b"\r\n\r\n") || bytes.windows(2).any(|two| two == b"\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(server: &MetricsServer, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(request).unwrap();
        let mut text = String::new();
        // A server that closes while it is still being written to resets the connection.
        let _ = stream.read_to_string(&mut text);
        text
    }

    #[test]
    fn metrics_are_given_to_who_asks_for_them_and_nothing_else_is() {
        let server =
            MetricsServer::open("127.0.0.1:0".parse().unwrap(), || "up 1\n".into()).unwrap();
        let told = ask(&server, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(told.starts_with("HTTP/1.0 200 OK\r\n"), "{told}");
        assert!(told.ends_with("\r\n\r\nup 1\n"), "{told}");
        assert!(ask(&server, b"GET / HTTP/1.1\r\n\r\n").contains("404"));
        assert!(ask(&server, b"POST /metrics HTTP/1.1\r\n\r\n").contains("405"));
        assert!(ask(&server, b"\x16\x03\x01\x00\n\n").contains("400"));
        let long = ask(&server, &[b'x'; 3 * MAX_REQUEST]);
        assert!(long.is_empty() || long.contains("400"), "{long}");
        assert!(ask(&server, b"GET /metrics HTTP/1.0\n\n").contains("up 1"));
        let address = server.address();
        drop(server);
        let until = Instant::now() + Duration::from_secs(10);
        while TcpListener::bind(address).is_err() {
            assert!(Instant::now() < until, "the port stays taken");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
