//! The processors that can be built for, and what Debian calls their parts.

use clap::ValueEnum;
use undertone_elf::Machine;

use crate::packages::Package;

/// A processor, by Debian's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// 64-bit: Raspberry Pi Zero 2 W, 3, 4 and 5, Jetson
    Arm64,
    /// 32-bit ARMv7 with hardware floating point: the same Raspberry Pis under a 32-bit system
    Armhf,
}

impl Target {
    fn machine(self) -> Machine {
        match self {
            Self::Arm64 => Machine::Aarch64,
            Self::Armhf => Machine::Arm,
        }
    }

    /// Debian's name of the architecture.
    pub(crate) fn debian(self) -> &'static str {
        self.machine().debian()
    }

    /// Rust's name of the target.
    pub(crate) fn triple(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-unknown-linux-gnu",
            Self::Armhf => "armv7-unknown-linux-gnueabihf",
        }
    }

    /// What [`std::env::consts::ARCH`] says there.
    pub(crate) fn rust(self) -> &'static str {
        self.machine().rust()
    }

    /// The folder of its libraries in Debian.
    pub(crate) fn multiarch(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-linux-gnu",
            Self::Armhf => "arm-linux-gnueabihf",
        }
    }

    /// The linker; `.cargo/config.toml` names it too.
    pub(crate) fn linker(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-linux-gnu-gcc",
            Self::Armhf => "arm-linux-gnueabihf-gcc",
        }
    }

    /// Names of the emulator, the one of the newest systems last.
    pub(crate) fn emulators(self) -> [&'static str; 2] {
        match self {
            Self::Arm64 => ["qemu-aarch64-static", "qemu-aarch64"],
            Self::Armhf => ["qemu-arm-static", "qemu-arm"],
        }
    }

    /// What the system needs for linking.
    pub(crate) fn packages(self) -> [Package; 3] {
        let (compiler, library, why) = match self {
            Self::Arm64 => (
                "gcc-aarch64-linux-gnu",
                "libc6-dev-arm64-cross",
                "links for 64-bit ARM",
            ),
            Self::Armhf => (
                "gcc-arm-linux-gnueabihf",
                "libc6-dev-armhf-cross",
                "links for 32-bit ARM",
            ),
        };
        [
            Package {
                name: compiler,
                why,
                program: Some(self.linker()),
            },
            Package {
                name: library,
                why: "the C library to link with",
                program: None,
            },
            Package {
                name: "pkg-config",
                why: "finds the ALSA library",
                program: Some("pkg-config"),
            },
        ]
    }
}

/// What runs the programs of another processor.
pub(crate) const EMULATOR: Package = Package {
    name: "qemu-user-static",
    why: "runs the result on this machine",
    program: None,
};
