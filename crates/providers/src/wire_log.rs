//! Requests and answers, as a log may show them: numbers masked, credentials left out.

use bytes::Bytes;
use http::{Request, Response};
use ringfence_domain::phone::mask_numbers;
use serde_json::Value;

/// The most of a body that is shown.
const SHOWN: usize = 2_000;

/// Logs a request without its headers, which hold credentials.
pub(crate) fn request(request: &Request<Bytes>) {
    if tracing::enabled!(tracing::Level::DEBUG) {
        let (method, path) = (request.method().as_str(), shown(request.uri().path().as_bytes()));
        tracing::debug!(method, path, body = shown(request.body()), "{method} {path}");
    }
}

/// Logs an answer without its headers.
pub(crate) fn answer(answer: &Response<Bytes>) {
    if tracing::enabled!(tracing::Level::DEBUG) {
        let status = answer.status().as_u16();
        tracing::debug!(status, body = shown(answer.body()), "HTTP {status}");
    }
}

/// The beginning of a body, with numbers masked and the values of credentials left out.
fn shown(body: &[u8]) -> String {
    let text = match serde_json::from_slice(body) {
        Ok(mut value) => {
            hide_credentials(&mut value);
            value.to_string()
        }
        // Where a text that is no JSON has its credentials is not known.
        Err(_) if may_hold_credentials(&String::from_utf8_lossy(body)) => "…".to_owned(),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let mut masked = mask_numbers(&text);
    if masked.len() > SHOWN {
        masked.truncate(masked.floor_char_boundary(SHOWN));
        masked.push('…');
    }
    if masked.ends_with('…') {
        masked.push_str(&format!(" {} bytes", body.len()));
    }
    masked
}

/// Tells whether a text speaks of credentials, however it writes them.
fn may_hold_credentials(text: &str) -> bool {
    const NAMES: [&str; 8] =
        ["token", "secret", "password", "apikey", "accesskey", "privatekey", "authorization", "credential"];
    let text: String = text.to_lowercase().chars().filter(|c| !matches!(c, '_' | '-')).collect();
    NAMES.iter().any(|name| text.contains(name))
}

/// Replaces the values of keys that hold credentials, at any depth.
fn hide_credentials(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                if may_hold_credentials(key) {
                    *value = Value::from("***");
                } else {
                    hide_credentials(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(hide_credentials),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_credentials_are_not_shown() {
        let body =
            br#"{"to": "+919820012345", "accessToken": "abc", "name": "Asha", "nested": {"api_key" : "k", "x": 1}}"#;
        let told = shown(body);
        for hidden in ["9820012345", "abc", "\"k\""] {
            assert!(!told.contains(hidden), "{told}");
        }
        assert!(told.contains("Asha") && told.contains("\"x\":1"), "{told}");
        assert!(shown(&[b'a'; 5_000]).ends_with("… 5000 bytes"));
        assert_eq!(shown(b"to=9820012345&api-key=k"), "… 23 bytes");
        assert_eq!(shown(b"<h1>Bad gateway</h1>"), "<h1>Bad gateway</h1>");
    }
}
