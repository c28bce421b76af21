//! `undertone flash` from an image file to a provisioned one, looked at with other programs (mtools, dosfstools, e2fsprogs).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use support::ended;

/// Layout of the test's card: a FAT and an ext4 partition, as Raspberry Pi OS has them, only smaller.
const BOOT: usize = 4 << 20;
const BOOT_BYTES: usize = 40 << 20;
const ROOT: usize = BOOT + BOOT_BYTES;
const ROOT_BYTES: usize = 8 << 20;
/// A GPT keeps a copy of itself at the end.
const TAIL: usize = 1 << 20;

const PROGRAMS: [&str; 8] = [
    "sfdisk",
    "mkfs.fat",
    "mkfs.ext4",
    "mcopy",
    "fsck.fat",
    "debugfs",
    "xz",
    "zstd",
];

struct Bench {
    folder: tempfile::TempDir,
}

fn system(program: &str, words: &[&str], folder: &Path) -> Output {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    let output = Command::new(program)
        .args(words)
        .env("PATH", path)
        .current_dir(folder)
        .output();
    output.unwrap_or_else(|error| panic!("{program}: {error}"))
}

impl Bench {
    /// A folder with `os.img`; `None` where the programs are missing, unless the rig is required.
    fn new(table: &str, files: &[(&str, &str)]) -> Option<Self> {
        let missing = |name: &&str| {
            !std::env::split_paths(&std::env::var_os("PATH").unwrap())
                .chain(["/usr/sbin".into(), "/sbin".into()])
                .any(|folder: PathBuf| folder.join(name).is_file())
        };
        let missing: Vec<&str> = PROGRAMS.into_iter().filter(missing).collect();
        if !missing.is_empty() {
            let hint = "apt-get install fdisk dosfstools mtools e2fsprogs xz-utils zstd";
            let required = std::env::var_os("UNDERTONE_REQUIRE_RIG").is_some();
            assert!(!required, "{missing:?} not installed: {hint}");
            eprintln!("skipped: {missing:?} not installed; {hint}");
            return None;
        }
        let bench = Bench {
            folder: tempfile::tempdir().unwrap(),
        };
        bench.make_image(table, files);
        Some(bench)
    }

    fn make_image(&self, table: &str, files: &[(&str, &str)]) {
        let part = |name: &str, bytes: usize| {
            let file = fs::File::create(self.path(name)).unwrap();
            file.set_len(bytes as u64).unwrap();
        };
        part("boot", BOOT_BYTES);
        part("root", ROOT_BYTES);
        part("os.img", ROOT + ROOT_BYTES + TAIL);
        self.good("mkfs.fat", &["-F", "32", "-s", "1", "-n", "bootfs", "boot"]);
        for (name, content) in files {
            fs::write(self.path(name), content).unwrap();
            self.good("mcopy", &["-i", "boot", name, &format!("::{name}")]);
        }
        fs::create_dir_all(self.path("tree/etc")).unwrap();
        fs::write(self.path("tree/etc/issue"), "the root file system\n").unwrap();
        // Noise, so that the packed image has something in its middle that can be damaged.
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let noise: Vec<u8> = std::iter::repeat_with(&mut noise).take(2 << 20).collect();
        fs::write(self.path("tree/noise"), noise).unwrap();
        self.good("mkfs.ext4", &["-q", "-d", "tree", "-L", "rootfs", "root"]);
        let script = format!(
            "printf '%s\\n' {table} | sfdisk --quiet os.img\n\
             dd if=boot of=os.img bs=1M seek={} conv=notrunc status=none\n\
             dd if=root of=os.img bs=1M seek={} conv=notrunc status=none\n",
            BOOT >> 20,
            ROOT >> 20
        );
        self.good("sh", &["-e", "-c", &script]);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn good(&self, program: &str, words: &[&str]) -> String {
        let output = system(program, words, self.folder.path());
        assert!(output.status.success(), "{program} {words:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn flash(&self, words: &[&str]) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_undertone"))
            .arg("flash")
            .args(words)
            .arg("--json")
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        ended(output)
    }

    fn flashed(&self, words: &[&str]) -> Value {
        let (code, data, talk) = self.flash(words);
        assert_eq!(code, Some(0), "{words:?}: {talk}");
        serde_json::from_str(&data).unwrap()
    }

    /// The code of the refusal; nothing was written.
    fn refused(&self, words: &[&str]) -> String {
        let (code, _, talk) = self.flash(words);
        assert_eq!(code, Some(1), "{words:?}");
        assert!(
            talk.contains("\nnext: ") && !talk.contains("panicked"),
            "{talk}"
        );
        for left in ["card.img", "card.img.part"] {
            assert!(!self.path(left).exists(), "{left} was left: {talk}");
        }
        let start = talk.split("error[").nth(1).expect("a code");
        start.split(']').next().unwrap().to_owned()
    }

