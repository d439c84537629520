/** The form that edits or uploads a chart. Its script checks the text as it is typed; without one, its buttons do. */
import { ChartCheck, type ChartCheckProps, CheckedDrawing } from './chart-check.tsx';
import { ChartHeader, type ChartHeaderProps } from './chart-header.tsx';
import { Questions } from './dialogs.tsx';
import { Page } from './page.tsx';
import { OpenFile, TextEditor } from './text-editor.tsx';

interface EditPageProps extends Omit<ChartHeaderProps, 'title'> {
  readonly text: string;
  /** Whether the address has no chart yet. */
  readonly isNew: boolean;
  /** Whether the machine is in mid-sequence. */
  readonly isUnderWay: boolean;
  /** Whether the box for a reset is ticked. */
  readonly isReset: boolean;
  /** Of what the text is a change: the hash of the newest chart, and the revision if it has present values. */
  readonly base: { readonly from: string; readonly revision?: string };
  /** Absent if the text was not checked yet. */
  readonly check?: ChartCheckProps;
}

/** A chart to begin with, at an address that has none. */
export const FIRST_CHART = `# Two hosts go first. The others follow when both have reported.
initial: canary
states:
  canary:
    on:
      update: { target: fleet, quorum: 2 }
      fail: stopped
  fleet:
    on:
      update: { target: done, quorum: 10 }
      fail: stopped
  done: { type: final }
  stopped: { type: final, tags: [failed] }
`;

export function editTitle(name: string): string {
  return `Edit · ${name}`;
}

export function EditPage(props: EditPageProps) {
  const { name, path, text, isNew, isUnderWay, isReset, base, check, viewer } = props;
  return (
    <Page title={editTitle(name)} icon={{ sign: name, outcome: 'active' }}>
      <ChartHeader {...props} title={isNew ? `A chart for ${name}` : `Edit the chart of ${name}`} />
      <main data-by={viewer?.by ?? viewer?.sub}>
        <form method="post" action={`${path}/chart/edit`} data-named="">
          {Object.entries(base).map(([name, value]) => (
            <input type="hidden" name={name} value={value} />
          ))}
          <div class="halves">
            <section class="editor">
              <h2>
                <label for="text">Chart, as YAML</label>
              </h2>
              <TextEditor rows={24} text={text} check={`${path}/chart?dry_run=true&reset=true`} />
              {isUnderWay || isReset ? (
                <label class="choice">
                  <input type="checkbox" name="reset" value="true" checked={isReset} />
                  <span>
                    Start over with this chart. The machine is in mid-sequence: its counts and claims are
                    dropped, the history is kept.
                  </span>
                </label>
              ) : null}
              <div class="buttons">
                <button type="submit">Upload</button>
                <OpenFile accept=".yaml,.yml,.json" />
                <noscript>
                  <button type="submit" name="check" value="true" class="quiet">
                    Check
                  </button>
                </noscript>
              </div>
            </section>
            <div class="stack">
              {check === undefined ? (
                <section data-part="check" aria-label="Check">
                  <p class="soft">Not checked yet.</p>
                </section>
              ) : (
                <ChartCheck {...check} />
              )}
              <CheckedDrawing picture={check?.picture} />
            </div>
          </div>
        </form>
        <output id="answer" aria-live="polite" />
        <Questions />
      </main>
    </Page>
  );
}
