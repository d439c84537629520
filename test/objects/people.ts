/** Links as people use them: they are made, opened, and their buttons are pressed. */
import { newChart } from '../charts.ts';
import { send } from '../service.ts';
import { put, resource } from './callers.ts';

/** Two people approve, or one rejects. */
export const APPROVAL = `
initial: build
states:
  build: {on: {update: waiting}}
  waiting: {on: {approve: {target: deploy, quorum: 2}, reject: rejected}}
  deploy: {on: {update: deployed, fail: build}}
  deployed: {type: final}
  rejected: {type: final}
`;

interface Said {
  readonly event?: string;
  readonly by?: string;
  readonly ttl?: string;
}

/** Asks for a link. */
export function make(address: string, state: string, { event = 'approve', by = 'anna', ttl }: Said = {}) {
  return send('POST', resource(address, 'links', { state, event, by, ttl }));
}

/** Makes a link. @returns its path. */
export async function linkTo(address: string, state: string, said: Said = {}): Promise<string> {
  const response = await make(address, state, said);
  if (response.status !== 201) throw new Error(`it was answered ${response.status}`);
  return response.headers.get('Location') ?? '';
}

/** A page: its status, heading and text. */
interface Read {
  readonly status: number;
  readonly title: string;
  readonly text: string;
  readonly hasButton: boolean;
}

async function read(response: Response): Promise<Read> {
  const html = await response.text();
  const text = (/<main>(.*)<\/main>/s.exec(html)?.[1] ?? '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/\s+/g, ' ');
  return {
    status: response.status,
    title: /<h1>(.*?)<\/h1>/s.exec(html)?.[1] ?? '',
    text: text.trim(),
    hasButton: /<form method="post".*<button type="submit"/s.test(html),
  };
}

/** Opens a link. */
export const show = async (link: string) => read(await send('GET', link));
/** Presses the button of a link. */
export const press = async (link: string) => read(await send('POST', link));

/** A machine in `waiting`. */
export async function waiting(): Promise<string> {
  const address = await newChart(APPROVAL);
  await put(address, 'build');
  return address;
}
