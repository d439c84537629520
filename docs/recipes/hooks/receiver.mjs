// Receives notifications of StateService, verifies each, and prints a line for it. Needs Node 20 and nothing else.
//
//   HOOK_SECRET=whsec_… node receiver.mjs 8080
//
// Put a proxy with a certificate in front: the service sends to https only, or to its own machine.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const key = Buffer.from((process.env.HOOK_SECRET ?? '').replace(/^whsec_/, ''), 'base64');
if (key.length < 24) throw new Error('HOOK_SECRET is not set');

/** Seconds that a message may be old: an older one may be a copy that somebody has kept. */
const TOLERANCE = 5 * 60;

/** The ids of messages that were handled: a message can come twice. Keep them in a database if your work must not be done twice. */
const handled = new Set();

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (!isGenuine(request.headers, body)) return response.writeHead(401).end();
  const id = request.headers['webhook-id'];
  if (!handled.has(id)) handle(JSON.parse(body.toString()));
  handled.add(id);
  // Any 2xx: the message was taken. Do slow work after the answer, which must come within 10 s.
  return response.writeHead(204).end();
}).listen(Number(process.argv[2] ?? 8080), '127.0.0.1');

function handle({ machine, cause, by, entered, notes }) {
  console.log([machine, cause, entered.join(', '), by ?? '', ...notes].filter(Boolean).join(' · '));
}

function isGenuine(headers, body) {
  const {
    'webhook-id': id = '',
    'webhook-timestamp': sent = '',
    'webhook-signature': signatures = '',
  } = headers;
  if (!(Math.abs(Date.now() / 1_000 - Number(sent)) <= TOLERANCE)) return false;
  // What is signed are the bytes as they came, not JSON that was written anew.
  const expected = createHmac('sha256', key).update(`${id}.${sent}.`).update(body).digest();
  // There are two signatures while a secret is changed.
  return signatures.split(' ').some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
