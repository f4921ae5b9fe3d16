//! Virtual MFA devices: authenticator apps that share a seed with the server.

use jiff::Timestamp;
use postern_api::iam::errors::INVALID_AUTHENTICATION_CODE_EXCEPTION;
use postern_api::iam::{
    self, AssignmentStatusType, CreateVirtualMFADeviceInput, CreateVirtualMFADeviceOutput,
    DeactivateMFADeviceInput, DeactivateMFADeviceOutput, DeleteVirtualMFADeviceInput,
    DeleteVirtualMFADeviceOutput, EnableMFADeviceInput, EnableMFADeviceOutput, ListMFADevicesInput,
    ListMFADevicesOutput, ListVirtualMFADevicesInput, ListVirtualMFADevicesOutput, ResyncMFADeviceInput,
    ResyncMFADeviceOutput,
};
use postern_api::{ApiError, Blob, Request, Secret};
use postern_ids::{Arn, MfaSerial};
use postern_store::{Entity, MfaCounter, MfaDevice, MfaFilter, NewMfaDevice, Passkey, User};

use super::marker::Asked;
use super::mfa_enrolment::{base32, picture};
use super::named::Named;
use super::{refusal, shown_time, tags, users};
use crate::auth::totp::find_two_codes;
use crate::routes::call::Call;
use crate::routes::failure;

/// Bytes of a seed, which has 64 letters as AWS's do; RFC 4226 demands 16 at least.
const SEED_BYTES: usize = 40;

/// The device of this serial number.
pub(super) async fn named<T: Request>(call: &Call<T>, serial: &str) -> Result<Named<MfaDevice>, ApiError> {
    let unknown = || Err(refusal::no_such_entity(format!("MFADevice {serial} cannot be found.")));
    // Serial numbers of devices that one can hold in a hand are no ARNs, and no devices here.
    let Ok(arn) = serial.parse::<Arn>() else { return Ok(Named::new(call.check(), unknown())) };
    let Ok(serial) = serial.parse::<MfaSerial>() else {
        return Ok(Named::new(call.check().on(arn), unknown()));
    };
    let found = call.app.store.mfa_device(&serial).await.map_err(failure::store)?;
    Ok(match found {
        Some(device) => {
            // Devices are found in whatever case they are named; policies are asked about the one that there is.
            let arn = users::parsed(device.serial.as_str())?;
            Named::new(call.check().on(arn).with_iam_tags(&device.tags), Ok(device))
        }
        None => Named::new(call.check().on(arn), Err(refusal::not_found(&Entity::MfaDevice(serial)))),
    })
}

/// The answer holds the seed, which is never told again.
pub(super) async fn create_virtual_mfa_device(
    call: Call<CreateVirtualMFADeviceInput>,
) -> Result<CreateVirtualMFADeviceOutput, ApiError> {
    let path = users::path(call.input.path.as_deref())?;
    let name = &call.input.virtual_mfa_device_name;
    let serial = MfaSerial::virtual_device(&call.app.account, &path, name)
        .map_err(|error| refusal::validation(error.to_string()))?;
    let tags = tags::checked(call.input.tags.as_deref())?;
    let arn: Arn = users::parsed(serial.as_str())?;
    let _permit = call.authorize([call.check().on(arn).with_request_tags(&tags)]).await?;
    let seed = postern_store::Secret::new(call.app.random.bytes::<SEED_BYTES>().to_vec());
    let text = base32(seed.expose_secret());
    let picture = picture(&serial, &call.app.account, &text).map_err(|error| failure::internal(&error))?;
    let device = NewMfaDevice { serial, seed, created_at: call.at, tags };
    call.app.store.create_mfa_device(&device).await.map_err(refusal::identity)?;
    Ok(CreateVirtualMFADeviceOutput {
        virtual_mfa_device: iam::VirtualMfaDevice {
            serial_number: device.serial.into(),
            base32_string_seed: Some(Blob(text.into_bytes())),
            qr_code_png: Some(Blob(picture)),
            user: None,
            enable_date: None,
            tags: tags::shown_if_any(device.tags),
        },
    })
}

