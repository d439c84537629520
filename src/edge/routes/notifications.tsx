import type { Context } from 'hono';
import * as z from 'zod/mini';
import { HOOK_NAME } from '../../hook.ts';
import { NOTIFICATIONS_PAGE, NOTIFICATIONS_PAGE_MAX } from '../../limits.ts';
import type { NotificationsPage as Messages } from '../../objects/results.ts';
import { lastEntryOf, showNotifications } from '../../objects/shown-notifications.ts';
import { refuse } from '../../refusal.ts';
import { NotificationsPage } from '../../view/notifications-page.tsx';
import { wantsPage } from '../browsers.tsx';
import { NotificationsShape } from '../contract/notification-documents.ts';
import type { AppEnv } from '../env.ts';
import { BY, NOTHING, parameter, readSender, wholeNumber } from '../parameters.ts';
import { lastSegment } from '../query.ts';
import { pathOf, readerOf } from '../reader.ts';
import type { RemoteMachine } from '../remote-machine.ts';
import type { MachineResource } from '../resource.ts';
import { done, etag, json, page, problem } from '../responses.ts';

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
  `The most messages of a page, but for those about its last entry; ${NOTIFICATIONS_PAGE} by default, and at most for a browser.`,
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
          'The hooks that are told of the machine, and the messages to them: to be sent, sent, given up; for a browser, as a page.',
        parameters: [BEFORE, LIMIT],
        answers: {
          200: {
            says: 'A page of the messages, the newest entry of the history first.',
            content: { 'application/json': NotificationsShape, 'text/html': 'text' },
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
        const isPage = wantsPage(c);
        const answer = await machine.read({
          type: 'notifications',
          before: before.value ?? Number.MAX_SAFE_INTEGER,
          limit: Math.min(
            limit.value ?? NOTIFICATIONS_PAGE,
            isPage ? NOTIFICATIONS_PAGE : NOTIFICATIONS_PAGE_MAX,
          ),
          ...(isPage ? { isTold: true } : {}),
        });
        if (!answer.ok) return problem(answer);
        if (isPage) return showPage(c, machine, answer, before.value !== undefined);
        const headers = { ETag: etag(answer.revision), Vary: 'Accept' };
        return json(showNotifications(machine.name, answer), headers);
      },
    },
  },
};

function showPage(
  c: Context<AppEnv>,
  { address, name }: RemoteMachine,
  messages: Messages,
  isContinued: boolean,
): Response {
  const path = pathOf(address, name);
  const last = lastEntryOf(messages);
  const markup = (
    <NotificationsPage
      name={name}
      path={path}
      url={`${new URL(c.req.url).origin}${path}`}
      hooks={messages.hooks}
      messages={messages.notifications}
      {...(last === undefined ? {} : { before: last })}
      isContinued={isContinued}
      now={Date.now()}
      {...readerOf(c, address)}
    />
  );
  return page(String(markup), { ETag: etag(messages.revision) });
}

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
