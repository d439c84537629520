/** The page of a machine: its chart, current state, actions, progress, slots, windows, timers and history. */
import { raw } from 'hono/html';
import { parseObjectName } from '../address.ts';
import type { View } from '../objects/results.ts';
import type { Status } from '../objects/status-document.ts';
import { innermost, MISSING_SHOWN, NAMES_SHOWN, shortened } from './format.ts';
import { Actions, Dialogs } from './machine-actions.tsx';
import { type Outcome, outcomeOf, Page, RelativeTime, SIGNS } from './page.tsx';

export interface MachinePageProps {
  /** The machine's address. */
  readonly name: string;
  /** The machine's path without a slash at its end; empty for the `default` machine. */
  readonly path: string;
  readonly view: View;
  /** SVG without a style of its own. */
  readonly picture: string;
  /** The rights of the request's token. */
  readonly mayUpdate: boolean;
  readonly mayReset: boolean;
  /** The subject of the request's token and its end, ms since the epoch; undefined where no token is needed. */
  readonly viewer?: { readonly sub: string; readonly until: number };
  /** The introduction, on the root page. */
  readonly intro?: unknown;
  /** ms since the epoch */
  readonly now: number;
}

/** Renders the whole page. */
export function MachinePage(props: MachinePageProps) {
  const { name, path, view, picture, mayUpdate, mayReset, viewer, intro, now } = props;
  const status: Status = JSON.parse(view.status);
  const { tenant } = parseObjectName(name);
  const leaves = innermost(status.states);
  const leaf = leaves.join(', ');
  const isDone = status.status === 'done';
  const outcome = outcomeOf(status.status, status.tags);
  return (
    <Page title={`${SIGNS[outcome]} ${leaf} · ${name}`} icon={{ sign: leaf, outcome }}>
      <header>
        <h1>{name}</h1>
        {tenant === undefined ? null : <a href={`/${tenant}`}>machines of {tenant}</a>}
        <span id="connection" role="status" class="soft">
          As of <time datetime={new Date(now).toISOString()}>{new Date(now).toISOString()}</time>
        </span>
      </header>
      <main
        data-watch={`${path}/watch`}
        data-seen={view.history[0]?.id ?? 0}
        data-by={viewer?.sub}
        data-until={viewer?.until}
      >
        {intro}
        <div class="columns">
          {/* A region that scrolls must be reachable by keyboard. */}
          <section
            class="scroll drawn"
            aria-label="The chart"
            tabindex={0}
            data-part="chart"
            data-key="chart"
          >
            {raw(picture)}
          </section>
          <div class="stack side">
            <CurrentState status={status} outcome={outcome} leaves={leaves} now={now} />
            <Actions
              name={name}
              path={path}
              takes={isDone || !mayUpdate ? [] : view.takes}
              claims={status.claims}
              mayReset={mayReset}
              viewer={viewer?.sub}
              isShown={mayUpdate || mayReset}
            />
            <output id="answer" aria-live="polite" />
            <Progress status={status} />
            <Slots status={status} now={now} />
            <Windows status={status} now={now} />
            <Timers status={status} now={now} />
            <Inputs status={status} />
          </div>
          <History entries={view.history} now={now} />
        </div>
        {mayUpdate || mayReset ? <Dialogs /> : null}
      </main>
    </Page>
  );
}

function Inputs({ status: { inputs = {} } }: { readonly status: Status }) {
  const entries = Object.entries(inputs);
  if (entries.length === 0) return <span data-part="inputs" />;
  return (
    <section aria-labelledby="inputs" data-part="inputs">
      <h2 id="inputs">Inputs</h2>
      <ul class="plain">
        {entries.map(([name, value]) => (
          <li data-key={name}>
            {name}: {value === '' ? '(empty)' : String(value)}
          </li>
        ))}
      </ul>
    </section>
  );
}

interface CurrentStateProps {
  readonly status: Status;
  readonly outcome: Outcome;
  readonly leaves: readonly string[];
  readonly now: number;
}

function Paused({ paused, now }: { readonly paused: NonNullable<Status['paused']>; readonly now: number }) {
  const { by, sub, reason, until } = paused;
  const who = by ?? sub;
  return (
    <p class="soft">
      Paused{who === null ? '' : ` by ${who}`}
      {reason === null ? '' : `: ${reason}`}
      {until === null ? '' : '. Resumes '}
      {until === null ? null : <RelativeTime at={until} now={now} />}
    </p>
  );
}

const HEADINGS = { active: 'Current state', done: '✓ Done', failed: '✗ Failed' } as const;

