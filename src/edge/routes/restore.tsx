import type { Context } from 'hono';
import * as z from 'zod/mini';
import { parseTimestamp, TIMESTAMP } from '../../chart/time.ts';
import { RESTORE_DAYS } from '../../limits.ts';
import { type Refusal, refuse, statusOf } from '../../refusal.ts';
import { RestorePage } from '../../view/restore-page.tsx';
import { wantsPage } from '../browsers.tsx';
import { ANY_TYPE, type Parameter } from '../contract/contract.ts';
import type { AppEnv } from '../env.ts';
import { readFormAsQuery } from '../form.ts';
import { BY, parameter, readSender } from '../parameters.ts';
import { queryOf } from '../query.ts';
import { pathOf, readerOf } from '../reader.ts';
import type { RemoteMachine } from '../remote-machine.ts';
import type { MachineResource } from '../resource.ts';
import { done, page, problem, respond } from '../responses.ts';

const RULE = `\`at\` must be a moment of the last ${RESTORE_DAYS} days with its offset, such as 2026-11-24T09:30:00Z.`;
const DAY = 24 * 60 * 60 * 1_000;

const AT = parameter({
  name: 'at',
  in: 'query',
  says: `The moment, of the last ${RESTORE_DAYS} days: ISO 8601 with an offset, such as \`2026-11-24T09:30:00Z\`.`,
  isRequired: true,
  shape: z
    .pipe(
      z.pipe(
        z.string().check(z.regex(TIMESTAMP, RULE), z.regex(/(?:Z|[+-]\d\d:\d\d)$/, RULE)),
        z.transform(parseTimestamp),
      ),
      z.number(RULE),
    )
    .check(
      z.refine((at) => at <= Date.now(), `${RULE} This one is in the future.`),
      z.refine((at) => at > Date.now() - RESTORE_DAYS * DAY, `${RULE} This one is older.`),
    ),
  absent: refuse('wrong-parameter', `The query names no moment; add ?at=. ${RULE}`),
});

/** The same as the parameter of the query: from the form. Without an offset it is UTC. */
const FormShape = z.object({ at: z.string() });

/** The moment that the form begins with. */
const BEFORE = {
  ...AT,
  says: 'The moment that the form begins with.',
  isRequired: false,
  shape: z.string(),
  read: (c) => ({ ok: true as const, value: queryOf(c).at ?? '' }),
} satisfies Parameter<string>;

/** Puts the machine back to a moment, by the platform's point-in-time recovery. */
export const restore: MachineResource = {
  path: '/restore',
  methods: {
    GET: {
      right: 'admin',
      contract: {
        id: 'restoreForm',
        summary: 'A form that puts the machine back to a moment.',
        parameters: [BEFORE],
        answers: { 200: { says: 'The page.', content: { 'text/html': 'text' }, headers: ['Vary'] } },
      },
      answer: (c, machine) => showForm(c, machine),
    },

    POST: {
      right: 'admin',
      contract: {
        id: 'restore',
        summary: 'Puts the machine back to a moment. The history says so, and revisions go on.',
        parameters: [AT, BY],
        body: { 'application/x-www-form-urlencoded': FormShape, ...ANY_TYPE },
        isBodyOptional: true,
        answers: {
          204: { says: 'It is as it was at that moment.', headers: ['ETag'] },
          303: { says: 'It is; a browser goes to its page.', headers: ['Location'] },
        },
        refusals: ['wrong-parameter', 'not-supported-here', 'too-large', 'too-slow'],
      },
      // A machine that was deleted can come back, also where no chart is left.
      isFirst: true,
      async answer(c, machine) {
        const isForm = wantsPage(c);
        const unread = isForm ? await readMoment(c) : undefined;
        if (unread !== undefined) return problem(unread);
        const at = AT.read(c);
        if (!at.ok) return isForm ? showForm(c, machine, at) : problem(at);
        const sender = readSender(c);
        if (!sender.ok) return problem(sender);
        const outcome = await machine.restore({
          type: 'restore',
          id: crypto.randomUUID(),
          at: at.value,
          ...sender.value,
        });
        const { address, name } = machine;
        // There was no machine at the moment.
        if (isForm && !outcome.ok && outcome.code === 'no-chart') return showForm(c, machine, outcome);
        if (!outcome.ok) return problem(outcome);
        return isForm
          ? respond(null, 303, { Location: pathOf(address, name) || '/' })
          : done(outcome.revision);
      },
    },
  },
};

/** Reads the form in place of the query. People write a moment without `T` and `Z`; the form says that it is UTC. */
async function readMoment(c: Context<AppEnv>): Promise<Refusal | undefined> {
  const unread = await readFormAsQuery(c);
  const { at, ...others } = queryOf(c);
  if (unread !== undefined || at === undefined) return unread;
  const trimmed = at.trim();
  // Apart from the space before it: a pattern that begins with `\s*` takes the square of the spaces, a minute for a form of 160 kB.
  const bare = trimmed.replace(/(?:UTC|Z)$/i, '');
  const written = (bare === trimmed ? bare : `${bare.trimEnd()}Z`).replace(/\s+/, 'T');
  const [isMoment, hasOffset] = [TIMESTAMP.test(written), /(?:Z|[+-]\d\d:\d\d)$/.test(written)];
  // What is no moment is shown again as it was typed.
  c.set('query', { ...others, at: isMoment ? `${written}${hasOffset ? '' : 'Z'}` : at });
  return undefined;
}

/** Entries of the history beside the form. */
const ENTRIES = 20;

async function showForm(c: Context<AppEnv>, machine: RemoteMachine, refusal?: Refusal): Promise<Response> {
  const { address, name } = machine;
  const history = await machine.read({
    type: 'history',
    before: Number.MAX_SAFE_INTEGER,
    limit: ENTRIES,
    filter: {},
  });
  if (!history.ok && history.code === 'no-chart' && refusal === undefined) return problem(history);
  const markup = (
    <RestorePage
      name={name}
      path={pathOf(address, name)}
      days={RESTORE_DAYS}
      at={queryOf(c).at ?? ''}
      problem={refusal?.detail}
      entries={history.ok ? history.entries : []}
      now={Date.now()}
      {...readerOf(c, address)}
    />
  );
  return page(String(markup), {}, refusal === undefined ? 200 : statusOf(refusal.code));
}
