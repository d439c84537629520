/** The peers: suites, clients and servers of others that `npm run test:peers` runs beside the service. */

export interface Peer {
  readonly name: string;
  /** What it says of the service. */
  readonly for: string;
  /** Where it comes from. */
  readonly from: NpmPackage | DebianPackages | DevDependency;
  /** The test files, from the root of the package. Some belong to the gate as well. */
  readonly files: readonly string[];
}

/** Fetched for the run, at a pinned version, so that the package itself needs no dependency for it. */
interface NpmPackage {
  readonly npm: string;
}
/** Found on this machine or not: nothing is installed for the run. The first one gives the version. */
interface DebianPackages {
  readonly debian: readonly string[];
}
/** Installed by `npm ci`. */
interface DevDependency {
  readonly dependency: string;
}

export const PEERS = {
  prism: {
    name: 'Prism',
    for: 'every request and response fits OpenAPI',
    from: { npm: '@stoplight/prism-cli@5.16.0' },
    files: ['test/peers/prism/calls.test.ts', 'test/peers/prism/documentation.test.ts'],
  },
  qt: {
    name: 'Qt SCXML',
    for: 'random charts have the same states active',
    from: { debian: ['qt6-scxml-dev', 'g++', 'pkg-config'] },
    files: ['test/peers/qt/random.test.ts'],
  },
  scion: {
    name: 'SCION test framework',
    for: 'its charts of SCXML, over HTTP',
    from: { npm: '@scion-scxml/test-framework@2.0.16' },
    files: ['test/peers/scion/suite.test.ts'],
  },
  promtool: {
    name: 'promtool, Prometheus',
    for: 'metrics without a finding, the rules, a scrape',
    from: { debian: ['prometheus'] },
    files: ['test/peers/promtool.test.ts', 'test/process/recipes/prometheus.test.ts'],
  },
  alertmanager: {
    name: 'Alertmanager',
    for: 'a firing alert reports',
    from: { debian: ['prometheus-alertmanager'] },
    files: ['test/process/recipes/alertmanager.test.ts'],
  },
  standardwebhooks: {
    name: 'standardwebhooks',
    for: 'the signatures of notifications',
    from: { dependency: 'standardwebhooks' },
    files: ['test/process/notifications.test.ts'],
  },
  oauth2: {
    name: 'oauth2-mock-server',
    for: 'the tokens of an issuer',
    from: { dependency: 'oauth2-mock-server' },
    files: ['test/process/oidc/oidc.test.ts'],
  },
} as const satisfies Readonly<Record<string, Peer>>;

export type PeerName = keyof typeof PEERS;

/** Peers that no package has, so that they are not run. */
export const NOT_PACKAGED: readonly { readonly name: string; readonly why: string }[] = [
  {
    name: 'Flatcar’s FleetLock client',
    why: 'source in Go (github.com/flatcar/fleetlock): neither Debian nor npm has it',
  },
  {
    name: 'airlock, a FleetLock server',
    why: 'source in Go (github.com/coreos/airlock): neither Debian nor npm has it',
  },
  {
    name: 'Zincati, a FleetLock client',
    why: 'in Fedora CoreOS only; test/process/recipes/zincati.test.ts sends its requests',
  },
];
