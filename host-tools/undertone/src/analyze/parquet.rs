//! Rows about utterances as a Parquet file, for DuckDB, Spark and the like: one column per field, one per score.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde::Deserialize;

use super::line::Run;

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
    let unfinished = output.with_added_extension("unfinished");
    let mut file = File::create(&unfinished)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("undertone {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![KeyValue::new(RUN_KEY.to_owned(), first)]))
        .build();
    let schema = Arc::new(parse_message_type(&schema(&run.labels))?);
    let mut writer = SerializedFileWriter::new(&mut file, schema, Arc::new(properties))?;
    let mut columns = Columns::new(&run.labels);
    for line in lines {
        // Rows about recordings have no scores.
        if let Ok(row) = serde_json::from_str(&line?) {
            columns.push(row);
        }
        if columns.rows == GROUP {
            columns.flush(&mut writer)?;
        }
    }
    columns.flush(&mut writer)?;
    writer.close()?;
    file.sync_all()?;
    Ok(fs::rename(&unfinished, output)?)
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

    fn push(&mut self, row: Row) {
        let mut columns = self.columns.iter_mut();
        let mut put = |cell: Cell| {
            if let Some(column) = columns.next() {
                column.push(cell);
            }
        };
        put(Cell::Text(Some(row.kind)));
        put(Cell::Text(Some(row.file)));
        put(Cell::Whole(row.channel));
        put(Cell::Text(row.role));
        put(Cell::Whole(row.id));
        put(Cell::Whole(row.start_ms));
        put(Cell::Whole(row.end_ms));
        put(Cell::Text(Some(row.label)));
        put(Cell::Real(row.confidence));
        put(Cell::Text(row.reason));
        for label in self.labels {
            put(Cell::Real(
                row.scores.get(label).copied().unwrap_or(f64::NAN),
            ));
        }
        self.rows += 1;
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
    /// Adds a value of the column's own type; another one cannot come, since both follow the schema.
    fn push(&mut self, cell: Cell) {
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
            _ => {}
        }
    }
}
