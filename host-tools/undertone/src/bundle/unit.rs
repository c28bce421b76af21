//! Whether a text is a unit that systemd would start as a service: systemd.syntax(7), systemd.service(5).

/// Why it is none.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut section: Option<&str> = None;
    let mut has_service = false;
    let mut program: Option<String> = None;
    for (number, line) in logical_lines(text) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name.strip_suffix(']').filter(|name| !name.is_empty());
            section = match name {
                Some("Service") => Some("Service"),
                Some(_) => Some("another"),
                None => return Err(format!("line {number} is not a section: {line}")),
            };
            has_service |= section == Some("Service");
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            return Err(format!("line {number} is neither [Section] nor Key=Value"));
        };
        match (section, key.trim(), value.trim()) {
            (None, ..) => return Err(format!("line {number} stands before any [Section]")),
            // An empty one takes back those before it.
            (Some("Service"), "ExecStart", "") => program = None,
            (Some("Service"), "ExecStart", command) => {
                program = Some(started(command).map_err(|what| format!("line {number}: {what}"))?);
            }
            _ => {}
        }
    }
    if !has_service {
        return Err("it has no section [Service]".into());
    }
    match program {
        Some(_) => Ok(()),
        None => Err("its [Service] has no ExecStart=, so it starts nothing".into()),
    }
}

/// The program that a command line names, behind the prefixes of systemd.
fn started(command: &str) -> Result<String, String> {
    let program = command.trim_start_matches(['@', '-', ':', '+', '!', '|']);
    let program = program.split_whitespace().next().unwrap_or_default();
    if program.is_empty()
        || program.contains('/') && !program.starts_with(['/', '"', '\'', '%', '$'])
    {
        return Err(format!(
            "ExecStart={command} names no program by its whole path"
        ));
    }
    Ok(program.to_owned())
}

/// Lines with what continues them (a backslash at the end), and the number of the first, from 1.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (index, line) in text.lines().enumerate() {
        let (line, more) = match line.strip_suffix('\\') {
            Some(line) => (line, true),
            None => (line, false),
        };
        match lines.last_mut().filter(|_| goes_on) {
            Some((_, before)) => {
                before.push(' ');
                before.push_str(line);
            }
            None => lines.push((index + 1, line.to_owned())),
        }
        goes_on = more;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_of_the_project_are_units() {
        check(include_str!(
            "../../../../firmware/daemon/systemd/undertoned.service"
        ))
        .unwrap();
        check("[Unit]\n\n[Service]\nExecStart=-@/usr/bin/undertoned \\\n  --config x\n").unwrap();
        check("[Service]\nExecStart=undertoned\n").unwrap();
    }

    #[test]
    fn what_systemd_would_not_start_is_told_with_its_line() {
        for (text, told) in [
            ("", "no section [Service]"),
            ("hello\n", "line 1 is neither"),
            ("\n\nA=b\n", "line 3 stands before any"),
            ("[Unit]\nDescription=x\n", "no section [Service]"),
            ("[Sevice]\nExecStart=/x\n", "no section [Service]"),
            ("[Service]\nType=simple\n", "no ExecStart="),
            ("[Service]\nExecStart=/x\nExecStart=\n", "no ExecStart="),
            ("[Unit]\nExecStart=/x\n[Service]\n", "no ExecStart="),
            (
                "[Service]\nExecStart=bin/x\n",
                "line 2: ExecStart=bin/x names",
            ),
            ("[Service\nExecStart=/x\n", "line 1 is not a section"),
        ] {
            let error = check(text).unwrap_err();
            assert!(error.contains(told), "{text:?}: {error}");
        }
    }
}
