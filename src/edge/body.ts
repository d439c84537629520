import type { Context } from 'hono';
import { DATA_BYTES, WEBHOOK_BYTES } from '../chart-limits.ts';
import type { Update } from '../commands.ts';
import { type Parsed, parseData } from '../inputs.ts';
import { troubleOf } from '../objects/faults.ts';
import { fitsIn, refuse } from '../refusal.ts';
import { BODY_WAIT } from '../request-limits.ts';

/**
 * Reads a body of UTF-8.
 *
 * @param most bytes; a longer body is refused without reading it to its end.
 * @param kept bytes; of a longer body only the beginning is kept, which is longer than that as well.
 * @returns the text, or a refusal; also if the body is not complete within `BODY_WAIT`.
 */
export async function readText(c: Context, most: number, kept = most): Promise<Parsed<string>> {
  const tooSlow = refuse('too-slow', `The body was not complete within ${BODY_WAIT / 1_000} s.`);
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
      const text = decoder.decode(value, { stream: true });
      if (size - value.byteLength <= kept) texts.push(text);
    }
  } catch (error) {
    // A cancelled body throws if it comes from a client, and ends if it comes from a test.
    if (isLate) return tooSlow;
    if (error instanceof TypeError) return refuse('wrong-parameter', 'The body is not UTF-8.');
    // The connection was cut, or a chunk is malformed. The platform marks it as it marks a lost call.
    if (troubleOf(error) !== undefined) return refuse('wrong-parameter', 'The body did not arrive whole.');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** What a report has of its body. */
export type ReportBody = Pick<Update, 'data' | 'isBodyLeftOut'>;

/**
 * Reads the data of a report. Whatever its `Content-Type`: `curl -d` says that its JSON is a form.
 *
 * @returns compact JSON, nothing for an empty body, or a refusal.
 */
export async function readData(c: Context): Promise<Parsed<ReportBody>> {
  if (isEmpty(c)) return NO_DATA;
  const text = await readText(c, DATA_BYTES);
  return text.ok ? dataOf(text.value) : text;
}

/**
 * Reads the body of a webhook. Its sender does not know of this service: Alertmanager sends all alerts of a group, a chat
 * tool a form. What is too large for data, or no JSON, is left out. A body that is said to be JSON and is not is refused.
 */
export async function readWebhook(c: Context): Promise<Parsed<ReportBody>> {
  if (isEmpty(c)) return NO_DATA;
  // Thousands of bodies may come slowly at once: what is left out anyway does not stay in memory.
  const text = await readText(c, WEBHOOK_BYTES, DATA_BYTES);
  if (!text.ok) return text;
  if (!fitsIn(DATA_BYTES, text.value)) return LEFT_OUT;
  const body = dataOf(text.value);
  if (body.ok) return body;
  const isJson = /^application\/([\w.-]+\+)?json\b/i.test(c.req.header('Content-Type') ?? '');
  return body.code === 'too-large' || !isJson ? LEFT_OUT : body;
}

/** Whether a request has no body, or one of no bytes. */
export function isEmpty(c: Context): boolean {
  return c.req.header('Content-Length') === '0' || c.req.raw.body === null;
}

function dataOf(text: string): Parsed<ReportBody> {
  const data = parseData(text);
  if (!data.ok) return data;
  return data.value === undefined ? NO_DATA : { ok: true, value: { data: data.value } };
}

const NO_DATA: Parsed<ReportBody> = { ok: true, value: {} };
const LEFT_OUT: Parsed<ReportBody> = { ok: true, value: { isBodyLeftOut: true } };

/** Stops reading. Cancelling a body that has failed throws, and is not needed. */
function cancel(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  reader.cancel().catch(() => {});
}
