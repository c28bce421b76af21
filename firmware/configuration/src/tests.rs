use super::*;

const COMPLETE: &str = r#"
    [deployment]
    purpose = "call quality"
    subjects = "customers"
    legal_basis = "consent"
    [source]
    name = "alsa:hw:CARD=Mic"
    channels = "each"
    device_rate = 48000
    device_channels = 2
    [model]
    path = "/etc/undertone/model.onnx"
    [segments]
    hangover_ms = 900
    [events]
    update_interval_ms = 500
    [output]
    format = "text"
    levels = true
    level_interval_ms = 1000
"#;

const LEAST: &str = "[deployment]\npurpose = \"evaluation\"\n";

/// A file that ends with the test.
struct Written(tempfile::NamedTempFile);

impl Written {
    fn new(text: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Written(file)
    }

    fn layers(&self, environment: &[(&str, &str)]) -> Layers {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Layers {
            file: Some(self.0.path().to_owned()),
            environment: environment.iter().map(owned).collect(),
            overrides: Overrides::default(),
        }
    }
}

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Configuration, ConfigError> {
    Written::new(text).layers(environment).load()
}

fn settle(text: &str) -> Result<Settings, ConfigError> {
    load(text, &[]).map(|configuration| configuration.settings)
}

#[test]
fn a_complete_file_is_taken_as_it_is_written() {
    let settings = settle(COMPLETE).unwrap();
    let source = &settings.sources[0];
    assert_eq!(source.spec, SourceSpec::Alsa("hw:CARD=Mic".into()));
    assert_eq!(source.channels, Channels::Each);
    assert_eq!(source.capture.device_rate, Some(48_000));
    assert_eq!(
        settings.segments,
        SegmenterConfig {
            hangover_ms: 900,
            ..SegmenterConfig::default()
        }
    );
    assert_eq!(settings.output.format, OutputFormat::Text);
}

#[test]
fn the_example_shows_the_defaults() {
    let example = settle(include_str!("../../daemon/undertoned.example.toml")).unwrap();
    let least = format!("{LEAST}legal_basis = \"consent\"\n");
    assert_eq!(example, settle(&least).unwrap());
}

#[test]
fn the_example_and_the_documentation_name_every_field_with_its_default_and_its_range() {
    let example = include_str!("../../daemon/undertoned.example.toml");
    let page = include_str!("../../../docs/configuration.md");
    for field in fields() {
        let (_, name) = field.name.rsplit_once('.').unwrap();
        let shown = example.lines().any(|line| {
            line.trim_start_matches("# ")
                .starts_with(&format!("{name} = "))
        });
        assert!(shown, "{} is not in the example", field.name);
    }
    let mut table = String::new();
    for field in fields() {
        table += &format!(
            "| `{}` | {} | {} | {} |\n",
            field.name, field.default, field.allowed, field.about
        );
    }
    for line in table.lines() {
        assert!(
            page.contains(line),
            "docs/configuration.md lacks a line; the table should read:\n{table}"
        );
    }
}

#[test]
fn an_empty_file_lacks_nothing_but_the_purpose() {
    assert!(matches!(
        settle(""),
        Err(ConfigError::Deployment(DeploymentError::NoPurpose))
    ));
    let settings = settle(LEAST).unwrap();
    assert_eq!(settings.sources[0].spec, SourceSpec::Alsa("default".into()));
    assert!(settings.sources[0].wait);
}

