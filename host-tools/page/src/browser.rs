//! A headless browser that opens pages, for tests: Chromium, as Debian packages it.
//!
//! Without Chromium a test says that it skips; with `UNDERTONE_REQUIRE_RIG` set it fails.

#![allow(clippy::panic)] // A test helper: what it cannot do fails the test.

use std::path::Path;
use std::process::Command;

const PROGRAMS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// A page after its scripts have run.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The document as it stands in the browser.
    pub dom: String,
    /// What it wrote to the console: errors, refused loads.
    pub console: Vec<String>,
}

impl Opened {
    /// Figures on the page.
    #[must_use]
    pub fn figures(&self) -> usize {
        self.dom.matches("<figure").count()
    }
}

/// Opens the page at `path`; `None`, with a line that says so, when there is no browser.
///
/// # Panics
/// When there is no browser and `UNDERTONE_REQUIRE_RIG` is set, or the browser does not show the page.
#[must_use]
pub fn open(path: &Path) -> Option<Opened> {
    let (dom, talk) = run(path, &["--dump-dom", "--virtual-time-budget=3000"])?;
    assert!(dom.contains("</html>"), "no page from the browser: {talk}");
    let console = talk
        .lines()
        .filter(|line| line.contains(":CONSOLE"))
        .map(str::to_owned)
        .collect();
    Some(Opened { dom, console })
}

/// Takes a picture of the page at `path` into the PNG file `picture`; `false` when there is no browser.
///
/// # Panics
/// As [`open`].
pub fn screenshot(path: &Path, picture: &Path, width: u32, height: u32) -> bool {
    let shot = format!("--screenshot={}", picture.display());
    let size = format!("--window-size={width},{height}");
    let Some((_, talk)) = run(path, &[&shot, &size, "--hide-scrollbars"]) else {
        return false;
    };
    assert!(picture.exists(), "no picture from the browser: {talk}");
    true
}

fn run(path: &Path, arguments: &[&str]) -> Option<(String, String)> {
    let Some(program) = PROGRAMS.into_iter().find(|name| installed(name)) else {
        let hint = "no Chromium: apt-get install chromium";
        assert!(
            std::env::var_os("UNDERTONE_REQUIRE_RIG").is_none(),
            "{hint}"
        );
        eprintln!("skipped: {hint}");
        return None;
    };
    let path = path
        .canonicalize()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let profile = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let output = Command::new(program)
        .args([
            "--headless",
            // Tests run as root in containers, where the sandbox cannot.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            "--enable-logging=stderr",
            "--v=0",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .arg(format!("file://{}", path.display()))
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((text(&output.stdout), text(&output.stderr)))
}

fn installed(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|paths| {
        std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
    })
}
