/** The page of all operations of the service, from the same contract as OpenAPI. */
import type { Right } from '../grant.ts';
import { type RefusalCode, statusOf, titleOf } from '../refusal.ts';
import { Page } from './page.tsx';

/** A method of a path, as the page shows it. */
export interface ShownOperation {
  /** With its parameters in braces. */
  readonly path: string;
  readonly method: string;
  readonly contract: {
    readonly id: string;
    readonly summary: string;
    readonly parameters?: readonly {
      readonly name: string;
      readonly in: 'query' | 'header';
      readonly says: string;
      readonly isRequired?: boolean;
    }[];
    /** By media type. */
    readonly body?: Readonly<Record<string, unknown>>;
    /** By status. */
    readonly answers: Readonly<
      Record<
        number,
        {
          readonly says: string;
          readonly content?: Readonly<Record<string, unknown>>;
          readonly headers?: readonly string[];
        }
      >
    >;
  };
  /** The right that the caller's token must have; absent if none is needed; `link` if the path is a link. */
  readonly right?: Right | 'link';
  readonly refusals: readonly RefusalCode[];
}

/** Lists the operations of a machine, of a tenant, and of the service. */
export function OperationsPage({ operations }: { readonly operations: readonly ShownOperation[] }) {
  const groups = [
    { title: 'Machine', has: (path: string) => path.startsWith('/{tenant}/{chart}') },
    { title: 'Tenant', has: (path: string) => /^\/\{tenant\}(?!\/\{)/.test(path) },
  ];
  const isShown = (path: string) => groups.some(({ has }) => has(path));
  // The `default` machine has the same operations at the root; they are listed once.
  const ofService = operations.filter(({ path, right }) => !isShown(path) && right === undefined);
  return (
    <Page title="StateService: API" icon={{ sign: '?', outcome: 'active' }}>
      <header>
        <h1>API</h1>
        <nav aria-label="Service">
          <a href="/">service</a>
        </nav>
        <span class="soft">
          as OpenAPI: <a href="/openapi.json">openapi.json</a>
        </span>
      </header>
      <main class="stack">
        {groups.map(({ title, has }) => (
          <Group title={title} operations={operations.filter(({ path }) => has(path))} />
        ))}
        <Group title="Service" operations={ofService} />
      </main>
    </Page>
  );
}

function Group({
  title,
  operations,
}: {
  readonly title: string;
  readonly operations: readonly ShownOperation[];
}) {
  const id = title.toLowerCase().replaceAll(' ', '-');
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {id === 'machine' ? (
        <p class="soft">
          <code>{'{chart}'}</code> is <code>release</code>, or <code>release@42</code> for a run. The
          <code>default</code> machine has the same paths at the root.
        </p>
      ) : null}
      {operations.map((operation) => (
        <OperationDetails {...operation} />
      ))}
    </section>
  );
}

function OperationDetails({ path, method, contract, right, refusals }: ShownOperation) {
  const { id, summary, parameters = [], body, answers } = contract;
  return (
    <details class="operation" id={id}>
      <summary>
        <code>
          <b>{method}</b> {path}
        </code>{' '}
        <span>{summary}</span>
      </summary>
      <p class="soft">{needs(right)}</p>
      {parameters.length > 0 || body !== undefined ? (
        <dl>
          {parameters.map(({ name, in: place, says, isRequired }) => (
            <>
              <dt>
                <code>{place === 'query' ? `?${name}=` : `${name}:`}</code>
                {isRequired ? ' (required)' : ''}
              </dt>
              <dd>
                <Words text={says} />
              </dd>
            </>
          ))}
          {Object.keys(body ?? {}).map((type) => (
            <>
              <dt>body</dt>
              <dd>{type === '*/*' ? 'any type' : <code>{type}</code>}</dd>
            </>
          ))}
        </dl>
      ) : null}
      <dl>
        {Object.entries(answers).map(([status, { says, content, headers = [] }]) => (
          <>
            <dt>{status}</dt>
            <dd>
              <Words text={says} /> <Types names={[...Object.keys(content ?? {}), ...headers]} />
            </dd>
          </>
        ))}
        {refusals
          .toSorted((a, b) => statusOf(a) - statusOf(b))
          .map((code) => (
            <>
              <dt>{statusOf(code)}</dt>
              <dd>
                {titleOf(code)}. <Types names={[code]} />
              </dd>
            </>
          ))}
      </dl>
    </details>
  );
}

function needs(right: ShownOperation['right']): string {
  if (right === undefined) return 'Needs no token.';
  return right === 'link' ? 'Needs no token: the link is enough.' : `Needs the right to ${right}.`;
}

function Types({ names }: { readonly names: readonly string[] }) {
  return <span class="soft">{names.map((name) => ` ${name}`).join(',')}</span>;
}

/** Renders text with its code, which is in backticks. */
function Words({ text }: { readonly text: string }) {
  return <>{text.split('`').map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}</>;
}
