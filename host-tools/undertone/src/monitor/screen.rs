//! The terminal: keys in, pictures out, and as it was before at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use signal_hook::consts::{SIGHUP, SIGTERM};

use super::feed::{Input, Messages};
use super::model::{Connection, Key, Model};
use super::render;

/// From one picture to the next.
const PICTURE: Duration = Duration::from_millis(100);
/// Messages that are taken between two pictures, so that a flood does not keep keys from working.
const BATCH: usize = 5_000;

/// What a key means.
enum Wish {
    Quit,
    Key(Key),
    Nothing,
}

/// Shows what comes, until the user has seen enough. `many` boxes begin with their table.
pub(crate) fn run(messages: &Messages, wait: bool, place: &str, many: bool) -> Result<()> {
    let end = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&end)).context("signals cannot be taken")?;
    }
    // Wrong addresses and passwords are told on the plain terminal, where they can be read.
    let first = match messages.receiver.recv() {
        Ok(Input::Down { refused, .. }) if !wait => return Err(refused),
        Ok(first) => Some(first),
        Err(_) => None,
    };
    let mut model = Model::new(place, many);
    if let Some(first) = first {
        take(&mut model, first);
    }
    let mut terminal =
        ratatui::try_init().context("the terminal cannot be used; --json needs none")?;
    let outcome = show(&mut terminal, messages, &mut model, &end);
    ratatui::try_restore().context("the terminal cannot be restored; try: reset")?;
    outcome
}

fn show(
    terminal: &mut DefaultTerminal,
    messages: &Messages,
    model: &mut Model,
    end: &AtomicBool,
) -> Result<()> {
    let started = Instant::now();
    let mut next = started;
    while !end.load(Ordering::Relaxed) {
        model.now = started.elapsed();
        model.missed += messages.missed();
        for _ in 0..BATCH {
            match messages.receiver.try_recv() {
                Ok(input) => take(model, input),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
        }
        if Instant::now() >= next {
            terminal
                .draw(|frame| render::draw(frame, model))
                .context("the terminal cannot be written to")?;
            next = Instant::now() + PICTURE;
        }
        while event::poll(next.saturating_duration_since(Instant::now()))
            .context("the terminal cannot be read")?
        {
            match event::read().context("the terminal cannot be read")? {
                Event::Key(key) if key.kind != KeyEventKind::Release => match wish(key) {
                    Wish::Quit => return Ok(()),
                    Wish::Key(key) => {
                        let page = terminal
                            .size()
                            .map_or(10, |size| size.height.saturating_sub(4).into());
                        model.key(key, page);
                        next = Instant::now();
                    }
                    Wish::Nothing => {}
                },
                Event::Resize(..) => next = Instant::now(),
                _ => {}
            }
        }
    }
    Ok(())
}

fn take(model: &mut Model, input: Input) {
    match input {
        Input::Up => model.connection = Connection::Up,
        Input::Down { why, .. } => {
            model.connection = Connection::Down(crate::clean::short(&why, 200))
        }
        Input::Message(message) => model.take(&message),
    }
}

fn wish(key: KeyEvent) -> Wish {
    if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
        return Wish::Quit;
    }
    Wish::Key(match key.code {
        KeyCode::Char('q') => return Wish::Quit,
        KeyCode::Up | KeyCode::Char('k') => Key::Up,
        KeyCode::Down | KeyCode::Char('j') => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home | KeyCode::Char('g') => Key::First,
        KeyCode::End | KeyCode::Char('G') => Key::Last,
        KeyCode::Enter | KeyCode::Right | KeyCode::Char('l') => Key::Open,
        KeyCode::Esc | KeyCode::Left | KeyCode::Backspace | KeyCode::Char('h') => Key::Back,
        _ => return Wish::Nothing,
    })
}
