/** The pages of a link: what it sends, what came of it, and why it cannot be used. */
import { innermost } from './format.ts';
import { Page } from './page.tsx';

/** What a link sends. */
interface Sent {
  /** The machine's address. */
  readonly machine: string;
  readonly state: string;
  readonly event: string;
  readonly by: string;
}

interface Count {
  readonly have: number;
  readonly need: number | null;
}

interface OfferProps extends Sent {
  /** Until when the link may be used, ms since the epoch. */
  readonly until: number;
  /** The active states now, and after the report. */
  readonly states: readonly string[];
  readonly next: readonly string[];
  readonly counts: readonly Count[];
  readonly isPaused: boolean;
}

/** Says what the link sends, and has the button that sends it. */
export function OfferPage(props: OfferProps) {
  const { machine, state, event, by, until, states, next, counts, isPaused } = props;
  const isMove = next.join('\n') !== states.join('\n');
  return (
    <LinkPage title={`Send ${event}?`}>
      <p>
        You send <b>{event}</b> to the state <b>{state}</b> of {machine}, as <b>{by}</b>.
      </p>
      {counts.map(({ have, need }) => (
        <p>
          So far: {have} of {need ?? 'a share of the members'}.
        </p>
      ))}
      {isMove ? <p>The machine then moves to {innermost(next).join(', ')}.</p> : null}
      {isPaused ? <p>The machine is paused. What you send counts all the same.</p> : null}
      <form method="post" class="buttons">
        <button type="submit">Send {event}</button>
      </form>
      <p class="soft">
        The link works once, until <Moment at={until} />.
      </p>
    </LinkPage>
  );
}

interface SentProps extends Sent {
  /** Whether it was sent before. */
  readonly isRepeat: boolean;
  /** The active states afterwards. */
  readonly states: readonly string[];
  readonly counts: readonly Count[];
}

/** Says that the report has counted. */
export function SentPage({ machine, state, event, by, isRepeat, states, counts }: SentProps) {
  return (
    <LinkPage title={isRepeat ? '✓ Already done' : '✓ Done'} outcome="done">
      <p>
        You have sent <b>{event}</b> to the state <b>{state}</b> of {machine}, as <b>{by}</b>.
        {isRepeat ? ' It counts once.' : ''}
      </p>
      {counts.map(({ have, need }) => (
        <p>
          Now: {have} of {need ?? 'a share of the members'}.
        </p>
      ))}
      <p class="soft">Current state: {innermost(states).join(', ')}</p>
    </LinkPage>
  );
}

/** A link that cannot be used. */
export function NoLinkPage({ title, why }: { readonly title: string; readonly why: string }) {
  return (
    <LinkPage title={title}>
      <p>{why}</p>
    </LinkPage>
  );
}

interface LinkPageProps {
  readonly title: string;
  readonly outcome?: 'active' | 'done';
  readonly children: unknown;
}

function LinkPage({ title, outcome = 'active', children }: LinkPageProps) {
  return (
    <Page title={title} icon={{ sign: title, outcome }} isOfLink>
      <header>
        <h1>{title}</h1>
      </header>
      <main>
        <section>{children}</section>
      </main>
    </Page>
  );
}

/** A moment in UTC, to the minute: the page has no script that could keep a relative one up to date. */
function Moment({ at }: { readonly at: number }) {
  const text = new Date(at).toISOString();
  return <time datetime={text}>{`${text.slice(0, 10)} ${text.slice(11, 16)} UTC`}</time>;
}
