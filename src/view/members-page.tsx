/** The page of a machine's members: what each is to the current states, and the forms that change the list. */
import { parseObjectName } from '../address.ts';
import { MEMBER_FACTS, type MemberFact } from '../member-list.ts';
import type { MachineMembers } from '../objects/results.ts';
import { asked } from './action.tsx';
import { ChartHeader, type ChartHeaderProps } from './chart-header.tsx';
import { Questions } from './dialogs.tsx';
import { momentText } from './format.ts';
import { MemberForms, type MemberFormsProps } from './member-forms.tsx';
import { Name, Page } from './page.tsx';

interface MembersPageProps extends Omit<ChartHeaderProps, 'title'> {
  readonly list: Pick<MachineMembers, 'total' | 'members' | 'hasMore'>;
  /** What was asked for: only members of which this is true, and not the first page. */
  readonly is: MemberFact | undefined;
  readonly isContinued: boolean;
  /** Absent where the reader may not change the list. */
  readonly forms?: Pick<MemberFormsProps, 'text' | 'from' | 'problem'> | undefined;
  /** ms since the epoch */
  readonly now: number;
}

export function MembersPage(props: MembersPageProps) {
  const { name, path, list, forms, viewer, now } = props;
  const time = new Date(now).toISOString();
  return (
    <Page title={`Members · ${name}`} icon={{ sign: name, outcome: 'active' }}>
      <ChartHeader {...props} title={`Members of ${name}`}>
        <span class="soft">
          As of <time datetime={time}>{momentText(now)}</time>
        </span>
      </ChartHeader>
      <main data-by={viewer?.by ?? viewer?.sub}>
        <div class="halves uneven">
          <List {...props} />
          {forms === undefined ? null : (
            <MemberForms {...forms} name={name} path={path} total={list.total} origin={originText(name)} />
          )}
        </div>
        <output id="answer" aria-live="polite" />
        {forms === undefined ? null : <Questions />}
      </main>
    </Page>
  );
}

/** Whose list this is, and which machines begin with it. */
function originText(name: string): string {
  const { tenant, run } = parseObjectName(name);
  if (run !== undefined) return 'This run has a list of its own. It began with the list of its chart.';
  return tenant === undefined ? '' : 'A run that begins later begins with this list.';
}

function List({ name, path, list, is, isContinued, forms }: MembersPageProps) {
  const { total, members, hasMore } = list;
  const last = hasMore ? members.at(-1)?.name : undefined;
  return (
    <section aria-labelledby="members">
      <h2 id="members">{total === null ? 'No list of members' : counted(total)}</h2>
      {total === null ? <p>Without a list, everybody may report and claim.</p> : null}
      {total === 0 ? <p>The list is empty: nobody may report or claim.</p> : null}
      {total === null || total === 0 ? null : (
        <nav aria-label="Which members">
          {[undefined, ...MEMBER_FACTS].map((fact) => (
            <a href={hrefOf(path, fact)} aria-current={fact === is ? 'true' : undefined}>
              {fact ?? 'all'}
            </a>
          ))}
          {forms === undefined ? null : (
            <a href="#change" class="narrow">
              change the list
            </a>
          )}
        </nav>
      )}
      {members.length === 0 ? (
        is === undefined ? null : (
          <p>No member is {is}.</p>
        )
      ) : (
        <Table name={name} path={path} members={members} mayStrike={forms !== undefined} />
      )}
      {last === undefined ? null : (
        <p>
          <a class="go" href={hrefOf(path, is, last)}>
            More members
          </a>
        </p>
      )}
      {isContinued ? (
        <p>
          <a class="go" href={hrefOf(path, is)}>
            First members
          </a>
        </p>
      ) : null}
    </section>
  );
}

interface TableProps {
  readonly name: string;
  readonly path: string;
  readonly members: MachineMembers['members'];
  readonly mayStrike: boolean;
}

/** The members, each with a button that strikes it off. One form has all buttons. */
function Table({ path, members, mayStrike }: TableProps) {
  const table = (
    <table class="members">
      <thead>
        <tr>
          <th scope="col">Member</th>
          <th scope="col">Now</th>
          {mayStrike ? (
            <th scope="col">
              <span class="unseen">Strike off</span>
            </th>
          ) : null}
        </tr>
      </thead>
      <tbody>
        {members.map((member) => (
          <tr>
            <td>
              {member.name}
              <p class="soft small">
                {Object.entries(member.labels)
                  .map(([label, value]) => `${label}=${value}`)
                  .join(' ')}
              </p>
            </td>
            <td>
              <Name text={factsText(member)} />
            </td>
            {mayStrike ? (
              <td>
                <button
                  type="submit"
                  class="stop small"
                  name="strike"
                  value={member.name}
                  aria-label={`Strike off ${member.name}`}
                  {...asked({
                    title: `Strike ${member.name} off?`,
                    text: 'It is not waited for any more, and may not report or claim. A quorum that is met without it is taken at once. A slot that it holds stays taken until its lease ends.',
                    yes: 'Strike off',
                  })}
                >
                  Strike off…
                </button>
              </td>
            ) : null}
          </tr>
        ))}
      </tbody>
    </table>
  );
  if (!mayStrike) return table;
  return (
    <form method="post" action={`${path}/members`} data-named="">
      {table}
    </form>
  );
}

/** What a member is to the current states. */
function factsText({ expected, working, reported, missing }: MachineMembers['members'][number]): string {
  const facts = [
    ...(working.length === 0 ? [] : [`holds a slot of ${working.join(', ')}`]),
    ...(reported.length === 0 ? [] : [`reported to ${reported.join(', ')}`]),
    ...(missing.length === 0 ? [] : [`missing at ${missing.join(', ')}`]),
  ];
  if (facts.length > 0) return facts.join('; ');
  return expected.length === 0 ? 'not expected' : `expected at ${expected.join(', ')}`;
}

function hrefOf(path: string, is: MemberFact | undefined, after?: string): string {
  const query = new URLSearchParams({
    ...(is === undefined ? {} : { is }),
    ...(after === undefined ? {} : { after }),
  });
  return `${path}/members${query.size === 0 ? '' : `?${query}`}`;
}

function counted(total: number): string {
  return total === 1 ? '1 member' : `${total.toLocaleString('en')} members`;
}
