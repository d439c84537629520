import { describe, expect, it } from 'vitest';
import { checkPort, hostAndPort, isLoopback, reachableHost } from '../../src/cli/listen.ts';

describe('a host', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('is loopback: %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', '127.example.com', 'localhost.example.com'])('is not: %s', (host) => {
    expect(isLoopback(host)).toBe(false);
  });

  it('is in brackets where it is an IPv6 address', () => {
    expect(hostAndPort({ host: '::1', port: 80 })).toBe('[::1]:80');
    expect(hostAndPort({ host: '127.0.0.1', port: 80 })).toBe('127.0.0.1:80');
  });

  it('is found at a loopback address where the server listens on all', () => {
    expect(['0.0.0.0', '::', '10.0.0.1'].map(reachableHost)).toEqual(['127.0.0.1', '::1', '10.0.0.1']);
  });
});

describe('the look at a port', () => {
  it('leaves the port free', async () => {
    expect(await checkPort({ host: '127.0.0.1', port: 0 })).toBeUndefined();
  });

  it('refuses a host that is none', async () => {
    const refusal = await checkPort({ host: 'no.such.host.invalid', port: 0 });
    expect(refusal?.lines).toEqual(['stateservice: no.such.host.invalid is no address of this machine']);
  });
});
