//! The rules of the traits, as tests that every implementation passes.
//!
//! An implementation brings a function that gives two handles on one empty store, as two servers would have, and
//! calls [`suite!`] with it.

pub(crate) mod access_keys;
pub(crate) mod account;
pub(crate) mod activations;
pub(crate) mod authorization;
pub(crate) mod console;
pub(crate) mod documents;
pub(crate) mod groups;
pub(crate) mod held_policies;
pub(crate) mod identity_samples;
pub(crate) mod identity_tags;
pub(crate) mod instance_profiles;
pub(crate) mod kms;
pub(crate) mod managed_policies;
pub(crate) mod node_connections;
pub(crate) mod nodes;
pub(crate) mod objects;
pub(crate) mod oidc_providers;
pub(crate) mod passkeys;
pub(crate) mod roles;
pub(crate) mod samples;
pub(crate) mod session_logs;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod tags;
pub(crate) mod tokens;
pub(crate) mod trust_policies;
pub(crate) mod users;

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
            access_keys {
                an_access_key_belongs_to_a_user,
                a_user_has_two_access_keys,
                only_its_own_user_changes_a_key,
                a_keys_newest_use_counts,
            }
            account {
                guardrails_are_put_listed_and_deleted,
                identities_are_counted,
            }
            activations {
                an_activation_is_found_until_it_is_deleted,
                activations_are_listed_page_by_page_and_filtered,
            }
            authorization {
                a_users_policies_come_with_its_groups,
                a_roles_policies_are_its_own,
                every_change_moves_the_generation,
                uses_and_refusals_leave_the_generation,
                a_generation_says_what_was_read,
            }
            console {
                a_sign_in_is_found_by_its_secret_until_it_ends,
                a_half_done_sign_in_goes_on_once,
                sign_ins_are_listed_while_they_are_good,
                a_sign_in_that_was_revoked_is_trusted_no_longer,
                a_changed_or_taken_password_revokes_its_users_sign_ins,
                a_sign_in_takes_the_password_that_there_still_is,
                an_owners_oldest_sign_ins_are_forgotten,
            }
            documents {
                a_document_is_created_once,
                versions_are_added_chosen_and_deleted,
                a_version_that_makes_no_sense_changes_nothing,
                there_are_so_many_documents_and_versions,
                a_document_takes_its_tags_with_it,
            }
            groups {
                a_group_is_found_renamed_and_listed,
                users_come_and_go,
                a_user_belongs_to_ten_groups,
                a_group_that_has_something_is_not_deleted,
            }
            held_policies {
                inline_policies_are_put_and_deleted,
                inline_policies_have_a_common_limit,
                policies_are_attached_and_detached,
                ten_policies_are_attached,
                nobody_holds_nothing,
                who_uses_a_policy_is_known,
            }
            identity_tags {
                identities_are_tagged_and_untagged,
                users_and_roles_ignore_the_case_of_keys,
                fifty_tags_are_the_most,
            }
            instance_profiles {
                a_profile_is_created_and_listed,
                a_profile_holds_one_role,
            }
            kms {
                a_key_is_found_described_and_listed,
                a_backing_key_is_added_and_the_older_ones_stay,
                a_key_goes_through_its_states,
                keys_are_due_in_their_time,
                an_alias_stands_for_one_key,
                a_key_is_tagged_and_untagged,
                key_policies_follow_whom_they_name,
            }
            managed_policies {
                a_policy_begins_with_its_first_version,
                versions_are_numbered_on_and_five_are_kept,
                the_default_version_stays,
                a_policy_in_use_is_not_deleted,
                policies_are_listed_by_path_and_use,
            }
            node_connections {
                of_a_node_that_is_gone_nothing_is_known,
                what_was_said_last_of_a_node_counts,
            }
            nodes {
                a_node_takes_after_its_activation,
                an_unusable_activation_registers_nobody,
                never_more_nodes_register_than_allowed,
                a_key_belongs_to_one_node,
                a_key_is_replaced_at_once,
                a_node_is_given_another_role,
                a_ping_changes_only_what_it_says,
                nodes_are_listed_page_by_page,
                nodes_are_filtered,
                a_deregistered_node_leaves_only_its_sessions,
            }
            objects {
                a_bucket_is_made_once_and_removed_empty,
                an_object_takes_the_place_of_another,
                objects_are_listed_in_the_order_of_bytes,
                a_precondition_is_about_what_is_there,
                what_is_retained_stays,
                an_upload_becomes_an_object_or_nothing,
            }
            oidc_providers {
                a_provider_is_found_by_its_issuer,
            }
            passkeys {
                a_passkey_is_found_renamed_and_removed,
                passkeys_count_as_mfa_devices,
                a_password_alone_does_not_pass_by_a_passkey,
                a_challenge_is_answered_once,
                a_passkey_signs_in_while_all_it_rests_on_is_there,
            }
            roles {
                a_role_is_created_with_all_that_it_says,
                a_role_changes_only_as_told,
                a_roles_newest_use_counts,
                a_role_that_has_something_is_not_deleted,
            }
            session_logs {
                a_log_is_found_and_forgotten,
                a_log_is_claimed_once_when_it_is_due,
                a_log_goes_on_fails_and_ends,
            }
            sessions {
                a_session_is_found_as_it_was_created,
                a_session_needs_a_node,
                a_session_goes_through_its_states,
                the_first_end_wins,
                past_sessions_are_shown_for_thirty_days,
                sessions_are_listed_newest_first_page_by_page,
                sessions_are_filtered,
                the_claims_to_live_sessions_come_with_their_nodes_tags,
                an_encrypted_session_is_remembered_until_it_is_forgotten,
                connections_of_a_session_are_remembered_until_they_are_forgotten,
            }
            settings {
                the_last_setting_counts,
                secret_settings_have_their_own_names,
            }
            sign_in {
                a_password_is_given_changed_and_taken,
                an_mfa_device_is_enabled_for_one_user,
                a_code_is_accepted_once,
                a_clock_is_found_ahead_or_behind_and_no_code_works_twice,
                mfa_devices_are_listed,
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
            trust_policies {
                they_name_only_whom_there_is,
                they_follow_whom_they_name_and_forget_who_is_gone,
                deleting_and_trusting_do_not_cross,
            }
            users {
                a_user_is_created_with_all_that_it_says,
                a_user_is_created_whole_or_not_at_all,
                users_are_listed_by_path_and_page,
                a_renamed_user_keeps_everything,
                a_user_that_has_something_is_not_deleted,
                deleting_and_giving_do_not_cross,
                boundaries_and_revocation_are_for_users_and_roles,
                names_that_end_at_a_hyphen_are_confused,
            }
        }
    };
}
pub(crate) use suite;
