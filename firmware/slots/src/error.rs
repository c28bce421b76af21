//! What can be wrong with a bundle, a box or a disk.

use std::path::PathBuf;

use crate::slots::Slot;
use crate::version::Version;

/// Why a bundle is refused or a step is not taken. [`SlotsError::code`] is what scripts compare.
#[derive(Debug, thiserror::Error)]
pub enum SlotsError {
    /// The first bytes are not those of a bundle.
    #[error("this is no Undertone bundle: {0}")]
    NotABundle(&'static str),
    /// The file ends too early.
    #[error("the bundle ends in the middle of {what}")]
    Truncated {
        /// What was being read.
        what: String,
    },
    /// The content is not what was signed.
    #[error("the bundle was altered or damaged: {what}")]
    Tampered {
        /// What does not fit.
        what: String,
    },
    /// There is no signature.
    #[error("the bundle is not signed")]
    Unsigned,
    /// The signature is by a key that is not trusted.
    #[error("the bundle is signed with key {key}, and only {trusted} is trusted")]
    ForeignKey {
        /// Identity of the signing key.
        key: String,
        /// Identities of the trusted ones.
        trusted: String,
    },
    /// No key to check with.
    #[error("there is no public key (*.pub) in {}", folder.display())]
    NoKeys {
        /// Where keys are looked for.
        folder: PathBuf,
    },
    /// More public keys than any box needs.
    #[error("there are more than {limit} public keys (*.pub) in {}", folder.display())]
    TooManyKeys {
        /// Where they are.
        folder: PathBuf,
        /// How many may be trusted.
        limit: usize,
    },
    /// A file is no public key.
    #[error("{} is no minisign public key: {reason}", path.display())]
    BadKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A field of the manifest is missing or has a value that is not allowed.
    #[error("the manifest is not valid: {0}")]
    Manifest(String),
    /// Something is larger than any honest bundle needs.
    #[error("{what} is {value}, but at most {limit} is allowed")]
    Limit {
        /// What is too large.
        what: String,
        /// How large it claims to be.
        value: u64,
        /// How large it may be.
        limit: u64,
    },
    /// The bundle is for other boards.
    #[error("the bundle is for {boards}, and this is {board}")]
    WrongBoard {
        /// The board of this box.
        board: String,
        /// The boards that the bundle names.
        boards: String,
    },
    /// The bundle's program is for another processor.
    #[error("the bundle's program is for {arch}, and this is {own}")]
    WrongArch {
        /// Architecture in the manifest.
        arch: String,
        /// Architecture of this program.
        own: String,
    },
    /// Older than what the box accepts.
    #[error("version {version} is below the minimum version {floor} of this box")]
    TooOld {
        /// Version that was to be run.
        version: Version,
        /// Lowest version that may run.
        floor: Version,
    },
    /// Another command is working on the slots.
    #[error("another command is working on {}", root.display())]
    Busy {
        /// Folder of the slots.
        root: PathBuf,
    },
    /// A slot is on trial already.
    #[error("slot {slot} is still on trial")]
    TrialPending {
        /// The slot.
        slot: Slot,
    },
    /// Nothing is on trial.
    #[error("no slot is on trial, there is nothing to commit")]
    NoTrial,
    /// There is nothing to go back to.
    #[error("there is no earlier slot to go back to")]
    NothingBefore,
    /// A slot does not hold what its manifest says.
    #[error("slot {slot} is damaged: {what}")]
    DamagedSlot {
        /// The slot.
        slot: Slot,
        /// What is wrong.
        what: String,
    },
    /// The state of the slots cannot be read.
    #[error("{} cannot be understood: {reason}", path.display())]
    BadState {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The settings of the slots are not valid.
    #[error("the settings {} are not valid: {reason}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The board of this box is not known.
    #[error("the board of this machine is not known ({0})")]
    UnknownBoard(String),
    /// The system refused something.
    #[error("cannot {action} {}: {reason}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
}

impl SlotsError {
    /// A short name that does not change between versions.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotABundle(_) => "not-a-bundle",
            Self::Truncated { .. } => "truncated",
            Self::Tampered { .. } => "tampered",
            Self::Unsigned => "unsigned",
            Self::ForeignKey { .. } => "foreign-key",
            Self::NoKeys { .. } => "no-keys",
            Self::TooManyKeys { .. } => "too-many-keys",
            Self::BadKey { .. } => "bad-key",
            Self::Manifest(_) => "bad-manifest",
            Self::Limit { .. } => "too-large",
            Self::WrongBoard { .. } => "wrong-board",
            Self::WrongArch { .. } => "wrong-arch",
            Self::TooOld { .. } => "too-old",
            Self::Busy { .. } => "busy",
            Self::TrialPending { .. } => "trial-pending",
            Self::NoTrial => "no-trial",
            Self::NothingBefore => "nothing-before",
            Self::DamagedSlot { .. } => "damaged-slot",
            Self::BadState { .. } => "bad-state",
            Self::Settings { .. } => "bad-settings",
            Self::UnknownBoard(_) => "unknown-board",
            Self::Io { .. } => "io",
        }
    }

    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |reason| Self::Io {
            action,
            path,
            reason,
        }
    }
}
