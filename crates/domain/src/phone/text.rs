//! The reader of numbers as people and spreadsheets write them, down to digits. A text that may
//! mean another number is refused.

use super::PhoneError;

/// Returns the digits of a text that can only be a number, after a `+` if there is one. Invisible
/// marks are left out, and digits of other scripts are read. A minus, letters, an extension, a
/// fraction and a number that a spreadsheet shortened are errors.
pub(super) fn plain(text: &str) -> Result<String, PhoneError> {
    let text: String = text.chars().filter(|sign| !is_invisible(*sign)).map(unified).collect();
    let text = unwrapped(&text);
    if text.is_empty() {
        return Err(PhoneError::Empty);
    }
    if is_shortened(text) {
        return Err(PhoneError::Shortened(text.to_owned()));
    }
    if is_negative(text) {
        return Err(PhoneError::Negative);
    }
    let text = whole(text);
    if let Some(extension) = extension(text) {
        return Err(PhoneError::Extension(extension));
    }
    if text.contains(char::is_alphabetic) {
        return Err(PhoneError::Letters);
    }
    let plus = text.rfind('+').is_none_or(|place| text[..place].chars().all(|sign| matches!(sign, '(' | ' ')));
    let known =
        |sign: char| sign.is_ascii_digit() || matches!(sign, '+' | '-' | ' ' | '(' | ')' | '[' | ']' | '.' | '/');
    if !plus || !text.chars().all(known) || is_fraction(text) {
        return Err(PhoneError::Unreadable);
    }
    Ok(text.chars().filter(|sign| sign.is_ascii_digit() || *sign == '+').collect())
}

/// Tells whether nobody sees a sign: marks of direction and width, joiners, soft hyphens and the
/// like.
fn is_invisible(sign: char) -> bool {
    matches!(sign,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// The digit zero of scripts that write numbers with digits of their own, and of wide letters.
const ZEROS: [char; 17] = [
    '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}', '\u{c66}', '\u{ce6}',
    '\u{d66}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{17e0}', '\u{ff10}',
];

/// Returns a sign as ASCII has it: digits, spaces, and signs that look like a hyphen or a minus.
fn unified(sign: char) -> char {
    let digit = |zero: &char| (sign as u32).checked_sub(*zero as u32).filter(|digit| *digit < 10);
    match sign {
        '\u{ff0b}' | '\u{fe62}' | '\u{207a}' => '+',
        '\u{58a}'
        | '\u{5be}'
        | '\u{1806}'
        | '\u{2010}'..='\u{2015}'
        | '\u{2027}'
        | '\u{203e}'
        | '\u{2043}'
        | '\u{207b}'
        | '\u{208b}'
        | '\u{2212}'
        | '\u{2796}'
        | '\u{23af}'
        | '\u{2500}'
        | '\u{2501}'
        | '\u{2e3a}'
        | '\u{2e3b}'
        | '\u{30fc}'
        | '\u{3161}'
        | '\u{4e00}'
        | '\u{fe31}'
        | '\u{fe32}'
        | '\u{fe58}'
        | '\u{fe63}'
        | '\u{ff0d}'
        | '\u{ff70}'
        | '\u{2d7}'
        | '\u{2c9}'
        | '\u{af}'
        | '\u{6d4}'
        | '~'
        | '\u{223c}'
        | '\u{2053}'
        | '\u{301c}'
        | '\u{ff5e}'
        | '_' => '-',
        '\u{ff08}' => '(',
        '\u{ff09}' => ')',
        '\u{ff0e}' | '\u{2024}' | '\u{b7}' | '\u{2022}' => '.',
        '\u{ff0f}' | '\u{2044}' | '\u{2215}' => '/',
        '\u{ff03}' | '\u{fe5f}' => '#',
        '\u{ff0c}' => ',',
        '\u{ff1b}' => ';',
        '\u{ff58}' | '\u{ff38}' | '\u{d7}' => 'x',
        sign if sign.is_whitespace() || sign.is_control() && sign != '\0' => ' ',
        sign => ZEROS.iter().find_map(digit).and_then(|digit| char::from_digit(digit, 10)).unwrap_or(sign),
    }
}

/// Returns the number without what spreadsheets and addresses put around it: `'9876…`, `="9876…"`,
/// `tel:+91…`.
fn unwrapped(text: &str) -> &str {
    let text = text.trim().trim_start_matches(['\'', '\u{2018}', '\u{2019}', '`']).trim();
    let text = text.strip_prefix('=').map_or(text, str::trim);
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).trim();
    let scheme = text.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("tel:"));
    scheme.map_or(text, |_| text[4..].trim())
}

/// Tells whether a spreadsheet shortened a number, as in `9.19877E+11`: the rest of its digits is
/// gone.
fn is_shortened(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    digits(whole.trim_start_matches('+')) && digits(fraction) && digits(exponent.trim_start_matches(['+', ' ']))
}

/// Tells whether a number is below zero, as spreadsheets compute it from `+91-98…` and write it:
/// `-98…`, `98…-`, `(98…)`. A hyphen between groups of digits is no minus.
fn is_negative(text: &str) -> bool {
    let bare = |sign: char| matches!(sign, ' ' | '(' | '[' | '+');
    let bracketed = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    let amount = |text: &str| text.chars().all(|sign| sign.is_ascii_digit() || matches!(sign, '.' | ',' | ' '));
    text.trim_start_matches(bare).starts_with('-')
        || text.trim_end_matches([' ', ')']).ends_with('-')
        || bracketed.is_some_and(|inner| !inner.contains(['(', ')']) && amount(inner))
}

/// Removes the fraction that a spreadsheet wrote after a whole number: `919876543210.0`.
fn whole(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, zeros)) if whole.len() >= 7 && !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        _ => text,
    }
}

/// Tells whether a text is an amount, as `2125552345.5`: read as digits it would be another
/// number.
fn is_fraction(text: &str) -> bool {
    let Some((whole, fraction)) = text.split_once('.') else { return false };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole.trim_start_matches('+')) && whole.len() >= 7 && digits(fraction) && fraction.len() <= 3
}

/// Words and signs before an extension; longer ones first.
const EXTENSION: [&str; 14] =
    [";ext=", "extension", "extn", "ext", "anexo", "poste", "доб", "int", "ex", "x", "#", ",", ";", "p"];

/// Returns the extension that follows a number: `x5`, `ext. 12`, `#12`, `,12`, `;ext=12`.
fn extension(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let (place, rest) = EXTENSION
        .iter()
        .filter_map(|word| {
            let place = lower.find(word)?;
            Some((place, &lower[place + word.len()..]))
        })
        .min_by_key(|(place, rest)| (*place, rest.len()))?;
    let digits = lower[..place].chars().filter(char::is_ascii_digit).count();
    let letters = lower[..place].contains(char::is_alphabetic);
    let rest = rest.trim_matches([' ', '.', ':', '=', ',', ';', '#', '-', '(', ')', 'w', 'p']);
    let fits = (1..=9).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_digit());
    (digits >= 5 && !letters && fits).then(|| rest.to_owned())
}
