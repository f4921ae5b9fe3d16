//! Rows of MFA devices.

use postern_ids::MfaSerial;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{Fields, SqliteStore, count_of, find_id};
use crate::seal::Place;
use crate::{Entity, IdentityError, MfaCounter, MfaDevice, Quota, StoreError};

/// Reads devices, without their seeds, with their tags and users.
macro_rules! select_devices {
    ($rest:literal) => {
        concat!(
            "SELECT serial, created_at, enabled_at, last_counter, drift_steps,
                 (SELECT name FROM users WHERE id = user_id) AS user_name, ",
            tags_of!("serial"),
            " FROM mfa_devices ",
            $rest
        )
    };
}
pub(super) use select_devices;

/// Counts what a user proves to be there with besides the password: passkeys are MFA devices, too.
pub(super) const MFA_DEVICES: &str = "SELECT (SELECT count(*) FROM mfa_devices WHERE user_id = ?1)
     + (SELECT count(*) FROM passkeys WHERE user_id = ?1)";

impl SqliteStore {
    /// Refuses more devices than a user may have. Whoever asks has written already: the error rolls it back.
    pub(in crate::sqlite) async fn check_mfa_devices(
        &self,
        connection: &mut SqliteConnection,
        user_id: &str,
    ) -> Result<(), IdentityError> {
        self.within(Quota::MfaDevicesPerUser, count_of(connection, MFA_DEVICES, user_id).await?)
    }
}

/// The serial number as the row spells it.
pub(super) async fn require(
    connection: &mut SqliteConnection,
    serial: &MfaSerial,
) -> Result<String, IdentityError> {
    let sql = "SELECT serial FROM mfa_devices WHERE serial = ?";
    find_id(connection, sql, serial.as_str(), || Entity::MfaDevice(serial.clone())).await
}

/// Where a device's seed is sealed for.
pub(super) fn seed_place(serial: &str) -> Place<'_> {
    Place { table: "mfa_devices", column: "seed_sealed", id: serial }
}

/// A counter as SQLite keeps it. Steps of 30 s since 1970 do not come near the limit.
pub(super) fn stored(counter: u64) -> i64 {
    i64::try_from(counter).unwrap_or(i64::MAX)
}

impl TryFrom<&SqliteRow> for MfaDevice {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "mfa_devices", "serial");
        let counter = match fields.get::<Option<i64>>("last_counter")? {
            Some(last) => Some(MfaCounter {
                last: last
                    .try_into()
                    .map_err(|error: std::num::TryFromIntError| fields.invalid("last_counter", error))?,
                drift_steps: fields.get("drift_steps")?,
            }),
            None => None,
        };
        Ok(Self {
            serial: fields.parse("serial")?,
            created_at: fields.time("created_at")?,
            user: fields.parse_option("user_name")?,
            enabled_at: fields.time_option("enabled_at")?,
            counter,
            tags: fields.json("tags")?,
        })
    }
}
