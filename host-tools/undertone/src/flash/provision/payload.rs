//! What both mechanisms share: package, model, configuration and keys, and the script that puts them into their places
//! once and removes them.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use anyhow::Result;
use undertone_model::Model;

use super::{Setup, package};
use crate::failure::Failure;

/// How the names of these files begin. They are not in a folder of their own, because other programs find fault with the
/// folders that `fatfs` makes.
pub(super) const PREFIX: &str = "undertone-";

/// What runs the script at every start, until it succeeds.
pub(super) const SERVICE: &str = "undertone-setup.service";

/// The unit of it, where the boot partition is at `boot`.
pub(super) fn unit(boot: &str) -> String {
    format!(
        "[Unit]\nDescription=Set up Undertone, once\nWants=network-online.target\nAfter=network-online.target\n\
         [Service]\nType=oneshot\nExecStart=/bin/sh {boot}/{PREFIX}setup.sh\n[Install]\nWantedBy=multi-user.target\n"
    )
}

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
    # Not in /tmp, where somebody else may have made a file of this name.
    deb=/var/cache/undertoned.deb
    cp "$here/undertone-undertoned.deb" "$deb"
    apt-get update
    if ! apt-get install --yes --no-install-recommends -o Dpkg::Options::=--force-confold "$deb"; then
        echo 'the package could not be installed; it is tried again at the next start'
        exit 1
    fi
    rm -f "$deb"
fi
rm -f "$here"/undertone-*
systemctl disable undertone-setup.service 2> /dev/null
echo done
"#;

/// The files of it, read and checked; nothing of this depends on the image.
pub(super) fn files(setup: &Setup) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = vec![(format!("{PREFIX}setup.sh"), SCRIPT.as_bytes().to_vec())];
    let install = &setup.install;
    let mut environment = setup.environment.clone();
    let mut put = |name: &str, content: Vec<u8>| files.push((format!("{PREFIX}{name}"), content));
    if let Some(path) = &install.package {
        put("undertoned.deb", read_package(&setup.folder.join(path))?);
    }
    let mut model = None;
    if let Some(path) = &install.model {
        let path = setup.folder.join(path);
        let content = read(&path)?;
        let own = Model::from_bytes(&content).map_err(|error| {
            let next = format!("undertone model verify {}", path.display());
            refuse(&path, &error, &next)
        })?;
        model = Some(own);
        put("model.onnx", content);
        environment
            .entry("UNDERTONE_MODEL_PATH".into())
            .or_insert("/etc/undertone/model.onnx".into());
    }
    if let Some(path) = &install.configuration {
        let path = setup.folder.join(path);
        let content = read(&path)?;
        check_configuration(&path, &content, &environment, model.as_ref())?;
        put("undertoned.toml", content);
    }
    for (number, path) in install.keys.iter().enumerate() {
        let path = setup.folder.join(path);
        crate::bundle::public_key(&path)?;
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
        .map_err(|error| refuse(path, &error, &format!("ls -l {}", path.display())))?;
    if content.len() as u64 > MAX_BYTES {
        return Err(Failure::error(
            "too-large",
            format!("{} has more than {} MiB", path.display(), MAX_BYTES >> 20),
            "name another file in the setup",
        ));
    }
    Ok(content)
}

/// A mistake here would be found on the box only, after the way there.
fn refuse(path: &Path, reason: &dyn std::fmt::Display, next: &str) -> anyhow::Error {
    Failure::error("bad-setup", format!("{}: {reason}", path.display()), next)
}

fn read_package(path: &Path) -> Result<Vec<u8>> {
    let content = read(path)?;
    package::check(&content)
        .map_err(|reason| refuse(path, &reason, "cargo xtask package --arch arm64 makes one"))?;
    Ok(content)
}

fn check_configuration(
    path: &Path,
    content: &[u8],
    environment: &BTreeMap<String, String>,
    model: Option<&Model>,
) -> Result<()> {
    let wrong = |reason: &dyn std::fmt::Display| {
        let next =
            "correct it, or [environment] of the setup; docs/configuration.md has every field";
        refuse(path, reason, next)
    };
    let text = std::str::from_utf8(content).map_err(|error| wrong(&error))?;
    let environment = environment.clone().into_iter().collect();
    crate::configuration::check(path, text, environment, model).map_err(|error| wrong(&error))?;
    // It is installed for everybody to read; the environment is not.
    if crate::configuration::holds_password(text) {
        return Err(refuse(
            path,
            &"mqtt.password would be readable by every user of the box",
            "give it in [environment] of the setup, as UNDERTONE_MQTT_PASSWORD",
        ));
    }
    Ok(())
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
    fn root_writes_nothing_where_others_can_put_a_file() {
        assert!(!SCRIPT.contains("/tmp/"), "{SCRIPT}");
    }

    #[test]
    fn values_of_the_environment_keep_their_characters() {
        assert_eq!(for_systemd("a\"b\\c$d `e'"), r#""a\"b\\c\$d \`e'""#);
    }
}
