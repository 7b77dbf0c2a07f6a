//! `Retry-After` (RFC 9110 section 10.2.3).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{
    HeaderMap, HeaderName,
    header::{DATE, RETRY_AFTER},
};

/// How long the server wants to be left alone, if it says so in a form that is understood.
///
/// A date is compared with the answer's own, so that a clock that is wrong on either side does no harm.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than fit are as many as fit: the caller bounds them.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = seconds(value)?;
    let date = |name: HeaderName| seconds(headers.get(name)?.to_str().ok()?.trim());
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Some(Duration::from_secs(until.saturating_sub(date(DATE).unwrap_or_else(now))))
}

/// The seconds from 1970 to a date such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7), of which the
/// obsolete forms are not read.
fn seconds(date: &str) -> Option<u64> {
    let (_day_of_week, rest) = date.split_once(", ")?;
    let mut parts = rest.split(' ');
    let day = digits(parts.next()?, 2)?;
    let month = month(parts.next()?)?;
    let year = digits(parts.next()?, 4)?;
    let mut time = parts.next()?.split(':').map(|part| digits(part, 2));
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let is_whole = parts.next() == Some("GMT") && parts.next().is_none() && time.next().is_none();
    let in_range = (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60 && year >= 1970;
    (is_whole && in_range).then(|| ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

fn digits(text: &str, len: usize) -> Option<u64> {
    let fits = text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

fn month(name: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    MONTHS.iter().zip(1..).find_map(|(month, number)| (*month == name).then_some(number))
}

/// The days from 1970-01-01, in years that begin in March so that a leap day is a year's last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_years = year * 365 + year / 4 - year / 100 + year / 400;
    let of_months = (month * 153 + 2) / 5;
    of_years + of_months + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(retry_after_value: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after_value.try_into().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.try_into().unwrap());
        }
        retry_after(&headers).map(|told| told.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_read() {
        let date = Some("Wed, 21 Oct 2015 07:28:00 GMT");
        for (value, expected) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("99999999999999999999", Some(u64::MAX)),
            ("Wed, 21 Oct 2015 07:30:05 GMT", Some(125)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", Some(0)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("Wed, 21 Okt 2015 07:30:05 GMT", None),
            ("Wed, 21 Oct 2015 07:30:05 CET", None),
            ("Wed, 21 Oct 2015 07:30 GMT", None),
            ("Wednesday, 21-Oct-15 07:30:05 GMT", None),
            ("Wed, 00 Oct 2015 07:30:05 GMT", None),
            ("Wed, 21 Oct 0000 07:30:05 GMT", None),
        ] {
            assert_eq!(told(value, date), expected, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn dates_are_counted_from_1970() {
        for (date, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
        ] {
            assert_eq!(seconds(date), Some(expected), "{date}");
        }
    }

    #[test]
    fn without_a_date_of_the_answer_our_clock_is_asked() {
        assert_eq!(told("Sun, 06 Nov 1994 08:49:37 GMT", None), Some(0));
    }
}
