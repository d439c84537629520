/** `GET /turn.sh`: the service hands out the script of docs/recipes. */
import { describe, expect, it } from 'vitest';
import script from '../../../docs/recipes/turn.sh';
import { send } from '../../service.ts';
import { sendWith } from '../../tokens.ts';

describe('GET /turn.sh', () => {
  it('is the script, without a token, as it is', async () => {
    const response = await sendWith({ AUTH: 'token', TOKEN_SECRET: 'x'.repeat(32) }, 'GET', '/turn.sh');
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('text/x-shellscript;charset=UTF-8');
    expect(response.headers.get('Cache-Control')).toContain('no-transform');
    const text = await response.text();
    expect(text).toBe(script);
    expect(text).toMatch(/^#!\/bin\/sh\n/);
  });

  it('is 304 for a client that has it', async () => {
    const tag = (await send('GET', '/turn.sh')).headers.get('ETag') ?? '';
    expect(tag).toMatch(/^"[0-9a-f]{64}"$/);
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`]) {
      const response = await send('GET', '/turn.sh', { headers: { 'If-None-Match': known } });
      expect([response.status, response.headers.get('ETag'), await response.text()]).toEqual([304, tag, '']);
    }
    expect((await send('GET', '/turn.sh', { headers: { 'If-None-Match': '"other"' } })).status).toBe(200);
  });

  it('is not a tenant', async () => {
    expect((await send('GET', '/turn.sh/release')).status).toBe(400);
    expect((await send('PUT', '/turn.sh')).status).toBe(405);
  });
});
