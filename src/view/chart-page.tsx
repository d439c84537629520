/** The page of a chart: its text, where it comes from, a newer one that waits, and the form that starts a run. */
import { raw } from 'hono/html';
import { parseObjectName } from '../address.ts';
import type { Sources } from '../objects/chart-results.ts';
import { ChartDiff } from './chart-diff.tsx';
import { ChartHeader, type ChartHeaderProps } from './chart-header.tsx';
import { Questions } from './dialogs.tsx';
import type { Block } from './line-diff.ts';
import { Page } from './page.tsx';
import { ChartSource } from './source-view.tsx';
import { StartForm } from './start-form.tsx';

interface ChartPageProps extends Omit<ChartHeaderProps, 'title'> {
  readonly sources: Sources;
  /** In what the newest chart differs from the machine's own; absent if it does not. */
  readonly difference?: readonly Block[];
  /** SVG without a style of its own; absent if the chart cannot be drawn. */
  readonly picture?: string;
}

export function ChartPage(props: ChartPageProps) {
  const { name, path, sources, picture, rights, viewer } = props;
  const { own, newest } = sources;
  const shown = own ?? newest;
  const { tenant, run } = parseObjectName(name);
  const canStart = rights.operate && tenant !== undefined && run === undefined && newest !== undefined;
  return (
    <Page title={`Chart · ${name}`} icon={{ sign: name, outcome: 'active' }}>
      <ChartHeader {...props} title={`Chart of ${name}`} />
      <main data-by={viewer?.by ?? viewer?.sub}>
        <div class="stack">
          <Newer {...props} />
          {shown !== undefined && own === undefined && shown === newest ? (
            <Broken errors={newest.errors.length} />
          ) : null}
          <div class="halves">
            <section aria-labelledby="source">
              <h2 id="source">Source</h2>
              <p class="soft">
                {own === undefined
                  ? 'Not started yet. '
                  : own.text === own.beginning
                    ? ''
                    : 'With its present values. '}
                From {originText(shown?.origin, run !== undefined)}. SHA-256{' '}
                <code class="hash">{shown?.hash}</code>
              </p>
              <ChartSource text={shown?.text ?? ''} />
            </section>
            {picture === undefined ? null : (
              <section class="scroll" aria-label="The chart" tabindex={0} data-part="chart" data-key="chart">
                {raw(picture)}
              </section>
            )}
          </div>
          {canStart && newest.errors.length === 0 ? (
            <section aria-labelledby="start">
              <h2 id="start">Start a run</h2>
              <StartForm path={path} inputs={newest.inputs} values={{}} problems={[]} />
            </section>
          ) : null}
        </div>
        <output id="answer" aria-live="polite" />
        {rights.admin ? <Questions /> : null}
      </main>
    </Page>
  );
}

/** The newer chart that waits, as a difference, and the reset that takes it. */
function Newer({ name, path, sources: { newest }, difference, rights }: ChartPageProps) {
  if (newest === undefined || difference === undefined) return null;
  const isBroken = newest.errors.length > 0;
  return (
    <section aria-labelledby="newer" class="held">
      <h2 id="newer">A newer chart is available</h2>
      <p>
        From {originText(newest.origin, parseObjectName(name).run !== undefined)}. The machine keeps its own
        chart until it is reset.
      </p>
      <ChartDiff blocks={difference} />
      {isBroken ? <Broken errors={newest.errors.length} /> : null}
      {rights.admin && !isBroken ? (
        <form
          method="post"
          action={`${path}/reset`}
          class="buttons"
          data-named=""
          data-ask-title={`Reset ${name}?`}
          data-ask="The machine starts again in the initial state of the newer chart. Counts and claims are dropped; the history is kept."
          data-yes="Reset"
        >
          <button type="submit" class="stop">
            Reset with the newer chart…
          </button>
        </form>
      ) : null}
      {rights.admin ? null : <p class="soft">A reset needs the right to admin.</p>}
    </section>
  );
}

function Broken({ errors }: { readonly errors: number }) {
  if (errors === 0) return null;
  const count = errors === 1 ? 'an error' : `${errors} errors`;
  return <p class="problem">The newest chart has {count}: nothing starts with it.</p>;
}

function originText(origin: string | undefined, isRun: boolean): string {
  if (origin === 'upload') return isRun ? 'an upload to its chart' : 'an upload to this address';
  return origin === 'binding' ? 'the variable CHART' : 'the folder of charts';
}
