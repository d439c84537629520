/**
 * What a chart may cost, in one place. Each bound says where it comes from.
 * A document is refused as soon as it crosses one, before anything larger is built from it.
 */

/**
 * Bytes of UTF-8 in a chart's text. The original's block style needs some 150 bytes a state, so that
 * 1,000 states fit with long names, and a text of this size is read in well under 100 ms.
 */
export const CHART_BYTES = 256 * 1024;

/**
 * Lines of a chart's text: 1,000 states in block style have 11,000, and reading costs by the line more than by the
 * byte.
 */
export const CHART_LINES = 20_000;

/**
 * Lexemes of a chart's text: words, signs, spaces, line ends. 1,000 states in block style have 65,000, and a comment on
 * each line makes 22,000 more. Reading takes some 1 µs for each, whatever the text.
 */
export const CHART_TOKENS = 100_000;

/** States of a chart, at all depths. */
export const CHART_STATES = 1_000;

/** Mappings and lists inside each other. A state inside a state takes two. */
export const CHART_DEPTH = 64;

/** Nodes of a document with every alias expanded: 1,000 states of the original's format have 21,000. */
export const CHART_NODES = 25_000;

/**
 * States without children that can be active at once: xstate compares the regions of a parallel state each with
 * each, and what 32 of them do at once was seen to take 20 ms, 64 of them 120 ms, and 500 seconds.
 */
export const CHART_REGIONS = 32;

/** States that can be active at once, those around others among them. */
export const CHART_ACTIVE = 256;

/**
 * Characters of a document's scalars, with every alias expanded: no more than there could be without aliases.
 */
export const CHART_TEXT = 256 * 1024;

/** Transitions and actions of a statechart, each: four a state, where there are as many states as may be. */
export const CHART_TRANSITIONS = 4_000;
export const CHART_ACTIONS = 4_000;

/**
 * Transitions of one state that count events (`quorum`): each is in the status document and in every refusal of the
 * machine while the state is active.
 */
export const CHART_COUNTS = 32;

/** Targets of all its transitions together: most have one, and each is looked up, and resolved by xstate. */
export const CHART_TARGETS = 8_000;

/** Characters of a target, and of an event's name: a path of names, and what a request may carry. */
export const TARGET_LENGTH = 2_048;
export const EVENT_LENGTH = 255;

/** Characters of all ids and paths of a statechart together: each is stored with every run, and an entry of the history may have most of them, twice. */
export const CHART_NAMES = 128 * 1024;

/** UTF-16 code units of a state's name. */
export const STATE_NAME_LENGTH = 1_024;

/** Issues reported for one document: nobody reads more, and a hostile text could cause one a byte. */
export const CHART_ISSUES = 100;

/** Names compared when looking for "did you mean", and their length: the search is quadratic. */
export const SUGGESTION_CANDIDATES = 1_000;
export const SUGGESTION_LENGTH = 64;
export const SUGGESTIONS = 20;

/** Microsteps of one event, through xstate's `maxIterations`: ends an `always` or `raise` loop. */
export const MICROSTEPS = 1_000;

/** Characters and parts of one CEL expression: enough for any guard that a person can read. */
export const EXPRESSION_LENGTH = 2_048;
export const EXPRESSION_NODES = 200;

/**
 * Characters of the distinct expressions of a chart that are checked against its context, the first of them: about
 * 1.3 µs each, up to three times. No person writes so many.
 */
export const TYPED_TEXT = 12 * 1024;

/**
 * What one event may cost, in units of about 0.1 µs (measured on one core of a small server): 45 ms of the
 * object's time. A transition that is looked at costs some, and more where there are many regions, for xstate compares
 * them each with each; so do an action that is run, an assignment, an expression, and one that fails.
 */
export const EVENT_BUDGET = 450_000;
export const MICROSTEP_COST = 250;
export const REGION_COST = 130;
export const ACTION_COST = 30;
export const ASSIGNMENT_COST = 150;
export const EXPRESSION_COST = 30;
export const FAILURE_COST = 1_000;

/** Guards that fail in one event and are told, and how much of each. */
export const FAILURES_TOLD = 20;
export const FAILURE_LENGTH = 300;

/** Bytes of a running chart's context, as JSON. */
export const CONTEXT_BYTES = 64 * 1024;

/** Slots of one state: each claim is a row, and all of them are in the status document. */
export const CHART_SLOTS = 1_000;

/** Timers that a running chart may have set. */
export const CHART_TIMERS = 1_000;
