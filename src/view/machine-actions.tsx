/** The actions of a machine's page. */
import { Action, type ActionsProps, LinkAction } from './action.tsx';
import { EventAction, type EventItem, eventsOf } from './event-action.tsx';
import { updateFirst } from './format.ts';
import { SlotActions } from './slot-actions.tsx';

/** The actions for the rights of the request. The buttons need the page's script. */
export function Actions(props: ActionsProps) {
  const { rights, takes, status, by } = props;
  const isActive = status.status === 'active';
  const events = rights.update && isActive ? updateFirst(eventsOf(takes)) : [];
  const sent = events.filter(({ isRaised }) => !isRaised);
  if (!rights.update && !rights.operate && !rights.admin) {
    return (
      <>
        <span data-part="actions" />
        <span data-part="ends" />
      </>
    );
  }
  return (
    <>
      <section aria-labelledby="actions" data-part="actions" tabindex={-1}>
        <h2 id="actions">Actions</h2>
        <ul class="plain">
          {sent
            .filter(({ isStop }) => !isStop)
            .map((item) => (
              <EventAction {...props} {...item} />
            ))}
          {rights.update ? <SlotActions {...props} /> : null}
          {events.length > 0 ? (
            <LinkAction id="link" href={`${props.path}/links`} kind="quiet" label="Make a link…">
              For a person who has no token: it shows what it sends, and a button.
            </LinkAction>
          ) : null}
          {rights.operate ? <OperateActions {...props} /> : null}
          <RaisedEvents {...props} events={events.filter(({ isRaised }) => isRaised)} />
        </ul>
        <p class="soft" data-key="name-row">
          {by === undefined ? (
            <>
              <span data-own="name">Reports need a name.</span>{' '}
              <button type="button" class="quiet small" data-key="rename" data-rename="">
                Change name
              </button>
            </>
          ) : (
            `You report as ${by}.`
          )}
        </p>
        <noscript>
          <p class="soft">The buttons need JavaScript. curl sends the same requests.</p>
        </noscript>
      </section>
      <EndActions {...props} events={sent.filter(({ isStop }) => isStop)} />
    </>
  );
}

/** Events that nobody needs to send: the chart raises them itself. */
function RaisedEvents(props: ActionsProps & { readonly events: readonly EventItem[] }) {
  const { events } = props;
  if (events.length === 0) return null;
  return (
    <li data-key="raised">
      <details>
        <summary>Raised by the chart: {[...new Set(events.map(({ event }) => event))].join(', ')}</summary>
        <p class="soft">
          The chart raises {events.length === 1 ? 'this event' : 'these events'} itself when it is time. Send
          one only to go on without that.
        </p>
        <ul class="plain">
          {events.map((item) => (
            <EventAction {...props} {...item} />
          ))}
        </ul>
      </details>
    </li>
  );
}

/** Pausing, resuming and overriding. */
function OperateActions(props: ActionsProps) {
  const { path, status } = props;
  return (
    <>
      {status.paused ? (
        <Action {...props} id="resume" method="POST" at="/resume" dialog="resume" label="Resume…">
          <p class="soft">Relative timers go on with what was left of them.</p>
        </Action>
      ) : null}
      {status.status === 'active' ? (
        <Action
          {...props}
          id="pause"
          method="POST"
          at="/pause"
          fields="reason=WHY"
          kind="quiet"
          dialog="pause"
          label={status.paused ? 'Change the pause…' : 'Pause…'}
        >
          <p class="soft">Nobody begins work; reports count, and relative timers stand still.</p>
        </Action>
      ) : null}
      <Action
        {...props}
        id="override"
        method="POST"
        at="/override"
        fields="to=STATE&reason=WHY"
        kind="quiet"
        dialog="override"
        label="Override…"
      >
        <p class="soft">Moves the machine by hand to any of its states.</p>
      </Action>
      <LinkAction id="members" href={`${path}/members`} kind="quiet" label="Members…">
        {status.members
          ? `${status.members.total.toLocaleString('en')} members may report. Change the list, or strike one off.`
          : 'Everybody may report: there is no list of members. Upload one.'}
      </LinkAction>
      {Object.keys(status.inputs ?? {}).length === 0 ? null : (
        <Action
          {...props}
          id="inputs"
          method="PATCH"
          at="/inputs"
          fields="INPUT=VALUE"
          kind="quiet"
          dialog="inputs-form"
          label="Change inputs…"
        >
          <p class="soft">Slots and quorums follow at once; timers that are set stay.</p>
        </Action>
      )}
    </>
  );
}

/** What leads to failure, and what destroys: apart from the other actions, in a colour of its own. */
function EndActions(props: ActionsProps & { readonly events: readonly EventItem[] }) {
  const { name, path, rights, events } = props;
  if (events.length === 0 && !rights.admin) return <span data-part="ends" />;
  return (
    <section aria-labelledby="ends" data-part="ends" tabindex={-1}>
      <h2 id="ends">{rights.admin ? 'Stop and delete' : 'Stop'}</h2>
      <ul class="plain">
        {events.map((item) => (
          <EventAction {...props} {...item} />
        ))}
        {rights.admin ? (
          <>
            <Action
              {...props}
              id="reset"
              method="POST"
              at="/reset"
              kind="stop"
              label="Reset…"
              question={{
                title: `Reset ${name}?`,
                text: 'The machine starts again in the initial state of its newest chart. Counts and claims are dropped; the history is kept.',
                yes: 'Reset',
              }}
            >
              <p class="soft">Starts again with the newest chart. The history is kept.</p>
            </Action>
            <LinkAction id="restore" href={`${path}/restore`} kind="stop" label="Restore…">
              Puts the machine back to a moment, and undoes what came after.
            </LinkAction>
            <Action
              {...props}
              id="delete"
              method="DELETE"
              at=""
              kind="stop"
              label="Delete…"
              question={{
                title: `Delete ${name}?`,
                text: 'The machine is erased with its history. This cannot be undone.',
                yes: 'Delete',
              }}
            >
              <p class="soft">Erases the machine and its history.</p>
            </Action>
          </>
        ) : null}
      </ul>
    </section>
  );
}
