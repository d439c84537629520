import { etag, problem, replaced } from '../answers.ts';
import { CHART_BYTES } from '../chart/index.ts';
import { readText } from './body.ts';
import { caller, ifMatch } from './parameters.ts';
import type { MachineResource } from './resource.ts';

/** The chart that the machine runs by. */
export const chart: MachineResource = {
  path: '/chart',
  methods: {
    async GET(c, machine) {
      const answer = await machine.chart();
      if (!answer.ok) return problem(c, answer);
      // RFC 9512
      return c.body(answer.text, 200, { 'Content-Type': 'application/yaml', ETag: etag(answer.revision) });
    },

    async PUT(c, machine) {
      const by = caller(c);
      if (!by.ok) return problem(c, by);
      const revisions = ifMatch(c);
      if (!revisions.ok) return problem(c, revisions);
      const text = await readText(c, CHART_BYTES);
      if (!text.ok) return problem(c, text);
      const reset = c.req.query('reset') === 'true';
      const answer = await machine.upload(text.value, reset, by.value, revisions.value);
      if (!answer.ok) return problem(c, answer);
      const { ok: _, created, revision, ...body } = answer;
      return replaced(c, created, body, revision);
    },
  },
};
