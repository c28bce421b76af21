//! Older images: `firstrun.sh`, which the kernel's command line lets systemd run once, before anything else.

use anyhow::Result;

use super::payload::{SERVICE, unit};
use super::setup::Setup;
use crate::failure::Failure;
use crate::text::quoted;

/// What runs it once. Images that mount the boot partition at /boot/firmware rewrite the path themselves, in their initramfs.
const HOOK: &str = "systemd.run=/boot/firstrun.sh systemd.run_success_action=reboot systemd.unit=kernel-command-line.target";

pub(super) fn files(setup: &Setup, line: &str) -> Result<Vec<(String, Vec<u8>)>> {
    Ok(vec![
        ("firstrun.sh".into(), script(setup).into_bytes()),
        ("cmdline.txt".into(), command_line(line)?.into_bytes()),
    ])
}

/// The command line is one line; what an earlier run left in it is taken out.
fn command_line(line: &str) -> Result<String> {
    let words: Vec<&str> = line
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .filter(|word| {
            ![
                "systemd.run=",
                "systemd.run_success_action=",
                "systemd.unit=",
            ]
            .iter()
            .any(|start| word.starts_with(start))
        })
        .collect();
    if !words.iter().any(|word| word.starts_with("root=")) {
        return Err(Failure::error(
            "not-an-image",
            "cmdline.txt of its boot partition names no root=",
            "take an image of Raspberry Pi OS, or flash without --setup",
        ));
    }
    Ok(format!("{} {HOOK}\n", words.join(" ")))
}

fn script(setup: &Setup) -> String {
    let user = &setup.user;
    let mut text = String::from(
        "#!/bin/bash\n# Written by undertone flash. Runs once, before the network is there, and restarts the machine.\n\
         set +e\nboot=$(dirname \"$(readlink -f \"$0\")\")\ncustom=/usr/lib/raspberrypi-sys-mods/imager_custom\n",
    );
    let host = quoted(&setup.hostname);
    text += &format!(
        "if [ -f $custom ]; then $custom set_hostname {host}\n\
         else echo {host} > /etc/hostname; sed -i 's/^127\\.0\\.1\\.1.*/127.0.1.1\\t'{host}'/' /etc/hosts; fi\n"
    );
    let name = quoted(&user.name);
    // `*` is a hash that no password has.
    let hash = quoted(user.password_hash.as_deref().unwrap_or("*"));
    text += &format!(
        "first=$(getent passwd 1000 | cut -d: -f1)\n\
         if [ -f /usr/lib/userconf-pi/userconf ]; then /usr/lib/userconf-pi/userconf {name} {hash}\n\
         elif [ -z \"$first\" ]; then useradd --create-home --shell /bin/bash --groups adm,dialout,audio,sudo --password {hash} {name}\n\
         else\n  usermod --login {name} --move-home --home /home/{name} --password {hash} \"$first\"\n  groupmod --new-name {name} \"$first\"\nfi\n"
    );
    if user.password_hash.is_none() {
        text += &format!(
            "printf '%s ALL=(ALL) NOPASSWD:ALL\\n' {name} > /etc/sudoers.d/010_undertone; chmod 440 /etc/sudoers.d/010_undertone\n"
        );
    }
    if !user.ssh_keys.is_empty() {
        text +=
            &format!("home=/home/{name}\ninstall -d -m 700 -o {name} -g {name} \"$home/.ssh\"\n");
        for key in &user.ssh_keys {
            text += &format!(
                "printf '%s\\n' {} >> \"$home/.ssh/authorized_keys\"\n",
                quoted(key)
            );
        }
        text += &format!(
            "chown {name}:{name} \"$home/.ssh/authorized_keys\"; chmod 600 \"$home/.ssh/authorized_keys\"\n\
             mkdir -p /etc/ssh/sshd_config.d; echo 'PasswordAuthentication no' > /etc/ssh/sshd_config.d/10-undertone.conf\n"
        );
    }
    text += "systemctl enable ssh\n";
    if let Some(wifi) = &setup.wifi {
        let (ssid, psk, country) = (quoted(&wifi.ssid), wifi.psk(), &wifi.country);
        text += &format!(
            "if [ -f $custom ]; then $custom set_wlan {ssid} {psk} {country}\n\
             else\n  {{ echo 'country={country}'; echo 'ctrl_interface=DIR=/var/run/wpa_supplicant GROUP=netdev'; \
             printf 'network={{\\n ssid=\"%s\"\\n psk={psk}\\n}}\\n' {ssid}; }} > /etc/wpa_supplicant/wpa_supplicant.conf\n  \
             chmod 600 /etc/wpa_supplicant/wpa_supplicant.conf\n  for lock in /var/lib/systemd/rfkill/*:wlan; do [ -e \"$lock\" ] && echo 0 > \"$lock\"; done\nfi\n"
        );
    }
    if let Some(zone) = setup.timezone.as_deref().map(quoted) {
        text += &format!(
            "rm -f /etc/localtime; echo {zone} > /etc/timezone; dpkg-reconfigure -f noninteractive tzdata\n"
        );
    }
    // The rest needs the network, and waits for the next start.
    text += &format!(
        "cat > /etc/systemd/system/{SERVICE} <<END\n{}END\nsystemctl enable {SERVICE}\n",
        // The shell puts the folder in.
        unit("$boot")
    );
    text += "rm -f \"$boot/firstrun.sh\"\nsed -i 's| systemd\\.[^ ]*||g' \"$boot/cmdline.txt\"\nexit 0\n";
    text
}

#[cfg(test)]
mod tests {
    use super::super::setup::tests::GOOD;
    use super::*;

    #[test]
    fn the_hook_stands_once_in_the_command_line() {
        let line = "console=tty1 root=PARTUUID=1-02 rootwait quiet\n";
        let once = command_line(line).unwrap();
        assert_eq!(
            once,
            format!("console=tty1 root=PARTUUID=1-02 rootwait quiet {HOOK}\n")
        );
        assert_eq!(command_line(&once).unwrap(), once);
        assert!(command_line("").is_err());
    }

    #[test]
    fn bash_accepts_the_script_with_every_part_and_with_none() {
        let bare = "hostname = \"a\"\n[user]\nname = \"b\"\nssh_keys = [\"ssh-rsa it's\"]\n";
        for text in [GOOD, bare] {
            let script = script(&Setup::parse(text).unwrap());
            let mut shell = std::process::Command::new("bash")
                .arg("-n")
                .stdin(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            std::io::Write::write_all(&mut shell.stdin.take().unwrap(), script.as_bytes()).unwrap();
            assert!(shell.wait().unwrap().success(), "{script}");
            assert!(!script.contains("psk=password"));
            // A machine without rfkill must not get a file called `*:wlan`.
            assert_eq!(
                script.contains("rfkill/*"),
                script.contains("do [ -e \"$lock\" ] && echo 0 > \"$lock\"; done")
            );
        }
    }
}
