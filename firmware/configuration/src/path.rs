//! Places in a TOML document, by paths such as `source[1].name`.

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

/// The steps of a path such as `source[1].name`.
pub(crate) fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split(['.', '[', ']']).filter(|step| !step.is_empty())
}

/// A path as the table of fields knows it.
pub(crate) fn without_index(path: &str) -> String {
    let named = steps(path).filter(|step| step.parse::<usize>().is_err());
    named.collect::<Vec<_>>().join(".")
}

pub(crate) fn at<'a>(written: &'a Table, path: &str) -> Option<&'a Value> {
    let mut steps = steps(path);
    let mut value = written.get(steps.next()?)?;
    for step in steps {
        value = match step.parse::<usize>() {
            Ok(number) => value.get(number)?,
            Err(_) => value.get(step)?,
        };
    }
    Some(value)
}

/// The line of the text, from 1, on which the value of a path stands.
pub(crate) fn at_text(text: &str, path: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut steps = steps(path);
    let mut value = document.get_ref().get(steps.next()?)?;
    for step in steps {
        value = match (value.get_ref(), step.parse::<usize>()) {
            (DeValue::Array(list), Ok(number)) => list.get(number)?,
            (DeValue::Table(table), _) => table.get(step)?,
            _ => return None,
        };
    }
    let before = text.get(..value.span().start)?;
    Some(before.matches('\n').count() + 1)
}

/// Sets a field, in every one of several sections.
pub(crate) fn set(written: &mut Table, field: &str, value: Value) {
    let mut steps = field.rsplit('.');
    let Some(name) = steps.next() else {
        return;
    };
    let innermost = Table::from_iter([(name.to_owned(), value)]);
    let sections = steps.fold(innermost, |fields, section| {
        Table::from_iter([(section.to_owned(), Value::Table(fields))])
    });
    merge(written, &sections);
}

/// Puts the fields of `over` over those of `under`.
pub(crate) fn merge(under: &mut Table, over: &Table) {
    for (name, value) in over {
        match (under.get_mut(name), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (Some(Value::Array(list)), Value::Table(above)) => {
                for below in list.iter_mut().filter_map(Value::as_table_mut) {
                    merge(below, above);
                }
            }
            _ => {
                under.insert(name.clone(), value.clone());
            }
        }
    }
}
