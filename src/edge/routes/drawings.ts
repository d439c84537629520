import { deleted } from '../../objects/refusals.ts';
import { DIAGRAM_STYLE } from '../../view/style.ts';
import { TIMELINE_STYLE } from '../../view/timeline-svg.ts';
import { IDLE, IN } from '../parameters.ts';
import { mermaidOf, partOf, pictureOf } from '../pictures.ts';
import type { MachineResource } from '../resource.ts';
import { document, etag, problem } from '../responses.ts';
import { timelinePicture } from '../timelines.ts';

/** The chart as a drawing, with its current states highlighted. */
export const diagramSvg: MachineResource = {
  path: '/diagram.svg',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'diagram',
        summary: 'The chart as a drawing, with its current states highlighted.',
        parameters: [IN, IDLE],
        refusals: ['wrong-parameter'],
        answers: { 200: { says: 'SVG.', content: { 'image/svg+xml': 'text' }, headers: ['ETag'] } },
      },
      async answer(c, machine) {
        const asked = partOf(c);
        if (!asked.ok) return problem(asked);
        const view = await machine.read({ type: 'view' });
        if (!view.ok) return problem(view);
        const picture = await pictureOf(machine, view, asked.part);
        if (!picture.ok) return problem(picture);
        return document(picture.drawing.svg, 'image/svg+xml', {
          ETag: etag(view.revision),
          'Content-Security-Policy': await policy(DIAGRAM_STYLE),
          // Pages of other sites, such as a wiki, may show the drawing. Their scripts cannot read it.
          'Cross-Origin-Resource-Policy': 'cross-origin',
        });
      },
    },
  },
};

/** The chart as Mermaid text, with its current states marked. */
export const diagramMermaid: MachineResource = {
  path: '/diagram.mmd',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'diagramText',
        summary: 'The chart as Mermaid text, with its current states marked.',
        answers: {
          200: { says: '`stateDiagram-v2`.', content: { 'text/plain': 'text' }, headers: ['ETag'] },
        },
      },
      async answer(_, machine) {
        const view = await machine.read({ type: 'view' });
        if (!view.ok) return problem(view);
        const text = await mermaidOf(machine, view);
        if (text === undefined) return problem(deleted());
        return document(text, 'text/plain;charset=UTF-8', { ETag: etag(view.revision) });
      },
    },
  },
};

/** The visits of the machine's states over time. */
export const timelineSvg: MachineResource = {
  path: '/timeline.svg',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'timeline',
        summary: "The newest visits of the machine's states over time, as a drawing: one row a state.",
        answers: { 200: { says: 'SVG.', content: { 'image/svg+xml': 'text' }, headers: ['ETag'] } },
      },
      async answer(_, machine) {
        const picture = await timelinePicture(machine);
        if (!picture.ok) return problem(picture);
        return document(picture.svg, 'image/svg+xml', {
          ETag: etag(picture.revision),
          'Content-Security-Policy': await policy(TIMELINE_STYLE),
          'Cross-Origin-Resource-Policy': 'cross-origin',
        });
      },
    },
  },
};

/** A policy that allows the drawing's own style, by its hash (CSP 3, section 2.3.1), and nothing else. */
async function policy(style: string): Promise<string> {
  let hash = hashes.get(style);
  if (hash === undefined) {
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style));
    hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
    hashes.set(style, hash);
  }
  return `default-src 'none'; style-src 'sha256-${hash}'; frame-ancestors 'none'`;
}

/** The hashes of the two styles. */
const hashes = new Map<string, string>();
