//! Nodes by the name that an administrator gave them.

use postern_api::ssm::InstanceInformation;
use postern_client::Api;

use crate::commands::nodes::nodes;
use crate::failure::Failure;

/// Why a name is no node's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum NameError {
    #[error("no node has the name {0:?}")]
    None(String),
    #[error("{} nodes have the name {name:?}: {}", .ids.len(), .ids.join(", "))]
    Several { name: String, ids: Vec<String> },
}

/// The ID of the node that `host` is the ID or the name of.
pub(in crate::commands) async fn find(api: &Api, host: &str) -> Result<String, Failure> {
    if is_id(host) {
        return Ok(host.to_owned());
    }
    let nodes = nodes(api, Vec::new()).await?;
    by_name(&nodes, host).map_err(|error| {
        let hint = match error {
            NameError::None(_) => {
                "`postern nodes list` shows the names; what a node calls itself is none of them"
            }
            NameError::Several { .. } => "say which by its ID",
        };
        Failure::new(error).with_hint(hint)
    })
}

fn is_id(host: &str) -> bool {
    let is_hexadecimal = |rest: &str| rest.len() >= 8 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    ["mi-", "i-"].iter().any(|prefix| host.strip_prefix(prefix).is_some_and(is_hexadecimal))
}

fn by_name(nodes: &[InstanceInformation], name: &str) -> Result<String, NameError> {
    // Not by the computer's name: that one is the node's own word, which could lure users of another.
    let named: Vec<String> = nodes
        .iter()
        .filter(|node| node.name.as_deref() == Some(name))
        .filter_map(|node| node.instance_id.clone())
        .collect();
    match named.as_slice() {
        [] => Err(NameError::None(name.to_owned())),
        [id] => Ok(id.clone()),
        _ => Err(NameError::Several { name: name.to_owned(), ids: named }),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn node(id: &str, name: Option<&str>) -> InstanceInformation {
        InstanceInformation {
            instance_id: Some(id.to_owned()),
            name: name.map(ToOwned::to_owned),
            ..InstanceInformation::default()
        }
    }

    #[test]
    fn a_name_is_one_nodes_or_nobodys() {
        let nodes = [
            node("mi-1", Some("web")),
            node("mi-2", Some("twin")),
            node("mi-3", Some("twin")),
            InstanceInformation { computer_name: Some("db".to_owned()), ..node("mi-4", None) },
        ];
        assert_eq!(by_name(&nodes, "web"), Ok("mi-1".to_owned()));
        assert_eq!(by_name(&nodes, "db"), Err(NameError::None("db".to_owned())));
        assert_eq!(
            by_name(&nodes, "twin").unwrap_err().to_string(),
            r#"2 nodes have the name "twin": mi-2, mi-3"#
        );
    }

    #[test]
    fn ids_are_known_without_asking() {
        assert!(is_id("mi-0123456789abcdef0") && is_id("i-01234567"));
        assert!(!is_id("mi-web") && !is_id("web") && !is_id("mi-012"));
    }
}
