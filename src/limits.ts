/** What the service may cost beside its charts (those bounds are in `chart/limits.ts`), and all of it in one table. */
import {
  CHART_BYTES,
  CHART_COUNTS,
  CHART_REGIONS,
  CHART_SLOTS,
  CHART_STATES,
  CHART_TIMERS,
  CONTEXT_BYTES,
  EVENT_LENGTH,
  STATE_NAME_LENGTH,
} from './chart/limits.ts';

/** Rows of history that a machine keeps; the oldest is overwritten by the newest. */
export const HISTORY_ROWS = 10_000;

/**
 * Characters of history that a machine keeps, about: 10,000 usual entries come to 2.6 million. How many more are
 * written before it is looked at: that takes some 14 rows to be read.
 */
export const HISTORY_LENGTH = 8 * 1024 * 1024;
export const HISTORY_CHECK = 512 * 1024;

/** Rows of history in one answer, where nothing or something else is asked for. */
export const HISTORY_PAGE = 100;
export const HISTORY_PAGE_MAX = 1_000;

/** Characters of history in one answer, about: 1,000 usual entries come to 200,000. */
export const HISTORY_PAGE_LENGTH = 1024 * 1024;

/** The newest of them on a machine's page. */
export const VIEW_HISTORY = 20;

/**
 * What laying a chart out may cost by dagre, in units of a state or of a rank that an arrow crosses: 0.1 to 0.3 ms
 * each, measured on one core of a small server with chains, stars and tangles of 5 to 400 states. Beyond it, and for
 * arrows beyond the second bound in one state, the layout is plain: some 3 µs for a state or an arrow.
 */
export const LAYOUT_BUDGET = 250;
export const LAYOUT_THREADS = 150;

/** Arrows in one drawing: as many as a chart may have transitions. Some 300 bytes of SVG and 6 µs each. */
export const ARROWS_DRAWN = 4_000;

/** States and arrows of the layouts that the edge keeps, all together: some 1 kB each. */
export const LAYOUTS_KEPT = 30_000;

/** Between two layouts, in ms: other requests run in it. */
export const LAYOUT_REST = 2;

/** Due timers fired in one turn, so that no request waits for more; the rest is left to the alarm. */
export const TIMERS_PER_TURN = 1_000;

/**
 * What the timers of one turn may cost, in the units of `EVENT_BUDGET`: some 35 ms. Each writes rows besides.
 */
export const TURN_BUDGET = 350_000;
export const TIMER_COST = 350;

/**
 * How far ahead an alarm is set, in ms: 30 days. A timer of the year 3000 lies outside the range of
 * workerd's clock (nanoseconds in 64 bits), and an alarm that fires early only sets the next one.
 */
export const ALARM_HORIZON = 30 * 24 * 60 * 60 * 1_000;

/**
 * Between two turns that fire due timers, where one is not enough for them, in ms: as long as the next timer is late,
 * within these bounds. A turn takes some 35 ms, so that 50 rings of `after: 0` take about 3 % of a core.
 */
export const ALARM_BACKOFF = 1_000;
export const ALARM_BACKOFF_MAX = 60_000;

/** Characters of a tenant's, a chart's and a run's name: what DNS allows a label (RFC 1035), and files too. */
export const NAME_LENGTH = 63;

/** Characters of a caller's name, and of an `Idempotency-Key`. */
export const CALLER_LENGTH = 255;
export const KEY_LENGTH = 255;

/** Parameters of a query, also empty ones: no method takes more than a handful. */
export const QUERY_PARAMETERS = 32;

/**
 * Bytes of `state` in a request: every key and `id` fits (`STATE_NAME_LENGTH`), and a path of several. Bytes of
 * `If-Match`: some 100 revisions.
 */
export const STATE_BYTES = 8 * 1024;
export const IF_MATCH_BYTES = 1_024;

/** Bytes of a secret for tokens, at least: as many as its hash has (RFC 7518, section 3.2). */
export const SECRET_BYTES = 32;

/** Characters of a token: a few hundred with a handful of globs. What is longer is not looked at. */
export const TOKEN_LENGTH = 4_096;

/**
 * What the lists of reporters in one status document may cost, in characters of callers' names, and what a name costs
 * besides: all receipts of a machine with the longest names, once, and 100,000 names of 14 characters. A report that
 * is sent to the root goes into the count of every active state.
 */
export const STATUS_CALLERS = 3_000_000;
export const CALLER_COST = 16;

/** When it is worth asking again after too many requests, in s: the shortest period of Cloudflare's rate limits. */
export const RATE_RETRY = 10;

/** Machines of a tenant, and bytes of the charts that they run by. A machine's other data is bounded by its own limits. */
export const TENANT_MACHINES = 10_000;
export const TENANT_BYTES = 64 * 1024 * 1024;

/** Machines in one answer, where nothing or something else is asked for: each is asked where it stands. */
export const LIST_PAGE = 50;
export const LIST_PAGE_MAX = 200;

/** Receipts of answered requests that a machine keeps, and how many more gather before the oldest are dropped. */
export const RECEIPTS = 10_000;
export const RECEIPTS_SLACK = 500;

/** Bytes of an answer that a receipt keeps: a refusal has some 300. */
export const RECEIPT_BYTES = 4 * 1024;

/**
 * Claims that a machine holds, on all its states together: each is a row, and all of them are in the status document,
 * which takes some 20 ms to write with as many.
 */
export const CLAIMS = 10_000;

/** The longest wait of one request, in ms: proxies cut what is silent for longer. */
export const WAIT_MAX = 60_000;

