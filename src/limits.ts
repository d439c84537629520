/**
 * The bounds of machines, tenants and the edge, and where each comes from; `chart-limits.ts` has those of charts,
 * `request-limits.ts` those of what a request may have.
 * `edge/published-limits.ts` has those that callers can meet.
 */

// Machines and tenants

/**
 * Members of a machine, labels of one, characters of a label's name and of its value, and bytes of a list: as it is sent, and
 * as JSON, one value of SQLite, of at most 2 MB (https://developers.cloudflare.com/durable-objects/platform/limits/).
 */
export const MEMBERS = 10_000;
export const MEMBER_LABELS = 32;
export const LABEL_LENGTH = 63;
export const LABEL_VALUE_LENGTH = 255;
export const MEMBERS_BYTES = 1024 * 1024;

/** Members in one answer: the default and the most. */
export const MEMBERS_PAGE = 100;
export const MEMBERS_PAGE_MAX = 1_000;

/** Characters of members in one answer, about: each names the states that expect it. */
export const MEMBERS_PAGE_LENGTH = 1024 * 1024;

/** Missing members that the status document names for each quorum, and a refusal. `GET …/members?is=missing` names all. */
export const MISSING_NAMED = 100;
export const MISSING_TOLD = 5;

/** Holders of slots in a refusal: in its list, and in its text. The status document has all of them. */
export const HOLDERS_NAMED = 200;
export const HOLDERS_TOLD = 20;

/** Rows of history that a machine keeps; the oldest is overwritten by the newest. */
export const HISTORY_ROWS = 10_000;

/**
 * Characters of history that a machine keeps, about: 10,000 usual entries come to 2.6 million. And characters that are
 * written between two checks of this bound: a check reads some 14 rows.
 */
export const HISTORY_LENGTH = 8 * 1024 * 1024;
export const HISTORY_CHECK = 512 * 1024;

/** Rows of history in one answer: the default, and the most. */
export const HISTORY_PAGE = 100;
export const HISTORY_PAGE_MAX = 1_000;

/** Characters of history in one answer, about: 1,000 usual entries come to 200,000. */
export const HISTORY_PAGE_LENGTH = 1024 * 1024;

/** The newest of them on a machine's page. */
export const VIEW_HISTORY = 20;

/**
 * What a timeline has: the newest changes of states and pauses, and the newest visits in them, some 200 bytes of SVG each.
 * And the states of all charts whose rows the edge keeps: some 100 bytes each.
 */
export const TIMELINE_MOVES = 500;
export const TIMELINE_VISITS = 500;
export const TIMELINE_CHARTS_KEPT = 30_000;

/** Reports of the present visits in the data of a page, and their characters, about. */
export const VIEW_REPORTS = 100;
export const VIEW_REPORTS_LENGTH = 64 * 1024;

/**
 * Bends of arrows in one drawing, and pieces of arrows between them. An arrow beyond that is cut, and has the name of its target at its
 * end. Some 5 µs for each.
 */
export const ARROW_BENDS = 4_000;
export const ARROW_STEPS = 20_000;

/**
 * Units of work in one slice of drawing or reading a chart: a state, an arrow or a caption is one (`slices.ts`). Other requests run
 * between two slices. A unit is some 10 µs, and some 40 µs in the first slices of a process.
 */
export const SLICE_UNITS = 500;

/**
 * States of a chart from which on idle states are drawn without the states inside them, unless a request asks for them: more do not
 * fit on a screen. And the most states in one drawing: beyond it, inner ones are drawn on request.
 */
export const FOLDED_FROM = 100;
export const DRAWN_STATES = 400;

/** Arrows in one drawing: as many as a chart may have transitions. Some 300 bytes of SVG and 6 µs each. */
export const ARROWS_DRAWN = 4_000;

/** States and arrows of all layouts that the edge keeps: some 1 kB each. */
export const LAYOUTS_KEPT = 30_000;

/** Due timers fired in one turn, so that no request waits for more; the rest is left to the alarm. */
export const TIMERS_PER_TURN = 1_000;

/**
 * The cost of the timers that one turn fires, in the units of `EVENT_BUDGET`: some 35 ms. Writing their rows is not in it.
 */
