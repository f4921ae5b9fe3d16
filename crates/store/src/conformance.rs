//! The rules of the traits, as tests that every implementation passes.
//!
//! An implementation brings a function that gives two handles on one empty store, as two servers would have, and
//! calls [`suite!`] with it.

pub(crate) mod activations;
pub(crate) mod identities;
pub(crate) mod nodes;
pub(crate) mod samples;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod tags;
pub(crate) mod tokens;

/// Makes a test of every rule. `$open` is an async function whose value has two stores, `a` and `b`.
macro_rules! suite {
    ($open:ident: $($module:ident { $($rule:ident),+ $(,)? })+) => {
        $(mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    let stores = super::$open().await;
                    crate::conformance::$module::$rule(&stores.a, &stores.b).await;
                }
            )+
        })+
    };
    ($open:ident) => {
        crate::conformance::suite! { $open:
            activations {
                an_activation_is_found_until_it_is_deleted,
                activations_are_listed_page_by_page_and_filtered,
            }
            identities {
                users_and_roles_are_found_by_name,
                an_access_key_belongs_to_a_user,
            }
            nodes {
                a_node_takes_after_its_activation,
                an_unusable_activation_registers_nobody,
                never_more_nodes_register_than_allowed,
                a_key_belongs_to_one_node,
                a_key_is_replaced_at_once,
                a_ping_changes_only_what_it_says,
                nodes_are_listed_page_by_page,
                nodes_are_filtered,
                a_deregistered_node_leaves_only_its_sessions,
            }
            sessions {
                a_session_is_found_as_it_was_created,
                a_session_needs_a_node,
                a_session_goes_through_its_states,
                the_first_end_wins,
                past_sessions_are_shown_for_thirty_days,
                sessions_are_listed_newest_first_page_by_page,
                sessions_are_filtered,
            }
            settings {
                the_last_setting_counts,
                secret_settings_have_their_own_names,
            }
            tags {
                tags_are_merged_by_key,
                too_many_tags_change_nothing,
                an_unknown_node_gets_no_tags,
            }
            tokens {
                a_token_opens_its_channel_once,
                one_of_many_redeemers_wins,
                a_token_expires,
                an_ended_session_has_no_tokens,
                a_gone_node_has_no_tokens,
            }
        }
    };
}
pub(crate) use suite;
