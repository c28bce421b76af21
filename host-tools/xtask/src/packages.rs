//! System packages: what is missing, and installing it with the user's consent.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::process::Command;

use anyhow::{Result, bail};

use crate::command;

/// A Debian package and what it is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Package {
    /// Name in Debian, Ubuntu and Raspberry Pi OS.
    pub(crate) name: &'static str,
    /// What the project needs of it.
    pub(crate) why: &'static str,
    /// A program that, when it exists, makes the package unnecessary, whoever it came from.
    pub(crate) program: Option<&'static str>,
}

/// What building needs.
pub(crate) const BUILD: [Package; 3] = [
    Package {
        name: "gcc",
        why: "the linker that Rust calls",
        program: Some("cc"),
    },
    Package {
        name: "pkg-config",
        why: "finds the ALSA library",
        program: Some("pkg-config"),
    },
    Package {
        name: "libasound2-dev",
        why: "headers of ALSA, the sound system of Linux",
        program: None,
    },
];

/// What the tests need on top: real parts that stand in for a microphone.
pub(crate) const RIG: [Package; 18] = [
    Package {
        name: "pulseaudio",
        why: "plays a clip at the pace of a microphone",
        program: Some("pulseaudio"),
    },
    Package {
        name: "pulseaudio-utils",
        why: "feeds that microphone",
        program: Some("paplay"),
    },
    Package {
        name: "libasound2-plugins",
        why: "lets ALSA capture from it",
        program: None,
    },
    Package {
        name: "systemd",
        why: "judges how locked down the service is",
        program: Some("systemd-analyze"),
    },
    Package {
        name: "strace",
        why: "shows that no audio is written or sent",
        program: Some("strace"),
    },
    Package {
        name: "mosquitto",
        why: "is the MQTT broker of the tests",
        program: None,
    },
    Package {
        name: "mosquitto-clients",
        why: "looks at what the daemon publishes",
        program: Some("mosquitto_sub"),
    },
    Package {
        name: "openssl",
        why: "makes certificates for the broker of the tests",
        program: Some("openssl"),
    },
    Package {
        name: "socat",
        why: "makes a serial line of two pseudo-terminals",
        program: Some("socat"),
    },
    Package {
        name: "openssh-server",
        why: "a box to deploy to",
        program: Some("sshd"),
    },
    Package {
        name: "openssh-client",
        why: "reaches that box",
        program: Some("ssh"),
    },
    Package {
        name: "minisign",
        why: "checks signatures of bundles independently",
        program: Some("minisign"),
    },
    Package {
        name: "fdisk",
        why: "makes images to flash",
        program: Some("sfdisk"),
    },
    Package {
        name: "dosfstools",
        why: "their boot partitions",
        program: Some("mkfs.fat"),
    },
    Package {
        name: "mtools",
        why: "looks into them",
        program: Some("mtype"),
    },
    Package {
        name: "e2fsprogs",
        why: "their root file systems",
        program: Some("debugfs"),
    },
    Package {
        name: "xz-utils",
        why: "packs them",
        program: Some("xz"),
    },
    Package {
        name: "zstd",
        why: "packs them",
        program: Some("zstd"),
    },
];

/// What the optional comparisons with Python need.
pub(crate) const PYTHON: [Package; 1] = [Package {
    name: "python3-venv",
    why: "compares with onnxruntime (optional)",
    program: None,
}];

/// What counts instructions.
pub(crate) const COUNTER: [Package; 1] = [Package {
    name: "valgrind",
    why: "counts instructions, which vary less than times",
    program: Some("valgrind"),
}];

/// What looks at reports as their readers do.
pub(crate) const BROWSER: [Package; 1] = [Package {
    name: "chromium",
    why: "opens reports in a browser without a window (optional)",
    program: Some("chromium"),
}];

/// Who may start an installation, and how.
#[derive(Debug, PartialEq, Eq)]
enum Consent {
    Given,
    Ask,
    /// Nobody is there to be asked.
    Refused,
}

fn consent(root: bool, yes: bool, interactive: bool) -> Consent {
    match (root || yes, interactive) {
        (true, _) => Consent::Given,
        (false, true) => Consent::Ask,
        (false, false) => Consent::Refused,
    }
}