/**
 * Addresses that an isolate takes to have a chart without looking again, some 100 bytes each, and for how long, in ms: a
 * chart that is taken away meanwhile costs at most an object that finds none.
 */
export const KNOWN_CHARTS = 10_000;
export const KNOWN_FOR = 60_000;

/** How often a wait at a run that has not begun looks at it anew, at most, in ms: each look is a call to its chart's machine. */
export const PREVIEW_LOOK = 1_000;

/**
 * Requests that wait at one machine: a promise each, and some 65 kB of the process with all that workerd keeps for a
 * request (measured with 2,000; a bare object that waits costs as much).
 */
export const WAITERS = 10_000;

/**
 * Requests that wait in one process, at all its machines: some 1 GB of memory, and half of 65,536 descriptors, of which
 * workerd takes two for each connection. When it is worth asking again where they are all taken, in s.
 */
export const WAITS = 16_384;
export const WAITS_RETRY = 5;

/** Bounds of the `Retry-After` that says "not yet", in seconds. */
export const RETRY_AFTER_MIN = 1;
export const RETRY_AFTER_MAX = 30;

/**
 * How many calls of one isolate to one machine go together at most (`trips.ts`); how long they wait for another to come
 * back, then for those who are expected (the runtime's timers take up to a millisecond more), and for their answers: in
 * ms.
 */
export const TRIP_SIZE = 256;
export const TRIP_WAIT = 5;
export const TRIP_LINGER = 1;
export const TRIP_PATIENCE = 30_000;

/** Machines whose crowds an isolate remembers while nobody calls. */
export const CROWDS = 1_000;

/** Streams of server-sent events and WebSockets that watch one machine. */
export const STREAMS = 1_000;
export const SOCKETS = 20_000;

/**
 * Characters of one page of a stream's replay: some 200 entries, read in 1 to 3 ms, and all that a reader holds in
 * memory. How many pages are kept for readers that come back together.
 */
export const STREAM_PAGE = 64 * 1024;
export const STREAM_PAGES = 16;

/** For how long, in ms, a reader of a stream may take nothing of what it was given before it is cut. */
export const STREAM_STALL = 30_000;

/** How often, in ms, a full machine finds out which readers of streams have left, beside its heartbeat. */
export const STREAM_PROBE = 1_000;

/**
 * Events that a WebSocket is told without a `ping` from it before it is cut, and how often, in events, that is looked
 * at: it takes a look at each of them.
 */
export const SOCKET_BACKLOG = 1_000;
export const SOCKET_CHECK = 100;

/**
 * Characters of history that a new WebSocket is told at once: the platform does not say how much a reader has taken,
 * and all of it stays in memory until then.
 */
export const SOCKET_REPLAY = 256 * 1024;

/** How often, in ms, the sockets of a full machine are counted anew. */
export const SOCKET_RECOUNT = 1_000;

/**
 * Between two comments that keep a silent stream open, in ms: under the minute after which proxies cut it. The platform
 * tells of a reader that has left when it is written to, so this is also for how long one holds its place.
 */
export const STREAM_HEARTBEAT = 5_000;

/** How long a body may take to be there, in ms: a chart of `CHART_BYTES` takes 30 s at 70 kbit/s. */
export const BODY_WAIT = 30_000;

/** Bytes of a FleetLock request: two names of bounded length, and what else a client may send along. */
export const FLEETLOCK_BYTES = 16 * 1024;

/** What a caller can run into: `GET /healthz` shows it, and docs/limits.md explains it. */
export const LIMITS = {
  addressNameLength: NAME_LENGTH,
  chartBytes: CHART_BYTES,
  chartStates: CHART_STATES,
  chartStatesSideBySide: CHART_REGIONS,
  stateNameLength: STATE_NAME_LENGTH,
  countsPerState: CHART_COUNTS,
  slotsPerState: CHART_SLOTS,
  timers: CHART_TIMERS,
  contextBytes: CONTEXT_BYTES,
  eventLength: EVENT_LENGTH,
  queryParameters: QUERY_PARAMETERS,
  stateBytes: STATE_BYTES,
  callerLength: CALLER_LENGTH,
  idempotencyKeyLength: KEY_LENGTH,
  ifMatchBytes: IF_MATCH_BYTES,
  tokenLength: TOKEN_LENGTH,
  fleetLockRequestBytes: FLEETLOCK_BYTES,
  bodySeconds: BODY_WAIT / 1_000,
  waitSeconds: WAIT_MAX / 1_000,
  waitersPerMachine: WAITERS,
  waitersPerProcess: WAITS,
  eventStreamsPerMachine: STREAMS,
  webSocketsPerMachine: SOCKETS,
  eventsWithoutPing: SOCKET_BACKLOG,
  claimsPerMachine: CLAIMS,
  statusCallersLength: STATUS_CALLERS,
  receiptsPerMachine: RECEIPTS,
  receiptBytes: RECEIPT_BYTES,
  historyEntriesPerMachine: HISTORY_ROWS,
  historyLengthPerMachine: HISTORY_LENGTH,
  historyPage: HISTORY_PAGE_MAX,
  historyPageLength: HISTORY_PAGE_LENGTH,
  streamPageLength: STREAM_PAGE,
  webSocketReplayLength: SOCKET_REPLAY,
  streamStallSeconds: STREAM_STALL / 1_000,
  machinesPerTenant: TENANT_MACHINES,
  chartBytesPerTenant: TENANT_BYTES,
  machinesPage: LIST_PAGE_MAX,
} as const;
