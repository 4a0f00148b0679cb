// Every bound in dsync, with its unit last in the name and the reason beside it.

const KIB = 1024;
const MIB = 1024 * KIB;

// Paths and entries.
/** Linux's PATH_MAX; longer ones cannot be opened anywhere. */
export const PATH_BYTES_MAX = 4096;
/** One component of a path: what every common file system takes. */
export const FILE_NAME_BYTES_MAX = 255;
/** Linux's longest symlink target. */
export const SYMLINK_TARGET_BYTES_MAX = 4096;
/** A friendly name: fits a terminal line and a DNS label. */
export const NAME_BYTES_MAX = 63;
/** Replicas that ever touched one path; more is an attack or a mistake, and those with the smallest counters are forgotten. */
export const VECTOR_ITEMS_MAX = 1024;
/** Counters are ms since 1970 or a little ahead; 2^52 leaves room for `+ 1` in a double. */
export const COUNTER_MAX = 2 ** 52;
/** Stamps follow the same scale as counters. */
export const STAMP_MS_MAX = 2 ** 52;
/** The largest file: what a double counts exactly. */
export const FILE_SIZE_BYTES_MAX = Number.MAX_SAFE_INTEGER;

/** A conflict copy is numbered 2, 3, … up to this; then numbers are spread, so that many copies of one name stay cheap. */
export const CONFLICT_NUMBER_COUNTED_MAX = 4;

// Chunks (part of the protocol version).
export const CHUNK_SIZE_BYTES_MIN = 128 * KIB;
export const CHUNK_SIZE_BYTES_AVERAGE = 256 * KIB;
export const CHUNK_SIZE_BYTES_MAX = 1 * MIB;
/** Files up to this size travel inside their announcement. */
export const INLINE_CONTENT_BYTES_MAX = 64 * KIB;

/** One chunk in an encoded manifest: its hash (32 bytes) and its length (u32). */
export const MANIFEST_ITEM_BYTES = 36;
/** Of one file: some 512 GiB of ordinary content, and 600 MB of memory for whoever fetches it. */
export const MANIFEST_CHUNKS_MAX = 2 ** 21;

// Records, frames and messages.
/** Plaintext of one record: large enough to make the cipher's set-up cheap, small enough to bound memory. */
export const RECORD_PLAINTEXT_BYTES_MAX = 256 * KIB;
/** Records sealed with one key. No channel gets near it; it is what makes a repeated nonce impossible, not unlikely. */
export const RECORDS_PER_KEY_MAX = 2 ** 48;
/** The text in a close record: one line for a log. */
export const CLOSE_DETAIL_BYTES_MAX = 256;
/** Sealed bytes that wait to be written before a channel calls itself congested: keeps the kernel busy, bounds memory. */
export const SEND_QUEUE_BYTES_MAX = 1 * MIB;
/** Memory that a frame's length alone may reserve: one chunk with its header. The rest is reserved as content arrives. */
export const FRAME_RESERVE_BYTES_MAX = CHUNK_SIZE_BYTES_MAX + 64;
/** A whole message after reassembly: a part of a manifest, or a batch of entries. */
export const MESSAGE_BYTES_MAX = 16 * MIB;
/** Chunks of a manifest in one message. */
export const MANIFEST_PART_CHUNKS_MAX = 2 ** 17;
export const MANIFEST_PART_BYTES_MAX = MANIFEST_ITEM_BYTES * MANIFEST_PART_CHUNKS_MAX;
/** Entries in one message. */
export const ENTRIES_PER_MESSAGE_MAX = 1024;
/** Entries that one `summary` or `want` may name: those of one bucket, of 65,536, of a folder with a billion files. */
export const BUCKET_ENTRIES_MAX = 16_384;
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
/** Sessions that one address may have dialled: many instances behind one address, and yet room for all others. */
export const SESSIONS_PER_ADDRESS_MAX = 32;
/** Data channels per peer, whatever `--max-concurrent-transfers` of the other side says. */
export const DATA_CHANNELS_MAX = 64;
/** Data channels of one peer that are being opened at once: well below what its per-address limit allows. */
export const DATA_CHANNELS_OPENING_MAX = 4;
/** Handshakes that one address may fail or leave unfinished in a row; one more is allowed every so many ms. */
export const HANDSHAKE_TOKENS_MAX = 32;
export const HANDSHAKE_TOKEN_MS = 2_000;
/**
 * The same for all strangers together, whose addresses cost nothing: those that have nothing failed or unfinished, and
 * the others. An address that has finished one is no stranger. A handshake is 2 to 3 ms of work: a fifth of a core.
 */
