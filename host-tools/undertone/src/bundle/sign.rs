//! `undertone bundle sign`.

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use minisign::{ErrorKind, PublicKey, SecretKey, SecretKeyBox};
use serde_json::json;
use undertone_slots::{Bundle, SIGNATURE_COMMENT, Version, write_bundle};

use super::{KeyKind, beside, create::replace, key_text, kind_of_key, open, summary};
use crate::failure::Failure;
use crate::{place, print};

/// Where a password can be given to a script.
const PASSWORD: &str = "UNDERTONE_KEY_PASSWORD";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The bundle
    bundle: PathBuf,
    /// The secret key, of `undertone bundle key` or `minisign -G`; its password is asked for, or read from UNDERTONE_KEY_PASSWORD
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where to write the signed bundle [default: in its place]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Never ask; an encrypted key without UNDERTONE_KEY_PASSWORD is an error then
    #[arg(long)]
    non_interactive: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        if let Some(output) = &self.output {
            place::must_take(output)?;
        }
        // Once to the end, so that nothing damaged is ever signed.
        let whole = Bundle::open_unverified(open(&self.bundle)?)?;
        let text = whole.manifest_bytes().to_vec();
        let front = 16 + whole.signature().len() + text.len();
        let manifest = super::drain(whole, &self.bundle)?;
        let signature = sign(&text, &self.key, manifest.version, self.non_interactive)?;
        let mut files = open(&self.bundle)?;
        let skipped = std::io::copy(&mut files.by_ref().take(front as u64), &mut std::io::sink())?;
        if skipped != front as u64 {
            return Err(Failure::error(
                "changed",
                format!("{} changed while it was read", self.bundle.display()),
                "wait until whatever writes it is done",
            ));
        }
        let output = self.output.as_ref().unwrap_or(&self.bundle);
        replace(output, |to| {
            write_bundle(to, &signature, &text, &mut files).map_err(Into::into)
        })?;
        let report = json!({
            "file": output.display().to_string(),
            "signed": true,
            "manifest": summary(&manifest),
        });
        print::report(&report, self.json)
    }
}

/// A minisign signature over a manifest, in the one spelling that a box takes.
pub(super) fn sign(
    manifest: &[u8],
    key: &Path,
    version: Version,
    non_interactive: bool,
) -> Result<Vec<u8>> {
    let secret = secret_key(key, non_interactive)?;
    let public = PublicKey::from_secret_key(&secret).map_err(|error| bad_key(key, &error))?;
    let comment = format!("undertone {version}");
    let signature = minisign::sign(
        Some(&public),
        &secret,
        manifest,
        Some(&comment),
        Some(SIGNATURE_COMMENT),
    )
    .context("cannot sign")?;
    Ok(signature.into_string().into_bytes())
}

fn bad_key(path: &Path, reason: &dyn std::fmt::Display) -> anyhow::Error {
    Failure::error(
        "bad-key",
        format!(
            "{} cannot be used as a secret key: {reason}",
            path.display()
        ),
        "undertone bundle key --output site (or minisign -G) makes a pair of keys",
    )
}

fn secret_key(path: &Path, non_interactive: bool) -> Result<SecretKey> {
    let text = key_text(path)?;
    let kind = kind_of_key(&text);
    if kind.is_none() {
        return Err(bad_key(path, &"it is not a key of minisign"));
    }
    if kind == Some(KeyKind::Public) {
        return Err(Failure::error(
            "bad-key",
            format!(
                "{} is a public key, and bundles are signed with the secret one",
                path.display()
            ),
            format!("--key {}", beside(path, "key")),
        ));
    }
    let parse = || SecretKeyBox::from_string(&text).map_err(|error| bad_key(path, &error));
    match parse()?.into_unencrypted_secret_key() {
        Ok(secret) => return Ok(secret),
        Err(error) if matches!(error.kind(), ErrorKind::Verify) => {
            return Err(bad_key(path, &error));
        }
        // It is encrypted.
        Err(_) => {}
    }
    let password = match std::env::var(PASSWORD) {
        Ok(password) => password,
        Err(_) if non_interactive || !std::io::stdin().is_terminal() => {
            return Err(Failure::error(
                "password-needed",
                format!(
                    "{} is encrypted, and nobody can be asked for its password",
                    path.display()
                ),
                format!("set {PASSWORD}, or run it in a terminal without --non-interactive"),
            ));
        }
        Err(_) => rpassword::prompt_password(format!("Password of {}: ", path.display()))
            .context("cannot ask for the password")?,
    };
    parse()?
        .into_secret_key(Some(password))
        .map_err(|_| bad_key(path, &"the password is wrong, or the file is damaged"))
}
