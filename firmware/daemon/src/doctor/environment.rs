//! The service's environment file, read as systemd reads it (systemd.exec(5), `EnvironmentFile=`).

/// Before a backslash in double quotes, these stand for themselves.
const ESCAPED: [char; 4] = ['"', '\\', '$', '`'];

/// What is being read.
enum Reading {
    BeforeName,
    Comment,
    Name,
    BeforeValue,
    Value,
    Single,
    Double,
}

/// The variables of an environment file: `NAME=VALUE` lines, also over several lines, where the value may be in quotes and a
/// backslash takes the meaning of what follows it. Lines that begin with `#` or `;` are comments. A name that cannot be one
/// is left out, as systemd does.
pub(crate) fn variables(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut name, mut value) = (String::new(), String::new());
    // Up to here the value's end is meant; behind it are blanks that end the line.
    let mut kept = 0;
    let mut reading = Reading::BeforeName;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let ends = matches!(character, '\n' | '\r');
        let blank = ends || matches!(character, ' ' | '\t');
        reading = match reading {
            Reading::BeforeName if matches!(character, '#' | ';') => Reading::Comment,
            Reading::BeforeName if blank => Reading::BeforeName,
            Reading::BeforeName => {
                name = character.to_string();
                Reading::Name
            }
            Reading::Comment if ends => Reading::BeforeName,
            Reading::Comment => Reading::Comment,
            Reading::Name if ends => Reading::BeforeName,
            Reading::Name if character == '=' => {
                (value, kept) = (String::new(), 0);
                Reading::BeforeValue
            }
            Reading::Name => {
                name.push(character);
                Reading::Name
            }
            Reading::BeforeValue | Reading::Value if ends => {
                value.truncate(kept);
                push(&mut found, &name, &value);
                Reading::BeforeName
            }
            Reading::BeforeValue if character == '\'' => Reading::Single,
            Reading::BeforeValue if character == '"' => Reading::Double,
            Reading::BeforeValue if blank => Reading::BeforeValue,
            Reading::BeforeValue | Reading::Value => {
                match (character, blank) {
                    ('\\', _) => {
                        value.extend(characters.next().filter(|next| *next != '\n'));
                        kept = value.len();
                    }
                    (_, true) => value.push(character),
                    (_, false) => {
                        value.push(character);
                        kept = value.len();
                    }
                }
                Reading::Value
            }
            Reading::Single if character == '\'' => Reading::BeforeValue,
            Reading::Double if character == '"' => Reading::BeforeValue,
            Reading::Double if character == '\\' => {
                match characters.next() {
                    None | Some('\n') => {}
                    Some(next) if ESCAPED.contains(&next) => value.push(next),
                    Some(next) => value.extend(['\\', next]),
                }
                kept = value.len();
                Reading::Double
            }
            quoted @ (Reading::Single | Reading::Double) => {
                value.push(character);
                kept = value.len();
                quoted
            }
        };
    }
    let has_value = !matches!(
        reading,
        Reading::BeforeName | Reading::Comment | Reading::Name
    );
    if has_value {
        value.truncate(kept);
        push(&mut found, &name, &value);
    }
    found
}

fn push(found: &mut Vec<(String, String)>, name: &str, value: &str) {
    let name = name.trim_end();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.bytes().all(plain) && !name.starts_with(|first: char| first.is_ascii_digit()) {
        found.push((name.to_owned(), value.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_file_is_read_as_the_service_manager_does() {
        let text = "# x=1\n\nA=1\nB = \"two words\"\n;C=3\nD='a=b'\nnonsense\nE=\n1F=x\nG-H=x\nI=a b  \n J=\t'a'\"b\" c\n\
                    K=a\\ \\\nb\nL='$x\\'\nM=\"over\ntwo\"\nN=it\\'s\nO=\"a\\\nb\\n\"\nP=last";
        let wanted = [
            ("A", "1"),
            ("B", "two words"),
            ("D", "a=b"),
            ("E", ""),
            ("I", "a b"),
            ("J", "abc"),
            ("K", "a b"),
            ("L", "$x\\"),
            ("M", "over\ntwo"),
            ("N", "it's"),
            ("O", "ab\\n"),
            ("P", "last"),
        ];
        let wanted = wanted.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(variables(text), wanted);
    }

    #[test]
    fn what_flash_writes_comes_back_as_it_was() {
        for (written, value) in [
            (r#""a\"b\\c\$d \`e'""#, "a\"b\\c$d `e'"),
            (r#""\\n""#, "\\n"),
            (r#"" two  blanks ""#, " two  blanks "),
            (r##""#;=""##, "#;="),
            ("\"two\nlines\"", "two\nlines"),
            ("\"\"", ""),
        ] {
            let text = format!("UNDERTONE_MQTT_PASSWORD={written}\nNEXT=\"1\"\n");
            let wanted = [("UNDERTONE_MQTT_PASSWORD", value), ("NEXT", "1")];
            let wanted = wanted.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(variables(&text), wanted, "{written}");
        }
    }
}
