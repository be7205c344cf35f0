// `gateway serve`: a transparent gateway as a service, for agents that pay devices through it. Nothing is settled: what stands for
// a transaction is a number that it makes up.

import { ConfigurationError } from '../../../core/configuration.ts';
import { GatewayServer, type GatewayServerOptions } from '../../../host-sim/gateway/server.ts';
import { freshApiKey } from '../../../host-sim/http/bearer.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { SYSTEM_CLOCK } from '../../../host-sim/ports/system-clock.ts';
import { xrplAddressProblem } from '../../issue/addresses.ts';
import { type Io, UsageError } from '../io.ts';
import { readPrivateKeyFile, readPublicHalf } from '../key-file.ts';
import { collected, pairValue } from '../option-values.ts';
import { adminKeyIn } from '../pa-environment.ts';
import { listening, logTo, portOption } from '../serving.ts';
import { signalled } from '../signals.ts';
import type { Register } from './index.ts';

/** How long requests that came in before the end are waited for, in milliseconds: some have paid already. */
const GRACE_MS = 5_000;

interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly issuer: string;
  readonly address: string;
  readonly grantKey: string;
  readonly sbaKey: string;
  readonly receiptKey: string;
  readonly owner?: readonly (readonly [string, string])[];
}

/** Adds `gateway`. */
export const register: Register = (program, io) => {
  const gateway = program.command('gateway').description('A transparent gateway, through which agents pay devices.');
  gateway
    .command('serve')
    .description(
      'Serve sessions and the proxy of a transparent gateway until SIGINT or SIGTERM. It pays in XRP and settles nothing. ' +
        'Sessions are in memory. MPCP_GATEWAY_API_KEY is the key by which they are opened; without it one is made.',
    )
    .requiredOption('--issuer <issuer>', 'who issues its grants and signs its SBAs, as sites list it')
    .requiredOption('--address <address>', 'its XRPL account: authorizedGateway of its grants')
    .requiredOption('--grant-key <file>', 'private key that grants are signed with')
    .requiredOption('--sba-key <file>', 'private key that SBAs are signed with')
    .requiredOption('--receipt-key <file>', 'private key that receipts are signed with')
    .option('--owner <issuer=file>', 'whose grants it takes, and their public key (repeatable)', collected(pairValue))
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .addOption(portOption('--port <n>', 'the port, 0 for a free one', 3002))
    .option('--json', 'the address as one JSON document on stdout')
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded gateway serve --issuer gw.example --address rha59r5myHXTZLzdpf63TQmHi5LBna8Nsg \\\n' +
        '           --grant-key gw-grants.jwk --sba-key gw-sba.jwk --receipt-key gw-receipts.jwk',
    )
    .action((options: ServeOptions) => serve(options, io));
};

async function serve(options: ServeOptions, io: Io): Promise<void> {
  const { issuer, address, host, port, owner = [] } = options;
  if (issuer === '') throw new UsageError('--issuer is empty');
  const problem = xrplAddressProblem(address);
  if (problem !== undefined) throw new UsageError(`--address: ${problem}`);
  const keys = {
    grantKey: readPrivateKeyFile(options.grantKey, undefined, '--grant-key'),
    sbaKey: readPrivateKeyFile(options.sbaKey, undefined, '--sba-key'),
    receiptKey: readPrivateKeyFile(options.receiptKey, undefined, '--receipt-key'),
  };
  // A device tells the keys of one issuer by their kids: whoever has the key of SBAs must not make grants with it.
  if (new Set(Object.values(keys).map(({ kid }) => kid)).size < 3)
    throw new UsageError('--grant-key, --sba-key and --receipt-key have one kid in common: each needs its own');
  const owners = owner.map(([name, file]) => ({ issuer: name, key: readPublicHalf(file, '--owner') }));
  const told = adminKeyIn(process.env, 'MPCP_GATEWAY_API_KEY');
  const apiKey = told ?? freshApiKey();
  let settled = 0;
  const server = opened({
    ...keys,
    issuer,
    address,
    owners,
    apiKey,
    settle: async () => `simulated-${++settled}`,
    clock: SYSTEM_CLOCK,
    crypto: createNodeCrypto(),
    log: logTo(io, false),
  });
  try {
    const url = await listening(server, host, port, '--port');
    io.result({ gateway: url, ...(told === undefined ? { apiKey } : {}) }, `Gateway: ${url}`);
    if (told === undefined)
      io.note(`MPCP_GATEWAY_API_KEY is not set. The API key of sessions until this process ends: ${apiKey}`);
    io.note(`${await signalled()}: ends when what came in is answered`);
  } finally {
    await server.close(GRACE_MS);
  }
}

/** @throws UsageError for owners that cannot be told apart */
function opened(options: GatewayServerOptions): GatewayServer {
  try {
    return new GatewayServer(options);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new UsageError(`--owner: ${error.message}`);
    throw error;
  }
}
