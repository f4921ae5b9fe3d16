// How much one end of a data channel keeps in memory.

export interface ChannelLimits {
  /** Frames that were sent or wait to be, and are not acknowledged. */
  unacknowledgedBytesMax: number;
  /** The same, in messages. */
  unacknowledgedMessagesMax: number;
  /** Messages that wait for an earlier one. */
  outOfOrderMessagesMax: number;
  /** Their payloads. */
  outOfOrderBytesMax: number;
  /** Messages in order that the application has not acknowledged. */
  unconsumedMessagesMax: number;
  /** Their payloads. */
  unconsumedBytesMax: number;
}

/** As those of the Rust client, for the same reasons: crates/protocol/src/channel.rs. */
export const DEFAULT_LIMITS: ChannelLimits = {
  unacknowledgedBytesMax: 2 * 1024 * 1024,
  unacknowledgedMessagesMax: 8192,
  outOfOrderMessagesMax: 16_384,
  outOfOrderBytesMax: 4 * 1024 * 1024,
  unconsumedMessagesMax: 16_384,
  unconsumedBytesMax: 16 * 1024 * 1024,
};
