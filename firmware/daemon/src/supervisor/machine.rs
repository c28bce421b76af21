//! What a source is doing: a pure state machine, driven by what its capture and its analysis say.

use crate::capture::MuteCause;
use crate::status::State;

/// What a source is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doing {
    /// Nothing was heard yet.
    Opening,
    /// It delivers, and nobody speaks.
    Listening,
    /// It delivers, and somebody speaks.
    Speech,
    /// It is open and delivers nothing.
    Stalled,
    /// It is gone.
    Lost,
    /// It must not listen.
    Muted(MuteCause),
    /// Its audio has ended.
    Ended,
}

/// What happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Happened {
    /// Samples came, for the first time or again.
    Heard,
    /// It is open and delivers nothing.
    Stalled,
    /// It is gone.
    Lost,
    /// Nothing has come yet, and nothing keeps it from coming.
    Waiting,
    /// It was closed on purpose.
    Muted(MuteCause),
    /// Somebody speaks.
    SpeechBegan,
    /// Nobody speaks any more.
    SpeechEnded,
    /// Its audio has ended.
    Ended,
}

impl Doing {
    /// What it is doing after something happened.
    ///
    /// | | heard | stalled | lost | waiting | muted | speech began | speech ended | ended |
    /// |---|---|---|---|---|---|---|---|---|
    /// | opening | listening | stalled | lost | - | muted | - | - | ended |
    /// | listening | - | stalled | lost | - | muted | speech | - | ended |
    /// | speech | - | stalled | lost | - | muted | - | listening | ended |
    /// | stalled | listening | - | lost | - | muted | - | - | ended |
    /// | lost | listening | - | - | - | muted | - | - | ended |
    /// | muted | listening | - | lost | opening | muted, for the later cause | - | - | ended |
    /// | ended | - | - | - | - | - | - | - | - |
    ///
    /// Analysis is behind capture: speech that it finds in what was heard before a loss changes nothing.
    #[must_use]
    pub fn after(self, happened: Happened) -> Self {
        match (self, happened) {
            (Doing::Ended, _) | (_, Happened::Ended) => Doing::Ended,
            (_, Happened::Muted(cause)) => Doing::Muted(cause),
            (_, Happened::Lost) => Doing::Lost,
            (Doing::Muted(_), Happened::Waiting) => Doing::Opening,
            (_, Happened::Waiting) => self,
            (Doing::Listening | Doing::Speech, Happened::Heard) => self,
            (_, Happened::Heard) => Doing::Listening,
            (Doing::Lost | Doing::Muted(_), Happened::Stalled) => self,
            (_, Happened::Stalled) => Doing::Stalled,
            (Doing::Listening, Happened::SpeechBegan) => Doing::Speech,
            (Doing::Speech, Happened::SpeechEnded) => Doing::Listening,
            (_, Happened::SpeechBegan | Happened::SpeechEnded) => self,
        }
    }

    /// What is reported; `None` for a source that has ended.
    pub fn state(self) -> Option<State> {
        Some(match self {
            Doing::Opening => State::Starting,
            Doing::Listening => State::Listening,
            Doing::Speech => State::Speech,
            Doing::Stalled => State::Stalled,
            Doing::Lost => State::MicLost,
            Doing::Muted(_) => State::Muted,
            Doing::Ended => return None,
        })
    }
}

/// The state of the box: that of its worst source. `muted` only when every source is, so that nobody takes a box that
/// listens for a muted one; `degraded` only in place of listening or speech, so that nothing worse is hidden.
#[must_use]
pub fn overall(sources: impl Iterator<Item = State> + Clone, troubled: bool) -> State {
    const WORST_FIRST: [State; 6] = [
        State::MicLost,
        State::Stalled,
        State::Starting,
        State::Speech,
        State::Listening,
        State::Muted,
    ];
    let worst = WORST_FIRST
        .into_iter()
        .find(|state| sources.clone().any(|source| source == *state));
    match worst {
        Some(State::Speech | State::Listening) if troubled => State::Degraded,
        Some(state) => state,
        None => State::Starting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MuteCause::{Command, Switch};

    const DOING: [Doing; 8] = [
        Doing::Opening,
        Doing::Listening,
        Doing::Speech,
        Doing::Stalled,
        Doing::Lost,
        Doing::Muted(Command),
        Doing::Muted(Switch),
        Doing::Ended,
    ];
    const HAPPENED: [Happened; 9] = [
        Happened::Heard,
        Happened::Stalled,
        Happened::Lost,
        Happened::Waiting,
        Happened::Muted(Command),
        Happened::Muted(Switch),
        Happened::SpeechBegan,
        Happened::SpeechEnded,
        Happened::Ended,
    ];

    #[test]
    fn every_state_answers_to_everything_that_can_happen_as_the_table_says() {
        let [o, l, s, t, g, c, w, e] = DOING;
        // Columns as in HAPPENED: heard, stalled, lost, waiting, muted by command, by switch, speech began, speech ended,
        // ended.
        let table = [
            [l, t, g, o, c, w, o, o, e], // opening
            [l, t, g, l, c, w, s, l, e], // listening
            [s, t, g, s, c, w, s, l, e], // speech
            [l, t, g, t, c, w, t, t, e], // stalled
            [l, g, g, g, c, w, g, g, e], // lost
            [l, c, g, o, c, w, c, c, e], // muted by command
            [l, w, g, o, c, w, w, w, e], // muted by switch
            [e, e, e, e, e, e, e, e, e], // ended
        ];
        for (doing, row) in DOING.into_iter().zip(table) {
            for (happened, after) in HAPPENED.into_iter().zip(row) {
                assert_eq!(doing.after(happened), after, "{doing:?}, {happened:?}");
            }
        }
    }

    #[test]
    fn a_microphone_that_is_gone_is_never_listening() {
        for first in HAPPENED {
            for second in HAPPENED {
                let silent = HAPPENED
                    .iter()
                    .filter(|happened| **happened != Happened::Heard);
                for third in silent {
                    let gone = Doing::Listening.after(Happened::Lost);
                    let doing = gone.after(first).after(second).after(*third);
                    let heard = [first, second].contains(&Happened::Heard);
                    let hears = matches!(doing, Doing::Listening | Doing::Speech);
                    assert!(heard || !hears, "{first:?} {second:?} {third:?}");
                }
            }
        }
    }

    #[test]
    fn the_box_is_what_its_worst_source_is() {
        let of = |states: &[State], troubled| overall(states.iter().copied(), troubled);
        use State::*;
        assert_eq!(of(&[Listening, MicLost, Speech], false), MicLost);
        assert_eq!(of(&[Listening, Stalled], true), Stalled);
        assert_eq!(of(&[Listening, Speech], false), Speech);
        assert_eq!(of(&[Listening, Speech], true), Degraded);
        assert_eq!(of(&[Muted, Listening], false), Listening);
        assert_eq!(of(&[Muted, Muted], true), Muted);
        assert_eq!(of(&[], false), Starting);
        for state in State::ALL {
            if !matches!(state, Degraded) {
                assert_eq!(of(&[state], false), state);
            }
        }
    }
}
