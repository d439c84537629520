/** Which machines a glob stands for. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseObjectName } from '../src/address.ts';
import { allows, allowsSome, Coverage, type Grant, matches } from '../src/grant.ts';
import { TIMED } from './slowness.ts';

describe('a glob', () => {
  it.each([
    ['default', 'default'],
    ['*', 'default'],
    ['*', 'acme/release'],
    ['*', 'acme/release@42'],
    ['acme/release', 'acme/release'],
    ['acme/*', 'acme/release'],
    ['acme/*', 'acme/release@42'],
    ['acme/release@*', 'acme/release@42'],
    ['acme/release*', 'acme/release'],
    ['acme/re*se', 'acme/release'],
    ['acme/*@42', 'acme/release@42'],
    ['*/release', 'acme/release'],
    ['*/*', 'acme/release@42'],
    ['a*e/r*e*@*2', 'acme/release@42'],
    ['acme/**', 'acme/x'],
  ])('%s stands for %s', (glob, address) => {
    expect(matches(glob, parseObjectName(address))).toBe(true);
  });

  it.each([
    ['acme/*', 'acme2/x'],
    ['acme/*', 'acm/x'],
    ['acme*', 'acme/release'],
    ['acme/release', 'acme/release@42'],
    ['acme/release@*', 'acme/release'],
    ['acme/release@*', 'acme/release2@42'],
    ['acme/release', 'acme/release2'],
    ['acme/release', 'other/release'],
    ['ACME/release', 'acme/release'],
    ['*/*', 'default'],
    ['default', 'acme/default'],
    ['*default', 'acme/default'],
    ['', 'default'],
    ['', 'acme/x'],
    ['/', 'acme/x'],
    ['acme/', 'acme/x'],
    ['acme/x/*', 'acme/x'],
    ['acme/x/../../other/y', 'other/y'],
    ['acme/?', 'acme/x'],
    ['acme/[a-z]', 'acme/x'],
    ['acme/.*', 'acme/x'],
    ['acme/(x|y)', 'acme/x'],
    ['acme/aa*aa', 'acme/aaa'],
  ])('%s does not stand for %s', (glob, address) => {
    expect(matches(glob, parseObjectName(address))).toBe(false);
  });

  const name = fc.stringMatching(/^[a-c]{1,4}$/);
  const address = fc
    .tuple(name, name, fc.option(name))
    .map(([t, c, r]) => `${t}/${c}${r === null ? '' : `@${r}`}`);
  const pattern = fc.stringMatching(/^[a-c*]{1,5}(@[a-c*]{1,3})?$/);

  it('stands for what the same as a regular expression does', () => {
    fc.assert(
      fc.property(pattern, pattern, address, (tenant, chart, machine) => {
        const source = `${tenant}/${chart}`.replaceAll('*', '[^/]*');
        expect(matches(`${tenant}/${chart}`, parseObjectName(machine))).toBe(
          new RegExp(`^${source}$`).test(machine),
        );
      }),
      { numRuns: 5_000 },
    );
  });

  it('takes no longer for many stars', TIMED, () => {
    const began = performance.now();
    expect(matches(`acme/${'a*'.repeat(1_000)}b`, { tenant: 'acme', chart: 'a'.repeat(190) })).toBe(false);
    expect(performance.now() - began).toBeLessThan(50);
  });
});

describe('a grant', () => {
  const grant: Grant = { sub: 'ci', charts: ['acme/release@*', 'default'], can: ['read'], until: 0 };

  it('has its rights at its machines, and no others anywhere', () => {
    const run = { tenant: 'acme', chart: 'release', run: '42' };
    expect(allows(grant, 'read', run)).toBe(true);
    expect(allows(grant, 'read', { chart: 'default' })).toBe(true);
    expect(allows(grant, 'read', { tenant: 'acme', chart: 'release' })).toBe(false);
    expect(allows(grant, 'update', run)).toBe(false);
    expect(allows(grant, 'admin', { chart: 'default' })).toBe(false);
  });

  it('is for the tenants of its machines', () => {
    expect(allowsSome(grant, 'read', 'acme')).toBe(true);
    expect(allowsSome(grant, 'admin', 'acme')).toBe(false);
    for (const tenant of ['acme2', 'acm', 'default', ''])
      expect(allowsSome(grant, 'read', tenant)).toBe(false);
    expect(allowsSome({ ...grant, charts: ['*'] }, 'read', 'anyone')).toBe(true);
    expect(allowsSome({ ...grant, charts: ['*/release'] }, 'read', 'anyone')).toBe(true);
  });

  it('covers of a tenant what it allows', () => {
    const name = fc.stringMatching(/^[ab]{1,3}$/);
    const address = fc.tuple(name, name, fc.option(name)).map(([tenant, chart, run]) => ({
      tenant,
      chart,
      ...(run === null ? {} : { run }),
    }));
    const pattern = fc.stringMatching(/^[ab*]{1,3}$/);
    const glob = fc.oneof(
      { weight: 20, arbitrary: fc.tuple(pattern, pattern).map(([tenant, chart]) => `${tenant}/${chart}`) },
      {
        weight: 20,
        arbitrary: fc
          .tuple(pattern, pattern, pattern)
          .map(([tenant, chart, run]) => `${tenant}/${chart}@${run}`),
      },
      fc.constantFrom('*', '', 'a', 'a/', '/a', 'a/b/*', 'a*', '*/*/*', 'default'),
    );
    const charts = fc.array(glob, { maxLength: 4 });
    fc.assert(
      fc.property(charts, fc.constantFrom('read', 'admin'), address, (charts, right, address) => {
        const some: Grant = { ...grant, charts };
        const coverage = new Coverage(some, right, address.tenant);
        const isAllowed = allows(some, right, address);
        expect(coverage.has(address)).toBe(isAllowed);
        if (coverage.isWhole) expect(isAllowed).toBe(true);
        const mayBe = coverage.prefixes.some((prefix) => address.chart.startsWith(prefix));
        if (isAllowed) expect(mayBe).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it('covers a tenant without the globs of others, and each prefix once', () => {
    const others = Array.from({ length: 50 }, (_, i) => `other${i}/*`);
    const some = { ...grant, charts: [...others, 'acme/ab*', 'acme/a@1', 'acme/b*c', 'acme/bb'] };
    const coverage = new Coverage(some, 'read', 'acme');
    expect(coverage.patterns).toBe(2);
    expect(coverage.prefixes).toEqual(['a', 'b']);
    expect(coverage.isWhole).toBe(false);
    for (const charts of [['*'], ['acme/*'], ['*/**'], ['x/y', 'ac*/*']])
      expect(new Coverage({ ...grant, charts }, 'read', 'acme').isWhole).toBe(true);
  });
});
