/** Entries of a machine's history as a table. */
import type { View } from '../objects/view-data.ts';
import { innermost, shortened } from './format.ts';
import { Moment, Name } from './page.tsx';

/** Characters of an entry's data, of its names and of a note on the page; the history has all of them. */
const DATA_SHOWN = 80;
const NAMES_SHOWN = 160;
const NOTE_SHOWN = 300;
/** Notes of an entry on the page. */
const NOTES_SHOWN = 3;

interface HistoryRowsProps {
  readonly entries: View['history'];
  /** The machine's path. */
  readonly path: string;
  readonly now: number;
}

/** Each entry: when, what, which states it entered, and by whom. The time links to the entry itself. */
export function HistoryRows({ entries, path, now }: HistoryRowsProps) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">What</th>
          <th scope="col">By</th>
        </tr>
      </thead>
      <tbody>
        {entries.map(({ id, at, by, sub, notes, data, ...change }) => (
          <tr data-key={String(id)} id={`e${id}`}>
            <td>
              <a href={`${path}/history?before=${id + 1}#e${id}`}>
                <Moment at={new Date(at).toISOString()} now={now} />
              </a>
            </td>
            <td>
              <Change {...change} length={NAMES_SHOWN} />
              {data === undefined ? null : <p class="soft">{shortened(data, DATA_SHOWN)}</p>}
              {notes.slice(0, NOTES_SHOWN).map((note) => (
                <p class="soft">{shortened(note, NOTE_SHOWN)}</p>
              ))}
            </td>
            <td>{by ?? sub ?? ''}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

type ChangeProps = Pick<View['history'][number], 'cause' | 'event' | 'state' | 'to' | 'entered'> & {
  /** Characters of its names. */
  readonly length: number;
};

/** What an entry says: what happened, and which states it entered. */
export function Change({ cause, event, state, to, entered = to, length }: ChangeProps) {
  return (
    <>
      <Name text={shortened(whatOf(cause, event, state), length)} />
      {entered.length === 0 ? null : (
        <p>
          → <Name text={shortened(innermost(entered).join(', '), length)} />
        </p>
      )}
    </>
  );
}

/** @returns the event of a report with its state; of anything else the cause as well. */
function whatOf(cause: string, event: string | null, state: string | null): string {
  const parts = cause === 'update' ? [event ?? cause, state] : [cause, event === cause ? null : event, state];
  return parts.filter(Boolean).join(' ');
}
