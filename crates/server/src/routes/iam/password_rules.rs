//! What a password must be like: IAM's default password policy, which an account cannot change here.
//!
//! Source: "Set an account password policy for IAM users", IAM User Guide, default password policy.

use postern_api::ApiError;
use postern_api::iam::errors::PASSWORD_POLICY_VIOLATION_EXCEPTION;

/// The shortest.
const CHARS_MIN: usize = 8;
/// Of small letters, capitals, digits and other characters, so many kinds at least.
const KINDS_MIN: usize = 3;

/// Refuses a password that is easily guessed. The text never quotes it.
pub(crate) fn check(password: &str, user_name: &str, account: &str) -> Result<(), ApiError> {
    let refuse = |message: &str| Err(ApiError::new(PASSWORD_POLICY_VIOLATION_EXCEPTION, message));
    if password.chars().count() < CHARS_MIN {
        return refuse("Password should have a minimum length of 8");
    }
    if kinds(password) < KINDS_MIN {
        return refuse(
            "Password should have at least three of the following: uppercase letters, lowercase letters, numbers, \
             and other characters",
        );
    }
    if password.eq_ignore_ascii_case(user_name) || password == account {
        return refuse("Password should not be the user's or the account's name");
    }
    Ok(())
}

fn kinds(password: &str) -> usize {
    let kinds: [fn(char) -> bool; 4] =
        [char::is_lowercase, char::is_uppercase, |c| c.is_ascii_digit(), |c| !c.is_alphanumeric()];
    kinds.iter().filter(|is_of_kind| password.chars().any(is_of_kind)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_simple_and_obvious_passwords_are_refused() {
        for good in ["Correct1", "correct horse 1", "ÄäÖöÜü--", "Tr0ub4dor&3"] {
            assert!(check(good, "alice", "111122223333").is_ok(), "{good}");
        }
        for wrong in ["", "Sh0rt!!", "alllowercase", "lowercase1", "ALICE-2026", "alice-2026"] {
            assert!(check(wrong, "alice-2026", "111122223333").is_err(), "{wrong}");
        }
    }
}