/// Where the device's clock stands, if the two codes are its codes and follow each other.
async fn proved<T>(
    call: &Call<T>,
    serial: &MfaSerial,
    first: &Secret,
    second: &Secret,
) -> Result<MfaCounter, ApiError> {
    let seed = call.app.store.mfa_seed(serial).await.map_err(failure::store)?;
    let seed = seed.ok_or_else(|| refusal::not_found(&Entity::MfaDevice(serial.clone())))?;
    find_two_codes(seed.expose_secret(), first.expose_secret(), second.expose_secret(), call.at)
        .ok_or_else(invalid_code)
}

fn invalid_code() -> ApiError {
    ApiError::new(INVALID_AUTHENTICATION_CODE_EXCEPTION, "Authentication code for device is not valid.")
}

/// The device as IAM finds it for an operation on its user.
fn serial_of(text: &str) -> Result<MfaSerial, ApiError> {
    text.parse().map_err(|_| refusal::no_such_entity(format!("MFADevice {text} cannot be found.")))
}

pub(super) async fn enable_mfa_device(
    call: Call<EnableMFADeviceInput>,
) -> Result<EnableMFADeviceOutput, ApiError> {
    let input = &call.input;
    let (user, _permit) = users::named(&call, &input.user_name).await?.permitted(&call).await?;
    let serial = serial_of(&input.serial_number)?;
    let counter = proved(&call, &serial, &input.authentication_code1, &input.authentication_code2).await?;
    let store = &call.app.store;
    // A device that was somebody's before keeps its counter, so that codes it has shown stay used.
    let known = store.mfa_device(&serial).await.map_err(failure::store)?.and_then(|device| device.counter);
    if known.is_some_and(|known| counter.last <= known.last) {
        return Err(invalid_code());
    }
    store.enable_mfa_device(&user.name, &serial, counter, call.at).await.map_err(refusal::identity)?;
    Ok(EnableMFADeviceOutput {})
}

pub(super) async fn resync_mfa_device(
    call: Call<ResyncMFADeviceInput>,
) -> Result<ResyncMFADeviceOutput, ApiError> {
    let input = &call.input;
    let (user, _permit) = users::named(&call, &input.user_name).await?.permitted(&call).await?;
    let serial = serial_of(&input.serial_number)?;
    let store = &call.app.store;
    let device = store.mfa_device(&serial).await.map_err(failure::store)?;
    if device.and_then(|device| device.user).as_ref() != Some(&user.name) {
        return Err(refusal::not_found(&Entity::MfaDevice(serial)));
    }
    let counter = proved(&call, &serial, &input.authentication_code1, &input.authentication_code2).await?;
    if !store.realign_mfa_device(&user.name, &serial, counter).await.map_err(failure::store)? {
        return Err(invalid_code());
    }
    Ok(ResyncMFADeviceOutput {})
}

pub(super) async fn deactivate_mfa_device(
    call: Call<DeactivateMFADeviceInput>,
) -> Result<DeactivateMFADeviceOutput, ApiError> {
    let named = users::named_or_own(&call, call.input.user_name.as_deref()).await?;
    let (user, _permit) = named.permitted(&call).await?;
    let serial = serial_of(&call.input.serial_number)?;
    if let Some(passkey) = passkey_of(&call, &user, &serial).await? {
        let is_removed =
            call.app.store.delete_passkey(&user.id, &passkey.id).await.map_err(failure::store)?;
        let gone = || refusal::not_found(&Entity::MfaDevice(serial));
        return is_removed.then_some(DeactivateMFADeviceOutput {}).ok_or_else(gone);
    }
    call.app.store.deactivate_mfa_device(&user.name, &serial).await.map_err(refusal::identity)?;
    Ok(DeactivateMFADeviceOutput {})
}

/// The user's passkey of this serial number. Deactivating one removes it, as with AWS's security keys.
async fn passkey_of<T>(call: &Call<T>, user: &User, serial: &MfaSerial) -> Result<Option<Passkey>, ApiError> {
    let passkeys = call.app.store.passkeys_of_user(&user.id).await.map_err(failure::store)?;
    let is_meant = |passkey: &Passkey| {
        MfaSerial::passkey(&call.app.account, &user.name, &passkey.id)
            .is_ok_and(|own| own.as_str().eq_ignore_ascii_case(serial.as_str()))
    };
    Ok(passkeys.into_iter().find(is_meant))
}

