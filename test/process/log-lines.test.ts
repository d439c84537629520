/** Clients make workerd write lines, so the lines of a log are bounded. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogLines } from '../../src/cli/log-lines.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A log, and the lines that were written of it. */
function newLog() {
  const written: string[] = [];
  const log = new LogLines((text) => written.push(text));
  return { add: (text: string) => log.add(Buffer.from(text)), end: () => log.end(), written };
}

describe('a line of the log', () => {
  it('is passed on as it is', () => {
    const { add, written } = newLog();
    add('a first line\nand ä second');
    expect(written).toEqual(['a first line\n']);
    add(' one\n');
    expect(written).toEqual(['a first line\n', 'and ä second one\n']);
  });

  it('may be cut anywhere, also within a character', () => {
    const written: string[] = [];
    const log = new LogLines((text) => written.push(text));
    for (const byte of Buffer.from('größer 語\n')) log.add(Buffer.from([byte]));
    expect(written.join('')).toBe('größer 語\n');
  });

  it('is passed on without an end where the log ends', () => {
    const { add, end, written } = newLog();
    add('the last words');
    end();
    expect(written).toEqual(['the last words\n']);
  });

  it('is cut if it is long, without being kept in memory', () => {
    const { add, written } = newLog();
    for (let i = 0; i < 1_000; i++) add('x'.repeat(1_000));
    add('\nnext\n');
    expect(written.map(({ length }) => length)).toEqual([1_001, 5]);
  });
});

describe('a line that is repeated', () => {
  const line = (bytes: number) => `error: Message is too large: ${bytes} > 33554432\n`;

  it('is written ten times in a minute, whatever its numbers, and then counted', () => {
    const { add, written } = newLog();
    for (let i = 0; i < 100_000; i++) add(line(40_000_000 + i));
    expect(written).toHaveLength(10);
    vi.advanceTimersByTime(60_000);
    expect(written.slice(10)).toEqual([
      'stateservice: 99990 more lines of workerd in 60 s, most of them as above\n',
    ]);
    add(line(50_000_000));
    expect(written.at(-1)).toBe(line(50_000_000));
  });

  it('withholds its stack trace as well, and no other line', () => {
    const { add, written } = newLog();
    for (let i = 0; i < 12; i++) add(`Error: failed\n    at call (worker.js:1:${i})\nstack: 0x1\n`);
    add('another line\n');
    expect(written).toHaveLength(31);
    expect(written.at(-1)).toBe('another line\n');
  });

  it('is counted at the end of the log too', () => {
    const { add, end, written } = newLog();
    for (let i = 0; i < 11; i++) add(line(i));
    end();
    expect(written.at(-1)).toContain('1 more line');
  });
});

it('lines that all differ are at most 500 in a minute', () => {
  const { add, written } = newLog();
  const word = (i: number) => [...String(i)].map((digit) => 'abcdefghij'[Number(digit)]).join('');
  for (let i = 0; i < 10_000; i++) add(`${word(i)}\n`);
  expect(written).toHaveLength(500);
  vi.advanceTimersByTime(60_000);
  expect(written.at(-1)).toContain('9500 more lines');
});
