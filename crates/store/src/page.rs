//! Reading a listing page by page, by key: rows that come or go meanwhile shift nothing.

/// Which part of a listing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<C> {
    /// Where the page before ended; `None` starts at the beginning.
    pub after: Option<C>,
    /// At most this many items.
    pub limit: u32,
}

impl<C> Page<C> {
    /// The first page.
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T, C> {
    /// The items, in the listing's order.
    pub items: Vec<T>,
    /// `after` of the next page, when there is more.
    pub next: Option<C>,
}
