/** The form that puts a machine back to a moment. It needs no script; with it, it asks first. */
import type { View } from '../objects/view-data.ts';
import { asked } from './action.tsx';
import { ChartHeader, type ChartHeaderProps } from './chart-header.tsx';
import { Questions } from './dialogs.tsx';
import { momentText } from './format.ts';
import { Change } from './history-rows.tsx';
import { Page } from './page.tsx';

interface RestorePageProps extends Omit<ChartHeaderProps, 'title'> {
  /** How many days back a machine can be put. */
  readonly days: number;
  /** The moment, as it was typed. */
  readonly at: string;
  /** What is wrong with it. */
  readonly problem?: string | undefined;
  /** The newest entries of the history; none of a machine that was deleted. */
  readonly entries: View['history'];
  /** ms since the epoch */
  readonly now: number;
}

/** Characters of what an entry says. */
const ENTRY_SHOWN = 120;

export function RestorePage(props: RestorePageProps) {
  const { name, path, days, at, problem, entries, viewer, now } = props;
  return (
    <Page title={`Restore · ${name}`} icon={{ sign: name, outcome: 'active' }}>
      <ChartHeader {...props} title={`Restore ${name}`} />
      <main class="stack" data-by={viewer?.by ?? viewer?.sub}>
        <section aria-labelledby="restore" class="held">
          <h2 id="restore">Put the machine back to a moment</h2>
          <p>What came after the moment is undone:</p>
          <ul>
            <li>States, counts, callers, claims, members and the chart are those of the moment.</li>
            <li>
              Reports after it are forgotten, and their callers may report again. What they did is not undone.
            </li>
            <li>The history after it is lost. A new entry says who put the machine back, and from where.</li>
            <li>
              Relative timers go on with what was left of them. Times and leases that have passed take effect
              at once.
            </li>
          </ul>
          <p>
            It needs the point-in-time recovery of Cloudflare, which finds the moment approximately. Elsewhere
            nothing changes, and the answer says so.
          </p>
          <form
            method="post"
            action={`${path}/restore`}
            class="fields"
            data-named=""
            {...asked({
              title: `Put ${name} back?`,
              text: 'What came after {at} (UTC) is undone, and its history is lost.',
              yes: 'Put back',
            })}
          >
            <div>
              <label for="at">Moment, in UTC</label>
              <input
                id="at"
                name="at"
                value={at}
                placeholder={momentText(now - (now % 3_600_000))}
                required
                size={26}
                maxlength={40}
                autocomplete="off"
                aria-describedby={problem === undefined ? 'at-hint' : 'at-hint at-problem'}
                aria-invalid={problem === undefined ? undefined : 'true'}
              />
              <p id="at-hint" class="soft small">
                of the last {days} days; now it is {momentText(now - (now % 1_000))}
              </p>
              {problem === undefined ? null : (
                <p id="at-problem" role="alert" class="problem">
                  {problem.replaceAll('`', '')}
                </p>
              )}
            </div>
            <div class="buttons">
              <button type="submit" class="stop">
                Put the machine back…
              </button>
            </div>
          </form>
        </section>
        {entries.length === 0 ? null : <Changes entries={entries} />}
        <output id="answer" aria-live="polite" />
        <Questions />
      </main>
    </Page>
  );
}

/** The newest changes. Each fills in the moment before it. */
function Changes({ entries }: Pick<RestorePageProps, 'entries'>) {
  return (
    <section aria-labelledby="changes">
      <h2 id="changes">Newest changes</h2>
      <p class="soft">A time fills in the moment directly before its change.</p>
      <table>
        <thead>
          <tr>
            <th scope="col">Before</th>
            <th scope="col">What</th>
            <th scope="col">By</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ at, by, sub, ...change }) => (
            <tr>
              <td>
                <a href={`?at=${new Date(at - 1).toISOString()}`}>
                  {new Date(at).toISOString().replace('T', ' ')}
                </a>
              </td>
              <td>
                <Change {...change} length={ENTRY_SHOWN} />
              </td>
              <td>{by ?? sub ?? ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