export const TURN_BUDGET = 350_000;
export const TIMER_COST = 350;

/**
 * The cost of the commands that one turn applies, in the units of `EVENT_BUDGET`; and of a command beside its events, and of
 * each active state, which its entry in the history names: 200 reports, some 25 ms, or three of the dearest events, 7 ms each.
 */
export const BATCH_BUDGET = 1_000_000;
export const COMMAND_COST = 4_000;
export const ACTIVE_COST = 800;

/**
 * The cost of the lists of reporters in one status document, in characters of callers' names, and the cost of a name
 * beside its characters. The bound fits all receipts of a machine once with names of 36
 * characters, and 33,000 names of 14 characters. A report to the root goes into the count of every active state.
 */
export const STATUS_CALLERS = 1_000_000;
export const CALLER_COST = 16;

/** Machines of a tenant, and bytes of their charts. A machine's other data is bounded by its own limits. */
export const TENANT_MACHINES = 10_000;
export const TENANT_BYTES = 64 * 1024 * 1024;

/**
 * Characters of the active states' names that a tenant's registry keeps of a machine: the state column of its list is sorted
 * by the first of them. A machine with longer ones is asked itself where a list is filtered by a state.
 */
export const LISTED_STATES = 4_096;
export const LISTED_STATE = 200;

/** Between two calls in which a machine tells its tenant of its moves, in ms: one that moves all the time costs as much. */
export const TELL_PAUSE = 500;

/** Deleted machines of a tenant whose last revisions are kept: some 100 bytes each. */
export const DELETED = 10_000;

/** How many days back a machine can be restored: Cloudflare keeps changes for so long (`objects/recovery.ts`). */
export const RESTORE_DAYS = 30;

/**
 * Machines in one answer: the most, and the default. Cloudflare's free plan has 50 subrequests for a request: each machine
 * is one, the registry and the rate limit are two. https://developers.cloudflare.com/workers/platform/limits/#subrequests
 */
export const LIST_PAGE_MAX = 50 - 2;
export const LIST_PAGE = 40;

/**
 * Receipts of reports by name that a machine keeps: each of 10,000 callers has reported two events to one visit. As many of
 * requests with a key. And receipts that it collects beyond that before it drops the oldest, which is a scan.
 */
export const RECEIPTS = 20_000;
export const RECEIPTS_SLACK = 1_000;

/**
 * Bytes of data that a machine's receipts keep: 800 of each of 10,000 reports, or 2,000 reports of `DATA_BYTES`. And bytes
 * that it collects beyond that before it drops the oldest, which is a scan as well.
 */
export const REPORT_DATA = 8 * 1024 * 1024;
export const REPORT_DATA_SLACK = 2 * 1024 * 1024;

/** Reports in one answer: the default and the most, and their characters, about. */
export const REPORTS_PAGE = 100;
export const REPORTS_PAGE_MAX = 1_000;
export const REPORTS_PAGE_LENGTH = 1024 * 1024;

/** Bytes of an answer that a receipt keeps: a refusal has some 300. */
export const RECEIPT_BYTES = 4 * 1024;

/**
 * Claims that a machine holds, on all its states together: each is a row, and all of them are in the status document,
 * which takes some 20 ms to write with as many.
 */
export const CLAIMS = 10_000;

/**
 * Characters of history, committed by another object, that are published to waits and watches at once: some 800 usual
 * entries, read in some 10 ms. Beyond it, waits check again, streams continue from storage, and WebSockets are closed to
 * reconnect.
 */
export const MISSED_LENGTH = 256 * 1024;

/**
 * Messages that a machine keeps for each hook, those to be sent and those that were sent or given up; the oldest is
 * dropped. A receiver that takes one a second is behind by 1,000 of them after 17 minutes. And characters of the entry in
 * a message: a usual one has 400, one with `DATA_BYTES` of data 5,000. A longer one loses names of states.
 */
export const NOTIFICATIONS = 1_000;
export const NOTIFICATION_LENGTH = 16 * 1024;

