import { deleted } from '../../objects/refusals.ts';
import { DIAGRAM_STYLE } from '../../view/style.ts';
import { mermaidOf, pictureOf } from '../pictures.ts';
import type { MachineResource } from '../resource.ts';
import { document, etag, problem } from '../responses.ts';

/** The chart as a drawing, with its current states highlighted. */
export const diagramSvg: MachineResource = {
  path: '/diagram.svg',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'diagram',
        summary: 'The chart as a drawing, with its current states highlighted.',
        answers: { 200: { says: 'SVG.', content: { 'image/svg+xml': 'text' }, headers: ['ETag'] } },
      },
      async answer(_, machine) {
        const view = await machine.read({ type: 'view' });
        if (!view.ok) return problem(view);
        const picture = await pictureOf(machine, view);
        if (picture === undefined) return problem(deleted());
        return document(picture.svg, 'image/svg+xml', {
          ETag: etag(view.revision),
          'Content-Security-Policy': await policy(),
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

/** A policy that allows the drawing's own style, by its hash (CSP 3, section 2.3.1), and nothing else. */
async function policy(): Promise<string> {
  digest ??= await crypto.subtle.digest('SHA-256', new TextEncoder().encode(DIAGRAM_STYLE));
  const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
  return `default-src 'none'; style-src 'sha256-${hash}'; frame-ancestors 'none'`;
}

let digest: ArrayBuffer | undefined;