/// Makes sure that `wanted` is there, or says what to do.
///
/// # Errors
/// When something is missing and cannot or may not be installed.
pub(crate) fn ensure(wanted: &[Package], yes: bool) -> Result<()> {
    let os_release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !is_debian(&os_release) || !command::exists("dpkg-query") {
        eprintln!("This is not Debian, Ubuntu or Raspberry Pi OS; please install these:");
        list(wanted);
        return Ok(());
    }
    let missing: Vec<Package> = wanted
        .iter()
        .copied()
        .filter(|package| !is_present(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("These packages are missing:");
    list(&missing);
    let root = is_root();
    let (update, install) = commands(&missing, root);
    let typed = format!(
        "{} && {}",
        command::shown(&update),
        command::shown(&install)
    );
    match consent(root, yes, io::stdin().is_terminal()) {
        Consent::Given => {}
        Consent::Ask if agreed(&typed)? => {}
        Consent::Ask => bail!("not installed. To do it yourself: {typed}"),
        Consent::Refused => {
            bail!("missing packages, and nobody to ask. Pass --yes, or install them: {typed}")
        }
    }
    if !root && !command::exists("sudo") {
        bail!("sudo is not there. As root: {}", typed.replace("sudo ", ""));
    }
    apply(update, install)?;
    match missing.iter().find(|package| !is_present(package)) {
        Some(package) => bail!("{} is still missing after the installation", package.name),
        None => Ok(()),
    }
}

fn apply(mut update: Command, mut install: Command) -> Result<()> {
    // One broken source must not keep the others from serving.
    if !command::succeeds(&mut update)? {
        eprintln!("The package lists could not be updated; trying with those that are there.");
    }
    if !command::succeeds(&mut install)? {
        bail!("the packages could not be installed; see the output above");
    }
    Ok(())
}

/// `--no-remove`: a desktop with another sound server must not lose it.
fn commands(packages: &[Package], root: bool) -> (Command, Command) {
    let apt = || {
        let mut command = Command::new(if root { "apt-get" } else { "sudo" });
        if !root {
            command.arg("apt-get");
        }
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    let (mut update, mut install) = (apt(), apt());
    update.arg("update");
    install.args(["install", "--yes", "--no-install-recommends", "--no-remove"]);
    install.args(packages.iter().map(|package| package.name));
    (update, install)
}

fn agreed(typed: &str) -> Result<bool> {
    eprint!("Install them with\n  {typed}\n? [Y/n] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    if io::stdin().lock().read_line(&mut answer)? == 0 {
        return Ok(false);
    }
    Ok(matches!(
        answer.trim().to_lowercase().as_str(),
        "" | "y" | "yes"
    ))
}

fn list(packages: &[Package]) {
    for package in packages {
        eprintln!("  {:<20} {}", package.name, package.why);
    }
}

fn is_present(package: &Package) -> bool {
    package.program.is_some_and(command::exists) || is_installed(package.name)
}

fn is_installed(name: &str) -> bool {
    Command::new("dpkg-query")
        .args(["--show", "--showformat", "${db:Status-Status}\\n", name])
        .output()
        .is_ok_and(|output| {
            output
                .stdout
                .split(|byte| *byte == b'\n')
                .any(|line| line == b"installed")
        })
}

fn is_root() -> bool {
    // The owner of one's own process entry; no unsafe call is needed for it.
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

fn is_debian(os_release: &str) -> bool {
    os_release
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(key, _)| matches!(*key, "ID" | "ID_LIKE"))
        .flat_map(|(_, value)| value.trim_matches('"').split_whitespace())
        .any(|id| matches!(id, "debian" | "ubuntu" | "raspbian"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_installed_without_consent() {
        assert_eq!(consent(false, false, true), Consent::Ask);
        assert_eq!(consent(false, false, false), Consent::Refused);
        assert_eq!(consent(true, false, false), Consent::Given);
        assert_eq!(consent(false, true, false), Consent::Given);
    }

    #[test]
    fn debian_and_its_children_are_known() {
        for text in [
            "ID=debian\n",
            "ID=ubuntu\nID_LIKE=debian",
            "NAME=\"x\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"",
        ] {
            assert!(is_debian(text), "{text}");
        }
        for text in ["", "ID=fedora", "NAME=debian\nID=arch", "ID=nodebian"] {
            assert!(!is_debian(text), "{text}");
        }
    }

    #[test]
    fn an_installation_never_removes_anything() {
        let (update, install) = commands(&BUILD[..2], false);
        assert_eq!(command::shown(&update), "sudo apt-get update");
        assert_eq!(
            command::shown(&install),
            "sudo apt-get install --yes --no-install-recommends --no-remove gcc pkg-config"
        );
    }
}
