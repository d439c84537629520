import type * as z from 'zod/mini';
import { type Document, keyText } from './document.ts';
import { type IssueList, type PathStep, quote } from './issue.ts';
import { STATECHART_KEYS } from './statechart/statechart-shape.ts';

/**
 * Reports what a schema found wrong, with positions in the text.
 *
 * @param base the path at which the schema was applied.
 */
export function reportShape(
  error: z.core.$ZodError,
  document: Document,
  base: readonly PathStep[],
  issues: IssueList,
): void {
  for (const issue of error.issues) {
    if (issues.full) return;
    reportIssue(issue, document, base, issues);
  }
}

type Issue = z.core.$ZodIssue;

function reportIssue(issue: Issue, document: Document, base: readonly PathStep[], issues: IssueList): void {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      reportKey([...path, key], document, issues);
      if (path.includes(MERGE)) return;
    }
    return;
  }
  const meant = issue.code === 'invalid_union' ? meantBranch(issue) : undefined;
  if (meant !== undefined) {
    for (const inner of meant) reportIssue(inner, document, path, issues);
    return;
  }
  const subject = subjectOf(path.at(-1));
  const message = document.has(path)
    ? `${subject} ${issue.message}.`
    : `${subject} is missing: it ${issue.message}.`;
  issues.error(document.locate(path), path, message);
}

/** The message for an unknown key. XState's keys for code, and the merge key of YAML 1.1, have messages of their own. */
function reportKey(path: readonly PathStep[], document: Document, issues: IssueList): void {
  const merge = path.slice(0, path.indexOf(MERGE) + 1);
  if (merge.length > 0) {
    issues.error(document.locate(merge, 'key'), merge, MERGES_NOTHING);
    return;
  }
  const key = keyText(String(path.at(-1)));
  const message = CODE.has(key)
    ? `\`${key}\` is code, and a chart is data: it cannot run code.`
    : `${quote(key)} is not a key that is known here.`;
  // Any word is two letters away from `on` and `at`.
  const near = STATECHART_KEYS.filter((known) => known.length > 2 || key.length <= 3);
  // The name of `guard` in XState 4.
  const meant = key === 'cond' ? 'guard' : key;
  const hint = STATECHART_KEYS.includes(key) ? '' : issues.didYouMean(meant, near);
  issues.error(document.locate(path, 'key'), path, `${message}${hint}`);
}

/** https://yaml.org/type/merge.html */
export const MERGE = '<<';
export const MERGES_NOTHING = '`<<` does not merge in YAML 1.2. Write the keys out.';

const CODE: ReadonlySet<string> = new Set(['activities', 'actors', 'invoke', 'onError', 'services', 'spawn']);

/**
 * Finds the alternative of a union that the author meant: the only one of the right kind (a mapping, a list, text), so
 * that the errors lie inside it. Among mappings it is the one with the keys that the document has.
 */
function meantBranch(issue: Extract<Issue, { code: 'invalid_union' }>): readonly Issue[] | undefined {
  const inside = issue.errors.filter(
    (branch) =>
      branch.length > 0 && branch.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
  );
  const known = inside.filter((branch) =>
    branch.every(({ code, path }) => code !== 'unrecognized_keys' || path.length > 0),
  );
  const candidates = known.length > 0 ? known : inside;
  return candidates.length === 1 ? candidates[0] : undefined;
}

function subjectOf(step: PathStep | undefined): string {
  if (step === undefined) return 'A chart';
  return typeof step === 'number' ? `Item ${step + 1}` : `\`${keyText(step)}\``;
}