export const STRANGERS_TOKENS_MAX = 256;
export const NEW_STRANGERS_TOKEN_MS = 20;
export const KNOWN_STRANGERS_TOKEN_MS = 40;
/** Addresses whose failed handshakes are remembered: a few hundred KiB at most. */
export const LIMITED_ADDRESSES_MAX = 4_096;
/** After the handshake, the hello comes at once; whoever says nothing is dropped after this. */
export const HELLO_MS_MAX = 5_000;
/** A TCP connection on a LAN stands within milliseconds: the first round over a peer's addresses gives up on one quickly. */
export const FIRST_DIAL_MS_MAX = 1_000;
/** Later rounds are patient, for addresses asked for by name behind a slow path. */
export const DIAL_MS_MAX = 5_000;
/** Addresses that discovery and the user may give: more is a flood. */
export const DIAL_TARGETS_MAX = 1_024;
/** Dials under way at once; the others wait their turn. */
export const DIALS_MAX = 64;
/** How long the larger peer ID waits before it dials a discovered peer: the other's dial would win anyway. */
export const YIELD_DIAL_MS = 150;
/** Waits between dials: the first is random up to this, */
export const FIRST_REDIAL_MS_MAX = 100;
/** the next ones random up to this, doubling each time, */
export const REDIAL_MS_MIN = 250;
/** up to this. */
export const REDIAL_MS_MAX = 30_000;
/** A session (or data channel) that lived this long was a success: waits start afresh. */
export const STABLE_MS_MIN = 5_000;
/** A peer with another share, version or identity than expected is not dialled again for this long. */
export const REFUSED_MS = 30_000;
/** Refused peers that are remembered, so that each is reported once. */
export const REFUSED_PEERS_MAX = 1_024;
/** Refusals of one kind are reported once in this time, with their number. */
export const REFUSAL_REPORT_MS = 60_000;
/** Refused peers that are named in this time; a peer that is another one each time is then a flood like any other. */
export const REFUSED_PEERS_NAMED_MAX = 16;
/** Refusals that the status lists: the last few say why somebody is missing. */
export const REFUSED_LISTED_MAX = 16;
/** Peers that are remembered as having been here, so that each is called new once: 64 bytes each. */
export const ACQUAINTANCES_MAX = 4_096;
/** How often a control channel is looked at; a check counts as silent if nothing arrived since the one before. */
export const KEEP_ALIVE_CHECK_MS = 5_000;
/** Every so many silent checks a ping is sent (10 s). */
export const KEEP_ALIVE_PING_CHECKS = 2;
/** After so many silent checks the peer is gone (30 s). */
export const KEEP_ALIVE_CHECKS_MAX = 6;
/** A session that is in doubt must be heard from within this. */
export const PROBE_MS_MAX = 3_000;
/** A close that the other side does not take in this time is cut short; stopping takes no longer. */
export const CLOSE_MS_MAX = 1_000;
/** What `--rate-limit` lets through at once after a pause: this long a time's worth, but one chunk in any case. */
export const RATE_BURST_MS = 250;
export const RATE_BURST_BYTES_MIN = 256 * KIB;
/** Ports tried after the default one is taken. */
export const PORTS_TRIED_MAX = 100;

/** Decoded records that are kept at hand: those of a few batches on their way, some megabytes. */
export const RECENT_RECORDS_MAX = 16_384;
/** Characters of their paths together: eight times what so many paths of 120 have, and a bound for those of 4,096. */
export const RECENT_PATHS_LENGTH_MAX = 16 * MIB;

