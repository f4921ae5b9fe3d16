//! `postern nodes`.

use clap::Subcommand;
use postern_api::ssm::{
    DescribeInstanceInformationInput, DescribeInstanceInformationOutput, InstanceInformation,
    InstanceInformationStringFilter,
};

use crate::arguments::Global;
use crate::commands::{api, cell, print};
use crate::failure::Failure;

/// The most that one call gives.
const PAGE: i32 = 50;

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
}

fn parse_filter(text: &str) -> Result<InstanceInformationStringFilter, &'static str> {
    let (key, value) = text.split_once('=').ok_or("KEY=VALUE is needed")?;
    Ok(InstanceInformationStringFilter { key: key.to_owned(), values: vec![value.to_owned()] })
}

impl Nodes {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let Self::List(List { filters }) = self;
        let api = api(global).await?;
        let mut nodes: Vec<InstanceInformation> = Vec::new();
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
                break;
            }
        }
        let rows: Vec<_> = nodes.iter().map(row).collect();
        let all =
            DescribeInstanceInformationOutput { instance_information_list: Some(nodes), next_token: None };
        print(
            global.output,
            &all,
            ["NODE", "STATUS", "NAME", "COMPUTER", "PLATFORM", "AGENT", "LAST PING"],
            &rows,
        )?;
        Ok(())
    }
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
