/** What every page has around it. */
import type { Child } from 'hono/jsx';
import { FAILED_TAG } from '../chart/model.ts';
import { durationText } from './format.ts';

/** How a machine stands: still going, or at an end. */
export type Outcome = 'active' | 'done' | 'failed';

/** @returns how a machine stands that has these tags: those of its active states. */
export function outcomeOf(status: 'active' | 'done', tags: readonly string[] = []): Outcome {
  return status === 'done' && tags.includes(FAILED_TAG) ? 'failed' : status;
}

/** The signs of the outcomes, for eyes that tell no colours apart. */
export const SIGNS = { active: '●', done: '✓', failed: '✗' } as const;

interface PageProps {
  readonly title: string;
  /** Drawn in the tab: what it is about in one sign, and its colour. */
  readonly icon: { readonly sign: string; readonly outcome: Outcome };
  readonly children: Child;
}

/** A whole page. Its script is loaded where there is something for it to do; without it the page is readable. */
export function Page({ title, icon, children }: PageProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title}</title>
        <link rel="icon" href={iconOf(icon)} data-part="icon" />
        <link rel="stylesheet" href="/page.css" />
        <script type="module" src="/page.js" />
      </head>
      <body>{children}</body>
    </html>
  );
}

const COLOURS = { active: '#0b57d0', done: '#2f7d46', failed: '#b3261e' } as const;

/** @returns an icon as a `data:` URL: a sign on a disc in the colour of the outcome. */
function iconOf({ sign, outcome }: PageProps['icon']): string {
  const colour = COLOURS[outcome];
  const text = [...sign.toUpperCase()].find((character) => /[\p{L}\p{N}]/u.test(character)) ?? '•';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="16" fill="${colour}"/><text x="16" y="22" font-size="18" font-family="sans-serif" font-weight="700" text-anchor="middle" fill="#fff">${text}</text></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** A moment: as it is written, and how far off it is once the script runs. */
export function Moment({ at, now }: { readonly at: string; readonly now: number }) {
  const ms = Date.parse(at) - now;
  const distance = durationText(Math.abs(ms));
  return (
    <time datetime={at} title={at} data-relative>
      {ms >= 0 ? `in ${distance}` : `${distance} ago`}
    </time>
  );
}
