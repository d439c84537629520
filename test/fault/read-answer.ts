/** Reads the bodies of HTTP responses. */
import * as z from 'zod';
import { type RefusalCode, titleOf } from '../../src/refusal.ts';
import { type Answer, type Document, type Moments, reportText } from './requests.ts';

const moment = z.iso.datetime().transform((text) => Date.parse(text));

const names = z.array(z.string()).transform((all) => all.sort());

const status = z.object({
  states: z.array(z.string()),
  revision: z.number(),
  changed: moment,
  context: z.record(z.string(), z.json()),
  // The last release has neither inputs nor members, and no pauses.
  inputs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).default({}),
  members: z.object({ total: z.number() }).nullable().default(null),
  paused: z
    .object({
      since: moment,
      until: moment.nullable(),
      by: z.string().nullable(),
      reason: z.string().nullable(),
    })
    .nullable()
    .default(null),
  quorums: z.array(
    z.object({
      state: z.string(),
      event: z.string(),
      have: z.number(),
      need: z.number().nullable(),
      by: names,
      expected: z.number().optional(),
      missing: z.object({ count: z.number(), names }).optional(),
    }),
  ),
  claims: z.array(
    z.object({
      state: z.string(),
      slots: z.number().nullable(),
      holders: z.array(z.object({ by: z.string(), until: moment })),
    }),
  ),
  windows: z.array(z.object({ state: z.string(), open: z.boolean() })).optional(),
  timers: z.array(z.object({ at: moment })),
});

const page = z.strictObject({
  machine: z.string(),
  state: z.string(),
  // Without `after`: the page has all of them.
  reports: z.array(z.object({ event: z.string(), by: z.string(), data: z.json().optional() })),
});

const entry = z.looseObject({
  id: z.number(),
  revision: z.number(),
  cause: z.string(),
  event: z.string().nullable(),
  entered: z.array(z.string()),
  data: z.json().optional(),
});

export type Entry = z.infer<typeof entry>;

const problem = z.object({
  type: z.string(),
  machine: z.object({ revision: z.number(), states: z.array(z.string()) }),
  holders: z.array(z.object({ by: z.string() })).optional(),
});

const claimed = z.object({ state: z.string(), by: z.string(), until: moment });

const changedMembers = z.strictObject({
  total: z.number().nullable(),
  added: z.number(),
  removed: z.number(),
  relabelled: z.number(),
});

/** Reads the whole history, the newest entry first. */
export async function readHistory(url: string): Promise<Entry[]> {
  const found: Entry[] = [];
  for (let before: number | undefined; ; ) {
    const response = await fetch(
      `${url}/history?limit=1000${before === undefined ? '' : `&before=${before}`}`,
    );
    const body: unknown = await response.json();
    const page = z.object({ history: z.array(entry), before: z.number().optional() }).parse(body);
    found.push(...page.history);
    before = page.before;
    if (before === undefined) return found;
  }
}

const message = z.object({
  id: z.number(),
  hook: z.string(),
  status: z.enum(['pending', 'sent', 'failed']),
});

/** A message of the outbox. */
export type Message = z.infer<typeof message>;

/** Reads the whole outbox. */
export async function readOutbox(url: string): Promise<Message[]> {
  const found: Message[] = [];
  for (let before: number | undefined; ; ) {
    const response = await fetch(
      `${url}/notifications?limit=1000${before === undefined ? '' : `&before=${before}`}`,
    );
    const body: unknown = await response.json();
    const page = z.object({ notifications: z.array(message), before: z.number().optional() }).parse(body);
    found.push(...page.notifications);
    before = page.before;
    if (before === undefined) return found;
  }
}

/** Reads problem details. */
export function problemIn(body: string): Pick<Answer, 'problem' | 'states' | 'holders'> {
  const { type, machine, holders } = problem.parse(JSON.parse(body));
  const held = holders === undefined ? {} : { holders: holders.map(({ by }) => by).sort() };
  return { problem: type.replace(/.*:/, ''), states: machine.states, ...held };
}

/** Reads the page of a link that cannot be used: its title. */
export function problemOfPage(body: string): Pick<Answer, 'problem'> {
  const problem = PROBLEMS_OF_LINKS.find((code) => body.includes(`<h1>${titleOf(code)}</h1>`));
  if (problem === undefined) throw new Error(`this is no page of a link: ${body}`);
  return { problem };
}

const PROBLEMS_OF_LINKS: readonly RefusalCode[] = [
  'visit-over',
  'not-taken',
  'not-holder',
  'no-members',
  'not-a-member',
  'not-for-you',
];

const linkMade = z.object({ url: z.url() });
const linkBody = z.object({ visit: z.object({ number: z.number() }) });

/** Reads a link that was made, and the visit that it is for. */
export function readLink(body: string): Pick<Answer, 'link' | 'visit'> {
  const { url } = linkMade.parse(JSON.parse(body));
  const link = url.slice(url.lastIndexOf('/') + 1);
  const [said = ''] = link.split('.');
  const { visit } = linkBody.parse(JSON.parse(Buffer.from(said, 'base64url').toString()));
  return { link, visit: visit.number };
}

export function readClaim(body: string) {
  return claimed.parse(JSON.parse(body));
}

export function readMembers(body: string) {
  return changedMembers.parse(JSON.parse(body));
}

/** Reads one name a line. */
export function readNames(body: string): string[] {
  return body
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

export function readReports(body: string): string[] {
  const { reports } = page.parse(JSON.parse(body));
  const texts = reports.map(({ data, ...report }) =>
    reportText({ ...report, ...(data === undefined ? {} : { data: JSON.stringify(data) }) }),
  );
  return texts.sort();
}

export function readDocument(body: string): { document: Document; moments: Moments } {
  const { changed, timers, claims, paused, windows = [], ...document } = status.parse(JSON.parse(body));
  const leases = claims.flatMap(({ state, holders }) => holders.map((holder) => ({ state, ...holder })));
  const held = claims.map(({ holders, ...claim }) => ({
    ...claim,
    holders: holders.map(({ by }) => by).sort(),
  }));
  const { since = 0, until = null, ...who } = paused ?? {};
  const pause = { since, ...(until === null ? {} : { until }) };
  return {
    document: {
      ...document,
      claims: held,
      windows,
      paused: paused === null ? null : { by: null, reason: null, ...who },
    },
    moments: {
      changed,
      timers: timers.map(({ at }) => at),
      leases,
      ...(paused === null ? {} : { paused: pause }),
    },
  };
}
