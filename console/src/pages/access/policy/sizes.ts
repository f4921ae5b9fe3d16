/** How many characters documents may have, white space not counted. Source: "IAM and STS quotas" in the IAM User Guide, and docs/identities.md. */
export const CHARACTERS_MAX = {
  managed: 6_144,
  trust: 4_096,
  /** Of all inline policies together. */
  inline: { user: 2_048, group: 5_120, role: 10_240 },
} as const;
