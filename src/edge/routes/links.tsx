import type { Context } from 'hono';
import * as z from 'zod/mini';
import { type Refusal, statusOf, titleOf } from '../../refusal.ts';
import { LINK_TTL, LINK_TTL_MAX } from '../../request-limits.ts';
import { LinkFormPage } from '../../view/link-form.tsx';
import { NoLinkPage, OfferPage, SentPage } from '../../view/link-page.tsx';
import { wantsPage } from '../browsers.tsx';
import { ANY_TYPE, type Parameter } from '../contract/contract.ts';
import { LinkShape } from '../contract/document-shapes.ts';
import { REPORT_REFUSALS } from '../contract/report-refusals.ts';
import type { AppEnv } from '../env.ts';
import { readFormAsQuery } from '../form.ts';
import { CALLER, durationShape, EVENT, parameter, STATE, withSubject } from '../parameters.ts';
import { lastSegment, queryOf } from '../query.ts';
import { pathOf, readerOf } from '../reader.ts';
import type { RemoteMachine } from '../remote-machine.ts';
import type { MachineResource } from '../resource.ts';
import { etag, json, page, problem, refusalHeaders, respond } from '../responses.ts';
import { type Made, makeLink, readLink } from '../signed-link.ts';

const TTL_RULE = `\`ttl\` must be a duration from 1s to ${LINK_TTL_MAX / 86_400_000}d, such as 8h.`;

const TTL: Parameter<number> = parameter({
  name: 'ttl',
  in: 'query',
  says: 'How long the link may be used, at most 7d: `30m`, `8h`, or a number of seconds. Default: a day.',
  shape: durationShape(1_000, LINK_TTL_MAX, TTL_RULE),
  absent: { ok: true, value: LINK_TTL },
});

/** Whose report the link makes. */
const REPORTER = { ...CALLER, says: 'The name of the person: the link reports under it.' };

const PAGE = { 'text/html': 'text' } as const;

/** The same as the parameters of the query: from the form. */
const FormShape = z.object({
  state: z.string(),
  event: z.optional(z.string()),
  by: z.string(),
  ttl: z.optional(z.string()),
});

/** Makes links: each is a report of one person, signed for one visit of a state. Nothing is stored. */
export const links: MachineResource = {
  path: '/links',
  methods: {
    GET: {
      right: 'update',
      contract: {
        id: 'linkForm',
        summary: 'A form that makes a link for a person.',
        answers: { 200: { says: 'The page.', content: PAGE, headers: ['Vary'] } },
      },
      answer: (c, machine) => showForm(c, machine, {}, 200),
    },
    POST: {
      // What a link does, its maker may do.
      right: 'update',
      contract: {
        id: 'makeLink',
        summary:
          'Makes a link for a person: it shows what it sends, and a button. It is for the present visit of the state, and for a report that the machine would take now.',
        parameters: [STATE, EVENT, REPORTER, TTL],
        body: { 'application/x-www-form-urlencoded': FormShape, ...ANY_TYPE },
        isBodyOptional: true,
        answers: {
          201: {
            says: 'The link. With `Accept: text/plain`, its URL alone; for a browser, the form with the link.',
            content: { 'application/json': LinkShape, 'text/plain': 'text', 'text/html': 'text' },
            headers: ['ETag', 'Location', 'Vary'],
          },
        },
        refusals: [
          'wrong-parameter',
          'not-begun',
          'ambiguous-state',
          'reserved-event',
          'not-current',
          'cannot-come',
          'already-reported',
          'too-large',
          'too-slow',
          ...REPORT_REFUSALS,
        ],
      },
      async answer(c, machine) {
        const isForm = wantsPage(c);
        const unread = isForm ? await readFormAsQuery(c) : undefined;
        if (unread !== undefined) return problem(unread);
        const made = await make(c, machine);
        if (!isForm) return made.ok ? showLink(c, made) : problem(made);
        if (!made.ok) return showForm(c, machine, { problem: made.detail }, statusOf(made.code));
        const { link, path } = made;
        const until = new Date(link.until).toISOString();
        const headers = { ETag: etag(made.revision), Location: path };
        return showForm(c, machine, { made: { url: new URL(path, c.req.url).href, until } }, 201, headers);
      },
    },
  },
};

