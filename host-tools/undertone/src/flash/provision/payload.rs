//! What both mechanisms share: package, model, configuration and keys, and the script that puts them into their places
//! once and removes them.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use undertone_slots::TrustedKeys;

use super::Setup;
use crate::failure::Failure;

/// How the names of these files begin. They are not in a folder of their own, because other programs find fault with the
/// folders that `fatfs` makes.
pub(super) const PREFIX: &str = "undertone-";

/// No file of it is larger.
const MAX_BYTES: u64 = 200 << 20;

const SCRIPT: &str = r#"#!/bin/sh
# Written by undertone flash. Puts what lies beside it into its place, once, and removes it.
here=$(dirname "$0")
exec >> /var/log/undertone-setup.log 2>&1
date
put() { [ ! -f "$here/undertone-$2" ] || install -D -m "$1" "$here/undertone-$2" "$3"; }
put 600 undertoned.env /etc/undertone/undertoned.env
put 644 undertoned.toml /etc/undertone/undertoned.toml
put 644 model.onnx /etc/undertone/model.onnx
for key in "$here"/undertone-*.pub; do
    [ ! -f "$key" ] || install -D -m 644 "$key" "/etc/undertone/keys/${key##*/undertone-}"
done
if [ -f "$here/undertone-undertoned.deb" ]; then
    # The configuration above stays; what the package needs comes from the network.
    export DEBIAN_FRONTEND=noninteractive
    cp "$here/undertone-undertoned.deb" /tmp/undertoned.deb
    apt-get update
    if ! apt-get install --yes --no-install-recommends -o Dpkg::Options::=--force-confold /tmp/undertoned.deb; then
        echo 'the package could not be installed; it is tried again at the next start'
        exit 1
    fi
    rm -f /tmp/undertoned.deb
fi
rm -f "$here"/undertone-*
systemctl disable undertone-setup.service 2> /dev/null
echo done
"#;

pub(super) fn files(setup: &Setup) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = vec![(format!("{PREFIX}setup.sh"), SCRIPT.as_bytes().to_vec())];
    let install = &setup.install;
    let mut environment = setup.environment.clone();
    for (name, path) in [
        ("undertoned.deb", &install.package),
        ("undertoned.toml", &install.configuration),
        ("model.onnx", &install.model),
    ] {
        let Some(path) = path else { continue };
        let content = read(&setup.folder.join(path))?;
        check(name, path, &content)?;
        if name == "model.onnx" {
            environment
                .entry("UNDERTONE_MODEL_PATH".into())
                .or_insert("/etc/undertone/model.onnx".into());
        }
        files.push((format!("{PREFIX}{name}"), content));
    }
    for (number, path) in install.keys.iter().enumerate() {
        let path = setup.folder.join(path);
        TrustedKeys::from_file(&path)?;
        files.push((format!("{PREFIX}key{number}.pub"), read(&path)?));
    }
    if !environment.is_empty() {
        let lines: String = environment
            .iter()
            .map(|(name, value)| format!("{name}={}\n", for_systemd(value)))
            .collect();
        files.push((format!("{PREFIX}undertoned.env"), lines.into_bytes()));
    }
    Ok(files)
}

/// A value of an EnvironmentFile; systemd.exec(5): double quotes, with backslashes before what is special in them.
fn for_systemd(value: &str) -> String {
    let escaped: String = value
        .chars()
        .flat_map(|character| {
            let special = matches!(character, '"' | '\\' | '$' | '`');
            special.then_some('\\').into_iter().chain([character])
        })
        .collect();
    format!("\"{escaped}\"")
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    crate::bundle::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut content)
        .with_context(|| format!("cannot read {}", path.display()))?;
    if content.len() as u64 > MAX_BYTES {
        return Err(Failure::error(
            "too-large",
            format!("{} has more than {} MiB", path.display(), MAX_BYTES >> 20),
            "name another file in the setup",
        ));
    }
    Ok(content)
}

/// A mistake here is found on the box only after the way there.
fn check(name: &str, path: &Path, content: &[u8]) -> Result<()> {
    let refuse = |reason: String, next: &str| {
        Failure::error("bad-setup", format!("{}: {reason}", path.display()), next)
    };
    match name {
        "undertoned.deb" if !content.starts_with(b"!<arch>\ndebian-binary") => Err(refuse(
            "this is no Debian package".into(),
            "cargo xtask package makes one",
        )),
        "model.onnx" => undertone_model::Model::from_bytes(content)
            .map(|_| ())
            .map_err(|error| refuse(error.to_string(), "undertone model verify FILE")),
        "undertoned.toml" => std::str::from_utf8(content)
            .map_err(|error| error.to_string())
            .and_then(|text| {
                text.parse::<toml::Table>()
                    .map_err(|error| undertone_deployment::toml_fault(text, &error))
            })
            .map(|_| ())
            .map_err(|error| refuse(error, "undertoned --config FILE --check")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_accepts_the_script() {
        let mut shell = std::process::Command::new("sh")
            .arg("-n")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut shell.stdin.take().unwrap(), SCRIPT.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
    }

    #[test]
    fn values_of_the_environment_keep_their_characters() {
        assert_eq!(for_systemd("a\"b\\c$d `e'"), r#""a\"b\\c\$d \`e'""#);
    }
}
