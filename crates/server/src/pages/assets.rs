//! What pages are made of beside their text.

use std::sync::LazyLock;

use axum::extract::{Path, Query};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The looks of all pages.
pub(crate) const STYLE: &str = "dashboard.css";
/// The sign in a browser's tab.
pub(crate) const ICON: &str = "icon.svg";
/// What makes pages live. One file: of two, the second sometimes comes too late for the first.
pub(crate) const SCRIPT: &str = "dashboard.js";

struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
    version: String,
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        asset(ICON, "image/svg+xml", include_str!("../../assets/icon.svg")),
        asset(STYLE, "text/css; charset=utf-8", include_str!("../../assets/dashboard.css")),
        asset(
            SCRIPT,
            "text/javascript; charset=utf-8",
            concat!(
                include_str!("../../assets/htmx.min.js"),
                "\n",
                include_str!("../../assets/hx-sse.min.js"),
                "\n",
                include_str!("../../assets/dashboard.js")
            ),
        ),
    ]
});

fn asset(name: &'static str, kind: &'static str, text: &'static str) -> Asset {
    Asset { name, kind, text, version: hex::encode(&Sha256::digest(text)[..6]) }
}

/// The address of a file: another one when its content is another.
pub(crate) fn address(name: &str) -> String {
    let version = ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| &asset.version);
    format!("/assets/{name}?v={version}")
}

/// Which content is wanted.
#[derive(Debug, Deserialize)]
pub(crate) struct AssetQuery {
    #[serde(default)]
    v: String,
}

/// Sends a file. Browsers keep it for good under the address of its content.
pub(crate) async fn asset_file(Path(name): Path<String>, Query(query): Query<AssetQuery>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kept = if query.v == asset.version { "public, max-age=31536000, immutable" } else { "no-cache" };
    ([(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, kept)], asset.text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_others_are_as_their_makers_published_them() {
        let told = include_str!("../../assets/VENDORED.md");
        for (name, text) in [
            ("htmx.min.js", include_str!("../../assets/htmx.min.js")),
            ("hx-sse.min.js", include_str!("../../assets/hx-sse.min.js")),
        ] {
            let line = told.lines().find(|line| line.contains(name)).expect("it is told");
            assert!(line.contains(&hex::encode(Sha256::digest(text))), "{name} is another file");
        }
    }

    #[test]
    fn nothing_is_made_into_code_from_text() {
        for asset in ASSETS.iter() {
            for maker in ["new Function", "eval("] {
                assert!(!asset.text.contains(maker), "{}: {maker}", asset.name);
            }
        }
    }
}