    /// A file of the flashed boot partition, as mtools sees it.
    fn boot_file(&self, name: &str) -> String {
        let image = format!("card.img@@{BOOT}");
        self.good("mtype", &["-i", &image, &format!("::{name}")])
    }

    /// Boot partition and root file system are sound, and nothing but the boot partition was changed.
    fn is_sound(&self) {
        let (card, image) = (
            fs::read(self.path("card.img")).unwrap(),
            fs::read(self.path("os.img")).unwrap(),
        );
        assert!(card[..BOOT] == image[..BOOT] && card[ROOT..] == image[ROOT..]);
        fs::write(self.path("boot.out"), &card[BOOT..ROOT]).unwrap();
        fs::write(self.path("root.out"), &card[ROOT..ROOT + ROOT_BYTES]).unwrap();
        self.good("fsck.fat", &["-n", "boot.out"]);
        let issue = self.good("debugfs", &["-R", "cat /etc/issue", "root.out"]);
        assert_eq!(issue, "the root file system\n");
    }
}

const MBR: &str = "'label: dos' 'start=8192,size=81920,type=c' 'start=90112,size=16384,type=83'";
const GPT: &str = "'label: gpt' 'start=8192,size=81920,type=U' 'start=90112,size=16384,type=L'";
const OLDER: [(&str, &str); 2] = [
    (
        "cmdline.txt",
        "console=tty1 root=PARTUUID=0a-02 rootwait quiet\n",
    ),
    ("config.txt", "dtparam=audio=on\n"),
];
const NEWER: [(&str, &str); 5] = [
    OLDER[0],
    OLDER[1],
    ("user-data", "#cloud-config\n"),
    ("network-config", "# none\n"),
    ("meta-data", "instance-id: rpios-image\n"),
];

/// Complete with what the environment of the setup adds.
const CONFIGURATION: &str = "[deployment]\npurpose = \"triage\"\nsubjects = \"patients\"\nlegal_basis = \"medical\"\n[mqtt]\nhost = \"broker\"\n";

/// A Debian package (deb(5)) of undertoned, with so many bytes of data.
fn deb(arch: &str, bytes: usize) -> Vec<u8> {
    let control = format!("Package: undertoned\nVersion: 1\nArchitecture: {arch}\n");
    let mut tar = vec![0u8; 512];
    tar[..9].copy_from_slice(b"./control");
    tar[124..135].copy_from_slice(format!("{:011o}", control.len()).as_bytes());
    tar.extend(control.as_bytes());
    tar.resize(tar.len().next_multiple_of(512) + 1024, 0);
    let mut file = b"!<arch>\n".to_vec();
    for (name, content) in [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar", tar),
        ("data.tar", vec![0u8; bytes]),
    ] {
        let size = content.len();
        file.extend(
            format!(
                "{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n",
                0, 0, 0, 100_644
            )
            .bytes(),
        );
        file.extend(content);
    }
    file
}

/// A setup with everything in it.
fn setup(bench: &Bench) {
    let model = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../models/undertone-research.onnx"
    );
    fs::write(bench.path("undertoned.deb"), deb("arm64", 100)).unwrap();
    fs::write(bench.path("box.toml"), CONFIGURATION).unwrap();
    let key = Command::new(env!("CARGO_BIN_EXE_undertone"))
        .args(["bundle", "key", "--output", "site"])
        .current_dir(bench.folder.path())
        .output()
        .unwrap();
    assert!(key.status.success());
    let text = format!(
        "hostname = \"undertone-7\"\nboard = \"rpi-4\"\nmicrophone = \"i2s\"\ntimezone = \"Europe/Berlin\"\n\
         [user]\nname = \"field\"\nssh_keys = [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 field@desk\"]\n\
         [wifi]\nssid = \"ward 3\"\npassphrase = \"correct horse\"\ncountry = \"DE\"\n\
         [install]\npackage = \"undertoned.deb\"\nmodel = \"{model}\"\nconfiguration = \"box.toml\"\nkeys = [\"site.pub\"]\n\
         [environment]\nUNDERTONE_MQTT_USER = \"box7\"\nUNDERTONE_MQTT_PASSWORD = \"s3cret\"\n"
    );
    fs::write(bench.path("setup.toml"), text).unwrap();
}

