/** The page of a machine's notifications: for each hook what waits, what was given up and why, and what was sent. */
import type { ToldNotification } from '../objects/results.ts';
import type { View } from '../objects/view-data.ts';
import { FoldedCurl, quoted } from './action.tsx';
import { ChartHeader, type ChartHeaderProps } from './chart-header.tsx';
import { momentText } from './format.ts';
import { Change } from './history-rows.tsx';
import { Moment, Page } from './page.tsx';

type HookStatus = NonNullable<View['hooks']>[number];

interface NotificationsPageProps extends Omit<ChartHeaderProps, 'title'> {
  /** The machine's URL, without a slash at its end. */
  readonly url: string;
  readonly hooks: readonly HookStatus[];
  /** A page of the messages, the newest entry first. */
  readonly messages: readonly ToldNotification[];
  /** `before` of the next page; absent if there is none. */
  readonly before?: number;
  /** Whether this is not the first page. */
  readonly isContinued: boolean;
  /** ms since the epoch */
  readonly now: number;
}

export function NotificationsPage(props: NotificationsPageProps) {
  const { name, path, hooks, before, isContinued, viewer, now } = props;
  return (
    <Page title={`Notifications · ${name}`} icon={{ sign: name, outcome: 'active' }}>
      <ChartHeader {...props} title={`Notifications of ${name}`}>
        <span class="soft">
          As of <time datetime={new Date(now).toISOString()}>{momentText(now)}</time>
        </span>
      </ChartHeader>
      <main class="stack" data-by={viewer?.by ?? viewer?.sub}>
        {hooks.length === 0 ? (
          <section aria-label="Hooks">
            <p>Nobody is told: the chart names no hook in its notify.</p>
          </section>
        ) : null}
        {hooks
          .toSorted((one, other) => rankOf(one) - rankOf(other))
          .map((hook) => (
            <HookMessages {...props} hook={hook} />
          ))}
        {before === undefined && !isContinued ? null : (
          <nav aria-label="Pages">
            {isContinued ? (
              <a class="go" href={`${path}/notifications`}>
                Newest messages
              </a>
            ) : null}
            {before === undefined ? null : (
              <a class="go" href={`${path}/notifications?before=${before}`}>
                Older messages
              </a>
            )}
          </nav>
        )}
        <output id="answer" aria-live="polite" />
      </main>
    </Page>
  );
}

/** Hooks with a fault are first, then those whose messages wait. */
function rankOf({ problem, failed, dropped, pending }: HookStatus): number {
  if (problem !== null || failed > 0 || dropped !== null) return 0;
  return pending > 0 ? 1 : 2;
}

const GROUPS = [
  { status: 'pending', title: 'Waiting, the oldest first' },
  { status: 'failed', title: 'Given up' },
  { status: 'sent', title: 'Sent' },
] as const;

/** Messages that wait are sent in the order of their entries: the next one is first. Others have the newest first. */
function inOrder(rows: readonly ToldNotification[]): readonly ToldNotification[] {
  return rows[0]?.status === 'pending' ? rows.toReversed() : rows;
}

/** One hook, and its messages of this page: first those that wait, and those that were given up. */
function HookMessages(props: NotificationsPageProps & { readonly hook: HookStatus }) {
  const { path, hook, messages, isContinued, before, now } = props;
  const own = messages.filter((message) => message.hook === hook.hook);
  const groups = GROUPS.map((group) => ({
    ...group,
    rows: inOrder(own.filter(({ status }) => status === group.status)),
  })).filter(({ rows }) => rows.length > 0);
  const failed = own.filter(({ status }) => status === 'failed');
  const id = `hook-${hook.hook}`;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{hook.hook}</h2>
      <Summary path={path} hook={hook} now={now} />
      {groups.length === 0 ? (
        <p class="soft">
          {isContinued || before !== undefined ? 'No message on this page.' : 'No message yet.'}
        </p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Entry of the history</th>
              <th scope="col">What has become of it</th>
            </tr>
          </thead>
          {groups.map(({ status, title, rows }) => (
            <tbody>
              <tr>
                <th scope="rowgroup" colspan={2} class={status === 'failed' ? 'problem' : undefined}>
                  {title}
                </th>
              </tr>
              {rows.map((message) => (
                <Message path={path} message={message} next={hook.next} now={now} />
              ))}
            </tbody>
          ))}
        </table>
      )}
      <SendAgain {...props} message={failed[0]} />
    </section>
  );
}

