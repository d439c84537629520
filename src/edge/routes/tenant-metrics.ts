import { isLate } from '../../chart/deadline.ts';
import type { Summary } from '../../objects/results.ts';
import { listingOf } from '../../objects/telling.ts';
import { fits } from '../../view/tenant-page.tsx';
import { EXPOSITION, type Family, type Sample, writeFamilies } from '../exposition.ts';
import { LIST_PARAMETERS, listMachines, type ReadList, readMachines } from '../machine-list.ts';
import type { TenantResource } from '../resource.ts';
import { document, problem } from '../responses.ts';

/** The numbers of a page of a tenant's machines, of which each is called. Those of one machine: `metrics.ts`. */
export const tenantMetrics: TenantResource = {
  path: '/metrics',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'tenantMetrics',
        summary: 'Numbers for Prometheus: how many machines the tenant has, and the state of each of a page.',
        parameters: LIST_PARAMETERS,
        answers: {
          200: {
            says: 'Text, 0.0.4. If there are more machines, `Link` leads to the next page (RFC 8288).',
            content: { 'text/plain': 'text' },
            headers: ['Link'],
          },
        },
        refusals: ['wrong-parameter'],
      },
      async answer(c, name) {
        const asked = await listMachines(c, name);
        if (!asked.ok) return problem(asked);
        const read = await readMachines(c.env, name, asked);
        const { rows, after, now } = read;
        const shown = { ...read, rows: rows.filter((row) => fits(row, asked.list, now)) };
        return document(writeFamilies(familiesOf(name, shown)), EXPOSITION, linkTo(c.req.url, after));
      },
    },
  },
};

/** @returns the header that leads to the next page. */
function linkTo(url: string, after: string | undefined): { readonly Link?: string } {
  if (after === undefined) return {};
  const next = new URL(url);
  next.searchParams.set('after', after);
  return { Link: `<${next.pathname}${next.search}>; rel="next"` };
}

function familiesOf(tenant: string, { rows, counts, now }: ReadList): Family[] {
  const read = rows.flatMap(({ machine, summary }) =>
    summary === undefined ? [] : [{ machine, summary, outcome: listingOf(summary).outcome }],
  );
  type Read = (typeof read)[number];
  const perMachine = (value: (one: Read) => number | undefined) =>
    read.flatMap((one): Sample[] => {
      const found = value(one);
      return found === undefined ? [] : [[{ machine: one.machine }, found]];
    });
  const perCount = (value: (count: Summary['waiting'][number]) => number | null) =>
    read.flatMap(({ machine, summary: { waiting } }) =>
      waiting.flatMap((count): Sample[] => {
        const [{ state, event }, found] = [count, value(count)];
        return found === null ? [] : [[{ machine, state, event }, found]];
      }),
    );
  return [
    {
      name: 'machines',
      type: 'gauge',
      help: 'Machines of the tenant, on all pages.',
      samples: counts === undefined ? [] : [[{ tenant }, counts.machines]],
    },
    {
      name: 'machines_needing_attention',
      type: 'gauge',
      help: 'Of these, machines that are late, have failed or are paused.',
      samples:
        counts === undefined
          ? []
          : (['late', 'failed', 'paused'] as const).map((is) => [{ tenant, is }, counts[is]]),
    },
    {
      name: 'readable',
      type: 'gauge',
      help: 'Whether the machine has answered; if not, it has no other series.',
      samples: rows.map(({ machine, summary }) => [{ machine }, summary === undefined ? 0 : 1]),
    },
    {
      name: 'state',
      type: 'gauge',
      help: 'Whether the state is current: only states that are.',
      samples: read.flatMap(({ machine, summary: { states } }) =>
        states.map((state): Sample => [{ machine, state }, 1]),
      ),
    },
    {
      name: 'entered_seconds',
      type: 'gauge',
      help: 'Time since the newest current state was entered.',
      samples: perMachine(({ summary: { since } }) => since && (now - since) / 1_000),
    },
    {
      name: 'deadline_seconds',
      type: 'gauge',
      help: 'Time until a timer leads to failure.',
      samples: perMachine(({ summary: { deadline } }) => deadline && (deadline.at - now) / 1_000),
    },
    {
      name: 'late',
      type: 'gauge',
      help: 'Whether most of the time until then is over.',
      samples: perMachine(({ summary: { deadline } }) => deadline && Number(isLate(deadline, now))),
    },
    {
      name: 'done',
      type: 'gauge',
      help: 'Whether nothing more can happen.',
      samples: perMachine(({ summary }) => Number(summary.status === 'done')),
    },
    {
      name: 'failed',
      type: 'gauge',
      help: 'Whether it has ended in failure.',
      samples: perMachine(({ outcome }) => Number(outcome === 'failed')),
    },
    {
      name: 'paused',
      type: 'gauge',
      help: 'Whether the machine is paused.',
      samples: perMachine(({ summary: { isPaused = false } }) => Number(isPaused)),
    },
    {
      name: 'revision',
      type: 'gauge',
      help: 'Committed changes.',
      samples: perMachine(({ summary: { revision } }) => revision),
    },
    {
      name: 'quorum',
      type: 'gauge',
      help: 'Events that were counted in this visit of the state.',
      samples: perCount(({ have }) => have),
    },
    {
      name: 'quorum_needed',
      type: 'gauge',
      help: 'Events at which the state is left.',
      samples: perCount(({ need }) => need),
    },
  ];
}
