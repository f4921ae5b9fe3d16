//! `DescribeInstanceInformation`: the nodes, and whether they are there.

use jiff::{SignedDuration, Timestamp};
use postern_api::ssm::{
    DescribeInstanceInformationInput, DescribeInstanceInformationOutput, InstanceInformation, PingStatus,
    ResourceType, SourceType, errors,
};
use postern_api::{ApiError, CommonError};
use postern_ids::NodeId;
use postern_store::{Node, NodeFilter, Page, PlatformType};

use crate::app::App;
use crate::page_token::Listing;
use crate::routes::call::Call;
use crate::routes::failure;

/// Source: AWS SSM API reference, `DescribeInstanceInformation`.
const RESULTS_DEFAULT: usize = 10;
/// Agents say every five minutes that they are there; AWS's words for one that did not.
const PING_FRESH: SignedDuration = SignedDuration::from_mins(5);
/// Rows read from the store at a time when some of them may not be shown.
const ROWS: u32 = 200;
/// Rows looked at for one page. A page may be short, and goes on with its token.
const ROWS_MAX: u32 = 10_000;

/// What was asked: conditions for the store, and those that only this process can tell.
#[derive(Debug, Default, PartialEq)]
struct Conditions {
    stored: Vec<NodeFilter>,
    ping: Option<Vec<PingStatus>>,
    /// A value that no node here can have.
    is_empty: bool,
}

pub(super) async fn describe_instance_information(
    call: Call<DescribeInstanceInformationInput>,
) -> Result<DescribeInstanceInformationOutput, ApiError> {
    let input = &call.input;
    let conditions = conditions(input)?;
    let _permit = call.authorize([call.check()]).await?;
    let listing = Listing::new(
        "DescribeInstanceInformation",
        &(&input.instance_information_filter_list, &input.filters),
    );
    let after: Option<NodeId> = call.page_after(&listing, input.next_token.as_deref())?;
    let limit = input.max_results.and_then(|count| usize::try_from(count).ok()).unwrap_or(RESULTS_DEFAULT);
    let (nodes, next) = find(&call.app, &conditions, after, limit, call.at).await?;
    Ok(DescribeInstanceInformationOutput {
        instance_information_list: Some(nodes),
        next_token: next.map(|cursor| call.app.page_tokens.seal(&listing, &cursor)),
    })
}

async fn find(
    app: &App,
    conditions: &Conditions,
    mut after: Option<NodeId>,
    limit: usize,
    now: Timestamp,
) -> Result<(Vec<InstanceInformation>, Option<NodeId>), ApiError> {
    let mut shown_nodes = Vec::new();
    if conditions.is_empty {
        return Ok((shown_nodes, None));
    }
    let rows = match conditions.ping {
        Some(_) => ROWS,
        None => u32::try_from(limit).unwrap_or(ROWS),
    };
    for _ in 0..ROWS_MAX / ROWS {
        let page = Page { after, limit: rows };
        let found = app.store.nodes(&conditions.stored, &page).await.map_err(failure::store)?;
        let mut items = found.items.into_iter();
        while let Some(node) = items.next() {
            let ping = ping_status(app, &node, now);
            if conditions.ping.as_ref().is_some_and(|wanted| !wanted.contains(&ping)) {
                continue;
            }
            let id = node.id.clone();
            shown_nodes.push(shown(node, ping));
            if shown_nodes.len() == limit {
                let has_more = items.len() > 0 || found.next.is_some();
                return Ok((shown_nodes, has_more.then_some(id)));
            }
        }
        match found.next {
            Some(next) => after = Some(next),
            None => return Ok((shown_nodes, None)),
        }
    }
    Ok((shown_nodes, after))
}

/// An open control channel counts; a container's agent has nothing else (node-control of AWS's agent).
fn ping_status(app: &App, node: &Node, now: Timestamp) -> PingStatus {
    let is_fresh = node.last_ping_at.is_some_and(|at| now.duration_since(at) < PING_FRESH);
    if app.gateway.presence(&node.id).is_some() || is_fresh {
        PingStatus::Online
    } else {
        PingStatus::ConnectionLost
    }
}

fn conditions(input: &DescribeInstanceInformationInput) -> Result<Conditions, ApiError> {
    let old = input.instance_information_filter_list.as_deref().unwrap_or_default();
    let new = input.filters.as_deref().unwrap_or_default();
    if !old.is_empty() && !new.is_empty() {
        return Err(invalid("Give either Filters or InstanceInformationFilterList, not both."));
    }
    let old = old.iter().map(|filter| (filter.key.as_str(), filter.value_set.as_slice()));
    let new = new.iter().map(|filter| (filter.key.as_str(), filter.values.as_slice()));
    let given: Vec<(&str, &[String])> = old.chain(new).collect();
    let is_tag = |key: &str| key == "tag-key" || key.starts_with("tag:");
    if given.iter().any(|(key, _)| is_tag(key)) && !given.iter().all(|(key, _)| is_tag(key)) {
        return Err(invalid("Tag filters cannot be given together with other filters."));
    }
    let mut conditions = Conditions::default();
    for (key, values) in given {
        conditions.add(key, values)?;
    }
    Ok(conditions)
}

