/** The page of a tenant: its machines, with the current states of each. */
import type { Summary } from '../objects/results.ts';
import { innermost } from './format.ts';
import { outcomeOf, Page, RelativeTime, SIGNS } from './page.tsx';
import { Viewer } from './sign-in.tsx';

/** A machine of the list; it has no summary where its object did not answer. */
export interface Row {
  readonly machine: string;
  readonly summary?: Summary;
}

export interface TenantPageProps {
  readonly tenant: string;
  readonly rows: readonly Row[];
  /** The filter: part of a name or a state, and a state. */
  readonly text: string;
  readonly state: string;
  /** The last address of this page, where there is a next one. */
  readonly after?: string;
  /** Who reads the page; undefined where no token is needed. */
  readonly viewer?: string;
  readonly isInSession?: boolean;
  /** ms since the epoch */
  readonly now: number;
}

export function TenantPage(props: TenantPageProps) {
  const { tenant, rows, text, state, after, viewer, isInSession = false, now } = props;
  const states = [...new Set(rows.flatMap(({ summary }) => summary?.states ?? []))].sort();
  const next = new URLSearchParams({ ...(after === undefined ? {} : { after }), ...(text && { q: text }) });
  return (
    <Page title={tenant} icon={{ sign: tenant, outcome: 'active' }}>
      <header>
        <h1>{tenant}</h1>
        <nav aria-label="Service">
          <a href="/">service</a>
          <a href="/openapi">API</a>
        </nav>
        {viewer === undefined ? null : <Viewer sub={viewer} isInSession={isInSession} />}
      </header>
      <main>
        <section aria-label="Machines">
          <form class="filter" method="get" data-filter>
            <label>
              Name or state
              <input type="search" name="q" value={text} />
            </label>
            <label>
              State
              <select name="state">
                <option value="">any</option>
                {states.map((name) => (
                  <option value={name} selected={name === state}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
            <button type="submit" class="quiet">
              Filter
            </button>
          </form>
          {rows.length === 0 ? (
            <p>This tenant has no machines yet. A machine is listed after its first request.</p>
          ) : (
            <table>
              <thead>
                <tr>
                  <th scope="col">Machine</th>
                  <th scope="col">State</th>
                  <th scope="col">Progress</th>
                  <th scope="col" class="wide">
                    Changed
                  </th>
                  <th scope="col" class="wide">
                    Chart
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows
                  .filter((row) => fits(row, text, state))
                  .map((row) => (
                    <MachineRow {...row} now={now} />
                  ))}
              </tbody>
            </table>
          )}
          {after === undefined ? null : (
            <p>
              <a href={`/${tenant}?${next}`}>More machines</a>
            </p>
          )}
        </section>
      </main>
    </Page>
  );
}

function MachineRow({ machine, summary, now }: Row & { readonly now: number }) {
  const states = summary?.states ?? [];
  const outcome = outcomeOf(summary?.status ?? 'active', summary?.tags);
  return (
    <tr data-text={[machine, ...states].join('\n')} data-states={states.join('\n')}>
      <td>
        <a href={`/${machine}`}>{machine}</a>
      </td>
      <td>{summary === undefined ? 'no answer' : innermost(states).join(', ')}</td>
      <td>
        {outcome !== 'active' && summary !== undefined ? (
          <span class={outcome}>
            {SIGNS[outcome]} {outcome}
          </span>
        ) : (
          summary?.waiting.map(({ event, have, need }) => <p>{`${event}: ${have} of ${need}`}</p>)
        )}
      </td>
      <td class="wide">
        {summary === undefined ? (
          ''
        ) : (
          <RelativeTime at={new Date(summary.changedAt).toISOString()} now={now} />
        )}
      </td>
      <td class="wide">
        <img class="tiny" src={`/${machine}/diagram.svg`} alt="" loading="lazy" width="96" height="72" />
      </td>
    </tr>
  );
}

/** Whether a machine matches the filter. */
export function fits({ machine, summary }: Row, text: string, state: string): boolean {
  const states = summary?.states ?? [];
  const words = [machine, ...states].join('\n').toLowerCase();
  return words.includes(text.toLowerCase()) && (state === '' || states.includes(state));
}