function CurrentState({ status, outcome, leaves, now }: CurrentStateProps) {
  return (
    <section aria-labelledby="current" data-part="current">
      <h2 id="current" class={outcome}>
        {HEADINGS[outcome]}
      </h2>
      <ul class="plain states">
        {leaves.map((state) => (
          <li data-key={state}>{state}</li>
        ))}
      </ul>
      <p class="soft">
        since <RelativeTime at={status.since} now={now} /> · revision {status.revision}
      </p>
      {status.started === null ? <p>This run has not started. Its first report or claim starts it.</p> : null}
      {status.paused ? <Paused paused={status.paused} now={now} /> : null}
      {status.chart.newer ? <p>A newer chart is available. A reset starts the machine with it.</p> : null}
    </section>
  );
}

function Progress({ status: { quorums } }: { readonly status: Status }) {
  if (quorums.length === 0) return <span data-part="progress" />;
  return (
    <section aria-labelledby="progress" data-part="progress">
      <h2 id="progress">Progress</h2>
      <ul class="plain">
        {quorums.map(({ state, event, have, need, by, missing }) => (
          <li data-key={`${state}\n${event}`}>
            <label>
              {event} at {state}: {have} of {need ?? 'a share of the members'}
              <progress value={Math.max(0, Math.min(have, need ?? 0))} max={Math.max(1, need ?? 1)} />
            </label>
            {by.length > 0 ? (
              <p class="soft">
                reported: {by.slice(0, NAMES_SHOWN).join(', ')}
                {by.length > NAMES_SHOWN ? ` and ${by.length - NAMES_SHOWN} more` : ''}
              </p>
            ) : null}
            {missing === undefined || missing.count === 0 ? null : <Missing {...missing} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The members that have not reported: the first of them, and the others folded. */
function Missing({ count, names }: { readonly count: number; readonly names: readonly string[] }) {
  const rest = names.slice(MISSING_SHOWN);
  const others = count - names.length;
  return (
    <div class="soft">
      missing: {names.slice(0, MISSING_SHOWN).join(', ')}
      {rest.length === 0 ? null : (
        <details>
          <summary>and {count - MISSING_SHOWN} more</summary>
          {rest.join(', ')}
          {others > 0 ? ` and ${others} more` : ''}
        </details>
      )}
    </div>
  );
}

function Slots({ status: { claims }, now }: { readonly status: Status; readonly now: number }) {
  if (claims.length === 0) return <span data-part="slots" />;
  return (
    <section aria-labelledby="slots" data-part="slots">
      <h2 id="slots">Slots</h2>
      {claims.map(({ state, slots, holders }) => (
        <>
          <p class="soft">
            {holders.length} of {slots} slots of {state}
          </p>
          <ul class="plain">
            {holders.slice(0, NAMES_SHOWN).map(({ by, until }) => (
              <li data-key={by}>
                {by}, lease ends <RelativeTime at={until} now={now} />
              </li>
            ))}
            {holders.length > NAMES_SHOWN ? <li>and {holders.length - NAMES_SHOWN} more</li> : null}
          </ul>
        </>
      ))}
    </section>
  );
}

function Windows({ status: { windows = [] }, now }: { readonly status: Status; readonly now: number }) {
  if (windows.length === 0) return <span data-part="windows" />;
  return (
    <section aria-labelledby="windows" data-part="windows">
      <h2 id="windows">Windows</h2>
      <ul class="plain">
        {windows.map(({ state, open, until, opens }) => {
          const next = until ?? opens;
          return (
            <li data-key={state} data-changes={next}>
              ◷ {state}: {open ? 'open' : 'closed'}
              {next === undefined ? null : (
                <>
                  , {open ? 'closes' : 'opens'} <RelativeTime at={next} now={now} />{' '}
                  <span class="soft nowrap">({next})</span>
                </>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Timers({ status: { timers }, now }: { readonly status: Status; readonly now: number }) {
  if (timers.length === 0) return <span data-part="timers" />;
  return (
    <section aria-labelledby="timers" data-part="timers">
      <h2 id="timers">Timers</h2>
      <ul class="plain">
        {timers.map(({ at, event, state, target }) => (
          <li>
            {event ?? [state, target].filter(Boolean).join(' → ')} <RelativeTime at={at} now={now} />{' '}
            <span class="soft nowrap">({at})</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Characters of an entry's data on the page; the history has all of them. */
const DATA_SHOWN = 80;

function History({ entries, now }: { readonly entries: View['history']; readonly now: number }) {
  return (
    <section class="history" aria-labelledby="history" data-part="history">
      <h2 id="history">History</h2>
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
            <tr data-key={String(id)}>
              <td>
                <RelativeTime at={new Date(at).toISOString()} now={now} />
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
    </section>
  );
}
