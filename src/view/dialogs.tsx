/** The dialogs of pages. The script opens them. */

import type { Inputs } from '../chart/chart.ts';

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

interface DialogsProps {
  readonly states: readonly string[];
  readonly inputs?: Inputs | undefined;
}

/** The dialogs of a machine's page: what pausing, resuming, overriding and other inputs need as well. */
export function Dialogs({ states, inputs = {} }: DialogsProps) {
  return (
    <>
      <Questions />
      <dialog id="pause" aria-labelledby="pause-title">
        <form method="dialog">
          <h2 id="pause-title">Pause the machine</h2>
          <Reason isRequired />
          <label>
            Until (empty: until somebody resumes it)
            <input name="until" placeholder="2h, or 2026-12-01T06:00:00Z" maxlength={64} />
          </label>
          <Buttons yes="Pause" />
        </form>
      </dialog>
      <dialog id="resume" aria-labelledby="resume-title">
        <form method="dialog">
          <h2 id="resume-title">Resume the machine</h2>
          <Reason />
          <Buttons yes="Resume" />
        </form>
      </dialog>
      <dialog id="inputs-form" aria-labelledby="inputs-title" data-part="inputs-form">
        <form method="dialog">
          <h2 id="inputs-title">Change inputs</h2>
          {Object.entries(inputs).map(([name, value]) => (
            <label data-key={name}>
              {name}
              <input name={name} value={String(value ?? '')} />
            </label>
          ))}
          <Buttons yes="Change" />
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
          <Reason isRequired />
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

function Reason({ isRequired = false }: { readonly isRequired?: boolean }) {
  return (
    <label>
      Reason, for the history{isRequired ? '' : ' (may be empty)'}
      <input name="reason" required={isRequired} maxlength={255} />
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
