import type { Context } from 'hono';
import { type Refusal, refuse } from '../refusal.ts';

/**
 * Reads a body of UTF-8, up to a bound: what is longer is not read to its end.
 *
 * @param most bytes.
 */
export async function readText(
  c: Context,
  most: number,
): Promise<{ readonly ok: true; readonly value: string } | Refusal> {
  const tooLarge = refuse('too-large', `The body has more than ${most} bytes.`);
  if (Number(c.req.header('Content-Length') ?? 0) > most) return tooLarge;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.byteLength;
    if (size > most) return tooLarge;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  try {
    return { ok: true, value: new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes) };
  } catch {
    return refuse('wrong-parameter', 'The body is not UTF-8.');
  }
}
