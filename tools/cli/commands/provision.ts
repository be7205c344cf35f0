// The `provision` commands: what devices are given at manufacture, from a fleet's file to the flash of each.

import type { Command } from 'commander';
import type { Io } from '../io.ts';
import { addCreate } from '../provision/create.ts';
import { addFlash } from '../provision/flash.ts';
import { addInspect } from '../provision/inspect.ts';
import { addRotate } from '../provision/rotate.ts';
import { addVerify } from '../provision/verify.ts';
import type { Register } from './index.ts';

/** Adds `provision`. */
export const register: Register = (program: Command, io: Io) => {
  const provision = program
    .command('provision')
    .description('What devices are given at manufacture: an image each, made, looked at, checked, rotated, flashed.');
  addCreate(provision.command('create'), io);
  addInspect(provision.command('inspect'), io);
  addVerify(provision.command('verify'), io);
  addRotate(provision.command('rotate'), io);
  addFlash(provision.command('flash'), io);
};
