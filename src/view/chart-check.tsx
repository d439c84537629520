/** The result of checking a chart: what is right or wrong, each issue with its place, and the drawing. */
import { raw } from 'hono/html';
import type { ChartIssue } from '../chart/chart.ts';
import { Page } from './page.tsx';

export interface ChartCheckProps {
  /** Why an upload would be refused; absent if it would not. */
  readonly why?: string;
  readonly issues: readonly ChartIssue[];
  /** SVG without a style of its own; absent if the chart cannot be drawn. */
  readonly picture?: string;
}

/** The part of the page that each check replaces. */
export function ChartCheck({ why, issues }: ChartCheckProps) {
  const warnings = issues.filter(({ severity }) => severity === 'warning').length;
  const errors = issues.length - warnings;
  const right = `✓ The chart can be uploaded${warnings === 0 ? '' : `, with ${counted(warnings, 'warning')}`}.`;
  const wrong = errors === 0 ? `✗ ${why}` : `✗ ${counted(errors, 'error')}`;
  return (
    <section data-part="check" aria-labelledby="check">
      <h2 id="check">Check</h2>
      <p role="status" class={why === undefined ? undefined : 'problem'}>
        <span class={why === undefined ? 'done' : 'failed'}>{why === undefined ? right : wrong}</span>
      </p>
      <Issues issues={issues} />
    </section>
  );
}

/** Issues of a text, each with a link to its place there. */
export function Issues({ issues }: Pick<ChartCheckProps, 'issues'>) {
  return (
    <ul class="plain issues">
      {issues.map(({ severity, line, column, path, message }) => (
        <li class={severity}>
          <a href="#text" data-line={line} data-column={column}>
            Line {line}, column {column}
          </a>
          {severity === 'warning' ? ' (warning)' : ''}
          {path === '' ? null : (
            <>
              {' '}
              <code>{path}</code>
            </>
          )}
          <br />
          {message}
        </li>
      ))}
    </ul>
  );
}

/** The drawing of the checked chart. */
export function CheckedDrawing({ picture }: { readonly picture: string | undefined }) {
  return (
    <section class="scroll" aria-label="The chart" tabindex={0} data-part="chart" data-key="chart">
      {picture === undefined ? (
        <p class="soft">The drawing follows when the chart is right.</p>
      ) : (
        raw(picture)
      )}
    </section>
  );
}

/** What the script of the form asks for: the parts that have changed, and no more. */
export function CheckPage({ title, ...check }: ChartCheckProps & { readonly title: string }) {
  return (
    <Page title={title} icon={{ sign: 'C', outcome: 'active' }}>
      <main>
        <ChartCheck {...check} />
        {check.picture === undefined ? null : <CheckedDrawing picture={check.picture} />}
      </main>
    </Page>
  );
}

function counted(count: number, word: string): string {
  return count === 1 ? `1 ${word}` : `${count} ${word}s`;
}
