/** The verdict on notifications: what it accepts, and the faults that it must name. */
import { describe, expect, it } from 'vitest';
import type { Delivery } from './hooks.ts';
import { wrongMessages } from './notifications.ts';
import type { Entry, Message } from './read-answer.ts';

const SHAPE = {
  notify: [
    { on: ['a'], to: 'OPS' },
    { on: ['b', 'paused'], to: 'AUDIT' },
  ],
} as const;

/** A machine that enters a, b, a, is paused, and enters a again; the newest entry first. */
const ENTRIES: readonly Entry[] = [
  entry(5, 'update', ['a']),
  entry(4, 'pause', []),
  entry(3, 'update', ['a']),
  entry(2, 'update', ['b']),
  entry(1, 'start', ['a']),
];

function entry(id: number, cause: string, entered: string[]): Entry {
  return { id, revision: id, cause, event: null, entered };
}

function delivery(hook: Delivery['hook'], id: number, more: Partial<Delivery & { entry: Entry }> = {}) {
  const { entry: content = ENTRIES.find((other) => other.id === id), ...rest } = more;
  const body = JSON.stringify({ machine: 'fault/run', ...content });
  return { hook, body, isSigned: true, isTaken: true, ...rest };
}

function row(hook: string, id: number, status: Message['status'] = 'sent'): Message {
  return { hook, id, status };
}

const OUTBOX = [row('OPS', 1), row('AUDIT', 2), row('OPS', 3), row('AUDIT', 4), row('OPS', 5)];
const ALL = [
  delivery('OPS', 1),
  delivery('AUDIT', 2),
  delivery('OPS', 3),
  delivery('AUDIT', 4),
  delivery('OPS', 5),
];

function wrong(deliveries: readonly Delivery[], outbox: readonly Message[] = OUTBOX): string[] {
  return wrongMessages(SHAPE, ENTRIES, { machine: 'fault/run', outbox, deliveries });
}

describe('the messages of a run are right', () => {
  it('if each was taken once', () => {
    expect(wrong(ALL)).toEqual([]);
  });

  it('if one came again before the next one', () => {
    const refused = delivery('OPS', 1, { isTaken: false });
    expect(wrong([refused, delivery('OPS', 1), ...ALL])).toEqual([]);
  });

  it('if the last of a hook are pending', () => {
    const outbox = OUTBOX.map((message) => (message.id > 3 ? { ...message, status: 'pending' } : message));
    const refused = delivery('AUDIT', 4, { isTaken: false });
    expect(wrong([...ALL.slice(0, 3), refused], outbox as Message[])).toEqual([]);
  });

  it('if one tells of what is newer than the history that was read', () => {
    const newer = delivery('OPS', 6, { entry: entry(6, 'update', ['a']) });
    expect(wrong([...ALL, newer], [...OUTBOX, row('OPS', 6)])).toEqual([]);
  });
});

describe('the messages of a run are wrong', () => {
  it.each<[string, readonly Delivery[], readonly Message[], RegExp]>([
    [
      'if one was sent and did not arrive',
      ALL.slice(0, 4),
      OUTBOX,
      /^OPS: nobody took .* entry 5, which is sent$/,
    ],
    [
      'if one was never put into the outbox',
      ALL.slice(0, 4),
      OUTBOX.slice(0, 4),
      /entry 5, which is not in the outbox$/,
    ],
    [
      'if nobody has taken one that is said to be sent',
      [...ALL.slice(0, 4), delivery('OPS', 5, { isTaken: false })],
      OUTBOX,
      /^OPS: nobody took .* entry 5/,
    ],
    [
      'if one was given up',
      ALL,
      [...OUTBOX.slice(0, 4), row('OPS', 5, 'failed')],
      /^OPS: .* entry 5 was given up$/,
    ],
    ['if one came to the wrong hook', [...ALL, delivery('AUDIT', 3)], OUTBOX, /^AUDIT: .* never happened/],
    [
      'if one has another content',
      [...ALL.slice(0, 4), delivery('OPS', 5, { entry: entry(5, 'timer', ['a']) })],
      OUTBOX,
      /^OPS: .* entry 5 differs/,
    ],
    [
      'if one is not signed',
      [...ALL.slice(0, 4), delivery('OPS', 5, { isSigned: false })],
      OUTBOX,
      /^OPS: .* entry 5 is not signed$/,
    ],
    [
      'if one overtook another',
      [
        delivery('OPS', 3),
        delivery('OPS', 1),
        delivery('OPS', 5),
        delivery('AUDIT', 2),
        delivery('AUDIT', 4),
      ],
      OUTBOX,
      /^OPS: .* entry 3 came after .* out of order$/,
    ],
    [
      'if one came again after the next one',
      [...ALL, delivery('OPS', 3)],
      OUTBOX,
      /^OPS: .* entry 3 came after that about 5, out of order$/,
    ],
    [
      'if the next one came before it was taken',
      [delivery('OPS', 1, { isTaken: false }), ...ALL.slice(1), delivery('OPS', 1)],
      OUTBOX,
      /^OPS: .* entry 3 came after that about 1, out of order$/,
    ],
    [
      'if the outbox has one too many',
      ALL,
      [...OUTBOX, row('AUDIT', 5)],
      /^AUDIT: the outbox has .* entry 5/,
    ],
  ])('%s', (_, deliveries, outbox, line) => {
    const found = wrong(deliveries, outbox);
    expect(found).toContainEqual(expect.stringMatching(line));
  });
});
