/** The page of a machine's history. */
import { raw } from 'hono/html';
import { parseObjectName } from '../address.ts';
import type { View } from '../objects/view-data.ts';
import { momentText } from './format.ts';
import { HistoryRows } from './history-rows.tsx';
import { Page } from './page.tsx';
import { Viewer } from './sign-in.tsx';

/** The fields of the form, as they were typed. */
interface HistoryFields {
  readonly by: string;
  readonly event: string;
  readonly state: string;
  readonly since: string;
  readonly until: string;
}

interface HistoryPageProps {
  /** The machine's address. */
  readonly name: string;
  /** The machine's path without a slash at its end; empty for the `default` machine. */
  readonly path: string;
  readonly entries: View['history'];
  readonly fields: HistoryFields;
  /** `before` of the next page; undefined if there is none. */
  readonly before?: number;
  /** SVG without a style of its own, on the first page of all entries. */
  readonly timeline?: string;
  /** Who reads the page; undefined where no token is needed. */
  readonly viewer?: string;
  readonly isInSession?: boolean;
  /** ms since the epoch */
  readonly now: number;
}

const FIELDS = [
  { name: 'by', label: 'Who' },
  { name: 'event', label: 'Event or cause' },
  { name: 'state', label: 'State' },
  { name: 'since', label: 'Since', hint: '2h, or 2026-12-01T02:00:00Z' },
  { name: 'until', label: 'Until', hint: '1h, or 2026-12-01T06:00:00Z' },
] as const;

/** A page of the history, with a form that filters it on the server. */
export function HistoryPage(props: HistoryPageProps) {
  const { name, path, entries, fields, before, timeline, viewer, isInSession = false, now } = props;
  const { tenant } = parseObjectName(name);
  const filled = FIELDS.flatMap((field) =>
    fields[field.name] === '' ? [] : [[field.name, fields[field.name]]],
  );
  const next = new URLSearchParams([
    ...filled,
    ...(before === undefined ? [] : [['before', String(before)]]),
  ]);
  const time = new Date(now).toISOString();
  return (
    <Page title={`History · ${name}`} icon={{ sign: name, outcome: 'active' }}>
      <header>
        <h1>History of {name}</h1>
        <nav aria-label="Machine">
          <a href={path || '/'}>machine</a>
          {tenant === undefined ? null : <a href={`/${tenant}`}>machines of {tenant}</a>}
          <a href={`${path}/chart`}>chart</a>
          <a href={`${path}/diagram.svg`}>picture</a>
          <a href={`${path}/timeline.svg`}>timeline</a>
          <a href="/openapi">API</a>
        </nav>
        {viewer === undefined ? null : <Viewer sub={viewer} isInSession={isInSession} />}
        <span class="soft">
          As of <time datetime={time}>{momentText(now)}</time>
        </span>
      </header>
      <main class="stack">
        {timeline === undefined ? null : (
          <section aria-labelledby="timeline">
            <h2 id="timeline">Timeline</h2>
            {raw(timeline)}
            <p class="small">
              <a class="go" href={`${path}/timeline.svg`}>
                The timeline as a picture
              </a>
            </p>
          </section>
        )}
        <section aria-label="Entries">
          <details open={filled.length > 0}>
            <summary>Filter</summary>
            <form class="filter" method="get">
              {FIELDS.map((field) => (
                <label>
                  {field.label}
                  <input
                    type="search"
                    name={field.name}
                    value={fields[field.name]}
                    placeholder={'hint' in field ? field.hint : undefined}
                  />
                </label>
              ))}
              <button type="submit" class="quiet">
                Filter
              </button>
            </form>
          </details>
          {entries.length === 0 ? (
            <p>
              No entry{filled.length === 0 ? '' : ' matches'}. <a href={`${path}/history`}>All entries</a>
            </p>
          ) : (
            <HistoryRows entries={entries} path={path} now={now} />
          )}
          {before === undefined ? null : (
            <p>
              <a class="go" href={`${path}/history?${next}`}>
                Older entries
              </a>
            </p>
          )}
        </section>
      </main>
    </Page>
  );
}
