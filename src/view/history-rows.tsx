/** Entries of a machine's history as a table. */
import type { View } from '../objects/view-data.ts';
import { innermost, shortened } from './format.ts';
import { Moment } from './page.tsx';

/** Characters of an entry's data on the page; the history has all of them. */
const DATA_SHOWN = 80;

interface HistoryRowsProps {
  readonly entries: View['history'];
  /** The machine's path. */
  readonly path: string;
  readonly now: number;
}

/** Each entry: when, what, by whom, and which states were entered. The time links to the entry itself. */
export function HistoryRows({ entries, path, now }: HistoryRowsProps) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">What</th>
          <th scope="col">By</th>
          <th scope="col" class="wide">
            Entered
          </th>
        </tr>
      </thead>
      <tbody>
        {entries.map(({ id, at, cause, event, state, by, sub, to, entered = to, notes, data }) => (
          <tr data-key={String(id)} id={`e${id}`}>
            <td>
              <a href={`${path}/history?before=${id + 1}#e${id}`}>
                <Moment at={new Date(at).toISOString()} now={now} />
              </a>
            </td>
            <td>
              {[cause, event === cause ? null : event, state].filter(Boolean).join(' ')}
              {data === undefined ? null : <p class="soft">{shortened(data, DATA_SHOWN)}</p>}
              {notes.map((note) => (
                <p class="soft">{note}</p>
              ))}
            </td>
            <td>{by ?? sub ?? ''}</td>
            <td class="wide">{innermost(entered).join(', ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
