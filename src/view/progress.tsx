/** Who has reported, who is missing, and who works at a machine. */
import type { Status } from '../objects/status-document.ts';
import type { View } from '../objects/view-data.ts';
import { FoldedList } from './folded-list.tsx';
import { updateFirst } from './format.ts';
import { RelativeTime } from './page.tsx';

type Reports = NonNullable<View['reports']>;

interface ProgressProps {
  readonly status: Status;
  readonly reports: View['reports'];
  readonly now: number;
}

/** What the active states wait for: the count of each quorum, who has reported and when, and who is missing. */
export function Progress({ status, reports = [], now }: ProgressProps) {
  const quorums = updateFirst(status.quorums);
  const counted = new Set(quorums.flatMap(({ event, by }) => by.map((name) => keyOf(event, name))));
  const others = reports.filter(({ event, by }) => !counted.has(keyOf(event, by)));
  if (quorums.length === 0 && others.length === 0) return <span data-part="progress" />;
  const times = new Map(reports.map(({ event, by, at }) => [keyOf(event, by), at]));
  // Who is missing is the same for all counts of a state.
  const first = new Map(quorums.toReversed().map((quorum) => [quorum.state, quorum]));
  return (
    <section aria-labelledby="progress" data-part="progress">
      <h2 id="progress">Progress</h2>
      <ul class="plain">
        {quorums.map((quorum) => {
          const { state, event, have, need, by, missing } = quorum;
          const isNamed = missing !== undefined && missing.count > 0 && first.get(state) === quorum;
          return (
            <li data-key={`${state}\n${event}`}>
              <label>
                {event} at {state}: {have} of {need ?? 'a share of the members'}
                <progress value={Math.max(0, Math.min(have, need ?? 0))} max={Math.max(1, need ?? 1)} />
              </label>
              <Reporters names={by} at={(name) => times.get(keyOf(event, name)) ?? null} now={now} />
              {isNamed ? <Missing {...missing} /> : null}
            </li>
          );
        })}
        <OtherReports reports={others} now={now} />
      </ul>
    </section>
  );
}

function keyOf(event: string, by: string): string {
  return `${event}\n${by}`;
}

interface ReportersProps {
  readonly names: readonly string[];
  /** When a caller has reported, ms since the epoch; null if it is not known. */
  readonly at: (name: string) => number | null;
  readonly now: number;
}

/** The callers that have reported, with their times. */
function Reporters({ names, at, now }: ReportersProps) {
  if (names.length === 0) return null;
  return (
    <div class="soft">
      {names.length.toLocaleString('en')} reported:{' '}
      <FoldedList
        id="reported"
        items={names}
        render={(name) => (
          <li data-key={`by ${name}`}>
            {name}
            <Ago at={at(name)} now={now} />
          </li>
        )}
      />
    </div>
  );
}

function Ago({ at, now }: { readonly at: number | null; readonly now: number }) {
  if (at === null) return null;
  return (
    <>
      {' '}
      (<RelativeTime at={new Date(at).toISOString()} now={now} />)
    </>
  );
}

/** Reports that no quorum counts, such as failures: the callers of each event. */
function OtherReports({ reports, now }: { readonly reports: Reports; readonly now: number }) {
  const groups = Map.groupBy(reports, ({ event, state }) => `${event} at ${state}`);
  return (
    <>
      {[...groups].map(([title, group]) => {
        const times = new Map(group.map(({ by, at }) => [by, at]));
        return (
          <li data-key={`other ${title}`}>
            {title}: {group.length} {group.length === 1 ? 'report' : 'reports'}
            <Reporters names={[...times.keys()]} at={(name) => times.get(name) ?? null} now={now} />
          </li>
        );
      })}
    </>
  );
}

/** The members that have not reported. */
function Missing({ count, names }: { readonly count: number; readonly names: readonly string[] }) {
  return (
    <div class="soft">
      {count.toLocaleString('en')} missing:{' '}
      <FoldedList id="missing" items={names} count={count} render={(name) => <li>{name}</li>} />
    </div>
  );
}

/** The slots of the active states, and the claims that hold them. */
export function Slots({ status: { claims }, now }: { readonly status: Status; readonly now: number }) {
  if (claims.length === 0) return <span data-part="slots" />;
  return (
    <section aria-labelledby="slots" data-part="slots">
      <h2 id="slots">Slots</h2>
      {claims.map(({ state, slots, holders }) => (
        <>
          <p class="soft">{`${holders.length} of ${slots} slots of ${state}`}</p>
          <Holders state={state} holders={holders} now={now} />
        </>
      ))}
    </section>
  );
}

interface HoldersProps {
  readonly state: string;
  readonly holders: Status['claims'][number]['holders'];
  readonly now: number;
}

function Holders({ state, holders, now }: HoldersProps) {
  return (
    <FoldedList
      id={state}
      items={holders}
      isPlain
      render={({ by, until }) => (
        <li data-key={by}>
          {by}, lease ends <RelativeTime at={until} now={now} />
        </li>
      )}
    />
  );
}
