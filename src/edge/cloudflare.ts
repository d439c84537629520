/** The rules that apply only on Cloudflare: requests come from the Internet, over http:// as well as https://. */
import { type Refusal, refuse } from '../refusal.ts';
import type { Env } from './env.ts';
import { isLoopback } from './host.ts';
import { problem, respond } from './responses.ts';

/**
 * Whether a request comes through Cloudflare's network. There `request.cf` has `colo`, the data center
 * (https://developers.cloudflare.com/workers/runtime-apis/request/#incomingrequestcfproperties). `workerd serve` sets it to
 * `{clientIp}` (observed with 1.20261102.1), and a client cannot change it. `wrangler dev` imitates Cloudflare's, so its
 * loopback names are excepted; Cloudflare routes no request with such a name.
 *
 * To read `cf` parses it: that was a quarter of the JavaScript of a report. `npm start` sets `WAITS`, so it is not read there.
 */
function isOnCloudflare(request: Request, { WAITS }: Env): boolean {
  if (WAITS !== undefined) return false;
  const { cf, url } = request;
  return cf?.colo !== undefined && URL.canParse(url) && !isLoopback(new URL(url).hostname);
}

/** Refuses a service without tokens on Cloudflare, unless a second variable says that it is meant to be public. */
export function checkOpen(request: Request, env: Env): Refusal | undefined {
  const { AUTH, OPEN_TO_THE_INTERNET } = env;
  if (AUTH !== 'open' || OPEN_TO_THE_INTERNET === 'yes' || !isOnCloudflare(request, env)) return undefined;
  return refuse(
    'not-set-up',
    'The variable AUTH is `open`, so every client on the Internet could change every machine. Set AUTH to `token`; or, if this is intended, set the variable OPEN_TO_THE_INTERNET to `yes` as well.',
  );
}

type Answer = (request: Request, env: Env) => Response | Promise<Response>;

/**
 * Answers a request on Cloudflare: only over https://, and with HSTS (RFC 6797). A page over http:// is redirected (308).
 * Any other request is refused, because a client that followed a redirect would send its token unencrypted each time.
 */
export function overHttps(answer: Answer): Answer {
  return (request, env) => {
    const isEncrypted = request.url.startsWith('https:');
    // One request of the isolate that came through Cloudflare's network is enough to add HSTS to all.
    if (isEncrypted && onCloudflare.has(env)) return answerSecurely(request, env, answer);
    if (!isOnCloudflare(request, env)) return answer(request, env);
    onCloudflare.add(env);
    return isEncrypted ? answerSecurely(request, env, answer) : refuseUnencrypted(request);
  };
}

/** The bindings of the isolates in which a request came through Cloudflare's network: of this one, or of none. */
const onCloudflare = new WeakSet<Env>();

function refuseUnencrypted({ method, headers, url }: Request): Response {
  const isPage = method === 'GET' && headers.get('Accept')?.includes('text/html');
  return isPage
    ? respond(null, 308, { Location: url.replace(/^http:/, 'https:') })
    : problem(refuse('not-encrypted', NOT_ENCRYPTED));
}

async function answerSecurely(request: Request, env: Env, answer: Answer): Promise<Response> {
  const response = await answer(request, env);
  // An upgrade has no other headers. RFC 6797, section 7.2: none over http:// either.
  if (response.status === 101) return response;
  // A copy: the headers of a response from an object are immutable.
  const secured = new Response(response.body, response);
  secured.headers.set('Strict-Transport-Security', HSTS);
  return secured;
}

const NOT_ENCRYPTED =
  'Send the request to https://. If it had a token, replace the token: it was sent unencrypted.';

/** A year, in s. */
const HSTS = 'max-age=31536000';

/**
 * @param address of a client, as in `CF-Connecting-IP`.
 * @returns an IPv4 address as it is; the /64 prefix of an IPv6 address, because one client has a whole /64 (RFC 6177,
 * section 2) and could use another address for each request.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [first = [], last = []] = address.split('::').map((part) => part.split(':').filter(Boolean));
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0');
  const prefix = [...first, ...zeros, ...last]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16));
  return `${prefix.join(':')}::/64`;
}
