//! What puts a new device's seed into an authenticator app: its text, and a picture of it.

use std::io;

use postern_ids::{AccountId, MfaSerial};
use qrcode::{Color, EcLevel, QrCode};

/// Pixels of a module, and modules of white around the code, as ISO/IEC 18004 demands.
const MODULE_PIXELS: usize = 6;
const QUIET_MODULES: usize = 4;
/// RFC 4648, section 6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(super) enum PictureError {
    /// The text is too long for a code.
    #[error("the text does not fit into a QR code")]
    Code(#[from] qrcode::types::QrError),
    /// The picture cannot be written.
    #[error("the picture cannot be written")]
    Png(#[from] png::EncodingError),
}

/// Base32 without padding. Seeds have a multiple of five bytes, so that there is none.
pub(super) fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(char::from(BASE32[(bits >> count) as usize & 31]));
        }
    }
    if count > 0 {
        text.push(char::from(BASE32[(bits << (5 - count)) as usize & 31]));
    }
    text
}

/// A PNG of the QR code that authenticator apps read: `otpauth://totp/<device>@<account>?secret=<seed>`.
///
/// Source of the text: "VirtualMFADevice", IAM API Reference.
pub(super) fn picture(serial: &MfaSerial, account: &AccountId, seed: &str) -> Result<Vec<u8>, PictureError> {
    let device = serial.as_str().rsplit('/').next().unwrap_or_default();
    let uri = format!("otpauth://totp/{device}@{account}?secret={seed}&issuer=Postern");
    let code = QrCode::with_error_correction_level(uri, EcLevel::M)?;
    let modules = code.width() + 2 * QUIET_MODULES;
    let is_dark = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(QUIET_MODULES).filter(|at| *at < code.width());
        matches!((inside(x), inside(y)), (Some(x), Some(y)) if code[(x, y)] == Color::Dark)
    };
    let side = modules * MODULE_PIXELS;
    let mut pixels = Vec::with_capacity(side * side);
    for y in 0..side {
        pixels.extend((0..side).map(|x| if is_dark(x / MODULE_PIXELS, y / MODULE_PIXELS) { 0 } else { 255 }));
    }
    Ok(png_of(side, &pixels)?)
}

fn png_of(side: usize, pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let side = u32::try_from(side).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648, section 10, without padding.
    #[test]
    fn base32_is_that_of_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn the_picture_is_a_png_of_a_code() {
        let account = "111122223333".parse().unwrap();
        let serial = "arn:aws:iam::111122223333:mfa/team/phone".parse().unwrap();
        let bytes = picture(&serial, &account, &"A".repeat(64)).unwrap();
        let mut reader = png::Decoder::new(io::Cursor::new(&bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.width, info.height);
        let side = info.width as usize;
        let quiet = QUIET_MODULES * MODULE_PIXELS;
        assert!(pixels[..side * quiet].iter().all(|pixel| *pixel == 255), "white around");
        // The finder pattern in the corner: seven dark modules in a row.
        let row = &pixels[side * quiet..side * (quiet + 1)];
        assert!(row[quiet..quiet + 7 * MODULE_PIXELS].iter().all(|pixel| *pixel == 0));
        assert_eq!(row[quiet + 7 * MODULE_PIXELS], 255);
    }
}
