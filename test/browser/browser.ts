/** Opens pages in Chromium, and records their faults. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { CHROMIUM } from './executable.ts';

let browser: Browser | undefined;

/** A page and its faults. */
export interface Watched {
  readonly page: Page;
  /** Errors and warnings on the console, with violations of the policy; exceptions; requests to other origins. */
  readonly faults: string[];
}

/**
 * Opens a page in a browser context of its own, until the test ends: a page that is left open goes on with its work.
 *
 * @param reporter the stored name of the reporter; undefined for a browser that has none yet.
 */
export async function openPage(
  url: string,
  options: BrowserContextOptions = {},
  reporter: string | undefined = undefined,
): Promise<Watched> {
  browser ??= await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      // A name as on a private network: unlike 127.0.0.1 and localhost, its http:// is not trustworthy.
      '--host-resolver-rules=MAP state.test 127.0.0.1',
    ],
  });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  onTestFinished(() => context.close());
  if (reporter !== undefined) {
    await context.addInitScript((name) => localStorage.setItem('stateservice.name', name), reporter);
  }
  const page = await context.newPage();
  const faults: string[] = [];
  const { origin, host } = new URL(url);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:'))
      faults.push(request.url());
  });
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).host !== host) faults.push(socket.url());
  });
  page.on('dialog', (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  return { page, faults };
}

/** For `afterAll`. */
export async function closeBrowser(): Promise<void> {
  await browser?.close();
  browser = undefined;
}

/** Waits until the page watches its machine. */
export async function whenLive({ page }: Watched): Promise<void> {
  await page.locator('#connection[data-state="live"]').waitFor();
}

/** Presses a button of the open dialog, after the time in which the page ignores a second click. */
export async function answer(page: Page, button: string): Promise<void> {
  await page.waitForTimeout(SETTLE);
  await page.getByRole('dialog').getByRole('button', { name: button }).click();
}

/** A little longer than the page ignores clicks after a change, in ms. */
export const SETTLE = 750;

/** The drawing of a current state. */
export function current(page: Page, state: string) {
  return page.locator(`.state.current[data-state="${state}"]`);
}
