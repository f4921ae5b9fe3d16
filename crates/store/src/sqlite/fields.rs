//! Columns of a row, read into types that cannot be wrong.

use std::str::FromStr;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::{BoxError, StoreError};

/// A row with what an error about it must name.
pub(super) struct Fields<'r> {
    row: &'r SqliteRow,
    table: &'static str,
    id: String,
}

impl<'r> Fields<'r> {
    /// `key` is the column that identifies the row.
    pub(super) fn new(row: &'r SqliteRow, table: &'static str, key: &str) -> Self {
        let id = row.try_get(key).unwrap_or_else(|_| "?".to_owned());
        Self { row, table, id }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// A column of a plain type.
    pub(super) fn get<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        self.row.try_get(column).map_err(|error| self.invalid(column, error))
    }

    /// A text column that is parsed.
    pub(super) fn parse<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: FromStr<Err: Into<BoxError>>,
    {
        self.get::<&str>(column)?.parse().map_err(|error| self.invalid(column, error))
    }

    /// A text column that is parsed unless it is NULL.
    pub(super) fn parse_option<T>(&self, column: &'static str) -> Result<Option<T>, StoreError>
    where
        T: FromStr<Err: Into<BoxError>>,
    {
        let text = self.get::<Option<&str>>(column)?;
        text.map(|text| text.parse().map_err(|error| self.invalid(column, error))).transpose()
    }

    /// A text column that holds JSON.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        serde_json::from_str(self.get(column)?).map_err(|error| self.invalid(column, error))
    }

    /// 32 bytes.
    pub(super) fn hash(&self, column: &'static str) -> Result<[u8; 32], StoreError> {
        self.get::<&[u8]>(column)?
            .try_into()
            .map_err(|error: std::array::TryFromSliceError| self.invalid(column, error))
    }

    /// A point in time.
    pub(super) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        Timestamp::from_microsecond(self.get(column)?).map_err(|error| self.invalid(column, error))
    }

    /// A point in time, or NULL.
    pub(super) fn time_option(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        let time = self.get::<Option<i64>>(column)?.map(Timestamp::from_microsecond);
        time.transpose().map_err(|error| self.invalid(column, error))
    }

    /// What is wrong with a column.
    pub(super) fn invalid(&self, column: &'static str, error: impl Into<BoxError>) -> StoreError {
        StoreError::InvalidRow { table: self.table, column, id: self.id.clone(), source: error.into() }
    }
}
