/** A machine's page: where it stands, who is waited for, what comes next, and what has happened. */
import { raw } from 'hono/html';
import type { View } from '../objects/results.ts';
import type { Status } from '../objects/status-document.ts';
import type { HistoryEntry } from '../store/history-table.ts';
import { innermost } from './format.ts';
import { Moment, type Outcome, outcomeOf, Page, SIGNS } from './page.tsx';

export interface MachinePageProps {
  /** Its address. */
  readonly name: string;
  /** Its path, without a slash at the end: empty for the service's own machine. */
  readonly path: string;
  readonly view: View;
  /** SVG, in the page's style. */
  readonly picture: string;
  /** What who looks at it may do. */
  readonly mayUpdate: boolean;
  readonly mayReset: boolean;
  /** Whose token it is that looks at it, and when it ends (ms since the epoch); none where none is asked for. */
  readonly viewer?: { readonly sub: string; readonly until: number };
  /** What stands above: the service's own words at the root. */
  readonly intro?: unknown;
  /** ms since the epoch */
  readonly now: number;
}

export function MachinePage(props: MachinePageProps) {
  const { name, path, view, picture, mayUpdate, mayReset, viewer, intro, now } = props;
  const status: Status = JSON.parse(view.status);
  const [tenant] = name.split('/');
  const leaves = innermost(status.states);
  const leaf = leaves.join(', ');
  const isDone = status.status === 'done';
  const outcome = outcomeOf(status.status, status.tags);
  return (
    <Page title={`${SIGNS[outcome]} ${leaf} · ${name}`} icon={{ sign: leaf, outcome }}>
      <header>
        <h1>{name}</h1>
        {name.includes('/') ? <a href={`/${tenant}`}>all of {tenant}</a> : null}
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
          {/* It scrolls, so it must be reachable by keyboard. */}
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
            <Standing status={status} outcome={outcome} leaves={leaves} now={now} />
            <Buttons
              name={name}
              path={path}
              takes={isDone || !mayUpdate ? [] : view.takes}
              claims={status.claims}
              mayReset={mayReset}
              viewer={viewer?.sub}
              isShown={mayUpdate || mayReset}
            />
            <output id="answer" aria-live="polite" />
            <Counts status={status} />
            <Claims status={status} now={now} />
            <Timers status={status} now={now} />
          </div>
          <History entries={view.history} now={now} />
        </div>
        {mayUpdate || mayReset ? <Questions /> : null}
      </main>
    </Page>
  );
}

interface StandingProps {
  readonly status: Status;
  readonly outcome: Outcome;
  readonly leaves: readonly string[];
  readonly now: number;
}

const HEADINGS = { active: 'Current state', done: '✓ Done', failed: '✗ Failed' } as const;

function Standing({ status, outcome, leaves, now }: StandingProps) {
  return (
    <section aria-labelledby="standing" data-part="standing">
      <h2 id="standing" class={outcome}>
        {HEADINGS[outcome]}
      </h2>
      <ul class="plain states">
        {leaves.map((state) => (
          <li data-key={state}>{state}</li>
        ))}
      </ul>
      <p class="soft">
        since <Moment at={status.since} now={now} /> · revision {status.revision}
      </p>
      {status.started === null ? (
        <p>This run has not begun; it begins with its first report or claim.</p>
      ) : null}
      {status.chart.newer ? <p>A newer chart is waiting for a reset.</p> : null}
    </section>
  );
}

interface ButtonsProps {
  readonly name: string;
  readonly path: string;
  /** Nothing where no event can be sent. */
  readonly takes: View['takes'];
  readonly claims: Status['claims'];
  readonly mayReset: boolean;
  /** Whose token it is, if one is asked for. */
  readonly viewer: string | undefined;
  readonly isShown: boolean;
}

/** What can be done here. Nothing without a right to it; and without a script a button would do nothing. */
function Buttons({ name, path, takes, claims, mayReset, viewer, isShown }: ButtonsProps) {
  if (!isShown) return <span data-part="buttons" />;
  return (
    <section aria-labelledby="events" data-part="buttons" tabindex={-1}>
      <h2 id="events">Actions</h2>
      {takes
        .filter(({ events }) => events.length > 0)
        .map((taking) => (
          <p class="buttons" data-key={`takes ${taking.state}`}>
            {taking.events.map((event) => (
              <EventButton path={path} taking={taking} event={event} claims={claims} />
            ))}
          </p>
        ))}
      {mayReset ? (
        <p class="buttons" data-key="reset-row">
          <button
            type="button"
            class="quiet"
            data-key="reset"
            data-method="POST"
            data-path={`${path}/reset`}
            data-ask-title={`Start ${name} over?`}
            data-ask="It goes back to its initial state, by its newest chart. Counts and claims are dropped; the history goes on."
            data-yes="Start over"
          >
            Reset…
          </button>
        </p>
      ) : null}
      <p class="soft" data-key="name-row">
        {viewer === undefined ? (
          <>
            <span data-own="name">Reports carry your name.</span>{' '}
            <button type="button" class="quiet small" data-key="rename" data-rename="">
              Change name
            </button>
          </>
        ) : (
          `You report as ${viewer}.`
        )}
      </p>
      <noscript>
        <p class="soft">The buttons need a script; curl does not.</p>
      </noscript>
    </section>
  );
}

