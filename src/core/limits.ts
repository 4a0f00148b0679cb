// Every bound in dsync, with its unit last in the name and the reason beside it.

const KIB = 1024;
const MIB = 1024 * KIB;

// Paths and entries.
/** Linux's PATH_MAX; longer ones cannot be opened anywhere. */
export const PATH_BYTES_MAX = 4096;
/** Linux's longest symlink target. */
export const SYMLINK_TARGET_BYTES_MAX = 4096;
/** A friendly name: fits a terminal line and a DNS label. */
export const NAME_BYTES_MAX = 63;
/** Replicas that ever touched one path; more is an attack or a mistake. */
export const VECTOR_ITEMS_MAX = 1024;
/** Counters are ms since 1970 or a little ahead; 2^52 leaves room for `+ 1` in a double. */
export const COUNTER_MAX = 2 ** 52;
/** Stamps follow the same scale as counters. */
export const STAMP_MS_MAX = 2 ** 52;
/** The largest file: what a double counts exactly. */
export const FILE_SIZE_BYTES_MAX = Number.MAX_SAFE_INTEGER;

// Chunks (part of the protocol version).
export const CHUNK_SIZE_BYTES_MIN = 128 * KIB;
export const CHUNK_SIZE_BYTES_AVERAGE = 256 * KIB;
export const CHUNK_SIZE_BYTES_MAX = 1 * MIB;
/** Files up to this size travel inside their announcement. */
export const INLINE_CONTENT_BYTES_MAX = 64 * KIB;

// Records, frames and messages.
/** Plaintext of one record: large enough to make the cipher's set-up cheap, small enough to bound memory. */
export const RECORD_PLAINTEXT_BYTES_MAX = 256 * KIB;
/** A whole message after reassembly: a manifest of a 64 GiB file, or a batch of entries. */
export const MESSAGE_BYTES_MAX = 16 * MIB;
/** Entries in one message. */
export const ENTRIES_PER_MESSAGE_MAX = 1024;
/** Items in one content request. */
export const FETCH_ITEMS_MAX = 1024;
/** Bytes that one content request may ask for. */
export const FETCH_BYTES_MAX = 8 * MIB;
/** Requests that a peer may have open on one data channel before we stop reading it. */
export const FETCHES_PER_CHANNEL_MAX = 8;

// Handshakes and sessions.
/** A handshake that takes longer is dropped. */
export const HANDSHAKE_MS_MAX = 10_000;
/** Unfinished handshakes at once, from one address and in total. */
export const HANDSHAKES_PER_ADDRESS_MAX = 16;
export const HANDSHAKES_MAX = 256;
/** Sessions at once: every peer of a large office. */
export const SESSIONS_MAX = 256;
/** Data channels per peer, whatever `--max-concurrent-transfers` of the other side says. */
export const DATA_CHANNELS_MAX = 64;
