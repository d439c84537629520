import * as z from 'zod/mini';
import { parseTimestamp, TIMESTAMP } from '../../chart/time.ts';
import { RESTORE_DAYS } from '../../limits.ts';
import { refuse } from '../../refusal.ts';
import { BY, parameter, readSender } from '../parameters.ts';
import type { MachineResource } from '../resource.ts';
import { done, problem } from '../responses.ts';

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

/** Puts the machine back to a moment, by the platform's point-in-time recovery. */
export const restore: MachineResource = {
  path: '/restore',
  methods: {
    POST: {
      right: 'admin',
      contract: {
        id: 'restore',
        summary: 'Puts the machine back to a moment. The history says so, and revisions go on.',
        parameters: [AT, BY],
        answers: { 204: { says: 'It is as it was at that moment.', headers: ['ETag'] } },
        refusals: ['wrong-parameter', 'not-supported-here'],
      },
      // A machine that was deleted can come back.
      isFirst: true,
      async answer(c, machine) {
        const at = AT.read(c);
        if (!at.ok) return problem(at);
        const sender = readSender(c);
        if (!sender.ok) return problem(sender);
        const outcome = await machine.restore({
          type: 'restore',
          id: crypto.randomUUID(),
          at: at.value,
          ...sender.value,
        });
        return outcome.ok ? done(outcome.revision) : problem(outcome);
      },
    },
  },
};
