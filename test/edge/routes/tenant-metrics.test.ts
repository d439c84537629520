/** `/{tenant}/metrics`, as a real parser reads it. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { putChart } from '../../charts.ts';
import { beginAtNoon, NOON } from '../../noon.ts';
import { put, upload } from '../../objects/callers.ts';
import { isListed, newTenant } from '../../objects/tenants.ts';
import { problemOf, send } from '../../service.ts';
import { GUARDED, sendWith, tokenWith } from '../../tokens.ts';
import { readSeries, written } from './series.ts';

const CHART = `
initial: work
states:
  work: {on: {update: {target: rest, quorum: 3}, fail: bad}, after: {1h: bad}}
  rest: {initial: 'a "b"', states: {'a "b"': {}}}
  bad: {type: final, tags: [failed]}
`;

beginAtNoon();

let tenant: string;
beforeEach(() => {
  tenant = newTenant();
});

/** The values of all series, `{tenant}` left out of the addresses. */
async function seriesOf(query = ''): Promise<Record<string, number>> {
  const series = await readSeries(await send('GET', `/${tenant}/metrics${query}`));
  return Object.fromEntries(series.map((one) => [written(one).replaceAll(tenant, ''), one.value]));
}

/** Uploads the chart at names of machines, which are entered in the registry of the tenant. */
async function begin(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await upload(`${tenant}/${name}`, CHART);
    expect(await isListed(`${tenant}/${name}`)).toBe(true);
  }
}

describe('metrics of a tenant', () => {
  it('have the state of each machine, its times and its counts', async () => {
    await begin('m');
    await put(`${tenant}/m`, 'work', { by: 'a' });
    vi.setSystemTime(NOON + 50 * 60_000);
    expect(await seriesOf()).toEqual({
      'machines{tenant=}': 1,
      'machines_needing_attention{tenant=,is=late}': 1,
      'machines_needing_attention{tenant=,is=failed}': 0,
      'machines_needing_attention{tenant=,is=paused}': 0,
      'readable{machine=/m}': 1,
      'state{machine=/m,state=work}': 1,
      'entered_seconds{machine=/m}': 3_000,
      'deadline_seconds{machine=/m}': 600,
      'late{machine=/m}': 1,
      'done{machine=/m}': 0,
      'failed{machine=/m}': 0,
      'paused{machine=/m}': 0,
      'revision{machine=/m}': 2,
      'quorum{machine=/m,state=work,event=update}': 1,
      'quorum_needed{machine=/m,state=work,event=update}': 3,
    });
  });

  it('tell an end in failure, a pause, and states inside others, whose names may be hostile', async () => {
    await begin('bad', 'paused', 'rest');
    await put(`${tenant}/bad`, 'work', { event: 'fail' });
    await send('POST', `/${tenant}/paused/pause`);
    for (const by of ['a', 'b', 'c']) await put(`${tenant}/rest`, 'work', { by });
    const series = await seriesOf();
    expect(series).toMatchObject({
      'machines{tenant=}': 3,
      'machines_needing_attention{tenant=,is=failed}': 1,
      'machines_needing_attention{tenant=,is=paused}': 1,
      'failed{machine=/bad}': 1,
      'done{machine=/bad}': 1,
      'paused{machine=/paused}': 1,
      'paused{machine=/rest}': 0,
      'state{machine=/rest,state=rest}': 1,
      'state{machine=/rest,state=rest.a "b"}': 1,
    });
    expect(series).not.toHaveProperty('deadline_seconds{machine=/rest}');
  });

  it('are of one page, and link to the next', async () => {
    await begin('a', 'b', 'c');
    const first = await send('GET', `/${tenant}/metrics?limit=2`);
    const [, next = ''] = /^<(.+)>; rel="next"$/.exec(first.headers.get('Link') ?? '') ?? [];
    expect(machinesIn(await readSeries(first))).toEqual([`${tenant}/a`, `${tenant}/b`]);
    const second = await send('GET', next);
    expect(second.headers.get('Link')).toBe(null);
    expect(machinesIn(await readSeries(second))).toEqual([`${tenant}/c`]);
  });

  it('are of the machines that the query selects', async () => {
    await begin('a', 'b');
    await send('POST', `/${tenant}/b/pause`);
    expect(await seriesOf('?is=paused')).not.toHaveProperty('revision{machine=/a}');
    expect(await seriesOf('?is=paused')).toHaveProperty('revision{machine=/b}');
    expect(await seriesOf('?chart=a')).not.toHaveProperty('revision{machine=/b}');
    const wrong = await send('GET', `/${tenant}/metrics?is=nonsense`);
    expect([wrong.status, (await problemOf(wrong)).type]).toEqual([
      400,
      'urn:stateservice:problem:wrong-parameter',
    ]);
  });

  it('are of the machines that the token may read', async () => {
    await begin('a', 'b');
    const headers = {
      Authorization: `Bearer ${await tokenWith({ charts: [`${tenant}/a`], can: ['read'] })}`,
    };
    const response = await sendWith(GUARDED, 'GET', `/${tenant}/metrics`, { headers });
    const series = await readSeries(response);
    expect(machinesIn(series)).toEqual([`${tenant}/a`]);
    expect(series.find(({ name }) => name === 'machines')?.value).toBe(1);
  });

  it('are none where the tenant has no machine', async () => {
    expect(await seriesOf()).toEqual({});
  });
});

it('a chart cannot have the name of the path', async () => {
  await putChart(`${tenant}/metrics`, CHART);
  for (const path of ['metrics/state?state=work', 'metrics@1', 'metrics/chart']) {
    const response = await send('GET', `/${tenant}/${path}`);
    expect([response.status, (await problemOf(response)).detail]).toEqual([
      400,
      '"metrics" is a path of the tenant itself and cannot be a chart\'s name.',
    ]);
  }
});

function machinesIn(series: Awaited<ReturnType<typeof readSeries>>): string[] {
  return series.flatMap(({ name, labels }) => (name === 'revision' ? [labels.machine ?? ''] : []));
}
