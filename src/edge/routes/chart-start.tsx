import type { Context } from 'hono';
import * as z from 'zod/mini';
import { parseAddress } from '../../address.ts';
import { allows } from '../../grant.ts';
import type { NewestChart } from '../../objects/chart-results.ts';
import { invalidChart, noChart } from '../../objects/refusals.ts';
import { type Refusal, refuse, statusOf } from '../../refusal.ts';
import { fieldOf, StartPage } from '../../view/start-form.tsx';
import { wantsPage } from '../browsers.tsx';
import type { AppEnv } from '../env.ts';
import { type Form, readForm } from '../form.ts';
import { withSubject } from '../parameters.ts';
import { pathOf, readerOf } from '../reader.ts';
import { RemoteMachine } from '../remote-machine.ts';
import type { MachineResource } from '../resource.ts';
import { page, problem, respond } from '../responses.ts';

const PAGE = { 'text/html': 'text' } as const;

/** The form that starts a run of a chart, for a browser. */
export const chartStart: MachineResource = {
  path: '/chart/start',
  methods: {
    GET: {
      right: 'operate',
      contract: {
        id: 'startForm',
        summary: 'A form that starts a run of the chart with its inputs.',
        answers: { 200: { says: 'The page.', content: PAGE, headers: ['Vary'] } },
        refusals: ['wrong-address'],
      },
      async answer(c, machine) {
        const chart = await chartToStart(machine);
        return 'ok' in chart ? problem(chart) : show(c, machine, chart, {}, []);
      },
    },

    POST: {
      right: 'operate',
      contract: {
        id: 'startByForm',
        summary:
          'Starts a run as `POST {machine}@{run}/start` does, or shows the form again with what is wrong.',
        body: {
          'application/x-www-form-urlencoded': z.catchall(
            z.object({ run: z.string().check(z.describe('The name of the run.')) }),
            z.string().check(z.describe('The input `x` is the field `input.x`.')),
          ),
        },
        answers: { 303: { says: 'The run is under way with these inputs.', headers: ['Location'] } },
        refusals: [
          'wrong-parameter',
          'wrong-address',
          'wrong-inputs',
          'other-inputs',
          'too-large',
          'too-slow',
        ],
      },
      async answer(c, machine) {
        const form = await readForm(c);
        if (!form.ok) return problem(form);
        const chart = await chartToStart(machine);
        if ('ok' in chart) return problem(chart);
        const run = form.value.run?.trim() ?? '';
        const { tenant = '', chart: name } = machine.address;
        const parsed = parseAddress(tenant, `${name}@${run}`);
        if (!parsed.ok)
          return show(c, machine, chart, form.value, [{ input: 'run', message: parsed.detail }], 400);
        const target = new RemoteMachine(c.env, parsed.address);
        const grant = c.get('grant');
        if (grant !== undefined && !allows(grant, 'operate', parsed.address))
          return problem(
            refuse('forbidden', `The token of ${grant.sub} does not allow to operate ${target.name}.`),
          );
        const inputs = inputsOf(form.value, chart);
        const outcome = await target.execute({ type: 'start', inputs, ...withSubject(c) });
        if (outcome.ok) return respond(null, 303, { Location: pathOf(target.address, target.name) });
        if (!wantsPage(c)) return problem(outcome);
        return show(c, machine, chart, form.value, problemsOf(outcome), statusOf(outcome.code));
      },
    },
  },
};

/** Finds the chart with which a run begins. */
async function chartToStart(machine: RemoteMachine): Promise<NewestChart | Refusal> {
  const { address } = machine;
  if (address.tenant === undefined || address.run !== undefined)
    return refuse('wrong-address', 'Runs are of the chart of a tenant: /{tenant}/{chart}@{run}.');
  const sources = await machine.read({ type: 'sources' });
  if (!sources.ok) return sources;
  const { newest } = sources;
  if (newest === undefined) return noChart(address);
  return newest.errors.length > 0 ? invalidChart(address, newest.errors) : newest;
}

/** An empty field is no value, except for an input whose default is text. */
function inputsOf(form: Form, { inputs }: NewestChart) {
  return Object.fromEntries(
    inputs.flatMap(({ input, byDefault }) => {
      const value = form[fieldOf(input)];
      return value === undefined || (value === '' && typeof byDefault !== 'string') ? [] : [[input, value]];
    }),
  );
}

function problemsOf({ inputs = [], detail }: Refusal) {
  return inputs.length > 0 ? inputs : [{ input: '', message: detail }];
}

function show(
  c: Context<AppEnv>,
  { address, name }: RemoteMachine,
  { inputs }: NewestChart,
  values: Form,
  problems: Parameters<typeof StartPage>[0]['problems'],
  status = 200,
): Response {
  const markup = (
    <StartPage
      name={name}
      path={pathOf(address, name)}
      inputs={inputs}
      values={values}
      problems={problems}
      {...readerOf(c, address)}
    />
  );
  return page(String(markup), {}, status);
}
