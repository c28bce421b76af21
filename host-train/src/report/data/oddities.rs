//! What is not as it should be.

use undertone_page::{Html, Mood, Section, Table};

use super::grouped;
use super::survey::Survey;
use crate::corpora::{Completeness, IdenticalClips};

/// From this share of clips at full scale on, a corpus counts as clipped at its source.
const CLIPPED: f64 = 0.1;
/// Most names in a sentence.
const NAMED: usize = 6;

pub(super) fn findings(survey: &Survey) -> Vec<(Mood, Html)> {
    let mut findings = Vec::new();
    let incomplete: Vec<String> = survey
        .scan
        .corpora
        .iter()
        .filter_map(|corpus| match corpus.completeness {
            Completeness::Complete => None,
            Completeness::Missing(clips) => {
                Some(format!("{} lacks {}", corpus.corpus, grouped(clips)))
            }
            Completeness::More(clips) => {
                Some(format!("{} has {} too many", corpus.corpus, grouped(clips)))
            }
        })
        .collect();
    if incomplete.is_empty() {
        findings.push((
            Mood::Good,
            Html::stressed("Every corpus has ", "exactly the clips of its release", "."),
        ));
    } else {
        findings.push((
            Mood::Warn,
            Html::stressed("Against the releases: ", &incomplete.join("; "), "."),
        ));
    }
    let silent: Vec<&String> = survey
        .audio
        .corpora
        .iter()
        .flat_map(|corpus| &corpus.silent)
        .collect();
    if !silent.is_empty() {
        findings.push((
            Mood::Bad,
            Html::stressed(
                "Digital silence: ",
                &names(silent.iter().map(|id| id.as_str())),
                " holds no sound at all, whatever its label says.",
            ),
        ));
    }
    let broken: Vec<&String> = survey
        .audio
        .corpora
        .iter()
        .flat_map(|corpus| &corpus.not_finite)
        .collect();
    if !broken.is_empty() {
        findings.push((
            Mood::Bad,
            Html::stressed(
                "Not a number: ",
                &names(broken.iter().map(|id| id.as_str())),
                " holds samples that are none.",
            ),
        ));
    }
    if !survey.audio.unreadable.is_empty() {
        findings.push((
            Mood::Bad,
            Html::stressed(
                "",
                &format!("{} files cannot be decoded", survey.audio.unreadable.len()),
                "; they are listed under Oddities.",
            ),
        ));
    }
    let (wrong, same): (Vec<&IdenticalClips>, Vec<&IdenticalClips>) = all_identical(survey)
        .into_iter()
        .partition(|group| group.labels_differ);
    let pairs =
        |groups: &[&IdenticalClips]| names(groups.iter().map(|group| group.clips.join(" = ")));
    if !wrong.is_empty() {
        let text = Html::stressed(
            &match wrong.len() {
                1 => "1 recording stands under two labels: ".to_owned(),
                many => format!("{many} recordings stand under two labels: "),
            },
            &pairs(&wrong),
            ". One of the labels must be wrong; training leaves these clips out.",
        );
        findings.push((Mood::Bad, text));
    }
    if !same.is_empty() {
        findings.push((
            Mood::Warn,
            Html::stressed(
                &match same.len() {
                    1 => "1 recording is there twice under one label: ".to_owned(),
                    many => format!("{many} recordings are there twice under one label: "),
                },
                &pairs(&same),
                ".",
            ),
        ));
    }
    for corpus in &survey.audio.corpora {
        let share = corpus.full_scale_clips as f64 / corpus.clips.max(1) as f64;
        if share >= CLIPPED {
            let text = Html::stressed(
                &format!("{} is clipped at its source: ", corpus.corpus),
                &format!(
                    "{} of its {} clips ({:.0} %) reach full scale",
                    corpus.full_scale_clips,
                    corpus.clips,
                    100.0 * share
                ),
                ".",
            );
            findings.push((Mood::Warn, text));
        } else if corpus.full_scale_clips > 0 {
            let text = format!(
                "{}: {} of {} clips ({:.1} %) touch full scale.",
                corpus.corpus,
                corpus.full_scale_clips,
                corpus.clips,
                100.0 * share
            );
            findings.push((Mood::Note, text.into()));
        }
    }
    if !survey.scan.refused.is_empty() {
        findings.push((
            Mood::Warn,
            Html::stressed(
                "",
                &format!(
                    "{} files look as if they belonged here and are not used",
                    survey.scan.refused.len()
                ),
                "; they are listed under Oddities.",
            ),
        ));
    }
    findings
}

/// Groups of clips that sound the same, whether or not their files are the same bytes.
fn all_identical(survey: &Survey) -> Vec<&IdenticalClips> {
    let mut groups: Vec<&IdenticalClips> = survey.scan.identical.iter().collect();
    groups.extend(
        survey
            .audio
            .identical_audio
            .iter()
            .filter(|group| !survey.scan.identical.contains(group)),
    );
    groups
}

fn names<T: AsRef<str>>(items: impl ExactSizeIterator<Item = T>) -> String {
    let count = items.len();
    let mut shown: Vec<String> = items
        .take(NAMED)
        .map(|item| item.as_ref().to_owned())
        .collect();
    if count > NAMED {
        shown.push(format!("and {} more", count - NAMED));
    }
    shown.join("; ")
}

pub(super) fn section(survey: &Survey) -> Section {
    const LISTED: usize = 500;
    let mut section = Section::new("Oddities");
    let mut table = Table::new(
        "Everything that is not as it should be",
        &["what", "which", "why it matters"],
    );
    let mut row = |what: &str, which: &str, why: &str| {
        table.row(vec![what.into(), Html::code(which).into(), why.into()])
    };
    for corpus in &survey.audio.corpora {
        for id in &corpus.silent {
            row(
                "digital silence",
                id,
                "no sample reaches half a 16-bit step",
            );
        }
        for id in &corpus.not_finite {
            row("not a number", id, "samples that are NaN or infinite");
        }
    }
    for group in all_identical(survey) {
        let bytes = survey.scan.identical.contains(group);
        let what = if bytes {
            "byte-identical"
        } else {
            "the same sound in other bytes"
        };
        row(
            what,
            &group.clips.join(", "),
            if group.labels_differ {
                "under different labels: left out of training"
            } else {
                "counts twice"
            },
        );
    }
    for id in &survey.scan.misspelt {
        row("misspelt in the release", id, "read as what is meant");
    }
    for copy in &survey.scan.copies {
        row(
            "second copy",
            &copy.path.display().to_string(),
            if copy.same_bytes {
                "the same bytes as the one used"
            } else {
                "other bytes than the one used"
            },
        );
    }
    for file in survey
        .audio
        .unreadable
        .iter()
        .chain(&survey.scan.refused)
        .take(LISTED)
    {
        row("not used", &file.path.display().to_string(), &file.reason);
    }
    if survey.scan.songs > 0 {
        row(
            "songs",
            &format!("{} files", survey.scan.songs),
            "RAVDESS's song subset is not used",
        );
    }
    if table.is_empty() {
        section.findings([(Mood::Good, Html::text("Nothing odd was found."))]);
    } else {
        section.table(&table);
    }
    section
}