#[test]
fn a_value_out_of_range_is_told_with_its_field_and_range() {
    let cases = [
        (
            "[source]\nstdin_rate = 10",
            "source.stdin_rate is 10: give a value from 1000 to 768000",
        ),
        (
            "[source]\nstdin_channels = 0",
            "source.stdin_channels is 0: give a value from 1 to 32",
        ),
        (
            "[source]\ndevice_channels = 99",
            "source.device_channels is 99: give a value from 1 to 32",
        ),
        (
            "[output]\nlevel_interval_ms = 1",
            "output.level_interval_ms is 1: give a value from 20 to 60000",
        ),
        (
            "[segments]\nonset_threshold = 2.0",
            "configuration: segments.onset_threshold is 2, but must lie between 0 and 1",
        ),
        (
            "[[source]]\nname = \"stdin\"\n[[source]]\nname = \"stdin\"",
            "source.name is stdin: it is named twice; name every source once",
        ),
        (
            "[metrics]\nlisten = \"0.0.0.0:9464\"",
            "metrics.listen is 0.0.0.0:9464: other machines can reach it; give 127.0.0.1 or [::1], or set metrics.allow_remote = true",
        ),
    ];
    for (line, message) in cases {
        let error = settle(&format!("{LEAST}{line}")).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn every_field_in_turn_is_refused_with_its_name_its_value_and_what_is_allowed() {
    // No field takes a list of lists.
    for field in fields() {
        let (section, name) = field.name.split_once('.').unwrap();
        let text = format!("# a comment\n[{section}]\n{name} = [[1979]]\n");
        let error = settle(&text).unwrap_err().to_string();
        for part in [field.name, "line 3", field.allowed] {
            assert!(
                error.contains(part),
                "{}: no {part:?} in: {error}",
                field.name
            );
        }
        // What may be a secret is not repeated.
        let repeated = error.contains("[1979]");
        assert_eq!(repeated, !field.name.contains("password"), "{error}");
        // Which labels there are, the model says; see the test of thresholds.
        if section == "thresholds" {
            continue;
        }
        let misspelt = format!("[{section}]\n{name}x = 1\n");
        let error = settle(&misspelt).unwrap_err().to_string();
        for part in [&format!("{}x", field.name)[..], "unknown field", name] {
            assert!(
                error.contains(part),
                "{}: no {part:?} in: {error}",
                field.name
            );
        }
    }
}

#[test]
fn nothing_brings_emotions_back_where_the_purpose_promises_none() {
    let text = "[deployment]\npurpose = \"acoustic-only\"\nsubjects = \"employees\"\n[events]\nmode = \"events\"\n[output]\nlevels = false\n";
    let settings = settle(text).unwrap();
    assert_eq!(settings.events.mode, undertone_events::Mode::Acoustic);
    assert!(settings.output.levels);
}

#[test]
fn what_cannot_be_picked_of_a_source_is_refused() {
    for (line, part) in [
        ("pick = []", "source.pick is []: name at least one"),
        (
            "pick = [32]",
            "source.pick is [32]: channels count from 0 to 31",
        ),
        ("pick = [1, 1]", "name each channel once"),
        (
            "pick = [0, 1]\nroles = [\"customers\"]",
            "one role for each channel",
        ),
        (
            "roles = [\"customers\", \"nobody\"]",
            "nothing would be analysed",
        ),
        (
            "period_ms = 100\nbuffer_ms = 150",
            "source.buffer_ms is 150: give a value from 200 to 10000",
        ),
        ("mixer = \"\"", "source.mixer is"),
    ] {
        let error = settle(&format!("{LEAST}[source]\n{line}\n"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{line}: {error}");
    }
}

#[test]
fn what_is_no_configuration_is_refused() {
    for (wrong, part) in [
        ("[sorce]", "sorce"),
        ("[source", "TOML"),
        ("source = 3", "[source] or a list of [[source]]"),
        ("[[source]]\nname = 7", "source[0].name is 7"),
        ("[[deployment]]", "deployment"),
    ] {
        let error = settle(wrong).unwrap_err().to_string();
        assert!(error.contains(part), "{wrong}: {error}");
    }
}

#[test]
fn several_sources_stand_beside_each_other() {
    let text = format!(
        "{LEAST}[[source]]\nname = \"alsa:left\"\n[[source]]\nname = \"alsa:right\"\nchannels = \"each\"\n"
    );
    let settings = settle(&text).unwrap();
    let names: Vec<_> = settings
        .sources
        .iter()
        .map(|s| s.spec.to_string())
        .collect();
    assert_eq!(names, ["alsa:left", "alsa:right"]);
}

#[test]
fn the_environment_overrides_the_file_and_the_command_line_both() {
    let text = format!("{LEAST}[source]\nname = \"stdin\"\nstdin_rate = 8000\n");
    let environment = [
        ("UNDERTONE_SOURCE_STDIN_RATE", "22050"),
        ("UNDERTONE_OUTPUT_LEVELS", "true"),
        ("UNDERTONE_DEPLOYMENT_PURPOSE", "2026"),
        ("UNDERTONE_DEPLOYMENT_SUBJECTS", "public"),
        ("UNDERTONE_REQUIRE_RIG", "1"),
        ("HOME", "/"),
    ];
    let file = Written::new(&text);
    let mut layers = file.layers(&environment);
    let settings = layers.load().unwrap().settings;
    assert_eq!(settings.sources[0].capture.stdin_rate, 22_050);
    assert!(settings.output.levels);
    assert_eq!(settings.deployment.purpose, "2026");

    layers.overrides.sections = toml::from_str("[source]\nstdin_rate = 44100").unwrap();
    layers.overrides.sources = vec!["file:a.wav".into(), "file:b.wav".into()];
    let settings = layers.load().unwrap().settings;
    assert_eq!(settings.sources.len(), 2);
    assert_eq!(settings.sources[1].spec, SourceSpec::File("b.wav".into()));
    assert_eq!(settings.sources[1].capture.stdin_rate, 44_100);
}

#[test]
fn a_text_from_the_environment_is_taken_as_it_stands() {
    for text in [
        "\"quoted\"",
        "'x'",
        "\"a\\nb\"",
        "\"\"",
        "",
        "# x",
        "1 # x",
        "1\nw = 2",
        "007",
        "1e5",
        "true",
        "2026-01-01",
        "[1]",
        "{ a = 1 }",
    ] {
        let environment = [
            ("UNDERTONE_MQTT_HOST", "broker"),
            ("UNDERTONE_MQTT_USER", text),
            ("UNDERTONE_MQTT_PASSWORD", text),
        ];
        let mqtt = load(LEAST, &environment).unwrap().settings.mqtt.unwrap();
        assert_eq!(mqtt.user.as_deref(), Some(text));
        let password = mqtt.password.read().unwrap().unwrap();
        assert_eq!(password.reveal(), text);
    }
    let lines = [("UNDERTONE_MQTT_PORT", "1\nw = 2")];
    assert!(load(LEAST, &lines).is_err());
}

#[test]
fn a_wrong_variable_is_told_by_its_name() {
    let cases = [
        (("UNDERTONE_SOURCE_STDIN_RATE", "fast"), "source.stdin_rate"),
        (
            ("UNDERTONE_SOURCE_RATE", "8000"),
            "the nearest that does is UNDERTONE_SOURCE_",
        ),
    ];
    for (variable, part) in cases {
        let error = load(LEAST, &[variable]).unwrap_err().to_string();
        assert!(
            error.contains(variable.0) && error.contains(part),
            "{error}"
        );
    }
}

#[test]
fn nothing_is_said_twice_about_a_wrong_value() {
    for (variable, value, told) in [
        (
            "UNDERTONE_SOURCE_STDIN_RATE",
            "fast",
            "source.stdin_rate is \"fast\"; allowed: 1000 to 768000",
        ),
        (
            "UNDERTONE_MQTT_PORT",
            "99999",
            "mqtt.port is 99999; allowed: 1 to 65535",
        ),
        (
            "UNDERTONE_OUTPUT_FORMAT",
            "xml",
            "output.format is \"xml\"; allowed: \"json\", \"text\"",
        ),
        (
            "UNDERTONE_SOURCE_NAME",
            "mic",
            "source.name is \"mic\": it is of no known kind; use one of file:PATH, stdin, alsa:NAME, cpal:NAME, cpal:default",
        ),
    ] {
        let error = load(LEAST, &[(variable, value)]).unwrap_err().to_string();
        assert_eq!(error, format!("environment variable {variable}: {told}"));
    }
    let employees = "[deployment]\npurpose = \"x\"\nsubjects = \"employees\"\n";
    let error = settle(employees).unwrap_err().to_string();
    assert!(
        error.starts_with("deployment.subjects is employees: "),
        "{error}"
    );
}

#[test]
fn a_change_touches_only_what_differs() {
    let old = load(&format!("{LEAST}[source]\nname = \"stdin\"\n"), &[]).unwrap();
    let change = |text: &str| Change::between(&old, &load(&format!("{LEAST}{text}"), &[]).unwrap());
    let same = change("[source]\nname = \"stdin\"\nstdin_rate = 16000\n[segments]\nonset_ms = 64");
    assert!(same.is_empty() && same.fields.is_empty(), "{same:?}");

    let other = change("[[source]]\nname = \"alsa:x\"\n[[source]]\nname = \"stdin\"");
    assert_eq!(
        (other.opened, other.closed, other.kept, other.fields),
        (vec![0], vec![], vec![(0, 1)], vec!["source".to_owned()])
    );
    assert!(!other.analysis && !other.sinks);

    type Part = fn(&Change) -> bool;
    let parts: [(&str, Part, &str); 10] = [
        (
            "[segments]\nonset_ms = 65",
            |c| c.analysis,
            "segments.onset_ms",
        ),
        ("[model]\npath = \"x\"", |c| c.analysis, "model.path"),
        ("[thresholds]\nsad = 0.5", |c| c.analysis, "thresholds.sad"),
        ("[output]\nlevels = true", |c| c.sinks, "output.levels"),
        ("[mqtt]\nhost = \"x\"", |c| c.sinks, "mqtt.host"),
        (
            "[mqtt]\nhost = \"x\"\n[mqtt.outbox]\nmax_events = 9",
            |c| c.sinks,
            "mqtt.host, mqtt.outbox",
        ),
        ("[serial]\nport = \"/dev/x\"", |c| c.sinks, "serial.port"),
        (
            "[health]\nhot_celsius = 70",
            |c| c.health,
            "health.hot_celsius",
        ),
        ("[log]\nlevel = \"debug\"", |c| c.log, "log.level"),
        (
            "[metrics]\nlisten = \"127.0.0.1:1\"",
            |c| c.metrics,
            "metrics.listen",
        ),
    ];
    for (text, part, field) in parts {
        let change = change(&format!("[source]\nname = \"stdin\"\n{text}"));
        assert!(part(&change), "{text}: {change:?}");
        assert_eq!(change.fields.join(", "), field);
        let parts = [
            change.analysis,
            change.sinks,
            change.metrics,
            change.control,
            change.log,
            change.health,
            change.deployment,
        ];
        assert_eq!(parts.iter().filter(|part| **part).count(), 1, "{change:?}");
        assert!(change.opened.is_empty() && change.closed.is_empty());
    }
}

#[test]
fn thresholds_are_resolved_by_the_labels_of_the_model_and_refused_with_label_value_and_remedy() {
    let labels = ["neutral", "sad", "very_sad"].map(str::to_owned);
    let text = format!("{LEAST}[thresholds]\nsad = 0.5\n");
    let environment = [
        ("UNDERTONE_THRESHOLDS_VERY_SAD", "0.75"),
        ("UNDERTONE_THRESHOLDS_SAD", "0.25"),
    ];
    let settings = load(&text, &environment).unwrap().settings;
    let resolved = settings.thresholds.resolve(&labels).unwrap();
    assert_eq!(resolved, [(1, 0.25), (2, 0.75)]);
    let none = settle(LEAST).unwrap().thresholds.resolve(&labels).unwrap();
    assert_eq!(none, []);

    let bored = settle(&format!("{LEAST}[thresholds]\nbored = 0.5")).unwrap();
    let error = bored.thresholds.resolve(&labels).unwrap_err();
    assert_eq!(
        error.to_string(),
        "thresholds.bored is 0.5: the model has no such label; it has neutral, sad, very_sad"
    );
    for (value, part) in [
        ("1.5", "thresholds.sad is 1.5: give a value from 0 to 1"),
        ("-0.1", "thresholds.sad is -0.1: give a value from 0 to 1"),
        ("nan", "thresholds.sad is NaN: give a value from 0 to 1"),
        ("\"much\"", "line 4: thresholds.sad is \"much\""),
        ("{ a = 1 }", "thresholds.sad"),
    ] {
        let error = settle(&format!("{LEAST}[thresholds]\nsad = {value}\n")).unwrap_err();
        assert!(error.to_string().contains(part), "{value}: {error}");
    }
    let variable = ("UNDERTONE_THRESHOLDS_SAD", "much");
    let error = load(LEAST, &[variable]).unwrap_err().to_string();
    assert!(
        error.contains(variable.0) && error.contains("thresholds.sad") && error.contains("0 to 1"),
        "{error}"
    );
}

#[test]
fn a_password_is_never_told() {
    let layers = Layers {
        file: None,
        environment: vec![("UNDERTONE_MQTT_PASSWORD".into(), "hunter2".into())],
        overrides: Overrides::default(),
    };
    let told = layers.load().map(|_| String::new());
    assert!(
        !told
            .unwrap_or_else(|error| error.to_string())
            .contains("hunter2")
    );
}
