//! Looking a name up and connecting, which wait.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use crate::Wake;

/// How long one address of a broker may take to answer.
const DIAL: Duration = Duration::from_secs(10);

/// A connection on its way: looking a name up and connecting wait, and do so on a thread of their own.
#[derive(Debug)]
pub(crate) struct Dialing(Receiver<io::Result<TcpStream>>);

impl Dialing {
    /// Begins to connect, and wakes at the end.
    pub(crate) fn begin(host: &str, port: u16, waker: Option<Wake>) -> io::Result<Self> {
        let (sender, receiver) = channel();
        let host = host.to_owned();
        std::thread::Builder::new()
            .name("mqtt-dial".into())
            .spawn(move || {
                // Nobody waiting any more is no failure.
                let _ = sender.send(dial(&host, port));
                if let Some(waker) = waker {
                    waker.wake();
                }
            })?;
        Ok(Dialing(receiver))
    }

    /// The outcome, once there is one.
    pub(crate) fn outcome(&self) -> Option<io::Result<TcpStream>> {
        match self.0.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(io::Error::other("connecting broke off"))),
        }
    }
}

fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut outcome = Err(io::Error::other(format!("{host} has no address")));
    for address in (host, port).to_socket_addrs()? {
        outcome = TcpStream::connect_timeout(&address, DIAL);
        if outcome.is_ok() {
            break;
        }
    }
    let stream = outcome?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}
