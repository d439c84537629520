/** The buttons and dialogs of a machine's page. */
import type { View } from '../objects/results.ts';
import { NAMES_SHOWN } from './format.ts';

/** The slots of a state, and the claims that hold them. */
interface Slots {
  readonly state: string;
  readonly holders: readonly { readonly by: string }[];
}

interface ActionsProps {
  readonly name: string;
  readonly path: string;
  /** Empty where no event can be sent. */
  readonly takes: View['takes'];
  readonly claims: readonly Slots[];
  readonly mayReset: boolean;
  /** The subject of the request's token; undefined where no token is needed. */
  readonly viewer: string | undefined;
  readonly isShown: boolean;
}

/** The buttons of the page, for the rights of the request. They need the page's script. */
export function Actions({ name, path, takes, claims, mayReset, viewer, isShown }: ActionsProps) {
  if (!isShown) return <span data-part="actions" />;
  return (
    <section aria-labelledby="actions" data-part="actions" tabindex={-1}>
      <h2 id="actions">Actions</h2>
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
            data-ask-title={`Reset ${name}?`}
            data-ask="The machine starts again in the initial state of its newest chart. Counts and claims are dropped; the history is kept."
            data-yes="Reset"
          >
            Reset…
          </button>
        </p>
      ) : null}
      <p class="soft" data-key="name-row">
        {viewer === undefined ? (
          <>
            <span data-own="name">Reports need a name.</span>{' '}
            <button type="button" class="quiet small" data-key="rename" data-rename="">
              Change name
            </button>
          </>
        ) : (
          `You report as ${viewer}.`
        )}
      </p>
      <noscript>
        <p class="soft">The buttons need JavaScript. curl sends the same requests.</p>
      </noscript>
    </section>
  );
}

interface EventButtonProps {
  readonly path: string;
  readonly taking: View['takes'][number];
  readonly event: string;
  readonly claims: readonly Slots[];
}

/**
 * A button that sends an event. If the event may end the machine, it opens a confirmation. It has the holders of a slot
 * that the event needs, if they are few: else the service finds out whether the sender is one.
 */
function EventButton({ path, taking, event, claims }: EventButtonProps) {
  const { state, ends = [], counted = [], slots = [] } = taking;
  const holders = claims
    .filter((claim) => slots.includes(claim.state))
    .map((claim) => ({ state: claim.state, holders: claim.holders.map(({ by }) => by) }));
  const areFew = holders.every((slot) => slot.holders.length <= NAMES_SHOWN);
  const needs = counted.includes(event) && holders.length > 0 && areFew;
  const question = {
    'data-ask-title': `Send ${event} to ${state}?`,
    'data-ask': 'It may lead to a final state, which cannot be undone.',
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

/** The dialogs that the script opens. The button that changes nothing has the focus, so Enter and Escape change nothing. */
export function Dialogs() {
  return (
    <>
      <dialog id="question" aria-labelledby="question-title">
        <form method="dialog">
          <h2 id="question-title">Confirm</h2>
          <p />
          <div class="buttons">
            <button type="submit" value="no" autofocus>
              Cancel
            </button>
            <button type="submit" value="yes" class="quiet">
              Yes
            </button>
          </div>
        </form>
      </dialog>
      <dialog id="name" aria-labelledby="name-title">
        <form method="dialog">
          <h2 id="name-title">Name in reports</h2>
          <p>A quorum counts each name once. This browser keeps the name.</p>
          <label>
            Your name
            <input name="by" autocomplete="username" maxlength={255} autofocus />
          </label>
          <div class="buttons">
            <button type="submit" value="yes">
              Use this name
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
