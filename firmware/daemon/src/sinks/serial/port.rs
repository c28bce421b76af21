//! A serial port: opened raw and for us alone, written without waiting.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::termios::{ControlModes, OptionalActions, isatty, tcgetattr, tcsetattr};

/// An open port.
#[derive(Debug)]
pub(super) struct Port(File);

impl Port {
    /// Opens a port with 8 data bits, no parity, 1 stop bit, no flow control.
    ///
    /// # Errors
    /// What the system says; [`ErrorKind::WouldBlock`] when another program has it, [`ErrorKind::InvalidInput`] when
    /// it is no serial port or cannot be so fast.
    pub(super) fn open(path: &Path, baud: u32) -> io::Result<Self> {
        // Neither the modem's carrier is waited for, nor does the line become our terminal.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let descriptor = open(path, flags, Mode::empty())?;
        if !isatty(&descriptor) {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                "it is no serial port",
            ));
        }
        flock(&descriptor, FlockOperation::NonBlockingLockExclusive)?;
        let mut settings = tcgetattr(&descriptor)?;
        settings.make_raw();
        settings.control_modes &= !(ControlModes::CSTOPB
            | ControlModes::PARENB
            | ControlModes::CRTSCTS
            | ControlModes::HUPCL);
        settings.control_modes |= ControlModes::CS8 | ControlModes::CLOCAL | ControlModes::CREAD;
        settings.set_speed(baud)?;
        tcsetattr(&descriptor, OptionalActions::Now, &settings)?;
        Ok(Port(File::from(descriptor)))
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
