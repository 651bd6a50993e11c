//! The words of a wish, one by one.

/// Splits a wish into lower-case words, numbers and signs; none when it has a sign that the
/// grammar does not have.
pub(super) fn tokens(text: &str) -> Option<Vec<String>> {
    let mut tokens: Vec<String> = Vec::new();
    let mut last = ' ';
    for c in text.to_lowercase().chars() {
        let joins =
            (c.is_ascii_digit() && last.is_ascii_digit()) || (c.is_ascii_alphabetic() && last.is_ascii_alphabetic());
        match c {
            ' ' | ',' | '!' | '(' | ')' | '\t' | '\n' | '\u{a0}' | '\u{202f}' => {}
            'a'..='z' | '0'..='9' if joins => tokens.last_mut()?.push(c),
            'a'..='z' | '0'..='9' | ':' | '.' | '-' | '/' => tokens.push(c.to_string()),
            '\u{2013}' => tokens.push("-".to_owned()),
            _ => return None,
        }
        last = c;
    }
    // A full stop at the end of a sentence; the points of `a.m.`.
    while tokens.last().is_some_and(|token| token == ".") {
        tokens.pop();
    }
    // `25th of November` is `25 November`.
    let ordinal = |place: usize, tokens: &[String]| {
        let after_number = place > 0 && tokens[place - 1].bytes().all(|b| b.is_ascii_digit());
        matches!(tokens[place].as_str(), "st" | "nd" | "rd" | "th") && after_number
    };
    let kept = (0..tokens.len()).filter(|place| !ordinal(*place, &tokens) && tokens[*place] != "of");
    Some(kept.map(|place| tokens[place].clone()).collect())
}
