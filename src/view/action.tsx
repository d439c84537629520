/** One action of a machine's page: its button, what it does, and the curl that does the same. */
import type { Child } from 'hono/jsx';
import type { Status } from '../objects/status-document.ts';
import type { View } from '../objects/view-data.ts';

/** The rights of the page's reader. */
export interface Rights {
  readonly update: boolean;
  readonly operate: boolean;
  readonly admin: boolean;
}

/** What all actions of a page share. */
export interface ActionsProps {
  readonly name: string;
  /** The machine's URL, without a slash at its end. */
  readonly url: string;
  readonly path: string;
  readonly takes: View['takes'];
  readonly status: Status;
  readonly rights: Rights;
  /** The name under which the reader reports; undefined where the reader chooses one. */
  readonly by: string | undefined;
  /** Whether requests need a token. */
  readonly isGuarded: boolean;
}

interface ActionProps extends ActionsProps {
  readonly id: string;
  readonly method: string;
  /** Below the machine's URL. */
  readonly at: string;
  readonly button: Child;
  readonly children?: Child;
}

export function Action({ id, method, url, at, by, isGuarded, button, children }: ActionProps) {
  const token = isGuarded ? ' -H "Authorization: Bearer $TOKEN"' : '';
  const named = NAMELESS.has(id) ? '' : `${at.includes('?') ? '&' : '?'}by=${quoted(by ?? 'NAME')}`;
  const curl = `curl -sf -X ${method}${token} '${url}${at}${named}'`;
  return (
    <li class="action" data-key={`action ${id}`}>
      {button}
      <div>{children}</div>
      <details class="curl">
        <summary>curl</summary>
        <code data-own="curl" data-curl={curl}>
          {curl}
        </code>
        <button type="button" class="quiet small" data-copy="">
          Copy
        </button>
      </details>
    </li>
  );
}

/** Actions whose requests take no name. */
const NAMELESS: ReadonlySet<string> = new Set(['delete', 'inputs']);

/** @returns a name as a part of a query inside single quotes of a shell. */
function quoted(name: string): string {
  return encodeURIComponent(name).replaceAll("'", '%27');
}