/// The serial numbers of what a user proves to be there with, and since when.
async fn of_user<T>(call: &Call<T>, user: &User) -> Result<Vec<(MfaSerial, Timestamp)>, ApiError> {
    let devices = call.app.store.mfa_devices_of_user(&user.name).await.map_err(refusal::identity)?;
    let mut all: Vec<_> = devices
        .into_iter()
        .map(|device| (device.serial, device.enabled_at.unwrap_or(device.created_at)))
        .collect();
    for passkey in call.app.store.passkeys_of_user(&user.id).await.map_err(failure::store)? {
        let serial = MfaSerial::passkey(&call.app.account, &user.name, &passkey.id);
        all.push((serial.map_err(|error| failure::internal(&error))?, passkey.created_at));
    }
    all.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
    Ok(all)
}

pub(super) async fn list_mfa_devices(
    call: Call<ListMFADevicesInput>,
) -> Result<ListMFADevicesOutput, ApiError> {
    let named = users::named_or_own(&call, call.input.user_name.as_deref()).await?;
    let (user, _permit) = named.permitted(&call).await?;
    let asked = Asked::new(&call, &user.id, call.input.marker.as_deref(), call.input.max_items)?;
    let (found, next) = asked.cut(of_user(&call, &user).await?, |(serial, _)| serial.to_string());
    let rest = asked.rest(&call, next);
    let shown = found.into_iter().map(|(serial, since)| iam::MfaDevice {
        user_name: user.name.to_string(),
        serial_number: serial.into(),
        enable_date: shown_time(since),
    });
    Ok(ListMFADevicesOutput {
        mfa_devices: shown.collect(),
        is_truncated: rest.is_truncated,
        marker: rest.marker,
    })
}

pub(super) async fn list_virtual_mfa_devices(
    call: Call<ListVirtualMFADevicesInput>,
) -> Result<ListVirtualMFADevicesOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let status = call.input.assignment_status.clone().unwrap_or(AssignmentStatusType::Any);
    let filter = match status {
        AssignmentStatusType::Assigned => MfaFilter::Assigned,
        AssignmentStatusType::Unassigned => MfaFilter::Unassigned,
        AssignmentStatusType::Any | AssignmentStatusType::Unknown(_) => MfaFilter::Any,
    };
    let asked = Asked::new(&call, &status, call.input.marker.as_deref(), call.input.max_items)?;
    let found = call.app.store.mfa_devices(filter, &asked.page).await.map_err(failure::store)?;
    let rest = asked.rest(&call, found.next);
    let mut devices = Vec::with_capacity(found.items.len());
    for device in found.items {
        devices.push(listed(&call, device).await?);
    }
    Ok(ListVirtualMFADevicesOutput {
        virtual_mfa_devices: devices,
        is_truncated: rest.is_truncated,
        marker: rest.marker,
    })
}

/// As listings show it: with its user, without tags and seed.
async fn listed<T>(call: &Call<T>, device: MfaDevice) -> Result<iam::VirtualMfaDevice, ApiError> {
    let user = match &device.user {
        Some(name) => call.app.store.user(name).await.map_err(failure::store)?,
        None => None,
    };
    Ok(iam::VirtualMfaDevice {
        serial_number: device.serial.into(),
        base32_string_seed: None,
        qr_code_png: None,
        user: user.map(|user| users::listed(&call.app.account, user)),
        enable_date: device.enabled_at.map(shown_time),
        tags: None,
    })
}

pub(super) async fn delete_virtual_mfa_device(
    call: Call<DeleteVirtualMFADeviceInput>,
) -> Result<DeleteVirtualMFADeviceOutput, ApiError> {
    let (device, _permit) = named(&call, &call.input.serial_number).await?.permitted(&call).await?;
    call.app.store.delete_mfa_device(&device.serial).await.map_err(refusal::identity)?;
    Ok(DeleteVirtualMFADeviceOutput {})
}
