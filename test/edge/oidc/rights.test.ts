/** Rights: every method of every resource, requested with the tokens of an issuer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RESOURCES } from '../../../src/edge/app.ts';
import { RIGHTS } from '../../../src/grant.ts';
import { counting, final, newChart, sequence } from '../../charts.ts';
import { newIssuer } from '../../issuers.ts';
import { send } from '../../service.ts';
import { GUARDED, sendWith } from '../../tokens.ts';

const address = await newChart(sequence(counting('a', 'b', 1_000_000), final('b')));
const [tenant = ''] = address.split('/');
// Erasing the machine ends its watchers.
afterAll(() => send('DELETE', `/${address}`));

const { entry, token } = await newIssuer();
/** A token has the right that it claims, at the machine. */
const OIDC = JSON.stringify(
  RIGHTS.map((right) => ({ ...entry, if: `claims.right == "${right}"`, charts: [address], can: [right] })),
);

const tokens = new Map<string, string>();
beforeAll(async () => {
  for (const right of RIGHTS) tokens.set(right, await token({ right }));
});

const methods = [
  ...RESOURCES.machine.map(({ path, methods }) => [`/${address}${path}`, methods] as const),
  ...RESOURCES.tenant.map(({ path, methods }) => [`/${tenant}${path}`, methods] as const),
].flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { right }]) =>
    // A link is its own authority: no token is read.
    right === 'link' ? [] : [[method, path.replace('{name}', 'me'), right] as const],
  ),
);

describe.each(methods)('%s %s', (method, path, right) => {
  it.each(RIGHTS)('needs the right of the table: %s', async (held) => {
    const headers = { Authorization: `Bearer ${tokens.get(held)}` };
    const response = await sendWith({ ...GUARDED, OIDC }, method, `${path}?state=a`, { headers });
    await response.body?.cancel();
    if (held === right) expect([401, 403, 405, 503]).not.toContain(response.status);
    else expect(response.status).toBe(403);
  });
});
