/** The delivery of one message, by the Standard Webhooks specification, 1.0 (https://www.standardwebhooks.com/). */
import { type Hook, LOOP_HEADER } from '../hook.ts';
import { NOTIFICATION_TIMEOUT } from '../limits.ts';
import type { HistoryEntry } from '../store/history-table.ts';
import { showEntry } from './shown-entry.ts';

/** What came of an attempt. */
export type Attempt =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** Says nothing of the address or of the answer but its status. */
      readonly failure: string;
      /** Whether no further attempt can succeed. */
      readonly isFinal: boolean;
      /** The receiver's `Retry-After`, in ms. */
      readonly retryAfter?: number;
    };

/** A hook, and the mark of its messages. */
export interface Receiver {
  readonly hook: Hook;
  /** The value of `LOOP_HEADER`. */
  readonly mark: string;
}

/**
 * Sends an entry of a machine's history. Redirects are not followed, and the body of the answer is not read.
 *
 * @param now ms since the epoch.
 */
export async function deliver(
  { hook, mark }: Receiver,
  machine: string,
  entry: HistoryEntry,
  now: number,
): Promise<Attempt> {
  const id = messageId(machine, entry);
  const body = JSON.stringify({ machine, ...showEntry(entry) });
  const timestamp = Math.floor(now / 1_000);
  const content = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const signatures = await Promise.all(hook.secrets.map((secret) => sign(secret, content)));
  // Not `AbortSignal.timeout`: its timer would keep the object awake after the answer.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), NOTIFICATION_TIMEOUT);
  try {
    const response = await fetch(hook.address, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'User-Agent': 'StateService',
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signatures.join(' '),
        [LOOP_HEADER]: mark,
      },
      body,
      redirect: 'manual',
      signal: late.signal,
    });
    // Not awaited: the end of a body may never come.
    response.body?.cancel().catch(() => {});
    return outcomeOf(response);
  } catch {
    const failure = late.signal.aborted
      ? `no answer within ${NOTIFICATION_TIMEOUT / 1_000} s`
      : 'no connection';
    return { ok: false, failure, isFinal: false };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Returns the `webhook-id` of an entry: the same in each attempt, and of no other message. The id of the entry alone is
 * not enough: a receiver may hear of many machines, and a machine that was deleted and began again counts its entries
 * from 1, but its revisions from where they were. There is no full stop in it, which separates the parts of what is signed.
 */
function messageId(machine: string, { revision, id }: HistoryEntry): string {
  return `${machine.replaceAll('.', '%2E')}:${revision}:${id}`;
}

async function sign(secret: Uint8Array<ArrayBuffer>, content: Uint8Array): Promise<string> {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ]);
  const signature = new Uint8Array(await crypto.subtle.sign('HMAC', key, content));
  return `v1,${btoa(String.fromCharCode(...signature))}`;
}

function outcomeOf({ ok, status, headers }: Response): Attempt {
  if (ok) return { ok: true };
  const seconds = Number(headers.get('Retry-After') ?? Number.NaN);
  const isRedirect = status >= 300 && status < 400;
  return {
    ok: false,
    failure: `answered ${status}${isRedirect ? ', and redirects are not followed' : ''}`,
    isFinal: FINAL.has(status),
    ...(seconds > 0 ? { retryAfter: seconds * 1_000 } : {}),
  };
}

/** Gone, by which a receiver ends its subscription (Standard Webhooks), and Loop Detected: the receiver is this service. */
const FINAL: ReadonlySet<number> = new Set([410, 508]);
