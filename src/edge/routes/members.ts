import * as z from 'zod/mini';
import { CallerShape } from '../../inputs.ts';
import { MEMBERS_BYTES, MEMBERS_PAGE, MEMBERS_PAGE_MAX } from '../../limits.ts';
import { MEMBER_FACTS, memberListReading } from '../../member-list.ts';
import { refuse } from '../../refusal.ts';
import { inSlices } from '../../slices.ts';
import { writeMembers } from '../../store/members-table.ts';
import { readText } from '../body.ts';
import { wantsPage } from '../browsers.tsx';
import { ANY_TYPE } from '../contract/contract.ts';
import { MembersChangedShape, MembersShape } from '../contract/member-documents.ts';
import { BY, IF_MATCH, NOTHING, oneOf, parameter, readConditions, wholeNumber } from '../parameters.ts';
import { lastSegment } from '../query.ts';
import type { MachineResource } from '../resource.ts';
import { document, done, etag, json, problem } from '../responses.ts';
import { changeMembersByForm, showMembers } from './member-pages.tsx';

/** The right to change the members. */
const RIGHT = 'operate';

const IS = parameter({
  name: 'is',
  in: 'query',
  says: 'Only members with this relation to a current state: `missing` ones are expected and have not reported.',
  shape: oneOf('is', MEMBER_FACTS),
  absent: NOTHING,
});

const AFTER = parameter({
  name: 'after',
  in: 'query',
  says: '`after` of the page before: the name at which it has ended.',
  shape: CallerShape,
  absent: NOTHING,
});

const LIMIT = wholeNumber(
  'limit',
  1,
  MEMBERS_PAGE_MAX,
  `The most members of a page; ${MEMBERS_PAGE} by default, as text all.`,
);

const CHANGED = {
  says: 'The list was changed, or was the same already.',
  content: { 'application/json': MembersChangedShape },
  headers: ['ETag'],
} as const;

/** The machines that are expected to take part. */
export const members: MachineResource = {
  path: '/members',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'members',
        summary:
          'The members, in natural order, with what each is to the current states; for a browser, as a page.',
        parameters: [IS, AFTER, LIMIT],
        answers: {
          200: {
            says: 'A page of the members. With `Accept: text/plain`, a name a line: all of them, unless `limit` is given.',
            content: { 'application/json': MembersShape, 'text/plain': 'text', 'text/html': 'text' },
            headers: ['ETag', 'Vary'],
          },
        },
        refusals: ['wrong-parameter'],
      },
      async answer(c, machine) {
        const is = IS.read(c);
        if (!is.ok) return problem(is);
        const after = AFTER.read(c);
        if (!after.ok) return problem(after);
        const limit = LIMIT.read(c);
        if (!limit.ok) return problem(limit);
        const asked = {
          ...(is.value === undefined ? {} : { is: is.value }),
          ...(after.value === undefined ? {} : { after: after.value }),
          ...(limit.value === undefined ? {} : { limit: limit.value }),
        };
        if (wantsPage(c)) return showMembers(c, machine, asked);
        const isText = c.req.header('Accept')?.includes('text/plain') ?? false;
        const answer = await machine.read({
          type: 'members',
          ...(isText ? { namesOnly: true } : { limit: MEMBERS_PAGE }),
          ...asked,
        });
        if (!answer.ok) return problem(answer);
        const headers = { ETag: etag(answer.revision), Vary: 'Accept' };
        if (isText) return document(answer.names ?? '', 'text/plain;charset=UTF-8', headers);
        const last = answer.hasMore ? answer.members.at(-1)?.name : undefined;
        const body = {
          machine: machine.name,
          total: answer.total,
          members: answer.members,
          ...(last === undefined ? {} : { after: last }),
        };
        return json(body, headers);
      },
    },

    PUT: {
      right: RIGHT,
      contract: {
        id: 'setMembers',
        summary: 'Replaces the list of members.',
        parameters: [BY, IF_MATCH],
        body: { 'text/plain': 'text', 'application/json': z.unknown(), ...ANY_TYPE },
        answers: { 200: CHANGED },
        refusals: ['wrong-parameter', 'wrong-revision', 'too-large', 'too-slow', 'invalid-members'],
      },
      async answer(c, machine) {
        const conditions = readConditions(c);
        if (!conditions.ok) return problem(conditions);
        const text = await readText(c, MEMBERS_BYTES);
        if (!text.ok) return problem(text);
        const isJson = c.req.header('Content-Type')?.startsWith('application/json') ?? false;
        const read = await inSlices(memberListReading(text.value, isJson));
        if (!read.ok) return problem(read);
        const list = writeMembers(read.members);
        const outcome = await machine.execute({ type: 'members', list, ...conditions.value });
        if (!outcome.ok) return problem(outcome);
        const { ok: _, revision, ...body } = outcome;
        return json(body, { ETag: etag(revision) });
      },
    },

    POST: changeMembersByForm,

    DELETE: {
      right: RIGHT,
      contract: {
        id: 'deleteMembers',
        summary: 'Takes the list of members away: everybody may take part again.',
        parameters: [BY, IF_MATCH],
        answers: { 204: { says: 'There is no list.', headers: ['ETag'] } },
        refusals: ['wrong-parameter', 'wrong-revision'],
      },
      async answer(c, machine) {
        const conditions = readConditions(c);
        if (!conditions.ok) return problem(conditions);
        const outcome = await machine.execute({ type: 'members', ...conditions.value });
        return outcome.ok ? done(outcome.revision) : problem(outcome);
      },
    },
  },
};

/** One member. */
export const member: MachineResource = {
  path: '/members/{name}',
  methods: {
    DELETE: {
      right: RIGHT,
      contract: {
        id: 'strikeMember',
        summary: 'Strikes a member off the list. A slot that it holds stays taken until its lease ends.',
        parameters: [BY, IF_MATCH],
        answers: { 200: CHANGED },
        refusals: ['wrong-parameter', 'wrong-revision', 'no-such-member'],
      },
      async answer(c, machine) {
        const conditions = readConditions(c);
        if (!conditions.ok) return problem(conditions);
        const name = CallerShape.safeParse(lastSegment(c));
        if (!name.success) return problem(refuse('no-such-member', 'No member has such a name.'));
        const outcome = await machine.execute({ type: 'strike', member: name.data, ...conditions.value });
        if (!outcome.ok) return problem(outcome);
        const { ok: _, revision, ...body } = outcome;
        return json(body, { ETag: etag(revision) });
      },
    },
  },
};
