//! A serial port, opened raw and for one program alone: for the box at one end of the line and for tools at the other.

#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open as open_descriptor};
use rustix::termios::{ControlModes, OptionalActions, isatty, tcgetattr, tcsetattr};

/// Opens a port with 8 data bits, no parity, 1 stop bit, no flow control; reading and writing do not wait.
///
/// # Errors
/// What the system says; [`ErrorKind::WouldBlock`] when another program has it, [`ErrorKind::InvalidInput`] when
/// it is not a serial port or cannot be so fast.
pub fn open(path: &Path, baud: u32) -> io::Result<File> {
    // Neither the modem's carrier is waited for, nor does the line become our terminal.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let descriptor = open_descriptor(path, flags, Mode::empty())?;
    if !isatty(&descriptor) {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is not a serial port",
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
    Ok(File::from(descriptor))
}
