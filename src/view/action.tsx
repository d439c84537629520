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
  /** The key of the action among those of the page. */
  readonly id: string;
  readonly method: string;
  /** The request, below the machine's URL. */
  readonly at: string;
  /** What its dialog adds to the query, as the curl shows it: `reason=WHY`. */
  readonly fields?: string;
  /** The text of the button. */
  readonly label: Child;
  /** How the button looks; by default as the one that goes on. */
  readonly kind?: 'quiet' | 'stop' | undefined;
  /** The dialog that the button opens. */
  readonly dialog?: string;
  /** The confirmation that the button opens. */
  readonly question?: Question | undefined;
  /** JSON: the holders of the slots that the request needs. */
  readonly slots?: string | undefined;
  readonly children?: Child;
}

/** A confirmation before a request is sent. */
export interface Question {
  readonly title: string;
  readonly text: string;
  /** The text of the button that confirms. */
  readonly yes: string;
}

export function Action(props: ActionProps) {
  const { id, method, path, at, label, kind, dialog, question, slots, children } = props;
  return (
    <li class="action" data-key={`action ${id}`}>
      <button
        type="button"
        class={kind}
        data-key={id}
        data-method={method}
        data-path={`${path}${at}` || '/'}
        data-dialog={dialog}
        data-slots={slots}
        {...asked(question)}
      >
        {label}
      </button>
      <div>{children}</div>
      <Curl {...props} />
    </li>
  );
}

interface LinkActionProps {
  readonly id: string;
  readonly href: string;
  readonly label: string;
  readonly kind: 'quiet' | 'stop';
  readonly children: Child;
}

/** An action that has a page of its own. */
export function LinkAction({ id, href, label, kind, children }: LinkActionProps) {
  return (
    <li class="action" data-key={`action ${id}`}>
      <a class={`button ${kind}`} href={href}>
        {label}
      </a>
      <p class="soft">{children}</p>
    </li>
  );
}

/** The text of a button that is about one state. */
export function Labelled({ text, state }: { readonly text: string; readonly state: string }) {
  return (
    <>
      {text}
      <span class="small"> {state}</span>
    </>
  );
}

/** @returns the attributes by which the script asks for a confirmation. */
export function asked(question: Question | undefined) {
  if (question === undefined) return {};
  return { 'data-ask-title': question.title, 'data-ask': question.text, 'data-yes': question.yes };
}

/** The curl that does the same. */
function Curl({ id, method, url, at, fields, by, isGuarded }: ActionProps) {
  const token = isGuarded ? ' -H "Authorization: Bearer $TOKEN"' : '';
  const named = NAMELESS.has(id) ? [] : [`by=${quoted(by ?? 'NAME')}`];
  const query = [...(fields === undefined ? [] : [fields]), ...named].join('&');
  const separator = query === '' ? '' : at.includes('?') ? '&' : '?';
  const curl = `curl -sf -X ${method}${token} '${url}${at}${separator}${query}'`;
  return <FoldedCurl summary="curl" curl={curl} />;
}

/** A curl command to copy, which is folded. */
export function FoldedCurl({ summary, curl }: { readonly summary: string; readonly curl: string }) {
  return (
    <details class="curl">
      <summary>{summary}</summary>
      <code data-own="curl" data-curl={curl}>
        {curl}
      </code>
      <button type="button" class="quiet small" data-copy="">
        Copy
      </button>
    </details>
  );
}

/** Actions whose requests take no name. */
const NAMELESS: ReadonlySet<string> = new Set(['delete', 'inputs']);

/** @returns a name as a part of a query inside single quotes of a shell. */
export function quoted(name: string): string {
  return encodeURIComponent(name).replaceAll("'", '%27');
}
