//! What sessions are started on, as callers name it.

use postern_api::{ApiError, Request};
use postern_ids::{Arn, NodeId};

use crate::auth::Check;
use crate::routes::call::Call;

/// The operation on what `target` names: a node with its tags, or an instance or task of AWS's, which policies may
/// name and which are never here. `None`: it is nothing that has a resource name.
pub(super) async fn check<T: Request>(call: &Call<T>, target: &str) -> Result<Option<Check>, ApiError> {
    if let Ok(node) = target.parse::<NodeId>() {
        return Ok(Some(call.check_tagged_node(&node).await?));
    }
    let (region, account) = (&call.app.region, &call.app.account);
    let Some(resource) = foreign_resource(target) else { return Ok(None) };
    let service = if resource.starts_with("task/") { "ecs" } else { "ec2" };
    let arn = format!("arn:aws:{service}:{region}:{account}:{resource}").parse::<Arn>();
    Ok(arn.ok().map(|arn| call.check().on(arn)))
}

/// Source of the forms: AWS SSM API reference, `StartSession`, `Target`, and `ecs execute-command`.
fn foreign_resource(target: &str) -> Option<String> {
    if let Some(digits) = target.strip_prefix("i-") {
        let is_instance = matches!(digits.len(), 8 | 17) && digits.bytes().all(|b| b.is_ascii_hexdigit());
        return is_instance.then(|| format!("instance/{target}"));
    }
    let mut parts = target.strip_prefix("ecs:")?.splitn(3, '_');
    let (cluster, task, _runtime) = (parts.next()?, parts.next()?, parts.next()?);
    let is_name =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (is_name(cluster) && is_name(task)).then(|| format!("task/{cluster}/{task}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_and_tasks_of_aws_have_resource_names() {
        for (target, expected) in [
            ("i-0123456789abcdef0", Some("instance/i-0123456789abcdef0")),
            ("i-01234567", Some("instance/i-01234567")),
            ("ecs:web_0123abcd_0123abcd-1", Some("task/web/0123abcd")),
            ("i-*", None),
            ("ecs:*_x_y", None),
            ("ecs:web", None),
            ("web-1", None),
        ] {
            assert_eq!(foreign_resource(target).as_deref(), expected, "{target}");
        }
    }
}
