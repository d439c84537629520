import type { Context } from 'hono';
import * as z from 'zod/mini';
import { CHART_BYTES } from '../../chart-limits.ts';
import { uploadToRun } from '../../objects/refusals.ts';
import { fitsIn, type Refusal, refuse, statusOf } from '../../refusal.ts';
import { EditPage, FIRST_CHART } from '../../view/edit-page.tsx';
import { wantsPage } from '../browsers.tsx';
import { UPLOAD_REFUSALS } from '../contract/upload-refusals.ts';
import type { AppEnv } from '../env.ts';
import { type Form, readForm } from '../form.ts';
import { checkChart } from '../known-charts.ts';
import { BY, readSender } from '../parameters.ts';
import { pathOf, readerOf } from '../reader.ts';
import type { RemoteMachine } from '../remote-machine.ts';
import type { MachineResource } from '../resource.ts';
import { page, problem, respond } from '../responses.ts';
import { checkOf } from './chart-pages.tsx';

const PAGE = { 'text/html': 'text' } as const;

/** The form that edits or uploads a chart, for a browser. */
export const chartEdit: MachineResource = {
  path: '/chart/edit',
  methods: {
    GET: {
      right: 'admin',
      isFirst: true,
      contract: {
        id: 'editChart',
        summary: 'A form with the newest chart of the address, which checks and uploads it.',
        answers: { 200: { says: 'The page.', content: PAGE, headers: ['Vary'] } },
      },
      async answer(c, machine) {
        const { address, name } = machine;
        if (address.run !== undefined) return problem(uploadToRun(address));
        const absent = await checkChart(c.env, address, name);
        const sources = absent ?? (await machine.read({ type: 'sources' }));
        if (!sources.ok && sources.code !== 'no-chart') return problem(sources);
        if (!sources.ok) return show(c, machine, { text: FIRST_CHART, isNew: true, base: { from: '' } });
        const { own, newest, isUnderWay } = sources;
        const isNewer = own !== undefined && newest !== undefined && own.hash !== newest.hash;
        const text = (isNewer ? newest.text : (own?.text ?? newest?.text)) ?? '';
        const { check } = await checkOf(machine, { type: 'upload', text, reset: true });
        // Present values are those of one revision.
        const isOfRevision = !isNewer && own !== undefined && own.text !== own.beginning;
        const base = {
          from: newest?.hash ?? '',
          ...(isOfRevision ? { revision: String(sources.revision) } : {}),
        };
        return show(c, machine, { text, isUnderWay, check, base });
      },
    },

    POST: {
      right: 'admin',
      isFirst: true,
      contract: {
        id: 'uploadByForm',
        summary:
          'Uploads the chart of the form, or only checks it, and shows the form again with what is wrong.',
        parameters: [BY],
        body: {
          'application/x-www-form-urlencoded': z.object({
            text: z.string(),
            reset: z.optional(z.literal('true')),
            check: z.optional(z.literal('true')),
            from: z
              .optional(z.string())
              .check(z.describe('The hash of the newest chart when the form was opened.')),
            revision: z
              .optional(z.string())
              .check(z.describe('The revision of the present values in the text.')),
          }),
        },
        answers: {
          200: { says: 'The chart was only checked.', content: PAGE, headers: ['Vary'] },
          303: { says: 'It was uploaded.', headers: ['Location'] },
        },
        refusals: [...UPLOAD_REFUSALS, 'wrong-address'],
      },
      async answer(c, machine) {
        const sender = readSender(c);
        if (!sender.ok) return problem(sender);
        const form = await readForm(c);
        if (!form.ok) return problem(form);
        const { text = '', reset, check } = form.value;
        if (!fitsIn(CHART_BYTES, text)) return problem(TOO_LARGE);
        const revisions = revisionsIn(form.value);
        const command = {
          type: 'upload',
          text,
          reset: reset === 'true',
          ...revisions,
          ...sender.value,
        } as const;
        if (check === 'true') {
          const checked = await checkOf(machine, command);
          return show(c, machine, { ...typed(form.value), check: checked.check }, checked.status);
        }
        const outcome = (await checkNewest(machine, form.value)) ?? (await machine.execute(command));
        if (outcome.ok)
          return respond(null, 303, { Location: `${pathOf(machine.address, machine.name)}/chart` });
        return wantsPage(c) ? showRefused(c, machine, form.value, outcome) : problem(outcome);
      },
    },
  },
};

const TOO_LARGE = refuse('too-large', `The chart has more than ${CHART_BYTES} bytes.`);

/** The revision that the text is of, if it has present values. */
function revisionsIn({ revision = '' }: Form) {
  return /^\d{1,15}$/.test(revision) ? { revisions: [Number(revision)] } : {};
}

/** Refuses to replace a chart that another person has put there since the form was opened. */
async function checkNewest(machine: RemoteMachine, { from }: Form): Promise<Refusal | undefined> {
  if (from === undefined) return undefined;
  const sources = await machine.read({ type: 'sources' });
  if (!sources.ok && sources.code !== 'no-chart') return sources;
  const hash = (sources.ok && sources.newest?.hash) || '';
  return hash === from ? undefined : refuse('wrong-revision', REPLACED);
}

const REPLACED = 'Another chart was uploaded since this form was opened.';

/** Shows the form again, with what is wrong with it. */
function showRefused(
  c: Context<AppEnv>,
  machine: RemoteMachine,
  form: Form,
  { code, detail, errors = [] }: Refusal,
): Promise<Response> {
  const isUnderWay = code === 'mid-sequence';
  const said = code === 'wrong-revision' ? `${detail} ${STALE}` : detail;
  const why = isUnderWay ? UNDER_WAY : said;
  const shown = { ...typed(form), isUnderWay, check: { why, issues: errors } };
  return show(c, machine, shown, statusOf(code));
}

const UNDER_WAY =
  'The machine is in mid-sequence. Let it end, or tick the box to start over with this chart.';
const STALE = 'Nothing has changed. Open the form again in another window, and bring your changes there.';

function typed({ text = '', reset, from = '', revision }: Form) {
  const base = { from, ...(revision === undefined ? {} : { revision }) };
  return { text, isReset: reset === 'true', base };
}

interface Shown extends Pick<Parameters<typeof EditPage>[0], 'text' | 'base'> {
  readonly isNew?: boolean;
  readonly isUnderWay?: boolean;
  readonly isReset?: boolean;
  readonly check?: NonNullable<Parameters<typeof EditPage>[0]['check']>;
}

async function show(
  c: Context<AppEnv>,
  { address, name }: RemoteMachine,
  shown: Shown,
  status = 200,
): Promise<Response> {
  const markup = (
    <EditPage
      name={name}
      path={pathOf(address, name)}
      isNew={false}
      isUnderWay={false}
      isReset={false}
      {...shown}
      {...readerOf(c, address)}
    />
  );
  return page(String(markup), {}, status);
}
