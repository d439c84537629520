/** Between two looks at the parent, in ms. Node has no event for its end. */
const LOOK_EVERY = 250;

/**
 * Calls back once the process that started this one has ended. A `kill -9` of npm passes no signal on, and a server
 * that stays behind holds its port and its data.
 *
 * Only where npm or our launcher is the parent (each says so in the environment): they live as long as their command
 * does. A shell may end before what it has started, as under `nohup`.
 */
export function onParentEnd(env: NodeJS.ProcessEnv, end: () => void): void {
  if (env.npm_execpath === undefined && env.STATESERVICE_LAUNCHER === undefined) return;
  // An orphan is given to another parent: to init, or to the nearest subreaper.
  const parent = process.ppid;
  const looks = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(looks);
    end();
  }, LOOK_EVERY);
  looks.unref();
}
