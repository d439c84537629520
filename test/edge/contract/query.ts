import type { Contract } from '../../../src/edge/contract/contract.ts';

/** The query of a method of which everything is said that it takes: `?state=work&by=web-01`, or nothing. */
export function queryOf({ parameters = [] }: Contract, values: Readonly<Record<string, string>>): string {
  const said = parameters.flatMap(({ name, in: place }) => {
    const value = values[name];
    return place === 'query' && value !== undefined ? [[name, value]] : [];
  });
  return said.length === 0 ? '' : `?${new URLSearchParams(said)}`;
}
