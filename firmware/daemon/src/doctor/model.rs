//! Whether the model loads, gives the answers that its trainer recorded, and is fast enough.

use std::path::Path;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};
use undertone_dsp::Frontend;
use undertone_model::Model;

use super::check::{Check, rounded};
use super::setup::Setup;
use crate::error::DaemonError;
use crate::model_file;

const NAME: &str = "model";
/// Sound that is analysed, in seconds.
const SECONDS: usize = 5;
/// A box should be so many times as fast as the sound that it hears, or there is no room for anything else.
const COMFORTABLE: f64 = 3.0;

pub(super) fn check(setup: &Setup) -> Check {
    let began = Instant::now();
    let path = setup.model.as_deref();
    let shown = path.map_or("embedded".to_owned(), |path| path.display().to_string());
    let model = match model_file::open(path) {
        Ok(model) => model,
        Err(error) => return refused(path, &error).about(shown),
    };
    let load_ms = began.elapsed().as_millis();
    let unknown_label = setup.settings.as_ref().and_then(|settings| {
        let resolved = settings.thresholds.resolve(&model.metadata().labels);
        resolved.err().map(|error| error.to_string())
    });
    if let Some(cause) = unknown_label {
        let next = "undertoned --config FILE --check   # [thresholds] names labels of the model";
        return Check::fail(NAME, "model-labels", cause, next).about(shown);
    }
    let spent = match seconds_of_work(&model) {
        Ok(spent) => spent / SECONDS as f64,
        Err(reason) => {
            let next = "sudo undertoned slot rollback   # or take another file";
            return Check::fail(NAME, "model-refused", reason, next).about(shown);
        }
    };
    let channels = setup
        .settings
        .as_ref()
        .map_or(1, |settings| settings.sources.len());
    let times = 1.0 / (spent * channels as f64).max(1e-9);
    let told = format!(
        "loads in {load_ms} ms, passes its self test; {:.1} ms of processor for a second of speech, {} source(s): {times:.0} times as \
         fast as needed",
        spent * 1000.0,
        channels
    );
    let slow =
        "top -b -n 1 | head -n 20; vcgencmd get_throttled   # what slows the processor down?";
    let check = if times < 1.0 {
        Check::fail(NAME, "model-too-slow", told, slow)
    } else if times < COMFORTABLE {
        Check::warn(NAME, "model-slow", told, slow)
    } else {
        Check::ok(NAME, told)
    };
    check
        .about(shown)
        .figure("load_ms", u64::try_from(load_ms).unwrap_or(u64::MAX))
        .figure("cpu_ms_per_second", (spent * 1e5).round() / 100.0)
        .figure("times_real_time", rounded(times))
        .figure("hash", model.metadata().content_hash.clone())
}

fn refused(path: Option<&Path>, error: &DaemonError) -> Check {
    let cause = match error {
        DaemonError::Model { reason, .. } => reason.clone(),
        other => other.to_string(),
    };
    let missing = path.is_some_and(|path| !path.exists());
    let shown = path.map_or(String::new(), |path| path.display().to_string());
    if missing {
        let next = format!(
            "ls -l {shown}   # copy it there, or leave model.path out to use the one inside the program"
        );
        return Check::fail(NAME, "model-missing", cause, next);
    }
    let next = format!(
        "undertone model verify {shown}   # on your own machine; then copy a good one here"
    );
    Check::fail(NAME, "model-refused", cause, next)
}

/// Processor time of this thread for features, network and answers of some seconds of sound.
fn seconds_of_work(model: &Model) -> Result<f64, String> {
    let about = model.metadata();
    let rate = about.frontend.sample_rate as usize;
    let mut front = Frontend::new(&about.frontend).map_err(|error| error.to_string())?;
    let mut stream = model.stream().map_err(|error| error.to_string())?;
    let mut row = vec![0.0; about.rows()];
    let mut scores = vec![0.0; about.labels.len()];
    // What it sounds like costs the same; loud noise keeps denormal numbers out.
    let mut state = 1u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    });
    let sound: Vec<f32> = noise.take(rate * SECONDS).collect();
    let (mut outcome, mut count) = (Ok(()), 0);
    let before = thread_seconds();
    front.push(&sound, |frame| {
        frame.write_rows(&about.features, &mut row);
        count += 1;
        if outcome.is_ok() {
            outcome = stream.push(&row);
        }
        if outcome.is_ok() && count % about.update_hop == 0 {
            outcome = stream.probabilities(&mut scores).map(|_| ());
        }
    });
    let spent = thread_seconds() - before;
    outcome.map_err(|error| error.to_string())?;
    Ok(spent)
}

fn thread_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_model_runs_and_takes_time() {
        let model = model_file::open(None).unwrap();
        let spent = seconds_of_work(&model).unwrap();
        assert!(spent > 1e-5, "{spent}");
    }

    #[test]
    fn a_missing_file_is_told_apart_from_one_that_is_no_model() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.onnx");
        let code = |path: &Path| {
            let error = model_file::open(Some(path)).unwrap_err();
            refused(Some(path), &error).code
        };
        assert_eq!(code(&path), "model-missing");
        std::fs::write(&path, "no model").unwrap();
        assert_eq!(code(&path), "model-refused");
    }
}
