/** The page of a machine: what is current, what it waits for, what happens by itself, what holds it back, and what its reader can do. */
import { parseObjectName } from '../address.ts';
import type { Json } from '../chart/expression.ts';
import type { Status } from '../objects/status-document.ts';
import type { View } from '../objects/view-data.ts';
import type { Rights } from './action.tsx';
import { CurrentState, Paused, Timers, Windows } from './current-state.tsx';
import { Dialogs } from './dialogs.tsx';
import { Drawing, type DrawingProps } from './drawing-view.tsx';
import { innermost, shortened } from './format.ts';
import { HistoryRows } from './history-rows.tsx';
import { Actions } from './machine-actions.tsx';
import { outcomeOf, Page, SIGNS } from './page.tsx';
import { Progress, Slots } from './progress.tsx';
import { Viewer } from './sign-in.tsx';

export interface MachinePageProps {
  /** The machine's address. */
  readonly name: string;
  /** The machine's path without a slash at its end; empty for the `default` machine. */
  readonly path: string;
  /** The service's origin. */
  readonly origin: string;
  readonly view: View;
  readonly picture: DrawingProps;
  /** The names of the chart's states. */
  readonly states: readonly string[];
  /** The rights of the request's token. */
  readonly rights: Rights;
  /** Of the request's token: its subject, the name that it fixes, and its end, ms since the epoch; undefined where no token is needed. */
  readonly viewer?: { readonly sub: string; readonly by?: string; readonly until: number };
  /** Whether the token comes from the cookie of a session. */
  readonly isInSession?: boolean;
  /** The introduction, on the root page. */
  readonly intro?: unknown;
  /** ms since the epoch */
  readonly now: number;
}

/** Renders the whole page. */
export function MachinePage(props: MachinePageProps) {
  const {
    name,
    path,
    origin,
    view,
    picture,
    states,
    rights,
    viewer,
    isInSession = false,
    intro,
    now,
  } = props;
  const status: Status = JSON.parse(view.status);
  const leaves = innermost(status.states);
  const leaf = leaves.join(', ');
  const outcome = outcomeOf(status.status, status.tags);
  const by = viewer?.by ?? viewer?.sub;
  return (
    <Page title={`${SIGNS[outcome]} ${leaf} · ${name}`} icon={{ sign: leaf, outcome }}>
      <header>
        <h1>{name}</h1>
        <Links name={name} path={path} />
        {viewer === undefined ? null : <Viewer sub={viewer.sub} isInSession={isInSession} />}
        <span id="connection" role="status" class="soft">
          As of <time datetime={new Date(now).toISOString()}>{new Date(now).toISOString()}</time>
        </span>
      </header>
      <main
        data-watch={`${path}/watch`}
        data-seen={view.history[0]?.id ?? 0}
        data-by={by}
        data-until={viewer?.until}
      >
        {intro}
        <div class="columns">
          <div class="stack side">
            <CurrentState
              status={status}
              path={path}
              descriptions={view.descriptions}
              outcome={outcome}
              leaves={leaves}
              now={now}
            />
            <Paused status={status} now={now} />
            <Windows status={status} now={now} />
            <Progress status={status} reports={view.reports} now={now} />
            <Slots status={status} now={now} />
            <Timers status={status} timers={view.timers} now={now} />
            <Actions
              name={name}
              url={`${origin}${path}`}
              path={path}
              takes={view.takes}
              status={status}
              rights={rights}
              by={by}
              isGuarded={viewer !== undefined}
            />
            <output id="answer" aria-live="polite" />
            <Values title="Inputs" values={status.inputs} />
            <Values title="Context" values={status.context} />
            <Notifications path={path} hooks={view.hooks ?? []} />
          </div>
          <Drawing {...picture} />
          <History entries={view.history} path={path} now={now} />
        </div>
        {rights.update || rights.operate || rights.admin ? (
          <Dialogs states={states} inputs={status.inputs} />
        ) : null}
      </main>
    </Page>
  );
}

/** Links to the other representations of the machine, and to the machines beside it. */
function Links({ name, path }: { readonly name: string; readonly path: string }) {
  const { tenant, chart, run } = parseObjectName(name);
  return (
    <nav aria-label="Machine">
      {tenant === undefined ? null : <a href={`/${tenant}`}>machines of {tenant}</a>}
      {run === undefined ? null : (
        <a href={tenant === undefined ? '/' : `/${tenant}/${chart}`}>chart’s own machine</a>
      )}
      {tenant === undefined ? null : <a href={`/${tenant}?chart=${chart}`}>runs</a>}
      <a href={`${path}/history`}>history</a>
      <a href={`${path}/members`}>members</a>
      <a href={`${path}/timeline.svg`}>timeline</a>
      <a href={`${path}/chart`}>chart</a>
      <a href={`${path}/diagram.svg`}>picture</a>
      <a href="/openapi">API</a>
    </nav>
  );
}

/** Characters of one value on the page; the status document has all of them. */
const VALUE_SHOWN = 200;

/** Values by their names: the inputs, or the context. */
function Values({
  title,
  values = {},
}: {
  readonly title: string;
  readonly values?: Readonly<Record<string, Json>> | undefined;
}) {
  const entries = Object.entries(values);
  const id = title.toLowerCase();
  if (entries.length === 0) return <span data-part={id} />;
  return (
    <section aria-labelledby={id} data-part={id}>
      <h2 id={id}>{title}</h2>
      <ul class="plain">
        {entries.map(([name, value]) => (
          <li data-key={name}>
            {name}:{' '}
            {value === ''
              ? '(empty)'
              : shortened(typeof value === 'string' ? value : JSON.stringify(value), VALUE_SHOWN)}
          </li>
        ))}
      </ul>
    </section>
  );
}

interface NotificationsProps {
  readonly path: string;
  readonly hooks: NonNullable<View['hooks']>;
}

function Notifications({ path, hooks }: NotificationsProps) {
  if (hooks.length === 0) return <p data-part="notifications" hidden />;
  const troubles = hooks.flatMap(({ hook, problem, failed, dropped }) => [
    ...(problem === null ? [] : [problem]),
    ...(failed === 0 ? [] : [`${failed} to ${hook} given up`]),
    ...(dropped === null ? [] : [`${dropped.count} to ${hook} dropped`]),
  ]);
  return (
    <p data-part="notifications" class={troubles.length === 0 ? undefined : 'late'}>
      <a href={`${path}/notifications`}>Notifications</a> to {hooks.map(({ hook }) => hook).join(', ')}
      {troubles.length === 0 ? '' : `: ${troubles.join('; ')}`}
    </p>
  );
}

function History({
  entries,
  path,
  now,
}: {
  readonly entries: View['history'];
  readonly path: string;
  readonly now: number;
}) {
  return (
    <section class="history" aria-labelledby="history" data-part="history">
      <h2 id="history">History</h2>
      <HistoryRows entries={entries} path={path} now={now} />
      <p>
        <a class="go" href={`${path}/history`}>
          All entries
        </a>
      </p>
    </section>
  );
}
