/** What machines say to Prometheus, without a finding of promtool's linter. */
import { spawnSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { folderOf } from '../process/charts.ts';
import { cleanUp, startServer } from '../process/server.ts';
import { lacks } from './fetched.ts';

afterAll(cleanUp);

/** Every kind of metric: slots, quorums, timers, a name that must be escaped. */
const CHART = `initial: work
states:
  work:
    slots: 2
    lease: 15m
    on: {update: {target: 'over "all"', quorum: 3}, fail: 'over "all"'}
    after: {1h: 'over "all"'}
  'over "all"': {type: final}
`;

describe.skipIf(lacks('promtool'))('promtool check metrics', () => {
  it.each(['begun', 'with a claim and a report', 'done'])(
    'finds nothing in those of a machine that is %s',
    async (how) => {
      const { url } = await startServer({ charts: await folderOf({ 'acme/patch.yaml': CHART }) });
      const send = async (method: string, path: string) => {
        const response = await fetch(`${url}/acme/patch${path}`, { method });
        expect(response.ok, await response.clone().text()).toBe(true);
        return response.text();
      };
      if (how !== 'begun') {
        await send('POST', '/claims?state=work&by=web-01');
        await send('PUT', '/state?state=work&by=web-01');
      }
      if (how === 'done') await send('PUT', '/state?state=work&by=web-01&event=fail');
      expect(findings(await send('GET', '/metrics'))).toEqual({ status: 0, stdout: '', stderr: '' });
      const ofTenant = await (await fetch(`${url}/acme/metrics`)).text();
      expect(ofTenant).toContain('stateservice_revision{machine="acme/patch"}');
      expect(findings(ofTenant)).toEqual({ status: 0, stdout: '', stderr: '' });
    },
  );

  it('finds what is wrong', () => {
    const { status, stderr } = findings('# TYPE a_total gauge\na_total 1\n');
    expect(status).not.toBe(0);
    expect(stderr).toContain('a_total');
  });
});

function findings(metrics: string): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: metrics,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}
