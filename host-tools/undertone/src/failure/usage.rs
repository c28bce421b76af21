//! A command line that cannot be understood, in the form of every other failure.

use std::process::ExitCode;

use clap::Command;
use clap::error::ErrorKind;

/// The exit code of a wrong command line.
const USAGE: u8 = 2;

/// Prints what clap has to say: help where it was asked for, otherwise what is wrong.
pub(crate) fn tell(error: &clap::Error, command: &Command) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader that went away has had enough.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(USAGE)
        }
        _ => {
            let words = std::env::args().skip(1);
            let meant = meant(command, words);
            eprint!("{}", shown(&error.render().to_string(), &meant));
            ExitCode::from(USAGE)
        }
    }
}

/// The command that was meant, as far as the words name one.
fn meant(command: &Command, words: impl Iterator<Item = String>) -> String {
    let mut meant = command.get_name().to_owned();
    let mut at = command;
    for word in words {
        let Some(below) = at.find_subcommand(&word) else {
            break;
        };
        meant = format!("{meant} {word}");
        at = below;
    }
    meant
}

/// One line for what is wrong, one for the help of the command that was meant.
fn shown(text: &str, command: &str) -> String {
    let text = text.trim_start_matches("error: ");
    let ends = ["\n\nUsage: ", "\n\nFor more information"];
    let cause = ends
        .iter()
        .fold(text, |text, end| text.split(end).next().unwrap_or(text));
    let paragraphs: Vec<String> = cause
        .split("\n\n")
        .map(|paragraph| {
            let lines: Vec<&str> = paragraph.lines().map(str::trim).collect();
            lines.join(" ")
        })
        .collect();
    format!(
        "error[usage]: {}\nnext: {command} --help\n",
        paragraphs.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clap_says_becomes_two_lines() {
        assert_eq!(
            shown(
                "error: unexpected argument '--bord' found\n\n  tip: a similar argument exists: '--board'\n\n\
                 Usage: undertone bundle create --daemon <FILE>\n\nFor more information, try '--help'.\n",
                "undertone bundle create"
            ),
            "error[usage]: unexpected argument '--bord' found; tip: a similar argument exists: '--board'\n\
             next: undertone bundle create --help\n"
        );
        assert_eq!(
            shown(
                "error: invalid value 'x' for '<N>': no number\n\nFor more information, try '--help'.\n",
                "undertone"
            ),
            "error[usage]: invalid value 'x' for '<N>': no number\nnext: undertone --help\n"
        );
    }

    #[test]
    fn the_command_that_was_meant_is_named_by_the_words_before_its_options() {
        let command = Command::new("undertone")
            .subcommand(Command::new("bundle").subcommand(Command::new("sign")));
        for (words, expected) in [
            (&["bundle", "sign", "--x"][..], "undertone bundle sign"),
            (&["bundle", "burn"], "undertone bundle"),
            (&["--x"], "undertone"),
        ] {
            let words = words.iter().map(|word| (*word).to_owned());
            assert_eq!(meant(&command, words), expected);
        }
    }
}
