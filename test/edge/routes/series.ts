/** Reads Prometheus' text format with a real parser. */
import parse from 'parse-prometheus-text-format';
import { expect } from 'vitest';

/** One series of a response. */
interface Series {
  /** Without the prefix `stateservice_`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** @returns every series; checks the type of the response, and that each family is explained. */
export async function readSeries(response: Response): Promise<Series[]> {
  expect(response.headers.get('Content-Type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return parse(await response.text()).flatMap(({ name, help, metrics }) => {
    expect(help).toMatch(/^[A-Z].*\.$/);
    return metrics.map(({ labels = {}, value }) => ({
      name: name.replace('stateservice_', ''),
      labels,
      value: Number(value),
    }));
  });
}

/** @returns a series as it is written, without the prefix and the quotes: `state{state=work}`. */
export function written({ name, labels }: Series): string {
  return `${name}{${Object.entries(labels).map(([label, said]) => `${label}=${said}`)}}`;
}