// Transfers.
/** Bytes asked for from one peer and not yet on disk: 8 ms of a 10 Gbit/s line, and a bound on memory. */
export const WINDOW_BYTES_PER_PEER = 10 * MIB;
/** The same from all peers together. */
export const WINDOW_BYTES_MAX = 4 * WINDOW_BYTES_PER_PEER;
/** What a small file counts in addition: its record is at hand from when it is asked for until it is in place. */
export const WINDOW_BYTES_PER_SMALL_FILE = 8 * KIB;
/** Bytes of one content request: large enough to make its round trip cheap, small enough to share the window. */
export const REQUEST_BYTES = 2 * MIB;
/** Small files in one content request. */
export const REQUEST_ITEMS = 256;
/** Files of several chunks that are put together at once; more would only compete for the same line. */
export const LARGE_FETCHES_MAX = 4;
/** A peer that was asked for content and sends nothing at all for so long, not even for others' requests: disks that sleep wake up sooner. */
export const ANSWER_SILENCE_MS_MAX = 10_000;
/** The same, if somebody else may have what it was asked for, who is asked then. */
export const ANSWER_PATIENCE_MS = 2_500;
/** Content still to come from which on several instances share the work of getting it: below, it is there before they have agreed. */
export const SHARED_FETCH_BYTES_MIN = 8 * MIB;
/** How long a chunk that another instance should get is waited for, beyond half the time that the own share took. */
export const SHARED_FETCH_PATIENCE_MS = 250;
/** Silence of an instance that was asked for a chunk it said it has got: then somebody else is asked. */
export const SHARED_FETCH_STALLED_MS = 2_000;
/** Contents that one peer may say it fetches: more than any does at once. */
export const FETCHING_CONTENTS_MAX = 64;
/** Chunks named in one `have` message. */
export const HAVE_CHUNKS_MAX = 4_096;
/** Paths that wait in memory to be brought up to date; the rest waits in the index. */
export const PULL_QUEUE_PATHS_MAX = 50_000;
/** Operations in one `apply` job: short enough that an urgent one does not wait long. */
export const APPLY_OPERATIONS_MAX = 128;
/** Entries and inline content in one announcement message, roughly. */
export const ANNOUNCEMENT_BYTES = 256 * KIB;
/** Directories that a peer is remembered to know, so that it is not told of them with everything in them. */
export const TOLD_DIRECTORIES_MAX = 65_536;
/** Content that waits to be announced with its entry, for one peer; what does not fit the peer fetches. */
export const OUTBOX_INLINE_BYTES_MAX = 4 * MIB;
/** A comparison in which nothing happens for so long holds up nothing any more. */
export const COMPARING_SILENT_MS_MAX = 10_000;
/** Nor does one that takes longer: that of some million files takes a few minutes. */
export const COMPARING_MS_MAX = 600_000;
/** Questions of one peer that wait for their answers: above this it is not read, as long as it takes answers. */
export const QUESTION_BYTES_MAX = 1 * MIB;
/** The same while it does not take answers: an honest peer that is busy itself gets nowhere near it. */
export const QUESTION_BYTES_CLOGGED_MAX = 16 * MIB;
/** What a question takes beside its fields, roughly. */
export const QUESTION_OVERHEAD_BYTES = 256;
/** A peer's questions are answered for so long at a time: meanwhile nothing else is done. */
export const ANSWER_SLICE_MS = 20;
/** Bytes that one `read` job reads, so that sending starts early. */
export const READ_JOB_BYTES = 2 * MIB;
/** A problem with a path is tried again after this, and then after longer and longer. */
export const RETRY_DELAY_MS_MIN = 1_000;
export const RETRY_DELAY_MS_MAX = 60_000;
/** Versions that gave way to others of the same content and are remembered; then all are forgotten. */
export const SAME_VERSIONS_MAX = 4096;
/** Versions that were replaced on this disk and are remembered, in case that a conflict copy of one turns up: a burst of saves. 24 bytes each. */
export const SUPERSEDED_VERSIONS_MAX = 10_000;
/** How often a halted transfer looks whether there is room on the disk again. */
export const DISK_FULL_POLL_MS = 2_000;
/** Nothing put in place for so long: what was is made durable now. Long against a save, short against what a reboot takes. */
export const CHECKPOINT_QUIET_MS = 3_000;
/** The same after more than one job's worth: by then the system has written them by itself (Linux: 30 s), and asking costs
 * 0.4 ms a file instead of 3 (measured on ext4). */
