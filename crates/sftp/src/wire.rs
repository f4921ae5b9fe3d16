//! Numbers and strings as SSH has them: big-endian, strings behind their length (RFC 4251, section 5).

/// Why bytes are not a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// It ends within this field.
    #[error("the packet ends within its {0}")]
    Short(&'static str),
    /// It goes on after its last field.
    #[error("the packet has {0} bytes too many")]
    Trailing(usize),
    /// No packet may be that long, or that short.
    #[error("a packet of {0} bytes is not SFTP")]
    Length(u32),
    /// A type that this side of the stream does not have.
    #[error("packet type {0} is not SFTP")]
    Type(u8),
}

/// Reads the fields of one packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], WireError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(WireError::Short(field))?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, WireError> {
        Ok(self.take::<1>(field)?[0])
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        Ok(u32::from_be_bytes(self.take(field)?))
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, WireError> {
        Ok(u64::from_be_bytes(self.take(field)?))
    }

    pub(crate) fn string(&mut self, field: &'static str) -> Result<&'a [u8], WireError> {
        let length = usize::try_from(self.u32(field)?).map_err(|_| WireError::Short(field))?;
        let (string, rest) = self.0.split_at_checked(length).ok_or(WireError::Short(field))?;
        self.0 = rest;
        Ok(string)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn end(self) -> Result<(), WireError> {
        if self.0.is_empty() { Ok(()) } else { Err(WireError::Trailing(self.0.len())) }
    }
}

/// Writes one packet behind what is in `out`; its length is filled in when the fields are known.
pub(crate) fn packet(out: &mut Vec<u8>, packet_type: u8, fields: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.push(packet_type);
    fields(out);
    let length = u32::try_from(out.len() - start - 4).expect("packets are built of limited parts");
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

pub(crate) fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub(crate) fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub(crate) fn put_string(out: &mut Vec<u8>, string: &[u8]) {
    put_u32(out, u32::try_from(string.len()).expect("strings are parts of limited packets"));
    out.extend_from_slice(string);
}
