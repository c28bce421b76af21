//! Text of strangers (boxes, brokers, files), made fit for a terminal. Everything that shows such text uses this.

/// The text on one line, in which every character that a terminal would act on is replaced: line ends and tabs by a blank,
/// and by U+FFFD all other controls (C0, DEL, C1), and what changes the direction of text or cannot be seen.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(harmless).collect()
}

/// The same, of at most `most` characters; an ellipsis says that there were more.
pub(crate) fn short(text: &str, most: usize) -> String {
    let mut letters = text.chars();
    let mut clean: String = letters.by_ref().take(most).map(harmless).collect();
    if letters.next().is_some() {
        clean.pop();
        clean.push('…');
    }
    clean
}

/// The same JSON, in which such characters are escaped; its line ends stay.
pub(crate) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter != '\n' && acts(letter) {
            // Outside of texts JSON has none of them but line ends; all lie in the first plane.
            out.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            out.push(letter);
        }
    }
    out
}

fn harmless(letter: char) -> char {
    match letter {
        '\n' | '\r' | '\t' => ' ',
        letter if acts(letter) => '\u{fffd}',
        letter => letter,
    }
}

fn acts(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_is_left() {
        let hostile = "a\u{1b}[2J\u{9b}31m\r\n\t\u{7f}\u{202e}b";
        let text = clean(hostile);
        assert_eq!(text, "a\u{fffd}[2J\u{fffd}31m   \u{fffd}\u{fffd}b");
        assert_eq!(short(hostile, 100), text);
        assert_eq!(short("abcdef", 4), "abc…");
        assert_eq!(short("abcd", 4), "abcd");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = serde_json::json!({"name": "a\u{1b}\u{9b}31m\u{202e}ä\"\\"});
        let line = escaped(&value.to_string());
        let lines = escaped(&format!("{value:#}"));
        assert!(lines.contains("{\n  \"name\""), "{lines:?}");
        assert!(!line.chars().any(acts), "{line:?}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&line).unwrap(),
            value
        );
    }
}
