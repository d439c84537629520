import { document, etag, json, problem } from '../answers.ts';
import { CHART_BYTES } from '../chart/index.ts';
import { readText } from './body.ts';
import { caller, ifMatch, withSubject } from './parameters.ts';
import type { MachineResource } from './resource.ts';

/** The chart that the machine runs by. */
export const chart: MachineResource = {
  path: '/chart',
  methods: {
    GET: {
      right: 'read',
      async answer(_, machine) {
        const answer = await machine.chart();
        if (!answer.ok) return problem(answer);
        // RFC 9512
        return document(answer.text, 'application/yaml', { ETag: etag(answer.revision) });
      },
    },

    PUT: {
      right: 'admin',
      async answer(c, machine) {
        const by = caller(c);
        if (!by.ok) return problem(by);
        const revisions = ifMatch(c);
        if (!revisions.ok) return problem(revisions);
        const text = await readText(c, CHART_BYTES);
        if (!text.ok) return problem(text);
        const answer = await machine.upload(text.value, {
          reset: c.req.query('reset') === 'true',
          ...(by.value === undefined ? {} : { by: by.value }),
          ...(revisions.value === undefined ? {} : { revisions: revisions.value }),
          ...withSubject(c),
        });
        if (!answer.ok) return problem(answer);
        const { ok: _, created, revision, ...body } = answer;
        return json(body, { ETag: etag(revision) }, created ? 201 : 200);
      },
    },
  },
};
