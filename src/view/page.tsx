/** The document that every page is rendered in. */
import type { Child } from 'hono/jsx';
import { FAILED_TAG } from '../chart/model.ts';
import { clockText, durationText } from './format.ts';

/** Whether a machine is still active, and if not, whether it has failed. */
export type Outcome = 'active' | 'done' | 'failed';

/** @param tags of the machine's active states. */
export function outcomeOf(status: 'active' | 'done', tags: readonly string[] = []): Outcome {
  return status === 'done' && tags.includes(FAILED_TAG) ? 'failed' : status;
}

/** A sign for each outcome, so that it does not depend on colour. */
export const SIGNS = { active: '●', done: '✓', failed: '✗' } as const;

interface PageProps {
  readonly title: string;
  /** The icon of the tab: the first letter or digit of `sign`, on the colour of the outcome. */
  readonly icon: { readonly sign: string; readonly outcome: Outcome };
  /** Whether the page is that of a link. It has no script, and one form, which works without one. */
  readonly isOfLink?: boolean;
  readonly children: Child;
}

/**
 * A page. It is readable without its script, which updates it and sends what the buttons say.
 *
 * A form on a page that sends no referrer has `Origin: null`, which `edge/origin.ts` takes for another site where the browser
 * sends no Fetch Metadata: over http://. So the page of a link gives its origin, and never its path.
 */
export function Page({ title, icon, isOfLink = false, children }: PageProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        {isOfLink ? <meta name="referrer" content="strict-origin" /> : null}
        <title>{title}</title>
        <link rel="icon" href={iconOf(icon)} data-part="icon" />
        <link rel="stylesheet" href="/page.css" />
        {isOfLink ? null : <script type="module" src="/page.js" />}
      </head>
      <body>{children}</body>
    </html>
  );
}

const COLOURS = { active: '#0b57d0', done: '#2f7d46', failed: '#b3261e' } as const;

/** @returns an icon as a `data:` URL. */
function iconOf(icon: PageProps['icon']): string {
  return `data:image/svg+xml,${encodeURIComponent(iconSvg(icon))}`;
}

/** @returns an icon: a character on a disc. */
export function iconSvg({ sign, outcome }: PageProps['icon']): string {
  const colour = COLOURS[outcome];
  const text = [...sign.toUpperCase()].find((character) => /[\p{L}\p{N}]/u.test(character)) ?? '•';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="16" fill="${colour}"/><text x="16" y="22" font-size="18" font-family="sans-serif" font-weight="700" text-anchor="middle" fill="#fff">${text}</text></svg>`;
}

/** A name that is broken between its parts, where a line is too short for it. */
export function Name({ text }: { readonly text: string }) {
  const parts = text.split(/(?<=[./])(?=.)/);
  return <>{parts.flatMap((part, i) => (i === 0 ? [part] : [<wbr />, part]))}</>;
}

/** A time relative to `now`; the script keeps it up to date. */
export function RelativeTime({ at, now }: { readonly at: string; readonly now: number }) {
  const ms = Date.parse(at) - now;
  const distance = durationText(Math.abs(ms));
  return (
    <time datetime={at} title={at} data-relative>
      {ms > 0 ? `in ${distance}` : `${distance} ago`}
    </time>
  );
}

/** A time on the clock, and relative to `now`: `04:16 UTC, in 1h 43m`. */
export function Moment({ at, now }: { readonly at: string; readonly now: number }) {
  return (
    <>
      {clockText(Date.parse(at), now)}, <RelativeTime at={at} now={now} />
    </>
  );
}
