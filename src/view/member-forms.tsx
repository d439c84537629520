/** The forms that change a machine's list of members. They need no script; with it, they ask first and number the lines. */
import type { ChartIssue } from '../chart/chart.ts';
import { MEMBERS_PAGE_MAX } from '../limits.ts';
import { asked } from './action.tsx';
import { Issues } from './chart-check.tsx';
import { OpenFile, TextEditor } from './text-editor.tsx';

export interface MemberFormsProps {
  /** The machine's address. */
  readonly name: string;
  /** The machine's path without a slash at its end; empty for the `default` machine. */
  readonly path: string;
  /** The members of the machine; null without a list. */
  readonly total: number | null;
  /** The text to begin with; absent where the list is too long for a text area. */
  readonly text?: string | undefined;
  /** The hash of the list that the text is a change of; absent with a list that is too long. */
  readonly from?: string | undefined;
  /** Why the text was refused. */
  readonly problem?: { readonly why: string; readonly issues: readonly ChartIssue[] } | undefined;
  /** Whose list this is. */
  readonly origin: string;
}

export function MemberForms(props: MemberFormsProps) {
  const { name, path, total } = props;
  return (
    <div class="stack" id="change">
      <Upload {...props} />
      {total === null ? null : (
        <section aria-labelledby="remove">
          <h2 id="remove">Take the list away</h2>
          <p class="soft">
            Without a list, everybody may report and claim. Shares of members wait for a list.
          </p>
          <form
            method="post"
            action={`${path}/members`}
            class="buttons"
            data-named=""
            {...asked({
              title: `Take the list of ${name} away?`,
              text: 'Everybody may report and claim then. Quorums and slots that are shares of the members wait for a new list.',
              yes: 'Take away',
            })}
          >
            <button type="submit" class="stop" name="remove" value="true">
              Take the list away…
            </button>
          </form>
        </section>
      )}
    </div>
  );
}

/** The list as text. What is uploaded replaces it. */
function Upload({ path, total, text, from, problem, origin }: MemberFormsProps) {
  const isReplaced = total !== null && total > 0;
  const question = {
    title: 'Replace the list of members?',
    text: 'A member that is not in the new list is struck off. A quorum that is met without it is taken at once.',
    yes: 'Replace',
  };
  return (
    <section aria-labelledby="upload">
      <h2 id="upload">{total === null ? 'Upload a list' : 'Change the list'}</h2>
      {problem === undefined ? null : (
        <div role="alert">
          <p class="problem">✗ {problem.why}</p>
          <Issues issues={problem.issues} />
        </div>
      )}
      {text === undefined ? (
        <p>
          The list has more than {MEMBERS_PAGE_MAX.toLocaleString('en')} members, too many to be shown here.
          What you upload replaces all of it.
        </p>
      ) : null}
      <form
        method="post"
        action={`${path}/members`}
        class="editor"
        data-named=""
        {...asked(isReplaced ? question : undefined)}
      >
        {from === undefined ? null : <input type="hidden" name="from" value={from} />}
        <label for="text">
          A member a line, with its labels: <code>web-01 zone=eu role=db</code>
        </label>
        <TextEditor rows={16} text={text ?? ''} />
        <p class="soft">Where a machine has a list, only its members may report and claim. {origin}</p>
        <div class="buttons">
          <button type="submit">{isReplaced ? 'Replace the list…' : 'Upload the list'}</button>
          <OpenFile accept=".txt,.members,.json,text/plain" />
        </div>
      </form>
    </section>
  );
}
