/** What is current at a machine, what holds it back, and what happens by itself. */
import { isLate } from '../chart/deadline.ts';
import type { Status } from '../objects/status-document.ts';
import type { View } from '../objects/view-data.ts';
import { Moment, type Outcome } from './page.tsx';

interface CurrentStateProps {
  readonly status: Status;
  /** The machine's path without a slash at its end. */
  readonly path: string;
  readonly descriptions: View['descriptions'];
  readonly outcome: Outcome;
  readonly leaves: readonly string[];
  readonly now: number;
}

const HEADINGS = { active: 'Current state', done: '✓ Done', failed: '✗ Failed' } as const;

/** The innermost active states, since when, and what the chart says of them and of the states around them. */
export function CurrentState({ status, path, descriptions = [], outcome, leaves, now }: CurrentStateProps) {
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
      {descriptions.map(({ state, says }) => (
        <p data-key={`says ${state}`}>
          {leaves.length === 1 && leaves.includes(state) ? null : <b>{state}: </b>}
          {says}
        </p>
      ))}
      <p class="soft">
        since <Moment at={status.since} now={now} /> · revision {status.revision}
      </p>
      {status.started === null ? <p>This run has not started. Its first report or claim starts it.</p> : null}
      {status.chart.newer ? (
        <p>
          A newer chart is available. A reset starts the machine with it.{' '}
          <a href={`${path}/chart`}>What differs</a>
        </p>
      ) : null}
    </section>
  );
}

/** What keeps callers from beginning: a pause. */
export function Paused({ status: { paused }, now }: { readonly status: Status; readonly now: number }) {
  if (!paused) return <span data-part="paused" />;
  const { since, until, by, sub, reason } = paused;
  const who = by ?? sub;
  return (
    <section aria-labelledby="paused" data-part="paused" class="held">
      <h2 id="paused">‖ Paused</h2>
      <p>{[who === null ? null : `by ${who}`, reason].filter((part) => part !== null).join(': ')}</p>
      <p class="soft">
        since <Moment at={since} now={now} />
        {until === null ? (
          '. It lasts until somebody resumes the machine.'
        ) : (
          <>
            . Resumes at <Moment at={until} now={now} />
          </>
        )}
      </p>
      <p class="soft">Asks and claims are refused. Reports count.</p>
    </section>
  );
}

/** The windows of the active states: whether work may be begun, and when that changes. */
export function Windows({
  status: { windows = [] },
  now,
}: {
  readonly status: Status;
  readonly now: number;
}) {
  if (windows.length === 0) return <span data-part="windows" />;
  return (
    <section
      aria-labelledby="windows"
      data-part="windows"
      class={windows.every(({ open }) => open) ? undefined : 'held'}
    >
      <h2 id="windows">Windows</h2>
      <ul class="plain">
        {withoutRepeats(windows).map(({ state, open, until, opens }) => {
          const next = until ?? opens;
          return (
            <li data-key={state} data-changes={next}>
              ◷ {state}: {open ? 'open' : 'closed'}
              {next === undefined ? null : (
                <>
                  , {open ? 'closes' : 'opens'} at <Moment at={next} now={now} />
                </>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

type Openings = NonNullable<Status['windows']>;

/** Leaves out states whose windows are those of a state around them: what opens the outer one opens all inside. */
function withoutRepeats(windows: Openings): Openings {
  const keys = new Map(windows.map((window) => [window.state, keyOf(window)]));
  return windows.filter((window) => {
    for (let at = window.state.lastIndexOf('.'); at > 0; at = window.state.lastIndexOf('.', at - 1)) {
      if (keys.get(window.state.slice(0, at)) === keyOf(window)) return false;
    }
    return true;
  });
}

function keyOf({ open, until = '', opens = '' }: Openings[number]): string {
  return [open, until, opens].join(' ');
}

interface TimersProps {
  readonly status: Status;
  readonly timers: View['timers'];
  readonly now: number;
}

/** What happens by itself, and when. A deadline leads to failure, and is marked once most of its time is over. */
export function Timers({ status, timers = [], now }: TimersProps) {
  if (status.timers.length === 0) return <span data-part="timers" />;
  return (
    <section aria-labelledby="timers" data-part="timers">
      <h2 id="timers">Timers</h2>
      <ul class="plain">
        {status.timers.map(({ at, event, state, target }, i) => {
          const { since = null, isStill = false } = timers[i] ?? {};
          const what = event ?? [state, target].filter(Boolean).join(' → ');
          if (isStill) return <li>{what}: stands still during the pause</li>;
          const isNear = since !== null && isLate({ at: Date.parse(at), since }, now);
          return (
            <li
              class={isNear ? 'late' : undefined}
              data-deadline={since === null ? undefined : since}
              data-at={Date.parse(at)}
            >
              {what} at <Moment at={at} now={now} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}
