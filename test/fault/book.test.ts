/** The book of a run: until when calls that died can have taken effect, and which of them an edge may have made twice. */
import { describe, expect, it } from 'vitest';
import { Book } from './book.ts';
import type { Request } from './requests.ts';

const NAMED: Request = { type: 'update', state: 'a', event: 'update', by: 'x' };
const BARE: Request = { type: 'update', state: 'a', event: 'update' };

/** A book whose clock shows what the test sets. */
function bookAt() {
  const clock = { now: 0 };
  const book = new Book(() => clock.now);
  const at = (now: number) => {
    clock.now = now;
    return book;
  };
  return { book, at };
}

/** The calls that may have taken effect, and until when. */
function unknownIn(book: Book) {
  return book
    .history()
    .flatMap(({ client, outcome }) => (outcome.known ? [] : [[client, outcome.until] as const]));
}

describe('a call that died', () => {
  it('can have taken effect until the end of the server that ran when it died', () => {
    const { book, at } = bookAt();
    at(0).serverStarts();
    at(10).died('early', BARE, 5, 'hung up');
    at(100).serverEnded();
    at(105).died('late', BARE, 95, 'cut off');
    at(110).serverStarts();
    at(120).died('next', BARE, 115, 'hung up');
    at(200).serverEnded();
    expect(unknownIn(book)).toEqual([
      ['early', 100],
      ['late', 100],
      ['next', 200],
    ]);
    expect(book.cutOff).toBe(1);
  });

  it('takes effect within 5 s or never, however long its server runs on', () => {
    const { book, at } = bookAt();
    at(0).serverStarts();
    at(10).died('early', BARE, 5, 'lost');
    at(58_000).died('late', BARE, 57_990, 'lost');
    at(60_000).serverEnded();
    expect(unknownIn(book)).toEqual([
      ['early', 5_010],
      ['late', 60_000],
    ]);
  });

  it('shows nothing if it only reads', () => {
    const { book, at } = bookAt();
    at(0).serverStarts();
    at(10).died('reader', { type: 'status' }, 5, 'hung up');
    expect(book.history()).toEqual([]);
  });
});

describe('a call that was in flight when its connection was cut', () => {
  it('may have been executed before, if edges make it again', () => {
    const { book, at } = bookAt();
    at(0).serverStarts();
    at(50).isCut();
    const answer = { status: 200, revision: 2 };
    at(60).answered('named', NAMED, 40, answer);
    at(60).answered('bare', BARE, 40, answer);
    at(60).answered('before', NAMED, 55, answer);
    at(40).answered('after', NAMED, 30, answer);
    at(70).died('died', NAMED, 45, 'lost');
    at(100).serverEnded();
    expect(unknownIn(book)).toEqual([
      ['died', 100],
      ['named, before a cut', 100],
      ['died, before a cut', 100],
    ]);
  });

  it('may have been executed before, if its client had hung up shortly before the cut', () => {
    const { book, at } = bookAt();
    at(0).serverStarts();
    at(10).died('gone', NAMED, 8, 'hung up');
    at(10).died('told', NAMED, 8, 'lost');
    at(2_100).isCut();
    at(2_000).died('later', NAMED, 1_990, 'hung up');
    at(3_000).serverEnded();
    expect(unknownIn(book)).toEqual([
      ['gone', 3_000],
      ['told', 3_000],
      ['later', 3_000],
      ['later, before a cut', 3_000],
    ]);
  });
});
