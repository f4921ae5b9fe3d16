//! How long a document may let sessions be idle, and last.

/// The most that a document may say; `None` is any number, and then `"0"` is no limit at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimits {
    /// For `idleSessionTimeout`, in minutes.
    pub idle_minutes_max: Option<u32>,
    /// For `maxSessionDuration`, in minutes.
    pub duration_minutes_max: Option<u32>,
}

impl TimeLimits {
    /// Source: "Session document schema" of the AWS Systems Manager User Guide.
    pub const AWS: Self = Self { idle_minutes_max: Some(60), duration_minutes_max: Some(1440) };
    /// Who receives a document leaves the limits to who sent it.
    pub const NONE: Self = Self { idle_minutes_max: None, duration_minutes_max: None };
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self::AWS
    }
}
