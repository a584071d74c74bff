//! ISO 8601 durations, as far as the platform takes them. The crates for it are unmaintained or read whole dates and zones.

use std::time::Duration;

/// `P7DT12H30M1.5S` and the like; years and months, whose length varies, are refused.
pub fn parse(text: &str) -> Option<Duration> {
    let (mut rest, mut timed) = (text.strip_prefix('P')?, false);
    let (mut seconds, mut parts) = (0.0_f64, 0);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T') {
            if timed {
                return None;
            }
            (rest, timed) = (after, true);
            continue;
        }
        let end = rest.find(|other: char| !other.is_ascii_digit() && other != '.')?;
        let (number, tail) = rest.split_at(end);
        let unit = tail.chars().next()?;
        let scale = match (unit, timed) {
            ('W', false) => 604_800.0,
            ('D', false) => 86_400.0,
            ('H', true) => 3_600.0,
            ('M', true) => 60.0,
            ('S', true) => 1.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * scale;
        parts += 1;
        rest = tail.get(1..)?;
    }
    (parts > 0)
        .then(|| Duration::try_from_secs_f64(seconds).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(parse("P7DT0S"), Some(Duration::from_secs(604_800)));
        assert_eq!(parse("PT1H30M1.5S"), Some(Duration::from_millis(5_401_500)));
        assert_eq!(parse("P2W"), Some(Duration::from_secs(1_209_600)));
        for text in [
            "",
            "P",
            "PT",
            "P1M",
            "P1H",
            "T1H",
            "PT1X",
            "PT.S",
            "PTT1S",
            "-PT1S",
            "PT99999999999999999999999999S",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
