import type * as z from 'zod';
import type { Document } from './document.ts';
import type { IssueList, PathStep } from './issue.ts';

/**
 * Tells what a schema found wrong, where it stands in the text.
 *
 * @param base the path at which the schema was applied.
 */
export function reportShape(
  error: z.ZodError,
  document: Document,
  base: readonly PathStep[],
  issues: IssueList,
): void {
  for (const issue of error.issues) {
    const path = [...base, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
    const subject = subjectOf(path.at(-1));
    const message = document.has(path)
      ? `${subject} ${issue.message}.`
      : `${subject} is missing: it ${issue.message}.`;
    issues.error(document.locate(path), path, message);
  }
}

function subjectOf(step: PathStep | undefined): string {
  if (step === undefined) return 'A chart';
  return typeof step === 'number' ? `Item ${step + 1}` : `\`${step}\``;
}
