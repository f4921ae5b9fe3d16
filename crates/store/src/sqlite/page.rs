//! What the listings have in common.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};

use crate::{Paged, StoreError};

/// Adds a condition: `column` is one of `values`. No value matches nothing.
pub(super) fn one_of(
    query: &mut QueryBuilder<Sqlite>,
    column: &'static str,
    values: impl Iterator<Item = String>,
) {
    query.push(" AND ").push(column).push(" IN (");
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    query.push(")");
}

/// Makes a page of rows of which one more than `limit` was asked for, to learn whether there are more.
pub(super) fn paged<T, C>(
    rows: &[SqliteRow],
    limit: u32,
    cursor: impl Fn(&T) -> C,
) -> Result<Paged<T, C>, StoreError>
where
    T: for<'r> TryFrom<&'r SqliteRow, Error = StoreError>,
{
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let items = rows.iter().take(limit).map(T::try_from).collect::<Result<Vec<T>, _>>()?;
    let next = if rows.len() > limit { items.last().map(cursor) } else { None };
    Ok(Paged { items, next })
}
