//! Whether the clock of this machine follows a reference, as the kernel knows it: systemd-timesyncd, chrony, ntpd and others tell
//! it, each in the same way. It is a crate of its own because the daemon has no unsafe code, and no safe binding has the call.

// The call has no other form, and takes a structure that it only writes to here.
#![allow(unsafe_code)]

/// Whether somebody keeps the clock; `None` where the kernel may not be asked, for instance under a filter of system calls.
///
/// By `adjtimex(2)` with no mode, which reads and changes nothing: `STA_UNSYNC` is set at the start and again 16 seconds of
/// possible error after the last word of whoever keeps it.
pub fn is_synchronised() -> Option<bool> {
    // SAFETY: every field of the structure is a number, for which zero is a value.
    let mut told: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: it points to a structure of this type that lives longer than the call.
    let state = unsafe { libc::adjtimex(&mut told) };
    (state >= 0).then_some(told.status & libc::STA_UNSYNC == 0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_kernel_says_the_same_twice() {
        assert_eq!(super::is_synchronised(), super::is_synchronised());
    }
}
