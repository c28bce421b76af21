//! Until when a certificate holds (X.509, RFC 5280 section 4.1). Nothing is verified here; TLS does that.

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, explicit: the version.
const VERSION: u8 = 0xA0;

/// The end of a certificate's validity, in seconds since 1970; `None` for what is no certificate.
pub(super) fn valid_until(der: &[u8]) -> Option<i64> {
    let (certificate, _) = take(der, SEQUENCE)?;
    let (body, _) = take(certificate, SEQUENCE)?;
    let body = take(body, VERSION).map_or(body, |(_, rest)| rest);
    let (_, body) = take(body, INTEGER)?; // serial number
    let (_, body) = take(body, SEQUENCE)?; // algorithm of the signature
    let (_, body) = take(body, SEQUENCE)?; // issuer
    let (validity, _) = take(body, SEQUENCE)?;
    let (_, after) = element(validity)?;
    let (tag, content) = element(after).map(|((tag, content), _)| (tag, content))?;
    seconds(tag, std::str::from_utf8(content).ok()?)
}

/// An element of this tag, and what follows it.
fn take(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let ((found, content), rest) = element(der)?;
    (found == tag).then_some((content, rest))
}

/// Tag and content of an element, and what follows it.
type Element<'a> = ((u8, &'a [u8]), &'a [u8]);

/// The first element: its tag and content, and what follows it.
fn element(der: &[u8]) -> Option<Element<'_>> {
    let (&[tag, first], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            let length = bytes
                .iter()
                .fold(0usize, |length, byte| length << 8 | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some(((tag, content), rest))
}

/// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`.
fn seconds(tag: u8, text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match tag {
        UTC_TIME if text.len() == 12 => {
            let (year, rest) = text.split_at(2);
            let year: i64 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME if text.len() == 14 => {
            let (year, rest) = text.split_at(4);
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let field = |at: usize| rest.get(at..at + 2)?.parse::<i64>().ok();
    let (month, day) = (field(0)?, field(2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    Some(days(year, month, day) * 86_400 + field(4)? * 3600 + field(6)? * 60 + field(8)?)
}

/// Days since 1970 of a date in the Gregorian calendar, counted in years that begin in March, so that the day that a leap
/// year adds is the last one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let since_march = (month + 9) % 12;
    let day_of_year = (153 * since_march + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}

/// The date of a moment, as `YYYY-MM-DD`.
pub(super) fn date(seconds: i64) -> String {
    let wanted = seconds.div_euclid(86_400);
    // Never too late, since a year is no longer than 366 days and no shorter than 365; then on to the right one.
    let mut year = 1970 + wanted.div_euclid(if wanted < 0 { 365 } else { 366 });
    while days(year + 1, 1, 1) <= wanted {
        year += 1;
    }
    let month = (1..=12)
        .rev()
        .find(|month| days(year, *month, 1) <= wanted)
        .unwrap_or(1);
    let day = wanted - days(year, month, 1) + 1;
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag];
        match u8::try_from(content.len()) {
            Ok(length) if length < 0x80 => bytes.push(length),
            _ => {
                bytes.push(0x82);
                bytes.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
            }
        }
        bytes.extend(content);
        bytes
    }

    fn certificate(tag: u8, end: &str) -> Vec<u8> {
        let validity = [
            wrapped(UTC_TIME, b"200101000000Z"),
            wrapped(tag, end.as_bytes()),
        ]
        .concat();
        let body = [
            wrapped(VERSION, &wrapped(INTEGER, &[2])),
            wrapped(INTEGER, &[7; 20]),
            wrapped(SEQUENCE, &[6, 0]),
            wrapped(SEQUENCE, &[0x31; 200]),
            wrapped(SEQUENCE, &validity),
            wrapped(SEQUENCE, &[]),
        ]
        .concat();
        wrapped(
            SEQUENCE,
            &[wrapped(SEQUENCE, &body), wrapped(SEQUENCE, &[])].concat(),
        )
    }

    #[test]
    fn the_end_is_read_in_both_forms() {
        let utc = valid_until(&certificate(UTC_TIME, "261124120000Z")).unwrap();
        assert_eq!((utc, date(utc).as_str()), (1_795_521_600, "2026-11-24"));
        let generalized = valid_until(&certificate(GENERALIZED_TIME, "20500229235959Z"));
        // 2050 is no leap year: the day after the 28th of February.
        assert_eq!(date(generalized.unwrap()), "2050-03-01");
        assert_eq!(
            valid_until(&certificate(UTC_TIME, "991231000000Z")),
            Some(946_598_400)
        );
        assert_eq!(valid_until(&certificate(UTC_TIME, "tomorrow")), None);
    }

    #[test]
    fn dates_and_seconds_agree_over_four_centuries() {
        for day in (-30_000..120_000).step_by(17) {
            let text = date(day * 86_400);
            let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
            assert_eq!(
                days(number(0..4), number(5..7), number(8..10)),
                day,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_it_ends(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = valid_until(&bytes);
        }

        #[test]
        fn a_damaged_certificate_is_no_reason_to_panic(at in 0usize..250, byte in any::<u8>()) {
            let mut der = certificate(UTC_TIME, "261124120000Z");
            let at = at % der.len();
            der[at] = byte;
            let _ = valid_until(&der);
        }
    }
}
