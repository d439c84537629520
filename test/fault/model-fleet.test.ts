/** The model of members, paces, pauses, windows and inputs: what it accepts, and what it refuses. */
import { describe, expect, it } from 'vitest';
import { NO_TERMS, type Terms } from '../../src/chart/chart.ts';
import { answered, ask, type Call, chartOf, claimOf, isAccepted, refused, report, yes } from './histories.ts';
import type { Answer, Request } from './requests.ts';

const SHARE = chartOf('initial: a\nstates: {a: {on: {update: {target: b, quorum: all}}}, b: {}}');
const ZONES = chartOf(
  'initial: a\nstates: {a: {only: \'member.zone == "eu"\', on: {update: {target: b, quorum: all}}}, b: {}}',
);
const PACED = chartOf(
  'initial: a\ninputs: {batch: 1}\nstates: {a: {slots: inputs.batch, lease: 9s, cooldown: 1s, on: {update: {target: b, quorum: 9}}}, b: {}}',
);
const TIMED = chartOf(
  'initial: a\nstates: {a: {after: {1s: b}, on: {update: {target: b, quorum: 9}}}, b: {}}',
);
const NIGHTS = chartOf(
  'initial: a\nstates: {a: {window: {cron: "*/2 * * * *", for: 1m, cutoff: 20s}, on: {update: b}}, b: {}}',
);
const BATCH: Terms = { ...NO_TERMS, inputs: { batch: 1 } };

/** A command of an operator that is accepted. */
function operate(called: number, request: Request, revision: number, more: Partial<Answer> = {}): Call {
  return answered(called, request, { status: 204, revision, ...more });
}

function setMembers(called: number, list: readonly [string, object][], revision: number, more = {}): Call {
  const members = { total: list.length, added: list.length, removed: 0, relabelled: 0, ...more };
  return operate(called, { type: 'members', list: JSON.stringify(list) }, revision, { status: 200, members });
}

function strike(called: number, member: string, revision: number, total: number): Call {
  const members = { total, added: 0, removed: 1, relabelled: 0 };
  return operate(called, { type: 'strike', member }, revision, { status: 200, members });
}

function askBy(called: number, by: string, answer: Answer): Call {
  return answered(called, { type: 'is', state: 'a', by }, answer);
}

function claimBy(called: number, by: string, answer: Answer): Call {
  return answered(called, { ...claimOf(by), state: 'a' }, answer);
}

function taken(revision: number, holders: readonly string[]): Answer {
  return { ...refused(revision, 'slots-taken', ['a']), holders };
}

const MEMBERS: [string, object][] = [
  ['x', {}],
  ['y', {}],
];

describe('an ask for one caller', () => {
  it('is yes before the caller’s report, and no after it', () => {
    const history = [askBy(10, 'x', yes(1)), report(20, { by: 'x' }, 2), askBy(30, 'y', yes(2))];
    const chart = chartOf('initial: a\nstates: {a: {on: {update: {target: b, quorum: 3}}}, b: {}}');
    expect(isAccepted([...history, askBy(40, 'x', refused(2, 'already-reported', ['a']))], chart)).toBe(true);
    expect(isAccepted([...history, askBy(40, 'x', yes(2))], chart)).toBe(false);
  });
});

describe('members', () => {
  const begun = setMembers(10, MEMBERS, 2);

  it('alone report', () => {
    const stranger = (answer: Answer) => [
      begun,
      answered(20, { type: 'update', state: 'a', event: 'update', by: 'z' }, answer),
    ];
    expect(isAccepted(stranger(refused(2, 'not-a-member', ['a'])), SHARE)).toBe(true);
    expect(isAccepted(stranger(yes(3)), SHARE)).toBe(false);
  });

  it('that are struck off report no more, and are not counted', () => {
    const struck = [begun, report(20, { by: 'x' }, 3), strike(30, 'x', 4, 1)];
    expect(isAccepted([...struck, askBy(40, 'x', refused(4, 'not-a-member', ['a']))], SHARE)).toBe(true);
    expect(isAccepted([...struck, askBy(40, 'x', yes(4))], SHARE)).toBe(false);
    // One of one: the report of the only member that is left.
    expect(isAccepted([...struck, report(40, { by: 'y' }, 5), ask(50, 'b', yes(5))], SHARE)).toBe(true);
    const third = setMembers(
      35,
      [
        ['y', {}],
        ['z', {}],
      ],
      5,
      { added: 1 },
    );
    const counted = [...struck, third, report(40, { by: 'y' }, 6)];
    expect(isAccepted([...counted, ask(50, 'a', yes(6))], SHARE)).toBe(true);
    expect(isAccepted([...counted, ask(50, 'b', yes(6))], SHARE)).toBe(false);
  });

  it('of whom the last that is missing is struck off take the transition', () => {
    const struck = [begun, report(20, { by: 'x' }, 3)];
    // The change, and the transition.
    expect(isAccepted([...struck, strike(30, 'y', 5, 1), ask(40, 'b', yes(5))], SHARE)).toBe(true);
    expect(isAccepted([...struck, strike(30, 'y', 4, 1), ask(40, 'a', yes(4))], SHARE)).toBe(false);
  });

  it('with other labels have another part', () => {
    const zone = (name: string): [string, object][] => [['x', { zone: name }]];
    const begunThere = setMembers(10, zone('us'), 2);
    const moved = setMembers(30, zone('eu'), 3, { added: 0, relabelled: 1 });
    const history = [begunThere, askBy(20, 'x', refused(2, 'not-for-you', ['a'])), moved];
    expect(isAccepted([...history, askBy(40, 'x', yes(3))], ZONES)).toBe(true);
    expect(isAccepted([...history, askBy(40, 'x', refused(3, 'not-for-you', ['a']))], ZONES)).toBe(false);
    expect(isAccepted([begunThere, askBy(20, 'x', yes(2))], ZONES)).toBe(false);
  });

  it('are told who is missing', () => {
    const missing = (names: readonly string[]) => answered(30, { type: 'missing' }, { ...yes(3), names });
    const history = [begun, report(20, { by: 'x' }, 3)];
    expect(isAccepted([...history, missing(['y'])], SHARE)).toBe(true);
    expect(isAccepted([...history, missing(['x', 'y'])], SHARE)).toBe(false);
  });
});

