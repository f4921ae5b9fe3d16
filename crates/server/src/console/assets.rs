//! The console's files, as they were when the server was compiled.

use std::collections::HashMap;
use std::sync::LazyLock;

use aws_lc_rs::digest;
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use postern_console_assets::{FILES, File, file};

use super::headers;
use crate::app::App;
use crate::serve::{self, Body};

/// The page that every address of the console shows.
const INDEX: &str = "index.html";
/// Names of files in here change with their content.
const HASHED: &str = "assets/";
/// What is said where there is no console.
const NOT_BUILT: &str = "The console is not part of this server.\n\n\
    It is built with Node.js before the server is: run `npm ci && npm run build` in the directory `console`, then\n\
    `cargo build` again. Everything else works without it.\n";
/// Of several forms in which a file is stored, the smaller first.
const GZIP: &str = "gzip";
const BROTLI: &str = "br";

/// Answers a request for a page or one of its files.
pub(super) fn answer(app: &App, parts: &Parts) -> Response<Body> {
    headers::common(with_body_if_asked(parts, found(app, parts)))
}

fn found(app: &App, parts: &Parts) -> Response<Bytes> {
    if parts.method != Method::GET && parts.method != Method::HEAD {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "Files are only read.\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let Some(name) = parts.uri.path().strip_prefix("/console/") else {
        let mut response = text(StatusCode::FOUND, "");
        response.headers_mut().insert(LOCATION, HeaderValue::from_static("/console/"));
        return response;
    };
    if let Some(found) = file(name).filter(|found| found.name != INDEX) {
        return shown(found, parts);
    }
    // A page of an older version asks for files that are gone; any other address is one of the console's pages.
    if name.starts_with(HASHED) {
        return text(StatusCode::NOT_FOUND, "There is no such file.\n");
    }
    let Some(index) = file(INDEX) else { return text(StatusCode::OK, NOT_BUILT) };
    let mut response = shown(index, parts);
    let policy = headers::page_policy(&app.console.origins.hosts(parts));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

fn shown(file: &'static File, parts: &Parts) -> Response<Bytes> {
    let (encoding, bytes) = encoded(file, &parts.headers);
    let tag = ETAGS.get(file.name).map(|tag| match encoding {
        Some(encoding) => format!("\"{tag}-{encoding}\""),
        None => format!("\"{tag}\""),
    });
    let is_known = tag.as_deref().is_some_and(|tag| names(&parts.headers, &IF_NONE_MATCH, tag));
    let mut response = Response::new(Bytes::from_static(if is_known { b"" } else { bytes }));
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(file.name)));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let keep = if file.name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    // Only pages need one; a picture that is opened by itself gets it as well.
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    if let Some(tag) = tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
        headers.insert(ETAG, tag);
    }
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// The smallest form of a file that the browser takes.
fn encoded(file: &'static File, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
    match (file.brotli, file.gzip) {
        (Some(bytes), _) if accepts(headers, BROTLI) => (Some(BROTLI), bytes),
        (_, Some(bytes)) if accepts(headers, GZIP) => (Some(GZIP), bytes),
        _ => (None, file.identity),
    }
}

/// Whether `Accept-Encoding` names a coding and does not refuse it.
/// Source: RFC 9110, section 12.5.3.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        is_named && weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
    })
}

/// Whether a header that lists entity tags names `tag`, weakly or not.
fn names(headers: &HeaderMap, header: &HeaderName, tag: &str) -> bool {
    let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|item| item == "*" || item.trim_start_matches("W/") == tag)
}

/// The tags of all files, made when the first is asked for.
static ETAGS: LazyLock<HashMap<&'static str, String>> = LazyLock::new(|| {
    let tag = |file: &File| hex::encode(&digest::digest(&digest::SHA256, file.identity).as_ref()[..16]);
    FILES.iter().map(|file| (file.name, tag(file))).collect()
});

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn text(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `HEAD` is answered as `GET` would be, without the body.
fn with_body_if_asked(parts: &Parts, response: Response<Bytes>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    if parts.method == Method::HEAD {
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        return Response::from_parts(head, serve::full(Bytes::new()));
    }
    Response::from_parts(head, serve::full(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(accept_encoding: &str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT_ENCODING, accept_encoding.parse().unwrap())])
    }

    #[test]
    fn a_browser_gets_the_smallest_form_that_it_takes() {
        static FILE: File = File { name: "a.js", identity: b"abc", brotli: Some(b"b"), gzip: Some(b"gz") };
        static PLAIN: File = File { brotli: None, gzip: None, ..FILE };
        for (accepted, encoding) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("BR;q=0.5, gzip", Some("br")),
            ("br;q=0, gzip;q=0.1", Some("gzip")),
            ("gzip;q=0", None),
            ("brotli", None),
            ("", None),
        ] {
            assert_eq!(encoded(&FILE, &headers(accepted)).0, encoding, "{accepted}");
            assert_eq!(encoded(&PLAIN, &headers(accepted)).0, None, "{accepted}");
        }
    }

    #[test]
    fn a_tag_is_known_in_every_form() {
        let header = |value: &str| HeaderMap::from_iter([(IF_NONE_MATCH, value.parse().unwrap())]);
        for (value, is_known) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
        ] {
            assert_eq!(names(&header(value), &IF_NONE_MATCH, "\"a\""), is_known, "{value}");
        }
    }
}
