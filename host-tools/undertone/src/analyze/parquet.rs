//! Rows about utterances as a Parquet file, for DuckDB, Spark and the like: one column per field, one per score.

use std::collections::HashMap;
use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde::Deserialize;

use super::line::{Head, Run};
use crate::place;

/// Rows that are held at once.
const GROUP: usize = 50_000;
/// The key under which the run is found among the file's metadata.
const RUN_KEY: &str = "undertone.run";

/// A row about an utterance, as it is read back from JSON.
#[derive(Debug, Deserialize)]
struct Row {
    kind: String,
    file: String,
    channel: i64,
    role: Option<String>,
    id: i64,
    start_ms: i64,
    end_ms: i64,
    label: String,
    confidence: f64,
    scores: HashMap<String, f64>,
    reason: Option<String>,
}

/// Writes the rows of `journal` about utterances to `output`, in place of what is there once all are written.
///
/// # Errors
/// When one cannot be read or the other not be written.
pub(super) fn write(journal: &Path, output: &Path) -> Result<()> {
    let mut lines = BufReader::new(File::open(journal)?).lines();
    let first = lines.next().context("the rows it is made of are gone")??;
    let run: Run = serde_json::from_str(&first)?;
    // Of a name that nobody can foresee, and as readable as a new file of this user is.
    let mut file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(place::folder_of(output))
        .map_err(|error| place::refused(output, &error))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("undertone {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![KeyValue::new(RUN_KEY.to_owned(), first)]))
        .build();
    let schema = Arc::new(parse_message_type(&schema(&run.labels))?);
    let mut writer = SerializedFileWriter::new(&mut file, schema, Arc::new(properties))?;
    let mut columns = Columns::new(&run.labels);
    for (index, line) in lines.enumerate() {
        let line = line?;
        match serde_json::from_str(&line) {
            Ok(row) => columns.push(row)?,
            // Rows about the run and its recordings have no scores; any other must have all.
            Err(_) if has_no_scores(&line) => {}
            Err(error) => bail!("line {} of the rows is damaged: {error}", index + 2),
        }
        if columns.rows == GROUP {
            columns.flush(&mut writer)?;
        }
    }
    columns.flush(&mut writer)?;
    writer.close()?;
    file.as_file().sync_all()?;
    file.persist(output)
        .map(drop)
        .map_err(|error| place::refused(output, &error.error))
}

fn has_no_scores(line: &str) -> bool {
    let head: Option<Head> = serde_json::from_str(line).ok();
    head.is_some_and(|head| ["run", "file", "error"].contains(&head.kind.as_str()))
}

fn schema(labels: &[String]) -> String {
    let scores: String = labels
        .iter()
        .map(|label| format!("required double score_{label};\n"))
        .collect();
    format!(
        "message undertone {{
            required binary kind (UTF8);
            required binary file (UTF8);
            required int64 channel;
            optional binary role (UTF8);
            required int64 id;
            required int64 start_ms;
            required int64 end_ms;
            required binary label (UTF8);
            required double confidence;
            optional binary reason (UTF8);
            {scores}
        }}"
    )
}

/// The values of one column of the current group.
enum Column {
    Text(Vec<ByteArray>),
    /// Values, and for every row 1 where it has one.
    Optional(Vec<ByteArray>, Vec<i16>),
    Whole(Vec<i64>),
    Real(Vec<f64>),
}

/// The columns in the order of the schema.
struct Columns<'a> {
    labels: &'a [String],
    columns: Vec<Column>,
    rows: usize,
}

impl<'a> Columns<'a> {
    fn new(labels: &'a [String]) -> Self {
        let mut columns = Self {
            labels,
            columns: Vec::new(),
            rows: 0,
        };
        columns.clear();
        columns
    }

    fn clear(&mut self) {
        let text = || Column::Text(Vec::new());
        let optional = || Column::Optional(Vec::new(), Vec::new());
        let whole = || Column::Whole(Vec::new());
        let real = || Column::Real(Vec::new());
        self.columns = vec![
            text(),
            text(),
            whole(),
            optional(),
            whole(),
            whole(),
            whole(),
            text(),
            real(),
            optional(),
        ];
        self.columns.extend(self.labels.iter().map(|_| real()));
        self.rows = 0;
    }

