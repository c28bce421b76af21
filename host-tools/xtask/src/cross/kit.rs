//! What a build for another processor needs: a compiler that knows the target, and the target's libraries.

use std::env;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::apt::{Apt, Unavailable};
use super::target::{EMULATOR, Target};
use crate::packages::{self, BUILD};
use crate::{command, workspace};

/// Rust that the workspace asks for.
const RUST: &str = env!("CARGO_PKG_RUST_VERSION");

/// Calls Debian's compiler with the libraries that it was unpacked with.
const WRAPPER: &str = "#!/bin/sh
here=\"${0%/*}\"
export LD_LIBRARY_PATH=\"$here/rust/usr/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\"
exec \"$here/rust/usr/bin/rustc\" \"$@\"
";

/// Compiler, libraries and build outputs of one target, in a folder outside the project.
pub(crate) struct Kit {
    target: Target,
    folder: PathBuf,
    /// Debian's compiler; none where rustup's knows the target.
    rustc: Option<PathBuf>,
    /// No other run may fetch anything anew while this one builds.
    _lock: File,
}

impl Kit {
    /// Sees to it that everything is there; what is there is used as it is, unless it is to be fetched anew.
    ///
    /// # Errors
    /// When this machine cannot build for the target, with what can be done instead.
    pub(crate) fn ready(
        target: Target,
        folder: Option<&Path>,
        refresh: bool,
        yes: bool,
    ) -> Result<Self> {
        let folder = place(folder)?.join(target.debian());
        if !command::exists("apt-get") || !command::exists("dpkg-deb") {
            bail!(
                "this needs Debian or Ubuntu (apt-get, dpkg-deb). Elsewhere: cross build --profile dist --target {} \
                 --package undertoned (docs/cross-compiling.md)",
                target.triple()
            );
        }
        if env::consts::ARCH != "x86_64" {
            bail!(
                "this machine is {}, and only x86-64 ones were tried; on the board itself: cargo build --profile dist --package undertoned",
                env::consts::ARCH
            );
        }
        let mut wanted = BUILD.to_vec();
        wanted.extend(target.packages());
        wanted.push(EMULATOR);
        packages::ensure(&wanted, yes)?;
        fs::create_dir_all(&folder).with_context(|| {
            format!(
                "cannot make {}; --folder names another place",
                folder.display()
            )
        })?;
        let lock = lock(&folder)?;
        let mut kit = Self {
            target,
            folder,
            rustc: None,
            _lock: lock,
        };
        if !kit.rustup_knows_it() {
            kit.rustc = Some(kit.folder.join("rustc"));
        }
        kit.fetch(refresh)?;
        Ok(kit)
    }

    /// cargo for the target, with build outputs of its own.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = workspace::cargo();
        let sysroot = self.sysroot();
        let pkg_config = sysroot
            .join("usr/lib")
            .join(self.target.multiarch())
            .join("pkgconfig");
        let variable = self.target.triple().to_uppercase().replace('-', "_");
        cargo
            .env("CARGO_TARGET_DIR", self.target_dir())
            .env("PKG_CONFIG_ALLOW_CROSS", "1")
            .env("PKG_CONFIG_SYSROOT_DIR", sysroot)
            .env("PKG_CONFIG_LIBDIR", pkg_config)
            .env(
                format!("CARGO_TARGET_{variable}_LINKER"),
                self.target.linker(),
            )
            .env(
                format!("CARGO_TARGET_{variable}_RUNNER"),
                self.emulator().join(" "),
            );
        if let Some(rustc) = &self.rustc {
            cargo.env("RUSTC", rustc);
        }
        cargo
    }

    /// A program of the target, to be run here.
    pub(crate) fn emulated(&self, program: &Path) -> Command {
        let words = self.emulator();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg(program);
        command
    }

    /// Where the programs of a profile are.
    pub(crate) fn outputs(&self, profile: &str) -> PathBuf {
        self.target_dir().join(self.target.triple()).join(profile)
    }

    fn emulator(&self) -> [String; 3] {
        let [usual, new] = self.target.emulators();
        let name = if command::exists(usual) { usual } else { new };
        [
            name.into(),
            "-L".into(),
            self.sysroot().display().to_string(),
        ]
    }

    fn target_dir(&self) -> PathBuf {
        self.folder.join("target")
    }

    fn sysroot(&self) -> PathBuf {
        self.folder.join("sysroot")
    }

    fn rustup_knows_it(&self) -> bool {
        let mut rustc = Command::new("rustc");
        rustc.current_dir(workspace::root()).args([
            "--print",
            "target-libdir",
            "--target",
            self.target.triple(),
        ]);
        let Ok(output) = rustc.output() else {
            return false;
        };
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success() && Path::new(&folder).is_dir()
    }

    fn fetch(&self, refresh: bool) -> Result<()> {
        let rust = self.folder.join("rust");
        let wanted = |folder: &Path| refresh || !folder.is_dir();
        let compiler = self.rustc.is_some() && wanted(&rust);
        if compiler || wanted(&self.sysroot()) {
            let apt = Apt::update(&self.folder.join("apt"), "amd64", self.target.debian())?;
            if compiler {
                unpack(&apt, &self.compiler(&apt)?, &rust)?;
            }
            if wanted(&self.sysroot()) {
                unpack(&apt, &self.libraries(&apt)?, &self.sysroot())?;
            }
            fs::remove_dir_all(self.folder.join("apt"))?;
        }
        if let Some(rustc) = &self.rustc {
            fs::write(rustc, WRAPPER)?;
            fs::set_permissions(rustc, fs::Permissions::from_mode(0o755))?;
            if !command::succeeds_quietly(Command::new(rustc).arg("--version")) {
                bail!(
                    "{} does not run; --refresh fetches the compiler anew",
                    rustc.display()
                );
            }
        }
        Ok(())
    }

    /// The compiler for this machine, and the standard library of both.
    fn compiler(&self, apt: &Apt) -> Result<Vec<String>> {
        let foreign = format!("libstd-rust-web-dev:{}", self.target.debian());
        let remedy = format!(
            "This system's sources have no such package (Debian 12 has it in bookworm-security). Otherwise: rustup target add {}",
            self.target.triple()
        );
        let own = apt.candidate("rustc-web")?;
        let Some(version) = own.filter(|version| is_enough(version, RUST)) else {
            return Err(Unavailable::error(format!(
                "Rust {RUST} or later is needed, as rustc-web. {remedy}"
            )));
        };
        if apt.candidate(&foreign)?.as_ref() != Some(&version) {
            return Err(Unavailable::error(format!(
                "{foreign} is needed in version {version}, that of rustc-web. {remedy}"
            )));
        }
        let driver = apt.dependency("libstd-rust-web-dev", "libstd-rust-web-")?;
        let llvm = apt.dependency(&driver, "libllvm")?;
        Ok(vec![
            "rustc-web".into(),
            "libstd-rust-web-dev".into(),
            driver,
            llvm,
            foreign,
        ])
    }

    /// What the daemon is linked with and run with.
    fn libraries(&self, apt: &Apt) -> Result<Vec<String>> {
        let of = |name: &str| format!("{name}:{}", self.target.debian());
        let headers = of("libasound2-dev");
        if apt.candidate(&headers)?.is_none() {
            return Err(Unavailable::error(format!(
                "no source below /etc/apt has {headers}. Debian's mirrors have it; on Ubuntu add ports.ubuntu.com for {}",
                self.target.debian()
            )));
        }
        let sound = apt.dependency(&headers, "libasound2")?;
        let data = apt.dependency(&sound, "libasound2-data")?;
        // It is for all architectures, but asked for as if of one.
        let data = data.split(':').next().unwrap_or_default().to_owned();
        let mut packages = vec![headers, sound, data];
        packages.extend(["libc6", "libgcc-s1", "libstdc++6"].map(of));
        Ok(packages)
    }
}