export const CHECKPOINT_MANY_QUIET_MS = 36_000;
/** The longest wait while things go on, so that they are not slowed down: what is marked then is read in a minute or two. */
export const CHECKPOINT_DELAY_MS_MAX = 600_000;
/** Content after which it is not put off any longer: what a start after a power loss has to read, some seconds' worth. */
export const CHECKPOINT_BYTES = 4096 * MIB;
/** Paths made durable by one job. */
export const CHECKPOINT_PATHS = 256;
/** After so many looks it tries again in any case: a quota does not show. */
export const DISK_FULL_POLLS_MAX = 30;
/** Contents that staging may hold for nobody, remembered until it is quiet; others stay until the next start. */
export const LEFT_STAGED_MAX = 4_096;

// Discovery.
/** One mDNS datagram, sent or read: an Ethernet frame. Decoding can cost the square of the size (measured: 0.3 ms for this, 0.7 s for 64 KB). */
export const MDNS_DATAGRAM_BYTES_MAX = 1500;
/** Services in one datagram: an honest instance announces one. */
export const SERVICES_PER_DATAGRAM_MAX = 16;
/** Addresses of one service on one network, so that its announcement fits a datagram. */
export const SERVICE_ADDRESSES_MAX = 8;
/** Addresses to dial for one discovered peer, over all interfaces. */
export const PEER_CANDIDATES_MAX = 16;
/** Discovered peers at once: as many as there may be sessions. A flood of others is ignored until some expire. */
export const DISCOVERED_PEERS_MAX = SESSIONS_MAX;
/** Sockets for discovery: machines that run containers can have hundreds of virtual interfaces. */
export const DISCOVERY_LINKS_MAX = 32;
/** How long an announcement is believed: what RFC 6762 §10 suggests for records with a host's address. */
export const SERVICE_TTL_SECONDS = 120;
/** Between looks at the list of network interfaces, and at what has expired. */
export const INTERFACE_POLL_MS = 2_000;
/** Between rounds of announcements once it is quiet: three may be missed before one expires. */
export const DISCOVERY_ROUND_MS_MAX = 30_000;
/** Waiting for goodbyes to leave: a person who pressed Ctrl-C is waiting too. */
export const GOODBYE_MS_MAX = 300;

