//! Pages in a real browser.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use undertone_page::browser::{open, screenshot};
use undertone_page::chart::{
    Axis, Bars, Chart, Envelope, Group, Ink, Line, Lines, Matrix, Ridge, Scatter, Series, Size,
    Span, Spectrogram, Timeline,
};
use undertone_page::{Cell, Figure, Html, Mood, Page, Section, Table};

const HOSTILE: &str = "\"><img src=x onerror=alert(1)><script>console.error('ran')</script>.wav";

fn wave(rate: u32, seconds: f64) -> Vec<f32> {
    (0..(f64::from(rate) * seconds) as usize)
        .map(|i| {
            let t = i as f64 / f64::from(rate);
            ((t * 2200.0).sin() * (t * 3.0).sin() * 0.6) as f32
        })
        .collect()
}

fn emotions() -> Vec<String> {
    [
        "neutral", "happy", "sad", "angry", "fear", "disgust", "surprise",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// One chart of each kind.
fn charts() -> Vec<(&'static str, Chart)> {
    let some = |offset: f64| {
        emotions()
            .iter()
            .enumerate()
            .map(|(i, _)| Some(0.2 + offset + 0.09 * i as f64))
            .collect()
    };
    let series = vec![
        Series::new("recall", Ink::Series(3), some(0.0)),
        Series::new("precision", Ink::Series(7), some(0.1)),
    ];
    let mut bars = Bars::new(
        emotions(),
        series,
        Axis::percent("share of clips", 0.0..1.0),
    );
    bars.level = Some((1.0 / 7.0, "chance".into()));
    let mut stacked = bars.clone();
    stacked.stacked = true;
    stacked.y = Axis::percent("share", 0.0..2.0);
    let mut line = Line::new(
        "loss",
        Ink::Series(4),
        (0..40)
            .map(|i| (f64::from(i), 2.0 / (1.0 + f64::from(i) * 0.1)))
            .collect(),
    );
    line.band = line
        .points
        .iter()
        .map(|&(x, y)| (x, y * 0.9, y * 1.1))
        .collect();
    let other = Line::new(
        "score",
        Ink::Series(3),
        vec![(0.0, 0.2), (20.0, 1.0), (39.0, 1.4)],
    )
    .dotted();
    let mut lines = Lines::new(
        vec![line, other],
        Axis::numbers("epoch", 0.0..40.0),
        Axis::numbers("loss", 0.0..2.0),
    );
    lines.marks = vec![((20.0, 1.0), "best".into())];
    lines.guide = Some(((0.0, 0.0), (40.0, 2.0)));
    let rows = emotions()
        .into_iter()
        .enumerate()
        .map(|(i, name)| {
            (
                name,
                Ink::Series(i as u8),
                (0..300)
                    .map(|k| f64::from(k % 37) * 0.1 + i as f64 * 0.3)
                    .collect(),
            )
        })
        .collect();
    let counts = (0..7)
        .map(|r| {
            (0..7)
                .map(|c| if r == c { 40 } else { (r * c) % 9 })
                .collect()
        })
        .collect();
    let groups = (0..4u8)
        .map(|g| Group {
            name: format!("group {g}"),
            ink: Ink::Series(8 + g),
            points: (0..200)
                .map(|i| {
                    (
                        (f64::from(i) * 0.7).sin() + f64::from(g),
                        (f64::from(i) * 1.3).cos(),
                    )
                })
                .collect(),
        })
        .collect();
    let pixels = (0..64)
        .map(|r| (0..200).map(|c| -80.0 + ((r * c) % 80) as f32).collect())
        .collect();
    let samples = wave(16_000, 2.0);
    let span = |from: f64, to: f64, label: &str, ink| Span {
        seconds: (from, to),
        label: label.into(),
        tip: HOSTILE.into(),
        ink,
        filled: 0.7,
        strength: 0.7,
        open: label == "unknown",
    };
    let timeline = Timeline {
        seconds: (0.0, 2.0),
        envelope: Envelope::of(&samples, 16_000, 400),
        level: (0..100)
            .map(|i| (f64::from(i) * 0.02, -20.0 - f64::from(i % 30)))
            .collect(),
        rows: vec![
            ("speech".into(), vec![span(0.2, 1.7, "", Ink::Muted)]),
            (
                "emotion".into(),
                vec![
                    span(0.2, 1.0, "happy", Ink::Series(2)),
                    span(1.0, 1.7, "unknown", Ink::Unknown),
                ],
            ),
        ],
        legend: vec![
            ("happy".into(), Ink::Series(2)),
            ("unknown".into(), Ink::Unknown),
        ],
    };
    vec![
        ("bars", bars.draw(Size::HALF).unwrap()),
        ("stacked bars", stacked.draw(Size::HALF).unwrap()),
        ("lines", lines.draw(Size::HALF).unwrap()),
        (
            "ridges",
            Ridge {
                rows,
                title: "RMS in dBFS".into(),
                range: None,
            }
            .draw(440)
            .unwrap(),
        ),
        (
            "matrix",
            Matrix {
                names: emotions(),
                titles: ("true".into(), "called".into()),
                counts,
            }
            .draw(440)
            .unwrap(),
        ),
        ("scatter", Scatter { groups }.draw(Size::HALF).unwrap()),
        (
            "waveform",
            Envelope::of(&samples, 16_000, 300)
                .draw(Size::SMALL, Ink::Series(2), false)
                .unwrap(),
        ),
        (
            "spectrogram",
            Spectrogram {
                seconds: 2.0,
                top_hz: 8000.0,
                rows: pixels,
                range_db: (-80.0, 0.0),
            }
            .draw(Size::SMALL)
            .unwrap(),
        ),
        ("timeline", timeline.draw(900).unwrap()),
    ]
}

fn page() -> Page {
    let mut page = Page::new(HOSTILE, Html::text("With ").and(Html::code(HOSTILE)));
    page.fact("clips", "12,162");
    page.finding(Mood::Good, Html::stressed("This is ", "good", "."));
    page.finding(Mood::Bad, HOSTILE);
    let mut section = Section::new("Charts");
    let figures: Vec<Figure> = charts()
        .into_iter()
        .map(|(name, chart)| {
            let figure = Figure::new(name, chart, HOSTILE);
            if name == "spectrogram" {
                figure.with_sound(&wave(16_000, 0.5), 16_000)
            } else {
                figure
            }
        })
        .collect();
    section.figures(&figures);
    let mut table = Table::new("numbers", &["name", "value"]);
    for (name, value) in [("b", 10.0), (HOSTILE, 9.0), ("c", 100.0)] {
        table.row(vec![name.into(), Cell::number(value, 1)]);
    }
    table.row(vec!["nothing".into(), Cell::none()]);
    section.table(&table);
    page.section(section);
    page
}

#[test]
fn every_kind_of_chart_shows_in_a_browser_without_a_word_on_the_console_whatever_names_say() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    fs::write(&file, page().html()).unwrap();
    let Some(opened) = open(&file) else { return };
    assert!(opened.console.is_empty(), "{:#?}", opened.console);
    assert_eq!(opened.figures(), charts().len());
    assert!(!opened.dom.contains("<img"));
    let picture = std::env::var_os("UNDERTONE_SCREENSHOT")
        .map_or_else(|| folder.path().join("page.png"), Into::into);
    assert!(screenshot(&file, &picture, 1400, 2200));
}

#[test]
fn a_click_on_a_column_sorts_by_its_numbers_and_leaves_what_has_none_last() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    // The page's own policy would refuse the script that clicks.
    let html = page().html().replace("http-equiv", "data-was").replace(
        "</body>",
        "<script>document.querySelectorAll('th button')[1].click();\
         document.body.dataset.order = Array.from(document.querySelectorAll('tbody tr')).map(r => r.cells[1].textContent).join(' ');\
         document.querySelectorAll('th button')[1].click();\
         document.body.dataset.reverse = Array.from(document.querySelectorAll('tbody tr')).map(r => r.cells[1].textContent).join(' ');\
         </script></body>",
    );
    fs::write(&file, html).unwrap();
    let Some(opened) = open(&file) else { return };
    assert!(
        opened.dom.contains("data-order=\"9.0 10.0 100.0 –\""),
        "{:?}",
        opened.console
    );
    assert!(opened.dom.contains("data-reverse=\"100.0 10.0 9.0 –\""));
    assert!(opened.dom.contains("aria-sort=\"descending\""));
}

#[test]
fn a_picture_of_its_own_follows_the_theme_and_says_what_it_shows() {
    let (_, chart) = charts().remove(0);
    let svg = chart.standalone("Recall & precision");
    assert!(svg.contains("light-dark(") && svg.contains("<title>Recall &amp; precision</title>"));
    assert!(svg.contains("<desc>Bars, share of clips: neutral recall 20.0 %"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chart.svg");
    fs::write(&file, svg).unwrap();
    assert!(!folder.path().join("chart.png").exists());
    let drawn = screenshot(&file, &folder.path().join("chart.png"), 500, 340);
    assert_eq!(drawn, folder.path().join("chart.png").exists());
}
