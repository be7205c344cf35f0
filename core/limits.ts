// Every published limit of the verifier, in one place, with its unit (docs/ARCHITECTURE.md). Input past a limit is refused
// before it can cost memory or stack: on the device neither failure can be caught.

/** How much JSON one reading may hold. All counts are checked while reading, never afterwards. */
export interface JsonLimits {
  /** Bytes of UTF-8 text. */
  readonly bytes: number;
  /** Members and elements together, at every depth. */
  readonly values: number;
  /** Elements of one array. */
  readonly elements: number;
  /** Members of one object. */
  readonly members: number;
  /** UTF-8 bytes of one string or member name, escapes resolved. */
  readonly stringBytes: number;
  /** Nested objects and arrays; a scalar has depth 0. */
  readonly depth: number;
}

/** One artifact: a grant, SBA, SPA, intent or fleet policy. 6 KB is what an 8192-character header holds. */
export const ARTIFACT_LIMITS: JsonLimits = Object.freeze({
  bytes: 6144,
  values: 256,
  elements: 64,
  members: 64,
  stringBytes: 1024,
  depth: 16,
});

/** A Trust Bundle: 32 KB, 160 issuers of at most 4 keys (checked by its reader), and its lists. */
export const BUNDLE_LIMITS: JsonLimits = Object.freeze({
  bytes: 32768,
  values: 8192,
  elements: 512,
  members: 64,
  stringBytes: 1024,
  depth: 16,
});

/** What an operator's backend answers to receipts that are handed in. */
export const ANSWER_LIMITS: JsonLimits = Object.freeze({
  bytes: 4096,
  values: 64,
  elements: 64,
  members: 16,
  stringBytes: 1024,
  depth: 4,
});

/** What an authority publishes its keys in, which is read at set-up: eight of them, with all that a JWK may state. */
export const PUBLISHED_KEYS_LIMITS: JsonLimits = /* @__PURE__ */ Object.freeze({
  bytes: 4096,
  values: 256,
  elements: 64,
  members: 24,
  stringBytes: 1024,
  depth: 6,
});

/** All artifacts of one payment together, in bytes, the object that carries them included. */
export const PRESENTATION_BYTES = 8192;
/** Members and elements of all artifacts of one payment: each takes a device's memory, however short it is written. */
export const PRESENTATION_VALUES = 256;
/**
 * What a payment may weigh: its bytes, those of the names and strings that are kept of it, and what values take on a device
 * beside their text. A small device has room for much text in few values or for many values in little text, not for both. The
 * artifacts of a usual payment weigh 6 KB.
 */
export const PRESENTATION_WEIGHT = 9216;
/** What each value weighs, in bytes. */
export const VALUE_WEIGHT = 24;
/** What an object or array weighs beside that. */
export const NESTED_WEIGHT = 96;
/**
 * What a number weighs beside that which needs exact arithmetic: writing one takes a device half a million instructions, before
 * any signature was checked.
 */
export const LONG_NUMBER_WEIGHT = 512;
/** What a member weighs beside that whose name is none of MPCP's. */
export const UNKNOWN_NAME_WEIGHT = 40;
/**
 * Bytes of a payment that the engine's own parser may be given; a larger one is read byte by byte, in less memory. For a while
 * it is there four times.
 */
