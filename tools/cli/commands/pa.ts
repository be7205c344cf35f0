// `pa serve`: a Policy Authority and the operator's backend of its devices as services, configured by the environment as the
// published service is, until a signal ends them.

import { freshApiKey } from '../../../host-sim/http/bearer.ts';
import { OperatorBackend } from '../../../host-sim/operator-backend/server.ts';
import { SqliteStorage as OperatorStorage } from '../../../host-sim/operator-backend/sqlite-storage.ts';
import { PolicyAuthority } from '../../../host-sim/policy-authority/server.ts';
import { SqliteStorage as AuthorityStorage } from '../../../host-sim/policy-authority/sqlite-storage.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { SYSTEM_CLOCK } from '../../../host-sim/ports/system-clock.ts';
import { Database, DatabaseProblem } from '../../../host-sim/sqlite/database.ts';
import { FileInUse } from '../../../host-sim/sqlite/sole-use.ts';
import { type Io, systemReason, UsageError } from '../io.ts';
import { readEnvironment } from '../pa-environment.ts';
import { listening, logTo, portOption } from '../serving.ts';
import { signalled } from '../signals.ts';
import type { Register } from './index.ts';

/** How long requests that came in before the end are waited for, in milliseconds. */
const GRACE_MS = 5_000;

interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly operatorPort: number;
  readonly file?: string;
  readonly log?: boolean;
}

/** Adds `pa`. */
export const register: Register = (program, io) => {
  const pa = program.command('pa').description("A Policy Authority, and the operator's backend of its devices.");
  pa.command('serve')
    .description(
      'Serve the Policy Authority (policies, grants, revocations, Trust Bundles, API keys) and the backend that takes in ' +
        'receipts, until SIGINT or SIGTERM. Who it is comes from the environment: MPCP_POLICY_GRANT_SIGNING_PRIVATE_KEY_PEM, ' +
        'MPCP_POLICY_GRANT_SIGNING_KEY_ID, MPCP_ISSUER_DOMAIN, MPCP_REVOCATION_BASE_URL, MPCP_ADMIN_KEY, ' +
        'MPCP_TRUST_BUNDLE_SIGNING_PRIVATE_KEY_PEM, MPCP_TRUST_BUNDLE_SIGNING_KEY_ID.',
    )
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .addOption(portOption('--port <n>', "the authority's port, 0 for a free one", 3000))
    .addOption(portOption('--operator-port <n>', "the backend's port, 0 for a free one", 3001))
    .option('--file <database>', 'SQLite file that keeps everything; without it all ends with the process')
    .option('--log', 'events on stderr, one JSON object a line')
    .option('--json', 'the addresses as one JSON document on stdout')
    .addHelpText(
      'after',
      '\nExample: MPCP_POLICY_GRANT_SIGNING_PRIVATE_KEY_PEM="$(cat pa.pem)" MPCP_ISSUER_DOMAIN=pa.example \\\n' +
        '           mpcp-embedded pa serve --file authority.db',
    )
    .action((options: ServeOptions) => serve(options, io));
};

async function serve(options: ServeOptions, io: Io): Promise<void> {
  const { identity, revocationEndpoint, adminKey = freshApiKey(), adminKeyIsSet } = readEnvironment(process.env);
  const database = await opened(options.file);
  const shared = {
    clock: SYSTEM_CLOCK,
    adminKey,
    log: logTo(io, options.log === true),
  };
  const authority = new PolicyAuthority({
    ...shared,
    identity,
    storage: new AuthorityStorage(database),
    ...(revocationEndpoint === undefined ? {} : { revocationEndpoint }),
  });
  const operator = new OperatorBackend({
    ...shared,
    crypto: createNodeCrypto(),
    storage: new OperatorStorage(database),
  });
  try {
    const urls = {
      authority: await listening(authority, options.host, options.port, '--port'),
      operator: await listening(operator, options.host, options.operatorPort, '--operator-port'),
    };
    io.result(
      { ...urls, ...(adminKeyIsSet ? {} : { adminKey }) },
      `Policy Authority: ${urls.authority}\nOperator's backend: ${urls.operator}`,
    );
    if (!adminKeyIsSet)
      io.note(`MPCP_ADMIN_KEY is not set. The administrator's API key until this process ends: ${adminKey}`);
    io.note(`${await signalled()}: ends when what came in is answered`);
  } finally {
    await Promise.all([authority.close(GRACE_MS), operator.close(GRACE_MS)]);
    database.close();
  }
}

/** @throws UsageError that names the file and the reason */
async function opened(file: string | undefined): Promise<Database> {
  if (file === '') throw new UsageError('--file "": the file has no name');
  try {
    return await Database.open(file);
  } catch (error) {
    if (error instanceof DatabaseProblem || error instanceof FileInUse)
      throw new UsageError(`--file: ${error.message}`);
    throw new UsageError(`--file: cannot write ${file}: ${systemReason(error)}`);
  }
}
