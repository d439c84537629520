/** The callers of each count, which the status document lists as `by`. */
import {
  type Chart,
  descriptorOf,
  isRelated,
  type MemberNames,
  membersIn,
  type QuorumProgress,
  type Snapshot,
  type StateNumber,
} from '../chart/chart.ts';
import { CALLER_COST, STATUS_CALLERS } from '../limits.ts';
import type { Report } from '../store/receipt-table.ts';

/**
 * Finds the callers of each count in one pass over the reports. Reports of the same state and event belong to the
 * same counts, so the counts are looked up once for all of them.
 *
 * @param counts the counts of the active states.
 * @param reports the oldest first.
 * @returns for each count, its callers. The cost of all lists together is bounded by `STATUS_CALLERS`; reports beyond
 *   it are left out.
 */
export function reportersOf(
  chart: Chart,
  snapshot: Snapshot,
  counts: readonly QuorumProgress[],
  reports: readonly Report[],
): ReadonlySet<string>[] {
  const lists = counts.map(() => new Set<string>());
  const byState = new Map<StateNumber, Map<string, Reporters[]>>();
  const { members } = snapshot.terms;
  for (const [i, { state, event, isShare }] of counts.entries()) {
    const by = lists[i];
    if (by === undefined) continue;
    const events = setDefault(byState, state, () => new Map<string, Reporters[]>());
    const visit = snapshot.active.get(state)?.number ?? 0;
    setDefault(events, event, () => []).push({
      visit,
      by,
      ...(isShare && members !== undefined ? { of: membersIn(chart, members, state) } : {}),
    });
  }
  const found = new Map<string, Reporters[]>();
  let left = STATUS_CALLERS;
  for (const { state, event, by, began } of reports) {
    const into = setDefault(found, `${state}/${event}`, () => {
      left -= byState.size;
      return [...byState].flatMap(([counting, events]) => {
        if (!isRelated(chart.model, state, counting)) return [];
        return events.get(descriptorOf(chart, counting, event) ?? '') ?? [];
      });
    });
    for (const { visit, by: callers, of } of into) {
      // A report since the visit began was counted in it.
      if (began < visit || callers.has(by) || of?.has(by) === false) continue;
      callers.add(by);
      left -= by.length + CALLER_COST;
    }
    if (left <= 0) break;
  }
  return lists;
}

/** One count of an active state, and its callers, each once. */
interface Reporters {
  /** The number of the visit: reports that began before are of an earlier one. */
  readonly visit: number;
  readonly by: Set<string>;
  /** Of a share: the members that it counts. */
  readonly of?: MemberNames;
}

function setDefault<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make();
  map.set(key, made);
  return made;
}
