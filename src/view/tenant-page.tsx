/** The page of a tenant: its machines, with the current states of each. */
import { parseObjectName } from '../address.ts';
import { isLate } from '../chart/deadline.ts';
import { CONDITIONS, type Condition, type ListCounts, type Order, type Sort } from '../listing.ts';
import type { Summary } from '../objects/results.ts';
import { innermost, momentText, shortened, updateFirst } from './format.ts';
import { Name, outcomeOf, Page, RelativeTime, SIGNS } from './page.tsx';
import { Viewer } from './sign-in.tsx';

/** A machine of the list; it has no summary where its object did not answer. */
export interface Row {
  readonly machine: string;
  readonly summary?: Summary;
}

interface Filter {
  /** An active state; empty for any. */
  readonly state: string;
  readonly is: Condition | undefined;
}

/** What the list was asked for. */
export interface List extends Filter {
  /** Part of an address. */
  readonly text: string;
  readonly chart: string | undefined;
  readonly order: Order;
  /** Whether it is not the first page. */
  readonly isContinued: boolean;
}

interface TenantPageProps {
  readonly tenant: string;
  readonly rows: readonly Row[];
  readonly list: List;
  /** Undefined where an earlier version does not count. */
  readonly counts?: ListCounts;
  /** Where this page has ended, if there is a next one. */
  readonly after?: string;
  /** Who reads the page; undefined where no token is needed. */
  readonly viewer?: string;
  readonly isInSession?: boolean;
  /** ms since the epoch */
  readonly now: number;
}

/** Characters of the states of a machine, and counts of it, on the page: the machine's own page has all. */
const STATES_SHOWN = 200;
const COUNTS_SHOWN = 5;