    fn push(&mut self, row: Row) -> Result<()> {
        let mut columns = self.columns.iter_mut();
        let mut put = |cell: Cell| {
            let column = columns.next();
            column.context("a row has too many values")?.push(cell)
        };
        put(Cell::Text(Some(row.kind)))?;
        put(Cell::Text(Some(row.file)))?;
        put(Cell::Whole(row.channel))?;
        put(Cell::Text(row.role))?;
        put(Cell::Whole(row.id))?;
        put(Cell::Whole(row.start_ms))?;
        put(Cell::Whole(row.end_ms))?;
        put(Cell::Text(Some(row.label)))?;
        put(Cell::Real(row.confidence))?;
        put(Cell::Text(row.reason))?;
        for label in self.labels {
            put(Cell::Real(
                row.scores.get(label).copied().unwrap_or(f64::NAN),
            ))?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Writes the group, if there is one.
    fn flush<W: Write + Send>(&mut self, writer: &mut SerializedFileWriter<W>) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = writer.next_row_group()?;
        for column in &self.columns {
            let mut out = group
                .next_column()?
                .context("a column is missing in the schema")?;
            match column {
                Column::Text(values) => out
                    .typed::<ByteArrayType>()
                    .write_batch(values, None, None)?,
                Column::Optional(values, there) => {
                    out.typed::<ByteArrayType>()
                        .write_batch(values, Some(there), None)?
                }
                Column::Whole(values) => {
                    out.typed::<Int64Type>().write_batch(values, None, None)?
                }
                Column::Real(values) => {
                    out.typed::<DoubleType>().write_batch(values, None, None)?
                }
            };
            out.close()?;
        }
        group.close()?;
        self.clear();
        Ok(())
    }
}

enum Cell {
    Text(Option<String>),
    Whole(i64),
    Real(f64),
}

impl Column {
    /// Adds a value of the column's own type.
    ///
    /// # Errors
    /// For another type: what came after it would be in other rows than the rest.
    fn push(&mut self, cell: Cell) -> Result<()> {
        match (self, cell) {
            (Self::Text(values), Cell::Text(text)) => {
                values.push(text.unwrap_or_default().into_bytes().into())
            }
            (Self::Optional(values, there), Cell::Text(text)) => {
                there.push(i16::from(text.is_some()));
                values.extend(text.map(|text| ByteArray::from(text.into_bytes())));
            }
            (Self::Whole(values), Cell::Whole(value)) => values.push(value),
            (Self::Real(values), Cell::Real(value)) => values.push(value),
            _ => bail!("a value is not of its column's type"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const RUN: &str = r#"{"kind":"run","version":"0","model":"m","labels":["a","b"],"deployment":{"purpose":"evaluation","subjects":"volunteers"},"channels":"mix","roles":null,"updates":false}"#;
    const END: &str = r#"{"kind":"end","file":"x.wav","channel":0,"role":null,"id":1,"start_ms":0,"end_ms":9,"label":"a","confidence":0.7,"scores":{"a":0.7,"b":0.3},"reason":"silence"}"#;
    const FILE: &str = r#"{"kind":"file","file":"x.wav","seconds":1.0,"sample_rate":16000,"channels":1,"utterances":1}"#;

    #[test]
    fn a_row_that_is_damaged_is_told_with_its_line_and_not_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, output) = (folder.path().join("j"), folder.path().join("o"));
        let written = |lines: &[&str]| {
            fs::write(&journal, lines.join("\n")).unwrap();
            write(&journal, &output)
        };
        written(&[RUN, END, FILE, END]).unwrap();
        fs::remove_file(&output).unwrap();
        for damaged in [
            &END[..60],
            &END.replace("\"label\":\"a\",", ""),
            &END.replace("0.3", "null"),
        ] {
            let error = written(&[RUN, FILE, damaged]).unwrap_err().to_string();
            assert!(
                error.starts_with("line 3 of the rows is damaged: "),
                "{error}"
            );
            // Neither the file nor what it was made of is there.
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_value_of_another_type_is_an_error_and_leaves_no_hole() {
        let mut column = Column::Whole(Vec::new());
        column.push(Cell::Whole(1)).unwrap();
        assert!(column.push(Cell::Real(1.0)).is_err());
    }
}
