//! A request as the wire carries it, borrowed from whatever HTTP library holds it.

/// A header: its name in any case, and its value.
pub type Header<'a> = (&'a str, &'a [u8]);

/// The parts of a request that a signature covers.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method, upper-case.
    pub method: &'a str,
    /// The path as sent, percent-encoding untouched; empty means `/`.
    pub path: &'a str,
    /// The query as sent, without `?`; empty when there is none.
    pub query: &'a str,
    /// Every header in the order sent. With HTTP/2 the caller adds `host` from `:authority`.
    pub headers: &'a [Header<'a>],
}

impl<'a> Request<'a> {
    /// The values of the header `name` (lower-case), in the order sent.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    /// Whether the header `name` (lower-case) was sent.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// The one value of the header `name`: `None` when it was not sent, `Err` when it was sent twice or is not
    /// printable ASCII.
    pub(crate) fn single(&self, name: &str) -> Result<Option<&'a str>, NotSingle> {
        let mut values = self.values(name);
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() || !value.iter().all(|b| matches!(b, b' '..=b'~' | b'\t')) {
            return Err(NotSingle);
        }
        std::str::from_utf8(value).map(|text| Some(text.trim())).map_err(|_| NotSingle)
    }
}

/// A header that may be sent once was repeated or is not text.
#[derive(Debug)]
pub(crate) struct NotSingle;
