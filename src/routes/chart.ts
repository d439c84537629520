import { etag, problem } from '../answers.ts';
import type { MachineResource } from './resource.ts';

/** The chart that the machine runs by, with its present values. */
export const chart: MachineResource = {
  path: '/chart',
  methods: {
    async GET(c, machine) {
      const answer = await machine.chart();
      if (!answer.ok) return problem(c, answer);
      // RFC 9512
      return c.body(answer.text, 200, { 'Content-Type': 'application/yaml', ETag: etag(answer.revision) });
    },
  },
};