/** Messages in one answer: the default and the most. */
export const NOTIFICATIONS_PAGE = 100;
export const NOTIFICATIONS_PAGE_MAX = 1_000;

/** How long a receiver may take to answer, in ms: Standard Webhooks advises 15 to 30 s, workerd evicts an idle object after 10 s. */
export const NOTIFICATION_TIMEOUT = 10_000;

/** How long a message is tried again before it is given up, in ms. */
export const NOTIFICATION_RETRIES = 24 * 60 * 60 * 1_000;

/**
 * Messages to a hook that one invocation sends; then the alarm goes on. Five hooks together have half of the 1,000
 * subrequests of the paid plan. The free plan has 50: there, the attempt that is refused is made again.
 * https://developers.cloudflare.com/workers/platform/limits/#subrequests
 */
export const NOTIFICATIONS_PER_RUN = 100;

/** The longest wait of one request, in ms: proxies cut what is silent for longer. */
export const WAIT_MAX = 60_000;

/**
 * The longest `max-stale` of a request, in ms: as long as the longest wait. And the characters of the answers that an
 * isolate keeps for it: some 10,000 answers, of the 128 MB that an isolate may have.
 * https://developers.cloudflare.com/workers/platform/limits/#memory
 */
export const STALE_MAX = 60_000;
export const RECENT_ANSWERS = 4 * 1024 * 1024;

/** Addresses that an isolate takes to have a chart without looking again, some 100 bytes each. */
export const KNOWN_CHARTS = 10_000;

/** The pause of a wait at a run that has not begun, at the least, in ms: each check calls the chart's machine. */
export const PREVIEW_LOOK = 1_000;

/**
 * Calls that wait at one machine: a promise each, and some 40 kB of the process with all that workerd keeps for a call.
 * The requests of an edge that wait for the same thing share one.
 */
export const WAITERS = 10_000;

/**
 * Requests that wait in one process and watches that are open in it, at all its machines: some 1 GB of memory, and half of 65,536 descriptors, of which
 * workerd takes two for each connection.
 */
export const WAITS = 16_384;

/** `Retry-After` when all places for waits are taken, in s. */
export const WAITS_RETRY = 5;

/** Bounds of the `Retry-After` that says "not yet", in seconds. */
export const RETRY_AFTER_MIN = 1;
export const RETRY_AFTER_MAX = 30;

/** The longest `Retry-After` while a state is closed, in seconds: meanwhile, another chart can be uploaded. */
export const CLOSED_RETRY_MAX = 3_600;

/**
 * Calls of one isolate to one machine that are sent together, at most (`edge/coalesce.ts`). A report has at most some
 * 25 kB, with two bytes for each character: together 6.4 MB of the 32 MiB that an RPC may have.
 * https://developers.cloudflare.com/workers/runtime-apis/rpc/#limitations
 */
export const BATCH_SIZE = 256;

/** Streams of server-sent events and WebSockets that watch one machine. */
export const STREAMS = 1_000;
export const SOCKETS = 20_000;

/**
 * Characters of one page of a stream's replay: some 200 entries, read in 1 to 3 ms, and all that a reader holds in
 * memory. And pages that are kept for readers that reconnect at the same time.
 */
export const STREAM_PAGE = 64 * 1024;
export const STREAM_PAGES = 16;

/** How long a reader of a stream may read nothing before its connection is closed, in ms. */
export const STREAM_STALL = 30_000;

/**
 * Events that a WebSocket is sent without a `ping` from it before it is closed, and events between two checks of this: a
 * check visits every WebSocket.
 */
export const SOCKET_BACKLOG = 1_000;
export const SOCKET_CHECK = 100;

/**
 * Characters of history that a new WebSocket is sent at once: the platform does not say how much a reader has read, and
 * the rest stays in memory.
 */
export const SOCKET_REPLAY = 256 * 1024;

/**
 * Messages that one machine sends to its WebSockets before other requests run: some 10 ms (9,000 at once blocked for
 * 348 to 485 ms). On a machine with five times the load of its cores, slices of 250 delayed others by up to 227 ms at
 * p90, slices of 125 by up to 55 ms; all 5,000 were told as soon.
 */
export const SOCKET_SLICE = 125;
