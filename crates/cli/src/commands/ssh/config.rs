//! `postern ssh-config`.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use postern_api::ssm::InstanceInformation;

use super::proxy::proxy_command;
use crate::arguments::Global;
use crate::commands::api;
use crate::commands::nodes::nodes;
use crate::failure::Failure;

/// Print what makes ssh, scp, rsync, sftp, VS Code and Ansible reach nodes, for ~/.ssh/config.
///
/// Nodes are known there by their IDs, and by the names that their administrator gave them, if these are one node's alone:
///
///     postern ssh-config > ~/.ssh/postern
///     echo 'Include postern' | cat - ~/.ssh/config > new && mv new ~/.ssh/config
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct SshConfig {
    /// The user to log in as
    #[arg(long, value_name = "NAME", value_parser = word)]
    user: Option<String>,
}

impl SshConfig {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let api = api(global).await?;
        let nodes = nodes(&api, Vec::new()).await?;
        let proxy = proxy_command(global, "%h", None)?;
        let text = config(&nodes, &proxy, self.user.as_deref());
        io::stdout().lock().write_all(text.as_bytes())?;
        Ok(())
    }
}

fn config(nodes: &[InstanceInformation], proxy: &str, user: Option<&str>) -> String {
    let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in nodes {
        if let (Some(id), Some(name)) = (&node.instance_id, &node.name) {
            by_name.entry(name).or_default().push(id);
        }
    }
    let mut text = "# Made by `postern ssh-config`.\n".to_owned();
    for (name, ids) in &by_name {
        match ids.as_slice() {
            [id] if is_word(name) => {
                text.push_str(&format!("Host {name}\n  HostName {id}\n  HostKeyAlias {id}\n"));
                push_common(&mut text, proxy, user);
            }
            // A name that ssh would take for a pattern or for several is left out.
            [_] | [] => {}
            several => {
                text.push_str(&format!("# {} nodes have one name: {}\n", several.len(), several.join(", ")))
            }
        }
    }
    text.push_str("Host mi-* i-*\n");
    push_common(&mut text, proxy, user);
    text
}

fn push_common(text: &mut String, proxy: &str, user: Option<&str>) {
    if let Some(user) = user {
        text.push_str(&format!("  User {user}\n"));
    }
    text.push_str(&format!("  ProxyCommand {proxy}\n"));
}

/// Whether ssh's configuration takes it for one word, and no pattern.
fn is_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_plain)
}

fn word(text: &str) -> Result<String, &'static str> {
    if is_word(text) { Ok(text.to_owned()) } else { Err("letters, digits, `-`, `_` and `.` are possible") }
}

#[cfg(test)]
mod tests {
    use super::super::node::tests::node;
    use super::*;

    #[test]
    fn nodes_have_their_ids_and_the_names_that_are_theirs_alone() {
        let nodes = [
            node("mi-1", Some("web")),
            node("mi-2", Some("twin")),
            node("mi-3", Some("twin")),
            node("mi-4", None),
            node("mi-5", Some("*\nProxyCommand evil")),
        ];
        insta::assert_snapshot!(config(&nodes, "postern ssh-proxy %h %p", Some("admin")), @r"
        # Made by `postern ssh-config`.
        # 2 nodes have one name: mi-2, mi-3
        Host web
          HostName mi-1
          HostKeyAlias mi-1
          User admin
          ProxyCommand postern ssh-proxy %h %p
        Host mi-* i-*
          User admin
          ProxyCommand postern ssh-proxy %h %p
        ");
    }
}
