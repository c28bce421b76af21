//! Decodes every audio file under the folders given, and prints the failures and the totals.

use std::path::{Path, PathBuf};
use std::time::Instant;
use undertone_decode::{Limits, read_file};

fn main() {
    let mut files = Vec::new();
    for folder in std::env::args().skip(1) {
        collect(Path::new(&folder), &mut files);
    }
    files.sort();
    let start = Instant::now();
    let (mut seconds, mut failures) = (0.0, 0);
    for file in &files {
        match read_file(file, &Limits::default()) {
            Ok(audio) => seconds += audio.seconds(),
            Err(error) => {
                failures += 1;
                println!("{error}");
            }
        }
    }
    let took = start.elapsed().as_secs_f64();
    println!(
        "{} files, {failures} failures, {seconds:.1} s of sound in {took:.2} s",
        files.len()
    );
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if let Ok(entries) = std::fs::read_dir(path) {
        entries
            .flatten()
            .for_each(|entry| collect(&entry.path(), files));
    } else if path.extension().is_some_and(|end| {
        ["wav", "flac", "mp3", "ogg"]
            .iter()
            .any(|known| end == *known)
    }) {
        files.push(path.into());
    }
}
