/** The reference lists what the service has: every request, parameter, status and refusal, and nothing else. */
import { describe, expect, it } from 'vitest';
import { send } from './service.ts';

const [page = ''] = Object.values(
  import.meta.glob('../docs/reference.md', { query: '?raw', import: 'default', eager: true }),
);
const [code = ''] = Object.values(
  import.meta.glob('../src/refusal.ts', { query: '?raw', import: 'default', eager: true }),
);

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, unknown>>;
}

/** Every operation of OpenAPI, by `METHOD path`; the paths of a machine are `{machine}…`, as in the page. */
async function operations(): Promise<ReadonlyMap<string, Operation>> {
  const { paths }: { paths: Record<string, Record<string, Operation>> } = await (
    await send('GET', '/openapi.json')
  ).json();
  const found = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path.replace('/{tenant}/{chart}', '{machine}')}`,
      operation,
    ]),
  );
  // The paths at the root are those of the machine `default`.
  const names = new Set(found.map(([name]) => name));
  return new Map(
    found.filter(([name]) => !names.has(name.replace(/ \/?/, ' {machine}/').replace(/\/$/, ''))),
  );
}

/** The cells of the tables below a heading, row by row. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [text = ''] = section.split('\n## ');
  const rows = text.split('\n').filter((line) => /^\| [`\d]/.test(line));
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function codesIn(cell: string | undefined): readonly string[] {
  return Array.from((cell ?? '').matchAll(/`([^`]+)`/g), ([, name = '']) => name);
}

describe('the reference', () => {
  it('lists every request', async () => {
    const listed = rowsOf('Requests').flatMap(([request]) => codesIn(request));
    expect(listed.toSorted()).toEqual([...(await operations()).keys()].toSorted());
  });

  it('lists every parameter and header', async () => {
    const taken = [...(await operations()).values()].flatMap(({ parameters = [] }) =>
      parameters.filter(({ in: place }) => place !== 'path').map(({ name }) => name),
    );
    const answers = [
      'ETag',
      'Retry-After',
      'Age',
      'Allow',
      'WWW-Authenticate',
      'Vary',
      'Location',
      'Set-Cookie',
      'X-Robots-Tag',
    ];
    const listed = rowsOf('Parameters and headers').flatMap(([name]) => codesIn(name));
    expect(new Set(listed)).toEqual(new Set([...taken, 'Authorization', ...answers]));
  });

  it('lists every status', async () => {
    const answered = [...(await operations()).values()].flatMap(({ responses }) => Object.keys(responses));
    const listed = rowsOf('Status codes').map(([status = '']) => status);
    // Every path answers other methods with 405.
    expect(listed).toEqual([...new Set([...answered, '405'])].toSorted());
  });

  it('lists every refusal with its status', () => {
    const refusals = [...code.matchAll(/^ {2}'?([a-z-]+)'?: \{ status: (\d+),/gm)];
    const known = refusals.map(([, name, status]) => `${name} ${status}`);
    expect(known.length).toBeGreaterThan(30);
    const listed = rowsOf('Refusals').map(([name, status]) => `${codesIn(name)[0]} ${status}`);
    expect(listed.toSorted()).toEqual(known.toSorted());
  });
});