/// Waits until no other run works in the folder; it is this run's until the file is closed.
fn lock(folder: &Path) -> Result<File> {
    let cannot = || format!("cannot lock the folder {}", folder.display());
    let lock = File::create(folder.join("lock")).with_context(cannot)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            eprintln!("Another run works in {}; waiting for it.", folder.display());
            lock.lock().with_context(cannot)?;
            Ok(lock)
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(cannot),
    }
}

/// All or nothing: the folder has its name only once everything is in it.
fn unpack(apt: &Apt, packages: &[String], folder: &Path) -> Result<()> {
    let new = folder.with_extension("new");
    apt.unpack(packages, &new)?;
    // ALSA looks for it, and says so on standard error where it is missing.
    fs::create_dir_all(new.join("etc/alsa/conf.d"))?;
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::rename(&new, folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// The folder named on the command line or in the environment, else one in the user's cache.
fn place(folder: Option<&Path>) -> Result<PathBuf> {
    if let Some(folder) = folder {
        return Ok(std::path::absolute(folder)?);
    }
    let cache = env::var_os("XDG_CACHE_HOME").filter(|cache| !cache.is_empty());
    let cache = match (cache, env::var_os("HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(home)) => Path::new(&home).join(".cache"),
        (None, None) => bail!("HOME is not set; name a folder with --folder or UNDERTONE_CROSS"),
    };
    Ok(cache.join("undertone-cross"))
}

/// Whether a Debian version such as `1.96.0+dfsg1-1` is not below a Rust version such as `1.95`.
fn is_enough(debian: &str, rust: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        text.split(|character: char| !character.is_ascii_digit())
            .take(2)
            .filter_map(|part| part.parse().ok())
            .collect()
    };
    numbers(debian) >= numbers(rust)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_that_is_too_old_is_not_enough() {
        assert!(is_enough("1.96.0+dfsg1-1~deb12u2", "1.95"));
        assert!(is_enough("1.95.0", "1.95"));
        assert!(is_enough("2.0.1", "1.95"));
        assert!(!is_enough("1.85.0+dfsg3-1~deb12u3", "1.95"));
        assert!(!is_enough("", "1.95"));
    }

    #[test]
    fn a_folder_is_one_runs_for_as_long_as_it_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(folder.path()).unwrap();
        let second = File::open(folder.path().join("lock")).unwrap();
        assert!(second.try_lock().is_err());
        drop(first);
        second.try_lock().unwrap();
        let error = lock(Path::new("/nowhere")).unwrap_err().to_string();
        assert_eq!(error, "cannot lock the folder /nowhere");
    }

    #[test]
    fn a_folder_that_is_named_is_taken() {
        assert_eq!(place(Some(Path::new("/x"))).unwrap(), Path::new("/x"));
        assert!(place(Some(Path::new("x"))).unwrap().is_absolute());
    }
}