/** A link. Reading it never acts: mail and chat programs fetch links by themselves. */
export const link: MachineResource = {
  path: '/links/{link}',
  methods: {
    GET: {
      right: 'link',
      isFirst: true,
      contract: {
        id: 'showLink',
        summary: 'What the link would send, with a button. It sends nothing.',
        answers: { 200: { says: 'The page.', content: PAGE, headers: ['ETag', 'X-Robots-Tag'] } },
        refusals: ['no-such-link', 'not-begun', 'link-expired', 'visit-over', ...REPORT_REFUSALS],
      },
      async answer(c, machine) {
        const read = await readLink(c.env, machine.name, lastSegment(c), Date.now());
        if (!read.ok) return refusalPage(read);
        const { state, event, by, visit, until } = read.link;
        const answer = await machine.read({ type: 'link', state, event, by, visit });
        if (!answer.ok) return refusalPage(answer);
        const { isReported, revision } = answer;
        const said = { ...answer, machine: machine.name, event, by };
        if (isReported) return linkPage(<SentPage {...said} isRepeat />, revision);
        return linkPage(<OfferPage {...said} until={until} />, revision);
      },
    },

    POST: {
      right: 'link',
      isFirst: true,
      contract: {
        id: 'useLink',
        summary: 'Reports what the link says. A repeat changes nothing, and says so. The body is ignored.',
        answers: { 200: { says: 'It counts.', content: PAGE, headers: ['ETag', 'X-Robots-Tag'] } },
        refusals: ['no-such-link', 'link-expired', 'visit-over', ...REPORT_REFUSALS],
      },
      async answer(c, machine) {
        const read = await readLink(c.env, machine.name, lastSegment(c), Date.now());
        if (!read.ok) return refusalPage(read);
        const { machine: name, until: _, ...report } = read.link;
        const outcome = await machine.execute({ type: 'link', ...report });
        if (!outcome.ok) return refusalPage(outcome);
        const { state, event, by } = report;
        const said = { ...outcome, machine: name, state, event, by };
        return linkPage(<SentPage {...said} />, outcome.revision);
      },
    },
  },
  refuse: refusalPage,
  refusalContent: PAGE,
};

/** Makes the link that the query names. */
async function make(c: Context<AppEnv>, machine: RemoteMachine): Promise<Made | Refusal> {
  const state = STATE.read(c);
  if (!state.ok) return state;
  const event = EVENT.read(c);
  if (!event.ok) return event;
  const by = REPORTER.read(c);
  if (!by.ok) return by;
  const ttl = TTL.read(c);
  if (!ttl.ok) return ttl;
  const wanted = { state: state.value, event: event.value, by: by.value, ttl: ttl.value };
  return makeLink(c.env, machine, { ...wanted, ...withSubject(c) });
}

/** Shows the form that makes a link, with what came of it. */
async function showForm(
  c: Context<AppEnv>,
  machine: RemoteMachine,
  result: Pick<Parameters<typeof LinkFormPage>[0], 'problem' | 'made'>,
  status: number,
  headers = {},
): Promise<Response> {
  const view = await machine.read({ type: 'view' });
  if (!view.ok) return problem(view);
  const { address, name } = machine;
  const markup = (
    <LinkFormPage
      name={name}
      path={pathOf(address, name)}
      takes={view.takes}
      values={queryOf(c)}
      {...result}
      {...readerOf(c, address)}
    />
  );
  return page(String(markup), headers, status);
}

/** Renders a new link: as JSON, or its URL alone. */
function showLink(c: Context<AppEnv>, { link, path, revision }: Made): Response {
  const { state, event, by, until } = link;
  const url = new URL(path, c.req.url).href;
  const headers = { ETag: etag(revision), Location: path, Vary: 'Accept' };
  if (c.req.header('Accept')?.includes('text/plain'))
    return respond(`${url}\n`, 201, { 'Content-Type': 'text/plain;charset=UTF-8', ...headers });
  return json({ url, state, event, by, until: new Date(until).toISOString() }, headers, 201);
}

/** Renders a page of a link. It has no script, and its form sends to this service only. */
function linkPage(markup: unknown, revision: number): Response {
  return respond(`<!doctype html>${markup}`, 200, {
    ...PAGE_HEADERS,
    ETag: etag(revision),
    'X-Robots-Tag': 'noindex',
  });
}

function refusalPage(refusal: Refusal): Response {
  const markup = <NoLinkPage title={titleOf(refusal.code)} why={refusal.detail} />;
  const headers = { ...PAGE_HEADERS, ...refusalHeaders(refusal) };
  return respond(`<!doctype html>${markup}`, statusOf(refusal.code), headers);
}

const PAGE_HEADERS = {
  'Content-Type': 'text/html;charset=UTF-8',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
};
