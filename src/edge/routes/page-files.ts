import dialogs from '../../view/dialogs.client.js';
import drawing from '../../view/drawing.client.js';
import editor from '../../view/editor.client.js';
import forms from '../../view/forms.client.css';
import list from '../../view/list.client.js';
import media from '../../view/media.client.css';
import sheet from '../../view/page.client.css';
import script from '../../view/page.client.js';
import { iconSvg } from '../../view/page.tsx';
import patch from '../../view/patch.client.js';
import { TIMELINE_STYLE } from '../../view/timeline-svg.ts';
import type { ServiceResource } from '../resource.ts';
import { document } from '../responses.ts';

/** The script of the pages: its files, sent as one module to save requests. */
export const pageScript: ServiceResource = {
  path: '/page.js',
  contract: {
    id: 'pageScript',
    summary: 'The script of the pages.',
    answers: { 200: { says: 'JavaScript.', content: { 'text/javascript': 'text' } } },
  },
  answer: () =>
    document(
      [patch, dialogs, script, editor, list, drawing].join('\n'),
      'text/javascript;charset=UTF-8',
      SHORTLY,
    ),
};

/** The style of the pages and of the pictures in them: its files in this order. */
export const pageStyle: ServiceResource = {
  path: '/page.css',
  contract: {
    id: 'pageStyle',
    summary: 'The style of the pages.',
    answers: { 200: { says: 'CSS.', content: { 'text/css': 'text' } } },
  },
  answer: () =>
    document([sheet, forms, media, TIMELINE_STYLE, ''].join('\n'), 'text/css;charset=UTF-8', SHORTLY),
};

/** Short, so that a page and its script are of one version soon after a deploy. */
const SHORTLY = { 'Cache-Control': 'max-age=60' };

/** The icon of what has no page, such as a picture: pages have their own. */
export const favicon: ServiceResource = {
  path: '/favicon.ico',
  contract: {
    id: 'favicon',
    summary: 'The icon of the service.',
    answers: { 200: { says: 'SVG.', content: { 'image/svg+xml': 'text' } } },
  },
  answer: () =>
    document(iconSvg({ sign: 'S', outcome: 'active' }), 'image/svg+xml', {
      'Cache-Control': 'max-age=86400',
    }),
};
