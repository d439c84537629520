/** Prometheus' text format, 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */

export const EXPOSITION = 'text/plain; version=0.0.4; charset=utf-8';

/** One series: its labels, and its value. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

export interface Family {
  /** Without the prefix `stateservice_`. */
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: readonly Sample[];
}

/**
 * Writes families; one without samples is left out.
 *
 * @param common labels that each series has before its own.
 */
export function writeFamilies(families: readonly Family[], common: Sample[0] = {}): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type, help, samples }) => {
      const lines = samples.map(
        ([labels, value]) => `stateservice_${name}${labelText({ ...common, ...labels })} ${value}`,
      );
      return `# HELP stateservice_${name} ${help}\n# TYPE stateservice_${name} ${type}\n${lines.join('\n')}\n`;
    })
    .join('');
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
