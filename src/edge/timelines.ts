/** Draws timelines at the edge, from the newest moves of the history. */
import { modelOf } from '../chart/chart.ts';
import { FAILED_TAG, type Model, ROOT } from '../chart/model.ts';
import { TIMELINE_CHARTS_KEPT, TIMELINE_MOVES, TIMELINE_VISITS } from '../limits.ts';
import { LruCache } from '../lru-cache.ts';
import { deleted } from '../objects/refusals.ts';
import type { Status } from '../objects/status-document.ts';
import type { Refusal } from '../refusal.ts';
import { inSlices, roomFor } from '../slices.ts';
import { isMove } from '../store/history-filter.ts';
import { timelineOf } from '../view/timeline.ts';
import { drawTimeline, type TimelineState } from '../view/timeline-svg.ts';
import type { RemoteMachine } from './remote-machine.ts';

/** The rows of charts, by the hash of the chart; each costs its states. */
const rows = new LruCache<string, readonly TimelineState[]>(TIMELINE_CHARTS_KEPT, (states) => states.length);

interface Drawn {
  readonly ok: true;
  readonly svg: string;
  readonly revision: number;
}

/**
 * Draws the visits of a machine's states.
 *
 * @param isInline whether the page around it has the style already.
 */
export async function timelinePicture(machine: RemoteMachine, isInline = false): Promise<Drawn | Refusal> {
  const [view, history] = await Promise.all([
    machine.read({ type: 'view' }),
    machine.read({
      type: 'history',
      before: Number.MAX_SAFE_INTEGER,
      limit: TIMELINE_MOVES,
      filter: { isMove: true },
    }),
  ]);
  if (!view.ok) return view;
  if (!history.ok) return history;
  const states = await statesOf(machine, view.hash);
  if (states === undefined) return deleted();
  const status: Status = JSON.parse(view.status);
  const now = Date.now();
  const moves = history.entries.filter(isMove);
  await roomFor(moves.reduce((sum, { from, to }) => sum + from.length + to.length, 0) * UNITS_PER_NAME);
  const timeline = timelineOf({
    moves,
    hasMore: history.hasMore,
    pausedSince: status.paused ? Date.parse(status.paused.since) : undefined,
    states: status.states,
    most: TIMELINE_VISITS,
    now,
  });
  const isDone = status.status === 'done';
  const svg = await inSlices(drawTimeline(timeline, states, { title: machine.name, isDone, isInline, now }));
  return { ok: true, svg, revision: view.revision };
}

/** Some 0.2 µs for a name in an entry. */
const UNITS_PER_NAME = 0.02;

/** Reads the states of the chart with this hash; undefined where the machine's chart was replaced meanwhile. */
async function statesOf(machine: RemoteMachine, hash: string): Promise<readonly TimelineState[] | undefined> {
  const known = rows.get(hash);
  if (known !== undefined) return known;
  const answer = await machine.read({ type: 'definition', hash });
  if (!answer.ok) return undefined;
  await roomFor(answer.definition.length * UNITS_PER_CHARACTER);
  return rows.set(hash, rowsOf(modelOf(JSON.parse(answer.definition))));
}

/** The cost of parsing a definition, as in `pictures.ts`. */
const UNITS_PER_CHARACTER = 1 / 1_000;

/** @returns the states in document order, without the root if it has no name. */
function rowsOf({ states }: Model): TimelineState[] {
  const depths: number[] = [];
  return states.flatMap(({ name, type, parent, tags = [] }, state) => {
    const depth = parent === undefined ? -1 : (depths[parent] ?? -1) + 1;
    depths[state] = depth;
    if (type === 'history' || state === ROOT) return [];
    const around = `${parent === undefined ? '' : states[parent]?.name}.`;
    const label = name.startsWith(around) ? name.slice(around.length) : name;
    return [{ name, label, depth, isFailed: tags.includes(FAILED_TAG), isFinal: type === 'final' }];
  });
}
