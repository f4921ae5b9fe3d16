//! The failures that are storage's own, whatever the operation.

/// A cause of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Storage did not do its work; the caller did nothing wrong and can do nothing about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What is stored cannot be understood: damaged, or written by another version.
    #[error("table {table}, row {id}: column {column} cannot be understood")]
    InvalidRow {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The key of the row.
        id: String,
        /// What is wrong with it.
        source: BoxError,
    },
    /// The database refused or broke.
    #[error("the database failed to {action}")]
    Database {
        /// What was being done, as in "the database failed to …".
        action: &'static str,
        /// The database's own words.
        source: BoxError,
    },
    /// A secret could not be sealed, so it was not stored.
    #[error("could not seal column {column} of table {table}")]
    Seal {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
}
