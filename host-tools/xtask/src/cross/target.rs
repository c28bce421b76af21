//! The processors that can be built for, and what Debian calls their parts.

use clap::ValueEnum;

use crate::packages::Package;

/// A processor, by Debian's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// 64-bit: Raspberry Pi Zero 2 W, 3, 4 and 5, Jetson
    Arm64,
}

impl Target {
    /// Debian's name of the architecture.
    pub(crate) fn debian(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
        }
    }

    /// Rust's name of the target.
    pub(crate) fn triple(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// The folder of its libraries in Debian.
    pub(crate) fn multiarch(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-linux-gnu",
        }
    }

    /// The linker; `.cargo/config.toml` names it too.
    pub(crate) fn linker(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-linux-gnu-gcc",
        }
    }

    /// Names of the emulator, the one of the newest systems last.
    pub(crate) fn emulators(self) -> [&'static str; 2] {
        match self {
            Self::Arm64 => ["qemu-aarch64-static", "qemu-aarch64"],
        }
    }

    /// What the system needs for linking.
    pub(crate) fn packages(self) -> [Package; 3] {
        match self {
            Self::Arm64 => [
                Package {
                    name: "gcc-aarch64-linux-gnu",
                    why: "links for 64-bit ARM",
                    program: Some("aarch64-linux-gnu-gcc"),
                },
                Package {
                    name: "libc6-dev-arm64-cross",
                    why: "the C library to link with",
                    program: None,
                },
                Package {
                    name: "pkg-config",
                    why: "finds the ALSA library",
                    program: Some("pkg-config"),
                },
            ],
        }
    }
}

/// What runs the programs of another processor.
pub(crate) const EMULATOR: Package = Package {
    name: "qemu-user-static",
    why: "runs the result on this machine",
    program: None,
};
