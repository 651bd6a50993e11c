//! Calling codes, 91 for India: no code begins with another one, so the first digits of a number tell its code.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use rlibphonenumber::PHONE_NUMBER_UTIL;

/// The longest calling code.
const LONGEST: usize = 3;

/// Returns the calling code of a number in E.164, and what follows it. None when no plan has the code. A plan is not
/// asked: that takes many times as long, and each call asks.
pub(super) fn split(e164: &str) -> Option<(i32, &str)> {
    static CODES: LazyLock<BTreeSet<i32>> = LazyLock::new(|| PHONE_NUMBER_UTIL.get_supported_calling_codes().collect());

    let digits = e164.strip_prefix('+')?;
    (1..=LONGEST).find_map(|length| {
        let (code, rest) = digits.split_at_checked(length)?;
        let code = code.parse().ok()?;
        CODES.contains(&code).then_some((code, rest))
    })
}

#[cfg(test)]
mod tests {
    use rlibphonenumber::PhoneNumberFormat;

    use super::*;

    #[test]
    fn every_number_is_taken_apart_as_its_plan_does() {
        let mut seen = BTreeSet::new();
        for region in PHONE_NUMBER_UTIL.get_supported_regions() {
            let Ok(number) = PHONE_NUMBER_UTIL.get_example_number(region) else { continue };
            let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
            let planned = PHONE_NUMBER_UTIL.parse(&e164, None).expect("a number");
            let rest = e164.strip_prefix(&format!("+{}", planned.country_code)).expect("the code is its beginning");
            assert_eq!(split(&e164), Some((planned.country_code, rest)), "{region}");
            seen.insert(planned.country_code);
        }
        assert!(seen.len() > 190, "{} codes were seen", seen.len());
        // A network of no country, and no code.
        assert_eq!(split("+870773111632"), Some((870, "773111632")));
        assert_eq!((split("+9991234567"), split("+"), split("919876543210")), (None, None, None));
    }

    #[test]
    fn no_code_begins_with_another() {
        let codes: Vec<String> = PHONE_NUMBER_UTIL.get_supported_calling_codes().map(|code| code.to_string()).collect();
        let begin = |code: &String| codes.iter().filter(|other| other.starts_with(code.as_str())).count();
        assert!(codes.len() > 200 && codes.iter().all(|code| begin(code) == 1));
    }
}
