import type { Command, Outcome } from '../commands.ts';
import type { ReadChart } from './chart-source.ts';
import { claim, release, renew } from './claiming.ts';
import type { Draft } from './draft.ts';
import { faultOf, overloaded, unsupported } from './faults.ts';
import { setInputs, startWith } from './inputs-of-run.ts';
import { reportByLink } from './linking.ts';
import { lock, unlock } from './locks.ts';
import { changeMembers } from './member-changes.ts';
import { override } from './overriding.ts';
import { pause, resume } from './pausing.ts';
import { resend } from './resending.ts';
import { restart, upload, uploaded } from './restart.ts';
import { update } from './update.ts';

/**
 * Applies a command to the draft of a turn. A command that throws fails alone.
 *
 * @param next the chart of a `reset` or an `upload`.
 */
export function apply(draft: Draft, command: Command, now: number, next?: ReadChart): Outcome {
  try {
    return dispatch(draft, command, now, next);
  } catch (error) {
    return faultOf(error, `a command (${command.type})`);
  }
}

function dispatch(draft: Draft, command: Command, now: number, next: ReadChart | undefined): Outcome {
  switch (command.type) {
    case 'update':
      return update(draft, command, now);
    case 'link':
      return reportByLink(draft, command, now);
    case 'claim':
      return claim(draft, command, now);
    case 'renew':
      return renew(draft, command, now);
    case 'release':
      return release(draft, command, now);
    case 'lock':
      return lock(draft, command, now);
    case 'unlock':
      return unlock(draft, command, now);
    case 'start':
      return startWith(draft, command);
    case 'inputs':
      return setInputs(draft, command, now);
    case 'pause':
      return pause(draft, command, now);
    case 'resume':
      return resume(draft, command, now);
    case 'override':
      return override(draft, command, now);
    case 'resend':
      return resend(draft, command, now);
    case 'reset':
      if (next === undefined) break;
      if (isReplaced(draft, next)) return overloaded();
      return (
        (draft.isNew ? undefined : restart(draft, next, 'reset', command, now)) ?? {
          ok: true,
          revision: draft.machine.revision,
        }
      );
    case 'upload':
      if (next === undefined) break;
      return draft.isNew ? uploaded(draft, next, true) : upload(draft, command, next, now);
    case 'members':
    case 'strike':
      return changeMembers(draft, command, now);
    case 'erase':
    case 'restore':
    case 'restored':
      break;
    default:
      // A command of a newer version of the edge.
      return unsupported();
  }
  throw new Error(`a ${command.type} cannot be applied in a turn`);
}

/** Whether another chart was uploaded after the newest one was read for a reset: it must not be undone. */
function isReplaced(draft: Draft, { source }: ReadChart): boolean {
  const uploaded = draft.uploadedText();
  return uploaded !== undefined && uploaded !== source.text;
}
