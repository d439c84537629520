/**
 * The bounds of charts, and where each comes from. A document is refused as soon as it crosses a bound, before anything
 * larger is built from it. `edge/published-limits.ts` has those that callers can meet.
 */

// Charts: the text

/**
 * Bytes of UTF-8 in a chart's text. The original's block style needs some 150 bytes a state: 1,000 states fit with long
 * names. A text of this size is read in well under 100 ms.
 */
export const CHART_BYTES = 256 * 1024;

/** Lines of a chart's text. 1,000 states in block style have 11,000; a line costs more to read than its bytes. */
export const CHART_LINES = 20_000;

/**
 * Lexemes of a chart's text: words, signs, spaces, line ends. 1,000 states in block style have 65,000, a comment on
 * each line makes 22,000 more. Each takes some 1 µs to read, whatever the text.
 */
export const CHART_TOKENS = 100_000;

/** Mappings and lists inside each other. A state inside a state takes two. */
export const CHART_DEPTH = 64;

/** Nodes of a document with every alias expanded. 1,000 states of the original's format have 21,000. */
export const CHART_NODES = 25_000;

/** Characters of a document's scalars with every alias expanded: as many as fit without aliases. */
export const CHART_TEXT = 256 * 1024;

/** Issues reported for one document: more than an author reads at once. A hostile text can cause one per byte. */
export const CHART_ISSUES = 100;

/** Names compared for "did you mean", their length, and suggestions per document: the search is quadratic. */
export const SUGGESTION_CANDIDATES = 1_000;
export const SUGGESTION_LENGTH = 64;
export const SUGGESTIONS = 20;

// Charts: states and transitions

/** States of a chart, at all depths. */
export const CHART_STATES = 1_000;

/**
 * States without children that can be active at once. xstate compares each region of a parallel state with each other
 * one: transitions of 32 regions at once took 20 ms, of 64 regions 120 ms, of 500 regions seconds.
 */
export const CHART_REGIONS = 32;

/** States that can be active at once, with the states around them. */
export const CHART_ACTIVE = 256;

/** Transitions and actions of a statechart, each: four per state at `CHART_STATES`. */
export const CHART_TRANSITIONS = 4_000;
export const CHART_ACTIONS = 4_000;

/** Transitions of one state with a `quorum`: each is in the status document and in every refusal while it is active. */
export const CHART_COUNTS = 32;

/** Targets of all transitions together. Most have one; xstate resolves each. */
export const CHART_TARGETS = 8_000;

/** Characters of a target (a path of names), and of an event's name. */
export const TARGET_LENGTH = 2_048;
export const EVENT_LENGTH = 255;

/** Characters of all ids and paths of a statechart: each is stored with every run, and a history entry can have most of them, twice. */
export const CHART_NAMES = 128 * 1024;

/** UTF-16 code units of a state's name. */
export const STATE_NAME_LENGTH = 1_024;

/** Slots of one state. Each claim is a row, and all of them are in the status document. */
export const CHART_SLOTS = 1_000;

/**
 * Windows that hold for one state, with those of the states around it, and windows of a chart. Evaluating one takes
 * some 0.4 ms, when it opens and when it closes.
 */
export const STATE_WINDOWS = 8;
export const CHART_WINDOWS = 32;

/** Characters of a window's `cron`: each minute as a list has 169. */
export const CRON_LENGTH = 200;

/** For how long a window is open, in ms: cron counts in minutes, and a month has at most 31 days. */
export const WINDOW_MIN = 60_000;
export const WINDOW_MAX = 31 * 24 * 60 * 60 * 1_000;

/**
 * Windows that follow each other without a gap are joined so many times, at most, to find when a state closes. A longer
 * chain, such as an hour in each hour, is shown to close later as time goes on.
 */
export const WINDOWS_JOINED = 16;

/**
 * Moments of cron that are looked for to find when a state opens or closes, at most: 0.1 to 0.6 ms each. A state that
 * is open seldom at the same time as those around it is looked at again later.
 */
export const WINDOW_SEARCHES = 200;

/** Inputs of a chart, and bytes of their values in a run, as JSON: guards are charged for them as for the context. */
export const CHART_INPUTS = 64;
export const INPUTS_BYTES = 4 * 1024;

/**
 * Items of a chart's `notify`, and hooks in them. A message waits for its answer, and Cloudflare gives an invocation six
 * connections that do: five hooks that hang leave one for the object's other calls.
 * https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections
 */
export const CHART_NOTIFY = 64;
export const CHART_HOOKS = 5;

/** States of a chart for which is looked whether they and those around them are open at once: up to 40 ms each. */
export const NESTED_WINDOWS_CHECKED = 4;

// Charts: expressions

/** Characters and nodes of one CEL expression: enough for any guard that a person can read. */
export const EXPRESSION_LENGTH = 2_048;
export const EXPRESSION_NODES = 200;

/** Nodes of an `only`, which is evaluated for each of 10,000 members at once: 10 comparisons took 30 to 64 ms. */
export const ONLY_NODES = 48;

/** Characters of distinct expressions of a chart that are type-checked, the first of them: 1.3 µs each, up to three times. */
export const TYPED_TEXT = 12 * 1024;

// Charts: one event of a running chart

/** Microsteps of one event, xstate's `maxIterations`: ends an `always` or `raise` loop. */
export const MICROSTEPS = 1_000;

/**
 * Cost of one event, in units of about 0.1 µs (measured on one core of a small server): 45 ms of the object's time.
 * Each transition that xstate examines has a cost, higher with many regions, which it compares with each other; so
 * have an executed action, an assignment, an expression, and an expression that fails.
 */
export const EVENT_BUDGET = 450_000;
export const MICROSTEP_COST = 250;
export const REGION_COST = 130;
export const ACTION_COST = 30;
export const ASSIGNMENT_COST = 150;
export const EXPRESSION_COST = 30;
export const FAILURE_COST = 1_000;

/** Failed guards of one event that are reported, and characters of each. */
export const FAILURES_TOLD = 20;
export const FAILURE_LENGTH = 300;

/** Bytes of a running chart's context, as JSON. */
export const CONTEXT_BYTES = 64 * 1024;

/** Timers that a running chart may have set. */
export const CHART_TIMERS = 1_000;

/**
 * Bytes of a report's data, as compact JSON: a summary of what was done, and no log. And how many lists and objects may be
 * inside each other: in a document of the service they are inside three more, and some parsers stop at 100 (Ruby's, which
 * Chef has).
 */
export const DATA_BYTES = 4 * 1024;
export const DATA_DEPTH = 64;

/** Bytes of the body of a report by POST. Beyond `DATA_BYTES` it is no data. Alertmanager sends some 500 bytes an alert. */
export const WEBHOOK_BYTES = 1024 * 1024;
