/** Checks the `Host` of a request. */
import { type Refusal, refuse } from '../refusal.ts';
import type { HostBindings } from './env.ts';

/**
 * Refuses a malformed `Host` (RFC 9112, section 3.2), and a name that is not one of this service's.
 *
 * This prevents DNS rebinding: a page at http://evil.test makes its name resolve to 127.0.0.1, and then sends
 * same-origin requests to a server on its visitor's machine. Only `Host` shows it: `evil.test`. An IP address cannot be
 * rebound.
 */
export function checkHost(
  { headers, url }: Request,
  allowed: HostBindings['ALLOWED_HOSTS'],
): Refusal | undefined {
  const host = headers.get('Host');
  // Nearly all requests have the host of the request before them: `url` begins with it, and need not be parsed.
  if (
    host !== null &&
    host === accepted.host &&
    allowed === accepted.allowed &&
    url.startsWith(accepted.origin)
  )
    return undefined;
  if ((host !== null && !HOST.test(host)) || !URL.canParse(url)) {
    return refuse('malformed-host', 'The header `Host` must be the name or the address of a host.');
  }
  const { origin, hostname } = new URL(url);
  const name = hostname.replace(/\.$/, '');
  if (allowed === undefined || IP_ADDRESS.test(name) || allowed.split(',').includes(name)) {
    accepted = { host, allowed, origin: `${origin}/` };
    return undefined;
  }
  const detail = `This server does not answer to the name ${JSON.stringify(name)}. Start it with --allow-host ${name}; or use its IP address.`;
  return refuse('unknown-host', detail);
}

/** The host that was accepted last: the header, the names that were allowed, and how such URLs begin. */
let accepted: { host: string | null; allowed: string | undefined; origin: string } = {
  host: null,
  allowed: undefined,
  origin: '',
};

/** Whether a host name, as `URL` writes it, is this machine's own. */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** The host of RFC 3986, section 3.2.2, limited to the characters of DNS names, and a port. */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{0,5})?$/i;

/** As `URL` writes it: every spelling of an IPv4 address becomes four numbers. */
const IP_ADDRESS = /^(?:\[.*\]|\d+\.\d+\.\d+\.\d+)$/;
