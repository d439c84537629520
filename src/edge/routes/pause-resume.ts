import type { Context } from 'hono';
import * as z from 'zod/mini';
import { parseDuration, parseTimestamp } from '../../chart/chart.ts';
import { type Parsed, ReasonShape } from '../../inputs.ts';
import { refuse } from '../../refusal.ts';
import type { Parameter } from '../contract/contract.ts';
import type { AppEnv } from '../env.ts';
import { BY, NOTHING, parameter, readSender } from '../parameters.ts';
import type { MachineResource } from '../resource.ts';
import { done, problem } from '../responses.ts';

/** Why an operator does something, for the history and for refusals. */
export const REASON: Parameter<string | undefined> = parameter({
  name: 'reason',
  in: 'query',
  says: 'Why, for the history and for those who are held back.',
  shape: ReasonShape,
  absent: NOTHING,
});

const UNTIL_RULE = '`until` must be a time to come, such as 2026-12-01T06:00:00Z, or a duration, such as 2h.';

/** When a pause ends by itself. */
const UNTIL = {
  name: 'until',
  in: 'query',
  says: 'When the machine resumes by itself: 2026-12-01T06:00:00Z, or a duration, 2h.',
  shape: z.string(),
  read(c: Context<AppEnv>): Parsed<number | undefined> {
    const text = c.req.query('until');
    if (text === undefined) return NOTHING;
    const now = Date.now();
    const duration = /^\d+$/.test(text) ? undefined : parseDuration(text);
    const until = duration === undefined ? parseTimestamp(text) : now + duration;
    return until === undefined || until <= now
      ? refuse('wrong-parameter', UNTIL_RULE)
      : { ok: true, value: until };
  },
} satisfies Parameter<number | undefined>;

/** Pauses a machine: nobody goes, reports count, and relative timers stand still. */
export const pause: MachineResource = {
  path: '/pause',
  methods: {
    POST: {
      right: 'operate',
      contract: {
        id: 'pause',
        summary:
          'Pauses the machine. Asks and claims are refused, reports count, relative timers stand still.',
        parameters: [BY, REASON, UNTIL],
        answers: { 204: { says: 'It is paused.', headers: ['ETag'] } },
        refusals: ['wrong-parameter', 'is-over'],
      },
      async answer(c, machine) {
        const sender = readSender(c);
        if (!sender.ok) return problem(sender);
        const reason = REASON.read(c);
        if (!reason.ok) return problem(reason);
        const until = UNTIL.read(c);
        if (!until.ok) return problem(until);
        const outcome = await machine.execute({
          type: 'pause',
          ...(reason.value === undefined ? {} : { reason: reason.value }),
          ...(until.value === undefined ? {} : { until: until.value }),
          ...sender.value,
        });
        return outcome.ok ? done(outcome.revision) : problem(outcome);
      },
    },
  },
};

/** Ends a pause. */
export const resume: MachineResource = {
  path: '/resume',
  methods: {
    POST: {
      right: 'operate',
      contract: {
        id: 'resume',
        summary:
          'Ends a pause. Relative timers go on with what was left. A machine that is not paused stays as it is.',
        parameters: [BY, REASON],
        answers: { 204: { says: 'It is not paused.', headers: ['ETag'] } },
        refusals: ['wrong-parameter'],
      },
      async answer(c, machine) {
        const sender = readSender(c);
        if (!sender.ok) return problem(sender);
        const reason = REASON.read(c);
        if (!reason.ok) return problem(reason);
        const outcome = await machine.execute({
          type: 'resume',
          ...(reason.value === undefined ? {} : { reason: reason.value }),
          ...sender.value,
        });
        return outcome.ok ? done(outcome.revision) : problem(outcome);
      },
    },
  },
};