/** The machines of a tenant: in the order of their addresses with the runs under their chart, else as they are sorted. */
export function TenantPage(props: TenantPageProps) {
  const { tenant, rows, list, after, viewer, isInSession = false, now } = props;
  const states = [...new Set(rows.flatMap(({ summary }) => summary?.states ?? []))].sort();
  const shown = rows.filter((row) => fits(row, list, now));
  const time = new Date(now).toISOString();
  return (
    <Page title={tenant} icon={{ sign: tenant, outcome: 'active' }}>
      <header>
        <h1>{tenant}</h1>
        <nav aria-label="Service">
          <a href="/">service</a>
          <a href="/openapi">API</a>
        </nav>
        {viewer === undefined ? null : <Viewer sub={viewer} isInSession={isInSession} />}
        <span id="connection" role="status" class="soft">
          As of <time datetime={time}>{momentText(now)}</time>
        </span>
      </header>
      <main data-poll>
        <section aria-label="Machines">
          <div data-part="counts">
            <Counts {...props} />
          </div>
          <form class="filter" method="get" data-filter>
            <label>
              Address
              <input type="search" name="q" value={list.text} />
            </label>
            <label>
              State
              <input type="search" name="state" value={list.state} list="states" />
            </label>
            <label>
              Is
              <select name="is">
                <option value="">any</option>
                {CONDITIONS.map((name) => (
                  <option value={name} selected={name === list.is}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
            {Object.entries({ chart: list.chart, ...orderFields(list.order) }).map(([name, value]) =>
              value === undefined ? null : <input type="hidden" name={name} value={value} />,
            )}
            <button type="submit" class="quiet">
              Filter
            </button>
          </form>
          <div data-part="machines">
            {shown.length === 0 ? <p>{emptyText(props)}</p> : <Table {...props} rows={shown} />}
            {after === undefined ? null : (
              <p>
                <a class="go" href={hrefOf(tenant, list, { after })}>
                  More machines
                </a>
              </p>
            )}
            {list.isContinued ? (
              <p>
                <a class="go" href={hrefOf(tenant, list)}>
                  First machines
                </a>
              </p>
            ) : null}
            <datalist id="states">
              {states.slice(0, STATES_SHOWN).map((name) => (
                <option value={name} />
              ))}
            </datalist>
          </div>
        </section>
      </main>
    </Page>
  );
}

function emptyText({
  tenant,
  counts,
  list: { text, chart, state, is },
  after,
  viewer,
}: TenantPageProps): string {
  // What these machines have told was of a moment ago.
  if (after !== undefined) return 'No machine of this page matches any more.';
  const isFiltered = [text, chart, state, is].some((field) => field !== undefined && field !== '');
  if (isFiltered || (counts?.machines ?? 0) > 0) return 'No machine matches.';
  const which = viewer === undefined ? '' : ' that your token may read';
  return `The tenant ${tenant} has no machines yet${which}. A machine is listed after its first request.`;
}

/** The query of an order; empty for the order of the addresses. */
function orderFields({ sort, isDescending }: Order): Record<string, string> {
  return {
    ...(sort === 'address' ? {} : { sort }),
    ...(isDescending ? { order: 'desc' } : {}),
  };
}

/** @returns the page of the same list, with some of it changed. */
function hrefOf(
  tenant: string,
  { text, chart, state, is, order }: Partial<List>,
  { after = '' }: { readonly after?: string } = {},
): string {
  const fields = { q: text, chart, state, is, ...(order && orderFields(order)), after };
  const query = new URLSearchParams(
    Object.entries(fields).flatMap(([name, value = '']) => (value === '' ? [] : [[name, value]])),
  );
  return `/${tenant}${query.size === 0 ? '' : `?${query}`}`;
}

/** How many machines need a look: late, failed or paused ones, each a link to them. */
function Counts({ tenant, counts, list }: TenantPageProps) {
  if (counts === undefined || counts.machines === 0) return null;
  const { text, chart } = list;
  const found = CONDITIONS.flatMap((is) => {
    if (is === 'active' || is === 'done' || counts[is] === 0) return [];
    return [
      <a class={is === 'paused' ? undefined : is} href={hrefOf(tenant, { text, chart, is })}>
        {counts[is]} {is}
      </a>,
    ];
  });
  return (
    <p class="counts">
      {found.length === 0
        ? 'None late, failed or paused'
        : found.flatMap((link, i) => (i === 0 ? [link] : [', ', link]))}
      {` of ${counts.machines} ${counts.machines === 1 ? 'machine' : 'machines'}.`}
    </p>
  );
}

function Table(props: TenantPageProps) {
  const { rows, list, now } = props;
  return (
    <table>
      <thead>
        <tr>
          <SortedBy {...props} columns={[['address', 'Machine']]} />
          <SortedBy
            {...props}
            columns={[
              ['state', 'State'],
              ['changed', 'since'],
            ]}
          />
          <SortedBy {...props} columns={[['deadline', 'Progress, deadline']]} />
        </tr>
      </thead>
      {list.order.sort === 'address' ? (
        groupsOf(rows).map((group) => <Group {...props} rows={group} />)
      ) : (
        <tbody>
          {rows.map((row) => (
            <MachineRow {...row} now={now} />
          ))}
        </tbody>
      )}
    </table>
  );
}

/** A head of columns, with links that sort by them. */
function SortedBy({
  tenant,
  list,
  columns,
}: TenantPageProps & { readonly columns: readonly (readonly [Sort, string])[] }) {
  const { sort, isDescending } = list.order;
  const isSorted = columns.some(([name]) => name === sort);
  const links = columns.map(([name, label]) => {
    // What has changed last is wanted first.
    const isFirst = name !== sort;
    const order = { sort: name, isDescending: isFirst ? name === 'changed' : !isDescending };
    const sign = isFirst ? '' : isDescending ? ' ↓' : ' ↑';
    return <a href={hrefOf(tenant, { ...list, order })}>{`${label}${sign}`}</a>;
  });
  return (
    <th scope="col" aria-sort={isSorted ? (isDescending ? 'descending' : 'ascending') : undefined}>
      {links.flatMap((link, i) => (i === 0 ? [link] : [', ', link]))}
    </th>
  );
}

/** @returns the machines by their charts: a list in the order of the addresses has those of one chart in a row. */
function groupsOf(rows: readonly Row[]): Row[][] {
  const groups: Row[][] = [];
  let last = '';
  for (const row of rows) {
    const { chart } = parseObjectName(row.machine);
    if (chart === last) groups.at(-1)?.push(row);
    else groups.push([row]);
    last = chart;
  }
  return groups;
}

/** A chart's own machine, and its runs. Where that machine is not on the page, the chart has a line all the same. */
function Group({ tenant, rows, list, now }: TenantPageProps) {
  const [first] = rows;
  if (first === undefined) return null;
  const { chart } = parseObjectName(first.machine);
  const own = rows.find(({ machine }) => !machine.includes('@'));
  const runs = rows.filter((row) => row !== own);
  return (
    <tbody data-key={chart}>
      {own === undefined ? (
        <tr data-key="chart">
          <th colspan={3} scope="rowgroup">
            <a href={hrefOf(tenant, { ...list, chart })}>{`${tenant}/${chart}`}</a>
          </th>
        </tr>
      ) : (
        <MachineRow {...own} now={now} />
      )}
      {runs.map((row) => (
        <MachineRow {...row} isInGroup now={now} />
      ))}
    </tbody>
  );
}

interface MachineRowProps extends Row {
  /** Whether its chart is named above it. */
  readonly isInGroup?: boolean;
  readonly now: number;
}

function MachineRow({ machine, summary, isInGroup = false, now }: MachineRowProps) {
  const outcome = outcomeOf(summary?.status ?? 'active', summary?.tags);
  return (
    <tr data-key={machine}>
      <td class={isInGroup ? 'run' : undefined}>
        <a href={`/${machine}`}>
          <Name text={isInGroup ? machine.slice(machine.indexOf('@')) : machine} />
        </a>
      </td>
      <td>
        {summary === undefined ? (
          'no answer'
        ) : (
          <Name text={shortened(innermost(summary.states).join(', '), STATES_SHOWN)} />
        )}
        {summary?.since === undefined ? null : (
          <p class="soft small">
            <RelativeTime at={new Date(summary.since).toISOString()} now={now} />
          </p>
        )}
      </td>
      <td>
        {outcome !== 'active' && summary !== undefined ? (
          <span class={outcome}>
            {SIGNS[outcome]} {outcome}
          </span>
        ) : (
          countsText(summary?.waiting ?? []).map((text) => <p>{text}</p>)
        )}
        {summary?.isPaused ? <p>‖ paused</p> : null}
        {summary?.deadline === undefined ? null : (
          <p class={isLate(summary.deadline, now) ? 'late' : 'soft'}>
            deadline <RelativeTime at={new Date(summary.deadline.at).toISOString()} now={now} />
          </p>
        )}
      </td>
    </tr>
  );
}

/** The counts of a machine, `update: 2 of 3`; with the state where two states count one event. */
function countsText(waiting: Summary['waiting']): string[] {
  return updateFirst(waiting)
    .slice(0, COUNTS_SHOWN)
    .map(({ state, event, have, need }) => {
      const isAmbiguous = waiting.some((other) => other.event === event && other.state !== state);
      const where = isAmbiguous ? ` at ${state}` : '';
      return `${event}${where}: ${have} of ${need ?? 'a share of the members'}`;
    });
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
