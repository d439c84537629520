/** Runs the commands of docs/incident.md from the first to the last in one shell, with a receiver for the operator's hook. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Receiver, SECRET, startReceiver, verify } from '../receiver.ts';
import { lacks } from '../recipes/recipe.ts';
import { cleanUp, type Server, startServer, until } from '../server.ts';
import { commandsOf } from './page.ts';
import { BLOCKS, PAGES } from './pages.ts';
import { type, workingCopy } from './session.ts';
import { asShown } from './shown.ts';

const PAGE = 'docs/incident.md';
const TOKEN_SECRET = 'a secret of the tests, long enough';

/** How long a message may take to arrive, in ms: an attempt ends after 10 s, and is made again after 5 s. */
const SOON = 50_000;

let copy: string;
let receiver: Receiver;
let server: Server;
beforeAll(async () => {
  [copy, receiver] = await Promise.all([workingCopy(), startReceiver()]);
  receiver.behaviours.set('/ops', (message, response) => {
    writeFileSync(join(copy, 'told'), message.body);
    response.writeHead(204).end();
  });
  const env = { TOKEN_SECRET, HOOK_OPS: `${receiver.url}/ops ${SECRET}` };
  server = await startServer({ charts: join(copy, 'charts'), env });
});
afterAll(async () => {
  receiver.stop();
  await cleanUp();
});

it.skipIf(lacks('jq'))('goes as the page says, and the hook gets what it says (needs jq)', async () => {
  const blocks = BLOCKS.filter(({ page }) => page === PAGE);
  expect(blocks.map(({ heading }) => heading)).toEqual([
    'The fleet works',
    'The fleet works',
    'The operator acts',
    'The operator acts',
    'What the history says',
  ]);
  const commands = blocks.flatMap(commandsOf);
  const typed = commands.map(({ text }) => text.replaceAll('https://state.example.com', server.url));
  // The operator acts after she was told.
  const acts = commands.findIndex(({ text }) => text.includes('/pause'));
  const waits = 'until [ -s told ]; do sleep 0.05; done; ';
  const script = typed.map((text, i) => (i === acts ? `${waits}${text}` : text));
  const done = await type(script, copy, '.', { TOKEN_SECRET });

  for (const [i, { text, shown }] of commands.entries()) {
    const { stdout, ...end } = done[i] ?? { stdout: [] };
    expect(asShown(stdout, shown), text).toEqual(shown);
    expect(end, text).toMatchObject({ code: 0, stderr: '' });
  }

  await until(() => told().length === 4, SOON);
  const [first = '', ...others] = told();
  expect(asShown([first], [message()])).toEqual([message()]);
  expect(others.map((body) => JSON.parse(body).cause)).toEqual(['pause', 'override', 'update']);
});

/** The messages that the operator's hook got, verified. One that came twice counts once. */
function told(): readonly string[] {
  const byId = new Map(
    receiver.received.map((one) => [one.headers['webhook-id'], JSON.stringify(verify(one))]),
  );
  return [...byId.values()];
}

/** The message that the page shows, in one line. */
function message(): string {
  const text = PAGES.find(({ page }) => page === PAGE)?.text ?? '';
  const lines = /^ {4}\{"machine".*(?:\n {5}.*)*/m.exec(text)?.[0] ?? '';
  return lines.replace(/^ +/gm, '').replaceAll('\n', '');
}
