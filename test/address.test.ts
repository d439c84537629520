import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Address,
  DEFAULT,
  formatAddress,
  parseAddress,
  parseObjectName,
  parseWrittenAddress,
} from '../src/address.ts';

describe('an address', () => {
  it('is a tenant, a chart and perhaps a run', () => {
    expect(parseAddress('acme', 'release')).toEqual({
      ok: true,
      address: { tenant: 'acme', chart: 'release' },
    });
    expect(parseAddress('acme', 'release@2026-11-24')).toEqual({
      ok: true,
      address: { tenant: 'acme', chart: 'release', run: '2026-11-24' },
    });
  });

  it.each([
    ['a', 'b'],
    ['0', '9'],
    ['A.b_c-D', 'v1.2'],
    ['constructor', 'toString'],
    ['x'.repeat(63), `${'y'.repeat(63)}@${'z'.repeat(63)}`],
  ])('may be %s/%s', (tenant, chart) => {
    expect(parseAddress(tenant, chart).ok).toBe(true);
  });

  it('is read back from its written form', () => {
    fc.assert(
      fc.property(addresses, (address) => {
        expect(parseObjectName(formatAddress(address))).toEqual(address);
        expect(parseWrittenAddress(formatAddress(address))).toEqual({ ok: true, address });
      }),
    );
  });

  it.each([
    '',
    '/',
    'acme',
    'acme/',
    '/release',
    'acme/release/',
    'acme/release/x',
    'default/x',
    'default@42',
  ])('is not written %j', (text) => {
    expect(parseWrittenAddress(text)).toMatchObject({ ok: false, code: 'wrong-address' });
    expect(() => parseObjectName(text)).toThrow(RangeError);
  });

  it('shares its object name with no other address', () => {
    fc.assert(
      fc.property(addresses, addresses, (one, other) => {
        expect(formatAddress(one) === formatAddress(other)).toBe(sameParts(one, other));
      }),
    );
  });

  it('is `default` for the service’s own chart', () => {
    expect(formatAddress(DEFAULT)).toBe('default');
    expect(parseObjectName('default')).toEqual(DEFAULT);
  });
});

describe('an invalid name', () => {
  it.each([
    ['', 'b', 'tenant'],
    ['a', '', 'chart'],
    ['a', 'b@', 'run'],
    ['a', '@r', 'chart'],
    ['a', '@', 'chart'],
    ['a', 'b@c@d', 'run'],
    ['-a', 'b', 'tenant'],
    ['.', 'b', 'tenant'],
    ['..', 'b', 'tenant'],
    ['_a', 'b', 'tenant'],
    ['__proto__', 'b', 'tenant'],
    ['a b', 'c', 'tenant'],
    ['a\n', 'c', 'tenant'],
    ['a', 'b\n', 'chart'],
    ['a', 'b\u0000', 'chart'],
    ['a', 'b/c', 'chart'],
    ['a', 'b\\c', 'chart'],
    ['a', 'b%2Fc', 'chart'],
    ['a', 'é', 'chart'],
    ['a', 'b@é', 'run'],
    ['a', 'x'.repeat(64), 'chart'],
    ['a', `b@${'x'.repeat(64)}`, 'run'],
  ])('is refused in %j %j: the %s', (tenant, chart, part) => {
    const parsed = parseAddress(tenant, chart);
    expect(parsed).toMatchObject({
      ok: false,
      detail: expect.stringMatching(`^The ${part} ".*" is no name`),
    });
  });

  it('is quoted in one short line, however long it is', () => {
    const parsed = parseAddress('a', '\n'.repeat(5_000));
    if (parsed.ok) throw new Error('5,000 line breaks are a name');
    expect(parsed.detail).not.toContain('\n');
    expect(parsed.detail.length).toBeLessThan(400);
  });

  it('is any text that breaks the rule, as a tenant, a chart or a run', () => {
    const rule = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 70 }), (text) => {
        const allowed = rule.test(text);
        expect(parseAddress(`t${text}`, 'c').ok).toBe(rule.test(`t${text}`));
        expect(parseAddress('t', text).ok).toBe(
          allowed ||
            (/^[^@]+@[^@]+$/.test(text) === true && text.split('@').every((part) => rule.test(part))),
        );
        expect(parseAddress('t', `c@${text}`).ok).toBe(allowed);
      }),
    );
  });
});

describe('a reserved name', () => {
  it.each([
    'state',
    'chart',
    'history',
    'watch',
    'claims',
    'healthz',
    'openapi.json',
    'default',
    'metrics',
    'reset',
    'restore',
  ])('cannot be a tenant’s: %s', (tenant) => {
    expect(parseAddress(tenant, 'x')).toMatchObject({ ok: false, detail: expect.stringContaining(tenant) });
  });

  it('may be a chart’s or a run’s', () => {
    expect(parseAddress('acme', 'state@metrics').ok).toBe(true);
  });

  it('of a tenant’s own path cannot be a chart’s, and names an object of an earlier version', () => {
    for (const chart of ['metrics', 'metrics@42'])
      expect(parseAddress('acme', chart)).toMatchObject({
        ok: false,
        detail: expect.stringContaining('"metrics" is a path of the tenant'),
      });
    expect(parseWrittenAddress('acme/metrics').ok).toBe(false);
    expect(parseObjectName('acme/metrics@42')).toEqual({ tenant: 'acme', chart: 'metrics', run: '42' });
  });
});

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);
const tenant = name.filter((text) => parseAddress(text, 'c').ok);
const chart = name.filter((text) => parseAddress('t', text).ok);

const addresses: fc.Arbitrary<Address> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(DEFAULT) },
  { weight: 5, arbitrary: fc.record({ tenant, chart }) },
  { weight: 5, arbitrary: fc.record({ tenant, chart, run: name }) },
);

function sameParts(one: Address, other: Address): boolean {
  return one.tenant === other.tenant && one.chart === other.chart && one.run === other.run;
}
