/** *May this caller go?* as a pure function, and the amounts that it compares with. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAmount, settle, shareOf } from '../../src/chart/amount.ts';
import {
  type Chart,
  indexClaims,
  quorums,
  type Snapshot,
  send,
  start,
  turnOf,
} from '../../src/chart/chart.ts';
import { indexCooling, nextSlot, withCooling } from '../../src/chart/cooling.ts';
import { NO_TERMS, type Terms } from '../../src/chart/terms.ts';
import { openText } from './walk.ts';

const NOW = Date.parse('2026-12-01T02:00:00Z');

const FLEET: Terms = {
  inputs: {},
  members: new Map([
    ['web-01', { zone: 'eu' }],
    ['web-02', { zone: 'eu' }],
    ['db-01', { zone: 'us', role: 'db' }],
  ]),
};

function begun(text: string, terms = NO_TERMS): { chart: Chart; snapshot: Snapshot } {
  const chart = openText(text);
  const step = start(chart, NOW, terms);
  if (!step.ok) throw new Error(step.detail);
  return { chart, snapshot: step.snapshot };
}

/** Reports `update` to the first state, for each caller in turn. */
function report(chart: Chart, snapshot: Snapshot, ...callers: readonly string[]): Snapshot {
  return callers.reduce((before, by) => {
    const step = send(chart, before, { type: 'update', address: 1, by }, NOW);
    return step.ok ? step.snapshot : before;
  }, snapshot);
}

const taken = (text: string, snapshot: Snapshot, claims: readonly string[], cooling: readonly number[]) => {
  const held = claims.map((by) => ({ state: 1, by, since: NOW, until: NOW + 60_000 }));
  const cools = cooling.map((until, slot) => ({ state: 1, slot, until }));
  const situation = { snapshot, claims: indexClaims(held), cooling: indexCooling(cools) };
  return turnOf(openText(text), situation, { state: 1, by: 'web-01' }, () => false, NOW);
};

const turn = (text: string, by: string | undefined, terms = NO_TERMS, reported: readonly string[] = []) => {
  const { chart, snapshot } = begun(text, terms);
  const situation = { snapshot, claims: indexClaims([]), cooling: new Map() };
  return turnOf(chart, situation, { state: 1, by }, (event) => reported.includes(event), NOW);
};

const chart = (keys: string, quorum = '2') =>
  `initial: work\nstates:\n  work: {${keys} on: {update: {target: end, quorum: ${quorum}}, fail: end}}\n  end: {type: final}\n`;

describe('a turn', () => {
  it('without a caller is the question whether the state is current', () => {
    expect(turn(chart('only: "false",'), undefined)).toEqual({ answer: 'go' });
    const { chart: other, snapshot } = begun(chart(''));
    const situation = { snapshot, claims: indexClaims([]), cooling: new Map() };
    expect(turnOf(other, situation, { state: 2 }, () => false, NOW)).toMatchObject({ why: 'not-current' });
  });

  it('is anybody’s where the machine has no list of members', () => {
    expect(turn(chart(''), 'web-01')).toEqual({ answer: 'go' });
  });

  it('is a member’s where the machine has a list', () => {
    expect(turn(chart(''), 'web-01', FLEET)).toEqual({ answer: 'go' });
    expect(turn(chart(''), 'web-99', FLEET)).toMatchObject({ answer: 'never', why: 'not-a-member' });
  });

  it('is nobody’s where the list is empty', () => {
    expect(turn(chart(''), 'web-01', { ...FLEET, members: new Map() })).toMatchObject({
      why: 'not-a-member',
    });
  });

  it('is for the members that `only` is true of; a missing label makes it false', () => {
    const eu = chart(`only: 'member.zone == "eu"',`);
    expect(turn(eu, 'web-01', FLEET)).toEqual({ answer: 'go' });
    expect(turn(eu, 'db-01', FLEET)).toMatchObject({ answer: 'never', why: 'not-for-you' });
    expect(turn(chart(`only: 'member.role == "db"',`), 'web-01', FLEET)).toMatchObject({
      why: 'not-for-you',
    });
    expect(turn(chart(`only: 'member.name == "web-01"',`), 'web-01', FLEET)).toEqual({ answer: 'go' });
  });

  it('holds for all states inside the state that says `only`', () => {
    const text = `initial: out\nonly: 'member.zone == "us"'\nstates: {out: {only: 'member.role == "db"'}}\n`;
    expect(turn(text, 'db-01', FLEET)).toEqual({ answer: 'go' });
    expect(turn(text, 'web-01', FLEET)).toMatchObject({ why: 'not-for-you' });
  });

  it.each([
    ['only', chart('only: "true",')],
    ['a share of slots', chart('slots: 10%,')],
    ['a share as quorum', chart('', 'all')],
  ])('waits for a list of members where there is none: %s', (_, text) => {
    expect(turn(text, 'web-01')).toMatchObject({ answer: 'not-yet', why: 'no-members' });
  });

  it('is over for a caller that has reported what is counted', () => {
    const text = chart('');
    expect(turn(text, 'web-01', NO_TERMS, ['update'])).toMatchObject({
      answer: 'never',
      why: 'already-reported',
    });
    // `fail` has no quorum: it would have led away.
    expect(turn(text, 'web-01', NO_TERMS, ['fail'])).toEqual({ answer: 'go' });
  });

  it('waits for a slot: until the first lease or cooldown is over', () => {
    const text = chart('slots: 2,');
    const { snapshot } = begun(text);
    expect(taken(text, snapshot, ['a'], [])).toEqual({ answer: 'go' });
    expect(taken(text, snapshot, ['a', 'web-01'], [])).toEqual({ answer: 'go' });
    expect(taken(text, snapshot, ['a', 'b'], [])).toMatchObject({ why: 'slots-taken', again: NOW + 60_000 });
    expect(taken(text, snapshot, ['a'], [NOW + 5_000])).toMatchObject({
      why: 'slots-taken',
      again: NOW + 5_000,
    });
    expect(taken(text, snapshot, ['a'], [NOW])).toEqual({ answer: 'go' });
  });

  it('has as many slots as the share of the members comes to, rounded down, at least 1', () => {
    const text = chart('slots: 67%,');
    expect(taken(text, begun(text, FLEET).snapshot, ['web-02', 'db-01'], [])).toMatchObject({
      why: 'slots-taken',
    });
    expect(taken(text, begun(text, FLEET).snapshot, ['web-02'], [])).toEqual({ answer: 'go' });
    const tenth = chart('slots: 10%,');
    expect(taken(tenth, begun(tenth, FLEET).snapshot, [], [])).toEqual({ answer: 'go' });
    expect(taken(tenth, begun(tenth, FLEET).snapshot, ['web-02'], [])).toMatchObject({ why: 'slots-taken' });
  });
});

