import type { Context } from 'hono';
import * as z from 'zod/mini';
import { parseDuration, parseTimestamp } from '../../chart/chart.ts';
import type { Parsed } from '../../inputs.ts';
import { HISTORY_PAGE, HISTORY_PAGE_MAX } from '../../limits.ts';
import { showEntry } from '../../objects/shown-entry.ts';
import { refuse } from '../../refusal.ts';
import { fitsFilter, type HistoryFilter } from '../../store/history-filter.ts';
import { HistoryPage } from '../../view/history-view.tsx';
import { wantsPage } from '../browsers.tsx';
import type { Parameter } from '../contract/contract.ts';
import { EntryShape, HistoryShape } from '../contract/document-shapes.ts';
import type { AppEnv } from '../env.ts';
import { wholeNumber } from '../parameters.ts';
import { queryOf } from '../query.ts';
import type { RemoteMachine } from '../remote-machine.ts';
import type { MachineResource } from '../resource.ts';
import { document, etag, json, page, problem } from '../responses.ts';
import { isInSession } from '../session-cookie.ts';
import { timelinePicture } from '../timelines.ts';

const BEFORE = wholeNumber('before', 1, Number.MAX_SAFE_INTEGER, 'Only entries with smaller ids.');
const LIMIT = wholeNumber(
  'limit',
  1,
  HISTORY_PAGE_MAX,
  `The most entries of a page; ${HISTORY_PAGE} by default, and at most for a browser.`,
);

/** A filter by a text. An empty one filters nothing: a form sends its empty fields. */
function filter(name: 'by' | 'event' | 'state', says: string) {
  return {
    name,
    in: 'query',
    says,
    shape: z.string(),
    read: (c) => ({ ok: true as const, value: queryOf(c)[name] || undefined }),
  } satisfies Parameter<string | undefined>;
}

/** A filter by a time, or by a duration before now. */
function moment(name: 'since' | 'until', says: string): Parameter<number | undefined> {
  return {
    name,
    in: 'query',
    says: `${says}: 2026-12-01T02:00:00Z, or a duration before now, 2h.`,
    shape: z.string(),
    read(c) {
      const text = queryOf(c)[name] || undefined;
      if (text === undefined) return { ok: true, value: undefined };
      const duration = /^\d+$/.test(text) ? undefined : parseDuration(text);
      const value = duration === undefined ? parseTimestamp(text) : Date.now() - duration;
      if (value !== undefined) return { ok: true, value };
      const rule = `\`${name}\` must be a time, such as 2026-12-01T02:00:00Z, or a duration before now, such as 2h.`;
      return refuse('wrong-parameter', rule);
    },
  };
}

const BY = filter('by', 'Only entries of this caller, or of a token with this subject.');
const EVENT = filter('event', 'Only entries of this event, or with this cause: `fail`, `override`.');
const STATE = filter('state', 'Only entries whose request named this state, or that entered it.');
const SINCE = moment('since', 'Only entries since this time');
const UNTIL = moment('until', 'Only entries until this time');

/** The history, newest first, in pages by `before` and `limit`; as NDJSON if the request accepts that. */
export const history: MachineResource = {
  path: '/history',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'history',
        summary: 'The history, newest first; for a browser, as a page.',
        parameters: [BEFORE, LIMIT, BY, EVENT, STATE, SINCE, UNTIL],
        answers: {
          200: {
            says: 'A page of the history; with `Accept: application/x-ndjson`, a line for each entry. A page of long entries ends before `limit`.',
            content: {
              'application/json': HistoryShape,
              'application/x-ndjson': EntryShape,
              'text/html': 'text',
            },
            headers: ['ETag', 'Vary'],
          },
        },
        refusals: ['wrong-parameter'],
      },
      async answer(c, machine) {
        const before = BEFORE.read(c);
        if (!before.ok) return problem(before);
        const limit = LIMIT.read(c);
        if (!limit.ok) return problem(limit);
        const filter = readFilter(c);
        if (!filter.ok) return problem(filter);
        const isPage = wantsPage(c);
        const answer = await machine.read({
          type: 'history',
          before: before.value ?? Number.MAX_SAFE_INTEGER,
          limit: Math.min(limit.value ?? HISTORY_PAGE, isPage ? HISTORY_PAGE : HISTORY_PAGE_MAX),
          filter: filter.value,
        });
        if (!answer.ok) return problem(answer);
        const { revision, hasMore } = answer;
        // The next page begins where this one has ended, also if nothing in it matches.
        const next = hasMore ? answer.entries.at(-1)?.id : undefined;
        const entries = answer.entries.filter((entry) => fitsFilter(entry, filter.value));
        const more = next === undefined ? {} : { before: next };
        const headers = { ETag: etag(revision), Vary: 'Accept' };
        if (c.req.header('Accept')?.includes('application/x-ndjson')) {
          const lines = entries.map((entry) => `${JSON.stringify(showEntry(entry))}\n`).join('');
          return document(lines, 'application/x-ndjson', headers);
        }
        if (isPage) {
          const isNewest = before.value === undefined && Object.keys(filter.value).length === 0;
          const drawn = isNewest ? await timelinePicture(machine, true) : undefined;
          const timeline = drawn?.ok ? { timeline: drawn.svg } : {};
          const markup = <HistoryPage {...propsOf(c, machine)} entries={entries} {...more} {...timeline} />;
          return page(String(markup), headers);
        }
        return json({ machine: machine.name, history: entries.map(showEntry), ...more }, headers);
      },
    },
  },
};

function readFilter(c: Context<AppEnv>): Parsed<HistoryFilter> {
  const since = SINCE.read(c);
  if (!since.ok) return since;
  const until = UNTIL.read(c);
  if (!until.ok) return until;
  const [by, event, state] = [BY.read(c).value, EVENT.read(c).value, STATE.read(c).value];
  return {
    ok: true,
    value: {
      ...(by === undefined ? {} : { by }),
      ...(event === undefined ? {} : { event }),
      ...(state === undefined ? {} : { state }),
      ...(since.value === undefined ? {} : { since: since.value }),
      ...(until.value === undefined ? {} : { until: until.value }),
    },
  };
}

function propsOf(c: Context<AppEnv>, { address, name }: RemoteMachine) {
  const { by = '', event = '', state = '', since = '', until = '' } = queryOf(c);
  const isRoot = address.tenant === undefined && address.run === undefined;
  const grant = c.get('grant');
  return {
    name,
    path: isRoot ? '' : `/${name}`,
    fields: { by, event, state, since, until },
    now: Date.now(),
    ...(grant === undefined ? {} : { viewer: grant.sub, isInSession: isInSession(c.req.raw) }),
  };
}
