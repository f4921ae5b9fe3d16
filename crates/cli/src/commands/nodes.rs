//! `postern nodes`.

use std::collections::HashMap;

use clap::Subcommand;
use postern_api::postern::{DescribeNodeConnectionsInput, NodeConnection};
use postern_api::ssm::{
    DescribeInstanceInformationInput, DescribeInstanceInformationOutput, InstanceInformation,
    InstanceInformationStringFilter,
};

use postern_client::Api;
use serde::Serialize;

use crate::arguments::Global;
use crate::commands::{api, cell, print};
use crate::failure::Failure;

/// The most that one call gives.
const PAGE: i32 = 50;
/// The most nodes whose connections one call gives.
const CONNECTIONS_PAGE: usize = 200;

#[derive(Debug, Subcommand)]
pub(crate) enum Nodes {
    /// List managed nodes and whether they are online
    List(List),
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only nodes with this value: PingStatus=Online, PlatformTypes=Linux, tag:env=prod; several count together
    #[arg(long = "filter", value_name = "KEY=VALUE", value_parser = parse_filter)]
    filters: Vec<InstanceInformationStringFilter>,
    /// Also show how each node's connection stands, since when, and why the last one closed
    #[arg(long)]
    long: bool,
}

/// What is printed as JSON with `--long`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described<'a> {
    #[serde(flatten)]
    nodes: &'a DescribeInstanceInformationOutput,
    node_connections: &'a [NodeConnection],
}

fn parse_filter(text: &str) -> Result<InstanceInformationStringFilter, &'static str> {
    let (key, value) = text.split_once('=').ok_or("KEY=VALUE is needed")?;
    Ok(InstanceInformationStringFilter { key: key.to_owned(), values: vec![value.to_owned()] })
}

impl Nodes {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let Self::List(List { filters, long }) = self;
        let api = api(global).await?;
        let nodes = nodes(&api, filters).await?;
        let connections = if long { connections(&api, &nodes).await? } else { Vec::new() };
        let rows: Vec<_> = nodes.iter().map(row).collect();
        let all =
            DescribeInstanceInformationOutput { instance_information_list: Some(nodes), next_token: None };
        if !long {
            print(global.output, &all, HEADER, &rows)?;
            return Ok(());
        }
        let rows = with_connections(rows, &connections);
        let [node, status, name, computer, platform, agent, ping] = HEADER;
        let header = [
            node,
            status,
            name,
            computer,
            platform,
            agent,
            ping,
            "CONNECTION",
            "SINCE",
            "LAST CLOSE",
            "CLOSED AT",
            "TRIES EVERY",
        ];
        print(global.output, &Described { nodes: &all, node_connections: &connections }, header, &rows)?;
        Ok(())
    }
}

const HEADER: [&str; 7] = ["NODE", "STATUS", "NAME", "COMPUTER", "PLATFORM", "AGENT", "LAST PING"];

/// All nodes that `filters` let through.
pub(crate) async fn nodes(
    api: &Api,
    filters: Vec<InstanceInformationStringFilter>,
) -> Result<Vec<InstanceInformation>, Failure> {
    let mut nodes = Vec::new();
    let mut request = DescribeInstanceInformationInput {
        instance_information_filter_list: None,
        filters: (!filters.is_empty()).then_some(filters),
        max_results: Some(PAGE),
        next_token: None,
    };
    loop {
        let page = api.call(&request).await?;
        nodes.extend(page.instance_information_list.unwrap_or_default());
        request.next_token = page.next_token.filter(|token| !token.is_empty());
        if request.next_token.is_none() {
            return Ok(nodes);
        }
    }
}

async fn connections(api: &Api, nodes: &[InstanceInformation]) -> Result<Vec<NodeConnection>, Failure> {
    let mut connections = Vec::new();
    let ids: Vec<String> = nodes.iter().filter_map(|node| node.instance_id.clone()).collect();
    for ids in ids.chunks(CONNECTIONS_PAGE) {
        let request = DescribeNodeConnectionsInput {
            nodes: Some(ids.to_vec()),
            max_results: i32::try_from(ids.len()).ok(),
            next_token: None,
        };
        connections.extend(api.call(&request).await?.node_connections.unwrap_or_default());
    }
    Ok(connections)
}

fn with_connections(rows: Vec<[String; 7]>, connections: &[NodeConnection]) -> Vec<[String; 12]> {
    let known: HashMap<&str, &NodeConnection> =
        connections.iter().filter_map(|each| Some((each.node.as_deref()?, each))).collect();
    let row = |row: [String; 7]| {
        let connection = known.get(row[0].as_str());
        let close = connection.and_then(|known| known.last_close.as_ref());
        let pause = connection.and_then(|known| known.retry_pause_max_seconds);
        let [node, status, name, computer, platform, agent, ping] = row;
        [
            node,
            status,
            name,
            computer,
            platform,
            agent,
            ping,
            cell(connection.and_then(|known| known.status.as_ref())),
            cell(connection.and_then(|known| known.since.as_ref())),
            cell(close.and_then(|close| close.reason.as_ref())),
            cell(close.and_then(|close| close.at.as_ref())),
            pause.map(|seconds| format!("{seconds} s")).unwrap_or_default(),
        ]
    };
    rows.into_iter().map(row).collect()
}

fn row(node: &InstanceInformation) -> [String; 7] {
    let platform = [node.platform_name.as_deref(), node.platform_version.as_deref()];
    [
        cell(node.instance_id.as_ref()),
        cell(node.ping_status.as_ref()),
        cell(node.name.as_ref()),
        cell(node.computer_name.as_ref()),
        platform.into_iter().flatten().collect::<Vec<_>>().join(" "),
        cell(node.agent_version.as_ref()),
        cell(node.last_ping_date_time.as_ref()),
    ]
}
