/** What happens to a simulated world from outside: requests and faults, each with its moment. */
import { Random } from '../process/coordination/random.ts';
import { seedOf } from './scheduler.ts';
import { type SimulatedChart, simulatedCharts } from './simulated-charts.ts';

/** What a client wants. Which state it names is decided when it asks: `pick` from 0 to 1 among those that fit. */
type Deed =
  | {
      readonly type: 'report';
      readonly pick: number;
      readonly event: string;
      readonly by?: string;
      readonly key?: string;
    }
  | { readonly type: 'ask'; readonly pick: number; readonly by?: string; readonly wait: number }
  | { readonly type: 'status'; readonly wait: number }
  | { readonly type: 'claim' | 'renew' | 'release'; readonly pick: number; readonly by: string }
  | { readonly type: 'pause'; readonly until?: number }
  | { readonly type: 'resume' | 'reset' | 'erase' | 'start' }
  | { readonly type: 'override'; readonly pick: number }
  | { readonly type: 'members' | 'strike'; readonly pick: number };

export interface Action {
  readonly id: number;
  /** Simulated ms. */
  readonly at: number;
  /** The path of the chart. */
  readonly machine: string;
  /** Over one of two isolates that coalesce their requests, or over one of its own. */
  readonly via: 'shared' | 'other' | 'own';
  readonly deed: Deed;
  /** The state is one that the machine is not known to be in. */
  readonly isBlind: boolean;
  /** After how many ms the client leaves; absent if it waits for its answer. */
  readonly leaves?: number;
  /** After how many ms the client sends the same request again, whatever came of it. */
  readonly again?: readonly number[];
}

const FAULTS = [
  'kill',
  'kill-at-step',
  'fail-commit',
  'throw',
  'break-storage',
  'second',
  'second-shared',
  'lose-calls',
  'lose-answers',
  'slow',
  'alarm-late',
  'alarm-twice',
  'alarm-dropped',
] as const;

export interface Fault {
  readonly kind: (typeof FAULTS)[number];
  /** Simulated ms. */
  readonly at: number;
  /** The path of the machine's chart; `registry` for the tenant's object. */
  readonly machine: string;
  /** How many, how many ms, or after how many steps. */
  readonly amount: number;
}

export interface Plan {
  readonly seed: number;
  /** Until when there are requests and faults, simulated ms. */
  readonly length: number;
  readonly actions: readonly Action[];
  readonly faults: readonly Fault[];
}

/** The longest fault: after so many ms, its effect on callers is over. */
export const FAULT_LENGTH = 6_000;

/** How long messages to and from an object are slow, ms. */
export const SLOW_FOR = FAULT_LENGTH - 1_000;

const CALLERS = ['web-0', 'web-1', 'web-2', 'web-3', 'web-4', 'web-5'];

export function planOf(seed: number): Plan {
  const random = new Random(seedOf(seed, 'plan'));
  const length = 20_000 + whole(random, 0, 60_000);
  const charts = simulatedCharts('000000').filter(() => random.chance(0.6));
  const machines = charts.length === 0 ? simulatedCharts('000000').slice(1, 2) : charts;
  const kinds = FAULTS.filter(() => random.chance(0.5));
  const eventful = random.chance(0.1);
  const begin = machines.some(({ members }) => members !== undefined) ? [membersFirst()] : [];
  const requests = Array.from({ length: whole(random, 20, 300) }, (_, i) =>
    action(random, i + 1, length, machines, eventful),
  );
  const actions = [...begin, ...requests];
  const faults = Array.from({ length: kinds.length === 0 ? 0 : whole(random, 0, 40) }, () =>
    fault(random, length, machines, kinds),
  );
  return { seed, length, actions, faults };
}

/** Most of what a fleet can do needs its members. */
function membersFirst(): Action {
  return { id: 0, at: 0, machine: 'fleet@1', via: 'own', deed: { type: 'members', pick: 1 }, isBlind: false };
}