interface SummaryProps {
  readonly path: string;
  readonly hook: HookStatus;
  readonly now: number;
}

/** What a hook's messages come to, whatever page is shown; what is wrong is first. */
function Summary({ path, hook: { problem, pending, failed, next, dropped }, now }: SummaryProps) {
  return (
    <>
      {problem === null ? null : <p class="problem">✗ {problem}.</p>}
      {failed === 0 ? null : <p class="problem">✗ {countText(failed, 'was', 'were')} given up.</p>}
      {dropped === null ? null : (
        <p class="problem">
          ✗ {countText(dropped.count, 'was', 'were')} dropped to make room, the last at{' '}
          <At at={dropped.at} now={now} />: from <EntryLink path={path} entry={dropped.first} /> to{' '}
          <EntryLink path={path} entry={dropped.last} />.
        </p>
      )}
      {pending === 0 ? (
        <p>Nothing waits.</p>
      ) : (
        <p>
          {countText(pending, 'waits', 'wait')}.
          {next === null ? null : (
            <>
              {' '}
              {next > now ? 'The next attempt is at' : 'An attempt is due since'} <At at={next} now={now} />.
            </>
          )}
        </p>
      )}
    </>
  );
}

function countText(count: number, is: string, are: string): string {
  return count === 1 ? `1 message ${is}` : `${count.toLocaleString('en')} messages ${are}`;
}

interface MessageProps {
  readonly path: string;
  readonly message: ToldNotification;
  /** When the first pending message of the hook is tried next, ms since the epoch. */
  readonly next: number | null;
  readonly now: number;
}

function Message({ path, message, next, now }: MessageProps) {
  const { entry, told } = message;
  return (
    <tr>
      <td>
        <EntryLink path={path} entry={entry} />
        {told === undefined ? null : (
          <div>
            <Change {...told} to={told.entered} length={NAMES_SHOWN} />
          </div>
        )}
      </td>
      <td>
        <Fate {...message} first={next} now={now} />
      </td>
    </tr>
  );
}

/** Characters of the names of an entry. */
const NAMES_SHOWN = 120;

/** What has become of a message, and when. Only the first pending one of a hook has a time for its next attempt. */
function Fate({
  status,
  at,
  next,
  attempts,
  failure,
  first,
  now,
}: ToldNotification & { readonly first: number | null; readonly now: number }) {
  const tried = `${attempts} ${attempts === 1 ? 'attempt has' : 'attempts have'} failed`;
  const why = failure === null ? '' : `${attempts > 1 ? ', the last one' : ''}: ${failure}`;
  if (status === 'sent') {
    return (
      <>
        ✓ sent at <At at={next} now={now} />
      </>
    );
  }
  if (status === 'failed') {
    return (
      <>
        <span class="problem">✗ given up</span> at <At at={next} now={now} />
        <p>
          {tried}
          {why}
        </p>
      </>
    );
  }
  return (
    <>
      {next === first && next > now ? (
        <>
          ● next attempt at <At at={next} now={now} />
        </>
      ) : (
        '● waits for its turn'
      )}
      {attempts === 0 ? null : (
        <p>
          {tried}
          {why}
        </p>
      )}
      <p class="soft">
        since <At at={at} now={now} />
      </p>
    </>
  );
}

function At({ at, now }: { readonly at: number; readonly now: number }) {
  return <Moment at={new Date(at).toISOString()} now={now} />;
}

function EntryLink({ path, entry }: { readonly path: string; readonly entry: number }) {
  return <a href={`${path}/history?before=${entry + 1}#e${entry}`}>entry {entry}</a>;
}

/** The curl that sends a message again which was given up. */
function SendAgain(props: NotificationsPageProps & { readonly message: ToldNotification | undefined }) {
  const { url, rights, viewer, message } = props;
  if (message === undefined || !rights.operate) return null;
  const token = viewer === undefined ? '' : ' -H "Authorization: Bearer $TOKEN"';
  const by = quoted(viewer?.by ?? viewer?.sub ?? 'NAME');
  const curl = `curl -sf -X POST${token} '${url}/notifications/${message.entry}?to=${message.hook}&by=${by}'`;
  return <FoldedCurl summary="Send one again, by curl" curl={curl} />;
}
