// The HTTP routes of an operator's backend: devices hand in, the operator reads.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { JsonObject } from '../../core/json/value.ts';
import { closed } from '../http/schema-problem.ts';
import type { ApiKeys } from './api-keys.ts';
import type { Backend, Batch } from './backend.ts';

/** Receipts of one batch, and of one answer to the operator. */
export const BATCH_RECEIPTS = 256;
/** Characters of a device's id. */
export const DEVICE_ID_CHARACTERS = 128;

const device = {
  type: 'object',
  required: ['deviceId'],
  properties: { deviceId: { type: 'string', pattern: '^[A-Za-z0-9._:-]+$', maxLength: DEVICE_ID_CHARACTERS } },
};
/** What a receipt is, the core's reader says. */
const batch = closed(
  { format: { type: 'integer' }, receipts: { type: 'array', minItems: 1, maxItems: BATCH_RECEIPTS } },
  ['format', 'receipts'],
);
const number = { type: 'string', pattern: '^[0-9]{1,10}$' };
/** At least one: pages of none would go on for ever. */
const most = { type: 'string', pattern: '^[1-9][0-9]{0,9}$' };
const page = closed({ after: number, most, chain: number }, []);
const one = closed({ chain: number }, []);
const beginning = closed({ reason: { type: 'string', minLength: 1, maxLength: 256 } }, ['reason']);
const naming = closed({ keyId: { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,128}$' } }, ['keyId']);

interface Device {
  readonly deviceId: string;
}

/** Adds the routes to a server. */
export function addRoutes(server: FastifyInstance, backend: Backend, apiKeys: ApiKeys): void {
  const operator = ({ headers }: FastifyRequest) => apiKeys.requireOperator(headers.authorization);
  const administrator = ({ headers }: FastifyRequest) => apiKeys.requireAdministrator(headers.authorization);
  const holder = ({ headers, params }: FastifyRequest<{ Params: Device }>) =>
    apiKeys.requireDevice(headers.authorization, params.deviceId);
  const itself = {
    onRequest: async (request: FastifyRequest<{ Params: Device }>) => {
      await holder(request);
      await backend.seen(request.params.deviceId);
    },
    // Asked again when the body is there: a key may be withdrawn while somebody sends one slowly.
    preHandler: holder,
  };

  server.post<{ Params: Device; Body: Batch }>(
    '/v1/devices/:deviceId/receipts',
    { ...itself, schema: { params: device, body: batch } },
    (request) => backend.handIn(request.params.deviceId, request.body),
  );

  server.get<{ Params: Device; Querystring: { after?: string; most?: string; chain?: string } }>(
    '/v1/devices/:deviceId/receipts',
    { onRequest: operator, schema: { params: device, querystring: page } },
    async ({ params, query }) => {
      const most = Math.min(Number(query.most ?? BATCH_RECEIPTS), BATCH_RECEIPTS);
      const receipts = await backend.receipts(params.deviceId, Number(query.after ?? 0), most + 1, chainIn(query));
      return { receipts: receipts.slice(0, most), more: receipts.length > most };
    },
  );

  server.get<{ Params: Device; Querystring: { chain?: string } }>(
    '/v1/devices/:deviceId/report',
    { onRequest: operator, schema: { params: device, querystring: one } },
    ({ params, query }) => backend.report(params.deviceId, chainIn(query)),
  );

  server.post<{ Params: Device; Body: { reason: string } }>(
    '/v1/devices/:deviceId/chains',
    { onRequest: operator, schema: { params: device, body: beginning } },
    async ({ params, body }, reply) =>
      reply.code(201).send({ chain: await backend.beginChain(params.deviceId, body.reason) }),
  );

  server.post<{ Params: Device; Body: JsonObject }>(
    '/v1/devices/:deviceId/state',
    { ...itself, schema: { params: device, body: { type: 'object' } } },
    async ({ params, body }) => {
      await backend.takeState(params.deviceId, body);
      return {};
    },
  );

  server.get('/v1/devices', { onRequest: operator }, async () => ({ devices: await backend.devices() }));

  server.post<{ Params: Device }>(
    '/v1/devices/:deviceId/keys',
    { onRequest: administrator, schema: { params: device } },
    async ({ params: { deviceId } }, reply) =>
      reply.code(201).send({ deviceId, key: await apiKeys.issueToDevice(deviceId) }),
  );

  server.delete<{ Params: Device }>(
    '/v1/devices/:deviceId/keys',
    { onRequest: administrator, schema: { params: device } },
    async ({ params: { deviceId } }) => ({ deviceId, withdrawn: await apiKeys.withdrawFromDevice(deviceId) }),
  );

  server.post<{ Body: { keyId: string } }>(
    '/v1/keys',
    { onRequest: administrator, schema: { body: naming } },
    async ({ body: { keyId } }, reply) => reply.code(201).send({ keyId, key: await apiKeys.issueToOperator(keyId) }),
  );
}

function chainIn({ chain }: { readonly chain?: string }): number | undefined {
  return chain === undefined ? undefined : Number(chain);
}
