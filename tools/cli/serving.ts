// What commands that serve share: the option of a port, listening on it, and what is told meanwhile.

import { Option } from 'commander';
import type { Log } from '../../core/ports/ports.ts';
import { ndjsonLog } from '../../host-sim/ports/log.ts';
import { SYSTEM_CLOCK } from '../../host-sim/ports/system-clock.ts';
import { type Io, systemReason, UsageError } from './io.ts';
import { wholeNumber } from './option-values.ts';

/** What listens. */
export interface Listener {
  listen(port: number, host: string): Promise<string>;
}

/** An option whose value is a port. */
export function portOption(flags: string, help: string, port: number): Option {
  return new Option(flags, help).default(port).argParser(wholeNumber(0, 65_535));
}

/** Begins to listen. @param option what named the port @returns the URL @throws UsageError where the port cannot be had */
export async function listening(server: Listener, host: string, port: number, option: string): Promise<string> {
  try {
    return await server.listen(port, host);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'EADDRINUSE' ? 'it is taken' : systemReason(error);
    throw new UsageError(`${option}: cannot listen on ${host} port ${port}: ${reason}`);
  }
}

/** Why a request could not be served is told in any case; its answer does not say. @param all the other events too */
export function logTo(io: Io, all: boolean): Log {
  const log = ndjsonLog((line) => io.note(line), SYSTEM_CLOCK);
  return all ? log : { emit: (event) => (event.event.endsWith('.error') ? log.emit(event) : undefined) };
}
