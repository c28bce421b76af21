//! Whether the line to a controller is there and free.

use std::fs;
use std::path::Path;

use super::check::Check;
use super::permissions::{usable, user_id};
use super::setup::Setup;
use crate::inventory::{Holders, described};

const NAME: &str = "serial";

pub(super) fn check(setup: &Setup) -> Option<Check> {
    let port = setup.settings.as_ref()?.serial.as_ref()?.port.clone();
    Some(of_port(&port, user_id()).about(port.display()))
}

fn of_port(port: &Path, user: u32) -> Check {
    let file = match fs::canonicalize(port) {
        Ok(file) => file,
        Err(error) => {
            let cause = format!("there is no such port: {error}");
            let next = "undertoned devices   # is it plugged in, and is serial.port one of these?";
            return Check::fail(NAME, "port-missing", cause, next);
        }
    };
    if let Err(why) = usable(&file, user) {
        let next = "sudo usermod -aG dialout \"$USER\"   # then log in again; the service has the group by its unit";
        return Check::fail(NAME, "port-denied", why, next);
    }
    let folder = file.parent().unwrap_or(Path::new("/dev"));
    let mut holders = Holders::of(folder).with(&file);
    let ours = holders.iter().any(|holder| holder.program == "undertoned");
    holders.retain(|holder| holder.program != "undertoned");
    if holders.is_empty() {
        let who = if ours {
            "the daemon has it"
        } else {
            "there, and free"
        };
        return Check::ok(NAME, who);
    }
    let ids: Vec<String> = holders
        .iter()
        .map(|holder| holder.pid.to_string())
        .collect();
    Check::fail(
        NAME,
        "port-busy",
        format!("it is held by {}", described(&holders)),
        format!(
            "ps -fp {}   # stop what holds it (a login console: systemctl disable --now serial-getty@)",
            ids.join(",")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_not_there_is_told_with_where_to_look() {
        let check = of_port(Path::new("/dev/serial/by-id/none"), 0);
        assert_eq!(check.code, "port-missing");
        assert!(check.next.unwrap().starts_with("undertoned devices"));
    }
}
