//! One part of many, so that any scheduler can spread recordings over machines.

use std::path::Path;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// The `index`-th (from 1) of `count` parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shard {
    index: u64,
    count: u64,
}

impl Shard {
    /// Whether a recording belongs to this part; that depends on its name and on nothing else.
    pub(super) fn holds(self, name: &Path) -> bool {
        let hash = Sha256::digest(name.as_os_str().as_encoded_bytes());
        let start = hash
            .iter()
            .take(8)
            .fold(0, |sum, &byte| sum << 8 | u64::from(byte));
        start % self.count == self.index - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(index, count)| {
            Some(Shard {
                index: index.parse().ok()?,
                count: count.parse().ok()?,
            })
        });
        parts
            .filter(|shard| (1..=shard.count).contains(&shard.index))
            .ok_or_else(|| {
                format!("{text:?} is not a part: give I/N with I from 1 to N, for instance 2/8")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recording_is_in_exactly_one_part_and_parts_are_about_equal() {
        let shards: Vec<Shard> = (1..=4).map(|i| format!("{i}/4").parse().unwrap()).collect();
        let mut counts = [0; 4];
        for number in 0..4000 {
            let name = format!("2026/call-{number}.wav");
            let holders: Vec<usize> = (0..4)
                .filter(|&i| shards[i].holds(Path::new(&name)))
                .collect();
            assert_eq!(holders.len(), 1, "{name}");
            counts[holders[0]] += 1;
        }
        assert!(
            counts.iter().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn a_name_stays_in_its_part_for_ever() {
        let third: Shard = "3/8".parse().unwrap();
        let held: Vec<u32> = (0..20)
            .filter(|number| third.holds(Path::new(&format!("call-{number}.wav"))))
            .collect();
        assert_eq!(held, [16, 17, 19]);
    }

    #[test]
    fn what_is_no_part_is_refused() {
        for text in ["", "1", "0/4", "5/4", "1/0", "-1/4", "a/b", "1/4/2"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
