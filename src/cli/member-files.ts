import type { Members } from '../chart/chart.ts';
import { readMemberList } from '../member-list.ts';
import { readBytesOf } from './chart-files.ts';
import { type Result, refuseLines, shown } from './result.ts';

/**
 * Reads a list of members, as `PUT …/members` takes it.
 *
 * @returns undefined without a file; a refusal with every error as `file:line: message`.
 */
export async function readMembersFile(file: string | undefined): Promise<Result<Members | undefined>> {
  if (file === undefined) return { ok: true, value: undefined };
  const bytes = await readBytesOf(file);
  if (!bytes.ok) return bytes;
  const read = readMemberList(new TextDecoder().decode(bytes.value));
  if (read.ok) return { ok: true, value: read.members };
  const { detail, errors = [] } = read;
  return refuseLines([detail, ...errors.map(({ line, message }) => `${shown(file)}:${line}: ${message}`)]);
}