describe('a pace', () => {
  const reported = [
    claimBy(10, 'x', { ...yes(2), moments: { leases: [{ state: 'a', by: 'x', until: 9_010 }] } }),
    report(20, { by: 'x' }, 3),
  ];

  it('keeps a slot taken until its cooldown is over', () => {
    const claimed = { ...yes(4), moments: { leases: [] } };
    expect(isAccepted([...reported, claimBy(900, 'y', taken(3, []))], PACED, BATCH)).toBe(true);
    expect(isAccepted([...reported, claimBy(1_100, 'y', claimed)], PACED, BATCH)).toBe(true);
    expect(isAccepted([...reported, claimBy(900, 'y', claimed)], PACED, BATCH)).toBe(false);
    expect(isAccepted([...reported, claimBy(1_100, 'y', taken(3, []))], PACED, BATCH)).toBe(false);
  });

  it('follows other inputs at once', () => {
    const more = operate(30, { type: 'inputs', inputs: { batch: '2' } }, 4);
    const free = askBy(40, 'y', yes(4));
    expect(isAccepted([...reported, more, free], PACED, BATCH)).toBe(true);
    expect(isAccepted([...reported, more, askBy(40, 'y', taken(4, []))], PACED, BATCH)).toBe(false);
    expect(isAccepted([...reported, free], PACED, BATCH)).toBe(false);
  });
});

describe('a pause', () => {
  const pause = (lasts?: number) =>
    operate(500, { type: 'pause', ...(lasts === undefined ? {} : { lasts }) }, 2);
  const resume = operate(1_500, { type: 'resume' }, 3);
  const left = (revision: number) => refused(revision, 'cannot-come', ['b']);

  it('holds all callers back, and reports count', () => {
    const history = [pause(), report(600, { by: 'x' }, 3)];
    expect(isAccepted([...history, ask(700, 'a', refused(3, 'paused', ['a']))], TIMED)).toBe(true);
    expect(isAccepted([...history, ask(700, 'a', yes(3))], TIMED)).toBe(false);
  });

  it('lets the timers stand still, and go on with what was left of them', () => {
    expect(isAccepted([pause(), resume, ask(1_900, 'a', yes(3)), ask(2_100, 'a', left(4))], TIMED)).toBe(
      true,
    );
    expect(isAccepted([pause(), resume, ask(2_100, 'a', yes(3))], TIMED)).toBe(false);
    // Its timers ran on.
    expect(isAccepted([pause(), resume, ask(1_900, 'a', left(4))], TIMED)).toBe(false);
    expect(isAccepted([pause(), ask(1_400, 'a', left(3))], TIMED)).toBe(false);
  });

  it('ends by itself, and the timers go on from there', () => {
    const history = [pause(1_000), ask(1_400, 'a', refused(2, 'paused', ['a'])), ask(1_600, 'a', yes(3))];
    expect(isAccepted([...history, ask(1_900, 'a', yes(3)), ask(2_100, 'a', left(4))], TIMED)).toBe(true);
    expect(isAccepted([pause(1_000), ask(1_400, 'a', yes(3))], TIMED)).toBe(false);
    expect(isAccepted([pause(1_000), ask(1_600, 'a', refused(2, 'paused', ['a']))], TIMED)).toBe(false);
  });
});

describe('a window', () => {
  it('is closed from its cutoff until it opens again', () => {
    const closed = refused(1, 'closed', ['a']);
    const MINUTE = 60_000;
    expect(isAccepted([askBy(39_900, 'x', yes(1)), askBy(40_100, 'x', closed)], NIGHTS)).toBe(true);
    expect(isAccepted([askBy(40_100, 'x', yes(1))], NIGHTS)).toBe(false);
    expect(isAccepted([askBy(39_900, 'x', closed)], NIGHTS)).toBe(false);
    expect(
      isAccepted([askBy(2 * MINUTE - 100, 'x', closed), askBy(2 * MINUTE + 100, 'x', yes(1))], NIGHTS),
    ).toBe(true);
    // Without a caller, the state is current all the same.
    expect(isAccepted([ask(40_100, 'a', yes(1))], NIGHTS)).toBe(true);
  });
});

describe('a move by hand', () => {
  it('leads to the state, which begins anew', () => {
    const move = operate(900, { type: 'override', to: 'a', reason: 'a test' }, 2);
    expect(isAccepted([move, ask(1_100, 'a', yes(2))], TIMED)).toBe(true);
    expect(isAccepted([move, ask(1_100, 'a', refused(3, 'cannot-come', ['b']))], TIMED)).toBe(false);
  });
});

describe('a start with inputs', () => {
  it('changes nothing where the machine has begun with them, and is refused with others', () => {
    const start = (batch: string, answer: Answer) =>
      answered(10, { type: 'start', inputs: { batch } }, answer);
    const same = { status: 204, revision: 1 };
    const others = refused(1, 'other-inputs', ['a'], 409);
    expect(isAccepted([start('1', same)], PACED, BATCH)).toBe(true);
    expect(isAccepted([start('2', others)], PACED, BATCH)).toBe(true);
    expect(isAccepted([start('2', same)], PACED, BATCH)).toBe(false);
  });
});