describe('a quorum of a share', () => {
  it('counts the members that the state is for', () => {
    const text = chart(`only: 'member.zone == "eu"',`, 'all');
    const { chart: eu, snapshot } = begun(text, FLEET);
    expect(quorums(eu, snapshot)).toMatchObject([{ have: 0, until: 2 }]);
    const one = report(eu, snapshot, 'web-01', 'db-01', 'stranger');
    expect(quorums(eu, one)).toMatchObject([{ have: 1, until: 2 }]);
    expect([...report(eu, one, 'web-02').active.keys()]).toEqual([2]);
  });

  it('is rounded up', () => {
    const { chart: most, snapshot } = begun(chart('', '34%'), FLEET);
    expect(quorums(most, snapshot)).toMatchObject([{ until: 2 }]);
  });

  it('is unknown without a list of members', () => {
    const { chart: all, snapshot } = begun(chart('', 'all'));
    expect(quorums(all, snapshot)).toMatchObject([{ until: null }]);
  });
});

describe('an amount', () => {
  it('is a number, a share or an input', () => {
    expect(['all', '95%', '0.5%', 3, 'inputs.batch'].map(parseAmount)).toEqual([
      { percent: 100 },
      { percent: 95 },
      { percent: 0.5 },
      3,
      { input: 'batch' },
    ]);
    for (const no of [0, -1, 1.5, '0%', '101%', '5', '1e1%', 'inputs.', 'inputs.a.b', 'most', null, true]) {
      expect(parseAmount(no)).toBeUndefined();
    }
  });

  it('has the value of its input, which may be a share, but no other input', () => {
    const of = (value: string | number) => settle({ input: 'x' }, { x: value });
    expect([of(5), of('5'), of('10%'), of('inputs.x'), settle({ input: 'y' }, {})]).toEqual([
      5,
      5,
      { percent: 10 },
      undefined,
      undefined,
    ]);
  });

  it('as a share is exact: never more than one off, and the whole is all', () => {
    const share = fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.nat(10_000));
    fc.assert(
      fc.property(share, ([thousandths, expected]) => {
        const percent = thousandths / 1_000;
        const [up, down] = [shareOf({ percent }, expected, 'up'), shareOf({ percent }, expected, 'down')].map(
          BigInt,
        );
        const exact = BigInt(thousandths) * BigInt(expected);
        const least = (count: bigint) => (count < 1n ? 1n : count);
        expect(up).toBe(least((exact + 99_999n) / 100_000n));
        expect(down).toBe(least(exact / 100_000n));
      }),
    );
  });
});

it('a cooldown takes the number of a slot whose cooldown is over', () => {
  const one = withCooling(new Map(), { state: 1, slot: 0, until: NOW + 1 });
  expect([nextSlot(one, 1, NOW), nextSlot(one, 1, NOW + 1), nextSlot(one, 2, NOW)]).toEqual([1, 0, 0]);
});
