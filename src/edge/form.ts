/** Forms of pages. Their fields come in the body, `application/x-www-form-urlencoded`. */
import type { Context } from 'hono';
import type { Parsed } from '../inputs.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { FORM_BYTES, FORM_FIELDS } from '../request-limits.ts';
import { readText } from './body.ts';
import type { AppEnv } from './env.ts';
import { queryOf } from './query.ts';

/** The fields of a form, decoded; of two with one name, the last. */
export type Form = Readonly<Record<string, string>>;

/** Reads a form of at most `FORM_BYTES`. A browser writes each line end of a text as CRLF (HTML, "constructing the form data set"). */
export async function readForm(c: Context): Promise<Parsed<Form>> {
  const body = await readText(c, FORM_BYTES);
  if (!body.ok) return body;
  if (body.value.split('&', FORM_FIELDS + 1).length > FORM_FIELDS)
    return refuse('wrong-parameter', `The form has more than ${FORM_FIELDS} fields.`);
  const fields = [...new URLSearchParams(body.value)];
  return {
    ok: true,
    value: Object.fromEntries(fields.map(([name, value]) => [name, value.replaceAll('\r\n', '\n')])),
  };
}

/** Reads a form in place of the query: its fields are the parameters, without those that are empty. */
export async function readFormAsQuery(c: Context<AppEnv>): Promise<Refusal | undefined> {
  const form = await readForm(c);
  if (!form.ok) return form;
  const filled = Object.entries(form.value).filter(([, value]) => value.trim() !== '');
  c.set('query', { ...queryOf(c), ...Object.fromEntries(filled) });
  return undefined;
}
