//! Today, as results are dated.

use std::time::{SystemTime, UNIX_EPOCH};

/// The present day in UTC, `2026-11-24`.
#[must_use]
pub fn today() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    day(seconds / 86_400)
}

/// A day by its number since 1970-01-01 (Hinnant's `civil_from_days`).
fn day(number: u64) -> String {
    let shifted = number + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + 400 * era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn days_have_their_dates() {
        for (number, date) in [
            (0, "1970-01-01"),
            (11_016, "2000-02-29"),
            (20_781, "2026-11-24"),
        ] {
            assert_eq!(day(number), date);
        }
    }
}
