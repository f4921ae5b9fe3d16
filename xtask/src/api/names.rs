//! AWS's names as Rust spells them.

/// `TokenValue` → `token_value`, `IPAddress` → `ip_address`, escaped if it is a keyword.
pub(crate) fn field(name: &str) -> String {
    let snake = join(&words(name), "_", str::to_lowercase);
    match snake.as_str() {
        "type" | "match" | "use" | "move" | "ref" | "enum" => format!("r#{snake}"),
        _ => snake,
    }
}

/// `AWS::EC2::Instance` → `AwsEc2Instance`, `notconnected` → `Notconnected`; `SELF` → `Self_`, since the word is taken.
pub(crate) fn variant(name: &str) -> String {
    match join(&words(name), "", capitalized) {
        taken if taken == "Self" => "Self_".to_owned(),
        variant => variant,
    }
}

/// `TargetNotConnected` → `TARGET_NOT_CONNECTED`.
pub(crate) fn constant(name: &str) -> String {
    join(&words(name), "_", str::to_uppercase)
}

/// A shape's name as a type.
pub(crate) fn r#type(name: &str) -> String {
    variant(name)
}

/// A field's name as serde's `rename_all = "PascalCase"` makes it again.
pub(crate) fn serde_pascal(field: &str) -> String {
    join(&field.trim_start_matches("r#").split('_').collect::<Vec<_>>(), "", capitalized)
}

fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + &characters.as_str().to_lowercase()
    })
}

fn join(words: &[&str], separator: &str, spell: impl Fn(&str) -> String) -> String {
    words.iter().map(|word| spell(word)).collect::<Vec<_>>().join(separator)
}

/// Splits at anything that is not a letter or digit, before a capital that follows a small letter or a digit, and
/// before the last of several capitals when a small letter follows it.
fn words(name: &str) -> Vec<&str> {
    let bytes = name.as_bytes();
    let mut words = Vec::new();
    let mut start = 0;
    for at in 1..=bytes.len() {
        let ends = match bytes.get(at) {
            None => true,
            Some(next) if !next.is_ascii_alphanumeric() || !bytes[at - 1].is_ascii_alphanumeric() => true,
            Some(next) if next.is_ascii_uppercase() => {
                !bytes[at - 1].is_ascii_uppercase() || bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase)
            }
            Some(_) => false,
        };
        if ends {
            if bytes[start].is_ascii_alphanumeric() {
                words.push(&name[start..at]);
            }
            start = at;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let cases = [
            ("TokenValue", "token_value", "TokenValue", "TOKEN_VALUE"),
            ("IPAddress", "ip_address", "IpAddress", "IP_ADDRESS"),
            (
                "SSMConnectionChannel",
                "ssm_connection_channel",
                "SsmConnectionChannel",
                "SSM_CONNECTION_CHANNEL",
            ),
            ("S3OutputUrl", "s3_output_url", "S3OutputUrl", "S3_OUTPUT_URL"),
            ("OutputS3Region", "output_s3_region", "OutputS3Region", "OUTPUT_S3_REGION"),
            ("Type", "r#type", "Type", "TYPE"),
            ("AWS::EC2::Instance", "aws_ec2_instance", "AwsEc2Instance", "AWS_EC2_INSTANCE"),
            ("SELF", "self", "Self_", "SELF"),
            ("NOT_REVIEWED", "not_reviewed", "NotReviewed", "NOT_REVIEWED"),
            ("notconnected", "notconnected", "Notconnected", "NOTCONNECTED"),
            ("DocumentARN", "document_arn", "DocumentArn", "DOCUMENT_ARN"),
        ];
        for (name, field_name, variant_name, constant_name) in cases {
            assert_eq!(field(name), field_name);
            assert_eq!(variant(name), variant_name);
            assert_eq!(constant(name), constant_name);
        }
    }
}