// Watching and scanning.
/** Patterns of the ignore file and `--exclude` together: each path is held against all of them. */
export const IGNORE_PATTERNS_MAX = 1024;
/** Longer lines are no patterns that a person wrote. */
export const IGNORE_PATTERN_LENGTH_MAX = 1024;
/** `**` in one pattern: each multiplies the places where the rest may match. */
export const IGNORE_GLOBSTARS_MAX = 16;
/** Names whose disk spelling differs from the path's (NFD disks); beyond, such files are listed as problems. */
export const SPELLINGS_MAX = 100_000;
/** Native events in one burst after which some may have been lost, where nobody tells how many are queued. */
export const WATCH_BURST_EVENTS_MAX = 1000;
/** Events in inotify's queue, where the kernel does not say. */
export const WATCH_QUEUE_EVENTS = 16_384;
/** Between two looks of the polling watcher: a compromise between delay and load. */
export const POLL_INTERVAL_MS = 2_000;
/** While polling, a full scan after so many intervals: some file systems (exFAT) do not tell by a directory's time that something was made in it. */
export const POLLS_PER_SCAN = 5;
/** Between two questions whether the kernel still grants watches, while things happen. */
export const WATCH_PROBE_MS = 1_000;
/** A native watcher that has not started by then hangs (a million directories take about 10 s). */
export const WATCH_START_MS_MAX = 30_000;
/** An ignore file: far more than all patterns that count. */
export const IGNORE_FILE_BYTES_MAX = 1 * MIB;
/** Hints wait this long for others of the same save: short against what a person feels, long against one save's events. */
export const SETTLE_MS = 3;
/** Paths that wait to be looked at; beyond, a full scan takes their place. */
export const DIRTY_PATHS_MAX = 20_000;
/** Paths that wait for another look (busy, unsettled, unreadable); beyond, a full scan takes their place. */
export const RETRIES_MAX = 20_000;
/** Paths in one look job and one batch of observations that belong together (a moved tree). */
export const ROUND_PATHS_MAX = 4096;
/** The same for paths that nobody waits for: applying a batch holds up the main thread for some 30 ms. */
export const BULK_ROUND_PATHS_MAX = 1024;
/** Rounds at once, apart from those that a person waits for: enough to keep every worker busy. */
export const BULK_ROUNDS_MAX = 4;
/** Rounds at once for hints. */
export const URGENT_ROUNDS_MAX = 8;
/** Directories in one scan job: some 10 ms of work. */
export const SCAN_DIRECTORIES_MAX = 32;
/** Files and bytes in one hash job: keeps a worker busy for some 10 ms, and batches of observations small. */
export const HASH_FILES_MAX = 128;
export const HASH_BYTES_MAX = 32 * MIB;
/** A file from this size on is hashed in parts, on two threads: with less there is nothing to gain (16 ms on one). */
export const HASH_IN_PARTS_BYTES_MIN = 64 * MIB;
/** Such a part: 8 to 20 ms, so that nobody waits long for a worker, and many times what it costs to ask for one. */
export const HASH_PART_BYTES = 16 * MIB;
/** A first part that takes longer comes from a slow disk: then one thread stays free for a person's save. */
export const HASH_PART_MS_MAX = 60;
/** Files above this size are reported only when they have been quiet for a while: sending half of a save is dear. */
export const LARGE_FILE_BYTES = 8 * MIB;
export const LARGE_FILE_QUIET_MS = 300;
/** How much of that has passed in any case before they are read: reading in vain is dear, too. */
export const LARGE_FILE_PAUSE_MS = 50;
/** No machine reads and hashes faster than that on one thread. */
export const HASHED_PER_MS_BYTES_MAX = 4 * MIB;
/** How much longer than an edit a deletion waits before it is looked at once more: editors delete and recreate. */
export const DELETION_DELAY_MS = 150;
/** A hint is alone if there was none of another path for so long before it: what editors do as they save takes less. */
export const ALONE_MS = 50;
/** Paths that are gone and wait for their second look or for their new place; the rest waits for the next scan. */
export const VANISHED_PATHS_MAX = 100_000;
/** New files whose hashing waits until a full scan has seen what vanished, since they may be moved ones. */
export const DEFERRED_FILES_MAX = 20_000;
/** A file as fresh as this may change again without changing its times (Linux stamps with ticks of up to 10 ms). */
export const RACY_MS = 20;
/** The same where times have whole seconds only (FAT: two). */
export const RACY_COARSE_MS = 2_100;
/** Waits between looks at a path that does not settle: the first, and the longest. */
export const RETRY_MS_MIN = 50;
export const RETRY_MS_MAX = 10_000;
/** Waits between tries at a path that cannot be read. */
export const PROBLEM_RETRY_MS_MIN = 5_000;
export const PROBLEM_RETRY_MS_MAX = 300_000;
/** What is made in a directory before its watch is set raises no event: new directories are read once more after this. */
export const NEW_DIRECTORY_RESCAN_MS = 150;
/** Full scans that find what events missed; cheap when nothing did. */
export const RESCAN_INTERVAL_MS = 600_000;
/** Hints must have stopped for this long before a full scan that an overflow asked for. */
export const RESCAN_QUIET_MS = 500;
/** A timer that is this late means that the machine slept. */
export const SLEEP_MS_MIN = 30_000;
/** Paths with a problem that are remembered, so that it is said when they are well again. */
export const PROBLEM_PATHS_MAX = 10_000;