export const PLAIN_BYTES = 2560;
/** Bytes of signed text that is put together to be hashed; longer text is hashed in pieces. */
export const WHOLE_TEXT_BYTES = 1024;
/** Commas in it: what splitting it at them takes in memory is bounded by this. */
export const PLAIN_COMMAS = 128;
/** Opening brackets in it, and so how deep it may be nested for the parser. */
export const PLAIN_BRACKETS = 32;
/** Bytes of a message on a serial line, all its fragments together: a payment. */
export const SERIAL_MESSAGE_BYTES = PRESENTATION_BYTES;
/** Characters of a refusal's detail that a reader is told: a detail may quote a payer. */
export const SERIAL_DETAIL_CHARACTERS = 512;
/** How long a serial line may be silent within a message, in milliseconds. */
export const SERIAL_GAP_MS = 500;
/** For how long a payment that is repeated on a serial line gets the answer it got, in milliseconds. */
export const SERIAL_REPEAT_MS = 10_000;
/** Bytes of the head of a request to a device's local endpoint: the largest payment in a header, and others. */
export const HTTP_HEAD_BYTES = 12_288;
/** Header fields of such a request. */
export const HTTP_HEADERS = 32;
/** Bytes of its target, the path with its query. */
export const HTTP_TARGET_BYTES = 256;
/** How long it may take to come in, in milliseconds. */
export const HTTP_REQUEST_MS = 5000;
/** How long its answer may take to be taken, in milliseconds. */
export const HTTP_SENT_MS = 5000;
/** Bytes behind a request that are read and thrown away, so that the end of the connection is noticed. */
export const HTTP_DISCARDED_BYTES = 16_384;
/** After so many seconds whoever was answered 503 may come again. */
export const HTTP_RETRY_SECONDS = 5;
/** Characters of base64 after `Authorization: MPCP`. */
export const HEADER_CHARACTERS = 8192;
/** Issuers one Trust Bundle may approve, and may embed. */
export const BUNDLE_ISSUERS = 160;
/** Keys one issuer may have in a Trust Bundle. */
export const BUNDLE_KEYS_PER_ISSUER = 4;
/** Grant ids one Trust Bundle may revoke. */
export const BUNDLE_REVOKED_GRANTS = 512;
/** Trust Bundles a device holds at a time. */
export const BUNDLES_HELD = 4;
/** Trust Bundles in one answer of a Policy Authority: each costs signature checks before it is known to be good. */
export const BUNDLES_PER_ANSWER = 16;
/** Bytes of such an answer: the bundles a device can hold, and some air around them. */
export const BUNDLE_SET_BYTES = BUNDLES_HELD * BUNDLE_LIMITS.bytes + 1024;
/** Bytes of a table of a key, with its header; on flash it takes whole blocks. */
export const KEY_TABLE_BYTES = 24_736;
/** Keys that may have a table, however large the partition of key tables is: one takes 28 KB of it. */
export const KEY_TABLES = 64;
/** Keys whose uses are counted, to find those that are worth a table. */
export const KEYS_COUNTED = 24;
/** Bytes of a stored bundle that are read from flash at a time. */
export const BUNDLE_WINDOW_BYTES = 512;
/** Bytes that a receipt's entry and its grant may take in the journal together: what the largest payment takes, and more. */
export const JOURNAL_ENTRY_BYTES = 10_240;
/** Places of a journal at which something is missing that are told one by one; more widen the last. */
export const JOURNAL_DAMAGE_TOLD = 16;
/** Bytes of a receipt that came as a document, written as the journal would: longer ones are no receipts. */
export const RECEIPT_ENTRY_BYTES = 32_768;
/** Bytes of a batch that is handed in: the largest payment there may be, written as JSON, with room around it. */
export const UPLOAD_BATCH_BYTES = 12_288;
/** Receipts of a batch, unless configured. */
export const UPLOAD_BATCH_RECEIPTS = 32;
/** The wait after the first failure to hand in, unless configured, in milliseconds. */
export const UPLOAD_FIRST_WAIT_MS = 5000;
/** The longest wait, unless configured, in milliseconds. */
export const UPLOAD_LONGEST_WAIT_MS = 3_600_000;
/** How long batches stay smaller after one was too large for the backend, in milliseconds: a day. */
export const UPLOAD_SMALLER_MS = 86_400_000;
/** Characters of a backend's `detail` that are logged. */
export const ANSWER_DETAIL_CHARACTERS = 160;
/** For the answer to one batch, in milliseconds. */
export const HAND_IN_MS = 30_000;
/** Until the journal is looked at again after everything was handed in, in milliseconds. */
export const HAND_IN_PACE_MS = 10_000;
/** The same where it gives nothing out. */
export const HAND_IN_STOPPED_MS = 300_000;
/** Bytes of an HTTP answer's head, and of what stands between its chunks. */
export const HTTP_ANSWER_HEAD_BYTES = 8192;
/** Bytes of a line of it that are looked at. */
export const HTTP_ANSWER_LINE_BYTES = 512;
/** Seconds after which a broker that hears nothing may take a device for gone. */
export const MQTT_KEEP_ALIVE_SECONDS = 120;
/** Between two pings, in milliseconds. What is not answered by the next one never is. */
export const MQTT_PING_MS = 60_000;
/** The wait after the first failure with a broker, which doubles with each further one, and the longest, in milliseconds. */
export const MQTT_FIRST_WAIT_MS = 10_000;
export const MQTT_LONGEST_WAIT_MS = 3_600_000;
/** Verified grants that are remembered, so that the next payment under them needs one signature check less. */
export const GRANTS_REMEMBERED = 8;
/** Keys that are remembered, so that they need not be looked up in the bundles again: a payment has three or four. */
export const KEYS_REMEMBERED = 12;
/** Decimal digits of an amount. */
export const AMOUNT_DIGITS = 38;
/** Decimal places a minor unit may have. */
export const MINOR_UNIT_PLACES = 255;
/** Seconds a velocity limit's window may last: what 32 bits hold. */
export const VELOCITY_WINDOW_SECONDS = 4_294_967_295;
/** Characters of an idempotency key. */
export const IDEMPOTENCY_KEY_CHARACTERS = 128;
/**
 * The latest time that is counted with, in milliseconds: what six signed bytes on flash hold, in the year 6429. Later
 * expiries are kept as this; a clock behind it was never set.
 */
