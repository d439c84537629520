/** The result of reading a chart, for tests of its text. */
import { type ChartIssue, readChart } from '../../src/chart/chart.ts';

/** The errors of a chart that must be refused. */
export function errorsOf(text: string): readonly ChartIssue[] {
  const reading = readChart(text);
  if (reading.ok) throw new Error('the chart was accepted');
  return reading.errors;
}

/** The warnings of a chart that must be accepted. */
export function warningsOf(text: string): readonly ChartIssue[] {
  const reading = readChart(text);
  if (!reading.ok) throw new Error(`the chart was refused: ${JSON.stringify(reading.errors)}`);
  return reading.warnings;
}

/** The positions of issues: line, column, path. */
export function placesOf(issues: readonly ChartIssue[]): [line: number, column: number, path: string][] {
  return issues.map(({ line, column, path }) => [line, column, path]);
}

/** The messages about the part at `path`. */
export function messageAt(issues: readonly ChartIssue[], path: string): string | undefined {
  return issues.find((issue) => issue.path === path)?.message;
}