// The index.
/** Left free on the disk whatever happens, so that staging, the trash and the user's own programs can still move. */
export const INDEX_FREE_BYTES_MIN = 16 * MIB;
/** How long changes that nobody waits for are gathered: a scan's then share the Merkle pages that each commit writes. */
export const INDEX_COMMIT_DELAY_MS = 20;
/** The address space that is reserved for the index, not memory: room for ten million files without mapping anew. */
export const INDEX_MAP_BYTES = 4096 * MIB;
/** Free pages that LMDB keeps in memory between commits: with its default of 75,000 each commit takes milliseconds. */
export const INDEX_FREE_PAGES_MAX = 2_000;
/** Between attempts to write to a disk that was full. */
export const INDEX_RETRY_MS = 1_000;
/** Changes that wait in memory while the index cannot be written; beyond, dsync stops rather than grow without end. */
export const INDEX_UNCOMMITTED_BYTES_MAX = 128 * MIB;
/** Rows of the index that are looked through before other work gets its turn: about a millisecond. */
export const CLEAN_ROWS = 500;
/** What was written longer ago is on the disk itself: systems write by themselves what is that old (Linux: after 30 s). */
export const UNFLUSHED_MS_MAX = 60_000;
/** Keys read from LMDB at a time: enough to hide the cost of a range, few enough to hold. */
export const INDEX_PAGE_KEYS = 512;
/** Earlier states of one path that its mark keeps between two checkpoints: one whose rename was lost is among the last. */
export const MARK_ENTRIES_MAX = 8;
/** Dots left out after a stop without a clean close: more than can have been handed out and lost with it. */
export const LOST_DOTS_MAX = 2 ** 20;

// What a person gives, and what runs beside an instance.
/** A host name in the DNS. */
export const HOST_NAME_BYTES_MAX = 253;
/** A hundred years: more is a slip. */
export const TRASH_DAYS_MAX = 36_500;
/** A config file or a passphrase file; more is the wrong file. */
export const CONFIG_FILE_BYTES_MAX = 1 * MIB;
/** One request of a command to the running instance: a long list of trash items. */
export const LOCAL_REQUEST_BYTES_MAX = 1 * MIB;
/** One answer to a command: a trash of `TRASH_ITEMS_MAX` items. */
export const LOCAL_ANSWER_BYTES_MAX = 64 * MIB;
/** Commands connected at once. */
export const LOCAL_CLIENTS_MAX = 32;
/** A command that waits longer for an answer gives up: emptying a large trash takes a while. */
export const LOCAL_ANSWER_MS_MAX = 60_000;
/** The path of a Unix socket, with room for the shortest limit (macOS: 104 with its NUL). */
export const SOCKET_PATH_BYTES_MAX = 100;
/** Files in the trash that are read after a kill, since they may be what is wanted: the newest. */
export const TRASH_SEARCHED_MAX = 1_000;
/** Items that the trash lists, the newest first: bounds memory and the answer. */
export const TRASH_ITEMS_MAX = 100_000;
/** The part of what would be free without the trash that it may take: beyond, the disk is all but full because of it. */
export const TRASH_SHARE_MAX = 0.8;
/** Younger content is kept whatever it takes: a slip is noticed within a day. */
export const TRASH_TRIM_AGE_MS_MIN = 86_400_000;
/** Items of a list that are taken in or written out in one go: about a millisecond. */
export const TRASH_PAGE_ITEMS = 1_000;
/** Changed files shown one by one per second; more are only counted. */
export const CHANGES_SHOWN_PER_SECOND_MAX = 20;
/** How often the status line is drawn anew: smooth to the eye, and little to do. */
export const STATUS_REDRAW_MS = 100;
/** How often the live view is drawn anew, at most: the same. */
export const LIVE_REDRAW_MS = 100;
/** Drawn anew in any case, so that what depends on time alone (a peer that does not come) shows. */
export const LIVE_TICK_MS = 1_000;
/** Events that the live view remembers: more than any terminal has lines for. */
export const LIVE_EVENTS_MAX = 200;
/** Problems that the live view remembers by path, and warnings; `dsync status` has them all. */
export const LIVE_PROBLEMS_MAX = 100;
/** Peers that are away and still shown. */
export const LIVE_AWAY_PEERS_MAX = 16;
/** How often a log (no terminal) says how much is left. */
export const PROGRESS_LOG_MS = 10_000;

/** Output that nobody has read yet: some 40,000 events. Beyond that, events are counted and not kept. */
export const OUTPUT_WAITING_BYTES_MAX = 8 * MIB;