function action(
  random: Random,
  id: number,
  length: number,
  machines: readonly SimulatedChart[],
  eventful: boolean,
): Action {
  const chart = oneOf(random, machines);
  // Half of them come within some ms of others, so that calls are coalesced, and commands share commits.
  const at = random.chance(0.5) ? whole(random, 0, 8) * (length / 9) + random.below(8) : random.below(length);
  const deed = deedOf(random, id, chart, eventful);
  const repeats =
    deed.type === 'report' && (deed.by !== undefined || deed.key !== undefined) && random.chance(0.3);
  return {
    id,
    at,
    machine: chart.path,
    via: oneOf(random, ['shared', 'shared', 'other', 'own'] as const),
    deed,
    isBlind: random.chance(0.15),
    ...(random.chance(0.08) ? { leaves: random.below(500) } : {}),
    ...(repeats
      ? {
          again: Array.from({ length: whole(random, 1, 2) }, () =>
            random.below(random.chance(0.5) ? 20 : 4_000),
          ),
        }
      : {}),
  };
}

function deedOf(random: Random, id: number, chart: SimulatedChart, eventful: boolean): Deed {
  const pick = random.below(1);
  const by = oneOf(random, chart.members ?? CALLERS);
  const hasSlots = Object.keys(chart.slots).length > 0;
  const isNamed = chart.members !== undefined || random.chance(0.6);
  const draw = random.below(1);
  if (hasSlots && random.chance(0.2)) {
    return {
      type: oneOf(random, ['claim', 'claim', 'claim', 'claim', 'renew', 'release'] as const),
      pick,
      by,
    };
  }
  if (draw < 0.52) {
    const key = random.chance(0.3) ? { key: `key-${id}` } : {};
    const event = random.chance(0.8) ? 'update' : oneOf(random, chart.events);
    return { type: 'report', pick, event, ...(isNamed ? { by } : {}), ...key };
  }
  if (draw < 0.74) {
    const wait = random.chance(0.7) ? whole(random, 100, 30_000) : 0;
    return { type: 'ask', pick, wait, ...(random.chance(0.3) ? { by } : {}) };
  }
  if (draw < 0.83) return { type: 'status', wait: random.chance(0.7) ? whole(random, 100, 20_000) : 0 };
  if (draw < 0.89)
    return random.chance(0.8) ? { type: 'pause', until: whole(random, 500, 8_000) } : { type: 'pause' };
  if (draw < 0.93) return { type: 'resume' };
  if (draw < 0.96) return { type: 'override', pick };
  if (chart.members !== undefined) return { type: random.chance(0.7) ? 'members' : 'strike', pick };
  if (!eventful) return { type: 'start' };
  return { type: oneOf(random, ['reset', 'erase', 'start'] as const) };
}

function fault(
  random: Random,
  length: number,
  machines: readonly SimulatedChart[],
  kinds: readonly Fault['kind'][],
): Fault {
  const kind = oneOf(random, kinds);
  const machine = random.chance(0.06) ? 'registry' : oneOf(random, machines).path;
  // Most hit when there is much to hit.
  const at = random.chance(0.6)
    ? whole(random, 0, 8) * (length / 9) + random.below(20)
    : random.below(length);
  return { kind, at, machine, amount: amountOf(random, kind) };
}

function amountOf(random: Random, kind: Fault['kind']): number {
  switch (kind) {
    case 'kill-at-step':
      return whole(random, 0, 8);
    case 'throw':
      return whole(random, 0, 12);
    case 'break-storage':
      return random.below(2_000);
    case 'second':
    case 'second-shared':
    case 'slow':
      return random.below(SLOW_FOR);
    case 'alarm-late':
      return random.below(60_000);
    case 'lose-calls':
    case 'lose-answers':
      return whole(random, 1, 3);
    default:
      return 1;
  }
}

/** A whole number from `least` to `most`. */
function whole(random: Random, least: number, most: number): number {
  return least + Math.floor(random.below(most - least + 1));
}

function oneOf<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[Math.floor(random.below(items.length))];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
}
