/** The bounds of a tenant. */
import { beforeEach, describe, expect, it } from 'vitest';
import { TENANT_BYTES, TENANT_MACHINES } from '../../src/limits.ts';
import { chartOf as chartOfText } from '../chart/run.ts';
import { counting, final, putChart, sequence } from '../charts.ts';
import { ask, chartOf, problemOf, report, statusOf, tracesOf } from '../service.ts';
import { erase, reset, upload } from './callers.ts';
import { CHART, inTenant, namesOf, newTenant } from './tenants.ts';

let tenant: string;
beforeEach(async () => {
  tenant = newTenant();
  await upload(`${tenant}/first`, CHART);
});

function definitionOf(text: string): string {
  return JSON.stringify(chartOfText(text).definition);
}

/** The bytes of a chart as it is stored: its text and its definition. */
function sizeOf(text: string): number {
  return new TextEncoder().encode(text + definitionOf(text)).length;
}

/** Adds entries to the registry of a tenant, with so many bytes together. */
async function fill(machines: number, bytes: number): Promise<void> {
  await inTenant(tenant, (sql) => {
    sql.exec('UPDATE total SET machines = machines + ?, bytes = bytes + ?', machines, bytes);
  });
}

describe('a tenant with as many machines as it may have', () => {
  beforeEach(() => fill(TENANT_MACHINES - 1, 0));

  it('gets no other machine by any request, and the refusal names the limit', async () => {
    await putChart(`${tenant}/second`, CHART);
    for (const response of [
      await upload(`${tenant}/third`, CHART),
      await ask(`${tenant}/second`, 'drain'),
      await report(`${tenant}/second@42`, 'drain'),
      await reset(`${tenant}/second`),
    ]) {
      expect(response.status).toBe(507);
      const { type, detail } = await problemOf(response);
      expect(type).toBe('urn:stateservice:problem:too-many-machines');
      expect(detail).toContain(String(TENANT_MACHINES));
      expect(detail).toContain('delete');
    }
    for (const name of ['second', 'second@42', 'third']) {
      expect((await tracesOf(`${tenant}/${name}`)).tables).toEqual([]);
    }
    expect(await namesOf(tenant)).toEqual([`${tenant}/first`]);
  });

  it('keeps its machines, which continue, and may get another chart', async () => {
    expect((await report(`${tenant}/first`, 'drain')).status).toBe(200);
    expect((await reset(`${tenant}/first`)).status).toBe(204);
    expect((await upload(`${tenant}/first`, sequence(final('other')))).status).toBe(200);
  });

  it('gets another when one is deleted', async () => {
    expect((await erase(`${tenant}/first`)).status).toBe(204);
    expect((await upload(`${tenant}/second`, CHART)).status).toBe(201);
    expect((await upload(`${tenant}/third`, CHART)).status).toBe(507);
  });

  it('does not affect another tenant', async () => {
    expect((await upload(`${newTenant()}/first`, CHART)).status).toBe(201);
  });
});

describe('a tenant whose charts are as large as they may be', () => {
  const small = sequence(final('x'));
  const large = sequence(counting('drain', 'done', 2), final('done'), final('x'.repeat(100)));

  beforeEach(() => fill(0, TENANT_BYTES - 2 * sizeOf(CHART)));

  it('gets a chart that just fits, and none that is larger', async () => {
    const response = await upload(`${tenant}/second`, large);
    expect(response.status).toBe(507);
    const { type, detail } = await problemOf(response);
    expect(type).toBe('urn:stateservice:problem:too-many-bytes');
    expect(detail).toContain(String(TENANT_BYTES));
    expect((await upload(`${tenant}/second`, CHART)).status).toBe(201);
    expect((await upload(`${tenant}/third`, small)).status).toBe(507);
  });

  it('may change a chart for a smaller one, and then has room', async () => {
    await fill(0, sizeOf(CHART));
    expect((await upload(`${tenant}/first`, large)).status).toBe(507);
    expect((await statusOf(`${tenant}/first`)).revision).toBe(1);
    expect((await upload(`${tenant}/first`, small)).status).toBe(200);
    expect((await upload(`${tenant}/second`, small)).status).toBe(201);
  });

  it('does not count a chart that was refused for another reason', async () => {
    const before = await inTenant(tenant, (sql) => sql.exec('SELECT * FROM total').one());
    await report(`${tenant}/first`, 'drain');
    expect((await upload(`${tenant}/first`, small)).status).toBe(409);
    expect(await inTenant(tenant, (sql) => sql.exec('SELECT * FROM total').one())).toEqual(before);
  });

  it('counts the chart that the machine has after many uploads', async () => {
    for (let i = 0; i < 20; i++) {
      await Promise.all([
        upload(`${tenant}/first`, large, '?reset=true'),
        upload(`${tenant}/first`, small, '', { headers: { 'If-Match': '"999"' } }),
        upload(`${tenant}/first`, small, '', { headers: { 'If-Match': '"998"' } }),
        upload(`${tenant}/first`, small, '?reset=true'),
      ]);
      const runs = (await chartOf(`${tenant}/first`)).includes('drain') ? large : small;
      const entered = await inTenant(
        tenant,
        (sql) => sql.exec<{ bytes: number }>("SELECT bytes FROM machine WHERE chart = 'first'").one().bytes,
      );
      expect(entered).toBe(sizeOf(runs));
      const { bytes } = await inTenant(tenant, (sql) =>
        sql.exec<{ bytes: number }>('SELECT * FROM total').one(),
      );
      expect(bytes).toBe(TENANT_BYTES - 2 * sizeOf(CHART) + sizeOf(runs));
    }
  });

  it('counts bytes, not characters', async () => {
    const wide = sequence(final('ü'.repeat(10)));
    await upload(`${tenant}/wide`, wide);
    const entered = await inTenant(
      tenant,
      (sql) => sql.exec<{ bytes: number }>("SELECT bytes FROM machine WHERE chart = 'wide'").one().bytes,
    );
    expect(entered).toBe(sizeOf(wide));
    expect(entered).toBeGreaterThan(wide.length + definitionOf(wide).length);
  });
});
