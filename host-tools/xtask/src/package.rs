//! `cargo xtask package`: the Debian package of the daemon.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum as _;

use crate::cross::{self, Target};
use crate::elf::Elf;
use crate::packages::{self, Package};
use crate::{command, workspace};

/// What makes packages.
const TOOLS: [Package; 1] = [Package {
    name: "dpkg",
    why: "makes the package",
    program: Some("dpkg-deb"),
}];

/// What goes where: path in the repository, path in the package, permissions.
const FILES: &[(&str, &str, u32)] = &[
    (
        "firmware/daemon/systemd/undertoned.service",
        "usr/lib/systemd/system/undertoned.service",
        0o644,
    ),
    (
        "packaging/deb/50-slots.conf",
        "usr/lib/systemd/system/undertoned.service.d/50-slots.conf",
        0o644,
    ),
    (
        "packaging/deb/undertoned-trial.service",
        "usr/lib/systemd/system/undertoned-trial.service",
        0o644,
    ),
    (
        "packaging/deb/undertoned-trial.timer",
        "usr/lib/systemd/system/undertoned-trial.timer",
        0o644,
    ),
    (
        "packaging/deb/70-undertone.rules",
        "usr/lib/udev/rules.d/70-undertone.rules",
        0o644,
    ),
    (
        "packaging/deb/slots.toml",
        "etc/undertone/slots.toml",
        0o644,
    ),
    (
        "firmware/daemon/undertoned.example.toml",
        "etc/undertone/undertoned.toml",
        0o644,
    ),
    (
        "models/undertone-research.onnx",
        "usr/share/undertone/undertone-research.onnx",
        0o644,
    ),
    (
        "models/undertone-open.onnx",
        "usr/share/undertone/undertone-open.onnx",
        0o644,
    ),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The program undertoned [default: it is built, profile dist]
    #[arg(long, value_name = "FILE")]
    daemon: Option<PathBuf>,
    /// Debian's name of the processor [default: that of the program, or of this machine]
    #[arg(long, value_name = "NAME", value_parser = ["amd64", "arm64", "armhf"])]
    arch: Option<String>,
    /// Version of the package [default: that of the workspace]
    #[arg(long, value_name = "VERSION", default_value = env!("CARGO_PKG_VERSION"))]
    package_version: String,
    /// Folder of the package
    #[arg(long, value_name = "FOLDER", default_value = "target/debian")]
    output: PathBuf,
    /// Install missing system packages without asking
    #[arg(long)]
    yes: bool,
}

/// Makes the package; its path goes to standard output.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    packages::ensure(&TOOLS, args.yes)?;
    let daemon = match &args.daemon {
        Some(daemon) => daemon.clone(),
        None => build(args)?,
    };
    let elf = Elf::read(&daemon)?;
    let arch =
        architecture(&elf, args.arch.as_deref()).with_context(|| daemon.display().to_string())?;
    let output = workspace::root().join(&args.output);
    let name = format!("undertoned_{}_{}", args.package_version, arch);
    let tree = output.join(&name);
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    put(&daemon, &tree.join("usr/bin/undertoned"), 0o755)?;
    for &(from, to, mode) in FILES {
        put(&workspace::root().join(from), &tree.join(to), mode)?;
    }
    control(&args.package_version, arch, &elf.glibc(), &tree)?;
    open_folders(&tree)?;
    let package = output.join(format!("{name}.deb"));
    let mut deb = Command::new("dpkg-deb");
    deb.args(["--root-owner-group", "--build", "-Zxz"])
        .arg(&tree)
        .arg(&package)
        .stdout(std::process::Stdio::null());
    if !command::succeeds(&mut deb)? {
        bail!("dpkg-deb failed; see its output above");
    }
    println!("{}", package.display());
    Ok(ExitCode::SUCCESS)
}

/// Debian's name of the processor that the program is for, which no option can change.
fn architecture(elf: &Elf, wanted: Option<&str>) -> Result<&'static str> {
    let Some(found) = elf.debian else {
        bail!("the program is for none of amd64, arm64 and armhf");
    };
    match wanted {
        Some(wanted) if wanted != found => {
            bail!(
                "the program is for {found}, and --arch says {wanted}; leave it out, or name another program"
            )
        }
        _ => Ok(found),
    }
}

fn build(args: &Args) -> Result<PathBuf> {
    let foreign = Target::value_variants().iter().copied().find(|target| {
        args.arch.as_deref() == Some(target.debian()) && std::env::consts::ARCH != target.rust()
    });
    if let Some(target) = foreign {
        return cross::daemon(target, args.yes);
    }
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--profile", "dist", "--package", "undertoned"]);
    if !command::succeeds(&mut cargo)? {
        bail!("undertoned cannot be built");
    }
    Ok(workspace::target_dir().join("dist/undertoned"))
}

fn put(from: &Path, to: &Path, mode: u32) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
    Ok(())
}

fn write(to: &Path, text: &str) -> Result<()> {
    fs::write(to, text).with_context(|| format!("cannot write {}", to.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o644))?;
    Ok(())
}

/// Folders as everybody may enter them, whatever this user's umask is: on a box they become the system's.
fn open_folders(folder: &Path) -> Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_folders(&entry.path())?;
        }
    }
    Ok(())
}

fn control(version: &str, arch: &str, glibc: &str, tree: &Path) -> Result<()> {
    let control = tree.join("DEBIAN");
    fs::create_dir_all(&control)?;
    let text = format!(
        "Package: undertoned\nVersion: {version}\nArchitecture: {arch}\nMaintainer: Undertone <undertone@localhost>\n\
         Section: sound\nPriority: optional\nDepends: libc6 (>= {glibc}), libgcc-s1, libasound2 (>= 1.2) | libasound2t64\n\
         Description: speech emotion recognition on the edge\n \
         Listens to speech and tells, live, which emotion the voice expresses. The audio\n \
         never leaves the box: it is not stored and not sent, only events are.\n"
    );
    write(&control.join("control"), &text)?;
    let conffiles: String = FILES
        .iter()
        .filter(|(_, to, _)| to.starts_with("etc/"))
        .map(|(_, to, _)| format!("/{to}\n"))
        .collect();
    write(&control.join("conffiles"), &conffiles)?;
    for script in ["postinst", "prerm", "postrm"] {
        let from = workspace::root().join("packaging/deb").join(script);
        put(&from, &control.join(script), 0o755)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(debian: Option<&'static str>) -> Elf {
        Elf {
            debian,
            glibc: None,
        }
    }

    #[test]
    fn a_package_says_the_processor_of_its_program_and_nothing_else() {
        let arm = elf(Some("arm64"));
        assert_eq!(architecture(&arm, None).unwrap(), "arm64");
        assert_eq!(architecture(&arm, Some("arm64")).unwrap(), "arm64");
        assert!(architecture(&arm, Some("amd64")).is_err());
        assert_eq!(architecture(&elf(Some("armhf")), None).unwrap(), "armhf");
        assert!(architecture(&elf(None), None).is_err());
    }
}
