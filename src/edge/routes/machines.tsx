import * as z from 'zod/mini';
import { isLate } from '../../chart/deadline.ts';
import { fits, type Row, TenantPage } from '../../view/tenant-page.tsx';
import { wantsPage } from '../browsers.tsx';
import type { Parameter } from '../contract/contract.ts';
import { MachinesShape } from '../contract/document-shapes.ts';
import { LIST_PARAMETERS, listMachines, readMachines } from '../machine-list.ts';
import type { TenantResource } from '../resource.ts';
import { json, page, problem, respond } from '../responses.ts';
import { isInSession } from '../session-cookie.ts';

const SEEN = {
  name: 'If-None-Match',
  in: 'header',
  says: 'Of a page for a browser: the `ETag` that it has.',
  shape: z.string(),
  read: (c) => ({ ok: true as const, value: c.req.header('If-None-Match') }),
} satisfies Parameter<string | undefined>;

/** The machines of a tenant that the request may read. */
export const tenant: TenantResource = {
  path: '',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'machines',
        summary: "A tenant's machines that the caller may read, and the state of each.",
        parameters: [...LIST_PARAMETERS, SEEN],
        answers: {
          200: {
            says: 'A page of machines. The `ETag` of one for a browser is weak: it stands for the states of its machines, and not for their counts.',
            content: { 'application/json': MachinesShape, 'text/html': 'text' },
            headers: ['ETag', 'Vary'],
          },
          304: { says: 'The page for a browser has the tag in `If-None-Match`.', headers: ['ETag', 'Vary'] },
        },
        refusals: ['wrong-parameter'],
      },
      async answer(c, name) {
        const asked = await listMachines(c, name);
        if (!asked.ok) return problem(asked);
        const { list, listed } = asked;
        const isPage = wantsPage(c);
        const tagged = isPage && listed.tag !== undefined ? { ETag: `W/"${listed.tag}"` } : {};
        const headers = { ...tagged, Vary: 'Accept' };
        // No machine is called for it: an open page asks every few seconds.
        if (tagged.ETag !== undefined && tagged.ETag === SEEN.read(c).value)
          return respond(null, 304, headers);
        const { rows, now, ...rest } = await readMachines(c.env, name, asked);
        if (isPage) {
          const grant = c.get('grant');
          const viewer =
            grant === undefined ? {} : { viewer: grant.sub, isInSession: isInSession(c.req.raw) };
          const props = { tenant: name, rows, list, ...rest, ...viewer, now };
          return page(String(<TenantPage {...props} />), headers);
        }
        const machines = rows.filter((row) => fits(row, list, now)).map((row) => entryOf(row, now));
        const { counts, after } = rest;
        return json({ tenant: name, counts, machines, after }, headers);
      },
    },
  },
};

function entryOf({ machine, summary }: Row, now: number) {
  if (summary === undefined) return { machine, status: 'unknown' };
  const { ok: _, changedAt, since, tags = [], isPaused = false, deadline, ...facts } = summary;
  const conditions = { paused: isPaused, late: deadline !== undefined && isLate(deadline, now) };
  const times = { changed: timeOf(changedAt), ...(since === undefined ? {} : { since: timeOf(since) }) };
  return { machine, ...facts, tags, ...conditions, ...times };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
