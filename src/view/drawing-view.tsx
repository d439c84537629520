/** The drawing on a machine's page, with what its reader can do with it, and its legend. */
import { raw } from 'hono/html';
import type { Idle } from './folding.ts';

export interface DrawingProps {
  /** SVG without a style of its own. */
  readonly svg: string;
  /** Whether states inside idle states are drawn: as it is asked for, and as it is. */
  readonly idle: Idle;
  readonly isFolded: boolean;
  /** Whether the chart has states that can be folded. */
  readonly hasFrames: boolean;
  /** The name of the state whose inside is drawn. */
  readonly inside: string | undefined;
}

/** What the script does with the drawing, by its key. */
const TOOLS = [
  ['in', '+', 'Zoom in', '+'],
  ['out', '−', 'Zoom out', '-'],
  ['fit', 'Fit', 'Fit the drawing into its frame', 'f'],
  ['current', 'Current', 'Scroll to the current state', 'c'],
] as const;

const LEGEND = [
  ['current', 'current'],
  ['visited', 'was current'],
  ['idle', 'not reached yet'],
  ['done', '✓ ended well'],
  ['failed', '✗ an end in failure'],
  ['parallel', 'its regions are active together'],
] as const;

/** The parts scroll and zoom for themselves; without the script, the drawing scrolls. */
export function Drawing({ svg, idle, isFolded, hasFrames, inside }: DrawingProps) {
  const within = inside === undefined ? '' : `&in=${encodeURIComponent(inside)}`;
  return (
    <section class="drawn" aria-label="Chart" data-part="chart" data-key="chart">
      <div class="tools" role="toolbar" aria-label="Drawing">
        {TOOLS.map(([tool, text, title, key]) => (
          <button
            type="button"
            class="quiet small scripted"
            data-tool={tool}
            title={title}
            aria-label={title}
            aria-keyshortcuts={key}
          >
            {text}
          </button>
        ))}
        {hasFrames ? (
          <a href={`?idle=${isFolded ? 'open' : 'folded'}${within}`} data-view aria-keyshortcuts="i">
            {isFolded ? 'Unfold all states' : 'Fold idle states'}
          </a>
        ) : null}
        {inside === undefined ? null : (
          <>
            <b>inside {inside}</b>
            <a href={idle === undefined ? '?' : `?idle=${idle}`} data-view>
              Whole chart
            </a>
          </>
        )}
      </div>
      {/* A region that scrolls must be reachable by keyboard. */}
      <section class="scroll" aria-label="The drawing" tabindex={0} data-drawing>
        {raw(svg)}
      </section>
      <details class="legend">
        <summary>Legend</summary>
        <ul class="plain">
          {LEGEND.map(([kind, text]) => (
            <li>
              <i class={`swatch ${kind}`} /> {text}
            </li>
          ))}
          <li>● where a state begins; ○ an arrow to or from the state around</li>
          <li>H returns to the state that was left; ▸ states inside are not drawn: select it to see them</li>
          <li>event [guard] / action; 1 of 3: reports that are counted; → name: the arrow ends there</li>
        </ul>
      </details>
    </section>
  );
}
