//! Which forward goes to which node.

use std::path::absolute as absolute_path;

use postern_client::Api;

use super::words::{Destination, Forward, Kind, Place, Wanted};
use crate::commands::ssh::node;
use crate::failure::Failure;

/// What is wrong with what was asked for; all of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub(super) struct PlanError(pub(super) Vec<String>);

/// Nodes, each with what goes to it. The first is where a forward goes that names none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan(pub(super) Vec<(String, Vec<Forward>)>);

/// Reads all forwards.
pub(super) fn read<'a>(words: impl Iterator<Item = (Kind, &'a str)>) -> Result<Vec<Wanted>, PlanError> {
    let (mut wanted, mut wrong) = (Vec::new(), Vec::new());
    for (kind, text) in words {
        match Wanted::parse(kind, text) {
            Ok(read) => wanted.push(read),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    if wrong.is_empty() { Ok(wanted) } else { Err(PlanError(wrong)) }
}

/// With paths of this machine from the root, so that they mean the same to another process.
pub(super) fn absolute(mut wanted: Wanted) -> Wanted {
    match &mut wanted.forward {
        Forward::Local { listen: Place::Socket(path), .. } => {
            if let Ok(absolute) = absolute_path(&*path) {
                *path = absolute;
            }
        }
        Forward::Remote { to: Destination::Socket(path), .. } => {
            if let Some(absolute) =
                absolute_path(&*path).ok().and_then(|path| path.into_os_string().into_string().ok())
            {
                *path = absolute;
            }
        }
        Forward::Local { .. } | Forward::Remote { .. } | Forward::Dynamic { .. } | Forward::Udp { .. } => {}
    }
    wanted
}

impl Plan {
    /// Joins nodes and forwards. A node without any forward can have some later, if somebody `can_add` them.
    pub(super) fn of(nodes: &[String], wanted: Vec<Wanted>, can_add: bool) -> Result<Self, PlanError> {
        let mut plan = Self(Vec::new());
        for node in nodes {
            plan.add(node, []);
        }
        let Some(first) =
            nodes.first().cloned().or_else(|| wanted.iter().find_map(|wanted| wanted.node.clone()))
        else {
            return Err(PlanError(vec![
                "no node is named: postern forward NODE -L [BIND:]PORT:HOST:PORT".to_owned(),
            ]));
        };
        let mut wrong = Vec::new();
        for Wanted { node, forward } in wanted {
            if node.is_none() && nodes.is_empty() {
                wrong.push(format!("no node is named for {forward}"));
            }
            plan.add(node.as_deref().unwrap_or(&first), [forward]);
        }
        if !can_add {
            let idle = plan.0.iter().filter(|(_, forwards)| forwards.is_empty());
            wrong.extend(idle.map(|(node, _)| {
                format!("nothing is forwarded to {node}; -L, -R, -D and -U say what, or --control that it comes later")
            }));
        }
        if wrong.is_empty() { Ok(plan) } else { Err(PlanError(wrong)) }
    }

    /// With IDs of nodes in the place of their names.
    pub(super) async fn found(self, api: &Api) -> Result<Self, Failure> {
        let mut found = Self(Vec::new());
        for (name, forwards) in self.0 {
            let id = node::find(api, &name).await?;
            found.add(&id, forwards);
        }
        Ok(found)
    }

    fn add(&mut self, node: &str, forwards: impl IntoIterator<Item = Forward>) {
        match self.0.iter_mut().find(|(known, _)| known == node) {
            Some((_, known)) => known.extend(forwards),
            None => self.0.push((node.to_owned(), forwards.into_iter().collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(texts: &[&str]) -> Vec<Wanted> {
        read(texts.iter().map(|text| (Kind::Dynamic, *text))).unwrap()
    }

    fn plan(nodes: &[&str], texts: &[&str], can_add: bool) -> Result<Vec<(String, usize)>, String> {
        let nodes: Vec<String> = nodes.iter().map(|node| (*node).to_owned()).collect();
        let plan = Plan::of(&nodes, wanted(texts), can_add).map_err(|error| error.to_string())?;
        Ok(plan.0.into_iter().map(|(node, forwards)| (node, forwards.len())).collect())
    }

    #[test]
    fn forwards_go_to_the_first_node_or_to_the_one_they_name() {
        for (nodes, texts, expected) in [
            (&["a"][..], &["1080", "1081"][..], &[("a", 2)][..]),
            (&["a", "b"], &["1080", "b/1081"], &[("a", 1), ("b", 1)]),
            (&["a"], &["1080", "c/1081"], &[("a", 1), ("c", 1)]),
            (&[], &["c/1081", "d/1082"], &[("c", 1), ("d", 1)]),
        ] {
            let expected: Vec<(String, usize)> =
                expected.iter().map(|(node, count)| ((*node).to_owned(), *count)).collect();
            assert_eq!(plan(nodes, texts, false), Ok(expected));
        }
        assert_eq!(plan(&["a"], &[], true), Ok(vec![("a".to_owned(), 0)]));
    }

    #[test]
    fn what_is_missing_is_told() {
        for (nodes, texts, expected) in [
            (&[][..], &[][..], "no node is named"),
            (&[], &["c/1081", "1082"], "no node is named for -D 127.0.0.1:1082"),
            (&["a"], &[], "nothing is forwarded to a"),
            (&["a", "b"], &["1080"], "nothing is forwarded to b"),
        ] {
            let error = plan(nodes, texts, false).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let words = [(Kind::Local, "x"), (Kind::Dynamic, "1080"), (Kind::Udp, "53:/s")];
        let error = read(words.into_iter()).unwrap_err().to_string();
        assert_eq!(error.lines().count(), 2, "{error}");
    }
}
