import type { Context } from 'hono';
import { BODY_WAIT } from '../limits.ts';
import { type Refusal, refuse } from '../refusal.ts';

/**
 * Reads a body of UTF-8, up to a bound and a deadline (`BODY_WAIT`): what is longer is not read to its end, and a
 * client that stops sending holds nothing open.
 *
 * @param most bytes.
 */
export async function readText(
  c: Context,
  most: number,
): Promise<{ readonly ok: true; readonly value: string } | Refusal> {
  const tooSlow = refuse('too-slow', `The body was not there within ${BODY_WAIT / 1_000} s.`);
  const tooLarge = refuse('too-large', `The body has more than ${most} bytes.`);
  if (Number(c.req.header('Content-Length') ?? 0) > most) return tooLarge;
  const { body } = c.req.raw;
  if (body === null) return { ok: true, value: '' };
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    cancel(reader);
  }, BODY_WAIT);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  const texts: string[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (isLate) return tooSlow;
      if (done) return { ok: true, value: [...texts, decoder.decode()].join('') };
      size += value.byteLength;
      if (size > most) {
        cancel(reader);
        return tooLarge;
      }
      texts.push(decoder.decode(value, { stream: true }));
    }
  } catch (error) {
    // A body that comes from a client fails where it is cancelled, and one of a test ends.
    if (isLate) return tooSlow;
    if (error instanceof TypeError) return refuse('wrong-parameter', 'The body is not UTF-8.');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Ends the reading. A body that has failed cannot be cancelled, and need not be. */
function cancel(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  reader.cancel().catch(() => {});
}
