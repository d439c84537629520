/** The dialogs of pages. The script opens them. */

/** States that the override offers; others can be typed. */
const STATES_OFFERED = 200;

/**
 * A confirmation, and the name in reports. In each dialog the button that changes nothing has the focus, or a field, so Enter
 * alone and Escape change nothing.
 */
export function Questions() {
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
            <button type="submit" value="yes" class="stop">
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
          <Buttons yes="Use this name" />
        </form>
      </dialog>
    </>
  );
}

/** The dialogs of a machine's page: what pausing and overriding need as well. */
export function Dialogs({ states }: { readonly states: readonly string[] }) {
  return (
    <>
      <Questions />
      <dialog id="pause" aria-labelledby="pause-title">
        <form method="dialog">
          <h2 id="pause-title">Pause the machine</h2>
          <Reason />
          <label>
            Until (empty: until somebody resumes it)
            <input name="until" placeholder="2h, or 2026-12-01T06:00:00Z" maxlength={64} />
          </label>
          <Buttons yes="Pause" />
        </form>
      </dialog>
      <dialog id="override" aria-labelledby="override-title">
        <form method="dialog">
          <h2 id="override-title">Move the machine by hand</h2>
          <p>It leaves and enters states as by a transition. The history names you and the reason.</p>
          <label>
            To the state
            <input name="to" list="states" required autofocus />
          </label>
          <Reason />
          <Buttons yes="Move" />
        </form>
      </dialog>
      <datalist id="states" data-part="states">
        {states.slice(0, STATES_OFFERED).map((state) => (
          <option value={state} />
        ))}
      </datalist>
    </>
  );
}

function Reason() {
  return (
    <label>
      Reason, for the history
      <input name="reason" required maxlength={255} />
    </label>
  );
}

function Buttons({ yes }: { readonly yes: string }) {
  return (
    <div class="buttons">
      <button type="submit" value="yes">
        {yes}
      </button>
      <button type="submit" value="no" class="quiet" formnovalidate>
        Cancel
      </button>
    </div>
  );
}