fn payload(bench: &Bench) {
    assert_eq!(bench.boot_file("undertone-undertoned.toml"), CONFIGURATION);
    assert!(
        bench
            .boot_file("undertone-undertoned.deb")
            .starts_with("!<arch>")
    );
    assert!(
        bench
            .boot_file("undertone-key0.pub")
            .contains("minisign public key")
    );
    assert!(
        bench
            .boot_file("undertone-setup.sh")
            .contains("apt-get install")
    );
    let environment = bench.boot_file("undertone-undertoned.env");
    assert!(
        environment.contains("UNDERTONE_MQTT_PASSWORD=\"s3cret\"\n"),
        "{environment}"
    );
    assert!(
        environment.contains("UNDERTONE_MODEL_PATH="),
        "{environment}"
    );
    assert_eq!(
        bench.boot_file("config.txt"),
        "dtparam=audio=on\n\n[all]\ndtoverlay=googlevoicehat-soundcard\n"
    );
}

#[test]
fn an_image_is_written_exactly_however_it_is_packed() {
    let Some(bench) = Bench::new(MBR, &OLDER) else {
        return;
    };
    bench.good(
        "sh",
        &[
            "-e",
            "-c",
            "xz -1 -k os.img; gzip -1 -k os.img; zstd -q -1 os.img",
        ],
    );
    // Several frames one after the other are one image too.
    bench.good("sh", &["-e", "-c", "head -c 9000000 os.img | zstd -q > two.zst; tail -c +9000001 os.img | zstd -q >> two.zst"]);
    let image = fs::read(bench.path("os.img")).unwrap();
    for name in ["os.img", "os.img.xz", "os.img.gz", "os.img.zst", "two.zst"] {
        let report = bench.flashed(&[name, "card.img"]);
        assert_eq!(report["verified"], true);
        assert_eq!(report["image_bytes"], image.len());
        assert!(fs::read(bench.path("card.img")).unwrap() == image, "{name}");
        fs::remove_file(bench.path("card.img")).unwrap();
    }
}

#[test]
fn a_card_of_a_newer_image_is_set_up_by_cloud_init() {
    for table in [MBR, GPT] {
        let Some(bench) = Bench::new(table, &NEWER) else {
            return;
        };
        setup(&bench);
        bench.good("xz", &["-1", "os.img", "-k"]);
        let report = bench.flashed(&["os.img.xz", "card.img", "--setup", "setup.toml"]);
        assert_eq!(report["setup"]["first_boot"], "cloud-init");
        bench.is_sound();
        payload(&bench);
        let user = bench.boot_file("user-data");
        let user: Value =
            serde_json::from_str(user.strip_prefix("#cloud-config\n").unwrap()).unwrap();
        assert_eq!(user["hostname"], "undertone-7");
        assert_eq!(user["users"][0]["name"], "field");
        // A service, and not a command that runs once: what could not be installed is tried again at the next start.
        assert_eq!(user["runcmd"][1][3], "undertone-setup.service");
        let unit = &user["write_files"][0];
        assert_eq!(unit["path"], "/etc/systemd/system/undertone-setup.service");
        let unit = unit["content"].as_str().unwrap();
        assert!(
            unit.contains("\nExecStart=/bin/sh /boot/firmware/undertone-setup.sh\n"),
            "{unit}"
        );
        let network: Value = serde_json::from_str(&bench.boot_file("network-config")).unwrap();
        let points = &network["network"]["wifis"]["wlan0"]["access-points"];
        assert_eq!(points["ward 3"]["password"].as_str().unwrap().len(), 64);
        assert!(bench.boot_file("meta-data").contains("undertone-"));
        assert_eq!(bench.boot_file("cmdline.txt"), OLDER[0].1);
    }
}

#[test]
fn a_card_of_an_older_image_is_set_up_by_its_command_line() {
    let Some(bench) = Bench::new(MBR, &OLDER) else {
        return;
    };
    setup(&bench);
    let report = bench.flashed(&["os.img", "card.img", "--setup", "setup.toml"]);
    assert_eq!(report["setup"]["first_boot"], "firstrun");
    bench.is_sound();
    payload(&bench);
    assert_eq!(
        bench.boot_file("cmdline.txt"),
        "console=tty1 root=PARTUUID=0a-02 rootwait quiet systemd.run=/boot/firstrun.sh \
         systemd.run_success_action=reboot systemd.unit=kernel-command-line.target\n"
    );
    let script = bench.boot_file("firstrun.sh");
    assert!(
        script.contains("set_hostname undertone-7\n") && script.contains("'ward 3'"),
        "{script}"
    );
    assert!(!script.contains("correct horse"));
    assert!(
        script.contains("\nExecStart=/bin/sh $boot/undertone-setup.sh\n"),
        "{script}"
    );
}

