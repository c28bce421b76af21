//! What every subcommand says to what it cannot do: a code, a cause, and something to do next that is not the command
//! that just failed; and nothing of it only after minutes of work.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

const SETUP: &str = "hostname = \"undertone-7\"\nboard = \"rpi-4\"\ntimezone = \"Europe/Berlin\"\n\
    [user]\nname = \"field\"\nssh_keys = [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 field@desk\"]\n\
    [wifi]\nssid = \"ward 3\"\npassphrase = \"correct horse\"\ncountry = \"DE\"\n\
    [install]\nconfiguration = \"box.toml\"\n\
    [environment]\nUNDERTONE_MQTT_HOST = \"broker\"\n";

const USABLE: &str = "[deployment]\npurpose = \"evaluation\"\n";

struct Bench {
    folder: tempfile::TempDir,
}

/// What a refused command said.
struct Refusal {
    exit: i32,
    code: String,
    /// Cause and next step, and what was said before them.
    talk: String,
}

impl Bench {
    /// A folder with keys, a bundle, a damaged one, a setup, and files that are none of these.
    fn new() -> Self {
        let bench = Bench {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::copy(env!("CARGO_BIN_EXE_undertone"), bench.path("program")).unwrap();
        bench.good("bundle key --output site");
        bench.good(
            "bundle create --daemon program --board pc --bundle-version 1.4.0 --output unsigned.utb",
        );
        bench.good("bundle sign unsigned.utb --key site.key --output good.utb");
        let mut damaged = fs::read(bench.path("good.utb")).unwrap();
        *damaged.last_mut().unwrap() ^= 1;
        fs::write(bench.path("damaged.utb"), damaged).unwrap();
        bench.write("text", "hello\n");
        bench.write("os.img", "no image, and it is never read\n");
        bench.write("box.toml", USABLE);
        bench.write("setup.toml", SETUP);
        bench.write("empty.img", "x");
        bench.write("empty.img.sha256", "\n");
        bench.write("two", "#!/bin/sh\nexit 2\n");
        std::os::unix::fs::symlink("/nowhere/at/all", bench.path("dangling.img")).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn run(&self, line: &str) -> std::process::Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_undertone"));
        for name in ["UNDERTONE_KEY_PASSWORD", "UNDERTONE_MQTT_PASSWORD"] {
            command.env_remove(name);
        }
        // No word of these lines has a blank in it.
        let words = line.split_whitespace();
        command.args(words).current_dir(self.folder.path());
        command.output().unwrap()
    }

    fn good(&self, line: &str) {
        let output = self.run(line);
        assert!(output.status.success(), "{line}: {output:?}");
    }

    /// Runs what must be refused, and checks how it is told.
    fn refused(&self, line: &str) -> Refusal {
        let output = self.run(line);
        let talk = String::from_utf8(output.stderr).unwrap();
        let exit = output.status.code().unwrap();
        assert!(exit == 1 || exit == 2, "{line}: {exit}: {talk}");
        let lines: Vec<&str> = talk.lines().collect();
        let [.., cause, next] = lines[..] else {
            panic!("{line}: {talk}")
        };
        let (code, _) = cause
            .strip_prefix("error[")
            .and_then(|rest| rest.split_once("]: "))
            .unwrap_or_else(|| panic!("{line}: no code: {talk}"));
        let next = next
            .strip_prefix("next: ")
            .unwrap_or_else(|| panic!("{line}: nothing to do next: {talk}"));
        // The words of the command before its first argument.
        let two =
            line.starts_with("bundle") || line.starts_with("model") || line.starts_with("fleet");
        let own: Vec<&str> = line.split_whitespace().take(1 + usize::from(two)).collect();
        let own = format!("undertone {}", own.join(" "));
        assert!(!next.is_empty(), "{line}: {talk}");
        assert!(
            !next.starts_with(&own) || next.contains("--help"),
            "{line} is told to do the same again: {next}"
        );
        for debug in ["panicked", "Some(", "Os {", "kind: ", ".tmp"] {
            assert!(!talk.contains(debug), "{line}: {debug} in {talk}");
        }
        Refusal {
            exit,
            code: code.to_owned(),
            talk,
        }
    }

    fn all_refused(&self, table: &[(&str, &str, &str)]) {
        for (line, code, told) in table {
            let refusal = self.refused(line);
            assert_eq!(refusal.code, *code, "{line}: {}", refusal.talk);
            assert!(
                refusal.talk.contains(told),
                "{line}: no {told:?} in {}",
                refusal.talk
            );
            assert_eq!(refusal.exit == 2, *code == "usage", "{line}");
        }
    }
}

#[test]
fn flash_refuses_before_it_reads_the_image() {
    let bench = Bench::new();
    bench.all_refused(&[
        ("flash nowhere.img card.img", "cannot-read", "nowhere.img"),
        ("flash os.img /nodir/card.img", "no-folder", "/nodir"),
        ("flash os.img text/card.img", "no-folder", "text"),
        (
            "flash os.img dangling.img",
            "dangling-link",
            "/nowhere/at/all",
        ),
        ("flash os.img text", "exists", "text"),
        ("flash os.img /dev/nowhere", "no-disk", "/dev/nowhere"),
        (
            "flash os.img card.img --sha256 00",
            "bad-sum",
            "has 2 hexadecimal digits, and a SHA-256 has 64",
        ),
        (
            "flash os.img card.img --sha256 xyz",
            "bad-sum",
            "has 'x' in it",
        ),
        (
            "flash empty.img card.img",
            "bad-sum",
            "empty.img.sha256 is empty",
        ),
        (
            "flash os.img card.img --setup nowhere.toml",
            "cannot-read",
            "nowhere.toml",
        ),
        ("flash os.img card.img --setup text", "bad-setup", "line 1"),
        ("flash os.img", "usage", "<TARGET>"),
    ]);
    assert!(!bench.path("card.img").exists());
}

#[test]
fn flash_refuses_a_setup_of_which_no_box_could_come() {
    let bench = Bench::new();
    for (good, wrong, told) in [
        (
            "Europe/Berlin",
            "Europe/Berln",
            "the nearest is Europe/Berlin",
        ),
        ("\"DE\"", "\"UK\"", "wifi.country: \"UK\" is not a country"),
        (
            "UNDERTONE_MQTT_HOST",
            "UNDERTONE_MQTT_HOTS",
            "environment variable UNDERTONE_MQTT_HOTS sets no field of the configuration; the nearest that does is UNDERTONE_MQTT_HOST",
        ),
        (
            "\"broker\"",
            "\"a b\"",
            "mqtt.host is a b: give a name or an address",
        ),
        ("rpi-4", "toaster", "toaster"),
        ("box.toml", "nowhere.toml", "nowhere.toml"),
        (
            "[install]",
            "[install]\npackage = \"text\"",
            "text: it is not a Debian package",
        ),
        ("[install]", "[install]\nmodel = \"text\"", "text: "),
        (
            "[install]",
            "[install]\nkeys = [\"site.key\"]",
            "site.key is a secret key",
        ),
        (
            "[install]",
            "[install]\nkeys = [\"text\"]",
            "minisign public key",
        ),
    ] {
        assert!(SETUP.contains(good), "{good}");
        bench.write("setup.toml", &SETUP.replace(good, wrong));
        for more in ["", " --dry-run"] {
            let refusal = bench.refused(&format!("flash os.img card.img --setup setup.toml{more}"));
            assert!(refusal.talk.contains(told), "{told}: {}", refusal.talk);
        }
    }
    bench.write("setup.toml", SETUP);
    for (configuration, told) in [
        ("", "no purpose is declared"),
        (
            "[deployment]\npurpose = \"x\"\nsubjects = \"employees\"\n",
            "deployment.subjects is employees",
        ),
        (
            "[deployment]\npurpose = \"evaluation\"\n[source]\nstdin_rate = 10\n",
            "source.stdin_rate is 10: give a value from 1000 to 768000",
        ),
        ("[deployment]\npurpose = \"evaluation\"\n[sorce]\n", "sorce"),
        (
            "[deployment]\npurpose = \"evaluation\"\n[thresholds]\nbored = 0.5\n",
            "thresholds.bored is 0.5: the model has no such label",
        ),
        ("[deployment\n", "line 1"),
        (
            "[deployment]\npurpose = \"evaluation\"\n[mqtt]\nuser = \"u\"\npassword = \"hunter2\"\n",
            "as UNDERTONE_MQTT_PASSWORD",
        ),
    ] {
        bench.write("box.toml", configuration);
        for more in ["", " --dry-run"] {
            let refusal = bench.refused(&format!("flash os.img card.img --setup setup.toml{more}"));
            assert_eq!(refusal.code, "bad-setup");
            assert!(
                refusal.talk.contains(told) && refusal.talk.contains("box.toml"),
                "{told}: {}",
                refusal.talk
            );
        }
    }
    assert!(!bench.path("card.img").exists());
}

#[test]
fn bundles_are_refused_with_what_to_do_about_them() {
    let bench = Bench::new();
    let create = "bundle create --board pc --bundle-version 1.0.0 --daemon";
    let rows = [
        (
            "bundle inspect damaged.utb".to_owned(),
            "tampered",
            "altered or damaged",
        ),
        ("bundle inspect text".into(), "not-a-bundle", ""),
        (
            "bundle inspect nowhere.utb".into(),
            "cannot-read",
            "nowhere.utb",
        ),
        ("bundle inspect".into(), "usage", "<BUNDLE>"),
        (
            "bundle verify good.utb --key nope".into(),
            "cannot-read",
            "nope",
        ),
        (
            "bundle verify good.utb --key site.key".into(),
            "bad-key",
            "site.key is a secret key",
        ),
        (
            "bundle verify good.utb --key text".into(),
            "bad-key",
            "text",
        ),
        (
            "bundle verify good.utb --key site.pub --board toaster".into(),
            "unknown-board",
            "toaster",
        ),
        (
            "bundle verify good.utb --key site.pub --board rpi-4".into(),
            "wrong-board",
            "rpi-4",
        ),
        (
            "bundle verify unsigned.utb --key site.pub".into(),
            "unsigned",
            "",
        ),
        (
            "bundle verify damaged.utb --key site.pub".into(),
            "tampered",
            "",
        ),
        (
            "bundle sign good.utb --key site.pub".into(),
            "bad-key",
            "site.pub is a public key",
        ),
        (
            "bundle sign good.utb --key nope".into(),
            "cannot-read",
            "nope",
        ),
        ("bundle sign good.utb --key text".into(), "bad-key", "text"),
        (
            "bundle sign damaged.utb --key site.key".into(),
            "tampered",
            "",
        ),
        (
            "bundle sign good.utb --key site.key -o /nodir/x.utb".into(),
            "no-folder",
            "/nodir",
        ),
        (
            "bundle key --output /nodir/site".into(),
            "no-folder",
            "/nodir",
        ),
        (
            "bundle key --output site".into(),
            "cannot-write",
            "site.key",
        ),
        (
            format!("{create} program -o x.utb --minimum-version 2.0.0"),
            "bad-manifest",
            "--minimum-version is 2.0.0",
        ),
        (
            format!("{create} program -o x.utb --minimum-version 2"),
            "usage",
            "\"2\"",
        ),
        (
            format!("{create} program -o x.utb --board toaster"),
            "unknown-board",
            "toaster",
        ),
        (
            format!("{create} program -o x.utb --unit text"),
            "bad-content",
            "text is not a unit",
        ),
        (
            format!("{create} program -o x.utb --model text"),
            "bad-content",
            "text is not a model",
        ),
        (
            format!("{create} program -o x.utb --configuration text"),
            "bad-content",
            "text is not a configuration",
        ),
        (
            format!("{create} text -o x.utb"),
            "no-program",
            "not a Linux program",
        ),
        (
            format!("{create} nowhere -o x.utb"),
            "cannot-read",
            "nowhere",
        ),
        (format!("{create} program -o text"), "exists", "text"),
        (format!("{create} program -o ro/"), "no-file-name", "ro/"),
        (
            format!("{create} program -o /nodir/x.utb"),
            "no-folder",
            "/nodir",
        ),
        (
            format!("{create} program -o /proc/x.utb"),
            "cannot-write",
            "/proc/x.utb",
        ),
        (
            format!("{create} program -o x.utb --key nope"),
            "cannot-read",
            "nope",
        ),
    ];
    for (line, code, told) in &rows {
        bench.all_refused(&[(line, code, told)]);
    }
    assert!(!bench.path("x.utb").exists() && !bench.path("x.utb.part").exists());
}

#[test]
fn what_is_asked_of_a_box_is_refused_here_where_it_can_be() {
    let bench = Bench::new();
    bench.all_refused(&[
        ("deploy box nowhere.utb", "cannot-read", "nowhere.utb"),
        ("deploy box text", "not-a-bundle", ""),
        ("deploy box unsigned.utb", "unsigned", ""),
        ("deploy box damaged.utb", "tampered", ""),
        ("deploy box good.utb --key nope", "cannot-read", "nope"),
        ("deploy --non-interactive good.utb", "usage", "<BUNDLE>"),
        ("status --port x box", "usage", "--port"),
        ("rollback", "usage", "<TARGET>"),
        ("status box --identity nope", "cannot-read", "nope"),
        ("status box --ssh-config nope", "cannot-read", "nope"),
        ("report -o /nodir/x.zip", "no-folder", "/nodir"),
        ("report -o text", "exists", "text"),
        ("report --bogus", "usage", "--bogus"),
        (
            "report --remote-command ./nowhere",
            "no-undertoned",
            "./nowhere",
        ),
        ("devices --remote-command false", "no-undertoned", "false"),
        (
            "doctor --remote-command ./nowhere",
            "no-undertoned",
            "./nowhere",
        ),
    ]);
    // As undertoned does with arguments that it does not know.
    for command in ["report", "devices", "doctor"] {
        let mut run = Command::new(env!("CARGO_BIN_EXE_undertone"));
        let run = run.args([command, "--remote-command", "sh two", "--", "--bogus"]);
        let output = run.current_dir(bench.folder.path()).output().unwrap();
        let talk = String::from_utf8(output.stderr).unwrap();
        assert!(talk.contains("error[bad-arguments]: "), "{talk}");
        let next = format!("next: see what it takes there: undertoned {command} --help\n");
        assert!(talk.ends_with(&next), "{talk}");
    }
}

#[test]
fn every_other_command_has_a_code_and_a_next_step_too() {
    let bench = Bench::new();
    bench.all_refused(&[
        ("bogus", "usage", "bogus"),
        ("completions tcsh", "usage", "tcsh"),
        ("man --output text/x", "not-a-file", "text/x"),
        ("model inspect nowhere.onnx", "not-found", "nowhere.onnx"),
        ("model inspect text", "bad-model", "text"),
        ("model verify text", "bad-model", "1 of 1 files"),
        ("model compare text text a.wav", "bad-model", "text"),
        ("notice", "deployment", "no purpose is declared"),
        ("notice --config nowhere.toml", "not-found", "nowhere.toml"),
        ("notice --config text", "bad-configuration", "text"),
        ("analyze a.wav", "deployment", "no purpose is declared"),
        (
            "analyze a.wav --purpose x --subjects employees",
            "deployment",
            "deployment.subjects is employees",
        ),
        (
            "analyze a.wav --purpose evaluation --output text",
            "exists",
            "text",
        ),
        (
            "analyze a.wav --purpose evaluation --output text --resume",
            "cannot-resume",
            "text",
        ),
        (
            "analyze a.wav --purpose evaluation --output /nodir/x",
            "not-found",
            "/nodir/x",
        ),
        (
            "analyze a.wav --purpose evaluation --model text",
            "bad-model",
            "text",
        ),
        (
            "analyze text --purpose evaluation",
            "incomplete",
            "1 of 1 recordings",
        ),
        ("monitor --broker http://x", "usage", "http://x"),
        (
            "monitor --broker mqtt://localhost --device a/#",
            "monitor-topic",
            "--device is \"a/#\"",
        ),
        (
            "monitor --broker mqtt://localhost --prefix a//b",
            "monitor-topic",
            "--prefix is \"a//b\"",
        ),
        (
            "fleet simulate --broker mqtt://localhost --prefix a/#",
            "fleet-topic",
            "a/#",
        ),
    ]);
}
