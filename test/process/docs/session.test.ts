/** Commands are run, and a substitute for a command fails where the command would fail. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lacks } from '../recipes/recipe.ts';
import { cleanUp } from '../server.ts';
import { type Done, type, workingCopy } from './session.ts';

let copy: string;
beforeAll(async () => {
  copy = await workingCopy();
});
afterAll(cleanUp);

function typed(...commands: string[]): Promise<readonly Done[]> {
  return type(commands, copy, '.', { SECRET: 'the secret of the server' });
}

describe('a shell', () => {
  it('returns the exit code and the output of each command', async () => {
    expect(
      await typed('A=b', 'echo "$A"; echo', 'ls nothing', 'false | true', 'exit 0', 'echo late'),
    ).toEqual([
      { code: 0, stdout: [], stderr: '', answered: [] },
      { code: 0, stdout: ['b', ''], stderr: '', answered: [] },
      { code: 2, stdout: [], stderr: expect.stringContaining('nothing'), answered: [] },
      { code: 1, stdout: [], stderr: '', answered: [] },
      { code: undefined, stdout: [], stderr: '', answered: [] },
      { code: undefined, stdout: [], stderr: '', answered: [] },
    ]);
  });

  it('refuses a line that is not a command', async () => {
    await expect(typed('echo "a')).rejects.toThrow('unexpected EOF');
  });

  it('returns the status of each request, and 0 without an answer', async () => {
    // No server listens on port 1 of this host.
    const [none] = await typed('curl -s http://127.0.0.1:1/');
    expect(none).toEqual({ code: 7, stdout: [], stderr: '', answered: [0] });
  });
});

it.each([
  'npx wrangler rollback --no-such-flag',
  'npx wrangler secret change TOKEN_SECRET',
  'printf wrong | npx wrangler secret put TOKEN_SECRET',
  'npm run no-such-script',
  'npm start -- --no-such-flag',
  'openssl rand -base64 16',
  'systemctl start nothing@canary',
  ...(lacks('ansible-playbook') ? [] : ['ansible-playbook -i hosts.ini nothing.yml']),
])('fails: %s', async (command) => {
  const [done] = await typed(command);
  expect(done?.code, done?.stderr).toBeGreaterThan(0);
});
