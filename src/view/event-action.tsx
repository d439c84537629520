/** An event of a machine's page: its button, and where it leads. */
import type { Status } from '../objects/status-document.ts';
import type { View } from '../objects/view-data.ts';
import { Action, type ActionsProps, Labelled } from './action.tsx';
import { NAMES_SHOWN } from './format.ts';
import { Name } from './page.tsx';

/** An event that can be sent to a state. */
export interface EventItem {
  readonly taking: View['takes'][number];
  readonly event: string;
  readonly ways: NonNullable<View['takes'][number]['ways']>[number];
  /** Whether it leads to failure. */
  readonly isStop: boolean;
  /** Whether the chart itself raises it. */
  readonly isRaised: boolean;
}

export function eventsOf(takes: View['takes']): EventItem[] {
  return takes.flatMap((taking) =>
    taking.events.map((event, i) => ({
      taking,
      event,
      ways: taking.ways?.[i] ?? [],
      isStop: taking.stops?.includes(event) ?? false,
      isRaised: taking.raised?.includes(event) ?? false,
    })),
  );
}

/**
 * Sends an event. If the event may end the machine, its button opens a confirmation. It has the holders of a slot that the
 * event needs, if they are few: else the service finds out whether the sender is one.
 */
export function EventAction(props: ActionsProps & EventItem) {
  const { status, taking, event, ways, isStop, isRaised } = props;
  const { state, ends = [], counted = [], slots = [] } = taking;
  const holders = status.claims
    .filter((claim) => slots.includes(claim.state))
    .map((claim) => ({ state: claim.state, holders: claim.holders.map(({ by }) => by) }));
  const areFew = holders.every((slot) => slot.holders.length <= NAMES_SHOWN);
  const needs = counted.includes(event) && holders.length > 0 && areFew;
  const question = {
    title: `Send ${event} to ${state}?`,
    text: 'It may lead to a final state, which cannot be undone.',
    yes: `Send ${event}`,
  };
  const quorum = status.quorums.find((count) => count.state === state && count.event === event);
  const query = new URLSearchParams({ state, event });
  return (
    <Action
      {...props}
      id={`${state}\n${event}`}
      method="PUT"
      at={`/state?${query}`}
      kind={isStop ? 'stop' : isRaised ? 'quiet' : undefined}
      label={<Labelled text={event} state={state} />}
      slots={needs ? JSON.stringify(holders) : undefined}
      question={ends.includes(event) ? question : undefined}
    >
      {ways.map((way, i) => (
        <p class="soft">
          <Name text={leadsText(way, i)} />
          {conditionText(way, quorum)}
        </p>
      ))}
    </Action>
  );
}

type Quorum = Status['quorums'][number];

type Way = EventItem['ways'][number];

/** Says where a transition leads. */
function leadsText({ targets, guard }: Way, index: number): string {
  const leads = targets.length === 0 ? 'stays' : `→ ${targets.join(', ')}`;
  return guard === undefined && index > 0 ? `otherwise ${leads}` : leads;
}

/** Says when a transition is taken, and whether its guard is true at present. */
function conditionText({ guard, isCounted }: Way, quorum: Quorum | undefined): string {
  const count =
    isCounted && quorum !== undefined ? `, at ${quorum.need ?? 'its share'} (now ${quorum.have})` : '';
  if (guard === undefined) return count;
  const now = guard.holds === undefined ? 'depends on the report' : `now ${guard.holds}`;
  return `${count}, if ${guard.cel} (${now})`;
}
