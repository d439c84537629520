import { CHART_BYTES } from '../../chart-limits.ts';
import type { WrittenChart } from '../../objects/chart-results.ts';
import type { Refusal } from '../../refusal.ts';
import { readText } from '../body.ts';
import { wantsPage } from '../browsers.tsx';
import { ANY_TYPE } from '../contract/contract.ts';
import { UploadedShape } from '../contract/document-shapes.ts';
import { UPLOAD_REFUSALS } from '../contract/upload-refusals.ts';
import { BY, flag, IF_MATCH, readConditions } from '../parameters.ts';
import type { RemoteMachine } from '../remote-machine.ts';
import type { MachineResource } from '../resource.ts';
import { document, etag, json, problem } from '../responses.ts';
import { showChart, showCheck } from './chart-pages.tsx';

const RESET = flag('reset', 'Whether a machine in mid-sequence starts over.');
const DRY_RUN = flag(
  'dry_run',
  'Whether only to check the chart, and to answer as the upload would be answered.',
);

const RAW = flag('raw', 'Whether also a browser gets the text.');

const TAKEN = {
  content: { 'application/json': UploadedShape, 'text/html': 'text' },
  headers: ['ETag', 'Vary'],
} as const;

/** Reads the chart that a machine runs; of one whose inputs must be given, the chart with which it is to begin. */
async function textOf(machine: RemoteMachine): Promise<WrittenChart | Refusal> {
  const answer = await machine.read({ type: 'chart' });
  if (answer.ok || answer.code !== 'needs-inputs') return answer;
  const sources = await machine.read({ type: 'sources' });
  if (!sources.ok) return sources;
  // It may have begun meanwhile.
  const { own, newest, revision } = sources;
  const chart = own ?? newest;
  return chart === undefined ? answer : { ok: true, text: chart.text, revision };
}

/** The chart that the machine runs. */
export const chart: MachineResource = {
  path: '/chart',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'chart',
        summary:
          'The chart that the machine runs; a sequence with its present values. For a browser, a page with its drawing, and with a newer chart as a difference.',
        parameters: [RAW],
        answers: {
          200: {
            says: 'YAML.',
            content: { 'application/yaml': 'text', 'text/html': 'text' },
            headers: ['ETag', 'Vary'],
          },
        },
      },
      async answer(c, machine) {
        const raw = RAW.read(c);
        if (!raw.ok) return problem(raw);
        if (!raw.value && wantsPage(c)) return showChart(c, machine);
        const answer = await textOf(machine);
        if (!answer.ok) return problem(answer);
        // RFC 9512
        return document(answer.text, 'application/yaml', { ETag: etag(answer.revision), Vary: 'Accept' });
      },
    },

    PUT: {
      right: 'admin',
      isFirst: true,
      contract: {
        id: 'upload',
        summary:
          'Puts a chart at the address. A dry run for a browser is a page with the issues and the drawing.',
        parameters: [BY, RESET, DRY_RUN, IF_MATCH],
        body: { 'application/yaml': 'text', ...ANY_TYPE },
        answers: {
          200: { ...TAKEN, says: 'The machine runs it; with `dry_run`, it would.' },
          201: { ...TAKEN, says: 'There was no machine; one has begun with it.' },
        },
        refusals: UPLOAD_REFUSALS,
      },
      async answer(c, machine) {
        const conditions = readConditions(c);
        if (!conditions.ok) return problem(conditions);
        const [reset, dryRun] = [RESET.read(c), DRY_RUN.read(c)];
        if (!reset.ok) return problem(reset);
        if (!dryRun.ok) return problem(dryRun);
        const text = await readText(c, CHART_BYTES);
        if (!text.ok) return problem(text);
        const command = {
          type: 'upload',
          text: text.value,
          reset: reset.value,
          ...conditions.value,
        } as const;
        const isDryRun = dryRun.value;
        if (isDryRun && wantsPage(c)) return showCheck(machine, command);
        const outcome = isDryRun
          ? await machine.read({ type: 'dry-run', upload: command })
          : await machine.execute(command);
        if (!outcome.ok) return problem(outcome);
        const { ok: _, created, revision, ...body } = outcome;
        const headers = { ETag: etag(revision), Vary: 'Accept' };
        return json(body, headers, created && !isDryRun ? 201 : 200);
      },
    },
  },
};
