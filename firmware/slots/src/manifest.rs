//! The manifest: what a bundle holds, for which boards, and how old a box may go back.

use serde::{Deserialize, Serialize};

use crate::bundle::{MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES};
use crate::error::SlotsError;
use crate::version::Version;

/// Version of the layout of bundle and manifest.
pub const FORMAT: u32 = 1;

/// The only product that this box takes bundles of.
pub const PRODUCT: &str = "undertone";

/// Everything that the signature covers. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// [`PRODUCT`].
    pub product: String,
    /// Version of the content.
    pub version: Version,
    /// Once this bundle is committed, the box takes nothing older than this.
    pub minimum_version: Version,
    /// Processor architecture of the program: `aarch64`, `arm` or `x86_64`.
    pub arch: String,
    /// Names of the boards that it may run on, as below `boards/`.
    pub boards: Vec<String>,
    /// The files, in the order in which they follow.
    pub files: Vec<FileEntry>,
}

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// What it is; it decides the name in the slot.
    pub kind: FileKind,
    /// Length.
    pub bytes: u64,
    /// SHA-256, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// What a bundle can hold, each at most once. Names in a slot are fixed, so that no bundle can choose one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// The program `undertoned`; always there.
    Daemon,
    /// A model, `.onnx`.
    Model,
    /// A configuration, TOML.
    Configuration,
    /// A systemd unit.
    Unit,
}

impl FileKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Daemon, Self::Model, Self::Configuration, Self::Unit];

    /// The file's name in its slot.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Daemon => "undertoned",
            Self::Model => "model.onnx",
            Self::Configuration => "undertoned.toml",
            Self::Unit => "undertoned.service",
        }
    }

    /// Permissions in the slot.
    pub(crate) fn mode(self) -> u32 {
        match self {
            Self::Daemon => 0o755,
            _ => 0o644,
        }
    }
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// [`SlotsError::Manifest`] naming the field, or [`SlotsError::Limit`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SlotsError> {
        let manifest: Self = serde_json::from_slice(bytes)
            .map_err(|error| SlotsError::Manifest(error.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Checks every field.
    ///
    /// # Errors
    /// As [`Manifest::parse`].
    pub fn check(&self) -> Result<(), SlotsError> {
        let refuse = |text: String| Err(SlotsError::Manifest(text));
        if self.format != FORMAT {
            return refuse(format!(
                "format is {}, but this program reads format {FORMAT}",
                self.format
            ));
        }
        if self.product != PRODUCT {
            return refuse(format!("product is {:?}, not {PRODUCT:?}", self.product));
        }
        if self.minimum_version > self.version {
            return refuse(format!(
                "minimum_version {} is above version {}",
                self.minimum_version, self.version
            ));
        }
        if !["aarch64", "arm", "x86_64"].contains(&self.arch.as_str()) {
            return refuse(format!(
                "arch is {:?}; aarch64, arm or x86_64 is expected",
                self.arch
            ));
        }
        if self.boards.is_empty() || self.boards.len() > 32 {
            return refuse(format!(
                "boards names {} boards; 1 to 32 are expected",
                self.boards.len()
            ));
        }
        if let Some(board) = self.boards.iter().find(|board| !is_name(board)) {
            return refuse(format!(
                "boards has {board:?}; names are of a-z, 0-9 and -, at most 32 characters"
            ));
        }
        self.check_files()
    }

    fn check_files(&self) -> Result<(), SlotsError> {
        let limit = |what: String, value: u64, limit: u64| {
            if value > limit {
                return Err(SlotsError::Limit { what, value, limit });
            }
            Ok(())
        };
        limit(
            "the number of files".into(),
            self.files.len() as u64,
            MAX_FILES as u64,
        )?;
        let mut total = 0u64;
        for (index, file) in self.files.iter().enumerate() {
            let name = file.kind.file_name();
            limit(format!("the size of {name}"), file.bytes, MAX_FILE_BYTES)?;
            total += file.bytes;
            if self.files[..index]
                .iter()
                .any(|other| other.kind == file.kind)
            {
                return Err(SlotsError::Manifest(format!("files has {name} twice")));
            }
            let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            if file.sha256.len() != 64 || !file.sha256.bytes().all(hex) {
                return Err(SlotsError::Manifest(format!(
                    "sha256 of {name} is not 64 lower-case hexadecimal digits"
                )));
            }
        }
        limit("the size of all files".into(), total, MAX_TOTAL_BYTES)?;
        if !self.files.iter().any(|file| file.kind == FileKind::Daemon) {
            return Err(SlotsError::Manifest("files has no daemon".into()));
        }
        Ok(())
    }

    /// Whether it may run on this board, this processor, and not below this version.
    ///
    /// # Errors
    /// [`SlotsError::WrongBoard`], [`SlotsError::WrongArch`] or [`SlotsError::TooOld`].
    pub fn fits(&self, board: &str, arch: &str, floor: Version) -> Result<(), SlotsError> {
        if !self.boards.iter().any(|name| name == board) {
            return Err(SlotsError::WrongBoard {
                board: board.to_owned(),
                boards: self.boards.join(", "),
            });
        }
        if self.arch != arch {
            return Err(SlotsError::WrongArch {
                arch: self.arch.clone(),
                own: arch.to_owned(),
            });
        }
        if self.version < floor {
            return Err(SlotsError::TooOld {
                version: self.version,
                floor,
            });
        }
        Ok(())
    }
}

/// Whether a text can name a board.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(plain)
}