interface EventButtonProps {
  readonly path: string;
  readonly taking: View['takes'][number];
  readonly event: string;
  readonly claims: Status['claims'];
}

/** A button that sends an event. One that may end the machine asks first; one that needs a slot knows who holds one. */
function EventButton({ path, taking, event, claims }: EventButtonProps) {
  const { state, ends = [], counted = [], slots = [] } = taking;
  const holders = claims
    .filter((claim) => slots.includes(claim.state))
    .map((claim) => ({ state: claim.state, holders: claim.holders.map(({ by }) => by) }));
  const needs = counted.includes(event) && holders.length > 0;
  const question = {
    'data-ask-title': `Send ${event} to ${state}?`,
    'data-ask': 'It may lead to a final state. That cannot be taken back.',
    'data-yes': `Send ${event}`,
  };
  return (
    <button
      type="button"
      data-key={`${state}\n${event}`}
      data-method="PUT"
      data-path={`${path}/state?${new URLSearchParams({ state, event })}`}
      data-slots={needs ? JSON.stringify(holders) : undefined}
      {...(ends.includes(event) ? question : {})}
    >
      {event}
      <span class="small"> {state}</span>
    </button>
  );
}

/** What the script asks. The focus is where nothing happens, so Enter and Escape leave everything as it is. */
function Questions() {
  return (
    <>
      <dialog id="question" aria-labelledby="question-title">
        <form method="dialog">
          <h2 id="question-title">Sure?</h2>
          <p />
          <div class="buttons">
            <button type="submit" value="no" autofocus>
              Leave it
            </button>
            <button type="submit" value="yes" class="quiet">
              Yes
            </button>
          </div>
        </form>
      </dialog>
      <dialog id="name" aria-labelledby="name-title">
        <form method="dialog">
          <h2 id="name-title">Who reports?</h2>
          <p>Each name counts once. This browser remembers yours.</p>
          <label>
            Your name
            <input name="by" autocomplete="username" maxlength={255} autofocus />
          </label>
          <div class="buttons">
            <button type="submit" value="yes">
              Report as this
            </button>
            <button type="submit" value="no" class="quiet" formnovalidate>
              Cancel
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}

function Counts({ status: { quorums } }: { readonly status: Status }) {
  if (quorums.length === 0) return <span data-part="counts" />;
  return (
    <section aria-labelledby="counts" data-part="counts">
      <h2 id="counts">Progress</h2>
      <ul class="plain">
        {quorums.map(({ state, event, have, need, by }) => (
          <li data-key={`${state}\n${event}`}>
            <label>
              {event} at {state}: {have} of {need}
              <progress value={Math.max(0, Math.min(have, need))} max={Math.max(1, need)} />
            </label>
            {by.length > 0 ? <p class="soft">reported: {by.join(', ')}</p> : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Claims({ status: { claims }, now }: { readonly status: Status; readonly now: number }) {
  if (claims.length === 0) return <span data-part="claims" />;
  return (
    <section aria-labelledby="claims" data-part="claims">
      <h2 id="claims">Slots</h2>
      {claims.map(({ state, slots, holders }) => (
        <>
          <p class="soft">
            {holders.length} of {slots} slots of {state}
          </p>
          <ul class="plain">
            {holders.map(({ by, until }) => (
              <li data-key={by}>
                {by}, its lease ends <Moment at={until} now={now} />
              </li>
            ))}
          </ul>
        </>
      ))}
    </section>
  );
}

function Timers({ status: { timers }, now }: { readonly status: Status; readonly now: number }) {
  if (timers.length === 0) return <span data-part="timers" />;
  return (
    <section aria-labelledby="timers" data-part="timers">
      <h2 id="timers">Timers</h2>
      <ul class="plain">
        {timers.map(({ at, event }) => (
          <li>
            {event ?? 'a deadline'} <Moment at={at} now={now} /> <span class="soft">({at})</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function History({ entries, now }: { readonly entries: readonly HistoryEntry[]; readonly now: number }) {
  return (
    <section class="told" aria-labelledby="history" data-part="history">
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
          {entries.map(({ id, at, cause, event, state, by, sub, to, entered = to, notes }) => (
            <tr data-key={String(id)}>
              <td>
                <Moment at={new Date(at).toISOString()} now={now} />
              </td>
              <td>
                {[cause, event === cause ? null : event, state].filter(Boolean).join(' ')}
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
