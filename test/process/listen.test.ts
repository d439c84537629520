import { describe, expect, it } from 'vitest';
import { checkPort, hostAndPort, isLoopback, reachableHost } from '../../src/cli/listen.ts';

describe('a host', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('is loopback: %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', '127.example.com', 'localhost.example.com'])(
    'is not loopback: %s',
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );

  it('has brackets where it is an IPv6 address', () => {
    expect(hostAndPort({ host: '::1', port: 80 })).toBe('[::1]:80');
    expect(hostAndPort({ host: '127.0.0.1', port: 80 })).toBe('127.0.0.1:80');
  });

  it('is reached at a loopback address if the server listens on all addresses', () => {
    expect(['0.0.0.0', '::', '10.0.0.1'].map(reachableHost)).toEqual(['127.0.0.1', '::1', '10.0.0.1']);
  });
});

describe('checkPort', () => {
  it('leaves the port free', async () => {
    expect(await checkPort({ host: '127.0.0.1', port: 0 })).toEqual({ ok: true, value: undefined });
  });

  it('refuses an unknown host', async () => {
    const refusal = await checkPort({ host: 'no.such.host.invalid', port: 0 });
    expect(refusal).toEqual({
      ok: false,
      exitCode: 1,
      lines: ['stateservice: no.such.host.invalid is not an address of this machine'],
    });
  });
});
