/** A list of names on a machine's page: how many there are and the first of them, the others folded. */
import type { Child } from 'hono/jsx';
import { NAMES_SHOWN } from './format.ts';

/** Items that are not folded: some three lines of names on a phone. */
const FIRST = 5;

interface FoldedListProps<Item> {
  readonly items: readonly Item[];
  /** How many there are, where `items` may be only the first of them. */
  readonly count?: number;
  /** Tells the list from others of its section, so that it stays unfolded while the page changes. */
  readonly id: string;
  /** Whether each item has a line of its own; else they are in a row, in which no name is broken but one longer than a line. */
  readonly isPlain?: boolean;
  /** Renders an item as an `li`. */
  readonly render: (item: Item) => Child;
}

export function FoldedList<Item>(props: FoldedListProps<Item>) {
  const { items, count = items.length, id, isPlain = false, render } = props;
  const kind = isPlain ? 'plain' : 'names';
  // A fold around one name would take as much room as the name.
  const first = count <= FIRST + 1 ? items : items.slice(0, FIRST);
  const rest = items.slice(first.length, NAMES_SHOWN);
  const others = count - first.length - rest.length;
  return (
    <>
      <ul class={kind}>{first.map(render)}</ul>
      {rest.length === 0 ? null : (
        <details data-key={`more ${id}`}>
          <summary>and {count - first.length} more</summary>
          <ul class={kind}>
            {rest.map(render)}
            {others > 0 ? <li>and {others} more</li> : null}
          </ul>
        </details>
      )}
    </>
  );
}
