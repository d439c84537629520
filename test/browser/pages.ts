/** Servers for the tests in a browser. */
import { folderOf } from '../process/charts.ts';
import { type Server, startServer } from '../process/server.ts';

export const CHART = `
initial: canary
states:
  canary:
    on: {update: {target: fleet, quorum: 2}, fail: rollback}
    after: {2h: rollback}
  fleet: {slots: 2, on: {update: released}}
  released: {type: final}
  rollback: {type: final}
`;

export async function serve(files: Record<string, string> = { 'acme/canary.yaml': CHART }): Promise<Server> {
  return startServer({ charts: await folderOf(files) });
}

/** Sends a report that must be accepted. */
export async function put(server: Server, path: string): Promise<void> {
  const response = await fetch(`${server.url}${path}`, { method: 'PUT' });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
}