export const LATEST_TIME_MS = 0x7fff_ffff_fffe;
/** How long a grant that was not presented counts after the SBA that was paid under it, in milliseconds: 90 days. */
export const UNSEEN_GRANT_MS = 7_776_000_000;
/** Clock drift allowed on artifacts unless configured, in milliseconds. Bundles get none. */
export const DEFAULT_DRIFT_MS = 300_000;
/** The most that may be configured: so long after a grant's expiry authorities go on publishing its revocation. */
export const LARGEST_DRIFT_MS = 600_000;
/** Bundles are asked for after this long, unless configured, in milliseconds: six hours. */
export const REFRESH_INTERVAL_MS = 21_600_000;
/** The least and the most that may be configured, in milliseconds: a minute, a week. */
export const REFRESH_INTERVAL_RANGE_MS = Object.freeze([60_000, 604_800_000] as const);
/** From this part of a bundle's life before its expiry on its successor is asked for often, unless configured. */
export const REFRESH_MARGIN_SHARE = 0.25;
/** The least and the most that may be configured. */
export const REFRESH_MARGIN_SHARE_RANGE = Object.freeze([0, 0.9] as const);
/** At least so long before its expiry, unless configured, in milliseconds: a day; but at most half of its life. */
export const REFRESH_LEAST_MARGIN_MS = 86_400_000;
/** The least and the most that may be configured, in milliseconds: nothing, 30 days. */
export const REFRESH_LEAST_MARGIN_RANGE_MS = Object.freeze([0, 2_592_000_000] as const);
/** How often it is asked for then, and where no bundle is in force, in milliseconds. */
export const REFRESH_MARGIN_PACE_MS = 1_800_000;
/** For a whole answer, unless configured, in milliseconds. */
export const REFRESH_TIMEOUT_MS = 60_000;
/** The least and the most that may be configured, in milliseconds: a second, ten minutes. */
export const REFRESH_TIMEOUT_RANGE_MS = Object.freeze([1000, 600_000] as const);
/** For a network to come up, or a clock to be set, in milliseconds. */
export const REFRESH_STAGE_MS = 60_000;
/** The wait after the first failure to refresh; it doubles with each further one. In milliseconds. */
export const REFRESH_FIRST_WAIT_MS = 10_000;
/** The longest wait after failures, and the longest that a server may ask for, in milliseconds. */
export const REFRESH_LONGEST_WAIT_MS = 3_600_000;
/** Over this long a fleet that started at one moment spreads its first requests, in milliseconds. */
export const REFRESH_START_SPREAD_MS = 120_000;
/** Over this long it spreads those that a network coming back, or an urgent message, leads to, in milliseconds. */
export const REFRESH_SPREAD_MS = 30_000;
/** Between two requests that something from outside has led to, at least, in milliseconds. */
export const REFRESH_LEAST_GAP_MS = 30_000;
/** Urgent refreshes that may follow each other at once; after that one for each `REFRESH_URGENT_EACH_MS`. */
export const REFRESH_URGENT_MOST = 3;
/** In milliseconds: whoever can send urgent messages gets 24 requests a day out of a device, and three. */
export const REFRESH_URGENT_EACH_MS = 3_600_000;
/** How long a grant that is not revoked is good for, unless configured, in milliseconds. */
export const REVOCATION_CACHE_MS = 300_000;
/** For an answer of a revocation endpoint, unless configured, in milliseconds: a payer waits for it. */
export const REVOCATION_TIMEOUT_MS = 3000;
/** After a question that was not answered the next one is asked so much later, in milliseconds. */
export const REVOCATION_RETRY_MS = 15_000;
/** The least and the most that may be configured, in milliseconds. What is good for less than a payment takes would be asked about without end. */
export const REVOCATION_CACHE_RANGE_MS = Object.freeze([REVOCATION_RETRY_MS, 86_400_000] as const);
export const REVOCATION_TIMEOUT_RANGE_MS = Object.freeze([100, 30_000] as const);
/** Grants whose answer is remembered for a while. */
export const REVOCATIONS_CACHED = 16;
/** Grants that were found revoked online and are remembered until they expire. */
export const REVOCATIONS_REMEMBERED = 64;
/** Characters of a revocation endpoint that is asked. */
export const REVOCATION_ENDPOINT_CHARACTERS = 512;
/** Characters of what came from outside that are logged: a reason, a status. */
export const LOGGED_CHARACTERS = 64;
/** Bytes of the partition with a device's provisioning: two slots of whole blocks. */
export const PROVISIONING_PARTITION_BYTES = 16_384;
/** The document in a provisioning image: what a device with 48 KB reads in its worst shape. */
export const PROVISIONING_LIMITS: JsonLimits = Object.freeze({
  bytes: 4096,
  values: 256,
  elements: 64,
  members: 64,
  stringBytes: 1024,
  depth: 8,
});
/** Bytes of a certificate, in DER. */
export const CERTIFICATE_BYTES = 2048;
/** Bytes of a text in it that is a device's, or a site's, own: names, URLs, the key of an operator's backend. */
export const PROVISIONED_TEXT_BYTES = 256;
/** Characters of a device's id. */
export const DEVICE_ID_CHARACTERS = 64;
/** The highest number a GPIO pin has on the boards that there are: the ESP32-S3's. */
export const HIGHEST_PIN = 48;
/** How often a step of a start may read or write as much as all partitions have, while the watchdog is fed for it. */
export const BOOT_FLASH_PASSES = 8;
/** Pieces of idle work that are done at a start before the device serves. */
export const BOOT_IDLE_STEPS = 64;
/** Bytes of the document that tells a device's state. */
export const STATE_BYTES = 2048;
/** Characters of each text in it. */
export const STATE_TEXT_CHARACTERS = 64;
/** Keys of an authority that are shown at set-up; an answer that has more is refused. */
export const ROOT_KEYS_SHOWN = 8;
/** How long a key that was fetched waits to be confirmed, in milliseconds: ten minutes. */
export const ROOT_KEY_CONFIRM_MS = 600_000;
/** Wrong fingerprints after which what was fetched is forgotten. */
export const ROOT_KEY_TRIES = 3;
