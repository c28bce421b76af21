//! CREMA-D's side tables: `VideoDemographics.csv` (ages and sexes) and `voice-votes.csv` (what listeners heard in the
//! voice alone).

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::clip::{Sex, Votes};
use super::import::Refused;

/// No table of the release is near this size.
const MAX_TABLE_BYTES: u64 = 4 << 20;

/// What the tables found say; empty without tables.
#[derive(Debug, Default)]
pub(crate) struct CremaDTables {
    /// Age and sex by actor.
    pub(crate) people: HashMap<String, (u8, Sex)>,
    /// Votes by clip.
    pub(crate) votes: HashMap<String, Votes>,
}

impl CremaDTables {
    /// Takes in `path` if it is named like one of the tables; other files are left alone.
    ///
    /// A broken table is refused whole, so that no half of it is believed.
    pub(crate) fn add(&mut self, path: &Path) -> Result<(), Refused> {
        let refuse = |reason| Refused::new(path.to_owned(), reason);
        match path.file_name().and_then(|name| name.to_str()) {
            Some("VideoDemographics.csv") => {
                let text = read(path).map_err(refuse)?;
                self.people.extend(people(&text).map_err(refuse)?);
            }
            Some("voice-votes.csv") => {
                let text = read(path).map_err(refuse)?;
                self.votes.extend(votes(&text).map_err(refuse)?);
            }
            _ => {}
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, String> {
    let size = fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > MAX_TABLE_BYTES {
        return Err(format!(
            "{size} bytes are more than a table of the release has ({MAX_TABLE_BYTES})"
        ));
    }
    fs::read_to_string(path).map_err(|e| e.to_string())
}

fn people(text: &str) -> Result<HashMap<String, (u8, Sex)>, String> {
    let mut people = HashMap::new();
    for row in rows(text, ["ActorID", "Age", "Sex"])? {
        let (line, [actor, age, sex]) = row;
        let age = age
            .parse()
            .map_err(|_| format!("line {line}: age `{age}` is not a number of years"))?;
        let sex = match sex.as_str() {
            "Male" => Sex::Male,
            "Female" => Sex::Female,
            _ => return Err(format!("line {line}: sex `{sex}` is not Male or Female")),
        };
        people.insert(actor, (age, sex));
    }
    Ok(people)
}

fn votes(text: &str) -> Result<HashMap<String, Votes>, String> {
    let mut votes = HashMap::new();
    for row in rows(text, ["clip", "A", "D", "F", "H", "N", "S"])? {
        let (line, [clip, counts @ ..]) = row;
        let mut numbers = [0_u16; 6];
        for (number, count) in numbers.iter_mut().zip(&counts) {
            *number = count
                .parse()
                .map_err(|_| format!("line {line}: `{count}` is not a number of votes"))?;
        }
        let [angry, disgust, fear, happy, neutral, sad] = numbers;
        let row = Votes {
            neutral,
            happy,
            sad,
            angry,
            fear,
            disgust,
        };
        votes.insert(clip, row);
    }
    Ok(votes)
}

/// The named columns of every row, with the row's line number.
fn rows<const N: usize>(text: &str, columns: [&str; N]) -> Result<Vec<(u64, [String; N])>, String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| e.to_string())?;
    let mut positions = [0; N];
    for (position, column) in positions.iter_mut().zip(columns) {
        *position = header
            .iter()
            .position(|name| name == column)
            .ok_or_else(|| format!("has no column `{column}`"))?;
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| e.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |i| record.get(i).unwrap_or_default().trim().to_owned();
        rows.push((line, positions.map(cell)));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demographics_are_read_by_column_name() {
        let text = "\"ActorID\",\"Age\",\"Sex\",\"Race\"\n1001,51,\"Male\",\"a, b\"\n1002,21,\"Female\",x\n";
        let people = people(text).unwrap();
        assert_eq!(people["1001"], (51, Sex::Male));
        assert_eq!(people["1002"], (21, Sex::Female));
    }

    #[test]
    fn votes_go_to_their_emotions() {
        let votes = votes("clip,A,D,F,H,N,S\n1001_IEO_NEU_XX,1,2,3,4,5,6\n").unwrap();
        let expected = Votes {
            angry: 1,
            disgust: 2,
            fear: 3,
            happy: 4,
            neutral: 5,
            sad: 6,
        };
        assert_eq!(votes["1001_IEO_NEU_XX"], expected);
    }

    #[test]
    fn a_broken_table_is_refused_with_its_line_or_column() {
        for (text, named) in [
            ("ActorID,Age\n1001,51\n", "Sex"),
            ("ActorID,Age,Sex\n1001,old,Male\n", "line 2"),
            ("ActorID,Age,Sex\n1001,51,Male\n1002,51,X\n", "line 3"),
            ("ActorID,Age,Sex\n1001,51\n", "line: 2"),
        ] {
            let reason = people(text).unwrap_err();
            assert!(reason.contains(named), "{reason}");
        }
        assert!(votes("clip,A,D,F,H,N,S\nx,-1,0,0,0,0,0\n").is_err());
    }
}
