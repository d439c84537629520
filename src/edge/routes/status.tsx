import type { Context } from 'hono';
import type { Grant } from '../../grant.ts';
import { EmptyRoot, Intro } from '../../view/intro.tsx';
import { MachinePage } from '../../view/machine-page.tsx';
import { wantsPage } from '../browsers.tsx';
import { StatusShape } from '../contract/document-shapes.ts';
import type { AppEnv } from '../env.ts';
import { AFTER, IDLE, IF_NONE_MATCH, IN, WAIT, withSubject } from '../parameters.ts';
import { partOf, pictureOf } from '../pictures.ts';
import { pathOf, readerOf } from '../reader.ts';
import type { RemoteMachine } from '../remote-machine.ts';
import type { MachineResource } from '../resource.ts';
import { done, etag, json, page, problem, respond } from '../responses.ts';
import { waitWithin } from '../wait-budget.ts';

/** The machine itself: its status document, its page, and its deletion. */
export const machine: MachineResource = {
  path: '',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'status',
        summary: 'The status document; for a browser, the page of the machine.',
        parameters: [AFTER, IF_NONE_MATCH, WAIT, IN, IDLE],
        answers: {
          200: {
            says: 'The status document.',
            content: { 'application/json': StatusShape, 'text/html': 'text' },
            headers: ['ETag', 'Vary'],
          },
          304: { says: 'The revision is the one in `If-None-Match`.', headers: ['ETag', 'Vary'] },
        },
        refusals: ['wrong-parameter', 'too-many-waiting'],
      },
      async answer(c, machine) {
        const after = AFTER.read(c);
        if (!after.ok) return problem(after);
        const from = after.value === undefined ? {} : { after: after.value };
        if (wantsPage(c)) return showPage(c, machine, from);
        const ms = WAIT.read(c);
        if (!ms.ok) return problem(ms);
        const known = IF_NONE_MATCH.read(c).value;
        const query = { type: 'status', known, wait: ms.value, ...from } as const;
        const answer = await waitWithin(c.env, machine.name, ms.value, () => machine.read(query));
        if (!answer.ok) return problem(answer);
        const headers = { ETag: etag(answer.revision), Vary: 'Accept' };
        if (answer.unchanged) return respond(null, 304, headers);
        return json(answer.status, headers);
      },
    },

    DELETE: {
      right: 'admin',
      contract: {
        id: 'erase',
        summary: 'Erases the machine, as if its address had never been used.',
        answers: { 204: { says: 'It is erased.' } },
      },
      async answer(c, machine) {
        const outcome = await machine.execute({ type: 'erase', ...withSubject(c) });
        return outcome.ok ? done() : problem(outcome);
      },
    },
  },
};

async function showPage(
  c: Context<AppEnv>,
  machine: RemoteMachine,
  from: { readonly after?: number },
): Promise<Response> {
  const { address, name } = machine;
  const isRoot = address.tenant === undefined && address.run === undefined;
  const { origin } = new URL(c.req.url);
  const view = await machine.read({ type: 'view', ...from });
  if (!view.ok) {
    if (isRoot && view.code === 'no-chart')
      return page(
        String(
          <EmptyRoot
            origin={origin}
            tenants={tenantsOf(c.get('grant'))}
            why={view.detail}
            mayUpload={readerOf(c, address).rights.admin}
          />,
        ),
      );
    return problem(view);
  }
  const asked = partOf(c);
  if (!asked.ok) return problem(asked);
  const picture = await pictureOf(machine, view, asked.part, 'own page');
  if (!picture.ok) return problem(picture);
  const [state = ''] = view.takes.flatMap(({ state, events }) => (events.length > 0 ? [state] : []));
  const markup = (
    <MachinePage
      name={name}
      path={pathOf(address, name)}
      origin={origin}
      view={view}
      picture={picture.drawing}
      states={picture.states}
      {...readerOf(c, address)}
      intro={
        isRoot ? (
          <Intro origin={origin} state={state || 'NAME'} tenants={tenantsOf(c.get('grant'))} />
        ) : undefined
      }
      now={Date.now()}
    />
  );
  return page(String(markup), { ETag: etag(view.revision) });
}

/** @returns the tenants that a token names in full; undefined where no token is needed. */
function tenantsOf(grant: Grant | undefined): readonly string[] | undefined {
  const named = grant?.charts.flatMap((glob) => /^([^*/]+)\//.exec(glob)?.[1] ?? []);
  return named && [...new Set(named)];
}
