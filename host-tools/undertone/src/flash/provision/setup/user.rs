//! Who may log in.

use anyhow::Result;
use serde::Deserialize;

use super::refuse;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::flash::provision) struct User {
    pub(in crate::flash::provision) name: String,
    /// As `openssl passwd -6` prints it; none: log in by key only.
    pub(in crate::flash::provision) password_hash: Option<String>,
    /// Lines of authorized_keys.
    #[serde(default)]
    pub(in crate::flash::provision) ssh_keys: Vec<String>,
}

impl User {
    pub(super) fn check(&self) -> Result<()> {
        let User {
            name,
            password_hash,
            ssh_keys,
        } = self;
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if !(1..=32).contains(&name.len())
            || !name.bytes().all(plain)
            || !name.starts_with(|first: char| first.is_ascii_lowercase())
            || name == "root"
        {
            return Err(refuse(
                "user.name",
                format!(
                    "{name:?} is not a user name; start with a-z, then a-z, 0-9, - or _; not root"
                ),
            ));
        }
        if let Some(hash) = password_hash {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"$./=,".contains(&byte);
            let known = ["$6$", "$5$", "$y$"]
                .iter()
                .any(|start| hash.starts_with(start));
            if !known || hash.len() < 20 || hash.len() > 256 || !hash.bytes().all(plain) {
                return Err(refuse(
                    "user.password_hash",
                    "it is not a hash; never write the password itself, but what `openssl passwd -6` prints",
                ));
            }
        }
        for key in ssh_keys {
            let kind = key.split(' ').next().unwrap_or_default();
            let known = ["ssh-", "ecdsa-", "sk-"]
                .iter()
                .any(|start| kind.starts_with(start));
            if !known || key.split(' ').count() < 2 || key.chars().any(char::is_control) {
                return Err(refuse(
                    "user.ssh_keys",
                    format!(
                        "{kind:?}... is not a public key; take a line of ~/.ssh/id_ed25519.pub"
                    ),
                ));
            }
        }
        if password_hash.is_none() && ssh_keys.is_empty() {
            return Err(refuse(
                "user",
                "with neither password_hash nor ssh_keys nobody could log in",
            ));
        }
        Ok(())
    }
}
