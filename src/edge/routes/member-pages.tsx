/** The page of a machine's members, and the forms on it. */
import type { Context } from 'hono';
import * as z from 'zod/mini';
import { CallerShape } from '../../inputs.ts';
import { MEMBERS_PAGE, MEMBERS_PAGE_MAX } from '../../limits.ts';
import { memberListReading, writeMemberList } from '../../member-list.ts';
import { hashOf } from '../../objects/catalog.ts';
import type { MembersQuery } from '../../objects/results.ts';
import { type Refusal, type RefusalCode, refuse, statusOf } from '../../refusal.ts';
import { inSlices } from '../../slices.ts';
import { writeMembers } from '../../store/members-table.ts';
import { MembersPage } from '../../view/members-page.tsx';
import { wantsPage } from '../browsers.tsx';
import type { AppEnv } from '../env.ts';
import { type Form, readForm } from '../form.ts';
import { BY, readSender } from '../parameters.ts';
import { pathOf, readerOf } from '../reader.ts';
import type { RemoteMachine } from '../remote-machine.ts';
import type { Method } from '../resource.ts';
import { etag, page, problem, respond } from '../responses.ts';

/** Which members a page shows. */
type Asked = Pick<MembersQuery, 'is' | 'after' | 'limit'>;

/** A form that was refused. */
interface Refused {
  /** As it was typed; absent if the form was not that of the text. */
  readonly text?: string | undefined;
  readonly from?: string | undefined;
  readonly refusal: Refusal;
}

/** Renders the page; for those who may change the list, with its text if it is not too long. */
export async function showMembers(
  c: Context<AppEnv>,
  machine: RemoteMachine,
  asked: Asked,
  refused?: Refused,
): Promise<Response> {
  const { address, name } = machine;
  const reader = readerOf(c, address);
  const list = await machine.read({ type: 'members', limit: MEMBERS_PAGE, ...asked });
  if (!list.ok) return problem(list);
  const { refusal } = refused ?? {};
  const kept = reader.rights.operate ? await listText(machine) : undefined;
  if (kept !== undefined && 'ok' in kept) return problem(kept);
  const problemShown = refusal && { why: refusal.detail, issues: refusal.errors ?? [] };
  const typed = refused?.text === undefined ? {} : { text: refused.text, from: refused.from };
  const markup = (
    <MembersPage
      name={name}
      path={pathOf(address, name)}
      list={list}
      is={asked.is}
      isContinued={asked.after !== undefined}
      forms={kept && { ...kept, ...typed, problem: problemShown }}
      now={Date.now()}
      {...reader}
    />
  );
  return page(
    String(markup),
    { ETag: etag(list.revision) },
    refusal === undefined ? 200 : statusOf(refusal.code),
  );
}

interface ListText {
  readonly text?: string;
  /** Its hash. */
  readonly from?: string;
}

/** Reads the whole list as text; empty for none. A list of more members than one answer has none. */
async function listText(machine: RemoteMachine): Promise<ListText | Refusal> {
  const list = await machine.read({ type: 'members', limit: MEMBERS_PAGE_MAX });
  if (!list.ok) return list;
  if (list.hasMore) return {};
  const text = writeMemberList(list.members);
  return { text, from: await hashOf(text) };
}

const FormShape = z.object({
  text: z.optional(z.string()).check(z.describe('The new list, as `PUT` takes it. It must name a member.')),
  from: z.optional(z.string()).check(z.describe('The hash of the list when the form was opened.')),
  strike: z.optional(z.string()).check(z.describe('In place of `text`: the member to strike off.')),
  remove: z.optional(z.literal('true')).check(z.describe('In place of `text`: takes the list away.')),
});

const REFUSALS = [
  'wrong-parameter',
  'wrong-revision',
  'too-large',
  'too-slow',
  'invalid-members',
  'no-such-member',
] as const satisfies readonly RefusalCode[];

/** Changes the list as `PUT` and `DELETE` do, for the forms of the page. */
export const changeMembersByForm: Method<[machine: RemoteMachine]> = {
  right: 'operate',
  contract: {
    id: 'changeMembersByForm',
    summary:
      'Replaces the list, strikes a member off, or takes the list away, by the forms of the page; or shows the page again with what is wrong.',
    parameters: [BY],
    body: { 'application/x-www-form-urlencoded': FormShape },
    answers: { 303: { says: 'It is done.', headers: ['Location'] } },
    refusals: REFUSALS,
  },
  async answer(c, machine) {
    const sender = readSender(c);
    if (!sender.ok) return problem(sender);
    const form = await readForm(c);
    if (!form.ok) return problem(form);
    const outcome = await change(machine, form.value, sender.value);
    if (outcome.ok)
      return respond(null, 303, { Location: `${pathOf(machine.address, machine.name)}/members` });
    if (!wantsPage(c)) return problem(outcome);
    const { text, from } = form.value;
    return showMembers(c, machine, {}, { text, from, refusal: outcome });
  },
};

type Sender = { readonly by?: string; readonly sub?: string };

async function change(machine: RemoteMachine, form: Form, sender: Sender) {
  const { text = '', strike, remove } = form;
  if (strike !== undefined) {
    const member = CallerShape.safeParse(strike);
    if (!member.success) return refuse('no-such-member', 'No member has such a name.');
    return machine.execute({ type: 'strike', member: member.data, ...sender });
  }
  if (remove === 'true') return machine.execute({ type: 'members', ...sender });
  const read = await inSlices(memberListReading(text, false));
  if (!read.ok) return read;
  // `PUT` takes an empty list. Here it is more likely a mistake than meant: nobody could report then.
  if (read.members.size === 0) return NOBODY;
  const changed = await checkUnchanged(machine, form);
  return changed ?? machine.execute({ type: 'members', list: writeMembers(read.members), ...sender });
}

const NOBODY = refuse('wrong-parameter', 'The text names no member. Nothing has changed.');

/** Refuses to replace a list that has changed since the form was opened. */
async function checkUnchanged(machine: RemoteMachine, { from }: Form): Promise<Refusal | undefined> {
  if (from === undefined) return undefined;
  const kept = await listText(machine);
  if ('ok' in kept) return kept;
  return kept.from === from ? undefined : refuse('wrong-revision', CHANGED);
}

const CHANGED =
  'The list was changed since this form was opened. Nothing has changed. Open the page again in another window, and bring your changes there.';
