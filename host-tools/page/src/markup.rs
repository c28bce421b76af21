//! Markup that text can only enter escaped.

use std::fmt;

/// A piece of HTML. Text becomes part of it through [`Html::text`] alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Plain text; everything in it that could be markup is escaped, and control characters are shown as `�`.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self(escape(text))
    }

    /// Text in bold.
    #[must_use]
    pub fn strong(text: &str) -> Self {
        Self(format!("<strong>{}</strong>", escape(text)))
    }

    /// Text as code: commands, file names.
    #[must_use]
    pub fn code(text: &str) -> Self {
        Self(format!("<code>{}</code>", escape(text)))
    }

    /// Text before the number or word that matters, that in bold, and what follows it.
    #[must_use]
    pub fn stressed(before: &str, stressed: &str, after: &str) -> Self {
        Self::text(before)
            .and(Self::strong(stressed))
            .and(Self::text(after))
    }

    /// Both, one after the other.
    #[must_use]
    pub fn and(mut self, next: Self) -> Self {
        self.0.push_str(&next.0);
        self
    }

    /// The markup.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Html {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Html {
    fn from(text: String) -> Self {
        Self::text(&text)
    }
}

/// Escapes text for the content of an element and for an attribute in double quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(character),
            // Also what turns the direction of the text around, with which a file name can pose as another.
            c if c.is_control()
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                out.push('\u{fffd}');
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let name = "<img src=x onerror=\"alert('1')\">&\u{1b}[2J\u{202e}gpj.exe";
        let html = Html::text(name).and(Html::strong(name)).to_string();
        assert!(!html.contains("<img") && !html.contains('\u{1b}') && !html.contains('\u{202e}'));
        assert!(html.contains("&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;"));
    }
}
