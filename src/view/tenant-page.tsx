/** The page of a tenant: its machines, with the current states of each. */
import { isLate } from '../chart/deadline.ts';
import type { Summary } from '../objects/results.ts';
import { innermost } from './format.ts';
import { outcomeOf, Page, RelativeTime, SIGNS } from './page.tsx';
import { Viewer } from './sign-in.tsx';

/** A machine of the list; it has no summary where its object did not answer. */
export interface Row {
  readonly machine: string;
  readonly summary?: Summary;
}

/** What can be true of a machine, the most urgent first. */
export const CONDITIONS = ['late', 'failed', 'paused', 'active', 'done'] as const;
export type Condition = (typeof CONDITIONS)[number];

interface Filter {
  /** An active state; empty for any. */
  readonly state: string;
  readonly is: Condition | undefined;
}

interface TenantPageProps {
  readonly tenant: string;
  readonly rows: readonly Row[];
  /** Part of an address: the service has looked for it. */
  readonly text: string;
  readonly chart: string | undefined;
  readonly filter: Filter;
  /** The last address of this page, where there is a next one. */
  readonly after?: string;
  /** Who reads the page; undefined where no token is needed. */
  readonly viewer?: string;
  readonly isInSession?: boolean;
  /** ms since the epoch */
  readonly now: number;
}

/** The machines of a tenant, in the order of their addresses: each chart before its runs. */
export function TenantPage(props: TenantPageProps) {
  const { tenant, rows, text, chart, filter, after, viewer, isInSession = false, now } = props;
  const states = [...new Set(rows.flatMap(({ summary }) => summary?.states ?? []))].sort();
  const shown = rows.filter((row) => fits(row, filter, now));
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
              Address
              <input type="search" name="q" value={text} />
            </label>
            <label>
              State
              <input type="search" name="state" value={filter.state} list="states" />
            </label>
            <label>
              Is
              <select name="is">
                <option value="">any</option>
                {CONDITIONS.map((name) => (
                  <option value={name} selected={name === filter.is}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
            {chart === undefined ? null : <input type="hidden" name="chart" value={chart} />}
            <button type="submit" class="quiet">
              Filter
            </button>
          </form>
          <div data-part="machines">
            <Counts rows={rows} now={now} isWhole={after === undefined} />
            {shown.length === 0 ? <p>{emptyText(props)}</p> : <Table rows={shown} now={now} />}
            {after === undefined ? null : (
              <p>
                <a href={`/${tenant}?${nextQuery(props)}`}>More machines</a>
              </p>
            )}
            <datalist id="states">
              {states.map((name) => (
                <option value={name} />
              ))}
            </datalist>
          </div>
        </section>
      </main>
    </Page>
  );
}

function emptyText({ tenant, rows, text, filter }: TenantPageProps): string {
  if (rows.length > 0 || text !== '' || filter.state !== '' || filter.is !== undefined)
    return 'No machine matches.';
  return `The tenant ${tenant} has no machines yet. A machine is listed after its first request.`;
}

function nextQuery({
  after = '',
  text,
  chart = '',
  filter: { state, is },
}: TenantPageProps): URLSearchParams {
  const fields = { after, q: text, chart, state, is: is ?? '' };
  return new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== ''));
}

/** How many machines need a look: late, failed or paused ones. */
function Counts({
  rows,
  now,
  isWhole,
}: {
  readonly rows: readonly Row[];
  readonly now: number;
  readonly isWhole: boolean;
}) {
  const counts = CONDITIONS.slice(0, 3).flatMap((is) => {
    const count = rows.filter((row) => fits(row, { state: '', is }, now)).length;
    return count === 0 ? [] : [`${count} ${is}`];
  });
  if (rows.length === 0) return null;
  return (
    <p class="counts">
      {counts.length === 0 ? 'None late, failed or paused' : counts.join(', ')}
      {` of ${rows.length} ${rows.length === 1 ? 'machine' : 'machines'}${isWhole ? '' : ' on this page'}.`}
    </p>
  );
}

function Table({ rows, now }: { readonly rows: readonly Row[]; readonly now: number }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Machine</th>
          <th scope="col">State</th>
          <th scope="col">Progress</th>
          <th scope="col" class="wide">
            Changed
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <MachineRow {...row} now={now} />
        ))}
      </tbody>
    </table>
  );
}

function MachineRow({ machine, summary, now }: Row & { readonly now: number }) {
  const states = summary?.states ?? [];
  const outcome = outcomeOf(summary?.status ?? 'active', summary?.tags);
  return (
    <tr data-key={machine}>
      <td class={machine.includes('@') ? 'run' : undefined}>
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
        {summary?.isPaused ? <p>‖ paused</p> : null}
        {summary?.deadline === undefined ? null : (
          <p class={isLate(summary.deadline, now) ? 'late' : 'soft'}>
            deadline <RelativeTime at={new Date(summary.deadline.at).toISOString()} now={now} />
          </p>
        )}
      </td>
      <td class="wide">
        {summary === undefined ? (
          ''
        ) : (
          <RelativeTime at={new Date(summary.changedAt).toISOString()} now={now} />
        )}
      </td>
    </tr>
  );
}

/** Whether a machine matches the filter. */
export function fits({ summary }: Row, { state, is }: Filter, now: number): boolean {
  if (state !== '' && !summary?.states.includes(state)) return false;
  if (is === undefined) return true;
  if (summary === undefined) return false;
  if (is === 'late') return summary.deadline !== undefined && isLate(summary.deadline, now);
  if (is === 'paused') return summary.isPaused === true;
  return outcomeOf(summary.status, summary.tags) === is;
}
