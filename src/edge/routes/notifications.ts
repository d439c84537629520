import * as z from 'zod/mini';
import { HOOK_NAME } from '../../hook.ts';
import { NOTIFICATIONS_PAGE, NOTIFICATIONS_PAGE_MAX } from '../../limits.ts';
import { showNotifications } from '../../objects/shown-notifications.ts';
import { refuse } from '../../refusal.ts';
import { NotificationsShape } from '../contract/notification-documents.ts';
import { BY, NOTHING, parameter, readSender, wholeNumber } from '../parameters.ts';
import { lastSegment } from '../query.ts';
import type { MachineResource } from '../resource.ts';
import { done, etag, json, problem } from '../responses.ts';

const BEFORE = wholeNumber(
  'before',
  1,
  Number.MAX_SAFE_INTEGER,
  'Only messages about entries of the history with smaller ids.',
);
const LIMIT = wholeNumber(
  'limit',
  1,
  NOTIFICATIONS_PAGE_MAX,
  `The most messages of a page, but for those about its last entry; ${NOTIFICATIONS_PAGE} by default.`,
);

const TO = parameter({
  name: 'to',
  in: 'query',
  says: 'Only the message to this hook.',
  shape: z.string().check(z.regex(HOOK_NAME, '`to` must be the name of a hook, such as OPS.')),
  absent: NOTHING,
});

/** The messages to hooks. */
export const notifications: MachineResource = {
  path: '/notifications',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'notifications',
        summary:
          'The hooks that are told of the machine, and the messages to them: to be sent, sent, given up.',
        parameters: [BEFORE, LIMIT],
        answers: {
          200: {
            says: 'A page of the messages, the newest entry of the history first.',
            content: { 'application/json': NotificationsShape },
            headers: ['ETag'],
          },
        },
        refusals: ['wrong-parameter'],
      },
      async answer(c, machine) {
        const before = BEFORE.read(c);
        if (!before.ok) return problem(before);
        const limit = LIMIT.read(c);
        if (!limit.ok) return problem(limit);
        const answer = await machine.read({
          type: 'notifications',
          before: before.value ?? Number.MAX_SAFE_INTEGER,
          limit: limit.value ?? NOTIFICATIONS_PAGE,
        });
        if (!answer.ok) return problem(answer);
        return json(showNotifications(machine.name, answer), { ETag: etag(answer.revision) });
      },
    },
  },
};

/** The messages about one entry of the history. */
export const notification: MachineResource = {
  path: '/notifications/{id}',
  methods: {
    POST: {
      right: 'operate',
      contract: {
        id: 'resend',
        summary:
          'Sends the messages about an entry of the history again; those that are to be sent are tried at once.',
        parameters: [TO, BY],
        answers: { 204: { says: 'They are being sent.', headers: ['ETag'] } },
        refusals: ['wrong-parameter', 'no-such-notification'],
      },
      async answer(c, machine) {
        const to = TO.read(c);
        if (!to.ok) return problem(to);
        const sender = readSender(c);
        if (!sender.ok) return problem(sender);
        const id = lastSegment(c);
        if (!/^[1-9]\d{0,14}$/.test(id)) return problem(refuse('no-such-notification', NO_ID));
        const outcome = await machine.execute({
          type: 'resend',
          entry: Number(id),
          ...(to.value === undefined ? {} : { to: to.value }),
          ...sender.value,
        });
        return outcome.ok ? done(outcome.revision) : problem(outcome);
      },
    },
  },
};

const NO_ID = 'A message is named by the id of its entry of the history: POST …/notifications/17.';
