/** The `Host` of a request: whether it is well formed, and whether it is a name of this service. */
import { type Refusal, refuse } from '../refusal.ts';
import type { HostBindings } from './env.ts';

/**
 * Refuses a `Host` that is malformed (RFC 9112, section 3.2), and one that is no name of this service.
 *
 * DNS rebinding: a page at http://evil.test makes its name resolve to 127.0.0.1, and its requests are then
 * same-origin ones to a server on its visitor's machine. Only `Host` tells: it is `evil.test`. An IP address cannot be
 * rebound.
 */
export function checkHost(
  { headers, url }: Request,
  allowed: HostBindings['ALLOWED_HOSTS'],
): Refusal | undefined {
  const host = headers.get('Host');
  if ((host !== null && !HOST.test(host)) || !URL.canParse(url)) {
    return refuse('malformed-host', 'The header `Host` is not the name or the address of a host.');
  }
  if (allowed === undefined) return undefined;
  const name = new URL(url).hostname.replace(/\.$/, '');
  if (IP_ADDRESS.test(name) || allowed.split(',').includes(name)) return undefined;
  const detail = `This server is not called ${JSON.stringify(name)}. If it should be, start it with --allow-host ${name}; else call it by its IP address.`;
  return refuse('unknown-host', detail);
}

/** RFC 3986, section 3.2.2, without what no DNS name has, and a port. */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{0,5})?$/i;

/** As `URL` writes them: every way to spell an IPv4 address becomes four numbers. */
const IP_ADDRESS = /^(?:\[.*\]|\d+\.\d+\.\d+\.\d+)$/;
