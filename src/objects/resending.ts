import type { Accepted, Resend } from '../commands.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { Draft } from './draft.ts';
import { factsOf } from './refusal-parts.ts';

/** Sends the messages about an entry of the history again. Pending ones are tried at once. */
export function resend(draft: Draft, { entry, to, by, sub }: Resend, now: number): Accepted | Refusal {
  const { machine } = draft;
  const found = draft.notifications(entry).filter(({ hook }) => to === undefined || hook === to);
  if (found.length === 0) {
    const receiver = to === undefined ? '' : ` to ${JSON.stringify(to)}`;
    const detail = `The outbox has no message${receiver} about the entry ${entry}; GET …/notifications lists them.`;
    return refuse('no-such-notification', detail, { machine: factsOf(machine) });
  }
  for (const message of found) draft.messages.resend(message);
  const notes = [`the entry ${entry}, to ${found.map(({ hook }) => hook).join(', ')}`];
  draft.note(now, { cause: 'resend', event: null, state: null, by: by ?? null, sub: sub ?? null, notes });
  return { ok: true, revision: machine.revision };
}
