import { CHART_ISSUES, SUGGESTION_CANDIDATES, SUGGESTION_LENGTH, SUGGESTIONS } from '../chart-limits.ts';
import { nearest } from './nearest.ts';

/** An error or a warning about a chart's text. Only errors refuse the chart. */
export interface ChartIssue {
  readonly severity: 'error' | 'warning';
  /** From 1. */
  readonly line: number;
  /** In UTF-16 code units, from 1. */
  readonly column: number;
  /** The path in the document, such as `states[2].target.name`; empty for the document itself. */
  readonly path: string;
  /** What is wrong and what would be right, one sentence each. */
  readonly message: string;
}

/** One step into a document: a mapping's key or a list's index. */
export type PathStep = string | number;

/** A position in the text. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Formats a path: `states[2].target.name`, `states["a b"].on`. */
function formatPath(path: readonly PathStep[]): string {
  return path.reduce<string>((text, part) => {
    // In a document's data, some keys have a NUL before them: see `document.ts`.
    const step = typeof part === 'string' && part.startsWith('\u0000') ? part.slice(1) : part;
    if (typeof step === 'number') return `${text}[${step}]`;
    if (!/^[A-Za-z_][\w-]*$/.test(step)) return `${text}[${JSON.stringify(step)}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

/** Collects the issues of one document, at most `CHART_ISSUES` of each severity. */
export class IssueList {
  readonly errors: ChartIssue[] = [];
  readonly warnings: ChartIssue[] = [];
  #suggestions = 0;

  error(at: Position, path: readonly PathStep[], message: string): void {
    this.#add(this.errors, 'error', at, path, message);
  }

  warn(at: Position, path: readonly PathStep[], message: string): void {
    this.#add(this.warnings, 'warning', at, path, message);
  }

  /** Sorts the issues by their position in the text. */
  sort(): void {
    const byPosition = (a: ChartIssue, b: ChartIssue) => a.line - b.line || a.column - b.column;
    this.errors.sort(byPosition);
    this.warnings.sort(byPosition);
  }

  /** Whether no more errors are reported, so that checking can stop. */
  get full(): boolean {
    return this.errors.length >= CHART_ISSUES;
  }

  /** Whether no more warnings are reported. */
  get warned(): boolean {
    return this.warnings.length >= CHART_ISSUES;
  }

  /**
   * @returns ` Did you mean …?` with the nearest of `candidates`; empty if none is near, and after the first
   *   `SUGGESTIONS` of a document.
   */
  didYouMean(word: string, candidates: readonly string[] | (() => readonly string[])): string {
    if (this.#suggestions++ >= SUGGESTIONS || word.length > SUGGESTION_LENGTH) return '';
    const all = typeof candidates === 'function' ? candidates() : candidates;
    const near = all.slice(0, SUGGESTION_CANDIDATES).filter((name) => name.length <= SUGGESTION_LENGTH);
    const best = nearest(word, near);
    return best === undefined ? '' : ` Did you mean ${quote(best)}?`;
  }

  #add(
    list: ChartIssue[],
    severity: ChartIssue['severity'],
    { line, column }: Position,
    path: readonly PathStep[],
    message: string,
  ): void {
    if (list.length >= CHART_ISSUES) return;
    list.push({ severity, line, column, path: formatPath(path), message });
  }
}

/** @returns a name for use inside a sentence: in quotes, escaped, at most a line long. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name);
}
