//! A program that was run to its end: how it ended, and what it said.

use std::process::Command;

use serde_json::Value;

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Answer {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub data: String,
    /// Standard error.
    pub talk: String,
}

impl Answer {
    /// Runs a program to its end.
    ///
    /// # Panics
    /// When it cannot be run, panics itself, or says what is no text.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output();
        let output = output.unwrap_or_else(|error| panic!("{error}: {command:?}"));
        let answer = Answer {
            code: output.status.code(),
            data: String::from_utf8(output.stdout).unwrap(),
            talk: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!answer.talk.contains("panicked"), "{}", answer.talk);
        answer
    }

    /// What it printed, as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data)
            .unwrap_or_else(|error| panic!("{error} in {:?}; {}", self.data, self.talk))
    }

    /// The same of a program that must have succeeded.
    ///
    /// # Panics
    /// When it has not.
    pub fn report(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.talk);
        self.json()
    }

    /// The tool must have refused with this code, and said what to do next.
    ///
    /// # Panics
    /// When it has not.
    pub fn refused(&self, code: &str) {
        assert_eq!(self.code, Some(1), "{}", self.data);
        let told = format!("error[{code}]");
        assert!(self.talk.contains(&told), "{}", self.talk);
        assert!(self.talk.contains("\nnext: "), "{}", self.talk);
    }
}
