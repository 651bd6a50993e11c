//! Texts of strangers, made harmless for terminals and logs.
//!
//! Names in a contact file and outputs of an agent may hold control characters: they would colour
//! or clear a screen, set the title of its window, or turn the order of its words round.

use std::borrow::Cow;

/// Shows every character that would steer a terminal by its number instead: `\u{1b}`. Line breaks
/// and tabs stay.
pub fn harmless(text: &str) -> Cow<'_, str> {
    replaced(text, |c| steers(c) && c != '\n' && c != '\t')
}

/// The same on one line: line breaks and tabs are shown by their numbers, too.
pub fn harmless_line(text: &str) -> Cow<'_, str> {
    replaced(text, steers)
}

fn replaced(text: &str, steers: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if steers(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Tells whether a character moves, hides or colours what stands around it: controls, separators of
/// lines, and marks of direction (Unicode Bidirectional Algorithm, section 2).
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_by_its_number() {
        for (text, shown) in [
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("\u{1b}[2J", r"\u{1b}[2J"),
            ("\u{1b}]0;title\u{7}", r"\u{1b}]0;title\u{7}"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("abc\u{202e}def", r"abc\u{202e}def"),
            ("a\rb", r"a\rb"),
        ] {
            assert_eq!(harmless(text), shown);
        }
        assert_eq!(harmless("Äsha राम\n\tन"), "Äsha राम\n\tन");
        assert_eq!(harmless_line("a\nb\tc"), r"a\nb\tc");
    }

    proptest! {
        #[test]
        fn nothing_that_steers_is_left(text in any::<String>()) {
            prop_assert!(!harmless_line(&text).chars().any(steers));
            prop_assert!(!harmless(&text).chars().any(|c| steers(c) && c != '\n' && c != '\t'));
        }
    }
}