#[test]
fn bad_images_are_refused_before_anything_is_written() {
    let Some(bench) = Bench::new(MBR, &OLDER) else {
        return;
    };
    bench.good(
        "sh",
        &[
            "-e",
            "-c",
            "xz -1 -k os.img; gzip -1 -k os.img; zstd -q -1 os.img",
        ],
    );
    for name in ["os.img.xz", "os.img.gz", "os.img.zst"] {
        let bytes = fs::read(bench.path(name)).unwrap();
        fs::write(bench.path("bad"), &bytes[..bytes.len() / 2]).unwrap();
        assert_eq!(
            bench.refused(&["bad", "card.img"]),
            "bad-image",
            "half of {name}"
        );
        let mut changed = bytes;
        let middle = changed.len() / 2;
        changed[middle] ^= 0x10;
        fs::write(bench.path("bad"), changed).unwrap();
        assert_eq!(
            bench.refused(&["bad", "card.img"]),
            "bad-image",
            "changed {name}"
        );
    }
    let image = fs::read(bench.path("os.img")).unwrap();
    for bad in [
        &b""[..],
        b"PK\x03\x04",
        &[0; 4096],
        &image[..ROOT - 1],
        &image[..100],
    ] {
        fs::write(bench.path("bad"), bad).unwrap();
        assert_eq!(bench.refused(&["bad", "card.img"]), "not-an-image");
    }
    assert_eq!(
        bench.refused(&["os.img", "card.img", "--sha256", &"0".repeat(64)]),
        "wrong-sum"
    );
    // What is there must be a sum: a download that failed must not count as none at all.
    for no_sum in ["", "\n", "404: Not Found\n", "00  os.img\n"] {
        fs::write(bench.path("os.img.sha256"), no_sum).unwrap();
        assert_eq!(
            bench.refused(&["os.img", "card.img"]),
            "bad-sum",
            "{no_sum:?}"
        );
    }
    fs::write(
        bench.path("os.img.sha256"),
        format!("{}  os.img\n", "1".repeat(64)),
    )
    .unwrap();
    assert_eq!(bench.refused(&["os.img", "card.img"]), "wrong-sum");
    let sum = bench.good("sha256sum", &["os.img"]);
    fs::write(bench.path("os.img.sha256"), sum).unwrap();
    assert_eq!(
        bench.flashed(&["os.img", "card.img"])["checksum"],
        "as expected"
    );
}

#[test]
fn a_damaged_gpt_is_refused() {
    let Some(bench) = Bench::new(GPT, &NEWER) else {
        return;
    };
    let image = fs::read(bench.path("os.img")).unwrap();
    for at in [512 + 72, 512 + 90, 1024 + 32] {
        let mut changed = image.clone();
        changed[at] ^= 1;
        fs::write(bench.path("bad"), changed).unwrap();
        assert_eq!(
            bench.refused(&["bad", "card.img"]),
            "not-an-image",
            "byte {at}"
        );
    }
}

#[test]
fn existing_files_are_kept_and_a_dry_run_writes_nothing() {
    let Some(bench) = Bench::new(MBR, &NEWER) else {
        return;
    };
    setup(&bench);
    let report = bench.flashed(&["os.img", "card.img", "--setup", "setup.toml", "--dry-run"]);
    assert_eq!(report["dry_run"], true);
    let files = report["setup"]["files"].as_array().unwrap();
    assert!(files.contains(&"user-data".into()) && files.contains(&"config.txt".into()));
    assert!(!bench.path("card.img").exists());
    fs::write(bench.path("kept.img"), "something else").unwrap();
    assert_eq!(bench.refused(&["os.img", "kept.img"]), "exists");
    assert_eq!(fs::read(bench.path("kept.img")).unwrap(), b"something else");
    // What the boot partition cannot take is found out before the card is written, too.
    let line = fs::read_to_string(bench.path("setup.toml")).unwrap();
    fs::write(bench.path("big.deb"), deb("arm64", BOOT_BYTES)).unwrap();
    fs::write(
        bench.path("setup.toml"),
        line.replace("undertoned.deb", "big.deb"),
    )
    .unwrap();
    assert_eq!(
        bench.refused(&["os.img", "card.img", "--setup", "setup.toml"]),
        "no-room"
    );
    fs::write(
        bench.path("setup.toml"),
        "hostname = \"A\"\n[user]\nname = \"b\"\n",
    )
    .unwrap();
    assert_eq!(
        bench.refused(&["os.img", "card.img", "--setup", "setup.toml"]),
        "bad-setup"
    );
}
