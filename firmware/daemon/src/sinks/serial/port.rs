//! A serial port, written without waiting.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// An open port.
#[derive(Debug)]
pub(super) struct Port(File);

impl Port {
    /// Opens a port.
    ///
    /// # Errors
    /// Those of [`undertone_serial::open`].
    pub(super) fn open(path: &Path, baud: u32) -> io::Result<Self> {
        undertone_serial::open(path, baud).map(Port)
    }

    /// Writes what goes without waiting, and returns how much that was.
    ///
    /// # Errors
    /// When the port is gone.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Ok(0)
            }
            other => other,
        }
    }

    /// Throws away what came in: the box expects nothing, but a full buffer is of no use.
    ///
    /// # Errors
    /// When the port is gone.
    pub(super) fn discard(&mut self) -> io::Result<()> {
        let mut bytes = [0; 256];
        loop {
            match self.0.read(&mut bytes) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