impl Conditions {
    fn add(&mut self, key: &str, values: &[String]) -> Result<(), ApiError> {
        match key {
            "InstanceIds" => self.stored.push(NodeFilter::Ids(node_ids(values)?)),
            "PlatformTypes" => {
                self.stored.push(NodeFilter::PlatformTypes(parsed::<PlatformType>(key, values)?))
            }
            "AgentVersion" => self.stored.push(NodeFilter::AgentVersions(values.to_vec())),
            // What is no identifier matches nothing.
            "ActivationIds" => self.stored.push(NodeFilter::Activations(
                values.iter().filter_map(|value| value.parse().ok()).collect(),
            )),
            "IamRole" => {
                let names = values.iter().filter_map(|value| value.rsplit('/').next()?.parse().ok());
                self.stored.push(NodeFilter::Roles(names.collect()));
            }
            "PingStatus" => {
                let statuses = values.iter().map(|value| match PingStatus::from(value.as_str()) {
                    PingStatus::Unknown(_) => Err(invalid_value(key, value)),
                    status => Ok(status),
                });
                self.ping = Some(statuses.collect::<Result<_, _>>()?);
            }
            "ResourceType" => {
                self.is_empty |= !values.iter().any(|value| value == ResourceType::ManagedInstance.as_str());
            }
            // Nodes have no associations here.
            "AssociationStatus" => self.is_empty = true,
            "SourceType" => {
                self.is_empty |=
                    !values.iter().any(|value| value == SourceType::AwsSsmManagedInstance.as_str());
            }
            "SourceIds" => self.stored.push(NodeFilter::Ids(node_ids(values)?)),
            "tag-key" => self.stored.push(NodeFilter::TagKeys(values.to_vec())),
            _ => match key.strip_prefix("tag:") {
                Some(tag) if !tag.is_empty() => {
                    self.stored.push(NodeFilter::Tag { key: tag.to_owned(), values: values.to_vec() });
                }
                _ => {
                    let message = format!("The filter key {key:.64} is not valid.");
                    return Err(ApiError::new(errors::INVALID_FILTER_KEY, message));
                }
            },
        }
        Ok(())
    }
}

/// Nodes of EC2 have identifiers too, and are not here.
fn node_ids(values: &[String]) -> Result<Vec<NodeId>, ApiError> {
    let mut ids = Vec::new();
    for value in values {
        match value.parse() {
            Ok(id) => ids.push(id),
            Err(_) if value.starts_with("i-") => {}
            Err(_) => {
                let message = format!("{value:.64} is not an instance ID.");
                return Err(ApiError::new(errors::INVALID_INSTANCE_ID, message));
            }
        }
    }
    Ok(ids)
}

fn parsed<T: std::str::FromStr>(key: &str, values: &[String]) -> Result<Vec<T>, ApiError> {
    values.iter().map(|value| value.parse().map_err(|_| invalid_value(key, value))).collect()
}

fn invalid_value(key: &str, value: &str) -> ApiError {
    let message = format!("The value {value:.64} of the filter {key} is not valid.");
    ApiError::new(errors::INVALID_INSTANCE_INFORMATION_FILTER_VALUE, message)
}

fn invalid(message: &str) -> ApiError {
    ApiError::new(CommonError::Validation, message)
}

fn shown(node: Node, ping: PingStatus) -> InstanceInformation {
    let id = node.id.to_string();
    InstanceInformation {
        instance_id: Some(id.clone()),
        ping_status: Some(ping),
        last_ping_date_time: node.last_ping_at.map(Into::into),
        agent_version: node.info.agent_version,
        platform_type: node.info.platform_type.map(|platform| platform.as_str().into()),
        platform_name: node.info.platform_name,
        platform_version: node.info.platform_version,
        activation_id: node.activation_id.map(|activation| activation.to_string()),
        iam_role: Some(node.role.to_string()),
        registration_date: Some(node.registered_at.into()),
        resource_type: Some(ResourceType::ManagedInstance),
        name: node.name,
        ip_address: node.info.ip_address.map(Into::into),
        computer_name: node.info.computer_name,
        source_id: Some(id),
        source_type: Some(SourceType::AwsSsmManagedInstance),
        ..InstanceInformation::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use postern_api::ssm::InstanceInformationStringFilter;

    fn read(filters: &[(&str, &str)]) -> Result<Conditions, String> {
        let filters = filters.iter().map(|(key, value)| InstanceInformationStringFilter {
            key: (*key).to_owned(),
            values: vec![(*value).to_owned()],
        });
        let input = DescribeInstanceInformationInput {
            filters: Some(filters.collect()),
            ..DescribeInstanceInformationInput::default()
        };
        conditions(&input).map_err(|error| error.code.name().to_owned())
    }

    #[test]
    fn filters_are_read() {
        let ids = read(&[("InstanceIds", "mi-0123456789abcdef0")]).unwrap();
        assert_eq!(ids.stored, [NodeFilter::Ids(vec!["mi-0123456789abcdef0".parse().unwrap()])]);
        assert!(read(&[("ResourceType", "EC2Instance")]).unwrap().is_empty);
        assert!(!read(&[("ResourceType", "ManagedInstance")]).unwrap().is_empty);
        assert_eq!(read(&[("PingStatus", "Online")]).unwrap().ping, Some(vec![PingStatus::Online]));
    }

    #[test]
    fn filters_that_make_no_sense_are_refused() {
        for (filters, code) in [
            (vec![("Colour", "red")], "InvalidFilterKey"),
            (vec![("tag:", "x")], "InvalidFilterKey"),
            (vec![("PingStatus", "Asleep")], "InvalidInstanceInformationFilterValue"),
            (vec![("PlatformTypes", "BeOS")], "InvalidInstanceInformationFilterValue"),
            (vec![("InstanceIds", "web-1")], "InvalidInstanceId"),
            (vec![("tag:a", "b"), ("PingStatus", "Online")], "ValidationException"),
        ] {
            assert_eq!(read(&filters).unwrap_err(), code, "{filters:?}");
        }
    }
}
