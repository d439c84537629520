/** Sends the requests of a session, and compares answers of different versions. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Step } from './sessions.ts';

/** An answer without moments, and without what is different each time. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly etag: string | null;
  readonly hasRetryAfter: boolean;
  /** JSON, or text that callers parse; undefined if it is for people: a page, a picture. */
  readonly body: unknown;
}

/** Sends the requests of a session in order. @returns their answers, and those of what was sent meanwhile, by the request. */
export async function play(url: string, steps: readonly Step[]): Promise<readonly [string, Answer][]> {
  const answers: [string, Answer][] = [];
  for (const step of steps) {
    const { meanwhile } = step;
    const opened = Promise.withResolvers<void>();
    const sent = send(url, step, opened.resolve);
    if (meanwhile !== undefined) {
      // A watch that is not open yet would miss its event. A wait that comes too late is answered at once.
      await Promise.race([step.path.endsWith('/watch') ? opened.promise : pause(SETTLED), sent]);
      answers.push([nameOf(meanwhile), await send(url, meanwhile)]);
    }
    answers.push([nameOf(step), await sent]);
  }
  return answers;
}

const SETTLED = 100;

function nameOf({ method, path }: Step): string {
  return `${method} ${path}`;
}

/**
 * @param opened is called when the headers of the answer have come, or the WebSocket is open.
 * @throws if the request is not answered with the status that the step expects.
 */
async function send(url: string, step: Step, opened = () => {}): Promise<Answer> {
  if (step.status === 101) return firstMessage(url + step.path, opened);
  const { method, path, headers = {}, body = null } = step;
  const signal = AbortSignal.timeout(15_000);
  const response = await fetch(url + path, { method, headers, body, signal, redirect: 'manual' });
  opened();
  const type = (response.headers.get('Content-Type') ?? '').split(';')[0] ?? '';
  const text = type === 'text/event-stream' ? await firstEvent(response) : await response.text();
  if (response.status !== step.status)
    throw new Error(`${method} ${path} was answered ${response.status}, not ${step.status}: ${text}`);
  return {
    status: response.status,
    type,
    etag: response.headers.get('ETag'),
    hasRetryAfter: response.headers.has('Retry-After'),
    body: PUBLISHED.has(path) ? undefined : read(type, text),
  };
}

/** Reads the first event of a stream, and leaves. */
async function firstEvent({ body }: Response): Promise<string> {
  if (body === null) throw new Error('a stream has no body');
  let text = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const data = /^data: (.*)\n\n/m.exec(text)?.[1];
    if (data !== undefined) return data;
  }
  throw new Error(`a stream has ended after ${JSON.stringify(text)}`);
}

/** Opens a WebSocket. @returns its first message. */
function firstMessage(url: string, opened: () => void): Promise<Answer> {
  const socket = new WebSocket(url.replace('http', 'ws'));
  return new Promise((done, fail) => {
    socket.addEventListener('open', opened);
    socket.addEventListener('error', () => fail(new Error(`no WebSocket was opened at ${url}`)));
    socket.addEventListener('message', ({ data }) => {
      socket.close();
      done({ status: 101, type: '', etag: null, hasRetryAfter: false, body: read(JSON_TYPE, String(data)) });
    });
  });
}

const JSON_TYPE = 'application/json';

/** Documents of the service itself, which grow in the middle. */
const PUBLISHED = new Set(['/openapi.json', '/schema.json']);

/** The types whose text is for programs; `text/event-stream` is the data of its first event here. */
const READ_AS_JSON = new Set([JSON_TYPE, 'application/problem+json', 'text/event-stream']);
const READ_AS_TEXT = new Set(['text/plain', 'application/yaml']);

function read(type: string, text: string): unknown {
  if (READ_AS_JSON.has(type)) return JSON.parse(text.replaceAll(MOMENT, 'moment'));
  if (text.startsWith('# HELP')) return metricsIn(text);
  return READ_AS_TEXT.has(type) ? text.replaceAll(MOMENT, 'moment') : undefined;
}

/** The metrics by their names, each with its type: their values are of the moment. */
function metricsIn(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]),
  );
}

const MOMENT = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;

/** Members whose words may be improved. */
const PROSE = new Set(['title', 'detail', 'message', 'hint']);

/** Limits that were lowered on purpose since the last release: of what one answer has, for the sake of other tenants. */
const LOWERED = new Set(['statusCallersLength']);

/**
 * Compares an answer with that of an earlier version: all that was there is there still, and the same. An answer may have
 * more members, and greater limits.
 *
 * @returns where they differ.
 */
export function missing(earlier: unknown, later: unknown, at = ''): string[] {
  if (Array.isArray(earlier) && Array.isArray(later)) {
    if (earlier.length !== later.length) return [`${at}: ${earlier.length} entries, not ${later.length}`];
    return earlier.flatMap((entry, i) => missing(entry, later[i], `${at}[${i}]`));
  }
  if (isObject(earlier) && isObject(later)) {
    return Object.entries(earlier).flatMap(([key, value]) =>
      PROSE.has(key) ? [] : missing(value, later[key], `${at}.${key}`),
    );
  }
  // An answer may gain a tag.
  if (earlier === null && at.endsWith('.etag')) return [];
  const [, limit] = /\.limits\.(\w+)$/.exec(at) ?? [];
  if (limit !== undefined && (LOWERED.has(limit) || Number(later) >= Number(earlier))) return [];
  return Object.is(earlier, later)
    ? []
    : [`${at}: ${JSON.stringify(earlier)}, then ${JSON.stringify(later)}`];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
