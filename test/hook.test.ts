/** Hooks as a deployer sets them. */
import { describe, expect, it } from 'vitest';
import { isOwnMark, loopMark, readHook } from '../src/hook.ts';

const secret = (bytes: number) => `whsec_${btoa('x'.repeat(bytes))}`;
const SECRET = secret(32);

function problemOf(value: string | null | undefined, isLocal = false): string | undefined {
  const read = readHook('HOOK_OPS', value, isLocal);
  return read.ok ? undefined : read.problem;
}

describe('a hook', () => {
  it('has an https address and one or more secrets', () => {
    expect(readHook('HOOK_OPS', ` https://a.example/x?y=1  ${SECRET}\n${secret(24)} `, false)).toEqual({
      ok: true,
      address: 'https://a.example/x?y=1',
      secrets: [new Uint8Array(32).fill(120), new Uint8Array(24).fill(120)],
    });
  });

  it.each<[value: string | null | undefined, problem: RegExp]>([
    [undefined, /is not set$/],
    [null, /is not set$/],
    ['  ', /is not set$/],
    ['ops.example.com', /begin with a URL$/],
    [`http://a.example/ ${SECRET}`, /https address$/],
    [`http://127.0.0.1/ ${SECRET}`, /https address$/],
    [`file:///etc/passwd ${SECRET}`, /https address$/],
    [`https://me:pass@a.example/ ${SECRET}`, /without a user name$/],
    ['https://a.example/', /a secret after the address/],
    ['https://a.example/ secret', /a secret after the address/],
    [`https://a.example/ ${SECRET} more`, /a secret after the address/],
    [`https://a.example/ ${secret(23)}`, /a secret after the address/],
    [`https://a.example/ ${secret(65)}`, /a secret after the address/],
    ['https://a.example/ whsec_A===', /a secret after the address/],
  ])('is refused, without a word of its value: %j', (value, problem) => {
    expect(problemOf(value)).toMatch(problem);
    expect(problemOf(value)).toMatch(/^HOOK_OPS /);
    for (const word of ['example', 'pass', 'eHh4']) expect(problemOf(value)).not.toContain(word);
  });

  it.each(['127.0.0.1', '127.1.2.3', 'localhost', '[::1]'])(
    'may be http to its own machine where that serves: %s',
    (host) => {
      expect(problemOf(`http://${host}:8080/ ${SECRET}`, true)).toBeUndefined();
      expect(problemOf(`http://${host}:8080/ ${SECRET}`)).toMatch(/https address$/);
    },
  );

  it.each(['10.0.0.1', 'localhost.example.com', '127.0.0.1.example.com', '[::2]', '0.0.0.0'])(
    'may be http to no other: %s',
    (host) => expect(problemOf(`http://${host}/ ${SECRET}`, true)).toMatch(/https address$/),
  );
});

it('knows its own messages by a mark that depends on address and secrets', async () => {
  const own = `https://a.example/ ${SECRET}`;
  const mark = await loopMark(own);
  expect(mark).toMatch(/^[0-9a-f]{32}$/);
  expect(await isOwnMark(mark, { HOOK_CHAT: 'x', HOOK_OPS: own })).toBe(true);
  expect(await isOwnMark(mark, { HOOK_OPS: `https://b.example/ ${SECRET}` })).toBe(false);
  expect(await isOwnMark(mark, { HOOK_OPS: `https://a.example/ ${secret(33)}` })).toBe(false);
  expect(await isOwnMark(mark, {})).toBe(false);
});
